package traffic

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The headers of a dead letter that tell where it is from: those that Kafka's
// brokers give to what share groups reject (KIP-1191, Kafka 4.4+).
const (
	headerTopic     = "__dlq.errors.topic"
	headerPartition = "__dlq.errors.partition"
	headerOffset    = "__dlq.errors.offset"
	headerGroup     = "__dlq.errors.group"
	headerCount     = "__dlq.errors.delivery.count" // of a share group
	headerMessage   = "__dlq.errors.message"

	rejected = "Offset rejected by client." // the message, word for word: programs compare it
)

// letter is a message as it goes to the dead letters: with its headers, which
// brokers do not copy, and those that tell where it is from.
func letter(topic, group string, m *kgo.Record) *kgo.Record {
	l := &kgo.Record{Topic: topic, Partition: anywhere, Key: m.Key, Value: m.Value, Headers: slices.Clone(m.Headers)}
	set := func(key, value string) {
		l.Headers = append(l.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	set(headerTopic, m.Topic)
	set(headerPartition, strconv.Itoa(int(m.Partition)))
	set(headerOffset, strconv.FormatInt(m.Offset, 10))
	set(headerGroup, group)
	if n := deliveries(m); n > 0 {
		set(headerCount, strconv.Itoa(int(n)))
	}
	set(headerMessage, rejected)
	return l
}

// undertaker sends dead letters. Those of a share group, too, though brokers may
// (KIP-1191): they would need a config of the group and one of the topic, which
// who receives may not see, and where one is missing what they are told to
// reject is gone.
type undertaker struct {
	*Receiver
	client *kgo.Client // nil: nothing was rejected yet
}

// bury returns once all that was rejected is with the dead letters, if its queue
// has any.
func (u *undertaker) bury(ctx context.Context, all []judged) error {
	var letters []*kgo.Record
	for _, m := range all {
		if topic := u.deadLetters(m.Topic); m.verdict == Reject && topic != "" {
			letters = append(letters, letter(topic, u.Group.GroupID, m.Record))
		}
	}
	if len(letters) == 0 {
		return nil
	}
	var ordinary []*kgo.Record
	for _, m := range letters {
		if size := sizeOf(m); size > largestOrdinary {
			if err := u.sendLarge(ctx, m, size); err != nil {
				return err
			}
			continue
		}
		ordinary = append(ordinary, m)
	}
	if u.client == nil {
		var err error
		if u.client, err = u.sender(); err != nil {
			return err
		}
	}
	return u.sent(u.client.ProduceSync(ctx, ordinary...))
}

// largestOrdinary is how many bytes a message may have for a client that puts
// several into a batch, and overhead what a batch has besides.
const (
	largestOrdinary = 900_000
	overhead        = 100_000
)

func sizeOf(m *kgo.Record) int {
	size := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		size += len(h.Key) + len(h.Value)
	}
	return size
}

// sendLarge sends a message in a batch of its own: how large batches may be, the
// topic says, which who writes may not ask.
func (u *undertaker) sendLarge(ctx context.Context, m *kgo.Record, size int) error {
	client, err := u.sender(kgo.ProducerBatchMaxBytes(int32(size+overhead)), kgo.BrokerMaxWriteBytes(int32(max(size+2*overhead, defaultWrite))))
	if err != nil {
		return err
	}
	defer client.Close()
	return u.sent(client.ProduceSync(ctx, m))
}

// defaultWrite is how much franz-go writes at once.
const defaultWrite = 100 << 20

func (u *undertaker) sender(more ...kgo.Opt) (*kgo.Client, error) {
	options := append(slices.Clone(u.Client.Opts()), kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}), kgo.AllowIdempotentProduceCancellation())
	return kgo.NewClient(append(options, more...)...)
}

func (u *undertaker) sent(results kgo.ProduceResults) error {
	for _, result := range results {
		if result.Err != nil {
			of := map[string]string{}
			for _, h := range result.Record.Headers {
				of[h.Key] = string(h.Value)
			}
			return fmt.Errorf("the message at offset %s of %s[%s] cannot be sent to the dead letters in %s: %w",
				of[headerOffset], of[headerTopic], of[headerPartition], result.Record.Topic,
				permitted(result.Err, map[*kerr.Error]string{kerr.TopicAuthorizationFailed: "Write on Topic " + result.Record.Topic}))
		}
	}
	return nil
}

func (u *undertaker) leave() {
	if u.client != nil {
		u.client.Close()
	}
}
