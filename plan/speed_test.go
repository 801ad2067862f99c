package plan_test

import (
	"fmt"
	"testing"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// many is a topology of n queues with three configs and six partitions each,
// and a cluster that has the topics or none of them.
func many(n int, there bool, more ...func(*schema.Queue)) (*schema.Topology, *live.Snapshot) {
	declared, s := topology(), world(nil)
	for i := range n {
		q := queue(fmt.Sprintf("q%05d", i), append([]func(*schema.Queue){
			partitions(6), factor(3), config("retention.ms", "5"), config("cleanup.policy", "compact,delete"), config("min.insync.replicas", "2"),
		}, more...)...)
		declared.Resources = append(declared.Resources, q)
		s.Topics[q.Topic] = live.None[live.Topic]()
		if there {
			placed := make([][]int32, 6)
			for p := range placed {
				placed[p] = []int32{1 + int32(p)%3, 1 + int32(p+1)%3, 1 + int32(p+2)%3}
			}
			s.Topics[q.Topic] = live.Is(topic(placed, "retention.ms", "5", "cleanup.policy", "delete,compact", "min.insync.replicas", "2"))
		}
	}
	return declared, s
}

func BenchmarkBuild(b *testing.B) {
	for _, bench := range []struct {
		name    string
		there   bool
		changes int
		more    []func(*schema.Queue)
	}{
		{"same", true, 0, nil},
		{"same, on racks", true, 0, []func(*schema.Queue){racks("a", "b", "c")}},
		{"create", false, 10_000, nil},
		{"update", true, 10_000, []func(*schema.Queue){partitions(9), factor(2), config("flush.ms", "1")}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			declared, s := many(10_000, bench.there, bench.more...)
			b.ReportAllocs()
			for b.Loop() {
				p, diags := plan.Build(declared, s, plan.Options{})
				if len(diags)+len(p.Blocked) > 0 || len(p.Changes) != bench.changes {
					b.Fatal(diags, p.Blocked, len(p.Changes))
				}
			}
		})
	}
}

func BenchmarkTarget(b *testing.B) {
	declared, s := many(10_000, false, deadLetter("q00000"))
	target := []schema.Addr{address("q09999")}
	b.ReportAllocs()
	for b.Loop() {
		if p, _ := plan.Build(declared, s, plan.Options{Target: target}); len(p.Changes) != 2 {
			b.Fatal(len(p.Changes))
		}
	}
}
