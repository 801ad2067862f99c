package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// historyLength is how many applies of a topology are remembered.
const historyLength = 200

// Lock names what one claim at a time can hold.
type Lock string

// ThrottleLock guards edits of the cluster's throttle settings. It is taken for
// seconds, after the topology's lock, and released before it.
const ThrottleLock Lock = "throttle"

// TopologyLock guards all work for a topology.
func TopologyLock(topology string) Lock { return Lock("topology " + topology) }

// Holder is who makes a claim.
type Holder struct {
	Topology string `json:"topology"`
	User     string `json:"user"`
	Host     string `json:"host"`
	PID      int    `json:"pid"`
	Commit   string `json:"commit,omitempty"` // of git, where the files are in a repository
}

// String tells a person who it is.
func (h Holder) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s@%s (process %d", h.User, h.Host, h.PID)
	if h.Commit != "" {
		fmt.Fprintf(&b, ", commit %s", h.Commit)
	}
	b.WriteByte(')')
	return b.String()
}

// Held is a live claim. Its times are the log's, milliseconds since 1970.
type Held struct {
	Claim  string `json:"claim"`
	Lock   Lock   `json:"lock"`
	Holder Holder `json:"holder"`
	Since  int64  `json:"since"`
	Until  int64  `json:"until"` // it ends once the log's clock is past this
	Seq    int    `json:"seq"`   // of its last record
}

// Place is where an object is kept. What several topologies may hold at once
// has a place for each.
type Place struct {
	schema.ID
	Topology string // of a right: who holds it; empty: one topology alone has it
}

func placeOf(id schema.ID, topology string) Place {
	if id.Kind.Shared() {
		return Place{id, topology}
	}
	return Place{ID: id}
}

// Object is what a topology owns, or is about to.
type Object struct {
	ID            schema.ID    `json:"id"`
	Topology      string       `json:"topology"`
	Topic         live.TopicID `json:"topic,omitzero"`      // of a queue, as last seen by its owner
	Owned         bool         `json:"owned,omitempty"`     // false: there is an intent alone
	HalfDone      bool         `json:"half_done,omitempty"` // an intent without a result
	PreventDelete bool         `json:"prevent_delete,omitempty"`
	Made          bool         `json:"made,omitempty"`     // queueform made it
	Leaving       bool         `json:"leaving,omitempty"`  // its owner was about to delete it
	Keys          []string     `json:"keys,omitempty"`     // of a quota or a group: those that queueform has set
	Password      int          `json:"password,omitempty"` // of a user: the version that is set

	Seeds map[string]live.Seed `json:"seeds,omitempty"` // of a group, by topic: where it was put
}

// Move is a throttled move of replicas.
type Move struct {
	Moving
	Topology string `json:"topology"`
}

// Apply is one apply in the history.
type Apply struct {
	Claim   string  `json:"claim"`
	Holder  Holder  `json:"holder"`
	Began   int64   `json:"began"`             // milliseconds since 1970
	Ended   int64   `json:"ended,omitempty"`   // 0: it runs, or was killed
	Outcome string  `json:"outcome,omitempty"` // likewise empty
	Digest  string  `json:"digest"`
	Changes Changes `json:"changes"`
}

// State is what the log says up to some record.
type State struct {
	Ledger    string          // the log's own name; empty: it was never begun
	Clock     int64           // the largest append time so far, milliseconds since 1970
	Locks     map[Lock][]Held // the live claims in the order of the log: the first holds
	Unsettled map[Lock]Held   // the last holder that did not release, until somebody waited for its requests to end
	Objects   map[Place]Object
	Moves     map[string]Move    // by topic
	History   map[string][]Apply // by topology, the oldest first
}

func newState() *State {
	return &State{
		Locks: map[Lock][]Held{}, Unsettled: map[Lock]Held{}, Objects: map[Place]Object{},
		Moves: map[string]Move{}, History: map[string][]Apply{},
	}
}

