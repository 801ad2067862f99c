package live_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
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

// words are values of the types that not every text is one of.
var words = map[reflect.Type]any{
	reflect.TypeFor[live.State](): live.Present,
	reflect.TypeFor[time.Time]():  time.Unix(1_700_000_000, 0).UTC(),
	reflect.TypeFor[schema.Binding](): schema.Binding{
		Principal: "User:a", Host: "*", Permission: schema.Allow, Operation: schema.Read,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: "orders", Pattern: schema.Literal},
	},
	reflect.TypeFor[schema.Entity](): schema.Entity{User: schema.Named("guest"), ClientID: schema.DefaultName()},
}

// fill sets every field to something else than zero.
func fill(v reflect.Value) {
	if word, special := words[v.Type()]; special {
		v.Set(reflect.ValueOf(word))
		return
	}
	switch kind := v.Kind(); {
	case kind == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(7)
	case kind == reflect.Uint8:
		v.SetUint(7)
	case kind == reflect.Float64:
		v.SetFloat(0.5)
	case kind == reflect.String:
		v.SetString("x")
	case kind == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case kind == reflect.Array:
		fill(v.Index(0))
	case kind == reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case kind == reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	default:
		panic("no value of a " + v.Type().String())
	}
}

// full is a snapshot with something in every field, however deep.
func full() *live.Snapshot {
	s := new(live.Snapshot)
	fill(reflect.ValueOf(s).Elem())
	return s
}

func TestEveryFieldAsJSON(t *testing.T) {
	text, err := json.Marshal(full())
	if err != nil {
		t.Fatal(err)
	}
	got := new(live.Snapshot)
	if err := json.Unmarshal(text, got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full(), got); diff != "" {
		t.Error(diff)
	}
}

// A further look adds all that it has seen, and takes nothing away.
func TestAdd(t *testing.T) {
	for name, s := range map[string]*live.Snapshot{"nothing": {Cluster: full().Cluster}, "all": full()} {
		if s.Add(full()); !cmp.Equal(full(), s) {
			t.Errorf("all to %s: %s", name, cmp.Diff(full(), s))
		}
	}
	s := full()
	if s.Add(new(live.Snapshot)); !cmp.Equal(full(), s) {
		t.Errorf("nothing to all: %s", cmp.Diff(full(), s))
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
