// Package lang reads a directory of HCL files into a topology: files,
// variables, functions, for_each, references, decoding.
//
// Learn [Load]. Every problem is an hcl.Diagnostic at the value at fault, and
// all problems of a directory are found in one run. What a declared topology
// should better not be is package lint's concern.
package lang

import (
	"cmp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// Options say how a directory is evaluated.
type Options struct {
	Cluster  string                      // the cluster block to use; empty: the only one
	Vars     []string                    // NAME=VALUE, in order
	VarFiles []string                    // paths of files of attributes
	Env      func(string) (string, bool) // the environment
}

// Loaded is what a directory declares. Topology is nil where errors leave
// nothing to work with; Files are there all the same, to show where.
type Loaded struct {
	Topology *schema.Topology
	Files    map[string]*hcl.File
}

// Load reads all *.hcl and *.hcl.json files of a directory, not recursively,
// and evaluates them. A topology comes with errors only where what it holds
// can still be looked at.
func Load(dir string, o Options) (Loaded, hcl.Diagnostics) {
	l := &loader{dir: dir, options: o, files: map[string]*hcl.File{}}
	t := l.load()
	return Loaded{Topology: t, Files: l.files}, tidy(l.diags)
}

// loader is one Load's state.
type loader struct {
	dir     string
	options Options
	files   map[string]*hcl.File
	diags   hcl.Diagnostics
	blocks  blocks
	base    *hcl.EvalContext // var, local and functions
}

func (l *loader) complain(diags ...*hcl.Diagnostic) { l.diags = append(l.diags, diags...) }

func (l *loader) load() *schema.Topology {
	if !l.read() {
		return nil
	}
	t := l.topology()
	if t == nil {
		return nil
	}
	l.base = &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions(l.dir, l.options.Env)}
	chosen := l.chooseCluster()
	l.variables(chosen)
	l.locals()
	t.Cluster = l.cluster(chosen)
	l.resources(t)
	slices.SortFunc(t.Resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	slices.SortFunc(t.Deletes, func(a, b schema.Removal) int { return a.Addr.Compare(b.Addr) })
	l.distinct(t)
	return t
}

// topology finds the one topology block.
func (l *loader) topology() *schema.Topology {
	if len(l.blocks.Topologies) == 0 {
		l.complain(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "No topology block",
			Detail:   "One file must name the topology, the owner of all that the directory declares: topology \"shop\" {}",
			Subject:  l.firstLine(),
		})
		return nil
	}
	first := l.blocks.Topologies[0]
	for _, other := range l.blocks.Topologies[1:] {
		l.complain(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Second topology block",
			Detail:   "A directory is one topology, and it is declared at " + place(first.DefRange) + ". Move the other to a directory of its own.",
			Subject:  other.DefRange.Ptr(),
		})
	}
	s := l.scope(&hcl.EvalContext{})
	if first.Name == "" {
		s.refuse(first.NameRange, "Topology without a name", "The name owns all that the topology declares.")
	}
	t := &schema.Topology{Name: first.Name}
	t.Description, _ = s.text(first.Description)
	t.Owner, _ = s.text(first.Owner)
	return t
}

// firstLine is the start of the first file, for problems of the whole directory.
func (l *loader) firstLine() *hcl.Range {
	names := make([]string, 0, len(l.files))
	for name := range l.files {
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	start := hcl.Pos{Line: 1, Column: 1}
	return &hcl.Range{Filename: slices.Min(names), Start: start, End: start}
}

// tidy orders diagnostics by place and drops those that say the same of the
// same place, as the instances of one block do.
func tidy(diags hcl.Diagnostics) hcl.Diagnostics {
	slices.SortStableFunc(diags, compareDiagnostics)
	return slices.CompactFunc(diags, func(a, b *hcl.Diagnostic) bool {
		return compareDiagnostics(a, b) == 0 && a.Severity == b.Severity && a.Summary == b.Summary && a.Detail == b.Detail
	})
}

func compareDiagnostics(a, b *hcl.Diagnostic) int {
	if a.Subject == nil || b.Subject == nil {
		return cmp.Compare(present(a.Subject), present(b.Subject))
	}
	return cmp.Or(
		cmp.Compare(a.Subject.Filename, b.Subject.Filename),
		cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
		cmp.Compare(a.Summary, b.Summary),
		cmp.Compare(a.Detail, b.Detail),
	)
}

func present(r *hcl.Range) int {
	if r == nil {
		return 0
	}
	return 1
}
