package guard

import (
	"slices"
	"strconv"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

func field(c *plan.Change, path string) *plan.Field {
	i := slices.IndexFunc(c.Fields, func(f plan.Field) bool { return f.Path == path })
	if i < 0 {
		return nil
	}
	return &c.Fields[i]
}

// before is the config value that holds now, inherited or not; empty where it is not known.
func (in *inquiry) before(c *plan.Change, key string) string {
	if value, set := in.topic(c).Overrides.Value[key]; set {
		return value
	}
	return in.Snapshot.Defaults[key]
}

// after is the config value that will hold.
func (in *inquiry) after(c *plan.Change, key string) string {
	if f := field(c, "config."+key); f != nil {
		value, _ := f.After.(string)
		return value
	}
	return in.before(c, key)
}

// factor is the replication factor before and after; 0 is not known.
func (in *inquiry) factor(c *plan.Change) (before, after int) {
	topic := in.topic(c)
	before = topic.Factor()
	after = before
	if f := field(c, "replication_factor"); f != nil {
		after, _ = f.After.(int)
	} else if f := field(c, "placement"); f != nil {
		if lists, _ := f.After.([][]int32); len(lists) > 0 {
			after = len(lists[0])
		}
	}
	return before, after
}

// raisedMinInSync is the min.insync.replicas that a change sets, where it is more than now.
func (in *inquiry) raisedMinInSync(c *plan.Change) (int, bool) {
	if field(c, "config."+minInSync) == nil {
		return 0, false
	}
	after, err := strconv.Atoi(in.after(c, minInSync))
	before, _ := strconv.Atoi(in.before(c, minInSync))
	return after, err == nil && after > before
}

// reassign is the step that moves replicas for a change; nil if none does.
func (in *inquiry) reassign(c *plan.Change) *plan.Reassign {
	for _, s := range in.plan.Steps {
		r, ok := s.(*plan.Reassign)
		if ok && r.Object == c.Object {
			return r
		}
	}
	return nil
}

func total(sizes live.Sizes) *int64 {
	var sum int64
	for _, n := range sizes {
		sum += n
	}
	return &sum
}
