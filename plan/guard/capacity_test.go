package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// What is short is told at the first queue that adds to it, whatever else is
// planned before it, and whatever has the name of its topic.
func TestShortageBesideOtherChanges(t *testing.T) {
	in := situation{
		queue: sized(declared(), 3, 2), topic: there(parts([]int32{1, 2}, []int32{1, 2})), disks: room(1, 1),
		cluster: limited(schema.Capacity{PartitionsPerBroker: 10}),
	}
	p, facts := in.plan(t)
	right := &schema.ACL{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindACL, Label: "a"}}, Principal: "User:a", Host: "*", Permission: schema.Allow,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: in.queue.Topic, Pattern: schema.Literal}, Operations: []schema.Operation{schema.Read},
	}
	user := &schema.User{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindUser, Label: "a"}}, Name: in.queue.Topic,
		Mechanisms: []schema.Mechanism{schema.ScramSHA512}, Iterations: 4096,
	}
	p.Topology.Resources = append(p.Topology.Resources, right, user)
	facts.Snapshot.Bindings = live.Is(live.Bindings{})
	facts.Snapshot.Users = map[string]live.Seen[live.User]{user.Name: live.None[live.User]()}
	p, _ = plan.Build(p.Topology, facts.Snapshot, plan.Options{})
	found, _ := guard.Judge(p, facts)
	found = slices.DeleteFunc(found, func(f guard.Finding) bool { return f.Code != "QF501" })
	if len(p.Changes) != 3 || len(found) != 1 || found[0].Addr != in.queue.Addr || !strings.Contains(found[0].Summary, "11 partitions on broker 1") {
		t.Errorf("%d changes, %+v", len(p.Changes), found)
	}
}

// Only the disks tell whether a load fits, or how many partitions a broker has.
func TestAsksDisks(t *testing.T) {
	loaded := sized(declared(), 3, 2)
	loaded.Load = &schema.Load{MessagesPerSecond: 1, MessageBytes: 1}
	for _, test := range []struct {
		topology schema.Topology
		want     bool
	}{
		{schema.Topology{Resources: []schema.Resource{sized(declared(), 3, 2)}}, false},
		{schema.Topology{Resources: []schema.Resource{loaded}}, true},
		{schema.Topology{Cluster: &schema.Cluster{Capacity: &schema.Capacity{PartitionsPerBroker: 1}}}, true},
		{schema.Topology{Cluster: &schema.Cluster{Capacity: &schema.Capacity{BytesInPerBroker: 1}}}, false},
	} {
		if got := guard.AsksDisks(&test.topology); got != test.want {
			t.Errorf("%+v: %v", test.topology, got)
		}
	}
}
