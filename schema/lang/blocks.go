package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
)

// blocks is the shape of a file, as gohcl decodes it: blocks with expressions
// that are evaluated later.
type blocks struct {
	Topologies []*topologyBlock `hcl:"topology,block"`
	Variables  []*variableBlock `hcl:"variable,block"`
	Locals     []*localsBlock   `hcl:"locals,block"`
	Clusters   []*clusterBlock  `hcl:"cluster,block"`
	Profiles   []*profileBlock  `hcl:"profile,block"`
	Queues     []*queueBlock    `hcl:"queue,block"`
	Externals  []*externalBlock `hcl:"external,block"`
	Deletes    []*deleteBlock   `hcl:"delete,block"`
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
}

type topologyBlock struct {
	Name        string         `hcl:"name,label"`
	NameRange   hcl.Range      `hcl:"name,label_range"`
	Description hcl.Expression `hcl:"description,optional"`
	Owner       hcl.Expression `hcl:"owner,optional"`
	Labels      hcl.Expression `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

type localsBlock struct {
	Attributes hcl.Body `hcl:",remain"`
}

// kinds of objects that external and delete may name.
var objectKinds = []string{string(schema.KindQueue)}

// shape checks what gohcl cannot: labels that choose among kinds.
func (b *blocks) shape() hcl.Diagnostics {
	var diags hcl.Diagnostics
	check := func(block, kind string, at hcl.Range) {
		if kind == string(schema.KindQueue) {
			return
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  fmt.Sprintf("Unknown kind of object %q", kind),
			Detail:   fmt.Sprintf("%s names one of: %s.%s", block, strings.Join(objectKinds, ", "), didYouMean(kind, objectKinds)),
			Subject:  &at,
		})
	}
	for _, e := range b.Externals {
		check("external", e.Kind, e.KindRange)
	}
	for _, d := range b.Deletes {
		check("delete", d.Kind, d.KindRange)
	}
	return diags
}
