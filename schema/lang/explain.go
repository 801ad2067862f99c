package lang

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/queueform/queueform/schema"
)

// explained says in this language's words what a user would not find out from
// hcl's, and takes secrets out of them.
func (l *loader) explained(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		switch {
		case d.Summary == "Variables not allowed" || d.Summary == "Function calls not allowed":
			d.Detail = "This is read before variables and locals have values: write it as a literal."
		case l.withholds(d.Subject) && envCall(d) == nil:
			d.Detail = notShown
			l.explainWithheld(d)
		case d.Expression != nil && d.EvalContext != nil:
			explain(d)
		}
		d.Expression, d.EvalContext = nil, nil // values are not shown: some are secret
	}
	return diags
}

// explainWithheld tells what can be said of a name without quoting it. Only
// where what it belongs to is there, the name is no secret without quotes.
func (l *loader) explainWithheld(d *hcl.Diagnostic) {
	named, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	switch {
	case !ok || d.EvalContext == nil:
	case d.Summary == "Unsupported attribute":
		explainTraversal(d, named.Traversal)
	case d.Summary == "Unknown variable" && places[named.Traversal.RootName()] != "":
		explainRoot(d)
	case d.Summary == "Unknown variable":
		d.Detail = "There is nothing of this name to refer to. Text is written in quotes."
	}
}

func explain(d *hcl.Diagnostic) {
	if showsSecret(d) {
		d.Detail = notShown
	}
	if extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d); ok {
		if _, panicked := errors.AsType[function.PanicError](extra.FunctionCallError()); panicked {
			d.Detail = fmt.Sprintf("The function %q has no result for these arguments.", extra.CalledFunctionName())
		}
	}
	switch d.Summary {
	case "Unknown variable":
		explainRoot(d)
	case "Unsupported attribute", "Invalid index":
		explainStep(d)
	case "Call to unknown function":
		explainFunction(d)
	}
}

// showsSecret says whether a complaint may quote a secret: the expression at
// fault sees one. Only env itself fails before it has one.
func showsSecret(d *hcl.Diagnostic) bool {
	exprs := []hclsyntax.Expression{}
	if call := envCall(d); call != nil {
		exprs = call.Args
	} else if expr, ok := d.Expression.(hclsyntax.Expression); ok {
		exprs = append(exprs, expr)
	}
	return slices.ContainsFunc(exprs, func(expr hclsyntax.Expression) bool { return seesSecret(expr, d.EvalContext) })
}

// envCall is the call of env that a complaint is about: it says which variable
// is not set. Nil is one about anything else.
func envCall(d *hcl.Diagnostic) *hclsyntax.FunctionCallExpr {
	call, called := d.Expression.(*hclsyntax.FunctionCallExpr)
	extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !called || !ok || call.Name != "env" || extra.CalledFunctionName() != "env" {
		return nil
	}
	return call
}

func seesSecret(expr hclsyntax.Expression, ctx *hcl.EvalContext) bool {
	for _, traversal := range expr.Variables() {
		if v, _ := traversal.TraverseAbs(ctx); hasSecret(v) {
			return true
		}
	}
	found := false
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			found = found || n.Name == "env"
		case *hclsyntax.LiteralValueExpr: // what a last argument with ... was expanded to
			found = found || hasSecret(n.Val)
		}
		return nil
	})
	return found
}

const seeingQueues = "Only dead_letter names another queue; producers, groups, users, acls and quotas see all of them."

// places says where the names that not all expressions see may be used.
var places = map[string]string{
	"queue":    seeingQueues,
	"external": seeingQueues,
	"user":     "Producers, groups, acls and quotas see users.",
	"profile":  "Only queues see profiles.",
	"each":     "each.key and each.value belong to a block with for_each.",
	"cluster":  "cluster.name is known once a cluster is chosen: there is none here, or several and no --cluster.",
	"local":    "Locals are evaluated after this, as they may use it.",
}

func explainRoot(d *hcl.Diagnostic) {
	traversal, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return
	}
	root := traversal.Traversal.RootName()
	if where, ok := places[root]; ok {
		d.Summary, d.Detail = root+" cannot be used here", where
		if root == "cluster" {
			d.Extra = onceOnly{root}
		}
		return
	}
	var known []string
	for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
		known = slices.AppendSeq(known, maps.Keys(ctx.Variables))
	}
	slices.Sort(known)
	d.Detail = fmt.Sprintf("There is no %q to refer to.%s", root, didYouMean(root, known))
	if len(traversal.Traversal) == 1 {
		d.Detail += fmt.Sprintf(" Text is written in quotes: %q.", root)
	}
}

// explainStep finds what a misspelt attribute or key could have been.
func explainStep(d *hcl.Diagnostic) {
	switch expr := d.Expression.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		explainTraversal(d, expr.Traversal)
	case *hclsyntax.IndexExpr:
		of, _ := expr.Collection.Value(d.EvalContext)
		key, _ := expr.Key.Value(d.EvalContext)
		if hasSecret(of) || hasSecret(key) || key.Type() != cty.String || !key.IsKnown() || key.IsNull() {
			return
		}
		if keys, ok := keysOf(of); ok {
			d.Detail = fmt.Sprintf("It has no key %s.%s", schema.Quote(key.AsString()), didYouMean(key.AsString(), keys))
		}
	}
}

// declaring are the roots of names that files declare, and in which blocks.
var declaring = map[string]string{"var": "variable", "local": "locals", "profile": "profile", "queue": "queue", "external.queue": "external", "user": "user"}

func explainTraversal(d *hcl.Diagnostic, t hcl.Traversal) {
	v, _ := t[:1].TraverseAbs(d.EvalContext)
	path := t.RootName()
	for _, step := range t[1:] {
		name, ok := stepName(step)
		keys, has := keysOf(v)
		if !ok || !has {
			return
		}
		if !slices.Contains(keys, name) {
			d.Summary = fmt.Sprintf("There is no %s%s", path, stepText(step))
			d.Detail = "It has these: " + strings.Join(keys, ", ") + "." + didYouMean(name, keys)
			if block, ok := declaring[path]; ok {
				d.Detail, d.Extra = "It is not declared."+didYouMean(name, keys), undeclared{block}
			}
			return
		}
		path += stepText(step)
		v, _ = hcl.Traversal{step}.TraverseRel(v)
	}
}

// stepName is what an attribute or a string index asks for.
func stepName(step hcl.Traverser) (string, bool) {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

func stepText(step hcl.Traverser) string {
	name, _ := stepName(step)
	if _, dotted := step.(hcl.TraverseAttr); dotted {
		return "." + name
	}
	return "[" + schema.Quote(name) + "]"
}

// keysOf is what an object or a map has, sorted.
func keysOf(v cty.Value) ([]string, bool) {
	switch t := v.Type(); {
	case v.IsMarked() || v.IsNull() || !v.IsKnown():
	case t.IsObjectType():
		return slices.Sorted(maps.Keys(t.AttributeTypes())), true
	case t.IsMapType():
		return slices.Sorted(maps.Keys(v.AsValueMap())), true
	}
	return nil, false
}

func explainFunction(d *hcl.Diagnostic) {
	call, ok := d.Expression.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return
	}
	for ctx := d.EvalContext; ctx != nil; ctx = ctx.Parent() {
		if ctx.Functions != nil {
			names := slices.Sorted(maps.Keys(ctx.Functions))
			d.Detail = fmt.Sprintf("There is no function %q.%s", call.Name, didYouMean(call.Name, names))
			return
		}
	}
}
