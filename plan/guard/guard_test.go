package guard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const mib = 1 << 20

// declared is the queue orders with these configs: key, value, key, value.
func declared(configs ...string) *schema.Queue {
	q := &schema.Queue{
		Decl:  schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: "orders"}},
		Topic: "shop.orders", Config: map[string]schema.Setting{},
	}
	for i := 0; i < len(configs); i += 2 {
		q.Config[configs[i]] = schema.Setting{Value: configs[i+1], Spelling: configs[i+1]}
	}
	return q
}

func keyed(q *schema.Queue) *schema.Queue {
	q.Key = "order id"
	return q
}

func sized(q *schema.Queue, partitions, factor int) *schema.Queue {
	q.Partitions, q.ReplicationFactor = partitions, factor
	return q
}

func placed(q *schema.Queue, replicas ...[]int32) *schema.Queue {
	q.Placement = &schema.Placement{Replicas: replicas}
	return sized(q, len(replicas), len(replicas[0]))
}

// there is the live topic: each partition is in sync and led by its first replica.
func there(partitions [][]int32, overrides ...string) *live.Topic {
	t := &live.Topic{ID: live.TopicID{1}, Overrides: live.Is(map[string]string{})}
	for _, list := range partitions {
		t.Partitions = append(t.Partitions, live.Partition{Leader: list[0], Replicas: list, InSync: list})
	}
	for i := 0; i < len(overrides); i += 2 {
		t.Overrides.Value[overrides[i]] = overrides[i+1]
	}
	return t
}

// lagging leaves only the leader of a partition in sync.
func lagging(t *live.Topic, partition int) *live.Topic {
	p := &t.Partitions[partition]
	p.InSync = p.InSync[:1]
	return t
}

func parts(each ...[]int32) [][]int32 { return each }

var (
	one   = []int32{1}
	three = []int32{1, 2, 3}
)

// situation is a queue, its live topic, and what else is known.
type situation struct {
	queue    *schema.Queue // nil: the topic is deleted
	topic    *live.Topic   // nil: it is not there
	sizes    live.Sizes    // nil: not known
	defaults map[string]string
	throttle int64
}

func (s situation) plan(t *testing.T) (*plan.Plan, guard.Facts) {
	t.Helper()
	inherited := map[string]string{
		"cleanup.policy": "delete", "retention.ms": "604800000", "retention.bytes": "-1",
		"min.insync.replicas": "1", "unclean.leader.election.enable": "false",
	}
	if s.defaults != nil {
		inherited = s.defaults
	}
	snapshot := &live.Snapshot{
		Cluster:  live.Cluster{Pins: true},
		Topics:   map[string]live.Seen[live.Topic]{"shop.orders": live.None[live.Topic]()},
		Moves:    live.Is(0),
		Defaults: inherited,
	}
	for id := range int32(5) {
		snapshot.Cluster.Brokers = append(snapshot.Cluster.Brokers, live.Broker{ID: id + 1})
	}
	if s.topic != nil {
		snapshot.Topics["shop.orders"] = live.Is(*s.topic)
	}
	topology := &schema.Topology{Name: "shop"}
	if s.queue != nil {
		topology.Resources = []schema.Resource{s.queue}
	} else {
		topology.Removals = []schema.Removal{{
			Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindQueue, Key: "shop.orders", Keyed: true}},
			Object: schema.ID{Kind: schema.KindQueue, Name: "shop.orders"},
		}}
	}
	p, diags := plan.Build(topology, snapshot, plan.Options{})
	if len(diags)+len(p.Blocked) > 0 || len(p.Changes) != 1 {
		t.Fatal(diags, p.Blocked, p.Changes)
	}
	facts := guard.Facts{Snapshot: snapshot, Throttle: s.throttle}
	if s.sizes != nil {
		facts.Answers.Sizes = map[string]live.Seen[live.Sizes]{"shop.orders": live.Is(s.sizes)}
	}
	return p, facts
}

