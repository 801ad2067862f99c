package guard

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// overloaded tells, at the first change that adds to it, what the cluster has
// too little of; and at each queue what one of its partitions cannot take.
func overloaded(s *subject) *Finding {
	var short []string
	if all := s.short(); all != nil && all.change == s.index {
		short = append(short, all.says...)
	}
	if s.queue != nil && s.queue.Load != nil && adds(s.Change) {
		short = append(short, s.perPartition()...)
	}
	if len(short) == 0 {
		return nil
	}
	return &Finding{Severity: Warns, Summary: "the declared load may not fit: " + strings.Join(short, "; ")}
}

// adds says whether a change of a queue may need more of the cluster.
func adds(c *plan.Change) bool {
	if c.Object.Kind != schema.KindQueue {
		return false
	}
	return c.Action == plan.Create || c.Action == plan.Update && slices.ContainsFunc(c.Fields, func(f plan.Field) bool {
		switch f.Path {
		case "partitions", "replication_factor", "placement", plan.ConfigPath(policy), plan.ConfigPath(retentionTime), plan.ConfigPath(retentionBytes):
			return true
		}
		return false
	})
}

// shortage is what the cluster has too little of.
type shortage struct {
	change int // the first that adds to it
	says   []string
}

// demand is what all queues with a declared load need at their peak.
type demand struct {
	disk    float64 // bytes over all replicas, once the retention is full
	written float64 // bytes per second over all replicas
	topics  []string
}

// shortage compares the declared load of all queues with the cluster, if a
// change adds to it; nil where it fits. The embedded cluster is not judged:
// its disks are made up.
func (in *inquiry) shortage() *shortage {
	t := in.plan.Topology
	first := slices.IndexFunc(in.plan.Changes, func(c plan.Change) bool { return adds(&c) })
	if first < 0 || t.Cluster != nil && t.Cluster.Name == schema.EmbeddedCluster {
		return nil
	}
	d, limits := in.demand(), capacity(t)
	short := shortage{change: first}
	if d.disk > 0 || limits.PartitionsPerBroker > 0 {
		short.says = in.onDisk(d, limits)
	}
	if brokers := len(in.plan.Cluster.Brokers); brokers > 0 && limits.BytesInPerBroker > 0 {
		if each := d.written / float64(brokers); each > float64(limits.BytesInPerBroker) {
			short.says = append(short.says, fmt.Sprintf("%s/s into each broker, of max_bytes_in_per_broker %s",
				bytesOf(each), bytesOf(float64(limits.BytesInPerBroker))))
		}
	}
	if len(short.says) == 0 {
		return nil
	}
	return &short
}

func capacity(t *schema.Topology) schema.Capacity {
	if t.Cluster == nil || t.Cluster.Capacity == nil {
		return schema.Capacity{}
	}
	return *t.Cluster.Capacity
}

// demand adds up the declared loads.
func (in *inquiry) demand() demand {
	var d demand
	for q := range schema.All[*schema.Queue](in.plan.Topology) {
		if q.Load == nil {
			continue
		}
		partitions, factor := in.shape(q)
		rate := q.Load.MessagesPerSecond * float64(q.Load.MessageBytes)
		d.topics = append(d.topics, q.Topic)
		d.written += rate * float64(factor)
		d.disk += in.retained(q, rate, partitions) * float64(factor)
	}
	return d
}

// shape is how many partitions and replicas a queue will have: at least one
// where the broker chooses.
func (in *inquiry) shape(q *schema.Queue) (partitions, factor int) {
	topic := in.Snapshot.Topics[q.Topic].Value
	partitions, factor = q.Partitions, q.ReplicationFactor
	if partitions == 0 {
		partitions = max(1, len(topic.Partitions))
	}
	if factor == 0 {
		factor = max(1, topic.Factor())
	}
	return partitions, factor
}

