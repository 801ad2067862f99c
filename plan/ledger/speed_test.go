package ledger

import (
	"fmt"
	"testing"

	"github.com/queueform/queueform/plan/live"
)

// BenchmarkFold reads the longest log of a cluster with 10,000 queues.
func BenchmarkFold(b *testing.B) {
	s := newState()
	s.Locks[TopologyLock("shop")] = []Held{{Claim: "c", Lock: TopologyLock("shop"), Holder: Holder{Topology: "shop"}, Until: 1 << 60}}
	for i := range 10_000 {
		object := Object{ID: id(fmt.Sprint("shop.queue.", i)), Topology: "shop", Topic: live.TopicID{byte(i), byte(i >> 8)}, Owned: true}
		s.keep(&object)
	}
	var values [][]byte
	add := func(r Record) {
		value, err := encode(&Entry{Claim: "c", Seq: len(values) + 1, Record: r})
		if err != nil {
			b.Fatal(err)
		}
		values = append(values, value)
	}
	add(checkpointBegin{})
	parts := split(s)
	for _, p := range parts {
		add(checkpointPart{Of: 1, Part: p})
	}
	add(checkpointEnd{Of: 1, Parts: len(parts)})
	for i := range longestLog {
		add(Owned{Object: id(fmt.Sprint("shop.queue.", i))})
	}
	b.ReportAllocs()
	for b.Loop() {
		f := &fold{}
		for i, value := range values {
			e, err := decode(value, 1)
			if err != nil {
				b.Fatal(err)
			}
			if damage := f.take(int64(i), 1, e); damage != "" {
				b.Fatal(damage)
			}
		}
		if len(f.state.Objects) != 10_000 {
			b.Fatal(len(f.state.Objects))
		}
	}
}
