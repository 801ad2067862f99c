package apply

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// seeds are where a group was put, by topic.
type seeds map[string]live.Seed

// after adds to what was known of a group where it has been put since.
func (s seeds) after(known map[string]live.Seed) map[string]live.Seed {
	if len(s) == 0 {
		return known
	}
	all := make(map[string]live.Seed, len(known)+len(s))
	maps.Copy(all, known)
	for topic, put := range s {
		was := known[topic]
		put.Moved, put.Offsets = was.Moved, over(was.Offsets, put.Offsets)
		all[topic] = put
	}
	return all
}

// over is where a group was put and, where it was not, what was known before.
func over(known, put live.Offsets) live.Offsets {
	all := append(slices.Clone(put), known[min(len(put), len(known)):]...)
	for p, at := range known {
		if all[p] == live.NoOffset {
			all[p] = at
		}
	}
	return all
}

// seeded notes where a step has put a group, if it has, beside what was noted of
// its earlier tries.
func (r *run) seeded(s plan.Step, put seeds) {
	if len(put) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.seeds[s.About().Object]
	for topic, seed := range put {
		seed.Offsets = over(before[topic].Offsets, seed.Offsets)
		put[topic] = seed
	}
	r.seeds[s.About().Object] = put
}

// found are the offsets that a group has committed where a step was to put it
// that got no answer.
func (r *run) found(s plan.Step, snapshot *live.Snapshot) seeds {
	step, ok := s.(*plan.SeedOffsets)
	if !ok {
		return nil
	}
	return had(step, snapshot, r.lifeOf)
}

// had are the offsets that a group has committed already where it is to be put.
func had(step *plan.SeedOffsets, snapshot *live.Snapshot, lifeOf func(*plan.Seeding) live.TopicID) seeds {
	all := seeds{}
	for i := range step.Seeds {
		seeding := &step.Seeds[i]
		var offsets live.Offsets
		for p, at := range snapshot.Groups[step.Object.Name].Value.Offsets.Value[seeding.Topic] {
			for int(p) >= len(offsets) {
				offsets = append(offsets, live.NoOffset)
			}
			if asksFor(seeding, p) {
				offsets[p] = at
			}
		}
		all[seeding.Topic] = live.Seed{TopicID: lifeOf(seeding), Offsets: offsets}
	}
	return all
}

// lifeOf is the life of a topic in which a group is put: this apply may have
// given it to it.
func (r *run) lifeOf(s *plan.Seeding) live.TopicID {
	r.mu.Lock()
	defer r.mu.Unlock()
	none := live.TopicID{}
	if s.TopicID == none {
		return r.lives[schema.ID{Kind: schema.KindQueue, Name: s.Topic}]
	}
	return s.TopicID
}

// seedOffsets commits where groups begin, in partitions where they have
// committed nothing: they are looked at once more. A group that somebody has
// joined meanwhile is refused.
func (w writer) seedOffsets(ctx context.Context, steps []plan.Step) (answer, error) {
	o, err := w.openings(ctx, steps)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), 0)
	a.seeds, a.had, a.cut = make(map[string]seeds, len(steps)), make(map[string]seeds, len(steps)), map[string]error{}
	var mu sync.Mutex
	var commits errgroup.Group
	commits.SetLimit(inFlight)
	coordinators := w.coordinators(ctx, steps)
	for _, s := range steps {
		commits.Go(func() error {
			step := s.(*plan.SeedOffsets)
			name := step.Object.Name
			put, err := w.commit(ctx, coordinators[name], step, o)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && !isAnswer(err) {
				a.cut[name] = err
			} else {
				a.seeds[name], a.refusals[name] = put, err
				a.had[name] = had(step, o.Snapshot, func(s *plan.Seeding) live.TopicID { return o.Topics[s.Topic].Value.ID })
			}
			return nil
		})
	}
	_ = commits.Wait() // the errors are told of each group
	return a, nil
}

const joinedMeanwhile = "somebody has joined it meanwhile"

// openings are the topics, groups and offsets that tell where groups begin.
type openings struct {
	*live.Snapshot
	offsets map[live.Position]live.Seen[live.Offsets]
}

