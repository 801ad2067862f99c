package lang

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

type profileBlock struct {
	Name              string          `hcl:"name,label"`
	NameRange         hcl.Range       `hcl:"name,label_range"`
	Description       hcl.Expression  `hcl:"description,optional"`
	Labels            hcl.Expression  `hcl:"labels,optional"`
	Partitions        hcl.Expression  `hcl:"partitions,optional"`
	ReplicationFactor hcl.Expression  `hcl:"replication_factor,optional"`
	Config            hcl.Expression  `hcl:"config,optional"`
	Load              *loadBlock      `hcl:"load,block"`
	Placement         *placementBlock `hcl:"placement,block"`
	Lifecycle         *lifecycleBlock `hcl:"lifecycle,block"`
	DefRange          hcl.Range       `hcl:",def_range"`
}

func (b *profileBlock) contract() contract {
	return contract{
		description: b.Description, labels: b.Labels, partitions: b.Partitions, factor: b.ReplicationFactor,
		config: b.Config, load: b.Load, placement: b.Placement, lifecycle: b.Lifecycle,
	}
}

// profiles evaluates the profile blocks, and lets expressions see them. All
// are of one type, so that a condition may choose among them.
func (l *loader) profiles() map[string]*schema.Queue {
	evaluated := make(map[string]*schema.Queue, len(l.blocks.Profiles))
	values := make(map[string]cty.Value, len(l.blocks.Profiles))
	for _, b := range l.blocks.Profiles {
		s := l.scope(l.base)
		if first, twice := evaluated[b.Name]; twice {
			s.refuse(b.NameRange, "Profile declared twice", "It is declared at %s already.", place(first.Source))
			continue
		}
		q := &schema.Queue{Decl: schema.Decl{Source: b.DefRange, Attrs: map[string]hcl.Range{}}}
		s.contract(q, b.contract())
		evaluated[b.Name] = q
		values[b.Name] = profileValue(b.Name, q)
	}
	l.base.Variables["profile"] = cty.ObjectVal(values)
	return evaluated
}

func profileValue(name string, q *schema.Queue) cty.Value {
	config := cty.MapValEmpty(cty.String)
	if len(q.Config) > 0 {
		values := make(map[string]cty.Value, len(q.Config))
		for key, setting := range q.Config {
			values[key] = cty.StringVal(setting.Value)
		}
		config = cty.MapVal(values)
	}
	return cty.ObjectVal(map[string]cty.Value{
		"name":               cty.StringVal(name),
		"partitions":         cty.NumberIntVal(int64(q.Partitions)),
		"replication_factor": cty.NumberIntVal(int64(q.ReplicationFactor)),
		"config":             config,
	})
}

// profile finds the profile that an expression names.
func (s *scope) profile(expr hcl.Expression, known map[string]*schema.Queue) *schema.Queue {
	v, ok := s.reference(expr)
	if !ok {
		return nil
	}
	if v.Type().IsObjectType() && v.Type().HasAttribute("name") && v.GetAttr("name").Type() == cty.String {
		if q, ok := known[v.GetAttr("name").AsString()]; ok {
			return q
		}
	}
	s.refuse(expr.Range(), "Not a profile", "Name one like this: profile.durable, without quotes.")
	return nil
}

// reference evaluates an expression that names something. In JSON a name is a plain string.
func (s *scope) reference(expr hcl.Expression) (cty.Value, bool) {
	if traversal, diags := hcl.AbsTraversalForExpr(expr); !diags.HasErrors() && len(traversal) > 1 {
		if _, native := expr.(interface{ AsTraversal() hcl.Traversal }); !native {
			v, diags := traversal.TraverseAbs(s.ctx)
			s.loader.complain(explained(diags)...)
			return v, !diags.HasErrors() && !v.IsNull()
		}
	}
	return s.value(expr)
}
