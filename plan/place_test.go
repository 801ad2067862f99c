package plan_test

import (
	"math/bits"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// brokers are numbered from 1, their racks in turn.
func brokers(n int, racks ...string) []live.Broker {
	all := make([]live.Broker, n)
	for i := range all {
		all[i] = live.Broker{ID: int32(i + 1), Rack: racks[i%len(racks)]}
	}
	return all
}

func cluster(brokers []live.Broker, partitions ...live.Partition) *live.Snapshot {
	return &live.Snapshot{
		Cluster: live.Cluster{Brokers: brokers},
		Topics:  map[string]live.Seen[live.Topic]{"t": live.Is(live.Topic{Partitions: partitions})},
	}
}

func TestPlace(t *testing.T) {
	six := brokers(6, "a", "b", "c") // a: 1 4, b: 2 5, c: 3 6
	healthy := func(replicas ...int32) live.Partition {
		return live.Partition{Leader: replicas[0], Replicas: replicas, InSync: replicas}
	}
	everywhere := func(int) []string { return []string{"a", "b", "c"} }
	for name, test := range map[string]struct {
		now  live.Partition
		want plan.Want
		to   []int32
	}{
		"raised, over the racks not used":   {healthy(1), plan.Want{Factor: 3}, []int32{1, 2, 3}},
		"lowered, the lagging one goes":     {live.Partition{Leader: 2, Replicas: []int32{1, 2, 3}, InSync: []int32{2, 3}}, plan.Want{Factor: 2}, []int32{2, 3}},
		"lowered, one of a rack twice goes": {healthy(1, 4, 2), plan.Want{Factor: 2}, []int32{1, 2}},
		"lowered, the leader stays":         {live.Partition{Leader: 3, Replicas: []int32{1, 2, 3}, InSync: []int32{1, 2, 3}}, plan.Want{Factor: 1}, []int32{3}},
		"lowered, offline: in sync stays":   {live.Partition{Leader: -1, Replicas: []int32{1, 2, 3}, InSync: []int32{2}}, plan.Want{Factor: 1}, []int32{2}},
		"spread over racks":                 {healthy(1, 4, 2), plan.Want{Racks: everywhere}, []int32{1, 2, 3}},
		"one more than racks":               {healthy(1, 4, 2), plan.Want{Factor: 4, Racks: everywhere}, []int32{1, 4, 2, 3}},
		"one more in one rack, not in two":  {healthy(1, 4, 2, 5), plan.Want{Factor: 4, Racks: everywhere}, []int32{1, 4, 2, 3}},
		"down is kept":                      {live.Partition{Leader: 1, Replicas: []int32{1, 9, 2}, InSync: []int32{1, 2}}, plan.Want{Racks: everywhere}, []int32{1, 9, 2}},
		"down goes first":                   {live.Partition{Leader: 1, Replicas: []int32{9, 1, 2}, InSync: []int32{1, 2}}, plan.Want{Factor: 2}, []int32{1, 2}},
		"explicit":                          {healthy(1, 2), plan.Want{Replicas: [][]int32{{6, 5}}}, []int32{6, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := plan.NewPlacer(cluster(six, test.now)).Place([]live.Partition{test.now}, test.want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]int32{test.to}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlaceTooFewBrokers(t *testing.T) {
	two := brokers(2, "a", "b")
	for name, want := range map[string]plan.Want{
		"anywhere": {Partitions: 1, Factor: 3},
		"in racks": {Partitions: 1, Factor: 4, Racks: func(int) []string { return []string{"a", "b"} }},
		"no rack":  {Partitions: 1, Factor: 1, Racks: func(int) []string { return []string{"z"} }},
		"explicit": {Partitions: 1, Replicas: [][]int32{{1, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := plan.NewPlacer(cluster(two)).Place(nil, want); err == nil {
				t.Errorf("placed on %v", got)
			}
		})
	}
}

// A fresh topic is spread so that no broker has more than one replica, nor
// leads more than one partition, beyond another.
func TestPlaceFreshIsBalanced(t *testing.T) {
	twelve := brokers(12, "a", "b", "c")
	placed, err := plan.NewPlacer(cluster(twelve)).Place(nil, plan.Want{Partitions: 120, Factor: 3})
	if err != nil {
		t.Fatal(err)
	}
	replicas, leaders := map[int32]int{}, map[int32]int{}
	for _, list := range placed {
		leaders[list[0]]++
		for _, id := range list {
			replicas[id]++
		}
	}
	for _, b := range twelve {
		if replicas[b.ID] != 30 {
			t.Errorf("broker %d has %d replicas, not 30", b.ID, replicas[b.ID])
		}
		if n := leaders[b.ID]; n < 9 || n > 11 {
			t.Errorf("broker %d leads %d partitions, not about 10", b.ID, n)
		}
	}
}

// Against every possible placement of a partition on a small cluster: the
// placement is right, moves the fewest replicas, and moves nothing when asked again.
func TestPlaceMovesTheFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := brokers(rapid.IntRange(1, 6).Draw(t, "brokers"), "a", "b", "c")
		ids := make([]int32, len(all))
		for i, b := range all {
			ids[i] = b.ID
		}
		replicas := rapid.Permutation(ids).Draw(t, "order")[:rapid.IntRange(1, len(ids)).Draw(t, "has")]
		now := live.Partition{Leader: replicas[0], Replicas: replicas, InSync: replicas}
		want := plan.Want{Factor: rapid.IntRange(1, len(ids)).Draw(t, "factor")}
		if racks := rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}, {"a", "b", "c"}}).Draw(t, "racks"); racks != nil {
			want.Racks = func(int) []string { return racks }
		}
		fewest := bruteForce(now, want, all)
		placed, err := plan.NewPlacer(cluster(all, now)).Place([]live.Partition{now}, want)
		if err != nil {
			if fewest >= 0 {
				t.Fatalf("%v, and %d moves are enough", err, fewest)
			}
			return
		}
		then := live.Partition{Leader: placed[0][0], Replicas: placed[0], InSync: placed[0]}
		if !plan.NewPlacer(cluster(all, then)).Placed(0, then.Replicas, want) {
			t.Fatalf("%v is not where it should be", placed)
		}
		if moves := added(now.Replicas, placed[0]); moves != fewest {
			t.Fatalf("%v to %v: %d moves, and %d are enough", now.Replicas, placed[0], moves, fewest)
		}
		again, err := plan.NewPlacer(cluster(all, then)).Place([]live.Partition{then}, want)
		if err != nil || !slices.Equal(again[0], placed[0]) {
			t.Fatalf("asked again: %v, %v", again, err)
		}
	})
}

// bruteForce is the fewest replicas to add over all placements that hold; -1 if none does.
func bruteForce(now live.Partition, want plan.Want, all []live.Broker) int {
	fewest, placer := -1, plan.NewPlacer(cluster(all))
	for set := range uint(1) << len(all) {
		if bits.OnesCount(set) != want.Factor {
			continue
		}
		var replicas []int32
		for i, b := range all {
			if set&(1<<i) != 0 {
				replicas = append(replicas, b.ID)
			}
		}
		if !placer.Placed(0, replicas, want) {
			continue
		}
		if n := added(now.Replicas, replicas); fewest < 0 || n < fewest {
			fewest = n
		}
	}
	return fewest
}

func added(from, to []int32) int {
	n := 0
	for _, id := range to {
		if !slices.Contains(from, id) {
			n++
		}
	}
	return n
}

func BenchmarkPlace(b *testing.B) {
	hundred := brokers(100, "a", "b", "c", "d")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := plan.NewPlacer(cluster(hundred)).Place(nil, plan.Want{Partitions: 10_000, Factor: 3}); err != nil {
			b.Fatal(err)
		}
	}
}
