package health_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

var now = time.Date(2026, 3, 2, 1, 15, 4, 0, time.UTC)

func addr(k schema.Kind, label string) schema.Addr { return schema.Addr{Kind: k, Label: label} }

// scene is a topology of one queue with two partitions and one group, and what
// there is of them.
type scene struct {
	queue  *schema.Queue
	group  *schema.Group
	more   []schema.Resource
	facts  health.Facts
	before live.Sample
	plan   plan.Plan
}

func newScene() *scene {
	q := &schema.Queue{Decl: schema.Decl{Addr: addr(schema.KindQueue, "orders")}, Topic: "shop.orders"}
	g := &schema.Group{
		Decl:    schema.Decl{Addr: addr(schema.KindGroup, "billing")},
		GroupID: "billing", Protocol: schema.Consumer, Start: schema.Earliest, Queues: []schema.Addr{q.Addr},
	}
	partition := live.Partition{Leader: 1, Replicas: []int32{1, 2}, InSync: []int32{1, 2}}
	s := &scene{queue: q, group: g}
	s.facts = health.Facts{Now: now, Snapshot: &live.Snapshot{
		Topics:   map[string]live.Seen[live.Topic]{q.Topic: live.Is(live.Topic{Partitions: []live.Partition{partition, partition}, Overrides: live.Is(map[string]string{})})},
		Defaults: map[string]string{"cleanup.policy": "delete"},
	}}
	s.facts.Reading = live.Reading{
		Spans: map[string][]live.Seen[live.Span]{q.Topic: {span(10, 110), span(0, 100)}},
		Sizes: map[string]live.Seen[live.Sizes]{q.Topic: live.Is(live.Sizes{{1: 500, 2: 400}, {1: 100, 2: 100}})},
	}
	s.facts.Reading.Sample = sample(now, live.Offsets{110, 100}, live.Progress{0: 50, 1: 100})
	s.before = sample(now.Add(-2*time.Second), live.Offsets{90, 100}, live.Progress{0: 10, 1: 100})
	s.facts.Before = &s.before
	return s
}

func span(start, end int64) live.Seen[live.Span] {
	return live.Is(live.Span{Start: start, End: end, Stable: end, Oldest: live.None[time.Time]()})
}

func sample(at time.Time, ends live.Offsets, committed live.Progress) live.Sample {
	g := live.Group{
		Protocol: schema.Consumer, State: "Stable", Offsets: live.Is(map[string]live.Progress{"shop.orders": committed}),
		Members: []live.Member{{ClientID: "worker", Assigned: map[string][]int32{"shop.orders": {0, 1}}}},
	}
	return live.Sample{
		EndsAt: at, GroupsAt: at, Ends: map[string]live.Offsets{"shop.orders": ends},
		Groups: map[string]live.Seen[live.Group]{"billing": live.Is(g)},
	}
}

// of changes how the group is, now and, but for where it is, before.
func (s *scene) of(change func(*live.Group)) {
	for _, sample := range []*live.Sample{&s.facts.Reading.Sample, &s.before} {
		seen := sample.Groups["billing"]
		change(&seen.Value)
		sample.Groups["billing"] = seen
	}
}

