package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// queues is what queues, external queues and deletions of queues bring to a plan.
type queues struct{}

func (queues) of() schema.Kind { return schema.KindQueue }

func (queues) scope(t *schema.Topology, s *live.Scope) {
	for q := range schema.All[*schema.Queue](t) {
		s.Topics = append(s.Topics, q.Topic)
		s.Moves = s.Moves || q.Partitions > 0 || q.ReplicationFactor > 0 || q.Placement != nil
	}
	for q := range schema.All[*schema.ExternalQueue](t) {
		s.Topics = append(s.Topics, q.Topic)
	}
	removed(t, schema.KindQueue, &s.Topics)
}

// removed adds the names of what is deleted and forgotten of a kind.
func removed(t *schema.Topology, k schema.Kind, names *[]string) {
	for i := range t.Removals {
		if id := t.Removals[i].Object; id.Kind == k {
			*names = append(*names, id.Name)
		}
	}
}

func (queues) diff(b *builder) {
	for q := range schema.All[*schema.Queue](b.topology) {
		if b.chosen.has(q.Addr) {
			b.queue(q)
		}
	}
	for q := range schema.All[*schema.ExternalQueue](b.topology) {
		if b.chosen.has(q.Addr) {
			b.external(q)
		}
	}
	b.removals(schema.KindQueue, b.deletion)
}

func (b *builder) queue(q *schema.Queue) {
	switch seen := b.snapshot.Topics[q.Topic]; seen.State {
	case live.Absent:
		if b.free(&q.Decl, q.ID(), live.TopicID{}) {
			b.claimQueue(q, live.TopicID{})
			b.createQueue(q)
		}
	case live.Present:
		if b.free(&q.Decl, q.ID(), seen.Value.ID) {
			b.claimQueue(q, seen.Value.ID)
			b.updateQueue(q, &seen.Value)
		}
	case live.Unseen:
		unseen(b, &q.Decl, q.ID(), "", seen)
	}
}

func (b *builder) external(q *schema.ExternalQueue) {
	switch seen := b.snapshot.Topics[q.Topic]; seen.State {
	case live.Absent:
		b.refuse(q.At("topic"), "External topic does not exist",
			"The cluster has no topic %q. An external queue belongs to another topology: it must exist before this one is applied.", q.Topic)
	case live.Unseen:
		unseen(b, &q.Decl, q.ID(), "", seen)
	case live.Present:
	}
}

func (b *builder) deletion(d *schema.Removal) {
	switch seen := b.snapshot.Topics[d.Object.Name]; seen.State {
	case live.Present:
		topic := &seen.Value
		if !b.free(&d.Decl, d.Object, topic.ID) || !b.deletable(d, topic.ID) {
			return
		}
		b.change(
			Change{
				Addr: d.Addr, Object: d.Object, Action: Delete, Source: d.Source, Adopts: b.unowned(d.Object, topic.ID),
				Fields: []Field{
					{Path: "partitions", Before: len(topic.Partitions), Source: d.Source},
					{Path: "replication_factor", Before: topic.Factor(), Source: d.Source},
				},
			},
			&DeleteTopic{Head: Head{Phase: PhaseDelete, Records: 1 + len(topic.Partitions)}, ID: topic.ID},
		)
	case live.Unseen:
		unseen(b, &d.Decl, d.Object, "", seen)
	case live.Absent:
		b.vanished(d.Object)
	}
}

// guessedPartitions is how many a broker's default may be.
const guessedPartitions = 10

