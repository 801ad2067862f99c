package guard_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// TestGroupHazards judges what happens to groups, and to those who read and
// write what changes.
func TestGroupHazards(t *testing.T) {
	const topic = "shop.orders"
	named := func(kind schema.Kind, label string) schema.Decl {
		return schema.Decl{Addr: schema.Addr{Kind: kind, Label: label}}
	}
	orders := schema.Addr{Kind: schema.KindQueue, Label: "orders"}
	queue := func(partitions int) *schema.Queue {
		return &schema.Queue{Decl: schema.Decl{Addr: orders}, Topic: topic, Partitions: partitions, Load: &schema.Load{MessagesPerSecond: 10, MessageBytes: 100}}
	}
	billing := func(start schema.Start, protocol schema.Protocol) *schema.Group {
		return &schema.Group{Decl: named(schema.KindGroup, "billing"), GroupID: "billing", Queues: []schema.Addr{orders}, Protocol: protocol, Start: start}
	}
	reader := func(principal string) *schema.Group {
		g := billing("", schema.Classic)
		g.Principal = principal
		return g
	}
	limited := func(rate float64) *schema.Producer {
		return &schema.Producer{
			Decl: named(schema.KindProducer, "p"), Queues: []schema.Addr{orders}, Principal: "User:p",
			Quota: schema.Limits{schema.ProducerByteRate: rate}, Client: map[string]schema.Setting{"max.request.size": {Value: "2000"}},
		}
	}
	smaller := queue(1)
	smaller.Config = map[string]schema.Setting{"max.message.bytes": {Value: "1000"}}
	deletion := schema.Removal{
		Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindGroup, Key: "billing", Keyed: true}},
		Object: schema.ID{Kind: schema.KindGroup, Name: "billing"},
	}
	group := func(committed live.Progress, members ...live.Member) live.Seen[live.Group] {
		g := live.Group{Protocol: schema.Classic, Members: members, Offsets: live.Is(map[string]live.Progress{}), Configs: live.Is(map[string]string{})}
		if committed != nil {
			g.Offsets.Value[topic] = committed
		}
		return live.Is(g)
	}
	toldOf := func(seen live.Seen[live.Group], start string) live.Seen[live.Group] {
		seen.Value.Configs = live.Is(map[string]string{plan.ShareStart: start})
		if seen.State == live.Present {
			seen.Value.Protocol = schema.Share
		}
		return seen
	}
	told := func(seen live.Seen[live.Group]) live.Seen[live.Group] { return toldOf(seen, "earliest") }
	at := live.Progress{0: 4}
	reads := schema.Binding{
		Principal: "User:b", Host: "*", Permission: schema.Allow, Operation: schema.Read,
		Resource: schema.ACLResource{Type: schema.GroupResource, Name: "billing", Pattern: schema.Literal},
	}
	one, closed := []schema.Resource{queue(1)}, &schema.Cluster{OpenByDefault: new(bool)}
	for name, test := range map[string]struct {
		resources []schema.Resource
		removals  []schema.Removal
		cluster   *schema.Cluster
		group     live.Seen[live.Group]
		messages  int64 // between the offsets 0 and this; below 0: it is not known
		applies   string
		holds     bool // the topology has the right to read as the group
		active    bool // a group that reads the topic
		unread    bool // which groups read it is not known
		want      []string
	}{
		"a group is deleted":               {removals: []schema.Removal{deletion}, group: group(at), messages: 10, want: []string{"QF104 blocks billing:6"}},
		"a group whose offsets are hidden": {removals: []schema.Removal{deletion}, group: group(nil), want: []string{"QF104 blocks billing:0"}},
		"a group that is gone":             {removals: []schema.Removal{deletion}, group: live.None[live.Group]()},
		"partitions, a late active group":  {resources: []schema.Resource{queue(2), billing(schema.Latest, schema.Classic)}, group: group(at, live.Member{}), active: true, want: []string{"QF202 blocks"}},
		"partitions, an early group":       {resources: []schema.Resource{queue(2), billing(schema.Earliest, schema.Classic)}, group: group(at, live.Member{}), active: true},
		"partitions, an idle group":        {resources: []schema.Resource{queue(2), billing(schema.Latest, schema.Classic)}, group: group(at)},
		"partitions, an idle share group":  {resources: []schema.Resource{queue(2), billing("", schema.Share)}, group: live.None[live.Group](), want: []string{"QF202 warns"}},
		"partitions, another's group":      {resources: []schema.Resource{queue(2)}, active: true, want: []string{"QF202 blocks"}},
		"partitions, another's idle one":   {resources: []schema.Resource{queue(2)}, want: []string{"QF202 warns"}},
		"partitions, groups not known":     {resources: []schema.Resource{queue(2)}, unread: true, want: []string{"QF202 blocks"}},
		"the first right, messages":        {resources: []schema.Resource{queue(1), reader("User:b")}, group: group(nil), messages: 1, want: []string{"QF401 blocks", "QF401 warns"}},
		"the first right, members":         {resources: []schema.Resource{queue(1), reader("User:b")}, group: group(nil, live.Member{}), want: []string{"QF401 warns", "QF401 blocks"}},
		"the first right, all closed":      {resources: []schema.Resource{queue(1), reader("User:b")}, cluster: closed, group: group(nil, live.Member{}), messages: 1},
		"a right of an idle group goes":    {resources: one, group: group(at), holds: true, want: []string{"QF402 warns"}},
		"a right of an active group goes":  {resources: one, group: group(at, live.Member{}), holds: true, want: []string{"QF402 blocks"}},
		"a right of who applies goes":      {resources: one, applies: "User:b", group: group(at), holds: true, want: []string{"QF402 blocks"}},
		"who applies is shut out":          {resources: []schema.Resource{queue(1), reader("User:b")}, applies: "User:c", group: group(nil), want: []string{"QF401 warns", "QF402 warns", "QF401 warns"}},
		"likewise, certainly":              {resources: []schema.Resource{queue(1), reader("User:b")}, applies: "User:c", cluster: &schema.Cluster{OpenByDefault: new(true)}, group: group(nil), want: []string{"QF401 warns", "QF402 blocks", "QF401 warns"}},
		"who applies gets a right":         {resources: []schema.Resource{queue(1), reader("User:b")}, applies: "User:b", group: group(nil), want: []string{"QF401 warns", "QF401 warns"}},
		"a quota below the load":           {resources: []schema.Resource{queue(1), limited(499)}, cluster: closed, want: []string{"QF403 warns"}},
		"a quota above the load":           {resources: []schema.Resource{queue(1), limited(500)}, cluster: closed},
		"a share group begins later":       {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Share)}, group: told(live.None[live.Group]()), messages: 10, want: []string{"QF106 blocks 10 billing:10"}},
		"likewise, offsets not known":      {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Share)}, group: told(live.None[live.Group]()), messages: -1, want: []string{"QF106 blocks"}},
		"a share group begins earlier":     {resources: []schema.Resource{queue(1), billing(schema.Earliest, schema.Share)}, group: toldOf(live.None[live.Group](), "by_duration:PT1H"), messages: 10},
		"likewise, from the end":           {resources: []schema.Resource{queue(1), billing("2026-01-31T12:00:00Z", schema.Share)}, group: toldOf(live.None[live.Group](), "latest"), messages: 10},
		"likewise, which shares no more":   {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Consumer)}, group: told(live.None[live.Group]()), messages: 10},
		"likewise, nothing there":          {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Share)}, group: told(live.None[live.Group]())},
		"likewise, where it has begun":     {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Share)}, group: told(group(at)), messages: 10},
		"likewise, where nobody told":      {resources: []schema.Resource{queue(1), billing(schema.Latest, schema.Share)}, group: live.None[live.Group](), messages: 10},
		"messages smaller than requests":   {resources: []schema.Resource{smaller, limited(500)}, cluster: closed, want: []string{"QF203 blocks"}},
	} {
		t.Run(name, func(t *testing.T) {
			topology := &schema.Topology{Name: "shop", Resources: test.resources, Removals: test.removals, Cluster: test.cluster}
			slices.SortFunc(test.resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
			ledger := live.Ledger{Owners: live.Owners{
				schema.KindQueue: {topic: {Topology: "shop"}}, schema.KindGroup: {"billing": {Topology: "shop"}},
			}}
			bindings := live.Bindings{}
			if test.holds {
				ledger.Holders, bindings[reads] = live.Holders{reads.String(): {"shop": {Topology: "shop", Made: true}}}, true
			}
			snapshot := &live.Snapshot{
				Cluster: live.Cluster{Brokers: []live.Broker{{ID: 1}, {ID: 2}}, Pins: true}, Moves: live.Is(0), Ledger: live.Is(ledger),
				Topics:   map[string]live.Seen[live.Topic]{topic: live.Is(live.Topic{Partitions: []live.Partition{{Leader: 1, Replicas: []int32{1}, InSync: []int32{1}}}, Overrides: live.Is(map[string]string{})})},
				Groups:   map[string]live.Seen[live.Group]{"billing": test.group},
				Bindings: live.Is(bindings), Quotas: live.Is(live.Quotas{}), Defaults: map[string]string{"max.message.bytes": "3000", "retention.ms": "-1"},
			}
			p, diags := plan.Build(topology, snapshot, plan.Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			answers := live.Answers{
				Offsets: map[live.Position]live.Seen[live.Offsets]{
					{Topic: topic, At: live.Start}: live.Is(live.Offsets{0}), {Topic: topic, At: live.End}: live.Is(live.Offsets{test.messages}),
				},
				Readers: map[string]live.Seen[live.Readers]{topic: live.Is(live.Readers{"billing": {}})},
				Active:  map[string]bool{"billing": test.active},
			}
			if test.messages < 0 {
				answers.Offsets[live.Position{Topic: topic, At: live.End}] = live.Hidden[live.Offsets]("there was no answer in time", "")
			}
			if test.unread {
				answers.Readers[topic] = live.Hidden[live.Readers]("not permitted", "Describe on Cluster")
			}
			found, _ := guard.Judge(p, guard.Facts{Snapshot: snapshot, Answers: answers, Principal: test.applies})
			var got []string
			for _, f := range found {
				text := fmt.Sprint(f.Code, " ", f.Severity)
				if n := f.Radius.Messages; n != nil && *n > 0 {
					text += fmt.Sprint(" ", *n)
				}
				for _, g := range f.Radius.Groups {
					text += fmt.Sprintf(" %s:%d", g.Group, g.Unread)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, summaries(found))
			}
		})
	}
}

func summaries(found []guard.Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintln(&b, f.Code, f.Summary)
	}
	return b.String()
}
