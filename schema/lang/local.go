package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// locals evaluates the locals blocks, each value after those it uses.
func (l *loader) locals() {
	e := localsEvaluation{loader: l, attributes: map[string]*hcl.Attribute{}, values: map[string]cty.Value{}}
	for _, block := range l.blocks.Locals {
		attributes, diags := block.Attributes.JustAttributes()
		l.complain(diags...)
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			if first, twice := e.attributes[name]; twice {
				l.scope(nil).refuse(attributes[name].NameRange, "Local declared twice", "It is declared at %s already.", place(first.NameRange))
				continue
			}
			e.attributes[name] = attributes[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.attributes)) {
		e.evaluate(name)
	}
	l.base.Variables["local"] = cty.ObjectVal(e.values)
}

type localsEvaluation struct {
	loader     *loader
	attributes map[string]*hcl.Attribute
	values     map[string]cty.Value
	path       []string // those being evaluated, each used by the one before
}

func (e *localsEvaluation) evaluate(name string) {
	if _, done := e.values[name]; done {
		return
	}
	a := e.attributes[name]
	if at := slices.Index(e.path, name); at >= 0 {
		cycle := append(slices.Clone(e.path[at:]), name)
		e.loader.scope(nil).refuse(a.NameRange, "Locals in a circle", "local.%s: one of them must not use the next.", strings.Join(cycle, " uses local."))
		for _, member := range cycle {
			e.values[member] = cty.DynamicVal
		}
		return
	}
	e.path = append(e.path, name)
	for _, traversal := range a.Expr.Variables() {
		if used, ok := localName(traversal); ok && e.attributes[used] != nil {
			e.evaluate(used)
		}
	}
	e.path = e.path[:len(e.path)-1]
	if _, cyclic := e.values[name]; cyclic {
		return
	}
	ctx := e.loader.base.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(e.values)}
	v, diags := a.Expr.Value(ctx)
	e.loader.complain(explained(diags)...)
	if diags.HasErrors() {
		v = cty.DynamicVal
	}
	e.values[name] = v
}

func localName(t hcl.Traversal) (string, bool) {
	if t.RootName() != "local" || len(t) < 2 {
		return "", false
	}
	step, ok := t[1].(hcl.TraverseAttr)
	return step.Name, ok
}
