package lang

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

type queueBlock struct {
	Label             string          `hcl:"name,label"`
	LabelRange        hcl.Range       `hcl:"name,label_range"`
	ForEach           hcl.Expression  `hcl:"for_each,optional"`
	Topic             hcl.Expression  `hcl:"topic,optional"`
	Profile           hcl.Expression  `hcl:"profile,optional"`
	Key               hcl.Expression  `hcl:"key,optional"`
	DeadLetter        hcl.Expression  `hcl:"dead_letter,optional"`
	Description       hcl.Expression  `hcl:"description,optional"`
	Labels            hcl.Expression  `hcl:"labels,optional"`
	Partitions        hcl.Expression  `hcl:"partitions,optional"`
	ReplicationFactor hcl.Expression  `hcl:"replication_factor,optional"`
	Config            hcl.Expression  `hcl:"config,optional"`
	Load              *loadBlock      `hcl:"load,block"`
	Placement         *placementBlock `hcl:"placement,block"`
	Lifecycle         *lifecycleBlock `hcl:"lifecycle,block"`
	DefRange          hcl.Range       `hcl:",def_range"`
}

func (b *queueBlock) contract() contract {
	return contract{
		description: b.Description, labels: b.Labels, partitions: b.Partitions, factor: b.ReplicationFactor,
		config: b.Config, load: b.Load, placement: b.Placement, lifecycle: b.Lifecycle,
	}
}

type externalBlock struct {
	Kind        string         `hcl:"kind,label"`
	KindRange   hcl.Range      `hcl:"kind,label_range"`
	Label       string         `hcl:"name,label"`
	LabelRange  hcl.Range      `hcl:"name,label_range"`
	ForEach     hcl.Expression `hcl:"for_each,optional"`
	Topic       hcl.Expression `hcl:"topic,optional"`
	Description hcl.Expression `hcl:"description,optional"`
	Labels      hcl.Expression `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

type deleteBlock struct {
	Kind        string         `hcl:"kind,label"`
	KindRange   hcl.Range      `hcl:"kind,label_range"`
	Name        string         `hcl:"name,label"`
	NameRange   hcl.Range      `hcl:"name,label_range"`
	Description hcl.Expression `hcl:"description,optional"`
	Labels      hcl.Expression `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

// resources evaluates the blocks that declare objects.
func (l *loader) resources(t *schema.Topology) {
	profiles := l.profiles()
	queues, externals := l.instancesOfQueues()
	references := l.queueReferences(queues, externals)
	for i, b := range l.blocks.Queues {
		l.queues(t, b, queues[i], profiles, references)
	}
	for i, b := range l.blocks.Externals {
		l.externals(t, b, externals[i])
	}
	for _, b := range l.blocks.Deletes {
		d := schema.Removal{Object: schema.ID{Kind: schema.Kind(b.Kind), Name: b.Name}}
		d.Addr = schema.Addr{Role: schema.RoleDelete, Kind: schema.Kind(b.Kind), Key: b.Name, Keyed: true}
		d.Source = b.DefRange
		s := l.scope(l.base)
		d.Description, _ = s.text(b.Description)
		d.Labels = s.table(b.Labels)
		if b.Kind == string(schema.KindQueue) {
			s.topicName(b.Name, b.NameRange)
		}
		t.Deletes = append(t.Deletes, d)
	}
}

// instancesOfQueues evaluates every for_each, before anything refers to an instance.
func (l *loader) instancesOfQueues() (queues, externals [][]instance) {
	for _, b := range l.blocks.Queues {
		queues = append(queues, l.instances(b.ForEach, schema.Addr{Kind: schema.KindQueue, Label: b.Label}, b.LabelRange))
	}
	for _, b := range l.blocks.Externals {
		externals = append(externals, l.instances(b.ForEach, schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: b.Label}, b.LabelRange))
	}
	return queues, externals
}

// queues evaluates one block. What does not use each is evaluated once for all instances.
func (l *loader) queues(t *schema.Topology, b *queueBlock, all []instance, profiles map[string]*schema.Queue, references *hcl.EvalContext) {
	shared := &schema.Queue{Decl: schema.Decl{Source: b.DefRange, Attrs: map[string]hcl.Range{}}}
	c := b.contract()
	varying := contract{description: absent, labels: absent, partitions: absent, factor: absent, config: absent}
	once := l.scope(l.base)
	if usesEach(b.Profile) {
		varying = c
	} else {
		if p := once.profile(b.Profile, profiles); p != nil {
			shared = fromProfile(p, b.DefRange)
		}
		varying = c.split()
		once.contract(shared, c)
	}
	for _, i := range all {
		q := *shared
		q.Addr = i.addr
		s := l.scope(i.ctx)
		if usesEach(b.Profile) {
			if p := s.profile(b.Profile, profiles); p != nil {
				q = *fromProfile(p, b.DefRange)
				q.Addr = i.addr
			}
		}
		if !varying.empty() {
			q = *ownCopy(&q)
			s.contract(&q, varying)
		}
		s.identity(&q, b, references)
		s.consistent(&q)
		t.Resources = append(t.Resources, &q)
	}
}

// identity evaluates what belongs to one queue alone.
func (s *scope) identity(q *schema.Queue, b *queueBlock, references *hcl.EvalContext) {
	q.Topic = q.Addr.Label
	at := b.LabelRange
	if topic, ok := s.text(b.Topic); ok {
		q.Topic, at = topic, b.Topic.Range()
	}
	s.topicName(q.Topic, at)
	q.Key, _ = s.text(b.Key)
	if b.DeadLetter != absent {
		q.DeadLetter = s.deadLetter(q.Addr, b.DeadLetter, references)
	}
}

