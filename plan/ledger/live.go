package ledger

import "github.com/queueform/queueform/plan/live"

// Live is what plans need of the state.
func (s *State) Live() live.Ledger {
	l := live.Ledger{Owners: live.Owners{}, Throttles: make(map[string]live.Throttle, len(s.Moves))}
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
