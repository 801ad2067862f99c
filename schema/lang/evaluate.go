package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// reference is an expression that names something declared. In JSON, a string
// may be the name itself: "queue.orders" as well as "${queue.orders}".
type reference struct{ hcl.Expression }

// evaluate gives an expression its value, in either syntax.
func evaluate(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	ref, named := expr.(reference)
	if named {
		expr = ref.Expression
	}
	if _, native := expr.(hclsyntax.Expression); native {
		return expr.Value(ctx)
	}
	if t, diags := hcl.AbsTraversalForExpr(expr); named && !diags.HasErrors() && len(t) > 1 {
		return (&hclsyntax.ScopeTraversalExpr{Traversal: t, SrcRange: t.SourceRange()}).Value(ctx)
	}
	if at, found := secretKey(expr, ctx); found {
		d := problem("A secret would be shown here", "The key of a map is no place for a secret.")
		d.Subject = &at
		return cty.DynamicVal, hcl.Diagnostics{d}
	}
	return expr.Value(ctx)
}

// secretKey finds a key in JSON that holds a secret, on which hcl panics.
func secretKey(expr hcl.Expression, ctx *hcl.EvalContext) (hcl.Range, bool) {
	if items, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, item := range items {
			if at, found := secretKey(item, ctx); found {
				return at, true
			}
		}
	}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return hcl.Range{}, false
	}
	for _, pair := range pairs {
		if key, _ := pair.Key.Value(ctx); key.IsMarked() {
			return pair.Key.Range(), true
		}
		if at, found := secretKey(pair.Value, ctx); found {
			return at, true
		}
	}
	return hcl.Range{}, false
}
