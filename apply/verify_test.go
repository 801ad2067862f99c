package apply_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// missing are the errors of a verification, by topic.
func missing(left map[plan.Step]error) map[string]string {
	all := map[string]string{}
	for s, err := range left {
		all[s.About().Object.Name] = err.Error()
	}
	return all
}

// scopeOf is all that a plan touches.
func scopeOf(p *plan.Plan) live.Scope {
	var scope live.Scope
	for _, s := range p.Steps {
		scope.Topics = append(scope.Topics, s.About().Object.Name)
	}
	return scope
}

// verify returns what is missing.
func (k *kafka) verify(p *plan.Plan, r *apply.Report) map[string]string {
	left, _ := k.engine.Verify(k.Context(), p, r, scopeOf(p))
	return missing(left)
}

func TestVerifyAwaitsLaggingBrokers(t *testing.T) {
	k := start(t)
	left := k.lag(3, "a", "b")
	p := planned(create("a", 3), create("b", 1))
	report := k.engine.Run(t.Context(), p)
	if diff := cmp.Diff(map[string]string{}, k.verify(p, report)); diff != "" {
		t.Error(diff)
	}
	if left() > 0 || len(k.clock.waits) != 3 {
		t.Errorf("%d answers of the past were not read, in %v", left(), k.clock.waits)
	}
}

func TestVerifyTellsWhatIsNotThere(t *testing.T) {
	k := start(t)
	p := planned(create("a", 3), create("b", 1))
	report := k.engine.Run(t.Context(), p)
	if err := k.DeleteTopic("a"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": `topic "a" is not there`}, k.verify(p, report)); diff != "" {
		t.Error(diff)
	}
	if waited := k.clock.time().Sub(newClock().now); waited < time.Minute || waited > 65*time.Second {
		t.Errorf("waited %v", waited)
	}
}

// Every broker is asked for the last step of each request, and only for those.
func TestVerifyAsksEveryBroker(t *testing.T) {
	k := start(t)
	var steps []plan.Step
	for i := range 4 {
		s := create(fmt.Sprint("t", i), 1)
		s.Records = 2500
		steps = append(steps, s)
	}
	p := planned(steps...)
	report := k.engine.Run(t.Context(), p)
	asked := map[int32][]string{}
	read, old := k.engine.Read, true
	k.engine.Read = func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
		snapshot, err := read(ctx, s)
		if err == nil && s.From != nil {
			asked[*s.From] = append(asked[*s.From], fmt.Sprint(len(s.Topics)))
			if *s.From == 1 && old {
				old = false
				snapshot.Topics["t3"] = live.None[live.Topic]()
			}
		}
		return snapshot, err
	}
	if diff := cmp.Diff(map[string]string{}, k.verify(p, report)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[int32][]string{0: {"2"}, 1: {"2", "1"}, 2: {"2"}}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyNamesTheBrokerThatLags(t *testing.T) {
	k := start(t)
	p := planned(create("a", 1))
	report := k.engine.Run(t.Context(), p)
	read := k.engine.Read
	k.engine.Read = func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
		snapshot, err := read(ctx, s)
		if err == nil && s.From != nil && *s.From == 2 {
			snapshot.Topics["a"] = live.None[live.Topic]()
		}
		return snapshot, err
	}
	if diff := cmp.Diff(map[string]string{"a": `broker 2 does not know yet: topic "a" is not there`}, k.verify(p, report)); diff != "" {
		t.Error(diff)
	}
}

// A broker that is down keeps nobody.
func TestVerifyWithoutABroker(t *testing.T) {
	k := start(t)
	p := planned(create("a", 1))
	report := k.engine.Run(t.Context(), p)
	k.on(kmsg.Metadata, func(kmsg.Request) (kmsg.Response, error) {
		if k.CurrentNode() == 2 {
			return nil, errCut
		}
		return nil, nil
	})
	read := k.engine.Read
	k.engine.Read = func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
		if s.From == nil {
			return read(ctx, s)
		}
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond) // what --timeout is
		defer cancel()
		return read(ctx, s)
	}
	if diff := cmp.Diff(map[string]string{}, k.verify(p, report)); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyIsInterrupted(t *testing.T) {
	k := start(t)
	p := planned(create("a", 1))
	report := k.engine.Run(t.Context(), p)
	if err := k.DeleteTopic("a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	k.clock.wait = func(time.Duration) bool { cancel(); return false }
	if left, _ := k.engine.Verify(ctx, p, report, scopeOf(p)); len(left) > 0 || report.Stopped == nil {
		t.Errorf("left %v, stopped %v", missing(left), report.Stopped)
	}
}

func TestNothingIsReadAfterAnInterruption(t *testing.T) {
	k := start(t)
	p := planned(create("a", 1))
	report := k.engine.Run(t.Context(), p)
	report.Stopped = context.Canceled
	k.engine.Read = nil
	if left, _ := k.engine.Verify(t.Context(), p, report, scopeOf(p)); left != nil || report.Stopped == nil {
		t.Errorf("left %v, stopped %v", missing(left), report.Stopped)
	}
}
