package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// carryOut is what Kafka does for a step: it changes the snapshot, or refuses
// as Kafka would.
func carryOut(s *live.Snapshot, step plan.Step) error {
	name := step.About().Object.Name
	seen := s.Topics[name]
	t := &seen.Value
	if _, creates := step.(*plan.CreateTopic); creates == (seen.State == live.Present) {
		return fmt.Errorf("topic %s exists: %v", name, seen.State)
	}
	var err error
	switch step := step.(type) {
	case *plan.CreateTopic:
		seen = live.Is(created(s, step))
	case *plan.AlterConfigs:
		maps.Copy(t.Overrides.Value, step.Set)
		for _, key := range step.Reset {
			delete(t.Overrides.Value, key)
		}
	case *plan.AddPartitions:
		err = addPartitions(s, t, step)
	case *plan.Reassign:
		err = reassign(s, t, step)
	case *plan.DeleteTopic:
		seen = live.None[live.Topic]()
	case *plan.Release, *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.SeedOffsets, *plan.DeleteGroup: // of no queue
	}
	if !s.Cluster.Pins {
		maps.DeleteFunc(seen.Value.Overrides.Value, func(key, value string) bool {
			inherited, known := s.Defaults[key]
			return known && inherited == value
		})
	}
	s.Topics[name] = seen
	return err
}

func created(s *live.Snapshot, step *plan.CreateTopic) live.Topic {
	t := live.Topic{ID: live.TopicID{2}, Overrides: live.Is(map[string]string{})}
	maps.Copy(t.Overrides.Value, step.Configs)
	for i := range max(int(step.Partitions), len(step.Assign), 1) {
		replicas := someBrokers(s, max(1, int(step.Factor)))
		if step.Assign != nil {
			replicas = step.Assign[i]
		}
		t.Partitions = append(t.Partitions, live.Partition{Leader: replicas[0], Replicas: replicas, InSync: replicas})
	}
	return t
}

// addPartitions wants of every new partition as many replicas as the first
// one has, those that are being removed too.
func addPartitions(s *live.Snapshot, t *live.Topic, step *plan.AddPartitions) error {
	more := int(step.Total) - len(t.Partitions)
	factor := len(t.Partitions[0].Replicas) + len(t.Partitions[0].Removing)
	if more <= 0 || step.Assign != nil && len(step.Assign) != more {
		return fmt.Errorf("%d assignments for %d new partitions", len(step.Assign), more)
	}
	for i := range more {
		replicas := someBrokers(s, factor)
		if step.Assign != nil {
			replicas = step.Assign[i]
			if err := assignable(s, replicas); err != nil || len(replicas) != factor {
				return fmt.Errorf("a new partition on %v, where others have %d replicas: %w", replicas, factor, err)
			}
		}
		t.Partitions = append(t.Partitions, live.Partition{Leader: replicas[0], Replicas: replicas, InSync: replicas})
	}
	return nil
}

func reassign(s *live.Snapshot, t *live.Topic, step *plan.Reassign) error {
	for _, m := range step.Moves {
		p := &t.Partitions[m.Partition]
		if p.Moving() || !slices.Equal(p.Replicas, m.From) {
			return fmt.Errorf("partition %d is not on %v: %+v", m.Partition, m.From, p)
		}
		if err := assignable(s, m.Added()); err != nil {
			return err
		}
		p.Replicas, p.InSync = m.To, m.To
	}
	return nil
}

// keepsData says whether the leader, and a replica in sync, stay where only the
// number of replicas changes.
func keepsData(s *live.Snapshot, declared *schema.Topology, step plan.Step) error {
	r, moves := step.(*plan.Reassign)
	if !moves {
		return nil
	}
	for q := range schema.All[*schema.Queue](declared) {
		if q.ID() != r.Object || q.Placement != nil {
			continue
		}
		for _, m := range r.Moves {
			p := s.Topics[q.Topic].Value.Partitions[m.Partition]
			leads := p.Leader < 0 || slices.Contains(m.To, p.Leader)
			if !leads || !slices.ContainsFunc(m.To, func(id int32) bool { return slices.Contains(p.InSync, id) }) {
				return fmt.Errorf("the leader goes, or the last replica in sync: %+v to %v", p, m.To)
			}
		}
	}
	return nil
}

func assignable(s *live.Snapshot, replicas []int32) error {
	for i, id := range replicas {
		if !s.Cluster.Up(id) || slices.Contains(replicas[:i], id) {
			return fmt.Errorf("broker %d is down, or named twice: %v", id, replicas)
		}
	}
	return nil
}

// someBrokers is Kafka's own choice: those that are up, then the one that is down.
func someBrokers(s *live.Snapshot, n int) []int32 {
	var ids []int32
	for _, b := range s.Cluster.Brokers {
		ids = append(ids, b.ID)
	}
	return append(ids, down)[:n]
}

// down is a broker that the cluster knows and that does not answer.
const down = 9

// keys and values to draw from; the first value of each is what is inherited.
var settings = map[string][]string{
	"retention.ms":        {"604800000", "5", "-1"},
	"cleanup.policy":      {"delete", "compact", "compact,delete", "delete,compact"},
	"min.insync.replicas": {"1", "2", "3"},
	"vendor.key":          {"", "x"},
}

func drawConfigs(t *rapid.T) map[string]string {
	drawn := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if value := rapid.SampledFrom(append([]string{"none"}, settings[key]...)).Draw(t, key); value != "none" {
			drawn[key] = value
		}
	}
	return drawn
}

