package lang

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// resources evaluates the blocks that declare objects, and those that let them
// go.
func (l *loader) resources(t *schema.Topology) {
	l.profiles()
	l.topics(t)
	if b := &l.blocks; len(b.Users)+len(b.Producers)+len(b.Groups)+len(b.ACLs)+len(b.Quotas) > 0 {
		l.use(t)
	}
	for _, b := range l.blocks.Deletes {
		l.removal(t, schema.RoleDelete, b)
	}
	for _, b := range l.blocks.Forgets {
		l.removal(t, schema.RoleForget, b)
	}
	l.distinct(t)
}

// use evaluates who uses the queues, and how. These blocks see them, and all
// but users see users; to make that possible costs time where there are many.
func (l *loader) use(t *schema.Topology) {
	ctx := l.base.NewChild()
	ctx.Variables = l.declarations.queues(l.objects(t))
	for _, b := range l.blocks.Users {
		d := l.declare(ctx, b.addr(), b.LabelRange, b.ForEach)
		d.add(t, l.users(b, d.instances))
	}
	ctx = ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"user": l.declarations.of("", schema.KindUser, l.objects(t))}
	for _, b := range l.blocks.Producers {
		d := l.declare(ctx, b.addr(), b.LabelRange, b.ForEach)
		d.add(t, l.producers(b, d.instances))
	}
	for _, b := range l.blocks.Groups {
		d := l.declare(ctx, b.addr(), b.LabelRange, b.ForEach)
		d.add(t, l.groups(b, d.instances))
	}
	for _, b := range l.blocks.ACLs {
		d := l.declare(ctx, b.addr(), b.LabelRange, b.ForEach)
		d.add(t, l.acls(b, d.instances))
	}
	for _, b := range l.blocks.Quotas {
		d := l.declare(ctx, b.addr(), b.LabelRange, b.ForEach)
		d.add(t, l.quotas(b, d.instances))
	}
}

// topics evaluates the queues, which may name each other, and the external ones.
func (l *loader) topics(t *schema.Topology) {
	queues := make([]*declaration, len(l.blocks.Queues))
	for i, b := range l.blocks.Queues {
		queues[i] = l.declare(l.base, b.addr(), b.LabelRange, b.ForEach)
	}
	externals := make([]*declaration, len(l.blocks.Externals))
	for i, b := range l.blocks.Externals {
		externals[i] = l.declare(l.base, b.addr(), b.LabelRange, b.ForEach)
	}
	references := l.declarations.references()
	for i, b := range l.blocks.Queues {
		queues[i].add(t, l.queues(b, queues[i].instances, references))
	}
	for i, b := range l.blocks.Externals {
		externals[i].add(t, l.externals(b, externals[i].instances))
	}
}
