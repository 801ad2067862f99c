package traffic

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers of a dead letter that tell where it is from: those that Kafka's
// brokers give to what share groups reject (KIP-1191, Kafka 4.4+).
const (
	headerTopic     = "__dlq.errors.topic"
	headerPartition = "__dlq.errors.partition"
	headerOffset    = "__dlq.errors.offset"
	headerGroup     = "__dlq.errors.group"
	headerMessage   = "__dlq.errors.message"
)

// deadLetter is a message as it goes to the dead letters: with its headers, and
// those that tell where it is from.
func deadLetter(topic, group string, m *kgo.Record) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Topic: topic, Partition: anywhere, Key: m.Key, Value: m.Value,
		Headers: append(slices.Clone(m.Headers),
			header(headerTopic, m.Topic), header(headerPartition, strconv.Itoa(int(m.Partition))),
			header(headerOffset, strconv.FormatInt(m.Offset, 10)), header(headerGroup, group),
			header(headerMessage, "rejected by a member of the group"),
		),
	}
}

// undertaker sends dead letters for a group whose brokers do not.
type undertaker struct {
	group   string
	options []kgo.Opt
	client  *kgo.Client // nil: nothing was rejected yet
}

// bury returns once the dead letters are there.
func (u *undertaker) bury(ctx context.Context, letters []*kgo.Record) error {
	if len(letters) == 0 {
		return nil
	}
	if u.client == nil {
		client, err := kgo.NewClient(append(slices.Clone(u.options), kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}), kgo.AllowIdempotentProduceCancellation())...)
		if err != nil {
			return err
		}
		u.client = client
	}
	if err := u.client.ProduceSync(ctx, letters...).FirstErr(); err != nil {
		return fmt.Errorf("the dead letters of %s cannot be sent: %w", u.group, err)
	}
	return nil
}

func (u *undertaker) leave() {
	if u.client != nil {
		u.client.Close()
	}
}
