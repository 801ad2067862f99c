package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/queueform/queueform/testdata/e2e/brokers"
	"github.com/queueform/queueform/testdata/e2e/proxy"
)

const beforePause = `topology %[1]q {}

cluster "pause" {
  ledger = "%[1]s.ledger"
}

queue "tuned" {
  topic      = "%[1]s.tuned"
  partitions = 1
  config = {
    "segment.ms" = "2d"
  }
}

queue "goes" {
  topic = "%[1]s.goes"
}
`

const afterPause = `topology %[1]q {}

cluster "pause" {
  ledger = "%[1]s.ledger"
}

queue "tuned" {
  topic      = "%[1]s.tuned"
  partitions = 2
  config = {
    "segment.ms" = "3d"
  }
}

queue "new" {
  topic = "%[1]s.new"
}

delete "queue" "%[1]s.goes" {}
`

// TestPausedHolders lets an apply sleep with the answer to each of its requests
// before it, until its lease is over and another has done the work. What it does
// when it wakes harms nobody: it changes nothing, and says why. All sleep at the
// same time, since a lease is a minute.
func TestPausedHolders(t *testing.T) {
	t.Parallel()
	var asleep []*sleeper
	for n := 1; ; n++ {
		u, _ := embedded(t)
		s, reached := sleeps(u, "pause", n)
		if !reached {
			break
		}
		asleep = append(asleep, s)
	}
	for n := 1; ; n += 8 {
		s, reached := sleeps(newUser(t, brokers.Shared(t, brokers.Newest)), fmt.Sprint("pause", n), n)
		if !reached {
			break
		}
		asleep = append(asleep, s)
	}
	successors := make([]func() ending, len(asleep))
	for i, s := range asleep {
		successors[i] = s.awake.background("apply", "--auto-approve", "--lock-timeout", "5m")
	}
	for i, s := range asleep {
		if e := successors[i](); e.code != 0 {
			t.Errorf("after %d, %s, its successor ends with %d\n%s", s.n, s.last, e.code, e.out)
		}
	}
	for _, s := range asleep {
		s.wakes()
	}
}

// sleeper is an apply that sleeps.
type sleeper struct {
	*victim
	awake *user
	name  string // of the topology
}

// sleeps lets an apply sleep after its nth answer, if it has so many.
func sleeps(u *user, name string, n int) (s *sleeper, reached bool) {
	u.Helper()
	u.write("pause.hcl", fmt.Sprintf(beforePause, name))
	u.run(0, "apply", "--auto-approve")
	u.write("pause.hcl", fmt.Sprintf(afterPause, name))
	all := func(*proxy.Request) bool { return true }
	s = &sleeper{u.strike(n, all, pauses, "apply", "--auto-approve"), u, name}
	if reached = s.wasStruck(); !reached {
		if code, out := s.end(); code != 0 {
			u.Fatalf("exit code %d\n%s", code, out)
		}
	}
	return s, reached
}

// wakes lets it go on, and wants that nothing comes of that.
func (s *sleeper) wakes() {
	s.Helper()
	s.mu.Lock()
	s.since = nil // what was on its way when it fell asleep
	s.mu.Unlock()
	if err := s.command.Process.Signal(syscall.SIGCONT); !errors.Is(err, os.ErrProcessDone) { // it may have ended as it was put to sleep
		must(s.T, err)
	}
	code, out := s.end()
	if code == 0 && strings.Contains(out, "Applied: ") && !strings.Contains(out, "Applied: 4 done.") {
		s.Errorf("after %d, %s, it is content with less\n%s", s.n, s.last, out)
	}
	if len(s.since) > 0 {
		s.Errorf("after %d, %s, it wakes and sends %s", s.n, s.last, strings.Join(s.since, ", "))
	}
	r := s.awake.records(s.name + ".ledger")
	mine := slices.IndexFunc(r.workers(s.name), func(c *claim) bool { return c.pid == s.command.Process.Pid })
	if mine >= 0 && r.workers(s.name)[mine].outcome() == "" && (code > 1 || !says(out, "the lock of topology "+s.name+" is lost", "is out of reach")) {
		s.Errorf("after %d, %s, in the midst of its work, it ends with %d\n%s", s.n, s.last, code, out)
	}
	s.awake.settled()
	r.oneAtATime()
	r.atRest()
	r.owns(s.name, s.name+".tuned", s.name+".new")
	if s.Failed() {
		s.Fatal(r)
	}
}

// says is whether a text has any of these.
func says(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}
