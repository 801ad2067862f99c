package guard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema/catalog"
)

const (
	policy    = "cleanup.policy"
	minInSync = "min.insync.replicas"
)

func deleted(c *plan.Change, in *inquiry) *Finding {
	if c.Action != plan.Delete {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: fmt.Sprintf("topic %q is deleted with all its messages", c.Object.Name)}
	if sizes := in.sizes(c.Object.Name); sizes != nil {
		f.Radius.Bytes = total(sizes)
	}
	return f
}

func retentionShortened(c *plan.Change, in *inquiry) *Finding {
	if c.Action != plan.Update {
		return nil
	}
	var cuts []string
	for _, key := range []string{"retention.ms", "retention.bytes"} {
		before, after := bound(in.before(c, key), in.before(c, policy)), bound(in.after(c, key), in.after(c, policy))
		if after < before {
			cuts = append(cuts, fmt.Sprintf("%s %s -> %s", key, spell(key, before), spell(key, after)))
		}
	}
	if cuts == nil {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: "retention is shortened: " + strings.Join(cuts, ", ")}
	if sizes := in.sizes(c.Object.Name); sizes != nil {
		f.Radius.Bytes = total(sizes)
	}
	return f
}

// bound is a retention as a number: without the delete policy, or at -1, there is none.
func bound(value, cleanup string) int64 {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || !strings.Contains(cleanup, "delete") {
		return math.MaxInt64
	}
	return n
}

func spell(key string, n int64) string {
	if n == math.MaxInt64 {
		return "unlimited"
	}
	known, _ := catalog.Topic.Find(key)
	return known.Spell(strconv.FormatInt(n, 10))
}

func compactionSwitched(c *plan.Change, in *inquiry) *Finding {
	if c.Action != plan.Update {
		return nil
	}
	before := strings.Contains(in.before(c, policy), "compact")
	after := strings.Contains(in.after(c, policy), "compact")
	switch {
	case after == before:
		return nil
	case after:
		return &Finding{Severity: Blocks, Summary: "compaction starts: of each key only the last message stays"}
	}
	return &Finding{Severity: Blocks, Summary: "compaction stops: keys expire with the retention"}
}

func keysMove(c *plan.Change, in *inquiry) *Finding {
	f := field(c, "partitions")
	q := in.queue(c)
	if c.Action != plan.Update || f == nil || q == nil || q.Key == "" {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: fmt.Sprintf("keys (%s) change partition: %v -> %v partitions", q.Key, f.Before, f.After)}
}

func factorLowered(c *plan.Change, in *inquiry) *Finding {
	before, after := in.factor(c)
	if c.Action != plan.Update || after >= before {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("%d replicas instead of %d: fewer brokers can fail", after, before)}
}

func producersStop(c *plan.Change, in *inquiry) *Finding {
	least, set := in.raisedMinInSync(c)
	if c.Action != plan.Update || !set {
		return nil
	}
	topic := in.topic(c)
	before, after := in.factor(c)
	for i, p := range topic.Partitions {
		if will := len(p.InSync) + max(0, after-before); least > will {
			return &Finding{Severity: Blocks, Summary: fmt.Sprintf("acks=all producers stop: min.insync.replicas %d, partition %d has %d in sync", least, i, will)}
		}
	}
	return nil
}

func noSpareReplica(c *plan.Change, in *inquiry) *Finding {
	_, factor := in.factor(c)
	least, err := strconv.Atoi(in.after(c, minInSync))
	touched := field(c, "config."+minInSync) != nil || field(c, "replication_factor") != nil
	if c.Action == plan.Delete || err != nil || !touched || factor < 2 || least != factor {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("min.insync.replicas %d of %d replicas: one broker down stops acks=all producers", least, factor)}
}

func uncleanElection(c *plan.Change, _ *inquiry) *Finding {
	f := field(c, "config.unclean.leader.election.enable")
	if c.Action != plan.Update || f == nil || f.After != "true" || f.Before == "true" {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: "unclean leader election is switched on: acknowledged messages may be lost"}
}

func unhealthy(c *plan.Change, in *inquiry) *Finding {
	offline, behind := 0, 0
	for _, p := range in.topic(c).Partitions {
		switch {
		case p.Leader < 0:
			offline++
		case !p.Moving() && len(p.InSync) < len(p.Replicas):
			behind++
		}
	}
	if c.Action == plan.Create || offline+behind == 0 {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("%d partitions are offline, %d under-replicated", offline, behind)}
}

func dataMoves(c *plan.Change, in *inquiry) *Finding {
	step := in.reassign(c)
	if step == nil {
		return nil
	}
	m := plan.Moved(step, in.sizes(c.Object.Name))
	if m.Copies == 0 {
		return nil
	}
	f := &Finding{Severity: Warns, Summary: fmt.Sprintf("%d replicas are copied to brokers %v", m.Copies, m.To)}
	if m.Bytes != nil {
		f.Radius.Bytes = m.Bytes
		f.Summary += fmt.Sprintf(", up to %s", humanize.IBytes(uint64(*m.Bytes)))
		if in.Throttle > 0 {
			f.Summary += fmt.Sprintf(", at least %s at %s/s", m.Time(in.Throttle).Round(time.Second), humanize.IBytes(uint64(in.Throttle)))
		}
	}
	return f
}
