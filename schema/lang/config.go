package lang

import (
	"maps"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/diag"
)

// config evaluates a config map over what q has already: keys are replaced
// one by one, and null takes one away.
func (s *scope) config(q *schema.Queue, a *hcl.Attribute) {
	if a == nil {
		return
	}
	q.Attrs["config"] = a.Expr.Range()
	if q.Config = maps.Clone(q.Config); q.Config == nil {
		q.Config = map[string]schema.Setting{}
	}
	pairs, diags := hcl.ExprMap(a.Expr)
	if diags.HasErrors() {
		s.computedConfig(q, a.Expr)
		return
	}
	written := make(map[string]hcl.Range, len(pairs))
	for _, pair := range pairs {
		v, ok := s.value(pair.Key)
		if !ok {
			continue
		}
		if v, ok = s.convert(pair.Key, v, cty.String, "A config key"); !ok {
			continue
		}
		key, at := v.AsString(), pair.Key.Range()
		if first, twice := written[key]; twice {
			s.refuse(at, "Config key set twice", "%s is set at %s already.", key, diag.Place(first))
			continue
		}
		written[key] = at
		s.setting(q, key, at, pair.Value)
	}
}

// setting evaluates one value of a config map.
func (s *scope) setting(q *schema.Queue, key string, keyAt hcl.Range, expr hcl.Expression) {
	var v cty.Value
	if s.failing(func() { v, _ = s.value(expr) }) {
		return
	}
	if _, set := q.Config[key]; v.IsNull() && !set && len(expr.Variables()) == 0 && !s.failed {
		s.warn(expr.Range(), "Nothing to take away", "null takes away what a profile sets, and none sets %s here: it is inherited all the same. Leave the line out, or give it a value.", key)
	}
	s.set(q, key, v, keyAt, expr.Range())
}

// computedConfig takes a map that an expression gives, merge(...) for example.
func (s *scope) computedConfig(q *schema.Queue, expr hcl.Expression) {
	v, ok := s.value(expr)
	if !ok {
		return
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		s.refuse(expr.Range(), "Wrong type of value", "config is a map of Kafka's config keys, not %s.", described(v))
		return
	}
	for key, value := range v.Elements() {
		s.set(q, key.AsString(), value, expr.Range(), expr.Range())
	}
}

func (s *scope) set(q *schema.Queue, key string, v cty.Value, keyAt, valueAt hcl.Range) {
	known := s.key(key, keyAt)
	q.Attrs["config."+key] = valueAt
	if v.IsNull() {
		delete(q.Config, key)
		return
	}
	text, ok := s.spelling(known, v, valueAt)
	if !ok {
		return
	}
	value, err := known.Parse(text)
	if err != nil {
		s.refuse(valueAt, "Value refused", "%v.", err)
		return
	}
	q.Config[key] = schema.Setting{Value: value, Spelling: text}
}

// key looks a config key up. One that is nearly known is a slip of the pen;
// others are for the live brokers to know.
func (s *scope) key(name string, at hcl.Range) catalog.Key {
	known, ok := catalog.Topic.Find(name)
	switch {
	case name == "":
		s.refuse(at, "Config key without a name", "Name one of Kafka's topic configs, like retention.ms.")
	case strings.HasSuffix(name, ".replication.throttled.replicas"):
		s.refuse(at, "Config key cannot be declared", "%s belongs to moves of replicas: queueform sets and removes it.", name)
	case ok && known.ReadOnly:
		s.refuse(at, "Config key cannot be set", "%s is read-only.", name)
	case ok:
	default:
		if near := s.loader.nearKey(name); near != "" {
			s.refuse(at, "Unknown config key", "Kafka has no topic config %s. Did you mean %q?", schema.Quote(name), near)
		} else {
			s.warn(at, "Unknown config key", "Kafka has no topic config %s. The live brokers decide.", schema.Quote(name))
		}
	}
	known.Name = name
	return known
}

// nearKey is the known key that an unknown one may mean.
func (l *loader) nearKey(name string) string {
	near, found := l.near[name]
	if !found {
		names := make([]string, len(catalog.Topic))
		for i, k := range catalog.Topic {
			names[i] = k.Name
		}
		near = Closest(name, names)
		l.near[name] = near
	}
	return near
}

// spelling is a value as the file has it: lists with commas between.
func (s *scope) spelling(k catalog.Key, v cty.Value, at hcl.Range) (string, bool) {
	switch t := v.Type(); {
	case t == cty.String:
		return v.AsString(), true
	case t == cty.Number:
		text, ok := digits(v)
		if !ok {
			s.refuse(at, "Number out of range", "%s is not a number of hundreds of digits.", k.Name)
		}
		return text, ok
	case t == cty.Bool && v.True():
		return "true", true
	case t == cty.Bool:
		return "false", true
	case k.Type == catalog.List && (t.IsListType() || t.IsSetType() || t.IsTupleType()):
		items := make([]string, 0, v.LengthInt())
		for _, item := range v.AsValueSlice() {
			if item.IsNull() || item.Type() != cty.String {
				s.refuse(at, "Wrong type of value", "%s is a list of strings, and %s is none.", k.Name, described(item))
				return "", false
			}
			items = append(items, item.AsString())
		}
		return strings.Join(items, ","), true
	}
	wanted := k.Type.String()
	if _, known := catalog.Topic.Find(k.Name); !known {
		wanted = "string or a number, as queueform does not know it"
	}
	s.refuse(at, "Wrong type of value", "%s is a %s, not %s.", k.Name, wanted, described(v))
	return "", false
}
