package planfile

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// The reasons for which a plan that was kept is not carried out, beside
// another cluster or version.
var (
	ErrFiles   = errors.New("the files or their variables have changed since the plan was made: plan again, or give the same --var and --var-file")
	ErrWrong   = errors.New("the plan says itself that the files have errors: mend them, and plan again")
	ErrApplied = errors.New("the plan was applied already: there is nothing left to do")
)

// Now is what a plan that was kept is to be carried out on.
type Now struct {
	Version  string // of queueform
	Topology *schema.Topology
	Snapshot *live.Snapshot
}

// Changed are the facts that are not as they were when the plan was made.
type Changed []Mismatch

// Mismatch is one fact, then and now, in words.
type Mismatch struct {
	Address   schema.Addr
	Path      string // as in [plan.Fact], and of a list the item: replicas[3]
	Then, Now string
}

// mostMismatches is how many an error tells.
const mostMismatches = 10

func (c Changed) Error() string {
	var b strings.Builder
	b.WriteString("the cluster has changed since the plan was made: plan again")
	for _, m := range c[:min(len(c), mostMismatches)] {
		fmt.Fprintf(&b, "\n  %s: %s: %s then, %s now", m.Address, m.Path, m.Then, m.Now)
	}
	if more := len(c) - mostMismatches; more > 0 {
		fmt.Fprintf(&b, "\n  and %s more", humanize.Comma(int64(more)))
	}
	return b.String()
}

// Plan gives back the plan that was written down, to be carried out step by
// step as it is. Of the files come the lines that its changes stand on. It
// fails where the plan was made for something else, with [Changed] where the
// cluster is not as it was, and with [ErrApplied]. What changes by itself does
// not matter: leaders, in-sync replicas, sizes, offsets. The diagnostics are
// those of [plan.Build] now.
func (d *Document) Plan(now Now) (*plan.Plan, hcl.Diagnostics, error) {
	if err := d.madeFor(now); err != nil {
		return nil, nil, err
	}
	p, diags, err := d.restored(now)
	if err != nil {
		return nil, nil, err
	}
	left := func(s plan.Step) bool { return plan.Holds(s, now.Snapshot) != nil }
	if len(p.Steps) > 0 && !slices.ContainsFunc(p.Steps, left) {
		return nil, nil, ErrApplied
	}
	changed := d.adopted(p)
	for i := range p.Changes {
		changed = append(changed, mismatches(&p.Changes[i], now.Snapshot)...)
	}
	if len(changed) > 0 {
		return nil, nil, changed
	}
	return p, diags, nil
}

// adopted are the objects that the plan would adopt now and did not then. Of
// those that it changes the facts tell.
func (d *Document) adopted(p *plan.Plan) Changed {
	var changed Changed
	for _, c := range p.Claims {
		of := func(other plan.Change) bool { return other.Object == c.Object }
		if c.Adopts && !slices.ContainsFunc(p.Changes, of) && !slices.Contains(d.Adopts, object(&c.Object)) {
			changed = append(changed, Mismatch{Address: addressOf(p.Topology, c.Object), Path: "owner", Then: p.Topology.Name, Now: "nobody"})
		}
	}
	return changed
}

// addressOf is the block that an object is declared by; of a right or a quota
// which follows from others, what the ledger calls it.
func addressOf(t *schema.Topology, id schema.ID) schema.Addr {
	i := slices.IndexFunc(t.Resources, func(r schema.Resource) bool { return r.ID() == id })
	if i < 0 {
		return schema.Orphan(id)
	}
	return t.Resources[i].Declared().Addr
}

func (d *Document) madeFor(now Now) error {
	switch {
	case d.Cluster.ID != now.Snapshot.Cluster.ID:
		return fmt.Errorf("the plan was made for cluster %s, and this is %s", d.Cluster.ID, now.Snapshot.Cluster.ID)
	case d.Version != now.Version:
		return fmt.Errorf("the plan was made by queueform %s, and this is %s: apply it with that version, or plan again", d.Version, now.Version)
	case d.Topology != now.Topology.Name:
		return fmt.Errorf("the plan is of topology %s, and these files are of %s: give its --chdir", d.Topology, now.Topology.Name)
	case d.Digest != now.Topology.Digest():
		return ErrFiles
	case len(d.Errors) > 0:
		return ErrWrong
	}
	return nil
}

// mismatches are the facts of the change that were and are not any more.
func mismatches(c *plan.Change, s *live.Snapshot) []Mismatch {
	facts := plan.Facts(c, s)
	var all []Mismatch
	for _, then := range c.Facts {
		at := slices.IndexFunc(facts, func(f plan.Fact) bool { return f.Path == then.Path })
		switch m := (Mismatch{Address: c.Addr, Path: then.Path}); {
		case at < 0:
			m.Then, m.Now = inWords(then), "not to be seen"
			all = append(all, m)
		case !reflect.DeepEqual(then.Value, facts[at].Value):
			m.tell(then, facts[at])
			all = append(all, m)
		}
	}
	return all
}

// tell puts both sides in words; of lists of one length the first items that differ.
func (m *Mismatch) tell(then, now plan.Fact) {
	m.Then, m.Now = inWords(then), inWords(now)
	was, _ := then.Value.([][]int32)
	is, _ := now.Value.([][]int32)
	if len(was) != len(is) {
		return
	}
	for i := range was {
		if !slices.Equal(was[i], is[i]) {
			m.Path, m.Then, m.Now = fmt.Sprintf("%s[%d]", m.Path, i), fmt.Sprint(was[i]), fmt.Sprint(is[i])
			return
		}
	}
}

// inWords spells a value as a file would.
func inWords(f plan.Fact) string {
	switch {
	case f.Value == nil && f.Path == "owner":
		return "nobody"
	case f.Value == nil:
		return "none"
	case f.Value == "":
		return `""`
	}
	key, _ := plan.ConfigKey(f.Path)
	known, _ := catalog.Find(key)
	return cmp.Or(respelled(known, f.Value), fmt.Sprint(f.Value))
}
