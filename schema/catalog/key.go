// Package catalog is what Kafka itself knows: the config keys of its objects
// and of its clients with type, unit, default, accepted values, documentation
// and the version that brought them.
//
// Learn [Key], [Topic], [Group], [Producer] and [Consumer]. The tables are
// generated from real Kafka by testdata/e2e/catalog; what a live broker accepts
// is for that broker to say.
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
	Int  // 32 bits
	Long // 64 bits
	Double
	List // of strings, with commas between
)

var typeNames = [...]string{String: "string", Boolean: "boolean", Int: "int", Long: "long", Double: "double", List: "list"}

// String is Kafka's own word for the type.
func (t Type) String() string { return typeNames[t] }

// Unit is what a number counts.
type Unit uint8

// The units of config values.
const (
	NoUnit Unit = iota
	Milliseconds
	Bytes
)

// Range is the numbers from Least to Most, both included.
type Range struct{ Least, Most int64 }

// Key is one config key of a kind of Kafka object, or of a client. The zero Key stands for one
// that Kafka's brokers may know and this catalog does not: any string.
type Key struct {
	Name     string
	Type     Type
	Unit     Unit
	Default  string   // as a broker without own settings reports it
	Null     bool     // the default is null; Default is empty
	Range    Range    // the least and the most that any version accepts; zero: all that the type holds
	Values   []string // all the strings that are accepted, or the items of a list; nil: any
	Doc      string   // Kafka's own, as plain text, a paragraph a line; none of what a client logs in with
	Since    string   // the minor version that brought it, "4.4"; empty: the oldest looked at has it
	Until    string   // the last minor version that knew it, "3.9"; empty: the newest looked at has it
	ReadOnly bool     // reported, but not to be set
}

// Table is the keys of one kind of object, sorted by name.
type Table []Key

// Find looks a config key of brokers up, of a topic or a group, by its exact
// name: no name is of both.
func Find(name string) (Key, bool) {
	if key, found := Topic.Find(name); found {
		return key, true
	}
	return Group.Find(name)
}

// Find looks a key up by its exact name.
func (t Table) Find(name string) (Key, bool) {
	i, found := slices.BinarySearchFunc(t, name, func(k Key, name string) int { return strings.Compare(k.Name, name) })
	if !found {
		return Key{}, false
	}
	return t[i], true
}
