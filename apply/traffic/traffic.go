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
