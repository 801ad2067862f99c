package traffic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A transaction is committed when it has so many messages, or is so old.
const (
	mostInTransaction = 10_000
	longestOpen       = 10 * time.Second
)

// run is one Send. Reading has a goroutine of its own, so that whatever ends the
// run need not wait for the next message.
type run struct {
	*Sender
	limits
	client        *kgo.Client
	transactional bool
	failed        chan struct{}   // closed with the first message that Kafka refuses
	waiting       context.Context // for answers
	handed        atomic.Int64    // messages that were handed over

	sending sync.Mutex // held while a message is handed over or a transaction ends
	ended   bool       // nothing more is handed over
	open    int        // messages in the open transaction; 0: none is open

	mu      sync.Mutex
	began   time.Time
	answers int64    // messages that Kafka has said something of
	told    Progress // what is acknowledged, and committed where it must be
	pending Progress // what is acknowledged in the open transaction
	refused error    // the first that Kafka refused
}

// read hands over messages until something ends that. The transaction that is
// then open is left so.
func (r *run) read(ctx context.Context, from Source) error {
	done := make(chan error, 1)
	go func() { done <- r.all(from) }()
	var due <-chan time.Time
	if r.transactional {
		ticker := time.NewTicker(max(time.Millisecond, min(longestOpen, r.settings().time("transaction.timeout.ms")/2)))
		defer ticker.Stop()
		due = ticker.C
	}
	for {
		select {
		case err := <-done:
			return err
		case <-r.failed:
			return r.stop(nil)
		case <-ctx.Done():
			return r.stop(context.Cause(ctx))
		case <-due:
			if err := r.commit(); err != nil {
				return r.stop(err)
			}
		}
	}
}

// stop lets nothing more be handed over.
func (r *run) stop(err error) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	r.ended = true
	return err
}

// all hands over the messages of the source.
func (r *run) all(from Source) error {
	for m, err := range from {
		if err == nil {
			err = r.check(m)
		}
		if err != nil {
			return r.stop(err)
		}
		if err := r.hand(m); err != nil {
			return err
		}
	}
	return nil
}

var errEnded = errors.New("ended")

// hand gives one message to the client, which may have to wait until it has room.
func (r *run) hand(m Message) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	if r.ended {
		return errEnded
	}
	if r.transactional {
		if r.open == 0 {
			if err := r.client.BeginTransaction(); err != nil {
				return err
			}
		}
		r.open++
	}
	if r.handed.Add(1) == 1 {
		r.begin()
	}
	r.client.Produce(r.waiting, m.Record, func(sent *kgo.Record, err error) { r.answered(m.Line, sent, err) })
	if r.open >= mostInTransaction {
		return r.commitOpen()
	}
	return nil
}

func (r *run) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
}

// answered takes what Kafka says of a message.
func (r *run) answered(line int, m *kgo.Record, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers++
	switch {
	case errors.Is(err, kgo.ErrAborting): // what comes of it is told already
		return
	case err != nil:
		if err = r.explained(err); isOfOne(err) {
			err = fmt.Errorf("message %d: %w", line, err)
		}
		r.refuse(err)
		return
	}
	to := &r.told
	if r.transactional {
		to = &r.pending
	}
	to.Messages++
	to.Bytes += bytesOf(m)
	if !r.transactional {
		r.observe()
	}
}

// isOfOne says whether Kafka refused a message for what it is.
func isOfOne(err error) bool {
	return errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.InvalidTimestamp) || errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}

// refuse ends the run. It is called with mu held.
func (r *run) refuse(err error) {
	if r.refused == nil {
		r.refused = err
		close(r.failed)
	}
}

// grace is how long an interrupted run waits for an answer.
const grace = 5 * time.Second

// watch gives up where messages wait for delivery.timeout.ms, and Kafka says
// nothing of any; sooner once the run is interrupted.
func (r *run) watch(ctx context.Context, giveUp func()) {
	timeout := max(r.settings().time("delivery.timeout.ms"), time.Second)
	why := fmt.Errorf("no message was acknowledged within the %v of delivery.timeout.ms", timeout)
	ticker := time.NewTicker(timeout / 4)
	defer ticker.Stop()
	interrupted := ctx.Done()
	heard, last := time.Now(), int64(0)
	for {
		select {
		case <-r.waiting.Done():
			return
		case <-interrupted:
			interrupted, timeout, why = nil, min(timeout, grace), context.Cause(ctx)
			heard = time.Now()
			ticker.Reset(timeout / 4)
			continue
		case <-ticker.C:
		}
		r.mu.Lock()
		answers := r.answers
		if answers != last || answers == r.handed.Load() {
			heard, last = time.Now(), answers
		} else if time.Since(heard) >= timeout {
			r.refuse(why)
			giveUp()
		}
		r.mu.Unlock()
	}
}

// observe tells what is sent. It is called with mu held.
func (r *run) observe() {
	r.told.Took = time.Since(r.began)
	if r.Observe != nil {
		r.Observe(r.told)
	}
}

// commit ends the open transaction, if there is one.
func (r *run) commit() error {
	r.sending.Lock()
	defer r.sending.Unlock()
	return r.commitOpen()
}

var errUnanswered = errors.New("the commit of a transaction was not answered")

func (r *run) commitOpen() error {
	if r.open == 0 {
		return nil
	}
	err := r.client.Flush(r.waiting)
	if refused := r.refusal(); refused != nil {
		return refused
	}
	if err != nil {
		return err
	}
	r.open = 0
	ctx := context.Background()
	if err := r.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
		_ = r.client.EndTransaction(ctx, kgo.TryAbort) // which Kafka does by itself in time
		if code, answered := errors.AsType[*kerr.Error](err); answered && !code.Retriable {
			return r.explained(err)
		}
		return fmt.Errorf("%w: %w", errUnanswered, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told.Messages += r.pending.Messages
	r.told.Bytes += r.pending.Bytes
	r.pending = Progress{}
	r.observe()
	return nil
}

func (r *run) refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// abort takes back the messages of the open transaction.
func (r *run) abort() error {
	r.sending.Lock()
	defer r.sending.Unlock()
	if r.open == 0 {
		return nil
	}
	r.open = 0
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if r.waiting.Err() != nil { // nobody answers
		r.client.UnsafeAbortBufferedRecords()
		return r.client.EndTransaction(ctx, kgo.TryAbort)
	}
	return errors.Join(r.client.AbortBufferedRecords(ctx), r.client.EndTransaction(ctx, kgo.TryAbort))
}

// end waits for what was handed over. The open transaction is committed where
// nothing is wrong with what was read, an interruption included, and else aborted.
func (r *run) end(err error) (Progress, error) {
	interrupted := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if r.transactional {
		if err == nil || interrupted {
			err = errors.Join(err, r.commit())
		}
		err = errors.Join(err, r.abort())
	}
	_ = r.client.Flush(r.waiting) // what is not answered then is not sent
	if refused := r.refusal(); refused != nil {
		err = refused
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		return r.told, nil
	}
	return r.told, &NotSent{Sent: r.told, Failed: r.handed.Load() - r.told.Messages, Unknown: errors.Is(err, errUnanswered), Err: err}
}
