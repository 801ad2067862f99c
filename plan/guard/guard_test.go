package guard_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

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
	queue    *schema.Queue          // nil: the topic is deleted
	topic    *live.Topic            // nil: it is not there
	sizes    live.Sizes             // nil: not known
	offsets  map[int64]live.Offsets // by place; what is missing is not known
	readers  live.Readers           // nil: not known
	disks    live.Disks             // nil: not known
	ledger   live.Seen[live.Ledger]
	cluster  *schema.Cluster
	defaults map[string]string
	throttle int64
}

// now is the time of all situations, in Unix milliseconds.
const now = 1_800_000_000_000

// held are the offsets of a topic whose partitions hold so many messages, from
// offset 100 on.
func held(messages ...int64) map[int64]live.Offsets {
	at := map[int64]live.Offsets{live.Start: {}, live.End: {}}
	for _, n := range messages {
		at[live.Start] = append(at[live.Start], 100)
		at[live.End] = append(at[live.End], 100+n)
	}
	return at
}

// young adds the first offsets that are not older than an age in milliseconds.
func young(at map[int64]live.Offsets, age int64, offsets ...int64) map[int64]live.Offsets {
	at[now-age] = offsets
	return at
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
		Ledger:   s.ledger,
	}
	for id := range int32(5) {
		snapshot.Cluster.Brokers = append(snapshot.Cluster.Brokers, live.Broker{ID: id + 1})
	}
	if s.topic != nil {
		snapshot.Topics["shop.orders"] = live.Is(*s.topic)
	}
	topology := &schema.Topology{Name: "shop", Cluster: s.cluster}
	if s.queue != nil {
		topology.Resources = []schema.Resource{s.queue}
	} else {
		topology.Removals = []schema.Removal{{
			Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindQueue, Key: "shop.orders", Keyed: true}},
			Object: schema.ID{Kind: schema.KindQueue, Name: "shop.orders"},
		}}
	}
	p, diags := plan.Build(topology, snapshot, plan.Options{})
	if diags.HasErrors() || len(p.Blocked) > 0 || len(p.Changes) != 1 {
		t.Fatal(diags, p.Blocked, p.Changes)
	}
	return p, guard.Facts{Snapshot: snapshot, Answers: s.answers(), Throttle: s.throttle, Now: time.UnixMilli(now)}
}

func (s situation) answers() live.Answers {
	const topic = "shop.orders"
	a := live.Answers{Offsets: map[live.Position]live.Seen[live.Offsets]{}}
	if s.sizes != nil {
		a.Sizes = map[string]live.Seen[live.Sizes]{topic: live.Is(s.sizes)}
	}
	for at, offsets := range s.offsets {
		a.Offsets[live.Position{Topic: topic, At: at}] = live.Is(offsets)
	}
	if s.readers != nil {
		a.Readers = map[string]live.Seen[live.Readers]{topic: live.Is(s.readers)}
	}
	if s.disks != nil {
		a.Disks = live.Is(s.disks)
	}
	return a
}

// radius spells one out: messages, bytes, groups.
func radius(r guard.Radius) string {
	number := func(n *int64) string {
		if n == nil {
			return "unknown"
		}
		return fmt.Sprint(*n)
	}
	groups := []string{"unknown"}
	if r.Groups != nil {
		groups = nil
	}
	for _, g := range r.Groups {
		groups = append(groups, fmt.Sprintf("%s:%d", g.Group, g.Unread))
	}
	return number(r.Messages) + " " + number(r.Bytes) + " " + cmp.Or(strings.Join(groups, ","), "none")
}

