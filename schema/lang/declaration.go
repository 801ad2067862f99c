package lang

import (
	"fmt"
	"reflect"
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
func (l *loader) declare(ctx *hcl.EvalContext, block schema.Addr, at hcl.Range, forEach *hcl.Attribute) *declaration {
	s := l.scope(ctx)
	s.label(block.Label, at)
	d := &declaration{at: at}
	d.instances, d.known = s.instances(forEach, block)
	if first, twice := l.declarations[block]; twice {
		d.second = true
		s.refuse(at, fmt.Sprintf("%s is declared twice", block), "It is declared at %s already.", diag.Place(first.at))
	} else {
		l.declarations[block] = d
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
		return all.queues(func(addr *schema.Addr) cty.Value { return cty.CapsuleVal(addressType, addr) })
	})
}

// queues are the values of all queues, by the names that expressions have for them.
func (all declarations) queues(value func(*schema.Addr) cty.Value) map[string]cty.Value {
	return map[string]cty.Value{
		"queue":    all.of("", schema.KindQueue, value),
		"external": cty.ObjectVal(map[string]cty.Value{"queue": all.of(schema.RoleExternal, schema.KindQueue, value)}),
	}
}

// of is the values of what is declared of a kind, by label.
func (all declarations) of(role schema.Role, kind schema.Kind, value func(*schema.Addr) cty.Value) cty.Value {
	labelled := map[string]cty.Value{}
	for block, d := range all {
		if block.Role == role && block.Kind == kind {
			labelled[block.Label] = d.value(value)
		}
	}
	return cty.ObjectVal(labelled)
}

// value is a block as a value: an object of them, by key, where there is for_each.
func (d *declaration) value(of func(*schema.Addr) cty.Value) cty.Value {
	if !d.known {
		return cty.DynamicVal
	}
	keyed := make(map[string]cty.Value, len(d.instances))
	for i := range d.instances {
		addr := &d.instances[i].addr
		if !addr.Keyed {
			return of(addr)
		}
		keyed[addr.Key] = of(addr)
	}
	return cty.ObjectVal(keyed)
}
