package traffic

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kgo"
)

// limits are what a message must keep to.
type limits struct {
	partitions int32
	largest    int32  // bytes of a batch of this message alone
	from       string // what says so
}

// limits asks the cluster about the topic. A limit that it does not tell is
// left to it. Compression is not counted on.
func (s *Sender) limits(ctx context.Context) (limits, error) {
	admin := kadm.NewClient(s.Client)
	topics, err := admin.ListTopics(ctx, s.Topic)
	if err != nil {
		return limits{}, err
	}
	detail := topics[s.Topic]
	if detail.Err != nil {
		return limits{}, topicError(s.Topic, detail.Err)
	}
	l := limits{int32(len(detail.Partitions)), s.settings().number("max.request.size"), "max.request.size of " + s.Producer.Addr.String()}
	l.largest = max(l.largest, 512) // the least that the client takes
	configs, err := admin.DescribeTopicConfigs(ctx, s.Topic)
	if err != nil {
		return l, nil //nolint:nilerr // who may write need not be who may ask
	}
	for _, c := range configs {
		for _, config := range c.Configs {
			if n, err := strconv.ParseInt(config.MaybeValue(), 10, 32); config.Key == "max.message.bytes" && err == nil && int32(n) < l.largest {
				l.largest, l.from = int32(max(n, 512)), "max.message.bytes of "+s.Topic
			}
		}
	}
	return l, nil
}

// batchOverhead is what is added to the records of a batch, in bytes: by Kafka,
// and the four of its length, which the client counts too.
const batchOverhead = 61 + 4

// check refuses what the cluster would.
func (l *limits) check(m Message) error {
	if m.Partition >= l.partitions {
		return &LineError{m.Line, fmt.Errorf("there is no partition %d: the topic has %d", m.Partition, l.partitions)}
	}
	if n := batchOverhead + recordSize(m.Record); n > int(l.largest) {
		return &LineError{m.Line, fmt.Errorf("the message takes %d bytes, and %s allows %d", n, l.from, l.largest)}
	}
	return nil
}

// recordSize is what the first record of a batch takes.
func recordSize(m *kgo.Record) int {
	n := 3 // attributes, and no difference in time and offset to the batch's
	sized := func(length int) { n += kbin.VarintLen(int32(length)) + length }
	sized(len(m.Key))
	sized(len(m.Value))
	n += kbin.VarintLen(int32(len(m.Headers)))
	for _, h := range m.Headers {
		sized(len(h.Key))
		sized(len(h.Value))
	}
	return kbin.VarintLen(int32(n)) + n
}