func (s *scene) document() *health.Document {
	all := append([]schema.Resource{s.group, s.queue}, s.more...)
	slices.SortFunc(all, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	s.plan.Topology = &schema.Topology{Name: "shop", Resources: all}
	return health.New(&s.plan, s.facts)
}

func (s *scene) codes() (all []health.Code) {
	for _, f := range s.document().Findings {
		all = append(all, f.Code)
	}
	return all
}

func TestQueue(t *testing.T) {
	s := newScene()
	oldest := now.Add(-time.Minute)
	s.facts.Reading.Spans["shop.orders"][0].Value.Oldest = live.Is(oldest)
	s.facts.Reading.Spans["shop.orders"][1].Value.Oldest = live.Is(now.Add(-time.Second))
	want := health.Queue{
		Address: s.queue.Addr, Topic: "shop.orders", Exists: new(true), Partitions: new(2), Offline: []int32{}, UnderReplicated: []int32{},
		Messages: new(int64(200)), Bytes: new(int64(600)), BytesOnDisk: new(int64(1100)), In: new(10.0), Out: new(20.0),
		OldestUnread: &oldest, OldestAge: new(60.0),
	}
	if diff := cmp.Diff([]health.Queue{want}, s.document().Queues); diff != "" {
		t.Error(diff)
	}
}

// There may be fewer messages than offsets.
func TestQueueAtMost(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"compacted": func(s *scene) { s.facts.Snapshot.Defaults["cleanup.policy"] = "compact,delete" },
		"overridden": func(s *scene) {
			s.facts.Snapshot.Topics["shop.orders"].Value.Overrides.Value["cleanup.policy"] = "compact"
		},
		"transactions": func(s *scene) {
			s.more = append(s.more, &schema.Producer{TransactionalID: "x", Queues: []schema.Addr{s.queue.Addr}})
		},
		"open": func(s *scene) { s.facts.Reading.Spans["shop.orders"][0].Value.Stable = 100 },
	} {
		s := newScene()
		if s.document().Queues[0].Bound {
			t.Fatal("it is so of itself")
		}
		if change(s); !s.document().Queues[0].Bound {
			t.Error(name)
		}
	}
}

// A partition that has no leader takes nothing from what is known of the others,
// and is no reason to call the status incomplete.
func TestOfflinePartition(t *testing.T) {
	s := newScene()
	topic := s.facts.Snapshot.Topics["shop.orders"].Value
	topic.Partitions[1] = live.Partition{Leader: -1, Replicas: []int32{1, 2}, InSync: []int32{2}}
	s.facts.Reading.Spans["shop.orders"][1] = live.Hidden[live.Span]("a partition has no leader", "")
	s.facts.Reading.Sizes["shop.orders"] = live.Hidden[live.Sizes]("a partition has no leader", "")
	d := s.document()
	if q := d.Queues[0]; q.Messages != nil || q.Bytes != nil || len(q.Offline) != 1 || q.Offline[0] != 1 || !q.OldestAtLeast || d.Incomplete() {
		t.Errorf("%+v, unseen: %v", q, d.Unseen)
	}
	if g := d.Groups[0]; g.Lag == nil || *g.Lag != 60 || !g.LagAtLeast || g.CatchUp != health.UnknownYet {
		t.Errorf("%+v", g)
	}
	if diff := cmp.Diff([]health.Code{health.Offline, health.UnderReplicated}, s.codes()); diff != "" {
		t.Error(diff)
	}
}

// A replica on its way need not be in sync yet.
func TestMovingReplica(t *testing.T) {
	s := newScene()
	topic := s.facts.Snapshot.Topics["shop.orders"].Value
	topic.Partitions[0] = live.Partition{Leader: 1, Replicas: []int32{1, 2, 3}, InSync: []int32{1, 2}, Adding: []int32{3}}
	topic.Partitions[1] = live.Partition{Leader: 1, Replicas: []int32{3}, InSync: []int32{1}, Adding: []int32{3}, Removing: []int32{1, 2}}
	if q := s.document().Queues[0]; len(q.UnderReplicated) != 1 || q.UnderReplicated[0] != 1 {
		t.Errorf("%+v", q)
	}
}

func TestGroup(t *testing.T) {
	s := newScene()
	s.group.Members = 4
	first := health.Partition{Topic: "shop.orders", Offset: new(int64(50)), End: new(int64(110)), Lag: new(int64(60)), Expired: new(int64(0)), Member: "worker"}
	want := health.Group{
		Address: s.group.Addr, GroupID: "billing", State: "Stable", Protocol: schema.Consumer, Declared: schema.Consumer, Members: new(1), DeclaredMembers: 4,
		Lag: new(int64(60)), Worst: &first, Skew: new(2.0), Expired: new(int64(0)), In: new(10.0), Out: new(20.0), CatchUp: health.Catching, CatchUpIn: new(6.0),
		Partitions: []health.Partition{first, {Topic: "shop.orders", Partition: 1, Offset: new(int64(100)), End: new(int64(100)), Lag: new(int64(0)), Expired: new(int64(0)), Member: "worker"}},
	}
	if diff := cmp.Diff([]health.Group{want}, s.document().Groups); diff != "" {
		t.Error(diff)
	}
}

