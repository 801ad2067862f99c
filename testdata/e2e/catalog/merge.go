package main

import (
	"cmp"
	"fmt"
	"html"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/schema/catalog"
)

// merge makes the table: each key as the newest broker that has it describes
// it or, where no broker does, as its newest definition.
func (o *object) merge(described described, defined definitions) (catalog.Table, error) {
	keys := map[string]catalog.Key{}
	if len(o.describedBy) == 0 {
		for _, version := range o.versions {
			for name, a := range defined[version] {
				keys[name] = o.define(a.key, defined)
			}
		}
	}
	for _, version := range o.describedBy {
		for _, c := range described[source{o.table, version}] {
			if _, ok := defined[version][c.Name]; !ok {
				return nil, fmt.Errorf("brokers of Kafka %s have %s, its definitions do not", version, c.Name)
			}
			key, err := describedKey(&c)
			if err != nil {
				return nil, err
			}
			keys[c.Name] = o.define(key, defined)
		}
	}
	return slices.SortedFunc(maps.Values(keys), func(a, b catalog.Key) int { return cmp.Compare(a.Name, b.Name) }), nil
}

var types = map[kmsg.ConfigType]catalog.Type{
	kmsg.ConfigTypeString:  catalog.String,
	kmsg.ConfigTypeBoolean: catalog.Boolean,
	kmsg.ConfigTypeInt:     catalog.Int,
	kmsg.ConfigTypeLong:    catalog.Long,
	kmsg.ConfigTypeDouble:  catalog.Double,
	kmsg.ConfigTypeList:    catalog.List,
}

func describedKey(c *config) (catalog.Key, error) {
	t, ok := types[c.ConfigType]
	if !ok {
		return catalog.Key{}, fmt.Errorf("%s is of the type %v, which the catalog does not know", c.Name, c.ConfigType)
	}
	key := catalog.Key{Name: c.Name, Type: t, Unit: unit(c.Name, t), Null: c.Value == nil, ReadOnly: c.ReadOnly}
	if c.Value != nil {
		key.Default = *c.Value
	}
	if c.Documentation != nil {
		key.Doc = plain(*c.Documentation)
	}
	return key, nil
}

// sizes are the keys that count bytes and do not say so.
var sizes = []string{"batch.size", "buffer.memory", "max.request.size"}

// unit is told by the name: Kafka's definitions have none.
func unit(name string, t catalog.Type) catalog.Unit {
	switch number := t == catalog.Int || t == catalog.Long; {
	case number && strings.HasSuffix(name, ".ms"):
		return catalog.Milliseconds
	case number && (strings.HasSuffix(name, ".bytes") || slices.Contains(sizes, name)):
		return catalog.Bytes
	}
	return catalog.NoUnit
}

// define adds what the definitions tell: a range that holds for any version,
// since the cluster's is not known where values are checked, the newest
// version's choice of values, and when the key came and went.
func (o *object) define(key catalog.Key, defined definitions) catalog.Key {
	var in []string
	var bounds catalog.Range
	for _, version := range o.versions {
		if a, ok := defined[version][key.Name]; ok {
			bounds = hull(bounds, a.bounds, len(in) == 0)
			key.Values = a.values
			in = append(in, version)
		}
	}
	if bounds.Most == math.MaxInt64 && key.Type == catalog.Int {
		bounds.Most = math.MaxInt32
	}
	key.Range = bounds
	if oldest := in[0]; oldest != o.versions[0] {
		key.Since = minor(oldest)
	}
	if newest := in[len(in)-1]; newest != o.versions[len(o.versions)-1] {
		key.Until = minor(newest)
	}
	return key
}

// hull is the range that holds both; no range is any number.
func hull(a, b catalog.Range, first bool) catalog.Range {
	switch none := (catalog.Range{}); {
	case first:
		return b
	case a == none || b == none:
		return none
	}
	return catalog.Range{Least: min(a.Least, b.Least), Most: max(a.Most, b.Most)}
}

func minor(version string) string { return version[:strings.LastIndexByte(version, '.')] }

var (
	block = regexp.MustCompile(`</?(?:p|br|ul|ol|li)\s*/?>`)
	tag   = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
)

// plain is Kafka's documentation without its HTML, a paragraph a line.
func plain(doc string) string {
	var lines []string
	for _, part := range block.Split(doc, -1) {
		text := html.UnescapeString(tag.ReplaceAllString(part, ""))
		if words := strings.Fields(text); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	return strings.Join(lines, "\n")
}
