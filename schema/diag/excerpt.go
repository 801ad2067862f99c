package diag

import (
	"bytes"
	"unicode/utf8"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/hashicorp/hcl/v2"
)

// nearby is how much of a line is looked at on each side of a range, in bytes:
// generated files have lines of megabytes.
const nearby = 1 << 10

// sources finds lines in files. Each file is looked through once.
type sources struct {
	files  Files
	starts map[string][]int // by file, the offset of each line
}

func newSources(files Files) *sources {
	return &sources{files: files, starts: map[string][]int{}}
}

// excerpt is the line that a range begins on, as it is written, in three parts.
type excerpt struct {
	before, marked, after string
	cutLeft, cutRight     bool // before, or what follows, is longer than shown
	withheld              bool // it may hold a secret, and there are no parts
}

// excerpt finds the line that r begins on. A range that goes on to further
// lines marks the first one to its end; an empty range marks nothing.
// Not ok is a file that is not there, or a line beyond its end.
func (s *sources) excerpt(r hcl.Range) (excerpt, bool) {
	line, offset, ok := s.line(r.Filename, r.Start.Line)
	if !ok {
		return excerpt{}, false
	}
	if s.files[r.Filename].withholds(offset, offset+len(line)) {
		return excerpt{withheld: true}, true
	}
	start := within(line, offset, r.Start)
	end := len(line)
	if r.End.Line <= r.Start.Line {
		end = max(start, within(line, offset, r.End))
	}
	e := excerpt{before: string(line[:start]), marked: string(line[start:end]), after: string(line[end:])}
	return e.cut(), true
}

// line is a line without its ending, and its offset in the file. Lines count
// from 1; a byte order mark is no part of the first.
func (s *sources) line(name string, number int) (line []byte, offset int, ok bool) {
	file := s.files[name]
	if file.Text == nil {
		return nil, 0, false
	}
	starts, known := s.starts[name]
	if !known {
		starts = lineStarts(file.Text)
		s.starts[name] = starts
	}
	if number < 1 || number > len(starts) {
		return nil, 0, false
	}
	offset = starts[number-1]
	line = file.Text[offset:]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return bytes.TrimSuffix(line, []byte("\r")), offset, true
}

func lineStarts(text []byte) []int {
	starts := []int{len(text) - len(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))}
	for i, char := range text {
		if char == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// within is where a position is in its line. Where its byte offset is not on
// that line, as in a range made by hand, the column decides.
func within(line []byte, offset int, at hcl.Pos) int {
	if i := at.Byte - offset; i >= 0 && i <= len(line) {
		return i
	}
	i := 0
	for column := 1; column < at.Column && i < len(line); column++ {
		advance, _, _ := textseg.ScanGraphemeClusters(line[i:], true)
		i += advance
	}
	return i
}

// cut bounds the parts to what is nearby, at the edges of characters.
func (e excerpt) cut() excerpt {
	if i := len(e.before) - nearby; i > 0 {
		for i < len(e.before) && !utf8.RuneStart(e.before[i]) {
			i++
		}
		e.before, e.cutLeft = e.before[i:], true
	}
	if len(e.marked) > nearby {
		e.marked, e.after, e.cutRight = head(e.marked), "", true
	}
	if len(e.after) > nearby {
		e.after, e.cutRight = head(e.after), true
	}
	return e
}

// head is the part of a text that is nearby, at least.
func head(text string) string {
	i := nearby
	for i < len(text) && !utf8.RuneStart(text[i]) {
		i++
	}
	return text[:i]
}
