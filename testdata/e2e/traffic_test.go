package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const flows = `topology "flows" {}

queue "orders" {
  topic       = "flows.orders"
  partitions  = 12
  dead_letter = queue.dead
}

queue "entries" {
  topic      = "flows.entries"
  partitions = 3
}

queue "jobs" {
  topic       = "flows.jobs"
  partitions  = 2
  dead_letter = queue.dead
}

queue "dead" {
  topic      = "dlq.flows"
  partitions = 1
}

producer "checkout" {
  queues = [queue.orders]
}

producer "ledger" {
  queues           = [queue.entries]
  transactional_id = "flows-ledger"
}

producer "foreman" {
  queues = [queue.jobs]
}

consumer_group "classic" {
  group_id = "flows.classic"
  queues   = [queue.orders]
  protocol = "classic"
  start    = "earliest"
  client = {
    "session.timeout.ms"        = "6s"
    "heartbeat.interval.ms"     = "1s"
    "max.partition.fetch.bytes" = "16KiB"
  }
}

consumer_group "consumer" {
  group_id = "flows.consumer"
  queues   = [queue.orders]
  protocol = "consumer"
  start    = "earliest"
  client = {
    "max.partition.fetch.bytes" = "16KiB"
  }
}

consumer_group "share" {
  group_id = "flows.share"
  queues   = [queue.orders]
  protocol = "share"
  start    = "earliest"
}

consumer_group "auditors" {
  group_id = "flows.auditors"
  queues   = [queue.entries]
  protocol = "classic"
  start    = "earliest"
  client = {
    "isolation.level" = "read_committed"
  }
}

consumer_group "workers" {
  group_id = "flows.workers"
  queues   = [queue.jobs]
  protocol = "share"
  start    = "earliest"
}

consumer_group "clerks" {
  group_id = "flows.clerks"
  queues   = [queue.jobs]
  protocol = "classic"
  start    = "earliest"
  client = {
    "session.timeout.ms"    = "6s"
    "heartbeat.interval.ms" = "1s"
  }
}

consumer_group "dead" {
  group_id = "flows.dead"
  queues   = [queue.dead]
  protocol = "classic"
  start    = "earliest"
}
`

// flowing is a user whose topology of flows is applied, before brokers that miss
// a dead member soon.
func flowing(t *testing.T) *user {
	t.Helper()
	u := newUser(t, brokers.Own(t, brokers.Options{Properties: map[string]string{
		"group.consumer.min.session.timeout.ms": "2000", "group.consumer.session.timeout.ms": "3000",
		"group.consumer.min.heartbeat.interval.ms": "500", "group.consumer.heartbeat.interval.ms": "500",
		"group.share.min.session.timeout.ms": "2000", "group.share.session.timeout.ms": "3000",
		"group.share.min.heartbeat.interval.ms": "500", "group.share.heartbeat.interval.ms": "500",
	}}))
	u.write("flows.hcl", flows)
	u.run(0, "apply", "--auto-approve")
	return u
}

