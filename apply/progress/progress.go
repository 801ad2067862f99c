// Package progress shows the events of an apply to a person: a line for each
// phase, kept up to date in place on a terminal.
//
// Learn [Watch].
package progress

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
)

// Watch prints what happens, as it happens.
type Watch struct {
	out      io.Writer
	terminal bool
	phase    plan.Phase
	total    int
	done     int
	failed   int
	open     bool // the last line is not ended
}

// New watches for out. On a terminal a line is rewritten while it grows.
func New(out io.Writer, terminal bool) *Watch { return &Watch{out: out, terminal: terminal} }

var phases = map[plan.Phase]string{
	plan.PhaseCreate:     "create topics",
	plan.PhaseConfigs:    "set configs",
	plan.PhasePartitions: "add partitions",
	plan.PhaseMove:       "start moves",
	plan.PhaseDelete:     "delete topics",
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
		w.Close()
		fmt.Fprintf(w.out, "waiting %s: %s\n", e.For, e.Why)
	case apply.MoveProgress:
		w.move(e)
	case apply.Verifying:
	}
}

func (w *Watch) step(e apply.StepEnded) {
	switch e.Result.Outcome {
	case apply.Done, apply.Started:
		w.done++
	case apply.NotDone, apply.Refused, apply.Unknown, apply.Skipped:
		w.failed++
	}
	if e.Step.About().Phase != w.phase || w.total == 0 {
		return
	}
	line := fmt.Sprintf("%s: %s of %s", phases[w.phase], humanize.Comma(int64(w.done)), humanize.Comma(int64(w.total)))
	if w.failed > 0 {
		line += fmt.Sprintf(", %d failed", w.failed)
	}
	w.line(line, w.done+w.failed >= w.total)
}

func (w *Watch) move(e apply.MoveProgress) {
	line := fmt.Sprintf("move replicas: %d of %s", e.Done, english.Plural(e.Partitions, "partition", ""))
	if e.Total > 0 {
		line += fmt.Sprintf(", %s of %s (%d%%)", humanize.IBytes(uint64(e.Copied)), humanize.IBytes(uint64(e.Total)), 100*e.Copied/e.Total)
	}
	if e.Rate > 0 {
		line += fmt.Sprintf(", at most %s/s a broker", humanize.IBytes(uint64(e.Rate)))
	}
	if e.Left > 0 {
		line += ", " + e.Left.String() + " left"
	}
	w.line(line, e.Done == e.Partitions)
}

// line prints a line that may be followed by a newer form of itself. Where
// lines cannot be rewritten only the last form is printed.
func (w *Watch) line(text string, last bool) {
	if w.terminal {
		fmt.Fprintf(w.out, "\r%s\x1b[K", text)
		w.open = true
	} else if last {
		fmt.Fprintln(w.out, text)
	}
	if last {
		w.Close()
	}
}

// Close ends the line that is open.
func (w *Watch) Close() {
	if w.open {
		fmt.Fprintln(w.out)
		w.open = false
	}
}

var outcomes = map[apply.Outcome]string{
	apply.Done:    "done",
	apply.Started: "still moving",
	apply.Refused: "refused",
	apply.Unknown: "not known",
	apply.Skipped: "skipped",
	apply.NotDone: "not done",
}

// Says is an outcome in words.
func Says(o apply.Outcome) string { return outcomes[o] }

// Sum is a report in one line.
func Sum(r *apply.Report) string {
	var parts []string
	for _, o := range []apply.Outcome{apply.Done, apply.Started, apply.Refused, apply.Unknown, apply.Skipped, apply.NotDone} {
		if n := r.Count(o); n > 0 || o == apply.Done {
			parts = append(parts, fmt.Sprintf("%d %s", n, Says(o)))
		}
	}
	return "Applied: " + strings.Join(parts, ", ") + "."
}
