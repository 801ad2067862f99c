package lang

import (
	"math"
	"net/netip"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

type quotaBlock struct {
	Label                  string         `hcl:"name,label"`
	LabelRange             hcl.Range      `hcl:"name,label_range"`
	ForEach                *hcl.Attribute `hcl:"for_each,optional"`
	User                   *hcl.Attribute `hcl:"user,optional"`
	ClientID               *hcl.Attribute `hcl:"client_id,optional"`
	IP                     *hcl.Attribute `hcl:"ip,optional"`
	ProducerByteRate       *hcl.Attribute `hcl:"producer_byte_rate,optional"`
	ConsumerByteRate       *hcl.Attribute `hcl:"consumer_byte_rate,optional"`
	RequestPercentage      *hcl.Attribute `hcl:"request_percentage,optional"`
	ControllerMutationRate *hcl.Attribute `hcl:"controller_mutation_rate,optional"`
	ConnectionCreationRate *hcl.Attribute `hcl:"connection_creation_rate,optional"`
	Description            *hcl.Attribute `hcl:"description,optional"`
	Labels                 *hcl.Attribute `hcl:"labels,optional"`
	DefRange               hcl.Range      `hcl:",def_range"`
}

func (b *quotaBlock) addr() schema.Addr { return schema.Addr{Kind: schema.KindQuota, Label: b.Label} }

// limited are what a block may limit, by Kafka's names.
type limited map[schema.LimitKey]*hcl.Attribute

func (b *quotaBlock) limited() limited {
	return limited{
		schema.ProducerByteRate: b.ProducerByteRate, schema.ConsumerByteRate: b.ConsumerByteRate, schema.RequestPercentage: b.RequestPercentage,
		schema.ControllerMutationRate: b.ControllerMutationRate, schema.ConnectionCreationRate: b.ConnectionCreationRate,
	}
}

func (b *quotaBlock) attrs() map[string]hcl.Range {
	attrs := map[string]hcl.Range{}
	note(attrs, "user", b.User)
	note(attrs, "client_id", b.ClientID)
	note(attrs, "ip", b.IP)
	for key, a := range b.limited() {
		note(attrs, string(key), a)
	}
	return attrs
}

// quotas evaluates one block.
func (l *loader) quotas(b *quotaBlock, all []instance) []schema.Resource {
	attrs := b.attrs()
	return l.made(all, func(s *scope, i instance) schema.Resource {
		q := &schema.Quota{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels)}
		q.Entity = schema.Entity{
			User:     s.entityName(b.User, s.limitedUser),
			ClientID: s.entityName(b.ClientID, s.limitedName),
			IP:       s.entityName(b.IP, s.address),
		}
		q.Limits = s.limits(b.limited(), b.DefRange)
		if s.entity(b, q); s.failed {
			return nil
		}
		return q
	})
}

// entityName is a part of whom a quota limits. Unlike elsewhere null says
// something: all that have no quota of their own.
func (s *scope) entityName(a *hcl.Attribute, check func(name string, at hcl.Range)) schema.EntityName {
	if a == nil {
		return schema.EntityName{}
	}
	name, given := "", false
	failed := s.failing(func() {
		v, ok := s.value(a.Expr)
		if !ok {
			return
		}
		if text, ok := field(v, "name"); ok {
			v = cty.StringVal(text)
		}
		if v, given = s.convert(a.Expr, v, cty.String, "A name, or null for all without a quota of their own,"); given {
			name = v.AsString()
			check(name, a.Expr.Range())
		}
	})
	if failed || given {
		return schema.Named(name)
	}
	return schema.DefaultName()
}

// limitedName refuses what could not be told from the default.
func (s *scope) limitedName(name string, at hcl.Range) {
	if schema.Named(name).IsReserved() {
		s.refuse(at, "A name that is taken", "%s stands for all without a quota of their own. Write null, without quotes, if that is meant.", quoted(name))
		return
	}
	s.plain(name, at)
}

func (s *scope) limitedUser(name string, at hcl.Range) {
	if s.failing(func() { s.userName(name, at) }) {
		return
	}
	s.limitedName(name, at)
}

// address refuses networks and names of hosts, as Kafka does.
func (s *scope) address(text string, at hcl.Range) {
	if _, err := netip.ParsePrefix(text); err == nil {
		s.refuse(at, "Not an address", "Kafka limits single addresses, no networks. Write one, or null for each that has no quota of its own.")
		return
	}
	if ip, err := netip.ParseAddr(text); err != nil || ip.Zone() != "" {
		s.refuse(at, "Not an address", "%s: write it like 192.0.2.7 or 2001:db8::7.", quoted(text))
	}
}

