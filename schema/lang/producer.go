package lang

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
)

type producerBlock struct {
	Label                 string         `hcl:"name,label"`
	LabelRange            hcl.Range      `hcl:"name,label_range"`
	ForEach               *hcl.Attribute `hcl:"for_each,optional"`
	Queues                *hcl.Attribute `hcl:"queues,optional"`
	Principal             *hcl.Attribute `hcl:"principal,optional"`
	TransactionalID       *hcl.Attribute `hcl:"transactional_id,optional"`
	TransactionalIDPrefix *hcl.Attribute `hcl:"transactional_id_prefix,optional"`
	Client                *hcl.Attribute `hcl:"client,optional"`
	Description           *hcl.Attribute `hcl:"description,optional"`
	Labels                *hcl.Attribute `hcl:"labels,optional"`
	Quota                 *limitsBlock   `hcl:"quota,block"`
	DefRange              hcl.Range      `hcl:",def_range"`
}

func (b *producerBlock) addr() schema.Addr {
	return schema.Addr{Kind: schema.KindProducer, Label: b.Label}
}

func (b *producerBlock) attrs() map[string]hcl.Range {
	attrs := map[string]hcl.Range{}
	note(attrs, "queues", b.Queues)
	note(attrs, "principal", b.Principal)
	note(attrs, "transactional_id", b.TransactionalID)
	note(attrs, "transactional_id_prefix", b.TransactionalIDPrefix)
	b.Quota.note(attrs)
	return attrs
}

// producers evaluates one block.
func (l *loader) producers(b *producerBlock, all []instance) []schema.Resource {
	attrs := b.attrs()
	return l.made(all, func(s *scope, i instance) schema.Resource {
		p := &schema.Producer{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels)}
		p.Queues = s.queues(b.Queues, b.DefRange)
		p.Principal = s.application(b.Principal)
		p.TransactionalID, p.TransactionalIDPrefix = s.named(b.TransactionalID), s.named(b.TransactionalIDPrefix)
		if p.TransactionalID != "" && p.TransactionalIDPrefix != "" {
			s.refuse(b.TransactionalIDPrefix.Expr.Range(), "Two kinds of transactional ids",
				"A producer has either a transactional_id of its own, or a transactional_id_prefix that its instances add to. Remove one of the two.")
		}
		p.Client = s.client(producerKeys, b.Client, attrs)
		p.Quota = s.quota(b.Quota, p.Principal, p.Client)
		return p
	})
}
