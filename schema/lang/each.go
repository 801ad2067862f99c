package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// instance is one object of a block: the only one, or one of for_each.
type instance struct {
	addr schema.Addr
	ctx  *hcl.EvalContext
}

// instances evaluates for_each. Not ok is a problem that was told: how many
// there are is not known.
func (l *loader) instances(forEach *hcl.Attribute, addr schema.Addr) (all []instance, ok bool) {
	if forEach == nil {
		return []instance{{addr: addr, ctx: l.base}}, true
	}
	s := l.scope(l.base)
	at := forEach.Expr.Range()
	v, ok := s.outline(forEach.Expr)
	if !ok {
		if !s.failed {
			s.refuse(at, "for_each has no value", "It is a set of strings or a map; an empty one makes nothing.")
		}
		return nil, false
	}
	switch t := v.Type(); {
	case t.IsMapType() || t.IsObjectType() || t.IsSetType() && (t.ElementType() == cty.String || t.ElementType() == cty.DynamicPseudoType):
		return s.each(at, v, addr)
	case t.IsListType() || t.IsTupleType():
		s.refuse(at, "for_each over a list", "A list has no stable keys. Make it a set: toset([...]).")
	default:
		s.refuse(at, "for_each over "+described(v), "It is a set of strings or a map.")
	}
	return nil, false
}

// each makes an instance of each element of a map or a set of strings.
func (s *scope) each(at hcl.Range, v cty.Value, addr schema.Addr) (all []instance, ok bool) {
	for key, value := range v.Elements() {
		if v.Type().IsSetType() {
			key = value
		}
		switch {
		case !key.IsKnown():
			return nil, false
		case key.IsNull():
			s.refuse(at, "for_each over null", "An element of the set is null, and no instance can be named by it.")
			return nil, false
		}
		addr.Key, addr.Keyed = key.AsString(), true
		ctx := s.ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
		all = append(all, instance{addr: addr, ctx: ctx})
	}
	return all, true
}

// varies says whether an attribute differs between the instances of a block.
func varies(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	for _, traversal := range a.Expr.Variables() {
		if traversal.RootName() == "each" {
			return true
		}
	}
	return false
}
