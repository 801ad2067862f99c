package planfile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/schema"
)

const version = "1.2.3"

func at(line int) hcl.Range {
	return hcl.Range{Filename: "shop.hcl", Start: hcl.Pos{Line: line, Column: 1, Byte: 7 * line}, End: hcl.Pos{Line: line, Column: 9, Byte: 7*line + 8}}
}

func queue(label string, line int, replicas [][]int32, config map[string]string) *schema.Queue {
	q := &schema.Queue{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: label}, Written: schema.Written{Source: at(line), Attrs: map[string]hcl.Range{
			"placement": at(line + 1), "config": at(line + 2),
		}}},
		Topic: "shop." + label, Partitions: len(replicas), ReplicationFactor: len(replicas[0]),
		Placement: &schema.Placement{Replicas: replicas}, Config: map[string]schema.Setting{},
	}
	for key, value := range config {
		q.Config[key] = schema.Setting{Value: value}
		q.Attrs[plan.ConfigPath(key)] = at(line + 3)
	}
	return q
}

// files ask for a step of every kind.
func files() *schema.Topology {
	gone := schema.ID{Kind: schema.KindQueue, Name: "shop.gone"}
	return &schema.Topology{
		Name: "shop",
		Resources: []schema.Resource{
			queue("new", 10, [][]int32{{1, 2}}, map[string]string{"retention.ms": "5"}),
			queue("old", 20, [][]int32{{1, 2}, {2, 3}, {3, 1}}, map[string]string{"min.insync.replicas": "2", "retention.ms": "5"}),
		},
		Removals: []schema.Removal{{
			Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindQueue, Key: "shop.gone", Keyed: true}, Written: schema.Written{Source: at(30)}},
			Object: gone,
		}},
	}
}

func topic(id byte, replicas ...[]int32) live.Topic {
	t := live.Topic{ID: live.TopicID{id}, Overrides: live.Is(map[string]string{})}
	for _, list := range replicas {
		t.Partitions = append(t.Partitions, live.Partition{Leader: list[0], Replicas: list, InSync: list})
	}
	return t
}

func cluster() *live.Snapshot {
	old := topic(1, []int32{1}, []int32{3})
	old.Overrides.Value["retention.ms"] = "7"
	old.Overrides.Value["flush.messages"] = "1"
	return &live.Snapshot{
		Cluster:  live.Cluster{ID: "abc", Pins: true, Brokers: []live.Broker{{ID: 1}, {ID: 2}, {ID: 3}}},
		Moves:    live.Is(0),
		Defaults: map[string]string{"min.insync.replicas": "1", "flush.messages": "9"},
		Topics: map[string]live.Seen[live.Topic]{
			"shop.new": live.None[live.Topic](), "shop.old": live.Is(old), "shop.gone": live.Is(topic(2, []int32{1})),
		},
	}
}

// kept is the plan and, through a file, its document.
func kept(t *testing.T) (*plan.Plan, *planfile.Document) {
	t.Helper()
	p, diags := plan.Build(files(), cluster(), plan.Options{})
	if diags.HasErrors() || p.Incomplete() || len(p.Steps) != 6 {
		t.Fatalf("%v %+v", diags, p)
	}
	d := planfile.New(p, nil, nil, version)
	d.Bind(p.Topology)
	var text strings.Builder
	if err := planfile.Encode(&text, d); err != nil {
		t.Fatal(err)
	}
	d, err := planfile.Decode(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	return p, d
}

// What comes out of a file is the plan that went in, on the lines of the files
// as they are now.
func TestPlan(t *testing.T) {
	want, d := kept(t)
	got, _, err := d.Plan(planfile.Now{Version: version, Topology: files(), Snapshot: cluster()})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(plan.Plan{}, "Topology")); diff != "" {
		t.Error(diff)
	}
}

// set changes what a topic is.
func set(name string, change func(*live.Topic)) func(*planfile.Now) {
	return func(now *planfile.Now) {
		topic := now.Snapshot.Topics[name]
		change(&topic.Value)
		now.Snapshot.Topics[name] = topic
	}
}

