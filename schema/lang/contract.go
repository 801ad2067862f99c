package lang

import (
	"maps"
	"math"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

// contract is what profiles and queues have in common.
type contract struct {
	description, labels, partitions, factor, config hcl.Expression
	load                                            *loadBlock
	placement                                       *placementBlock
	lifecycle                                       *lifecycleBlock
}

type loadBlock struct {
	MessagesPerSecond hcl.Expression `hcl:"messages_per_second"`
	MessageBytes      hcl.Expression `hcl:"message_bytes"`
	DefRange          hcl.Range      `hcl:",def_range"`
}

type placementBlock struct {
	Racks    hcl.Expression `hcl:"racks,optional"`
	Replicas hcl.Expression `hcl:"replicas,optional"`
	DefRange hcl.Range      `hcl:",def_range"`
}

type lifecycleBlock struct {
	PreventDelete hcl.Expression `hcl:"prevent_delete,optional"`
	IgnoreConfig  hcl.Expression `hcl:"ignore_config,optional"`
	DefRange      hcl.Range      `hcl:",def_range"`
}

const (
	mostPartitions = 100_000
	mostReplicas   = math.MaxInt16
)

// contract evaluates over what q has already, from a profile.
func (s *scope) contract(q *schema.Queue, c contract) {
	if text, ok := s.text(c.description); ok {
		q.Description = text
	}
	if labels := s.table(c.labels); labels != nil {
		q.Labels = labels
	}
	if n, ok := s.whole(c.partitions, 1, mostPartitions); ok {
		q.Partitions, q.Attrs["partitions"] = int(n), c.partitions.Range()
	}
	if n, ok := s.whole(c.factor, 1, mostReplicas); ok {
		q.ReplicationFactor, q.Attrs["replication_factor"] = int(n), c.factor.Range()
	}
	s.config(q, c.config)
	if c.load != nil {
		q.Load = s.load(c.load)
		q.Attrs["load"] = c.load.DefRange
	}
	if c.placement != nil {
		q.Placement = s.placement(c.placement)
		q.Attrs["placement"] = placementRange(c.placement)
	}
	if c.lifecycle != nil {
		q.Lifecycle.PreventDelete, _ = s.flag(c.lifecycle.PreventDelete)
		q.Lifecycle.IgnoreConfig, _ = s.texts(c.lifecycle.IgnoreConfig)
		q.Attrs["lifecycle"] = c.lifecycle.DefRange
		s.ignored(q, c.lifecycle.IgnoreConfig)
	}
}

func placementRange(b *placementBlock) hcl.Range {
	for _, expr := range []hcl.Expression{b.Replicas, b.Racks} {
		if v, diags := expr.Value(nil); diags.HasErrors() || !v.IsNull() {
			return expr.Range()
		}
	}
	return b.DefRange
}

func (s *scope) load(b *loadBlock) *schema.Load {
	d := &schema.Load{}
	if v, ok := s.as(b.MessagesPerSecond, cty.Number, "A number"); ok {
		d.MessagesPerSecond, _ = v.AsBigFloat().Float64()
		if d.MessagesPerSecond <= 0 {
			s.refuse(b.MessagesPerSecond.Range(), "Number out of range", "messages_per_second is more than 0.")
		}
	}
	d.MessageBytes, _ = s.size(b.MessageBytes)
	return d
}

// placement takes racks, for every partition or one list each, or replicas.
func (s *scope) placement(b *placementBlock) *schema.Placement {
	d := &schema.Placement{}
	racks, hasRacks := s.value(b.Racks)
	_, hasReplicas := s.value(b.Replicas)
	if hasRacks == hasReplicas {
		s.refuse(b.DefRange, "Unclear placement", "A placement has either racks or replicas.")
		return nil
	}
	if hasReplicas {
		d.Replicas = s.replicaLists(b.Replicas)
		return d
	}
	if racks.CanIterateElements() && racks.LengthInt() > 0 && !nested(racks) {
		list, _ := s.texts(b.Racks)
		d.Racks = [][]string{list}
	} else if lists, ok := s.as(b.Racks, cty.List(cty.List(cty.String)), "A list of racks, or one list for each partition,"); ok {
		for _, list := range lists.AsValueSlice() {
			d.Racks = append(d.Racks, plain(list, cty.Value.AsString))
		}
	}
	s.checkRacks(b.Racks.Range(), d.Racks)
	return d
}

func nested(v cty.Value) bool {
	for it := v.ElementIterator(); it.Next(); {
		_, item := it.Element()
		return item.CanIterateElements()
	}
	return false
}

func (s *scope) checkRacks(at hcl.Range, lists [][]string) {
	if len(lists) == 0 {
		s.refuse(at, "No racks", "Name the racks to use.")
	}
	for _, racks := range lists {
		seen := map[string]bool{}
		for _, rack := range racks {
			if rack == "" || seen[rack] {
				s.refuse(at, "Racks named twice, or not at all", "Each rack of a list has a name of its own.")
			}
			seen[rack] = true
		}
		if len(racks) == 0 {
			s.refuse(at, "No racks", "Every partition needs a rack.")
		}
	}
}

func (s *scope) replicaLists(expr hcl.Expression) [][]int32 {
	v, ok := s.as(expr, cty.List(cty.List(cty.Number)), "A list of broker ids for each partition")
	if !ok {
		return nil
	}
	var lists [][]int32
	for _, list := range v.AsValueSlice() {
		ids := plain(list, func(v cty.Value) int32 {
			id, _ := v.AsBigFloat().Int64()
			return int32(max(-1, min(id, math.MaxInt32)))
		})
		seen := map[int32]bool{}
		for _, id := range ids {
			if id < 0 || seen[id] {
				s.refuse(expr.Range(), "Not a list of brokers", "Partition %d: broker ids are 0 or more, and each stands once.", len(lists))
			}
			seen[id] = true
		}
		if len(ids) == 0 || len(lists) > 0 && len(ids) != len(lists[0]) {
			s.refuse(expr.Range(), "Uneven replicas", "Partition %d has %d replicas. All partitions have the same number, at least one.", len(lists), len(ids))
		}
		lists = append(lists, ids)
	}
	if len(lists) == 0 {
		s.refuse(expr.Range(), "No replicas", "Give a list of broker ids for each partition.")
	}
	return lists
}

func plain[T any](list cty.Value, one func(cty.Value) T) []T {
	all := make([]T, 0, list.LengthInt())
	for _, item := range list.AsValueSlice() {
		if !item.IsNull() {
			all = append(all, one(item))
		}
	}
	return all
}

// consistent checks what a queue's parts say about each other.
func (s *scope) consistent(q *schema.Queue) {
	p := q.Placement
	switch {
	case p == nil:
	case len(p.Replicas) > 0:
		if q.Partitions > 0 && q.Partitions != len(p.Replicas) {
			s.refuse(q.At("placement"), "Placement and partitions differ", "%d partitions are declared, and replicas for %d.", q.Partitions, len(p.Replicas))
		}
		if q.ReplicationFactor > 0 && q.ReplicationFactor != len(p.Replicas[0]) {
			s.refuse(q.At("placement"), "Placement and replication_factor differ", "replication_factor is %d, and partitions have %d replicas.", q.ReplicationFactor, len(p.Replicas[0]))
		}
		q.Partitions, q.ReplicationFactor = len(p.Replicas), len(p.Replicas[0])
	case q.Partitions == 0 || q.ReplicationFactor == 0:
		s.refuse(q.At("placement"), "Placement of an unknown number", "A queue placed by racks declares its partitions and replication_factor.")
	case len(p.Racks) > 1 && len(p.Racks) != q.Partitions:
		s.refuse(q.At("placement"), "Placement and partitions differ", "%d partitions are declared, and racks for %d.", q.Partitions, len(p.Racks))
	}
}

// ownCopy lets an instance change what it shares with its block or profile.
func ownCopy(from *schema.Queue) *schema.Queue {
	q := *from
	q.Attrs, q.Config = maps.Clone(from.Attrs), maps.Clone(from.Config)
	return &q
}
