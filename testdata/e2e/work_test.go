package e2e_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// values are those of messages, with how often each was delivered.
func values(all []message) map[string]int32 {
	counts := map[string]int32{}
	for _, m := range all {
		counts[m.Value] = m.Delivery
	}
	return counts
}

// work is done by the members of a share group, by hand and by commands.
func (u *user) work() {
	u.send([]string{"done", "rejected", "later"}, "foreman")
	for look := range int32(3) { // each is one delivery
		seen, _ := u.received("workers", "--release")
		if d := cmp.Diff(map[string]int32{"done": look + 1, "rejected": look + 1, "later": look + 1}, values(seen)); d != "" {
			u.Errorf("look %d: %s", look+1, d)
		}
	}
	u.write("work.sh", `read -r job || [ "$job" ]
echo "$job $QUEUEFORM_TOPIC"
case $job in
done) exit 0 ;;
rejected) exit 100 ;;
esac
[ -e tried ] && exit 0
touch tried
exit 1
`)
	out := u.run(0, "receive", "workers", "--exec", "sh work.sh")
	if n := strings.Count(out, "later flows.jobs\n"); n != 2 {
		u.Errorf("the job that failed once was tried %d times:\n%s", n, out)
	}
	u.has(out, "done flows.jobs\n", "rejected flows.jobs\n", "received 3 messages")
	u.await("the dead letter", func() bool {
		dead, _ := u.received("consumer_group.dead")
		return len(dead) == 1 && dead[0].Value == "rejected"
	})
	u.send([]string{"more", "most"}, "foreman")
	first, _ := u.received("workers", "--max", "1", "--ack")
	second, _ := u.received("workers")
	if len(first) != 1 || len(second) != 1 || first[0].Value == second[0].Value {
		u.Errorf("received %+v and %+v", first, second)
	}
}

// deadLetters that receive sends have the headers that brokers give to what other
// members of a share group reject. Brokers count deliveries, and do not copy the
// message's own headers.
func (u *user) deadLetters() {
	u.received("clerks")
	u.send([]string{`{"key": "k", "value": "bad", "headers": {"trace": "7"}}`}, "foreman", "--format", "json")
	u.rejects("flows.workers", "flows.jobs")
	u.received("clerks", "--reject")
	dead := map[string]message{}
	u.await("both dead letters", func() bool {
		all, _ := u.received("consumer_group.dead")
		for _, m := range all {
			dead[m.header("__dlq.errors.group")] = m
		}
		return len(dead) == 2
	})
	theirs, ours := dead["flows.workers"], dead["flows.clerks"]
	if theirs.Value != "bad" || theirs.Key != ours.Key || theirs.Value != ours.Value {
		u.Errorf("the brokers write %+v, receive %+v", theirs, ours)
	}
	for _, name := range []string{"__dlq.errors.topic", "__dlq.errors.partition", "__dlq.errors.offset", "__dlq.errors.message"} {
		if value := theirs.header(name); value == "" || value != ours.header(name) {
			u.Errorf("%s: the brokers write %+v, receive %+v", name, theirs, ours)
		}
	}
	if theirs.header("__dlq.errors.delivery.count") == "" || ours.header("trace") != "7" || len(ours.Headers) != 6 {
		u.Errorf("receive writes %v, the brokers %v", ours.Headers, theirs.Headers)
	}
}

// rejects has the brokers of a share group put a message aside, by a bare client.
func (u *user) rejects(group, topic string) {
	member, err := kgo.NewClient(kgo.SeedBrokers(u.servers...), kgo.ShareGroup(group), kgo.ConsumeTopics(topic))
	must(u.T, err)
	defer member.Close()
	fetches := member.PollFetches(u.Context())
	must(u.T, fetches.Err())
	member.MarkAcks(kgo.AckReject, fetches.Records()...)
	must(u.T, member.FlushAcks(u.Context()))
}

// anotherKind of group is told before anybody joins: a member would try for ever.
func (u *user) anotherKind() {
	u.write("flows.hcl", strings.NewReplacer(`"flows.workers"`, `"flows.clerks"`, `"flows.clerks"`, `"flows.workers"`).Replace(flows))
	defer u.write("flows.hcl", flows)
	for _, group := range []string{"workers", "clerks"} {
		u.has(u.run(1, "receive", group), "is a group of another kind on the cluster")
	}
}

// killedAtWork has a command kill receive while that waits for it: the message
// is not lost, and a share group gives it again.
func (u *user) killedAtWork(group string) {
	u.received(group)
	u.send([]string{"work"}, "foreman")
	out, err := u.command("receive", group, "--exec", "cat; kill -9 $PPID").Output()
	if err == nil || string(out) != "work" {
		u.Fatalf("the command printed %q, and receive ended: %v", out, err)
	}
	again, _ := u.received(group, "--max", "1")
	if len(again) != 1 || again[0].Value != "work" {
		u.Fatalf("received %+v", again)
	}
	if group == "workers" && again[0].Delivery < 2 {
		u.Errorf("it was delivered %d times", again[0].Delivery)
	}
}

// TestTrafficOnOldest says what that Kafka cannot do, and does the rest.
func TestTrafficOnOldest(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Oldest))
	u.write("flows.hcl", strings.NewReplacer("flows", "oldest", "  dead_letter = queue.dead\n", "").Replace(flows)) // that, too, is newer
	u.run(0, "apply", "--auto-approve", "--target", "queue.orders")
	u.send([]string{"a", "b"}, "checkout")
	all, _ := u.received("consumer_group.classic")
	if len(all) != 2 {
		t.Errorf("received %+v", all)
	}
	u.has(u.run(1, "receive", "consumer_group.consumer"), `these brokers do not speak the protocol "consumer" of consumer_group.consumer: it needs Kafka 4.0 or later (KIP-848)`)
	u.has(u.run(1, "receive", "consumer_group.share"), `these brokers do not speak the protocol "share" of consumer_group.share: it needs Kafka 4.2 or later (KIP-932)`)
}

// TestOutputFails has receive write where nothing can be written: it says so,
// and nothing is lost.
func TestOutputFails(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "flows.orders"))
	must(t, err)
	defer fake.Close()
	u := &user{T: t, servers: fake.ListenAddrs(), dir: t.TempDir()}
	u.write("flows.hcl", flows)
	u.send(slices.Repeat([]string{strings.Repeat("x", 200)}, 1000), "checkout") // more than is buffered
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	reader, unread, err := os.Pipe()
	must(t, err)
	defer unread.Close()
	must(t, reader.Close())
	for out, want := range map[*os.File]string{full: "no space left on device", unread: ""} { // whoever stops listening knows that
		command := u.command("receive", "consumer_group.classic")
		var said strings.Builder
		command.Stdout, command.Stderr = out, &said
		if err := command.Run(); command.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: %v", out.Name(), err)
		}
		u.has(said.String(), want, "received 0 messages")
		if n := strings.Count(said.String(), "no space left on device"); n > 1 {
			t.Errorf("it is said %d times:\n%s", n, said.String())
		}
	}
	if all, _ := u.received("consumer_group.classic"); len(all) != 1000 {
		t.Errorf("%d messages, want 1,000", len(all))
	}
}
