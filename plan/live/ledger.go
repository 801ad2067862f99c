package live

import "github.com/queueform/queueform/schema"

// Ledger is what the cluster remembers for queueform, as far as plans need it.
type Ledger struct {
	Owners    Owners              `json:"owners,omitempty"`
	Throttles map[string]Throttle `json:"throttles,omitempty"` // by topic
	Locks     map[string]Lock     `json:"locks,omitempty"`     // by topology: who else applies it
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