// send sends lines.
func (u *user) send(lines []string, args ...string) string {
	u.Helper()
	command := u.command(append([]string{"send"}, args...)...)
	command.Stdin = strings.NewReader(strings.Join(lines, "\n"))
	out, err := command.CombinedOutput()
	if err != nil {
		u.Fatalf("send %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// message is what receive --format json prints of one.
type message struct {
	Partition int32
	Delivery  int32 `json:"delivery_count"`
	Key       string
	Value     string
	Binary    []byte `json:"value_base64"`
	Headers   []struct{ Key, Value string }
}

// header is the value of a header, or nothing.
func (m message) header(key string) string {
	for _, h := range m.Headers {
		if h.Key == key {
			return h.Value
		}
	}
	return ""
}

// received are messages of a group, and what was said about them.
func (u *user) received(args ...string) (all []message, talk string) {
	u.Helper()
	command := u.command(append([]string{"receive", "--format", "json"}, args...)...)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		u.Fatalf("receive %v: %v\n%s", args, err, &said)
	}
	for line := range bytes.Lines(out) {
		var m message
		must(u.T, json.Unmarshal(line, &m))
		all = append(all, m)
	}
	return all, said.String()
}

// numbered are so many values.
func numbered(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%06d", i)
	}
	return all
}

// TestTraffic sends through producers and receives through groups of the three
// protocols.
func TestTraffic(t *testing.T) {
	u := flowing(t)
	t.Run("keys", func(t *testing.T) { u.on(t).keysAsJava() })
	t.Run("forms", func(t *testing.T) { u.on(t).forms() })
	t.Run("transactions", func(t *testing.T) { u.on(t).transactions() })
	t.Run("fenced", func(t *testing.T) { u.on(t).fenced() })
	t.Run("work", func(t *testing.T) { u.on(t).work() })
	t.Run("dead letters", func(t *testing.T) { u.on(t).deadLetters() })
	t.Run("another kind", func(t *testing.T) { u.on(t).anotherKind() })
	for _, group := range []string{"clerks", "workers"} {
		t.Run("killed at work as "+group, func(t *testing.T) { u.on(t).killedAtWork(group) })
	}
	for _, group := range []string{"classic", "consumer", "share"} {
		t.Run("killed as "+group, func(t *testing.T) { u.on(t).killed(group) })
	}
}

// on is the same user in another test.
func (u *user) on(t *testing.T) *user {
	t.Helper()
	same := *u
	same.T = t
	return &same
}

// keysAsJava compares partitions with those that the Java client chooses.
func (u *user) keysAsJava() {
	const keys = 100
	out := u.tool("VerifiableProducer", "--topic", "flows.orders", "--max-messages", fmt.Sprint(keys), "--repeating-keys", fmt.Sprint(keys))
	java := map[string]int32{}
	for line := range strings.Lines(out) {
		var sent struct {
			Name, Key string
			Partition int32
		}
		if must(u.T, json.Unmarshal([]byte(line), &sent)); sent.Name == "producer_send_success" {
			java[sent.Key] = sent.Partition
		}
	}
	if len(java) != keys {
		u.Fatalf("Java sent %d keys:\n%s", len(java), out)
	}
	var lines []string
	for key := range java {
		lines = append(lines, fmt.Sprintf(`{"key": %q, "value": "ours"}`, key))
	}
	u.send(lines, "checkout", "--format", "json")
	ours := map[string]int32{}
	all, _ := u.received("consumer_group.classic")
	for _, m := range all {
		if m.Value == "ours" {
			ours[m.Key] = m.Partition
		}
	}
	if d := cmp.Diff(java, ours); d != "" {
		u.Error(d)
	}
}

// forms are values, lines, and JSON with all that a message has; text and not.
func (u *user) forms() {
	u.received("consumer_group.classic")
	u.has(u.run(0, "send", "checkout", "--key", "k", "a value", "another value"), "sent 2 messages, 22 B")
	u.has(u.send([]string{"a line", "", "another"}, "checkout"), "sent 3 messages, 13 B")
	u.send([]string{`{"key": "k", "value_base64": "/wA=", "headers": {"trace": "7"}, "partition": 3}`, `{"value": null}`}, "checkout", "--format", "json")
	all, _ := u.received("consumer_group.classic")
	values := map[string]message{}
	for _, m := range all {
		values[m.Value] = m
		if m.Binary != nil {
			values["binary"] = m
		}
	}
	if len(all) != 7 || values["a value"].Key != "k" || values["a line"].Key != "" || values["another value"].Key != "k" {
		u.Errorf("received %+v", all)
	}
	if m := values["binary"]; m.Partition != 3 || string(m.Binary) != "\xff\x00" || m.header("trace") != "7" {
		u.Errorf("received %+v", m)
	}
}

// transactions are there whole or not at all, whenever who sends them dies, and
// end with a mark of Kafka's, which is no message and nothing to wait for.
func (u *user) transactions() {
	const whole, half = 10_000, 5_000
	command := u.command("send", "ledger")
	in, err := command.StdinPipe()
	must(u.T, err)
	must(u.T, command.Start())
	for _, value := range numbered(whole + half) {
		_, err := fmt.Fprintln(in, value)
		must(u.T, err)
	}
	admin := kadm.NewClient(u.client())
	u.await("the messages are there", func() bool {
		ends, err := admin.ListEndOffsets(u.Context(), "flows.entries")
		must(u.T, err)
		var there int64
		ends.Each(func(o kadm.ListedOffset) { there += o.Offset })
		return there >= whole+half
	})
	must(u.T, command.Process.Kill())
	_ = command.Wait() // it was killed
	u.has(u.send([]string{"after"}, "ledger"), "sent 1 message")
	all, talk := u.received("consumer_group.auditors")
	u.has(talk, "received 10,001 messages")
	for i, m := range all {
		if m.Value != "after" && m.Value >= numbered(whole + 1)[whole] {
			u.Fatalf("message %d is %s, of the transaction that did not end", i, m.Value)
		}
	}
}

// fenced is who sends with an id that another has taken: it says what that cost.
func (u *user) fenced() {
	command := u.command("send", "ledger")
	in, err := command.StdinPipe()
	must(u.T, err)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	must(u.T, command.Start())
	_, err = fmt.Fprintln(in, "lost")
	must(u.T, err)
	admin := kadm.NewClient(u.client())
	u.await("the transaction is open", func() bool {
		open, err := admin.DescribeTransactions(u.Context(), "flows-ledger")
		must(u.T, err)
		return open["flows-ledger"].State == "Ongoing"
	})
	u.send([]string{"kept"}, "ledger")
	must(u.T, in.Close())
	if err := command.Wait(); err == nil {
		u.Error("nothing is wrong")
	}
	u.has(said.String(), "sent 0 messages", "Another producer has begun", "read and not acknowledged: 1 message")
	all, _ := u.received("consumer_group.auditors")
	if len(all) != 1 || all[0].Value != "kept" {
		u.Errorf("received %+v", all)
	}
}

// killed kills receive at moments that nobody chooses, until all has come: none
// is lost.
func (u *user) killed(group string) {
	const messages = 20_000
	u.received("consumer_group." + group)
	sent := numbered(messages)
	u.send(sent, "checkout")
	came := map[string]bool{}
	kills := 6
	if group == "share" {
		kills = 3 // of five deliveries, after which a message is a dead letter
	}
	for range kills {
		u.readAndKill(group, 1+rand.IntN(messages/4), came)
	}
	command := u.command("receive", "consumer_group."+group, "--follow")
	u.read(command.StdoutPipe, func(out *bufio.Reader) {
		must(u.T, command.Start())
		for len(came) < messages {
			line, err := out.ReadString('\n')
			if err != nil {
				u.Fatalf("%d of %d messages have come: %v", len(came), messages, err)
			}
			came[strings.TrimSuffix(line, "\n")] = true
		}
		must(u.T, command.Process.Kill())
		_ = command.Wait() // it was killed
	})
	for _, value := range sent {
		if !came[value] {
			u.Fatalf("%s is lost", value)
		}
	}
}

// read gives the output of a process.
func (u *user) read(pipe func() (io.ReadCloser, error), with func(*bufio.Reader)) {
	u.Helper()
	out, err := pipe()
	must(u.T, err)
	with(bufio.NewReader(out))
}

// readAndKill kills receive when so many lines have come, and then takes what
// it has written whole.
func (u *user) readAndKill(group string, lines int, came map[string]bool) {
	u.Helper()
	command := u.command("receive", "consumer_group."+group)
	u.read(command.StdoutPipe, func(out *bufio.Reader) {
		must(u.T, command.Start())
		for n := 1; ; n++ {
			line, err := out.ReadString('\n')
			if err != nil {
				break // a line that is not whole is not there
			}
			came[strings.TrimSuffix(line, "\n")] = true
			if n == lines {
				must(u.T, command.Process.Kill())
			}
		}
		_ = command.Wait() // it was killed
	})
}
