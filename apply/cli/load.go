package cli

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
	"github.com/queueform/queueform/schema/lang"
	"github.com/queueform/queueform/schema/lint"
)

// load reads and lints the topology.
func (a *app) load() (lang.Loaded, hcl.Diagnostics) {
	loaded, diags := lang.Load(a.dir, lang.Options{Cluster: a.cluster, Vars: a.vars, VarFiles: a.varFiles, Env: a.Env})
	if loaded.Topology != nil {
		diags = append(diags, lint.Check(loaded.Topology)...)
	}
	return loaded, diags
}

// loaded is load for the commands that go on with the topology: problems go to
// stderr, and errors end the command.
func (a *app) loaded() (*schema.Topology, diag.Files, error) {
	l, diags := a.load()
	a.tell(l.Files, diags)
	if diags.HasErrors() || l.Topology == nil {
		return nil, nil, &exit{code: exitError}
	}
	return l.Topology, l.Files, nil
}

// identified is load for the commands that need to know which topology it is,
// and where: what is wrong with the rest does not end them.
func (a *app) identified() (*schema.Topology, diag.Files, error) {
	l, diags := a.load()
	if !l.Identified {
		a.tell(l.Files, diags)
		return nil, nil, &exit{code: exitError}
	}
	return l.Topology, l.Files, nil
}

// tell prints diagnostics to stderr.
func (a *app) tell(files diag.Files, diags hcl.Diagnostics) {
	// A stderr that cannot be written to leaves nobody to tell.
	_ = diag.WriteText(a.Err, files, diags, diag.TextOptions{Color: a.Color && a.Terminal, Width: a.Width})
}
