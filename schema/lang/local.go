package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema/diag"
)

// locals evaluates the locals blocks, each value after those it uses.
func (l *loader) locals() {
	e := localsEvaluation{scope: l.scope(l.base), attributes: map[string]*hcl.Attribute{}, values: map[string]cty.Value{}}
	for _, block := range l.blocks.Locals {
		attributes, diags := block.Body.JustAttributes()
		l.complain(diags...)
		for name, a := range attributes {
			if first, twice := e.attributes[name]; twice {
				e.scope.refuse(a.NameRange, "Local declared twice", "It is declared at %s already.", diag.Place(first.NameRange))
				continue
			}
			e.attributes[name] = a
		}
	}
	e.names = slices.Sorted(maps.Keys(e.attributes))
	for _, name := range e.names {
		e.evaluate(name)
	}
	l.base.Variables["local"] = cty.ObjectVal(e.values)
}

type localsEvaluation struct {
	scope      *scope
	attributes map[string]*hcl.Attribute
	names      []string // of all attributes, sorted
	values     map[string]cty.Value
	path       []string // those being evaluated, each used by the one before
}

// evaluate gives a local its value: unknown where there is an error, which is told.
func (e *localsEvaluation) evaluate(name string) {
	if _, done := e.values[name]; done {
		return
	}
	a := e.attributes[name]
	if at := slices.Index(e.path, name); at >= 0 {
		cycle := append(slices.Clone(e.path[at:]), name)
		e.scope.refuse(a.NameRange, "Locals in a circle", "local.%s. One of them must not use the next.", strings.Join(cycle, " uses local."))
		for _, member := range cycle {
			e.values[member] = cty.DynamicVal
		}
		return
	}
	e.path = append(e.path, name)
	used, ok := e.used(a)
	e.path = e.path[:len(e.path)-1]
	if _, cyclic := e.values[name]; cyclic {
		return
	}
	v := cty.DynamicVal
	if ok {
		ctx := e.scope.ctx.NewChild()
		ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(used)}
		var diags hcl.Diagnostics
		v, diags = evaluate(a.Expr, ctx)
		e.scope.complain(diags...)
		if diags.HasErrors() {
			v = cty.DynamicVal
		}
	}
	e.values[name] = v
}

// used evaluates the locals that a value is made from.
func (e *localsEvaluation) used(a *hcl.Attribute) (values map[string]cty.Value, ok bool) {
	values, ok = map[string]cty.Value{}, true
	for _, t := range a.Expr.Variables() {
		if t.RootName() != "local" {
			continue
		}
		name, named := "", false
		if len(t) > 1 {
			name, named = stepName(t[1])
		}
		switch {
		case !named:
			e.scope.refuse(t.SourceRange(), "Locals as a whole", "A local that used all of them would use itself. Name one: local.replicas.")
			ok = false
		case e.attributes[name] == nil:
			e.scope.loader.complain(&hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "There is no local" + stepText(t[1]), Detail: "It is not declared." + didYouMean(name, e.names),
				Subject: t.SourceRange().Ptr(), Extra: undeclared{"locals"},
			})
			ok = false
		default:
			e.evaluate(name)
			values[name] = e.values[name]
		}
	}
	return values, ok
}
