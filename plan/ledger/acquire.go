package ledger

import (
	"context"
	"time"
)

// Wait tells what an [Acquire] waits for. It comes when that changes.
type Wait struct {
	For     Held          // who holds, or held, the lock
	Settles time.Duration // above 0: For did not release it, and its last requests have so long to end
}

// Request is what to acquire.
type Request struct {
	Lock     Lock
	Holder   Holder
	Patience time.Duration // how long to wait for somebody else to release it
	Observe  func(Wait)    // nil: nobody wants to know
}

// Acquire takes a lock. It makes the ledger if there is none. Its error is a
// [*Locked] where somebody else has the lock and keeps it longer than the
// patience; a [*Damaged], [*Foreign], [*Newer], [*Denied] or [*Unsuitable] where
// the ledger cannot be used.
func Acquire(ctx context.Context, t Topic, r Request) (*Hold, error) {
	h := &Hold{lock: r.Lock, log: newLog(t), stopped: make(chan struct{})}
	prepared, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	if err := h.log.prepare(prepared); err != nil {
		return nil, err
	}
	c := &contest{Hold: h, Request: r, deadline: t.Clock.Now().Add(r.Patience)}
	if err := c.win(ctx); err != nil {
		if h.claim != "" {
			_ = h.release(ctx) // it lapses by itself
		}
		return nil, err
	}
	kept, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	go h.keep(kept)
	return h, nil
}

// contest is the way to a lock.
type contest struct {
	*Hold
	Request
	deadline time.Time
	first    time.Time // since when our claim is the first; zero: it is not
	told     Wait
}

// win returns once the claim holds, and nobody's requests can be on their way.
func (c *contest) win(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := c.stand(ctx); err != nil {
			return err
		}
		first, _ := c.log.state.HeldBy(c.Lock)
		before, unsettled := c.log.state.Unsettled[c.Lock]
		var err error
		switch {
		case first.Claim != c.claim:
			err = c.queue(ctx, first)
		case unsettled:
			err = c.settle(ctx, before)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// queue waits for who holds the lock, as long as there is patience.
func (c *contest) queue(ctx context.Context, first Held) error {
	c.first = time.Time{}
	left := c.deadline.Sub(c.log.Clock.Now())
	if left <= 0 {
		return &Locked{By: first}
	}
	c.tell(Wait{For: first})
	return c.pause(ctx, left)
}

// settle lets the requests of a lost holder end, and says so in the log.
func (c *contest) settle(ctx context.Context, before Held) error {
	now := c.log.Clock.Now()
	if c.first.IsZero() {
		c.first = now
	}
	left := c.first.Add(RequestTimeout).Sub(now)
	if left > 0 {
		c.tell(Wait{For: before, Settles: RequestTimeout})
		return c.pause(ctx, left)
	}
	err := c.write(ctx, Renewal{Settled: true})
	if is[*Lost](err) { // then it stands again
		return nil
	}
	return err
}

// stand makes the claim, anew if it was lost while we slept, and keeps it alive.
func (c *contest) stand(ctx context.Context) error {
	if c.claim != "" && c.log.state.live(c.claim) != nil {
		err := c.renew(ctx)
		if !is[*Lost](err) {
			return err
		}
	}
	c.claim, c.seq, c.lost, c.first = newID(), 0, nil, time.Time{}
	c.renewed = c.log.Clock.Now()
	if c.log.state == nil {
		if err := c.log.put(ctx, Format{Ledger: newID()}, func() bool { return c.log.state != nil }); err != nil {
			return err
		}
	}
	return c.write(ctx, Claim{Lock: c.Lock, Holder: c.Holder})
}

// pause waits for something to happen in the log, but not longer than d, nor
// than until the next renewal.
func (c *contest) pause(ctx context.Context, d time.Duration) error {
	renewal := c.renewed.Add(RenewEvery).Sub(c.log.Clock.Now())
	err := c.log.await(ctx, max(0, min(d, renewal)))
	if err == nil || !passing(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	return c.log.read(ctx)
}

// tell says what is awaited, once.
func (c *contest) tell(w Wait) {
	if c.Observe != nil && (w.For.Claim != c.told.For.Claim || w.Settles != c.told.Settles) {
		c.told = w
		c.Observe(w)
	}
}
