package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const flows = `topology "flows" {}

queue "orders" {
  topic       = "flows.orders"
  partitions  = 12
  dead_letter = queue.dead
}

queue "dead" {
  topic      = "dlq.flows"
  partitions = 1
  config = {
    "errors.deadletterqueue.group.enable" = true
  }
}

producer "checkout" {
  queues = [queue.orders]
}

producer "ledger" {
  queues           = [queue.orders]
  transactional_id = "flows-ledger"
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
	u.configure("flows.share", "share.auto.offset.reset=earliest", "errors.deadletterqueue.topic.name=dlq.flows", "errors.deadletterqueue.copy.record.enable=true")
	return u
}

// configure sets configs of a group.
func (u *user) configure(group string, pairs ...string) {
	u.Helper()
	client := u.client()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		config.Name, config.Value = name, &value
		resource.Configs = append(resource.Configs, config)
	}
	req.Resources = append(req.Resources, resource)
	resp, err := req.RequestWith(u.Context(), client)
	must(u.T, err)
	for _, r := range resp.Resources {
		if r.ErrorCode != 0 {
			u.Fatalf("configs of group %s: %d %v", group, r.ErrorCode, r.ErrorMessage)
		}
	}
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
	Key       string
	Value     *string
	Headers   []struct{ Key, Value string }
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
	t.Run("transactions", func(t *testing.T) { u.on(t).transactions() })
	for _, group := range []string{"classic", "consumer", "share"} {
		t.Run(group, func(t *testing.T) { u.on(t).killed(group) })
	}
	t.Run("rejected", func(t *testing.T) { u.on(t).rejected() })
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
		if *m.Value == "ours" {
			ours[m.Key] = m.Partition
		}
	}
	if d := cmp.Diff(java, ours); d != "" {
		u.Error(d)
	}
}

// transactions end with a mark of Kafka's, which is no message and nothing to wait for.
func (u *user) transactions() {
	u.has(u.send(numbered(10_001), "ledger"), "sent 10,001 messages")
	all, talk := u.received("consumer_group.classic")
	u.has(talk, "received 10,001 messages")
	if len(all) != 10_001 {
		u.Errorf("%d messages, want 10,001", len(all))
	}
	u.received("consumer_group.consumer", "--max", "10201") // what is there of the other protocols begins anew
	u.received("consumer_group.share", "--max", "10201")
}

// killed kills receive at moments that nobody chooses, until all has come: none
// is lost.
func (u *user) killed(group string) {
	const messages = 20_000
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

// rejected messages of a share group are put aside by its brokers, with the
// headers that receive gives to those of other groups.
func (u *user) rejected() {
	u.received("consumer_group.share")
	u.received("consumer_group.classic")
	u.send([]string{`{"key": "k", "value": "bad"}`}, "checkout", "--format", "json")
	u.received("consumer_group.share", "--reject")
	u.received("consumer_group.classic", "--reject")
	headers := map[string]map[string]string{}
	u.await("both dead letters", func() bool {
		all, _ := u.received("consumer_group.dead")
		for _, m := range all {
			these := map[string]string{}
			for _, h := range m.Headers {
				these[h.Key] = h.Value
			}
			if m.Key != "k" || m.Value == nil || *m.Value != "bad" {
				u.Errorf("a dead letter is %+v", m)
			}
			headers[these["__dlq.errors.group"]] = these
		}
		return len(headers) == 2
	})
	brokers, ours := headers["flows.share"], headers["flows.classic"]
	for _, name := range []string{"__dlq.errors.topic", "__dlq.errors.partition", "__dlq.errors.offset"} {
		if brokers[name] == "" || brokers[name] != ours[name] {
			u.Errorf("%s: the brokers write %q, receive %q", name, brokers[name], ours[name])
		}
	}
	if names := slices.Sorted(func(yield func(string) bool) {
		for name := range ours {
			if !yield(name) {
				return
			}
		}
	}); len(names) != 5 {
		u.Errorf("receive writes %v, the brokers %v", ours, brokers)
	}
}
