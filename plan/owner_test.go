package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// owned is what the ledger says of topics.
func owned(by map[string]live.Owner) func(*live.Snapshot) {
	return func(s *live.Snapshot) { s.Ledger = live.Is(live.Ledger{Owners: live.Owners{schema.KindQueue: by}}) }
}

func prevented() func(*schema.Queue) {
	return func(q *schema.Queue) { q.Lifecycle.PreventDelete = true }
}

func forgotten(topic string) schema.Removal {
	r := removal(topic)
	r.Addr.Role = schema.RoleForget
	return r
}

// A topic that is there has the id 1.
func TestClaims(t *testing.T) {
	here, other := live.TopicID{1}, live.TopicID{2}
	for name, test := range map[string]struct {
		ledger live.Seen[live.Ledger]
		owner  live.Owner
		queue  *schema.Queue
		absent bool
		want   []plan.Claim
	}{
		"no ledger":             {ledger: live.None[live.Ledger](), queue: queue("orders"), want: []plan.Claim{{TopicID: here, Adopts: true}}},
		"unread ledger":         {ledger: live.Hidden[live.Ledger]("not permitted", ""), queue: queue("orders")},
		"unread, to be created": {ledger: live.Hidden[live.Ledger]("not permitted", ""), queue: queue("orders"), absent: true},
		"to be created":         {queue: queue("orders", prevented()), absent: true, want: []plan.Claim{{PreventDelete: true}}},
		"ours":                  {owner: live.Owner{Topology: "shop", TopicID: here}, queue: queue("orders")},
		"ours, half done":       {owner: live.Owner{Topology: "shop", TopicID: here, HalfDone: true}, queue: queue("orders"), want: []plan.Claim{{TopicID: here}}},
		"ours, its life not known": {
			owner: live.Owner{Topology: "shop"}, queue: queue("orders"), want: []plan.Claim{{TopicID: here}},
		},
		"ours in another life": {
			owner: live.Owner{Topology: "shop", TopicID: other}, queue: queue("orders"), want: []plan.Claim{{TopicID: here, Adopts: true}},
		},
		"another's in another life": {
			owner: live.Owner{Topology: "pay", TopicID: other, PreventDelete: true}, queue: queue("orders"), want: []plan.Claim{{TopicID: here, Adopts: true}},
		},
		"prevented now": {
			owner: live.Owner{Topology: "shop", TopicID: here}, queue: queue("orders", prevented()), want: []plan.Claim{{TopicID: here, PreventDelete: true}},
		},
		"prevented no more": {
			owner: live.Owner{Topology: "shop", TopicID: here, PreventDelete: true}, queue: queue("orders"), want: []plan.Claim{{TopicID: here}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := orders(topic(lists([]int32{1})))
			if test.absent {
				s = world(nil, func(s *live.Snapshot) { s.Topics["shop.orders"] = live.None[live.Topic]() })
			}
			s.Ledger = test.ledger
			if test.owner.Topology != "" {
				owned(map[string]live.Owner{"shop.orders": test.owner})(s)
			} else if test.ledger.Why == "" && test.ledger.State == live.Unseen {
				owned(nil)(s)
			}
			p, diags := plan.Build(topology(test.queue), s, plan.Options{})
			for i := range test.want {
				test.want[i].Object = id("shop.orders")
			}
			if diff := cmp.Diff(test.want, p.Claims); diff != "" || diags.HasErrors() {
				t.Error(diags, diff)
			}
		})
	}
}

