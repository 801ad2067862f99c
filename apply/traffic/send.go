package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// A transaction is committed when it has so many messages, or is so old.
const (
	mostInTransaction = 10_000
	longestOpen       = 10 * time.Second
)

// Sender sends messages to one queue of a producer, as its block declares.
type Sender struct {
	Client   *kgo.Client // the connection; what is sent has one of its own, with the same options
	Producer *schema.Producer
	Topic    string
	Observe  func(Progress) // told of each message that is acknowledged; nil: nobody is
}

// NotSent is that not all messages were sent. Those that were are there to
// stay, and are told.
type NotSent struct {
	Sent    Progress
	Failed  int64 // messages that were read and not acknowledged or, in transactions, taken back
	Unknown bool  // nobody knows whether those are there: the commit was not answered
	Err     error // why: a [*LineError], what reading said, what Kafka did, or an interruption
}

func (e *NotSent) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *NotSent) Unwrap() error { return e.Err }

// Send sends the messages of a source, in its order to each partition, until
// its end, its first error, the first message that Kafka refuses, or the end of
// the context: what was read by then is sent, but for the messages of an open
// transaction where something is wrong. Any error is a [*NotSent].
//
// With a transactional id the messages go in transactions, of 10,000 messages or
// of 10 seconds each. Another process with that id is fenced by this.
func (s *Sender) Send(ctx context.Context, from Source) (Progress, error) {
	limits, err := s.limits(ctx)
	if err != nil {
		return Progress{}, &NotSent{Err: err}
	}
	client, err := kgo.NewClient(append(slices.Clone(s.Client.Opts()), s.options(limits.largest)...)...)
	if err != nil {
		return Progress{}, &NotSent{Err: err}
	}
	defer client.Close()
	r := &run{Sender: s, client: client, limits: limits, transactional: s.transactionalID() != "", failed: make(chan struct{})}
	var giveUp context.CancelFunc
	r.waiting, giveUp = context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	go r.watch(giveUp)
	err = r.read(ctx, from)
	return r.end(err)
}

// Check is the first message of a source that could not be sent, as a
// [*LineError], or what is wrong with reading it. Nothing is sent.
func (s *Sender) Check(ctx context.Context, from Source) error {
	limits, err := s.limits(ctx)
	if err != nil {
		return err
	}
	for m, err := range from {
		if err == nil {
			err = limits.check(m)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

func (s *Sender) settings() settings { return settings{s.Producer.Client, catalog.Producer} }

func (s *Sender) options(largest int32) []kgo.Opt {
	set := s.settings()
	options := append(set.sending(largest), kgo.DefaultProduceTopic(s.Topic))
	if id := s.transactionalID(); id != "" {
		return append(options, kgo.TransactionalID(id), kgo.TransactionTimeout(set.time("transaction.timeout.ms")))
	}
	return append(options, set.acks()...)
}

// transactionalID is the declared one, or the one that send has among those
// that begin with a declared prefix; empty: there are no transactions.
func (s *Sender) transactionalID() string {
	if prefix := s.Producer.TransactionalIDPrefix; prefix != "" {
		return prefix + "send"
	}
	return s.Producer.TransactionalID
}

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
		ticker := time.NewTicker(min(longestOpen, r.settings().time("transaction.timeout.ms")/2))
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
		if err := r.hand(m.Record); err != nil {
			return err
		}
	}
	return nil
}

var errEnded = errors.New("ended")

// hand gives one message to the client, which may have to wait until it has room.
func (r *run) hand(m *kgo.Record) error {
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
	r.client.Produce(r.waiting, m, r.answered)
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
func (r *run) answered(m *kgo.Record, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers++
	switch {
	case errors.Is(err, kgo.ErrAborting): // what comes of it is told already
		return
	case err != nil:
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

// refuse ends the run. It is called with mu held.
func (r *run) refuse(err error) {
	if r.refused == nil {
		r.refused = err
		close(r.failed)
	}
}

// watch gives up where messages wait for delivery.timeout.ms, and Kafka says
// nothing of any.
func (r *run) watch(giveUp func()) {
	timeout := max(r.settings().time("delivery.timeout.ms"), time.Second)
	ticker := time.NewTicker(timeout / 4)
	defer ticker.Stop()
	heard, last := time.Now(), int64(0)
	for {
		select {
		case <-r.waiting.Done():
			return
		case <-ticker.C:
		}
		r.mu.Lock()
		answers := r.answers
		if answers != last || answers == r.handed.Load() {
			heard, last = time.Now(), answers
		} else if time.Since(heard) >= timeout {
			r.refuse(fmt.Errorf("no message was acknowledged within the %v of delivery.timeout.ms", timeout))
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
			return err
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
