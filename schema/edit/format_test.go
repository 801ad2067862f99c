package edit_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"github.com/queueform/queueform/schema/edit"
)

func TestFormat(t *testing.T) {
	for name, test := range map[string]struct{ src, want string }{
		"empty":             {"", ""},
		"only whitespace":   {" \t\n\n  ", ""},
		"only a mark":       {"\xef\xbb\xbf", ""},
		"indent and equals": {"queue \"orders\" {\ntopic=\"a\"\n      partitions   =12\n}\n", "queue \"orders\" {\n  topic      = \"a\"\n  partitions = 12\n}\n"},
		"tabs":              {"a {\n\tb\t=\t1\n}\n", "a {\n  b = 1\n}\n"},
		"spaces at the end of lines": {
			"a {   \n  b = 1 \t\n  \n} \t \n   ",
			"a {\n  b = 1\n\n}\n",
		},
		"no last newline":      {"a = 1", "a = 1\n"},
		"comment at the end":   {"a = 1\n# b  ", "a = 1\n# b\n"},
		"many last newlines":   {"a = 1\n\n\n", "a = 1\n"},
		"many first newlines":  {"\n \n\na = 1\n", "a = 1\n"},
		"empty lines":          {"a = 1\n\n\n\nb = 2\n\nc = 3\nd = 4\n", "a = 1\n\nb = 2\n\nc = 3\nd = 4\n"},
		"empty lines in lists": {"a = [\n  1,\n\n\n  2,\n]\n", "a = [\n  1,\n\n  2,\n]\n"},
		"comments": {
			"# one  \n\n\n// two\t\na = 1 # three \n/* four  \n   five */\nb = 2 /* six */\n",
			"# one\n\n// two\na = 1 # three\n/* four\n   five */\nb = 2 /* six */\n",
		},
		"CRLF":             {"# c\r\na = 1\r\n\r\n\r\n\r\nb {\r\n}\r\n/* d\r\n   e */\r\n", "# c\na = 1\n\nb {\n}\n/* d\n   e */\n"},
		"byte order mark":  {"\xef\xbb\xbfa=1\n", "a = 1\n"},
		"mark and comment": {"\xef\xbb\xbf# c\n", "# c\n"},
		"within a heredoc": {
			"a=<<EOT\n  one  \t\n\n\n\n two\r\n\tEOT  \nb=1\n",
			"a = <<EOT\n  one  \t\n\n\n\n two\r\n\tEOT\nb = 1\n",
		},
		"heredoc in CRLF": {
			"a=<<-EOT\r\n  one\r\n\r\n\r\n  EOT\r\nb=1\r\n",
			"a = <<-EOT\n  one\r\n\r\n\r\n  EOT\nb = 1\n",
		},
		"heredoc at the end": {"a = <<EOT\none  \n\nEOT\n\n", "a = <<EOT\none  \n\nEOT\n"},
		"interpolation":      {"a = \"  ${ b }  ${c+1}  \"\n", "a = \"  ${b}  ${c + 1}  \"\n"},
		"operators":          {"a=b?-1:[for x in[1]:x*2]\n", "a = b ? -1 : [for x in [1] : x * 2]\n"},
		"one line block":     {"delete \"queue\" \"shop.old\" { }\n", "delete \"queue\" \"shop.old\" {}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, diags := edit.Format([]byte(test.src), "a.hcl")
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if d := cmp.Diff(test.want, string(got)); d != "" {
				t.Error(d)
			}
			holds(t, []byte(test.src))
		})
	}
}

