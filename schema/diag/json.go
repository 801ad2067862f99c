package diag

import (
	"encoding/json"
	"io"

	"github.com/hashicorp/hcl/v2"
)

// formatVersion rises when a reader of the JSON form would have to change.
const formatVersion = 1

type report struct {
	FormatVersion int      `json:"format_version"`
	Valid         bool     `json:"valid"`
	Errors        int      `json:"error_count"`
	Warnings      int      `json:"warning_count"`
	Diagnostics   []record `json:"diagnostics"`
}

type record struct {
	Severity string   `json:"severity"` // error or warning
	Code     string   `json:"code,omitempty"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail"`
	Range    *span    `json:"range,omitempty"`
	Snippet  *snippet `json:"snippet,omitempty"`
}

type span struct {
	File  string   `json:"file"`
	Start position `json:"start"`
	End   position `json:"end"` // just after the range
}

type position struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1, in grapheme clusters
	Byte   int `json:"byte"`   // from 0
}

// snippet is the line that a range begins on, in parts: offsets into a text
// would mean something else in every language that reads them. The parts are
// cut where a line is longer than 1 KiB on either side of the range.
type snippet struct {
	Line   int    `json:"line"`
	Before string `json:"before"`
	Marked string `json:"marked"` // to the end of the line, where the range goes on
	After  string `json:"after"`
}

// WriteJSON writes the diagnostics of [Sorted] as one document for machines.
// It is valid if there are no errors. Lists are never null; range, snippet and
// code are left out where there are none, and so is the snippet of a line that
// is withheld. The error is that of w.
func WriteJSON(w io.Writer, files Files, diags hcl.Diagnostics) error {
	sorted := Sorted(diags)
	r := report{FormatVersion: formatVersion, Diagnostics: make([]record, len(sorted))}
	r.Errors, r.Warnings = count(sorted)
	r.Valid = r.Errors == 0
	sources := newSources(files)
	for i, d := range sorted {
		r.Diagnostics[i] = sources.record(d)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(&r)
}

func (s *sources) record(d *hcl.Diagnostic) record {
	r := record{Severity: "error", Code: Code(d), Summary: d.Summary, Detail: d.Detail}
	if d.Severity == hcl.DiagWarning {
		r.Severity = "warning"
	}
	at := d.Subject
	if at == nil {
		return r
	}
	r.Range = &span{File: at.Filename, Start: position(at.Start), End: position(at.End)}
	if e, ok := s.excerpt(*at); ok && !e.withheld {
		r.Snippet = &snippet{Line: at.Start.Line, Before: e.before, Marked: e.marked, After: e.after}
	}
	return r
}
