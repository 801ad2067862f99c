package diag

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/hashicorp/hcl/v2"
	"github.com/mitchellh/go-wordwrap"
)

// TextOptions say how diagnostics are shown to a person.
type TextOptions struct {
	Color bool // ANSI colours
	Width int  // columns that details and lines of source may take, at least 40; 0: 80
}

// narrowest is the least width that leaves room beside a line number.
const narrowest = 40

// WriteText tells every diagnostic of [Sorted]: what, where, the line of source
// with the range underlined, and the detail. Of those about one place that
// differ in the detail alone the first is told. Several are counted at the end.
//
// Where a file is missing its line is not shown, nor is one that is withheld.
// Control characters are, as replacement characters, so that a file
// cannot speak to the terminal. The error is that of w.
func WriteText(w io.Writer, files Files, diags hcl.Diagnostics, o TextOptions) error {
	t := &text{sources: newSources(files), paint: NewPalette(o.Color), width: max(cmp.Or(o.Width, 80), narrowest)}
	sorted := Sorted(diags)
	for i, like := range alike(sorted) {
		if i > 0 {
			t.line("")
		}
		t.diagnostic(like[0])
		if more := len(like) - 1; more > 0 {
			t.line("  And %s more like it.", humanize.Comma(int64(more)))
		}
	}
	if len(sorted) > 1 {
		t.line("")
		t.total(count(sorted))
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// alike groups what is wrong with one value in many instances of its block:
// the same place and summary, each with details of its own.
func alike(sorted hcl.Diagnostics) []hcl.Diagnostics {
	var groups []hcl.Diagnostics
	for i, d := range sorted {
		if i > 0 && d.Subject != nil && comparePlaces(d.Subject, sorted[i-1].Subject) == 0 && d.Summary == sorted[i-1].Summary {
			groups[len(groups)-1] = append(groups[len(groups)-1], d)
			continue
		}
		groups = append(groups, hcl.Diagnostics{d})
	}
	return groups
}

type text struct {
	*sources
	paint Palette
	width int
	out   strings.Builder
}

func (t *text) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	t.out.WriteByte('\n')
}

func (t *text) diagnostic(d *hcl.Diagnostic) {
	severity, paint := "Error", t.paint.Red
	if d.Severity == hcl.DiagWarning {
		severity, paint = "Warning", t.paint.Yellow
	}
	summary := t.paint.Bold(clean(d.Summary))
	if code := Code(d); code != "" {
		summary += " [" + code + "]"
	}
	t.line("%s: %s", paint(severity), summary)
	if d.Subject != nil && d.Subject.Filename != "" {
		t.place(*d.Subject)
		t.source(*d.Subject, paint)
	}
	t.detail(d.Detail)
}

// place says where, and how far a range of several lines goes.
func (t *text) place(r hcl.Range) {
	last := r.End.Line
	if r.End.Column == 1 {
		last-- // it ends with the line before
	}
	if last > r.Start.Line {
		t.line("  %s, to line %d", clean(Place(r)), last)
		return
	}
	t.line("  %s", clean(Place(r)))
}

// source shows the line that a range begins on, and underlines the range.
func (t *text) source(r hcl.Range, paint Painter) {
	e, ok := t.excerpt(r)
	if !ok {
		return
	}
	number := fmt.Sprintf("  %d", r.Start.Line)
	if e.withheld {
		t.line("%s %s %s", number, t.paint.Faint("|"), t.paint.Faint("(not shown: the line may hold a secret)"))
		return
	}
	margin := strings.Repeat(" ", len(number))
	shown, indent, length := window(e, t.width-len(number)-len(" | "))
	t.line("%s %s %s", number, t.paint.Faint("|"), shown)
	t.line("%s %s %s%s", margin, t.paint.Faint("|"), strings.Repeat(" ", indent), paint(strings.Repeat("^", length)))
}

// detail wraps prose. Lines that begin with a space are laid out already.
func (t *text) detail(detail string) {
	if detail == "" {
		return
	}
	const indent = "  "
	for paragraph := range strings.SplitSeq(strings.TrimRight(detail, "\n "), "\n") {
		paragraph = clean(paragraph)
		if !strings.HasPrefix(paragraph, " ") {
			paragraph = wordwrap.WrapString(paragraph, uint(t.width-len(indent)))
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			t.line("%s%s", indent, line)
		}
	}
}

func (t *text) total(errors, warnings int) {
	var parts []string
	if errors > 0 {
		parts = append(parts, english.Plural(errors, "error", ""))
	}
	if warnings > 0 {
		parts = append(parts, english.Plural(warnings, "warning", ""))
	}
	t.line("%s.", strings.Join(parts, ", "))
}
