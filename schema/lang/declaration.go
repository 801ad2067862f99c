package lang

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// declaration is a block that declares objects, before they are evaluated.
type declaration struct {
	at        hcl.Range
	instances []instance
	known     bool // else for_each failed, and there may be any
	second    bool // the label is another's already
}

// add puts what a block declares in the topology, once.
func (d *declaration) add(t *schema.Topology, resources []schema.Resource) {
	if !d.second {
		t.Resources = append(t.Resources, resources...)
	}
}

// declarations are by the address of the block.
type declarations map[schema.Addr]*declaration

// declare evaluates what instances a block has, so that others can refer to them.
func (l *loader) declare(all declarations, block schema.Addr, at hcl.Range, forEach *hcl.Attribute) *declaration {
	s := l.scope(l.base)
	s.label(block.Label, at)
	d := &declaration{at: at}
	d.instances, d.known = l.instances(forEach, block)
	if first, twice := all[block]; twice {
		d.second = true
		s.refuse(at, fmt.Sprintf("%s is declared twice", block), "It is declared at %s already.", diag.Place(first.at))
	} else {
		all[block] = d
	}
	return d
}

// addressType lets an expression hand a queue's address around, and do nothing else with it.
var addressType = cty.Capsule("queue", reflect.TypeFor[schema.Addr]())

// references is what dead_letter sees beside the rest: queue and
// external.queue. Few topologies use it, and it costs time where there are
// many instances.
func (all declarations) references() func() map[string]cty.Value {
	return sync.OnceValue(func() map[string]cty.Value {
		queues, externals := map[string]cty.Value{}, map[string]cty.Value{}
		for block, d := range all {
			if block.Role == schema.RoleExternal {
				externals[block.Label] = d.address()
			} else {
				queues[block.Label] = d.address()
			}
		}
		return map[string]cty.Value{
			"queue":    cty.ObjectVal(queues),
			"external": cty.ObjectVal(map[string]cty.Value{"queue": cty.ObjectVal(externals)}),
		}
	})
}

// address is a block's address as a value: an object of them where there is for_each.
func (d *declaration) address() cty.Value {
	if !d.known {
		return cty.DynamicVal
	}
	keyed := make(map[string]cty.Value, len(d.instances))
	for i := range d.instances {
		addr := &d.instances[i].addr
		if !addr.Keyed {
			return cty.CapsuleVal(addressType, addr)
		}
		keyed[addr.Key] = cty.CapsuleVal(addressType, addr)
	}
	return cty.ObjectVal(keyed)
}

// distinct refuses two declarations of one Kafka object, or of two that Kafka
// takes for one.
func (l *loader) distinct(t *schema.Topology) {
	s := l.scope(l.base)
	names, metrics := map[schema.ID]*schema.Decl{}, map[string]*schema.Decl{}
	told := map[[2]schema.Addr]bool{} // once for two blocks, however many instances they have
	for _, r := range t.Resources {
		d, id := r.Declared(), r.ID()
		metric := strings.ReplaceAll(id.Name, ".", "_")
		first, twice := names[id]
		similar, alike := metrics[metric]
		switch {
		case !twice && !alike:
			names[id], metrics[metric] = d, d
			continue
		case !twice:
			names[id], first = d, similar
		}
		pair := [2]schema.Addr{d.Addr.Block(), first.Addr.Block()}
		if told[pair] {
			continue
		}
		told[pair] = true
		where := fmt.Sprintf("%s at %s", first.Addr, diag.Place(first.At("topic")))
		if twice {
			s.refuse(d.At("topic"), fmt.Sprintf("Topic %q is declared twice", id.Name), "%s declares it too, and this is %s.", where, d.Addr)
		} else {
			s.refuse(d.At("topic"), "Topics that differ only in . and _",
				"Kafka takes %q, which is %s, for the name of %s: their metrics collide, and once they are created neither can be made again.", id.Name, d.Addr, where)
		}
	}
	l.distinctRemovals(t, names)
}

// removed says what a removal does to an object.
var removed = map[schema.Role]string{schema.RoleDelete: "deleted", schema.RoleForget: "forgotten"}

// distinctRemovals refuses to let go of what is declared, and to say it twice.
func (l *loader) distinctRemovals(t *schema.Topology, declared map[schema.ID]*schema.Decl) {
	s := l.scope(l.base)
	named := map[schema.ID]*schema.Removal{}
	for i := range t.Removals {
		r := &t.Removals[i]
		if first, ok := declared[r.Object]; ok {
			s.refuse(r.At("topic"), fmt.Sprintf("Topic %q is declared and %s", r.Object.Name, removed[r.Addr.Role]), "%s at %s declares it. Remove one of the two blocks.", first.Addr, diag.Place(first.At("topic")))
		}
		switch first, twice := named[r.Object]; {
		case !twice:
		case first.Addr == r.Addr:
			s.refuse(r.At("topic"), fmt.Sprintf("%s stands twice", r.Addr), "It stands at %s already. Once is enough.", diag.Place(first.At("topic")))
		default:
			s.refuse(r.At("topic"), fmt.Sprintf("Topic %q is deleted and forgotten", r.Object.Name), "%s stands at %s. Remove one of the two blocks.", first.Addr, diag.Place(first.At("topic")))
		}
		named[r.Object] = r
	}
}
