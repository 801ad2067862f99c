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
		for _, n := range s.perPartition(s.queue) {
			if !n.Fits() {
				short = append(short, n.String())
			}
		}
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
	short := shortage{change: first}
	for _, n := range in.needs() {
		if !n.Fits() {
			short.says = append(short.says, n.String())
		}
	}
	if len(short.says) == 0 {
		return nil
	}
	return &short
}

// Resource is something that a load needs.
type Resource string

// The resources, as the status document spells them.
const (
	DiskBytes           Resource = "disk_bytes" // of all brokers together, at the retention
	PartitionsPerBroker Resource = "partitions_per_broker"
	BytesInPerBroker    Resource = "bytes_in_per_broker"    // a second
	BytesInPerPartition Resource = "bytes_in_per_partition" // a second
)

// Need is what the declared load needs of one thing, and what there is of it.
type Need struct {
	Of     Resource
	Addr   *schema.Addr // of one queue; nil: of all together
	Broker int32        // the fullest, of partitions
	Needs  *float64     // nil: not known
	Has    *float64     // likewise
}

// Fits says whether there is known to be enough.
func (n Need) Fits() bool { return n.Needs != nil && n.Has != nil && *n.Needs <= *n.Has }

func (n Need) String() string {
	switch n.Of {
	case DiskBytes:
		if n.Has == nil {
			return bytesOf(*n.Needs) + " on disk at the retention, of an unknown room"
		}
		return fmt.Sprintf("%s on disk at the retention, of %s", bytesOf(*n.Needs), bytesOf(*n.Has))
	case PartitionsPerBroker:
		most := humanize.Comma(int64(*n.Has))
		if n.Needs == nil {
			return "an unknown number of partitions on each broker, of max_partitions_per_broker " + most
		}
		return fmt.Sprintf("%s partitions on broker %d, of max_partitions_per_broker %s", humanize.Comma(int64(*n.Needs)), n.Broker, most)
	case BytesInPerBroker:
		return fmt.Sprintf("%s/s into each broker, of max_bytes_in_per_broker %s", bytesOf(*n.Needs), bytesOf(*n.Has))
	case BytesInPerPartition:
		return fmt.Sprintf("%s/s into each partition, of max_bytes_in_per_partition %s", bytesOf(*n.Needs), bytesOf(*n.Has))
	}
	panic("no resource " + string(n.Of))
}

// Needs is what the declared load of all queues needs once a plan is carried
// out, and what the cluster has for it: that of all together, then that of each
// queue. Where no disks are among the answers, their room is not known.
func Needs(p *plan.Plan, f Facts) []Need {
	if t := p.Topology; t.Cluster != nil && t.Cluster.Name == schema.EmbeddedCluster {
		return nil
	}
	in := newInquiry(p, f)
	all := in.needs()
	for q := range schema.All[*schema.Queue](p.Topology) {
		if q.Load != nil {
			all = append(all, in.perPartition(q)...)
		}
	}
	return all
}

// AsksDisks says whether a topology declares what only the disks can tell to fit.
func AsksDisks(t *schema.Topology) bool {
	loaded := false
	for q := range schema.All[*schema.Queue](t) {
		loaded = loaded || q.Load != nil
	}
	return loaded || capacity(t).PartitionsPerBroker > 0
}

// needs compares the declared load of all queues with the cluster.
func (in *inquiry) needs() []Need {
	d, limits := in.demand(), capacity(in.plan.Topology)
	var all []Need
	if d.disk > 0 || limits.PartitionsPerBroker > 0 {
		all = in.onDisk(d, limits)
	}
	if brokers := len(in.plan.Cluster.Brokers); brokers > 0 && limits.BytesInPerBroker > 0 && d.written > 0 {
		all = append(all, Need{Of: BytesInPerBroker, Needs: new(d.written / float64(brokers)), Has: new(float64(limits.BytesInPerBroker))})
	}
	return all
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
func (in *inquiry) onDisk(d demand, limits schema.Capacity) (all []Need) {
	disks := in.disks()
	if d.disk > 0 {
		n := Need{Of: DiskBytes, Needs: &d.disk}
		if room, known := roomFor(d.topics, disks); known {
			n.Has = &room
		}
		all = append(all, n)
	}
	if most := limits.PartitionsPerBroker; most > 0 {
		n := Need{Of: PartitionsPerBroker, Has: new(float64(most))}
		if disks != nil {
			id, replicas := in.fullest(disks)
			n.Broker, n.Needs = id, new(float64(replicas))
		}
		all = append(all, n)
	}
	return all
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

// perPartition compares a queue's load with what one of its partitions takes.
func (in *inquiry) perPartition(q *schema.Queue) []Need {
	most := float64(capacity(in.plan.Topology).BytesInPerPartition)
	if most == 0 {
		return nil
	}
	partitions, _ := in.shape(q)
	rate := q.Load.MessagesPerSecond * float64(q.Load.MessageBytes) / float64(partitions)
	return []Need{{Of: BytesInPerPartition, Addr: &q.Addr, Needs: &rate, Has: &most}}
}

func bytesOf(n float64) string { return humanize.IBytes(uint64(min(n, math.MaxInt64))) }
