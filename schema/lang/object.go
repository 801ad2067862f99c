package lang

import (
	"fmt"
	"maps"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// objects are resources as expressions see them. What something is wrong with
// is unknown, so that nothing is complained of that follows from it.
func (l *loader) objects(t *schema.Topology) func(*schema.Addr) cty.Value {
	declared := make(map[schema.Addr]schema.Resource, len(t.Resources))
	for _, r := range t.Resources {
		declared[r.Declared().Addr] = r
	}
	return func(addr *schema.Addr) cty.Value {
		r, ok := declared[*addr]
		if !ok || l.failed[*addr] {
			return cty.DynamicVal
		}
		return object(r)
	}
}

// object has what a resource declares; null is what it does not.
func object(r schema.Resource) cty.Value {
	var attributes map[string]cty.Value
	switch r := r.(type) {
	case *schema.Queue:
		attributes = map[string]cty.Value{
			"topic": cty.StringVal(r.Topic), "partitions": optional(r.Partitions), "replication_factor": optional(r.ReplicationFactor),
			"key": optionalText(r.Key), "config": values(r.Config),
		}
	case *schema.ExternalQueue:
		attributes = map[string]cty.Value{"topic": cty.StringVal(r.Topic)}
	case *schema.User:
		attributes = map[string]cty.Value{"name": cty.StringVal(r.Name), "principal": cty.StringVal(r.Principal())}
	}
	d := r.Declared()
	maps.Copy(attributes, map[string]cty.Value{
		"address": cty.StringVal(d.Addr.String()), "description": optionalText(d.Description), "labels": texts(d.Labels),
	})
	return cty.ObjectVal(attributes)
}

func optional(n int) cty.Value {
	if n == 0 {
		return cty.NullVal(cty.Number)
	}
	return cty.NumberIntVal(int64(n))
}

func optionalText(text string) cty.Value {
	if text == "" {
		return cty.NullVal(cty.String)
	}
	return cty.StringVal(text)
}

func texts(table map[string]string) cty.Value {
	if len(table) == 0 {
		return cty.MapValEmpty(cty.String)
	}
	all := make(map[string]cty.Value, len(table))
	for key, text := range table {
		all[key] = cty.StringVal(text)
	}
	return cty.MapVal(all)
}

// values are settings in Kafka's own spelling.
func values(all map[string]schema.Setting) cty.Value {
	table := make(map[string]string, len(all))
	for key, setting := range all {
		table[key] = setting.Value
	}
	return texts(table)
}

// field is a text that an object carries. Not ok is another value.
func field(v cty.Value, name string) (text string, ok bool) {
	if v.IsNull() || !v.IsKnown() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return "", false
	}
	if v = v.GetAttr(name); v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return "", false
	}
	return v.AsString(), true
}

// queueAddr is the address of the queue that a value is.
func (l *loader) queueAddr(v cty.Value) (schema.Addr, bool) {
	text, _ := field(v, "address")
	addr, err := schema.ParseAddr(text)
	return addr, err == nil && addr.Kind == schema.KindQueue && l.declarations[addr.Block()] != nil
}

// queueList is a list of queues that is being evaluated.
type queueList struct {
	*scope
	all  []schema.Addr
	seen map[schema.Addr]hcl.Range
}

// queues evaluates what an application writes to or reads: in the order of the
// file, each once. A block with for_each stands for all its instances.
func (s *scope) queues(a *hcl.Attribute, block hcl.Range) []schema.Addr {
	list := queueList{scope: s, seen: map[schema.Addr]hcl.Range{}}
	failed := s.failing(func() {
		if a == nil {
			return
		}
		block = a.Expr.Range()
		if items, diags := hcl.ExprList(a.Expr); !diags.HasErrors() {
			for _, item := range items {
				list.item(item)
			}
		} else {
			list.computed(a.Expr)
		}
	})
	if !failed && len(list.all) == 0 {
		s.refuse(block, "No queues", "Name one at least: queues = [queue.orders].")
	}
	return list.all
}

