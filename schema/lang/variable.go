package lang

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

type variableBlock struct {
	Name        string             `hcl:"name,label"`
	NameRange   hcl.Range          `hcl:"name,label_range"`
	Type        *hcl.Attribute     `hcl:"type,optional"`
	Default     *hcl.Attribute     `hcl:"default,optional"`
	Description *hcl.Attribute     `hcl:"description,optional"`
	Sensitive   *hcl.Attribute     `hcl:"sensitive,optional"`
	Labels      *hcl.Attribute     `hcl:"labels,optional"`
	Validations []*validationBlock `hcl:"validation,block"`
	DefRange    hcl.Range          `hcl:",def_range"`
	Body        hcl.Body           `hcl:",body"`
}

var variableSchema, _ = gohcl.ImpliedBodySchema(variableBlock{})

// open says whether what is written in the block may be shown: it has nothing
// but what belongs there, and does not call itself sensitive.
func (v *variableBlock) open() bool {
	if v.Sensitive == nil {
		return v.understood()
	}
	sensitive, diags := v.Sensitive.Expr.Value(nil)
	return v.understood() && !diags.HasErrors() && sensitive.RawEquals(cty.False)
}

// understood says whether all that is in the block belongs there.
func (v *variableBlock) understood() bool {
	_, unexpected := v.Body.Content(variableSchema)
	return !unexpected.HasErrors()
}

type validationBlock struct {
	Condition    *hcl.Attribute `hcl:"condition,optional"`
	ErrorMessage *hcl.Attribute `hcl:"error_message,optional"`
	DefRange     hcl.Range      `hcl:",def_range"`
}

// given is a value for a variable, and where it came from.
type given struct {
	value cty.Value
	from  string
	at    hcl.Range // where it was written; the variable's name if not in a file
	text  bool      // a bare string, to be read by the variable's type
}

// variables evaluates the variable blocks: default, then the cluster's, the
// environment's, the files' and the flags' values, the last one winning.
func (l *loader) variables(chosen *clusterBlock) {
	declared := make(map[string]*variableBlock, len(l.blocks.Variables))
	s := l.scope(nil)
	for _, v := range l.blocks.Variables {
		s.label(v.Name, v.NameRange)
		if first, twice := declared[v.Name]; twice {
			s.refuse(v.NameRange, "Variable declared twice", "It is declared at %s already.", diag.Place(first.NameRange))
			continue
		}
		declared[v.Name] = v
	}
	values := l.given(chosen, declared)
	l.otherVariables(chosen, declared)
	evaluated := make(map[string]cty.Value, len(declared))
	for name, v := range declared {
		evaluated[name] = l.variable(v, values[name])
	}
	l.base.Variables["var"] = cty.ObjectVal(evaluated)
	for name, v := range declared {
		at := v.NameRange
		if g, ok := values[name]; ok {
			at = g.at
		}
		l.validations(v, at)
	}
}

// otherVariables checks the names and types of what the clusters that are not
// chosen set. The values are theirs alone.
func (l *loader) otherVariables(chosen *clusterBlock, declared map[string]*variableBlock) {
	for _, c := range l.blocks.Clusters {
		if c == chosen {
			continue
		}
		l.clusterVariables(c, func(name string, g given) {
			if v := l.declared(declared, name, g); v != nil {
				l.variable(v, g)
			}
		})
	}
}

// declared is the variable that a value is for. One for no variable is refused.
func (l *loader) declared(all map[string]*variableBlock, name string, g given) *variableBlock {
	v, known := all[name]
	if !known {
		d := problem("No variable "+schema.Quote(name), "%s sets a variable that is not declared.%s", g.from, didYouMean(name, slices.Sorted(maps.Keys(all))))
		d.Extra = undeclared{"variable"}
		if !g.text {
			d.Subject = &g.at
		}
		l.complain(d)
	}
	return v
}

// given gathers the values from outside, and refuses those for no variable.
func (l *loader) given(chosen *clusterBlock, declared map[string]*variableBlock) map[string]given {
	values := map[string]given{}
	set := func(name string, g given) {
		v := l.declared(declared, name, g)
		if v == nil {
			return
		}
		if g.text {
			g.at = v.NameRange
		}
		values[name] = g
	}
	if chosen != nil {
		l.clusterVariables(chosen, set)
	}
	for name := range declared {
		if text, ok := l.options.Env("QUEUEFORM_VAR_" + name); ok {
			set(name, given{value: cty.StringVal(text), from: "QUEUEFORM_VAR_" + name, text: true})
		}
	}
	for _, path := range l.options.VarFiles {
		l.varFile(path, set)
	}
	for i, v := range l.options.Vars {
		name, text, ok := strings.Cut(v, "=")
		if !ok { // it may be a secret whose name was forgotten
			l.complain(problem("Malformed --var", "Number %d of them is not NAME=VALUE.", i+1))
			continue
		}
		set(strings.TrimSpace(name), given{value: cty.StringVal(text), from: "--var " + name, text: true})
	}
	return values
}

