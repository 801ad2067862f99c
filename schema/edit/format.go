// Package edit writes HCL: it lays a file out in canonical form.
//
// Learn [Format]. JSON files are for other tools to format, and files are read
// and written by the caller.
package edit

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/queueform/queueform/schema/lang"
)

// Format lays an HCL file out in canonical form: hclwrite's indents, spaces and
// aligned equals signs; no whitespace at the end of a line, at most one empty
// line in a row and none at either end of the file; lines end in \n, the last
// one too; no byte order mark. Comments stay, and so does every byte within
// strings and heredocs. What it gives, it leaves as it is.
//
// A file with syntax errors comes back as it was, with diagnostics at the
// places at fault; they use filename.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	if d := lang.Unparsable(filename, src); d != nil {
		return src, hcl.Diagnostics{d}
	}
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos) // the parser tells what is wrong with them
	if _, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos); diags.HasErrors() {
		return src, diags
	}
	out := trimEnd(hclwrite.Format(layOut(tokens)))
	if diags := differs(tokens, out, filename); diags.HasErrors() {
		return src, diags
	}
	return out, nil
}

// layOut writes tokens with what hclwrite leaves alone put right: line endings,
// empty lines, the ends of lines and of the file.
func layOut(tokens hclsyntax.Tokens) []byte {
	var out bytes.Buffer
	ends := 2 // of lines in a row: two make an empty line, which no file begins with
	for i, t := range tokens {
		text := canonical(t)
		switch {
		case t.Type == hclsyntax.TokenNewline && ends == 2:
			continue
		case t.Type == hclsyntax.TokenNewline:
			ends++
		case t.Type == hclsyntax.TokenComment && bytes.HasSuffix(text, []byte("\n")):
			ends = 1
		case len(text) > 0:
			ends = 0
		}
		if i > 0 && t.Range.Start.Byte > tokens[i-1].Range.End.Byte {
			out.WriteByte(' ')
		}
		out.Write(text)
	}
	return out.Bytes()
}

// canonical is a token's text. A line comment holds the end of its line, the
// start of a heredoc too; the end of a heredoc holds the spaces around it.
func canonical(t hclsyntax.Token) []byte {
	switch {
	case t.Type == hclsyntax.TokenNewline:
		return []byte("\n")
	case t.Type == hclsyntax.TokenComment:
		lines := bytes.Split(t.Bytes, []byte("\n"))
		for i, line := range lines {
			lines[i] = bytes.TrimRight(line, blank)
		}
		return bytes.Join(lines, []byte("\n"))
	case t.Type == hclsyntax.TokenOHeredoc:
		return append(bytes.Clone(bytes.TrimRight(t.Bytes, "\r\n")), '\n')
	case t.Type == hclsyntax.TokenCHeredoc:
		return bytes.TrimRight(t.Bytes, blank)
	}
	return t.Bytes
}

const blank = " \t\r"

// trimEnd ends a file with one line ending, if anything is in it. The end of
// a heredoc is followed by one at least, so nothing of a value is lost.
func trimEnd(src []byte) []byte {
	src = bytes.TrimRight(src, blank+"\n")
	if len(src) == 0 {
		return nil
	}
	return append(src, '\n')
}

// differs is the last check before a file is given away: the same tokens in the
// same order, and lines that end where they ended.
func differs(before hclsyntax.Tokens, src []byte, filename string) hcl.Diagnostics {
	after, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	a, b := meaning(before), meaning(after)
	same := func(a, b hclsyntax.Token) bool { return a.Type == b.Type && bytes.Equal(a.Bytes, b.Bytes) }
	if slices.EqualFunc(a, b, same) {
		return nil
	}
	at := before[len(before)-1].Range
	for i, t := range a {
		if i >= len(b) || !same(t, b[i]) {
			at = t.Range
			break
		}
	}
	return problem(at, "Formatting would change the meaning", "The file is left as it is. This is a bug in queueform: please report it with this line.")
}

// meaning is the tokens that say something, as canonical writes them: an empty
// line says nothing, nor do those at the ends of a file.
func meaning(tokens hclsyntax.Tokens) hclsyntax.Tokens {
	var all hclsyntax.Tokens
	newline := true
	for _, t := range tokens {
		t.Bytes = canonical(t)
		switch {
		case t.Type == hclsyntax.TokenNewline && newline, t.Type == hclsyntax.TokenEOF:
			continue
		case t.Type == hclsyntax.TokenComment:
			newline = bytes.HasSuffix(t.Bytes, []byte("\n"))
			t.Bytes = bytes.TrimSuffix(t.Bytes, []byte("\n"))
		default:
			newline = t.Type == hclsyntax.TokenNewline
		}
		all = append(all, t)
	}
	if n := len(all); n > 0 && all[n-1].Type == hclsyntax.TokenNewline {
		all = all[:n-1]
	}
	return all
}

func problem(at hcl.Range, summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at}}
}
