package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// growth is what becomes of a topic's replicas, for whatever waits for them.
type growth uint8

const (
	steady  growth = iota
	growing        // replicas are being added
	stuck          // replicas shall be added and cannot be
)

// layout compares the number of partitions, the replication factor and, where
// it is declared, the placement.
func (b *builder) layout(q *schema.Queue, t *live.Topic) ([]Field, []Step, growth) {
	moves, g := b.relocate(q, t)
	add, further := b.extend(q, t)
	fields := layoutFields(q, t, moves, add, further)
	var steps []Step
	if add != nil {
		steps = append(steps, add)
	}
	if moves = append(moves, further...); len(moves) > 0 {
		steps = append(steps, &Reassign{Head: Head{Phase: PhaseMove, Records: len(moves)}, Moves: moves})
	}
	return fields, steps, g
}

// relocate finds the moves of the partitions that there are. Live replicas are
// the target of a running reassignment: one to where we want is noted, any
// other is in the way.
func (b *builder) relocate(q *schema.Queue, t *live.Topic) (moves []Move, g growth) {
	want := wanted(q)
	if want.Factor == 0 && q.Placement == nil {
		return nil, steady
	}
	if b.snapshot.Moves.State != live.Present {
		unseen(b, &q.Decl, q.ID(), wantedPath(q), b.snapshot.Moves)
		return nil, steady
	}
	want.Partitions = len(t.Partitions)
	target, err := b.placer.Place(t.Partitions, want)
	if err != nil {
		b.block(&q.Decl, q.ID(), wantedPath(q), err)
		return nil, shortage(t, want)
	}
	var elsewhere []Move
	for i := range t.Partitions {
		p := &t.Partitions[i]
		m := Move{Partition: int32(i), From: p.Replicas, To: target[i]}
		switch stays := slices.Equal(m.From, m.To); {
		case stays:
			g = max(g, b.moving(q, i, p))
		case p.Moving():
			elsewhere = append(elsewhere, m)
		default:
			moves = append(moves, m)
		}
	}
	b.inTheWay(q, elsewhere)
	return moves, max(g, ifGrows(moves, growing), ifGrows(elsewhere, stuck))
}

// moving notes a partition that is on its way to where it should be.
func (b *builder) moving(q *schema.Queue, partition int, p *live.Partition) growth {
	if !p.Moving() {
		return steady
	}
	b.plan.Moving = append(b.plan.Moving, Moving{Addr: q.Addr, Object: q.ID(), Partition: partition, To: p.Replicas, Adding: p.Adding})
	if len(p.Adding) > len(p.Removing) {
		return growing
	}
	return steady
}

func ifGrows(moves []Move, g growth) growth {
	if slices.ContainsFunc(moves, func(m Move) bool { return len(m.To) > len(m.From) }) {
		return g
	}
	return steady
}

// shortage says whether the replicas that cannot be placed would be more than there are.
func shortage(t *live.Topic, want Want) growth {
	for i := range t.Partitions {
		factor := want.Factor
		if i < len(want.Replicas) {
			factor = len(want.Replicas[i])
		}
		if factor > len(t.Partitions[i].Replicas) {
			return stuck
		}
	}
	return steady
}

// inTheWay blocks the partitions that somebody else is moving.
func (b *builder) inTheWay(q *schema.Queue, moves []Move) {
	if len(moves) == 0 {
		return
	}
	more := ""
	if len(moves) > 1 {
		more = fmt.Sprintf(", and %d more are", len(moves)-1)
	}
	m := moves[0]
	b.block(&q.Decl, q.ID(), wantedPath(q), fmt.Errorf("partition %d is being moved to %v and shall go to %v%s: wait for that reassignment, or cancel it", m.Partition, m.From, m.To, more))
}