// varFile reads a file of attributes alone.
func (l *loader) varFile(path string, set func(string, given)) {
	s := l.scope(nil)
	file, diags := parse(path) // not among the files to show lines of: they may hold secrets
	s.complain(fewer(diags, path)...)
	if diags.HasErrors() {
		return
	}
	attributes, diags := file.Body.JustAttributes()
	s.complain(diags...)
	for name, a := range attributes {
		v, diags := a.Expr.Value(nil)
		s.complain(diags...)
		if !diags.HasErrors() {
			set(name, given{value: v, from: path, at: a.Expr.Range()})
		}
	}
}

// variable is one variable's value. A sensitive one is marked; without a
// value it stays unknown until a secret is needed.
func (l *loader) variable(v *variableBlock, g given) cty.Value {
	s := l.scope(&hcl.EvalContext{Functions: l.base.Functions})
	sensitive, _ := s.flag(v.Sensitive)
	wanted, defaults := s.variableType(v.Type)
	s.remarks(v.Description, v.Labels)
	s.failed = s.failed || !v.understood()
	switch {
	case g.text:
		g.value = l.fromText(g, wanted, v.open())
	case g.from != "":
	case v.Default != nil:
		value, diags := evaluate(v.Default.Expr, s.ctx)
		s.complain(diags...)
		g = given{value: value, from: "its default", at: v.Default.Expr.Range()}
	case s.failed: // and the value may be what is misspelt
	case sensitive:
		return cty.UnknownVal(wanted).Mark(secretMark)
	default:
		s.refuse(v.NameRange, "Variable without a value",
			"Set it with --var %[1]s=VALUE, QUEUEFORM_VAR_%[1]s, a --var-file, the chosen cluster's variables, or give it a default.", v.Name)
	}
	if s.failed {
		return cty.DynamicVal
	}
	if defaults != nil && !g.value.IsNull() {
		g.value = defaults.Apply(g.value)
	}
	converted, err := convert.Convert(g.value, wanted)
	if err != nil {
		s.refuse(g.at, "Wrong type for variable "+v.Name, "The value from %s does not fit: %v.", g.from, err)
		return cty.DynamicVal
	}
	if sensitive {
		return converted.Mark(secretMark)
	}
	return converted
}

// variableType is the declared type, with the defaults of optional attributes.
func (s *scope) variableType(a *hcl.Attribute) (cty.Type, *typeexpr.Defaults) {
	if a == nil {
		return cty.DynamicPseudoType, nil
	}
	t, defaults, diags := typeexpr.TypeConstraintWithDefaults(a.Expr)
	s.complain(diags...)
	return t, defaults
}

// fromText reads a string from outside: as it is for simple types, as an HCL
// expression for the others.
func (l *loader) fromText(g given, wanted cty.Type, open bool) cty.Value {
	if wanted.IsPrimitiveType() || wanted == cty.DynamicPseudoType {
		return g.value
	}
	expr, diags := hclsyntax.ParseExpression([]byte(g.value.AsString()), g.from, hcl.InitialPos)
	if !diags.HasErrors() {
		var v cty.Value
		if v, diags = expr.Value(nil); !diags.HasErrors() {
			return v
		}
	}
	what := "It"
	if open {
		what = schema.Quote(g.value.AsString())
	}
	l.complain(problem("Malformed value from "+g.from, "%s is not an HCL value of type %s.", what, wanted.FriendlyNameForConstraint()))
	return cty.UnknownVal(wanted)
}

// validations checks the conditions that a value, written at a place, must meet.
func (l *loader) validations(v *variableBlock, at hcl.Range) {
	for _, rule := range v.Validations {
		s := l.scope(l.base)
		if rule.Condition == nil || rule.ErrorMessage == nil {
			s.refuse(rule.DefRange, "Incomplete validation", "A validation has a condition and an error_message.")
			continue
		}
		holds, diags := evaluate(rule.Condition.Expr, l.base)
		s.complain(diags...)
		holds, _ = holds.Unmark()
		if s.failed || !holds.IsKnown() {
			continue
		}
		holds, err := convert.Convert(holds, cty.Bool)
		switch {
		case err != nil || holds.IsNull():
			s.refuse(rule.Condition.Expr.Range(), "Wrong type of condition", "A condition is true or false.")
		case holds.False():
			message, ok := s.text(rule.ErrorMessage)
			if !ok {
				message = "The condition at " + diag.Place(rule.Condition.Range) + " does not hold."
			}
			s.refuse(at, "Variable "+v.Name+" is refused", "%s", message)
		}
	}
}
