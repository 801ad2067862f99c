package traffic_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

// Each protocol gives all there is, once, and nothing when there is nothing more.
func TestReceive(t *testing.T) {
	for _, protocol := range schema.Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			k := newKafka(t)
			for i, value := range count(100) {
				k.send(fmt.Sprint(i), value)
			}
			if d := cmp.Diff(count(100), k.printed(protocol)); d != "" {
				t.Error(d)
			}
			k.send("more", "more")
			if d := cmp.Diff([]string{"more"}, k.printed(protocol)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{""}, k.printed(protocol)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Max is exact, and the rest is for who comes next.
func TestMax(t *testing.T) {
	for _, protocol := range schema.Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			k := newKafka(t)
			k.send("key", count(100)...)
			var out bytes.Buffer
			r := k.receiver(protocol, traffic.NewPrinter(&out, traffic.Accept))
			r.Max = 7
			if p := k.receive(r); p.Messages != 7 || p.Bytes != 7*9 {
				t.Errorf("the progress is %+v", p)
			}
			if d := cmp.Diff(count(7), sorted(out.String())); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(count(100)[7:], k.printed(protocol)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Nothing is acknowledged before it was flushed, however the requests go.
func TestAcknowledgedAfterFlush(t *testing.T) {
	k := newKafka(t)
	k.send("a", count(1000)...)
	k.send("b", count(1000)...)
	var taken, flushed int64
	r := k.receiver(schema.Classic, &taker{
		take:  func(*kgo.Record) (traffic.Verdict, error) { taken++; return traffic.Accept, nil },
		flush: func() error { flushed = taken; return nil },
	})
	k.cluster.ControlKey(kmsg.OffsetCommit.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		var committed int64
		for _, topic := range req.(*kmsg.OffsetCommitRequest).Topics {
			for _, p := range topic.Partitions {
				committed += p.Offset
			}
		}
		if committed > flushed || taken != flushed {
			t.Errorf("%d messages are committed, %d are taken and %d flushed", committed, taken, flushed)
		}
		return nil, nil, false
	})
	k.receive(r)
	if n := k.committed(); n != 2000 || flushed != 2000 {
		t.Errorf("%d messages are committed and %d flushed, want 2000", n, flushed)
	}
}

// What could not be written is not acknowledged, and comes again; so does what
// was written and could not be acknowledged.
func TestNothingIsLost(t *testing.T) {
	commits := 0
	for name, stop := range map[string]func(*kafka) *traffic.Receiver{
		"the disk is full": func(k *kafka) *traffic.Receiver {
			return k.receiver(schema.Classic, &taker{flush: func() error { return errFull }})
		},
		"a message is too much": func(k *kafka) *traffic.Receiver {
			return k.receiver(schema.Classic, &taker{take: func(*kgo.Record) (traffic.Verdict, error) { return traffic.Accept, errFull }})
		},
		"the share group's disk is full": func(k *kafka) *traffic.Receiver {
			return k.receiver(schema.Share, &taker{flush: func() error { return errFull }})
		},
		"the commit is lost": func(k *kafka) *traffic.Receiver {
			k.cluster.ControlKey(kmsg.OffsetCommit.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				k.cluster.KeepControl()
				if commits++; commits != 2 { // the first is where the group begins
					return nil, nil, false
				}
				resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
				for _, t := range req.(*kmsg.OffsetCommitRequest).Topics {
					topic := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
					for _, p := range t.Partitions {
						topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: 22})
					}
					resp.Topics = append(resp.Topics, topic)
				}
				return resp, nil, true
			})
			return k.receiver(schema.Classic, &taker{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(t)
			k.send("key", count(20)...)
			r := stop(k)
			if p, err := r.Receive(t.Context()); err == nil || p.Messages > 0 {
				t.Errorf("%d messages were acknowledged, and the error is %v", p.Messages, err)
			}
			if d := cmp.Diff(count(20), k.printed(r.Group.Protocol)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A pipe that nobody reads ends the receiving.
func TestBrokenPipe(t *testing.T) {
	k := newKafka(t)
	k.send("key", count(20)...)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader.Close()
	if _, err := k.receiver(schema.Classic, traffic.NewPrinter(writer, traffic.Accept)).Receive(t.Context()); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the error is %v", err)
	}
	if n := k.committed(); n != 0 {
		t.Errorf("%d messages are committed", n)
	}
}

// A group begins where its block says, at once: what comes later is not behind
// a later end.
func TestStart(t *testing.T) {
	middle := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for start, want := range map[schema.Start][]string{
		schema.Earliest: {"new", "old"},
		schema.Latest:   {""},
		schema.Start(middle.Format(time.RFC3339Nano)): {"new"},
	} {
		t.Run(string(start), func(t *testing.T) {
			k := newKafka(t)
			old := fmt.Sprintf(`{"value": "old", "timestamp": %d}`, middle.UnixMilli()-1)
			recent := fmt.Sprintf(`{"value": "new", "timestamp": %d}`, middle.UnixMilli())
			if _, err := k.sender().Send(t.Context(), traffic.JSONLines(strings.NewReader(old+"\n"+recent), []byte("key"))); err != nil {
				t.Fatal(err)
			}
			for _, want := range [][]string{want, {"later"}} {
				var out bytes.Buffer
				r := k.receiver(schema.Classic, traffic.NewPrinter(&out, traffic.Accept))
				r.Group.Start = start
				k.receive(r)
				if d := cmp.Diff(want, sorted(out.String())); d != "" {
					t.Error(d)
				}
				k.send("key", "later")
			}
		})
	}
}

// Kafka's own marks at the end of a partition are no reason to wait.
func TestEndsInATransaction(t *testing.T) {
	k := newKafka(t)
	if _, err := transactional(k).Send(t.Context(), traffic.Values([]byte("key"), count(3))); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(count(3), k.printed(schema.Classic)); d != "" {
		t.Error(d)
	}
	if n := k.committed(); n != 4 {
		t.Errorf("%d offsets are committed, want 4: the mark, too", n)
	}
}

// Follow goes on until it is ended, and what it has taken is acknowledged.
func TestFollow(t *testing.T) {
	for _, protocol := range schema.Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			k := newKafka(t)
			k.send("key", "first")
			ctx, cancel := context.WithCancel(t.Context())
			r := k.receiver(protocol, &taker{})
			r.Follow = true
			r.Observe = func(e traffic.Event) {
				received, ok := e.(traffic.Received)
				switch {
				case !ok:
					t.Errorf("%+v", e)
				case received.Messages == 1:
					k.send("key", "second")
				case received.Messages == 2:
					cancel()
				}
			}
			if p, err := r.Receive(ctx); p.Messages != 2 || !errors.Is(err, context.Canceled) {
				t.Errorf("%d messages, and the error is %v", p.Messages, err)
			}
			if d := cmp.Diff([]string{""}, k.printed(protocol)); d != "" {
				t.Error(d)
			}
		})
	}
}

// What is rejected goes to the dead letters with its origin, before it is
// acknowledged.
func TestDeadLetters(t *testing.T) {
	k := newKafka(t)
	in := `{"key": "k", "value": "bad", "headers": {"trace": "1"}}` + "\n" + `{"key": "k", "value": "good"}`
	if _, err := k.sender().Send(t.Context(), traffic.JSONLines(strings.NewReader(in), nil)); err != nil {
		t.Fatal(err)
	}
	k.receive(k.receiver(schema.Classic, &taker{take: func(m *kgo.Record) (traffic.Verdict, error) {
		if string(m.Value) == "bad" {
			return traffic.Reject, nil
		}
		return traffic.Accept, nil
	}}))
	dead := k.all("dlq.orders")
	if len(dead) != 1 {
		t.Fatalf("%d dead letters, want 1", len(dead))
	}
	var headers []string
	for _, h := range dead[0].Headers {
		headers = append(headers, h.Key+"="+string(h.Value))
	}
	want := []string{
		"trace=1", "__dlq.errors.topic=orders", "__dlq.errors.partition=" + fmt.Sprint(k.all("orders")[0].Partition),
		"__dlq.errors.offset=0", "__dlq.errors.group=g", "__dlq.errors.message=Offset rejected by client.",
	}
	if d := cmp.Diff(want, headers); d != "" {
		t.Error(d)
	}
	if string(dead[0].Key) != "k" || string(dead[0].Value) != "bad" {
		t.Errorf("the dead letter is %q %q", dead[0].Key, dead[0].Value)
	}
}

// A message that is not done ends the receiving where a group cannot go on
// without it, and is no dead letter: it may be done when it comes again.
func TestNotDone(t *testing.T) {
	second := func(m *kgo.Record) (traffic.Verdict, error) {
		if m.Offset == 1 {
			return traffic.Release, nil
		}
		return traffic.Accept, nil
	}
	k := newKafka(t)
	k.send("key", count(4)...)
	_, err := k.receiver(schema.Classic, &taker{take: second}).Receive(t.Context())
	if stopped, ok := errors.AsType[*traffic.NotDone](err); !ok || stopped.Offset != 1 {
		t.Errorf("the error is %v", err)
	}
	if n := k.committed(); n != 1 {
		t.Errorf("%d messages are committed, want 1", n)
	}
	if dead := k.all("dlq.orders"); len(dead) > 0 {
		t.Errorf("the dead letters are %v", dead)
	}
	if d := cmp.Diff(count(4)[1:], k.printed(schema.Classic)); d != "" {
		t.Error(d)
	}
}

// A dead letter that Kafka does not take is named, and its message stays unread.
func TestDeadLetterRefused(t *testing.T) {
	k := newKafka(t)
	k.send("key", "bad")
	partition := k.all("orders")[0].Partition
	r := k.receiver(schema.Classic, &taker{take: func(*kgo.Record) (traffic.Verdict, error) { return traffic.Reject, nil }})
	r.Queues[0].DeadLetter = "absent"
	want := fmt.Sprintf("the message at offset 0 of orders[%d] cannot be sent to the dead letters in absent: UNKNOWN_TOPIC_OR_PARTITION", partition)
	if _, err := r.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v", err)
	}
	if d := cmp.Diff([]string{"bad"}, k.printed(schema.Classic)); d != "" {
		t.Error(d)
	}
}

// A rejected message without dead letters to go to stays unread.
func TestRejectedWithoutDeadLetters(t *testing.T) {
	k := newKafka(t)
	k.send("key", "a")
	r := k.receiver(schema.Classic, &taker{take: func(*kgo.Record) (traffic.Verdict, error) { return traffic.Reject, nil }})
	r.Queues[0].DeadLetter = ""
	if _, err := r.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), "is rejected, and its queue has no dead_letter") {
		t.Errorf("the error is %v", err)
	}
	if d := cmp.Diff([]string{"a"}, k.printed(schema.Classic)); d != "" {
		t.Error(d)
	}
}