func TestCatchUp(t *testing.T) {
	at := func(offset int64) func(*scene) {
		return func(s *scene) {
			s.facts.Reading.Groups["billing"].Value.Offsets.Value["shop.orders"] = live.Progress{0: offset, 1: 100}
		}
	}
	for name, test := range map[string]struct {
		change func(*scene)
		want   health.CatchUp
	}{
		"it reads more than comes":  {at(50), health.Catching},
		"it reads as much as comes": {at(30), health.Falling},
		"it reads nothing":          {at(10), health.Standing},
		"it has read all":           {at(110), health.CaughtUp},
		"nobody is in it":           {func(s *scene) { s.of(func(g *live.Group) { g.Members = nil }) }, health.Standing},
		"there is one sample":       {func(s *scene) { s.facts.Before = nil }, health.UnknownYet},
		"it was reset": {func(s *scene) {
			s.before.Groups["billing"].Value.Offsets.Value["shop.orders"] = live.Progress{0: 100, 1: 100}
		}, health.Standing},
		"the queue was made anew":          {func(s *scene) { s.before.Ends["shop.orders"] = live.Offsets{200, 100} }, health.UnknownYet},
		"where it was is not known":        {func(s *scene) { s.before.Groups["billing"] = live.Hidden[live.Group]("slow", "") }, health.UnknownYet},
		"a partition was not known before": {func(s *scene) { s.before.Ends["shop.orders"][0] = live.NoOffset }, health.UnknownYet},
	} {
		s := newScene()
		if test.change(s); s.document().Groups[0].CatchUp != test.want {
			t.Errorf("%s: %s, want %s", name, s.document().Groups[0].CatchUp, test.want)
		}
	}
}

// Where nothing is committed, the start says what is unread.
func TestNothingCommitted(t *testing.T) {
	for start, want := range map[schema.Start]*int64{schema.Earliest: new(int64(200)), schema.Latest: nil, "": nil, "2026-01-01T00:00:00Z": nil} {
		for name, seen := range map[string]live.Seen[live.Group]{
			"absent": live.None[live.Group](), "new": live.Is(live.Group{State: "Stable", Offsets: live.Is(map[string]live.Progress{})}),
		} {
			s := newScene()
			s.group.Start = start
			s.facts.Reading.Groups["billing"] = seen
			if diff := cmp.Diff(want, s.document().Groups[0].Lag); diff != "" {
				t.Errorf("%s, %q: %s", name, start, diff)
			}
		}
	}
}

// Kafka tells what a share group is not done with, which may lie after what is
// done; what is at members is bounded.
func TestShareGroup(t *testing.T) {
	s := newScene()
	s.group.Protocol = schema.Share
	s.of(func(g *live.Group) {
		g.Protocol, g.Undone = schema.Share, map[string]live.Progress{"shop.orders": {0: 45, 1: 0}}
		g.Configs = live.Is(map[string]string{"share.partition.max.record.locks": "30"})
	})
	seen := s.before.Groups["billing"]
	seen.Value.Undone = map[string]live.Progress{"shop.orders": {0: 65, 1: 0}}
	s.before.Groups["billing"] = seen
	g := s.document().Groups[0] // 90-65 are done, then 110-45: 40 in two seconds
	if *g.Lag != 45 || *g.InFlight != 30 || *g.Out != 20 || *g.CatchUpIn != 4.5 {
		t.Errorf("lag %d, in flight %d, out %v, done in %v", *g.Lag, *g.InFlight, *g.Out, g.CatchUpIn)
	}
	s.of(func(g *live.Group) {
		g.Configs, g.Undone = live.Hidden[map[string]string]("slow", ""), map[string]live.Progress{"shop.orders": {0: 4500, 1: 0}}
	})
	if g := s.document().Groups[0]; *g.InFlight != 4500 {
		t.Errorf("%d are in flight, of 4500, where the bound is not seen", *g.InFlight)
	}
	s.of(func(g *live.Group) { g.Members = nil })
	s.facts.Reading.Spans["shop.orders"][0] = span(60, 110)
	if g := s.document().Groups[0]; *g.InFlight != 0 || *g.Expired != 0 {
		t.Errorf("without members %d are in flight; %d are expired", *g.InFlight, *g.Expired)
	}
}

