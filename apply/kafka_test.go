package apply_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// errCut makes kfake close a connection.
var errCut = errors.New("cut")

// kafka is an embedded cluster of brokers 0, 1 and 2, with an engine before it.
type kafka struct {
	*testing.T
	*kfake.Cluster
	engine *apply.Engine
	conn   *connect.Conn
	clock  *clock
	ledger *paper

	mu     sync.Mutex
	events []apply.Event
	asked  map[kmsg.Key]int // how many requests came
}

func start(t *testing.T, options ...kfake.Opt) *kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(3), kfake.DefaultNumPartitions(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	k := &kafka{T: t, Cluster: cluster, clock: newClock(), asked: map[kmsg.Key]int{}, ledger: newPaper()}
	k.conn, err = connect.Open(t.Context(), nil, connect.Options{BootstrapServers: cluster.ListenAddrs(), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.conn.Close() })
	k.engine = &apply.Engine{
		Client: k.conn.Client(), Clock: k.clock.clock(), Patience: time.Minute,
		Read: func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
			return inspect.Read(ctx, k.conn.Client(), s)
		},
		Measure: func(ctx context.Context, s *live.Snapshot, q live.Questions) live.Answers {
			return inspect.Measure(ctx, k.conn.Client(), s, q)
		},
		Observe:       func(e apply.Event) { k.events = append(k.events, e) },
		Hold:          k.ledger,
		LockThrottles: func(context.Context) (apply.Hold, error) { return k.ledger, k.ledger.locked },
	}
	cluster.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.count(kmsg.Key(req.Key()))
		return nil, nil, false
	})
	return k
}

// paper is a ledger without a log: the fold of what is written down.
type paper struct {
	mu      sync.Mutex
	state   ledger.State
	entries int             // so far
	written []ledger.Record // by the apply, but for what opens it in the history
	lost    error           // what every further question is answered with
	locked  error           // why throttles cannot be edited
	until   time.Time
	checked func() // runs at each check
}

func newPaper() *paper {
	p := &paper{until: time.Now().Add(24 * time.Hour), checked: func() {}}
	p.state.Apply(&ledger.Entry{Record: ledger.Format{Ledger: "paper"}})
	return p
}

func (p *paper) Check(context.Context) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked()
	return p.until, p.lost
}

func (p *paper) Write(_ context.Context, records ...ledger.Record) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost != nil {
		p.checked()
		return p.until, p.lost
	}
	for _, r := range records {
		if _, begun := r.(ledger.Begun); !begun {
			p.written = append(p.written, r)
		}
	}
	p.says("shop", records...)
	return time.Time{}, nil
}

// says lets a topology write, under the lock that each record needs.
func (p *paper) says(topology string, records ...ledger.Record) {
	for _, r := range records {
		lock := ledger.TopologyLock(topology)
		switch r.(type) {
		case ledger.Moving, ledger.Moved:
			lock = ledger.ThrottleLock
		}
		p.entries++
		claim := fmt.Sprint(p.entries)
		for seq, record := range []ledger.Record{ledger.Claim{Lock: lock, Holder: ledger.Holder{Topology: topology}}, r, ledger.Release{}} {
			p.state.Apply(&ledger.Entry{Claim: claim, Seq: seq + 1, Record: record})
		}
	}
}

func (p *paper) Live() live.Ledger {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Live()
}

func (p *paper) Release(context.Context) error { return nil }

// run carries out the steps.
func (k *kafka) run(steps ...plan.Step) *apply.Report {
	return k.engine.Run(k.Context(), planned(steps...))
}

// requests is how many of a kind came.
func (k *kafka) requests(key kmsg.Key) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked[key]
}

// on runs a function for each request of a kind. One that returns neither a
// response nor an error leaves it to the cluster.
func (k *kafka) on(key kmsg.Key, answer func(kmsg.Request) (kmsg.Response, error)) {
	k.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		resp, err := answer(req)
		handled := resp != nil || err != nil
		if handled { // then nobody else counts it
			k.count(key)
		}
		return resp, err, handled
	})
}

