package inspect_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
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

func start(t *testing.T, options ...kfake.Opt) (*kfake.Cluster, *kgo.Client) {
	t.Helper()
	kafka, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.ClusterID("here")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kafka, client
}

func create(t *testing.T, client *kgo.Client, configs map[string]*string, topics ...string) {
	t.Helper()
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), 2, 3, configs, topics...); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, client *kgo.Client, scope live.Scope) *live.Snapshot {
	t.Helper()
	s, err := inspect.Read(t.Context(), client, scope)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// always answers every request of a kind.
func always(kafka *kfake.Cluster, key kmsg.Key, answer func(kmsg.Request) kmsg.Response) {
	kafka.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		resp := answer(req)
		return resp, nil, resp != nil
	})
}

// behind lets the brokers say of all topics that one replica is not in sync.
func behind(t *testing.T, kafka *kfake.Cluster, client *kgo.Client) {
	t.Helper()
	there, err := client.Request(t.Context(), kmsg.NewPtrMetadataRequest())
	if err != nil {
		t.Fatal(err)
	}
	resp := there.(*kmsg.MetadataResponse)
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			p.ISR = p.Replicas[1:]
		}
	}
	always(kafka, kmsg.Metadata, func(req kmsg.Request) kmsg.Response {
		resp.Version = req.GetVersion()
		return resp
	})
}

func TestRead(t *testing.T) {
	_, client := start(t)
	create(t, client, map[string]*string{"retention.ms": new("1000"), "leader.replication.throttled.replicas": new("0:1")}, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders", "absent", "orders"}, Moves: true})
	if s.Cluster.ID != "here" || len(s.Cluster.Brokers) != 3 || !s.Cluster.Pins {
		t.Errorf("%+v", s.Cluster)
	}
	if s.Topics["absent"].State != live.Absent || len(s.Topics) != 2 {
		t.Errorf("%+v", s.Topics)
	}
	orders := s.Topics["orders"]
	if orders.State != live.Present || len(orders.Value.Partitions) != 2 || orders.Value.Factor() != 3 || orders.Value.ID == (live.TopicID{}) {
		t.Errorf("%+v", orders)
	}
	if diff := cmp.Diff(live.Is(map[string]string{"retention.ms": "1000"}), orders.Value.Overrides); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"leader.replication.throttled.replicas": "0:1"}, orders.Value.Throttled); diff != "" {
		t.Error(diff)
	}
	if s.Defaults["cleanup.policy"] != "delete" || s.Moves != live.Is(0) {
		t.Errorf("%v, %v", s.Defaults, s.Moves)
	}
	if again := read(t, client, live.Scope{Topics: []string{"absent"}}); again.Topics["absent"].State != live.Absent {
		t.Error("asking made it")
	}
}

// What may not be seen, or was not asked, is unseen: never absent, never unset.
func TestUnseen(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	if s := read(t, client, live.Scope{Topics: []string{"orders"}, Bare: true}); s.Topics["orders"].Value.Overrides.State != live.Unseen || s.Moves.State != live.Unseen {
		t.Errorf("%+v", s)
	}
	always(kafka, kmsg.DescribeConfigs, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		resp.Resources = []kmsg.DescribeConfigsResponseResource{{ResourceName: "orders", ErrorCode: kerr.TopicAuthorizationFailed.Code}}
		return resp
	})
	always(kafka, kmsg.ListPartitionReassignments, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		return resp
	})
	behind(t, kafka, client)
	s := read(t, client, live.Scope{Topics: []string{"orders"}, Moves: true})
	if got, want := s.Topics["orders"].Value.Overrides, live.Hidden[map[string]string]("not permitted", "DescribeConfigs on Topic orders"); !cmp.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got, want := s.Moves, live.Hidden[int]("not permitted", "Describe on Cluster"); got != want {
		t.Errorf("%+v", got)
	}
}

func TestUnseenTopics(t *testing.T) {
	kafka, client := start(t)
	always(kafka, kmsg.Metadata, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		for i, asked := range req.(*kmsg.MetadataRequest).Topics {
			code := []int16{kerr.TopicAuthorizationFailed.Code, kerr.LeaderNotAvailable.Code}[i]
			resp.Topics = append(resp.Topics, kmsg.MetadataResponseTopic{Topic: asked.Topic, ErrorCode: code})
		}
		return resp
	})
	s := read(t, client, live.Scope{Topics: []string{"a", "b"}})
	if got, want := s.Topics["a"], live.Hidden[live.Topic]("not permitted", "Describe on Topic a"); !cmp.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := s.Topics["b"]; got.State != live.Unseen || got.Needs != "" || got.Why == "" {
		t.Errorf("%+v", got)
	}
}

