package lint

import (
	"fmt"
	"strings"

	"github.com/queueform/queueform/schema"
)

// groups makes a rule about one group a rule about all.
func groups(check func(*schema.Topology, *schema.Group) []finding) func(*schema.Topology) []finding {
	return func(t *schema.Topology) []finding {
		var found []finding
		for g := range schema.All[*schema.Group](t) {
			found = append(found, check(t, g)...)
		}
		return found
	}
}

// value is what to say of the value of an attribute.
func value(d *schema.Decl, path, detail string, args ...any) []finding {
	return []finding{{addr: d.Addr, at: d.At(path), detail: fmt.Sprintf(detail, args...)}}
}

// idleMembers counts the partitions of all queues, where the files tell them.
func idleMembers(t *schema.Topology, g *schema.Group) []finding {
	partitions := 0
	for _, addr := range g.Queues {
		q, ok := t.Find(addr).(*schema.Queue)
		if !ok || q.Partitions == 0 {
			return nil
		}
		partitions += q.Partitions
	}
	if g.Protocol == schema.Share || g.Members <= partitions {
		return nil
	}
	return value(&g.Decl, "members", "its queues have %d partitions, and each is read by one member: of %d members %d do nothing. "+
		`Lower members, raise partitions, or read with protocol = "share".`, partitions, g.Members, g.Members-partitions)
}

// deadLettersOf are the dead-letter queues of what a share group reads, and of
// which queue each is.
func deadLettersOf(t *schema.Topology, g *schema.Group) (dead, of []schema.Addr) {
	for _, addr := range g.Queues {
		if q, ok := t.Find(addr).(*schema.Queue); ok && q.DeadLetter != nil && g.Protocol == schema.Share {
			dead, of = append(dead, *q.DeadLetter), append(of, addr)
		}
	}
	return dead, of
}

// deadPrefix is what the names of dead-letter topics of share groups begin
// with, unless the brokers' errors.deadletterqueue.topic.name.prefix differs.
const deadPrefix = "dlq."

func deadLetterName(t *schema.Topology, g *schema.Group) []finding {
	var found []finding
	dead, _ := deadLettersOf(t, g)
	for _, addr := range dead {
		topic := t.TopicOf(addr)
		if topic == "" || strings.HasPrefix(topic, deadPrefix) {
			continue
		}
		found = append(found, finding{addr: g.Addr, at: t.Find(addr).Declared().At("topic"), detail: fmt.Sprintf(
			"it is a share group, and its dead letters go to %s: unless the brokers have another prefix, topics for these begin with %q. Rename it %q.", addr, deadPrefix, deadPrefix+topic)})
	}
	return found
}

func severalDeadLetters(t *schema.Topology, g *schema.Group) []finding {
	dead, of := deadLettersOf(t, g)
	for i := range dead {
		if dead[i] != dead[0] {
			return value(&g.Decl, "queues", "Kafka keeps one dead-letter queue for a share group, and %s has %s, but %s has %s. Give them the same one, or read them with two groups.", of[0], dead[0], of[i], dead[i])
		}
	}
	return nil
}
