package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Options narrow a plan.
type Options struct {
	Target []schema.Addr // keep what these cover, and the creations they refer to; none: everything
}

// kind is what one kind of resource brings to a plan.
type kind interface {
	of() schema.Kind
	scope(*schema.Topology, *live.Scope)
	diff(*builder)
	facts(*Change, *live.Snapshot) []Fact
	holds(Step, *live.Snapshot) error // nil: the step's result is there
	asks(name string, s *live.Scope)  // adds to a scope what shows one object
	lives(name string, s *live.Snapshot) (live.State, live.TopicID)
}

// kinds is the one list of them.
var kinds = []kind{queues{}, users{}, groups{}, acls{}, quotas{}} // groups look at the steps of queues

func kindOf(k schema.Kind) kind {
	return kinds[slices.IndexFunc(kinds, func(other kind) bool { return other.of() == k })]
}

// Scope says what a plan for the topology has to read.
func Scope(t *schema.Topology) live.Scope {
	var s live.Scope
	for _, k := range kinds {
		k.scope(t, &s)
	}
	return s
}

// ScopeOf is what shows the results of steps.
func ScopeOf(steps []Step) live.Scope {
	var s live.Scope
	for _, step := range steps {
		object := step.About().Object
		kindOf(object.Kind).asks(object.Name, &s)
		if _, moves := step.(*Reassign); moves {
			s.Moves = true
		}
	}
	return s
}

// Build compares. The diagnostics are about what the files ask for and the
// cluster cannot give; the plan then leaves that object out.
func Build(t *schema.Topology, s *live.Snapshot, o Options) (*Plan, hcl.Diagnostics) {
	b := &builder{
		topology: t,
		snapshot: s,
		plan:     &Plan{Topology: t, Cluster: s.Cluster, Target: o.Target, Ledger: s.Ledger},
		placer:   NewPlacer(s),
	}
	b.chosen = b.choose(o.Target)
	b.topology = b.sharing()
	for _, k := range kinds {
		k.diff(b)
	}
	b.refuseTaken()
	b.remember()
	b.orphans()
	b.throttled()
	b.unclaimed()
	b.halfDone()
	b.order()
	b.check()
	return b.plan, b.diags
}

// Holds says whether the result of a step is there; the error tells what is not.
func Holds(step Step, s *live.Snapshot) error {
	if release, ok := step.(*Release); ok {
		return release.holds(s)
	}
	return kindOf(step.About().Object.Kind).holds(step, s)
}

type builder struct {
	topology *schema.Topology // with the configs that follow from what share groups declare
	snapshot *live.Snapshot
	plan     *Plan
	diags    hcl.Diagnostics
	chosen   selection
	taken    []taken
	placer   *Placer
}

// change appends a difference and the steps that make it: neither exists alone.
func (b *builder) change(c Change, steps ...Step) {
	c.NeededBy, c.Facts = b.chosen[c.Addr], Facts(&c, b.snapshot)
	at := len(b.plan.Changes)
	b.plan.Changes = append(b.plan.Changes, c)
	for _, s := range steps {
		h := s.About()
		h.Object, h.Changes = c.Object, []int{at}
		b.plan.Steps = append(b.plan.Steps, s)
	}
}

func (b *builder) refuse(at hcl.Range, summary, detail string, args ...any) {
	b.diags = append(b.diags, &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at,
	})
}

func (b *builder) warn(at *hcl.Range, summary, detail string, args ...any) {
	b.diags = append(b.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: at})
}

// block leaves out what the cluster cannot do now; the rest of the plan stands.
func (b *builder) block(d *schema.Decl, object schema.ID, path string, err error) {
	b.plan.Blocked = append(b.plan.Blocked, Blocked{
		Addr: d.Addr, Object: object, Path: path, Why: err.Error(), Source: d.At(path),
	})
}

// unseen notes that a fact could not be compared.
func unseen[T any](b *builder, d *schema.Decl, object schema.ID, path string, fact live.Seen[T]) {
	b.plan.Unseen = append(b.plan.Unseen, Unseen{
		Addr: d.Addr, Object: object, Path: path, Why: fact.Reason(), Needs: fact.Needs, Source: d.At(path),
	})
}

// order sorts changes by address and steps by phase, then by what they ask and
// of whom, and lets the steps point to the changes' new places.
func (b *builder) order() {
	changes := b.plan.Changes
	places := make([]int, len(changes))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(x, y int) int { return changes[x].Addr.Compare(changes[y].Addr) })
	sorted, moved := make([]Change, len(changes)), make([]int, len(changes))
	for to, from := range places {
		sorted[to], moved[from] = changes[from], to
	}
	b.plan.Changes = sorted
	for _, s := range b.plan.Steps {
		for i, c := range s.About().Changes {
			s.About().Changes[i] = moved[c]
		}
	}
	slices.SortStableFunc(b.plan.Steps, func(x, y Step) int {
		return cmp.Or(
			cmp.Compare(x.About().Phase, y.About().Phase),
			cmp.Compare(rank(x), rank(y)),
			cmp.Compare(x.About().Changes[0], y.About().Changes[0]),
		)
	})
}

// check holds the plan against itself: a change nobody carries out, or a step
// nobody asked for, is a bug of this package.
func (b *builder) check() {
	carried := make([]bool, len(b.plan.Changes))
	for _, s := range b.plan.Steps {
		if len(s.About().Changes) == 0 {
			panic(fmt.Sprintf("plan: a %T of %s carries out no change", s, s.About().Object))
		}
		for _, c := range s.About().Changes {
			carried[c] = true
		}
	}
	if i := slices.Index(carried, false); i >= 0 {
		panic(fmt.Sprintf("plan: no step carries out the change of %s", b.plan.Changes[i].Addr))
	}
}