// A partition on the move is where it goes.
func TestMoves(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	always(kafka, kmsg.ListPartitionReassignments, func(req kmsg.Request) kmsg.Response {
		if req.(*kmsg.ListPartitionReassignmentsRequest).Topics != nil {
			t.Error("it asked for some topics alone")
		}
		resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
		resp.Topics = []kmsg.ListPartitionReassignmentsResponseTopic{
			{Topic: "orders", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{{
				Partition: 1, Replicas: []int32{2, 3, 0, 1}, AddingReplicas: []int32{2, 3}, RemovingReplicas: []int32{1},
			}}},
			{Topic: "another's", Partitions: []kmsg.ListPartitionReassignmentsResponseTopicPartition{{Replicas: []int32{1}, AddingReplicas: []int32{1}}}},
		}
		return resp
	})
	behind(t, kafka, client)
	s := read(t, client, live.Scope{Topics: []string{"orders"}, Moves: true})
	p := s.Topics["orders"].Value.Partitions
	if p[0].Moving() || !p[1].Moving() || s.Moves != live.Is(1) {
		t.Errorf("%+v %+v", p, s.Moves)
	}
	if diff := cmp.Diff([]int32{2, 3, 0}, p[1].Replicas); diff != "" {
		t.Error(diff)
	}
}

// The broker that is named as the controller does not answer: another knows what
// moves.
func TestMovesByAnother(t *testing.T) {
	kafka, client := start(t)
	create(t, client, nil, "orders")
	named := read(t, client, live.Scope{}).Cluster.Controller
	kafka.ControlKey(kmsg.ListPartitionReassignments.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		if kafka.CurrentNode() == named {
			return nil, io.ErrClosedPipe, true // closes the connection
		}
		return req.ResponseKind(), nil, true
	})
	behind(t, kafka, client)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s, err := inspect.Read(ctx, client, live.Scope{Topics: []string{"orders"}, Moves: true})
	if err != nil || s.Moves != live.Is(0) {
		t.Errorf("%+v, %v", s, err)
	}
}

// A thousand and one topics cost three requests for configs. What moves is
// asked for only where a replica is not in sync.
func TestRequests(t *testing.T) {
	kafka, client := start(t)
	names := make([]string, 1001)
	for i := range names {
		names[i] = fmt.Sprint("t", i)
	}
	create(t, client, nil, names...)
	counts := map[kmsg.Key]int{}
	kafka.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		counts[kmsg.Key(req.Key())]++ // kfake controls one at a time
		return nil, nil, false
	})
	read(t, client, live.Scope{Topics: names, Moves: true})
	delete(counts, kmsg.ApiVersions) // one for a connection
	if diff := cmp.Diff(map[kmsg.Key]int{kmsg.Metadata: 1, kmsg.DescribeConfigs: 3}, counts); diff != "" {
		t.Error(diff)
	}
	behind(t, kafka, client)
	read(t, client, live.Scope{Topics: names, Moves: true})
	if counts[kmsg.ListPartitionReassignments] != 1 {
		t.Error(counts)
	}
}

// Where every topic overrides a key, what it would inherit is asked for.
func TestInherited(t *testing.T) {
	kafka, client := start(t)
	create(t, client, map[string]*string{"retention.ms": new("1000"), "segment.ms": new("1000")}, "orders")
	always(kafka, kmsg.DescribeConfigs, func(req kmsg.Request) kmsg.Response {
		r := req.(*kmsg.DescribeConfigsRequest)
		if len(r.Resources) != 1 || !r.IncludeSynonyms {
			return nil
		}
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		synonym := func(name, value string, source kmsg.ConfigSource) kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
			return kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{Name: name, Value: &value, Source: source}
		}
		resp.Resources = []kmsg.DescribeConfigsResponseResource{{ResourceName: "orders", Configs: []kmsg.DescribeConfigsResponseResourceConfig{
			{Name: "retention.ms", ConfigSynonyms: []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
				synonym("retention.ms", "1000", kmsg.ConfigSourceDynamicTopicConfig), synonym("log.retention.hours", "168", kmsg.ConfigSourceDefaultConfig),
			}},
			{Name: "segment.ms", ConfigSynonyms: []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{
				synonym("log.roll.ms", "7", kmsg.ConfigSourceStaticBrokerConfig), synonym("log.roll.hours", "168", kmsg.ConfigSourceDefaultConfig),
			}},
		}}}
		return resp
	})
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	inspect.Inherited(t.Context(), client, s, []string{"retention.ms", "segment.ms"})
	if s.Defaults["retention.ms"] != "604800000" || s.Defaults["segment.ms"] != "7" {
		t.Errorf("%v", s.Defaults)
	}
}

