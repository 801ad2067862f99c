package traffic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The headers of a dead letter that tell where it is from: those that Kafka's
// brokers give to what share groups reject (KIP-1191, Kafka 4.4+).
const (
	headerTopic     = "__dlq.errors.topic"
	headerPartition = "__dlq.errors.partition"
	headerOffset    = "__dlq.errors.offset"
	headerGroup     = "__dlq.errors.group"
	headerMessage   = "__dlq.errors.message"

	rejected = "Offset rejected by client." // the message, word for word: programs compare it
)

// deadLetter is a message as it goes to the dead letters: with its headers, which
// brokers do not copy, and those that tell where it is from.
func deadLetter(topic, group string, m *kgo.Record) *kgo.Record {
	header := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{
		Topic: topic, Partition: anywhere, Key: m.Key, Value: m.Value,
		Headers: append(slices.Clone(m.Headers),
			header(headerTopic, m.Topic), header(headerPartition, strconv.Itoa(int(m.Partition))),
			header(headerOffset, strconv.FormatInt(m.Offset, 10)), header(headerGroup, group),
			header(headerMessage, rejected),
		),
	}
}

// undertaker sends dead letters for a group whose brokers do not.
type undertaker struct {
	*Receiver
	client *kgo.Client // nil: nothing was rejected yet
}

// bury returns once all that was rejected is with the dead letters, if its queue
// has any.
func (u *undertaker) bury(ctx context.Context, all []judged) error {
	var letters []*kgo.Record
	for _, m := range all {
		if topic := u.deadLetter(m.Topic); m.verdict == Reject && topic != "" {
			letters = append(letters, deadLetter(topic, u.Group.GroupID, m.Record))
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
	if err := results.FirstErr(); err != nil {
		return fmt.Errorf("the dead letters of %s cannot be sent: %w", u.Group.GroupID, err)
	}
	return nil
}

func (u *undertaker) leave() {
	if u.client != nil {
		u.client.Close()
	}
}

// What makes brokers send what a share group rejects to the dead letters
// (KIP-1191, Kafka 4.4+): a feature of theirs, and a config of the group.
const (
	shareFeature      = "share.version"
	buryingShare      = 2 // the least level of the feature
	deadLettersConfig = "errors.deadletterqueue.topic.name"
)

// burial is who sends what a share group rejects to the dead letters.
type burial uint8

const (
	unasked  burial = iota
	brokers         // they do
	ours            // they do not
	anybodys        // it cannot be seen: this member does, and tells them that the message is done, lest they do so too
)

// burial says who sends what the group rejects to the dead letters.
func (r *Receiver) burial(ctx context.Context) (burial, error) {
	all, err := kadm.NewClient(r.Client).ApiVersions(ctx)
	if err != nil {
		return unasked, err
	}
	for _, b := range all {
		if b.Err == nil && !slices.ContainsFunc(b.Raw().FinalizedFeatures, buries) {
			return ours, nil
		}
	}
	return r.configured(ctx)
}

func buries(f kmsg.ApiVersionsResponseFinalizedFeature) bool {
	return f.Name == shareFeature && f.MaxVersionLevel >= buryingShare
}

// configured is what the group's configs say.
func (r *Receiver) configured(ctx context.Context) (burial, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = []kmsg.DescribeConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: r.Group.GroupID, ConfigNames: []string{deadLettersConfig},
	}}
	resp, err := req.RequestWith(ctx, r.Client)
	if err != nil || len(resp.Resources) != 1 {
		return anybodys, err
	}
	group := resp.Resources[0]
	switch err := kerr.ErrorForCode(group.ErrorCode); {
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return anybodys, nil
	case err != nil:
		return unasked, fmt.Errorf("configs of group %s: %w", r.Group.GroupID, err)
	}
	if slices.ContainsFunc(group.Configs, func(c kmsg.DescribeConfigsResponseResourceConfig) bool { return c.Value != nil && *c.Value != "" }) {
		return brokers, nil
	}
	return ours, nil
}
