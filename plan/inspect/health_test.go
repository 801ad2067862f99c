package inspect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/live"
)

// reading takes a sample of topics and reads on.
func reading(t *testing.T, client *kgo.Client, s *live.Snapshot, unread map[string]live.Offsets) live.Reading {
	t.Helper()
	var topics []string
	for name := range unread {
		topics = append(topics, name)
	}
	sample := inspect.Sample(t.Context(), client, s, topics)
	return inspect.Reading(t.Context(), client, s, sample, unread)
}

func oldest(n int64) live.Seen[time.Time] { return live.Is(time.UnixMilli(hour(n))) }

func ended(start, end int64, oldest live.Seen[time.Time]) live.Seen[live.Span] {
	return live.Is(live.Span{Start: start, End: end, Stable: end, Oldest: oldest})
}

// One fetch tells where the messages are and how old the first is that is not
// read: of one offset, of the start, of what has been deleted meanwhile.
func TestReading(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders")
	fill(t, client, "orders", 10)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), kadm.Offsets{"orders": {0: {Topic: "orders", At: 2}}}); err != nil {
		t.Fatal(err)
	}
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	for name, test := range map[string]struct {
		at   int64
		want live.Seen[time.Time]
	}{
		"an offset":       {7, oldest(7)},
		"the start":       {live.Start, oldest(2)},
		"what is deleted": {1, oldest(2)},
		"the end":         {10, live.None[time.Time]()},
		"nothing":         {live.End, live.None[time.Time]()},
		"what is to come": {20, oldest(2)}, // the log was cut off, or made anew
	} {
		r := reading(t, client, s, map[string]live.Offsets{"orders": {test.at, live.Start}})
		want := []live.Seen[live.Span]{ended(2, 10, test.want), ended(0, 0, live.None[time.Time]())}
		if diff := cmp.Diff(want, r.Spans["orders"]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(live.Offsets{10, 0}, r.Ends["orders"]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// writing has an open transaction, with a message in topic orders.
func writing(t *testing.T, kafka *kfake.Cluster) *kgo.Client {
	t.Helper()
	writer, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(writer.Close)
	if err := writer.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := writer.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return writer
}

// What follows a mark of a transaction is no message that is unread.
func TestReadingMarks(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	writer := writing(t, kafka)
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	unread := map[string]live.Offsets{"orders": {1, live.End}}
	if span := reading(t, client, s, unread).Spans["orders"][0].Value; span.Stable != 0 || span.End != 1 {
		t.Errorf("while it is open: %+v", span)
	}
	if err := writer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	want := ended(0, 2, live.None[time.Time]())
	if diff := cmp.Diff(want, reading(t, client, s, unread).Spans["orders"][0]); diff != "" {
		t.Error(diff)
	}
}

// A partition whose first batch found no room in an answer is asked for again.
func TestReadingAgain(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	fill(t, client, "orders", 10)
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	full := func(req kmsg.Request) (kmsg.Response, error, bool) { // no longer than one request
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range req.(*kmsg.FetchRequest).Topics {
			topic := kmsg.FetchResponseTopic{Topic: asked.Topic, TopicID: asked.TopicID}
			for _, p := range asked.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.FetchResponseTopicPartition{Partition: p.Partition, HighWatermark: 10, LastStableOffset: 10})
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp, nil, true
	}
	kafka.ControlKey(kmsg.Fetch.Int16(), full)
	if diff := cmp.Diff(ended(0, 10, oldest(4)), reading(t, client, s, map[string]live.Offsets{"orders": {4}}).Spans["orders"][0]); diff != "" {
		t.Error(diff)
	}
	for range 4 {
		kafka.ControlKey(kmsg.Fetch.Int16(), full)
	}
	if seen := reading(t, client, s, map[string]live.Offsets{"orders": {4}}).Spans["orders"][0].Value; seen.End != 10 || seen.Oldest.Asked() || seen.Oldest.State != live.Unseen {
		t.Errorf("one that never finds room: %+v", seen)
	}
}

// Where a mark of a transaction is all that has room, the message behind it is
// found, and is not taken for read.
func TestReadingPastMarks(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	writer := writing(t, kafka)
	if err := writer.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	send(t, client, &kgo.Record{Topic: "orders", Value: noise(900_000), Timestamp: time.UnixMilli(hour(4))})
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	if diff := cmp.Diff(ended(0, 3, oldest(4)), reading(t, client, s, map[string]live.Offsets{"orders": {1, live.End}}).Spans["orders"][0]); diff != "" {
		t.Error(diff)
	}
}

// crowded lets brokers answer fetches of a queue as if there were so many batches
// in each partition, and one more in the first: of a partition they send as many as
// have room, and of all at least one (KIP-74).
func crowded(kafka *kfake.Cluster, batch []byte, batches int) (fetches *int) {
	fetches = new(int)
	always(kafka, kmsg.Fetch, func(asked kmsg.Request) kmsg.Response {
		*fetches++
		req, resp := asked.(*kmsg.FetchRequest), asked.ResponseKind().(*kmsg.FetchResponse)
		free, least := int(req.MaxBytes), len(batch)
		for _, rt := range req.Topics {
			topic := kmsg.FetchResponseTopic{Topic: rt.Topic, TopicID: rt.TopicID}
			for _, rp := range rt.Partitions {
				p := kmsg.FetchResponseTopicPartition{Partition: rp.Partition, HighWatermark: int64(batches)}
				if p.Partition == 0 {
					p.HighWatermark++
				}
				if sent := min(batches*len(batch), max(least, min(free, int(rp.PartitionMaxBytes)))); sent >= len(batch) {
					p.RecordBatches, least = batch, 0
					free = max(0, free-sent)
				}
				topic.Partitions = append(topic.Partitions, p)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp
	})
	return fetches
}

// batchOf is a batch of the fourth hour, of a little more than a size, as brokers send it.
func batchOf(t *testing.T, kafka *kfake.Cluster, size int) []byte {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(16<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := fmt.Sprint("batches-", size)
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, map[string]*string{"max.message.bytes": new("16777216")}, topic); err != nil {
		t.Fatal(err)
	}
	send(t, client, &kgo.Record{Topic: topic, Value: make([]byte, size), Timestamp: time.UnixMilli(hour(4))})
	there := read(t, client, live.Scope{Topics: []string{topic}}).Topics[topic].Value
	req := kmsg.NewPtrFetchRequest()
	req.Topics = []kmsg.FetchRequestTopic{{Topic: topic, TopicID: there.ID, Partitions: []kmsg.FetchRequestTopicPartition{{CurrentLeaderEpoch: -1}}}}
	resp, err := req.RequestWith(t.Context(), client.Broker(int(there.Partitions[0].Leader)))
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[0].Partitions[0].RecordBatches
}

// send sends a batch of one message.
func send(t *testing.T, client *kgo.Client, r *kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// noise is what cannot be compressed.
func noise(size int) []byte {
	all := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(all)
	return all
}

// However many partitions have however much unread, a leader is asked four times
// at most. Of what it is not asked the age is not told, and nothing untrue is said.
func TestReadingBacklog(t *testing.T) {
	for _, test := range []struct {
		partitions     int32
		batches, size  int
		known, fetches int // of how many partitions, by how many requests
	}{
		{partitions: 200, batches: 60, size: 16_000, known: 200, fetches: 1},
		{partitions: 500, batches: 1, size: 16_000, known: 500, fetches: 1},
		{partitions: 9, batches: 2, size: 900_000, known: 9, fetches: 2},
		{partitions: 200, batches: 1, size: 900_000, known: 28, fetches: 4},
		{partitions: 2_000, batches: 1, size: 16_000, known: 1_564, fetches: 4},
		{partitions: 5, batches: 2, size: 9 << 20, known: 4, fetches: 4},
	} {
		kafka, client := start(t, kfake.NumBrokers(1))
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), test.partitions, 1, nil, "orders"); err != nil {
			t.Fatal(err)
		}
		for partition := range test.partitions {
			client.Produce(t.Context(), &kgo.Record{Topic: "orders", Partition: partition}, nil)
		}
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := read(t, client, live.Scope{Topics: []string{"orders"}})
		fetches := crowded(kafka, batchOf(t, kafka, test.size), test.batches)
		spans := reading(t, client, s, map[string]live.Offsets{"orders": slices.Repeat(live.Offsets{0}, int(test.partitions))}).Spans["orders"]
		known := 0
		for i, seen := range spans {
			switch told := seen.Value.Oldest; {
			case told == oldest(4):
				known++
			case seen.State != live.Present || told.Asked():
				t.Fatalf("%+v: partition %d: %+v", test, i, seen)
			}
		}
		if known != test.known || *fetches != test.fetches || spans[0].Value.Oldest != oldest(4) {
			t.Errorf("%+v: %d known by %d requests; where most is unread: %+v", test, known, *fetches, spans[0])
		}
	}
}

// What nobody reads is not unread, also when it came in meanwhile.
func TestReadingUnread(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	sample := inspect.Sample(t.Context(), client, s, []string{"orders"})
	fill(t, client, "orders", 1)
	r := inspect.Reading(t.Context(), client, s, sample, map[string]live.Offsets{"orders": {live.End, live.End}})
	if diff := cmp.Diff(ended(0, 1, live.None[time.Time]()), r.Spans["orders"][0]); diff != "" {
		t.Error(diff)
	}
}

// Without the right to read messages their number is known, and not their age;
// partitions without a leader hide nothing of the others.
func TestReadingUnseen(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders", "hidden")
	fill(t, client, "orders", 3)
	s := read(t, client, live.Scope{Topics: []string{"orders", "hidden"}})
	s.Topics["orders"].Value.Partitions[1].Leader = -1
	always(kafka, kmsg.Fetch, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, asked := range req.(*kmsg.FetchRequest).Topics {
			topic := kmsg.FetchResponseTopic{Topic: asked.Topic, TopicID: asked.TopicID}
			for _, p := range asked.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.FetchResponseTopicPartition{Partition: p.Partition, ErrorCode: kerr.TopicAuthorizationFailed.Code})
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp
	})
	always(kafka, kmsg.ListOffsets, func(req kmsg.Request) kmsg.Response {
		if topics := req.(*kmsg.ListOffsetsRequest).Topics; len(topics) != 1 || topics[0].Topic != "hidden" {
			return nil
		}
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		topic := kmsg.ListOffsetsResponseTopic{Topic: "hidden"}
		for i := range int32(2) {
			topic.Partitions = append(topic.Partitions, kmsg.ListOffsetsResponseTopicPartition{Partition: i, ErrorCode: kerr.TopicAuthorizationFailed.Code})
		}
		resp.Topics = append(resp.Topics, topic)
		return resp
	})
	unread := live.Hidden[time.Time]("not permitted", "Read on Topic orders")
	want := []live.Seen[live.Span]{
		live.Is(live.Span{End: 3, Stable: live.NoOffset, Oldest: unread}),
		live.Hidden[live.Span]("a partition has no leader", ""),
	}
	if diff := cmp.Diff(want, reading(t, client, s, map[string]live.Offsets{"orders": {1, 1}}).Spans["orders"]); diff != "" {
		t.Error(diff)
	}
	for _, at := range []int64{3, live.End} { // there is nothing whose age could be told
		want[0] = live.Is(live.Span{End: 3, Stable: live.NoOffset, Oldest: live.None[time.Time]()})
		if diff := cmp.Diff(want, reading(t, client, s, map[string]live.Offsets{"orders": {at, at}}).Spans["orders"]); diff != "" {
			t.Errorf("at %d: %s", at, diff)
		}
	}
	hidden := live.Hidden[live.Span]("not permitted", "Read on Topic hidden")
	if diff := cmp.Diff([]live.Seen[live.Span]{hidden, hidden}, reading(t, client, s, map[string]live.Offsets{"hidden": {1, 1}}).Spans["hidden"]); diff != "" {
		t.Error(diff)
	}
}

// Groups are read again: those that commit, and those that share.
func TestProgress(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders")
	fill(t, client, "orders", 10)
	commit(t, client, "commits", "orders", map[int32]int64{0: 3})
	share(t, client, "shares", "orders", 4)
	s := read(t, client, live.Scope{Topics: []string{"orders"}, Groups: []string{"commits", "shares", "none"}})
	before := inspect.Sample(t.Context(), client, s, []string{"orders"})
	commit(t, client, "commits", "orders", map[int32]int64{0: 5})
	share(t, client, "shares", "orders", 7)
	now := inspect.Progress(t.Context(), client, before)
	for id, want := range map[string][2]int64{"commits": {3, 5}, "shares": {4, 7}} {
		then, later := before.Groups[id].Value, now.Groups[id].Value
		if then.Offsets.Value["orders"][0] != want[0] || later.Offsets.Value["orders"][0] != want[1] {
			t.Errorf("%s: %+v, then %+v", id, then, later)
		}
	}
	if undone := now.Groups["shares"].Value.Undone["orders"][0]; undone != 3 {
		t.Errorf("a share group at 7 of 10 has %d to do", undone)
	}
	if now.Groups["none"].State != live.Absent || !now.GroupsAt.After(before.GroupsAt) {
		t.Errorf("%+v, %v after %v", now.Groups["none"], now.GroupsAt, before.GroupsAt)
	}
}
