package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply/cli"
	"github.com/queueform/queueform/plan/health"
)

// crowd is a topology of many groups, each of which has read nothing of a queue
// with one message, and its cluster.
type crowd struct {
	*testing.T
	kafka *kfake.Cluster
	dir   string
}

func newCrowd(t *testing.T, groups int, protocols ...string) *crowd {
	t.Helper()
	c := &crowd{T: t, dir: t.TempDir()}
	files := "topology \"crowd\" {}\n"
	topics := make([]string, 10)
	for i := range topics {
		topics[i] = fmt.Sprintf("t%d", i)
		files += fmt.Sprintf("queue \"t%d\" {\n  partitions = 6\n}\n", i)
	}
	var err error
	if c.kafka, err = kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, topics...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kafka.Close)
	client := c.client()
	for _, topic := range topics {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range groups {
		id, topic, protocol := fmt.Sprintf("g%d", i), topics[i%len(topics)], protocols[i%len(protocols)]
		files += fmt.Sprintf("consumer_group %q {\n  queues   = [queue.%s]\n  protocol = %q\n}\n", id, topic, protocol)
		c.begin(kadm.NewClient(client), id, topic, protocol)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "crowd.hcl"), []byte(files), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// begin lets a group begin at the first message.
func (c *crowd) begin(admin *kadm.Client, id, topic, protocol string) {
	c.Helper()
	offsets := kadm.Offsets{}
	for partition := range int32(6) {
		offsets.AddOffset(topic, partition, 0, -1)
	}
	var err error
	if protocol == "share" {
		_, err = admin.AlterShareGroupOffsets(c.Context(), id, offsets)
	} else {
		err = admin.CommitAllOffsets(c.Context(), id, offsets)
	}
	if err != nil {
		c.Fatal(id, err)
	}
}

func (c *crowd) client() *kgo.Client {
	c.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.kafka.ListenAddrs()...))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(client.Close)
	return client
}

// requests counts those that are made meanwhile, but for the first of each
// connection.
func (c *crowd) requests(meanwhile func()) int {
	c.Helper()
	var counting sync.Mutex
	count, ended := 0, false
	c.kafka.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		counting.Lock()
		defer counting.Unlock()
		if !ended {
			c.kafka.KeepControl()
			if kmsg.Key(req.Key()) != kmsg.ApiVersions {
				count++
			}
		}
		return nil, nil, false
	})
	meanwhile()
	counting.Lock()
	defer counting.Unlock()
	ended = true
	return count
}

// status is the document of a status, and how many requests it takes more than
// a plan.
func (c *crowd) status() (d health.Document, more int) {
	c.Helper()
	plan := c.requests(func() { c.run("plan") })
	more = c.requests(func() {
		if err := json.Unmarshal([]byte(c.run("status", "--interval", "1ms", "--format", "json")), &d); err != nil {
			c.Fatal(err)
		}
	})
	return d, more - plan
}

// run is what a command prints.
func (c *crowd) run(args ...string) string {
	c.Helper()
	code, out, talk := run(c.T, append(args, "-C", c.dir, "--bootstrap-servers", strings.Join(c.kafka.ListenAddrs(), ","))...)
	if code != 0 {
		c.Fatalf("%v: exit code %d\n%s%s", args, code, out, talk)
	}
	return out
}

// However many groups there are, a status costs no more requests. On a busy
// machine the client may look for brokers once more: so one of three is to keep
// the limit.
func TestStatusRequests(t *testing.T) {
	for _, test := range []struct {
		protocols []string
		limit     int
	}{
		{[]string{"classic"}, 13},
		{[]string{"share"}, 13},
		{[]string{"classic", "share"}, 16}, // each of the three brokers is asked for both
	} {
		const groups = 200
		crowd := newCrowd(t, groups, test.protocols...)
		d, more := crowd.status()
		for again := 0; again < 2 && more > test.limit; again++ {
			d, more = crowd.status()
		}
		t.Logf("%v: %d", test.protocols, more)
		if more > test.limit {
			t.Errorf("%d groups of %v take %d requests more than a plan", groups, test.protocols, more)
		}
		known := 0
		for _, g := range d.Groups {
			if g.Lag != nil && *g.Lag == 1 && !g.LagAtLeast && g.Out != nil && *g.Out == 0 {
				known++
			}
		}
		if known != groups {
			t.Errorf("%d of %d groups of %v are known", known, groups, test.protocols)
		}
	}
}

// until cancels once so many statuses were written.
type until struct {
	strings.Builder
	left int
	stop context.CancelFunc
}

func (u *until) Write(p []byte) (int, error) {
	if u.left--; u.left == 0 {
		u.stop()
	}
	return u.Builder.Write(p)
}

