package lang

import (
	"maps"
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

type profileBlock struct {
	Name              string          `hcl:"name,label"`
	NameRange         hcl.Range       `hcl:"name,label_range"`
	Description       *hcl.Attribute  `hcl:"description,optional"`
	Labels            *hcl.Attribute  `hcl:"labels,optional"`
	Partitions        *hcl.Attribute  `hcl:"partitions,optional"`
	ReplicationFactor *hcl.Attribute  `hcl:"replication_factor,optional"`
	Config            *hcl.Attribute  `hcl:"config,optional"`
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

// profile is a profile block, evaluated.
type profile struct {
	queue  *schema.Queue
	failed bool
}

// profileType lets an expression hand a profile around, and do nothing else with it.
var profileType = cty.Capsule("profile", reflect.TypeFor[profile]())

// profiles evaluates the profile blocks, and lets expressions see them.
func (l *loader) profiles() {
	declared := make(map[string]*profileBlock, len(l.blocks.Profiles))
	values := make(map[string]cty.Value, len(l.blocks.Profiles))
	for _, b := range l.blocks.Profiles {
		s := l.scope(l.base)
		s.label(b.Name, b.NameRange)
		if first, twice := declared[b.Name]; twice {
			s.refuse(b.NameRange, "Profile declared twice", "It is declared at %s already.", diag.Place(first.NameRange))
			continue
		}
		declared[b.Name] = b
		q := newQueue(b.DefRange)
		s.contract(q, b.contract())
		values[b.Name] = cty.CapsuleVal(profileType, &profile{q, s.failed})
	}
	l.base.Variables["profile"] = cty.ObjectVal(values)
}

func newQueue(source hcl.Range) *schema.Queue {
	return &schema.Queue{Decl: schema.Decl{Written: schema.Written{Source: source, Attrs: map[string]hcl.Range{}}}}
}

// fromProfile begins a queue with what its profile says, if it has one.
func (s *scope) fromProfile(a *hcl.Attribute, source hcl.Range) *schema.Queue {
	q := newQueue(source)
	if a == nil {
		return q
	}
	v, ok := s.value(reference{a.Expr})
	if !ok {
		return q
	}
	if v.Type() != profileType {
		s.refuse(a.Expr.Range(), "Not a profile", "Name one like this: profile.durable, without quotes.")
		return q
	}
	p := v.EncapsulatedValue().(*profile)
	s.failed = s.failed || p.failed // which was told
	*q = *p.queue
	q.Source, q.Attrs = source, maps.Clone(q.Attrs)
	return q
}