func (k *kafka) count(key kmsg.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked[key]++
}

// first runs a function for the first request of a kind only.
func (k *kafka) first(key kmsg.Key, answer func(kmsg.Request) (kmsg.Response, error)) {
	var came atomic.Bool
	k.on(key, func(req kmsg.Request) (kmsg.Response, error) {
		if came.Swap(true) {
			return nil, nil
		}
		return answer(req)
	})
}

// cutBefore ends the connection of the first request of a kind, which is lost.
func (k *kafka) cutBefore(key kmsg.Key) {
	k.first(key, func(kmsg.Request) (kmsg.Response, error) { return nil, errCut })
}

// cutAfter ends the connection of the first request of a kind once it is
// carried out.
func (k *kafka) cutAfter(key kmsg.Key) {
	client := k.client()
	k.first(key, func(req kmsg.Request) (kmsg.Response, error) {
		k.SleepControl(func() {
			if _, err := client.Request(context.Background(), again(req)); err != nil {
				k.Error(err)
			}
		})
		return nil, errCut
	})
}

// refuseAfter lets the next connections fail once the first request of a kind
// is there. The engine connects anew.
func (k *kafka) refuseAfter(key kmsg.Key) {
	var down atomic.Int32
	client, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.Dialer(func(ctx context.Context, network, host string) (net.Conn, error) {
		if down.Add(-1) >= 0 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return (&net.Dialer{}).DialContext(ctx, network, host)
	}))
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(client.Close)
	k.engine.Client = client
	k.first(key, func(kmsg.Request) (kmsg.Response, error) {
		down.Store(2)
		return nil, nil
	})
}

// again is a copy of a request.
func again(req kmsg.Request) kmsg.Request {
	dup := kmsg.RequestForKey(req.Key())
	dup.SetVersion(req.GetVersion())
	if err := dup.ReadFrom(req.AppendTo(nil)); err != nil {
		panic(err)
	}
	return dup
}

// client is somebody else's.
func (k *kafka) client() *kgo.Client {
	k.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...))
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(client.Close)
	return client
}

// metadata is what the cluster says of topics now.
func (k *kafka) metadata(topics ...string) *kmsg.MetadataResponse {
	k.Helper()
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		req.Topics = append(req.Topics, kmsg.MetadataRequestTopic{Topic: &name})
	}
	resp, err := req.RequestWith(context.Background(), k.client())
	if err != nil {
		k.Fatal(err)
	}
	return resp
}

// lag lets the brokers answer so many questions about topics with what was
// there when lag was called. It gives back how many such answers are left.
func (k *kafka) lag(answers int, topics ...string) (left func() int) {
	k.Helper()
	old := k.metadata(topics...)
	var mu sync.Mutex
	k.on(kmsg.Metadata, func(req kmsg.Request) (kmsg.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		if answers == 0 || len(req.(*kmsg.MetadataRequest).Topics) == 0 {
			return nil, nil
		}
		answers--
		resp := *old
		resp.Version = req.GetVersion()
		return &resp, nil
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return answers
	}
}

// snapshot is what is there.
func (k *kafka) snapshot(topics ...string) *live.Snapshot {
	k.Helper()
	s, err := k.engine.Read(context.Background(), live.Scope{Topics: topics})
	if err != nil {
		k.Fatal(err)
	}
	return s
}

// topic is one of them.
func (k *kafka) topic(name string) live.Topic {
	k.Helper()
	return k.snapshot(name).Topics[name].Value
}

// has makes a topic.
func (k *kafka) has(name string, partitions int32) {
	k.Helper()
	if err := k.CreateTopic(name, partitions, nil); err != nil {
		k.Fatal(err)
	}
}

// clock goes on only when somebody waits, and then at once.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
	wait  func(time.Duration) bool // runs for each wait; false: it never ends
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), wait: func(time.Duration) bool { return true }}
}

