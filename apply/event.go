// Package apply carries a plan out: batches of steps to Kafka, with bounded
// concurrency, every result accounted for, and the outcome verified.
//
// Learn [Engine], [Event] and [Report]. It is silent: whoever wants to see
// what happens observes the events.
package apply

import (
	"time"

	"github.com/queueform/queueform/plan"
)

// Event is something that happened during an apply.
//
//sumtype:decl
type Event interface{ event() }

// PhaseStarted opens a stretch of the apply.
type PhaseStarted struct {
	Phase plan.Phase
	Steps int
}

// StepEnded tells how one step went.
type StepEnded struct {
	Step   plan.Step
	Result Result
}

// Waiting tells that a request was put off, since the cluster asked for it.
type Waiting struct {
	Why string
	For time.Duration
}

// MoveProgress tells how far the running moves of replicas are.
type MoveProgress struct {
	Partitions, Done int
	Copied           int64 // bytes, by all moves so far
	Total            int64 // bytes to copy; 0: not known
	Rate             int64 // bytes per second and broker; 0: unthrottled
}

// Verifying tells that the cluster is read again.
type Verifying struct{ Left int }

func (PhaseStarted) event() {}
func (StepEnded) event()    {}
func (Waiting) event()      {}
func (MoveProgress) event() {}
func (Verifying) event()    {}

// Outcome is how a step ended.
type Outcome uint8

// The outcomes. The zero Outcome was never reached.
const (
	NotDone Outcome = iota // nothing was sent for it
	Done
	Refused // the cluster said no
	Unknown // the connection broke and its effect could not be read back
	Skipped // what it depends on failed
	Started // a move that goes on without us
)

// Result is an outcome and, where it is not good, why.
type Result struct {
	Outcome Outcome
	Err     error
}

// Report is how an apply went: a result for each of the plan's steps.
type Report struct {
	Steps    []plan.Step
	Results  []Result
	Stopped  error // why it ended before its last step; nil: it did not
	Leftover error // a throttle that could not be removed
}

// Count is how many steps ended so.
func (r *Report) Count(o Outcome) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Outcome == o {
			n++
		}
	}
	return n
}

// OK says whether every step is done.
func (r *Report) OK() bool {
	return r.Stopped == nil && r.Leftover == nil && r.Count(Done) == len(r.Steps)
}
