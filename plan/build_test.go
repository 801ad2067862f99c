package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// at is a line of the file that the tests' topologies pretend to come from.
func at(line int) hcl.Range {
	return hcl.Range{Filename: "shop.hcl", Start: hcl.Pos{Line: line, Column: 1}, End: hcl.Pos{Line: line, Column: 2}}
}

func address(label string) schema.Addr { return schema.Addr{Kind: schema.KindQueue, Label: label} }

// queue is declared on line 1; its attributes are on the lines after.
func queue(label string, set ...func(*schema.Queue)) *schema.Queue {
	q := &schema.Queue{
		Decl: schema.Decl{Addr: address(label), Written: schema.Written{Source: at(1), Attrs: map[string]hcl.Range{
			"topic": at(2), "partitions": at(3), "replication_factor": at(4), "placement": at(5), "config": at(6),
		}}},
		Topic:  "shop." + label,
		Config: map[string]schema.Setting{},
	}
	for _, s := range set {
		s(q)
	}
	return q
}

func partitions(n int) func(*schema.Queue) { return func(q *schema.Queue) { q.Partitions = n } }

func factor(n int) func(*schema.Queue) { return func(q *schema.Queue) { q.ReplicationFactor = n } }

func config(key, value string) func(*schema.Queue) {
	return func(q *schema.Queue) { q.Config[key] = schema.Setting{Value: value, Spelling: value} }
}

func spelled(key, value, spelling string) func(*schema.Queue) {
	return func(q *schema.Queue) { q.Config[key] = schema.Setting{Value: value, Spelling: spelling} }
}

func racks(names ...string) func(*schema.Queue) {
	return func(q *schema.Queue) { q.Placement = &schema.Placement{Racks: [][]string{names}} }
}

// replicas are declared as the language does: the lists give both numbers too.
func replicas(each ...[]int32) func(*schema.Queue) {
	return func(q *schema.Queue) {
		q.Placement = &schema.Placement{Replicas: each}
		q.Partitions, q.ReplicationFactor = len(each), len(each[0])
		delete(q.Attrs, "partitions")
		delete(q.Attrs, "replication_factor")
	}
}

func deadLetter(label string) func(*schema.Queue) {
	return func(q *schema.Queue) { q.DeadLetter = new(address(label)) }
}

func ignores(keys ...string) func(*schema.Queue) {
	return func(q *schema.Queue) { q.Lifecycle.IgnoreConfig = keys }
}

func external(label string) *schema.ExternalQueue {
	a := schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: label}
	return &schema.ExternalQueue{
		Decl:  schema.Decl{Addr: a, Written: schema.Written{Source: at(1), Attrs: map[string]hcl.Range{"topic": at(2)}}},
		Topic: "pay." + label,
	}
}

func removal(topic string) schema.Removal {
	return schema.Removal{
		Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindQueue, Key: topic, Keyed: true}, Written: schema.Written{Source: at(9)}},
		Object: id(topic),
	}
}

func id(topic string) schema.ID { return schema.ID{Kind: schema.KindQueue, Name: topic} }

func topology(resources ...schema.Resource) *schema.Topology {
	slices.SortFunc(resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	return &schema.Topology{Name: "shop", Resources: resources}
}

// topic has the partitions, in sync and led by their first replica, and these
// overrides: key, value, key, value.
func topic(placed [][]int32, overrides ...string) live.Topic {
	t := live.Topic{ID: live.TopicID{1}, Overrides: live.Is(map[string]string{})}
	for _, list := range placed {
		t.Partitions = append(t.Partitions, live.Partition{Leader: list[0], Replicas: list, InSync: list})
	}
	for i := 0; i < len(overrides); i += 2 {
		t.Overrides.Value[overrides[i]] = overrides[i+1]
	}
	return t
}

// world is a cluster of six brokers over the racks a, b, c that has these
// topics; every other topic is known to be absent.
func world(topics map[string]live.Topic, change ...func(*live.Snapshot)) *live.Snapshot {
	s := &live.Snapshot{
		Cluster: live.Cluster{ID: "test", Brokers: brokers(6, "a", "b", "c"), Pins: true},
		Topics:  map[string]live.Seen[live.Topic]{},
		Moves:   live.Is(0),
		Defaults: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "604800000", "retention.bytes": "-1", "min.insync.replicas": "1",
		},
	}
	for _, name := range []string{"shop.orders", "shop.orders_dead", "shop.other", "shop.old", "pay.events"} {
		s.Topics[name] = live.None[live.Topic]()
	}
	for name, t := range topics {
		s.Topics[name] = live.Is(t)
	}
	for _, c := range change {
		c(s)
	}
	return s
}

