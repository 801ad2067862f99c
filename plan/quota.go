package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// quotas is what limits bring to a plan: those of quota blocks, and those
// within producers and groups. They go with their blocks.
type quotas struct{}

func (quotas) of() schema.Kind { return schema.KindQuota }

func (quotas) scope(t *schema.Topology, s *live.Scope) {
	s.Quotas = s.Quotas || len(t.Allotments()) > 0
}

func (quotas) asks(_ string, s *live.Scope) { s.Quotas = true }

func (quotas) lives(name string, s *live.Snapshot) (live.State, live.TopicID) {
	if s.Quotas.State != live.Present {
		return s.Quotas.State, live.TopicID{}
	}
	if len(limitsOf(name, s)) > 0 {
		return live.Present, live.TopicID{}
	}
	return live.Absent, live.TopicID{}
}

// limitsOf are those that an entity has.
func limitsOf(entity string, s *live.Snapshot) schema.Limits {
	e, err := schema.ParseEntity(entity)
	if err != nil {
		return nil
	}
	return s.Quotas.Value[e]
}

// allotted is what a topology declares for one entity.
type allotted struct {
	entity schema.Entity
	limits schema.Limits
	by     schema.Addr // the first block, by key
	source hcl.Range
	places map[schema.LimitKey]hcl.Range
}

func allotments(t *schema.Topology) map[string]*allotted {
	all := map[string]*allotted{}
	for _, a := range t.Allotments() {
		name := a.Entity.String()
		if all[name] == nil {
			all[name] = &allotted{entity: a.Entity, limits: schema.Limits{}, by: a.By, source: a.Source, places: map[schema.LimitKey]hcl.Range{}}
		}
		all[name].limits[a.Key], all[name].places[a.Key] = a.Value, a.Source
	}
	return all
}

func (quotas) diff(b *builder) {
	declared := allotments(b.topology)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		if a := declared[name]; b.chosen.has(a.by) {
			b.quota(a)
		}
	}
	if b.chosen == nil {
		b.lifted(declared)
	}
}

func (b *builder) quota(a *allotted) {
	d, id := b.topology.Find(a.by).Declared(), a.entity.ID()
	if b.snapshot.Quotas.State == live.Unseen {
		unseen(b, d, id, "", b.snapshot.Quotas)
		return
	}
	if !b.free(d, id, live.TopicID{}) {
		return
	}
	owner, _ := b.owner(id, live.TopicID{})
	has := limitsOf(id.Name, b.snapshot)
	step := &AlterQuota{Entity: a.entity, Set: schema.Limits{}}
	c := Change{Addr: a.by, Object: id, Action: Update, Source: d.Source, Adopts: len(has) > 0 && b.unowned(id, live.TopicID{})}
	if len(has) == 0 {
		c.Action = Create
	}
	var made []string
	for _, key := range slices.Sorted(maps.Keys(a.limits)) {
		value, set := has[key]
		ours := slices.Contains(owner.Keys, string(key))
		if !set || value != a.limits[key] {
			step.Set[key], ours = a.limits[key], true
			c.Fields = append(c.Fields, Field{Path: string(key), Before: limit(has, key), After: limit(a.limits, key), Source: a.places[key]})
		}
		if ours {
			made = append(made, string(key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(has)) {
		if _, declared := a.limits[key]; !declared && slices.Contains(owner.Keys, string(key)) {
			step.Remove = append(step.Remove, key)
			c.Fields = append(c.Fields, Field{Path: string(key), Before: limit(has, key), Source: d.Source})
		}
	}
	b.claim(Claim{Object: id, Keys: made})
	if step.Records = len(c.Fields); step.Records > 0 {
		step.Phase = PhaseGrant
		b.change(c, step)
	}
}

// lifted removes the limits that the topology has set on entities that no block
// names any more.
func (b *builder) lifted(declared map[string]*allotted) {
	owners := b.snapshot.Ledger.Value.Owners[schema.KindQuota]
	for _, name := range slices.Sorted(maps.Keys(owners)) {
		if owners[name].Topology != b.topology.Name || declared[name] != nil {
			continue
		}
		id := schema.ID{Kind: schema.KindQuota, Name: name}
		if seen := b.snapshot.Quotas; seen.State == live.Unseen {
			unseen(b, &schema.Decl{Addr: schema.Orphan(id)}, id, "", seen)
			continue
		}
		c := Change{Addr: schema.Orphan(id), Object: id, Action: Delete}
		entity, err := schema.ParseEntity(name)
		has := limitsOf(name, b.snapshot)
		step := &AlterQuota{Head: Head{Phase: PhaseRevoke}, Entity: entity}
		for _, key := range slices.Sorted(maps.Keys(has)) {
			if slices.Contains(owners[name].Keys, string(key)) {
				step.Remove = append(step.Remove, key)
				c.Fields = append(c.Fields, Field{Path: string(key), Before: limit(has, key)})
			}
		}
		if step.Records = len(step.Remove); err != nil || step.Records == 0 {
			b.plan.Vanished = append(b.plan.Vanished, id)
			continue
		}
		b.change(c, step)
	}
}

// limit is a limit as a value; nil: there is none.
func limit(limits schema.Limits, key schema.LimitKey) Value {
	value, set := limits[key]
	if !set {
		return nil
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

// facts are the limits that change.
func (quotas) facts(c *Change, s *live.Snapshot) []Fact {
	if s.Quotas.State == live.Unseen {
		return nil
	}
	facts := ownership(c, s, live.TopicID{})
	has := limitsOf(c.Object.Name, s)
	for i := range c.Fields {
		path := c.Fields[i].Path
		facts = append(facts, Fact{Path: path, Value: limit(has, schema.LimitKey(path))})
	}
	return facts
}

func (quotas) holds(step Step, s *live.Snapshot) error {
	alter := step.(*AlterQuota)
	if s.Quotas.State == live.Unseen {
		return fmt.Errorf("quotas cannot be seen: %s", s.Quotas.Reason())
	}
	has := limitsOf(alter.Object.Name, s)
	for _, key := range slices.Sorted(maps.Keys(alter.Set)) {
		if value, set := has[key]; !set || value != alter.Set[key] {
			return fmt.Errorf("%s of %s is %v, not %v", key, alter.Object.Name, limit(has, key), limit(alter.Set, key))
		}
	}
	for _, key := range alter.Remove {
		if _, set := has[key]; set {
			return fmt.Errorf("%s of %s is still set", key, alter.Object.Name)
		}
	}
	return nil
}
