// Package schema holds the nouns of a topology: what one directory of HCL
// files declares, each noun knowing where it was declared.
//
// Learn [Topology], [Resource] and [Queue]. Reading HCL is package lang's
// concern; nothing here touches a file, a network or a Kafka client.
package schema

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
)

// Kind names a sort of object that Kafka keeps.
type Kind string

// KindQueue is a topic together with the contract of its use.
const KindQueue Kind = "queue"

// Shared says whether several topologies may hold an object of the kind at once.
func (k Kind) Shared() bool { return k == KindACL }

// ID is Kafka's own identity of an object: what ownership, diff and
// dependencies are keyed by. For a queue, Name is the topic.
type ID struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

func (id ID) String() string { return fmt.Sprintf("%s %q", id.Kind, id.Name) }

// Role says what a block wants of the object it names. The zero Role declares it.
type Role string

// The roles that stand before the kind in a block and in an address.
const (
	RoleExternal Role = "external"
	RoleDelete   Role = "delete"
	RoleForget   Role = "forget" // ownership goes, the object stays
	RoleOrphan   Role = "orphan" // no block: the ledger alone knows the object
)

// Addr is how people name a declared thing: queue.orders, queue.shard["eu"],
// external.queue.payments, delete.queue["shop.old"]. It is comparable.
type Addr struct {
	Role  Role
	Kind  Kind
	Label string // empty where the block is named by Kafka's name alone
	Key   string // the for_each key, or the Kafka name where Label is empty
	Keyed bool   // Key holds
}

// Orphan is the address of what the ledger alone knows.
func Orphan(id ID) Addr { return Addr{Role: RoleOrphan, Kind: id.Kind, Key: id.Name, Keyed: true} }

func (a Addr) String() string {
	var b strings.Builder
	if a.Role != "" {
		b.WriteString(string(a.Role))
		b.WriteByte('.')
	}
	b.WriteString(string(a.Kind))
	if a.Label != "" {
		b.WriteByte('.')
		b.WriteString(a.Label)
	}
	if a.Keyed {
		b.WriteByte('[')
		b.WriteString(Quote(a.Key))
		b.WriteByte(']')
	}
	return b.String()
}

// Block is the address of the whole block, all its for_each instances together.
func (a Addr) Block() Addr {
	if a.Label != "" {
		a.Key, a.Keyed = "", false
	}
	return a
}

// Covers says whether a names b: the same address, or the block b is an instance of.
func (a Addr) Covers(b Addr) bool { return a == b || a == b.Block() }

// Compare orders addresses as lists show them: by role, kind, label and key.
func (a Addr) Compare(b Addr) int {
	return cmp.Or(
		strings.Compare(string(a.Role), string(b.Role)),
		strings.Compare(string(a.Kind), string(b.Kind)),
		strings.Compare(a.Label, b.Label),
		strings.Compare(a.Key, b.Key),
	)
}

// MarshalText makes an address its own spelling in JSON.
func (a Addr) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Addr) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAddr(string(text))
	return err
}

// ParseAddr reads an address as people type it. It fails on anything that
// [Addr.String] could not have written.
func ParseAddr(text string) (Addr, error) {
	malformed := fmt.Errorf("%q is not an address: write it like queue.orders or queue.shard[\"eu\"]", text)
	path, key, keyed := strings.Cut(text, "[")
	var a Addr
	if keyed {
		quoted, closed := strings.CutSuffix(key, "]")
		var err error
		if a.Key, err = unquote(quoted); err != nil || !closed {
			return Addr{}, malformed
		}
		a.Keyed = true
	}
	parts := strings.Split(path, ".")
	switch role := Role(parts[0]); role {
	case RoleExternal, RoleDelete, RoleForget, RoleOrphan:
		a.Role, parts = role, parts[1:]
	}
	switch {
	case len(parts) == 2 && parts[0] != "" && parts[1] != "":
		a.Kind, a.Label = Kind(parts[0]), parts[1]
	case len(parts) == 1 && parts[0] != "" && a.Role != "" && a.Role != RoleExternal && a.Keyed:
		a.Kind = Kind(parts[0])
	default:
		return Addr{}, malformed
	}
	return a, nil
}

// Quote writes s as an HCL string literal: what JSON would, with template
// openings doubled so that they stay text, and what nobody could see escaped.
func Quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("quote %q: %v", s, err)) // a string always encodes
	}
	var quoted strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		switch {
		case unicode.IsPrint(r):
			quoted.WriteRune(r)
		case r <= '\uffff':
			fmt.Fprintf(&quoted, `\u%04x`, r)
		default: // which HCL has in one, and JSON in two
			fmt.Fprintf(&quoted, `\U%08x`, r)
		}
	}
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(quoted.String())
}

// longEscape is that of HCL which JSON does not know, or a backslash that is text.
var longEscape = regexp.MustCompile(`\\(?:\\|U[0-9a-f]{8})`)

func unquote(quoted string) (string, error) {
	quoted = longEscape.ReplaceAllStringFunc(quoted, func(escaped string) string {
		if escaped == `\\` {
			return escaped
		}
		r, _ := strconv.ParseInt(escaped[2:], 16, 32) // it matched digits
		return string(rune(r))
	})
	var s string
	if err := json.Unmarshal([]byte(quoted), &s); err != nil {
		return "", errors.New("not a quoted string")
	}
	return strings.NewReplacer("$${", "${", "%%{", "%{").Replace(s), nil
}

// Written is where a block and its values stand in the files.
type Written struct {
	Source hcl.Range            `json:"-"` // the block's header
	Attrs  map[string]hcl.Range `json:"-"` // by path, "config.retention.ms": where the value was written, possibly in a profile
}

// At is where the value at path was written, or the block's header.
func (w *Written) At(path string) hcl.Range {
	if r, ok := w.Attrs[path]; ok {
		return r
	}
	return w.Source
}

// Decl is where and how a noun was declared; every noun embeds it.
type Decl struct {
	Written
	Addr        Addr
	Description string
	Labels      map[string]string
}

// Declared gives a noun its place in [Resource].
func (d *Decl) Declared() *Decl { return d }

// Resource is a declared noun.
type Resource interface {
	Declared() *Decl
	ID() ID
}
