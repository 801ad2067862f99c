package lang

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// secretMark is on every value that came from env() or a sensitive variable.
const secretMark = "secret"

// scope is where the expressions of one block are evaluated: what they see,
// and where complaints about them go. A null value is an attribute that is
// not there; the evaluating methods say whether there is a value to use.
type scope struct {
	loader *loader
	ctx    *hcl.EvalContext
	failed bool // something is wrong here, and was told
}

func (l *loader) scope(ctx *hcl.EvalContext) *scope { return &scope{loader: l, ctx: ctx} }

func (s *scope) refuse(at hcl.Range, summary, detail string, args ...any) {
	d := problem(summary, detail, args...)
	d.Subject = &at
	s.failed = true
	s.loader.complain(d)
}

func (s *scope) warn(at hcl.Range, summary, detail string, args ...any) {
	d := problem(summary, detail, args...)
	d.Severity, d.Subject = hcl.DiagWarning, &at
	s.loader.complain(d)
}

// complain hands on what hcl has to say, in this language's words.
func (s *scope) complain(diags ...*hcl.Diagnostic) {
	s.failed = s.failed || hcl.Diagnostics(diags).HasErrors()
	s.loader.complain(s.loader.explained(diags)...)
}

// failing says whether anything that is evaluated meanwhile is wrong.
func (s *scope) failing(evaluate func()) bool {
	before := s.failed
	s.failed = false
	evaluate()
	failed := s.failed
	s.failed = failed || before
	return failed
}

// value evaluates an expression that may not hold a secret. What follows from
// an error elsewhere is unknown: there is nothing to tell again.
func (s *scope) value(expr hcl.Expression) (cty.Value, bool) {
	v, ok := s.outline(expr)
	if ok && !v.IsWhollyKnown() {
		s.failed, ok = true, false
	}
	return v, ok
}

// outline is value, but what is in a collection may be unknown.
func (s *scope) outline(expr hcl.Expression) (cty.Value, bool) {
	v, diags := evaluate(expr, s.ctx)
	s.complain(diags...)
	switch {
	case diags.HasErrors():
		return v, false
	case hasSecret(v):
		s.refuse(expr.Range(), "A secret would be shown here",
			"Values of env() and of sensitive variables are taken for passwords, tokens and keys only: everything else ends up in plans and logs. "+
				"Take what is no secret from a variable: --var, or QUEUEFORM_VAR_ and its name.")
		return v, false
	case v.IsNull():
		return v, false
	case !v.IsKnown():
		s.failed = true
		return v, false
	}
	return v, true
}

// as evaluates an attribute to a type, described by what.
func (s *scope) as(a *hcl.Attribute, t cty.Type, what string) (cty.Value, bool) {
	if a == nil {
		return cty.NilVal, false
	}
	v, ok := s.value(a.Expr)
	if !ok {
		return v, false
	}
	return s.convert(a.Expr, v, t, what)
}

func (s *scope) convert(expr hcl.Expression, v cty.Value, t cty.Type, what string) (cty.Value, bool) {
	converted, err := convert.Convert(v, t)
	if err != nil {
		s.refuse(expr.Range(), "Wrong type of value", "%s is wanted here, not %s.", what, described(v))
		return v, false
	}
	return converted, true
}

// described is how a message speaks of a value of the wrong type.
func described(v cty.Value) string {
	switch t := v.Type(); {
	case v.IsNull():
		return "null"
	case t == cty.String:
		return quoted(v.AsString())
	case t == cty.Number:
		if text, ok := digits(v); ok {
			return text
		}
		return "one of hundreds of digits"
	case t.IsTupleType():
		return "a list"
	case t.IsObjectType():
		return "a map"
	case t.IsCapsuleType():
		return "a " + t.FriendlyName()
	default:
		return t.FriendlyName()
	}
}

// quoted is a text in a message, which is no place for pages.
func quoted(text string) string {
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "..."
	}
	return schema.Quote(text)
}

