package ledger

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// contender is somebody who waits for the lock of shop.
type contender struct {
	hold  chan *Hold
	err   chan error
	waits chan Wait
	watch *watch
}

func (k *kafka) contend(ctx context.Context, user string, patience time.Duration) *contender {
	k.Helper()
	c := &contender{make(chan *Hold, 1), make(chan error, 1), make(chan Wait, 10), k.clock.watch()}
	topic := k.topicWith(c.watch)
	go func() {
		h, err := Acquire(ctx, topic, Request{
			Lock: TopologyLock("shop"), Holder: holder("shop", user), Patience: patience,
			Observe: func(w Wait) { c.waits <- w },
		})
		if err != nil {
			c.err <- err
			return
		}
		c.hold <- h
	}()
	return c
}

// wins waits for the lock while time goes by; it tells how much went by until
// the requests of another had ended.
func (c *contender) wins(k *kafka) (h *Hold, after time.Duration) {
	k.Helper()
	began := k.clock.time()
	for {
		select {
		case h := <-c.hold:
			k.Cleanup(func() { _ = h.Release(context.Background()) })
			return h, k.settled().Sub(began)
		case err := <-c.err:
			k.Fatal(err)
		case at := <-c.watch.set:
			k.clock.reach(at)
		}
	}
}

// settled is when somebody last found that the requests of another have ended.
// Time may have gone on since: whoever has a lock renews it.
func (k *kafka) settled() time.Time {
	k.Helper()
	l := newLog(k.topic())
	if _, err := l.open(k.Context()); err != nil {
		k.Fatal(err)
	}
	l.next = 0
	got := <-l.ask(k.Context(), 0)
	records, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, got.partition, kgo.DefaultDecompressor(), nil)
	for _, r := range slices.Backward(records.Records) {
		e, err := decode(r.Value, r.Timestamp.UnixMilli())
		if err == nil && e.Record == (Renewal{Settled: true}) {
			return r.Timestamp
		}
	}
	k.Fatal("nobody has")
	return time.Time{}
}

func TestWaiterHasTheLockOnceItIsReleased(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	bob := k.contend(t.Context(), "bob", time.Hour)
	if w := <-bob.waits; w.For.Holder.User != "ann" || w.Settles != 0 {
		t.Errorf("bob waits for %+v", w)
	}
	k.release(ann)
	h := <-bob.hold // without any time going by
	k.release(h)
}

func TestWaiterGivesUp(t *testing.T) {
	k := start(t)
	k.acquire("shop", "ann")
	bob := k.contend(t.Context(), "bob", 10*time.Second)
	<-bob.waits
	for err := error(nil); err == nil; {
		select {
		case err = <-bob.err:
			if !is[*Locked](err) {
				t.Error(err)
			}
		case at := <-bob.watch.set:
			k.clock.reach(at)
		}
	}
	if queue := k.state().Locks[TopologyLock("shop")]; len(queue) != 1 {
		t.Errorf("the queue is %v", queue)
	}
}

