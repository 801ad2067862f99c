package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// Sender sends messages to one queue of a producer, as its block declares.
type Sender struct {
	Client   *kgo.Client // the connection; what is sent has one of its own, with the same options
	Producer *schema.Producer
	Topic    string
	Observe  func(Progress) // told of each message that is acknowledged, one call at a time, on goroutines of the client's; nil: nobody is
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
		return Progress{}, &NotSent{Err: s.explained(err)}
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
	go r.watch(ctx, giveUp)
	err = r.read(ctx, from)
	return r.end(err)
}

// Check is the first message of a source that could not be sent, as a
// [*LineError], or what is wrong with reading it. Nothing is sent.
func (s *Sender) Check(ctx context.Context, from Source) error {
	limits, err := s.limits(ctx)
	if err != nil {
		return s.explained(err)
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

// explained adds to what Kafka says what that means here, or which right is missing.
func (s *Sender) explained(err error) error {
	switch {
	case errors.Is(err, kerr.InvalidRecord):
		return fmt.Errorf("%w A compacted queue takes messages with a key alone, and brokers may bound the timestamp", err)
	case errors.Is(err, kerr.InvalidProducerEpoch), errors.Is(err, kerr.ProducerFenced):
		return fmt.Errorf("%w Another producer has begun under this transactional id", err)
	}
	return permitted(err, map[*kerr.Error]string{
		kerr.TopicAuthorizationFailed:           "Write on Topic " + s.Topic,
		kerr.TransactionalIDAuthorizationFailed: "Write on TransactionalId " + s.transactionalID(),
	})
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
