// Package live holds the snapshot: the cluster as read at one moment, in plain
// values with a JSON form both ways, and what may be asked of a cluster.
//
// Learn [Snapshot], [Seen] and [Topic]. How a snapshot is read is package
// inspect's concern; nothing here knows a Kafka client.
package live

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/queueform/queueform/schema"
)

// Snapshot is the live cluster, as far as a [Scope] asked.
type Snapshot struct {
	Cluster  Cluster                `json:"cluster"`
	Topics   map[string]Seen[Topic] `json:"topics"`
	Moves    Seen[int]              `json:"moves"`    // partitions of Topics that are being reassigned; unseen: they may be on their way elsewhere
	Ledger   Seen[Ledger]           `json:"ledger"`   // absent: there is none, and nothing is owned
	Defaults map[string]string      `json:"defaults"` // topic-level keys: what a topic without an override inherits, as far as one was seen
	Users    map[string]Seen[User]  `json:"users,omitempty"`
	Bindings Seen[Bindings]         `json:"bindings,omitzero"` // of everybody, about everything
	Quotas   Seen[Quotas]           `json:"quotas,omitzero"`   // of everybody
	Groups   map[string]Seen[Group] `json:"groups,omitempty"`
	GroupsAt time.Time              `json:"groups_at,omitzero"` // when it was read how far they have come
	Rates    Seen[Rates]            `json:"rates,omitzero"`     // only where a topic is throttled

	GroupKeys []string `json:"group_keys,omitempty"` // what brokers can be told of groups, sorted; none before Kafka 4.0, and where no group was read
}

// Scope is what to read.
type Scope struct {
	Topics   []string // by name
	Moves    bool     // the reassignments that run, too
	Bare     bool     // where the topics are, and not how they are configured
	Users    []string // by name
	Bindings bool
	Quotas   bool
	Groups   []string // by id
	From     *int32   // the broker to ask, by id; nil: any
}

// None says whether there is nothing to read.
func (s *Scope) None() bool {
	return len(s.Topics)+len(s.Users)+len(s.Groups) == 0 && !s.Bindings && !s.Quotas
}

// Add takes over what a further look has seen. Of the cluster itself the first
// look tells.
func (s *Snapshot) Add(more *Snapshot) {
	add(&s.Topics, more.Topics)
	add(&s.Users, more.Users)
	add(&s.Groups, more.Groups)
	add(&s.Defaults, more.Defaults)
	later(&s.Moves, more.Moves)
	later(&s.Ledger, more.Ledger)
	later(&s.Bindings, more.Bindings)
	later(&s.Quotas, more.Quotas)
	later(&s.Rates, more.Rates)
	if len(more.GroupKeys) > 0 {
		s.GroupKeys = more.GroupKeys
	}
	if s.GroupsAt.IsZero() {
		s.GroupsAt = more.GroupsAt
	}
}

func add[V any](to *map[string]V, more map[string]V) {
	if *to == nil && len(more) > 0 {
		*to = make(map[string]V, len(more))
	}
	maps.Copy(*to, more)
}

// later keeps a fact that was asked for.
func later[T any](to *Seen[T], fact Seen[T]) {
	if fact.Asked() {
		*to = fact
	}
}

// State tells a fact that is not there from one that could not be read.
type State uint8

// The states of a fact. The zero State was not asked, or could not be read.
const (
	Unseen State = iota
	Absent
	Present
)

var stateNames = [...]string{Unseen: "unseen", Absent: "absent", Present: "present"}

func (s State) String() string { return stateNames[s] }

// MarshalText spells the state as a saved snapshot does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(stateNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown state %q of a fact", text)
	}
	*s = State(i)
	return nil
}

// Seen is a fact about the cluster, or why it is not known.
type Seen[T any] struct {
	State State  `json:"state"`
	Value T      `json:"value,omitzero"`
	Why   string `json:"why,omitempty"`   // of an unseen fact: the reason, in words
	Needs string `json:"needs,omitempty"` // the missing right, "Describe on Topic shop.orders"
}

// Asked says whether the fact was asked for.
func (s Seen[T]) Asked() bool { return s.State != Unseen || s.Why != "" }

// Reason is why a fact is unseen, in words.
func (s Seen[T]) Reason() string { return cmp.Or(s.Why, "it was not read") }

// Is wraps a fact that was read.
func Is[T any](value T) Seen[T] { return Seen[T]{State: Present, Value: value} }

// None is a fact known not to exist.
func None[T any]() Seen[T] { return Seen[T]{State: Absent} }

// Hidden is a fact that could not be read.
func Hidden[T any](why, needs string) Seen[T] { return Seen[T]{Why: why, Needs: needs} }

// Cluster is who answered.
type Cluster struct {
	ID         string   `json:"id"`
	Controller int32    `json:"controller"` // -1: unknown
	Brokers    []Broker `json:"brokers"`    // those that are up, by id
	Pins       bool     `json:"pins"`       // the brokers tell an override equal to the inherited value from no override

	Protocols []schema.Protocol `json:"protocols,omitempty"` // of groups: those that the brokers speak; none: not asked, or not told
}

// Broker is one broker that is up.
type Broker struct {
	ID   int32  `json:"id"`
	Rack string `json:"rack,omitempty"`
}

// Up says whether the broker answered the controller when the snapshot was read.
func (c *Cluster) Up(id int32) bool {
	_, found := slices.BinarySearchFunc(c.Brokers, id, func(b Broker, id int32) int { return int(b.ID) - int(id) })
	return found
}

// TopicID is Kafka's identity of one life of a topic (KIP-516, Kafka 2.8+):
// a topic deleted and made again has another. Zero where the broker has none.
type TopicID [16]byte

// String is Kafka's own spelling, 22 characters.
func (id TopicID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// MarshalText makes an id its own spelling in JSON.
func (id TopicID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (id *TopicID) UnmarshalText(text []byte) error {
	bytes, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(bytes) != len(id) {
		return fmt.Errorf("%q is not the id of a topic", text)
	}
	copy(id[:], bytes)
	return nil
}

// Topic is one live topic.
type Topic struct {
	ID         TopicID                 `json:"id"`
	Partitions []Partition             `json:"partitions"`          // by number
	Overrides  Seen[map[string]string] `json:"overrides"`           // the topic-level configs that are set, as the broker spells them
	Throttled  map[string]string       `json:"throttled,omitempty"` // the lists of replicas that a replication throttle slows (KIP-73), by key
}

// Rates are those of the replication throttle that are set on brokers (KIP-73),
// bytes per second as the broker spells them: by broker, then by key.
type Rates map[int32]map[string]string

// Partition is one partition's place. Replicas are those it will have once a
// running reassignment ends, the preferred leader first.
type Partition struct {
	Leader   int32   `json:"leader"` // -1: none, the partition is offline
	Replicas []int32 `json:"replicas"`
	InSync   []int32 `json:"in_sync"`
	Adding   []int32 `json:"adding,omitempty"`   // the running reassignment's
	Removing []int32 `json:"removing,omitempty"` // likewise; not among Replicas
}

// Moving says whether a reassignment of the partition is running.
func (p *Partition) Moving() bool { return len(p.Adding)+len(p.Removing) > 0 }

// Factor is the replication factor: the largest among the partitions.
func (t *Topic) Factor() int {
	most := 0
	for i := range t.Partitions {
		most = max(most, len(t.Partitions[i].Replicas))
	}
	return most
}
