package ledger

import (
	"time"

	"github.com/queueform/queueform/plan/live"
)

// Live is what plans need of the state.
func (s *State) Live() live.Ledger {
	l := live.Ledger{Owners: live.Owners{}, Holders: live.Holders{}, Throttles: make(map[string]live.Throttle, len(s.Moves)), Locks: map[string]live.Lock{}, Clock: s.Clock}
	for place, o := range s.Objects {
		owner := live.Owner{
			Topology: o.Topology, TopicID: o.Topic, HalfDone: o.HalfDone, PreventDelete: o.PreventDelete,
			Made: o.Made, Leaving: o.Leaving, Keys: o.Keys, Password: o.Password, Seeds: o.Seeds,
		}
		if place.Kind.Shared() {
			l.Holders.Add(place.Name, owner)
		} else {
			l.Owners.Add(place.ID, owner)
		}
	}
	for topic, m := range s.Moves {
		l.Throttles[topic] = live.Throttle{Topology: m.Topology, Rate: m.Rate, Leaders: m.Leaders, Followers: m.Followers}
	}
	for _, queue := range s.Locks {
		if held := queue[0]; held.Lock == TopologyLock(held.Holder.Topology) {
			l.Locks[held.Holder.Topology] = live.Lock{Holder: held.Holder.String(), Since: held.Since, Until: held.Until}
		}
	}
	return l
}

// Live is what plans need of the ledger, as last read. The hold itself is not
// among its locks.
func (h *Hold) Live() live.Ledger {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.log.state.Live()
	if first, held := h.log.state.HeldBy(h.lock); held && first.Claim == h.claim {
		delete(l.Locks, first.Holder.Topology)
	}
	return l
}

// Now is the time of the brokers, as nearly as a machine can tell whose own
// clock may be wrong. It is never before what the ledger has seen; and while a
// lock is held, whose renewals are in the ledger, it is not a lease past that.
func Now(machine time.Time, l live.Ledger, held bool) time.Time {
	log := time.UnixMilli(l.Clock)
	behind := machine.Before(log)
	ahead := held && machine.Sub(log) > Lease
	if behind || ahead {
		return log
	}
	return machine
}
