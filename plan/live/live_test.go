package live_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan/live"
)

func TestSnapshotAsJSON(t *testing.T) {
	s := live.Snapshot{
		Cluster: live.Cluster{ID: "abc", Controller: -1, Brokers: []live.Broker{{ID: 1, Rack: "a"}, {ID: 2}}, Pins: true},
		Topics: map[string]live.Seen[live.Topic]{
			"there": live.Is(live.Topic{
				ID:         live.TopicID{1, 2, 3},
				Partitions: []live.Partition{{Leader: 1, Replicas: []int32{1, 2}, InSync: []int32{1}, Adding: []int32{2}, Removing: []int32{3}}},
				Overrides:  live.Is(map[string]string{"retention.ms": "5"}),
			}),
			"blind":  live.Is(live.Topic{Partitions: []live.Partition{{Leader: -1}}, Overrides: live.Hidden[map[string]string]("not permitted", "DescribeConfigs on Topic blind")}),
			"absent": live.None[live.Topic](),
			"hidden": live.Hidden[live.Topic]("not permitted", "Describe on Topic hidden"),
		},
		Moves:    live.Is(1),
		Defaults: map[string]string{"cleanup.policy": "delete"},
		Ledger: live.Is(live.Ledger{
			Owners:    live.Owners{"queue": {"there": {Topology: "shop", TopicID: live.TopicID{1, 2, 3}, PreventDelete: true}}},
			Throttles: map[string]live.Throttle{"there": {Topology: "shop", Rate: 5, Leaders: []string{"0:1"}, Followers: []string{"0:2"}}},
		}),
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"absent":{"state":"absent"}`, `"id":"AQIDAAAAAAAAAAAAAAAAAA"`, `"moves":{"state":"present","value":1}`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	var got live.Snapshot
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshotRefuses(t *testing.T) {
	for _, text := range []string{
		`{"moves": {"state": "lost"}}`,
		`{"moves": {"state": ""}}`,
		`{"topics": {"a": {"state": "present", "value": {"id": "AQID"}}}}`,
		`{"topics": {"a": {"state": "present", "value": {"id": "AQIDAAAAAAAAAAAAAAAA!!"}}}}`,
	} {
		if err := json.Unmarshal([]byte(text), new(live.Snapshot)); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestUp(t *testing.T) {
	c := live.Cluster{Brokers: []live.Broker{{ID: 1}, {ID: 3}}}
	for id, want := range map[int32]bool{0: false, 1: true, 2: false, 3: true, 4: false} {
		if c.Up(id) != want {
			t.Errorf("broker %d: up is not %v", id, want)
		}
	}
}

func TestFactor(t *testing.T) {
	topic := live.Topic{Partitions: []live.Partition{{Replicas: []int32{1}}, {Replicas: []int32{1, 2, 3}}, {Replicas: []int32{2, 3}}}}
	if got := topic.Factor(); got != 3 {
		t.Error(got)
	}
	if got := new(live.Topic).Factor(); got != 0 {
		t.Error(got)
	}
}

func TestSizes(t *testing.T) {
	s := live.Sizes{{1: 5, 2: 7}, {3: 2}, {}}
	for partition, want := range []int64{7, 2, 0, 0} {
		if got := s.Largest(partition); got != want {
			t.Errorf("partition %d: %d, not %d", partition, got, want)
		}
	}
	if got := s.Total(); got != 9 {
		t.Error(got)
	}
	if got := live.Sizes(nil).Total(); got != 0 {
		t.Error(got)
	}
}
