// Package catalog is what Kafka itself knows: the config keys of its objects
// with type, unit, default, documentation and the version that brought them.
//
// Learn [Key] and [Topic]. The tables are generated from real brokers by
// testdata/e2e/catalog; what a live broker accepts is for that broker to say.
package catalog

import (
	"slices"
	"strings"
)

// Type is the type of a config value, as Kafka's own ConfigDef has it.
type Type uint8

// Kafka's config types.
const (
	String Type = iota
	Boolean
	Int
	Long
	Double
	List
)

// Unit is what a number counts.
type Unit uint8

// The units of config values.
const (
	NoUnit Unit = iota
	Milliseconds
	Bytes
)

// Key is one config key of a kind of Kafka object.
type Key struct {
	Name     string
	Type     Type
	Unit     Unit
	Default  string // as a fresh broker reports it
	Null     bool   // the default is null; Default is empty
	Doc      string // Kafka's own, as plain text
	Since    string // the Kafka version that brought it; empty: before 3.9
	Until    string // the last Kafka version that knew it; empty: still there
	ReadOnly bool   // reported, but not to be set
}

// Table is the keys of one kind of object, sorted by name.
type Table []Key

// Find looks a key up by its exact name.
func (t Table) Find(name string) (Key, bool) {
	i, found := slices.BinarySearchFunc(t, name, func(k Key, name string) int { return strings.Compare(k.Name, name) })
	if !found {
		return Key{}, false
	}
	return t[i], true
}
