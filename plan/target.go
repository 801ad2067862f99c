package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

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

// choose narrows to the targets and to the absent queues that they refer to,
// whose creation they need. It refuses a target that covers nothing.
func (b *builder) choose(targets []schema.Addr) selection {
	if len(targets) == 0 {
		return nil
	}
	chosen := selection{}
	for _, target := range targets {
		covers := 0
		for _, d := range declared(b.topology) {
			if target.Covers(d.Addr) {
				chosen[d.Addr] = nil
				covers++
			}
		}
		if covers == 0 {
			b.diags = append(b.diags, &hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  fmt.Sprintf("Nothing is declared at %s", target),
				Detail:   "A target is the address of a declared block, like queue.orders, queue.shard[\"eu\"] or delete.queue[\"shop.old\"].",
			})
		}
	}
	for q := range schema.All[*schema.Queue](b.topology) {
		if needed, who := q.DeadLetter, q.Addr; needed != nil && chosen.has(who) && !chosen.has(*needed) && b.absent(*needed) {
			chosen[*needed] = &who
		}
	}
	return chosen
}

// absent says whether the queue at an address is known not to be there.
func (b *builder) absent(a schema.Addr) bool {
	for q := range schema.All[*schema.Queue](b.topology) {
		if q.Addr == a {
			return b.snapshot.Topics[q.Topic].State == live.Absent
		}
	}
	return false
}

func declared(t *schema.Topology) []*schema.Decl {
	all := make([]*schema.Decl, 0, len(t.Resources)+len(t.Deletes))
	for _, r := range t.Resources {
		all = append(all, r.Declared())
	}
	for i := range t.Deletes {
		all = append(all, &t.Deletes[i].Decl)
	}
	return all
}