// drawTopic has partitions on brokers that may be down, out of sync, without a
// leader, uneven, or on the move.
func drawTopic(t *rapid.T, all []int32) live.Topic {
	topic := live.Topic{ID: live.TopicID{1}, Overrides: live.Is(drawConfigs(t))}
	factor := rapid.IntRange(1, len(all)).Draw(t, "has factor")
	even := rapid.Bool().Draw(t, "even")
	for range rapid.IntRange(1, 4).Draw(t, "has partitions") {
		n := factor
		if !even {
			n = rapid.IntRange(1, len(all)).Draw(t, "own factor")
		}
		order := rapid.Permutation(all).Draw(t, "order")
		p := live.Partition{Replicas: order[:n], Leader: order[0]}
		p.InSync = order[:rapid.IntRange(1, n).Draw(t, "in sync")]
		switch rapid.SampledFrom([]string{"rests", "rests", "rests", "grows", "shrinks", "moves", "no leader"}).Draw(t, "state") {
		case "grows":
			p.Adding = p.Replicas[n-1:]
		case "shrinks":
			p.Removing = order[n:min(n+1, len(order))]
		case "moves":
			p.Adding, p.Removing = p.Replicas[n-1:], order[n:min(n+1, len(order))]
		case "no leader":
			p.Leader = -1
		}
		topic.Partitions = append(topic.Partitions, p)
	}
	return topic
}

func drawQueue(t *rapid.T, label string, all []int32) *schema.Queue {
	q := queue(label)
	for key, value := range drawConfigs(t) {
		q.Config[key] = schema.Setting{Value: value, Spelling: value}
	}
	if rapid.Bool().Draw(t, "ignores") {
		q.Lifecycle.IgnoreConfig = []string{"retention.ms"}
		delete(q.Config, "retention.ms")
	}
	n, factor := rapid.IntRange(1, 6).Draw(t, "partitions"), rapid.IntRange(1, len(all)).Draw(t, "factor")
	switch rapid.SampledFrom([]string{"nothing", "partitions", "factor", "both", "racks", "racks each", "replicas"}).Draw(t, "declares") {
	case "partitions":
		q.Partitions = n
	case "factor":
		q.ReplicationFactor = factor
	case "both":
		q.Partitions, q.ReplicationFactor = n, factor
	case "racks":
		q.Partitions, q.ReplicationFactor = n, factor
		q.Placement = &schema.Placement{Racks: [][]string{drawRacks(t)}}
	case "racks each":
		q.Partitions, q.ReplicationFactor, q.Placement = n, factor, &schema.Placement{}
		for range n {
			q.Placement.Racks = append(q.Placement.Racks, drawRacks(t))
		}
	case "replicas":
		q.Partitions, q.ReplicationFactor, q.Placement = n, factor, &schema.Placement{}
		for range n {
			q.Placement.Replicas = append(q.Placement.Replicas, rapid.Permutation(all).Draw(t, "replicas")[:factor])
		}
	}
	return q
}

func drawRacks(t *rapid.T) []string {
	return rapid.SampledFrom([][]string{{"a"}, {"b", "a"}, {"a", "b", "c"}}).Draw(t, "racks")
}

// What a plan asks for is not there before, Kafka accepts it, it is there
// afterwards, and then there is nothing more to ask for.
func TestPlanIsCompleteAndMinimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		up := brokers(rapid.IntRange(1, 6).Draw(t, "brokers"), "a", "b", "c")
		all := []int32{down}
		for _, b := range up {
			all = append(all, b.ID)
		}
		s := world(nil, func(s *live.Snapshot) {
			s.Cluster.Brokers = up
			s.Cluster.Pins = rapid.Bool().Draw(t, "pins")
			for key, values := range settings {
				s.Defaults[key] = values[0]
			}
		})
		declared := topology()
		for _, label := range []string{"orders", "other"} {
			declared.Resources = append(declared.Resources, drawQueue(t, label, all))
		}
		declared.Removals = []schema.Removal{removal("shop.old")}
		for _, name := range []string{"shop.orders", "shop.other", "shop.old"} {
			if rapid.Bool().Draw(t, "exists") {
				s.Topics[name] = live.Is(drawTopic(t, all))
			}
		}
		if !s.Cluster.Pins { // such a broker shows no pins
			for _, seen := range s.Topics {
				maps.DeleteFunc(seen.Value.Overrides.Value, func(key, value string) bool { return s.Defaults[key] == value })
			}
		}
		first := round(t, declared, s)
		again := round(t, declared, s)
		if len(again.Steps) > 0 && len(first.Blocked) == 0 {
			t.Fatalf("there is more to do: %+v", again.Changes)
		}
		if last := round(t, declared, s); len(last.Steps) > 0 { // what was in the way may have gone by the first plan's own steps
			t.Fatalf("there is no end: %+v", last.Changes)
		}
	})
}

// round plans, carries the plan out, and returns it.
func round(t *rapid.T, declared *schema.Topology, s *live.Snapshot) *plan.Plan {
	p, _ := plan.Build(declared, s, plan.Options{})
	for _, step := range p.Steps {
		if plan.Holds(step, s) == nil {
			t.Fatalf("%T %+v asks for what is there", step, step)
		}
		if err := keepsData(s, declared, step); err != nil {
			t.Fatal(err)
		}
		if err := carryOut(s, step); err != nil {
			t.Fatalf("%T %+v: %v", step, step, err)
		}
	}
	for _, step := range p.Steps {
		if err := plan.Holds(step, s); err != nil {
			t.Fatalf("%T %+v: %v", step, step, err)
		}
	}
	return p
}
