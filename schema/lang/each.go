package lang

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// addressType lets an expression hand a reference around, and do nothing else with it.
var addressType = cty.Capsule("queue", reflect.TypeFor[schema.Addr]())

// absent stands for an attribute that is not to be looked at.
var absent = hcl.StaticExpr(cty.NullVal(cty.DynamicPseudoType), hcl.Range{})

// instance is one object of a block: the only one, or one of for_each.
type instance struct {
	addr schema.Addr
	ctx  *hcl.EvalContext
}

// instances evaluates for_each.
func (l *loader) instances(forEach hcl.Expression, addr schema.Addr, at hcl.Range) []instance {
	s := l.scope(l.base)
	if addr.Label == "" {
		s.refuse(at, "Block without a name", "The label names it in addresses.")
	}
	v, diags := forEach.Value(l.base)
	l.complain(explained(diags)...)
	t := v.Type()
	switch {
	case diags.HasErrors():
		return nil
	case v.ContainsMarked():
		s.refuse(forEach.Range(), "A secret would be shown here", "for_each makes addresses, which everybody sees.")
		return nil
	case v.IsNull() && t == cty.DynamicPseudoType && forEach.Range() == (hcl.Range{}) || isMissing(forEach):
		return []instance{{addr: addr, ctx: l.base}}
	case v.IsNull() || !v.IsKnown():
		s.refuse(forEach.Range(), "for_each has no value", "It is a set of strings or a map; an empty one makes nothing.")
		return nil
	case t.IsMapType() || t.IsObjectType() || t.IsSetType() && t.ElementType() == cty.String:
		return l.each(v, addr)
	case t.IsListType() || t.IsTupleType():
		s.refuse(forEach.Range(), "for_each over a list", "A list has no stable keys. Make it a set: toset([...]).")
		return nil
	case t.IsSetType() && v.LengthInt() == 0:
		return nil
	}
	s.refuse(forEach.Range(), "for_each over a "+t.FriendlyName(), "It is a set of strings or a map.")
	return nil
}

func isMissing(expr hcl.Expression) bool {
	v, diags := expr.Value(nil)
	return !diags.HasErrors() && v.IsNull() && len(expr.Variables()) == 0
}

func (l *loader) each(v cty.Value, addr schema.Addr) []instance {
	all := make([]instance, 0, v.LengthInt())
	for key, value := range v.Elements() {
		if v.Type().IsSetType() {
			key = value
		}
		if key.IsNull() {
			continue
		}
		addr.Key, addr.Keyed = key.AsString(), true
		ctx := l.base.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		all = append(all, instance{addr: addr, ctx: ctx})
	}
	return all
}

// usesEach says whether an expression differs between the instances of a block.
func usesEach(expr hcl.Expression) bool {
	for _, traversal := range expr.Variables() {
		if traversal.RootName() == "each" {
			return true
		}
	}
	return false
}

// split takes out of a contract what differs between instances.
func (c *contract) split() contract {
	varying := contract{description: absent, labels: absent, partitions: absent, factor: absent, config: absent}
	for _, pair := range [][2]*hcl.Expression{
		{&c.description, &varying.description},
		{&c.labels, &varying.labels},
		{&c.partitions, &varying.partitions},
		{&c.factor, &varying.factor},
		{&c.config, &varying.config},
	} {
		if usesEach(*pair[0]) {
			*pair[1], *pair[0] = *pair[0], absent
		}
	}
	if c.load != nil && (usesEach(c.load.MessagesPerSecond) || usesEach(c.load.MessageBytes)) {
		varying.load, c.load = c.load, nil
	}
	if c.placement != nil && (usesEach(c.placement.Racks) || usesEach(c.placement.Replicas)) {
		varying.placement, c.placement = c.placement, nil
	}
	if c.lifecycle != nil && (usesEach(c.lifecycle.PreventDelete) || usesEach(c.lifecycle.IgnoreConfig)) {
		varying.lifecycle, c.lifecycle = c.lifecycle, nil
	}
	return varying
}

func (c *contract) empty() bool {
	return c.description == absent && c.labels == absent && c.partitions == absent && c.factor == absent && c.config == absent &&
		c.load == nil && c.placement == nil && c.lifecycle == nil
}

// fromProfile begins a queue with what its profile says.
func fromProfile(p *schema.Queue, source hcl.Range) *schema.Queue {
	q := ownCopy(p)
	q.Source = source
	return q
}
