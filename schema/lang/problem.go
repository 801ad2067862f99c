package lang

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// What a diagnostic may carry as Extra on its way through this package.
type (
	undeclared struct{ in string } // it says that something is not declared: not to be told where a block of this type was lost
	onceOnly   struct{ of string } // the first of its kind says it for all
)

// anyBlock is a block whose type is not known.
const anyBlock = ""

// tidy orders diagnostics by place and leaves out what follows from others.
func tidy(diags hcl.Diagnostics, lost []string) hcl.Diagnostics {
	slices.SortStableFunc(diags, compareDiagnostics)
	told := map[onceOnly]bool{}
	var tidied hcl.Diagnostics
	for _, d := range diags {
		switch extra := d.Extra.(type) {
		case undeclared:
			if slices.Contains(lost, anyBlock) || slices.Contains(lost, extra.in) {
				continue
			}
			d.Extra = nil
		case onceOnly:
			if told[extra] {
				continue
			}
			told[extra], d.Extra = true, nil
		}
		if n := len(tidied); n == 0 || !same(tidied[n-1], d) {
			tidied = append(tidied, d)
		}
	}
	return tidied
}

func compareDiagnostics(a, b *hcl.Diagnostic) int {
	x, y := subject(a), subject(b)
	return cmp.Or(
		cmp.Compare(x.Filename, y.Filename),
		cmp.Compare(x.Start.Byte, y.Start.Byte),
		cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(a.Summary, b.Summary),
		cmp.Compare(a.Detail, b.Detail),
	)
}

func same(a, b *hcl.Diagnostic) bool { return compareDiagnostics(a, b) == 0 }

// subject is where a diagnostic points to, the zero Range if nowhere.
func subject(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}

// problem is an error of no place.
func problem(summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}
}

// complaint is what the instances of a block may all have to say.
type complaint struct {
	at      hcl.Range
	level   hcl.DiagnosticSeverity
	summary string
}

// telling is a complaint as it is told: in the words of the first instance.
type telling struct {
	first, last schema.Addr
	others      int
	diags       hcl.Diagnostics
}

// forEach evaluates the instances of a block. A problem that several of them
// have is told for the first, with the number of the others.
func (l *loader) forEach(all []instance, evaluate func(instance)) {
	outer, told := l.diags, map[complaint]*telling{}
	for _, i := range all {
		l.diags = nil
		evaluate(i)
		for _, d := range l.diags {
			key := complaint{subject(d), d.Severity, d.Summary}
			t := told[key]
			if t == nil {
				t = &telling{first: i.addr, last: i.addr}
				told[key] = t
			}
			if t.first == i.addr {
				t.diags, outer = append(t.diags, d), append(outer, d)
			} else if t.last != i.addr {
				t.last = i.addr
				t.others++
			}
		}
	}
	l.diags = outer
	for _, t := range told {
		for _, d := range t.diags {
			d.Detail += inInstances(t.first, t.others)
		}
	}
}

// inInstances is a sentence to end a detail with.
func inInstances(first schema.Addr, others int) string {
	switch {
	case !first.Keyed:
		return ""
	case others == 0:
		return fmt.Sprintf(" (In %s.)", first)
	case others == 1:
		return fmt.Sprintf(" (In %s and another instance.)", first)
	}
	return fmt.Sprintf(" (In %s and %d other instances.)", first, others)
}

// hasSecret says whether a value is, or holds, a secret.
func hasSecret(v cty.Value) bool {
	if t := v.Type(); t.IsPrimitiveType() || t.IsCapsuleType() || t.IsSetType() { // a set has the marks of its elements
		return v.IsMarked()
	}
	return v.ContainsMarked()
}