// item takes one of the items that stand in the file.
func (s *queueList) item(expr hcl.Expression) {
	var v cty.Value
	if !s.failing(func() { v, _ = s.outline(reference{expr}) }) {
		s.add(v, expr.Range())
	}
}

// computed takes a list that an expression gives, values(queue.shard) for example.
func (s *queueList) computed(expr hcl.Expression) {
	v, ok := s.outline(reference{expr})
	if !ok {
		return
	}
	if !isList(v.Type()) {
		detail := "Write it in brackets: queues = [queue.orders]."
		if addr, one := s.loader.queueAddr(v); one {
			detail = fmt.Sprintf("One queue is written in brackets, too: queues = [%s].", addr)
		}
		s.refuse(expr.Range(), "Not a list of queues", "%s", detail)
		return
	}
	s.add(v, expr.Range())
}

func (s *queueList) add(v cty.Value, at hcl.Range) {
	addr, one := s.loader.queueAddr(v)
	_, object := field(v, "address")
	first, twice := s.seen[addr]
	switch {
	case !v.IsKnown():
		s.failed = true
	case twice && one:
		s.refuse(at, "Queue named twice", "%s stands at %s already.", addr, diag.Place(first))
	case one:
		s.seen[addr], s.all = at, append(s.all, addr)
	case object || v.IsNull() || !v.CanIterateElements():
		s.refuse(at, "Not a queue", "Name a queue like this: queue.orders, without quotes. A topic of somebody else is declared first: external \"queue\" \"payments\" {}.")
	default:
		for _, item := range v.Elements() {
			s.add(item, at)
		}
	}
}

// principal is Kafka's own spelling of who somebody is, with its type before
// it, or a user of this topology.
func (s *scope) principal(a *hcl.Attribute) string {
	if a == nil {
		return ""
	}
	v, ok := s.value(reference{a.Expr})
	if !ok {
		return ""
	}
	return s.principalOf(a.Expr, a.Expr.Range(), v)
}

// principalOf is the principal that a value within an expression names.
func (s *scope) principalOf(expr hcl.Expression, at hcl.Range, v cty.Value) string {
	if text, ok := field(v, "principal"); ok {
		v = cty.StringVal(text)
	}
	if v.Type().IsObjectType() {
		s.refuse(at, notPrincipal, `A principal is one user, like user.checkout or user.team["eu"], or a text like "User:checkout".`)
		return ""
	}
	v, ok := s.convert(expr, v, cty.String, "A principal")
	if !ok {
		return ""
	}
	s.principalName(v.AsString(), at)
	return v.AsString()
}

const notPrincipal = "Not a principal"

// principalName refuses what nobody can log in as.
func (s *scope) principalName(text string, at hcl.Range) {
	kind, name, typed := strings.Cut(text, ":")
	switch {
	case text == "*":
		s.refuse(at, notPrincipal, `Everybody is "User:*".`)
	case !typed && text != "":
		s.refuse(at, notPrincipal, "A principal has a type and a name: %s.", quoted(schema.UserPrincipal+text))
	case kind == "" || name == "":
		s.refuse(at, notPrincipal, "A principal has a type and a name, like User:deployer.")
	case strings.EqualFold(kind+":", schema.UserPrincipal) && kind+":" != schema.UserPrincipal:
		s.refuse(at, notPrincipal, "Kafka tells upper case from lower. Did you mean %s?", quoted(schema.UserPrincipal+name))
	default:
		s.plain(text, at)
	}
}

// application evaluates who writes or reads: anybody but everybody.
func (s *scope) application(a *hcl.Attribute) string {
	principal := s.principal(a)
	if principal == everybody {
		s.refuse(a.Expr.Range(), "Everybody is not an application", "%s would give these rights to all. An acl block can, where that is meant.", everybody)
	}
	return principal
}

const everybody = schema.UserPrincipal + "*"