// Clone is a copy that shares nothing which Apply changes.
func (s *State) Clone() *State {
	c := *s
	c.Locks, c.History = make(map[Lock][]Held, len(s.Locks)), make(map[string][]Apply, len(s.History))
	for lock, queue := range s.Locks {
		c.Locks[lock] = slices.Clone(queue)
	}
	for topology, applies := range s.History {
		c.History[topology] = slices.Clone(applies)
	}
	c.Unsettled, c.Objects, c.Moves = maps.Clone(s.Unsettled), maps.Clone(s.Objects), maps.Clone(s.Moves)
	return &c
}

// HeldBy is the claim that holds a lock.
func (s *State) HeldBy(lock Lock) (Held, bool) {
	if queue := s.Locks[lock]; len(queue) > 0 {
		return queue[0], true
	}
	return Held{}, false
}

// Apply takes the next entry of the log in. What is void changes nothing but the clock.
func (s *State) Apply(e *Entry) {
	s.pass(e.Time)
	if held := s.live(e.Claim); held != nil {
		if e.Seq <= held.Seq {
			return // it has arrived twice
		}
		held.Seq = e.Seq
	}
	e.Record.apply(s, e)
}

// pass sets the clock, which ends what is past its lease.
func (s *State) pass(time int64) {
	s.Clock = max(s.Clock, time)
	for lock, queue := range s.Locks {
		for i := range queue {
			if queue[i].Until < s.Clock {
				s.lapse(lock)
				break
			}
		}
	}
}

// lapse ends the claims on a lock that are past their lease.
func (s *State) lapse(lock Lock) {
	queue := s.Locks[lock]
	if queue[0].Until < s.Clock {
		s.Unsettled[lock] = queue[0]
	}
	s.setQueue(lock, slices.DeleteFunc(queue, func(h Held) bool { return h.Until < s.Clock }))
}

func (s *State) setQueue(lock Lock, queue []Held) {
	if len(queue) == 0 {
		delete(s.Locks, lock)
		return
	}
	s.Locks[lock] = queue
}

// live is a claim that has not ended.
func (s *State) live(claim string) *Held {
	for _, queue := range s.Locks {
		for i := range queue {
			if queue[i].Claim == claim {
				return &queue[i]
			}
		}
	}
	return nil
}

// holder is the claim an entry was written under, if it holds its lock here.
func (s *State) holder(e *Entry) (Held, bool) {
	held := s.live(e.Claim)
	if held == nil || s.Locks[held.Lock][0].Claim != e.Claim {
		return Held{}, false
	}
	return *held, true
}

// works is the topology for which an entry may speak: that whose lock its claim holds.
func (s *State) works(e *Entry) (topology string, ok bool) {
	held, ok := s.holder(e)
	return held.Holder.Topology, ok && held.Lock == TopologyLock(held.Holder.Topology)
}

// throttles is the topology for which an entry may change the throttle.
func (s *State) throttles(e *Entry) (topology string, ok bool) {
	held, ok := s.holder(e)
	return held.Holder.Topology, ok && held.Lock == ThrottleLock
}

func (r Format) apply(s *State, e *Entry) {
	if s.Ledger == "" || r.Anew { // else two have begun the log at once
		*s = *newState()
		s.Ledger, s.Clock = r.Ledger, e.Time
	}
}

func (r Claim) apply(s *State, e *Entry) {
	if e.Claim == "" || s.live(e.Claim) != nil {
		return
	}
	s.Locks[r.Lock] = append(s.Locks[r.Lock], Held{
		Claim: e.Claim, Lock: r.Lock, Holder: r.Holder, Since: e.Time, Until: s.leased(), Seq: e.Seq,
	})
}

// leased is when a lease ends that begins now.
func (s *State) leased() int64 { return s.Clock + Lease.Milliseconds() }

func (r Renewal) apply(s *State, e *Entry) {
	held := s.live(e.Claim)
	if held == nil {
		return
	}
	held.Until = s.leased()
	if _, holds := s.holder(e); holds && r.Settled {
		delete(s.Unsettled, held.Lock)
	}
}

func (Release) apply(s *State, e *Entry) { s.end(e.Claim) }

func (r Break) apply(s *State, _ *Entry) {
	if held := s.live(r.Target); held != nil {
		if first, _ := s.HeldBy(held.Lock); first.Claim == r.Target {
			s.Unsettled[held.Lock] = first
		}
		s.end(r.Target)
	}
}