// A file at fault comes back as it was, with the place.
func TestFormatRefuses(t *testing.T) {
	for name, test := range map[string]struct{ src, place string }{
		"no value":         {"a = 1\nb =\n", "a.hcl:2:4"},
		"not closed":       {"queue \"orders\" {\n  topic = 1\n", "a.hcl:1:16"},
		"after a mark":     {"\xef\xbb\xbfb = 1 2\n", "a.hcl:1:7"},
		"graphemes":        {"a = [\"e\u0301\", 1 2]\n", "a.hcl:1:13"},
		"not UTF-8":        {"a = \"\xff\"\n", "a.hcl:1:6"},
		"single quotes":    {"a = 'b'\n", "a.hcl:1:5"},
		"heredoc not shut": {"a = <<EOT\none\n", "a.hcl:3:1"},
		"nested":           {"a = " + strings.Repeat("[", 100_000), "a.hcl:1:505"},
		"nested in blocks": {strings.Repeat("a {\n", 100_000), "a.hcl:500:4"},
		"nested templates": {"a = " + strings.Repeat("\"${", 100_000), "a.hcl:1:755"},
		"nested signs":     {"a = " + strings.Repeat("-", 3_000_000) + "1", "a.hcl:1:504"},
	} {
		t.Run(name, func(t *testing.T) {
			src := []byte(test.src)
			got, diags := edit.Format(src, "a.hcl")
			if !bytes.Equal(got, src) || !bytes.Equal(src, []byte(test.src)) {
				t.Error("the file did not come back as it was")
			}
			if !diags.HasErrors() || diags[0].Subject == nil {
				t.Fatalf("diagnostics are %v", diags)
			}
			at := diags[0].Subject
			if place := fmt.Sprintf("%s:%d:%d", at.Filename, at.Start.Line, at.Start.Column); place != test.place {
				t.Errorf("told at %s, want %s: %v", place, test.place, diags)
			}
		})
	}
}

// The examples that people copy are canonical.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	teams, err := filepath.Glob("../../examples/teams/*/*.hcl")
	if err != nil || len(teams) == 0 {
		t.Fatalf("no teams: %v", err)
	}
	for _, file := range append(files, teams...) {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, diags := edit.Format(src, file)
		if diags.HasErrors() {
			t.Error(diags)
		}
		if d := cmp.Diff(string(src), string(got)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
	}
}

// FuzzFormat checks on whatever parses: the result parses, formatting it again
// changes nothing, all values and comments are what they were, and lines end as
// they should.
func FuzzFormat(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n", "\xef\xbb\xbfa = 1\r\n\r\n\r\n# c \r\n", "queue \"a\" {\n  config = { \"b\" = 1 }\n}\n", "a = <<-EOT\n  b ${c} \n  EOT\n", "a = <<EOT\r\nb\r\nEOT\r\n",
		"a = [ # b\n1, /* c */ 2,\n]\n", "a = \"%{ if b ~} c %{ endif }${ d }\"\n", "a = b[*].c...", "a = -b - -1\nc = !d && e ? f : g\n", "a = f(<<A\nb\nA\n, 1)\n",
		"a = { for k, v in b : k => v... if c }\n", "/* a\t\n*/ b = 1 // c", "a = { b : 1, \"c\" = [2, {}] }\nd {}\ne \"f\" g { h = 1 }\n", "a = p::q(1.5e3)\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) { holds(t, src) })
}

// TestFormatAnyLayout is FuzzFormat's check over files as people write them.
func TestFormatAnyLayout(t *testing.T) {
	space := rapid.SampledFrom([]string{"", " ", "   ", "\t"})
	end := rapid.SampledFrom([]string{"\n", "\r\n", " \n", "\n\n\n\n", " # c  \n", "//c\r\n", " /* d */\n", "/* e \n f */ \n"})
	value := rapid.SampledFrom([]string{
		"1", "-1", "\"a ${ b }\"", "[1,2]", "[\n1, # c\n2,\n\n\n]", "{ a=1, b:2 }", "{\na = 1\n  bcd=2 # c\n# e\n}", "<<EOT\n a \r\n ${ b }\nEOT", "<<-EOT\n\t a\n  b\n\tEOT",
		"b?1:-2", "f(1,\n2)", "[for k,v in b:v if!c]", "{\nfor k in b:k=>[k]...\n}", "a.b[ 0 ].*.c", "(\n1+\n2)", "f(<<A\nx\nA\n,1)", "\"%{if a}b%{else}${c}%{endif}\"",
	})
	name := rapid.SampledFrom([]string{"a", "partitions", "é", "retention"})
	var body func(depth int) *rapid.Generator[string]
	body = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			for i := range rapid.IntRange(0, 5).Draw(t, "items") {
				switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
				case what == 0 && depth > 0:
					b.WriteString(space.Draw(t, "s") + "block" + " \"l\"" + space.Draw(t, "s") + "{" + end.Draw(t, "e") + body(depth-1).Draw(t, "body") + "}")
				case what == 1:
				default:
					v := value.Draw(t, "value")
					fmt.Fprintf(&b, "%s%s%d%s=%s%s", space.Draw(t, "s"), name.Draw(t, "name"), i, space.Draw(t, "s"), space.Draw(t, "s"), v)
					if strings.HasSuffix(v, "EOT") {
						b.WriteString("\n") // only an end of line may follow a heredoc
					}
				}
				b.WriteString(end.Draw(t, "e"))
			}
			return b.String()
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		src := body(2).Draw(t, "file")
		if !holds(t, []byte(src)) {
			t.Fatalf("%q does not parse", src)
		}
	})
}