// Each hazard, where it is found, and next to it where it is not.
func TestHazards(t *testing.T) {
	const nothing, harmless = "unknown unknown unknown", "0 0 none"
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
		{"QF101", "deleted empty: somebody may read it", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 0}}}, guard.Blocks, "unknown 0 unknown", ""},
		{"QF101", "deleted, all measured", situation{topic: there(parts(one, one)), sizes: live.Sizes{{1: 3}, {1: 4}}, offsets: held(10, 20), readers: live.Readers{
			"billing": {0: 104, 1: 0}, "audit": {0: 110, 1: 130}, "new": {}, "half": {1: 120},
		}}, guard.Blocks, "30 7 new:30,billing:26,half:10,audit:0", ""},
		{"QF101", "deleted, who reads it not known", situation{topic: there(parts(one)), offsets: held(10)}, guard.Blocks, "10 unknown unknown", ""},
		{"QF101", "deleted, empty, but read", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 0}}, offsets: held(0), readers: live.Readers{"audit": {0: 100}}}, guard.Blocks, "0 0 audit:0", ""},
		{"QF101", "deleted, unread, but not empty", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 1}}, offsets: held(1), readers: live.Readers{}}, guard.Blocks, "1 1 none", ""},
		{"QF101", "deleted, empty and unread", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 0}}, offsets: held(0), readers: live.Readers{}}, guard.Warns, "0 0 none", "it is empty, and no group reads it"},
		{"QF101", "deleted, empty, who reads it not known", situation{topic: there(parts(one)), sizes: live.Sizes{{1: 0}}, offsets: held(0)}, guard.Blocks, "0 0 unknown", ""},
		{"QF101", "deleted, in tiered storage", situation{topic: there(parts(one), "remote.storage.enable", "true"), sizes: live.Sizes{{1: 0}}, offsets: held(10)}, guard.Blocks, "10 unknown unknown", ""},
		{"QF101", "updated", situation{queue: other, topic: there(parts(one))}, "", "", ""},

		{"QF102", "time", situation{queue: retention("3600000"), topic: there(parts(one))}, guard.Blocks, nothing, "retention.ms 7d -> 1h"},
		{"QF102", "time, its size known", situation{queue: retention("3600000"), topic: there(parts(one)), sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", ""},
		{"QF102", "time, of an empty topic", situation{queue: retention("1"), topic: there(parts(one)), sizes: live.Sizes{{1: 0}}}, guard.Warns, "0 0 none", "nothing"},
		{"QF102", "time, from none", situation{queue: retention("1"), topic: there(parts(one), "retention.ms", "-1")}, guard.Blocks, nothing, "retention.ms unlimited -> 1ms"},
		{"QF102", "time, measured", situation{
			queue: retention("3600000"), topic: there(parts(one, one, one)), sizes: live.Sizes{{1: 5}, {1: 6}, {1: 7}},
			offsets: young(held(10, 20, 30), 3600_000, 104, live.NoOffset, 100), readers: live.Readers{"billing": {0: 101, 1: 119, 2: 100}, "done": {0: 104, 1: 120}},
		}, guard.Blocks, "24 11 billing:4", ""},
		{"QF102", "time, nothing that old", situation{
			queue: retention("3600000"), topic: there(parts(one)), sizes: live.Sizes{{1: 5}}, offsets: young(held(10), 3600_000, 100),
		}, guard.Warns, "0 0 none", "nothing"},
		{"QF102", "time, longer than there is time", situation{
			queue: retention("9000000000000"), topic: there(parts(one), "retention.ms", "-1"), sizes: live.Sizes{{1: 5}},
			offsets: young(held(10), now, 100), readers: live.Readers{},
		}, guard.Warns, "0 0 none", "nothing"},
		{"QF102", "time, how old not known", situation{queue: retention("3600000"), topic: there(parts(one)), sizes: live.Sizes{{1: 5}}, offsets: held(10), readers: live.Readers{}}, guard.Blocks, "10 5 none", ""},
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
		{"QF102", "bytes, none beyond", situation{queue: declared("retention.bytes", "1048576"), topic: there(parts(one)), sizes: live.Sizes{{1: mib}}}, guard.Warns, "0 0 none", ""},
		{"QF102", "bytes by reset to what nobody knows", situation{queue: declared(), topic: there(parts(one), "retention.bytes", "7"), defaults: map[string]string{}, sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", "retention.bytes 7 -> unknown"},
		{"QF102", "bytes, measured", situation{
			queue: declared("retention.bytes", "1048576"), topic: there(parts(one, one)), sizes: live.Sizes{{1: mib, 2: mib + 5}, {1: mib}},
			offsets: held(10, 20), readers: live.Readers{"billing": {0: 107}},
		}, guard.Blocks, "10 5 billing:3", ""},
		{"QF102", "bytes, how many not known", situation{queue: declared("retention.bytes", "1048576"), topic: there(parts(one)), offsets: held(10), readers: live.Readers{}}, guard.Blocks, "10 unknown none", ""},
		{"QF102", "bytes to none", situation{queue: declared("retention.bytes", "-1"), topic: there(parts(one), "retention.bytes", "7")}, "", "", ""},
		{"QF102", "time and bytes", situation{queue: declared("retention.bytes", "1048576", "retention.ms", "1"), topic: there(parts(one)), sizes: live.Sizes{{1: 5}}}, guard.Blocks, "unknown 5 unknown", "retention.ms 7d -> 1ms, retention.bytes unlimited -> 1MiB"},
		{"QF102", "time and bytes, measured", situation{
			queue: declared("retention.bytes", "1048576", "retention.ms", "1"), topic: there(parts(one, one, one)), sizes: live.Sizes{{1: 5}, {1: mib + 3}, {1: 9}},
			offsets: young(held(10, 20, 30), 1, 101, 100, 100), readers: live.Readers{},
		}, guard.Blocks, "21 8 none", ""},
		{"QF102", "compact becomes delete", situation{queue: declared("cleanup.policy", "delete"), topic: there(parts(one), "cleanup.policy", "compact")}, guard.Blocks, nothing, "retention.ms unlimited -> 7d"},
		{"QF102", "an empty policy becomes delete", situation{queue: declared(), topic: there(parts(one), "cleanup.policy", "")}, guard.Blocks, nothing, "retention.ms unlimited -> 7d"},
		{"QF102", "delete becomes compact", situation{queue: declared("cleanup.policy", "compact"), topic: there(parts(one))}, "", "", ""},
		{"QF102", "created", situation{queue: retention("1")}, "", "", ""},

		{"QF103", "starts", situation{queue: declared("cleanup.policy", "compact,delete"), topic: there(parts(one)), sizes: live.Sizes{{1: 9}}}, guard.Blocks, "unknown 9 unknown", "compaction starts"},
		{"QF103", "starts, measured", situation{
			queue: declared("cleanup.policy", "compact"), topic: there(parts(one)), sizes: live.Sizes{{1: 9}}, offsets: held(10), readers: live.Readers{"billing": {0: 105}, "done": {0: 110}},
		}, guard.Blocks, "10 9 billing:5", ""},
		{"QF103", "stops, by reset", situation{queue: declared(), topic: there(parts(one), "cleanup.policy", "compact")}, guard.Blocks, nothing, "compaction stops"},
		{"QF103", "may start", situation{queue: declared("cleanup.policy", "compact"), topic: there(parts(one)), defaults: map[string]string{}}, guard.Blocks, nothing, "may start or stop"},
		{"QF103", "stays", situation{queue: declared("cleanup.policy", "compact,delete"), topic: there(parts(one), "cleanup.policy", "compact")}, "", "", ""},
		{"QF103", "pinned", situation{queue: declared("cleanup.policy", "delete"), topic: there(parts(one))}, "", "", ""},
		{"QF103", "created", situation{queue: declared("cleanup.policy", "compact")}, "", "", ""},
		{"QF103", "another key, where nothing is known", situation{queue: other, topic: there(parts(one)), defaults: map[string]string{}}, "", "", ""},

		{"QF201", "keyed", situation{queue: sized(keyed(declared()), 3, 0), topic: there(parts(one))}, guard.Blocks, harmless, "keys (order id) change partition: 1 -> 3 partitions"},
		{"QF201", "not keyed", situation{queue: sized(declared(), 3, 0), topic: there(parts(one))}, "", "", ""},
		{"QF201", "keyed, another change", situation{queue: keyed(declared("flush.ms", "1")), topic: there(parts(one))}, "", "", ""},
		{"QF201", "created", situation{queue: sized(keyed(declared()), 3, 0)}, "", "", ""},

		{"QF203", "lowered", situation{queue: declared("max.message.bytes", "1000000"), topic: there(parts(one), "max.message.bytes", "2097152")}, guard.Warns, harmless, "max.message.bytes 2MiB -> 1MB"},
		{"QF203", "lowered by reset", situation{queue: declared(), topic: there(parts(one), "max.message.bytes", "2097152"), defaults: map[string]string{"max.message.bytes": "1048576"}}, guard.Warns, harmless, "2MiB -> 1MiB"},
		{"QF203", "perhaps lowered", situation{queue: declared("max.message.bytes", "1000000"), topic: there(parts(one))}, guard.Warns, harmless, "unknown -> 1MB"},
		{"QF203", "raised", situation{queue: declared("max.message.bytes", "2097152"), topic: there(parts(one), "max.message.bytes", "1048576")}, "", "", ""},
		{"QF203", "created", situation{queue: declared("max.message.bytes", "1")}, "", "", ""},

		{"QF301", "lowered", situation{queue: with(declared(), 1), topic: there(parts(three))}, guard.Warns, harmless, "replication_factor 3 -> 1"},
		{"QF301", "lowered by explicit replicas", situation{queue: placed(declared(), one), topic: there(parts(three))}, guard.Warns, harmless, "replication_factor 3 -> 1"},
		{"QF301", "evened", situation{queue: with(declared(), 3), topic: there(parts(three, one))}, "", "", ""},
		{"QF301", "raised", situation{queue: with(declared(), 3), topic: there(parts(one))}, "", "", ""},
		{"QF301", "a new partition begins with more", situation{queue: sized(declared(), 2, 3), topic: there(parts(three))}, "", "", ""},
		{"QF301", "deleted", situation{topic: there(parts(three))}, "", "", ""},

		{"QF302", "one partition lags", situation{queue: isr("2"), topic: lagging(there(parts(three, three)), 1)}, guard.Blocks, harmless, "min.insync.replicas 2, and partition 1 has 1 in sync"},
		{"QF302", "two partitions lag", situation{queue: isr("2"), topic: lagging(lagging(there(parts(three, three, three)), 1), 2)}, guard.Blocks, harmless, "; 2 of 3 partitions have too few"},
		{"QF302", "all in sync", situation{queue: isr("3"), topic: there(parts(three))}, "", "", ""},
		{"QF302", "above the replicas", situation{queue: isr("2"), topic: there(parts(one))}, guard.Blocks, harmless, "partition 0 has 1 in sync"},
		{"QF302", "raised with the replicas", situation{queue: with(isr("2"), 3), topic: there(parts(one))}, "", "", ""},
		{"QF302", "raised beyond the replicas", situation{queue: with(isr("4"), 3), topic: there(parts(one))}, guard.Blocks, harmless, "partition 0 has 3 in sync"},
		{"QF302", "lowered", situation{queue: isr("2"), topic: lagging(there(parts(three), "min.insync.replicas", "3"), 0)}, "", "", ""},
		{"QF302", "raised by reset", situation{queue: declared(), topic: there(parts(one), "min.insync.replicas", "1"), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Blocks, harmless, ""},
		{"QF302", "raised from what nobody knows", situation{queue: isr("2"), topic: there(parts(one)), defaults: map[string]string{}}, guard.Blocks, harmless, ""},
		{"QF302", "replicas lowered below it", situation{queue: with(declared(), 1), topic: there(parts(three)), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Blocks, harmless, "min.insync.replicas 2, and partition 0 has 1 in sync"},
		{"QF302", "another change while producers are stopped", situation{queue: other, topic: lagging(there(parts(three)), 0), defaults: map[string]string{"min.insync.replicas": "2"}}, "", "", ""},
		{"QF302", "replicas lowered, its configs unseen", situation{queue: with(declared(), 1), topic: blind(there(parts(three))), defaults: map[string]string{"min.insync.replicas": "2"}}, "", "", ""},
		{"QF302", "created", situation{queue: with(isr("2"), 1)}, "", "", ""},

		{"QF303", "set", situation{queue: isr("3"), topic: there(parts(three))}, guard.Warns, harmless, "min.insync.replicas 3 of 3 replicas"},
		{"QF303", "created", situation{queue: with(isr("2"), 2)}, guard.Warns, harmless, "min.insync.replicas 2 of 2 replicas"},
		{"QF303", "created, inherited", situation{queue: with(declared(), 2), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Warns, harmless, ""},
		{"QF303", "replicas lowered to it", situation{queue: with(declared(), 2), topic: there(parts(three)), defaults: map[string]string{"min.insync.replicas": "2"}}, guard.Warns, harmless, ""},
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

		{"QF305", "under-replicated", situation{queue: other, topic: lagging(there(parts(three, three)), 1)}, guard.Warns, harmless, "0 offline and 1 under-replicated of 2 partitions"},
		{"QF305", "offline", situation{queue: other, topic: offline(there(parts(one)))}, guard.Warns, harmless, "1 offline and 0 under-replicated of 1 partition"},
		{"QF305", "healthy", situation{queue: other, topic: there(parts(three))}, "", "", ""},
		{"QF305", "replicas on their way", situation{queue: other, topic: arriving(lagging(there(parts(three)), 0), 2, 3)}, "", "", ""},
		{"QF305", "one on its way, another lags", situation{queue: other, topic: arriving(lagging(there(parts(three)), 0), 3)}, guard.Warns, harmless, ""},

		{"QF306", "raised, not measured", situation{queue: with(declared(), 3), topic: there(parts(one)), throttle: mib}, guard.Warns, "0 unknown none", "2 replicas are copied from brokers [1] to [2 3], an unknown number of bytes"},
		{"QF306", "raised, measured", situation{queue: with(declared(), 3), topic: there(parts(one)), sizes: live.Sizes{{1: 10 * mib}}, throttle: 2 * mib}, guard.Warns, fmt.Sprintf("0 %d none", 20*mib), "up to 20 MiB, at least 5s at 2.0 MiB/s"},
		{"QF306", "raised, unthrottled", situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 10 * mib}}}, guard.Warns, fmt.Sprintf("0 %d none", 10*mib), "from brokers [1] to [2], up to 10 MiB"},
		{"QF306", "only the order", situation{queue: placed(declared(), []int32{3, 2, 1}), topic: there(parts(three))}, "", "", ""},
		{"QF306", "lowered", situation{queue: with(declared(), 1), topic: there(parts(three))}, "", "", ""},

		// 600 of 1,200 messages of 60 MiB came in the last minute: 0.5 MiB/s.
		{
			"QF307", "to the followers",
			situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, 700), throttle: mib / 2},
			guard.Warns, harmless, "512 KiB/s are written to what moves, and the throttle is 512 KiB/s",
		},
		{
			"QF307", "from the leader, to two",
			situation{queue: with(declared(), 3), topic: there(parts(one)), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, 700), throttle: mib},
			guard.Warns, harmless, "at broker 1 1.0 MiB/s are written",
		},
		{
			"QF307", "from the leader, to one in sync, too",
			situation{queue: with(declared(), 3), topic: there(parts([]int32{1, 2})), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, 700), throttle: mib},
			guard.Warns, harmless, "at broker 1 1.0 MiB/s are written",
		},
		{"QF307", "what comes meanwhile takes nothing from the rest", situation{
			queue: with(declared(), 3), topic: there(parts([]int32{1, 2}, []int32{1, 2})), sizes: live.Sizes{{1: 60 * mib}, {1: 60 * mib}}, offsets: young(held(1200, 1200), 60_000, 700, 1900), throttle: mib,
		}, guard.Warns, harmless, "at broker 1 1.0 MiB/s"},
		{"QF307", "a partition that is new", situation{
			queue: sized(declared(), 2, 3), topic: there(parts(one)), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, live.NoOffset), throttle: 1,
		}, "", "", ""},
		{"QF307", "enough", situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, 700), throttle: mib/2 + 1}, "", "", ""},
		{"QF307", "nothing came", situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 60 * mib}}, offsets: young(held(1200), 60_000, live.NoOffset), throttle: 1}, "", "", ""},
		{"QF307", "empty", situation{queue: with(declared(), 2), topic: there(parts(one)), sizes: live.Sizes{{1: 0}}, offsets: young(held(0), 60_000, live.NoOffset), throttle: 1}, "", "", ""},
		{"QF307", "not known", situation{queue: with(declared(), 2), topic: there(parts(one)), throttle: mib}, guard.Warns, harmless, "it is not known"},
		{"QF307", "unthrottled", situation{queue: with(declared(), 2), topic: there(parts(one))}, "", "", ""},
		{"QF307", "nothing is copied", situation{queue: with(declared(), 1), topic: there(parts(three)), throttle: 1}, "", "", ""},

		// 2 MiB/s over an hour are 7,200 MiB on each of two replicas.
		{"QF501", "the disks are too small", situation{queue: loaded(3_600_000, 3, 2), disks: room(7199*mib, 7200*mib)}, guard.Warns, harmless, "may not fit: 14 GiB on disk at the retention, of 14 GiB"},
		{"QF501", "no disks are large enough", situation{queue: loaded(1<<62, 3, 2), disks: room(1)}, guard.Warns, harmless, "8.0 EiB on disk"},
		{"QF501", "the disks are large enough", situation{queue: loaded(3_600_000, 3, 2), disks: room(7200*mib, 7200*mib)}, "", "", ""},
		{"QF501", "what it has already is room, too", situation{queue: loaded(3_600_000, 3, 2), topic: there(parts([]int32{1, 2}, []int32{1, 2})), disks: having(room(7199*mib, 7199*mib), mib)}, "", "", ""},
		{"QF501", "bounded by bytes", situation{queue: bounded(loaded(3_600_000, 3, 2), mib), disks: room(3*mib, 3*mib)}, "", "", ""},
		{"QF501", "bounded by time before bytes", situation{queue: bounded(loaded(1000, 3, 2), 9*mib), disks: room(2*mib, 2*mib)}, "", "", ""},
		{"QF501", "bounded by bytes that are too many", situation{queue: bounded(loaded(3_600_000, 3, 2), mib), disks: room(3*mib, 3*mib-1)}, guard.Warns, harmless, "6.0 MiB on disk"},
		{"QF501", "the disks are not known", situation{queue: loaded(3_600_000, 3, 2)}, guard.Warns, harmless, "14 GiB on disk at the retention, of an unknown room"},
		{"QF501", "the brokers do not tell what is free", situation{queue: loaded(3_600_000, 3, 2), disks: room(live.NoSpace)}, guard.Warns, harmless, "of an unknown room"},
		{"QF501", "nothing shows what is inherited", situation{queue: sized(heavy(declared()), 3, 2), disks: room(1), defaults: map[string]string{}}, guard.Warns, harmless, "2.3 TiB on disk"},
		{"QF501", "for ever", situation{queue: loaded(-1, 3, 2), disks: room(1)}, "", "", ""},
		{"QF501", "no load", situation{queue: retention("1"), disks: room(1)}, "", "", ""},
		{"QF501", "another change", situation{queue: with(heavy(other), 0), topic: there(parts(one)), disks: room(1)}, "", "", ""},
		{"QF501", "on the embedded cluster", situation{queue: loaded(3_600_000, 3, 2), disks: room(1), cluster: &schema.Cluster{Name: schema.EmbeddedCluster}}, "", "", ""},
		{"QF501", "too many partitions", situation{queue: sized(declared(), 3, 2), disks: room(1, 1), cluster: limited(schema.Capacity{PartitionsPerBroker: 12})}, guard.Warns, harmless, "13 partitions on broker 1, of max_partitions_per_broker 12"},
		{"QF501", "how many partitions there are is not known", situation{queue: sized(declared(), 3, 2), cluster: limited(schema.Capacity{PartitionsPerBroker: 12})}, guard.Warns, harmless, "an unknown number of partitions"},
		{"QF501", "as many partitions as there may be", situation{queue: sized(declared(), 3, 2), disks: room(1, 1), cluster: limited(schema.Capacity{PartitionsPerBroker: 13})}, "", "", ""},
		{"QF501", "partitions that are there already", situation{queue: sized(declared(), 3, 2), topic: there(parts([]int32{1, 2}, []int32{1, 2})), disks: room(1, 1), cluster: limited(schema.Capacity{PartitionsPerBroker: 11})}, "", "", ""},
		{"QF501", "too much for the brokers", situation{queue: loaded(-1, 3, 2), cluster: limited(schema.Capacity{BytesInPerBroker: 4*mib/5 - 1})}, guard.Warns, harmless, "819 KiB/s into each broker, of max_bytes_in_per_broker 819 KiB"},
		{"QF501", "not too much for the brokers", situation{queue: loaded(-1, 3, 2), cluster: limited(schema.Capacity{BytesInPerBroker: 4*mib/5 + 1})}, "", "", ""},
		{"QF501", "too much for a partition", situation{queue: loaded(-1, 2, 2), cluster: limited(schema.Capacity{BytesInPerPartition: mib - 1})}, guard.Warns, harmless, "1.0 MiB/s into each partition, of max_bytes_in_per_partition"},
		{"QF501", "too much for a partition, another change", situation{queue: heavy(other), topic: there(parts(one)), cluster: limited(schema.Capacity{BytesInPerPartition: 1})}, "", "", ""},
		{"QF501", "not too much for a partition", situation{queue: loaded(-1, 2, 2), cluster: limited(schema.Capacity{BytesInPerPartition: mib})}, "", "", ""},

		{"QF601", "changed, nobody's", situation{queue: other, topic: there(parts(one)), ledger: live.Is(live.Ledger{})}, guard.Blocks, harmless, "not this topology's yet"},
		{"QF601", "changed, no ledger", situation{queue: other, topic: there(parts(one)), ledger: live.None[live.Ledger]()}, guard.Blocks, harmless, "not this topology's yet"},
		{"QF601", "deleted, nobody's", situation{topic: there(parts(one)), ledger: live.None[live.Ledger]()}, guard.Blocks, harmless, ""},
		{"QF601", "changed, made again since", situation{queue: other, topic: there(parts(one)), ledger: owned("shop", 2)}, guard.Blocks, harmless, ""},
		{"QF601", "changed, the ledger unseen", situation{queue: other, topic: there(parts(one)), ledger: live.Hidden[live.Ledger]("not permitted", "")}, "", "", ""},
		{"QF601", "changed, ours", situation{queue: other, topic: there(parts(one)), ledger: owned("shop", 1)}, "", "", ""},
		{"QF601", "changed, the ledger not asked for", situation{queue: other, topic: there(parts(one))}, "", "", ""},
		{"QF601", "created", situation{queue: other, ledger: live.None[live.Ledger]()}, "", "", ""},
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
		if elsewhere[h.Code] {
			continue
		}
		if count := rows[h.Code]; count[0] == 0 || count[1] == 0 {
			t.Errorf("%s: %d rows do not find it, %d do", h.Code, count[0], count[1])
		}
	}
}

