package ledger

import (
	"encoding/json"
	"errors"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Record is one thing that the log says. Each kind knows its name in the log,
// and what it does to a [State].
type Record interface {
	kind() string
	apply(*State, *Entry)
}

// Entry is a record in the log: under which claim it was written, and when.
// Claim and Seq together name it: an append whose answer was lost is found by
// them, and one that arrives twice counts once.
type Entry struct {
	Claim  string // empty for Format and Break
	Seq    int    // counts the records of a claim, from 1
	Time   int64  // the broker's append time, milliseconds since 1970
	Record Record
}

// Format opens the log, and names it.
type Format struct {
	Ledger string `json:"ledger"`
	Anew   bool   `json:"anew,omitempty"` // nothing before it counts
}

// Claim asks for a lock. The entry's Claim is its id.
type Claim struct {
	Lock   Lock   `json:"lock"`
	Holder Holder `json:"holder"`
}

// Renewal lets a claim live for another Lease.
type Renewal struct {
	Settled bool `json:"settled,omitempty"` // the time that a lost holder's requests had is over
}

// Release ends the claim it is written under.
type Release struct{}

// Break ends somebody else's claim.
type Break struct {
	Target string `json:"target"` // the claim's id
	By     Holder `json:"by"`
}

// Intent says that an object is about to be changed. It makes the topology its
// owner unless it has one. Who owned another life of a topic owns nothing of this.
type Intent struct {
	Object  schema.ID    `json:"object"`
	Topic   live.TopicID `json:"topic,omitzero"` // the life of a queue that is there
	Makes   bool         `json:"makes,omitempty"`
	Keys    []string     `json:"keys,omitempty"`    // of a quota or a group: what is about to be set
	Leaving bool         `json:"leaving,omitempty"` // it is about to go, and holds nothing for others
}

// Owned says that the topology has the object, as asked for.
type Owned struct {
	Object        schema.ID    `json:"object"`
	Topic         live.TopicID `json:"topic,omitzero"` // of a queue: which life
	PreventDelete bool         `json:"prevent_delete,omitempty"`
	Made          bool         `json:"made,omitempty"`     // queueform made it
	Keys          []string     `json:"keys,omitempty"`     // of a quota or a group: those that queueform has set
	Password      int          `json:"password,omitempty"` // of a user: the version that is set

	Seeds map[string]live.Seed `json:"seeds,omitempty"` // of a group, by topic: where it was put
}

// Gone says that the topology does not have the object any more: it is deleted, or let go.
type Gone struct {
	Object schema.ID `json:"object"`
}

// Undone takes an Intent back of which nothing was carried out.
type Undone struct {
	Object schema.ID `json:"object"`
}

// Moving says which replicas of a topic are throttled, and how. It is written
// under the lock of the throttle.
type Moving struct {
	Topic     string   `json:"topic"`
	Leaders   []string `json:"leaders,omitempty"`   // entries of leader.replication.throttled.replicas, "0:1"
	Followers []string `json:"followers,omitempty"` // likewise of follower.replication.throttled.replicas
	Rate      int64    `json:"rate"`                // bytes per second and broker
}

// Moved says that what Moving said of the topic is undone.
type Moved struct {
	Topic string `json:"topic"`
}

// Begun opens an apply in the history. A claim has one.
type Begun struct {
	Digest  string  `json:"digest"` // of what is applied
	Changes Changes `json:"changes"`
}

// Ended says how the apply went.
type Ended struct {
	Outcome string  `json:"outcome"`
	Changes Changes `json:"changes"` // with their outcomes
}

// checkpointBegin opens a checkpoint: what State is after this very record
// follows in parts, among what others write.
type checkpointBegin struct{}

// checkpointPart is a piece of it.
type checkpointPart struct {
	Of   int  `json:"of"` // Seq of the begin
	Part part `json:"part"`
}

// checkpointEnd makes it valid, if the claim still holds here.
type checkpointEnd struct {
	Of    int `json:"of"`
	Parts int `json:"parts"`
}

func (Format) kind() string          { return "format" }
func (Claim) kind() string           { return "claim" }
func (Renewal) kind() string         { return "renewal" }
func (Release) kind() string         { return "release" }
func (Break) kind() string           { return "break" }
func (Intent) kind() string          { return "intent" }
func (Owned) kind() string           { return "owned" }
func (Gone) kind() string            { return "gone" }
func (Undone) kind() string          { return "undone" }
func (Moving) kind() string          { return "moving" }
func (Moved) kind() string           { return "moved" }
func (Begun) kind() string           { return "begun" }
func (Ended) kind() string           { return "ended" }
func (checkpointBegin) kind() string { return "checkpoint_begin" }
func (checkpointPart) kind() string  { return "checkpoint_part" }
func (checkpointEnd) kind() string   { return "checkpoint_end" }

// decoders reads the body of each kind.
var decoders = map[string]func([]byte) (Record, error){
	Format{}.kind():          body[Format],
	Claim{}.kind():           body[Claim],
	Renewal{}.kind():         body[Renewal],
	Release{}.kind():         body[Release],
	Break{}.kind():           body[Break],
	Intent{}.kind():          body[Intent],
	Owned{}.kind():           body[Owned],
	Gone{}.kind():            body[Gone],
	Undone{}.kind():          body[Undone],
	Moving{}.kind():          body[Moving],
	Moved{}.kind():           body[Moved],
	Begun{}.kind():           body[Begun],
	Ended{}.kind():           body[Ended],
	checkpointBegin{}.kind(): body[checkpointBegin],
	checkpointPart{}.kind():  body[checkpointPart],
	checkpointEnd{}.kind():   body[checkpointEnd],
}

func body[R Record](text []byte) (Record, error) {
	var r R
	err := json.Unmarshal(text, &r)
	return r, err
}

// envelope is an entry as it stands in the log. Its time is the broker's.
type envelope struct {
	Version int             `json:"queueform"`
	Kind    string          `json:"kind"`
	Claim   string          `json:"claim,omitempty"`
	Seq     int             `json:"seq,omitempty"`
	Body    json.RawMessage `json:"body"`
}

// encode writes an entry as JSON.
func encode(e *Entry) ([]byte, error) {
	body, err := json.Marshal(e.Record)
	if err != nil {
		return nil, err
	}
	return json.Marshal(envelope{FormatVersion, e.Record.kind(), e.Claim, e.Seq, body})
}

// errForeign is what others have put into the topic. It means nothing to anybody.
var errForeign = errors.New("not a record of the ledger")

// decode reads what encode writes. Its error is errForeign, or a [*Newer].
func decode(text []byte, time int64) (*Entry, error) {
	var v envelope
	if json.Unmarshal(text, &v) != nil || v.Version <= 0 {
		return nil, errForeign
	}
	if v.Version > FormatVersion {
		return nil, &Newer{Version: v.Version}
	}
	decoder, known := decoders[v.Kind]
	if !known {
		return nil, errForeign
	}
	record, err := decoder(v.Body)
	if err != nil {
		return nil, errForeign
	}
	return &Entry{Claim: v.Claim, Seq: v.Seq, Time: time, Record: record}, nil
}
