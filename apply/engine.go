package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const (
	batchRecords   = 5_000            // controller records a request; Kafka refuses more than 10,000
	requestTimeout = 20 * time.Second // of one write
	inFlight       = 3                // requests of one phase at once
)

// Engine carries out plans on one cluster.
type Engine struct {
	Write    *kgo.Client                                               // never sends anything twice by itself: RequestRetries(0)
	Read     func(context.Context, live.Scope) (*live.Snapshot, error) // one fresh look
	Observe  func(Event)                                               // called from one goroutine at a time
	Patience time.Duration                                             // how long a request is tried again, and a result waited for
	Throttle int64                                                     // bytes per second and broker at which replicas move; 0: unthrottled
	NoWait   bool                                                      // do not wait for moves to end
	Clock    Clock
}

// Clock is how the engine sees time.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// SystemClock is the machine's.
func SystemClock() Clock { return Clock{Now: time.Now, After: time.After} }

// Run carries out the plan's steps, in their order, and waits for the moves
// that an earlier apply started. Cancelling the context stops it after the
// requests in flight. The report tells of every step how it ended.
func (e *Engine) Run(ctx context.Context, p *plan.Plan) *Report {
	r := &run{
		Engine: e,
		plan:   p,
		report: &Report{Steps: p.Steps, Results: make([]Result, len(p.Steps))},
		places: make(map[plan.Step]int, len(p.Steps)),
		failed: map[schema.ID]bool{},
		slowed: leftovers(p),
	}
	for i, s := range p.Steps {
		r.places[s] = i
	}
	for phase := plan.PhaseCreate; phase <= plan.PhaseSettle; phase++ {
		if phase == plan.PhaseSettle {
			r.await(ctx)
		}
		r.phase(ctx, phase)
	}
	r.report.Stopped = context.Cause(ctx)
	return r.report
}

// run is one Run's state.
type run struct {
	*Engine
	plan   *plan.Plan
	report *Report
	places map[plan.Step]int
	slowed []string // topics whose replication is throttled

	mu     sync.Mutex // guards report.Results, failed and the calls of Observe
	failed map[schema.ID]bool
}

// phase carries out the steps of one phase.
func (r *run) phase(ctx context.Context, phase plan.Phase) {
	var steps []plan.Step
	for _, s := range r.plan.Steps {
		if s.About().Phase == phase {
			steps = append(steps, s)
		}
	}
	if steps = r.ready(steps); len(steps) == 0 || ctx.Err() != nil {
		return
	}
	r.event(PhaseStarted{Phase: phase, Steps: len(steps)})
	if phase == plan.PhaseMove {
		r.moves(ctx, steps)
		return
	}
	r.batches(ctx, steps)
}

// batches sends steps, a few requests at once.
func (r *run) batches(ctx context.Context, steps []plan.Step) {
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, batch := range plan.Batches(steps, batchRecords) {
		group.Go(func() error {
			r.batch(ctx, batch)
			return nil
		})
	}
	_ = group.Wait() // results are in the report
}

// ready leaves out the steps whose object, or one they depend on, has failed.
func (r *run) ready(steps []plan.Step) []plan.Step {
	var ready []plan.Step
	for _, s := range steps {
		if blocker, blocked := r.blocker(s); blocked {
			r.end(s, Result{Skipped, fmt.Errorf("an earlier step of %s failed", blocker)})
			continue
		}
		if s.About().Phase == plan.PhaseSettle && r.isMoving(s.About().Object) {
			continue // left to the next apply
		}
		ready = append(ready, s)
	}
	return ready
}

func (r *run) blocker(s plan.Step) (schema.ID, bool) {
	for _, id := range append(s.About().After, s.About().Object) {
		if r.failed[id] {
			return id, true
		}
	}
	return schema.ID{}, false
}

func (r *run) isMoving(id schema.ID) bool {
	for i, s := range r.report.Steps {
		if s.About().Object == id && r.report.Results[i].Outcome == Started {
			return true
		}
	}
	return false
}

