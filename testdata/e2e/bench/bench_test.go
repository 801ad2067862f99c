// Package bench measures queueform as a whole process against the floor: the
// least that a program with the same client can do. Both run in turn, so that
// their ratio holds on a machine of any speed.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// programs builds queueform and the floor once.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "queueform-bench-*"); err != nil {
		return "", err
	}
	for name, from := range map[string]string{"queueform": filepath.Join("..", "..", ".."), "floor": "floor", "cluster": "cluster"} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), ".")
		build.Dir = from
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// bench is a running cluster, and the programs that are compared on it.
type bench struct {
	*testing.B
	programs string
	servers  string
	dir      string
	count    func() int64 // the requests since it was last called, where they are counted
}

func newBench(b *testing.B) *bench {
	b.Helper()
	dir, err := programs()
	if err != nil {
		b.Fatal(err)
	}
	return &bench{B: b, programs: dir, dir: b.TempDir(), count: func() int64 { return 0 }}
}

// onKafka is a bench before three brokers of Apache Kafka.
func onKafka(b *testing.B) *bench {
	b.Helper()
	x := newBench(b)
	x.servers = strings.Join(brokers.Own(b, brokers.Options{}).Bootstrap(), ",")
	return x
}

// embedded is a bench before kfake in a process of its own.
func embedded(b *testing.B) *bench {
	b.Helper()
	x := newBench(b)
	dir := x.programs
	cluster := exec.CommandContext(b.Context(), filepath.Join(dir, "cluster"))
	in, err := cluster.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cluster.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cluster.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close() // it ends by that
		_ = cluster.Wait()
	})
	lines := bufio.NewScanner(out)
	said := func() string {
		if !lines.Scan() {
			b.Fatal("the cluster has ended")
		}
		return lines.Text()
	}
	x.servers = said()
	x.count = func() int64 {
		fmt.Fprintln(in)
		n, err := strconv.ParseInt(said(), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	return x
}

// declare writes a topology of so many queues of one shape.
func (x *bench) declare(prefix string, count int, retention string) {
	x.Helper()
	text := fmt.Sprintf(`topology "bench" {}

queue "q" {
  for_each           = toset([for n in range(%d) : format("%s%%05d", n)])
  topic              = each.key
  partitions         = 6
  replication_factor = 1
  config = {
    "cleanup.policy"    = "delete"
    "max.message.bytes" = "2MiB"
    "retention.ms"      = %q
  }
}
`, count, prefix, retention)
	if err := os.WriteFile(filepath.Join(x.dir, "bench.hcl"), []byte(text), 0o644); err != nil {
		x.Fatal(err)
	}
}

// adopt declares topics that are there, and makes them queueform's.
func (x *bench) adopt(prefix string, count int) {
	x.Helper()
	x.declare(prefix, count, "7d")
	x.run("queueform", "apply", "--bootstrap-servers", x.servers, "--auto-approve")
}

// cost is what one run of a program took.
type cost struct {
	time     time.Duration
	memory   int64 // bytes, at the peak
	requests int64
}

func (x *bench) run(program string, args ...string) cost {
	x.Helper()
	return x.measure(exec.CommandContext(x.Context(), filepath.Join(x.programs, program), args...))
}

// measure runs a command, whose output is of no interest.
func (x *bench) measure(command *exec.Cmd) cost {
	x.Helper()
	x.count()
	var talk bytes.Buffer
	command.Dir, command.Stderr = x.dir, &talk
	began := time.Now()
	err := command.Run()
	c := cost{time: time.Since(began), requests: x.count()}
	if err != nil {
		x.Fatalf("%v: %v\n%s", command.Args, err, &talk)
	}
	c.memory = command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if runtime.GOOS != "darwin" {
		c.memory *= 1024
	}
	return c
}

// compare reports the medians of pairs of runs.
func (x *bench) compare(ours, floor []cost) {
	x.Helper()
	median := func(of func(ours, floor cost) float64) float64 {
		all := make([]float64, len(ours))
		for i := range ours {
			all[i] = of(ours[i], floor[i])
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	x.ReportMetric(0, "ns/op") // of both together: nobody's
	x.ReportMetric(median(func(o, _ cost) float64 { return o.time.Seconds() }), "s")
	x.ReportMetric(median(func(o, f cost) float64 { return o.time.Seconds() / f.time.Seconds() }), "x-floor-time")
	x.ReportMetric(median(func(o, _ cost) float64 { return float64(o.memory) / (1 << 20) }), "MiB")
	x.ReportMetric(median(func(o, f cost) float64 { return float64(o.memory) / float64(f.memory) }), "x-floor-memory")
	x.ReportMetric(median(func(o, _ cost) float64 { return float64(o.requests) }), "requests")
	x.ReportMetric(median(func(_, f cost) float64 { return float64(f.requests) }), "floor-requests")
}

// BenchmarkPlan plans without differences, of topics that the ledger knows. The
// limits: 8 requests and one more for 500 topics, and 8 for the ledger; 1.5
// times the floor's time, 2 times its memory.
func BenchmarkPlan(b *testing.B) {
	for _, topics := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			x := embedded(b)
			x.run("floor", "create", x.servers, "t", fmt.Sprint(topics))
			x.adopt("t", topics)
			var ours, floor []cost
			for b.Loop() {
				floor = append(floor, x.run("floor", "plan", x.servers, "t", fmt.Sprint(topics)))
				ours = append(ours, x.run("queueform", "plan", "--bootstrap-servers", x.servers, "--detailed-exitcode"))
			}
			x.compare(ours, floor)
		})
	}
}

