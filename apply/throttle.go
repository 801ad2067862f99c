package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Kafka's replication throttle (KIP-73): which replicas, on topics, and how
// fast, on brokers. Neither acts without the other.
const (
	leaderReplicas   = "leader.replication.throttled.replicas"
	followerReplicas = "follower.replication.throttled.replicas"
	leaderRate       = "leader.replication.throttled.rate"
	followerRate     = "follower.replication.throttled.rate"
)

// throttle is what this apply has set, or tried to.
type throttle struct {
	lists   map[string]lists // by topic
	brokers []int32          // those with a rate
}

// lists are replicas as Kafka lists them, partition:broker, by key: the
// leader's are those that send, the follower's those that copy.
type lists map[string][]string

// marked are the topics on which an earlier apply left a throttle. Until the
// ledger says who set what, any list on a topic of this topology is taken for
// queueform's, but for one of all replicas, and it marks the rates as such, too.
func marked(p *plan.Plan) map[string]bool {
	topics := make(map[string]bool, len(p.Throttled))
	for _, id := range p.Throttled {
		if id.Kind == schema.KindQueue {
			topics[id.Name] = true
		}
	}
	return topics
}

// slow throttles the moves to come, and returns those that may start. It sets
// the lists first: they are the mark by which the next apply knows the rates.
func (r *run) slow(ctx context.Context, steps []plan.Step) []plan.Step {
	if r.Throttle == 0 {
		return steps
	}
	found, failed := r.dynamic(ctx, resources(r.touched(steps)), leaderReplicas, followerReplicas, leaderRate, followerRate)
	r.foreign(found, failed)
	steps = r.without(steps, failed)
	steps = r.without(steps, r.alter(ctx, r.listing(steps, found)))
	_, brokers := r.touched(steps)
	r.slowed.brokers = append(r.slowed.brokers, brokers...)
	steps = r.without(steps, r.alter(ctx, rated(brokers, r.Throttle)))
	if ctx.Err() != nil {
		return nil
	}
	return steps
}

// pace sets the rate of this apply on the moves that an earlier one has
// started under a throttle. Its error is why they keep the one they have.
func (r *run) pace(ctx context.Context) error {
	if len(r.moving) == 0 || len(r.marked) == 0 {
		return nil
	}
	l, err := r.lifting(ctx, slices.Sorted(maps.Keys(r.marked)))
	if err == nil {
		slices.Sort(l.needed)
		r.slowed.brokers = slices.DeleteFunc(slices.Compact(l.needed), func(id int32) bool { return !r.plan.Cluster.Up(id) })
		err = flat(r.alter(ctx, rated(r.slowed.brokers, r.Throttle)))
	}
	if err != nil {
		return fmt.Errorf("the moves under way keep the rate they were started at: %w", err)
	}
	return nil
}

// without ends the steps that involve a topic or a broker that failed, and
// returns the others.
func (r *run) without(steps []plan.Step, failed map[resource]error) []plan.Step {
	if len(failed) == 0 {
		return steps
	}
	return slices.DeleteFunc(slices.Clone(steps), func(s plan.Step) bool {
		for _, o := range resources(r.touched([]plan.Step{s})) {
			if err := failed[o]; err != nil {
				r.end(s, Result{NotDone, fmt.Errorf("the move cannot be throttled: %s: %w", o, err)})
				return true
			}
		}
		return false
	})
}

// touched are the topics of the steps that copy anything, and the brokers that
// are up and send or copy for them, by id.
func (r *run) touched(steps []plan.Step) (topics []string, brokers []int32) {
	for _, s := range steps {
		move := s.(*plan.Reassign)
		copies := false
		for i := range move.Moves {
			m := &move.Moves[i]
			if added := m.Added(); len(added) > 0 {
				copies = true
				brokers = append(append(brokers, m.From...), added...)
			}
		}
		if copies {
			topics = append(topics, move.Object.Name)
		}
	}
	slices.Sort(brokers)
	brokers = slices.DeleteFunc(slices.Compact(brokers), func(id int32) bool { return !r.plan.Cluster.Up(id) })
	return topics, brokers
}

// foreign fails the topics and brokers that somebody else throttles.
func (r *run) foreign(found map[resource]map[string]string, failed map[resource]error) {
	for o, values := range found {
		for key, value := range values {
			ours := len(r.marked) > 0
			if o.kind == kmsg.ConfigResourceTypeTopic {
				ours = value == "" || r.marked[o.name] && value != "*"
			}
			if !ours {
				failed[o] = fmt.Errorf("%s = %s is there, which queueform did not set: wait until it is gone, or delete it", key, value)
			}
		}
	}
}

// listing are the alterations that list the replicas of the steps, and not
// again those that an earlier apply has listed.
func (r *run) listing(steps []plan.Step, found map[resource]map[string]string) []alteration {
	r.slowed.lists = map[string]lists{}
	var all []alteration
	for _, s := range steps {
		listed := throttled(s.(*plan.Reassign))
		if len(listed[followerReplicas]) == 0 {
			continue
		}
		topic := s.About().Object.Name
		r.slowed.lists[topic] = listed
		a := alteration{resource: resource{kmsg.ConfigResourceTypeTopic, topic}}
		for _, key := range []string{leaderReplicas, followerReplicas} {
			there := entries(found[a.resource][key])
			missing := slices.DeleteFunc(slices.Clone(listed[key]), func(e string) bool { return slices.Contains(there, e) })
			if len(missing) > 0 {
				a.set(key, kmsg.IncrementalAlterConfigOpAppend, missing...)
			}
		}
		if len(a.ops) > 0 {
			all = append(all, a)
		}
	}
	return all
}

