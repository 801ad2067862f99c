package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// Hold is a lock that is held. It renews itself until it is released or lost.
// Its methods may be called from several goroutines.
type Hold struct {
	lock Lock

	mu      sync.Mutex // guards all below
	log     *log
	claim   string
	seq     int       // of the last record written under the claim
	renewed time.Time // when the last renewal that was read back was sent, at the latest
	lost    error     // why the lock is gone; nil: it is not

	stop    context.CancelFunc // ends the renewing
	stopped chan struct{}
}

// State is what the ledger says, as last read.
func (h *Hold) State() *State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.state.Clone()
}

// Check makes sure that the lock is held still: it reads the log to its end and
// renews the claim if that is due. Nothing may be sent to the cluster later than
// the time it returns, by the Clock, without another Check or Write. Its error
// is a [*Lost], or says that the ledger is out of reach: nothing may be sent.
func (h *Hold) Check(ctx context.Context) (until time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.check(ctx)
}

func (h *Hold) check(ctx context.Context) (until time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	if h.lost != nil {
		return time.Time{}, h.lost
	}
	if err := h.log.read(ctx); err != nil {
		return time.Time{}, err
	}
	return h.secure(ctx)
}

// secure renews the claim if that is due, and tells how long it is safe to
// send, now that the log was read.
func (h *Hold) secure(ctx context.Context) (until time.Time, err error) {
	if err := h.renew(ctx); err != nil {
		return time.Time{}, err
	}
	return lastSend(h.renewed), h.holds()
}

// lastSend is when a holder stops to send that sent its last renewal then. The
// request has time to end before the lease does.
func lastSend(renewed time.Time) time.Time { return renewed.Add(Lease - RequestTimeout) }

// holds finds out whether the claim holds, as far as the log was read.
func (h *Hold) holds() error {
	first, held := h.log.state.HeldBy(h.lock)
	if held && first.Claim == h.claim {
		return nil
	}
	lost := &Lost{Lock: h.lock, Why: "its lease ran out, or somebody has unlocked it"}
	if held {
		lost.By = &first
	}
	h.lost = lost
	return lost
}

// Write appends records under the lock, reads them back, and checks as
// [Hold.Check] does: nothing of what they announce may be sent later than the
// time it returns. The records are in the log in their order, each once; of
// many, only the first may be there if it fails. What they say of an object
// that another topology has is void: [Hold.State] tells whose it is.
func (h *Hold) Write(ctx context.Context, records ...Record) (until time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost != nil {
		return time.Time{}, h.lost
	}
	if err := h.write(ctx, records...); err != nil {
		return time.Time{}, err
	}
	return h.secure(ctx)
}

// write appends records under the claim until they are read back.
func (h *Hold) write(ctx context.Context, records ...Record) error {
	values := make([][]byte, len(records))
	for i, r := range records {
		var err error
		if values[i], err = encode(&Entry{Claim: h.claim, Seq: h.seq + i + 1, Record: r}); err != nil {
			return err
		}
	}
	for _, batch := range batches(values) {
		if err := h.append(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// append writes one batch of the claim's records. Whether it is in the log only
// the log can tell; if it is not, it is written again, and should both arrive,
// the second says nothing.
func (h *Hold) append(ctx context.Context, batch [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	begun, last := h.seq > 0, h.seq+len(batch)
	h.seq = last // whatever becomes of them: no other records may be taken for these
	return h.log.persist(ctx, func() error {
		_, written := h.log.append(ctx, batch)
		if is[*Denied](written) {
			return written
		}
		if err := h.log.catchUp(ctx); err != nil {
			return err
		}
		held := h.log.state.live(h.claim)
		switch {
		case held != nil && held.Seq >= last:
			return nil
		case held == nil && begun:
			return h.holds()
		}
		return cmp.Or(written, errUnseen)
	})
}

// renew lets the claim live on, if that is due.
func (h *Hold) renew(ctx context.Context) error {
	now := h.log.Clock.Now()
	if now.Sub(h.renewed) < RenewEvery {
		return nil
	}
	err := h.write(ctx, Renewal{})
	if err == nil {
		h.renewed = now
	}
	return err
}

// keep renews the claim until the hold ends.
func (h *Hold) keep(ctx context.Context) {
	defer close(h.stopped)
	due := RenewEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.log.Clock.After(due):
		}
		h.mu.Lock()
		_, err := h.check(ctx)
		lost := h.lost != nil
		h.mu.Unlock()
		if lost {
			return
		}
		if due = RenewEvery; err != nil {
			due = longestPause
		}
	}
}

// Release ends the hold: the next in the queue has the lock at once. If it
// fails, the lock is free when the lease runs out.
func (h *Hold) Release(ctx context.Context) error {
	h.stop()
	<-h.stopped
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost != nil {
		return nil
	}
	h.lost = &Lost{Lock: h.lock, Why: "it was released"}
	return h.release(ctx)
}

// release takes the claim back.
func (h *Hold) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	value, err := encode(&Entry{Claim: h.claim, Seq: h.seq + 1, Record: Release{}})
	if err != nil {
		return err
	}
	err = h.log.persist(ctx, func() error {
		_, err := h.log.append(ctx, [][]byte{value}) // should two arrive, the second says nothing
		return err
	})
	if err != nil {
		return fmt.Errorf("%s stays locked for up to %v: %w", h.lock, Lease, err)
	}
	return nil
}

// newID is an id that nobody else has.
func newID() string { return rand.Text() }
