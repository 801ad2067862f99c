package schema

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Grant is a binding that a topology declares, and the first block that does:
// an acl, or a producer or group whose work needs it.
type Grant struct {
	Binding
	By     Addr
	Source hcl.Range
}

// Grants are the bindings that the topology declares, each once, sorted. Those
// of producers and groups follow from what they are declared to do.
func (t *Topology) Grants() []Grant {
	g := grants{topology: t, byName: map[string]Grant{}}
	for _, r := range t.Resources {
		switch r := r.(type) {
		case *ACL:
			for _, b := range r.Bindings() {
				g.add(&r.Decl, "operations", b)
			}
		case *Producer:
			g.producer(r)
		case *Group:
			g.group(r)
		}
	}
	all := make([]Grant, 0, len(g.byName))
	for _, name := range slices.Sorted(maps.Keys(g.byName)) {
		all = append(all, g.byName[name])
	}
	return all
}

type grants struct {
	topology *Topology
	byName   map[string]Grant
}

// add keeps the first block that declares a binding.
func (g *grants) add(d *Decl, path string, b Binding) {
	name := b.String()
	if _, declared := g.byName[name]; !declared {
		g.byName[name] = Grant{Binding: b, By: d.Addr, Source: d.At(path)}
	}
}

// allow adds what a principal needs of one resource.
func (g *grants) allow(d *Decl, principal string, on ACLResource, operations ...Operation) {
	for _, operation := range operations {
		g.add(d, "principal", Binding{Principal: principal, Host: "*", Permission: Allow, Operation: operation, Resource: on})
	}
}

// producer adds what writing needs. IdempotentWrite is not part of it since
// Kafka 3.0, where Write on any topic will do (KIP-679).
func (g *grants) producer(p *Producer) {
	if p.Principal == "" {
		return
	}
	for _, queue := range p.Queues {
		g.allow(&p.Decl, p.Principal, topicNamed(g.topology.TopicOf(queue)), Write, Describe)
	}
	switch {
	case p.TransactionalID != "":
		g.allow(&p.Decl, p.Principal, ACLResource{TransactionalIDResource, p.TransactionalID, Literal}, Write, Describe)
	case p.TransactionalIDPrefix != "":
		g.allow(&p.Decl, p.Principal, ACLResource{TransactionalIDResource, p.TransactionalIDPrefix, Prefixed}, Write, Describe)
	}
}

// group adds what reading needs, and putting aside what was rejected.
func (g *grants) group(r *Group) {
	if r.Principal == "" {
		return
	}
	g.allow(&r.Decl, r.Principal, ACLResource{GroupResource, r.GroupID, Literal}, Read)
	for _, queue := range r.Queues {
		g.allow(&r.Decl, r.Principal, topicNamed(g.topology.TopicOf(queue)), Read, Describe)
		if q, ok := g.topology.Find(queue).(*Queue); ok && q.DeadLetter != nil {
			g.allow(&r.Decl, r.Principal, topicNamed(g.topology.TopicOf(*q.DeadLetter)), Write, Describe)
		}
	}
}

func topicNamed(topic string) ACLResource { return ACLResource{TopicResource, topic, Literal} }

// Allotment is what a topology declares that one entity may use of one thing,
// and the block that does.
type Allotment struct {
	Entity Entity
	Key    LimitKey
	Value  float64
	By     Addr
	Source hcl.Range
}

// Allotments are the limits that the topology declares, by quota blocks and by
// those within producers and groups, sorted by entity and key. Those of one
// entity and key, which package lang refuses, are in the order of the blocks.
func (t *Topology) Allotments() []Allotment {
	var all []Allotment
	add := func(d *Decl, e Entity, path string, limits Limits) {
		for key, value := range limits {
			all = append(all, Allotment{Entity: e, Key: key, Value: value, By: d.Addr, Source: d.At(path + string(key))})
		}
	}
	for _, r := range t.Resources {
		switch r := r.(type) {
		case *Quota:
			add(&r.Decl, r.Entity, "", r.Limits)
		case *Producer:
			add(&r.Decl, LimitedAs(r.Principal, r.Client), "quota.", r.Quota)
		case *Group:
			add(&r.Decl, LimitedAs(r.Principal, r.Client), "quota.", r.Quota)
		}
	}
	slices.SortStableFunc(all, func(a, b Allotment) int {
		return strings.Compare(a.Entity.String()+" "+string(a.Key), b.Entity.String()+" "+string(b.Key))
	})
	return all
}

// LimitedAs is the entity that limits a client: its user, or else its client
// id. The zero Entity is a client that has neither.
func LimitedAs(principal string, client map[string]Setting) Entity {
	if user, ok := strings.CutPrefix(principal, UserPrincipal); ok {
		return Entity{User: Named(user)}
	}
	if id := client["client.id"].Value; id != "" {
		return Entity{ClientID: Named(id)}
	}
	return Entity{}
}
