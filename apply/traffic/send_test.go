package traffic_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

// A key goes to the partition that the Java client sends it to, of 12: its
// toPositive(murmur2(key)) % 12.
func TestPartitionOfKey(t *testing.T) {
	want := map[string]int32{
		"": 9, "a": 4, "ab": 2, "abc": 3, "abcd": 8, "order-17": 9, "order-18": 11, "customer/4711": 11,
		"Grüße": 3, "日本語": 10, "0123456789abcdef": 0, "-1": 3, "\xff\x00\x80": 10,
	}
	k := newKafka(t)
	for key := range want {
		k.send(key, "v")
	}
	got := map[string]int32{}
	for _, m := range k.all("orders") {
		got[string(m.Key)] = m.Partition
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A line may name its partition, whatever its key.
func TestPartitionNamed(t *testing.T) {
	k := newKafka(t)
	in := `{"key": "a", "value": "7", "partition": 7}` + "\n" + `{"key": "a", "value": "4"}`
	if _, err := k.sender().Send(t.Context(), traffic.JSONLines(strings.NewReader(in), nil)); err != nil {
		t.Fatal(err)
	}
	for _, m := range k.all("orders") {
		if want := int32(m.Value[0] - '0'); m.Partition != want {
			t.Errorf("a message is in partition %d, want %d", m.Partition, want)
		}
	}
}

// lineOf is the line that an error is about; 0: none.
func lineOf(err error) int {
	if wrong, ok := errors.AsType[*traffic.LineError](err); ok {
		return wrong.Line
	}
	return 0
}

func TestWrongLines(t *testing.T) {
	k := newKafka(t)
	large := strings.Repeat("x", 1_048_576-100)
	for name, test := range map[string]struct {
		in   string
		json bool
		want string
	}{
		"malformed":     {`{"value": "a"}` + "\n" + `{"value": `, true, "line 2: it is not a message in JSON: unexpected EOF"},
		"unknown":       {"\n" + `{}`, true, "line 1: it is empty"},
		"two":           {`{"value": "a"}{"value": "b"}`, true, "invalid character '{' after top-level value"},
		"typo":          {`{"value": "a"}` + "\n" + `{"valu": "a"}`, true, "line 2: there is no valu in a message"},
		"none":          {`{"key": "a"}`, true, "it has no value: say null where that is meant"},
		"both":          {`{"value": "a", "value_base64": "YQ=="}`, true, "it has both value and value_base64"},
		"number":        {`7`, true, "line 1: it is not a message in JSON but a number"},
		"twice":         {`{"value": "a", "value": "b"}`, true, "line 1: it has value twice"},
		"other case":    {`{"Value": "a"}`, true, "line 1: there is no Value in a message"},
		"half a rune":   {`{"value": "\ud800"}`, true, "line 1: it is not a message in JSON: invalid surrogate pair"},
		"too late":      {`{"value": "a", "timestamp": "2262-04-12T00:00:00Z"}`, true, "line 1: timestamp: a timestamp is of the years 1970 to 2261"},
		"too early":     {`{"value": "a", "timestamp": -1}`, true, "line 1: timestamp: a timestamp is of the years 1970 to 2261"},
		"in a header":   {`{"value": "a", "headers": [{"key": "b", "valu": "c"}]}`, true, "line 1: headers: there is no valu in a message"},
		"mistyped":      {`{"value": "a", "partition": "b"}`, true, "line 1: partition cannot be a string"},
		"base64":        {`{"value_base64": "?"}`, true, "what is called base64 is not"},
		"no text":       {"{\"value\": \"\xff\"}", true, "it is not UTF-8"},
		"partition":     {`{"value": "a", "partition": 12}`, true, "there is no partition 12: the topic has 12"},
		"negative":      {`{"value": "a", "partition": -1}`, true, "there is no partition -1"},
		"header":        {`{"value": "a", "headers": [{"key": "k", "value": "a", "value_base64": "YQ=="}]}`, true, "header 1: it has both"},
		"header number": {`{"value": "a", "headers": {"k": 1}}`, true, "text is a string or null"},
		"no timestamp":  {`{"value": "a", "timestamp": null}`, true, "a timestamp is like"},
		"timestamp":     {`{"value": "a", "timestamp": "soon"}`, true, "a timestamp is like"},
		"too large":     {large + "\n" + large + large, false, "line 2: the message takes 2097030 bytes, and max.request.size of producer.p allows 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			source := traffic.Lines(strings.NewReader(test.in), nil)
			if test.json {
				source = traffic.JSONLines(strings.NewReader(test.in), nil)
			}
			if err := k.sender().Check(t.Context(), source); lineOf(err) == 0 || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, and lacks %s", err, test.want)
			}
		})
	}
	if sent := k.all("orders"); len(sent) > 0 {
		t.Errorf("checking has sent %d messages", len(sent))
	}
}

