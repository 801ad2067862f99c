package inspect_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/live"
)

func TestSizes(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	for _, p := range s.Topics["orders"].Value.Partitions {
		if p.Leader < 0 {
			t.Fatal("no leader")
		}
	}
	permitted := true
	always(kafka, kmsg.DescribeLogDirs, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
		if !permitted {
			resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			return resp
		}
		resp.Dirs = []kmsg.DescribeLogDirsResponseDir{{Topics: []kmsg.DescribeLogDirsResponseDirTopic{{Topic: "orders", Partitions: []kmsg.DescribeLogDirsResponseDirTopicPartition{
			{Partition: 0, Size: 10}, {Partition: 1, Size: 7}, {Partition: 1, Size: 99, IsFuture: true},
		}}}}}
		return resp
	})
	seen := sizes(t, client, s)
	if seen.State != live.Present || seen.Value.Total() != 17 || len(seen.Value[0]) != 3 {
		t.Errorf("%+v", seen)
	}
	permitted = false
	if seen = sizes(t, client, s); seen.State != live.Unseen || seen.Needs != "Describe on Cluster" {
		t.Errorf("%+v", seen)
	}
}

func sizes(t *testing.T, client *kgo.Client, s *live.Snapshot) live.Seen[live.Sizes] {
	t.Helper()
	return inspect.Measure(t.Context(), client, s, live.Questions{Sizes: []string{"orders"}}).Sizes["orders"]
}

// Asked for together, sizes are of some topics, and the disks hold all.
func TestSizesAndDisks(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders", "others")
	s := read(t, client, live.Scope{Topics: []string{"orders", "others"}})
	a := inspect.Measure(t.Context(), client, s, live.Questions{Sizes: []string{"orders"}, Disks: true})
	if _, others := a.Disks.Value[0].Bytes["others"]; !others || len(a.Sizes) != 1 || a.Sizes["orders"].State != live.Present {
		t.Errorf("%+v", a)
	}
}

// Brokers before Kafka 3.2 refuse by saying nothing.
func TestSizesOfOldBrokers(t *testing.T) {
	kafka, client := start(t, kfake.MaxVersions(kversion.V3_1_0()))
	create(t, client, nil, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	always(kafka, kmsg.DescribeLogDirs, func(req kmsg.Request) kmsg.Response { return req.ResponseKind() })
	if seen := sizes(t, client, s); seen.State != live.Unseen || seen.Needs != "Describe on Cluster" {
		t.Errorf("%+v", seen)
	}
}

// hour is the time of the n-th hour, in Unix milliseconds.
func hour(n int64) int64 { return n * time.Hour.Milliseconds() }

// fill sends a message an hour to partition 0, and none to partition 1.
func fill(t *testing.T, client *kgo.Client, topic string, hours int64) {
	t.Helper()
	for n := range hours {
		r := &kgo.Record{Topic: topic, Partition: 0, Value: []byte("x"), Timestamp: time.UnixMilli(hour(n))}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOffsets(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders", "empty")
	fill(t, client, "orders", 10)
	if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), kadm.Offsets{"orders": {0: {Topic: "orders", At: 2}}}); err != nil {
		t.Fatal(err)
	}
	s := read(t, client, live.Scope{Topics: []string{"orders", "empty"}})
	want := map[live.Position]live.Seen[live.Offsets]{
		{Topic: "orders", At: live.Start}:  live.Is(live.Offsets{2, 0}),
		{Topic: "orders", At: live.End}:    live.Is(live.Offsets{10, 0}),
		{Topic: "orders", At: 0}:           live.Is(live.Offsets{2, live.NoOffset}),
		{Topic: "orders", At: hour(7)}:     live.Is(live.Offsets{7, live.NoOffset}),
		{Topic: "orders", At: hour(7) + 1}: live.Is(live.Offsets{8, live.NoOffset}),
		{Topic: "orders", At: hour(10)}:    live.Is(live.Offsets{live.NoOffset, live.NoOffset}),
		{Topic: "empty", At: live.End}:     live.Is(live.Offsets{0, 0}),
	}
	var q live.Questions
	for position := range want {
		q.Offsets = append(q.Offsets, position)
	}
	if diff := cmp.Diff(want, inspect.Measure(t.Context(), client, s, q).Offsets); diff != "" {
		t.Error(diff)
	}
}

// A topic that is not answered in full is unseen, and hides nothing of others.
func TestOffsetsUnseen(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "seen", "offline", "refused")
	s := read(t, client, live.Scope{Topics: []string{"seen", "offline", "refused"}})
	s.Topics["offline"].Value.Partitions[1].Leader = -1
	always(kafka, kmsg.ListOffsets, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, asked := range req.(*kmsg.ListOffsetsRequest).Topics {
			topic := kmsg.ListOffsetsResponseTopic{Topic: asked.Topic}
			for _, p := range asked.Partitions {
				answer := kmsg.ListOffsetsResponseTopicPartition{Partition: p.Partition, Offset: 5}
				switch {
				case asked.Topic == "offline" && p.Partition == 1:
					t.Error("asked for a partition without a leader")
				case asked.Topic == "refused" && p.Partition == 0:
					answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
				}
				topic.Partitions = append(topic.Partitions, answer)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		return resp
	})
	var q live.Questions
	for name := range s.Topics {
		q.Offsets = append(q.Offsets, live.Position{Topic: name, At: live.End})
	}
	want := map[live.Position]live.Seen[live.Offsets]{
		{Topic: "seen", At: live.End}:    live.Is(live.Offsets{5, 5}),
		{Topic: "offline", At: live.End}: live.Hidden[live.Offsets]("a partition has no leader", ""),
		{Topic: "refused", At: live.End}: live.Hidden[live.Offsets]("not permitted", "Describe on Topic refused"),
	}
	if diff := cmp.Diff(want, inspect.Measure(t.Context(), client, s, q).Offsets); diff != "" {
		t.Error(diff)
	}
}

func commit(t *testing.T, client *kgo.Client, group, topic string, offsets map[int32]int64) {
	t.Helper()
	all := kadm.Offsets{}
	for partition, offset := range offsets {
		all.AddOffset(topic, partition, offset, -1)
	}
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), group, all); err != nil {
		t.Fatal(err)
	}
}