func (b *builder) createQueue(q *schema.Queue) {
	create := &CreateTopic{Partitions: -1, Factor: -1, Configs: values(q.Config)}
	c := Change{Addr: q.Addr, Object: q.ID(), Action: Create, Source: q.Source}
	if q.Partitions > 0 {
		create.Partitions = int32(q.Partitions)
		c.Fields = append(c.Fields, Field{Path: "partitions", After: q.Partitions, Source: Written(&q.Decl, "partitions")})
	}
	if q.ReplicationFactor > 0 {
		create.Factor = int16(q.ReplicationFactor)
		c.Fields = append(c.Fields, Field{Path: "replication_factor", After: q.ReplicationFactor, Source: Written(&q.Decl, "replication_factor")})
	}
	if q.Placement != nil {
		assign, err := b.placer.Place(nil, wanted(q))
		if err != nil {
			b.block(&q.Decl, q.ID(), "placement", err)
			return
		}
		create.Assign, create.Partitions, create.Factor = assign, -1, -1
		c.Fields = append(c.Fields, Field{Path: "placement", After: assign, Source: q.At("placement")})
	}
	for _, key := range slices.Sorted(maps.Keys(q.Config)) {
		c.Fields = append(c.Fields, configField(q, key))
	}
	create.Head = Head{Phase: PhaseCreate, Records: 1 + cmp.Or(q.Partitions, guessedPartitions) + len(q.Config)}
	b.change(c, create)
}

func (b *builder) updateQueue(q *schema.Queue, t *live.Topic) {
	fields, steps, g := b.layout(q, t)
	more, alter := b.configs(q, t, g)
	if steps = append(steps, alter...); len(steps) > 0 {
		b.change(Change{Addr: q.Addr, Object: q.ID(), Action: Update, Source: q.Source, Fields: append(fields, more...), Adopts: b.unowned(q.ID(), t.ID)}, steps...)
	}
}

func (queues) asks(name string, s *live.Scope) { s.Topics = append(s.Topics, name) }

func (queues) lives(name string, s *live.Snapshot) (live.State, live.TopicID) {
	return s.Topics[name].State, s.Topics[name].Value.ID
}

func (queues) holds(step Step, s *live.Snapshot) error {
	name := step.About().Object.Name
	seen := s.Topics[name]
	if seen.State == live.Unseen {
		return fmt.Errorf("topic %q cannot be seen: %s", name, seen.Reason())
	}
	if gone, ok := step.(*DeleteTopic); ok {
		if seen.State == live.Present && gone.is(seen.Value.ID) {
			return fmt.Errorf("topic %q is still there", name)
		}
		return nil
	}
	if seen.State == live.Absent {
		return fmt.Errorf("topic %q is not there", name)
	}
	switch step := step.(type) {
	case *CreateTopic:
		return step.holds(name, s)
	case *AlterConfigs:
		return step.holds(name, s)
	case *AddPartitions:
		if has := len(seen.Value.Partitions); has != int(step.Total) {
			return fmt.Errorf("it has %d partitions, not %d", has, step.Total)
		}
	case *Reassign:
		return step.holds(&seen.Value)
	case *DeleteTopic: // answered above
	case *Release, *AlterUser, *CreateACL, *DeleteACL, *AlterQuota, *SeedOffsets, *DeleteGroup: // of no queue
	}
	return nil
}

// is says whether a topic of this id is the life that shall go. Where brokers
// have no ids, any of that name is.
func (s *DeleteTopic) is(id live.TopicID) bool { return s.ID == live.TopicID{} || s.ID == id }

func (s *CreateTopic) holds(topic string, snapshot *live.Snapshot) error {
	t := snapshot.Topics[topic].Value
	if want := max(int(s.Partitions), len(s.Assign)); want > 0 && len(t.Partitions) != want {
		return fmt.Errorf("it has %d partitions, not %d", len(t.Partitions), want)
	}
	if s.Factor > 0 && t.Factor() != int(s.Factor) {
		return fmt.Errorf("its replication factor is %d, not %d", t.Factor(), s.Factor)
	}
	for i, replicas := range s.Assign {
		if has := t.Partitions[i].Replicas; !slices.Equal(has, replicas) {
			return fmt.Errorf("partition %d has replicas %v, not %v", i, has, replicas)
		}
	}
	return (&AlterConfigs{Set: s.Configs}).holds(topic, snapshot)
}
