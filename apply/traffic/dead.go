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
	if u.client == nil {
		client, err := kgo.NewClient(append(slices.Clone(u.Client.Opts()), kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}), kgo.AllowIdempotentProduceCancellation())...)
		if err != nil {
			return err
		}
		u.client = client
	}
	if err := u.client.ProduceSync(ctx, letters...).FirstErr(); err != nil {
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

// brokersBury says whether the brokers send what the group rejects to the dead
// letters.
func (r *Receiver) brokersBury(ctx context.Context) (bool, error) {
	brokers, err := kadm.NewClient(r.Client).ApiVersions(ctx)
	if err != nil {
		return false, err
	}
	for _, b := range brokers {
		if b.Err == nil && !slices.ContainsFunc(b.Raw().FinalizedFeatures, buries) {
			return false, nil
		}
	}
	return r.hasDeadLetters(ctx)
}

func buries(f kmsg.ApiVersionsResponseFinalizedFeature) bool {
	return f.Name == shareFeature && f.MaxVersionLevel >= buryingShare
}

// hasDeadLetters says whether the group's configs name the dead letters. Who may
// not ask takes them for applied.
func (r *Receiver) hasDeadLetters(ctx context.Context) (bool, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = []kmsg.DescribeConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: r.Group.GroupID, ConfigNames: []string{deadLettersConfig},
	}}
	resp, err := req.RequestWith(ctx, r.Client)
	if err != nil || len(resp.Resources) != 1 {
		return false, err
	}
	group := resp.Resources[0]
	switch err := kerr.ErrorForCode(group.ErrorCode); {
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("configs of group %s: %w", r.Group.GroupID, err)
	}
	return slices.ContainsFunc(group.Configs, func(c kmsg.DescribeConfigsResponseResourceConfig) bool {
		return c.Value != nil && *c.Value != ""
	}), nil
}
