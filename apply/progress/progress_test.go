package progress_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/apply/progress"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

func create(name string) *plan.CreateTopic {
	return &plan.CreateTopic{Head: plan.Head{Phase: plan.PhaseCreate, Object: schema.ID{Kind: schema.KindQueue, Name: name}, Changes: []int{0}}}
}

func reassign() *plan.Reassign { return &plan.Reassign{Head: plan.Head{Phase: plan.PhaseMove}} }

func ended(s plan.Step, o apply.Outcome) apply.StepEnded {
	return apply.StepEnded{Step: s, Result: apply.Result{Outcome: o}}
}

// lines is what is printed of events. Where a line is rewritten, "<" begins the new form.
func lines(terminal bool, width int, events ...apply.Event) []string {
	var out strings.Builder
	w := progress.New(&out, terminal, width)
	for _, e := range events {
		w.Event(e)
	}
	w.Close()
	text := strings.NewReplacer("\x1b[K", "", "\n\r", "\n", "\r", "\n<").Replace(out.String())
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(text, "\n<"), "\n"), "\n")
}

const mib = 1 << 20

// life is an apply of all sorts.
var life = []apply.Event{
	apply.PhaseStarted{Phase: plan.PhaseCreate, Steps: 3},
	ended(create("a"), apply.Done),
	apply.Waiting{Why: "the cluster asks to wait", For: 200 * time.Millisecond},
	apply.Waiting{Why: "the cluster asks to wait", For: 400 * time.Millisecond},
	ended(create("b"), apply.Refused),
	ended(create("c"), apply.Done),
	ended(reassign(), apply.Skipped),
	apply.PhaseStarted{Phase: plan.PhaseMove, Steps: 1},
	ended(reassign(), apply.Started),
	apply.MoveProgress{Partitions: 1200, Total: 400 * mib, Rate: 50 * mib},
	apply.MoveProgress{Partitions: 1200, Done: 300, Copied: 10 * mib, Total: 400 * mib, Rate: 50 * mib, Left: 8 * time.Second},
	apply.MoveProgress{Partitions: 1200, Done: 300, Copied: 100 * mib, Total: 400 * mib, Rate: 50 * mib, Left: 6 * time.Second},
	apply.MoveProgress{Partitions: 1200, Done: 300, Copied: 110 * mib, Total: 400 * mib, Rate: 50 * mib, Left: 6 * time.Second},
	apply.MoveProgress{Partitions: 1200, Done: 1200, Copied: 400 * mib, Total: 400 * mib, Rate: 50 * mib},
	apply.MoveEnded{Step: reassign(), Result: apply.Result{Outcome: apply.Done}},
	apply.Verifying{Left: 3},
	apply.Verifying{Broker: new(int32(2)), Left: 1},
	apply.Verifying{},
}

func TestTerminal(t *testing.T) {
	want := []string{
		"create topics: 1 of 3",
		"<waiting 200ms: the cluster asks to wait",
		"<waiting 400ms: the cluster asks to wait",
		"<create topics: 1 of 3, 1 failed",
		"<create topics: 2 of 3, 1 failed",
		"start moves: 1 of 1",
		"move replicas: 0 of 1,200 partitions, 0 B of 400 MiB (0%), limit 50 MiB/s",
		"<move replicas: 300 of 1,200 partitions, 10 MiB of 400 MiB (2%), 8s left, limit …",
		"<move replicas: 300 of 1,200 partitions, 100 MiB of 400 MiB (25%), 6s left, limi…",
		"<move replicas: 300 of 1,200 partitions, 110 MiB of 400 MiB (27%), 6s left, limi…",
		"<move replicas: 1,200 of 1,200 partitions, 400 MiB of 400 MiB (100%), limit 50 M…",
		"waiting for the cluster to show what was done, 3 steps left",
		"<waiting for broker 2 to show what was done, 1 step left",
		"<",
	}
	if diff := cmp.Diff(want, lines(true, 80, life...)); diff != "" {
		t.Error(diff)
	}
}

// Where lines cannot be rewritten there are few of them.
func TestNoTerminal(t *testing.T) {
	want := []string{
		"waiting 200ms: the cluster asks to wait",
		"create topics: 2 of 3, 1 failed",
		"start moves: 1 of 1",
		"move replicas: 300 of 1,200 partitions, 100 MiB of 400 MiB (25%), 6s left, limit 50 MiB/s",
		"move replicas: 1,200 of 1,200 partitions, 400 MiB of 400 MiB (100%), limit 50 MiB/s",
		"waiting for the cluster to show what was done",
		"waiting for broker 2 to show what was done",
	}
	if diff := cmp.Diff(want, lines(false, 120, life...)); diff != "" {
		t.Error(diff)
	}
}

func TestLinesAreNotWiderThanAsked(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		for _, width := range []int{20, 40, 80} {
			for _, line := range lines(terminal, width, life...) {
				if n := utf8.RuneCountInString(strings.TrimPrefix(line, "<")); n > width {
					t.Errorf("%d columns of %d: %s", n, width, line)
				}
			}
		}
	}
}

// What an interruption cuts short is told as far as it came.
func TestInterruptedPhase(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		got := lines(terminal, 80, apply.PhaseStarted{Phase: plan.PhaseCreate, Steps: 2000}, ended(create("a"), apply.Done))
		if diff := cmp.Diff([]string{"create topics: 1 of 2,000"}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSum(t *testing.T) {
	p := &plan.Plan{Changes: []plan.Change{{Addr: schema.Addr{Kind: schema.KindQueue, Label: "a"}}}, Claims: []plan.Claim{{}}}
	for name, test := range map[string]struct {
		results []apply.Result
		want    string
	}{
		"nothing": {nil, "Noted: 1 object.\n"},
		"all sorts": {
			[]apply.Result{
				{Outcome: apply.Done},
				{Outcome: apply.Done},
				{Outcome: apply.Refused, Err: errors.New("no")},
				{},
				{Outcome: apply.NotMoved, Err: errors.New("no")},
				{Outcome: apply.NotDone, Err: errors.New("told elsewhere")},
			},
			"Applied: 2 not done, 2 done, 1 refused, 1 not moved.\n  not done: queue.a, create topics\n",
		},
		"very interrupted": {
			make([]apply.Result, 1030),
			"Applied: 1,030 not done, 0 done.\n" + strings.Repeat("  not done: queue.a, create topics\n", 20) + "  not done: 1,010 more\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			report := &apply.Report{Results: test.results}
			for range test.results {
				report.Steps = append(report.Steps, create("a"))
			}
			var out strings.Builder
			progress.Sum(&out, p, report)
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSumOfALeftover(t *testing.T) {
	p := &plan.Plan{Throttled: []schema.ID{{Kind: schema.KindQueue, Name: "a"}}}
	for slowed, want := range map[bool]string{false: "Removed: the replication throttle that was left.\n", true: ""} {
		var out strings.Builder
		progress.Sum(&out, p, &apply.Report{Slowed: slowed})
		if out.String() != want {
			t.Errorf("%q", &out)
		}
	}
}

// Every outcome has its words.
func TestSays(t *testing.T) {
	for o := range apply.NotMoved + 1 {
		if progress.Says(o) == "" {
			t.Errorf("outcome %d has none", o)
		}
	}
}
