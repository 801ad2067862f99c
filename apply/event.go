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
	Steps int // those that can be carried out: what they depend on has not failed
}

// StepEnded tells how one step went. It comes once for each step, but for
// those that an interruption left undone. A move of replicas ends so when it
// was started; [MoveEnded] follows.
type StepEnded struct {
	Step   plan.Step
	Result Result
}

// MoveEnded tells that the replicas of a step are where they go, or will not
// get there.
type MoveEnded struct {
	Step   *plan.Reassign
	Result Result
}

// Waiting tells that a request was put off, since the cluster asked for it or
// could not be reached.
type Waiting struct {
	Why string
	For time.Duration
}

// MoveProgress tells how far the running moves of replicas are.
type MoveProgress struct {
	Partitions, Done int
	Copied           int64         // bytes, by all moves so far
	Total            int64         // bytes to copy; 0: not known
	Rate             int64         // bytes per second and broker at most; 0: unthrottled
	Left             time.Duration // at the rate seen so far; 0: not known
	Stuck            string        // what keeps them, where nothing has come any further for some seconds and it is known
}

// Verifying tells that the cluster was read again.
type Verifying struct {
	Left   int    // steps whose results were not there
	Broker *int32 // the one that was asked; nil: any
}

func (PhaseStarted) event() {}
func (StepEnded) event()    {}
func (MoveEnded) event()    {}
func (Waiting) event()      {}
func (MoveProgress) event() {}
func (Verifying) event()    {}

// Outcome is how a step ended.
type Outcome uint8

// The outcomes. The zero Outcome was never reached.
const (
	NotDone   Outcome = iota // nothing was sent for it, or nothing that had an effect
	Done                     // the cluster has it
	Refused                  // the cluster said no
	Unknown                  // it was sent, and its effect could not be read back
	Skipped                  // what it depends on failed
	Started                  // a move that goes on without us
	Postponed                // it waits for such a move: the next apply's
	Kept                     // a right that another topology holds, too: it was let go of, and stays
	NotMoved                 // a move that makes no progress, or was cancelled by somebody
)

// Result is an outcome and, where it is not good, why. A step without either
// was not reached before an interruption.
type Result struct {
	Outcome Outcome
	Err     error
}

// Report is how an apply went: a result for each of the plan's steps.
type Report struct {
	Steps    []plan.Step
	Results  []Result
	Stopped  error    // what interrupted it; nil: nothing
	Leftover error    // what is left on the cluster that belongs to no step: a throttle, a stalled move of an earlier apply; nil: nothing
	Moving   int      // partitions still on the move when it ended, those of earlier applies too
	Slowed   bool     // the replication throttle stays, this apply's or an earlier one's
	Foreign  []string // throttles that somebody else has set meanwhile, and that stay: "broker 1: leader.replication.throttled.rate = 77"

	last []plan.Step // of each request, the last step that the cluster took
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
