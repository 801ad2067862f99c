package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// config evaluates a config map over what q has already: keys are replaced
// one by one, and null takes one away.
func (s *scope) config(q *schema.Queue, expr hcl.Expression) {
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		s.computedConfig(q, expr)
		return
	}
	q.Attrs["config"] = expr.Range()
	for _, pair := range pairs {
		if key, ok := s.text(pair.Key); ok {
			v, diags := pair.Value.Value(s.ctx)
			s.loader.complain(explained(diags)...)
			if !diags.HasErrors() {
				s.set(q, key, v, pair.Key.Range(), pair.Value.Range())
			}
		}
	}
}

// computedConfig takes a map that an expression gives, merge(...) for example.
func (s *scope) computedConfig(q *schema.Queue, expr hcl.Expression) {
	v, ok := s.value(expr)
	if !ok {
		return
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		s.refuse(expr.Range(), "Wrong type of value", "config is a map of Kafka's config keys, not %s.", v.Type().FriendlyName())
		return
	}
	q.Attrs["config"] = expr.Range()
	for key, value := range v.Elements() {
		s.set(q, key.AsString(), value, expr.Range(), expr.Range())
	}
}

func (s *scope) set(q *schema.Queue, key string, v cty.Value, keyAt, valueAt hcl.Range) {
	if v.IsNull() {
		delete(q.Config, key)
		return
	}
	if v.ContainsMarked() {
		s.refuse(valueAt, "A secret would be shown here", "Topic configs are readable by everybody on the cluster, and shown in plans.")
		return
	}
	known := s.key(key, keyAt)
	text, ok := s.configText(known, v, valueAt)
	if !ok {
		return
	}
	value, err := known.Parse(text)
	if err != nil {
		s.refuse(valueAt, "Value refused", "%s", sentence(err))
		return
	}
	if q.Config == nil {
		q.Config = map[string]schema.Setting{}
	}
	q.Config[key] = schema.Setting{Value: value, Spelling: text}
	q.Attrs["config."+key] = valueAt
}

// key looks a config key up. One that is nearly known is a slip of the pen;
// others are for the live brokers to know.
func (s *scope) key(name string, at hcl.Range) catalog.Key {
	known, ok := catalog.Topic.Find(name)
	switch near := closestKey(name); {
	case ok && known.ReadOnly:
		s.refuse(at, "Config key cannot be set", "%s is read-only.", name)
	case strings.HasSuffix(name, ".replication.throttled.replicas"):
		s.refuse(at, "Config key cannot be declared", "%s belongs to moves of replicas: queueform sets and removes it.", name)
	case ok:
	case near != "":
		s.refuse(at, "Unknown config key", "Kafka has no topic config %q. Did you mean %q?", name, near)
	default:
		s.warn(at, "Unknown config key", "Kafka has no topic config %q; the live brokers decide.", name)
	}
	known.Name = name
	return known
}

func closestKey(name string) string {
	if _, ok := catalog.Topic.Find(name); ok {
		return ""
	}
	names := make([]string, len(catalog.Topic))
	for i, k := range catalog.Topic {
		names[i] = k.Name
	}
	return closest(name, names)
}

// configText is a value as the file spells it: lists with commas between.
func (s *scope) configText(k catalog.Key, v cty.Value, at hcl.Range) (string, bool) {
	switch t := v.Type(); {
	case !v.IsWhollyKnown():
	case t == cty.String:
		return v.AsString(), true
	case t == cty.Number:
		return v.AsBigFloat().Text('f', -1), true
	case t == cty.Bool && v.True():
		return "true", true
	case t == cty.Bool:
		return "false", true
	case t.IsListType() || t.IsSetType() || t.IsTupleType():
		items := make([]string, 0, v.LengthInt())
		for _, item := range v.AsValueSlice() {
			text, ok := s.configText(k, item, at)
			if !ok {
				return "", false
			}
			items = append(items, text)
		}
		return strings.Join(items, ","), true
	}
	s.refuse(at, "Wrong type of value", "%s is a string, a number, true, false or a list, not %s.", k.Name, v.Type().FriendlyName())
	return "", false
}

// ignored checks that no key is both declared and left alone.
func (s *scope) ignored(q *schema.Queue, expr hcl.Expression) {
	for _, key := range q.Lifecycle.IgnoreConfig {
		if _, declared := q.Config[key]; declared {
			s.refuse(expr.Range(), "Declared and ignored", "%s is set in config, so it cannot be in ignore_config.", key)
			continue
		}
		s.key(key, expr.Range())
	}
}

// sentence makes an error's text the detail of a diagnostic.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
