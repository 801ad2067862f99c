package lang

import (
	"math"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// contract is what profiles and queues have in common.
type contract struct {
	description, labels, partitions, factor, config *hcl.Attribute
	load                                            *loadBlock
	placement                                       *placementBlock
	lifecycle                                       *lifecycleBlock
}

type loadBlock struct {
	MessagesPerSecond *hcl.Attribute `hcl:"messages_per_second,optional"`
	MessageBytes      *hcl.Attribute `hcl:"message_bytes,optional"`
	DefRange          hcl.Range      `hcl:",def_range"`
}

type placementBlock struct {
	Racks    *hcl.Attribute `hcl:"racks,optional"`
	Replicas *hcl.Attribute `hcl:"replicas,optional"`
	DefRange hcl.Range      `hcl:",def_range"`
}

type lifecycleBlock struct {
	PreventDelete *hcl.Attribute `hcl:"prevent_delete,optional"`
	IgnoreConfig  *hcl.Attribute `hcl:"ignore_config,optional"`
	DefRange      hcl.Range      `hcl:",def_range"`
}

const (
	mostPartitions = 100_000
	mostReplicas   = math.MaxInt16
)

// takeVarying takes out of a contract what differs between the instances of
// its block, and leaves what is to be evaluated once for all.
func (c *contract) takeVarying() contract {
	var v contract
	for _, pair := range [][2]**hcl.Attribute{
		{&c.description, &v.description},
		{&c.labels, &v.labels},
		{&c.partitions, &v.partitions},
		{&c.factor, &v.factor},
		{&c.config, &v.config},
	} {
		if varies(*pair[0]) {
			*pair[1], *pair[0] = *pair[0], nil
		}
	}
	if c.load != nil && (varies(c.load.MessagesPerSecond) || varies(c.load.MessageBytes)) {
		v.load, c.load = c.load, nil
	}
	if c.placement != nil && (varies(c.placement.Racks) || varies(c.placement.Replicas)) {
		v.placement, c.placement = c.placement, nil
	}
	if c.lifecycle != nil && (varies(c.lifecycle.PreventDelete) || varies(c.lifecycle.IgnoreConfig)) {
		v.lifecycle, c.lifecycle = c.lifecycle, nil
	}
	return v
}

// contract evaluates over what q has already, from a profile. Where things
// are written is the same for all instances of a block, which share q.Attrs.
func (s *scope) contract(q *schema.Queue, c contract) {
	if text, ok := s.text(c.description); ok {
		q.Description = text
	}
	if labels, ok := s.table(c.labels); ok {
		q.Labels = labels
	}
	if n, ok := s.whole(c.partitions, 1, mostPartitions); ok {
		q.Partitions, q.Attrs["partitions"] = int(n), c.partitions.Expr.Range()
	}
	if n, ok := s.whole(c.factor, 1, mostReplicas); ok {
		q.ReplicationFactor, q.Attrs["replication_factor"] = int(n), c.factor.Expr.Range()
	}
	q.Config = s.settings(topicKeys, c.config, q.Config, q.Attrs)
	if c.load != nil {
		q.Load = s.load(c.load)
		q.Attrs["load"] = c.load.DefRange
	}
	if c.placement != nil {
		q.Placement = s.placement(c.placement)
		q.Attrs["placement"] = c.placement.at()
	}
	if c.lifecycle != nil {
		s.lifecycle(q, c.lifecycle)
	}
}

func (s *scope) load(b *loadBlock) *schema.Load {
	d := &schema.Load{}
	failed := s.failing(func() {
		d.MessagesPerSecond = s.positive(b.MessagesPerSecond)
		d.MessageBytes = s.size(b.MessageBytes)
	})
	if !failed && (d.MessagesPerSecond == 0 || d.MessageBytes == 0) {
		s.refuse(b.DefRange, "Incomplete load", "A load has both messages_per_second and message_bytes.")
	}
	return d
}

// lifecycle evaluates attribute by attribute over a profile's.
func (s *scope) lifecycle(q *schema.Queue, b *lifecycleBlock) {
	q.Attrs["lifecycle"] = b.DefRange
	if prevent, ok := s.flag(b.PreventDelete); ok {
		q.Lifecycle.PreventDelete, q.Attrs["lifecycle.prevent_delete"] = prevent, b.PreventDelete.Expr.Range()
	}
	keys, ok := s.texts(b.IgnoreConfig)
	if !ok {
		return
	}
	q.Lifecycle.IgnoreConfig, q.Attrs["lifecycle.ignore_config"] = keys, b.IgnoreConfig.Expr.Range()
	for i, key := range keys {
		s.key(topicKeys, key, itemRange(b.IgnoreConfig.Expr, i))
	}
}

// at is where the placement is written.
func (b *placementBlock) at() hcl.Range {
	switch {
	case b.Replicas != nil:
		return b.Replicas.Expr.Range()
	case b.Racks != nil:
		return b.Racks.Expr.Range()
	}
	return b.DefRange
}

// placement takes racks, for every partition or one list each, or replicas.
func (s *scope) placement(b *placementBlock) *schema.Placement {
	var d schema.Placement
	failed := s.failing(func() {
		if b.Racks != nil {
			d.Racks = s.rackLists(b.Racks.Expr)
		}
		if b.Replicas != nil {
			d.Replicas = s.replicaLists(b.Replicas.Expr)
		}
	})
	switch {
	case failed:
		return nil
	case (d.Racks == nil) == (d.Replicas == nil):
		s.refuse(b.DefRange, "Unclear placement", "A placement has either racks or replicas.")
		return nil
	}
	return &d
}

func (s *scope) rackLists(expr hcl.Expression) [][]string {
	v, ok := s.value(expr)
	if !ok {
		return nil
	}
	if !nested(v) {
		return [][]string{s.racks(expr, expr.Range(), v)}
	}
	v, ok = s.convert(expr, v, cty.List(cty.List(cty.String)), "A list of racks, or one list for each partition,")
	if !ok {
		return nil
	}
	var lists [][]string
	for i, list := range v.AsValueSlice() {
		lists = append(lists, s.racks(expr, itemRange(expr, i), list))
	}
	return lists
}

func nested(v cty.Value) bool {
	if !v.CanIterateElements() {
		return false
	}
	for _, item := range v.Elements() {
		return !item.IsNull() && item.CanIterateElements()
	}
	return false
}

// racks is one list of racks, which is at a place within the expression.
func (s *scope) racks(expr hcl.Expression, at hcl.Range, list cty.Value) []string {
	if list.IsNull() {
		list = cty.ListValEmpty(cty.String)
	}
	racks, ok := s.textsOf(expr, list)
	if !ok {
		return nil
	}
	seen := map[string]bool{"": true}
	for _, rack := range racks {
		if seen[rack] {
			s.refuse(at, "Racks named twice, or not at all", "Each rack of a list has a name of its own.")
			return nil
		}
		seen[rack] = true
	}
	if len(racks) == 0 {
		s.refuse(at, "No racks", "Name the racks that replicas are to be on.")
	}
	return racks
}

func (s *scope) replicaLists(expr hcl.Expression) [][]int32 {
	v, ok := s.value(expr)
	if !ok {
		return nil
	}
	if v, ok = s.convert(expr, v, cty.List(cty.List(cty.Number)), "A list of broker ids for each partition"); !ok {
		return nil
	}
	var lists [][]int32
	for partition, list := range v.AsValueSlice() {
		at := itemRange(expr, partition)
		brokers, ok := brokerIDs(list)
		switch {
		case !ok:
			s.refuse(at, "Not a list of brokers", "Partition %d: broker ids are whole numbers, 0 or more, and each stands once.", partition)
		case len(brokers) == 0 || partition > 0 && len(brokers) != len(lists[0]):
			s.refuse(at, "Uneven replicas", "Partition %d has %d replicas. All partitions have the same number, at least one.", partition, len(brokers))
		}
		lists = append(lists, brokers)
	}
	if len(lists) == 0 {
		s.refuse(expr.Range(), "No replicas", "Give a list of broker ids for each partition.")
	}
	return lists
}

func brokerIDs(list cty.Value) (ids []int32, ok bool) {
	if list.IsNull() {
		return nil, true
	}
	seen := map[int64]bool{}
	for _, item := range list.AsValueSlice() {
		if item.IsNull() {
			return ids, false
		}
		id, accuracy := item.AsBigFloat().Int64()
		if accuracy != big.Exact || id < 0 || id > math.MaxInt32 || seen[id] {
			return ids, false
		}
		seen[id] = true
		ids = append(ids, int32(id))
	}
	return ids, true
}

// consistent checks what a queue's parts say about each other.
func (s *scope) consistent(q *schema.Queue) {
	for _, key := range q.Lifecycle.IgnoreConfig {
		if _, declared := q.Config[key]; declared {
			s.refuse(q.At("lifecycle.ignore_config"), "Declared and ignored", "%s is set at %s, so it cannot be in ignore_config.", key, diag.Place(q.At("config."+key)))
		}
	}
	p := q.Placement
	switch {
	case p == nil:
	case len(p.Replicas) > 0:
		if q.Partitions > 0 && q.Partitions != len(p.Replicas) {
			s.refuse(q.At("placement"), "Placement and partitions differ", "%d partitions are declared at %s, and replicas for %d.", q.Partitions, diag.Place(q.At("partitions")), len(p.Replicas))
		}
		if q.ReplicationFactor > 0 && q.ReplicationFactor != len(p.Replicas[0]) {
			s.refuse(q.At("placement"), "Placement and replication_factor differ", "replication_factor is %d at %s, and partitions have %d replicas.",
				q.ReplicationFactor, diag.Place(q.At("replication_factor")), len(p.Replicas[0]))
		}
		q.Partitions, q.ReplicationFactor = len(p.Replicas), len(p.Replicas[0])
	case q.Partitions == 0 || q.ReplicationFactor == 0:
		s.refuse(q.At("placement"), "Placement of an unknown number", "A queue placed by racks declares its partitions and replication_factor.")
	case len(p.Racks) > 1 && len(p.Racks) != q.Partitions:
		s.refuse(q.At("placement"), "Placement and partitions differ", "%d partitions are declared at %s, and racks for %d.", q.Partitions, diag.Place(q.At("partitions")), len(p.Racks))
	}
}
