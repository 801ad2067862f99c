package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

func TestBatches(t *testing.T) {
	create := func(records int) plan.Step { return &plan.CreateTopic{Head: head(plan.PhaseCreate, records)} }
	alter := func(phase plan.Phase) plan.Step { return &plan.AlterConfigs{Head: head(phase, 1)} }
	for name, test := range map[string]struct {
		steps []plan.Step
		sizes []int
	}{
		"none":                  {nil, nil},
		"all in one":            {[]plan.Step{create(4), create(3), create(3)}, []int{3}},
		"by records":            {[]plan.Step{create(4), create(6), create(1), create(9), create(9)}, []int{2, 2, 1}},
		"one is larger":         {[]plan.Step{create(1), create(99), create(1), create(1)}, []int{1, 1, 2}},
		"by type":               {[]plan.Step{create(1), alter(plan.PhaseCreate), alter(plan.PhaseCreate)}, []int{1, 2}},
		"by phase":              {[]plan.Step{alter(plan.PhaseConfigs), alter(plan.PhaseSettle), alter(plan.PhaseSettle)}, []int{1, 2}},
		"those of no record go": {[]plan.Step{create(0), create(10), create(0)}, []int{3}},
	} {
		t.Run(name, func(t *testing.T) {
			var sizes []int
			var all []plan.Step
			for _, batch := range plan.Batches(test.steps, 10) {
				sizes = append(sizes, len(batch))
				all = append(all, batch...)
			}
			if diff := cmp.Diff(test.sizes, sizes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.steps, all); diff != "" {
				t.Errorf("not the same steps: %s", diff)
			}
		})
	}
}

func TestHolds(t *testing.T) {
	there := orders(topic(lists([]int32{1, 2}, []int32{2, 3}), "retention.ms", "5"))
	blind := orders(live.Topic{ID: live.TopicID{1}, Partitions: topic(lists([]int32{1})).Partitions, Overrides: live.Hidden[map[string]string]("not permitted", "")})
	absent, hidden := world(nil), world(nil, func(s *live.Snapshot) { delete(s.Topics, "shop.orders") })
	of := head(plan.PhaseCreate, 1)
	for name, test := range map[string]struct {
		step plan.Step
		live *live.Snapshot
		not  string // what is not there; empty: it holds
	}{
		"created":                     {&plan.CreateTopic{Head: of, Partitions: 2, Factor: 2}, there, ""},
		"created by the broker":       {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1}, there, ""},
		"created, no config to see":   {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1}, blind, ""},
		"created, its config unseen":  {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1, Configs: map[string]string{"retention.ms": "5"}}, blind, "its configs cannot be seen: not permitted"},
		"created with another":        {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1, Configs: map[string]string{"retention.ms": "6"}}, there, `retention.ms is "5", not "6"`},
		"not created":                 {&plan.CreateTopic{Head: of, Partitions: 2, Factor: 2}, absent, `topic "shop.orders" is not there`},
		"created, not to be seen":     {&plan.CreateTopic{Head: of, Partitions: 2, Factor: 2}, hidden, `topic "shop.orders" cannot be seen: it was not read`},
		"created with fewer":          {&plan.CreateTopic{Head: of, Partitions: 3, Factor: 2}, there, "it has 2 partitions, not 3"},
		"created with fewer replicas": {&plan.CreateTopic{Head: of, Partitions: 2, Factor: 3}, there, "its replication factor is 2, not 3"},
		"created in place":            {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1, Assign: lists([]int32{1, 2}, []int32{2, 3})}, there, ""},
		"created elsewhere":           {&plan.CreateTopic{Head: of, Partitions: -1, Factor: -1, Assign: lists([]int32{1, 2}, []int32{3, 2})}, there, "partition 1 has replicas [2 3], not [3 2]"},
		"reset":                       {&plan.AlterConfigs{Head: of, Reset: []string{"flush.ms"}}, there, ""},
		"not reset":                   {&plan.AlterConfigs{Head: of, Reset: []string{"retention.ms"}}, there, `retention.ms is still set, to "5"`},
		"deleted":                     {&plan.DeleteTopic{Head: of, ID: live.TopicID{1}}, absent, ""},
		"deleted and made again":      {&plan.DeleteTopic{Head: of, ID: live.TopicID{2}}, there, ""},
		"not deleted":                 {&plan.DeleteTopic{Head: of, ID: live.TopicID{1}}, there, `topic "shop.orders" is still there`},
		"not deleted, no ids":         {&plan.DeleteTopic{Head: of}, there, `topic "shop.orders" is still there`},
		"moves to a new partition":    {&plan.Reassign{Head: of, Moves: []plan.Move{{Partition: 2, To: []int32{1}}}}, there, "partition 2 is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			err := plan.Holds(test.step, test.live)
			if got := fmt.Sprint(err); err == nil && test.not != "" || err != nil && got != test.not {
				t.Errorf("%v, not %q", err, test.not)
			}
		})
	}
}
