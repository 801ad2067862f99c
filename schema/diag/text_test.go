package diag_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema/diag"
)

func write(t *testing.T, source string, o diag.TextOptions, diags ...*hcl.Diagnostic) string {
	t.Helper()
	var b strings.Builder
	if err := diag.WriteText(&b, diag.Files{"a.hcl": {Text: []byte(source)}}, diags, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// token is the range of the first token with a text, as hcl's own scanner has it.
func token(t *testing.T, source, text string) *hcl.Range {
	t.Helper()
	tokens, _ := hclsyntax.LexConfig([]byte(source), "a.hcl", hcl.InitialPos)
	for _, token := range tokens {
		if string(token.Bytes) == text {
			return &token.Range
		}
	}
	t.Fatalf("%q has no token %q", source, text)
	return nil
}

// What is underlined. The text is what follows the line of the place; the
// ranges are those that hcl's scanner gives.
func TestUnderline(t *testing.T) {
	for name, test := range map[string]struct{ source, token, want string }{
		"one line": {"a = 1\nqueue = wrong\n", "wrong", `
  2 | queue = wrong
    |         ^^^^^
`},
		"last line without an ending": {"a = 1\nb = wrong", "wrong", `
  2 | b = wrong
    |     ^^^^^
`},
		"tabs": {"\ta\t= wrong\n", "wrong", `
  1 |     a   = wrong
    |           ^^^^^
`},
		"CRLF": {"a = 1\r\nb = wrong\r\n", "wrong", `
  2 | b = wrong
    |     ^^^^^
`},
		"byte order mark": {"\xef\xbb\xbfa = wrong\n", "wrong", `
  1 | a = wrong
    |     ^^^^^
`},
		"after a byte order mark": {"\xef\xbb\xbfa = 1\nb = wrong\n", "wrong", `
  2 | b = wrong
    |     ^^^^^
`},
		"wide runes before": {"a = [\"日本\", wrong]\n", "wrong", `
  1 | a = ["日本", wrong]
    |              ^^^^^
`},
		"wide runes in it": {"a = \"日本\"\n", "日本", `
  1 | a = "日本"
    |      ^^^^
`},
		"combining marks": {"a = [\"e\u0301\", wrong]\n", "wrong", `
  1 | a = ["é", wrong]
    |           ^^^^^
`},
		"a mark that combines with a quote": {"a = [\"\u0301\", wrong]\n", "wrong", "\n  1 | a = [\"\u0301\", wrong]\n    |          ^^^^^\n"},
		"from a combining mark":             {"a = \"\u0301x\"\n", "\u0301x", "\n  1 | a = \"\u0301x\"\n    |      ^\n"},
		"emoji of several runes": {"a = [\"👩‍🚀\", wrong]\n", "wrong", `
  1 | a = ["👩‍🚀", wrong]
    |            ^^^^^
`},
		"the end of a line": {"a =\nb = 1\n", "\n", `
  1 | a =
    |    ^
`},
		"the end of the file": {"a = {\n", "", `
  2 |
    | ^
`},
		"the end of a file without a last newline": {"a = {", "", `
  1 | a = {
    |      ^
`},
	} {
		t.Run(name, func(t *testing.T) {
			r := token(t, test.source, test.token)
			got := write(t, test.source, diag.TextOptions{}, problem("Wrong", r))
			want := fmt.Sprintf("Error: Wrong\n  a.hcl:%d:%d%s", r.Start.Line, r.Start.Column, test.want)
			if d := cmp.Diff(strings.ReplaceAll(want, "é", "e\u0301"), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Ranges that no scanner gave.
func TestUnderlineOfRanges(t *testing.T) {
	const source = "a = 1\nqueue = [\n  one,\n]\n"
	for name, test := range map[string]struct {
		r    hcl.Range
		want string
	}{
		"over several lines": {hcl.Range{Start: hcl.Pos{Line: 2, Column: 9, Byte: 14}, End: hcl.Pos{Line: 4, Column: 2, Byte: 24}}, `a.hcl:2:9, to line 4
  2 | queue = [
    |         ^
`},
		"with the line's ending": {hcl.Range{Start: hcl.Pos{Line: 3, Column: 3, Byte: 18}, End: hcl.Pos{Line: 4, Column: 1, Byte: 23}}, `a.hcl:3:3
  3 |   one,
    |   ^^^^
`},
		"empty": {hcl.Range{Start: hcl.Pos{Line: 3, Column: 3, Byte: 18}, End: hcl.Pos{Line: 3, Column: 3, Byte: 18}}, `a.hcl:3:3
  3 |   one,
    |   ^
`},
		"without bytes": {hcl.Range{Start: hcl.Pos{Line: 3, Column: 3}, End: hcl.Pos{Line: 3, Column: 6}}, `a.hcl:3:3
  3 |   one,
    |   ^^^
`},
		"beyond the line": {hcl.Range{Start: hcl.Pos{Line: 1, Column: 90, Byte: 800}, End: hcl.Pos{Line: 1, Column: 99, Byte: 900}}, `a.hcl:1:90
  1 | a = 1
    |      ^
`},
		"end before start": {hcl.Range{Start: hcl.Pos{Line: 1, Column: 5, Byte: 4}, End: hcl.Pos{Line: 1, Column: 1, Byte: 0}}, `a.hcl:1:5
  1 | a = 1
    |     ^
`},
		"beyond the file": {hcl.Range{Start: hcl.Pos{Line: 77, Column: 1, Byte: 800}, End: hcl.Pos{Line: 77, Column: 2, Byte: 801}}, "a.hcl:77:1\n"},
		"line 0":          {hcl.Range{}, "a.hcl:0:0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			test.r.Filename = "a.hcl"
			got := write(t, source, diag.TextOptions{}, problem("Wrong", &test.r))
			if d := cmp.Diff("Error: Wrong\n  "+test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWithoutSource(t *testing.T) {
	want := "Error: Wrong\n  b.hcl:1:4\n  Why.\n"
	d := problem("Wrong", at("b.hcl", 1, 4, 5, 0))
	d.Detail = "Why."
	for name, files := range map[string]diag.Files{
		"no files": nil, "another file": {"a.hcl": {Text: []byte("a\nb\nc\nd\n")}}, "no bytes": {"b.hcl": {}},
	} {
		var b strings.Builder
		if err := diag.WriteText(&b, files, hcl.Diagnostics{d}, diag.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%s: %s", name, cmp.Diff(want, b.String()))
		}
	}
}

// Long lines are cut around the range, and what is cut fits.
func TestLongLines(t *testing.T) {
	left, right := strings.Repeat("a", 300), strings.Repeat("b", 300)
	for name, test := range map[string]struct{ before, marked, after, shown, under string }{
		"in the middle": {left, "WRONG", right, "…" + left[:14] + "WRONG" + right[:13] + "…", strings.Repeat(" ", 15) + "^^^^^"},
		"at the start":  {"", "WRONG", right, "WRONG" + right[:27] + "…", "^^^^^"},
		"at the end":    {left, "WRONG", "", "…" + left[:27] + "WRONG", strings.Repeat(" ", 28) + "^^^^^"},
		"too long":      {left, strings.Repeat("W", 200), right, "…" + strings.Repeat("W", 32) + "…", " " + strings.Repeat("^", 32)},
		"wide":          {left, "日本", right, "…" + left[:14] + "日本" + right[:14] + "…", strings.Repeat(" ", 15) + "^^^^"},
		"just fits":     {left[:15], "WRONG", right[:14], left[:15] + "WRONG" + right[:14], strings.Repeat(" ", 15) + "^^^^^"},
		"just does not": {left[:15], "WRONG", right[:15], "…" + left[:14] + "WRONG" + right[:13] + "…", strings.Repeat(" ", 15) + "^^^^^"},
		"megabytes":     {strings.Repeat("é", 1<<20), "WRONG", strings.Repeat("è", 1<<20), "…" + strings.Repeat("é", 14) + "WRONG" + strings.Repeat("è", 13) + "…", strings.Repeat(" ", 15) + "^^^^^"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &hcl.Range{
				Filename: "a.hcl",
				Start:    hcl.Pos{Line: 1, Column: 1 + utf8.RuneCountInString(test.before), Byte: len(test.before)},
				End:      hcl.Pos{Line: 1, Column: 1 + utf8.RuneCountInString(test.before+test.marked), Byte: len(test.before + test.marked)},
			}
			got := write(t, test.before+test.marked+test.after+"\n", diag.TextOptions{Width: 40}, problem("Wrong", r))
			want := fmt.Sprintf("Error: Wrong\n  a.hcl:1:%d\n  1 | %s\n    | %s\n", r.Start.Column, test.shown, test.under)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A line that was cut already leaves room for saying so.
func TestLongLineWideTerminal(t *testing.T) {
	before := strings.Repeat("a", 1100)
	d := problem("Wrong", at("a.hcl", 1, 1101, 1106, 0))
	for width := 1025; width < 1045; width++ {
		lines := strings.Split(write(t, before+"WRONG\n", diag.TextOptions{Width: width}, d), "\n")
		if n := utf8.RuneCountInString(lines[2]); n > width || !strings.HasPrefix(lines[2], "  1 | …aaa") || len(lines[3]) != n {
			t.Errorf("%d columns of %d: %.20s", n, width, lines[2])
		}
	}
}

func TestDetail(t *testing.T) {
	for name, test := range map[string]struct {
		width        int
		detail, want string
	}{
		"80 columns": {0, strings.Repeat("word ", 30), "  " + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n  " + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n"},
		"narrow": {40, "One two three four five six seven eight nine ten.", `  One two three four five six seven
  eight nine ten.
`},
		"narrower than can be": {1, "One two three four five six seven eight nine ten.", `  One two three four five six seven
  eight nine ten.
`},
		"paragraphs": {80, "One.\n\nTwo.\n", "  One.\n\n  Two.\n"},
		"laid out":   {40, "Like this:\n  queue \"orders\" { partitions = 12 } # not wrapped", "  Like this:\n    queue \"orders\" { partitions = 12 } # not wrapped\n"},
		"long word":  {40, strings.Repeat("x", 50), "  " + strings.Repeat("x", 50) + "\n"},
		"none":       {80, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := write(t, "", diag.TextOptions{Width: test.width}, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Odd", Detail: test.detail})
			if d := cmp.Diff("Warning: Odd\n"+test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	one, two := at("b.hcl", 1, 1, 2, 0), at("b.hcl", 2, 1, 2, 0)
	for _, test := range []struct {
		diags hcl.Diagnostics
		want  string
	}{
		{nil, ""},
		{hcl.Diagnostics{problem("A", one)}, "Error: A\n  b.hcl:1:1\n"},
		{hcl.Diagnostics{problem("A", one), problem("A", one)}, "Error: A\n  b.hcl:1:1\n"},
		{hcl.Diagnostics{problem("B", two), problem("A", one)}, "Error: A\n  b.hcl:1:1\n\nError: B\n  b.hcl:2:1\n\n2 errors.\n"},
		{hcl.Diagnostics{warning("A", one), problem("B", two)}, "Warning: A\n  b.hcl:1:1\n\nError: B\n  b.hcl:2:1\n\n1 error, 1 warning.\n"},
		{hcl.Diagnostics{warning("A", one), warning("A", two)}, "Warning: A\n  b.hcl:1:1\n\nWarning: A\n  b.hcl:2:1\n\n2 warnings.\n"},
	} {
		if d := cmp.Diff(test.want, write(t, "", diag.TextOptions{}, test.diags...)); d != "" {
			t.Error(d)
		}
	}
}

func TestCodeInText(t *testing.T) {
	if got := write(t, "", diag.TextOptions{}, diag.Coded("QL101", problem("Too many", nil))); got != "Error: Too many [QL101]\n" {
		t.Error(got)
	}
}

func TestColor(t *testing.T) {
	t.Setenv("NO_COLOR", "1") // whether to colour is for the caller to say, not for a library
	d := problem("Wrong", at("a.hcl", 1, 1, 2, 0))
	want := "\x1b[31;1mError\x1b[0;22m: \x1b[1mWrong\x1b[22m\n  a.hcl:1:1\n  1 \x1b[2m|\x1b[22m a = 1\n    \x1b[2m|\x1b[22m \x1b[31;1m^\x1b[0;22m\n"
	if d := cmp.Diff(want, write(t, "a = 1\n", diag.TextOptions{Color: true}, d)); d != "" {
		t.Error(d)
	}
	if plain := write(t, "a = 1\n", diag.TextOptions{}, d); strings.Contains(plain, "\x1b") {
		t.Errorf("coloured without being asked: %q", plain)
	}
}

// Nothing that a file or a name holds reaches the terminal as a command.
func TestHarmless(t *testing.T) {
	const red, rightToLeft = "\x1b[31m", "\u202e"
	r := at("a"+red+".hcl", 1, 1, 2, 0)
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Wrong\n" + red, Detail: red + rightToLeft + "\x07", Subject: r}
	var b strings.Builder
	if err := diag.WriteText(&b, diag.Files{r.Filename: {Text: []byte("a = \"" + red + rightToLeft + "\u009b\"\n")}}, hcl.Diagnostics{d}, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	want := `Error: Wrong �[31m
  a�[31m.hcl:1:1
  1 | a = "�[31m��"
    | ^
  �[31m��
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// The values that an expression was evaluated with may be secrets.
func TestNoValues(t *testing.T) {
	expr, diags := hclsyntax.ParseExpression([]byte("var.password"), "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	d := problem("Wrong", expr.Range().Ptr())
	d.Expression = expr
	d.EvalContext = &hcl.EvalContext{Variables: map[string]cty.Value{
		"var": cty.ObjectVal(map[string]cty.Value{"password": cty.StringVal("hunter2")}),
	}}
	var b strings.Builder
	if err := diag.WriteJSON(&b, nil, hcl.Diagnostics{d}); err != nil {
		t.Fatal(err)
	}
	for form, got := range map[string]string{"text": write(t, "var.password", diag.TextOptions{}, d), "JSON": b.String()} {
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s shows a value: %s", form, got)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteFails(t *testing.T) {
	diags := hcl.Diagnostics{problem("Wrong", nil)}
	if err := diag.WriteText(full{}, nil, diags, diag.TextOptions{}); !errors.Is(err, errFull) {
		t.Errorf("text: %v", err)
	}
	if err := diag.WriteJSON(full{}, nil, diags); !errors.Is(err, errFull) {
		t.Errorf("JSON: %v", err)
	}
}

// What one value does wrong in many instances of its block is told once, and
// counted with all the others.
func TestAlike(t *testing.T) {
	const source = "partitions = 4\n"
	at := token(t, source, "4")
	all := func(summary string, details ...string) (diags []*hcl.Diagnostic) {
		for _, detail := range details {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: at})
		}
		return diags
	}
	got := write(t, source, diag.TextOptions{}, append(all("Fewer", "Topic a.", "Topic b.", "Topic c."), all("Other", "Topic d.")...)...)
	want := `Error: Fewer
  a.hcl:1:14
  1 | partitions = 4
    |              ^
  Topic a.
  And 2 more like it.

Error: Other
  a.hcl:1:14
  1 | partitions = 4
    |              ^
  Topic d.

4 errors.
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A line that is withheld in part is not shown at all, in no form.
func TestWithheld(t *testing.T) {
	const source = "a = 1\nb = 2, c = \"hunter2\"\nd = 4\n"
	files := diag.Files{"a.hcl": {Text: []byte(source), Withheld: []diag.Part{{From: 17, To: 26}}}}
	diags := hcl.Diagnostics{problem("Wrong", token(t, source, "b")), problem("Wrong too", token(t, source, "d"))}
	var text, machine strings.Builder
	if err := errors.Join(diag.WriteText(&text, files, diags, diag.TextOptions{}), diag.WriteJSON(&machine, files, diags)); err != nil {
		t.Fatal(err)
	}
	const want = `Error: Wrong
  a.hcl:2:1
  2 | (not shown: the line may hold a secret)

Error: Wrong too
  a.hcl:3:1
  3 | d = 4
    | ^

2 errors.
`
	if d := cmp.Diff(want, text.String()); d != "" {
		t.Error(d)
	}
	if strings.Contains(machine.String(), "b = 2") || strings.Count(machine.String(), `"snippet"`) != 1 {
		t.Error(machine.String())
	}
}