// throttled are the replicas of the step's moves that send, those of old, and
// those that copy.
func throttled(step *plan.Reassign) lists {
	l := lists{}
	for i := range step.Moves {
		m := &step.Moves[i]
		added := m.Added()
		if len(added) == 0 {
			continue
		}
		for _, broker := range m.From {
			l[leaderReplicas] = append(l[leaderReplicas], fmt.Sprintf("%d:%d", m.Partition, broker))
		}
		for _, broker := range added {
			l[followerReplicas] = append(l[followerReplicas], fmt.Sprintf("%d:%d", m.Partition, broker))
		}
	}
	return l
}

// unthrottle takes back what slow has set, and what an earlier apply left on
// these topics for partitions that do not move any more. Its error is what
// stays. The lists go last, and only once the rates are gone.
//
// The rates go although another topology may be moving replicas under them:
// only the ledger could tell.
func (r *run) unthrottle(ctx context.Context) error {
	topics := slices.Sorted(maps.Keys(r.marked))
	topics = append(topics, slices.Collect(maps.Keys(r.slowed.lists))...)
	slices.Sort(topics)
	if topics = slices.Compact(topics); len(topics) == 0 {
		return nil
	}
	if r.unsure() {
		return errors.New("the replication throttle stays, since a move may have been started: apply again to remove it")
	}
	l, err := r.lifting(ctx, topics)
	if err == nil {
		err = flat(r.alter(ctx, rated(l.slowed(r.slowed.brokers), 0)))
	}
	if err == nil {
		err = flat(r.alter(ctx, l.lists))
	}
	switch {
	case err != nil:
		return fmt.Errorf("the replication throttle could not be removed, apply again to do it: %w", err)
	case len(l.needed) > 0:
		return errors.New("the replication throttle stays where replicas are moving that this apply does not wait for: apply again when that has ended")
	}
	return nil
}

// limit is the rate at which this apply throttles; 0: it does not, whatever an
// earlier one may have left.
func (r *run) limit() int64 {
	if len(r.slowed.brokers) == 0 {
		return 0
	}
	return r.Throttle
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
	freed  []int32 // brokers of the replicas that are taken off the lists
	needed []int32 // those of replicas that somebody else is moving
}

// slowed are the brokers whose rate goes: those slowed by this apply, and those freed.
func (l *lifting) slowed(now []int32) []int32 {
	ids := slices.Concat(now, l.freed)
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int32) bool { return slices.Contains(l.needed, id) })
}

// lifting finds our entries on the lists of topics.
func (r *run) lifting(ctx context.Context, topics []string) (*lifting, error) {
	found, failed := r.dynamic(ctx, resources(topics, nil), leaderReplicas, followerReplicas)
	maps.DeleteFunc(failed, func(_ resource, err error) bool { return errors.Is(err, kerr.UnknownTopicOrPartition) }) // deleted
	if err := flat(failed); err != nil {
		return nil, err
	}
	onTheMove, err := r.onTheMove(ctx)
	if err != nil {
		return nil, err
	}
	l := &lifting{}
	for _, o := range resources(topics, nil) {
		values, there := found[o]
		if !there { // deleted, and what it said of brokers with it
			l.freed = append(l.freed, r.up()...)
			continue
		}
		a := alteration{resource: o}
		for _, key := range []string{leaderReplicas, followerReplicas} {
			has := entries(values[key])
			ours := slices.Clone(r.slowed.lists[o.name][key])
			if r.marked[o.name] {
				ours = append(ours, l.left(o.name, has, onTheMove)...)
			}
			a.lift(key, has, ours)
		}
		if len(a.ops) > 0 {
			l.lists = append(l.lists, a)
		}
	}
	return l, nil
}

// up are the brokers that are up, by id.
func (r *run) up() []int32 {
	ids := make([]int32, len(r.plan.Cluster.Brokers))
	for i, b := range r.plan.Cluster.Brokers {
		ids[i] = b.ID
	}
	return ids
}

// left are the entries of a topic's list that an earlier apply has left: those
// of partitions that do not move any more.
func (l *lifting) left(topic string, has []string, onTheMove map[place]bool) []string {
	var left []string
	for _, e := range has {
		switch partition, broker := replica(e); {
		case broker < 0: // all replicas: nobody of us did that
		case onTheMove[place{topic, partition}]:
			l.needed = append(l.needed, broker)
		default:
			left = append(left, e)
			l.freed = append(l.freed, broker)
		}
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

// place is one partition.
type place struct {
	topic     string
	partition int
}

// replica reads an entry of a list; both are -1 where it is none.
func replica(entry string) (partition int, broker int32) {
	first, second, _ := strings.Cut(entry, ":")
	p, err := number(first)
	b, err2 := number(second)
	if err != nil || err2 != nil {
		return -1, -1
	}
	return int(p), b
}

func number(text string) (int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	return int32(n), err
}

// onTheMove are the partitions of marked topics that somebody is moving.
func (r *run) onTheMove(ctx context.Context) (map[place]bool, error) {
	if len(r.marked) == 0 {
		return nil, nil
	}
	snapshot, err := r.Read(ctx, live.Scope{Topics: slices.Sorted(maps.Keys(r.marked)), Moves: true})
	if err != nil {
		return nil, fmt.Errorf("the cluster cannot be read: %w", err)
	}
	all := map[place]bool{}
	for name, topic := range snapshot.Topics {
		if topic.State == live.Present && snapshot.Moves.State != live.Present {
			return nil, fmt.Errorf("what is moving cannot be seen: %s", snapshot.Moves.Why)
		}
		for i := range topic.Value.Partitions {
			if topic.Value.Partitions[i].Moving() {
				all[place{name, i}] = true
			}
		}
	}
	return all, nil
}

// entries are the members of a list as Kafka writes it.
func entries(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(e string) bool { return e == "" })
}
