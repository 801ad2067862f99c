package apply

import (
	"context"
	"errors"
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
// did not come within the engine's patience, each with what is not there, and
// the scope as it was read, if all was there at the first look. After an
// interruption nothing more is read; one that comes now is noted in the report.
func (e *Engine) Verify(ctx context.Context, p *plan.Plan, report *Report, scope live.Scope) (missing map[plan.Step]error, seen *live.Snapshot) {
	var done []plan.Step
	for i, s := range report.Steps {
		if report.Results[i].Outcome == Done {
			done = append(done, s)
		}
	}
	if len(done) == 0 || report.Stopped != nil {
		return nil, nil
	}
	v := &verification{Engine: e, left: unknown(done), holds: plan.Holds, deadline: e.Clock.Now().Add(e.Patience)}
	v.look(ctx, scope)
	if len(v.left) > 0 {
		v.await(ctx)
		v.seen = nil
	}
	if len(v.left) == 0 {
		last := slices.DeleteFunc(slices.Clone(report.last), func(s plan.Step) bool { return !slices.Contains(done, s) }) // a move may have been cancelled
		maps.Copy(v.left, v.everywhere(ctx, p.Cluster.Brokers, last))
	}
	if report.Stopped = context.Cause(ctx); report.Stopped != nil {
		return nil, nil
	}
	return v.left, v.seen
}

// longestLook is the longest pause between two looks.
const longestLook = 500 * time.Millisecond

// verification waits until the cluster, or one broker, shows what was done.
type verification struct {
	*Engine
	left     map[plan.Step]error // what is not there yet
	holds    func(plan.Step, *live.Snapshot) error
	from     *int32 // the broker that is asked; nil: any
	deadline time.Time
	seen     *live.Snapshot // as last read
}

func unknown(steps []plan.Step) map[plan.Step]error {
	left := make(map[plan.Step]error, len(steps))
	for _, s := range steps {
		left[s] = errors.New("it was not read")
	}
	return left
}

// everywhere waits until each broker knows the steps. Nobody learns from one
// that does not answer.
func (v *verification) everywhere(ctx context.Context, brokers []live.Broker, steps []plan.Step) map[plan.Step]error {
	lacking := map[plan.Step]error{}
	for _, b := range brokers {
		one := &verification{Engine: v.Engine, left: unknown(steps), holds: known, from: &b.ID, deadline: v.deadline}
		one.look(ctx, one.scope())
		one.await(ctx)
		for step, err := range one.left {
			lacking[step] = fmt.Errorf("broker %d does not know yet: %w", b.ID, err)
		}
	}
	return lacking
}

// known says whether a broker knows of a step. Of a new topic it is enough that
// it is there: the topic and its configs come to a broker at once.
func known(s plan.Step, snapshot *live.Snapshot) error {
	if _, creates := s.(*plan.CreateTopic); creates && snapshot.Topics[s.About().Object.Name].State == live.Present {
		return nil
	}
	return plan.Holds(s, snapshot)
}

// await reads again until nothing is left, or the deadline comes.
func (v *verification) await(ctx context.Context) {
	for pause := firstPause; len(v.left) > 0 && !v.Clock.Now().After(v.deadline); pause = min(2*pause, longestLook) {
		select {
		case <-ctx.Done():
			return
		case <-v.Clock.After(pause):
		}
		v.look(ctx, v.scope())
	}
}

// scope is what shows the steps that are left.
func (v *verification) scope() live.Scope {
	steps := slices.Collect(maps.Keys(v.left))
	scope := plan.ScopeOf(steps)
	scope.From = v.from
	scope.Bare = v.from != nil && !slices.ContainsFunc(steps, func(s plan.Step) bool {
		_, configs := s.(*plan.AlterConfigs)
		return configs
	})
	return scope
}

// look reads once, and takes away the steps whose results are there.
func (v *verification) look(ctx context.Context, scope live.Scope) {
	var err error
	if v.seen, err = v.Read(ctx, scope); err != nil && v.from != nil {
		clear(v.left)
	}
	for s := range v.left {
		if err != nil {
			v.left[s] = fmt.Errorf("the cluster cannot be read: %w", err)
		} else if v.left[s] = v.holds(s, v.seen); v.left[s] == nil {
			delete(v.left, s)
		}
	}
	v.Observe(Verifying{Left: len(v.left), Broker: v.from})
}
