package traffic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// Verdict is what is to become of a message that was taken.
type Verdict uint8

// The verdicts.
const (
	Accept  Verdict = iota // it is done
	Release                // it is to be delivered again: by a share group at once, by another not without those after it
	Reject                 // it cannot be done: it goes to the dead letters
)

// Taker is what is done with messages.
type Taker interface {
	// Take does it with one. An error ends the receiving, and leaves the message unread.
	Take(ctx context.Context, m *kgo.Record) (Verdict, error)

	// Flush makes sure of what was taken: once it has returned, it may be acknowledged.
	Flush() error
}

// Queue is what a group reads.
type Queue struct {
	Topic      string
	DeadLetter string // the topic of its rejected messages; empty: it has none
}

// Receiver reads the queues of a group as one of its members.
type Receiver struct {
	Client  *kgo.Client // the connection; the member has one of its own, with the same options
	Group   *schema.Group
	Queues  []Queue
	Taker   Taker
	Singly  bool        // each message is acknowledged before the next is taken, and held for as long as taking it takes
	Max     int64       // messages to take; 0: any number
	Look    bool        // in a share group: takes what its brokers hand out while none is acknowledged, and gives all of it back at the end
	Follow  bool        // goes on until the context ends; else up to the end as of the start
	Observe func(Event) // called by Receive, on the goroutine that called that; nil: nobody is told
}

// Event is something that happens while receiving.
type Event interface{ event() }

// Received is how much was acknowledged by now.
type Received struct{ Progress }

// NotAcknowledged is that messages of a share group were taken and Kafka did not
// take their acknowledgement: they come again.
type NotAcknowledged struct {
	Topic     string
	Partition int32
	Err       error
}

// Missing is that not all before the end came: other members of the group have it
// or, of a share group, brokers have not handed it out.
type Missing struct {
	Partitions int   // that others have; 0: it is a share group
	Messages   int64 // of a share group
}

func (Received) event()        {}
func (NotAcknowledged) event() {}
func (Missing) event()         {}

// NotDone is a message that its Taker released, in a group that cannot go on
// without it. It stays unread, and so do those after it in its partition.
type NotDone struct {
	Topic     string
	Partition int32
	Offset    int64
}

func (e *NotDone) Error() string {
	return fmt.Sprintf("the message at offset %d of %s[%d] was not done: it stays unread, and so do those after it there", e.Offset, e.Topic, e.Partition)
}

// member takes part in a group.
type member interface {
	// poll waits a moment for messages, of which there may be none.
	poll(ctx context.Context, most int) ([]*kgo.Record, error)

	// hold keeps a message for this member until it is released.
	hold(ctx context.Context, m *kgo.Record) (release func())

	// settle acknowledges messages, in the order in which they came. It returns
	// those that brokers have taken the acknowledgement of, if there is no error.
	settle(ctx context.Context, all []judged) ([]judged, error)

	// ended says whether the end as of the start is reached.
	ended(ctx context.Context) (bool, error)

	// leave leaves the group, and what was not settled to its other members. It
	// says what is taken and not acknowledged.
	leave(ctx context.Context) error
}

// judged is a message with what is to become of it.
type judged struct {
	*kgo.Record
	verdict Verdict
}

// patience is how long acknowledging and leaving may take when all else has ended.
const patience = 30 * time.Second

// Receive takes messages until Max, the end, the end of the context, or
// something wrong: an error of the Taker's, of Kafka's, or a [*NotDone]. The
// progress is what brokers have acknowledged. In a share group they may refuse
// that of single partitions, which a [NotAcknowledged] tells; messages of those
// that have not come again by the end are an error.
func (r *Receiver) Receive(ctx context.Context) (Progress, error) {
	if err := r.check(ctx); err != nil {
		return Progress{}, r.explained(err)
	}
	m, err := r.join(ctx)
	if err != nil {
		return Progress{}, r.explained(err)
	}
	v := &visit{Receiver: r, member: m}
	err = v.run(ctx)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return v.progress, errors.Join(r.explained(err), r.explained(m.leave(last)))
}

