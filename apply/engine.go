package apply

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const (
	batchRecords   = 5_000            // controller records a request; Kafka refuses more than 10,000
	requestTimeout = 20 * time.Second // of one write
	inFlight       = 3                // requests of one phase at once
	firstPause     = 100 * time.Millisecond
	longestPause   = 5 * time.Second
)

// Engine carries out plans on one cluster.
type Engine struct {
	Client   *kgo.Client                                               // writes go to one of its brokers, which sends nothing twice
	Hold     Hold                                                      // the topology's lock
	Begun    ledger.Begun                                              // what the history says of this apply
	Slow     func(context.Context) (Hold, error)                       // takes the lock that guards throttles
	Read     func(context.Context, live.Scope) (*live.Snapshot, error) // one fresh look
	Measure  func(context.Context, *live.Snapshot, live.Questions) live.Answers
	Observe  func(Event)   // called from one goroutine at a time
	Patience time.Duration // how long a request is tried again, and a result waited for
	Throttle int64         // bytes per second and broker at which replicas move; 0: unthrottled
	NoWait   bool          // do not wait for moves to end
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
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{
		Engine:  e,
		plan:    p,
		report:  &Report{Steps: p.Steps, Results: make([]Result, len(p.Steps))},
		places:  make(map[plan.Step]int, len(p.Steps)),
		failed:  map[schema.ID]bool{},
		moving:  earlier(p),
		marked:  marked(p),
		slowed:  throttle{rates: map[string]bool{}},
		makes:   map[schema.ID]bool{},
		lives:   map[schema.ID]live.TopicID{},
		seeds:   map[schema.ID]seeds{},
		lost:    map[schema.ID]error{},
		settled: map[place]bool{},
		stop:    stop,
	}
	r.controller.Store(p.Cluster.Controller)
	for i, s := range p.Steps {
		r.places[s] = i
		if r.announced(s) && !removes(s) {
			r.makes[s.About().Object] = true
		}
	}
	r.announce(ctx)
	r.leave(r.pace(ctx))
	for phase := plan.PhaseUsers; phase < plan.PhaseSettle; phase++ {
		r.phase(ctx, phase)
	}
	r.record(context.WithoutCancel(ctx))
	settled := r.settle(ctx)
	r.phase(ctx, plan.PhaseSettle)
	r.report.Slowed = len(r.slowed.lists)+len(r.marked) > 0
	if settled {
		err := r.unthrottle(ctx)
		r.report.Slowed = err != nil
		r.leave(err)
	}
	r.report.Moving, r.report.Stopped = len(r.moving), context.Cause(ctx)
	return r.report
}

// run is one Run's state.
type run struct {
	*Engine
	plan    *plan.Plan
	places  map[plan.Step]int
	makes   map[schema.ID]bool  // what it creates
	lost    map[schema.ID]error // what turned out to be another topology's
	marked  map[string]bool     // topics on which an earlier apply left a throttle
	slowed  throttle            // what this one has set
	settled map[place]bool      // partitions that were seen to arrive
	stop    context.CancelCauseFunc

	controller atomic.Int32 // the broker to write to

	mu     sync.Mutex // guards report, lives, seeds, failed, moving and the calls of Observe
	report *Report
	lives  map[schema.ID]live.TopicID // of the topics that were created
	seeds  map[schema.ID]seeds        // where groups were put
	failed map[schema.ID]bool
	moving []*moving
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
		steps = r.slow(ctx, steps)
	}
	r.batches(ctx, steps)
}

// batches sends steps, a few requests at once.
func (r *run) batches(ctx context.Context, steps []plan.Step) {
	var group errgroup.Group
	group.SetLimit(inFlight)
	for _, batch := range plan.Batches(steps, batchRecords) {
		group.Go(func() error {
			switch batch[0].(type) {
			case *plan.Release:
				r.release(ctx, batch)
			case *plan.DeleteACL:
				if r.leaving(ctx, batch) {
					r.batch(ctx, r.unheld(batch))
				}
			case *plan.CreateTopic, *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.DeleteTopic,
				*plan.AlterUser, *plan.CreateACL, *plan.AlterQuota, *plan.SeedOffsets, *plan.DeleteGroup:
				r.batch(ctx, batch)
			}
			return nil
		})
	}
	_ = group.Wait() // results are in the report
}

// ready leaves out the steps whose object, or one they depend on, has failed,
// and those that wait for replicas still on the move.
func (r *run) ready(steps []plan.Step) []plan.Step {
	moving := make(map[schema.ID]bool, len(r.moving))
	for _, m := range r.moving {
		moving[m.object] = true
	}
	var ready []plan.Step
	for _, s := range steps {
		about := s.About()
		switch blocker, blocked := r.blocker(about); {
		case r.lost[about.Object] != nil:
			r.end(s, Result{Refused, r.lost[about.Object]})
		case blocked:
			r.end(s, Result{Skipped, fmt.Errorf("an earlier step of %s failed", blocker)})
		case about.Phase == plan.PhaseSettle && moving[about.Object]:
			r.end(s, Result{Outcome: Postponed})
		default:
			ready = append(ready, s)
		}
	}
	return ready
}

// blocker is the failed object that a step depends on.
func (r *run) blocker(about *plan.Head) (schema.ID, bool) {
	if r.failed[about.Object] {
		return about.Object, true
	}
	i := slices.IndexFunc(about.After, func(id schema.ID) bool { return r.failed[id] })
	if i < 0 {
		return schema.ID{}, false
	}
	return about.After[i], true
}

// wait pauses, unless an interruption comes first.
func (r *run) wait(ctx context.Context, why string, d time.Duration) {
	r.event(Waiting{Why: why, For: d})
	select {
	case <-ctx.Done():
	case <-r.Clock.After(d):
	}
}

// lookup finds the controller again, which may have changed when a request has
// failed. While nobody tells it is still the one of before.
func (r *run) lookup(ctx context.Context) {
	if snapshot, err := r.Read(ctx, live.Scope{}); err == nil && snapshot.Cluster.Controller >= 0 {
		r.controller.Store(snapshot.Cluster.Controller)
	}
}

// end notes how a step ended.
func (r *run) end(s plan.Step, result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(s, result)
	r.Observe(StepEnded{Step: s, Result: result})
}

// note keeps a result; r.mu is held.
func (r *run) note(s plan.Step, result Result) {
	r.report.Results[r.places[s]] = result
	switch result.Outcome {
	case Done, Started, Postponed, Kept:
	case NotDone, Refused, Unknown, Skipped, NotMoved:
		r.failed[s.About().Object] = true
	}
}

func (r *run) event(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Observe(e)
}