func TestFindings(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*scene)
		want   []health.Code
	}{
		"nothing":     {func(*scene) {}, nil},
		"lag":         {func(s *scene) { s.group.MaxLag = new(int64(59)) }, []health.Code{health.LagTooLarge}},
		"as much lag": {func(s *scene) { s.group.MaxLag = new(int64(60)) }, nil},
		"no members":  {func(s *scene) { s.of(func(g *live.Group) { g.Members = nil }) }, []health.Code{health.NoMembers}},
		"nobody, no need": {func(s *scene) {
			s.of(func(g *live.Group) {
				g.Members = nil
				g.Offsets = live.Is(map[string]live.Progress{"shop.orders": {0: 110, 1: 100}})
			})
		}, nil},
		"expired":     {func(s *scene) { s.facts.Reading.Spans["shop.orders"][0] = span(51, 110) }, []health.Code{health.Expired}},
		"out of sync": {func(s *scene) { s.facts.Snapshot.Topics["shop.orders"].Value.Partitions[0].InSync = []int32{1} }, []health.Code{health.UnderReplicated}},
		"not applied": {func(s *scene) {
			s.plan.Changes = []plan.Change{{Addr: s.queue.Addr, Object: s.queue.ID(), Action: plan.Update}}
		}, []health.Code{health.NotApplied}},
		"blocked": {func(s *scene) {
			s.plan.Blocked = []plan.Blocked{{Addr: s.queue.Addr, Object: s.queue.ID(), Why: "a broker is down"}}
		}, []health.Code{health.NotApplied}},
		"the worst first": {func(s *scene) {
			s.facts.Snapshot.Topics["shop.orders"].Value.Partitions[0].InSync = []int32{1}
			s.group.MaxLag = new(int64(0))
			s.of(func(g *live.Group) { g.Members = nil })
			s.facts.Reading.Spans["shop.orders"][0] = span(51, 110)
		}, []health.Code{health.Expired, health.NoMembers, health.LagTooLarge, health.UnderReplicated}},
		"absent": {func(s *scene) {
			s.facts.Snapshot.Topics["shop.orders"] = live.None[live.Topic]()
			s.facts.Reading = live.Reading{Sample: live.Sample{Groups: map[string]live.Seen[live.Group]{"billing": live.None[live.Group]()}}}
			s.plan.Changes = []plan.Change{{Addr: s.queue.Addr, Object: s.queue.ID(), Action: plan.Create}}
		}, []health.Code{health.NotApplied}},
	} {
		s := newScene()
		test.change(s)
		if diff := cmp.Diff(test.want, s.codes()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if d := s.document(); d.Applied == (name == "not applied" || name == "blocked" || name == "absent") || d.Incomplete() {
			t.Errorf("%s: applied %v, unseen %v", name, d.Applied, d.Unseen)
		}
	}
}

// Where it is not asked how old the messages of a partition are, the others tell
// the least, and nothing is missing that could have been read.
func TestOldestNotAsked(t *testing.T) {
	s := newScene()
	s.facts.Reading.Spans["shop.orders"][0].Value.Oldest = live.Seen[time.Time]{}
	s.facts.Reading.Spans["shop.orders"][1].Value.Oldest = live.Is(now.Add(-time.Minute))
	d := s.document()
	if q := d.Queues[0]; q.OldestAge == nil || *q.OldestAge != 60 || !q.OldestAtLeast || d.Incomplete() {
		t.Errorf("%+v, unseen: %v", q, d.Unseen)
	}
}

// What could not be read is said, and never taken for fine.
func TestUnseen(t *testing.T) {
	for want, change := range map[string]func(*scene){
		"": func(s *scene) {
			s.facts.Reading.Groups["billing"] = live.Hidden[live.Group]("not permitted", "Describe on Group billing")
		},
		"offsets": func(s *scene) {
			seen := s.facts.Reading.Groups["billing"]
			seen.Value.Offsets = live.Hidden[map[string]live.Progress]("slow", "")
			s.facts.Reading.Groups["billing"] = seen
		},
		"size": func(s *scene) { s.facts.Reading.Sizes = nil },
		"oldest unread message": func(s *scene) {
			s.facts.Reading.Spans["shop.orders"][0].Value.Oldest = live.Hidden[time.Time]("not permitted", "Read on Topic shop.orders")
		},
		"config": func(s *scene) {
			s.plan.Unseen = []plan.Unseen{{Addr: s.queue.Addr, Object: s.queue.ID(), Path: "config", Why: "slow"}}
		},
	} {
		s := newScene()
		change(s)
		d := s.document()
		if len(d.Unseen) != 1 || d.Unseen[0].What != want || !d.Incomplete() || len(d.Findings) > 0 {
			t.Errorf("%q: %+v, findings %v", want, d.Unseen, d.Findings)
		}
	}
}

