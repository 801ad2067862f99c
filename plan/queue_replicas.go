package plan

import (
	"fmt"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// replicas compares the replication factor and, where it is declared, the
// placement. Live replicas are the target of a running reassignment.
func (b *builder) replicas(q *schema.Queue, t *live.Topic) ([]Field, []Step) {
	want := wanted(q, t)
	if want.Factor == 0 && q.Placement == nil {
		return nil, nil
	}
	if Placed(t.Partitions, want, b.snapshot.Cluster.Brokers) {
		b.moving(q, t)
		return nil, nil
	}
	target, err := b.placer.Place(t.Partitions, want)
	if err != nil {
		b.block(q, wantedPath(q), err)
		return nil, nil
	}
	step := &Reassign{Head: Head{Phase: PhaseMove}}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		switch {
		case slices.Equal(p.Replicas, target[i]):
		case p.Moving():
			b.block(q, wantedPath(q), fmt.Errorf("a reassignment of partition %d to %v is running, and it shall go to %v: wait for it, or cancel it", i, p.Replicas, target[i]))
		default:
			step.Moves = append(step.Moves, Move{Partition: int32(i), From: p.Replicas, To: target[i]})
		}
	}
	if len(step.Moves) == 0 {
		return nil, nil
	}
	step.Records = len(step.Moves)
	return replicaFields(q, t, step), []Step{step}
}

// moving notes the partitions that are on their way to where they should be.
func (b *builder) moving(q *schema.Queue, t *live.Topic) {
	for i := range t.Partitions {
		if p := &t.Partitions[i]; p.Moving() {
			b.plan.Moving = append(b.plan.Moving, Moving{Addr: q.Addr, Object: q.ID(), Partition: i, Adding: p.Adding})
		}
	}
}

// wanted is the placement that a queue declares; t is nil for a topic to be made.
func wanted(q *schema.Queue, t *live.Topic) Want {
	w := Want{Partitions: q.Partitions, Factor: q.ReplicationFactor}
	if t != nil {
		w.Partitions = max(w.Partitions, len(t.Partitions))
	}
	if p := q.Placement; p != nil {
		w.Replicas = p.Replicas
		if len(p.Racks) > 0 {
			w.Racks = p.RacksOf
		}
	}
	return w
}

func wantedPath(q *schema.Queue) string {
	if q.Placement != nil {
		return "placement"
	}
	return "replication_factor"
}

func replicaFields(q *schema.Queue, t *live.Topic, step *Reassign) []Field {
	var fields []Field
	if has := t.Factor(); q.ReplicationFactor > 0 && has != q.ReplicationFactor {
		fields = append(fields, Field{Path: "replication_factor", Before: has, After: q.ReplicationFactor, Source: q.At("replication_factor")})
	}
	if q.Placement == nil && len(fields) > 0 {
		return fields
	}
	before, after := make([][]int32, len(t.Partitions)), make([][]int32, len(t.Partitions))
	for i := range t.Partitions {
		before[i], after[i] = t.Partitions[i].Replicas, t.Partitions[i].Replicas
	}
	for _, m := range step.Moves {
		after[m.Partition] = m.To
	}
	return append(fields, Field{Path: "placement", Before: before, After: after, Source: q.At(wantedPath(q))})
}

// grows says whether any partition gets more replicas than it has.
func (s *Reassign) grows() bool {
	return slices.ContainsFunc(s.Moves, func(m Move) bool { return len(m.To) > len(m.From) })
}

func (s *Reassign) holds(t *live.Topic) error {
	for _, m := range s.Moves {
		if int(m.Partition) >= len(t.Partitions) {
			return fmt.Errorf("partition %d is not there", m.Partition)
		}
		if has := t.Partitions[m.Partition].Replicas; !slices.Equal(has, m.To) {
			return fmt.Errorf("partition %d has replicas %v, not %v", m.Partition, has, m.To)
		}
	}
	return nil
}
