package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/plan/render"
	"github.com/queueform/queueform/schema"
)

// lines are the text of a plan of one change, without what stands around it.
func lines(t *testing.T, c plan.Change) []string {
	t.Helper()
	c.Source = hcl.Range{Filename: "q.hcl", Start: hcl.Pos{Line: 3, Column: 1}}
	p := &plan.Plan{Topology: &schema.Topology{Name: "q"}, Changes: []plan.Change{c}}
	var text strings.Builder
	if err := render.Text(&text, planfile.New(p, nil, nil, ""), render.Options{Width: 50}); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(text.String(), "\nCreate\n")
	change, _, _ := strings.Cut(rest, "\n\n")
	return strings.Split(change, "\n")
}

func instance(key, topic string) plan.Change {
	return plan.Change{
		Addr:   schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: key, Keyed: true},
		Object: schema.ID{Kind: schema.KindQueue, Name: topic},
		Action: plan.Create,
	}
}

// Places stand at the right edge, however wide characters are; what finds no
// room has lines of its own.
func TestTitles(t *testing.T) {
	long := strings.Repeat("x", 60)
	for _, test := range []struct {
		key, topic string
		want       []string
	}{
		{"eu", "t.eu", []string{`  + queue.shard["eu"]  t.eu              q.hcl:3:1`}},
		{"größe", "t.b", []string{`  + queue.shard["größe"]  t.b            q.hcl:3:1`}},
		{"日本", "t.c", []string{`  + queue.shard["日本"]  t.c             q.hcl:3:1`}},
		{"eu", "topic.of.some.length", []string{`  + queue.shard["eu"]  topic.of.some.length`, "      q.hcl:3:1"}},
		{"eu", long, []string{`  + queue.shard["eu"]`, "      " + long, "      q.hcl:3:1"}},
	} {
		if diff := cmp.Diff(test.want, lines(t, instance(test.key, test.topic))); diff != "" {
			t.Errorf("%s %s: %s", test.key, test.topic, diff)
		}
	}
}

// What a cluster has set does not speak to the terminal.
func TestControlCharacters(t *testing.T) {
	c := instance("eu", "t")
	c.Fields = []plan.Field{{Path: "config.vendor.key", After: "a\u001b[2Jb"}}
	if got := lines(t, c); got[1] != `      vendor.key  "a\u001b[2Jb"` {
		t.Errorf("%q", got)
	}
}

// Why a change was not checked is told, unless nobody asked.
func TestNotChecked(t *testing.T) {
	c := instance("eu", "t")
	if got := lines(t, c); len(got) != 1 {
		t.Errorf("%q", got)
	}
	c.Check.Why = "not permitted"
	if got := lines(t, c); len(got) != 2 || got[1] != "      not checked (not permitted)" {
		t.Errorf("%q", got)
	}
}

// A plan without a change may still be for something.
func TestPlanWithoutChanges(t *testing.T) {
	id := schema.ID{Kind: schema.KindQueue, Name: "shop.orders"}
	for _, test := range []struct {
		plan plan.Plan
		want string
	}{
		{plan.Plan{}, "Nothing to do: the cluster is as declared."},
		{plan.Plan{Claims: []plan.Claim{{Object: id, Adopts: true}}, Throttled: []schema.ID{id}}, "Nothing to change: apply notes that 1 object is this topology's."},
		{plan.Plan{Throttled: []schema.ID{id}}, "Nothing to change: apply removes the replication throttle that is left."},
		{plan.Plan{HalfDone: []schema.ID{id}}, "Nothing to change, whatever an earlier apply left half-done."},
		{plan.Plan{Vanished: []schema.ID{id}, Released: []schema.ID{id}}, "Nothing to change: apply forgets 2 objects."},
	} {
		test.plan.Topology = &schema.Topology{Name: "q"}
		var text strings.Builder
		if err := render.Text(&text, planfile.New(&test.plan, nil, nil, ""), render.Options{}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(text.String(), "\n"+test.want+"\n") {
			t.Errorf("%s\nand should end: %s", &text, test.want)
		}
	}
}
