// Package progress shows the events of an apply to a person: a line for each
// phase, kept up to date in place on a terminal.
//
// Learn [Watch].
package progress

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
)

// Watch prints what happens, as it happens.
type Watch struct {
	out      io.Writer
	terminal bool
	width    int // columns

	phase  plan.Phase
	total  int // its steps
	done   int
	failed int

	open   bool   // the last line is not ended, on a terminal
	held   string // the line to print if no newer form of it comes, elsewhere
	tenths int64  // of the bytes to move, as last printed elsewhere
	why    string // of the last wait
}

// New watches for out, with lines of at most so many columns. On a terminal a
// line is rewritten while it grows.
func New(out io.Writer, terminal bool, width int) *Watch {
	return &Watch{out: out, terminal: terminal, width: width}
}

var phases = map[plan.Phase]string{
	plan.PhaseUsers:      "set users",
	plan.PhaseGrant:      "set rights and quotas",
	plan.PhaseRevoke:     "remove rights and quotas",
	plan.PhaseCreate:     "create topics",
	plan.PhaseConfigs:    "set configs",
	plan.PhasePartitions: "add partitions",
	plan.PhaseMove:       "start moves",
	plan.PhaseGroups:     "set up groups",
	plan.PhaseDelete:     "delete",
	plan.PhaseSettle:     "set what waited for the moves",
}

// Event takes one event.
func (w *Watch) Event(e apply.Event) {
	switch e := e.(type) {
	case apply.PhaseStarted:
		w.Close()
		w.phase, w.total, w.done, w.failed = e.Phase, e.Steps, 0, 0
	case apply.StepEnded:
		w.step(e)
	case apply.Waiting:
		w.wait(e)
	case apply.MoveProgress:
		w.move(e)
	case apply.Verifying:
		w.verify(e)
	case apply.MoveEnded:
	}
}

func (w *Watch) step(e apply.StepEnded) {
	if e.Step.About().Phase != w.phase {
		return // one that its phase begins without
	}
	switch e.Result.Outcome {
	case apply.Done, apply.Started, apply.Postponed, apply.Kept:
		w.done++
	case apply.NotDone, apply.Refused, apply.Unknown, apply.Skipped, apply.NotMoved:
		w.failed++
	}
	line := fmt.Sprintf("%s: %s of %s", phases[w.phase], count(w.done), count(w.total))
	if w.failed > 0 {
		line += fmt.Sprintf(", %s failed", count(w.failed))
	}
	w.line(line, w.done+w.failed >= w.total)
}

func (w *Watch) wait(e apply.Waiting) {
	line := fmt.Sprintf("waiting %s: %s", e.For, e.Why)
	if w.terminal {
		w.line(line, false)
		return
	}
	if e.Why != w.why {
		w.print(line)
	}
	w.why = e.Why
}

func (w *Watch) move(e apply.MoveProgress) {
	line := fmt.Sprintf("move replicas: %s of %s partitions", count(e.Done), count(e.Partitions))
	var tenths int64
	if e.Total > 0 {
		tenths = 10 * e.Copied / e.Total
		line += fmt.Sprintf(", %s of %s (%d%%)", humanize.IBytes(uint64(e.Copied)), humanize.IBytes(uint64(e.Total)), 100*e.Copied/e.Total)
	}
	if e.Left > 0 {
		line += ", " + e.Left.String() + " left"
	}
	if e.Rate > 0 {
		line += fmt.Sprintf(", limit %s/s", humanize.IBytes(uint64(e.Rate)))
	}
	if e.Stuck != "" {
		line += ", waiting: " + e.Stuck
	}
	if last := e.Done == e.Partitions; last || w.terminal || tenths == w.tenths && e.Stuck == w.why {
		w.line(line, last)
		return
	}
	w.tenths, w.why = tenths, e.Stuck
	w.print(line)
}

// verify tells what is waited for, where it is.
func (w *Watch) verify(e apply.Verifying) {
	if e.Left == 0 {
		w.erase()
		return
	}
	who := "the cluster"
	if e.Broker != nil {
		who = fmt.Sprintf("broker %d", *e.Broker)
	}
	why := "for " + who + " to show what was done"
	if w.terminal {
		w.line(fmt.Sprintf("waiting %s, %s left", why, english.Plural(e.Left, "step", "")), false)
	} else if why != w.why {
		w.print("waiting " + why)
	}
	w.why = why
}

// line prints a line that may be followed by a newer form of itself. Where
// lines cannot be rewritten only the last form is printed.
func (w *Watch) line(text string, last bool) {
	if w.terminal {
		fmt.Fprintf(w.out, "\r%s\x1b[K", w.cut(text))
		w.open = true
	} else {
		w.held = text
	}
	if last {
		w.Close()
	}
}

// erase takes back a line that is open.
func (w *Watch) erase() {
	if w.open {
		fmt.Fprint(w.out, "\r\x1b[K")
	}
	w.open = false
}

// print prints a line that stays, where lines cannot be rewritten.
func (w *Watch) print(text string) {
	w.held = ""
	fmt.Fprintln(w.out, w.cut(text))
}

// cut takes away what is too wide.
func (w *Watch) cut(text string) string {
	if utf8.RuneCountInString(text) <= w.width {
		return text
	}
	return string([]rune(text)[:max(w.width-1, 0)]) + "…"
}

// Close ends the line that is open.
func (w *Watch) Close() {
	if w.open {
		fmt.Fprintln(w.out)
	}
	if w.held != "" {
		w.print(w.held)
	}
	w.open, w.why = false, ""
}

func count(n int) string { return humanize.Comma(int64(n)) }

var outcomes = map[apply.Outcome]string{
	apply.Done:      "done",
	apply.Started:   "still moving",
	apply.Postponed: "waiting for a move",
	apply.Refused:   "refused",
	apply.Unknown:   "not known",
	apply.Skipped:   "skipped",
	apply.Kept:      "kept for another topology",
	apply.NotMoved:  "not moved",
	apply.NotDone:   "not done",
}

// Says is an outcome in words.
func Says(o apply.Outcome) string { return outcomes[o] }

// named is how many of the steps that were not reached are named.
const named = 20

// Sum tells how an apply went, in a line of numbers and the names of what was
// not reached. One without steps may have noted what it owns, or removed what an
// earlier one left.
func Sum(out io.Writer, p *plan.Plan, r *apply.Report) {
	if len(r.Steps) == 0 {
		if noted := len(p.Claims) + len(p.Vanished) + len(p.Released); noted > 0 {
			fmt.Fprintf(out, "Noted: %s.\n", english.Plural(noted, "object", ""))
		}
		if len(p.Throttled) > 0 && !r.Slowed {
			fmt.Fprintln(out, "Removed: the replication throttle that was left.")
		}
		return
	}
	var parts []string
	for o := range apply.Outcome(len(outcomes)) {
		if n := r.Count(o); n > 0 || o == apply.Done {
			parts = append(parts, count(n)+" "+Says(o))
		}
	}
	fmt.Fprintf(out, "Applied: %s.\n", strings.Join(parts, ", "))
	n := 0
	for i, s := range r.Steps {
		if result := r.Results[i]; result.Outcome != apply.NotDone || result.Err != nil {
			continue
		}
		if n++; n <= named {
			fmt.Fprintf(out, "  not done: %s, %s\n", p.Changes[s.About().Changes[0]].Addr, phases[s.About().Phase])
		}
	}
	if n > named {
		fmt.Fprintf(out, "  not done: %s more\n", count(n-named))
	}
}
