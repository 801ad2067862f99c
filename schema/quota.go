package schema

import (
	"fmt"
	"strings"
)

// KindQuota is how much an entity may use.
const KindQuota Kind = "quota"

// Quota is how much one entity may use (KIP-546, Kafka 2.6+).
type Quota struct {
	Decl
	Entity Entity
	Limits Limits
}

// ID is the block's own: several may be about one [Entity], and merge.
func (q *Quota) ID() ID { return ID{Kind: KindQuota, Name: q.Addr.String()} }

// Limits are an entity's, by the names that Kafka has for them.
type Limits map[LimitKey]float64

// LimitKey names what is limited.
type LimitKey string

// The limits there are.
const (
	ProducerByteRate       LimitKey = "producer_byte_rate"       // bytes a second, on each broker
	ConsumerByteRate       LimitKey = "consumer_byte_rate"       // likewise
	RequestPercentage      LimitKey = "request_percentage"       // of one thread's time, on each broker
	ControllerMutationRate LimitKey = "controller_mutation_rate" // partitions created and deleted a second (KIP-599, Kafka 2.7+)
	ConnectionCreationRate LimitKey = "connection_creation_rate" // a second, on each broker; of an ip alone (KIP-612, Kafka 2.7+)
)

// Entity is whom a quota limits: a user, a client id, both together, or an ip.
// It is comparable.
type Entity struct {
	User     EntityName
	ClientID EntityName
	IP       EntityName
}

// EntityName is one part of an entity. The zero EntityName is not part of it.
type EntityName struct {
	Set     bool
	Default bool // all that have no quota of their own; Name is empty
	Name    string
}

// Named is the part of an entity that has a name.
func Named(name string) EntityName { return EntityName{Set: true, Name: name} }

// DefaultName is the part of an entity that stands for all without a quota of their own.
func DefaultName() EntityName { return EntityName{Set: true, Default: true} }

// IsReserved says whether a name could not be told from the default where
// entities are written as text.
func (n EntityName) IsReserved() bool { return n.Name == defaultEntity }

// ID is the entity's.
func (e Entity) ID() ID { return ID{Kind: KindQuota, Name: e.String()} }

// String is the entity on one line: "user:guest client_id:(default)".
func (e Entity) String() string {
	var parts []string
	for _, part := range e.parts() {
		switch {
		case !part.Set:
		case part.Default:
			parts = append(parts, part.label+":"+defaultEntity)
		default:
			parts = append(parts, bare(part.label+":"+part.Name))
		}
	}
	return strings.Join(parts, " ")
}

const defaultEntity = "(default)"

type entityPart struct {
	label string
	kind  string // Kafka's word for the label
	*EntityName
}

func (e *Entity) parts() []entityPart {
	return []entityPart{{"user", "user", &e.User}, {"client_id", "client-id", &e.ClientID}, {"ip", "ip", &e.IP}}
}

// Parts are the names that an entity consists of, by Kafka's words for them; nil
// is the default.
func (e Entity) Parts() map[string]*string {
	all := map[string]*string{}
	for _, part := range e.parts() {
		switch {
		case !part.Set:
		case part.Default:
			all[part.kind] = nil
		default:
			all[part.kind] = &part.Name
		}
	}
	return all
}

// EntityOf is the entity of such parts. Those that it does not know are left out.
func EntityOf(parts map[string]*string) Entity {
	var e Entity
	for _, part := range e.parts() {
		switch name, set := parts[part.kind]; {
		case !set:
		case name == nil:
			*part.EntityName = DefaultName()
		default:
			*part.EntityName = Named(*name)
		}
	}
	return e
}

// MarshalText makes an entity its own spelling in JSON.
func (e Entity) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (e *Entity) UnmarshalText(text []byte) (err error) {
	*e, err = ParseEntity(string(text))
	return err
}

// ParseEntity reads what [Entity.String] writes.
func ParseEntity(text string) (Entity, error) {
	malformed := fmt.Errorf("%q is not whom a quota limits: write it like %q", text, "user:guest client_id:(default)")
	words, err := words(text)
	if err != nil || len(words) == 0 {
		return Entity{}, malformed
	}
	var e Entity
	for _, word := range words {
		label, name, ok := strings.Cut(word, ":")
		if !ok || !e.set(label, name) {
			return Entity{}, malformed
		}
	}
	return e, nil
}

func (e *Entity) set(label, name string) bool {
	for _, part := range e.parts() {
		if part.label != label || part.Set {
			continue
		}
		*part.EntityName = Named(name)
		if name == defaultEntity {
			*part.EntityName = DefaultName()
		}
		return true
	}
	return false
}
