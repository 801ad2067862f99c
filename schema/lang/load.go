// Package lang reads a directory of HCL files into a topology: files,
// variables, functions, for_each, references, decoding.
//
// Learn [Load]. Every problem is an hcl.Diagnostic at the value at fault, and
// all problems of a directory are found in one run. What a declared topology
// should better not be is package lint's concern.
package lang

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// Options say how a directory is evaluated.
type Options struct {
	Cluster  string                      // the cluster block to use; empty: the only one
	Vars     []string                    // NAME=VALUE, in order
	VarFiles []string                    // paths of files of attributes, in order
	Env      func(string) (string, bool) // the environment; nil: an empty one
	Now      func() time.Time            // the clock; nil: the machine's
}

// Loaded is what a directory declares. Topology is nil where nothing could be
// evaluated; Files are there all the same, to show where, and hold back the
// lines that a literal secret may be written on.
type Loaded struct {
	Topology   *schema.Topology
	Files      diag.Files
	Identified bool // the topology's name and its cluster are evaluated in full, whatever else is wrong
}

// Load reads all *.hcl and *.hcl.json files of a directory, not recursively,
// and evaluates them. Where there are errors, the topology holds what could be
// evaluated in spite of them, to be checked further but never to be planned.
func Load(dir string, o Options) (Loaded, hcl.Diagnostics) {
	if o.Env == nil {
		o.Env = func(string) (string, bool) { return "", false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &loader{dir: dir, options: o, files: diag.Files{}, near: map[misspelt]string{}, declarations: declarations{}, failed: map[schema.Addr]bool{}}
	t := l.load()
	return Loaded{Topology: t, Files: l.files, Identified: l.identified}, tidy(l.diags, l.lost)
}

// loader is one Load's state.
type loader struct {
	dir          string
	options      Options
	files        diag.Files
	lost         []string // types of blocks that were lost: what is not declared may be declared in one of them
	blocks       blocks
	base         *hcl.EvalContext    // var, local, cluster, profile and functions, as far as they are evaluated
	ledger       string              // the topic that the chosen cluster keeps for it
	near         map[misspelt]string // unknown config keys, and the known ones that they may mean
	declarations declarations
	failed       map[schema.Addr]bool // objects that something is wrong with, which was told
	identified   bool
	diags        hcl.Diagnostics
}

func (l *loader) complain(diags ...*hcl.Diagnostic) { l.diags = append(l.diags, diags...) }

func (l *loader) load() *schema.Topology {
	if !l.read() {
		return nil
	}
	l.base = &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions(l.dir, l.options.Env)}
	chosen, known := l.chooseCluster()
	written := !l.diags.HasErrors()
	l.variables(chosen)
	l.locals()
	l.otherClusters(chosen)
	cluster, whole := l.cluster(chosen)
	t := l.topology()
	l.identified = written && whole && t.Name != ""
	t.Cluster, t.Clusters = cluster, known
	l.resources(t)
	slices.SortFunc(t.Resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	slices.SortFunc(t.Removals, func(a, b schema.Removal) int { return a.Addr.Compare(b.Addr) })
	return t
}

// topology evaluates the one topology block.
func (l *loader) topology() *schema.Topology {
	if len(l.blocks.Topologies) == 0 {
		l.complain(&hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "No topology block",
			Detail:   `One file must name the topology, the owner of all that the directory declares: topology "shop" {}`,
			Subject:  l.firstLine(),
			Extra:    undeclared{"topology"},
		})
		return &schema.Topology{}
	}
	first := l.blocks.Topologies[0]
	s := l.scope(l.base)
	for _, other := range l.blocks.Topologies[1:] {
		s.refuse(other.DefRange, "Second topology block",
			"A directory is one topology, and it is declared at %s. Move the other to a directory of its own.", diag.Place(first.DefRange))
	}
	if first.Name == "" {
		s.refuse(first.NameRange, "Topology without a name", "The name owns all that the topology declares.")
	}
	t := &schema.Topology{Name: first.Name}
	t.Description, t.Labels = s.remarks(first.Description, first.Labels)
	t.Owner, _ = s.text(first.Owner)
	return t
}

// firstLine is the start of the first file, for problems of the whole directory.
func (l *loader) firstLine() *hcl.Range {
	if len(l.files) == 0 {
		return nil
	}
	return &hcl.Range{Filename: slices.Min(slices.Collect(maps.Keys(l.files))), Start: hcl.InitialPos, End: hcl.InitialPos}
}