func share(t *testing.T, client *kgo.Client, group, topic string, offset int64) {
	t.Helper()
	all := kadm.Offsets{}
	all.AddOffset(topic, 0, offset, -1)
	if _, err := kadm.NewClient(client).AlterShareGroupOffsets(t.Context(), group, all); err != nil {
		t.Fatal(err)
	}
}

func readers(t *testing.T, client *kgo.Client, topics ...string) map[string]live.Seen[live.Readers] {
	t.Helper()
	return inspect.Measure(t.Context(), client, &live.Snapshot{}, live.Questions{Readers: topics}).Readers
}

func TestReaders(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders", "other", "unread")
	fill(t, client, "orders", 10)
	commit(t, client, "billing", "orders", map[int32]int64{0: 3, 1: 0})
	commit(t, client, "billing", "other", map[int32]int64{0: 0})
	commit(t, client, "audit", "orders", map[int32]int64{1: 0})
	commit(t, client, "elsewhere", "other", map[int32]int64{0: 0})
	share(t, client, "workers", "orders", 4)
	want := map[string]live.Seen[live.Readers]{
		"orders": live.Is(live.Readers{"billing": {0: 3, 1: 0}, "audit": {1: 0}, "workers": {0: 4}}),
		"unread": live.Is(live.Readers{}),
	}
	if diff := cmp.Diff(want, readers(t, client, "orders", "unread")); diff != "" {
		t.Error(diff)
	}
}