// What comes before a wrong line is sent, and said; nothing after it is.
func TestWrongLineInAPipe(t *testing.T) {
	k := newKafka(t)
	in := strings.Repeat(`{"value": "a"}`+"\n", 3) + "{\n" + `{"value": "b"}`
	_, err := k.sender().Send(t.Context(), traffic.JSONLines(strings.NewReader(in), nil))
	failed, ok := errors.AsType[*traffic.NotSent](err)
	if !ok || lineOf(err) != 4 || failed.Sent.Messages != 3 || failed.Failed != 0 {
		t.Errorf("the error is %+v", err)
	}
	if sent := k.all("orders"); len(sent) != 3 {
		t.Errorf("%d messages are there, want 3", len(sent))
	}
}

// The largest message is one that the brokers take, to the byte.
func TestLargest(t *testing.T) {
	k := newKafka(t)
	if err := k.cluster.CreateTopic("small", 1, map[string]string{"max.message.bytes": "1000"}); err != nil {
		t.Fatal(err)
	}
	s := k.sender()
	s.Topic = "small"
	const most = 1000 - 65 - 2 - 7 // the batch, the record's length, and what a record has besides the value
	if _, err := s.Send(t.Context(), traffic.Values(nil, []string{strings.Repeat("x", most)})); err != nil {
		t.Error(err)
	}
	_, err := s.Send(t.Context(), traffic.Values(nil, []string{"a", strings.Repeat("x", most+1)}))
	if lineOf(err) != 2 || !strings.Contains(err.Error(), "takes 1001 bytes, and max.message.bytes of small allows 1000") {
		t.Errorf("the error is %v", err)
	}
}

func transactional(k *kafka) *traffic.Sender {
	s := k.sender()
	s.Producer.TransactionalIDPrefix = "tx-"
	return s
}

// committedOnly is what a group sees that reads what is committed alone.
func committedOnly(k *kafka) []string {
	var out strings.Builder
	r := k.receiver(schema.Classic, traffic.NewPrinter(&out, traffic.Accept))
	r.Group.Client = client("isolation.level", "read_committed")
	k.receive(r)
	return sorted(out.String())
}

// Transactions have at most 10,000 messages; that with the wrong line is taken
// back, and no other.
func TestTransactions(t *testing.T) {
	k := newKafka(t)
	ends := 0
	k.cluster.ControlKey(kmsg.EndTxn.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		ends++
		return nil, nil, false
	})
	in := strings.Join(count(10_005), "\n") + "\n" + strings.Repeat("x", 2<<20)
	_, err := transactional(k).Send(t.Context(), traffic.Lines(strings.NewReader(in), nil))
	failed, ok := errors.AsType[*traffic.NotSent](err)
	if !ok || lineOf(err) != 10_006 || failed.Sent.Messages != 10_000 || failed.Failed != 5 || failed.Unknown {
		t.Errorf("the error is %+v", err)
	}
	if ends != 2 {
		t.Errorf("%d transactions ended, want 2", ends)
	}
	if d := cmp.Diff(count(10_000), committedOnly(k)); d != "" {
		t.Error(d)
	}
}

