package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// many is a topology of so many queues. A thousand are created by two requests.
func many(name string, count int) string {
	return fmt.Sprintf(`topology %[1]q {}

queue "q" {
  for_each           = toset([for n in range(%[2]d) : tostring(n)])
  topic              = "%[1]s.${each.key}"
  partitions         = 1
  replication_factor = 3
  config = {
    "delete.retention.ms" = "2d"
    "retention.ms"        = "7d"
    "segment.ms"          = "1d"
    "segment.bytes"       = "10MiB"
  }
}
`, name, count)
}

// running is queueform at work.
type running struct {
	*user
	command *exec.Cmd
	out     *watcher
	ended   chan error
}

// begin starts queueform, and returns once it has printed that.
func (u *user) begin(until string, args ...string) *running {
	u.Helper()
	w := &watcher{until: until, seen: make(chan struct{})}
	r := &running{user: u, command: u.command(args...), out: w, ended: make(chan error, 1)}
	r.command.Stdout, r.command.Stderr = w, w
	if err := r.command.Start(); err != nil {
		u.Fatal(err)
	}
	go func() { r.ended <- r.command.Wait() }()
	select {
	case <-w.seen:
	case err := <-r.ended:
		u.Fatalf("it ended without saying %q: %v\n%s", until, err, w.text)
	}
	return r
}

// watcher keeps what is written, and closes seen when that holds some text.
type watcher struct {
	until string
	seen  chan struct{}
	text  string
}

func (w *watcher) Write(p []byte) (int, error) {
	had := strings.Contains(w.text, w.until)
	w.text += string(p)
	if !had && strings.Contains(w.text, w.until) {
		close(w.seen)
	}
	return len(p), nil
}

// end waits for the end, and returns the exit code and all that was printed.
func (r *running) end() (int, string) {
	r.Helper()
	err := <-r.ended
	exit, _ := errors.AsType[*exec.ExitError](err)
	r.Logf("exit code %d\n%s", exitCode(exit), r.out.text)
	return exitCode(exit), r.out.text
}

// TestBrokersFail has a cluster of its own, whose brokers come to harm.
func TestBrokersFail(t *testing.T) {
	c := brokers.Own(t, brokers.Options{})
	for _, test := range []struct {
		name string
		test func(*user)
	}{
		{"down during plan", downDuringPlan},
		{"hanging", hanging},
		{"follower killed during apply", func(u *user) { killedDuringApply(u, u.controller()%brokers.Size+1) }},
		{"controller killed during apply", func(u *user) { killedDuringApply(u, u.controller()) }},
	} {
		t.Run(test.name, func(t *testing.T) { test.test(newUser(t, c)) })
	}
}

// downDuringPlan: a plan needs no particular broker.
func downDuringPlan(u *user) {
	u.write("down.hcl", many("down", 12))
	u.run(0, "apply", "--auto-approve")
	must(u.T, u.kafka.Kill(2))
	for range 5 { // whichever broker is asked what, before the others know that it is gone
		u.settled()
	}
	must(u.T, u.kafka.Await(u.Context()))
	for range 5 {
		u.settled()
	}
	u.replace("down.hcl", `"7d"`, `"8d"`)
	u.has(u.run(0, "plan"), "QF305", "12 to update")
	u.run(0, "apply", "--auto-approve")
	u.replace("down.hcl", "replication_factor = 3", "replication_factor = 2")
	u.run(0, "apply", "--auto-approve")
	u.settled()
	must(u.T, u.kafka.Restart(u.Context(), 2))
}

// hanging: a broker that does not end, nor answer, costs no more than the timeout.
func hanging(u *user) {
	u.write("hang.hcl", many("hang", 3))
	u.run(0, "apply", "--auto-approve")
	id := u.controller()%brokers.Size + 1
	must(u.T, u.kafka.Pause(id))
	u.Cleanup(func() {
		must(u.T, u.kafka.Resume(id))
		must(u.T, u.kafka.Await(context.Background()))
	})
	began := time.Now()
	u.settled()
	if took := time.Since(began); took > 30*time.Second { // the default of --timeout
		u.Errorf("it took %v", took)
	}
}

