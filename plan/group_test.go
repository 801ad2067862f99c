package plan_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

func reads(start schema.Start, set ...func(*schema.Group)) *schema.Group {
	g := &schema.Group{Decl: named(schema.KindGroup, "billing"), GroupID: "billing", Queues: []schema.Addr{address("orders")}, Protocol: schema.Classic, Start: start}
	for _, s := range set {
		s(g)
	}
	return g
}

func shared(g *schema.Group) { g.Protocol = schema.Share }

func told(key, value string) func(*schema.Group) {
	return func(g *schema.Group) { g.Config = map[string]schema.Setting{key: {Value: value}} }
}

// TestGroups compares groups with what there is and with what the ledger knows.
func TestGroups(t *testing.T) {
	const session = "consumer.session.timeout.ms"
	id := live.TopicID{1}
	committed := func(at live.Progress, set ...func(*live.Group)) live.Seen[live.Group] {
		g := live.Group{Protocol: schema.Classic, Offsets: live.Is(map[string]live.Progress{"shop.orders": at}), Configs: live.Is(map[string]string{})}
		if at == nil {
			g.Offsets = live.Is(map[string]live.Progress{})
		}
		for _, s := range set {
			s(&g)
		}
		return live.Is(g)
	}
	joined := func(g *live.Group) { g.Members = []live.Member{{ID: "m"}} }
	configured := func(value string) func(*live.Group) {
		return func(g *live.Group) { g.Configs = live.Is(map[string]string{session: value}) }
	}
	begins := func(g *live.Group) { g.Configs = live.Is(map[string]string{plan.ShareStart: "earliest"}) }
	untold := func(g *live.Group) { g.Configs = live.Hidden[map[string]string]("not permitted", "") }
	sharing := func(g *live.Group) { g.Protocol = schema.Share }
	put := func(moved bool, at ...int64) live.Owner {
		return live.Owner{Topology: "shop", Seeds: map[string]live.Seed{"shop.orders": {TopicID: id, Offsets: at, Moved: moved}}}
	}
	const none = live.NoOffset
	ours := live.Owner{Topology: "shop"}
	absent := live.None[live.Group]()
	configs := live.Is(live.Group{Configs: live.Is(map[string]string{})})
	configs.State = live.Absent
	for name, test := range map[string]struct {
		group     *schema.Group // nil: nothing is declared
		deleted   bool
		grows     bool // to three partitions; they are two
		creates   bool // the topic
		hidden    bool // is the topic
		seen      live.Seen[live.Group]
		owner     live.Owner
		protocols []schema.Protocol
		steps     []string
		seeds     []live.Seed // claimed
		keys      []string    // likewise
		unclaimed bool
		blocked   int
		unseen    int
		warns     int
		fails     bool
	}{
		"begins where the files say":            {group: reads(schema.Latest), seen: absent, steps: []string{"groups billing latest in [] at map[]"}},
		"begins in a topic that is made":        {group: reads(schema.Earliest), seen: absent, creates: true, steps: []string{"create shop.orders", "groups billing earliest in [] at map[] after shop.orders"}},
		"has no start":                          {group: reads(""), seen: absent},
		"has read":                              {group: reads(schema.Latest), seen: committed(live.Progress{0: 5}), owner: ours, seeds: []live.Seed{{TopicID: id, Offsets: live.Offsets{none, none}}}},
		"is where it was put":                   {group: reads(schema.Latest), seen: committed(live.Progress{0: 5, 1: 6}), owner: put(false, 5, 6), unclaimed: true},
		"was put by an apply that was killed":   {group: reads(schema.Latest), seen: committed(live.Progress{0: 5, 1: 6}), owner: live.Owner{Topology: "shop", HalfDone: true}, seeds: []live.Seed{{TopicID: id, Offsets: live.Offsets{5, 6}}}},
		"has gone on":                           {group: reads(schema.Latest), seen: committed(live.Progress{0: 5, 1: 7}), owner: put(false, 5, 6), seeds: []live.Seed{{TopicID: id, Offsets: live.Offsets{5, 6}, Moved: true}}},
		"has lost what it was given":            {group: reads(schema.Latest), seen: committed(nil), owner: put(false, 5, 6), steps: []string{"groups billing  in [] at map[0:5 1:6]"}, unclaimed: true},
		"has lost what it was given, and grows": {group: reads(schema.Latest), grows: true, seen: committed(nil), owner: put(false, 5, 6), steps: []string{"partitions shop.orders", "groups billing earliest in [2] at map[0:5 1:6] after shop.orders"}, unclaimed: true},
		"has lost what it had read":             {group: reads(schema.Latest), seen: committed(nil), owner: put(true, 5, 6), warns: 1, unclaimed: true},
		"has lost what was its own":             {group: reads(schema.Latest), seen: absent, owner: put(false, none, none), warns: 1, unclaimed: true},
		"was put in another life of the topic":  {group: reads(schema.Latest), seen: committed(nil), owner: live.Owner{Topology: "shop", Seeds: map[string]live.Seed{"shop.orders": {TopicID: live.TopicID{9}, Offsets: live.Offsets{5, 6}}}}, steps: []string{"groups billing latest in [] at map[]"}},
		"is at work and has committed nothing":  {group: reads(schema.Latest), seen: committed(nil, joined), owner: ours, warns: 1, unclaimed: true},
		"gets a new partition":                  {group: reads(schema.Latest), grows: true, seen: committed(live.Progress{0: 5, 1: 6}), owner: put(false, 5, 6), steps: []string{"partitions shop.orders", "groups billing earliest in [2] at map[] after shop.orders"}, unclaimed: true},
		"gets a new partition, never put":       {group: reads(""), grows: true, seen: committed(live.Progress{0: 5}), owner: ours, steps: []string{"partitions shop.orders", "groups billing earliest in [2] at map[] after shop.orders"}, seeds: []live.Seed{{TopicID: id, Offsets: live.Offsets{none, none}}}},
		"gets a new partition, at work":         {group: reads(schema.Latest), grows: true, seen: committed(live.Progress{0: 5, 1: 6}, joined), owner: put(false, 5, 6), steps: []string{"partitions shop.orders"}, unclaimed: true},
		"got a partition before a kill":         {group: reads(schema.Latest), seen: committed(live.Progress{0: 5}), owner: put(false, 5), steps: []string{"groups billing earliest in [1] at map[]"}, unclaimed: true},
		"got a partition, and found its way":    {group: reads(schema.Latest), seen: committed(live.Progress{0: 5, 1: 3}, joined), owner: put(false, 5), seeds: []live.Seed{{TopicID: id, Offsets: live.Offsets{5, none}}}},
		"is told something":                     {group: reads("", told(session, "50000")), seen: configs, steps: []string{"groups billing set map[consumer.session.timeout.ms:50000] reset []"}},
		"is told the same":                      {group: reads("", told(session, "50000")), seen: committed(nil, configured("50000")), owner: live.Owner{Topology: "shop", Keys: []string{session}}, unclaimed: true},
		"is told no more":                       {group: reads(""), seen: committed(nil, configured("50000")), owner: live.Owner{Topology: "shop", Keys: []string{session}}, steps: []string{"groups billing set map[] reset [consumer.session.timeout.ms]"}},
		"is told no more, not to be seen":       {group: reads(""), seen: committed(nil, untold), owner: live.Owner{Topology: "shop", Keys: []string{session}}, unseen: 1, unclaimed: true},
		"is deleted, what it is told unseen":    {deleted: true, seen: committed(nil, untold), owner: live.Owner{Topology: "shop", Keys: []string{session}}, unseen: 1, unclaimed: true},
		"was told by another":                   {group: reads(""), seen: committed(nil, configured("50000")), owner: ours, unclaimed: true},
		"is declared no more":                   {seen: committed(nil, configured("50000")), owner: live.Owner{Topology: "shop", Keys: []string{session}}, steps: []string{"revoke billing set map[] reset [consumer.session.timeout.ms]"}},
		"is declared no more, and shares":       {seen: committed(nil, sharing, begins), owner: live.Owner{Topology: "shop", Keys: []string{plan.ShareStart}}, unclaimed: true},
		"is declared no more, shares, and was told": {seen: committed(nil, sharing, func(g *live.Group) {
			g.Configs = live.Is(map[string]string{plan.ShareStart: "earliest", session: "1"})
		}), owner: live.Owner{Topology: "shop", Keys: []string{session, plan.ShareStart}}, steps: []string{"revoke billing set map[] reset [consumer.session.timeout.ms]"}, keys: []string{plan.ShareStart}},
		"is declared no more, nobody can see":     {seen: live.Hidden[live.Group]("not permitted", ""), owner: live.Owner{Topology: "shop", Keys: []string{session}}, unseen: 1, unclaimed: true},
		"reads a topic that cannot be seen":       {group: reads(schema.Latest), hidden: true, seen: committed(live.Progress{0: 5, 1: 6}), owner: put(false, 5, 6), unseen: 1, unclaimed: true},
		"cannot be seen":                          {group: reads(schema.Latest), seen: live.Hidden[live.Group]("not permitted", ""), unseen: 1, unclaimed: true},
		"is another topology's":                   {group: reads(schema.Latest), seen: absent, owner: live.Owner{Topology: "bank"}, fails: true, unclaimed: true},
		"shares, on a cluster that does not":      {group: reads("", shared), seen: absent, protocols: []schema.Protocol{schema.Classic}, fails: true, unclaimed: true},
		"shares, under the id of another":         {group: reads("", shared), seen: committed(live.Progress{0: 1}), fails: true, unclaimed: true},
		"does not share, under the id of another": {group: reads(schema.Latest), seen: committed(nil, sharing), fails: true, unclaimed: true},
		"has members of another protocol":         {group: reads("", func(g *schema.Group) { g.Protocol = schema.Consumer }), seen: committed(nil, joined), owner: ours, warns: 1, unclaimed: true},
		"shares from the beginning":               {group: reads(schema.Earliest, shared), seen: configs, steps: []string{"groups billing set map[share.auto.offset.reset:earliest] reset []"}},
		"is deleted":                              {deleted: true, seen: committed(live.Progress{0: 1}), owner: ours, steps: []string{"delete billing"}, unclaimed: true},
		"is deleted with what it is told":         {deleted: true, seen: committed(nil, configured("1")), owner: live.Owner{Topology: "shop", Keys: []string{session}}, steps: []string{"revoke billing set map[] reset [consumer.session.timeout.ms]", "delete billing"}, unclaimed: true},
		"is deleted at work":                      {deleted: true, seen: committed(nil, joined), owner: ours, blocked: 1, unclaimed: true},
		"is deleted already":                      {deleted: true, seen: absent, owner: ours, unclaimed: true},
	} {
		t.Run(name, func(t *testing.T) {
			n := 2
			if test.grows {
				n = 3
			}
			declared := topology(queue("orders", partitions(n)))
			if test.group != nil {
				declared = topology(test.group, queue("orders", partitions(n)))
			}
			if test.deleted {
				declared.Removals = []schema.Removal{{
					Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindGroup, Key: "billing", Keyed: true}},
					Object: schema.ID{Kind: schema.KindGroup, Name: "billing"},
				}}
			}
			topic := live.Is(live.Topic{ID: id, Partitions: make([]live.Partition, 2), Overrides: live.Is(map[string]string{})})
			owners := live.Owners{schema.KindQueue: {"shop.orders": {Topology: "shop", TopicID: id}}}
			if test.creates {
				topic, owners = live.None[live.Topic](), live.Owners{}
			}
			if test.hidden {
				topic = live.Hidden[live.Topic]("not permitted", "")
			}
			if test.owner.Topology != "" {
				owners.Add(schema.ID{Kind: schema.KindGroup, Name: "billing"}, test.owner)
			}
			s := &live.Snapshot{
				Cluster: live.Cluster{Protocols: test.protocols, Pins: true}, Moves: live.Is(0), Ledger: live.Is(live.Ledger{Owners: owners}),
				Topics: map[string]live.Seen[live.Topic]{"shop.orders": topic},
				Groups: map[string]live.Seen[live.Group]{"billing": test.seen},
			}
			p, diags := plan.Build(declared, s, plan.Options{})
			if diags.HasErrors() != test.fails || len(diags) != test.warns && !test.fails {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.steps, groupSteps(p.Steps), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if len(p.Blocked) != test.blocked || len(p.Unseen) != test.unseen {
				t.Errorf("blocked: %v, unseen: %v", p.Blocked, p.Unseen)
			}
			claimed := false
			var seeds []live.Seed
			for _, c := range p.Claims {
				if c.Object.Kind == schema.KindGroup {
					claimed = true
					if test.keys != nil && !slices.Equal(test.keys, c.Keys) {
						t.Errorf("keys: %v", c.Keys)
					}
					for _, seed := range c.Seeds {
						seeds = append(seeds, seed)
					}
				}
			}
			if diff := cmp.Diff(test.seeds, seeds, cmpopts.EquateEmpty()); diff != "" || claimed == test.unclaimed {
				t.Errorf("claimed: %v, %v %s", claimed, p.Claims, diff)
			}
		})
	}
}

func groupSteps(steps []plan.Step) []string {
	var all []string
	for _, s := range steps {
		h := s.About()
		text := fmt.Sprint(h.Phase, " ", h.Object.Name)
		switch s := s.(type) {
		case *plan.SeedOffsets:
			for _, seed := range s.Seeds {
				text += fmt.Sprint(" ", seed.Start, " in ", seed.Partitions, " at ", map[int32]int64(seed.At))
			}
		case *plan.AlterConfigs:
			text += fmt.Sprint(" set ", s.Set, " reset ", s.Reset)
		case *plan.CreateTopic, *plan.AddPartitions, *plan.Reassign, *plan.DeleteTopic, *plan.Release, *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.DeleteGroup:
		}
		for _, id := range h.After {
			text += " after " + id.Name
		}
		all = append(all, text)
	}
	return all
}
