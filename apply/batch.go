package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
)

// try is a step on its way through the requests of a batch.
type try struct {
	step    plan.Step
	delayed error // why it is sent again: a connection, or a broker that asks to wait
	doubt   error // why a request for it may have worked unnoticed; nil: none has
	echo    error // what the cluster said of it, after which only reading tells: it is not sent again
	missing error // of a doubtful one: what was not there when last read
	there   bool  // likewise: its topic was
}

// batch is steps of one type that go in one request.
type batch struct {
	*run
	open     []*try // those without an outcome
	throttle time.Duration
}

// batch sends steps of one type until each has an outcome: the broker's delays
// are kept, and what may have happened unnoticed is read back before it is
// tried again. An interruption ends it after the request in flight.
func (r *run) batch(ctx context.Context, steps []plan.Step) {
	b := &batch{run: r}
	for _, s := range steps {
		b.open = append(b.open, &try{step: s})
	}
	deadline := r.Clock.Now().Add(r.Patience)
	for pause := firstPause; len(b.open) > 0 && r.held(ctx); pause = min(2*pause, longestPause) {
		b.send(ctx)
		b.readBack(ctx)
		if len(b.open) == 0 {
			return
		}
		if r.Clock.Now().After(deadline) {
			break
		}
		r.wait(ctx, b.why(), max(pause, b.throttle))
		r.lookup(ctx)
	}
	b.giveUp(ctx.Err() != nil)
}

// why is what keeps the batch.
func (b *batch) why() string {
	for _, t := range b.open {
		switch {
		case t.echo != nil:
			return "for the brokers to show what was done"
		case isAnswer(t.delayed):
			return "the cluster asks to wait"
		}
	}
	return b.open[0].delayed.Error()
}

// send makes one request, to its end: an interruption waits for its answer.
func (b *batch) send(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledger.RequestTimeout)
	defer cancel()
	var asked []plan.Step
	for _, t := range b.open {
		if t.echo == nil {
			asked = append(asked, t.step)
		}
	}
	if len(asked) == 0 {
		return
	}
	a, err := b.writer().send(ctx, asked, false)
	b.throttle = a.throttle
	b.account(a, err)
}

// writer sends to the broker that is the controller, as far as is known.
func (r *run) writer() writer {
	return writer{r.Client.Broker(int(r.controller.Load())), r.plan.Topology, r.Engine}
}

// account notes the outcomes of a request, and keeps the rest open.
func (b *batch) account(a answer, broken error) {
	var open []*try
	var last plan.Step
	for _, t := range b.open {
		name := t.step.About().Object.Name
		refused, answered := a.refusals[name]
		cut := cmp.Or(a.cut[name], broken)
		if t.doubt != nil {
			b.seeded(t.step, a.had[name])
		}
		b.seeded(t.step, a.seeds[name])
		switch {
		case t.echo != nil:
		case cut != nil && !answered:
			if t.delayed = fmt.Errorf("the connection broke: %w", cut); !connect.Unsent(cut) {
				t.doubt = t.delayed
			} else if t.delayed = fmt.Errorf("no connection: %w", cut); a.begun[name] {
				t.doubt = t.delayed
			}
		case !answered:
			t.echo = errors.New("the broker did not say how it went")
			t.doubt = t.echo
		case refused == nil:
			b.live(t.step, a.ids[name])
			b.took(t.step)
			if isEverywhere(t.step) {
				last = t.step
			}
			continue
		case isPassing(t.step, refused):
			t.delayed = refused
			if errors.Is(refused, kerr.RequestTimedOut) || a.begun[name] { // it may still happen, or has in part
				t.doubt = refused
			}
		case t.doubt != nil && isEcho(t.step, refused):
			t.echo = refused
		case a.begun[name]:
			b.end(t.step, Result{Unknown, fmt.Errorf("a part of it was done: %w", refused)})
			continue
		default:
			b.refuse(t.step, refused)
			continue
		}
		open = append(open, t)
	}
	b.open = open
	b.reached(last)
}

// live notes which life a step has given to a topic.
func (r *run) live(s plan.Step, id live.TopicID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lives[s.About().Object] = id
}

// took ends a step that the cluster has taken: moves go on.
func (r *run) took(s plan.Step) {
	if move, ok := s.(*plan.Reassign); ok {
		r.begin(move, move.Moves)
		r.end(s, Result{Outcome: Started})
		return
	}
	r.end(s, Result{Outcome: Done})
}

// refuse ends a step that the cluster has refused. Of a move it may have
// refused some partitions only: the others go.
func (r *run) refuse(s plan.Step, refused error) {
	r.beginTaken(s, refused)
	r.end(s, Result{Refused, refused})
}

