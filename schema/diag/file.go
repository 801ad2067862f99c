package diag

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Files are by the name that ranges use.
type Files map[string]File

// File is a source file to show lines of, all but those that hold, or may
// hold, a literal secret.
type File struct {
	Text     []byte
	Withheld []Part
}

// Part is a part of a file, in bytes: from the first to before the last.
type Part struct{ From, To int }

// Withholds says whether any of a range is withheld.
func (f File) Withholds(r hcl.Range) bool { return f.withholds(r.Start.Byte, r.End.Byte) }

func (f File) withholds(from, to int) bool {
	return slices.ContainsFunc(f.Withheld, func(p Part) bool { return p.From < max(to, from+1) && from < p.To })
}