// explained says what is missing: a right, or a leader.
func (r *Receiver) explained(err error) error {
	topics := strings.Join(r.topics(), ", ")
	if errors.Is(err, kerr.LeaderNotAvailable) {
		return fmt.Errorf("a partition of %s has no leader, as while its brokers are down: %w", topics, err)
	}
	return permitted(err, map[*kerr.Error]string{
		kerr.TopicAuthorizationFailed: "Read on Topic " + topics,
		kerr.GroupAuthorizationFailed: "Read on Group " + r.Group.GroupID,
	})
}

func (r *Receiver) settings() settings { return settings{r.Group.Client, catalog.Consumer} }

func (r *Receiver) join(ctx context.Context) (member, error) {
	switch {
	case r.Group.Protocol != schema.Share:
		return newConsumer(ctx, r)
	case r.Look:
		return newLooker(ctx, r)
	}
	return newSharer(ctx, r)
}

func (r *Receiver) topics() []string {
	all := make([]string, len(r.Queues))
	for i, q := range r.Queues {
		all[i] = q.Topic
	}
	return all
}

func (r *Receiver) tell(e Event) {
	if r.Observe != nil {
		r.Observe(e)
	}
}

// visit is one Receive: that of a member to its group.
type visit struct {
	*Receiver
	member
	began    time.Time
	taken    int64
	progress Progress
}

// atOnce is how many messages are taken before they are acknowledged, at most.
const atOnce = 50_000

// run takes messages until something ends that.
func (v *visit) run(ctx context.Context) error {
	for {
		most := int64(atOnce)
		if v.Singly {
			most = 1
		}
		if v.Max > 0 {
			most = min(most, v.Max-v.taken)
		}
		messages, err := v.poll(ctx, int(most))
		if err != nil {
			return err
		}
		if err := v.batch(ctx, messages); err != nil {
			return err
		}
		if v.Max > 0 && v.taken >= v.Max {
			return nil
		}
		if v.Follow {
			continue
		}
		if ended, err := v.ended(ctx); ended || err != nil {
			return err
		}
	}
}

// batch takes some messages and acknowledges them.
func (v *visit) batch(ctx context.Context, messages []*kgo.Record) error {
	if len(messages) == 0 {
		return ctx.Err()
	}
	if v.began.IsZero() {
		v.began = time.Now()
	}
	done, took := v.take(ctx, messages)
	switch err := v.Taker.Flush(); {
	case err == nil:
	case errors.Is(took, err): // it has met that already
		return took
	default:
		return errors.Join(took, err)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	acknowledged, err := v.settle(last, done)
	if err != nil {
		return errors.Join(took, err)
	}
	for _, m := range acknowledged {
		v.count(m)
	}
	v.progress.Took = time.Since(v.began)
	v.tell(Received{v.progress})
	return took
}

func (v *visit) count(m judged) {
	if m.verdict == Release {
		v.progress.Released++
		return
	}
	v.progress.Messages++
	v.progress.Bytes += bytesOf(m.Record)
	if m.verdict == Reject {
		v.progress.Rejected++
	}
}

// take judges messages, up to the first that something is wrong with.
func (v *visit) take(ctx context.Context, messages []*kgo.Record) (done []judged, err error) {
	done = make([]judged, 0, len(messages))
	for _, m := range messages {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		verdict, err := v.judge(ctx, m)
		if err != nil {
			return done, err
		}
		if verdict == Release && v.Group.Protocol != schema.Share {
			return done, &NotDone{m.Topic, m.Partition, m.Offset}
		}
		v.taken++
		done = append(done, judged{m, verdict})
	}
	return done, nil
}

func (v *visit) judge(ctx context.Context, m *kgo.Record) (Verdict, error) {
	if v.Singly {
		defer v.hold(ctx, m)()
	}
	return v.Taker.Take(ctx, m)
}

// deadLetters is the topic that the rejected messages of another go to; empty:
// there is none.
func (r *Receiver) deadLetters(topic string) string {
	for _, q := range r.Queues {
		if q.Topic == topic {
			return q.DeadLetter
		}
	}
	return ""
}
