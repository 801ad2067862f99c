package health

import (
	"slices"
	"strings"
	"time"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// Queue is how one queue is doing.
type Queue struct {
	Address         schema.Addr `json:"address"`
	Topic           string      `json:"topic"`
	Exists          *bool       `json:"exists"`
	Partitions      *int        `json:"partitions"`
	Offline         []int32     `json:"offline"`          // partitions without a leader
	UnderReplicated []int32     `json:"under_replicated"` // partitions with a replica that is not in sync
	Messages        *int64      `json:"messages"`         // from where the partitions start to where they end
	Bound           bool        `json:"messages_at_most"` // there may be fewer: it is compacted, or transactions have left their marks
	Bytes           *int64      `json:"bytes"`            // each message counted once
	BytesOnDisk     *int64      `json:"bytes_on_disk"`    // of all replicas
	In              *float64    `json:"in_per_second"`    // messages
	Out             *float64    `json:"out_per_second"`   // messages that its groups are done with, all groups together
	OldestUnread    *time.Time  `json:"oldest_unread"`    // when the first message that one of its groups has not read was written; null, too: they have read all
	OldestAge       *float64    `json:"oldest_unread_age_seconds"`
	OldestAtLeast   bool        `json:"oldest_unread_at_least"` // of some partitions or groups it is not known, or was not asked
}

// Topics are those of the queues that there are, the topology's own and others'.
func Topics(t *schema.Topology, s *live.Snapshot) []string {
	var all []string
	for _, q := range queuesOf(t) {
		if s.Topics[q.topic].State == live.Present {
			all = append(all, q.topic)
		}
	}
	return all
}

type queue struct {
	*schema.Decl
	topic string
}

// queuesOf are the queues of a topology, external ones too.
func queuesOf(t *schema.Topology) []queue {
	var all []queue
	for _, r := range t.Resources {
		switch q := r.(type) {
		case *schema.Queue:
			all = append(all, queue{&q.Decl, q.Topic})
		case *schema.ExternalQueue:
			all = append(all, queue{&q.Decl, q.Topic})
		}
	}
	return all
}

func (c *checkup) queues() {
	bound := c.transactional()
	for _, q := range queuesOf(c.topology) {
		d := Queue{Address: q.Addr, Topic: q.topic, Offline: []int32{}, UnderReplicated: []int32{}}
		switch seen := c.Snapshot.Topics[q.topic]; seen.State {
		case live.Unseen:
			c.hide(q.Addr, q.topic, "", seen.Why, seen.Needs)
		case live.Absent:
			d.Exists, d.Partitions = new(false), new(0)
		case live.Present:
			d.Exists, d.Bound = new(true), bound[q.topic] || c.compacted(q.topic)
			c.replicas(&d, &seen.Value)
			c.depth(&d)
			c.size(&d)
			d.In = c.rate(c.ends(q.topic))
			d.Out = c.out(q.topic)
			c.oldest(&d)
		}
		c.document.Queues = append(c.document.Queues, d)
	}
}

// transactional are the topics whose declared producers write in transactions,
// the end of each of which takes an offset.
func (c *checkup) transactional() map[string]bool {
	all := map[string]bool{}
	for p := range schema.All[*schema.Producer](c.topology) {
		if p.TransactionalID != "" || p.TransactionalIDPrefix != "" {
			for _, queue := range p.Queues {
				all[c.topology.TopicOf(queue)] = true
			}
		}
	}
	return all
}

const policy = "cleanup.policy"

func (c *checkup) compacted(topic string) bool {
	if set, overridden := c.Snapshot.Topics[topic].Value.Overrides.Value[policy]; overridden {
		return strings.Contains(set, "compact")
	}
	if inherited, known := c.Snapshot.Defaults[policy]; known {
		return strings.Contains(inherited, "compact")
	}
	own, _ := catalog.Topic.Find(policy)
	return strings.Contains(own.Default, "compact")
}

// replicas counts as Kafka's own tools do: a replica that a reassignment adds
// need not be in sync yet.
func (c *checkup) replicas(d *Queue, t *live.Topic) {
	d.Partitions = new(len(t.Partitions))
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if p.Leader < 0 {
			d.Offline = append(d.Offline, int32(i))
		}
		if len(p.InSync) < len(p.Replicas)+len(p.Removing)-len(p.Adding) {
			d.UnderReplicated = append(d.UnderReplicated, int32(i))
		}
	}
}

// depth adds up the partitions, if all are known.
func (c *checkup) depth(d *Queue) {
	sum, whole := int64(0), true
	for i, seen := range c.Reading.Spans[d.Topic] {
		span := &seen.Value
		if seen.State != live.Present {
			whole = false
			if !c.offline(d.Topic, i) {
				c.hide(d.Address, d.Topic, "offsets", seen.Why, seen.Needs)
			}
			continue
		}
		sum += span.End - span.Start
		d.Bound = d.Bound || span.Stable != live.NoOffset && span.Stable < span.End
	}
	if whole {
		d.Messages = &sum
	}
}

func (c *checkup) offline(topic string, partition int) bool {
	return c.Snapshot.Topics[topic].Value.Partitions[partition].Leader < 0
}

func (c *checkup) size(d *Queue) {
	seen := c.Reading.Sizes[d.Topic]
	if seen.State != live.Present {
		if len(d.Offline) == 0 {
			c.hide(d.Address, d.Topic, "size", seen.Why, seen.Needs)
		}
		return
	}
	all := int64(0)
	for _, partition := range seen.Value {
		for _, bytes := range partition {
			all += bytes
		}
	}
	d.Bytes, d.BytesOnDisk = new(seen.Value.Total()), &all
}

// change is how many messages something has moved on, in which time.
type change struct {
	messages int64
	known    bool
	over     time.Duration
}

// ends is how far a topic's partitions have moved on.
func (c *checkup) ends(topic string) change {
	if c.Before == nil {
		return change{}
	}
	before, now := c.Before.Ends[topic], c.Reading.Ends[topic]
	ch := change{known: len(now) > 0 && len(before) == len(now), over: c.Reading.EndsAt.Sub(c.Before.EndsAt)}
	for i := range now {
		if !ch.known || before[i] < 0 || now[i] < before[i] {
			return change{}
		}
		ch.messages += now[i] - before[i]
	}
	return ch
}

// rate is messages a second, nil where that is not known.
func (c *checkup) rate(ch change) *float64 {
	if !ch.known || ch.over <= 0 {
		return nil
	}
	return new(float64(ch.messages) / ch.over.Seconds())
}

// oldest is the earliest of what the partitions tell.
func (c *checkup) oldest(d *Queue) {
	var first time.Time
	d.OldestAtLeast = slices.ContainsFunc(c.readers[d.Topic], func(id string) bool { return !readable(c.Reading.Groups[id]) })
	for _, seen := range c.Reading.Spans[d.Topic] {
		if seen.State != live.Present {
			d.OldestAtLeast = true
			continue
		}
		switch oldest := seen.Value.Oldest; oldest.State {
		case live.Unseen:
			d.OldestAtLeast = true
			if oldest.Asked() { // else it would have taken too many bytes
				c.hide(d.Address, d.Topic, "oldest unread message", oldest.Why, oldest.Needs)
			}
		case live.Present:
			if first.IsZero() || oldest.Value.Before(first) {
				first = oldest.Value
			}
		case live.Absent:
		}
	}
	if first.IsZero() {
		return
	}
	d.OldestUnread = new(first.UTC())
	d.OldestAge = new(max(0, c.Now.Sub(first).Seconds()))
}
