package lang_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/queueform/queueform/schema/lang"
)

// manyQueues writes 1,000 queue blocks in 50 files.
func manyQueues(b *testing.B) (dir string, names []string) {
	b.Helper()
	files := map[string]string{"topology.hcl": `topology "many" {}

profile "durable" {
  replication_factor = 3
  config             = { "min.insync.replicas" = 2 }
}
`}
	for i := range 50 {
		var text strings.Builder
		for j := range 20 {
			fmt.Fprintf(&text, `
queue "orders_%[1]d" {
  topic      = "shop.orders.%[1]d"
  profile    = profile.durable
  partitions = 12
  key        = "order id"

  config = {
    "retention.ms"      = "7d"
    "max.message.bytes" = "2MiB"
    "cleanup.policy"    = ["delete"]
  }
}
`, i*20+j)
		}
		files[fmt.Sprintf("queues_%d.hcl", i)] = text.String()
	}
	dir = directory(b, files)
	for name := range files {
		names = append(names, filepath.Join(dir, name))
	}
	return dir, names
}

func parseAll(b *testing.B, names []string) {
	b.Helper()
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}

func loadAll(b *testing.B, dir string, resources int) {
	b.Helper()
	loaded, diags := lang.Load(dir, lang.Options{})
	if len(diags) > 0 || len(loaded.Topology.Resources) != resources {
		b.Fatal(diags)
	}
}

// BenchmarkParseQueues is what hclsyntax alone takes for the files of BenchmarkLoadQueues.
func BenchmarkParseQueues(b *testing.B) {
	_, names := manyQueues(b)
	b.ReportAllocs()
	for b.Loop() {
		parseAll(b, names)
	}
}

// BenchmarkLoadQueues reports how many times longer it takes to load 1,000
// queue blocks than only to parse them, both measured in turn.
func BenchmarkLoadQueues(b *testing.B) {
	dir, names := manyQueues(b)
	b.ReportAllocs()
	var parsing, loading time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		parseAll(b, names)
		parsing += time.Since(start)
		b.StartTimer()
		start = time.Now()
		loadAll(b, dir, 1000)
		loading += time.Since(start)
	}
	b.ReportMetric(float64(loading)/float64(parsing), "x-parse")
}

// BenchmarkForEach loads 10,000 instances of one block, with three configs each.
func BenchmarkForEach(b *testing.B) {
	const instances = 10_000
	dir := directory(b, map[string]string{"t.hcl": fmt.Sprintf(`topology "many" {}

queue "shard" {
  for_each   = toset([for i in range(%d) : format("s%%05d", i)])
  topic      = "shop.shard.${each.key}"
  partitions = 6

  config = {
    "retention.ms"      = each.key == "s00007" ? "7d" : "1d"
    "max.message.bytes" = "2MiB"
    "cleanup.policy"    = ["delete"]
  }
}
`, instances)})
	b.ReportAllocs()
	for b.Loop() {
		loadAll(b, dir, instances)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/instances, "ns/instance")
}
