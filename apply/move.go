package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const (
	pollEvery      = time.Second      // while replicas move
	stalledAfter   = 5 * time.Minute  // without any progress
	cancelledAfter = 20 * time.Second // at rest elsewhere: brokers lag the controller, but not for so long
	stuckAfter     = 10 * time.Second // without any progress, what keeps a move is told
)

// moving is a partition on its way.
type moving struct {
	object    schema.ID
	partition int
	to        []int32        // the replicas it will have; nil: an earlier apply's, wherever it goes
	adding    []int32        // the brokers that copy it
	step      *plan.Reassign // nil: an earlier apply's
	resting   time.Time      // since when it was seen elsewhere, and not moving
	most      int64          // bytes that its replicas not in sync had at most
}

// earlier are the partitions whose move an earlier apply has started.
func earlier(p *plan.Plan) []*moving {
	var all []*moving
	for _, m := range p.Moving {
		all = append(all, &moving{object: m.Object, partition: m.Partition, adding: m.Adding})
	}
	return all
}

// begin notes moves that the cluster has taken.
func (r *run) begin(step *plan.Reassign, moves []plan.Move) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range moves {
		m := &moves[i]
		r.moving = append(r.moving, &moving{object: step.Object, partition: int(m.Partition), to: m.To, adding: m.Added(), step: step})
	}
}

// settle waits until every partition is where it goes, or will never get
// there. It says whether none moves any more.
func (r *run) settle(ctx context.Context) bool {
	if r.NoWait || ctx.Err() != nil {
		return len(r.moving) == 0 && ctx.Err() == nil
	}
	w := &watch{all: slices.Clone(r.moving), since: r.Clock.Now()}
	for len(r.moving) > 0 {
		r.look(ctx, w)
		if len(r.moving) == 0 {
			break
		}
		if r.Clock.Now().Sub(w.since) > stalledAfter {
			r.stalled(w)
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-r.Clock.After(pollEvery):
		}
		if !r.held(ctx) {
			return false
		}
	}
	return true
}

// look reads once how far the moves are, and ends the steps whose last has arrived.
func (r *run) look(ctx context.Context, w *watch) {
	scope := scopeOfMoves(w.all)
	snapshot, err := r.Read(ctx, scope)
	if err != nil {
		w.blind = err
		r.event(Waiting{Why: "the cluster cannot be read: " + err.Error(), For: pollEvery})
		return
	}
	w.blind, w.snapshot = nil, snapshot
	r.moving = slices.DeleteFunc(r.moving, func(m *moving) bool { return r.arrived(m, snapshot) })
	r.arrivals(w.all)
	answers := r.Measure(ctx, snapshot, live.Questions{Sizes: scope.Topics})
	if w.gained(r.moving, answers) {
		w.since = r.Clock.Now()
	}
	progress := w.progress(len(r.moving), answers, r.Clock.Now(), r.limit())
	if r.Clock.Now().Sub(w.since) > stuckAfter {
		progress.Stuck = w.obstacles(r.moving)
	}
	r.event(progress)
}

// arrived says whether a partition is where it should be, or will never get there.
func (r *run) arrived(m *moving, snapshot *live.Snapshot) bool {
	where, rests := "gone", true
	switch topic := snapshot.Topics[m.object.Name]; {
	case topic.State == live.Unseen, topic.State == live.Present && snapshot.Moves.State != live.Present:
		return false
	case topic.State == live.Present && m.partition < len(topic.Value.Partitions):
		p := &topic.Value.Partitions[m.partition]
		if rests = !p.Moving(); rests && (m.to == nil || slices.Equal(p.Replicas, m.to)) {
			r.settled[place{m.object.Name, m.partition}] = true
			return true
		}
		where = fmt.Sprintf("on %v", p.Replicas)
	}
	switch now := r.Clock.Now(); {
	case !rests:
		m.resting = time.Time{}
		return false
	case m.resting.IsZero():
		m.resting = now
		return false
	case now.Sub(m.resting) < cancelledAfter:
		return false
	}
	r.fail(m, fmt.Errorf("the move of partition %d to %v was cancelled by somebody: it is %s", m.partition, m.to, where))
	return true
}

// arrivals ends the steps all of whose partitions have arrived.
func (r *run) arrivals(all []*moving) {
	left := map[*plan.Reassign]bool{}
	for _, m := range r.moving {
		left[m.step] = true
	}
	for _, m := range all {
		if m.step != nil && !left[m.step] {
			r.endMove(m.step, Result{Outcome: Done})
		}
	}
}

// fail ends the step of a move that will not succeed. One of an earlier apply
// has no step here: it is left on the cluster.
func (r *run) fail(m *moving, err error) {
	if m.step == nil {
		r.leave(fmt.Errorf("%s: %w", m.object, err))
		return
	}
	r.endMove(m.step, Result{NotMoved, err})
}

