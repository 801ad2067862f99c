package devcluster_test

import (
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/apply/devcluster"
	"github.com/queueform/queueform/plan/live"
)

// Places are those of the partition's number, and the same each time.
func TestPlace(t *testing.T) {
	made := func(leader int32, replicas ...int32) live.Partition {
		return live.Partition{Leader: leader, Replicas: replicas, InSync: replicas}
	}
	s := &live.Snapshot{Topics: map[string]live.Seen[live.Topic]{
		"orders": live.Is(live.Topic{Partitions: []live.Partition{made(2, 2, 0, 1), made(0, 0, 1, 2)}}),
		"single": live.Is(live.Topic{Partitions: []live.Partition{made(2, 2)}}),
		"absent": live.None[live.Topic](),
	}}
	devcluster.Place(s)
	want := map[string]live.Seen[live.Topic]{
		"orders": live.Is(live.Topic{Partitions: []live.Partition{made(2, 0, 1, 2), made(0, 1, 2, 0)}}),
		"single": live.Is(live.Topic{Partitions: []live.Partition{made(2, 0)}}),
		"absent": live.None[live.Topic](),
	}
	if diff := gocmp.Diff(want, s.Topics); diff != "" {
		t.Error(diff)
	}
}