func (s *scope) text(a *hcl.Attribute) (string, bool) {
	v, ok := s.as(a, cty.String, "A string")
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

func (s *scope) flag(a *hcl.Attribute) (value, ok bool) {
	v, ok := s.as(a, cty.Bool, "True or false")
	return ok && v.True(), ok
}

// whole evaluates to a whole number within bounds.
func (s *scope) whole(a *hcl.Attribute, least, most int64) (int64, bool) {
	v, ok := s.as(a, cty.Number, "A number")
	if !ok {
		return 0, false
	}
	n, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || n < least || n > most {
		s.refuse(a.Expr.Range(), "Number out of range", "A whole number from %d to %d is wanted here, not %s.", least, most, described(v))
		return 0, false
	}
	return n, true
}

// positive evaluates to a number above 0; 0 is one that is not there.
func (s *scope) positive(a *hcl.Attribute) float64 {
	v, ok := s.as(a, cty.Number, "A number")
	if !ok {
		return 0
	}
	n, _ := v.AsBigFloat().Float64()
	if n <= 0 || math.IsInf(n, 0) {
		s.refuse(a.Expr.Range(), "Number out of range", "%s is more than 0, not %s.", a.Name, described(v))
		return 0
	}
	return n
}

// digits spells a number exactly. Not ok is one that would take pages.
func digits(v cty.Value) (text string, ok bool) {
	n := v.AsBigFloat()
	if exponent := n.MantExp(nil); exponent > 1024 || exponent < -1024 {
		return "", false
	}
	return n.Text('f', -1), true
}

// size evaluates to bytes: a number, or a string with a unit.
func (s *scope) size(a *hcl.Attribute) int64 {
	v, ok := s.as(a, cty.String, "A size")
	if !ok {
		return 0
	}
	text := v.AsString()
	if strings.Trim(text, "0123456789") == "" {
		text += "B"
	}
	n, err := catalog.ParseBytes(text)
	switch {
	case err != nil:
		s.refuse(a.Expr.Range(), "Not a size", "%v.", err)
	case n <= 0:
		s.refuse(a.Expr.Range(), "Not a size", "It must be more than 0.")
	}
	return n
}

func (s *scope) texts(a *hcl.Attribute) ([]string, bool) {
	if a == nil {
		return nil, false
	}
	v, ok := s.value(a.Expr)
	if !ok {
		return nil, false
	}
	return s.textsOf(a.Expr, v)
}

// textsOf is the items of a list that an expression was evaluated to.
func (s *scope) textsOf(expr hcl.Expression, list cty.Value) ([]string, bool) {
	v, ok := s.convert(expr, list, cty.List(cty.String), "A list of strings")
	if !ok {
		return nil, false
	}
	all := make([]string, 0, v.LengthInt())
	for i, item := range v.AsValueSlice() {
		if item.IsNull() {
			s.refuse(itemRange(expr, i), "Null in a list", "Every item is a string.")
			return nil, false
		}
		all = append(all, item.AsString())
	}
	return all, true
}

// words evaluates a list of words, or Kafka's comma-separated string.
func (s *scope) words(a *hcl.Attribute) ([]string, bool) {
	if a == nil {
		return nil, false
	}
	v, ok := s.value(a.Expr)
	if !ok {
		return nil, false
	}
	if v.Type() != cty.String {
		return s.textsOf(a.Expr, v)
	}
	all := strings.Split(v.AsString(), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all, true
}

// itemRange is where an item of a list stands, or the whole list where that
// does not show.
func itemRange(list hcl.Expression, i int) hcl.Range {
	if items, diags := hcl.ExprList(list); !diags.HasErrors() && i < len(items) {
		return items[i].Range()
	}
	return list.Range()
}

// pairRange is where a value of an object stands, or the whole object where
// that does not show.
func pairRange(object hcl.Expression, key string) hcl.Range {
	pairs, _ := hcl.ExprMap(object)
	for _, pair := range pairs {
		if name, ok := literalKey(pair); ok && name == key {
			return pair.Value.Range()
		}
	}
	return object.Range()
}

// table evaluates to a map of strings. Null takes a key away.
func (s *scope) table(a *hcl.Attribute) (map[string]string, bool) {
	v, ok := s.as(a, cty.Map(cty.String), "A map of strings")
	if !ok {
		return nil, false
	}
	all := make(map[string]string, v.LengthInt())
	for key, item := range v.AsValueMap() {
		if !item.IsNull() {
			all[key] = item.AsString()
		}
	}
	return all, true
}

// remarks evaluates what may stand on every block, and no diff looks at.
func (s *scope) remarks(description, labels *hcl.Attribute) (string, map[string]string) {
	text, _ := s.text(description)
	table, _ := s.table(labels)
	return text, table
}

// decl is how an instance of a block is declared.
func (s *scope) decl(i instance, block hcl.Range, attrs map[string]hcl.Range, description, labels *hcl.Attribute) schema.Decl {
	d := schema.Decl{Addr: i.addr, Written: schema.Written{Source: block, Attrs: attrs}}
	d.Description, d.Labels = s.remarks(description, labels)
	return d
}

// mark keeps that something is wrong with an instance, for those that refer to it.
func (s *scope) mark(i instance) {
	if s.failed {
		s.loader.failed[i.addr] = true
	}
}

// label checks the name that a block has in references and addresses.
func (s *scope) label(name string, at hcl.Range) {
	if !hclsyntax.ValidIdentifier(name) {
		s.refuse(at, fmt.Sprintf("%s cannot be a label", schema.Quote(name)),
			"A label stands in addresses: it begins with a letter, and has letters, digits, - and _.")
	}
}
