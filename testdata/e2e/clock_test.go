package e2e_test

import (
	"strings"
	"testing"
	"time"
)

// A machine whose clock is a day off can write to the ledger, and the others
// see nothing of its time: brokers stamp the records.
func TestWrongClock(t *testing.T) {
	everywhere(t, func(u *user) {
		u.write("clock.hcl", `topology "clock" {}

queue "orders" {
  topic      = "clock.orders"
  partitions = 1
  config = {
    "retention.ms" = "7d"
  }
}
`)
		u.run(0, "apply", "--auto-approve")
		c := newCluster(u)
		c.send("clock.orders", 0, 10, 100, 30*time.Hour)
		c.send("clock.orders", 0, 5, 100, 20*time.Hour)
		for _, off := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
			c.send("__queueform", 0, 1, 10, off)
		}
		u.replace("clock.hcl", "7d", "1d")
		for _, command := range [][]string{{"plan"}, {"apply", "--auto-approve"}} {
			out := u.run(3, command...)
			if u.has(out, "(up to 10"); strings.Contains(out, "warning: the clock") {
				t.Error("the ledger bears the machine's time")
			}
		}
	})
}