// What changes by itself, or is no matter of the plan, does not hinder it: its
// steps are those of the file, whatever would be planned now.
func TestPlanHolds(t *testing.T) {
	want, d := kept(t)
	for name, change := range map[string]func(*planfile.Now){
		"a leader":             set("shop.old", func(o *live.Topic) { o.Partitions[0].Leader = -1 }),
		"in-sync replicas":     set("shop.old", func(o *live.Topic) { o.Partitions[0].InSync = nil }),
		"a broker":             func(now *planfile.Now) { now.Snapshot.Cluster.Brokers = now.Snapshot.Cluster.Brokers[:1] },
		"a key it leaves":      set("shop.old", func(o *live.Topic) { o.Overrides.Value["segment.ms"] = "1" }),
		"a topic it leaves":    func(now *planfile.Now) { now.Snapshot.Topics["shop.other"] = live.Is(topic(3, []int32{1})) },
		"an inherited value":   func(now *planfile.Now) { now.Snapshot.Defaults["retention.ms"] = "2" },
		"the lines of a block": func(now *planfile.Now) { now.Topology.Resources[1].Declared().Source = at(99) },
	} {
		now := planfile.Now{Version: version, Topology: files(), Snapshot: cluster()}
		change(&now)
		p, _, err := d.Plan(now)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want.Steps, p.Steps); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A plan is refused for what differs, by object and path, then and now.
func TestPlanChanged(t *testing.T) {
	_, d := kept(t)
	for says, change := range map[string]func(*planfile.Now){
		"queue.new: topic_id: none then, AwAAAAAAAAAAAAAAAAAAAA now": func(now *planfile.Now) {
			now.Snapshot.Topics["shop.new"] = live.Is(topic(3, []int32{1}))
		},
		"queue.old: topic_id: AQAAAAAAAAAAAAAAAAAAAA then, BAAAAAAAAAAAAAAAAAAAAA now": set("shop.old", func(o *live.Topic) { o.ID = live.TopicID{4} }),
		"queue.old: topic_id: AQAAAAAAAAAAAAAAAAAAAA then, none now": func(now *planfile.Now) {
			now.Snapshot.Topics["shop.old"] = live.None[live.Topic]()
		},
		"queue.old: topic_id: AQAAAAAAAAAAAAAAAAAAAA then, not to be seen now": func(now *planfile.Now) {
			now.Snapshot.Topics["shop.old"] = live.Hidden[live.Topic]("not permitted", "")
		},
		"queue.old: partitions: 2 then, 3 now": set("shop.old", func(o *live.Topic) {
			o.Partitions = append(o.Partitions, live.Partition{Replicas: []int32{1}})
		}),
		"queue.old: replicas[1]: [3] then, [2] now":                    set("shop.old", func(o *live.Topic) { o.Partitions[1].Replicas = []int32{2} }),
		"queue.old: config.retention.ms: 7ms then, 8ms now":            set("shop.old", func(o *live.Topic) { o.Overrides.Value["retention.ms"] = "8" }),
		"queue.old: config.flush.messages: 1 then, none now":           set("shop.old", func(o *live.Topic) { delete(o.Overrides.Value, "flush.messages") }),
		`queue.old: config.min.insync.replicas: none then, "" now`:     set("shop.old", func(o *live.Topic) { o.Overrides.Value["min.insync.replicas"] = "" }),
		"queue.old: inherited.flush.messages: 9 then, 10 now":          func(now *planfile.Now) { now.Snapshot.Defaults["flush.messages"] = "10" },
		"queue.old: config.retention.ms: 7ms then, not to be seen now": set("shop.old", func(o *live.Topic) { o.Overrides = live.Hidden[map[string]string]("not permitted", "") }),
		`delete.queue["shop.gone"]: partitions: 1 then, 0 now`:         set("shop.gone", func(o *live.Topic) { o.Partitions = nil }),
	} {
		now := planfile.Now{Version: version, Topology: files(), Snapshot: cluster()}
		change(&now)
		_, _, err := d.Plan(now)
		if _, changed := errors.AsType[planfile.Changed](err); !changed || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// Who has it not any more is told once, and in words.
func TestOwnerChanged(t *testing.T) {
	owned := cluster()
	owned.Ledger = live.Is(live.Ledger{Owners: live.Owners{schema.KindQueue: {"shop.old": {Topology: "shop"}}}})
	p, _ := plan.Build(files(), owned, plan.Options{})
	d := planfile.New(p, nil, nil, version)
	d.Bind(p.Topology)
	now := cluster()
	now.Ledger = live.Is(live.Ledger{})
	_, _, err := d.Plan(planfile.Now{Version: version, Topology: files(), Snapshot: now})
	want := "the cluster has changed since the plan was made: plan again\n  queue.old: owner: shop then, nobody now"
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// What differs in many places is not told of all.
func TestChangedIsShort(t *testing.T) {
	err := planfile.Changed(slices.Repeat([]planfile.Mismatch{{Path: "partitions", Then: "1", Now: "2"}}, 1011))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 12 || lines[11] != "  and 1,001 more" {
		t.Errorf("%q", lines)
	}
}

// applied is the cluster once all steps are taken.
func applied() *live.Snapshot {
	s := cluster()
	made := topic(9, []int32{1, 2})
	made.Overrides.Value["retention.ms"] = "5"
	old := topic(1, []int32{1, 2}, []int32{2, 3}, []int32{3, 1})
	old.Overrides.Value["retention.ms"], old.Overrides.Value["min.insync.replicas"] = "5", "2"
	s.Topics["shop.new"], s.Topics["shop.old"], s.Topics["shop.gone"] = live.Is(made), live.Is(old), live.None[live.Topic]()
	return s
}

func TestPlanRefuses(t *testing.T) {
	_, d := kept(t)
	for says, change := range map[string]func(*planfile.Document, *planfile.Now){
		"was made for cluster abc, and this is other":    func(_ *planfile.Document, now *planfile.Now) { now.Snapshot.Cluster.ID = "other" },
		"is of topology shop, and these files are of":    func(_ *planfile.Document, now *planfile.Now) { now.Topology.Name = "other" },
		"was made by queueform 1.2.3, and this is 1.2.4": func(_ *planfile.Document, now *planfile.Now) { now.Version = "1.2.4" },
		"the files or their variables have changed":      func(d *planfile.Document, _ *planfile.Now) { d.Digest = "other" },
		"the files have errors":                          func(d *planfile.Document, _ *planfile.Now) { d.Errors = []planfile.Problem{{Summary: "wrong"}} },
		"(queue.nobody is not declared)":                 func(d *planfile.Document, _ *planfile.Now) { d.Changes[0].Address.Label = "nobody" },
		"was applied already":                            func(_ *planfile.Document, now *planfile.Now) { now.Snapshot = applied() },
		"queue.new: topic_id: none then, CQAAAAAAAAAAA": func(_ *planfile.Document, now *planfile.Now) { // half of it is done
			done := applied()
			now.Snapshot.Topics["shop.new"] = done.Topics["shop.new"]
		},
	} {
		now := planfile.Now{Version: version, Topology: files(), Snapshot: cluster()}
		changed := *d
		changed.Changes = slices.Clone(d.Changes)
		change(&changed, &now)
		if p, _, err := changed.Plan(now); p != nil || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// What the files ask for and the cluster cannot give by now is told, as of any
// other plan: an apply of another branch has forbidden the deletion meanwhile.
func TestPlanTellsWhatIsRefusedNow(t *testing.T) {
	_, d := kept(t)
	for says, prevented := range map[string]bool{"": false, "Deletion is prevented": true} {
		now := planfile.Now{Version: version, Topology: files(), Snapshot: cluster()}
		now.Snapshot.Ledger = live.Is(live.Ledger{Owners: live.Owners{schema.KindQueue: {
			"shop.gone": {Topology: "shop", TopicID: live.TopicID{2}, PreventDelete: prevented},
			"shop.old":  {Topology: "shop", TopicID: live.TopicID{1}},
		}}})
		if _, diags, err := d.Plan(now); err != nil || diags.HasErrors() != prevented || !strings.Contains(diags.Error(), says) {
			t.Errorf("prevented %v: %v, %v", prevented, diags, err)
		}
	}
}
