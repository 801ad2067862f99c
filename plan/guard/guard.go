// Package guard judges a plan: which of its changes are dangerous, what each
// could lose, and whether the plan may be applied.
//
// Learn [Hazard], [Finding] and [Judge]. What a danger amounts to is measured
// by others: Judge says what it needs to know, and judges what it cannot know
// as if data were there.
package guard

import (
	"slices"
	"time"

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
	of      scope  // whose changes it looks at
	check   func(*subject) *Finding
}

// scope is the kinds of objects that a hazard is about. The zero scope is
// queues.
type scope []schema.Kind

func (s scope) has(k schema.Kind) bool {
	return len(s) == 0 && k == schema.KindQueue || slices.Contains(s, k)
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

// Reader is a consumer group, and how many of the messages in danger it has
// not read, at most.
type Reader struct {
	Group  string
	Unread int64
}

// Facts are what a plan is judged by.
type Facts struct {
	Snapshot  *live.Snapshot
	Answers   live.Answers
	Principal string    // who applies, "User:deployer"; empty: not known
	Throttle  int64     // bytes per second and broker at which replicas move; 0: unthrottled
	Now       time.Time // against which the brokers will hold the age of messages; the same for both judgements
}

// Judge looks for every hazard in every change, and says what it would have to
// know to be exact. Judged again with the answers, it asks nothing more. The
// findings are in the order of the changes, then of the codes.
func Judge(p *plan.Plan, f Facts) ([]Finding, live.Questions) {
	in := newInquiry(p, f)
	var found []Finding
	for i := range p.Changes {
		s := in.subject(i)
		for j := range hazards {
			if !hazards[j].of.has(s.Object.Kind) {
				continue
			}
			if finding := hazards[j].check(s); finding != nil {
				finding.Code, finding.Change, finding.Addr = hazards[j].Code, i, s.Addr
				s.complete(&finding.Radius, hazards[j].Loses)
				found = append(found, *finding)
			}
		}
	}
	return found, in.open()
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
