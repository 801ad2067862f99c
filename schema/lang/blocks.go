package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/queueform/queueform/schema"
)

// blocks is the shape of a file, as gohcl decodes it: blocks with attributes
// that are evaluated later. One that is not there is nil.
type blocks struct {
	Topologies []*topologyBlock `hcl:"topology,block"`
	Variables  []*variableBlock `hcl:"variable,block"`
	Locals     []*localsBlock   `hcl:"locals,block"`
	Clusters   []*clusterBlock  `hcl:"cluster,block"`
	Profiles   []*profileBlock  `hcl:"profile,block"`
	Queues     []*queueBlock    `hcl:"queue,block"`
	Externals  []*externalBlock `hcl:"external,block"`
	Deletes    []*removalBlock  `hcl:"delete,block"`
	Forgets    []*removalBlock  `hcl:"forget,block"`
}

func (b *blocks) add(more *blocks) {
	b.Topologies = append(b.Topologies, more.Topologies...)
	b.Variables = append(b.Variables, more.Variables...)
	b.Locals = append(b.Locals, more.Locals...)
	b.Clusters = append(b.Clusters, more.Clusters...)
	b.Profiles = append(b.Profiles, more.Profiles...)
	b.Queues = append(b.Queues, more.Queues...)
	b.Externals = append(b.Externals, more.Externals...)
	b.Deletes = append(b.Deletes, more.Deletes...)
	b.Forgets = append(b.Forgets, more.Forgets...)
}

// fileSchema is what may stand at the top of a file.
var fileSchema, _ = gohcl.ImpliedBodySchema(blocks{})

type topologyBlock struct {
	Name        string         `hcl:"name,label"`
	NameRange   hcl.Range      `hcl:"name,label_range"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Owner       *hcl.Attribute `hcl:"owner,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

type localsBlock struct {
	Body hcl.Body `hcl:",remain"`
}

// objectKinds are what external, delete and forget may name.
var objectKinds = []string{string(schema.KindQueue)}

// kinds checks the labels that choose among kinds of objects, and leaves out
// the blocks that choose none.
func (b *blocks) kinds() hcl.Diagnostics {
	var diags hcl.Diagnostics
	unknown := func(block, kind string, at hcl.Range) bool {
		if slices.Contains(objectKinds, kind) {
			return false
		}
		d := problem("Unknown kind of object "+schema.Quote(kind), "%s names one of: %s.%s", block, strings.Join(objectKinds, ", "), didYouMean(kind, objectKinds))
		d.Subject = &at
		diags = append(diags, d)
		return true
	}
	b.Externals = slices.DeleteFunc(b.Externals, func(e *externalBlock) bool { return unknown("external", e.Kind, e.KindRange) })
	b.Deletes = slices.DeleteFunc(b.Deletes, func(r *removalBlock) bool { return unknown("delete", r.Kind, r.KindRange) })
	b.Forgets = slices.DeleteFunc(b.Forgets, func(r *removalBlock) bool { return unknown("forget", r.Kind, r.KindRange) })
	return diags
}
