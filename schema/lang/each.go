package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
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
func (s *scope) instances(forEach *hcl.Attribute, addr schema.Addr) (all []instance, ok bool) {
	if forEach == nil {
		return []instance{{addr: addr, ctx: s.ctx}}, true
	}
	at := forEach.Expr.Range()
	if keys, plain := plainSet(forEach.Expr, s.ctx); plain {
		for _, key := range keys {
			all = append(all, s.instance(addr, key, key))
		}
		return all, true
	}
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
		all = append(all, s.instance(addr, key, value))
	}
	return all, true
}

func (s *scope) instance(addr schema.Addr, key, value cty.Value) instance {
	addr.Key, addr.Keyed = key.AsString(), true
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})}
	return instance{addr: addr, ctx: ctx}
}

// plainSet is the elements of toset(...) of strings, in order, without the
// set: go-cty takes longer to make and sort one than the instances take to be
// evaluated. Where it is not ok, the expression is to be evaluated as any other.
func plainSet(expr hcl.Expression, ctx *hcl.EvalContext) ([]cty.Value, bool) {
	call, ok := expr.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "toset" || len(call.Args) != 1 || call.ExpandFinal {
		return nil, false
	}
	v, diags := call.Args[0].Value(ctx)
	if diags.HasErrors() || v.IsMarked() || v.IsNull() || !v.IsKnown() || !v.Type().IsTupleType() && !v.Type().IsListType() {
		return nil, false
	}
	elements := v.AsValueSlice()
	if slices.ContainsFunc(elements, func(e cty.Value) bool {
		return e.Type() != cty.String || e.IsMarked() || e.IsNull() || !e.IsKnown()
	}) {
		return nil, false
	}
	slices.SortFunc(elements, func(a, b cty.Value) int { return strings.Compare(a.AsString(), b.AsString()) })
	return slices.CompactFunc(elements, func(a, b cty.Value) bool { return a.AsString() == b.AsString() }), true
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

// made is an object of each instance of a block; one that is nil is left out.
func (l *loader) made(all []instance, one func(*scope, instance) schema.Resource) []schema.Resource {
	resources := make([]schema.Resource, 0, len(all))
	l.forEach(all, func(i instance) {
		if r := one(l.scope(i.ctx), i); r != nil {
			resources = append(resources, r)
		}
	})
	return resources
}
