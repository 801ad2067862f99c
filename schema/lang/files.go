package lang

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"golang.org/x/sync/errgroup"
)

const (
	largestFile     = 16 << 20 // bytes
	deepestNesting  = 500      // brackets within brackets, before the parser's stack is at risk
	errorsOfOneFile = 20
)

// source is one file on its way through the parser.
type source struct {
	name   string
	file   *hcl.File
	blocks blocks
	diags  hcl.Diagnostics
}

// read parses the directory's files, side by side, and gathers their blocks.
// It says whether there is anything to evaluate.
func (l *loader) read() bool {
	names, diags := topologyFiles(l.dir)
	l.complain(diags...)
	sources := make([]source, len(names))
	var group errgroup.Group
	group.SetLimit(4)
	for i, name := range names {
		sources[i].name = name
		group.Go(func() error {
			sources[i].read()
			return nil
		})
	}
	_ = group.Wait() // problems are the sources' diagnostics
	broken := false
	for i := range sources {
		s := &sources[i]
		l.complain(s.diags...)
		if s.file != nil {
			l.files[s.name] = s.file
		}
		broken = broken || s.diags.HasErrors()
		l.blocks.add(&s.blocks)
	}
	return len(names) > 0 && !(broken && len(l.blocks.Topologies) == 0)
}

// topologyFiles lists what a topology is made of.
func topologyFiles(dir string) ([]string, hcl.Diagnostics) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, problem("Directory cannot be read", unwrapPath(err)+": "+dir)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")) && !e.IsDir() {
			names = append(names, filepath.Join(dir, name))
		}
	}
	if len(names) == 0 {
		return nil, problem("No HCL files", fmt.Sprintf("%s has no file that ends in .hcl or .hcl.json. Name the topology's directory with -C.", dir))
	}
	return names, nil
}

func problem(summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail}}
}

// unwrapPath is the operating system's word without the path, which is told beside it.
func unwrapPath(err error) string {
	if at, ok := err.(*fs.PathError); ok {
		return at.Err.Error()
	}
	return err.Error()
}

func (s *source) read() {
	text, diags := readFile(s.name)
	if s.diags = diags; diags.HasErrors() {
		return
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if s.diags = unreadable(s.name, text); s.diags.HasErrors() {
		return
	}
	var parsed hcl.Diagnostics
	if strings.HasSuffix(s.name, ".json") {
		s.file, parsed = json.Parse(text, s.name)
	} else {
		s.file, parsed = hclsyntax.ParseConfig(text, s.name, hcl.InitialPos)
	}
	s.diags = parsed
	if s.file != nil && s.file.Body != nil && !parsed.HasErrors() {
		s.diags = append(s.diags, gohcl.DecodeBody(s.file.Body, nil, &s.blocks)...)
		s.diags = append(s.diags, s.blocks.shape()...)
	}
	s.diags = fewer(s.diags, s.name)
}

// fewer cuts the complaints about one file to what a person reads.
func fewer(diags hcl.Diagnostics, name string) hcl.Diagnostics {
	if len(diags) <= errorsOfOneFile {
		return diags
	}
	more := len(diags) - errorsOfOneFile
	return append(diags[:errorsOfOneFile:errorsOfOneFile], problem("Too many problems in one file",
		fmt.Sprintf("%s has %d problems more. Mend the first ones and look again.", name, more))...)
}

func readFile(name string) ([]byte, hcl.Diagnostics) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, problem("File cannot be read", unwrapPath(err)+": "+name)
	case !info.Mode().IsRegular():
		return nil, problem("File cannot be read", "not a regular file: "+name)
	case info.Size() > largestFile:
		return nil, problem("File too large", fmt.Sprintf("%s has %d MiB; at most %d are read. Split it.", name, info.Size()>>20, largestFile>>20))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, problem("File cannot be read", unwrapPath(err)+": "+name)
	}
	return text, nil
}

// unreadable refuses what would give pages of errors, or exhaust the parser's stack.
func unreadable(name string, text []byte) hcl.Diagnostics {
	line, column, depth := 1, 1, 0
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRune(text[i:])
		if char == 0 || char == utf8.RuneError && size == 1 {
			return at(name, line, column, i, "Not a text file", "HCL is UTF-8 text, and byte "+strconv.Itoa(i)+" is not. Is this the right file?")
		}
		switch char {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		}
		if depth > deepestNesting {
			return at(name, line, column, i, "Nested too deeply", fmt.Sprintf("More than %d brackets are open.", deepestNesting))
		}
		if i, column = i+size, column+1; char == '\n' {
			line, column = line+1, 1
		}
	}
	return nil
}

func at(name string, line, column, offset int, summary, detail string) hcl.Diagnostics {
	pos := hcl.Pos{Line: line, Column: column, Byte: offset}
	diags := problem(summary, detail)
	diags[0].Subject = &hcl.Range{Filename: name, Start: pos, End: pos}
	return diags
}