// killedDuringApply: whatever happens to a broker, what is said is true, and
// the next apply goes on.
func killedDuringApply(u *user, id int) {
	const count = 1000
	name := fmt.Sprintf("killed%d", id)
	u.write("many.hcl", many(name, count))
	apply := u.begin("Plan: ", "apply", "--auto-approve")
	must(u.T, u.kafka.Kill(id))
	code, out := apply.end()
	switch code {
	case 0:
		u.has(out, "Applied: 1,000 done.")
	case 1:
		u.has(out, "Applied: ")
	default:
		u.Errorf("exit code %d", code)
	}
	must(u.T, u.kafka.Restart(u.Context(), id))
	u.run(0, "apply", "--auto-approve")
	u.settled()
	if got := u.count(name + "."); got != count {
		u.Errorf("%d topics", got)
	}
}

// controller is the id of the active controller.
func (u *user) controller() int {
	u.Helper()
	client := u.client()
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{}}}}
	resp, err := req.RequestWith(u.Context(), client)
	if err != nil {
		u.Fatal(err)
	}
	return int(resp.Topics[0].Partitions[0].LeaderID)
}

// client is another client than queueform's.
func (u *user) client() *kgo.Client {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.servers...))
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(client.Close)
	return client
}

// count is how many topics there are whose names begin so.
func (u *user) count(prefix string) int {
	u.Helper()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(u.Context(), u.client())
	if err != nil {
		u.Fatal(err)
	}
	n := 0
	for _, t := range resp.Topics {
		if strings.HasPrefix(*t.Topic, prefix) {
			n++
		}
	}
	return n
}

// Ctrl-C ends an apply after the request in flight, and it says what was done.
func TestInterrupted(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.write("many.hcl", many("interrupted", 1500))
	apply := u.begin("Plan: ", "apply", "--auto-approve")
	must(t, apply.command.Process.Signal(os.Interrupt))
	code, out := apply.end()
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	u.has(out, "interrupted")
	u.run(0, "apply", "--auto-approve")
	u.settled()
}

// A move that nobody waits for goes on, and the next apply waits for it and
// takes the throttle away.
func TestMoveOutlivesApply(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.write("move.hcl", `topology "move" {}

queue "orders" {
  topic              = "move.orders"
  partitions         = 2
  replication_factor = 1
  config = {
    "min.insync.replicas" = 1
  }
}
`)
	u.run(0, "apply", "--auto-approve")
	produce(u, "move.orders", 40_000)()
	u.replace("move.hcl", "replication_factor = 1", "replication_factor = 3")
	u.replace("move.hcl", `"min.insync.replicas" = 1`, `"min.insync.replicas" = 2`)
	u.has(u.run(4, "apply", "--auto-approve", "--no-wait", "--throttle", "2MiB"), "still moving", "waiting for a move")
	u.has(u.run(0, "plan"), "Moving already")
	interrupted := u.begin("Moving already", "apply", "--auto-approve")
	must(t, interrupted.command.Process.Signal(os.Interrupt))
	if code, _ := interrupted.end(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	u.run(0, "apply", "--auto-approve")
	u.settled()
	unthrottled(u, "move.orders")
	wants(u, u.topics(`move\.orders`)["move.orders"], topic{Partitions: 2, Factor: 3, Configs: map[string]string{}})
}

// What the cluster cannot give is said at the line that asks for it.
func TestMoreThanTheClusterHas(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.write("more.hcl", `topology "more" {}

queue "fits" {
  topic = "more.fits"
}

queue "replicas" {
  topic              = "more.replicas"
  partitions         = 1
  replication_factor = 4
}
`)
	u.has(u.run(1, "plan"), "more.hcl:7:1", "replication factor", "3")
	u.run(1, "apply", "--auto-approve")
	u.replace("more.hcl", "replication_factor = 4", "replication_factor = 2\n  placement {\n    racks = [\"a\", \"z\"]\n  }")
	u.has(u.run(1, "plan"), `of rack "z" are up`)
	u.has(u.run(1, "apply", "--auto-approve"), "Applied: 1 done")
	if u.count("more.") != 1 {
		t.Error("the queue that fits was not made")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
