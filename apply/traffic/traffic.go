// Package traffic sends messages to the queues of a producer, and receives them
// as a member of a consumer group.
//
// Learn [Sender], [Receiver] and [Taker]. A message is a record of franz-go. A
// message that was sent is one that the brokers have acknowledged; one that was
// received is acknowledged after its Taker has it, and not before, whatever
// happens to this process: a message may come twice, and is never lost.
//
// Nothing here prints: both tell an observer how far they are, and report how
// it ended. Both hold a bounded number of bytes, however many messages there are.
package traffic

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Progress is how much has passed: messages that the brokers have acknowledged,
// or whose acknowledgement they have.
type Progress struct {
	Messages int64
	Bytes    int64         // of keys, values and headers
	Took     time.Duration // since the first of them
	Rejected int64         // among the messages received: those that could not be done
	Released int64         // besides those: deliveries that a share group was given back
}

// notPermitted is what Kafka refused, and the right that it takes.
type notPermitted struct {
	refusal *kerr.Error
	right   string
}

func (e *notPermitted) Error() string {
	return fmt.Sprintf("not permitted, this needs %s (%s)", e.right, e.refusal.Message)
}

func (e *notPermitted) Unwrap() error { return e.refusal }

// permitted is what went wrong, with the right that it takes where one of those
// is missing; another's is said already.
func permitted(err error, rights map[*kerr.Error]string) error {
	if _, said := errors.AsType[*notPermitted](err); said {
		return err
	}
	if refusal, ok := errors.AsType[*kerr.Error](err); ok && rights[refusal] != "" {
		return &notPermitted{refusal, rights[refusal]}
	}
	return err
}

// topicError says of a topic what Kafka answered.
func topicError(topic string, err error) error {
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return fmt.Errorf("there is no topic %s on the cluster: apply the topology first", topic)
	}
	return fmt.Errorf("topic %s: %w", topic, err)
}

// bytesOf is what a message carries.
func bytesOf(m *kgo.Record) int64 {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}
