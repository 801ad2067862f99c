package bench

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// messages is how many of 100 bytes there are: QUEUEFORM_MESSAGES, or a million.
func messages(b *testing.B) int {
	b.Helper()
	text := os.Getenv("QUEUEFORM_MESSAGES")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// lines are so many lines of 100 bytes, as they would come through a pipe.
type lines struct {
	left int
	rest []byte
}

var line = append(bytes.Repeat([]byte("queueform "), 10), '\n')

func (l *lines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(l.rest) == 0 {
			if l.left == 0 {
				return n, io.EOF
			}
			l.left--
			l.rest = line
		}
		copied := copy(p[n:], l.rest)
		l.rest = l.rest[copied:]
		n += copied
	}
	return n, nil
}

const flow = `topology "flow" {}

variable "topic" {}

variable "group" {
  default = "none"
}

variable "protocol" {
  default = "classic"
}

queue "flow" {
  topic = var.topic
}

producer "p" {
  queues = [queue.flow]
}

consumer_group "g" {
  group_id = var.group
  queues   = [queue.flow]
  protocol = var.protocol
  start    = "earliest"
}
`

// onBoth runs a benchmark on the embedded cluster and on Kafka.
func onBoth(b *testing.B, run func(*bench)) {
	b.Helper()
	for name, start := range map[string]func(*testing.B) *bench{"embedded": embedded, "kafka": onKafka} {
		b.Run(name, func(b *testing.B) {
			x := start(b)
			if err := os.WriteFile(filepath.Join(x.dir, "flow.hcl"), []byte(flow), 0o644); err != nil {
				b.Fatal(err)
			}
			run(x)
		})
	}
}

// flow runs a program that messages go into, or that they come out of.
func (x *bench) flow(in io.Reader, program string, args ...string) cost {
	x.Helper()
	command := exec.CommandContext(x.Context(), filepath.Join(x.programs, program), args...)
	command.Stdin = in
	return x.measure(command)
}

// BenchmarkSend sends lines through a pipe. The limits: 1.3 times the floor's
// time, and memory that does not depend on how many messages there are. Who comes
// first changes: the disk is still at the messages of the one before.
func BenchmarkSend(b *testing.B) {
	onBoth(b, func(x *bench) {
		n := messages(x.B)
		var ours, floor []cost
		runs := []func(topic string){
			func(topic string) {
				floor = append(floor, x.flow(&lines{left: n}, "floor", "send", x.servers, topic, "0"))
			},
			func(topic string) {
				ours = append(ours, x.flow(&lines{left: n}, "queueform", "send", "p", "--bootstrap-servers", x.servers, "--var", "topic="+topic))
			},
		}
		for round := 0; x.Loop(); round++ {
			for turn := range runs {
				prefix := fmt.Sprintf("t%d-%d-", round, turn)
				x.run("floor", "create", x.servers, prefix, "1")
				runs[(round+turn)%2](prefix + "00000")
				x.empty()
			}
		}
		x.compare(ours, floor)
	})
}

// BenchmarkReceive prints all messages of a topic as the only member of a group.
// The limits are those of sending.
func BenchmarkReceive(b *testing.B) {
	benchmarkReceive(b, "receive", "classic", func(*bench, string) {})
}

// BenchmarkReceiveShare does so as that of a share group.
func BenchmarkReceiveShare(b *testing.B) {
	benchmarkReceive(b, "share", "share", func(x *bench, group string) { x.run("floor", "earliest", x.servers, group, "0") })
}

func benchmarkReceive(b *testing.B, verb, protocol string, prepare func(x *bench, group string)) {
	b.Helper()
	onBoth(b, func(x *bench) {
		n := messages(x.B)
		x.run("floor", "create", x.servers, "t", "1")
		x.flow(&lines{left: n}, "floor", "send", x.servers, "t00000", "0")
		var ours, floor []cost
		for x.Loop() {
			floor = append(floor, x.flow(nil, "floor", verb, x.servers, "t00000", fmt.Sprint(n)))
			group := fmt.Sprintf("ours%d", len(ours))
			prepare(x, group)
			ours = append(ours, x.flow(nil, "queueform", "receive", "g", "--bootstrap-servers", x.servers, "--var", "topic=t00000", "--var", "protocol="+protocol, "--var", "group="+group))
		}
		x.compare(ours, floor)
	})
}