// A member of a share group accepts, rejects and releases single messages.
func TestShareVerdicts(t *testing.T) {
	k := newKafka(t)
	k.send("key", "accept", "release", "reject")
	deliveries := map[string]int32{}
	p := k.receive(k.receiver(schema.Share, &taker{take: func(m *kgo.Record) (traffic.Verdict, error) {
		value := string(m.Value)
		deliveries[value] = m.DeliveryCount()
		switch {
		case value == "reject":
			return traffic.Reject, nil
		case value == "release" && m.DeliveryCount() < 3:
			return traffic.Release, nil
		}
		return traffic.Accept, nil
	}}))
	if d := cmp.Diff(map[string]int32{"accept": 1, "release": 3, "reject": 1}, deliveries); d != "" {
		t.Error(d)
	}
	if p.Messages != 3 || p.Rejected != 1 || p.Released != 2 {
		t.Errorf("%+v", p)
	}
	if dead := k.all("dlq.orders"); len(dead) != 1 || string(dead[0].Value) != "reject" {
		t.Errorf("the dead letters are %v: these brokers do not write them", dead)
	}
	if d := cmp.Diff([]string{""}, k.printed(schema.Share)); d != "" {
		t.Error(d)
	}
}

// What a share group rejects is sent to the declared dead letters whatever its
// brokers would do with it, and is done for them then. Without any, they drop it.
func TestShareRejects(t *testing.T) {
	for declared, want := range map[string]struct {
		dead int
		told int8
	}{"dlq.orders": {1, int8(kgo.AckAccept)}, "": {0, int8(kgo.AckReject)}} {
		k := newKafka(t)
		k.send("key", "bad")
		r := k.receiver(schema.Share, &taker{take: func(*kgo.Record) (traffic.Verdict, error) { return traffic.Reject, nil }})
		k.cluster.SetGroupConfigs("g", map[string]string{"share.auto.offset.reset": "earliest", "errors.deadletterqueue.topic.name": "dlq.elsewhere"})
		r.Queues[0].DeadLetter = declared
		told := k.acknowledgements()
		if p := k.receive(r); p.Messages != 1 {
			t.Errorf("%q: %d messages", declared, p.Messages)
		}
		if got := told(); len(got) != 1 || got[0] != want.told {
			t.Errorf("%q: the brokers were told %v, want %d", declared, got, want.told)
		}
		dead := k.all("dlq.orders")
		if len(dead) != want.dead {
			t.Errorf("%q: %d dead letters, want %d", declared, len(dead), want.dead)
		}
		for _, m := range dead {
			if !slices.ContainsFunc(m.Headers, func(h kgo.RecordHeader) bool {
				return h.Key == "__dlq.errors.delivery.count" && string(h.Value) == "1"
			}) {
				t.Errorf("the headers are %v", m.Headers)
			}
		}
	}
}

