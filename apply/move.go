package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

const (
	pollEvery    = time.Second     // while replicas move
	stalledAfter = 5 * time.Minute // without any progress
)

// moves starts reassignments under a throttle.
func (r *run) moves(ctx context.Context, steps []plan.Step) {
	if err := r.throttle(ctx, steps); err != nil {
		for _, s := range steps {
			r.end(s, Result{NotDone, fmt.Errorf("the move cannot be throttled: %w", err)})
		}
		return
	}
	r.batches(ctx, steps)
}

// moving is a partition on its way.
type moving struct {
	topic     string
	partition int
	step      *plan.Reassign // nil: an earlier apply's
}

// await waits until the moves have ended, those of an earlier apply too, and
// takes the throttles away.
func (r *run) await(ctx context.Context) {
	waiting := r.underWay()
	if r.NoWait || ctx.Err() != nil || len(waiting)+len(r.slowed) == 0 {
		return
	}
	total := len(waiting)
	since := r.Clock.Now()
	for mark := ""; len(waiting) > 0; {
		snapshot, err := r.Read(ctx, scopeOfMoves(waiting))
		if err == nil {
			waiting = slices.DeleteFunc(waiting, func(m moving) bool { return r.arrived(m, snapshot) })
		}
		copied := r.measure(ctx, waiting)
		if now := fmt.Sprint(len(waiting), copied); now != mark {
			since, mark = r.Clock.Now(), now
		}
		r.event(MoveProgress{Partitions: total, Done: total - len(waiting), Copied: copied, Rate: r.Throttle})
		if len(waiting) == 0 {
			break
		}
		if r.Clock.Now().Sub(since) > stalledAfter {
			r.stalled(waiting)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-r.Clock.After(pollEvery):
		}
	}
	r.finish()
	if err := r.unthrottle(ctx); err != nil {
		r.report.Leftover = fmt.Errorf("the replication throttle could not be removed: %w", err)
	}
}

// underWay are the partitions whose move was started, now or before.
func (r *run) underWay() []moving {
	var all []moving
	for i, s := range r.report.Steps {
		step, ok := s.(*plan.Reassign)
		if !ok || r.report.Results[i].Outcome != Started {
			continue
		}
		for _, m := range step.Moves {
			all = append(all, moving{topic: step.Object.Name, partition: int(m.Partition), step: step})
		}
	}
	for _, m := range r.plan.Moving {
		all = append(all, moving{topic: m.Object.Name, partition: m.Partition})
	}
	return all
}

// arrived says whether a partition is where it should be, or will never get there.
func (r *run) arrived(m moving, snapshot *live.Snapshot) bool {
	topic := snapshot.Topics[m.topic]
	if topic.State != live.Present || m.partition >= len(topic.Value.Partitions) {
		return false
	}
	p := &topic.Value.Partitions[m.partition]
	if p.Moving() {
		return false
	}
	if m.step == nil {
		return true
	}
	want := m.step.Moves[slices.IndexFunc(m.step.Moves, func(w plan.Move) bool { return int(w.Partition) == m.partition })].To
	if !slices.Equal(p.Replicas, want) {
		r.end(m.step, Result{Refused, fmt.Errorf("the move of partition %d to %v was cancelled by somebody: it is on %v", m.partition, want, p.Replicas)})
	}
	return true
}

// finish marks the started moves as done.
func (r *run) finish() {
	for i, s := range r.report.Steps {
		if r.report.Results[i].Outcome == Started {
			r.end(s, Result{Outcome: Done})
		}
	}
}

// stalled gives up on moves that make no progress: their own objects fail.
func (r *run) stalled(waiting []moving) {
	for _, m := range waiting {
		if m.step != nil {
			r.end(m.step, Result{Refused, errors.New("the move has stalled: no progress for " + stalledAfter.String() + "; is a broker down?")})
		}
	}
	r.finish()
}

func scopeOfMoves(all []moving) live.Scope {
	var s live.Scope
	for _, m := range all {
		s.Topics = append(s.Topics, m.topic)
	}
	slices.Sort(s.Topics)
	s.Topics = slices.Compact(s.Topics)
	return s
}