// endMove notes how a started move ended, once.
func (r *run) endMove(s *plan.Reassign, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.report.Results[r.places[s]].Outcome != Started {
		return
	}
	r.note(s, result)
	r.Observe(MoveEnded{Step: s, Result: result})
}

// leave notes what stays on the cluster.
func (r *run) leave(err error) { r.report.Leftover = errors.Join(r.report.Leftover, err) }

// stalled gives up on moves that make no progress: their own objects fail.
func (r *run) stalled(w *watch) {
	for _, m := range r.moving {
		r.fail(m, fmt.Errorf("the move of partition %d has stalled: no progress for %v, %w", m.partition, stalledAfter, w.cause(m)))
	}
}

func scopeOfMoves(all []*moving) live.Scope {
	s := live.Scope{Moves: true, Bare: true}
	for _, m := range all {
		s.Topics = append(s.Topics, m.object.Name)
	}
	slices.Sort(s.Topics)
	s.Topics = slices.Compact(s.Topics)
	return s
}

// watch measures how moves come along.
type watch struct {
	all      []*moving
	snapshot *live.Snapshot // as last seen
	blind    error          // why nothing was seen when last looked
	since    time.Time      // of the last progress
	begin    time.Time      // of the first measurement
	first    int64          // bytes copied at begin
	left     int            // partitions, when last looked
}

// cause is what may keep a move.
func (w *watch) cause(m *moving) error {
	if w.blind != nil {
		return fmt.Errorf("the cluster cannot be read: %w", w.blind)
	}
	if why := w.obstacle(m); why != "" {
		return errors.New(why)
	}
	return errors.New("and all brokers that copy it are up: the log of its leader may tell why")
}

// obstacle is what was seen to keep a move; empty: nothing.
func (w *watch) obstacle(m *moving) string {
	for _, id := range m.adding {
		if !w.snapshot.Cluster.Up(id) {
			return fmt.Sprintf("broker %d is down", id)
		}
	}
	partitions := w.snapshot.Topics[m.object.Name].Value.Partitions
	if m.partition < len(partitions) && partitions[m.partition].Leader < 0 {
		return fmt.Sprintf("partition %d of %s has no leader", m.partition, m.object.Name)
	}
	return ""
}

// obstacles are the first few that keep any of the moves.
func (w *watch) obstacles(waiting []*moving) string {
	const few = 3
	var all []string
	for _, m := range waiting {
		if why := w.obstacle(m); why != "" && !slices.Contains(all, why) && len(all) < few {
			all = append(all, why)
		}
	}
	return strings.Join(all, ", ")
}

// gained says whether any move came closer to its end. Replicas in sync do not
// count: they grow with what producers send, whether the others come or not. A
// move whose bytes nobody tells is taken for one that does, unless something
// is seen to keep it.
func (w *watch) gained(waiting []*moving, answers live.Answers) bool {
	gained := len(waiting) != w.left
	for _, m := range waiting {
		partitions, measured := w.snapshot.Topics[m.object.Name].Value.Partitions, answers.Sizes[m.object.Name]
		if measured.State == live.Unseen && w.obstacle(m) == "" {
			gained = true
		}
		sizes := measured.Value
		if m.partition >= len(partitions) || m.partition >= len(sizes) {
			continue
		}
		var behind int64
		for _, broker := range m.adding {
			if !slices.Contains(partitions[m.partition].InSync, broker) {
				behind += sizes[m.partition][broker]
			}
		}
		if behind > m.most {
			m.most, gained = behind, true
		}
	}
	w.left = len(waiting)
	return gained
}

// progress is where the moves are, and for how long they will go on at the
// rate seen so far.
func (w *watch) progress(left int, answers live.Answers, now time.Time, throttle int64) MoveProgress {
	var copied, total int64
	for _, m := range w.all {
		sizes := answers.Sizes[m.object.Name].Value
		if m.partition >= len(sizes) {
			continue // not told
		}
		whole := sizes.Largest(m.partition)
		for _, broker := range m.adding {
			total += whole
			copied += min(sizes[m.partition][broker], whole)
		}
	}
	if left == 0 {
		copied = total // the leaders' logs have grown meanwhile
	}
	if w.begin.IsZero() {
		w.begin, w.first = now, copied
	}
	p := MoveProgress{Partitions: len(w.all), Done: len(w.all) - left, Copied: copied, Total: total, Rate: throttle}
	if gained := copied - w.first; gained > 0 && left > 0 {
		p.Left = time.Duration(float64(now.Sub(w.begin)) / float64(gained) * float64(total-copied)).Round(time.Second)
	}
	return p
}
