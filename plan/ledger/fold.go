package ledger

import (
	"cmp"
	"maps"
	"slices"

	"github.com/queueform/queueform/schema"
)

// fold reads a log from its start, be that the first record ever or a
// checkpoint, after which it is the same.
type fold struct {
	state   *State      // nil: nothing was read yet
	opening *checkpoint // the one at the start of the log, until it is whole
	records int         // from the start of the log
	mark    mark
}

// mark keeps the state as it is after one entry.
type mark struct {
	claim   string
	seq     int    // 0: none is marked
	state   *State // nil: the entry was not read yet
	offset  int64
	records int // before it, from the start of the log
}

// checkpoint is one that is being read from the start of the log.
type checkpoint struct {
	claim string
	seq   int // of its begin
	last  int // of its last part: one that arrives twice counts once
	parts []part
	since []*Entry // all after the begin: what is in the parts is older
}

// part is a piece of a State.
type part struct {
	Ledger    string   `json:"ledger,omitempty"`
	Clock     int64    `json:"clock,omitempty"`
	Held      []Held   `json:"held,omitempty"`
	Unsettled []Held   `json:"unsettled,omitempty"`
	Objects   []Object `json:"objects,omitempty"`
	Moves     []Move   `json:"moves,omitempty"`
	Applies   []Apply  `json:"applies,omitempty"`
}

// How much goes in one part: well below a megabyte, the largest record of a topic.
const (
	objectsOfPart = 500
	appliesOfPart = 3
)

// take reads the next record; the entry is nil where others wrote it. The
// words it returns say how the log is damaged.
func (f *fold) take(offset, time int64, e *Entry) (damage string) {
	f.records++
	switch {
	case f.state == nil && f.opening == nil:
		return f.open(e)
	case f.opening != nil:
		return f.restore(time, e)
	case e == nil:
		f.state.pass(time)
		return ""
	}
	f.state.Apply(e)
	if m := &f.mark; m.seq > 0 && m.state == nil && e.Claim == m.claim && e.Seq == m.seq {
		m.state, m.offset, m.records = f.state.Clone(), offset, f.records-1
	}
	return ""
}

// open reads the first record.
func (f *fold) open(e *Entry) (damage string) {
	if e != nil {
		switch e.Record.(type) {
		case Format:
			f.state = newState()
			f.state.Apply(e)
			return ""
		case checkpointBegin:
			f.opening = &checkpoint{claim: e.Claim, seq: e.Seq, last: e.Seq}
			return ""
		}
	}
	return "it begins with neither its format nor a checkpoint"
}

// restore reads on in the checkpoint that the log begins with. What others
// wrote meanwhile comes after the state that is in it.
func (f *fold) restore(time int64, e *Entry) (damage string) {
	c := f.opening
	if e == nil {
		e = &Entry{Time: time, Record: nothing{}}
	}
	c.since = append(c.since, e)
	if e.Claim != c.claim {
		return ""
	}
	switch r := e.Record.(type) {
	case checkpointPart:
		if r.Of == c.seq && e.Seq > c.last {
			c.last, c.parts = e.Seq, append(c.parts, r.Part)
		}
	case checkpointEnd:
		if r.Of == c.seq && r.Parts == len(c.parts) {
			return f.complete(e)
		}
	}
	return ""
}

// complete takes over a checkpoint at its end.
func (f *fold) complete(end *Entry) (damage string) {
	state := join(f.opening.parts)
	for _, e := range f.opening.since {
		state.Apply(e)
	}
	if _, holds := state.holder(end); !holds {
		return "it begins with a checkpoint of somebody who had lost the lock"
	}
	f.state, f.opening = state, nil
	return ""
}

// ended says what is wrong with a log that ends here.
func (f *fold) ended() (damage string) {
	if f.opening != nil {
		return "it begins with a checkpoint that has no end"
	}
	return ""
}

// nothing is a foreign record: its time counts.
type nothing struct{}

func (nothing) kind() string         { return "" }
func (nothing) apply(*State, *Entry) {}

// split cuts a state into parts.
func split(s *State) []part {
	first := part{Ledger: s.Ledger, Clock: s.Clock, Unsettled: sorted(s.Unsettled), Moves: sorted(s.Moves)}
	for _, lock := range slices.Sorted(maps.Keys(s.Locks)) {
		first.Held = append(first.Held, s.Locks[lock]...)
	}
	parts := []part{first}
	objects := slices.SortedFunc(maps.Values(s.Objects), func(a, b Object) int {
		return cmp.Or(compareIDs(a.ID, b.ID), cmp.Compare(a.Topology, b.Topology))
	})
	for some := range slices.Chunk(objects, objectsOfPart) {
		parts = append(parts, part{Objects: some})
	}
	for _, topology := range slices.Sorted(maps.Keys(s.History)) {
		for some := range slices.Chunk(s.History[topology], appliesOfPart) {
			parts = append(parts, part{Applies: some})
		}
	}
	return parts
}

// sorted are the values of a map, by key.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	var values []V
	for _, key := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[key])
	}
	return values
}

func compareIDs(a, b schema.ID) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// join makes a state of parts.
func join(parts []part) *State {
	s := newState()
	for i := range parts {
		p := &parts[i]
		s.Ledger, s.Clock = cmp.Or(s.Ledger, p.Ledger), max(s.Clock, p.Clock)
		for _, h := range p.Held {
			s.Locks[h.Lock] = append(s.Locks[h.Lock], h)
		}
		for _, h := range p.Unsettled {
			s.Unsettled[h.Lock] = h
		}
		for _, o := range p.Objects {
			s.keep(&o)
		}
		for _, m := range p.Moves {
			s.Moves[m.Topic] = m
		}
		for _, a := range p.Applies {
			s.History[a.Holder.Topology] = append(s.History[a.Holder.Topology], a)
		}
	}
	return s
}
