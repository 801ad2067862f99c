package e2e_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
	"github.com/queueform/queueform/testdata/e2e/proxy"
)

// fates are what may happen to an answer.
var fates = map[string]proxy.Fate{"lost": proxy.Lose, "reset": proxy.Reset, "cut off": proxy.Cut, "awaited": proxy.Hang}

// A creation whose answer is lost was one: it ends as done.
func TestCreationWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	for name, fate := range fates {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, brokers.Shared(t, brokers.Newest))
			topology := fmt.Sprintf("lost%d", fate)
			u.write("lost.hcl", fmt.Sprintf("topology %[1]q {}\n\ncluster \"lost\" {\n  ledger = \"%[1]s.ledger\"\n}\n\nqueue \"orders\" {\n  topic = \"%[1]s.orders\"\n}\n", topology))
			creations := func(r *proxy.Request) bool {
				body, creates := r.Body.(*kmsg.CreateTopicsRequest)
				return creates && !body.ValidateOnly && body.Topics[0].Topic == topology+".orders"
			}
			v := u.strike(1, creations, loses(fate), "apply", "--auto-approve")
			if code, out := v.end(); code != 0 || !v.wasStruck() {
				t.Errorf("exit code %d", code)
			} else {
				u.has(out, "Applied: 1 done.")
			}
			r := u.records(topology + ".ledger")
			r.atRest()
			r.owns(topology, topology+".orders")
			u.settled()
		})
	}
}

// Whatever answer is lost, of all that an apply of every kind of step asks, it
// ends as if it had come.
func TestAnswersAreLost(t *testing.T) {
	stride := 5
	if os.Getenv(sweepVariable) != "" {
		stride = 1
	}
	kafka := brokers.Shared(t, brokers.Newest)
	for n, struck := 1, true; struck; n += stride {
		name := fmt.Sprint("cut", n)
		s := newSweep(t, kafka, name, name+".ledger")
		v := s.strike(n, writes, loses(proxy.Cut), s.apply()...)
		if code, out := v.end(); code != 0 {
			s.Errorf("after %d, %s: exit code %d\n%s", n, v.last, code, out)
		}
		struck = v.wasStruck()
		s.converged()
	}
}

// A slow network, and one that breaks every now and then: an apply that does not
// get through says so, and leaves to the next one what is left.
func TestBadNetwork(t *testing.T) {
	kafka := brokers.Shared(t, brokers.Newest)
	for i, test := range []struct {
		name  string
		rules proxy.Rules
	}{
		{"slow", proxy.Rules{Answer: slow(150 * time.Millisecond)}},
		{"requests are reset", proxy.Rules{Request: every(11, proxy.Reset)}},
		{"answers are reset", proxy.Rules{Answer: every(11, proxy.Reset)}},
		{"answers are cut off", proxy.Rules{Answer: every(13, proxy.Cut)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := fmt.Sprint("bad", i)
			s := newSweep(t, kafka, name, name+".ledger")
			behind, _ := s.through(test.rules)
			if e := behind.background(s.apply()...)(); e.code == 1 || e.code == 3 { // what could not be measured blocks
				t.Logf("it did not get through:\n%s", e.out)
				s.converges()
			} else if e.code != 0 {
				t.Errorf("exit code %d\n%s", e.code, e.out)
			}
			s.converged()
		})
	}
}

// slow lets each answer take its time.
func slow(by time.Duration) func(*proxy.Request) proxy.Fate {
	return func(*proxy.Request) proxy.Fate {
		<-time.After(by)
		return proxy.Pass
	}
}

// every lets this happen to one of so many.
func every(many int64, fate proxy.Fate) func(*proxy.Request) proxy.Fate {
	var count atomic.Int64
	return func(*proxy.Request) proxy.Fate {
		if count.Add(1)%many == 0 {
			return fate
		}
		return proxy.Pass
	}
}
