// Package bench measures queueform as a whole process against the floor: the
// least that a program with the same client can do. Both run in turn, so that
// their ratio holds on a machine of any speed.
package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
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
	count    func() int64 // the requests since it was last called
}

func newBench(b *testing.B) *bench {
	b.Helper()
	dir, err := programs()
	if err != nil {
		b.Fatal(err)
	}
	x := &bench{B: b, programs: dir, dir: b.TempDir()}
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
func (x *bench) declare(prefix string, count int) {
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
    "retention.ms"      = "7d"
  }
}
`, count, prefix)
	if err := os.WriteFile(filepath.Join(x.dir, "bench.hcl"), []byte(text), 0o644); err != nil {
		x.Fatal(err)
	}
}

// cost is what one run of a program took.
type cost struct {
	time     time.Duration
	memory   int64 // bytes, at the peak
	requests int64
}

func (x *bench) run(program string, args ...string) cost {
	x.Helper()
	x.count()
	command := exec.CommandContext(x.Context(), filepath.Join(x.programs, program), args...)
	command.Dir = x.dir
	began := time.Now()
	out, err := command.CombinedOutput()
	c := cost{time: time.Since(began), requests: x.count()}
	if err != nil {
		x.Fatalf("%s %v: %v\n%s", program, args, err, out)
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

// BenchmarkPlan plans without differences. The limits: 8 requests and one more
// for 500 topics, 1.5 times the floor's time, 2 times its memory.
func BenchmarkPlan(b *testing.B) {
	for _, topics := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("topics=%d", topics), func(b *testing.B) {
			x := newBench(b)
			x.run("floor", "create", x.servers, "t", fmt.Sprint(topics))
			x.declare("t", topics)
			var ours, floor []cost
			for b.Loop() {
				floor = append(floor, x.run("floor", "plan", x.servers, "t", fmt.Sprint(topics)))
				ours = append(ours, x.run("queueform", "plan", "--bootstrap-servers", x.servers, "--detailed-exitcode"))
			}
			x.compare(ours, floor)
		})
	}
}

// BenchmarkCreate creates a thousand topics. The limits: 10 requests more than
// the floor, 1.5 times its time.
func BenchmarkCreate(b *testing.B) {
	x := newBench(b)
	const topics = 1_000
	var ours, floor []cost
	for round := 0; b.Loop(); round++ {
		floor = append(floor, x.run("floor", "create", x.servers, fmt.Sprintf("floor%d-", round), fmt.Sprint(topics)))
		x.declare(fmt.Sprintf("ours%d-", round), topics)
		ours = append(ours, x.run("queueform", "apply", "--bootstrap-servers", x.servers, "--auto-approve"))
	}
	x.compare(ours, floor)
}
