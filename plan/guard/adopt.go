package guard

import (
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// adopted finds the change of a live object that this topology does not own
// yet. Where nobody asked for the owners there is nothing to say; where they
// could not be read, the object may be anybody's.
func adopted(s *subject) *Finding {
	owners := s.Snapshot.Owners
	if s.Action == plan.Create || owners.State == live.Unseen && owners.Why == "" {
		return nil
	}
	if owners.State == live.Unseen {
		return &Finding{Severity: Blocks, Summary: "it may not be this topology's: " + owners.Why}
	}
	ours := live.Owner{Topology: s.plan.Topology.Name, Topic: s.topic.ID}
	if owner, owned := owners.Value[string(s.Object.Kind)][s.Object.Name]; owned && owner == ours {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: "it is not this topology's yet: a live object is changed with its adoption"}
}