// BenchmarkEndangered plans to shorten the retention of all topics, against a
// plan to lengthen it. The limit: 6 requests more to each of the three brokers
// for each of the three kinds of question.
func BenchmarkEndangered(b *testing.B) {
	for _, topics := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			x := embedded(b)
			x.run("floor", "create", x.servers, "t", fmt.Sprint(topics))
			x.adopt("t", topics)
			var endangered, safe []cost
			for b.Loop() {
				x.declare("t", topics, "14d")
				safe = append(safe, x.run("queueform", "plan", "--bootstrap-servers", x.servers))
				x.declare("t", topics, "1d")
				endangered = append(endangered, x.run("queueform", "plan", "--bootstrap-servers", x.servers))
			}
			x.compare(endangered, safe)
		})
	}
}

// BenchmarkCreate creates a thousand topics. The limit: 10 requests more than
// the floor. Its time is compared on Kafka.
func BenchmarkCreate(b *testing.B) {
	x := embedded(b)
	var ours, floor []cost
	for round := 0; b.Loop(); round++ {
		floor = append(floor, x.run("floor", "create", x.servers, fmt.Sprintf("floor%d-", round), "1000"))
		x.declare(fmt.Sprintf("ours%d-", round), 1_000, "7d")
		ours = append(ours, x.run("queueform", "apply", "--bootstrap-servers", x.servers, "--auto-approve"))
	}
	x.compare(ours, floor)
}

// BenchmarkCreateOnKafka creates a thousand topics, until every broker knows
// them. The limit: 1.5 times the floor's time. Who comes first changes.
func BenchmarkCreateOnKafka(b *testing.B) {
	x := onKafka(b)
	var ours, floor []cost
	runs := []func(round int){
		func(round int) {
			floor = append(floor, x.run("floor", "await", x.servers, fmt.Sprintf("floor%d-", round), "1000"))
			x.empty()
		},
		func(round int) {
			x.declare(fmt.Sprintf("ours%d-", round), 1_000, "7d")
			ours = append(ours, x.run("queueform", "apply", "--bootstrap-servers", x.servers, "--auto-approve"))
			x.empty()
		},
	}
	for round := 0; b.Loop(); round++ {
		runs[round%2](round)
		runs[1-round%2](round)
	}
	x.compare(ours, floor)
}

// empty deletes all topics.
func (x *bench) empty() {
	x.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(x.servers, ",")...))
	if err != nil {
		x.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(x.Context())
	if err != nil {
		x.Fatal(err)
	}
	for some := range slices.Chunk(topics.Names(), 500) {
		if _, err := admin.DeleteTopics(x.Context(), some...); err != nil {
			x.Fatal(err)
		}
	}
}

// BenchmarkLedger is what lock and ledger add to an apply on Kafka. The limit:
// 0.5 s.
func BenchmarkLedger(b *testing.B) {
	x := onKafka(b)
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(x.servers, ",")...))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	topic := ledger.Topic{Name: schema.DefaultLedger, Client: client, Clock: ledger.SystemClock()}
	request := ledger.Request{Lock: ledger.TopologyLock("bench"), Holder: ledger.Holder{Topology: "bench", User: "bench", Host: "here"}}
	apply := func() {
		hold, err := ledger.Acquire(b.Context(), topic, request)
		if err != nil {
			b.Fatal(err)
		}
		queue := schema.ID{Kind: schema.KindQueue, Name: "orders"}
		for _, records := range [][]ledger.Record{{ledger.Begun{}, ledger.Intent{Object: queue}}, {ledger.Owned{Object: queue}}, {ledger.Ended{Outcome: "done"}}} {
			if _, err := hold.Write(b.Context(), records...); err != nil {
				b.Fatal(err)
			}
		}
		if err := hold.Release(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	apply() // makes the topic
	for b.Loop() {
		apply()
	}
}
