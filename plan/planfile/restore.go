package planfile

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// restored is the plan that New wrote down, without what it says of how it was
// judged and checked: that is found out again. It fails with [ErrEdited] where
// a change is of what the files do not declare. What is to be noted, and what
// the cluster cannot give, is of now.
func (d *Document) restored(now Now) (*plan.Plan, hcl.Diagnostics, error) {
	in := declarations(now)
	fresh, diags := plan.Build(now.Topology, now.Snapshot, plan.Options{Target: d.Target})
	for i := range d.Changes {
		if c := &d.Changes[i]; !in.subjects[subject{c.Address, c.id()}] {
			return nil, nil, fmt.Errorf("%w (%s is not declared)", ErrEdited, c.Address)
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
		Unclaimed: fresh.Unclaimed,
		Throttled: mapped(d.Throttled, func(o *Object) schema.ID { return schema.ID{Kind: o.Kind, Name: o.Name} }),
	}, diags, nil
}

func (c *Change) id() schema.ID { return schema.ID{Kind: c.Kind, Name: c.Name} }

func (o *Obstacle) id() schema.ID { return schema.ID{Kind: o.Kind, Name: o.Name} }

// declared is what the files and the ledger know of.
type declared struct {
	blocks   map[schema.Addr]*schema.Decl
	subjects map[subject]bool
}

// subject is an object that an address may change: that of its block, a right or
// a quota that follows from it, or what is left of blocks that are gone.
type subject struct {
	addr   schema.Addr
	object schema.ID
}

func declarations(now Now) *declared {
	t, l := now.Topology, now.Snapshot.Ledger.Value
	in := &declared{blocks: make(map[schema.Addr]*schema.Decl, len(t.Resources)+len(t.Removals)), subjects: map[subject]bool{}}
	for _, r := range t.Resources {
		in.block(r.Declared(), r.ID())
	}
	for i := range t.Removals {
		in.block(&t.Removals[i].Decl, t.Removals[i].Object)
	}
	for _, g := range t.Grants() {
		in.subjects[subject{g.By, g.ID()}] = true
	}
	for _, a := range t.Allotments() {
		in.subjects[subject{a.By, a.Entity.ID()}] = true
	}
	for right, holders := range l.Holders {
		if _, held := holders[t.Name]; held {
			in.orphan(schema.ID{Kind: schema.KindACL, Name: right})
		}
	}
	for _, kind := range []schema.Kind{schema.KindQuota, schema.KindGroup} {
		for name, owner := range l.Owners[kind] {
			if owner.Topology == t.Name {
				in.orphan(schema.ID{Kind: kind, Name: name})
			}
		}
	}
	return in
}

func (in *declared) block(d *schema.Decl, object schema.ID) {
	in.blocks[d.Addr] = d
	in.subjects[subject{d.Addr, object}] = true
}

func (in *declared) orphan(object schema.ID) {
	in.subjects[subject{schema.Orphan(object), object}] = true
}

// written is where the files say what the value at a path of the block shall be.
func (in *declared) written(block schema.Addr, path string) hcl.Range {
	if d, ok := in.blocks[block]; ok {
		return plan.Written(d, path)
	}
	return hcl.Range{}
}

func (in *declared) change(c *Change) plan.Change {
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