// elsewhere are the hazards of users, groups, rights and quotas: see
// TestAccessHazards and TestGroupHazards.
var elsewhere = map[string]bool{"QF104": true, "QF105": true, "QF106": true, "QF202": true, "QF401": true, "QF402": true, "QF403": true}

// Where it is unknown how much moves, the right that would tell is named.
func TestMovesOfUnknownSizeNameTheRight(t *testing.T) {
	p, facts := situation{queue: sized(declared(), 0, 2), topic: there(parts(one)), offsets: young(held(1200), 60_000, 700), throttle: mib}.plan(t)
	facts.Answers.Sizes = map[string]live.Seen[live.Sizes]{"shop.orders": live.Hidden[live.Sizes]("not permitted", "Describe on Cluster")}
	found, _ := guard.Judge(p, facts)
	var got []string
	for _, f := range found {
		if f.Code == "QF306" || f.Code == "QF307" {
			got = append(got, f.Summary)
		}
	}
	const why = "(not permitted, Describe on Cluster is missing)"
	want := []string{
		"1 replica is copied from brokers [1] to [2], an unknown number of bytes " + why,
		"it is not known how much is written to what moves " + why + ": at 1.0 MiB/s it may never end",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// heavy is a queue that takes in 2 MiB a second.
func heavy(q *schema.Queue) *schema.Queue {
	copied := *q
	copied.Load = &schema.Load{MessagesPerSecond: 2, MessageBytes: mib}
	return &copied
}

func loaded(retention int64, partitions, factor int) *schema.Queue {
	return sized(heavy(declared("retention.ms", fmt.Sprint(retention))), partitions, factor)
}

func bounded(q *schema.Queue, bytes int64) *schema.Queue {
	q.Config["retention.bytes"] = schema.Setting{Value: fmt.Sprint(bytes)}
	return q
}

// room are the disks of brokers that have so many bytes free, and ten replicas each.
func room(free ...int64) live.Disks {
	all := live.Disks{}
	for i, bytes := range free {
		all[int32(i+1)] = live.Disk{Usable: bytes, Replicas: 10}
	}
	return all
}

// having adds what the brokers hold of the topic.
func having(all live.Disks, bytes int64) live.Disks {
	for id, disk := range all {
		disk.Bytes = map[string]int64{"shop.orders": bytes}
		all[id] = disk
	}
	return all
}

func limited(c schema.Capacity) *schema.Cluster { return &schema.Cluster{Capacity: &c} }

func owned(topology string, id byte) live.Seen[live.Ledger] {
	return live.Is(live.Ledger{Owners: live.Owners{schema.KindQueue: {"shop.orders": {Topology: topology, TopicID: live.TopicID{id}}}}})
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
	const topic = "shop.orders"
	places := []live.Position{{Topic: topic, At: live.Start}, {Topic: topic, At: live.End}, {Topic: topic, At: now - 1}}
	if diff := gocmp.Diff(live.Questions{Sizes: []string{topic}, Offsets: places, Readers: []string{topic}}, open); diff != "" {
		t.Error(diff)
	}
	seen := situation{sizes: live.Sizes{{1: 5}}, offsets: young(held(10), 1, 105), readers: live.Readers{}}.answers()
	const why = "not permitted"
	unseen := live.Answers{
		Sizes:   map[string]live.Seen[live.Sizes]{topic: live.Hidden[live.Sizes](why, "")},
		Offsets: map[live.Position]live.Seen[live.Offsets]{}, Readers: map[string]live.Seen[live.Readers]{},
	}
	for _, p := range places {
		unseen.Offsets[p] = live.Hidden[live.Offsets](why, "")
	}
	unseen.Readers[topic] = live.Hidden[live.Readers](why, "Describe on Cluster")
	for name, test := range map[string]struct {
		answers live.Answers
		why     string
	}{"known": {seen, ""}, "unseen": {unseen, "not permitted; not permitted, Describe on Cluster is missing"}} {
		facts.Answers = test.answers
		found, open := guard.Judge(p, facts)
		if !open.None() || found[0].Code != "QF102" || found[0].Radius.Why != test.why {
			t.Errorf("%s: asked again: %+v, or no reason why not: %+v", name, open, found)
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
	if diff := gocmp.Diff([]string{"QF102", "QF201", "QF202", "QF305"}, codes); diff != "" {
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