// A look at a share group takes nothing from it, shows nothing twice, and is one
// delivery of what it shows, and of nothing else.
func TestShareLook(t *testing.T) {
	k := locking(t, time.Minute)
	all := count(30)
	for _, value := range all {
		k.send(value, value) // to several partitions
	}
	for look, most := range []int64{0, 7, 0} {
		var out bytes.Buffer
		r := k.receiver(schema.Share, traffic.NewJSONPrinter(&out, traffic.Release))
		r.Look, r.Max = true, most
		if p := k.receive(r); p.Messages != 0 {
			t.Errorf("%d messages were acknowledged", p.Messages)
		}
		var shown []string
		counts := map[int32]int{}
		for line := range strings.Lines(out.String()) {
			var m struct {
				Value string
				Count int32 `json:"delivery_count"`
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			shown = append(shown, m.Value)
			counts[m.Count]++
		}
		want := []map[int32]int{{1: 30}, {2: 7}, {2: 23, 3: 7}}[look]
		if d := cmp.Diff(want, counts); d != "" {
			t.Errorf("look %d: %s", look+1, d)
		}
		if most == 0 && !slices.Equal(all, slices.Sorted(slices.Values(shown))) {
			t.Errorf("look %d shows %v", look+1, shown)
		}
	}
	if d := cmp.Diff(all, k.printed(schema.Share)); d != "" {
		t.Error(d)
	}
}

// A member that the coordinator has forgotten has left: its answer was lost, and the
// client asked again.
func TestShareLookEndsTwice(t *testing.T) {
	k := locking(t, time.Minute)
	k.send("a", "b")
	k.cluster.ControlKey(kmsg.ShareGroupHeartbeat.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		if req.(*kmsg.ShareGroupHeartbeatRequest).MemberEpoch >= 0 {
			return nil, nil, false
		}
		resp := req.ResponseKind().(*kmsg.ShareGroupHeartbeatResponse)
		resp.ErrorCode = kerr.UnknownMemberID.Code
		return resp, nil, true
	})
	r := k.receiver(schema.Share, &taker{take: func(*kgo.Record) (traffic.Verdict, error) { return traffic.Release, nil }})
	r.Look = true
	if p := k.receive(r); p.Released != 1 {
		t.Errorf("%+v", p)
	}
}

