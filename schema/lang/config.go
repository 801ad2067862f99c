package lang

import (
	"maps"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/diag"
)

// keys are the config keys of a kind of thing, and how messages speak of them.
type keys struct {
	argument string // that holds them, and begins their paths in Attrs
	profiled bool   // profiles may hold it
	what     string // one of them is
	like     string // one of them, for an example
	judge    string // who knows better
	table    catalog.Table
}

var (
	topicKeys    = keys{"config", true, "topic config", "retention.ms", "The live brokers decide.", catalog.Topic}
	groupKeys    = keys{"config", false, "group config", "consumer.session.timeout.ms", "The live brokers decide.", catalog.Group}
	producerKeys = keys{"client", false, "producer setting", "linger.ms", "The client decides.", catalog.Producer}
	consumerKeys = keys{"client", false, "consumer setting", "max.poll.interval.ms", "The client decides.", catalog.Consumer}
)

// settings is a map of config keys that is being evaluated.
type settings struct {
	*scope
	keys  keys
	all   map[string]schema.Setting
	attrs map[string]hcl.Range
}

// settings evaluates a map of config keys over what there is already: keys are
// replaced one by one, and null takes one away.
func (s *scope) settings(of keys, a *hcl.Attribute, over map[string]schema.Setting, attrs map[string]hcl.Range) map[string]schema.Setting {
	if a == nil {
		return over
	}
	attrs[of.argument] = a.Expr.Range()
	c := settings{scope: s, keys: of, all: maps.Clone(over), attrs: attrs}
	if c.all == nil {
		c.all = map[string]schema.Setting{}
	}
	if pairs, diags := hcl.ExprMap(a.Expr); diags.HasErrors() {
		c.computed(a.Expr)
	} else {
		c.written(pairs)
	}
	return c.all
}

// written takes a map whose keys stand in the file.
func (s *settings) written(pairs []hcl.KeyValuePair) {
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
		s.pair(key, at, pair.Value)
	}
}

// pair evaluates one value.
func (s *settings) pair(key string, keyAt hcl.Range, expr hcl.Expression) {
	var v cty.Value
	if s.failing(func() { v, _ = s.value(expr) }) {
		return
	}
	if _, set := s.all[key]; s.keys.profiled && v.IsNull() && !set && len(expr.Variables()) == 0 && !s.failed {
		s.warn(expr.Range(), "Nothing to take away", "null takes away what a profile sets, and none sets %s here: it is inherited all the same. Leave the line out, or give it a value.", key)
	}
	s.set(key, v, keyAt, expr.Range())
}

// computed takes a map that an expression gives, merge(...) for example.
func (s *settings) computed(expr hcl.Expression) {
	v, ok := s.value(expr)
	if !ok {
		return
	}
	if !v.Type().IsObjectType() && !v.Type().IsMapType() {
		s.refuse(expr.Range(), "Wrong type of value", "%s is a map of Kafka's %ss, not %s.", s.keys.argument, s.keys.what, described(v))
		return
	}
	for key, value := range v.Elements() {
		s.set(key.AsString(), value, expr.Range(), expr.Range())
	}
}

func (s *settings) set(key string, v cty.Value, keyAt, valueAt hcl.Range) {
	known := s.key(s.keys, key, keyAt)
	s.attrs[s.keys.argument+"."+key] = valueAt
	if v.IsNull() {
		delete(s.all, key)
		return
	}
	text, ok := s.spelling(known, v, valueAt)
	if !ok {
		return
	}
	if key == "buffer.memory" && text == schema.AutoMemory {
		known = catalog.Key{} // any text
	}
	value, err := known.Parse(text)
	if err != nil {
		s.refuse(valueAt, "Value refused", "%v.", err)
		return
	}
	s.all[key] = schema.Setting{Value: value, Spelling: text}
}

// key looks a config key up. One that is nearly known is a slip of the pen;
// others are for those to know who get it.
func (s *scope) key(of keys, name string, at hcl.Range) catalog.Key {
	known, ok := of.table.Find(name)
	switch {
	case name == "":
		s.refuse(at, "Config key without a name", "Name one of Kafka's %ss, like %s.", of.what, of.like)
	case strings.HasSuffix(name, ".replication.throttled.replicas"):
		s.refuse(at, "Config key cannot be declared", "%s belongs to moves of replicas: queueform sets and removes it.", name)
	case ok && known.ReadOnly:
		s.refuse(at, "Config key cannot be set", "%s is read-only.", name)
	case ok:
	default:
		if near := s.loader.nearKey(of, name); near != "" {
			s.refuse(at, "Unknown config key", "Kafka has no %s %s. Did you mean %q?", of.what, schema.Quote(name), near)
		} else {
			s.warn(at, "Unknown config key", "Kafka has no %s %s. %s", of.what, schema.Quote(name), of.judge)
		}
	}
	known.Name = name
	return known
}

// misspelt is a key that is none of those that something has.
type misspelt struct{ what, name string }

// nearKey is the known key that an unknown one may mean.
func (l *loader) nearKey(of keys, name string) string {
	key := misspelt{of.what, name}
	near, found := l.near[key]
	if !found {
		names := make([]string, len(of.table))
		for i, k := range of.table {
			names[i] = k.Name
		}
		near = Closest(name, names)
		l.near[key] = near
	}
	return near
}

// spelling is a value as the file has it: lists with commas between.
func (s *settings) spelling(k catalog.Key, v cty.Value, at hcl.Range) (string, bool) {
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
	case k.Type == catalog.List && isList(t):
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
	if _, known := s.keys.table.Find(k.Name); !known {
		wanted = "string or a number, as queueform does not know it"
	}
	s.refuse(at, "Wrong type of value", "%s is a %s, not %s.", k.Name, wanted, described(v))
	return "", false
}

func isList(t cty.Type) bool { return t.IsListType() || t.IsSetType() || t.IsTupleType() }

// client evaluates the settings of an application's client. What is secret is
// the application's own affair.
func (s *scope) client(of keys, a *hcl.Attribute, attrs map[string]hcl.Range) map[string]schema.Setting {
	all := s.settings(of, a, nil, attrs)
	for key := range all {
		if secretSetting.MatchString(key) {
			s.refuse(attrs[of.argument+"."+key], "A secret would be shown here", "%s is for the application to know: client holds what may be shown.", key)
		}
	}
	return all
}

// secretSetting is the name of a client's setting that holds a secret.
var secretSetting = regexp.MustCompile(`(?i)password$|secret$|jaas\.config$|keystore\.key$|token$|auth\.user\.info$`)