func (c *clock) clock() ledger.Clock { return ledger.Clock{Now: c.time, After: c.after} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) after(d time.Duration) <-chan time.Time {
	ends := c.wait(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	fired := make(chan time.Time, 1)
	if ends {
		fired <- c.now
	}
	return fired
}

// planned makes a plan of steps, with a change for each object.
func planned(steps ...plan.Step) *plan.Plan {
	p := &plan.Plan{Topology: &schema.Topology{Name: "shop"}, Steps: steps, Cluster: live.Cluster{Controller: 2, Brokers: []live.Broker{{ID: 0}, {ID: 1}, {ID: 2}}}}
	changes := map[schema.ID]int{}
	for _, s := range steps {
		about := s.About()
		at, there := changes[about.Object]
		if !there {
			at = len(p.Changes)
			changes[about.Object] = at
			p.Changes = append(p.Changes, plan.Change{Addr: schema.Addr{Kind: schema.KindQueue, Label: about.Object.Name}, Object: about.Object, Action: plan.Update})
		}
		about.Changes = []int{at}
		about.Records = max(about.Records, 1)
	}
	return p
}

func id(topic string) schema.ID { return schema.ID{Kind: schema.KindQueue, Name: topic} }

func head(phase plan.Phase, topic string) plan.Head {
	return plan.Head{Phase: phase, Object: id(topic)}
}

func create(topic string, partitions int32) *plan.CreateTopic {
	return &plan.CreateTopic{Head: head(plan.PhaseCreate, topic), Partitions: partitions, Factor: 3, Configs: map[string]string{"retention.ms": "1000"}}
}

func configs(topic string, set map[string]string) *plan.AlterConfigs {
	return &plan.AlterConfigs{Head: head(plan.PhaseConfigs, topic), Set: set}
}

func late(topic string, set map[string]string) *plan.AlterConfigs {
	return &plan.AlterConfigs{Head: head(plan.PhaseSettle, topic), Set: set}
}

func partitions(topic string, total int32) *plan.AddPartitions {
	return &plan.AddPartitions{Head: head(plan.PhasePartitions, topic), Total: total}
}

func deletion(topic string, of live.TopicID) *plan.DeleteTopic {
	return &plan.DeleteTopic{Head: head(plan.PhaseDelete, topic), ID: of}
}

// outcomes are the results in words, each with what its error says.
func outcomes(r *apply.Report) []string {
	names := map[apply.Outcome]string{
		apply.NotDone: "not done", apply.Done: "done", apply.Refused: "refused", apply.Unknown: "unknown", apply.Skipped: "skipped",
		apply.Started: "started", apply.Postponed: "postponed", apply.NotMoved: "not moved",
	}
	all := make([]string, len(r.Results))
	for i, result := range r.Results {
		all[i] = names[result.Outcome]
		if result.Err != nil {
			all[i] += ": " + result.Err.Error()
		}
	}
	return all
}

// ok says whether every step is done, and nothing is left.
func ok(r *apply.Report) bool {
	return r.Stopped == nil && r.Leftover == nil && r.Moving == 0 && !r.Slowed && r.Count(apply.Done) == len(r.Steps)
}

// ends wants these outcomes: each is what one has to begin with.
func (k *kafka) ends(r *apply.Report, want ...string) {
	k.Helper()
	got := outcomes(r)
	same := func(got, want string) bool {
		return got == want || strings.HasSuffix(want, "...") && strings.HasPrefix(got, strings.TrimSuffix(want, "..."))
	}
	if !slices.EqualFunc(got, want, same) {
		k.Errorf("the steps end\n\t%s\nand should\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	k.consistent(r)
}

// consistent wants the events to tell what the report says, each step's end once.
func (k *kafka) consistent(r *apply.Report) {
	k.Helper()
	ended := map[plan.Step]apply.Result{}
	for _, e := range k.events {
		switch e := e.(type) {
		case apply.StepEnded:
			if _, twice := ended[e.Step]; twice {
				k.Errorf("step of %s ended twice", e.Step.About().Object)
			}
			ended[e.Step] = e.Result
		case apply.MoveEnded:
			if ended[e.Step].Outcome != apply.Started {
				k.Errorf("a move of %s ended that was not started", e.Step.Object)
			}
			ended[e.Step] = e.Result
		case apply.PhaseStarted, apply.Waiting, apply.MoveProgress, apply.Verifying:
		}
	}
	for i, s := range r.Steps {
		if got := ended[s]; got.Outcome != r.Results[i].Outcome {
			k.Errorf("the events tell of %s outcome %d, the report %d", s.About().Object, got.Outcome, r.Results[i].Outcome)
		}
	}
}

// setting is one config operation, in words.
func setting(resource kmsg.IncrementalAlterConfigsRequestResource) []string {
	ops := map[kmsg.IncrementalAlterConfigOp]string{
		kmsg.IncrementalAlterConfigOpSet: "set", kmsg.IncrementalAlterConfigOpDelete: "delete",
		kmsg.IncrementalAlterConfigOpAppend: "append", kmsg.IncrementalAlterConfigOpSubtract: "subtract",
	}
	var all []string
	for _, c := range resource.Configs {
		value := ""
		if c.Value != nil {
			value = " " + *c.Value
		}
		all = append(all, fmt.Sprintf("%s %s: %s %s%s", strings.ToLower(resource.ResourceType.String()), resource.ResourceName, ops[c.Op], c.Name, value))
	}
	return all
}

// model plays the part of Kafka that kfake leaves out: replicas that move, and
// replication throttles.
type model struct {
	*kafka
	mu       sync.Mutex
	replicas map[string][][]int32                              // by topic and partition
	moves    map[string]map[int32]move                         // those that run
	sizes    func(topic string, partition, broker int32) int64 // -1: it does not tell
	step     func()                                            // runs before each look at topics
	refuses  map[string]map[int32]int16                        // error codes of reassignments, by topic and partition
	configs  map[string]map[string]string                      // "broker 1" or "topic x" to throttle keys
	said     []string                                          // alterations of configs and reassignments, in their order
	looked   int                                               // questions about configs that are no throttle
	dead     map[int32]bool                                    // brokers that close connections about configs
	denies   kmsg.ConfigResourceType                           // whose configs nobody may alter; 0: none
	lags     int                                               // how many answers about lists are from before they were there
	stale    int                                               // those to come
	brokers  []int32                                           // those that metadata tells of
	caughtUp []int32                                           // brokers whose new replicas are in sync

	cuts      int  // connections that end at a reassignment; -1: all
	cutsAfter bool // and once it is done
}

type move struct{ to, adding, removing []int32 }

// moves starts a cluster with topics, whose partitions are on broker 0.
func moves(t *testing.T, topics ...string) *model {
	t.Helper()
	m := &model{
		kafka: start(t), replicas: map[string][][]int32{}, moves: map[string]map[int32]move{}, step: func() {},
		refuses: map[string]map[int32]int16{}, configs: map[string]map[string]string{}, dead: map[int32]bool{}, brokers: []int32{0, 1, 2},
	}
	for _, name := range topics {
		m.has(name, 2)
		m.replicas[name] = [][]int32{{0}, {0}}
		m.moves[name] = map[int32]move{}
	}
	m.engine.Throttle = 1000
	base := m.metadata()
	m.on(kmsg.Metadata, func(req kmsg.Request) (kmsg.Response, error) { return m.tellPlaces(base, req.(*kmsg.MetadataRequest)) })
	m.on(kmsg.AlterPartitionAssignments, m.reassign)
	m.on(kmsg.ListPartitionReassignments, m.tellMoves)
	m.on(kmsg.DescribeLogDirs, m.tellSizes)
	m.on(kmsg.IncrementalAlterConfigs, m.alter)
	m.on(kmsg.DescribeConfigs, m.describe)
	return m
}

// arrive ends the moves of a topic.
func (m *model) arrive(topic string) {
	for p, to := range m.moves[topic] {
		m.replicas[topic][p] = to.to
	}
	clear(m.moves[topic])
}

// start of a move, as the controller takes it.
func (m *model) begin(topic string, partition int32, to []int32) {
	from := m.replicas[topic][partition]
	minus := func(a, b []int32) []int32 {
		return slices.DeleteFunc(slices.Clone(a), func(id int32) bool { return slices.Contains(b, id) })
	}
	m.moves[topic][partition] = move{to, minus(to, from), minus(from, to)}
}

func (m *model) tellPlaces(base *kmsg.MetadataResponse, req *kmsg.MetadataRequest) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(req.Topics) == 0 {
		return nil, nil
	}
	m.step()
	resp := *base
	resp.Version, resp.Topics = req.Version, nil
	resp.Brokers = slices.DeleteFunc(slices.Clone(base.Brokers), func(b kmsg.MetadataResponseBroker) bool { return !slices.Contains(m.brokers, b.NodeID) })
	for _, asked := range req.Topics {
		t := kmsg.MetadataResponseTopic{Topic: asked.Topic}
		places, there := m.replicas[*asked.Topic]
		if !there {
			t.ErrorCode = kerr.UnknownTopicOrPartition.Code
		}
		for p, old := range places {
			adding := m.moves[*asked.Topic][int32(p)].adding
			inSync := slices.Clone(old)
			if m.caughtUp != nil {
				inSync = append(inSync, slices.DeleteFunc(slices.Clone(adding), func(id int32) bool { return !slices.Contains(m.caughtUp, id) })...)
			}
			t.Partitions = append(t.Partitions, kmsg.MetadataResponseTopicPartition{
				Partition: int32(p), Leader: old[0], Replicas: slices.Concat(old, adding), ISR: inSync,
			})
		}
		resp.Topics = append(resp.Topics, t)
	}
	return &resp, nil
}

func (m *model) reassign(kreq kmsg.Request) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	cut := m.cuts != 0
	m.cuts = max(m.cuts-1, min(m.cuts, 0))
	if cut && !m.cutsAfter {
		return nil, errCut
	}
	req := kreq.(*kmsg.AlterPartitionAssignmentsRequest)
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	for _, t := range req.Topics {
		answer := kmsg.AlterPartitionAssignmentsResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			code := m.refuses[t.Topic][p.Partition]
			if code == 0 {
				m.said = append(m.said, fmt.Sprintf("move %s %d to %v", t.Topic, p.Partition, p.Replicas))
				m.begin(t.Topic, p.Partition, p.Replicas)
			}
			answer.Partitions = append(answer.Partitions, kmsg.AlterPartitionAssignmentsResponseTopicPartition{Partition: p.Partition, ErrorCode: code})
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if cut {
		return nil, errCut
	}
	return resp, nil
}

func (m *model) tellMoves(req kmsg.Request) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	resp := req.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	for _, name := range slices.Sorted(maps.Keys(m.moves)) {
		t := kmsg.ListPartitionReassignmentsResponseTopic{Topic: name}
		for p, to := range m.moves[name] {
			t.Partitions = append(t.Partitions, kmsg.ListPartitionReassignmentsResponseTopicPartition{
				Partition: p, Replicas: slices.Concat(to.to, to.removing), AddingReplicas: to.adding, RemovingReplicas: to.removing,
			})
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp, nil
}

func (m *model) tellSizes(kreq kmsg.Request) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sizes == nil {
		return nil, nil
	}
	req := kreq.(*kmsg.DescribeLogDirsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	dir := kmsg.DescribeLogDirsResponseDir{Dir: "/data"}
	for _, t := range req.Topics {
		answer := kmsg.DescribeLogDirsResponseDirTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			switch size := m.sizes(t.Topic, p, m.CurrentNode()); {
			case size < 0:
				resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
			case size > 0:
				answer.Partitions = append(answer.Partitions, kmsg.DescribeLogDirsResponseDirTopicPartition{Partition: p, Size: size})
			}
		}
		dir.Topics = append(dir.Topics, answer)
	}
	resp.Dirs = []kmsg.DescribeLogDirsResponseDir{dir}
	return resp, nil
}

func ownerOf(kind kmsg.ConfigResourceType, name string) string {
	return strings.ToLower(kind.String()) + " " + name
}

func isThrottle(key string) bool { return strings.Contains(key, ".replication.throttled.") }

// alter keeps throttles as Kafka's controller does: APPEND adds what is not
// there, and SUBTRACT leaves an empty list.
func (m *model) alter(kreq kmsg.Request) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	req := kreq.(*kmsg.IncrementalAlterConfigsRequest)
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	for _, resource := range req.Resources {
		if m.dead[m.CurrentNode()] && resource.ResourceType == kmsg.ConfigResourceTypeBroker {
			return nil, errCut
		}
		if resource.ResourceType == m.denies {
			resp.Resources = append(resp.Resources, kmsg.IncrementalAlterConfigsResponseResource{
				ErrorCode: kerr.ClusterAuthorizationFailed.Code, ResourceType: resource.ResourceType, ResourceName: resource.ResourceName,
			})
			continue
		}
		m.said = append(m.said, setting(resource)...)
		if !isThrottle(resource.Configs[0].Name) {
			return nil, nil
		}
		owner := ownerOf(resource.ResourceType, resource.ResourceName)
		if m.configs[owner] == nil {
			m.configs[owner] = map[string]string{}
		}
		set := m.configs[owner]
		for _, c := range resource.Configs {
			switch c.Op {
			case kmsg.IncrementalAlterConfigOpSet:
				set[c.Name] = *c.Value
			case kmsg.IncrementalAlterConfigOpDelete:
				delete(set, c.Name)
			case kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract:
				list := slices.DeleteFunc(strings.Split(set[c.Name], ","), func(e string) bool { return e == "" })
				for e := range strings.SplitSeq(*c.Value, ",") {
					list = slices.DeleteFunc(list, func(old string) bool { return old == e })
					if c.Op == kmsg.IncrementalAlterConfigOpAppend {
						list = append(list, e)
					}
				}
				set[c.Name] = strings.Join(list, ",")
				m.stale = m.lags
			}
		}
		resp.Resources = append(resp.Resources, kmsg.IncrementalAlterConfigsResponseResource{ResourceType: resource.ResourceType, ResourceName: resource.ResourceName})
	}
	return resp, nil
}

func (m *model) describe(kreq kmsg.Request) (kmsg.Response, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	req := kreq.(*kmsg.DescribeConfigsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	for _, resource := range req.Resources {
		if len(resource.ConfigNames) == 0 || !isThrottle(resource.ConfigNames[0]) {
			m.looked++
			return nil, nil
		}
		answer := kmsg.DescribeConfigsResponseResource{ResourceType: resource.ResourceType, ResourceName: resource.ResourceName}
		source := kmsg.ConfigSourceDynamicBrokerConfig
		if resource.ResourceType == kmsg.ConfigResourceTypeTopic {
			source = kmsg.ConfigSourceDynamicTopicConfig
			if _, there := m.replicas[resource.ResourceName]; !there {
				answer.ErrorCode = kerr.UnknownTopicOrPartition.Code
			}
		}
		if resource.ResourceType == kmsg.ConfigResourceTypeTopic && m.stale > 0 {
			m.stale--
			resp.Resources = append(resp.Resources, answer)
			continue
		}
		for key, value := range m.configs[ownerOf(resource.ResourceType, resource.ResourceName)] {
			if slices.Contains(resource.ConfigNames, key) {
				answer.Configs = append(answer.Configs, kmsg.DescribeConfigsResponseResourceConfig{Name: key, Value: &value, Source: source})
			}
		}
		resp.Resources = append(resp.Resources, answer)
	}
	return resp, nil
}

// throttles are all that are set, in words.
func (m *model) throttles() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for owner, set := range m.configs {
		for key, value := range set {
			all = append(all, owner+": "+key+" = "+value)
		}
	}
	slices.Sort(all)
	return all
}

// reassigned moves both partitions of a topic from broker 0.
func reassigned(topic string, to ...int32) *plan.Reassign {
	return &plan.Reassign{Head: head(plan.PhaseMove, topic), Moves: []plan.Move{
		{Partition: 0, From: []int32{0}, To: to}, {Partition: 1, From: []int32{0}, To: to},
	}}
}
