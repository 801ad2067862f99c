package ledger

import (
	"time"

	"github.com/queueform/queueform/plan/live"
)

// Live is what plans need of the state.
func (s *State) Live() live.Ledger {
	l := live.Ledger{Owners: live.Owners{}, Throttles: make(map[string]live.Throttle, len(s.Moves)), Clock: time.UnixMilli(s.Clock).UTC()}
	for id, o := range s.Objects {
		if l.Owners[id.Kind] == nil {
			l.Owners[id.Kind] = map[string]live.Owner{}
		}
		l.Owners[id.Kind][id.Name] = live.Owner{Topology: o.Topology, TopicID: o.Topic, HalfDone: o.HalfDone, PreventDelete: o.PreventDelete}
	}
	for topic, m := range s.Moves {
		l.Throttles[topic] = live.Throttle{Topology: m.Topology, Rate: m.Rate, Leaders: m.Leaders, Followers: m.Followers}
	}
	return l
}

// Live is what plans need of the ledger, as last read.
func (h *Hold) Live() live.Ledger {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.state.Live()
}

// Now is the time of the brokers, as nearly as a machine can tell whose own
// clock may be wrong. It is never before what the ledger has seen; and while a
// lock is held, whose renewals are in the ledger, it is not a lease past that.
func Now(machine time.Time, l live.Ledger, held bool) time.Time {
	behind := machine.Before(l.Clock)
	ahead := held && machine.Sub(l.Clock) > Lease
	if behind || ahead {
		return l.Clock
	}
	return machine
}
