// Package diag helps with hcl.Diagnostics: codes, order, and the forms in
// which they are told. It is not a diagnostic type of its own.
//
// Learn [Coded], [Sorted] and [WriteText]. What is wrong with a file is for
// others to find; nothing here reads a file or evaluates an expression, and an
// EvalContext is never looked at, since its values may be secret.
package diag

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// coded is an Extra that holds a code, and whatever was there before.
type coded struct {
	code  string
	inner any
}

// UnwrapDiagnosticExtra lets hcl.DiagnosticExtra find what was there before.
func (c coded) UnwrapDiagnosticExtra() any { return c.inner }

// Coded gives d a code, "QL101", that "queueform explain" knows and that JSON
// carries. It changes d and returns it; the last code given holds.
func Coded(code string, d *hcl.Diagnostic) *hcl.Diagnostic {
	d.Extra = coded{code: code, inner: d.Extra}
	return d
}

// Code is the code that [Coded] gave d, empty where it has none.
func Code(d *hcl.Diagnostic) string {
	c, _ := hcl.DiagnosticExtra[coded](d)
	return c.code
}

// Place is where a range begins, as compilers and editors write it:
// file:line:column. Columns count grapheme clusters, from 1.
func Place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}

// Sorted is diags by file and position, those without a place first, and at
// one place errors before warnings. Those that say the same of the same place,
// as the instances of one block do, are told once. diags stays as it is.
func Sorted(diags hcl.Diagnostics) hcl.Diagnostics {
	sorted := make(hcl.Diagnostics, 0, len(diags))
	for _, d := range diags {
		if d != nil {
			sorted = append(sorted, d)
		}
	}
	slices.SortStableFunc(sorted, compare)
	return slices.CompactFunc(sorted, func(a, b *hcl.Diagnostic) bool { return compare(a, b) == 0 })
}

func compare(a, b *hcl.Diagnostic) int {
	return cmp.Or(
		comparePlaces(a.Subject, b.Subject),
		cmp.Compare(a.Severity, b.Severity),
		cmp.Compare(Code(a), Code(b)),
		cmp.Compare(a.Summary, b.Summary),
		cmp.Compare(a.Detail, b.Detail),
	)
}

func comparePlaces(a, b *hcl.Range) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.Filename, b.Filename),
		cmp.Compare(a.Start.Line, b.Start.Line),
		cmp.Compare(a.Start.Column, b.Start.Column),
	)
}

// count says how many errors and warnings there are. What has no severity is
// an error, for it should not pass.
func count(diags hcl.Diagnostics) (errors, warnings int) {
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning {
			warnings++
		} else {
			errors++
		}
	}
	return errors, warnings
}
