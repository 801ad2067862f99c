package lang

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/queueform/queueform/schema/catalog"
)

// secretMark is on every value that came from env() or a sensitive variable.
const secretMark = "secret"

// scope is where expressions are evaluated: what they see, and where
// complaints about them go. A null value is an attribute that is not there.
type scope struct {
	loader *loader
	ctx    *hcl.EvalContext
}

func (l *loader) scope(ctx *hcl.EvalContext) *scope { return &scope{loader: l, ctx: ctx} }

func (s *scope) refuse(at hcl.Range, summary, detail string, args ...any) {
	s.loader.complain(&hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at,
	})
}

func (s *scope) warn(at hcl.Range, summary, detail string, args ...any) {
	s.loader.complain(&hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at,
	})
}

// value evaluates an expression that may not hold a secret. Not ok is null or
// an error that was told.
func (s *scope) value(expr hcl.Expression) (cty.Value, bool) {
	v, diags := expr.Value(s.ctx)
	s.loader.complain(explained(diags)...)
	switch {
	case diags.HasErrors() || v.IsNull():
		return v, false
	case v.ContainsMarked():
		s.refuse(expr.Range(), "A secret would be shown here",
			"Values of env() and of sensitive variables are taken for passwords, tokens and keys only: everything else ends up in plans and logs.")
		return v, false
	}
	return v, true
}

// as evaluates to a type.
func (s *scope) as(expr hcl.Expression, t cty.Type, what string) (cty.Value, bool) {
	v, ok := s.value(expr)
	if !ok {
		return v, false
	}
	converted, err := convert.Convert(v, t)
	if err != nil || !converted.IsWhollyKnown() {
		s.refuse(expr.Range(), "Wrong type of value", "%s is wanted here, not %s.", what, v.Type().FriendlyName())
		return v, false
	}
	return converted, !converted.IsNull()
}

func (s *scope) text(expr hcl.Expression) (string, bool) {
	v, ok := s.as(expr, cty.String, "A string")
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (s *scope) flag(expr hcl.Expression) (bool, bool) {
	v, ok := s.as(expr, cty.Bool, "true or false")
	return ok && v.True(), ok
}

// whole evaluates to a whole number within bounds.
func (s *scope) whole(expr hcl.Expression, least, most int64) (int64, bool) {
	v, ok := s.as(expr, cty.Number, "A number")
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < least || n > most {
		s.refuse(expr.Range(), "Number out of range", "A whole number from %d to %d is wanted here, not %s.", least, most, v.AsBigFloat().Text('f', -1))
		return 0, false
	}
	return n, true
}

// size evaluates to bytes: a number, or a string with a unit.
func (s *scope) size(expr hcl.Expression) (int64, bool) {
	v, ok := s.value(expr)
	if !ok {
		return 0, false
	}
	if v.Type() == cty.Number {
		return s.whole(expr, 1, 1<<40)
	}
	text, ok := s.text(expr)
	if !ok {
		return 0, false
	}
	n, err := catalog.ParseBytes(text)
	if err != nil || n <= 0 {
		s.refuse(expr.Range(), "Not a size", "%v", errorOr(err, "It must be more than 0."))
		return 0, false
	}
	return n, true
}

func errorOr(err error, otherwise string) string {
	if err != nil {
		return sentence(err)
	}
	return otherwise
}

func (s *scope) texts(expr hcl.Expression) ([]string, bool) {
	v, ok := s.as(expr, cty.List(cty.String), "A list of strings")
	if !ok {
		return nil, false
	}
	all := make([]string, 0, v.LengthInt())
	for _, item := range v.AsValueSlice() {
		if item.IsNull() {
			s.refuse(expr.Range(), "Null in a list", "Every item is a string.")
			return nil, false
		}
		all = append(all, item.AsString())
	}
	return all, true
}

// table evaluates to a map of strings.
func (s *scope) table(expr hcl.Expression) map[string]string {
	v, ok := s.as(expr, cty.Map(cty.String), "A map of strings")
	if !ok {
		return nil
	}
	all := make(map[string]string, v.LengthInt())
	for key, item := range v.AsValueMap() {
		if !item.IsNull() {
			all[key] = item.AsString()
		}
	}
	return all
}

// explained adds to hcl's own complaints what a user of this language would
// not find out from them.
func explained(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		switch d.Summary {
		case "Unknown variable":
			explainRoot(d)
		case "Unsupported attribute", "Invalid index":
			explainAttribute(d)
		}
		d.EvalContext = nil // values are not shown: some are secret
	}
	return diags
}

func explainRoot(d *hcl.Diagnostic) {
	for _, root := range []string{"queue", "external", "cluster", "each"} {
		if d.Detail != fmt.Sprintf("There is no variable named %q.", root) {
			continue
		}
		d.Summary = fmt.Sprintf("%s cannot be used here", root)
		d.Detail = map[string]string{
			"queue":    "Only dead_letter names another queue.",
			"external": "Only dead_letter names another queue.",
			"cluster":  "cluster.name is known once a cluster is chosen, with --cluster where there are several.",
			"each":     "each.key and each.value belong to a block with for_each.",
		}[root]
	}
}

// explainAttribute finds what the misspelt attribute of an object could have been.
func explainAttribute(d *hcl.Diagnostic) {
	traversal, ok := d.Expression.(*hclsyntax.ScopeTraversalExpr)
	if !ok || d.EvalContext == nil {
		return
	}
	v, found := rootValue(d.EvalContext, traversal.Traversal.RootName())
	if !found {
		return
	}
	for _, step := range traversal.Traversal[1:] {
		name, ok := step.(hcl.TraverseAttr)
		if !ok || !v.Type().IsObjectType() {
			return
		}
		if !v.Type().HasAttribute(name.Name) {
			known := slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
			d.Summary = fmt.Sprintf("There is no %s.%s", traversal.Traversal.RootName(), name.Name)
			d.Detail = "It is not declared." + didYouMean(name.Name, known)
			return
		}
		v = v.GetAttr(name.Name)
	}
}

func rootValue(ctx *hcl.EvalContext, name string) (cty.Value, bool) {
	for ; ctx != nil; ctx = ctx.Parent() {
		if v, ok := ctx.Variables[name]; ok && !v.IsMarked() {
			return v, true
		}
	}
	return cty.NilVal, false
}
