package lang

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/schema/diag"
)

const (
	largestFile     = 16 << 20 // bytes
	errorsOfOneFile = 20       // of syntax
)

// source is one file on its way through the parser.
type source struct {
	name   string
	file   diag.File // without text where it could not be read
	blocks blocks
	lost   []string // types of blocks that may be in it and are not in blocks; anyBlock: of any
	diags  hcl.Diagnostics
}

// read parses the directory's files, side by side, and gathers their blocks.
// It says whether there is anything to evaluate.
func (l *loader) read() bool {
	names, trouble := topologyFiles(l.dir)
	if trouble != nil {
		l.complain(trouble)
		return false
	}
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
	parsed := false
	for i := range sources {
		s := &sources[i]
		l.complain(s.diags...)
		if s.file.Text != nil {
			l.files[s.name], parsed = s.file, true
		}
		l.lost = append(l.lost, s.lost...)
		l.blocks.add(&s.blocks)
	}
	l.withhold()
	return parsed
}

// topologyFiles lists what a topology is made of.
func topologyFiles(dir string) ([]string, *hcl.Diagnostic) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, problem("Directory cannot be read", "%s: %s", dir, reason(err))
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, ".") && (strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")) && !e.IsDir() {
			names = append(names, filepath.Join(dir, name))
		}
	}
	if len(names) == 0 {
		return nil, problem("No HCL files", "%s has no file that ends in .hcl or .hcl.json. Name the topology's directory with -C.", dir)
	}
	return names, nil
}

// reason is the operating system's word without the path, which is told beside it.
func reason(err error) string {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err.Error()
	}
	return err.Error()
}

func (s *source) read() {
	file, diags := parse(s.name)
	if diags.HasErrors() {
		s.lost = []string{anyBlock}
		if file != nil {
			s.file = Guarded(file.Bytes, diags)
		}
		s.diags = fewer(diags, s.name)
		return
	}
	s.file.Text = file.Bytes
	s.diags = append(diags, gohcl.DecodeBody(file.Body, nil, &s.blocks)...)
	if s.diags.HasErrors() { // within the blocks that are there, or because one is not
		_, outside := file.Body.Content(fileSchema)
		for _, d := range outside { // it may belong in a block that holds secrets
			s.lost = append(s.lost, meant(file.Bytes, d)...)
			if d.Summary == unknownBlock && !bytes.ContainsAny(lineAt(file.Bytes, d.Subject.Start.Byte), "=:") {
				continue // they are on the lines after, if there are any
			}
			s.file.Withheld = append(s.file.Withheld, diag.Part{From: d.Subject.Start.Byte, To: d.Subject.End.Byte})
		}
	}
	allowed(file, s.diags)
	s.diags = append(s.diags, s.blocks.kinds()...)
}

// meant is which type of block may be lost by a problem at the top of a file.
func meant(text []byte, d *hcl.Diagnostic) []string {
	if d.Summary != unknownBlock && d.Summary != unknownArgument {
		return []string{anyBlock}
	}
	name := strings.Trim(string(d.Subject.SliceBytes(text)), `"`)
	if near := Closest(name, blockTypes(fileSchema)); near != "" {
		return []string{near}
	}
	return nil
}

// lineAt is the rest of the line from an offset on, without spaces at its end.
func lineAt(text []byte, offset int) []byte {
	line, _, _ := bytes.Cut(text[offset:], []byte("\n"))
	return bytes.TrimSpace(line)
}

// parse reads a file by the syntax that its name tells. The file is nil where
// it could not be read.
func parse(name string) (*hcl.File, hcl.Diagnostics) {
	text, trouble := readText(name)
	if trouble != nil {
		return nil, hcl.Diagnostics{trouble}
	}
	var file *hcl.File
	var diags hcl.Diagnostics
	if strings.HasSuffix(name, ".json") {
		file, diags = json.Parse(text, name)
	} else {
		file, diags = hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	}
	if file == nil {
		file = &hcl.File{Bytes: text}
	}
	return file, diags
}

// fewer cuts the complaints about the syntax of one file to what a person
// reads: most follow from the first.
func fewer(diags hcl.Diagnostics, name string) hcl.Diagnostics {
	more := len(diags) - errorsOfOneFile
	if more <= 0 {
		return diags
	}
	last := problem("Too many problems in one file", "%s has %d problems more. Mend the first ones and look again.", name, more)
	last.Subject = diags[errorsOfOneFile].Subject
	return append(diags[:errorsOfOneFile:errorsOfOneFile], last)
}

// readText reads a file of UTF-8 that the parser can be given.
func readText(name string) ([]byte, *hcl.Diagnostic) {
	text, trouble := ReadFile(name)
	if trouble != nil {
		return nil, trouble
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	return text, Unparsable(name, text)
}

// ReadFile reads a file as it is: a regular one, of at most 16 MiB.
func ReadFile(name string) ([]byte, *hcl.Diagnostic) {
	const summary = "File cannot be read"
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, problem(summary, "%s: %s", name, reason(err))
	case !info.Mode().IsRegular():
		return nil, problem(summary, "%s: not a regular file", name)
	case info.Size() > largestFile:
		return nil, problem("File too large", "%s has %d MiB; at most %d are read. Split it.", name, info.Size()>>20, largestFile>>20)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, problem(summary, "%s: %s", name, reason(err))
	}
	return text, nil
}

// Unparsable says why hcl's parsers must not be given a text: it is none, or
// it would exhaust their stack or take them hours. Nil: they may.
func Unparsable(name string, text []byte) *hcl.Diagnostic {
	if i := firstBinary(text); i >= 0 {
		return problemAt(name, text, i, "Not a text file", "HCL is UTF-8 text, and byte %d is not. Is this the right file?", i)
	}
	if i := tooDeep(name, text); i >= 0 {
		return problemAt(name, text, i, "Nested too deeply", "There are more than %d brackets or operators within each other.", deepest)
	}
	if i := hugeNumber(name, text); i >= 0 {
		return problemAt(name, text, i, "Number out of range", "Exponents of more than four digits are not read.")
	}
	return nil
}

// firstBinary is the offset of the first byte that no text has, or -1.
func firstBinary(text []byte) int {
	nul := bytes.IndexByte(text, 0)
	if utf8.Valid(text) {
		return nul
	}
	for i := 0; ; {
		r, size := utf8.DecodeRune(text[i:])
		if i == nul || r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
}

// problemAt is an error at an offset of a text.
func problemAt(name string, text []byte, offset int, summary, detail string, args ...any) *hcl.Diagnostic {
	lines := bytes.Count(text[:offset], []byte("\n"))
	column := utf8.RuneCount(text[bytes.LastIndexByte(text[:offset], '\n')+1 : offset])
	pos := hcl.Pos{Line: lines + 1, Column: column + 1, Byte: offset}
	d := problem(summary, detail, args...)
	d.Subject = &hcl.Range{Filename: name, Start: pos, End: pos}
	return d
}
