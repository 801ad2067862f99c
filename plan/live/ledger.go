package live

import (
	"slices"

	"github.com/queueform/queueform/schema"
)

// Ledger is what the cluster remembers for queueform, as far as plans need it.
type Ledger struct {
	Owners    Owners              `json:"owners,omitempty"`
	Holders   Holders             `json:"holders,omitempty"`
	Throttles map[string]Throttle `json:"throttles,omitempty"` // by topic
	Locks     map[string]Lock     `json:"locks,omitempty"`     // by topology: who else applies it
	Unfit     string              `json:"unfit,omitempty"`     // why no apply would use it, be it that it cannot be made; empty: nothing is known against it
	Clock     int64               `json:"clock,omitempty"`     // when something was last written to it, by the clock of the brokers, milliseconds since 1970
}

// Owners says which topology has which object, by kind and Kafka's name.
type Owners map[schema.Kind]map[string]Owner

// Owner is who has an object.
type Owner struct {
	Topology      string  `json:"topology"`
	TopicID       TopicID `json:"topic_id,omitzero"`        // of a queue: the life that is owned; zero: not known
	HalfDone      bool    `json:"half_done,omitempty"`      // an apply set out to change it, and never said how that ended
	PreventDelete bool    `json:"prevent_delete,omitempty"` // its owner must lift this before it can be deleted

	Made     bool     `json:"made,omitempty"`     // queueform made it
	Leaving  bool     `json:"leaving,omitempty"`  // its owner was about to delete it
	Keys     []string `json:"keys,omitempty"`     // of a quota or a group: those that queueform has set
	Password int      `json:"password,omitempty"` // of a user: the version that is set

	Seeds map[string]Seed `json:"seeds,omitempty"` // of a group, by topic
}

// Seed is where a group was put in one life of a topic, before it had read any
// of it.
type Seed struct {
	TopicID TopicID `json:"topic_id,omitzero"` // zero: the brokers have no ids
	Offsets Offsets `json:"offsets"`           // by partition, as far as it was looked after; NoOffset: it was there already
	Moved   bool    `json:"moved,omitempty"`   // it was seen elsewhere since: it has read
}

// Equal compares two seeds.
func (s Seed) Equal(other Seed) bool {
	return s.TopicID == other.TopicID && s.Moved == other.Moved && slices.Equal(s.Offsets, other.Offsets)
}

// Holders say which topologies hold a right, by the right's name, then by
// topology. Several may: it goes with the last of them.
type Holders map[string]map[string]Owner

// Add notes who holds a right.
func (h Holders) Add(right string, holder Owner) {
	if h[right] == nil {
		h[right] = map[string]Owner{}
	}
	h[right][holder.Topology] = holder
}

// Others says whether a topology other than the one named holds a right.
func (h Holders) Others(right, than string) bool {
	for topology, holder := range h[right] {
		if topology != than && !holder.Leaving {
			return true
		}
	}
	return false
}

// Add notes who has an object.
func (o Owners) Add(id schema.ID, owner Owner) {
	if o[id.Kind] == nil {
		o[id.Kind] = map[string]Owner{}
	}
	o[id.Kind][id.Name] = owner
}

// Of is who has the object.
func (o Owners) Of(id schema.ID) (owner Owner, owned bool) {
	owner, owned = o[id.Kind][id.Name]
	return owner, owned
}

// Lock is held by an apply that is at work, or has died.
type Lock struct {
	Holder string `json:"holder"`
	Since  int64  `json:"since"` // milliseconds since 1970, by the clock of the brokers
	Until  int64  `json:"until"` // likewise: it ends then, unless it is renewed
}

// Throttle is a replication throttle that an apply has set on a topic.
type Throttle struct {
	Topology  string   `json:"topology"`
	Rate      int64    `json:"rate"`                // bytes per second and broker
	Leaders   []string `json:"leaders,omitempty"`   // what it has put on leader.replication.throttled.replicas, "0:1"
	Followers []string `json:"followers,omitempty"` // likewise on follower.replication.throttled.replicas
}
