package plan

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// ShareStart is the config of a group that tells where a share group begins
// (KIP-932, Kafka 4.2+).
const ShareStart = "share.auto.offset.reset"

// The configs that follow from where the dead letters of a share group go.
const (
	deadTopic   = "errors.deadletterqueue.topic.name"         // KIP-1191, Kafka 4.4+
	deadCopies  = "errors.deadletterqueue.copy.record.enable" // likewise: the message itself, not only where it was
	deadAllowed = "errors.deadletterqueue.group.enable"       // of the topic that takes them
)

// sharing is the topology with the configs that follow from where share groups
// begin and where their dead letters go.
func (b *builder) sharing() *schema.Topology {
	replaced := map[schema.Addr]schema.Resource{}
	for g := range schema.All[*schema.Group](b.topology) {
		if g.Protocol == schema.Share {
			b.share(g, replaced)
		}
	}
	if len(replaced) == 0 {
		return b.topology
	}
	t := *b.topology
	t.Resources = slices.Clone(t.Resources)
	for i, r := range t.Resources {
		if changed, ok := replaced[r.Declared().Addr]; ok {
			t.Resources[i] = changed
		}
	}
	return &t
}

func (b *builder) share(g *schema.Group, replaced map[schema.Addr]schema.Resource) {
	group := *g
	follows := following{&group.Written, &group.Config}
	if g.Start != "" {
		follows.set(ShareStart, string(g.Start), g.At("start"))
	}
	for _, addr := range g.Queues {
		q, _ := b.topology.Find(addr).(*schema.Queue)
		if q == nil || q.DeadLetter == nil {
			continue
		}
		at := q.At("dead_letter")
		if known := b.snapshot.GroupKeys; len(known) > 0 && !slices.Contains(known, deadTopic) {
			b.warn(&at, "No dead letters of share groups on this cluster",
				"It needs Kafka 4.4 (KIP-1191). What %s rejects is gone, unless its application sends it to %s.", g.Addr, q.DeadLetter)
			break
		}
		follows.set(deadTopic, b.topology.TopicOf(*q.DeadLetter), at)
		follows.set(deadCopies, "true", at)
		b.takeDeadLetters(*q.DeadLetter, at, replaced)
		break // a group has one dead-letter queue
	}
	replaced[g.Addr] = &group
}

// takeDeadLetters lets the brokers put dead letters into a topic.
func (b *builder) takeDeadLetters(into schema.Addr, at hcl.Range, replaced map[schema.Addr]schema.Resource) {
	if topic := b.snapshot.Topics[b.topology.TopicOf(into)]; into.Role == schema.RoleExternal && topic.Value.Overrides.State == live.Present && topic.Value.Overrides.Value[deadAllowed] != "true" {
		b.warn(&at, "The dead-letter topic takes no dead letters", "Brokers put none into %q until its owner sets %s = true.", b.topology.TopicOf(into), deadAllowed)
	}
	q, ours := b.topology.Find(into).(*schema.Queue)
	if !ours || replaced[into] != nil {
		return
	}
	queue := *q
	following{&queue.Written, &queue.Config}.set(deadAllowed, "true", at)
	replaced[into] = &queue
}

// following are the configs of a noun, to which others are added.
type following struct {
	written *schema.Written
	config  *map[string]schema.Setting
}

// set adds a config that is not declared, without touching the noun it was
// copied from.
func (f following) set(key, value string, at hcl.Range) {
	if _, declared := (*f.config)[key]; declared {
		return
	}
	config, attrs := map[string]schema.Setting{key: {Value: value, Spelling: value}}, map[string]hcl.Range{ConfigPath(key): at}
	maps.Copy(config, *f.config)
	maps.Copy(attrs, f.written.Attrs)
	*f.config, f.written.Attrs = config, attrs
}
