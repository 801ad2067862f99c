package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// A change is planned upon which life of the topic it is, its partitions and
// replicas, and the keys that change; on nothing that changes by itself.
func TestFacts(t *testing.T) {
	has := topic(lists([]int32{1}, []int32{2}), "retention.ms", "1", "flush.ms", "2", "segment.ms", "3")
	snapshot := world(map[string]live.Topic{"shop.orders": has})
	snapshot.Defaults = map[string]string{"retention.ms": "604800000", "cleanup.policy": "delete"}
	q := queue("orders", config("flush.ms", "4"), config("cleanup.policy", "compact"), ignores("segment.ms"))
	p, _ := plan.Build(topology(q, queue("other")), snapshot, plan.Options{})
	same := []plan.Fact{
		{Path: "topic_id", Value: "AQAAAAAAAAAAAAAAAAAAAA"},
		{Path: "partitions", Value: 2},
		{Path: "replicas", Value: lists([]int32{1}, []int32{2})},
	}
	want := [][]plan.Fact{
		append(same,
			plan.Fact{Path: "config.cleanup.policy"},
			plan.Fact{Path: "inherited.cleanup.policy", Value: "delete"},
			plan.Fact{Path: "config.flush.ms", Value: "2"},
			plan.Fact{Path: "config.retention.ms", Value: "1"},
			plan.Fact{Path: "inherited.retention.ms", Value: "604800000"},
		),
		{{Path: "topic_id"}},
	}
	if diff := cmp.Diff(want, [][]plan.Fact{p.Changes[0].Facts, p.Changes[1].Facts}); diff != "" {
		t.Error(diff)
	}
	snapshot.Topics["shop.orders"] = live.Hidden[live.Topic]("not permitted", "")
	if facts := plan.Facts(&p.Changes[0], snapshot); facts != nil {
		t.Errorf("of what cannot be seen: %v", facts)
	}
}

// What a value follows from is where it is written, where it is not itself.
func TestWritten(t *testing.T) {
	d := &queue("orders", replicas([]int32{1})).Decl
	for path, line := range map[string]int{"topic": 2, "partitions": 5, "replication_factor": 5, "placement": 5, "config.retention.ms": 6, "load": 1, "": 1} {
		if got := plan.Written(d, path); got != at(line) {
			t.Errorf("%s: %v", path, got)
		}
	}
}
