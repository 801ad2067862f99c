package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/queueform/queueform/plan"
)

// Verify reads until the result of every finished step is there, since brokers
// lag the controller. It returns the steps whose result did not come within
// the engine's patience, each with what is not there.
func (e *Engine) Verify(ctx context.Context, report *Report) map[plan.Step]error {
	left := make(map[plan.Step]error)
	for i, s := range report.Steps {
		if report.Results[i].Outcome == Done {
			left[s] = nil
		}
	}
	deadline := e.Clock.Now().Add(e.Patience)
	for pause := firstPause; len(left) > 0; pause = min(2*pause, time.Second) {
		e.Observe(Verifying{Left: len(left)})
		e.verifyOnce(ctx, left)
		if len(left) == 0 || ctx.Err() != nil || e.Clock.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
		case <-e.Clock.After(pause):
		}
	}
	return left
}

// verifyOnce reads what is left to be seen, and takes away what holds.
func (e *Engine) verifyOnce(ctx context.Context, left map[plan.Step]error) {
	steps := make([]plan.Step, 0, len(left))
	for s := range left {
		steps = append(steps, s)
	}
	snapshot, err := e.Read(ctx, scopeOf(steps))
	for _, s := range steps {
		if err != nil {
			left[s] = fmt.Errorf("the cluster cannot be read: %w", err)
			continue
		}
		if left[s] = plan.Holds(s, snapshot); left[s] == nil {
			delete(left, s)
		}
	}
}
