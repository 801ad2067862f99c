package ledger

import "strings"

// Bounds of what the history remembers of one apply.
const (
	mostChanges   = 200
	longestDetail = 500 // bytes
)

// Change is what an apply did, or set out to do, to one object.
type Change struct {
	Address string `json:"address"`
	Name    string `json:"name"` // Kafka's
	Action  string `json:"action"`
	Detail  string `json:"detail,omitempty"`  // one line; never a secret
	Outcome string `json:"outcome,omitempty"` // empty: not known
}

// Changes are those of one apply.
type Changes struct {
	First []Change `json:"first,omitempty"`
	More  int      `json:"more,omitempty"` // how many are left out
}

// Cut keeps as much of an apply's changes as the history holds.
func Cut(all []Change) Changes {
	kept := Changes{More: max(0, len(all)-mostChanges)}
	for _, c := range all[:min(len(all), mostChanges)] {
		if len(c.Detail) > longestDetail {
			c.Detail = strings.ToValidUTF8(c.Detail[:longestDetail], "") + "..."
		}
		kept.First = append(kept.First, c)
	}
	return kept
}