// beginTaken notes the moves of a step that were taken although it was not as
// a whole.
func (r *run) beginTaken(s plan.Step, refused error) {
	if partly, ok := errors.AsType[*partlyRefused](refused); ok {
		move := s.(*plan.Reassign)
		r.begin(move, partly.taken(move))
	}
}

// reached notes the last step of a request: a broker that knows it knows all of the request.
func (r *run) reached(last plan.Step) {
	if last == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.last = append(r.report.last, last)
}

// readBack looks whether what may have happened unnoticed has. A broker that
// lags shows nothing of it yet, so that what is not there is only not known.
func (b *batch) readBack(ctx context.Context) {
	var doubtful []plan.Step
	for _, t := range b.open {
		if t.doubt != nil {
			doubtful = append(doubtful, t.step)
		}
	}
	if len(doubtful) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledger.RequestTimeout)
	defer cancel()
	snapshot, err := b.Read(ctx, plan.ScopeOf(doubtful))
	var open []*try
	for _, t := range b.open {
		if t.doubt == nil || !b.holds(t, snapshot, err) {
			open = append(open, t)
		}
	}
	b.open = open
}

// holds ends a doubtful step whose result is there.
func (b *batch) holds(t *try, snapshot *live.Snapshot, unread error) bool {
	t.missing, t.there = unread, false
	if unread != nil {
		return false
	}
	t.there = snapshot.Topics[t.step.About().Object.Name].State == live.Present
	if t.missing = plan.Holds(t.step, snapshot); t.missing != nil {
		return false
	}
	b.live(t.step, snapshot.Topics[t.step.About().Object.Name].Value.ID)
	b.seeded(t.step, b.found(t.step, snapshot))
	b.took(t.step)
	if isEverywhere(t.step) {
		b.reached(t.step)
	}
	return true
}

// giveUp ends what is open still. What was not sent before an interruption is
// left as it is: not done.
func (b *batch) giveUp(interrupted bool) {
	for _, t := range b.open {
		b.beginTaken(t.step, t.delayed)
		switch _, deletes := t.step.(*plan.DeleteTopic); {
		case t.echo != nil && t.there && !deletes && isAnswer(t.echo):
			b.refuse(t.step, fmt.Errorf("%w; it is not as asked for: %w", t.echo, t.missing))
		case t.doubt != nil:
			b.end(t.step, Result{Unknown, fmt.Errorf("%w; it may have been done: %w", t.doubt, t.missing)})
		case interrupted:
		default:
			b.end(t.step, Result{NotDone, fmt.Errorf("given up after %v: %w", b.Patience, t.delayed)})
		}
	}
}

// isEverywhere says whether all brokers get to know of a step: what groups have
// committed, their coordinators know alone.
func isEverywhere(s plan.Step) bool {
	switch s.(type) {
	case *plan.SeedOffsets, *plan.DeleteGroup:
		return false
	case *plan.CreateTopic, *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.DeleteTopic,
		*plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.Release:
	}
	return true
}

// isPassing says whether the same request may succeed in a moment. To a group
// the topics that were just created may be unknown still, and its coordinator.
func isPassing(s plan.Step, err error) bool {
	switch s.(type) {
	case *plan.SeedOffsets, *plan.DeleteGroup:
		return kerr.IsRetriable(err)
	case *plan.CreateTopic, *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.DeleteTopic,
		*plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.Release:
	}
	return isDelay(err)
}

// isDelay says whether a refusal is about when, not about what.
func isDelay(err error) bool {
	for _, code := range []error{kerr.NotController, kerr.ThrottlingQuotaExceeded, kerr.RequestTimedOut, kerr.CoordinatorNotAvailable} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// isEcho says whether a refusal is what the cluster says where our own earlier
// request has worked.
func isEcho(s plan.Step, refused error) bool {
	switch s.(type) {
	case *plan.CreateTopic:
		return errors.Is(refused, kerr.TopicAlreadyExists)
	case *plan.AddPartitions:
		return errors.Is(refused, kerr.InvalidPartitions)
	case *plan.DeleteTopic:
		return errors.Is(refused, kerr.UnknownTopicID) || errors.Is(refused, kerr.UnknownTopicOrPartition)
	case *plan.DeleteGroup:
		return errors.Is(refused, kerr.GroupIDNotFound)
	case *plan.AlterConfigs, *plan.Reassign, *plan.Release, *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.SeedOffsets: // may be asked twice
	}
	return false
}

// isAnswer tells what a broker said from the end of a connection.
func isAnswer(err error) bool {
	_, ok := errors.AsType[*Refusal](err)
	return ok
}