// openings looks at all that the steps are about.
func (w writer) openings(ctx context.Context, steps []plan.Step) (openings, error) {
	scope, places := live.Scope{Bare: true}, map[live.Position]bool{}
	for _, s := range steps {
		scope.Groups = append(scope.Groups, s.About().Object.Name)
		for _, seeding := range s.(*plan.SeedOffsets).Seeds {
			scope.Topics = append(scope.Topics, seeding.Topic)
			places[live.Position{Topic: seeding.Topic, At: live.End}] = true
			places[live.Position{Topic: seeding.Topic, At: startOf(seeding.Start)}] = true
		}
	}
	slices.Sort(scope.Topics)
	scope.Topics = slices.Compact(scope.Topics)
	snapshot, err := w.engine.Read(ctx, scope)
	if err != nil {
		return openings{}, err
	}
	answers := w.engine.Measure(ctx, snapshot, live.Questions{Offsets: slices.Collect(maps.Keys(places))})
	return openings{snapshot, answers.Offsets}, nil
}

// startOf is where Kafka has the offsets of a start.
func startOf(s schema.Start) int64 {
	if at, timed := s.Time(); timed {
		return at.UnixMilli()
	}
	if s == schema.Latest {
		return live.End
	}
	return live.Start
}

// of are the offsets that a group is to commit in a topic; NoOffset where it
// has committed already, or is not asked to.
func (o openings) of(group *live.Group, s *plan.Seeding) (live.Offsets, error) {
	topic := o.Topics[s.Topic]
	none := live.TopicID{}
	switch {
	case topic.State != live.Present:
		return nil, &Refusal{Code: kerr.UnknownTopicOrPartition, Message: "the broker does not know " + s.Topic + " yet"}
	case len(topic.Value.Partitions) < s.Total:
		return nil, &Refusal{Code: kerr.UnknownTopicOrPartition, Message: "the broker does not know all partitions of " + s.Topic + " yet"}
	case s.TopicID != none && topic.Value.ID != s.TopicID:
		return nil, &Refusal{Message: s.Topic + " was deleted and made again meanwhile: plan again"}
	}
	begin, end := o.offsets[live.Position{Topic: s.Topic, At: startOf(s.Start)}], o.offsets[live.Position{Topic: s.Topic, At: live.End}]
	if begin.State != live.Present || end.State != live.Present {
		return nil, &Refusal{Code: kerr.LeaderNotAvailable, Message: "the offsets of " + s.Topic + " cannot be read: " + cmp.Or(begin.Why, end.Why)}
	}
	put := make(live.Offsets, len(topic.Value.Partitions))
	for p := range put {
		put[p] = live.NoOffset
		if _, committed := group.Offsets.Value[s.Topic][int32(p)]; committed || !asksFor(s, int32(p)) {
			continue
		}
		at, was := s.At[int32(p)]
		switch put[p] = begin.Value[p]; {
		case was:
			put[p] = max(put[p], at)
		case put[p] == live.NoOffset: // all messages are older
			put[p] = end.Value[p]
		}
	}
	return put, nil
}

// asksFor says whether a group is to be put in a partition.
func asksFor(s *plan.Seeding, p int32) bool {
	_, was := s.At[p]
	all := s.At == nil && s.Partitions == nil
	return was || all || slices.Contains(s.Partitions, p)
}

// commit puts one group where it begins. Its error is the connection's, or a
// [Refusal].
func (w writer) commit(ctx context.Context, to coordinator, step *plan.SeedOffsets, o openings) (seeds, error) {
	group := o.Groups[step.Object.Name]
	switch {
	case to.err != nil:
		return nil, to.err
	case group.State == live.Unseen && group.Needs != "":
		return nil, &Refusal{Code: kerr.GroupAuthorizationFailed, Needs: group.Needs}
	case group.State == live.Unseen: // its coordinator is on the way, as that of the first group of a cluster
		return nil, &Refusal{Code: kerr.CoordinatorNotAvailable, Message: group.Reason()}
	case group.State == live.Present && group.Value.Offsets.State != live.Present: // it may have committed
		return nil, &Refusal{Code: kerr.CoordinatorNotAvailable, Message: "its offsets cannot be read: " + group.Value.Offsets.Reason()}
	case group.Value.Active():
		return nil, &Refusal{Code: kerr.NonEmptyGroup, Message: joinedMeanwhile}
	}
	put, req, err := o.request(step, &group.Value)
	if err != nil || len(req.Topics) == 0 {
		return put, err
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return nil, err
	}
	return o.taken(put, resp), firstRefused(req, resp)
}

