package lang

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

type variableBlock struct {
	Name        string             `hcl:"name,label"`
	NameRange   hcl.Range          `hcl:"name,label_range"`
	Type        hcl.Expression     `hcl:"type,optional"`
	Default     hcl.Expression     `hcl:"default,optional"`
	DefaultAt   hcl.Range          `hcl:"default,attr_range"`
	Description hcl.Expression     `hcl:"description,optional"`
	Sensitive   hcl.Expression     `hcl:"sensitive,optional"`
	Labels      hcl.Expression     `hcl:"labels,optional"`
	Validations []*validationBlock `hcl:"validation,block"`
	DefRange    hcl.Range          `hcl:",def_range"`
}

type validationBlock struct {
	Condition    hcl.Expression `hcl:"condition"`
	ErrorMessage hcl.Expression `hcl:"error_message"`
	DefRange     hcl.Range      `hcl:",def_range"`
}

// given is a value from outside the variable's own block, and where it came from.
type given struct {
	value cty.Value
	from  string
	at    *hcl.Range // where it was written, if in a file
	text  bool       // a bare string, to be read by the variable's type
}

// variables evaluates the variable blocks: default, then the cluster's, the
// environment's, the files' and the flags' values, the last one winning.
func (l *loader) variables(chosen *clusterBlock) {
	declared := make(map[string]*variableBlock, len(l.blocks.Variables))
	for _, v := range l.blocks.Variables {
		if first, twice := declared[v.Name]; twice {
			l.scope(nil).refuse(v.NameRange, "Variable declared twice", "It is declared at %s already.", place(first.NameRange))
			continue
		}
		declared[v.Name] = v
	}
	values := l.given(chosen, declared)
	evaluated := make(map[string]cty.Value, len(declared))
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		evaluated[name] = l.variable(declared[name], values[name])
	}
	l.base.Variables["var"] = cty.ObjectVal(evaluated)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		l.validations(declared[name])
	}
}

// given gathers the values from outside, and refuses those for no variable.
func (l *loader) given(chosen *clusterBlock, declared map[string]*variableBlock) map[string]given {
	values := map[string]given{}
	set := func(name string, g given) {
		if _, known := declared[name]; !known {
			l.complain(&hcl.Diagnostic{
				Severity: hcl.DiagError,
				Summary:  fmt.Sprintf("No variable %q", name),
				Detail:   fmt.Sprintf("%s sets a variable that is not declared.%s", g.from, didYouMean(name, slices.Collect(maps.Keys(declared)))),
				Subject:  g.at,
			})
			return
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
	for _, v := range l.options.Vars {
		name, text, ok := strings.Cut(v, "=")
		if !ok {
			l.complain(problem("Malformed --var", fmt.Sprintf("%q is not NAME=VALUE.", v))...)
			continue
		}
		set(strings.TrimSpace(name), given{value: cty.StringVal(text), from: "--var " + name, text: true})
	}
	return values
}

// varFile reads a file of attributes alone.
func (l *loader) varFile(path string, set func(string, given)) {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		l.complain(problem("Variable file cannot be read", unwrapPath(err)+": "+path)...)
		return
	}
	if diags := unreadable(path, text); diags.HasErrors() {
		l.complain(diags...)
		return
	}
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	l.files[path] = file
	l.complain(diags...)
	if diags.HasErrors() {
		return
	}
	attributes, diags := file.Body.JustAttributes()
	l.complain(diags...)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		v, diags := a.Expr.Value(nil)
		l.complain(explained(diags)...)
		if !diags.HasErrors() {
			set(name, given{value: v, from: path, at: a.NameRange.Ptr()})
		}
	}
}

// variable is one variable's value. A sensitive one is marked; without a
// value it stays unknown until a secret is needed.
func (l *loader) variable(v *variableBlock, g given) cty.Value {
	s := l.scope(nil)
	wanted := cty.DynamicPseudoType
	if typed(v.Type) {
		var diags hcl.Diagnostics
		wanted, diags = typeexpr.TypeConstraint(v.Type)
		l.complain(diags...)
	}
	sensitive, _ := s.flag(v.Sensitive)
	s.text(v.Description)
	value, at := g.value, v.NameRange
	switch {
	case g.from != "" && g.text:
		value = l.fromText(g, wanted, sensitive)
	case g.from != "":
	case v.DefaultAt.Filename != "":
		at = v.Default.Range()
		var diags hcl.Diagnostics
		value, diags = v.Default.Value(&hcl.EvalContext{Functions: l.base.Functions})
		l.complain(explained(diags)...)
		if diags.HasErrors() {
			return cty.DynamicVal
		}
	case sensitive:
		return cty.UnknownVal(wanted).Mark(secretMark)
	default:
		s.refuse(v.NameRange, "Variable without a value",
			"Set it with --var %[1]s=VALUE, QUEUEFORM_VAR_%[1]s, a --var-file, the cluster's variables, or give it a default.", v.Name)
		return cty.DynamicVal
	}
	if g.at != nil {
		at = *g.at
	}
	converted, err := convert.Convert(value, wanted)
	if err != nil {
		from := "Its default"
		if g.from != "" {
			from = "The value from " + g.from
		}
		s.refuse(at, "Wrong type for variable "+v.Name, "%s does not fit: %v.", from, err)
		return cty.DynamicVal
	}
	if sensitive {
		return converted.Mark(secretMark)
	}
	return converted
}

// typed says whether a type was given at all.
func typed(expr hcl.Expression) bool {
	v, diags := expr.Value(nil)
	return diags.HasErrors() || !v.IsNull()
}

// fromText reads a string from outside: as it is for simple types, as an HCL
// expression for the others.
func (l *loader) fromText(g given, wanted cty.Type, sensitive bool) cty.Value {
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
	detail := "It is not an HCL value of type " + wanted.FriendlyName() + "."
	if !sensitive {
		detail = fmt.Sprintf("%q is not an HCL value of type %s.", g.value.AsString(), wanted.FriendlyName())
	}
	l.complain(problem("Malformed value from "+g.from, detail)...)
	return cty.UnknownVal(wanted)
}

func (l *loader) validations(v *variableBlock) {
	s := l.scope(l.base)
	for _, rule := range v.Validations {
		holds, diags := rule.Condition.Value(l.base)
		l.complain(explained(diags)...)
		holds, _ = holds.Unmark()
		if diags.HasErrors() || !holds.IsKnown() || holds.IsNull() {
			continue
		}
		if holds, err := convert.Convert(holds, cty.Bool); err != nil {
			s.refuse(rule.Condition.Range(), "Wrong type of condition", "A condition is true or false.")
		} else if holds.False() {
			message, _ := s.text(rule.ErrorMessage)
			s.refuse(v.NameRange, "Variable "+v.Name+" is refused", "%s", message)
		}
	}
}
