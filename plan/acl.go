package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// acls is what rights bring to a plan: those that acl blocks declare, and those
// that follow from what producers and groups do. They go with their blocks.
type acls struct{}

func (acls) of() schema.Kind { return schema.KindACL }

func (acls) scope(t *schema.Topology, s *live.Scope) { s.Bindings = s.Bindings || len(t.Grants()) > 0 }

func (acls) asks(_ string, s *live.Scope) { s.Bindings = true }

func (acls) lives(name string, s *live.Snapshot) (live.State, live.TopicID) {
	binding, err := schema.ParseBinding(name)
	switch has := s.Bindings; {
	case has.State != live.Present:
		return has.State, live.TopicID{}
	case err == nil && has.Value[binding]:
		return live.Present, live.TopicID{}
	}
	return live.Absent, live.TopicID{}
}

func (acls) diff(b *builder) {
	grants := b.topology.Grants()
	seen := b.snapshot.Bindings
	if seen.State == live.Unseen && seen.Why == live.NoAuthorizer {
		if len(grants) > 0 {
			b.warn(&grants[0].Source, "Nobody checks rights here", "The cluster has no authorizer: everybody may do everything, and no right is given or taken.")
		}
		return
	}
	declared := make(map[string]bool, len(grants))
	for i := range grants {
		g := &grants[i]
		declared[g.String()] = true
		switch {
		case !b.chosen.has(g.By):
		case seen.State == live.Unseen:
			d := b.topology.Find(g.By).Declared()
			unseen(b, d, g.ID(), "", seen)
		default:
			b.grant(g, seen.Value[g.Binding])
		}
	}
	if b.chosen == nil {
		b.withdrawn(declared, seen)
	}
}

// grant declares one right.
func (b *builder) grant(g *schema.Grant, has bool) {
	holders := b.snapshot.Ledger.Value.Holders[g.String()]
	holder, held := holders[b.topology.Name]
	c := Claim{Object: g.ID(), Made: holder.Made || !has, Adopts: has && len(holders) == 0} // made also by an apply that was killed before it said so
	b.note(c, holder, held)
	if !has {
		b.change(
			Change{Addr: g.By, Object: g.ID(), Action: Create, Source: g.Source},
			&CreateACL{Head: Head{Phase: PhaseGrant, Records: 1}, Binding: g.Binding},
		)
	}
}

// withdrawn lets go of the rights that the topology holds and declares no more.
// One goes that queueform made and nobody else holds.
func (b *builder) withdrawn(declared map[string]bool, seen live.Seen[live.Bindings]) {
	holders := b.snapshot.Ledger.Value.Holders
	for _, name := range slices.Sorted(maps.Keys(holders)) {
		holder, held := holders[name][b.topology.Name]
		if !held || declared[name] {
			continue
		}
		binding, err := schema.ParseBinding(name)
		switch id := (schema.ID{Kind: schema.KindACL, Name: name}); {
		case seen.State == live.Unseen:
			unseen(b, &schema.Decl{Addr: schema.Orphan(id)}, id, "", seen)
		case err != nil || !seen.Value[binding]:
			b.plan.Vanished = append(b.plan.Vanished, id)
		case !holder.Made || holders.Others(name, b.topology.Name):
			b.plan.Released = append(b.plan.Released, id)
		default:
			b.change(
				Change{Addr: schema.Orphan(id), Object: id, Action: Delete},
				&DeleteACL{Head: Head{Phase: PhaseRevoke, Records: 1}, Binding: binding},
			)
		}
	}
}

// facts are whether the right is there.
func (acls) facts(c *Change, s *live.Snapshot) []Fact {
	state, _ := acls{}.lives(c.Object.Name, s)
	if state == live.Unseen {
		return nil
	}
	return []Fact{{"right", state.String()}}
}

func (acls) holds(step Step, s *live.Snapshot) error {
	object := step.About().Object
	state, _ := acls{}.lives(object.Name, s)
	_, created := step.(*CreateACL)
	switch {
	case state == live.Unseen:
		return fmt.Errorf("rights cannot be seen: %s", s.Bindings.Reason())
	case created && state == live.Absent:
		return fmt.Errorf("the right %s is not there", object.Name)
	case !created && state == live.Present:
		return fmt.Errorf("the right %s is still there", object.Name)
	}
	return nil
}
