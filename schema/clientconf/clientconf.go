// Package clientconf is the settings of an application: all that its Kafka
// client needs to be the producer, or a member of the group, that a topology
// declares, in the forms that clients read.
//
// Learn [Of], [Client] and [Client.Render]. Settings have the names of the Java
// client until they are rendered. Serializers are the application's own; what
// contradicts itself is for package lint to find.
package clientconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// Client is the settings of one producer or group.
type Client struct {
	values    []value
	tls       *schema.TLS // nil: the connection is not encrypted
	tlsFrom   string
	login     *login // nil: nobody logs in
	loginFrom string
	share     bool // it is a member of a share group
	writes    bool // it is a producer
	notes     []string
}

// value is one setting, and where it comes from.
type value struct {
	name string
	text parts
	from string // file:line:column, or what it is derived from
}

// Cluster is how a cluster is reached, after the flags and the variables that
// replace what its block says.
type Cluster struct {
	*schema.Cluster
	From map[string]string // by path: the flag or variable that an attribute is from
}

// where is what set an attribute.
func (c Cluster) where(path string) string {
	block, _, _ := strings.Cut(path, ".")
	for _, p := range []string{path, block} {
		if from := c.From[p]; from != "" {
			return from
		}
	}
	return diag.Place(c.At(path))
}

// Of is the settings of a producer or a group of t; those of any other resource
// are how it would connect as nobody.
func Of(t *schema.Topology, r schema.Resource, c Cluster) *Client {
	b := builder{topology: t, cluster: c, client: &Client{}}
	switch r := r.(type) {
	case *schema.Producer:
		b.connection(&r.Decl, r.Principal)
		b.declared(&r.Decl, r.Client)
		b.producer(r)
	case *schema.Group:
		b.connection(&r.Decl, r.Principal)
		b.declared(&r.Decl, r.Client)
		b.group(r)
	}
	slices.SortFunc(b.client.values, func(a, b value) int { return strings.Compare(a.name, b.name) })
	return b.client
}

type builder struct {
	topology *schema.Topology
	cluster  Cluster
	client   *Client
}

func (b *builder) set(name, from string, text ...part) {
	b.client.values = append(b.client.values, value{name, text, from})
}

func (b *builder) note(format string, args ...any) {
	b.client.notes = append(b.client.notes, fmt.Sprintf(format, args...))
}

// declared takes what the block says, but for what is to be computed.
func (b *builder) declared(d *schema.Decl, client map[string]schema.Setting) {
	for name, setting := range client {
		if name != bufferMemory || setting.Value != schema.AutoMemory {
			b.set(name, diag.Place(d.At("client."+name)), plain(setting.Value))
		}
	}
}

func (b *builder) producer(p *schema.Producer) {
	b.client.writes = true
	if p.Client[bufferMemory].Value == schema.AutoMemory {
		b.memory(p)
	}
	switch {
	case p.TransactionalID != "":
		b.set("transactional.id", diag.Place(p.At("transactional_id")), plain(p.TransactionalID))
	case p.TransactionalIDPrefix != "":
		b.set("transactional.id", diag.Place(p.At("transactional_id_prefix")), plain(p.TransactionalIDPrefix), part{variable: instance})
		b.note("transactional.id ends in the variable %s: each instance must have its own, and the same again after a restart", instance)
	}
}

const groupProtocol = "group.protocol"

// instance is the variable that tells the instances of an application apart:
// containers have it, and those of a StatefulSet keep it.
const instance = "HOSTNAME"

func (b *builder) group(g *schema.Group) {
	b.set("group.id", diag.Place(g.At("group_id")), plain(g.GroupID))
	if g.Protocol == schema.Share { // its client is another class, and what it starts at is the group's config
		b.client.share = true
		return
	}
	b.set(groupProtocol, diag.Place(g.At("protocol")), plain(string(g.Protocol)))
	if g.Start == "" {
		return
	}
	reset := g.Start
	if _, timed := g.Start.Time(); timed {
		reset = schema.Earliest // apply seeds the time itself; should that be deleted one day, nothing after it is skipped
	}
	b.set("auto.offset.reset", diag.Place(g.At("start")), plain(string(reset)))
}