// Where nobody has set what is inherited, a topic does not tell: a broker does.
func TestInheritedOfBrokers(t *testing.T) {
	kafka, client := start(t)
	create(t, client, map[string]*string{"retention.ms": new("1000"), "segment.ms": new("1000")}, "orders")
	s := read(t, client, live.Scope{Topics: []string{"orders"}})
	var asked []string
	always(kafka, kmsg.DescribeConfigs, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		of := req.(*kmsg.DescribeConfigsRequest).Resources[0]
		answer := kmsg.DescribeConfigsResponseResource{ResourceType: of.ResourceType, ResourceName: of.ResourceName}
		has := map[string]string{"log.retention.minutes": "2", "log.retention.hours": "168", "log.roll.hours": "1"}
		for _, name := range of.ConfigNames {
			c := kmsg.DescribeConfigsResponseResourceConfig{Name: name, Source: kmsg.ConfigSourceDefaultConfig}
			if value, set := has[name]; set {
				c.Value = &value
			}
			answer.Configs = append(answer.Configs, c)
		}
		asked = append(asked, of.ResourceName)
		resp.Resources = []kmsg.DescribeConfigsResponseResource{answer}
		return resp
	})
	inspect.Inherited(t.Context(), client, s, []string{"retention.ms", "segment.ms"})
	if s.Defaults["retention.ms"] != "120000" || s.Defaults["segment.ms"] != "3600000" {
		t.Errorf("%v", s.Defaults)
	}
	if diff := cmp.Diff([]string{"orders", "0"}, asked); diff != "" {
		t.Error(diff)
	}
}

// Each broker is asked for the rates that were set while it runs.
func TestRates(t *testing.T) {
	kafka, client := start(t)
	refused := false
	always(kafka, kmsg.DescribeConfigs, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
		answer := kmsg.DescribeConfigsResponseResource{ResourceName: req.(*kmsg.DescribeConfigsRequest).Resources[0].ResourceName}
		switch {
		case answer.ResourceName == "1" && refused:
			answer.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		case answer.ResourceName == "1":
			answer.Configs = []kmsg.DescribeConfigsResponseResourceConfig{
				{Name: "leader.replication.throttled.rate", Value: new("7"), Source: kmsg.ConfigSourceDynamicBrokerConfig},
				{Name: "follower.replication.throttled.rate", Value: new("9223372036854775807"), Source: kmsg.ConfigSourceDefaultConfig},
			}
		}
		resp.Resources = []kmsg.DescribeConfigsResponseResource{answer}
		return resp
	})
	s := read(t, client, live.Scope{})
	inspect.Rates(t.Context(), client, s)
	if diff := cmp.Diff(live.Is(live.Rates{1: {"leader.replication.throttled.rate": "7"}}), s.Rates); diff != "" {
		t.Error(diff)
	}
	refused = true
	inspect.Rates(t.Context(), client, s)
	if diff := cmp.Diff(live.Hidden[live.Rates]("not permitted", "DescribeConfigs on Cluster"), s.Rates); diff != "" {
		t.Error(diff)
	}
}

// Without a single answer there is no snapshot.
func TestUnreachable(t *testing.T) {
	kafka, client := start(t)
	kafka.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := inspect.Read(ctx, client, live.Scope{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", s, err)
	}
}

// What goes wrong with a leader is told in the tool's words, not the client's.
func TestReasons(t *testing.T) {
	type dialing = func(context.Context, string, string) (net.Conn, error)
	refused := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	silent := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
	for want, does := range map[string]func(*kfake.Cluster, *live.Topic, *atomic.Value){
		"the broker is not up":           func(_ *kfake.Cluster, there *live.Topic, _ *atomic.Value) { there.Partitions[0].Leader = 9 },
		"the broker refuses connections": func(_ *kfake.Cluster, _ *live.Topic, dial *atomic.Value) { dial.Store(refused) },
		"there was no answer in time":    func(_ *kfake.Cluster, _ *live.Topic, dial *atomic.Value) { dial.Store(silent) },
		"the connection broke off": func(kafka *kfake.Cluster, _ *live.Topic, _ *atomic.Value) {
			kafka.ControlKey(kmsg.Fetch.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
				kafka.KeepControl()
				return nil, errors.New("cut"), true
			})
		},
	} {
		kafka, asking := start(t)
		create(t, asking, nil, "orders")
		fill(t, asking, "orders", 1)
		var dial atomic.Value
		dial.Store(new(net.Dialer).DialContext) // until something goes wrong
		client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RequestRetries(0), kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
			return dial.Load().(dialing)(ctx, network, host)
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		s := read(t, client, live.Scope{Topics: []string{"orders"}})
		there := s.Topics["orders"].Value
		sample := inspect.Sample(t.Context(), client, s, []string{"orders"})
		does(kafka, &there, &dial)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		span := inspect.Reading(ctx, client, s, sample, map[string]live.Offsets{"orders": {0, live.End}}).Spans["orders"][0]
		if why := span.Why + span.Value.Oldest.Why; why != fmt.Sprintf("broker %d: %s", there.Partitions[0].Leader, want) {
			t.Errorf("%q, not %q", why, want)
		}
	}
}

// A group's coordinator that is gone is told so, too, and not in the client's words.
func TestCoordinatorGone(t *testing.T) {
	kafka, asking := start(t)
	create(t, asking, nil, "orders")
	commit(t, asking, "billing", "orders", map[int32]int64{0: 1})
	always(kafka, kmsg.FindCoordinator, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		for _, key := range req.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Key: key, NodeID: 9, Host: "127.0.0.1", Port: 1})
		}
		return resp
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RequestRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if seen := read(t, client, live.Scope{Groups: []string{"billing"}}).Groups["billing"]; seen.Why != "the broker is not up" {
		t.Errorf("%+v", seen)
	}
}