// A transaction that may last for no time at all is refused by Kafka.
func TestTransactionOfNoTime(t *testing.T) {
	s := transactional(newKafka(t))
	s.Producer.Client = client("transaction.timeout.ms", "0")
	p, err := s.Send(t.Context(), traffic.Values([]byte("key"), count(3)))
	if _, ok := errors.AsType[*traffic.NotSent](err); !ok || !errors.Is(err, kerr.InvalidTransactionTimeout) || p.Messages > 0 {
		t.Errorf("%d messages are sent, and the error is %v", p.Messages, err)
	}
}

// endless gives some messages, and then lets wait.
type endless struct {
	io.Reader
	waits chan struct{} // closed when all was read
	end   chan struct{}
}

func (e endless) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		close(e.waits)
		<-e.end
	}
	return n, err
}

// An interruption sends what was read, in transactions, too.
func TestInterruptedSending(t *testing.T) {
	for name, sender := range map[string]func(*kafka) *traffic.Sender{"plain": (*kafka).sender, "transactional": transactional} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(t)
			ctx, cancel := context.WithCancel(t.Context())
			in := endless{strings.NewReader("a\nb\nc\n"), make(chan struct{}), make(chan struct{})}
			defer close(in.end)
			go func() {
				<-in.waits
				cancel()
			}()
			sent, err := sender(k).Send(ctx, traffic.Lines(in, nil))
			if !errors.Is(err, context.Canceled) || sent.Messages != 3 {
				t.Errorf("%d messages are sent, and the error is %v", sent.Messages, err)
			}
			if d := cmp.Diff([]string{"a", "b", "c"}, committedOnly(k)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Messages without a key go where there are leaders.
func TestPartitionWithoutLeader(t *testing.T) {
	k := newKafka(t)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: new("orders")}}
	known, err := req.RequestWith(t.Context(), k.client)
	if err != nil {
		t.Fatal(err)
	}
	for i := range known.Topics[0].Partitions {
		if p := &known.Topics[0].Partitions[i]; p.Partition < 10 {
			p.Leader, p.ErrorCode = -1, kerr.LeaderNotAvailable.Code
		}
	}
	k.cluster.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		resp := *known
		resp.Version = req.GetVersion()
		return &resp, nil, true
	})
	s := k.sender()
	s.Producer.Client = client("max.request.size", "600") // so that there are many batches
	if p, err := s.Send(t.Context(), traffic.Values(nil, slices.Repeat([]string{strings.Repeat("x", 100)}, 200))); err != nil || p.Messages != 200 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What the brokers refuse is not counted as sent.
func TestRefused(t *testing.T) {
	k := newKafka(t)
	k.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.ProduceResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				answer := kmsg.NewProduceResponseTopicPartition()
				answer.Partition, answer.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				topic.Partitions = append(topic.Partitions, answer)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	})
	_, err := k.sender().Send(t.Context(), traffic.Values(nil, []string{"a", "b"}))
	failed, ok := errors.AsType[*traffic.NotSent](err)
	if want := "not permitted, this needs Write on Topic orders (TOPIC_AUTHORIZATION_FAILED)"; !ok || err.Error() != want || failed.Sent.Messages != 0 || failed.Failed == 0 {
		t.Errorf("the error is %+v", err)
	}
}

// A message that the brokers refuse for what it is, is named.
func TestOneRefused(t *testing.T) {
	k := newKafka(t)
	refused := false
	k.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if refused {
			return nil, nil, false
		}
		k.cluster.KeepControl()
		if asked := req.(*kmsg.ProduceRequest).Topics[0]; bytes.Contains(asked.Partitions[0].Records, []byte("second")) {
			refused = true
			resp := req.ResponseKind().(*kmsg.ProduceResponse)
			answer := kmsg.NewProduceResponseTopicPartition()
			answer.Partition, answer.ErrorCode = asked.Partitions[0].Partition, kerr.InvalidTimestamp.Code
			resp.Topics = []kmsg.ProduceResponseTopic{{Topic: asked.Topic, TopicID: asked.TopicID, Partitions: []kmsg.ProduceResponseTopicPartition{answer}}}
			return resp, nil, true
		}
		return nil, nil, false
	})
	s := k.sender()
	s.Producer.Client = client("max.request.size", "600", "max.in.flight.requests.per.connection", "1", "compression.type", "none")
	_, err := s.Send(t.Context(), traffic.Values([]byte("k"), []string{strings.Repeat("first", 100), strings.Repeat("second", 80), "third"}))
	if err == nil || !strings.HasPrefix(err.Error(), "message 2: INVALID_TIMESTAMP") {
		t.Errorf("the error is %v", err)
	}
}