// A group whose members have committed nothing reads, all the same.
func TestMembersRead(t *testing.T) {
	for name, protocol := range map[string]kgo.Opt{
		"classic": kgo.Balancers(kgo.RangeBalancer()),
		"KIP-848": kgo.ServerSideBalancer(),
	} {
		t.Run(name, func(t *testing.T) {
			kafka, client := start(t)
			create(t, client, nil, "orders", "other")
			joined := make(chan struct{})
			join := sync.OnceFunc(func() { close(joined) })
			member, err := kgo.NewClient(
				kgo.SeedBrokers(kafka.ListenAddrs()...), protocol, kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"),
				kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { join() }),
			)
			if err != nil {
				t.Fatal(err)
			}
			defer member.Close()
			<-joined
			want := map[string]live.Seen[live.Readers]{"orders": live.Is(live.Readers{"billing": {}}), "other": live.Is(live.Readers{})}
			if diff := cmp.Diff(want, readers(t, client, "orders", "other")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A list of groups that may lack some is no list.
func TestReadersUnseen(t *testing.T) {
	for name, test := range map[string]struct {
		key    kmsg.Key
		answer func(kmsg.Request, kmsg.Response)
		want   live.Seen[live.Readers]
	}{
		"not all groups may be listed": {kmsg.DescribeCluster, func(_ kmsg.Request, resp kmsg.Response) {
			resp.(*kmsg.DescribeClusterResponse).ClusterAuthorizedOperations = 1 << kmsg.ACLOperationCreate
		}, live.Hidden[live.Readers]("not permitted", "Describe on Cluster")},
		"a group is hidden": {kmsg.OffsetFetch, func(req kmsg.Request, resp kmsg.Response) {
			for _, g := range req.(*kmsg.OffsetFetchRequest).Groups {
				resp.(*kmsg.OffsetFetchResponse).Groups = append(resp.(*kmsg.OffsetFetchResponse).Groups,
					kmsg.OffsetFetchResponseGroup{Group: g.Group, ErrorCode: kerr.GroupAuthorizationFailed.Code})
			}
		}, live.Hidden[live.Readers]("not permitted", "Describe on Group billing")},
		"a share group is hidden": {kmsg.DescribeShareGroupOffsets, func(_ kmsg.Request, resp kmsg.Response) {
			resp.(*kmsg.DescribeShareGroupOffsetsResponse).Groups = []kmsg.DescribeShareGroupOffsetsResponseGroup{
				{GroupID: "workers", ErrorCode: kerr.GroupAuthorizationFailed.Code},
			}
		}, live.Hidden[live.Readers]("not permitted", "Describe on Group *")},
	} {
		t.Run(name, func(t *testing.T) {
			kafka, client := start(t)
			create(t, client, nil, "orders")
			commit(t, client, "billing", "orders", map[int32]int64{0: 0})
			share(t, client, "workers", "orders", 0)
			always(kafka, test.key, func(req kmsg.Request) kmsg.Response {
				resp := req.ResponseKind()
				test.answer(req, resp)
				return resp
			})
			if diff := cmp.Diff(map[string]live.Seen[live.Readers]{"orders": test.want}, readers(t, client, "orders")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A group that is gone reads nothing, and one that has not begun has all before it.
func TestReadersComeAndGo(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	commit(t, client, "billing", "orders", map[int32]int64{0: 0})
	share(t, client, "workers", "orders", 0)
	always(kafka, kmsg.OffsetFetch, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		for _, g := range req.(*kmsg.OffsetFetchRequest).Groups {
			resp.Groups = append(resp.Groups, kmsg.OffsetFetchResponseGroup{Group: g.Group, ErrorCode: kerr.GroupIDNotFound.Code})
		}
		return resp
	})
	always(kafka, kmsg.DescribeShareGroupOffsets, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeShareGroupOffsetsResponse)
		resp.Groups = []kmsg.DescribeShareGroupOffsetsResponseGroup{{GroupID: "workers", Topics: []kmsg.DescribeShareGroupOffsetsResponseGroupTopic{
			{Topic: "orders", Partitions: []kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition{{Partition: 0, StartOffset: -1}, {Partition: 1, StartOffset: 0}}},
		}}}
		return resp
	})
	want := map[string]live.Seen[live.Readers]{"orders": live.Is(live.Readers{"workers": {1: 0}})}
	if diff := cmp.Diff(want, readers(t, client, "orders")); diff != "" {
		t.Error(diff)
	}
}

func TestDisks(t *testing.T) {
	kafka, client := start(t)
	permitted, free := true, int64(100)
	always(kafka, kmsg.DescribeLogDirs, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
		if !permitted {
			resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			return resp
		}
		of := func(topic string, sizes ...int64) kmsg.DescribeLogDirsResponseDirTopic {
			t := kmsg.DescribeLogDirsResponseDirTopic{Topic: topic}
			for i, size := range sizes {
				t.Partitions = append(t.Partitions, kmsg.DescribeLogDirsResponseDirTopicPartition{Partition: int32(i), Size: size, IsFuture: size > 50})
			}
			return t
		}
		resp.Dirs = []kmsg.DescribeLogDirsResponseDir{
			{UsableBytes: free, Topics: []kmsg.DescribeLogDirsResponseDirTopic{of("orders", 1, 2, 99), of("other", 7)}},
			{UsableBytes: 50, Topics: []kmsg.DescribeLogDirsResponseDirTopic{of("orders", 4)}},
		}
		return resp
	})
	disks := func() live.Seen[live.Disks] {
		return inspect.Measure(t.Context(), client, &live.Snapshot{}, live.Questions{Disks: true}).Disks
	}
	each := live.Disk{Usable: 150, Bytes: map[string]int64{"orders": 7, "other": 7}, Replicas: 4}
	if diff := cmp.Diff(live.Is(live.Disks{0: each, 1: each, 2: each}), disks()); diff != "" {
		t.Error(diff)
	}
	free = -1
	if got := disks(); got.Value[1].Usable != live.NoSpace {
		t.Errorf("%+v", got)
	}
	permitted = false
	if got := disks(); got.State != live.Unseen || got.Needs != "Describe on Cluster" {
		t.Errorf("%+v", got)
	}
}

// Without a cluster all is unseen, for a reason.
// What was not answered in time is unknown, in words.
func TestMeasureInTime(t *testing.T) {
	_, client := start(t)
	create(t, client, nil, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	ctx, cancel := context.WithTimeout(t.Context(), -1)
	defer cancel()
	a := inspect.Measure(ctx, client, s, live.Questions{Sizes: []string{"orders"}})
	if why := a.Sizes["orders"].Why; why != "there was no answer in time" {
		t.Error(why)
	}
}

func TestMeasureUnreachable(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	kafka.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	at := live.Position{Topic: "orders", At: live.End}
	names := []string{"orders"}
	a := inspect.Measure(ctx, client, s, live.Questions{Sizes: names, Offsets: []live.Position{at}, Readers: names, Disks: true})
	for what, why := range map[string]string{
		"sizes": a.Sizes["orders"].Why, "offsets": a.Offsets[at].Why, "readers": a.Readers["orders"].Why, "disks": a.Disks.Why,
	} {
		if !strings.HasSuffix(why, context.Canceled.Error()) {
			t.Errorf("%s: %q", what, why)
		}
	}
}

// TestMeasureRequests counts what a thousand topics and a hundred groups cost:
// at most six requests a broker for each kind of question.
func TestMeasureRequests(t *testing.T) {
	kafka, client := start(t)
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprintf("t%d", i))
	}
	create(t, client, nil, names...)
	for i := range 100 {
		commit(t, client, fmt.Sprintf("g%d", i), names[i], map[int32]int64{0: 0})
		share(t, client, fmt.Sprintf("s%d", i), names[i], 0)
	}
	s := read(t, client, live.Scope{Topics: names})
	q := live.Questions{Sizes: names, Readers: names, Disks: true}
	for _, name := range names {
		for _, at := range []int64{live.Start, live.End, hour(1), hour(2)} {
			q.Offsets = append(q.Offsets, live.Position{Topic: name, At: at})
		}
	}
	var mu sync.Mutex
	counts := map[kmsg.Key]int{}
	kafka.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		counts[kmsg.Key(req.Key())]++
		return nil, nil, false
	})
	a := inspect.Measure(t.Context(), client, s, q)
	if a.Disks.State != live.Present || len(a.Sizes) != 1000 || len(a.Offsets) != 4000 || len(a.Readers["t7"].Value) != 2 {
		t.Errorf("%d sizes, %d offsets, %+v", len(a.Sizes), len(a.Offsets), a.Readers["t7"])
	}
	t.Log(counts)
	for key, count := range counts {
		if limit := map[kmsg.Key]int{kmsg.ListOffsets: 4}[key]; count > 3*max(1, limit) {
			t.Errorf("%d requests of %s", count, key.Name())
		}
	}
}