// entity checks whom a quota limits, and in what.
func (s *scope) entity(b *quotaBlock, q *schema.Quota) {
	e := q.Entity
	_, connections := q.Limits[schema.ConnectionCreationRate]
	switch {
	case e == schema.Entity{}:
		s.refuse(b.DefRange, "A quota of nobody", "Say whom it limits: user, client_id or both; or ip. null is all without a quota of their own.")
	case e.IP.Set && (e.User.Set || e.ClientID.Set):
		s.refuse(b.IP.Expr.Range(), "An ip and somebody else", "A quota is of an ip alone, or of a user, a client_id or both. Write two blocks.")
	case connections && !e.IP.Set:
		s.refuse(b.ConnectionCreationRate.Expr.Range(), "Connections of no ip", "Kafka limits %s by ip alone. Write a quota block with ip.", schema.ConnectionCreationRate)
	case e.IP.Set && len(q.Limits) > 0 && (len(q.Limits) > 1 || !connections):
		s.refuse(b.IP.Expr.Range(), "An ip has no such quota", "Of an ip Kafka limits %s alone. Limit a user or a client_id in another block.", schema.ConnectionCreationRate)
	}
}

// limits evaluates rates, all more than 0. A limit that is null is none.
func (s *scope) limits(of limited, block hcl.Range) schema.Limits {
	limits := schema.Limits{}
	failed := s.failing(func() {
		for key, a := range of {
			if rate := s.rate(key, a); rate > 0 {
				limits[key] = rate
			}
		}
	})
	if !failed && len(limits) == 0 {
		s.refuse(block, "A quota without a limit", "Give one at least, like consumer_byte_rate = \"1MiB\". A quota goes with its block.")
	}
	return limits
}

func (s *scope) rate(key schema.LimitKey, a *hcl.Attribute) float64 {
	switch key {
	case schema.ProducerByteRate, schema.ConsumerByteRate:
		return float64(s.size(a))
	case schema.ConnectionCreationRate:
		n, _ := s.whole(a, 1, math.MaxInt32)
		return float64(n)
	case schema.RequestPercentage, schema.ControllerMutationRate:
	}
	return s.positive(a)
}

// limitsBlock is a quota within a producer or group.
type limitsBlock struct {
	ProducerByteRate       *hcl.Attribute `hcl:"producer_byte_rate,optional"`
	ConsumerByteRate       *hcl.Attribute `hcl:"consumer_byte_rate,optional"`
	RequestPercentage      *hcl.Attribute `hcl:"request_percentage,optional"`
	ControllerMutationRate *hcl.Attribute `hcl:"controller_mutation_rate,optional"`
	DefRange               hcl.Range      `hcl:",def_range"`
}

func (b *limitsBlock) limited() limited {
	return limited{
		schema.ProducerByteRate: b.ProducerByteRate, schema.ConsumerByteRate: b.ConsumerByteRate,
		schema.RequestPercentage: b.RequestPercentage, schema.ControllerMutationRate: b.ControllerMutationRate,
	}
}

func (b *limitsBlock) note(attrs map[string]hcl.Range) {
	if b == nil {
		return
	}
	attrs["quota"] = b.DefRange
	for key, a := range b.limited() {
		note(attrs, "quota."+string(key), a)
	}
}

// quota evaluates the limits of an application, which Kafka must be able to
// tell from others. Nil is none.
func (s *scope) quota(b *limitsBlock, principal string, client map[string]schema.Setting) schema.Limits {
	if b == nil {
		return nil
	}
	limits := s.limits(b.limited(), b.DefRange)
	switch e := schema.LimitedAs(principal, client); {
	case s.failed:
		return nil
	case e == schema.Entity{}:
		s.refuse(b.DefRange, "A quota of nobody", `Kafka limits users and client ids: give this block a principal like "User:checkout", or its client a "client.id".`)
		return nil
	case e.User.IsReserved() || e.ClientID.IsReserved():
		s.refuse(b.DefRange, "A quota of all", "%s stands for all without a quota of their own. Name somebody, or write a quota block.", quoted(e.User.Name+e.ClientID.Name))
		return nil
	}
	return limits
}
