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

// choose narrows to the targets and to the absent queues that they refer to,
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

// need adds what the chosen queues refer to and is not there, and what that refers to.
func (b *builder) need(chosen selection) {
	resources := make(map[schema.Addr]schema.Resource, len(b.topology.Resources))
	for _, r := range b.topology.Resources {
		resources[r.Declared().Addr] = r
	}
	for _, addr := range slices.SortedFunc(maps.Keys(chosen), schema.Addr.Compare) {
		for q, _ := resources[addr].(*schema.Queue); q != nil && q.DeadLetter != nil; {
			needed, declared := resources[*q.DeadLetter]
			if !declared || chosen.has(*q.DeadLetter) || b.snapshot.Topics[needed.ID().Name].State != live.Absent {
				break
			}
			chosen[*q.DeadLetter] = &q.Addr
			q, _ = needed.(*schema.Queue)
		}
	}
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
