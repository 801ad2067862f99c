package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
)

// unthrottle takes back what throttleMoves has set, and what earlier applies left for
// partitions that do not move any more. Its error is what stays. The lists go
// once the rates are gone, and the ledger is told last. Brokers that another
// topology slows, too, get its rate back.
func (r *run) unthrottle(ctx context.Context) error {
	switch {
	case len(r.slowed.lists)+len(r.marked) == 0:
		return nil
	case r.unsure():
		return errors.New("the replication throttle stays, since a move may have been started: apply again to remove it")
	}
	needed := false
	err := r.throttles(ctx, func(t *throttling) error {
		l, err := t.lifting(ctx)
		if err != nil {
			return err
		}
		err = t.unrate(ctx, l.slowed(r.slowed.brokers))
		if err == nil {
			err = flat(t.alter(ctx, l.lists))
		}
		if err == nil {
			err = t.note(ctx, l.done...)
		}
		needed = len(l.needed) > 0
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("the replication throttle could not be removed, apply again to do it: %w", err)
	case needed:
		return errors.New("the replication throttle stays where replicas are moving that this apply does not wait for: apply again when that has ended")
	}
	return nil
}

// unrate takes our rates off brokers, but for those that other topologies need.
func (t *throttling) unrate(ctx context.Context, ids []int32) error {
	free, shared := t.share(ids)
	without, err := t.rating(ctx, free, 0)
	if err != nil {
		return err
	}
	lower, err := t.rating(ctx, shared, t.rate(0))
	if err != nil {
		return err
	}
	return flat(t.alter(ctx, append(without, lower...)))
}

// unsure says whether a move may have been started without us knowing.
func (r *run) unsure() bool {
	for i, s := range r.report.Steps {
		if _, moves := s.(*plan.Reassign); moves && r.report.Results[i].Outcome == Unknown {
			return true
		}
	}
	return false
}

// lifting is what takes a throttle off.
type lifting struct {
	lists  []alteration
	freed  []int32         // brokers of the replicas that are taken off the lists
	needed []int32         // those of replicas that are moving still
	done   []ledger.Record // for the topics with nothing left on their lists
}

// slowed are the brokers whose rate goes: those slowed by this apply, and those freed.
func (l *lifting) slowed(now []int32) []int32 {
	ids := slices.Concat(now, l.freed)
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int32) bool { return slices.Contains(l.needed, id) })
}

// lifting finds our entries on the lists of topics.
func (t *throttling) lifting(ctx context.Context) (*lifting, error) {
	topics := slices.Sorted(maps.Keys(t.ours))
	found, err := t.shown(ctx, resources(topics, nil))
	if err != nil {
		return nil, err
	}
	onTheMove, err := t.onTheMove(ctx)
	if err != nil {
		return nil, err
	}
	l := &lifting{}
	for _, o := range resources(topics, nil) {
		noted := t.ours[o.name]
		a, before := alteration{resource: o}, len(l.needed)
		for _, key := range []string{leaderReplicas, followerReplicas} {
			has := entries(found[o][key])
			ours := l.left(o.name, lists{leaderReplicas: noted.Leaders, followerReplicas: noted.Followers}[key], onTheMove)
			a.lift(key, has, slices.DeleteFunc(ours, func(e string) bool { return !slices.Contains(has, e) }))
		}
		if len(a.ops) > 0 {
			l.lists = append(l.lists, a)
		}
		if len(l.needed) == before {
			l.done = append(l.done, ledger.Moved{Topic: o.name})
		}
	}
	return l, nil
}

// shown reads the lists of topics. What this apply has set a broker may not show
// yet.
func (t *throttling) shown(ctx context.Context, topics []resource) (found map[resource]map[string]string, err error) {
	deadline := t.Clock.Now().Add(longestLag)
	for pause := firstPause; ; pause *= 2 {
		found, failed := t.dynamic(ctx, topics, leaderReplicas, followerReplicas)
		late := slices.ContainsFunc(topics, func(o resource) bool { return failed[o] == nil && t.lacks(o, found[o]) })
		maps.DeleteFunc(failed, func(_ resource, err error) bool { return errors.Is(err, kerr.UnknownTopicOrPartition) }) // deleted
		if err := flat(failed); err != nil || !late || ctx.Err() != nil || t.Clock.Now().After(deadline) {
			return found, err
		}
		t.wait(ctx, "for the brokers to show the throttle", pause)
	}
}

// lacks says whether entries are missing that this apply has set.
func (t *throttling) lacks(topic resource, shown map[string]string) bool {
	for key, set := range t.slowed.lists[topic.name] {
		has := entries(shown[key])
		if slices.ContainsFunc(set, func(e string) bool { return !slices.Contains(has, e) }) {
			return true
		}
	}
	return false
}

// left are the entries of a topic's list whose partitions do not move any more.
func (l *lifting) left(topic string, listed []string, onTheMove map[place]bool) []string {
	var left []string
	for _, e := range listed {
		partition, broker := replica(e)
		if onTheMove[place{topic, partition}] {
			l.needed = append(l.needed, broker)
			continue
		}
		left = append(left, e)
		l.freed = append(l.freed, broker)
	}
	return left
}

// lift takes entries off a list. One without any other is deleted: SUBTRACT
// would leave an empty override.
func (a *alteration) lift(key string, has, ours []string) {
	switch rest := slices.ContainsFunc(has, func(e string) bool { return !slices.Contains(ours, e) }); {
	case len(ours) == 0:
	case rest:
		a.set(key, kmsg.IncrementalAlterConfigOpSubtract, ours...)
	default:
		a.set(key, kmsg.IncrementalAlterConfigOpDelete)
	}
}

// onTheMove are the partitions with a throttle of ours that are moving, but for
// those that this apply has seen arrive.
func (t *throttling) onTheMove(ctx context.Context) (map[place]bool, error) {
	snapshot, err := t.Read(ctx, live.Scope{Topics: slices.Sorted(maps.Keys(t.ours)), Moves: true, Bare: true})
	if err != nil {
		return nil, fmt.Errorf("the cluster cannot be read: %w", err)
	}
	all := map[place]bool{}
	for name, topic := range snapshot.Topics {
		if topic.State == live.Present && snapshot.Moves.State != live.Present {
			return nil, fmt.Errorf("what is moving cannot be seen: %s", snapshot.Moves.Reason())
		}
		for i := range topic.Value.Partitions {
			if at := (place{name, i}); topic.Value.Partitions[i].Moving() && !t.settled[at] {
				all[at] = true
			}
		}
	}
	return all, nil
}