// extend compares the number of partitions, which can only grow. Kafka wants
// every new partition made with as many replicas as partition 0 has, so those
// that shall have another number are moved once they are there.
func (b *builder) extend(q *schema.Queue, t *live.Topic) (add *AddPartitions, moves []Move) {
	has := len(t.Partitions)
	switch {
	case q.Partitions == 0 || q.Partitions == has:
		return nil, nil
	case q.Partitions < has:
		b.refuse(Written(&q.Decl, "partitions"), "Partitions cannot be taken away",
			"Topic %q has %d partitions and the file asks for %d. Kafka can only add partitions: declare %d, or a new queue with fewer and move its readers.",
			q.Topic, has, q.Partitions, has)
		return nil, nil
	}
	if i := slices.IndexFunc(t.Partitions, func(p live.Partition) bool { return len(p.Removing) > 0 }); i >= 0 {
		b.block(&q.Decl, q.ID(), "partitions", fmt.Errorf("partition %d is being moved, and Kafka would give new partitions its old and its new number of replicas together: wait for that reassignment", i))
		return nil, nil
	}
	add = &AddPartitions{Head: Head{Phase: PhasePartitions, Records: q.Partitions - has}, Total: int32(q.Partitions)}
	want, made := wanted(q), factorOf(t)
	want.First, want.Factor = has, cmp.Or(want.Factor, made)
	if q.Placement == nil && want.Factor == made {
		return add, nil // the broker's choice
	}
	target, err := b.placer.Place(nil, want)
	if err == nil {
		add.Assign, moves, err = b.assign(has, target, made)
	}
	if err != nil {
		b.block(&q.Decl, q.ID(), "partitions", err)
		return nil, nil
	}
	return add, moves
}

// assign says where new partitions are made, each with so many replicas, and
// which of them move from there.
func (b *builder) assign(first int, target [][]int32, made int) (assign [][]int32, moves []Move, err error) {
	for i, to := range target {
		from, err := b.placer.Extend(first+i, to, made)
		if err != nil {
			return nil, nil, err
		}
		assign = append(assign, from)
		if !slices.Equal(from, to) {
			moves = append(moves, Move{Partition: int32(first + i), From: from, To: to})
		}
	}
	return assign, moves, nil
}

// factorOf is how many replicas Kafka gives a new partition of the topic.
func factorOf(t *live.Topic) int {
	if len(t.Partitions) == 0 {
		return 0
	}
	return len(t.Partitions[0].Replicas)
}

// wanted is the placement that a queue declares.
func wanted(q *schema.Queue) Want {
	w := Want{Partitions: q.Partitions, Factor: q.ReplicationFactor}
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

// layoutFields are the differences that the steps make good. Replicas are
// shown one by one where their place is declared, or where nothing else tells
// that they move.
func layoutFields(q *schema.Queue, t *live.Topic, moves []Move, add *AddPartitions, further []Move) []Field {
	var fields []Field
	if add != nil {
		fields = append(fields, Field{Path: "partitions", Before: len(t.Partitions), After: q.Partitions, Source: Written(&q.Decl, "partitions")})
	}
	told := len(moves) == 0
	if has := t.Factor(); !told && q.ReplicationFactor > 0 && has != q.ReplicationFactor {
		told = true
		fields = append(fields, Field{Path: "replication_factor", Before: has, After: q.ReplicationFactor, Source: Written(&q.Decl, "replication_factor")})
	}
	placed := len(moves) > 0 || add != nil && add.Assign != nil
	if !told || placed && q.Placement != nil {
		before, after := places(t, moves, add, further)
		fields = append(fields, Field{Path: "placement", Before: before, After: after, Source: q.At(wantedPath(q))})
	}
	return fields
}

// places are the replicas of all partitions before and after.
func places(t *live.Topic, moves []Move, add *AddPartitions, further []Move) (before, after [][]int32) {
	before = replicasOf(t)
	after = slices.Clone(before)
	if add != nil {
		after = append(after, add.Assign...)
	}
	for _, m := range slices.Concat(moves, further) {
		after[m.Partition] = m.To
	}
	return before, after
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
