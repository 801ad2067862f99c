package planfile

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// restored is the plan that New wrote down, without what it says of how it was
// judged and checked: that is found out again. It fails with [ErrEdited] where
// a change is of what the files do not declare.
func (d *Document) restored(now Now) (*plan.Plan, error) {
	in := declarations(now.Topology)
	fresh, _ := plan.Build(now.Topology, now.Snapshot, plan.Options{Target: d.Target}) // what is to be noted is of now
	for i := range d.Changes {
		if c := &d.Changes[i]; in[c.Address].object != c.id() && !follows(c, now) {
			return nil, fmt.Errorf("%w (%s is not declared)", ErrEdited, c.Address)
		}
	}
	return &plan.Plan{
		Topology: now.Topology, Cluster: now.Snapshot.Cluster, Target: d.Target,
		Changes: mapped(d.Changes, in.change),
		Steps:   mapped(d.Steps, func(s *Step) plan.Step { return s.Step }),
		Moving: mapped(d.Moving, func(m *Moving) plan.Moving {
			return plan.Moving{Addr: m.Address, Object: schema.ID{Kind: m.Address.Kind, Name: m.Name}, Partition: m.Partition, To: m.To, Adding: m.Adding}
		}),
		Unseen: mapped(d.Unseen, func(o *Obstacle) plan.Unseen {
			return plan.Unseen{Addr: o.Address, Object: o.id(), Path: o.Path, Why: o.Reason, Needs: o.Missing, Source: in.written(o.Address, o.Path)}
		}),
		Blocked: mapped(d.Blocked, func(o *Obstacle) plan.Blocked {
			return plan.Blocked{Addr: o.Address, Object: o.id(), Path: o.Path, Why: o.Reason, Source: in.written(o.Address, o.Path)}
		}),
		Claims: fresh.Claims, Orphans: fresh.Orphans, Vanished: fresh.Vanished, Released: fresh.Released, HalfDone: fresh.HalfDone, Ledger: now.Snapshot.Ledger,
		Throttled: mapped(d.Throttled, func(o *Object) schema.ID { return schema.ID{Kind: o.Kind, Name: o.Name} }),
	}, nil
}

// follows says whether a change is of what has no block of its own: rights and
// quotas, which follow from blocks or are left of them.
func follows(c *Change, now Now) bool {
	l := now.Snapshot.Ledger.Value
	_, held := l.Holders[c.Name][now.Topology.Name]
	owner, _ := l.Owners.Of(c.id())
	switch {
	case c.Address.Role == schema.RoleOrphan:
		return held || owner.Topology == now.Topology.Name
	case c.Kind == schema.KindACL:
		return slices.ContainsFunc(now.Topology.Grants(), func(g schema.Grant) bool { return g.String() == c.Name && g.By == c.Address })
	case c.Kind == schema.KindQuota:
		return slices.ContainsFunc(now.Topology.Allotments(), func(a schema.Allotment) bool { return a.Entity.String() == c.Name && a.By == c.Address })
	}
	return false
}

func (c *Change) id() schema.ID { return schema.ID{Kind: c.Kind, Name: c.Name} }

func (o *Obstacle) id() schema.ID { return schema.ID{Kind: o.Kind, Name: o.Name} }

// declared are the blocks of a topology by address.
type declared map[schema.Addr]declaration

type declaration struct {
	*schema.Decl
	object schema.ID
}

func declarations(t *schema.Topology) declared {
	in := make(declared, len(t.Resources)+len(t.Removals))
	for _, r := range t.Resources {
		in[r.Declared().Addr] = declaration{r.Declared(), r.ID()}
	}
	for i := range t.Removals {
		in[t.Removals[i].Addr] = declaration{&t.Removals[i].Decl, t.Removals[i].Object}
	}
	return in
}

// written is where the files say what the value at a path of the block shall be.
func (in declared) written(block schema.Addr, path string) hcl.Range {
	if d, ok := in[block]; ok {
		return plan.Written(d.Decl, path)
	}
	return hcl.Range{}
}

func (in declared) change(c *Change) plan.Change {
	return plan.Change{
		Addr: c.Address, Object: c.id(), Action: c.Action, NeededBy: c.NeededBy, Adopts: c.Adopts, Source: in.written(c.Address, ""),
		Fields: mapped(c.Fields, func(f *Field) plan.Field {
			return plan.Field{
				Path: f.Path, Before: f.Before.Value, After: f.After.Value, Inherited: f.Inherited,
				Spelling: f.Spelling, Source: in.written(c.Address, f.Path),
			}
		}),
		Facts: mapped(c.Facts, func(f *Fact) plan.Fact { return plan.Fact{Path: f.Path, Value: f.Value.Value} }),
	}
}