// retained is how many bytes a queue holds, each message counted once, when so
// many come in a second; 0 where nothing bounds it, or the bound is not known.
func (in *inquiry) retained(q *schema.Queue, rate float64, partitions int) float64 {
	cleanup := in.declared(q, policy)
	byTime, byBytes := limit(in.declared(q, retentionTime), cleanup), limit(in.declared(q, retentionBytes), cleanup)
	bytes := 0.0
	if byTime != unlimited && byTime != unknown {
		bytes = rate * float64(byTime) / 1000
	}
	if most := float64(byBytes) * float64(partitions); byBytes != unlimited && byBytes != unknown && (bytes == 0 || bytes > most) {
		bytes = most
	}
	return bytes
}

// declared is the value that a queue's config will have. Where nothing shows
// what it inherits, Kafka's own default is taken.
func (in *inquiry) declared(q *schema.Queue, key string) value {
	if setting, declared := q.Config[key]; declared {
		return value{setting.Value, true}
	}
	if slices.Contains(q.Lifecycle.IgnoreConfig, key) {
		if text, set := in.Snapshot.Topics[q.Topic].Value.Overrides.Value[key]; set {
			return value{text, true}
		}
	}
	if text, known := in.Snapshot.Defaults[key]; known {
		return value{text, true}
	}
	own, known := catalog.Topic.Find(key)
	return value{own.Default, known}
}

// onDisk compares with what brokers hold and have free.
func (in *inquiry) onDisk(d demand, limits schema.Capacity) (says []string) {
	disks := in.disks()
	switch room, known := roomFor(d.topics, disks); {
	case d.disk == 0:
	case !known:
		says = append(says, bytesOf(d.disk)+" on disk at the retention, of an unknown room")
	case d.disk > room:
		says = append(says, fmt.Sprintf("%s on disk at the retention, of %s", bytesOf(d.disk), bytesOf(room)))
	}
	id, replicas := in.fullest(disks)
	switch most := limits.PartitionsPerBroker; {
	case most == 0:
	case disks == nil:
		says = append(says, "an unknown number of partitions on each broker, of max_partitions_per_broker "+humanize.Comma(int64(most)))
	case replicas > most:
		says = append(says, fmt.Sprintf("%s partitions on broker %d, of max_partitions_per_broker %s",
			humanize.Comma(int64(replicas)), id, humanize.Comma(int64(most))))
	}
	return says
}

// roomFor is how many bytes topics can have: what is free, and what they have.
func roomFor(topics []string, disks live.Disks) (bytes float64, known bool) {
	for _, disk := range disks {
		if disk.Usable == live.NoSpace {
			return 0, false
		}
		bytes += float64(disk.Usable)
		for _, name := range topics {
			bytes += float64(disk.Bytes[name])
		}
	}
	return bytes, len(disks) > 0
}

// fullest is the broker with the most replicas once the plan is carried out,
// each taking an even share of what is added.
func (in *inquiry) fullest(disks live.Disks) (id int32, replicas int) {
	for _, broker := range slices.Backward(slices.Sorted(maps.Keys(disks))) {
		if disks[broker].Replicas >= replicas {
			id, replicas = broker, disks[broker].Replicas
		}
	}
	added := 0
	for i := range in.plan.Changes {
		s := in.subject(i)
		for p := range s.topic.Partitions {
			added -= len(s.topic.Partitions[p].Replicas)
		}
		if s.queue != nil {
			partitions, factor := in.shape(s.queue)
			added += partitions * factor
		}
	}
	return id, replicas + max(0, added)/max(1, len(disks))
}

func (s *subject) perPartition() []string {
	partitions, _ := s.shape(s.queue)
	rate := s.queue.Load.MessagesPerSecond * float64(s.queue.Load.MessageBytes) / float64(partitions)
	most := float64(capacity(s.plan.Topology).BytesInPerPartition)
	if most == 0 || rate <= most {
		return nil
	}
	return []string{fmt.Sprintf("%s/s into each partition, of max_bytes_in_per_partition %s", bytesOf(rate), bytesOf(most))}
}

func bytesOf(n float64) string { return humanize.IBytes(uint64(min(n, math.MaxInt64))) }
