package edit

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The last check before a file is given away, which no file is known to fail.
func TestDiffers(t *testing.T) {
	const src = "a = 1 # c\n\nb = <<A\n x\nA\n"
	tokens, _ := hclsyntax.LexConfig([]byte(src), "a.hcl", hcl.InitialPos)
	for name, test := range map[string]struct {
		out    string
		line   int // 0: the same
		column int
	}{
		"the same":            {src, 0, 0},
		"laid out otherwise":  {"\n\na   =   1 # c  \r\nb=<<A\r\n x\nA \n\n\n", 0, 0},
		"another value":       {"a = 2 # c\n\nb = <<A\n x\nA\n", 1, 5},
		"another comment":     {"a = 1 # d\n\nb = <<A\n x\nA\n", 1, 7},
		"no comment":          {"a = 1\n\nb = <<A\n x\nA\n", 1, 7},
		"a line joined":       {"a = 1 /* c */ b = <<A\n x\nA\n", 1, 7},
		"spaces in a heredoc": {"a = 1 # c\n\nb = <<A\n  x\nA\n", 4, 1},
		"something missing":   {"a = 1 # c\n", 3, 1},
		"something more":      {src + "c = 1\n", 6, 1},
		"nothing":             {"", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			diags := differs(tokens, []byte(test.out), "a.hcl")
			var line, column int
			if diags.HasErrors() {
				line, column = diags[0].Subject.Start.Line, diags[0].Subject.Start.Column
			}
			if line != test.line || column != test.column {
				t.Errorf("told at line %d, column %d, want %d, %d", line, column, test.line, test.column)
			}
		})
	}
}