// holds checks one file, if it parses at all.
func holds(t fataler, src []byte) bool {
	t.Helper()
	untouched := bytes.Clone(src)
	got, diags := edit.Format(src, "a.hcl")
	if !bytes.Equal(src, untouched) {
		t.Fatalf("%q was written to: %q", untouched, src)
	}
	if diags.HasErrors() {
		if diags[0].Summary == "Formatting would change the meaning" {
			t.Fatalf("%q: %v", src, diags)
		}
		return false
	}
	after, diags := hclsyntax.ParseConfig(got, "a.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatalf("%q was formatted to %q: %v", src, got, diags)
	}
	if again, diags := edit.Format(got, "a.hcl"); diags.HasErrors() || !bytes.Equal(got, again) {
		t.Fatalf("%q was formatted to %q and then to %q, %v", src, got, again, diags)
	}
	before, _ := hclsyntax.ParseConfig(src, "a.hcl", hcl.InitialPos)
	if d := cmp.Diff(said(before.Body), said(after.Body)); d != "" {
		t.Fatalf("%q was formatted to %q, which says something else: %s", src, got, d)
	}
	if d := cmp.Diff(comments(src), comments(got)); d != "" {
		t.Fatalf("comments of %q and of %q: %s", src, got, d)
	}
	untidy(t, src, got)
	return true
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// said is what a body says, in order: attributes with their values where these
// can be known, and the variables that they name; blocks with their labels.
func said(body hcl.Body) []string {
	b := body.(*hclsyntax.Body)
	type item struct {
		at   int
		text []string
	}
	var items []item
	for name, a := range b.Attributes {
		text := []string{name}
		if v, diags := a.Expr.Value(nil); diags.HasErrors() {
			for _, variable := range a.Expr.Variables() {
				text = append(text, variable.RootName())
			}
		} else {
			text = append(text, v.GoString())
		}
		items = append(items, item{at: a.NameRange.Start.Byte, text: text})
	}
	for _, block := range b.Blocks {
		text := append([]string{block.Type}, block.Labels...)
		items = append(items, item{at: block.TypeRange.Start.Byte, text: append(text, said(block.Body)...)})
	}
	slices.SortFunc(items, func(a, b item) int { return a.at - b.at })
	var all []string
	for _, i := range items {
		all = append(all, i.text...)
		all = append(all, ";")
	}
	return all
}

// comments are the words of all comments.
func comments(src []byte) []string {
	var all []string
	tokens, _ := hclsyntax.LexConfig(src, "a.hcl", hcl.InitialPos)
	for _, token := range tokens {
		if token.Type == hclsyntax.TokenComment {
			all = append(all, strings.Fields(string(token.Bytes))...)
		}
	}
	return all
}

// untidy looks at what is outside strings and heredocs.
func untidy(t fataler, src, got []byte) {
	t.Helper()
	if len(got) > 0 && got[len(got)-1] != '\n' || bytes.HasPrefix(got, []byte("\n")) {
		t.Fatalf("%q was formatted to %q: its ends", src, got)
	}
	bare := bytes.Clone(got)
	tokens, _ := hclsyntax.LexConfig(got, "a.hcl", hcl.InitialPos)
	for _, token := range tokens {
		if token.Type == hclsyntax.TokenStringLit || token.Type == hclsyntax.TokenQuotedLit {
			copy(bare[token.Range.Start.Byte:token.Range.End.Byte], bytes.Repeat([]byte("x"), len(token.Bytes)))
		}
	}
	for _, bad := range []string{" \n", "\t\n", "\r\n", "\n\n\n"} {
		if bytes.Contains(bare, []byte(bad)) {
			t.Fatalf("%q was formatted to %q: it has %q", src, got, bad)
		}
	}
}

// The check of the fuzz test is no better than what it sees.
func TestSaid(t *testing.T) {
	parse := func(src string) []string {
		file, diags := hclsyntax.ParseConfig([]byte(src), "a.hcl", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return said(file.Body)
	}
	got := parse("a = <<A\nb\nA\nc \"d\" {\n  e = f\n}\n")
	want := []string{"a", cty.StringVal("b\n").GoString(), ";", "c", "d", "e", "f", ";", ";"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