func (l *loader) externals(t *schema.Topology, b *externalBlock, all []instance) {
	for _, i := range all {
		s := l.scope(i.ctx)
		q := &schema.ExternalQueue{Decl: schema.Decl{Addr: i.addr, Source: b.DefRange, Attrs: map[string]hcl.Range{}}, Topic: i.addr.Label}
		at := b.LabelRange
		if topic, ok := s.text(b.Topic); ok {
			q.Topic, at = topic, b.Topic.Range()
			q.Attrs["topic"] = at
		}
		q.Description, _ = s.text(b.Description)
		q.Labels = s.table(b.Labels)
		s.topicName(q.Topic, at)
		t.Resources = append(t.Resources, q)
	}
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// topicName refuses what Kafka would, and Kafka's own topics.
func (s *scope) topicName(name string, at hcl.Range) {
	switch {
	case !topicName.MatchString(name) || name == "." || name == "..":
		s.refuse(at, "Not a topic name", "%s: a topic has 1 to 249 letters, digits, dots, underscores and hyphens.", schema.Quote(name))
	case strings.HasPrefix(name, "__"):
		s.refuse(at, "A topic of Kafka's own", "%q: names that begin with __ belong to Kafka and to queueform.", name)
	}
}

// queueReferences is what dead_letter sees beside the rest: queue and external.queue.
func (l *loader) queueReferences(queues, externals [][]instance) *hcl.EvalContext {
	return &hcl.EvalContext{Variables: map[string]cty.Value{
		"queue":    addresses(queues),
		"external": cty.ObjectVal(map[string]cty.Value{"queue": addresses(externals)}),
	}}
}

// addresses is an object by label: an address each, or a map of them by key.
func addresses(blocks [][]instance) cty.Value {
	byLabel := map[string]cty.Value{}
	for _, all := range blocks {
		keyed := map[string]cty.Value{}
		for _, i := range all {
			if !i.addr.Keyed {
				byLabel[i.addr.Label] = cty.CapsuleVal(addressType, &i.addr)
				break
			}
			keyed[i.addr.Key] = cty.CapsuleVal(addressType, &i.addr)
			byLabel[i.addr.Label] = cty.NilVal
		}
		if len(keyed) > 0 {
			byLabel[all[0].addr.Label] = cty.ObjectVal(keyed)
		}
	}
	return cty.ObjectVal(byLabel)
}

// deadLetter finds the queue that an expression names.
func (s *scope) deadLetter(self schema.Addr, expr hcl.Expression, references *hcl.EvalContext) *schema.Addr {
	ctx := s.ctx.NewChild()
	ctx.Variables = references.Variables
	v, ok := s.loader.scope(ctx).reference(expr)
	if !ok {
		return nil
	}
	if v.Type() != addressType {
		detail := "Name a queue like this: queue.orders_dead, without quotes."
		if v.Type().IsObjectType() {
			detail = "It has for_each: name an instance, like queue.orders_dead[\"eu\"]."
		}
		s.refuse(expr.Range(), "Not a queue", "%s", detail)
		return nil
	}
	addr := v.EncapsulatedValue().(*schema.Addr)
	if *addr == self {
		s.refuse(expr.Range(), "A dead letter to itself", "%s cannot be its own dead-letter queue.", self)
		return nil
	}
	return addr
}

// distinct refuses two declarations of one Kafka object, or of two that Kafka
// takes for one.
func (l *loader) distinct(t *schema.Topology) {
	labels, names, metrics := map[schema.Addr]*schema.Decl{}, map[schema.ID]*schema.Decl{}, map[string]*schema.Decl{}
	refuse := func(d, first *schema.Decl, at hcl.Range, summary, detail string) {
		l.complain(&hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: summary, Subject: &at,
			Detail: fmt.Sprintf("%s (%s is declared at %s.)", detail, first.Addr, place(first.Source)),
		})
	}
	for _, r := range t.Resources {
		d, id := r.Declared(), r.ID()
		metric := strings.ReplaceAll(id.Name, ".", "_")
		if first, twice := labels[d.Addr]; twice {
			refuse(d, first, d.Source, fmt.Sprintf("%s is declared twice", d.Addr), "An address stands for one thing.")
		} else if first, twice := names[id]; twice {
			refuse(d, first, d.At("topic"), fmt.Sprintf("Topic %q is declared twice", id.Name), "One block declares a topic.")
		} else if first, twice := metrics[metric]; twice {
			refuse(d, first, d.At("topic"), "Topics that differ only in . and _", fmt.Sprintf("Kafka takes %q for the same name as another topic's: metrics of the two collide, and creation fails.", id.Name))
		}
		labels[d.Addr], names[id], metrics[metric] = d, d, d
	}
	for i := range t.Deletes {
		d := &t.Deletes[i]
		if first, declared := names[d.Object]; declared {
			refuse(&d.Decl, first, d.Source, fmt.Sprintf("Topic %q is declared and deleted", d.Object.Name), "Remove one of the two blocks.")
		}
		if first, twice := labels[d.Addr]; twice {
			refuse(&d.Decl, first, d.Source, fmt.Sprintf("%s stands twice", d.Addr), "Once is enough.")
		}
		labels[d.Addr] = &d.Decl
	}
}