// taken is where a group was put, without the partitions that were refused.
func (o openings) taken(put seeds, resp *kmsg.OffsetCommitResponse) seeds {
	for i := range resp.Topics {
		t := &resp.Topics[i]
		name := t.Topic
		for topic := range put {
			if name == "" && o.Topics[topic].Value.ID == t.TopicID {
				name = topic
			}
		}
		for _, p := range t.Partitions {
			if offsets := put[name].Offsets; p.ErrorCode != 0 && int(p.Partition) < len(offsets) {
				offsets[p.Partition] = live.NoOffset
			}
		}
	}
	return put
}

// request is what puts a group where it begins.
func (o openings) request(step *plan.SeedOffsets, group *live.Group) (seeds, *kmsg.OffsetCommitRequest, error) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group = step.Object.Name
	put := make(seeds, len(step.Seeds))
	for i := range step.Seeds {
		seeding := &step.Seeds[i]
		offsets, err := o.of(group, seeding)
		if err != nil {
			return nil, nil, err
		}
		id := o.Topics[seeding.Topic].Value.ID
		put[seeding.Topic] = live.Seed{TopicID: id, Offsets: offsets}
		topic := kmsg.OffsetCommitRequestTopic{Topic: seeding.Topic, TopicID: id}
		for p, at := range offsets {
			if at != live.NoOffset {
				partition := kmsg.NewOffsetCommitRequestTopicPartition()
				partition.Partition, partition.Offset = int32(p), at
				topic.Partitions = append(topic.Partitions, partition)
			}
		}
		if len(topic.Partitions) > 0 {
			req.Topics = append(req.Topics, topic)
		}
	}
	return put, req, nil
}

// firstRefused is the first refusal among the partitions. Brokers name topics by
// their ids (since Kafka 4.1).
func firstRefused(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) error {
	names := make(map[[16]byte]string, len(req.Topics))
	for i := range req.Topics {
		names[req.Topics[i].TopicID] = req.Topics[i].Topic
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			err := refusal(t.Partitions[j].ErrorCode, nil)
			if refused, ok := errors.AsType[*Refusal](err); ok {
				switch {
				case errors.Is(err, kerr.UnknownMemberID):
					refused.Message = joinedMeanwhile
				case errors.Is(err, kerr.TopicAuthorizationFailed):
					refused.Needs = "Read on Topic " + cmp.Or(t.Topic, names[t.TopicID])
				}
				return refused
			}
		}
	}
	return nil
}

// coordinator is the broker that answers for a group, or why it is not known.
type coordinator struct {
	kmsg.Requestor
	id  int32
	err error
}

// coordinators finds out who answers for the groups of steps.
func (w writer) coordinators(ctx context.Context, steps []plan.Step) map[string]coordinator {
	ids := make([]string, len(steps))
	for i, s := range steps {
		ids[i] = s.About().Object.Name
	}
	all := make(map[string]coordinator, len(steps))
	for id, c := range kadm.NewClient(w.engine.Client).FindGroupCoordinators(ctx, ids...) {
		all[id] = coordinator{w.engine.Client.Broker(int(c.NodeID)), c.NodeID, nil}
		if code, ok := errors.AsType[*kerr.Error](c.Err); ok {
			all[id] = coordinator{err: &Refusal{Code: code, Message: c.ErrMessage}}
		} else if c.Err != nil {
			all[id] = coordinator{err: &Refusal{Code: kerr.CoordinatorNotAvailable, Message: c.Err.Error()}}
		}
	}
	return all
}

// deleteGroups deletes groups, each at its coordinator.
func (w writer) deleteGroups(ctx context.Context, steps []plan.Step) (answer, error) {
	a := newAnswer(len(steps), 0)
	a.cut = map[string]error{}
	by := map[int32]*kmsg.DeleteGroupsRequest{}
	to := map[int32]coordinator{}
	for id, c := range w.coordinators(ctx, steps) {
		if c.err != nil {
			a.refusals[id] = c.err
			continue
		}
		if by[c.id] == nil {
			by[c.id], to[c.id] = kmsg.NewPtrDeleteGroupsRequest(), c
		}
		by[c.id].Groups = append(by[c.id].Groups, id)
	}
	for id, req := range by {
		resp, err := req.RequestWith(ctx, to[id])
		if err != nil {
			for _, group := range req.Groups {
				a.cut[group] = err
			}
			continue
		}
		for i := range resp.Groups {
			a.refusals[resp.Groups[i].Group] = refusal(resp.Groups[i].ErrorCode, nil)
		}
	}
	return a, nil
}
