package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
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
	lists   map[string]lists // by topic; none where they were refused
	brokers []int32          // those with a rate
	rate    int64            // that rate, when it was set
	rates   map[string]bool  // all rates that a topology has noted so far, as brokers spell them
}

// lists are replicas as Kafka lists them, partition:broker, by key: the
// leader's are those that send, the follower's those that copy.
type lists map[string][]string

// marked are the topics on which an earlier apply left a throttle.
func marked(p *plan.Plan) map[string]bool {
	topics := make(map[string]bool, len(p.Throttled))
	for _, id := range p.Throttled {
		topics[id.Name] = true
	}
	return topics
}

// throttling is an edit of the cluster's throttles, under the lock that guards
// them: one topology edits at a time.
type throttling struct {
	*run
	lock   Hold
	ours   map[string]live.Throttle // by topic, as the ledger says
	theirs map[string]live.Throttle // other topologies'
}

// throttles runs an edit under the lock.
func (r *run) throttles(ctx context.Context, edit func(*throttling) error) (err error) {
	lock, err := r.LockThrottles(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release(ctx)) }()
	t := &throttling{run: r, lock: lock, ours: map[string]live.Throttle{}, theirs: map[string]live.Throttle{}}
	r.slowed.rates[spell(r.slowed.rate)] = true
	for topic, throttle := range lock.Live().Throttles {
		r.slowed.rates[spell(throttle.Rate)] = true
		if throttle.Topology == r.plan.Topology.Name {
			t.ours[topic] = throttle
		} else {
			t.theirs[topic] = throttle
		}
	}
	return edit(t)
}

// share tells the brokers that other topologies slow, too, from those that none does.
func (t *throttling) share(ids []int32) (free, shared []int32) {
	slowed := map[int32]bool{}
	for _, other := range t.theirs {
		for _, e := range slices.Concat(other.Leaders, other.Followers) {
			_, broker := replica(e)
			slowed[broker] = true
		}
	}
	for _, id := range ids {
		if slowed[id] {
			shared = append(shared, id)
		} else {
			free = append(free, id)
		}
	}
	return free, shared
}

// note tells the ledger.
func (t *throttling) note(ctx context.Context, records ...ledger.Record) error {
	if len(records) == 0 {
		return nil
	}
	_, err := t.lock.Write(context.WithoutCancel(ctx), records...)
	return err
}

// spell is a rate as brokers do.
func spell(rate int64) string { return strconv.FormatInt(rate, 10) }

// rating are the alterations that set both rates on brokers; 0 deletes them. A
// rate that no topology has noted is somebody else's, and stays. A broker may
// not show yet what this apply has set.
func (t *throttling) rating(ctx context.Context, ids []int32, rate int64) ([]alteration, error) {
	found, failed := t.dynamic(ctx, resources(nil, ids), leaderRate, followerRate)
	if err := flat(failed); err != nil {
		return nil, err
	}
	var all []alteration
	for i, o := range resources(nil, ids) {
		a := alteration{resource: o}
		for _, key := range []string{leaderRate, followerRate} {
			value, there := found[o][key]
			switch {
			case there && !t.slowed.rates[value]:
				t.report.Foreign = union(t.report.Foreign, []string{fmt.Sprintf("%s: %s = %s", o, key, value)})
			case rate > 0:
				a.set(key, kmsg.IncrementalAlterConfigOpSet, spell(rate))
			case there || slices.Contains(t.slowed.brokers, ids[i]):
				a.set(key, kmsg.IncrementalAlterConfigOpDelete)
			}
		}
		if len(a.ops) > 0 {
			all = append(all, a)
		}
	}
	return all, nil
}

// paced tells the ledger the rate at which what moves already goes on.
func (t *throttling) paced(ctx context.Context) error {
	var records []ledger.Record
	for _, topic := range slices.Sorted(maps.Keys(t.ours)) {
		noted := t.ours[topic]
		records = append(records, ledger.Moving{Topic: topic, Rate: t.Throttle, Leaders: noted.Leaders, Followers: noted.Followers})
	}
	return t.note(ctx, records...)
}

// rate is what brokers shall have: the lowest of this apply's and what other
// topologies want, 0 if nobody wants one.
func (t *throttling) rate(ours int64) int64 {
	rate := ours
	for _, other := range t.theirs {
		if rate == 0 || other.Rate < rate {
			rate = other.Rate
		}
	}
	return rate
}

