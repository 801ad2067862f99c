package plan

import (
	"github.com/queueform/queueform/schema"
)

// unapplied warns of what groups declare and no step makes true yet.
func (b *builder) unapplied() {
	for g := range schema.All[*schema.Group](b.topology) {
		if (g.Start != "" || len(g.Config) > 0) && b.chosen.has(g.Addr) {
			b.warn(g.Source.Ptr(), "Offsets and group configs are not applied yet",
				"This version gives %s its rights and quotas. Set its start and config by Kafka's own tools.", g.Addr)
		}
	}
	for i := range b.topology.Removals {
		if r := &b.topology.Removals[i]; r.Object.Kind == schema.KindGroup {
			b.warn(r.Source.Ptr(), "Groups are not deleted yet", "This version does nothing about %s.", r.Addr)
		}
	}
}
