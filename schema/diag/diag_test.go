package diag_test

import (
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema/diag"
)

// at is a range of one line: columns from and to, the bytes those of a text
// of ASCII that begins on that line at offset.
func at(file string, line, from, to, offset int) *hcl.Range {
	return &hcl.Range{
		Filename: file,
		Start:    hcl.Pos{Line: line, Column: from, Byte: offset + from - 1},
		End:      hcl.Pos{Line: line, Column: to, Byte: offset + to - 1},
	}
}

func problem(summary string, r *hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Subject: r}
}

func warning(summary string, r *hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Subject: r}
}

func TestSorted(t *testing.T) {
	diags := hcl.Diagnostics{
		problem("line 10", at("b.hcl", 10, 1, 2, 0)),
		problem("line 9", at("b.hcl", 9, 7, 8, 0)),
		warning("warning at column 2", at("b.hcl", 9, 2, 3, 0)),
		problem("error at column 2", at("b.hcl", 9, 2, 3, 0)),
		problem("line 10", at("b.hcl", 10, 1, 2, 0)),
		nil,
		problem("first file", at("a.hcl", 99, 1, 2, 0)),
		problem("z nowhere", nil),
		problem("a nowhere", nil),
		problem("z nowhere", nil),
	}
	before := slices.Clone(diags)
	var got []string
	for _, d := range diag.Sorted(diags) {
		got = append(got, d.Summary)
	}
	want := []string{"a nowhere", "z nowhere", "first file", "error at column 2", "warning at column 2", "line 9", "line 10"}
	if !slices.Equal(got, want) {
		t.Errorf("sorted to %q, want %q", got, want)
	}
	if !slices.Equal(diags, before) {
		t.Error("the argument was changed")
	}
}

// What differs in anything that is told is told twice.
func TestSortedKeepsDifferent(t *testing.T) {
	place := at("a.hcl", 1, 1, 2, 0)
	for name, other := range map[string]*hcl.Diagnostic{
		"summary":  problem("other", place),
		"severity": warning("one", place),
		"place":    problem("one", at("a.hcl", 1, 2, 3, 0)),
		"no place": problem("one", nil),
		"code":     diag.Coded("QL999", problem("one", place)),
		"detail":   {Severity: hcl.DiagError, Summary: "one", Detail: "detail", Subject: place},
	} {
		if got := diag.Sorted(hcl.Diagnostics{problem("one", place), other, problem("one", place)}); len(got) != 2 {
			t.Errorf("%s: %d are left, want 2", name, len(got))
		}
	}
}

type earlier string

func TestCoded(t *testing.T) {
	d := problem("one", nil)
	if code := diag.Code(d); code != "" {
		t.Errorf("without a code it is %q", code)
	}
	d.Extra = earlier("there before")
	if got := diag.Coded("QL101", d); got != d {
		t.Error("another diagnostic is returned")
	}
	if code := diag.Code(d); code != "QL101" {
		t.Errorf("the code is %q", code)
	}
	if extra, ok := hcl.DiagnosticExtra[earlier](d); !ok || extra != "there before" {
		t.Errorf("the extra that was there before is %q, %v", extra, ok)
	}
}

func TestPlace(t *testing.T) {
	if got := diag.Place(*at("dir/a.hcl", 12, 5, 6, 0)); got != "dir/a.hcl:12:5" {
		t.Error(got)
	}
}