// orders is a world in which only shop.orders exists.
func orders(t live.Topic, change ...func(*live.Snapshot)) *live.Snapshot {
	return world(map[string]live.Topic{"shop.orders": t}, change...)
}

func lists(each ...[]int32) [][]int32 { return each }

// head is that of a step for the only change of a plan.
func head(phase plan.Phase, records int) plan.Head {
	return plan.Head{Phase: phase, Object: id("shop.orders"), Changes: []int{0}, Records: records}
}

func set(records int, pairs ...string) *plan.AlterConfigs {
	s := &plan.AlterConfigs{Head: head(plan.PhaseConfigs, records), Set: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		s.Set[pairs[i]] = pairs[i+1]
	}
	return s
}

func TestBuildChanges(t *testing.T) {
	const minInSync = "min.insync.replicas"
	one, three := []int32{1}, []int32{1, 2, 3}
	for name, test := range map[string]struct {
		queue  *schema.Queue
		live   *live.Snapshot
		action plan.Action
		fields []plan.Field
		steps  []plan.Step
	}{
		"create": {
			queue("orders", partitions(12), factor(3), spelled("retention.ms", "86400000", "1d")), world(nil), plan.Create,
			[]plan.Field{
				{Path: "partitions", After: 12, Source: at(3)},
				{Path: "replication_factor", After: 3, Source: at(4)},
				{Path: "config.retention.ms", After: "86400000", Spelling: "1d", Source: at(1)},
			},
			[]plan.Step{&plan.CreateTopic{Head: head(plan.PhaseCreate, 14), Partitions: 12, Factor: 3, Configs: map[string]string{"retention.ms": "86400000"}}},
		},
		"create, the numbers left to the broker": {
			queue("orders"), world(nil), plan.Create, nil,
			[]plan.Step{&plan.CreateTopic{Head: head(plan.PhaseCreate, 11), Partitions: -1, Factor: -1}},
		},
		"create on racks": {
			queue("orders", partitions(2), factor(2), racks("a", "b")), world(nil), plan.Create,
			[]plan.Field{
				{Path: "partitions", After: 2, Source: at(3)},
				{Path: "replication_factor", After: 2, Source: at(4)},
				{Path: "placement", After: lists([]int32{1, 2}, []int32{4, 5}), Source: at(5)},
			},
			[]plan.Step{&plan.CreateTopic{Head: head(plan.PhaseCreate, 3), Partitions: -1, Factor: -1, Assign: lists([]int32{1, 2}, []int32{4, 5})}},
		},
		"create on brokers": {
			queue("orders", replicas([]int32{6, 5})), world(nil), plan.Create,
			[]plan.Field{
				{Path: "partitions", After: 1, Source: at(5)},
				{Path: "replication_factor", After: 2, Source: at(5)},
				{Path: "placement", After: lists([]int32{6, 5}), Source: at(5)},
			},
			[]plan.Step{&plan.CreateTopic{Head: head(plan.PhaseCreate, 2), Partitions: -1, Factor: -1, Assign: lists([]int32{6, 5})}},
		},
		"config set": {
			queue("orders", spelled("retention.ms", "86400000", "1d")), orders(topic(lists(one), "retention.ms", "3600000")), plan.Update,
			[]plan.Field{{Path: "config.retention.ms", Before: "3600000", After: "86400000", Spelling: "1d", Source: at(1)}},
			[]plan.Step{set(1, "retention.ms", "86400000")},
		},
		"config pinned to what it inherits": {
			queue("orders", config("retention.ms", "604800000")), orders(topic(lists(one))), plan.Update,
			[]plan.Field{{Path: "config.retention.ms", Before: "604800000", After: "604800000", Inherited: plan.Before, Source: at(1)}},
			[]plan.Step{set(1, "retention.ms", "604800000")},
		},
		"config that no topic had": {
			queue("orders", config("redpanda.remote.read", "true")), orders(topic(lists(one))), plan.Update,
			[]plan.Field{{Path: "config.redpanda.remote.read", After: "true", Source: at(1)}},
			[]plan.Step{set(1, "redpanda.remote.read", "true")},
		},
		"config reset, all in one request": {
			queue("orders", config("cleanup.policy", "compact")), orders(topic(lists(one), "retention.ms", "1", "flush.ms", "2")), plan.Update,
			[]plan.Field{
				{Path: "config.cleanup.policy", Before: "delete", After: "compact", Inherited: plan.Before, Source: at(1)},
				{Path: "config.flush.ms", Before: "2", Inherited: plan.After, Source: at(6)},
				{Path: "config.retention.ms", Before: "1", After: "604800000", Inherited: plan.After, Source: at(6)},
			},
			[]plan.Step{&plan.AlterConfigs{
				Head: head(plan.PhaseConfigs, 3), Set: map[string]string{"cleanup.policy": "compact"}, Reset: []string{"flush.ms", "retention.ms"},
			}},
		},
		"partitions up": {
			queue("orders", partitions(3)), orders(topic(lists(three))), plan.Update,
			[]plan.Field{{Path: "partitions", Before: 1, After: 3, Source: at(3)}},
			[]plan.Step{&plan.AddPartitions{Head: head(plan.PhasePartitions, 2), Total: 3}},
		},
		"partitions up on racks": {
			queue("orders", partitions(2), factor(1), racks("b")), orders(topic(lists([]int32{2}))), plan.Update,
			[]plan.Field{
				{Path: "partitions", Before: 1, After: 2, Source: at(3)},
				{Path: "placement", Before: lists([]int32{2}), After: lists([]int32{2}, []int32{5}), Source: at(5)},
			},
			[]plan.Step{&plan.AddPartitions{Head: head(plan.PhasePartitions, 1), Total: 2, Assign: lists([]int32{5})}},
		},
		"partitions and replicas up: new partitions begin with as many as the old ones": {
			queue("orders", partitions(2), factor(2)), orders(topic(lists(one))), plan.Update,
			[]plan.Field{
				{Path: "partitions", Before: 1, After: 2, Source: at(3)},
				{Path: "replication_factor", Before: 1, After: 2, Source: at(4)},
			},
			[]plan.Step{
				&plan.AddPartitions{Head: head(plan.PhasePartitions, 1), Total: 2, Assign: lists([]int32{3})},
				&plan.Reassign{Head: head(plan.PhaseMove, 2), Moves: []plan.Move{
					{Partition: 0, From: one, To: []int32{1, 2}}, {Partition: 1, From: []int32{3}, To: []int32{3, 4}},
				}},
			},
		},
		"partitions up and replicas down, on brokers": {
			queue("orders", replicas([]int32{1}, []int32{6})), orders(topic(lists(three))), plan.Update,
			[]plan.Field{
				{Path: "partitions", Before: 1, After: 2, Source: at(5)},
				{Path: "replication_factor", Before: 3, After: 1, Source: at(5)},
				{Path: "placement", Before: lists(three), After: lists(one, []int32{6}), Source: at(5)},
			},
			[]plan.Step{
				&plan.AddPartitions{Head: head(plan.PhasePartitions, 1), Total: 2, Assign: lists([]int32{6, 2, 4})},
				&plan.Reassign{Head: head(plan.PhaseMove, 2), Moves: []plan.Move{
					{Partition: 0, From: three, To: one}, {Partition: 1, From: []int32{6, 2, 4}, To: []int32{6}},
				}},
			},
		},
		"replicas up": {
			queue("orders", factor(3)), orders(topic(lists(one))), plan.Update,
			[]plan.Field{{Path: "replication_factor", Before: 1, After: 3, Source: at(4)}},
			[]plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: one, To: three}}}},
		},
		"replicas down": {
			queue("orders", factor(1)), orders(topic(lists(three))), plan.Update,
			[]plan.Field{{Path: "replication_factor", Before: 3, After: 1, Source: at(4)}},
			[]plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: three, To: one}}}},
		},
		"replicas evened, the largest number is right already": {
			queue("orders", factor(3)), orders(topic(lists(three, []int32{4, 5}))), plan.Update,
			[]plan.Field{{Path: "placement", Before: lists(three, []int32{4, 5}), After: lists(three, []int32{4, 5, 6}), Source: at(4)}},
			[]plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{Partition: 1, From: []int32{4, 5}, To: []int32{4, 5, 6}}}}},
		},
		"moved to other racks, where it is not yet": {
			queue("orders", partitions(2), factor(1), racks("a")), orders(topic(lists([]int32{4}, []int32{2}))), plan.Update,
			[]plan.Field{{Path: "placement", Before: lists([]int32{4}, []int32{2}), After: lists([]int32{4}, one), Source: at(5)}},
			[]plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{Partition: 1, From: []int32{2}, To: one}}}},
		},
		"preferred leader": {
			queue("orders", replicas([]int32{3, 2, 1})), orders(topic(lists(three))), plan.Update,
			[]plan.Field{{Path: "placement", Before: lists(three), After: lists([]int32{3, 2, 1}), Source: at(5)}},
			[]plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: three, To: []int32{3, 2, 1}}}}},
		},
		"min.insync.replicas rises after the replicas are there": {
			queue("orders", factor(3), config(minInSync, "2"), config("flush.ms", "5")), orders(topic(lists(one))), plan.Update,
			[]plan.Field{
				{Path: "replication_factor", Before: 1, After: 3, Source: at(4)},
				{Path: "config.flush.ms", After: "5", Source: at(1)},
				{Path: "config.min.insync.replicas", Before: "1", After: "2", Inherited: plan.Before, Source: at(1)},
			},
			[]plan.Step{
				set(1, "flush.ms", "5"),
				&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: one, To: three}}},
				&plan.AlterConfigs{Head: head(plan.PhaseSettle, 1), Set: map[string]string{minInSync: "2"}},
			},
		},
		"min.insync.replicas rises by a reset, too": {
			queue("orders", factor(3)),
			orders(topic(lists(one), minInSync, "1"), func(s *live.Snapshot) { s.Defaults[minInSync] = "2" }), plan.Update,
			[]plan.Field{
				{Path: "replication_factor", Before: 1, After: 3, Source: at(4)},
				{Path: "config.min.insync.replicas", Before: "1", After: "2", Inherited: plan.After, Source: at(6)},
			},
			[]plan.Step{
				&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: one, To: three}}},
				&plan.AlterConfigs{Head: head(plan.PhaseSettle, 1), Reset: []string{minInSync}},
			},
		},
		"min.insync.replicas falls before the replicas go": {
			queue("orders", factor(1), config(minInSync, "1")), orders(topic(lists(three), minInSync, "2")), plan.Update,
			[]plan.Field{
				{Path: "replication_factor", Before: 3, After: 1, Source: at(4)},
				{Path: "config.min.insync.replicas", Before: "2", After: "1", Source: at(1)},
			},
			[]plan.Step{
				set(1, minInSync, "1"),
				&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{From: three, To: one}}},
			},
		},
		"min.insync.replicas waits for what an earlier apply adds": {
			queue("orders", factor(3), config(minInSync, "2")), orders(moving(topic(lists(three)), []int32{2, 3}, nil)), plan.Update,
			[]plan.Field{{Path: "config.min.insync.replicas", Before: "1", After: "2", Inherited: plan.Before, Source: at(1)}},
			[]plan.Step{&plan.AlterConfigs{Head: head(plan.PhaseSettle, 1), Set: map[string]string{minInSync: "2"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, diags := plan.Build(topology(test.queue), test.live, plan.Options{})
			if len(diags) > 0 || len(p.Blocked)+len(p.Unseen) > 0 {
				t.Fatal(diags, p.Blocked, p.Unseen)
			}
			want := []plan.Change{{Addr: test.queue.Addr, Object: test.queue.ID(), Action: test.action, Fields: test.fields, Source: at(1)}}
			if diff := cmp.Diff(want, p.Changes, withoutFacts); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.steps, p.Steps, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// moving lets the first partition be on its way to the replicas that it has.
func moving(t live.Topic, adding, removing []int32) live.Topic {
	p := &t.Partitions[0]
	p.Adding, p.Removing = adding, removing
	return t
}

func TestBuildNoChange(t *testing.T) {
	one := lists([]int32{1})
	for name, test := range map[string]struct {
		queue *schema.Queue
		live  *live.Snapshot
	}{
		"the same":                     {queue("orders", partitions(1), factor(1), config("retention.ms", "5")), orders(topic(one, "retention.ms", "5"))},
		"order of a list":              {queue("orders", config("cleanup.policy", "delete,compact")), orders(topic(one, "cleanup.policy", "compact, delete"))},
		"a number spelled otherwise":   {queue("orders", config("min.cleanable.dirty.ratio", "0.5")), orders(topic(one, "min.cleanable.dirty.ratio", "0.50"))},
		"a boolean spelled otherwise":  {queue("orders", config("preallocate", "true")), orders(topic(one, "preallocate", "True"))},
		"numbers left to the broker":   {queue("orders"), orders(topic(lists([]int32{1, 2}, []int32{3})))},
		"ignored":                      {queue("orders", ignores("retention.bytes")), orders(topic(one, "retention.bytes", "7"))},
		"a pin that brokers hide":      {queue("orders", config("retention.ms", "604800000")), orders(topic(one), func(s *live.Snapshot) { s.Cluster.Pins = false })},
		"on its racks":                 {queue("orders", partitions(1), factor(3), racks("a", "b", "c")), orders(topic(lists([]int32{6, 1, 2})))},
		"on its racks, a broker down":  {queue("orders", partitions(1), factor(3), racks("a", "b", "c")), orders(topic(lists([]int32{9, 1, 2})))},
		"on its brokers, one is down":  {queue("orders", replicas([]int32{9, 1})), orders(topic(lists([]int32{9, 1})))},
		"nothing to delete":            {queue("orders"), orders(topic(one))},
		"somebody moves what may move": {queue("orders"), orders(moving(topic(lists([]int32{4})), []int32{4}, []int32{1}))},
	} {
		t.Run(name, func(t *testing.T) {
			declared := topology(test.queue)
			declared.Removals = []schema.Removal{removal("shop.old")}
			p, diags := plan.Build(declared, test.live, plan.Options{})
			if len(diags) > 0 || len(p.Changes)+len(p.Steps)+len(p.Blocked)+len(p.Unseen)+len(p.Moving) > 0 {
				t.Errorf("%v %+v", diags, p)
			}
		})
	}
}

// A number spelled otherwise may come from a broker that keeps what it was told.
func TestBuildComparesWholeNumbersExactly(t *testing.T) {
	q := queue("orders", config("retention.ms", "9223372036854775806"))
	for value, changes := range map[string]int{"+9223372036854775806": 0, "9223372036854775807": 1} {
		p, _ := plan.Build(topology(q), orders(topic(lists([]int32{1}), "retention.ms", value)), plan.Options{})
		if len(p.Changes) != changes {
			t.Errorf("%s: %d changes, not %d", value, len(p.Changes), changes)
		}
	}
}

// withoutFacts leaves to TestFacts what changes are planned upon.
var withoutFacts = cmpopts.IgnoreFields(plan.Change{}, "Facts")

func TestBuildDeletes(t *testing.T) {
	old := topic(lists([]int32{1, 2}, []int32{2, 3}))
	declared := topology(queue("orders"))
	declared.Removals = []schema.Removal{removal("shop.old")}
	p, diags := plan.Build(declared, world(map[string]live.Topic{"shop.old": moving(old, []int32{2}, nil), "shop.orders": topic(lists([]int32{1}))}), plan.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	want := []plan.Change{{
		Addr: removal("shop.old").Addr, Object: id("shop.old"), Action: plan.Delete, Source: at(9),
		Fields: []plan.Field{{Path: "partitions", Before: 2, Source: at(9)}, {Path: "replication_factor", Before: 2, Source: at(9)}},
	}}
	if diff := cmp.Diff(want, p.Changes, withoutFacts); diff != "" {
		t.Error(diff)
	}
	steps := []plan.Step{&plan.DeleteTopic{Head: plan.Head{Phase: plan.PhaseDelete, Object: id("shop.old"), Changes: []int{0}, Records: 3}, ID: live.TopicID{1}}}
	if diff := cmp.Diff(steps, p.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestBuildUnseen(t *testing.T) {
	q := queue("orders", partitions(2), factor(2), config("retention.ms", "5"))
	seen := topic(lists([]int32{1}), "retention.ms", "7")
	overrides := seen
	overrides.Overrides = live.Hidden[map[string]string]("not permitted", "DescribeConfigs on Topic shop.orders")
	for name, test := range map[string]struct {
		live   *live.Snapshot
		unseen []plan.Unseen
		steps  int
	}{
		"the topic": {
			world(nil, func(s *live.Snapshot) {
				s.Topics["shop.orders"] = live.Hidden[live.Topic]("not permitted", "Describe on Topic shop.orders")
			}),
			[]plan.Unseen{{Addr: q.Addr, Object: q.ID(), Why: "not permitted", Needs: "Describe on Topic shop.orders", Source: at(1)}},
			0,
		},
		"a topic nobody asked for": {
			world(nil, func(s *live.Snapshot) { delete(s.Topics, "shop.orders") }),
			[]plan.Unseen{{Addr: q.Addr, Object: q.ID(), Why: "it was not read", Source: at(1)}},
			0,
		},
		"its configs": {
			orders(overrides),
			[]plan.Unseen{{Addr: q.Addr, Object: q.ID(), Path: "config", Why: "not permitted", Needs: "DescribeConfigs on Topic shop.orders", Source: at(6)}},
			2,
		},
		"what moves: its partitions are not compared, the new ones are placed": {
			orders(seen, func(s *live.Snapshot) { s.Moves = live.Hidden[int]("not permitted", "Describe on Cluster") }),
			[]plan.Unseen{{Addr: q.Addr, Object: q.ID(), Path: "replication_factor", Why: "not permitted", Needs: "Describe on Cluster", Source: at(4)}},
			3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, diags := plan.Build(topology(q), test.live, plan.Options{})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.unseen, p.Unseen); diff != "" {
				t.Error(diff)
			}
			if len(p.Steps) != test.steps || !p.Incomplete() {
				t.Errorf("%d steps %+v, incomplete: %v", len(p.Steps), p.Steps, p.Incomplete())
			}
		})
	}
}

func TestBuildBlocked(t *testing.T) {
	three := []int32{1, 2, 3}
	other := queue("other", config("retention.ms", "5"))
	for name, test := range map[string]struct {
		queue *schema.Queue
		live  live.Topic
		path  string
		why   string
	}{
		"too few brokers":           {queue("orders", factor(7)), topic(lists(three)), "replication_factor", "partition 0 needs 7 brokers, and 6 are up"},
		"too few of a rack":         {queue("orders", partitions(1), factor(3), racks("a")), topic(lists(three)), "placement", `partition 0 needs 3 brokers, and 2 of rack "a" are up`},
		"a broker is down":          {queue("orders", replicas([]int32{1, 2, 9})), topic(lists(three)), "placement", "partition 0 shall be on broker 9, which is not up"},
		"new ones have no broker":   {queue("orders", replicas(three, []int32{1, 2, 9})), topic(lists(three)), "partitions", "partition 1 shall be on broker 9, which is not up"},
		"on the way elsewhere":      {queue("orders", factor(2)), moving(topic(lists(three)), []int32{3}, nil), "replication_factor", "partition 0 is being moved to [1 2 3] and shall go to [1 2]"},
		"Kafka would make too many": {queue("orders", partitions(2)), moving(topic(lists([]int32{4})), []int32{4}, []int32{1}), "partitions", "partition 0 is being moved"},
	} {
		t.Run(name, func(t *testing.T) {
			p, diags := plan.Build(topology(test.queue, other), world(map[string]live.Topic{"shop.orders": test.live, "shop.other": topic(lists(three))}), plan.Options{})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if len(p.Blocked) != 1 || p.Blocked[0].Addr != test.queue.Addr || p.Blocked[0].Path != test.path || !strings.Contains(p.Blocked[0].Why, test.why) {
				t.Errorf("blocked: %+v", p.Blocked)
			}
			if len(p.Changes) != 1 || p.Changes[0].Addr != other.Addr {
				t.Errorf("the other queue does not change alone: %+v", p.Changes)
			}
		})
	}
}

// A min.insync.replicas that rises with the replication factor does not rise alone.
func TestBuildBlockedWithWhatWaitsForIt(t *testing.T) {
	for name, test := range map[string]struct {
		factor int
		topic  live.Topic
	}{
		"too few brokers":      {7, topic(lists([]int32{1}))},
		"on the way elsewhere": {3, moving(topic(lists([]int32{1})), []int32{1}, []int32{2})},
	} {
		t.Run(name, func(t *testing.T) {
			q := queue("orders", factor(test.factor), config("min.insync.replicas", "2"), config("flush.ms", "5"))
			p, diags := plan.Build(topology(q), orders(test.topic), plan.Options{})
			if len(diags) > 0 || len(p.Blocked) != 2 || p.Blocked[1].Path != "config.min.insync.replicas" {
				t.Fatalf("%v, blocked: %+v", diags, p.Blocked)
			}
			if diff := cmp.Diff([]plan.Field{{Path: "config.flush.ms", After: "5", Source: at(1)}}, p.Changes[0].Fields); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]plan.Step{set(1, "flush.ms", "5")}, p.Steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What cannot be placed whole weighs nothing in the placement of others.
func TestBuildBlockedIsForgotten(t *testing.T) {
	blocked := queue("orders", partitions(2), factor(1))
	blocked.Placement = &schema.Placement{Racks: [][]string{{"a"}, {"z"}}}
	p, _ := plan.Build(topology(blocked, queue("other", partitions(1), factor(1), racks("a"))), world(nil), plan.Options{})
	if len(p.Blocked) != 1 || len(p.Steps) != 1 {
		t.Fatalf("%+v %+v", p.Blocked, p.Steps)
	}
	if diff := cmp.Diff(lists([]int32{1}), p.Steps[0].(*plan.CreateTopic).Assign); diff != "" {
		t.Error(diff)
	}
}

func TestBuildMoving(t *testing.T) {
	q := queue("orders", factor(3))
	half := moving(topic(lists([]int32{1, 2, 3}, []int32{4})), []int32{2, 3}, nil)
	p, _ := plan.Build(topology(q), orders(half), plan.Options{})
	if diff := cmp.Diff([]plan.Moving{{Addr: q.Addr, Object: q.ID(), Partition: 0, To: []int32{1, 2, 3}, Adding: []int32{2, 3}}}, p.Moving); diff != "" {
		t.Error(diff)
	}
	want := []plan.Step{&plan.Reassign{Head: head(plan.PhaseMove, 1), Moves: []plan.Move{{Partition: 1, From: []int32{4}, To: []int32{4, 5, 6}}}}}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		declared schema.Resource
		line     int
		detail   string
	}{
		"fewer partitions":                      {queue("orders", partitions(2)), 3, `Topic "shop.orders" has 3 partitions and the file asks for 2.`},
		"fewer partitions, on brokers":          {queue("orders", replicas([]int32{1, 2}, []int32{2, 3})), 5, "has 3 partitions and the file asks for 2."},
		"an external topic not there":           {external("events"), 2, `The cluster has no topic "pay.events".`},
		"an external topic not there, no topic": {&schema.ExternalQueue{Decl: schema.Decl{Written: schema.Written{Source: at(7)}}, Topic: "pay.events"}, 7, `The cluster has no topic "pay.events".`},
	} {
		t.Run(name, func(t *testing.T) {
			live := orders(topic(lists([]int32{1, 2}, []int32{2, 3}, []int32{3, 1})))
			p, diags := plan.Build(topology(test.declared), live, plan.Options{})
			if len(diags) != 1 || diags[0].Subject.Start.Line != test.line || !strings.Contains(diags[0].Detail, test.detail) {
				t.Errorf("%v", diags)
			}
			if len(p.Steps) > 0 || len(p.Blocked) > 0 {
				t.Errorf("%+v %+v", p.Steps, p.Blocked)
			}
		})
	}
}

func TestBuildExternal(t *testing.T) {
	there := world(map[string]live.Topic{"pay.events": topic(lists([]int32{1}))})
	p, diags := plan.Build(topology(external("events")), there, plan.Options{})
	if len(diags) > 0 || len(p.Changes)+len(p.Unseen) > 0 {
		t.Errorf("%v %+v", diags, p)
	}
	hidden := world(nil, func(s *live.Snapshot) { s.Topics["pay.events"] = live.Hidden[live.Topic]("not permitted", "") })
	if p, diags := plan.Build(topology(external("events")), hidden, plan.Options{}); len(diags) > 0 || !p.Incomplete() {
		t.Errorf("%v %+v", diags, p)
	}
}

func TestBuildOrder(t *testing.T) {
	declared := topology(queue("a", factor(2)), queue("b", config("flush.ms", "1")), queue("c"), queue("d", partitions(3)))
	declared.Removals = []schema.Removal{removal("shop.old")}
	one := topic(lists([]int32{1}))
	topics := map[string]live.Topic{"shop.a": one, "shop.b": one, "shop.d": one, "shop.old": one}
	p, diags := plan.Build(declared, world(topics, func(s *live.Snapshot) { s.Topics["shop.c"] = live.None[live.Topic]() }), plan.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	for _, s := range p.Steps {
		c := p.Changes[s.About().Changes[0]]
		got = append(got, fmt.Sprintf("%s %T %s", s.About().Phase, s, c.Addr))
		if c.Object != s.About().Object {
			t.Errorf("%s is carried out on %s", c.Addr, s.About().Object)
		}
	}
	want := []string{
		"create *plan.CreateTopic queue.c", "configs *plan.AlterConfigs queue.b", "partitions *plan.AddPartitions queue.d",
		"move *plan.Reassign queue.a", `delete *plan.DeleteTopic delete.queue["shop.old"]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestScope(t *testing.T) {
	declared := topology(queue("orders"), external("events"))
	declared.Removals = []schema.Removal{removal("shop.old")}
	if diff := cmp.Diff(live.Scope{Topics: []string{"shop.orders", "pay.events", "shop.old"}}, plan.Scope(declared)); diff != "" {
		t.Error(diff)
	}
	for name, q := range map[string]*schema.Queue{
		"partitions": queue("orders", partitions(1)), "factor": queue("orders", factor(1)), "placement": queue("orders", racks("a")),
	} {
		if !plan.Scope(topology(q)).Moves {
			t.Errorf("%s: what moves is not read", name)
		}
	}
}

func TestUnknown(t *testing.T) {
	q := queue("orders", config("flush.ms", "1"), ignores("segment.ms"))
	live := orders(topic(lists([]int32{1}), "flush.ms", "2", "segment.ms", "3", "retention.ms", "4", "segment.bytes", "5"))
	if diff := cmp.Diff([]string{"segment.bytes"}, plan.Unknown(topology(q), live)); diff != "" {
		t.Error(diff)
	}
}

// Whatever kind of object the ledger or a removal names, a plan knows it.
func TestEveryKindIsPlanned(t *testing.T) {
	for _, k := range []schema.Kind{schema.KindQueue, schema.KindUser, schema.KindGroup, schema.KindACL, schema.KindQuota} {
		s := world(nil)
		s.Ledger = live.Is(live.Ledger{Owners: live.Owners{k: {"x": {Topology: "shop"}}}})
		if _, diags := plan.Build(topology(), s, plan.Options{}); diags.HasErrors() {
			t.Errorf("%s: %v", k, diags)
		}
		plan.Left(topology(), s.Ledger.Value)
	}
}