// end takes a claim out of its queue.
func (s *State) end(claim string) {
	if held := s.live(claim); held != nil {
		lock := held.Lock
		s.setQueue(lock, slices.DeleteFunc(s.Locks[lock], func(h Held) bool { return h.Claim == claim }))
	}
}

// object is what an entry may say something about: the first that spoke for an
// object has it, until it speaks of another life of the topic.
func (s *State) object(e *Entry, id schema.ID, life live.TopicID) (Object, bool) {
	topology, works := s.works(e)
	object, owned := s.Objects[placeOf(id, topology)]
	none := live.TopicID{}
	if another := life != none && object.Topic != none && life != object.Topic; !owned || another {
		object = Object{ID: id, Topology: topology}
	}
	return object, works && object.Topology == topology
}

func (r Intent) apply(s *State, e *Entry) {
	if object, ok := s.object(e, r.Object, r.Topic); ok {
		object.HalfDone, object.Leaving = true, r.Leaving
		object.Made = object.Made || r.Makes
		object.Keys = merged(object.Keys, r.Keys)
		s.keep(&object)
	}
}

func (r Owned) apply(s *State, e *Entry) {
	if object, ok := s.object(e, r.Object, r.Topic); ok {
		object.Owned, object.HalfDone = true, false
		object.Topic, object.PreventDelete = r.Topic, r.PreventDelete
		object.Made, object.Leaving, object.Keys, object.Password = r.Made, false, r.Keys, r.Password
		object.Seeds = r.Seeds
		s.keep(&object)
	}
}

func (r Gone) apply(s *State, e *Entry) {
	if object, ok := s.object(e, r.Object, live.TopicID{}); ok {
		s.drop(&object)
	}
}

func (r Undone) apply(s *State, e *Entry) {
	object, ok := s.object(e, r.Object, live.TopicID{})
	switch {
	case !ok:
	case object.Owned:
		object.HalfDone, object.Leaving = false, false
		s.keep(&object)
	default:
		s.drop(&object)
	}
}

func (s *State) keep(o *Object) { s.Objects[placeOf(o.ID, o.Topology)] = *o }

// drop takes an object from its owner. Of what queueform made, another that
// holds it must know so: it may be the one to delete it.
func (s *State) drop(o *Object) {
	delete(s.Objects, placeOf(o.ID, o.Topology))
	if !o.ID.Kind.Shared() || !o.Made {
		return
	}
	for place, other := range s.Objects {
		if place.ID == o.ID {
			other.Made = true
			s.Objects[place] = other
		}
	}
}

// merged are the keys of both, each once.
func merged(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (r Moving) apply(s *State, e *Entry) {
	if topology, ok := s.throttles(e); ok {
		s.Moves[r.Topic] = Move{r, topology}
	}
}

func (r Moved) apply(s *State, e *Entry) {
	if _, ok := s.throttles(e); ok {
		delete(s.Moves, r.Topic)
	}
}

func (r Begun) apply(s *State, e *Entry) {
	topology, ok := s.works(e)
	if !ok {
		return
	}
	held, _ := s.holder(e)
	applies := append(s.History[topology], Apply{
		Claim: e.Claim, Holder: held.Holder, Began: e.Time, Digest: r.Digest, Changes: r.Changes,
	})
	s.History[topology] = applies[max(0, len(applies)-historyLength):]
}

func (r Ended) apply(s *State, e *Entry) {
	topology, _ := s.works(e)
	applies := s.History[topology]
	for i := range applies {
		if a := &applies[i]; a.Claim == e.Claim && a.Ended == 0 {
			a.Ended, a.Outcome, a.Changes = e.Time, r.Outcome, r.Changes
		}
	}
}

// The records of a checkpoint say nothing new to whoever has read what is before it.
func (checkpointBegin) apply(*State, *Entry) {}
func (checkpointPart) apply(*State, *Entry)  {}
func (checkpointEnd) apply(*State, *Entry)   {}

// moment is a time of the log, for people.
func moment(millis int64) string { return time.UnixMilli(millis).UTC().Format(time.RFC3339) }