// What others have before the end is told, though the last message before it came;
// what a look has itself is not.
func TestShareMissing(t *testing.T) {
	for _, look := range []bool{false, true} {
		const topic = "dlq.orders" // of one partition, which both members get
		k := locking(t, time.Minute)
		sender := k.sender()
		sender.Topic = topic
		if _, err := sender.Send(t.Context(), traffic.Values(nil, count(10))); err != nil {
			t.Fatal(err)
		}
		r := k.receiver(schema.Share, &taker{})
		r.Look, r.Queues = look, []traffic.Queue{{Topic: topic}}
		other, err := kgo.NewClient(append(k.client.Opts(), kgo.ShareGroup("g"), kgo.ConsumeTopics(topic), kgo.ShareMaxRecords(4), kgo.ShareMaxRecordsStrict())...)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if n := len(other.PollRecords(t.Context(), 4).Records()); n != 4 {
			t.Fatalf("the other has %d messages", n)
		}
		var told []traffic.Event
		r.Observe = func(e traffic.Event) {
			if _, progress := e.(traffic.Received); !progress {
				told = append(told, e)
			}
		}
		k.receive(r)
		if d := cmp.Diff([]traffic.Event{traffic.Missing{Messages: 4}}, told); d != "" {
			t.Errorf("look: %v, %s", look, d)
		}
	}
}

