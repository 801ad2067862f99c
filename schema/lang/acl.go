package lang

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
)

type aclBlock struct {
	Label       string         `hcl:"name,label"`
	LabelRange  hcl.Range      `hcl:"name,label_range"`
	ForEach     *hcl.Attribute `hcl:"for_each,optional"`
	Principal   *hcl.Attribute `hcl:"principal,optional"`
	Host        *hcl.Attribute `hcl:"host,optional"`
	Permission  *hcl.Attribute `hcl:"permission,optional"`
	Resource    *hcl.Attribute `hcl:"resource,optional"`
	Operations  *hcl.Attribute `hcl:"operations,optional"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

func (b *aclBlock) addr() schema.Addr { return schema.Addr{Kind: schema.KindACL, Label: b.Label} }

func (b *aclBlock) attrs() map[string]hcl.Range {
	attrs := map[string]hcl.Range{}
	note(attrs, "principal", b.Principal)
	note(attrs, "host", b.Host)
	note(attrs, "permission", b.Permission)
	note(attrs, "resource", b.Resource)
	note(attrs, "operations", b.Operations)
	return attrs
}

// acls evaluates one block.
func (l *loader) acls(b *aclBlock, all []instance) []schema.Resource {
	attrs := b.attrs()
	return l.made(all, func(s *scope, i instance) schema.Resource {
		a := &schema.ACL{Decl: s.decl(i, b.DefRange, attrs, b.Description, b.Labels)}
		if !s.failing(func() { a.Principal = s.principal(b.Principal) }) && a.Principal == "" {
			s.missing(b.Principal, b.DefRange, "principal", `who may, like principal = "User:audit"; "User:*" is everybody`)
		}
		a.Host, a.Permission = s.host(b.Host), s.permission(b.Permission)
		a.Resource = s.resource(b.Resource, b.DefRange, attrs)
		a.Operations = s.operations(b.Operations, b.DefRange, a.Resource.Type)
		if s.failed {
			return nil
		}
		return a
	})
}

// missing refuses a block that lacks what it is nothing without: the attribute
// is not there, or null.
func (s *scope) missing(a *hcl.Attribute, block hcl.Range, name, says string) {
	if a != nil {
		block = a.Expr.Range()
	}
	s.refuse(block, "No "+name, "Say %s.", says)
}

// host is an address, or all of them.
func (s *scope) host(a *hcl.Attribute) string {
	host, ok := s.text(a)
	if !ok {
		return "*"
	}
	if ip, err := netip.ParseAddr(host); host != "*" && (err != nil || ip.Zone() != "") {
		s.refuse(a.Expr.Range(), "Not a host", `Kafka compares single addresses: write one like "192.0.2.7", or "*" for all.`)
	}
	return host
}

func (s *scope) permission(a *hcl.Attribute) schema.Permission {
	text, ok := s.text(a)
	switch {
	case !ok, strings.EqualFold(text, string(schema.Allow)):
		return schema.Allow
	case strings.EqualFold(text, string(schema.Deny)):
		return schema.Deny
	}
	s.refuse(a.Expr.Range(), "Not a permission", `%s: it is "allow" or "deny".`, quoted(text))
	return schema.Allow
}

const aResource = `what it is about, like resource = { topic = "shop.orders" }; to mean all names that begin so, add pattern = "prefixed"`

// resource is an object with the type as its one key, and perhaps a pattern.
func (s *scope) resource(a *hcl.Attribute, block hcl.Range, attrs map[string]hcl.Range) (r schema.ACLResource) {
	var v cty.Value
	var ok bool
	if a != nil && s.failing(func() { v, ok = s.value(a.Expr) }) {
		return r
	}
	switch {
	case !ok:
		s.missing(a, block, "resource", aResource)
		return r
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		s.refuse(a.Expr.Range(), "Not a resource", "Say %s.", aResource)
		return r
	}
	given := v.AsValueMap()
	r.Pattern = s.pattern(a.Expr, given["pattern"])
	delete(given, "pattern")
	if r.Type = s.resourceType(a.Expr, given); r.Type != "" {
		at := pairRange(a.Expr, string(r.Type))
		attrs["resource."+string(r.Type)] = at
		r.Name = s.resourceName(a.Expr, at, r, given[string(r.Type)])
	}
	return r
}

// resourceType is the one key that has a value; empty where there is not one.
func (s *scope) resourceType(expr hcl.Expression, given map[string]cty.Value) schema.ResourceType {
	types := spelt(schema.ResourceTypes())
	var found []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(types, key):
			s.refuse(pairRange(expr, key), "Unknown type of resource "+schema.Quote(key), "It is one of %s.%s", strings.Join(types, ", "), didYouMean(key, append(types, "pattern")))
			return ""
		case !given[key].IsNull():
			found = append(found, key)
		}
	}
	if len(found) != 1 {
		s.refuse(expr.Range(), "Not one resource", "Rights are about one resource: name one of %s.", strings.Join(types, ", "))
		return ""
	}
	return schema.ResourceType(found[0])
}

func (s *scope) pattern(expr hcl.Expression, v cty.Value) schema.Pattern {
	if v == cty.NilVal || v.IsNull() {
		return schema.Literal
	}
	if v.Type() == cty.String {
		if p := schema.Pattern(strings.ToLower(v.AsString())); p == schema.Literal || p == schema.Prefixed {
			return p
		}
	}
	s.refuse(pairRange(expr, "pattern"), "Not a pattern", `It is "literal" or "prefixed", not %s.`, described(v))
	return schema.Literal
}

// resourceName is the name that a value within an expression gives a resource.
func (s *scope) resourceName(expr hcl.Expression, at hcl.Range, r schema.ACLResource, v cty.Value) string {
	switch {
	case r.Type == schema.UserResource && (v.Type() != cty.String || v.AsString() != "*"):
		return s.principalOf(expr, at, v)
	case v.Type() != cty.String:
		s.refuse(at, "Wrong type of value", "The name of the %s is a string, not %s. A queue's is queue.orders.topic.", r.Type, described(v))
		return ""
	}
	name := v.AsString()
	stem, starred := strings.CutSuffix(name, "*")
	switch {
	case r.Type == schema.ClusterResource && (name != schema.ClusterName || r.Pattern != schema.Literal):
		s.refuse(at, "Not the cluster", "There is one, and its name is %q, literally.", schema.ClusterName)
	case r.Type != schema.TopicResource || r.Pattern == schema.Prefixed || name == "*":
		s.plain(name, at)
	case starred && topicName.MatchString(stem):
		s.refuse(at, "Not a topic name", `Kafka takes the * literally here. For all topics that begin with %q, write that, and pattern = "prefixed".`, stem)
	default:
		s.topicName(name, at)
	}
	return name
}

// operations are spelt as Kafka's tools do, in any case. Those that no
// resource of the type knows are refused, as Kafka does.
func (s *scope) operations(a *hcl.Attribute, block hcl.Range, of schema.ResourceType) []schema.Operation {
	var names []string
	if s.failing(func() { names, _ = s.words(a) }) {
		return nil
	}
	if len(names) == 0 {
		s.missing(a, block, "operations", `what is done, like operations = ["read", "describe"]; "all" is everything`)
		return nil
	}
	var all []schema.Operation
	for i, name := range names {
		operation, ok := known(name, of.Operations())
		if !ok && of != "" {
			s.refuse(itemRange(a.Expr, i), "Not an operation on a "+string(of), "Kafka knows these there: %s. It does not know %s.", strings.Join(spelt(of.Operations()), ", "), quoted(name))
		}
		all = append(all, operation)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// known finds an operation as people spell it: Read, READ, alter_configs.
func known(name string, among []schema.Operation) (schema.Operation, bool) {
	plain := strings.NewReplacer("_", "", "-", "").Replace(name)
	i := slices.IndexFunc(among, func(o schema.Operation) bool { return strings.EqualFold(string(o), plain) })
	if i < 0 {
		return "", false
	}
	return among[i], true
}
