package traffic_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

// kafka is an embedded cluster with the topics orders, of 12 partitions, and
// dlq.orders.
type kafka struct {
	*testing.T
	cluster *kfake.Cluster
	client  *kgo.Client
	admin   *kadm.Client
}

func newKafka(t *testing.T) *kafka {
	t.Helper()
	return locking(t, time.Second)
}

// locking is one whose share groups lock what their members were given for so long.
func locking(t *testing.T, lock time.Duration) *kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(12, "orders"), kfake.SeedTopics(1, "dlq.orders"),
		kfake.BrokerConfigs(map[string]string{"group.share.record.lock.duration.ms": strconv.FormatInt(lock.Milliseconds(), 10), "share.record.lock.sweep.interval.ms": "50"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &kafka{T: t, cluster: cluster, client: client, admin: kadm.NewClient(client)}
}

func client(pairs ...string) map[string]schema.Setting {
	all := map[string]schema.Setting{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = schema.Setting{Value: pairs[i+1]}
	}
	return all
}

// sender is that of a producer without any settings.
func (k *kafka) sender() *traffic.Sender {
	p := &schema.Producer{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindProducer, Label: "p"}}}
	return &traffic.Sender{Client: k.client, Producer: p, Topic: "orders"}
}

// send sends values with a key, which must work.
func (k *kafka) send(key string, values ...string) {
	k.Helper()
	if _, err := k.sender().Send(k.Context(), traffic.Values([]byte(key), values)); err != nil {
		k.Fatal(err)
	}
}

// receiver is a member of a group that begins at the first message.
func (k *kafka) receiver(protocol schema.Protocol, taker traffic.Taker) *traffic.Receiver {
	k.cluster.SetGroupConfigs("g", map[string]string{"share.auto.offset.reset": "earliest"})
	return &traffic.Receiver{
		Client: k.client, Taker: taker, Queues: []traffic.Queue{{Topic: "orders", DeadLetter: "dlq.orders"}},
		Group: &schema.Group{GroupID: "g", Protocol: protocol, Start: schema.Earliest},
	}
}

// receive receives, which must work.
func (k *kafka) receive(r *traffic.Receiver) traffic.Progress {
	k.Helper()
	p, err := r.Receive(k.Context())
	if err != nil {
		k.Fatal(err)
	}
	return p
}

// printed is what a group receives, sorted.
func (k *kafka) printed(protocol schema.Protocol) []string {
	k.Helper()
	var out bytes.Buffer
	k.receive(k.receiver(protocol, traffic.NewPrinter(&out, traffic.Accept)))
	return sorted(out.String())
}

func sorted(text string) []string {
	return slices.Sorted(strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n"))
}

// all are the messages of a topic, as they are there, in order of offset.
func (k *kafka) all(topic string) []*kgo.Record {
	k.Helper()
	ends, err := k.admin.ListEndOffsets(k.Context(), topic)
	if err != nil {
		k.Fatal(err)
	}
	reader, err := kgo.NewClient(append(k.client.Opts(), kgo.ConsumeTopics(topic), kgo.KeepControlRecords())...)
	if err != nil {
		k.Fatal(err)
	}
	defer reader.Close()
	var all []*kgo.Record
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		fetches := reader.PollFetches(k.Context())
		if err := fetches.Err(); err != nil {
			k.Fatal(err)
		}
		fetches.EachRecord(func(m *kgo.Record) {
			left--
			if !m.Attrs.IsControl() {
				all = append(all, m)
			}
		})
	}
	slices.SortStableFunc(all, func(a, b *kgo.Record) int { return int(a.Offset - b.Offset) })
	return all
}

// committed is how many messages the group has committed.
func (k *kafka) committed() int64 {
	k.Helper()
	offsets, err := k.admin.FetchOffsets(k.Context(), "g")
	if err != nil {
		k.Fatal(err)
	}
	var n int64
	offsets.Each(func(o kadm.OffsetResponse) { n += max(o.At, 0) })
	return n
}

// count is so many values.
func count(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%06d", i)
	}
	return all
}

// taker does with messages what a test wants.
type taker struct {
	take  func(*kgo.Record) (traffic.Verdict, error)
	flush func() error
	taken []string
}

func (t *taker) Take(_ context.Context, m *kgo.Record) (traffic.Verdict, error) {
	t.taken = append(t.taken, string(m.Value))
	if t.take == nil {
		return traffic.Accept, nil
	}
	return t.take(m)
}

func (t *taker) Flush() error {
	if t.flush == nil {
		return nil
	}
	return t.flush()
}

var errFull = errors.New("no space left on device")

// ends are where the partitions of orders end.
func (k *kafka) ends() map[int32]int64 {
	k.Helper()
	listed, err := k.admin.ListEndOffsets(k.Context(), "orders")
	if err != nil {
		k.Fatal(err)
	}
	all := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { all[o.Partition] = o.Offset })
	return all
}

// acknowledgements notes what the brokers are told of messages of share groups,
// of each in turn.
func (k *kafka) acknowledgements() (told func() []int8) {
	var mu sync.Mutex
	var all []int8
	note := func(first, last int64, types []int8) {
		mu.Lock()
		defer mu.Unlock()
		for range last - first + 1 {
			all = append(all, types[0])
		}
	}
	k.cluster.ControlKey(kmsg.ShareFetch.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		for _, t := range req.(*kmsg.ShareFetchRequest).Topics {
			for _, p := range t.Partitions {
				for _, b := range p.AcknowledgementBatches {
					note(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes)
				}
			}
		}
		return nil, nil, false
	})
	k.cluster.ControlKey(kmsg.ShareAcknowledge.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		for _, t := range req.(*kmsg.ShareAcknowledgeRequest).Topics {
			for _, p := range t.Partitions {
				for _, b := range p.AcknowledgementBatches {
					note(b.FirstOffset, b.LastOffset, b.AcknowledgeTypes)
				}
			}
		}
		return nil, nil, false
	})
	return func() []int8 {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// refuse has the brokers not take the next acknowledgement of a share group.
func (k *kafka) refuse() {
	k.cluster.ControlKey(kmsg.ShareAcknowledge.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.ShareAcknowledgeResponse)
		for _, t := range req.(*kmsg.ShareAcknowledgeRequest).Topics {
			topic := kmsg.ShareAcknowledgeResponseTopic{TopicID: t.TopicID}
			for _, p := range t.Partitions {
				refused := kmsg.NewShareAcknowledgeResponseTopicPartition()
				refused.Partition, refused.ErrorCode = p.Partition, kerr.InvalidRecordState.Code
				topic.Partitions = append(topic.Partitions, refused)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
}