// throttleMoves throttles the moves to come, and returns those that may start. The
// ledger is told first: by that the next apply knows whose the throttle is.
func (r *run) throttleMoves(ctx context.Context, steps []plan.Step) []plan.Step {
	topics, brokers := r.touched(steps)
	if r.Throttle == 0 || len(topics) == 0 {
		return steps
	}
	err := r.throttles(ctx, func(t *throttling) error {
		found, failed := t.there(ctx, resources(topics, brokers))
		steps = r.without(steps, failed)
		wanted, records := t.listing(steps, found)
		if err := t.note(ctx, records...); err != nil {
			return err
		}
		unlisted := t.alter(ctx, wanted)
		for o, err := range unlisted {
			if isFinal(err) {
				r.slowed.lists[o.name] = nil
			}
		}
		steps = r.without(steps, unlisted)
		_, brokers = r.touched(steps)
		r.slowed.rate = t.rate(t.Throttle)
		refused := t.alter(ctx, rated(brokers, r.slowed.rate))
		for i, o := range resources(nil, brokers) {
			if err := refused[o]; err == nil || !isFinal(err) { // it may have it
				r.slowed.brokers = append(r.slowed.brokers, brokers[i])
			}
		}
		steps = r.without(steps, refused)
		return nil
	})
	if err != nil {
		for _, s := range steps {
			r.end(s, Result{NotDone, fmt.Errorf("the move cannot be throttled: %w", err)})
		}
		return nil
	}
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
	err := r.throttles(ctx, func(t *throttling) error {
		l, err := t.lifting(ctx)
		if err != nil {
			return err
		}
		slices.Sort(l.needed)
		r.slowed.brokers = slices.DeleteFunc(slices.Compact(l.needed), func(id int32) bool { return !r.plan.Cluster.Up(id) })
		r.slowed.rate = t.rate(t.Throttle)
		paced, err := t.rating(ctx, r.slowed.brokers, r.slowed.rate)
		if err == nil && t.Throttle > 0 {
			err = t.paced(ctx)
		}
		if err == nil {
			err = flat(t.alter(ctx, paced))
		}
		return err
	})
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

// longestLag is how long a broker may show a throttle that is gone.
const longestLag = 5 * time.Second

// there looks for the throttles there are, and fails what somebody else
// throttles. One that an apply has just removed a broker may still show.
func (t *throttling) there(ctx context.Context, all []resource) (found map[resource]map[string]string, failed map[resource]error) {
	deadline := t.Clock.Now().Add(longestLag)
	for pause := firstPause; ; pause *= 2 {
		found, failed = t.dynamic(ctx, all, leaderReplicas, followerReplicas, leaderRate, followerRate)
		t.foreign(found, failed)
		if len(failed) == 0 || ctx.Err() != nil || t.Clock.Now().After(deadline) {
			return found, failed
		}
		t.wait(ctx, "for somebody else's throttle to go", pause)
	}
}

// foreign fails the topics and brokers that somebody else throttles.
func (t *throttling) foreign(found map[resource]map[string]string, failed map[resource]error) {
	for o, values := range found {
		for key, value := range values {
			ours := t.slowed.rates[value]
			if o.kind == kmsg.ConfigResourceTypeTopic {
				_, noted := t.ours[o.name]
				ours = value == "" || noted && value != "*"
			}
			if !ours {
				failed[o] = fmt.Errorf("%s = %s is there, which queueform did not set: wait until it is gone, or delete it", key, value)
			}
		}
	}
}

// listing are the alterations that list the replicas of the steps, but not
// again those that are listed, and what the ledger is to know of them.
func (t *throttling) listing(steps []plan.Step, found map[resource]map[string]string) (all []alteration, records []ledger.Record) {
	t.slowed.lists = map[string]lists{}
	for _, s := range steps {
		listed := throttled(s.(*plan.Reassign))
		if len(listed[followerReplicas]) == 0 {
			continue
		}
		topic := s.About().Object.Name
		t.slowed.lists[topic] = listed
		records = append(records, ledger.Moving{
			Topic: topic, Rate: t.Throttle,
			Leaders:   union(t.ours[topic].Leaders, listed[leaderReplicas]),
			Followers: union(t.ours[topic].Followers, listed[followerReplicas]),
		})
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
	return all, records
}

func union(a, b []string) []string {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	return slices.Compact(all)
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

// limit is the rate at which this apply throttles; 0: it does not, whatever an
// earlier one may have left.
func (r *run) limit() int64 {
	if len(r.slowed.brokers) == 0 {
		return 0
	}
	return r.slowed.rate
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

// entries are the members of a list as Kafka writes it.
func entries(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(e string) bool { return e == "" })
}
