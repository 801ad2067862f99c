// Package guard judges a plan: which of its changes are dangerous, what each
// could lose, and whether the plan may be applied.
//
// Learn [Hazard], [Finding] and [Judge]. What a danger amounts to is measured
// by others: Judge says what it needs to know, and judges what it cannot know
// as if data were there.
package guard

import (
	"cmp"
	"slices"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Hazard is a coded danger: data and one function.
type Hazard struct {
	Code    string
	Summary string // one line, for lists
	Doc     string // the danger, how it is measured, and the safer ways
	Loses   bool   // messages can be lost: each object must be allowed by name
	check   func(*plan.Change, *inquiry) *Finding
}

// Severity says whether a finding stops an apply.
type Severity string

// The severities, as the plan document spells them.
const (
	Blocks Severity = "blocks" // until it is allowed
	Warns  Severity = "warns"
)

// Finding is a hazard found in a change.
type Finding struct {
	Code     string
	Severity Severity
	Change   int // index into the plan's changes
	Addr     schema.Addr
	Summary  string
	Radius   Radius
}

// Radius is the blast radius: what could be lost or moved, at most. Nil is unknown.
type Radius struct {
	Messages *int64
	Bytes    *int64
	Groups   []Reader // nil is unknown, empty is none
}

// Reader is a consumer group that has not read everything yet.
type Reader struct {
	Group  string
	Unread int64
}

// Facts are what a plan is judged by.
type Facts struct {
	Snapshot *live.Snapshot
	Answers  live.Answers
	Throttle int64 // bytes per second and broker at which replicas move; 0: unthrottled
}

// Judge looks for every hazard in every change, and says what it would have to
// know to be exact. Judged again with the answers, it asks nothing more.
func Judge(p *plan.Plan, f Facts) ([]Finding, live.Questions) {
	in := inquiry{Facts: f, plan: p}
	var found []Finding
	for i := range p.Changes {
		for _, h := range Hazards() {
			if finding := h.check(&p.Changes[i], &in); finding != nil {
				finding.Code, finding.Change, finding.Addr = h.Code, i, p.Changes[i].Addr
				found = append(found, *finding)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(a.Change, b.Change) })
	return found, in.open
}

// Blocking are the findings that stop an apply, given what is allowed.
func Blocking(found []Finding, allowed []Allow) []Finding {
	var stop []Finding
	for _, f := range found {
		if f.Severity == Blocks && !slices.ContainsFunc(allowed, func(a Allow) bool { return a.permits(f) }) {
			stop = append(stop, f)
		}
	}
	return stop
}

// inquiry is one judging: the facts, and the questions that came up.
type inquiry struct {
	Facts
	plan *plan.Plan
	open live.Questions
}

// queue is the declared queue that a change is about; nil for a deletion.
func (in *inquiry) queue(c *plan.Change) *schema.Queue {
	for q := range schema.All[*schema.Queue](in.plan.Topology) {
		if q.Addr == c.Addr {
			return q
		}
	}
	return nil
}

// topic is the live topic that a change is about.
func (in *inquiry) topic(c *plan.Change) live.Topic { return in.Snapshot.Topics[c.Object.Name].Value }

// sizes are the bytes per partition of a topic, nil where they are not known.
func (in *inquiry) sizes(topic string) live.Sizes {
	answer, asked := in.Answers.Sizes[topic]
	if !asked && !slices.Contains(in.open.Sizes, topic) {
		in.open.Sizes = append(in.open.Sizes, topic)
	}
	return answer.Value
}