func TestInterruptedWaiterLeavesNothing(t *testing.T) {
	k := start(t)
	k.acquire("shop", "ann")
	stop := errors.New("Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	bob := k.contend(ctx, "bob", time.Hour)
	<-bob.waits
	cancel(stop)
	if err := <-bob.err; !errors.Is(err, stop) {
		t.Error(err)
	}
	if queue := k.state().Locks[TopologyLock("shop")]; len(queue) != 1 {
		t.Errorf("the queue is %v", queue)
	}
}

func TestHolderAndWaiterRenew(t *testing.T) {
	k := start(t)
	watch := k.clock.watch()
	ann := k.acquireWith(watch, "shop", "ann")
	bob := k.contend(t.Context(), "bob", time.Hour)
	for range 3 * Lease / RenewEvery {
		watch.rests()
		bob.watch.rests()
		k.clock.pass(RenewEvery)
	}
	watch.rests()
	if _, err := ann.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if queue := k.state().Locks[TopologyLock("shop")]; len(queue) != 2 {
		t.Errorf("the queue is %v", queue)
	}
	k.release(ann)
	k.release(<-bob.hold)
}

func TestDeadHolderIsFollowedAfterItsRequestsEnded(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	k.write(ann, Intent{Object: id("orders")})
	ann.dies()
	bob := k.contend(t.Context(), "bob", time.Hour)
	h, after := bob.wins(k)
	if after < Lease+RequestTimeout || after > Lease+RequestTimeout+2*RenewEvery {
		t.Errorf("bob has the lock after %v", after)
	}
	if w := []Wait{<-bob.waits, <-bob.waits}; w[0].Settles != 0 || w[1].Settles != RequestTimeout || w[1].For.Holder.User != "ann" {
		t.Errorf("bob waits for %+v", w)
	}
	if object := h.State().Objects[queueAt("orders")]; !object.HalfDone {
		t.Errorf("orders is %+v", object)
	}
	// Ann wakes up, and is told so.
	_, err := ann.Check(t.Context())
	if lost, is := errors.AsType[*Lost](err); !is || lost.By == nil || lost.By.Holder.User != "bob" {
		t.Errorf("ann is told %v", err)
	}
	if _, err := ann.Write(t.Context(), Owned{Object: id("orders")}); !is[*Lost](err) {
		t.Errorf("ann writes: %v", err)
	}
}

func TestWhoComesLaterWaitsTooIfTheFollowerDid(t *testing.T) {
	k := start(t)
	k.acquire("shop", "ann").dies()
	k.clock.pass(Lease + time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	bob := k.contend(ctx, "bob", time.Hour)
	if w := <-bob.waits; w.Settles == 0 {
		t.Fatalf("bob waits for %+v", w)
	}
	cancel() // before the time is over
	if err := <-bob.err; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, after := k.contend(t.Context(), "cid", 0).wins(k); after < RequestTimeout {
		t.Errorf("cid has the lock after %v", after)
	}
}

func TestPausedHolderStops(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	ann.dies() // its renewing stands still, as all of it does
	until, err := ann.Check(t.Context())
	if want := k.clock.time().Add(Lease - RequestTimeout); err != nil || !until.Equal(want) {
		t.Fatalf("it may send until %v (%v), not %v", until, err, want)
	}
	k.clock.pass(Lease + time.Second)
	if _, err := ann.Write(t.Context(), Intent{Object: id("orders")}); !is[*Lost](err) {
		t.Errorf("it goes on: %v", err)
	}
	if state := k.state(); len(state.Objects) > 0 {
		t.Errorf("it has %v", state.Objects)
	}
}

func TestSlowHolderRenewsAndGoesOn(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	ann.dies()
	k.clock.pass(Lease - time.Second)
	until, err := ann.Check(t.Context())
	if want := k.clock.time().Add(Lease - RequestTimeout); err != nil || !until.Equal(want) {
		t.Errorf("it may send until %v (%v), not %v", until, err, want)
	}
}

func TestWaiterThatSleptClaimsAnew(t *testing.T) {
	k := start(t)
	k.acquire("shop", "ann").dies()
	bob := k.contend(t.Context(), "bob", time.Hour)
	<-bob.waits
	first := k.state().Locks[TopologyLock("shop")][1]
	bob.watch.rests()
	k.clock.pass(2 * Lease)
	h, after := bob.wins(k)
	if after != RequestTimeout {
		t.Errorf("bob has the lock after %v", after)
	}
	if held, _ := h.State().HeldBy(TopologyLock("shop")); held.Holder.User != "bob" || held.Claim == first.Claim {
		t.Errorf("the lock is held by %+v", held)
	}
}

func TestUnlock(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	held, _ := k.state().HeldBy(TopologyLock("shop"))
	for range 2 {
		if err := Unlock(t.Context(), k.topic(), held.Claim, holder("shop", "bob")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ann.Check(t.Context()); !is[*Lost](err) {
		t.Errorf("ann is told %v", err)
	}
	if _, after := k.contend(t.Context(), "bob", 0).wins(k); after != RequestTimeout {
		t.Errorf("bob has the lock after %v", after)
	}
}

func TestThrottleHasItsOwnLock(t *testing.T) {
	k := start(t)
	shop, bank := k.acquire("shop", "ann"), k.acquire("bank", "bob")
	k.write(shop, Moving{Topic: "void", Rate: 1}) // not under its lock
	throttle, err := Acquire(t.Context(), k.topic(), Request{Lock: ThrottleLock, Holder: holder("shop", "ann")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(t.Context(), k.topic(), Request{Lock: ThrottleLock, Holder: holder("bank", "bob")}); !is[*Locked](err) {
		t.Errorf("two have it: %v", err)
	}
	moving := Moving{Topic: "orders", Leaders: []string{"0:1"}, Followers: []string{"0:2"}, Rate: 50}
	k.write(throttle, moving, Moving{Topic: "gone", Rate: 50}, Moved{Topic: "gone"}, Intent{Object: id("void")})
	k.release(throttle)
	if _, err := bank.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := bank.State()
	if len(state.Moves) != 1 || state.Moves["orders"].Topology != "shop" || state.Moves["orders"].Rate != 50 || len(state.Objects) != 0 {
		t.Errorf("moves are %v, objects %v", state.Moves, state.Objects)
	}
}

// Eight of one topology, and four of another four, at once: within a topology
// no two overlap, and nobody is left out.
func TestRace(t *testing.T) {
	k := start(t)
	type span struct {
		topology   string
		begin, end int64
	}
	var mu sync.Mutex
	var spans []span
	var tick int64
	now := func() int64 {
		mu.Lock()
		defer mu.Unlock()
		tick++
		return tick
	}
	work := func(topology string) func() error {
		topic := k.topic()
		return func() error {
			h, err := Acquire(t.Context(), topic, Request{Lock: TopologyLock(topology), Holder: holder(topology, "ci"), Patience: time.Hour})
			if err != nil {
				return err
			}
			begin := now()
			if _, err := h.Write(t.Context(), Begun{}, Intent{Object: id("orders")}); err != nil {
				return err
			}
			if h.State().Objects[queueAt("orders")].Topology == topology {
				_, err = h.Write(t.Context(), Owned{Object: id("orders")}, Ended{Outcome: "done"})
			} else {
				_, err = h.Write(t.Context(), Ended{Outcome: "failed"})
			}
			end := now()
			mu.Lock()
			spans = append(spans, span{topology, begin, end})
			mu.Unlock()
			return errors.Join(err, h.Release(t.Context()))
		}
	}
	var all errgroup.Group
	for range 8 {
		all.Go(work("shop"))
	}
	for _, topology := range []string{"a", "b", "c", "d"} {
		all.Go(work(topology))
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.begin - b.begin) })
	last := map[string]int64{}
	for _, s := range spans {
		if s.begin < last[s.topology] {
			t.Errorf("two of %s overlap: %v", s.topology, spans)
		}
		last[s.topology] = s.end
	}
	state := k.state()
	owner := state.Objects[queueAt("orders")]
	if !owner.Owned || len(state.Locks) > 0 || len(state.History["shop"]) != 8 {
		t.Errorf("in the end orders is %+v, the locks are %v, and there were %d applies", owner, state.Locks, len(state.History["shop"]))
	}
	for topology, applies := range state.History {
		for _, a := range applies {
			if want := map[bool]string{true: "done", false: "failed"}[topology == owner.Topology]; a.Outcome != want {
				t.Errorf("an apply of %s ended %q, not %q", topology, a.Outcome, want)
			}
		}
	}
}
