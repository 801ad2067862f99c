package lang

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// deepest is how many brackets, quotes or operators may be within each other.
// The parsers are recursive, and their stack is not for a file to exhaust.
const deepest = 500

// tooDeep is the offset where a text is nested too deeply, or -1. Counting
// bytes settles it for most; the others are looked at token by token, as what
// is in comments and plain text does not count.
func tooDeep(name string, text []byte) int {
	if strings.HasSuffix(name, ".json") {
		return deepJSON(text)
	}
	if !maybeDeep(text) {
		return -1
	}
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos) // the parser tells what is wrong with them
	return deepTokens(tokens)
}

// deepJSON looks at brackets, and in strings at the templates that they may be.
func deepJSON(text []byte) int {
	open, quote := 0, -1 // where the string begins
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && quote < 0:
			quote = i
		case c == '"':
			if template := text[quote+1 : i]; maybeDeep(template) {
				tokens, _ := hclsyntax.LexTemplate(template, "", hcl.InitialPos)
				if deepTokens(tokens) >= 0 {
					return quote
				}
			}
			quote = -1
		case c == '\\':
			i++
		case quote >= 0:
		case c == '[' || c == '{':
			open++
		case c == ']' || c == '}':
			open = max(0, open-1)
		}
		if open > deepest {
			return i
		}
	}
	return -1
}

// maybeDeep is quick, and says yes too often.
func maybeDeep(text []byte) bool {
	open, operators := 0, 0
	for _, c := range text {
		switch c {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			open = max(0, open-1)
		case '!', '-', '?', '%':
			operators++
		case '\n':
			if open == 0 {
				operators = 0
			}
		}
		if open+operators > deepest {
			return true
		}
	}
	return false
}

var (
	opening   = []hclsyntax.TokenType{hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl}
	closing   = []hclsyntax.TokenType{hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd}
	operators = []hclsyntax.TokenType{hclsyntax.TokenBang, hclsyntax.TokenMinus, hclsyntax.TokenQuestion}
)

// deepTokens keeps, for each bracket or quote that is open, the operators and
// directives before the next comma, or in braces the next line.
func deepTokens(tokens hclsyntax.Tokens) int {
	type level struct {
		of      hclsyntax.TokenType
		pending int
	}
	levels, pending := []level{{of: hclsyntax.TokenOBrace}}, 0
	for i, t := range tokens {
		top := &levels[len(levels)-1]
		more := 0
		switch {
		case slices.Contains(opening, t.Type):
			if more = directive(tokens[i:]); more < 0 && top.pending == 0 {
				more = 0
			}
		case slices.Contains(closing, t.Type) && len(levels) > 1:
			pending -= top.pending
			levels = levels[:len(levels)-1]
			continue
		case slices.Contains(operators, t.Type):
			more = 1
		case t.Type == hclsyntax.TokenComma, t.Type == hclsyntax.TokenNewline && top.of == hclsyntax.TokenOBrace:
			more = -top.pending
		}
		top.pending += more
		if pending += more; len(levels)+pending > deepest {
			return t.Range.Start.Byte
		}
		if slices.Contains(opening, t.Type) {
			levels = append(levels, level{of: t.Type})
		}
	}
	return -1
}

// directive is how the template goes on behind what these tokens begin with:
// deeper by one after %{ if } or %{ for }, back at their end.
func directive(tokens hclsyntax.Tokens) int {
	if tokens[0].Type != hclsyntax.TokenTemplateControl || len(tokens) < 2 {
		return 0
	}
	switch string(tokens[1].Bytes) {
	case "if", "for":
		return 1
	case "endif", "endfor":
		return -1
	}
	return 0
}

// hugeNumber is the offset of a number whose exponent has more than four
// digits, or -1. To spell it out would take hours.
func hugeNumber(name string, text []byte) int {
	json := strings.HasSuffix(name, ".json")
	quoted, template := false, false // of JSON, whose strings may hold expressions
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && json:
			i++
		case c == '"' && json:
			quoted, template = !quoted, false
		case c == '{' && quoted:
			template = template || text[i-1] == '$'
		case c != 'e' && c != 'E' || !hugeExponent(text, i):
		case !json:
			return hugeToken(name, text)
		case !quoted || template:
			return i
		}
	}
	return -1
}

// hugeExponent says whether the e at an offset makes a number huge, or tiny.
func hugeExponent(text []byte, e int) bool {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	if e == 0 || !digit(text[e-1]) && text[e-1] != '.' {
		return false
	}
	exponent := bytes.TrimLeft(text[e+1:min(len(text), e+7)], "+-")
	return len(exponent) > 4 && !slices.ContainsFunc(exponent[:5], func(c byte) bool { return !digit(c) })
}

func hugeToken(name string, text []byte) int {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	for _, t := range tokens {
		if e := bytes.IndexAny(t.Bytes, "eE"); t.Type == hclsyntax.TokenNumberLit && e > 0 && hugeExponent(t.Bytes, e) {
			return t.Range.Start.Byte
		}
	}
	return -1
}
