package e2e_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/queueform/queueform/testdata/e2e/proxy"
)

const beforePause = `topology "pause" {}

queue "tuned" {
  topic      = "pause.tuned"
  partitions = 1
  config = {
    "segment.ms" = "2d"
  }
}

queue "goes" {
  topic = "pause.goes"
}
`

const afterPause = `topology "pause" {}

queue "tuned" {
  topic      = "pause.tuned"
  partitions = 2
  config = {
    "segment.ms" = "3d"
  }
}

queue "new" {
  topic = "pause.new"
}

delete "queue" "pause.goes" {}
`

// TestPausedHolders lets an apply sleep with the answer to each of its requests
// before it, until its lease is over and another has done the work. What it does
// when it wakes harms nobody: it changes nothing, and says why. All sleep at the
// same time, since a lease is a minute.
func TestPausedHolders(t *testing.T) {
	t.Parallel()
	all := func(*proxy.Request) bool { return true }
	var asleep []*victim
	for n, reached := 1, true; reached; n++ {
		u, _ := embedded(t)
		u.write("pause.hcl", beforePause)
		u.run(0, "apply", "--auto-approve")
		u.write("pause.hcl", afterPause)
		v := u.strike(n, all, pauses, "apply", "--auto-approve")
		if reached = v.wasStruck(); reached {
			asleep = append(asleep, v)
		} else if code, out := v.end(); code != 0 {
			t.Fatalf("exit code %d\n%s", code, out)
		}
	}
	successors := make([]func() ending, len(asleep))
	for i, v := range asleep {
		awake := *v.user
		awake.via = nil
		successors[i] = awake.background("apply", "--auto-approve", "--lock-timeout", "5m")
	}
	for i, v := range asleep {
		if e := successors[i](); e.code != 0 {
			t.Errorf("after %d, %s, its successor ends with %d\n%s", v.n, v.last, e.code, e.out)
		}
	}
	for _, v := range asleep {
		v.wakes()
	}
}

// wakes lets it go on, and wants that nothing comes of that.
func (v *victim) wakes() {
	v.Helper()
	v.mu.Lock()
	v.since = nil // what was on its way when it fell asleep
	v.mu.Unlock()
	must(v.T, v.command.Process.Signal(syscall.SIGCONT))
	code, out := v.end()
	if len(v.since) > 0 {
		v.Errorf("after %d, %s, it wakes and sends %s", v.n, v.last, strings.Join(v.since, ", "))
	}
	awake := *v.user
	awake.via = nil
	r := awake.records("__queueform")
	began, ended := false, true
	for _, c := range r.workers("pause") {
		if c.pid == v.command.Process.Pid {
			began, ended = true, c.outcome() != ""
		}
	}
	switch {
	case began && !ended && code != 1: // it says that it lost the lock, or that it could not see what became of it
		v.Errorf("after %d, %s, it ends with %d\n%s", v.n, v.last, code, out)
	case code != 0 && code != 1 && code != 3:
		v.Errorf("after %d, %s, it ends with %d\n%s", v.n, v.last, code, out)
	}
	awake.settled()
	r.oneAtATime()
	r.atRest()
	r.owns("pause", "pause.tuned", "pause.new")
	if v.Failed() {
		v.Fatal(fmt.Sprint(r))
	}
}