// What brokers refuse to acknowledge is told, is not counted, and comes again: to
// this member, or to the next where this one has taken all that it is to.
func TestShareRefused(t *testing.T) {
	for name, test := range map[string]struct {
		most   int64
		counts int64
		err    string
		next   string
	}{
		"it comes again":     {counts: 1},
		"the member is gone": {most: 1, err: "taken and not acknowledged, so that they come again: up to 1 message", next: "value"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKafka(t)
			k.send("key", "value")
			k.refuse()
			var work taker
			refused := 0
			r := k.receiver(schema.Share, &work)
			r.Singly, r.Max = true, test.most // it asks for messages when it has acknowledged others, and not with that
			r.Observe = func(e traffic.Event) {
				if told, ok := e.(traffic.NotAcknowledged); ok && errors.Is(told.Err, kerr.InvalidRecordState) {
					refused++
				}
			}
			p, err := r.Receive(t.Context())
			if p.Messages != test.counts || refused != 1 || len(work.taken) != 1+int(test.counts) {
				t.Errorf("%d messages counted, %d taken, %d refused", p.Messages, len(work.taken), refused)
			}
			if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("the error is %v, want %q", err, test.err)
			}
			if d := cmp.Diff([]string{test.next}, k.printed(schema.Share)); d != "" {
				t.Error(d)
			}
		})
	}
}

// A message is held for as long as it is worked on, though its lock ends sooner.
func TestShareHold(t *testing.T) {
	for name, lock := range map[string]string{"a lock shorter than the work": "1000", "a lock of several idle connections": "60000"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKafka(t)
			k.send("key", "slow", "next")
			var work taker
			work.take = func(m *kgo.Record) (traffic.Verdict, error) {
				if string(m.Value) == "slow" {
					<-time.After(2500 * time.Millisecond) // two and a half locks
				}
				return traffic.Accept, nil
			}
			r := k.receiver(schema.Share, &work)
			k.cluster.SetGroupConfigs("g", map[string]string{"share.auto.offset.reset": "earliest", "share.record.lock.duration.ms": lock})
			client, err := kgo.NewClient(append(k.client.Opts(), kgo.ConnIdleTimeout(500*time.Millisecond))...)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			r.Client, r.Singly = client, true
			r.Observe = func(e traffic.Event) {
				if _, ok := e.(traffic.Received); !ok {
					t.Errorf("%+v", e)
				}
			}
			k.receive(r)
			if d := cmp.Diff([]string{"slow", "next"}, work.taken); d != "" {
				t.Error(d)
			}
		})
	}
}

// Work that takes longer than brokers may be silent is no silence of theirs.
func TestSlowWork(t *testing.T) {
	t.Parallel()
	k := newKafka(t)
	k.send("key", "slow", "next")
	work := taker{take: func(m *kgo.Record) (traffic.Verdict, error) {
		if string(m.Value) == "slow" {
			<-time.After(11 * time.Second)
		}
		return traffic.Accept, nil
	}}
	r := k.receiver(schema.Share, &work)
	r.Singly = true
	k.receive(r)
	if d := cmp.Diff([]string{"slow", "next"}, work.taken); d != "" {
		t.Error(d)
	}
}