// What is not known of a group is null, and neither none nor nobody.
func TestUnseenGroup(t *testing.T) {
	hidden := live.Hidden[map[string]live.Progress]("slow", "")
	for name, test := range map[string]struct {
		seen            live.Seen[live.Group]
		members         *int
		expired, oldest bool // whether they are known
	}{
		"unseen":         {live.Hidden[live.Group]("slow", ""), nil, false, false},
		"offsets unseen": {live.Is(live.Group{State: "Stable", Members: make([]live.Member, 3), Offsets: hidden}), new(3), false, false},
		"absent":         {live.None[live.Group](), new(0), true, true},
		"empty":          {live.Is(live.Group{State: "Empty", Offsets: live.Is(map[string]live.Progress{})}), new(0), true, true},
	} {
		for _, protocol := range schema.Protocols() {
			s := newScene()
			s.group.Protocol = protocol
			s.facts.Reading.Groups["billing"] = test.seen
			d := s.document()
			g, q := d.Groups[0], d.Queues[0]
			if diff := cmp.Diff(test.members, g.Members); diff != "" || (g.Expired != nil) != test.expired || (g.Partitions[0].Expired != nil) != test.expired {
				t.Errorf("%s %s: %+v\n%s", name, protocol, g, diff)
			}
			if !test.expired && (g.Lag != nil || g.InFlight != nil || g.Out != nil) {
				t.Errorf("%s %s: %+v", name, protocol, g)
			}
			if q.OldestAtLeast == test.oldest {
				t.Errorf("%s %s: %+v", name, protocol, q)
			}
		}
	}
}

func TestLeftovers(t *testing.T) {
	s := newScene()
	queue := func(name string) schema.ID { return schema.ID{Kind: schema.KindQueue, Name: name} }
	s.plan = plan.Plan{
		Throttled: []schema.ID{queue("a")}, HalfDone: []schema.ID{queue("b")}, Orphans: []schema.ID{queue("c")},
		Moving: []plan.Moving{{Object: queue("d")}, {Object: queue("d"), Partition: 1}},
		Ledger: live.Is(live.Ledger{Locks: map[string]live.Lock{"shop": {Holder: "ci", Since: 1000}, "bank": {Holder: "x"}}}),
	}
	d := s.document()
	want := []health.Leftover{
		{Left: health.HalfDone, Object: schema.KindQueue, Name: "b"},
		{Left: health.Moving, Object: schema.KindQueue, Name: "d"},
		{Left: health.Orphan, Object: schema.KindQueue, Name: "c"},
		{Left: health.Throttled, Object: schema.KindQueue, Name: "a"},
	}
	if diff := cmp.Diff(want, d.Leftovers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&health.Lock{Holder: "ci", Since: time.Unix(1, 0).UTC()}, d.Lock); diff != "" || !*d.Locked {
		t.Error(diff)
	}
	s.plan.Ledger = live.None[live.Ledger]()
	if d := s.document(); d.Lock != nil || *d.Locked {
		t.Errorf("without a ledger it is locked: %+v", d.Lock)
	}
	s.plan.Ledger = live.Hidden[live.Ledger]("not permitted", "")
	if d := s.document(); d.Lock != nil || d.Locked != nil {
		t.Errorf("what is not seen is known: %+v, %v", d.Lock, *d.Locked)
	}
}

