package health

import (
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Need is what the declared load needs of one thing, and what there is of it.
type Need struct {
	Of      guard.Resource `json:"of"`
	Address *schema.Addr   `json:"address"` // of one queue; null: of all together
	Needs   *float64       `json:"needs"`
	Has     *float64       `json:"has"`
	Fits    bool           `json:"fits"`
	Summary string         `json:"summary"`
}

func needs(p *plan.Plan, f Facts) []Need {
	all := []Need{}
	facts := guard.Facts{Snapshot: f.Snapshot, Answers: live.Answers{Disks: f.Reading.Disks}}
	for _, n := range guard.Needs(p, facts) {
		all = append(all, Need{Of: n.Of, Address: n.Addr, Needs: n.Needs, Has: n.Has, Fits: n.Fits(), Summary: n.String()})
	}
	return all
}