// batch sends steps of one type until each has an outcome: the broker's delays
// are kept, and after a broken connection what happened is read back.
func (r *run) batch(ctx context.Context, steps []plan.Step) {
	deadline := r.Clock.Now().Add(r.Patience)
	uncertain := false // an earlier try may have worked
	for pause := firstPause; len(steps) > 0 && ctx.Err() == nil; pause = min(2*pause, longestPause) {
		a, err := r.send(ctx, steps)
		if err != nil {
			steps, uncertain = r.readBack(ctx, steps), true
		} else {
			steps = r.account(ctx, steps, a, uncertain)
			uncertain = uncertain || a.timedOut()
		}
		if len(steps) == 0 {
			return
		}
		if r.Clock.Now().After(deadline) {
			r.giveUp(steps, err)
			return
		}
		why := "the cluster asks to wait"
		if err != nil {
			why = "the connection broke: " + err.Error()
		}
		r.wait(ctx, why, max(pause, a.throttle))
	}
}

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// send makes the request to its end: an interruption waits for its answer.
func (r *run) send(ctx context.Context, steps []plan.Step) (answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	return send(ctx, r.Write, steps, false)
}

// account notes the outcomes of an answered request, and returns the steps to send again.
func (r *run) account(ctx context.Context, steps []plan.Step, a answer, uncertain bool) []plan.Step {
	var again []plan.Step
	for _, s := range steps {
		refused, answered := a.refusals[s.About().Object.Name]
		switch {
		case !answered:
			r.end(s, Result{Unknown, errors.New("the broker did not say how it went")})
		case refused == nil:
			r.end(s, Result{Outcome: accepted(s)})
		case isPassing(refused):
			again = append(again, s)
		case uncertain && len(r.readBack(ctx, []plan.Step{s})) == 0: // our own earlier try had worked
		default:
			r.end(s, Result{Refused, refused})
		}
	}
	return again
}

// accepted is how a step ends that the cluster took: moves go on.
func accepted(s plan.Step) Outcome {
	if _, ok := s.(*plan.Reassign); ok {
		return Started
	}
	return Done
}

// isPassing says whether the same request may succeed in a moment.
func isPassing(err error) bool {
	for _, code := range []error{kerr.NotController, kerr.ThrottlingQuotaExceeded, kerr.RequestTimedOut, kerr.CoordinatorNotAvailable} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// readBack finds out what a request without an answer did, and returns the
// steps whose result is not there.
func (r *run) readBack(ctx context.Context, steps []plan.Step) []plan.Step {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	snapshot, err := r.Read(ctx, scopeOf(steps))
	if err != nil {
		return steps
	}
	var missing []plan.Step
	for _, s := range steps {
		if plan.Holds(s, snapshot) == nil {
			r.end(s, Result{Outcome: accepted(s)})
			continue
		}
		missing = append(missing, s)
	}
	return missing
}

func (r *run) giveUp(steps []plan.Step, broken error) {
	for _, s := range steps {
		if broken != nil {
			r.end(s, Result{Unknown, fmt.Errorf("the connection broke, and what happened cannot be read back: %w", broken)})
			continue
		}
		r.end(s, Result{NotDone, errors.New("the cluster kept asking to wait")})
	}
}

func (r *run) wait(ctx context.Context, why string, d time.Duration) {
	r.event(Waiting{Why: why, For: d})
	select {
	case <-ctx.Done():
	case <-r.Clock.After(d):
	}
}

// end notes how a step ended.
func (r *run) end(s plan.Step, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Results[r.places[s]] = result
	if result.Outcome != Done && result.Outcome != Started {
		r.failed[s.About().Object] = true
	}
	r.Observe(StepEnded{Step: s, Result: result})
}

func (r *run) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Observe(e)
}

func scopeOf(steps []plan.Step) live.Scope {
	var s live.Scope
	for _, step := range steps {
		if object := step.About().Object; object.Kind == schema.KindQueue {
			s.Topics = append(s.Topics, object.Name)
		}
	}
	return s
}