// A watch goes on until it is interrupted, which is no error: in a pipe block by
// block, on a terminal in one place. Rates are there from the first on.
func TestStatusWatch(t *testing.T) {
	c := newCrowd(t, 1, "classic")
	for shown, separator := range map[bool]string{false: "\n\ncrowd on ", true: "\x1b[Hcrowd on "} {
		ctx, stop := context.WithCancel(t.Context())
		out := &until{left: 3, stop: stop}
		var talk strings.Builder
		s := cli.Streams{Out: out, Err: &talk, Shown: shown, Width: 80, Env: func(string) (string, bool) { return "", false }}
		code := cli.Main(ctx, s, []string{"status", "--watch", "--interval", "10ms", "-C", c.dir, "--bootstrap-servers", strings.Join(c.kafka.ListenAddrs(), ",")})
		text := "\n\n" + out.String()
		if code != 0 || talk.Len() > 0 || strings.Count(text, separator) != 3 || strings.Contains(text, "?") {
			t.Errorf("exit code %d\n%s\n%q", code, &talk, text)
		}
	}
}

// onWrite tells somebody of what is written.
type onWrite func(string)

func (tell onWrite) Write(p []byte) (int, error) {
	tell(string(p))
	return len(p), nil
}

// A watch goes on where the cluster goes away and comes back. Meanwhile it says
// so: on a terminal above what it has shown last.
func TestStatusWatchOutage(t *testing.T) {
	for _, shown := range []bool{false, true} {
		t.Run(fmt.Sprint(shown), func(t *testing.T) {
			t.Parallel()
			watchOutage(t, shown)
		})
	}
}

func watchOutage(t *testing.T, shown bool) {
	t.Helper()
	c := newCrowd(t, 1, "classic")
	servers := c.kafka.ListenAddrs()
	var ports []int
	for _, server := range servers {
		_, port, _ := strings.Cut(server, ":")
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, n)
	}
	ctx, stop := context.WithCancel(t.Context())
	var said []string
	blocks := 0
	missed := func(text string) {
		if text == "" {
			return
		}
		if said = append(said, text); len(said) > 1 {
			return
		}
		back, err := kfake.NewCluster(kfake.Ports(ports...))
		if err != nil {
			t.Error(err)
			stop()
			return
		}
		t.Cleanup(back.Close)
	}
	out := onWrite(func(text string) {
		switch blocks++; {
		case strings.Contains(text, "error: "):
			missed(text)
		case len(said) > 0:
			stop()
		case blocks == 1:
			c.kafka.Close()
		}
	})
	s := cli.Streams{Out: out, Err: onWrite(missed), Shown: shown, Width: 80, Env: func(string) (string, bool) { return "", false }}
	code := cli.Main(ctx, s, []string{"status", "--watch", "--interval", "10ms", "--timeout", "1s", "-C", c.dir, "--bootstrap-servers", strings.Join(servers, ",")})
	if code != 0 || len(said) == 0 || !strings.Contains(said[0], "error: ") || strings.Contains(said[0], "crowd on ") != shown {
		t.Errorf("exit code %d, after %d blocks:\n%s", code, blocks, said)
	}
}

// A watch that never sees the cluster ends.
func TestStatusWatchNothing(t *testing.T) {
	c := newCrowd(t, 1, "classic")
	servers := strings.Join(c.kafka.ListenAddrs(), ",")
	c.kafka.Close()
	if code, out, talk := run(t, "status", "--watch", "--timeout", "1s", "-C", c.dir, "--bootstrap-servers", servers); code != 1 || out != "" || talk == "" {
		t.Errorf("exit code %d\n%s%s", code, out, talk)
	}
}

// Rates are made of what has changed since the look before.
func TestStatusWatchIntervals(t *testing.T) {
	c := newCrowd(t, 1, "classic")
	ctx, stop := context.WithCancel(t.Context())
	out := &until{left: 4, stop: stop}
	s := cli.Streams{Out: out, Err: io.Discard, Width: 80, Env: func(string) (string, bool) { return "", false }}
	cli.Main(ctx, s, []string{"status", "--watch", "--interval", "10ms", "--format", "json", "-C", c.dir, "--bootstrap-servers", strings.Join(c.kafka.ListenAddrs(), ",")})
	var before health.Document
	for decoder := json.NewDecoder(strings.NewReader(out.String())); decoder.More(); {
		var d health.Document
		if err := decoder.Decode(&d); err != nil {
			t.Fatal(err)
		}
		if took := d.At.Sub(before.At).Seconds(); !before.At.IsZero() && math.Abs(took-d.Interval) > 1e-6 {
			t.Errorf("rates of %v s, %v s after the look before", d.Interval, took)
		}
		before = d
	}
}
