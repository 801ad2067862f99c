package e2e_test

import (
	"fmt"
	"testing"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// phases are what has just been printed when each phase of an apply begins.
var phases = []struct{ name, after string }{
	{"create", "Plan: "},
	{"configs", "create topics: "},
	{"partitions", "set configs: "},
	{"move", "add partitions: "},
	{"delete", "start moves: "},
	{"settle", "delete: "},
}

// round is the topology at one round: whatever came before, an apply of it has
// a step in every phase.
func round(n int) string {
	text := fmt.Sprintf(`topology "phases" {}

queue "base" {
  for_each           = toset([for n in range(10) : tostring(n)])
  topic              = "phases.base.${each.key}"
  partitions         = %d
  replication_factor = %d
  config = {
    "min.insync.replicas" = %d
    "retention.ms"        = "%dd"
  }
}

queue "new" {
  for_each           = toset([for n in range(10) : tostring(n)])
  topic              = "phases.new%d.${each.key}"
  partitions         = 1
  replication_factor = 2
}
`, 1+n, 2+n%2, 1+n%2, 1+n, n)
	for i := range 10 {
		if n > 0 {
			text += fmt.Sprintf("\ndelete \"queue\" \"phases.new%d.%d\" {}\n", n-1, i)
		}
	}
	return text
}

// TestBrokerFailsInEachPhase kills the controller and another broker in each
// phase of an apply, and starts it again meanwhile: the apply says truthfully how
// it went, and the next one has nothing left to do but that.
func TestBrokerFailsInEachPhase(t *testing.T) {
	c := brokers.Own(t, brokers.Options{})
	u := newUser(t, c)
	u.write("phases.hcl", round(0))
	u.run(0, "apply", "--auto-approve")
	n := 0
	for _, phase := range phases {
		for _, role := range []string{"controller", "follower"} {
			t.Run(phase.name+", "+role, func(t *testing.T) {
				n++
				inner := *u
				u := &inner
				u.T = t
				id := u.controller()
				if role == "follower" {
					id = id%brokers.Size + 1
				}
				u.write("phases.hcl", round(n))
				apply := u.begin(phase.after, "apply", "--auto-approve")
				must(t, c.Kill(id))
				must(t, c.Restart(t.Context(), id))
				if code, out := apply.end(); code != 0 {
					u.has(out, "Applied: ")
					u.run(0, "apply", "--auto-approve")
				}
				u.settled()
				if got := u.count("phases."); got != 20 {
					u.Errorf("%d topics", got)
				}
				for broker := range 10 {
					unthrottled(u, fmt.Sprintf("phases.base.%d", broker))
				}
			})
		}
	}
}
