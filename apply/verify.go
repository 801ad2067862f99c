package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// Verify reads until the result of every finished step is there, and until
// every broker knows the last of each request: brokers lag the controller, each
// by itself, and the next plan may ask any. It returns the steps whose result
// did not come within the engine's patience, each with what is not there. After
// an interruption nothing more is read; one that comes now is noted in the report.
func (e *Engine) Verify(ctx context.Context, p *plan.Plan, report *Report) map[plan.Step]error {
	var done []plan.Step
	for i, s := range report.Steps {
		if report.Results[i].Outcome == Done {
			done = append(done, s)
		}
	}
	if len(done) == 0 || report.Stopped != nil {
		return nil
	}
	deadline := e.Clock.Now().Add(e.Patience)
	left := e.await(ctx, done, nil, deadline)
	if len(left) == 0 {
		last := slices.DeleteFunc(slices.Clone(report.last), func(s plan.Step) bool { return !slices.Contains(done, s) }) // a move may have been cancelled
		left = e.everywhere(ctx, p.Cluster.Brokers, last, deadline)
	}
	if report.Stopped = context.Cause(ctx); report.Stopped != nil {
		return nil
	}
	return left
}

// everywhere waits until each broker knows the steps.
func (e *Engine) everywhere(ctx context.Context, brokers []live.Broker, steps []plan.Step, deadline time.Time) map[plan.Step]error {
	left := map[plan.Step]error{}
	for _, b := range brokers {
		for step, err := range e.await(ctx, steps, &b.ID, deadline) {
			left[step] = fmt.Errorf("broker %d does not know yet: %w", b.ID, err)
		}
	}
	return left
}

// await reads, from any broker or from one, until the results of all steps are
// there, and returns those that are not at the deadline.
func (e *Engine) await(ctx context.Context, steps []plan.Step, from *int32, deadline time.Time) map[plan.Step]error {
	left := make(map[plan.Step]error, len(steps))
	for _, s := range steps {
		left[s] = nil
	}
	for pause := firstPause; len(left) > 0 && ctx.Err() == nil; pause = min(2*pause, time.Second) {
		e.Observe(Verifying{Left: len(left)})
		scope := scopeOf(slices.Collect(maps.Keys(left)))
		scope.From = from
		snapshot, err := e.Read(ctx, scope)
		if err != nil && from != nil {
			return nil // nobody learns from a broker that does not answer
		}
		settle(left, snapshot, err)
		if len(left) == 0 || e.Clock.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
		case <-e.Clock.After(pause):
		}
	}
	return left
}

// settle takes away the steps whose results the snapshot shows.
func settle(left map[plan.Step]error, snapshot *live.Snapshot, unread error) {
	for s := range left {
		if unread != nil {
			left[s] = fmt.Errorf("the cluster cannot be read: %w", unread)
		} else if left[s] = plan.Holds(s, snapshot); left[s] == nil {
			delete(left, s)
		}
	}
}
