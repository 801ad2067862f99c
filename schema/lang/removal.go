package lang

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
)

// removalBlock is a delete or a forget.
type removalBlock struct {
	Kind        string         `hcl:"kind,label"`
	KindRange   hcl.Range      `hcl:"kind,label_range"`
	Name        string         `hcl:"name,label"`
	NameRange   hcl.Range      `hcl:"name,label_range"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

// removal evaluates one block. What it names has the rules of what is declared.
func (l *loader) removal(t *schema.Topology, role schema.Role, b *removalBlock) {
	s := l.scope(l.base)
	kind := schema.Kind(b.Kind)
	d := schema.Removal{Object: schema.ID{Kind: kind, Name: b.Name}}
	d.Addr = schema.Addr{Role: role, Kind: kind, Key: b.Name, Keyed: true}
	as := naming[kind]
	d.Source, d.Attrs = b.DefRange, map[string]hcl.Range{as.path: b.NameRange}
	d.Description, d.Labels = s.remarks(b.Description, b.Labels)
	as.check(s, b.Name, b.NameRange)
	t.Removals = append(t.Removals, d)
}