func TestAnothersIsRefused(t *testing.T) {
	pays := owned(map[string]live.Owner{"shop.orders": {Topology: "pay", TopicID: live.TopicID{1}}})
	there, gone := orders(topic(lists([]int32{1}))), world(nil, func(s *live.Snapshot) { s.Topics["shop.orders"] = live.None[live.Topic]() })
	const forget = `forget "queue" "shop.orders" {}.`
	removing := topology()
	removing.Removals = []schema.Removal{removal("shop.orders")}
	for name, test := range map[string]struct {
		topology *schema.Topology
		snapshot *live.Snapshot
		remedy   string
	}{
		"declared":      {topology(queue("orders", partitions(7))), there, "Use it by an external block, or let that topology go of it first: " + forget},
		"to be created": {topology(queue("orders")), gone, "Use it by an external block, or let that topology go of it first: " + forget},
		"to be deleted": {removing, there, "Let that topology go of it first: " + forget},
	} {
		t.Run(name, func(t *testing.T) {
			pays(test.snapshot)
			p, diags := plan.Build(test.topology, test.snapshot, plan.Options{})
			if len(diags) != 1 || diags[0].Summary != `Topic "shop.orders" belongs to topology "pay"` || diags[0].Detail != test.remedy {
				t.Error(diags)
			}
			if len(p.Changes)+len(p.Claims) > 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// What all instances of a block meet is told once, and how to get a quota is told
// as it is: it cannot be forgotten.
func TestAnothersAreFolded(t *testing.T) {
	at := hcl.Range{Filename: "q.hcl", Start: hcl.Pos{Line: 3}}
	var shards []schema.Resource
	owners := map[string]live.Owner{}
	for _, key := range []string{"a", "b", "c", "d"} {
		q := shard(key)
		q.Attrs = map[string]hcl.Range{"topic": at}
		shards = append(shards, q)
		owners[q.Topic] = live.Owner{Topology: map[bool]string{true: "bank", false: "pay"}[key == "d"]}
	}
	guests := &schema.Quota{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindQuota, Label: "guests"}}, Entity: schema.Entity{User: schema.Named("guest")}, Limits: schema.Limits{schema.ProducerByteRate: 1}}
	s := world(nil, owned(owners), func(s *live.Snapshot) {
		s.Quotas = live.Is(live.Quotas{})
		s.Ledger.Value.Owners.Add(guests.Entity.ID(), live.Owner{Topology: "pay"})
		for topic := range owners {
			s.Topics[topic] = live.None[live.Topic]()
		}
	})
	_, diags := plan.Build(topology(append(shards, guests)...), s, plan.Options{})
	var got []string
	for _, d := range diags {
		got = append(got, d.Summary+": "+d.Detail)
	}
	want := []string{
		`Topic "shop.shard.a" and 2 more belong to topology "pay": Use it by an external block, or let that topology go of it first: forget "queue" "shop.shard.a" {}.`,
		`Topic "shop.shard.d" belongs to topology "bank": Use it by an external block, or let that topology go of it first: forget "queue" "shop.shard.d" {}.`,
		`Quota "user:guest" belongs to topology "pay": Limits go with their blocks: take those of that topology out of its files, and apply it first.`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPreventDelete(t *testing.T) {
	for name, test := range map[string]struct {
		owner   live.Owner
		refused bool
	}{
		"prevented":    {live.Owner{Topology: "shop", TopicID: live.TopicID{1}, PreventDelete: true}, true},
		"not":          {live.Owner{Topology: "shop", TopicID: live.TopicID{1}}, false},
		"another life": {live.Owner{Topology: "shop", TopicID: live.TopicID{2}, PreventDelete: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			declared := topology()
			declared.Removals = []schema.Removal{removal("shop.orders")}
			p, diags := plan.Build(declared, world(map[string]live.Topic{"shop.orders": topic(lists([]int32{1}))}, owned(map[string]live.Owner{"shop.orders": test.owner})), plan.Options{})
			if refused := len(diags) == 1 && diags[0].Summary == "Deletion is prevented"; refused != test.refused || refused == (len(p.Changes) == 1) {
				t.Errorf("%v %+v", diags, p.Changes)
			}
		})
	}
}

// What changes with its adoption is marked.
func TestAdopts(t *testing.T) {
	declared := topology(queue("orders", config("retention.ms", "5")), queue("new"))
	declared.Removals = []schema.Removal{removal("shop.old")}
	s := world(map[string]live.Topic{"shop.orders": topic(lists([]int32{1})), "shop.old": topic(lists([]int32{1}))}, owned(nil),
		func(s *live.Snapshot) { s.Topics["shop.new"] = live.None[live.Topic]() })
	p, _ := plan.Build(declared, s, plan.Options{})
	got := map[string]bool{}
	for _, c := range p.Changes {
		got[c.Addr.String()] = c.Adopts
	}
	if diff := cmp.Diff(map[string]bool{"queue.orders": true, "queue.new": false, `delete.queue["shop.old"]`: true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestForget(t *testing.T) {
	declared := topology()
	declared.Removals = []schema.Removal{forgotten("shop.moved")}
	there := map[string]live.Topic{"shop.moved": topic(lists([]int32{1}))}
	p, diags := plan.Build(declared, world(there, owned(map[string]live.Owner{"shop.moved": {Topology: "shop"}})), plan.Options{})
	want := []plan.Step{&plan.Release{Head: plan.Head{Phase: plan.PhaseDelete, Object: id("shop.moved"), Changes: []int{0}}, Topology: "shop"}}
	if diff := cmp.Diff(want, p.Steps); diff != "" || len(diags) > 0 || p.Changes[0].Action != plan.Forget {
		t.Error(diags, diff)
	}
	for name, change := range map[string]func(*live.Snapshot){
		"nobody's": owned(nil), "another's": owned(map[string]live.Owner{"shop.moved": {Topology: "pay"}}),
	} {
		if p, diags := plan.Build(declared, world(there, change), plan.Options{}); len(diags)+len(p.Changes) > 0 {
			t.Errorf("%s: %v %+v", name, diags, p.Changes)
		}
	}
	hidden := world(there, func(s *live.Snapshot) {
		s.Ledger = live.Hidden[live.Ledger]("not permitted", "Read on Topic __queueform")
	})
	if p, _ := plan.Build(declared, hidden, plan.Options{}); !p.Incomplete() {
		t.Error("a plan that cannot see what to forget is complete")
	}
}

func TestOrphans(t *testing.T) {
	owners := live.Owners{schema.KindQueue: {
		"shop.left": {Topology: "shop", TopicID: live.TopicID{1}}, "shop.again": {Topology: "shop", TopicID: live.TopicID{2}}, "shop.gone": {Topology: "shop"},
		"shop.orders": {Topology: "shop"}, "shop.old": {Topology: "shop"}, "pay.events": {Topology: "pay"},
	}}
	declared := topology(queue("orders"))
	declared.Removals = []schema.Removal{forgotten("shop.old")}
	if diff := cmp.Diff(live.Scope{Topics: []string{"shop.again", "shop.gone", "shop.left"}, Bare: true}, plan.Left(declared, live.Ledger{Owners: owners})); diff != "" {
		t.Error(diff)
	}
	one := topic(lists([]int32{1}))
	s := world(map[string]live.Topic{"shop.left": one, "shop.again": one, "shop.orders": one, "shop.old": one, "pay.events": one},
		func(s *live.Snapshot) { s.Topics["shop.gone"] = live.None[live.Topic]() })
	s.Ledger = live.Is(live.Ledger{Owners: owners})
	p, _ := plan.Build(declared, s, plan.Options{})
	if diff := cmp.Diff([]schema.ID{id("shop.left")}, p.Orphans); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]schema.ID{id("shop.again"), id("shop.gone")}, p.Vanished); diff != "" {
		t.Error(diff)
	}
	if p, _ = plan.Build(declared, s, plan.Options{Target: []schema.Addr{address("orders")}}); len(p.Orphans) > 0 {
		t.Errorf("a narrowed plan lists %v", p.Orphans)
	}
}

// A throttle that this topology left is to be taken off, wherever it is.
func TestThrottled(t *testing.T) {
	s := orders(topic(lists([]int32{1})))
	s.Ledger = live.Is(live.Ledger{Throttles: map[string]live.Throttle{"shop.old": {Topology: "shop"}, "pay.events": {Topology: "pay"}, "shop.orders": {Topology: "shop"}}})
	p, _ := plan.Build(topology(queue("orders")), s, plan.Options{})
	if diff := cmp.Diff([]schema.ID{id("shop.old"), id("shop.orders")}, p.Throttled); diff != "" {
		t.Error(diff)
	}
}

// One that no topology has noted is shown, with the rates of the brokers that
// nobody needs to have noted.
func TestUnclaimedThrottles(t *testing.T) {
	const leaders, followers, rate = "leader.replication.throttled.replicas", "follower.replication.throttled.replicas", "leader.replication.throttled.rate"
	s := orders(topic(lists([]int32{1})))
	declared, seen := topology(queue("orders")), s.Topics["shop.orders"]
	seen.Value.Throttled = map[string]string{leaders: "0:1", followers: "0:2,0:3"}
	s.Topics["shop.orders"] = seen
	s.Rates = live.Is(live.Rates{1: {rate: "7"}, 3: {rate: "8"}})
	noted := live.Ledger{Throttles: map[string]live.Throttle{"shop.orders": {Topology: "pay", Leaders: []string{"0:1"}, Followers: []string{"0:2"}}}}
	some := []plan.Unclaimed{{"topic shop.orders", followers, "0:2,0:3"}, {"broker 3", rate, "8"}}
	for name, test := range map[string]struct {
		ledger live.Seen[live.Ledger]
		want   []plan.Unclaimed
	}{
		"some are noted": {live.Is(noted), some},
		"the ledger is lost": {live.None[live.Ledger](), []plan.Unclaimed{
			{"topic shop.orders", followers, "0:2,0:3"}, {"topic shop.orders", leaders, "0:1"}, {"broker 1", rate, "7"}, {"broker 3", rate, "8"},
		}},
		"unseen":  {live.Hidden[live.Ledger]("not permitted", ""), nil},
		"at work": {live.Is(live.Ledger{Locks: map[string]live.Lock{"shop": {Holder: "ann@ci"}}}), nil},
	} {
		s.Ledger = test.ledger
		p, _ := plan.Build(declared, s, plan.Options{})
		if diff := cmp.Diff(test.want, p.Unclaimed); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if !plan.AnyUnclaimed(declared, s) || plan.AnyUnclaimed(topology(queue("other")), s) {
		t.Error("it does not know which topics are throttled")
	}
}

func TestRemember(t *testing.T) {
	there := map[string]live.Topic{"shop.orders": topic(lists([]int32{1}))}
	for name, test := range map[string]struct {
		ledger live.Seen[live.Ledger]
		queue  *schema.Queue
		want   []string
	}{
		"not permitted":           {live.Hidden[live.Ledger]("not permitted", "Read on Topic __queueform"), queue("orders"), []string{"The ledger cannot be read"}},
		"locked":                  {live.Is(live.Ledger{Locks: map[string]live.Lock{"shop": {Holder: "ann@ci"}}}), queue("orders"), []string{"Another apply is at work"}},
		"another's lock":          {live.Is(live.Ledger{Locks: map[string]live.Lock{"pay": {Holder: "ann@ci"}}}), queue("orders"), nil},
		"lost where it mattered":  {live.None[live.Ledger](), queue("orders", prevented()), []string{"Nothing prevents deletions yet"}},
		"none":                    {live.None[live.Ledger](), queue("orders"), nil},
		"none, and nothing there": {live.None[live.Ledger](), queue("new", prevented()), nil},
		"unfit":                   {live.Is(live.Ledger{Unfit: "it forgets"}), queue("orders"), []string{"Apply would refuse the ledger"}},
		"cannot be made":          {live.Seen[live.Ledger]{State: live.Absent, Value: live.Ledger{Unfit: "it is refused"}}, queue("orders"), []string{"Apply would refuse the ledger"}},
		"there":                   {live.Is(live.Ledger{}), queue("orders", prevented()), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, diags := plan.Build(topology(test.queue), world(there, func(s *live.Snapshot) { s.Ledger = test.ledger }), plan.Options{})
			var got []string
			for _, d := range diags {
				got = append(got, d.Summary)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || diags.HasErrors() {
				t.Error(diff)
			}
		})
	}
}

// What was deleted before the ledger was told of it is forgotten.
func TestDeletedAlready(t *testing.T) {
	declared := topology()
	declared.Removals = []schema.Removal{removal("shop.old")}
	gone := func(s *live.Snapshot) { s.Topics["shop.old"] = live.None[live.Topic]() }
	for topologyName, want := range map[string][]schema.ID{"shop": {id("shop.old")}, "pay": nil} {
		p, diags := plan.Build(declared, world(nil, gone, owned(map[string]live.Owner{"shop.old": {Topology: topologyName}})), plan.Options{})
		if diff := cmp.Diff(want, p.Vanished); diff != "" || len(diags)+len(p.Changes) > 0 {
			t.Errorf("%s: %v %s", topologyName, diags, diff)
		}
	}
}

func TestHalfDone(t *testing.T) {
	s := world(nil, owned(map[string]live.Owner{
		"shop.orders": {Topology: "shop", HalfDone: true}, "pay.events": {Topology: "pay", HalfDone: true}, "shop.old": {Topology: "shop"},
	}), func(s *live.Snapshot) { s.Topics["shop.orders"] = live.None[live.Topic]() })
	p, _ := plan.Build(topology(queue("orders")), s, plan.Options{})
	if diff := cmp.Diff([]schema.ID{id("shop.orders")}, p.HalfDone); diff != "" {
		t.Error(diff)
	}
}

// Who else applies is told with the day: a lock may be of yesterday.
func TestAnotherApplyIsTold(t *testing.T) {
	s := orders(topic(lists([]int32{1})))
	s.Ledger = live.Is(live.Ledger{Locks: map[string]live.Lock{"shop": {Holder: "ann@ci", Since: 1_767_323_045_000, Until: 1_767_323_105_000}}})
	_, diags := plan.Build(topology(queue("orders")), s, plan.Options{})
	const want = "ann@ci applies this topology since 2026-01-02 03:04:05 UTC."
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, want) {
		t.Error(diags)
	}
}