// The exit code of a command decides.
func TestCommand(t *testing.T) {
	k := newKafka(t)
	k.send("key", "done", "rejected", "failed")
	dir := t.TempDir()
	t.Setenv("DIR", dir)
	command := &traffic.Command{Line: `v=$(cat); echo "$v $QUEUEFORM_TOPIC $QUEUEFORM_OFFSET $QUEUEFORM_KEY" >>"$DIR/log"
		case $v in done) exit 0;; rejected) exit 100;; *) exit 7;; esac`}
	r := k.receiver(schema.Classic, command)
	r.Singly = true
	if _, err := r.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), "the message at offset 2 of orders[1] was not done") {
		t.Errorf("the error is %v", err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("done orders 0 key\nrejected orders 1 key\nfailed orders 2 key\n", string(log)); d != "" {
		t.Error(d)
	}
	if dead := k.all("dlq.orders"); len(dead) != 1 || string(dead[0].Value) != "rejected" {
		t.Errorf("the dead letters are %v", dead)
	}
}

// A command that cannot be run is not the fault of its message.
func TestCommandMissing(t *testing.T) {
	k := newKafka(t)
	k.send("key", "value")
	r := k.receiver(schema.Classic, &traffic.Command{Line: "no-such-command"})
	r.Singly = true
	if _, err := r.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), "no-such-command cannot be run: exit code 127") {
		t.Errorf("the error is %v", err)
	}
	if dead := k.all("dlq.orders"); len(dead) > 0 || k.committed() > 0 {
		t.Errorf("the message is committed, or among %d dead letters", len(dead))
	}
}

// A command may have the whole message, headers in its environment, and no
// interest in its input.
func TestCommandInput(t *testing.T) {
	m := &kgo.Record{Topic: "t", Partition: 3, Offset: 4, Timestamp: time.UnixMilli(0), Value: []byte("v"), Headers: []kgo.RecordHeader{{Key: "trace-id", Value: []byte("7")}}}
	var out bytes.Buffer
	for _, c := range []*traffic.Command{
		{Line: "cat", JSON: true, Out: &out},
		{Line: `echo "$QUEUEFORM_HEADER_TRACE_ID in $QUEUEFORM_PARTITION"`, Out: &out},
	} {
		if v, err := c.Take(t.Context(), m); v != traffic.Accept || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	}
	want := `{"topic":"t","partition":3,"offset":4,"timestamp":"1970-01-01T00:00:00.000Z","value":"v","headers":[{"key":"trace-id","value":"7"}]}7 in 3` + "\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

// A group of another kind, or a protocol that the brokers do not speak, is told
// before anybody joins.
func TestProtocolRefused(t *testing.T) {
	k := newKafka(t)
	k.send("key", "a")
	k.printed(schema.Classic)
	_, err := k.receiver(schema.Share, &taker{}).Receive(t.Context())
	if err == nil || !strings.Contains(err.Error(), "g is a group of another kind on the cluster") {
		t.Errorf("the error is %v", err)
	}
	k.cluster.ControlKey(kmsg.ConsumerGroupDescribe.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
		resp.Groups = []kmsg.ConsumerGroupDescribeResponseGroup{{Group: "g", ErrorCode: kerr.UnsupportedVersion.Code}}
		return resp, nil, true
	})
	_, err = k.receiver(schema.Consumer, &taker{}).Receive(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it needs Kafka 4.0 or later (KIP-848)") {
		t.Errorf("the error is %v", err)
	}
}

// Messages that are gone are not waited for, be they all of a partition.
func TestMessagesAreGone(t *testing.T) {
	for gone, want := range map[int64][]string{3: count(4)[3:], 4: {""}} {
		k := newKafka(t)
		k.send("key", count(4)...)
		r := k.receiver(schema.Classic, &taker{})
		r.Max = 1
		k.receive(r)
		var before kadm.Offsets
		before.AddOffset("orders", k.all("orders")[0].Partition, gone, -1)
		if _, err := k.admin.DeleteRecords(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, k.printed(schema.Classic)); d != "" {
			t.Error(d)
		}
	}
}