// radius spells one out: messages, bytes, groups.
func radius(r guard.Radius) string {
	number := func(n *int64) string {
		if n == nil {
			return "unknown"
		}
		return fmt.Sprint(*n)
	}
	groups := "unknown"
	if r.Groups != nil {
		groups = fmt.Sprint(len(r.Groups))
	}
	return number(r.Messages) + " " + number(r.Bytes) + " " + groups
}

// Each hazard, where it is found, and next to it where it is not.
func TestHazards(t *testing.T) {
	const nothing = "unknown unknown unknown"
	retention := func(v string) *schema.Queue { return declared("retention.ms", v) }
	isr := func(v string) *schema.Queue { return declared("min.insync.replicas", v) }
	with := func(q *schema.Queue, factor int) *schema.Queue { return sized(q, 0, factor) }
	other := declared("flush.ms", "1")
	rows := map[string][2]int{} // by code: how many do not find it, and how many do
	for _, test := range []struct {
		code, name string
		in         situation
		severity   guard.Severity // empty: not found
		radius     string
		summary    string // part of it
	}{
		{"QF101", "deleted", situation{topic: there(parts(one))}, guard.Blocks, nothing, `topic "shop.orders" is deleted`},
		{"QF101", "deleted, its size known", situation{topic: there(parts(one, one)), sizes: live.Sizes{{1: 3}, {1: 4, 2: 5}}}, guard.Blocks, "unknown 8 unknown", ""},
		{"QF101", "deleted empty: somebody may read it", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 0}}}, guard.Blocks, "0 0 unknown", ""},
		{"QF101", "updated", situation{queue: other, topic: there(parts(one))}, "", "", ""},

		{"QF102", "time", situation{queue: retention("3600000"), topic: there(parts(one))}, guard.Blocks, nothing, "retention.ms 7d -> 1h"},
		{"QF102", "time, its size known", situation{queue: retention("3600000"), topic: there(parts(one)), sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", ""},
		{"QF102", "time, of an empty topic", situation{queue: retention("1"), topic: there(parts(one)), sizes: live.Sizes{{1: 0}}}, guard.Warns, "0 0 0", "nothing"},
		{"QF102", "time, from none", situation{queue: retention("1"), topic: there(parts(one), "retention.ms", "-1")}, guard.Blocks, nothing, "retention.ms unlimited -> 1ms"},
		{"QF102", "time longer", situation{queue: retention("604800001"), topic: there(parts(one))}, "", "", ""},
		{"QF102", "time to none", situation{queue: retention("-1"), topic: there(parts(one))}, "", "", ""},
		{"QF102", "time pinned", situation{queue: retention("604800000"), topic: there(parts(one))}, "", "", ""},
		{"QF102", "time of a compacted topic", situation{queue: declared("cleanup.policy", "compact", "retention.ms", "1"), topic: there(parts(one), "cleanup.policy", "compact")}, "", "", ""},
		{"QF102", "time by reset", situation{queue: declared(), topic: there(parts(one), "retention.ms", "-1")}, guard.Blocks, nothing, "unlimited -> 7d"},
		{"QF102", "time by reset to what nobody knows", situation{queue: declared(), topic: there(parts(one), "retention.ms", "5"), defaults: map[string]string{}}, guard.Blocks, nothing, "5ms -> unknown"},
		{"QF102", "time from what nobody knows", situation{queue: retention("5"), topic: there(parts(one)), defaults: map[string]string{}}, guard.Blocks, nothing, "unknown -> 5ms"},
		{"QF102", "another key, where nothing is known", situation{queue: other, topic: there(parts(one)), defaults: map[string]string{}}, "", "", ""},
		{"QF102", "bytes, from none", situation{queue: declared("retention.bytes", "1048576"), topic: there(parts(one))}, guard.Blocks, nothing, "retention.bytes unlimited -> 1MiB"},
		{"QF102", "bytes, those beyond", situation{queue: declared("retention.bytes", "1048576"), topic: there(parts(one, one)), sizes: live.Sizes{{1: 3 * mib}, {1: 5}}}, guard.Blocks, fmt.Sprintf("unknown %d unknown", 2*mib), ""},
		{"QF102", "bytes, none beyond", situation{queue: declared("retention.bytes", "1048576"), topic: there(parts(one)), sizes: live.Sizes{{1: mib}}}, guard.Warns, "0 0 0", ""},
		{"QF102", "bytes by reset to what nobody knows", situation{queue: declared(), topic: there(parts(one), "retention.bytes", "7"), defaults: map[string]string{}, sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", "retention.bytes 7 -> unknown"},
		{"QF102", "bytes to none", situation{queue: declared("retention.bytes", "-1"), topic: there(parts(one), "retention.bytes", "7")}, "", "", ""},
		{"QF102", "time and bytes", situation{queue: declared("retention.bytes", "1048576", "retention.ms", "1"), topic: there(parts(one)), sizes: live.Sizes{{1: 5}}}, guard.Blocks, "unknown 5 unknown", "retention.ms 7d -> 1ms, retention.bytes unlimited -> 1MiB"},
		{"QF102", "compact becomes delete", situation{queue: declared("cleanup.policy", "delete"), topic: there(parts(one), "cleanup.policy", "compact")}, guard.Blocks, nothing, "retention.ms unlimited -> 7d"},
		{"QF102", "an empty policy becomes delete", situation{queue: declared(), topic: there(parts(one), "cleanup.policy", "")}, guard.Blocks, nothing, "retention.ms unlimited -> 7d"},
		{"QF102", "delete becomes compact", situation{queue: declared("cleanup.policy", "compact"), topic: there(parts(one))}, "", "", ""},
		{"QF102", "created", situation{queue: retention("1")}, "", "", ""},

		{"QF103", "starts", situation{queue: declared("cleanup.policy", "compact,delete"), topic: there(parts(one)), sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", "compaction starts"},
		{"QF103", "stops, by reset", situation{queue: declared(), topic: there(parts(one), "cleanup.policy", "compact")}, guard.Blocks, nothing, "compaction stops"},
		{"QF103", "may start", situation{queue: declared("cleanup.policy", "compact"), topic: there(parts(one)), defaults: map[string]string{}}, guard.Blocks, nothing, "may start or stop"},
		{"QF103", "stays", situation{queue: declared("cleanup.policy", "compact,delete"), topic: there(parts(one), "cleanup.policy", "compact")}, "", "", ""},
		{"QF103", "pinned", situation{queue: declared("cleanup.policy", "delete"), topic: there(parts(one))}, "", "", ""},
		{"QF103", "created", situation{queue: declared("cleanup.policy", "compact")}, "", "", ""},
		{"QF103", "another key, where nothing is known", situation{queue: other, topic: there(parts(one)), defaults: map[string]string{}}, "", "", ""},

		{"QF201", "keyed", situation{queue: sized(keyed(declared()), 3, 0), topic: there(parts(one))}, guard.Blocks, nothing, "keys (order id) change partition: 1 -> 3 partitions"},
		{"QF201", "not keyed", situation{queue: sized(declared(), 3, 0), topic: there(parts(one))}, "", "", ""},
		{"QF201", "keyed, another change", situation{queue: keyed(declared("flush.ms", "1")), topic: there(parts(one))}, "", "", ""},
		{"QF201", "created", situation{queue: sized(keyed(declared()), 3, 0)}, "", "", ""},

		{"QF301", "lowered", situation{queue: with(declared(), 1), topic: there(parts(three))}, guard.Warns, nothing, "replication_factor 3 -> 1"},
		{"QF301", "lowered by explicit replicas", situation{queue: placed(declared(), one), topic: there(parts(three))}, guard.Warns, nothing, "replication_factor 3 -> 1"},
		{"QF301", "evened", situation{queue: with(declared(), 3), topic: there(parts(three, one))}, "", "", ""},
		{"QF301", "raised", situation{queue: with(declared(), 3), topic: there(parts(one))}, "", "", ""},
		{"QF301", "a new partition begins with more", situation{queue: sized(declared(), 2, 3), topic: there(parts(three))}, "", "", ""},
		{"QF301", "deleted", situation{topic: there(parts(three))}, "", "", ""},

		{"QF302", "one partition lags", situation{queue: isr("2"), topic: lagging(there(parts(three, three)), 1)}, guard.Blocks, nothing, "min.insync.replicas 2, and partition 1 has 1 in sync"},
		{"QF302", "two partitions lag", situation{queue: isr("2"), topic: lagging(lagging(there(parts(three, three, three)), 1), 2)}, guard.Blocks, nothing, "; 2 of 3 partitions have too few"},
		{"QF302", "all in sync", situation{queue: isr("3"), topic: there(parts(three))}, "", "", ""},
		{"QF302", "above the replicas", situation{queue: isr("2"), topic: there(parts(one))}, guard.Blocks, nothing, "partition 0 has 1 in sync"},
		{"QF302", "raised with the replicas", situation{queue: with(isr("2"), 3), topic: there(parts(one))}, "", "", ""},
		{"QF302", "raised beyond the replicas", situation{queue: with(isr("4"), 3), topic: there(parts(one))}, guard.Blocks, nothing, "partition 0 has 3 in sync"},
		{"QF302", "lowered", situation{queue: isr("2"), topic: lagging(there(parts(three), "min.insync.replicas", "3"), 0)}, "", "", ""},
		{"QF302", "raised by reset", situation{queue: declared(), topic: there(parts(one), "min.insync.replicas", "1"), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Blocks, nothing, ""},
		{"QF302", "raised from what nobody knows", situation{queue: isr("2"), topic: there(parts(one)), defaults: map[string]string{}}, guard.Blocks, nothing, ""},
		{"QF302", "replicas lowered below it", situation{queue: with(declared(), 1), topic: there(parts(three)), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Blocks, nothing, "min.insync.replicas 2, and partition 0 has 1 in sync"},
		{"QF302", "another change while producers are stopped", situation{queue: other, topic: lagging(there(parts(three)), 0), defaults: map[string]string{"min.insync.replicas": "2"}}, "", "", ""},
		{"QF302", "replicas lowered, its configs unseen", situation{queue: with(declared(), 1), topic: blind(there(parts(three))), defaults: map[string]string{"min.insync.replicas": "2"}}, "", "", ""},
		{"QF302", "created", situation{queue: with(isr("2"), 1)}, "", "", ""},

		{"QF303", "set", situation{queue: isr("3"), topic: there(parts(three))}, guard.Warns, nothing, "min.insync.replicas 3 of 3 replicas"},
		{"QF303", "created", situation{queue: with(isr("2"), 2)}, guard.Warns, nothing, "min.insync.replicas 2 of 2 replicas"},
		{"QF303", "created, inherited", situation{queue: with(declared(), 2), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Warns, nothing, ""},
		{"QF303", "replicas lowered to it", situation{queue: with(declared(), 2), topic: there(parts(three)), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Warns, nothing, ""},
		{"QF303", "one of one", situation{queue: with(isr("1"), 1)}, "", "", ""},
		{"QF303", "one to spare", situation{queue: with(isr("2"), 3)}, "", "", ""},
		{"QF303", "created by the broker's numbers", situation{queue: isr("2")}, "", "", ""},
		{"QF303", "another change", situation{queue: other, topic: there(parts([]int32{1, 2})), defaults: map[string]string{"min.insync.replicas": "2"}}, "", "", ""},

		{"QF304", "on", situation{queue: declared("unclean.leader.election.enable", "true"), topic: there(parts(one))}, guard.Blocks, nothing, "unclean leader election is switched on"},
		{"QF304", "on by reset", situation{queue: declared(), topic: there(parts(one), "unclean.leader.election.enable", "false"), defaults: map[string]string{"unclean.leader.election.enable": "true"}}, guard.Blocks, nothing, ""},
		{"QF304", "perhaps on by reset", situation{queue: declared(), topic: there(parts(one), "unclean.leader.election.enable", "false"), defaults: map[string]string{}}, guard.Blocks, nothing, ""},
		{"QF304", "pinned on", situation{queue: declared("unclean.leader.election.enable", "true"), topic: there(parts(one)), defaults: map[string]string{"unclean.leader.election.enable": "true"}}, "", "", ""},
		{"QF304", "off", situation{queue: declared("unclean.leader.election.enable", "false"), topic: there(parts(one), "unclean.leader.election.enable", "true")}, "", "", ""},
		{"QF304", "created", situation{queue: declared("unclean.leader.election.enable", "true")}, "", "", ""},

		{"QF305", "under-replicated", situation{queue: other, topic: lagging(there(parts(three, three)), 1)}, guard.Warns, nothing, "0 offline and 1 under-replicated of 2 partitions"},
		{"QF305", "offline", situation{queue: other, topic: offline(there(parts(one)))}, guard.Warns, nothing, "1 offline and 0 under-replicated of 1 partition"},
		{"QF305", "healthy", situation{queue: other, topic: there(parts(three))}, "", "", ""},
		{"QF305", "replicas on their way", situation{queue: other, topic: arriving(lagging(there(parts(three)), 0), 2, 3)}, "", "", ""},
		{"QF305", "one on its way, another lags", situation{queue: other, topic: arriving(lagging(there(parts(three)), 0), 3)}, guard.Warns, nothing, ""},

		{"QF306", "raised, not measured", situation{queue: with(declared(), 3), topic: there(parts(one)), throttle: mib}, guard.Warns, nothing, "2 replicas are copied from brokers [1] to [2 3], an unknown number of bytes"},
		{"QF306", "raised, measured", situation{queue: with(declared(), 3), topic: there(parts(one)), sizes: live.Sizes{{1: 10 * mib}}, throttle: 2 * mib}, guard.Warns, fmt.Sprintf("unknown %d unknown", 20*mib), "up to 20 MiB, at least 5s at 2.0 MiB/s"},
		{"QF306", "raised, unthrottled", situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 10 * mib}}}, guard.Warns, fmt.Sprintf("unknown %d unknown", 10*mib), "from brokers [1] to [2], up to 10 MiB"},
		{"QF306", "only the order", situation{queue: placed(declared(), []int32{3, 2, 1}), topic: there(parts(three))}, "", "", ""},
		{"QF306", "lowered", situation{queue: with(declared(), 1), topic: there(parts(three))}, "", "", ""},
	} {
		count := rows[test.code]
		if test.severity == "" {
			count[0]++
		} else {
			count[1]++
		}
		rows[test.code] = count
		t.Run(test.code+" "+test.name, func(t *testing.T) {
			found, _ := guard.Judge(test.in.plan(t))
			var got *guard.Finding
			for i := range found {
				if found[i].Code == test.code {
					got = &found[i]
				}
			}
			switch {
			case got == nil && test.severity == "":
			case got == nil || test.severity == "":
				t.Fatalf("found: %+v", got)
			case got.Severity != test.severity || radius(got.Radius) != test.radius || !strings.Contains(got.Summary, test.summary):
				t.Errorf("%s, radius %s: %s", got.Severity, radius(got.Radius), got.Summary)
			}
		})
	}
	for _, h := range guard.Hazards() {
		if count := rows[h.Code]; count[0] == 0 || count[1] == 0 {
			t.Errorf("%s: %d rows do not find it, %d do", h.Code, count[0], count[1])
		}
	}
}

func offline(t *live.Topic) *live.Topic {
	t.Partitions[0].Leader = -1
	return t
}

func blind(t *live.Topic) *live.Topic {
	t.Overrides = live.Hidden[map[string]string]("not permitted", "")
	return t
}

func arriving(t *live.Topic, adding ...int32) *live.Topic {
	t.Partitions[0].Adding = adding
	return t
}

func TestHazardsAreDescribed(t *testing.T) {
	last := ""
	for _, h := range guard.Hazards() {
		if h.Code <= last || h.Summary == "" || h.Doc == "" {
			t.Errorf("%s: %q, %q after %s", h.Code, h.Summary, h.Doc, last)
		}
		last = h.Code
		if again, known := guard.Find(h.Code); !known || again.Summary != h.Summary {
			t.Errorf("%s is not found", h.Code)
		}
	}
	if _, known := guard.Find("QF000"); known {
		t.Error("QF000 is found")
	}
}

// What is asked for is asked once, and with the answer nothing more.
func TestJudgeAsks(t *testing.T) {
	in := situation{queue: declared("retention.ms", "1", "cleanup.policy", "compact,delete"), topic: there(parts(one))}
	p, facts := in.plan(t)
	_, open := guard.Judge(p, facts)
	if diff := cmp.Diff(live.Questions{Sizes: []string{"shop.orders"}}, open); diff != "" {
		t.Error(diff)
	}
	for name, answer := range map[string]live.Seen[live.Sizes]{
		"known": live.Is(live.Sizes{{1: 5}}), "unseen": live.Hidden[live.Sizes]("not permitted", "Describe on Cluster"),
	} {
		facts.Answers.Sizes = map[string]live.Seen[live.Sizes]{"shop.orders": answer}
		if _, open := guard.Judge(p, facts); !open.None() {
			t.Errorf("%s: asked again: %+v", name, open)
		}
	}
	safe, facts := situation{queue: declared("flush.ms", "1"), topic: there(parts(one))}.plan(t)
	if found, open := guard.Judge(safe, facts); len(found) > 0 || !open.None() {
		t.Errorf("no danger: %+v %+v", found, open)
	}
}

func TestJudgeOrder(t *testing.T) {
	in := situation{queue: sized(keyed(declared("retention.ms", "1")), 4, 0), topic: lagging(there(parts(three)), 0)}
	found, _ := guard.Judge(in.plan(t))
	var codes []string
	for _, f := range found {
		codes = append(codes, f.Code)
		if f.Change != 0 || f.Addr != in.queue.Addr {
			t.Errorf("%+v", f)
		}
	}
	if diff := cmp.Diff([]string{"QF102", "QF201", "QF305"}, codes); diff != "" {
		t.Error(diff)
	}
}

// many is a plan of n changes that are all dangerous, and the facts to judge it by.
func many(n int) (*plan.Plan, guard.Facts) {
	topology := &schema.Topology{Name: "shop"}
	s := &live.Snapshot{Topics: map[string]live.Seen[live.Topic]{}, Moves: live.Is(0), Defaults: map[string]string{}}
	for id := range int32(5) {
		s.Cluster.Brokers = append(s.Cluster.Brokers, live.Broker{ID: id + 1})
	}
	for i := range n {
		q := sized(keyed(declared("retention.ms", "1", "min.insync.replicas", "2", "cleanup.policy", "compact")), 9, 3)
		q.Addr.Label, q.Topic = fmt.Sprintf("q%05d", i), fmt.Sprintf("shop.q%05d", i)
		topology.Resources = append(topology.Resources, q)
		s.Topics[q.Topic] = live.Is(*there(parts(one, one, one, one, one, one)))
	}
	p, _ := plan.Build(topology, s, plan.Options{})
	return p, guard.Facts{Snapshot: s, Throttle: mib}
}

func BenchmarkJudge(b *testing.B) {
	p, facts := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		if found, open := guard.Judge(p, facts); len(found) < 30_000 || len(open.Sizes) != 10_000 {
			b.Fatal(len(found), len(open.Sizes))
		}
	}
}
