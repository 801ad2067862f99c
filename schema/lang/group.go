package lang

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

type groupBlock struct {
	Label       string         `hcl:"name,label"`
	LabelRange  hcl.Range      `hcl:"name,label_range"`
	ForEach     *hcl.Attribute `hcl:"for_each,optional"`
	GroupID     *hcl.Attribute `hcl:"group_id,optional"`
	Queues      *hcl.Attribute `hcl:"queues,optional"`
	Protocol    *hcl.Attribute `hcl:"protocol,optional"`
	Start       *hcl.Attribute `hcl:"start,optional"`
	Principal   *hcl.Attribute `hcl:"principal,optional"`
	Config      *hcl.Attribute `hcl:"config,optional"`
	Client      *hcl.Attribute `hcl:"client,optional"`
	Members     *hcl.Attribute `hcl:"members,optional"`
	MaxLag      *hcl.Attribute `hcl:"max_lag,optional"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	Quota       *limitsBlock   `hcl:"quota,block"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

func (b *groupBlock) addr() schema.Addr {
	return schema.Addr{Kind: schema.KindGroup, Label: b.Label}
}

func (b *groupBlock) attrs() map[string]hcl.Range {
	attrs := map[string]hcl.Range{"group_id": b.LabelRange}
	note(attrs, "group_id", b.GroupID)
	note(attrs, "queues", b.Queues)
	note(attrs, "protocol", b.Protocol)
	note(attrs, "start", b.Start)
	note(attrs, "principal", b.Principal)
	note(attrs, "members", b.Members)
	note(attrs, "max_lag", b.MaxLag)
	b.Quota.note(attrs)
	return attrs
}

// groups evaluates one block.
func (l *loader) groups(b *groupBlock, all []instance) []schema.Resource {
	attrs := b.attrs()
	return l.made(all, func(s *scope, i instance) schema.Resource {
		g := &schema.Group{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels)}
		var named bool
		g.GroupID, named = s.labelled(b.GroupID, b.Label, b.LabelRange, s.plain)
		s.reading(g, b)
		g.Principal = s.application(b.Principal)
		g.Client = s.client(consumerKeys, b.Client, attrs)
		g.Quota = s.quota(b.Quota, g.Principal, g.Client)
		if !named {
			return nil
		}
		return g
	})
}

// reading evaluates what a group reads, and how.
func (s *scope) reading(g *schema.Group, b *groupBlock) {
	g.Queues = s.queues(b.Queues, b.DefRange)
	g.Start = s.start(b.Start)
	g.Config = s.settings(groupKeys, b.Config, nil, g.Attrs)
	if n, ok := s.whole(b.Members, 1, math.MaxInt32); ok {
		g.Members = int(n)
	}
	if n, ok := s.whole(b.MaxLag, 0, math.MaxInt64); ok {
		g.MaxLag = &n
	}
	if g.Protocol = s.protocol(b.Protocol, b.DefRange); g.Protocol != "" {
		s.fitting(g)
	}
}

const protocols = `It is "consumer" (Kafka 4.0+), "classic" for older brokers or clients, or "share" for a work queue whose messages are acknowledged one by one (Kafka 4.2+).`

// protocol is empty where it is none.
func (s *scope) protocol(a *hcl.Attribute, block hcl.Range) schema.Protocol {
	var name string
	var ok bool
	if s.failing(func() { name, ok = s.text(a) }) {
		return ""
	}
	protocol := schema.Protocol(name)
	switch {
	case a == nil:
		s.refuse(block, "No protocol", "Say how the members share the work: protocol. %s", protocols)
	case !ok:
		s.refuse(a.Expr.Range(), "No protocol", "%s", protocols)
	case !slices.Contains(schema.Protocols(), protocol):
		s.refuse(a.Expr.Range(), "Unknown protocol "+schema.Quote(name), "%s", protocols)
	default:
		return protocol
	}
	return ""
}

// start evaluates where a group begins: by a word, or a time that has been.
func (s *scope) start(a *hcl.Attribute) schema.Start {
	text, ok := s.text(a)
	start := schema.Start(text)
	if !ok || start == schema.Earliest || start == schema.Latest {
		return start
	}
	at := a.Expr.Range()
	when, timed := start.Time()
	_, err := time.Parse(time.DateOnly, text)
	switch {
	case err == nil:
		s.refuse(at, "Not a start", "A date is a whole day: give the time, too, like %q.", text+"T00:00:00Z")
	case !timed:
		s.refuse(at, "Not a start", `%s: it is "earliest", "latest", or a time like "2026-01-31T08:00:00Z".`, quoted(text))
	case when.Before(time.Unix(0, 0)):
		s.refuse(at, "Start before all messages", `Kafka's time begins in 1970. For all there is, write "earliest".`)
	case when.After(s.loader.options.Now()):
		s.refuse(at, "Start in the future", `Messages of that time are not there yet. For those still to come, write "latest".`)
	}
	return start
}

// serving are the protocols of the config keys that begin so.
var serving = map[string]schema.Protocol{"consumer": schema.Consumer, "share": schema.Share, "errors": schema.Share}

// fitting checks what a group says against its protocol.
func (s *scope) fitting(g *schema.Group) {
	for _, key := range slices.Sorted(maps.Keys(g.Config)) {
		family, _, _ := strings.Cut(key, ".")
		of, known := serving[family]
		switch {
		case family == "streams":
			s.refuse(g.At("config."+key), "Config of another protocol", "%s is for Kafka Streams, whose groups are not declared here. Leave it out.", key)
		case known && of != g.Protocol:
			s.refuse(g.At("config."+key), "Config of another protocol", "%s is for groups of the protocol %q, and this is %q. Leave it out, or change the protocol.", key, of, g.Protocol)
		}
	}
	if g.Protocol != schema.Share {
		return
	}
	if _, timed := g.Start.Time(); timed {
		s.refuse(g.At("start"), "A share group starts at no time", `It keeps no offsets of its own: write "earliest" or "latest". For a while back, set "%s" = "by_duration:PT1H" in config, without start.`, shareStart)
	}
	if _, set := g.Config[shareStart]; set && g.Start != "" {
		s.refuse(g.At("start"), "Two starts", "For a share group start is the config %s, which is set at %s. Remove one of the two.", shareStart, diag.Place(g.At("config."+shareStart)))
	}
}

const shareStart = "share.auto.offset.reset"