// Members that come and go while messages are on their way lose none, and none
// of them fails.
func TestMembersComeAndGo(t *testing.T) {
	for _, protocol := range schema.Protocols() {
		t.Run(string(protocol), func(t *testing.T) {
			t.Parallel() // they wait for heartbeats
			k := newKafka(t)
			const messages, members = 500, 4
			var mu sync.Mutex
			came := map[string]bool{}
			all := make(chan struct{})
			work := func(ctx context.Context, most int64) error {
				r := k.receiver(protocol, &taker{})
				r.Follow, r.Max = true, most
				r.Taker = &taker{take: func(m *kgo.Record) (traffic.Verdict, error) {
					mu.Lock()
					defer mu.Unlock()
					if !came[string(m.Value)] {
						if came[string(m.Value)] = true; len(came) == messages {
							close(all)
						}
					}
					return traffic.Accept, nil
				}}
				_, err := r.Receive(ctx)
				return err
			}
			ctx, cancel := context.WithCancel(t.Context())
			var group errgroup.Group
			for range members { // each works for a while, and another takes its place
				group.Go(func() error {
					if err := work(ctx, 100); err != nil {
						return err
					}
					return work(ctx, 0)
				})
			}
			for i, value := range count(messages) {
				k.send(fmt.Sprint(i), value)
			}
			<-all
			cancel()
			if err := group.Wait(); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
}

// A member that ends before the messages which it is given has read none of
// them: where another has come farther meanwhile, the group stays there.
func TestGroupIsNotSetBack(t *testing.T) {
	k := newKafka(t)
	k.send("key", count(10)...)
	partition := k.all("orders")[0].Partition
	var once sync.Once
	k.cluster.ControlKey(kmsg.JoinGroup.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		once.Do(func() {
			k.cluster.SleepControl(func() {
				k.send("key", "late", "later")
				farther := kadm.Offsets{}
				farther.AddOffset("orders", partition, 11, -1)
				if err := k.admin.CommitAllOffsets(t.Context(), "g", farther); err != nil {
					t.Error(err)
				}
			})
		})
		return nil, nil, false
	})
	k.receive(k.receiver(schema.Classic, &taker{}))
	offsets, err := k.admin.FetchOffsets(t.Context(), "g")
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := offsets.Lookup("orders", partition); at.At < 11 {
		t.Errorf("the group is at %d, and was at 11", at.At)
	}
}

// Where a group begins that has committed nothing is not guessed.
func TestStartUnknown(t *testing.T) {
	for _, reset := range []string{"none", "by_duration:PT1H"} {
		k := newKafka(t)
		k.send("key", count(3)...)
		r := k.receiver(schema.Classic, &taker{})
		r.Group.Start, r.Group.Client = "", map[string]schema.Setting{"auto.offset.reset": {Value: reset}}
		if _, err := r.Receive(t.Context()); err == nil || !strings.Contains(err.Error(), "auto.offset.reset = "+reset+" says no place to begin") {
			t.Errorf("%s: %v", reset, err)
		}
		if offsets, err := k.admin.FetchOffsets(t.Context(), "g"); err != nil || len(offsets) > 0 {
			t.Errorf("%s: committed %v, %v", reset, offsets, err)
		}
		r.Group.Start = schema.Earliest
		if p := k.receive(r); p.Messages != 3 {
			t.Errorf("%s, with a start: %d messages", reset, p.Messages)
		}
	}
}

// A connection that breaks while offsets are committed is an error, or tried
// again; the messages come again.
func TestCommitBreaksOff(t *testing.T) {
	k := newKafka(t)
	k.send("key", count(3)...)
	k.cluster.ControlKey(kmsg.OffsetCommit.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.cluster.KeepControl()
		return nil, errors.New("cut"), true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if p, err := k.receiver(schema.Classic, &taker{}).Receive(ctx); err == nil || p.Messages > 0 {
		t.Errorf("%d messages acknowledged, %v", p.Messages, err)
	}
}
