package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// laterKafka is what a plan says of the examples that the oldest Kafka is not enough for.
var laterKafka = map[string][]string{
	"pipeline": {`No protocol "consumer" on this cluster`, "It needs Kafka 4.0"},
	"work":     {`No protocol "share" on this cluster`, "It needs Kafka 4.2"},
}

// TestExamples applies every example to real Kafka, where the next plan is empty.
// Those of the teams want a cluster of their own: [TestTeams].
func TestExamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*", "topology.hcl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	everywhere(t, func(u *user) {
		for _, file := range files {
			name := filepath.Base(filepath.Dir(file))
			u := u.example(name)
			if name == "shop" { // it logs in
				u.env = asAdmin(u.kafka)
			}
			if says := laterKafka[name]; says != nil && u.kafka.Version == brokers.Oldest {
				u.has(u.run(1, "plan"), says...)
				continue
			}
			u.run(0, "apply", "--auto-approve")
			u.settled()
		}
	})
}

// example is the same user with the files of an example.
func (u *user) example(name string) *user {
	u.Helper()
	same := *u
	same.dir = u.TempDir()
	must(u.T, os.CopyFS(same.dir, os.DirFS(filepath.Join("..", "..", "examples", filepath.FromSlash(name)))))
	return &same
}

// asAdmin is the environment in which queueform logs in as the administrator,
// where the files say tls and a login.
func asAdmin(c *brokers.Cluster) []string {
	return []string{
		"QUEUEFORM_BOOTSTRAP_SERVERS=" + strings.Join(c.SASL(), ","), "QUEUEFORM_TLS=false", "KAFKA_PASSWORD=unused",
		"QUEUEFORM_SASL_USERNAME=" + brokers.AdminName, "QUEUEFORM_SASL_PASSWORD=" + brokers.AdminPassword,
	}
}

// TestPipeline has both groups of the example read all that two clients write.
func TestPipeline(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest)).example("pipeline")
	u.run(0, "apply", "--auto-approve")
	u.settled()
	u.run(0, "send", "producer.web", "--key", "visitor-17", "first", "second")
	tool(t, "ProducerPerformance", "--command-config", u.settings("producer.web"), "--topic", "pipeline.clicks", "--num-records", "10", "--record-size", "20", "--throughput", "-1")
	for _, group := range []string{"warehouse", "fraud"} {
		all, _ := u.received(group)
		var ours []string
		for _, m := range all {
			if m.Key == "visitor-17" {
				ours = append(ours, m.Value)
			}
		}
		if d := cmp.Diff([]string{"first", "second"}, ours); d != "" || len(all) != 12 {
			t.Errorf("%s received %d messages, want 12: %s", group, len(all), d)
		}
	}
	u.settled()
}

// TestWork has a worker of the example do a job, fail at one for good, and refuse
// one. The last two are dead letters, and can be sent again.
func TestWork(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest)).example("work")
	u.run(0, "apply", "--auto-approve")
	u.settled()
	u.write("deliver", `read -r job || [ "$job" ]
echo "$job"
case $job in
refused) exit 100 ;;
broken) exit 1 ;;
esac
`)
	u.run(0, "send", "producer.shop", "--key", "ann", "done", "refused", "broken")
	out := u.run(0, "receive", "consumer_group.workers", "--exec", "sh deliver")
	for job, tries := range map[string]int{"done": 1, "refused": 1, "broken": 3} {
		if got := strings.Count(out, job+"\n"); got != tries {
			t.Errorf("%s was tried %d times, want %d:\n%s", job, got, tries, out)
		}
	}
	dead := map[string]message{}
	u.await("both dead letters", func() bool {
		all, _ := u.received("consumer_group.undertaker")
		for _, m := range all {
			dead[m.Value] = m
		}
		return len(dead) == 2
	})
	for _, job := range []string{"refused", "broken"} {
		m := dead[job]
		if m.Key != "ann" || m.header("__dlq.errors.group") != "work.workers" || m.header("__dlq.errors.topic") != "work.emails" {
			t.Errorf("of %s there is %+v", job, m)
		}
	}
	again := `{"key": "ann", "value": "broken", "headers": {"__dlq.errors.group": "work.workers"}}`
	u.send([]string{again}, "producer.shop", "--format", "json")
	if all, _ := u.received("consumer_group.workers"); len(all) != 1 || all[0].Value != "broken" {
		t.Errorf("received %+v", all)
	}
	u.settled()
}