func TestAccess(t *testing.T) {
	s := newScene()
	user := &schema.User{Decl: schema.Decl{Addr: addr(schema.KindUser, "app")}, Name: "app"}
	s.group.Principal, s.group.Quota = "User:app", schema.Limits{schema.ConsumerByteRate: 10}
	s.more = []schema.Resource{user}
	s.facts.Snapshot.Users = map[string]live.Seen[live.User]{"app": live.Is(live.User{schema.ScramSHA512: 4096})}
	s.facts.Snapshot.Quotas = live.Is(live.Quotas{{User: schema.Named("app")}: {schema.ConsumerByteRate: 5}})
	d := s.document()
	if diff := cmp.Diff([]health.User{{Address: user.Addr, Name: "app", Mechanisms: []schema.Mechanism{schema.ScramSHA512}, UsedBy: []schema.Addr{s.group.Addr}}}, d.Users); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]health.Quota{{Address: s.group.Addr, Entity: "user:app", Key: schema.ConsumerByteRate, Limit: new(5.0), Known: true, Declared: 10}}, d.Quotas); diff != "" {
		t.Error(diff)
	}
	s.facts.Snapshot.Users["app"], s.facts.Snapshot.Quotas = live.None[live.User](), live.Is(live.Quotas{})
	if d := s.document(); d.Users[0].Mechanisms == nil || len(d.Users[0].Mechanisms) > 0 || !d.Quotas[0].Known || d.Quotas[0].Limit != nil {
		t.Errorf("what is not there is not known: %+v %+v", d.Users, d.Quotas)
	}
	s.facts.Snapshot.Users["app"] = live.Hidden[live.User]("not permitted", "")
	s.facts.Snapshot.Quotas = live.Hidden[live.Quotas]("not permitted", "")
	if d := s.document(); d.Users[0].Mechanisms != nil || d.Quotas[0].Known || d.Quotas[0].Limit != nil {
		t.Errorf("what is not seen is known: %+v %+v", d.Users, d.Quotas)
	}
}

// The declared load is held against the disks, though nothing changes.
func TestCapacity(t *testing.T) {
	for usable, fits := range map[int64]bool{1 << 40: true, 1: false} {
		s := newScene()
		s.queue.Load = &schema.Load{MessagesPerSecond: 1000, MessageBytes: 1000}
		s.queue.Config = map[string]schema.Setting{"retention.ms": {Value: "3600000"}}
		s.facts.Reading.Disks = live.Is(live.Disks{1: {Usable: usable}, 2: {Usable: usable}})
		all := s.document().Capacity
		if len(all) != 1 || all[0].Of != guard.DiskBytes || all[0].Fits != fits || *all[0].Needs != 7.2e9 {
			t.Errorf("with %d bytes: %+v", usable, all)
		}
	}
}

// What is to be fetched is the first message that one of the groups has not read.
func TestUnread(t *testing.T) {
	s := newScene()
	late := *s.group
	late.Addr, late.GroupID, late.Start = addr(schema.KindGroup, "late"), "late", schema.Latest
	s.more = []schema.Resource{&late}
	s.document()
	groups := s.facts.Reading.Groups
	unread := func() live.Offsets { return health.Unread(s.plan.Topology, s.facts.Snapshot, groups)["shop.orders"] }
	for _, test := range []struct {
		late live.Seen[live.Group]
		want live.Offsets
	}{
		{live.Is(live.Group{Offsets: live.Is(map[string]live.Progress{"shop.orders": {0: 40}})}), live.Offsets{40, 100}},
		{live.Is(live.Group{Offsets: live.Is(map[string]live.Progress{"shop.orders": {0: 60, 1: 99}})}), live.Offsets{50, 99}},
		{live.None[live.Group](), live.Offsets{50, 100}},
		{live.Is(live.Group{
			Offsets: live.Is(map[string]live.Progress{"shop.orders": {0: 40, 1: 99}}), Undone: map[string]live.Progress{"shop.orders": {0: 1, 1: 0}},
		}), live.Offsets{40, 100}}, // a share group has done what is behind where it is
	} {
		groups["late"] = test.late
		if diff := cmp.Diff(test.want, unread()); diff != "" {
			t.Error(diff)
		}
	}
	delete(groups, "late")
	groups["billing"] = live.None[live.Group]()
	if diff := cmp.Diff(live.Offsets{live.Start, live.Start}, unread()); diff != "" {
		t.Error(diff)
	}
}
