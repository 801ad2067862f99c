package lang

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

type queueBlock struct {
	Label             string          `hcl:"name,label"`
	LabelRange        hcl.Range       `hcl:"name,label_range"`
	ForEach           *hcl.Attribute  `hcl:"for_each,optional"`
	Topic             *hcl.Attribute  `hcl:"topic,optional"`
	Profile           *hcl.Attribute  `hcl:"profile,optional"`
	Key               *hcl.Attribute  `hcl:"key,optional"`
	DeadLetter        *hcl.Attribute  `hcl:"dead_letter,optional"`
	Description       *hcl.Attribute  `hcl:"description,optional"`
	Labels            *hcl.Attribute  `hcl:"labels,optional"`
	Partitions        *hcl.Attribute  `hcl:"partitions,optional"`
	ReplicationFactor *hcl.Attribute  `hcl:"replication_factor,optional"`
	Config            *hcl.Attribute  `hcl:"config,optional"`
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

func (b *queueBlock) addr() schema.Addr { return schema.Addr{Kind: schema.KindQueue, Label: b.Label} }

type externalBlock struct {
	Kind        string         `hcl:"kind,label"`
	KindRange   hcl.Range      `hcl:"kind,label_range"`
	Label       string         `hcl:"name,label"`
	LabelRange  hcl.Range      `hcl:"name,label_range"`
	ForEach     *hcl.Attribute `hcl:"for_each,optional"`
	Topic       *hcl.Attribute `hcl:"topic,optional"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

func (b *externalBlock) addr() schema.Addr {
	return schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: b.Label}
}

// queues evaluates one block. What does not use each is evaluated once for all instances.
func (l *loader) queues(b *queueBlock, all []instance, references func() map[string]cty.Value) []schema.Resource {
	once := l.scope(l.base)
	c := b.contract()
	var varying contract
	var shared *schema.Queue
	if b.ForEach != nil && varies(b.Profile) {
		c, varying = contract{}, c // all of it is over a profile that is not known yet
	} else {
		shared = once.fromProfile(b.Profile, b.DefRange)
		if b.ForEach != nil {
			varying = c.takeVarying()
		}
		once.contract(shared, c)
		b.note(shared.Attrs)
	}
	resources := make([]schema.Resource, 0, len(all))
	l.forEach(all, func(i instance) {
		s := l.scope(i.ctx)
		s.failed = once.failed
		var q schema.Queue
		if shared != nil {
			q = *shared
		} else {
			q = *s.fromProfile(b.Profile, b.DefRange)
			b.note(q.Attrs)
		}
		q.Addr = i.addr
		s.contract(&q, varying)
		named := s.identity(&q, b, references)
		if !s.failed {
			s.consistent(&q)
		}
		s.mark(i)
		if named {
			resources = append(resources, &q)
		}
	})
	return resources
}

// note keeps where the attributes are written that no profile may hold.
func (b *queueBlock) note(attrs map[string]hcl.Range) {
	note(attrs, "topic", b.Topic)
	note(attrs, "profile", b.Profile)
	note(attrs, "key", b.Key)
	note(attrs, "dead_letter", b.DeadLetter)
}

// note keeps where an attribute was written, if it was.
func note(attrs map[string]hcl.Range, path string, a *hcl.Attribute) {
	if a != nil {
		attrs[path] = a.Expr.Range()
	}
}

// identity evaluates what belongs to one queue alone, and says whether the
// queue has a topic's name.
func (s *scope) identity(q *schema.Queue, b *queueBlock, references func() map[string]cty.Value) (named bool) {
	q.Topic, named = s.labelled(b.Topic, b.Label, b.LabelRange, s.ownTopic)
	q.Key, _ = s.text(b.Key)
	if b.DeadLetter != nil {
		q.DeadLetter = s.deadLetter(q.Addr, b.DeadLetter.Expr, references())
	}
	return named
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// topicName refuses what Kafka would.
func (s *scope) topicName(name string, at hcl.Range) {
	if !topicName.MatchString(name) || name == "." || name == ".." {
		s.refuse(at, "Not a topic name", "%s: a topic has 1 to 249 letters, digits, dots, underscores and hyphens, and is not . or .. alone.", quoted(name))
	}
}

// internalTopics are Kafka's own. Other names may begin with __ too.
var internalTopics = []string{"__cluster_metadata", "__consumer_offsets", "__remote_log_metadata", "__share_group_state", "__transaction_state"}

// ownTopic refuses topics that a topology may not own, create or delete.
func (s *scope) ownTopic(name string, at hcl.Range) {
	if s.failing(func() { s.topicName(name, at) }) {
		return
	}
	ours := strings.HasPrefix(name, schema.DefaultLedger) || name == s.loader.ledger
	if !ours && !slices.Contains(internalTopics, name) {
		return
	}
	whose := "Kafka's"
	if ours {
		whose = "queueform's"
	}
	s.refuse(at, "A topic of "+whose+" own", "%q is kept by %s itself: no file declares or deletes it.", name, strings.TrimSuffix(whose, "'s"))
}

// deadLetter finds the queue that an expression names.
func (s *scope) deadLetter(self schema.Addr, expr hcl.Expression, references map[string]cty.Value) *schema.Addr {
	ctx := s.ctx.NewChild()
	ctx.Variables = references
	seeing := s.loader.scope(ctx)
	v, ok := seeing.value(reference{expr})
	s.failed = s.failed || seeing.failed
	if !ok {
		return nil
	}
	if v.Type() != addressType {
		detail := "Name a queue like this: queue.orders_dead, without quotes."
		if v.Type().IsObjectType() {
			detail = `It has several: name one, like queue.orders_dead["eu"] or queue.orders_dead[each.key].`
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

func (l *loader) externals(b *externalBlock, all []instance) []schema.Resource {
	attrs := map[string]hcl.Range{}
	note(attrs, "topic", b.Topic)
	return l.made(all, func(s *scope, i instance) schema.Resource {
		q := &schema.ExternalQueue{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels)}
		var named bool
		if q.Topic, named = s.labelled(b.Topic, b.Label, b.LabelRange, s.topicName); !named {
			return nil
		}
		return q
	})
}
