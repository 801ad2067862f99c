package plan

import (
	"maps"
	"slices"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// selection is what a plan was narrowed to. The nil selection is everything.
type selection map[schema.Addr]*schema.Addr // the value says who needs it; nil where it was asked for

func (s selection) has(a schema.Addr) bool {
	if s == nil {
		return true
	}
	_, chosen := s[a]
	return chosen
}

// Untargeted are the targets that cover nothing declared.
func Untargeted(t *schema.Topology, targets []schema.Addr) []schema.Addr {
	all := declared(t)
	return slices.DeleteFunc(slices.Clone(targets), func(target schema.Addr) bool {
		return slices.ContainsFunc(all, func(d *schema.Decl) bool { return target.Covers(d.Addr) })
	})
}

// choose narrows to the targets and to what they refer to and is not there,
// whose creation they need.
func (b *builder) choose(targets []schema.Addr) selection {
	if len(targets) == 0 {
		return nil
	}
	chosen := selection{}
	all := declared(b.topology)
	for _, target := range targets {
		for _, d := range all {
			if target.Covers(d.Addr) {
				chosen[d.Addr] = nil
			}
		}
	}
	b.need(chosen)
	return chosen
}

// need adds what the chosen blocks refer to and is not there, and what that
// refers to.
func (b *builder) need(chosen selection) {
	users := map[string]schema.Addr{}
	for u := range schema.All[*schema.User](b.topology) {
		users[schema.UserPrincipal+u.Name] = u.Addr
	}
	for open := slices.SortedFunc(maps.Keys(chosen), schema.Addr.Compare); len(open) > 0; open = open[1:] {
		by := open[0]
		for _, addr := range references(b.topology.Find(by), users) {
			r := b.topology.Find(addr)
			if r == nil || chosen.has(addr) {
				continue
			}
			if state, _ := kindOf(r.ID().Kind).lives(r.ID().Name, b.snapshot); state == live.Absent {
				chosen[addr] = &by
				open = append(open, addr)
			}
		}
	}
}

// references are the blocks that a resource cannot do without.
func references(r schema.Resource, users map[string]schema.Addr) []schema.Addr {
	as := func(principal string, queues []schema.Addr) []schema.Addr {
		if user, declared := users[principal]; declared {
			return append(slices.Clone(queues), user)
		}
		return queues
	}
	switch r := r.(type) {
	case *schema.Queue:
		if r.DeadLetter != nil {
			return []schema.Addr{*r.DeadLetter}
		}
	case *schema.Producer:
		return as(r.Principal, r.Queues)
	case *schema.Group:
		return as(r.Principal, r.Queues)
	}
	return nil
}

func declared(t *schema.Topology) []*schema.Decl {
	all := make([]*schema.Decl, 0, len(t.Resources)+len(t.Removals))
	for _, r := range t.Resources {
		all = append(all, r.Declared())
	}
	for i := range t.Removals {
		all = append(all, &t.Removals[i].Decl)
	}
	return all
}