// The declared settings are those of the client.
func TestDeclaredSettings(t *testing.T) {
	k := newKafka(t)
	var acks []int16
	var ids []string
	var codecs []byte
	k.cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		produce := req.(*kmsg.ProduceRequest)
		acks = append(acks, produce.Acks)
		for _, t := range produce.Topics {
			var batch kmsg.RecordBatch
			if err := batch.ReadFrom(t.Partitions[0].Records); err != nil {
				k.Error(err)
			}
			codecs = append(codecs, byte(batch.Attributes&7))
		}
		return nil, nil, false
	})
	k.cluster.ControlKey(kmsg.InitProducerID.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		if id := req.(*kmsg.InitProducerIDRequest).TransactionalID; id != nil {
			ids = append(ids, *id)
		}
		return nil, nil, false
	})
	text := traffic.Values(nil, []string{strings.Repeat("compressible ", 100)})
	plain, one, tx := k.sender(), k.sender(), transactional(k)
	one.Producer.Client = client("acks", "1", "compression.type", "zstd")
	for _, s := range []*traffic.Sender{plain, one, tx} {
		if _, err := s.Send(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]int16{-1, 1, -1}, acks); d != "" {
		t.Errorf("acks: %s", d)
	}
	if d := cmp.Diff([]byte{0, 4, 0}, codecs); d != "" {
		t.Errorf("codecs: %s", d)
	}
	if d := cmp.Diff([]string{"tx-send"}, ids); d != "" {
		t.Errorf("transactional ids: %s", d)
	}
}

// What is never answered ends after delivery.timeout.ms, and soon after an
// interruption.
func TestNoAnswer(t *testing.T) {
	for name, sender := range map[string]func(*kafka) *traffic.Sender{"plain": (*kafka).sender, "transactional": transactional} {
		for timeout, want := range map[string]string{"1000": "within the 1s of delivery.timeout.ms", "600000": context.Canceled.Error()} {
			t.Run(name+" "+timeout, func(t *testing.T) {
				t.Parallel()
				k := newKafka(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				k.cluster.ControlKey(kmsg.Produce.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
					k.cluster.KeepControl()
					if timeout != "1000" {
						cancel()
					}
					return nil, errors.New("the connection breaks"), true
				})
				s := sender(k)
				s.Producer.Client = client("delivery.timeout.ms", timeout, "linger.ms", "0")
				_, err := s.Send(ctx, traffic.Values(nil, []string{"a"}))
				failed, ok := errors.AsType[*traffic.NotSent](err)
				if !ok || failed.Failed != 1 || !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %+v", err)
				}
			})
		}
	}
}

// A commit that Kafka refuses has committed nothing; of one that is never
// answered nobody knows.
func TestCommitFails(t *testing.T) {
	for name, test := range map[string]struct {
		code    *kerr.Error
		unknown bool
	}{
		"refused":    {kerr.TransactionalIDAuthorizationFailed, false},
		"unanswered": {kerr.CoordinatorNotAvailable, true},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(t)
			k.cluster.ControlKey(kmsg.EndTxn.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				k.cluster.KeepControl()
				resp := req.ResponseKind().(*kmsg.EndTxnResponse)
				resp.ErrorCode = test.code.Code
				return resp, nil, true
			})
			impatient, err := kgo.NewClient(append(k.client.Opts(), kgo.RetryTimeout(200*time.Millisecond))...)
			if err != nil {
				t.Fatal(err)
			}
			defer impatient.Close()
			s := transactional(k)
			s.Client = impatient
			_, err = s.Send(t.Context(), traffic.Values(nil, []string{"a"}))
			failed, ok := errors.AsType[*traffic.NotSent](err)
			if !ok || !errors.Is(err, test.code) || failed.Failed != 1 || failed.Unknown != test.unknown {
				t.Errorf("the error is %+v", err)
			}
		})
	}
}
