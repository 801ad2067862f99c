package inspect_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// TestGroups reads a group with a member, one that has committed and is empty,
// and one that is not there.
func TestGroups(t *testing.T) {
	kafka, client := start(t)
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(t.Context(), 2, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "orders", Partition: 1, At: 7})
	if err := admin.CommitAllOffsets(t.Context(), "empty", offsets); err != nil {
		t.Fatal(err)
	}
	member, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.ConsumerGroup("busy"), kgo.ConsumeTopics("orders"), kgo.ClientID("worker"))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	produced := &kgo.Record{Topic: "orders", Value: []byte("x")}
	if err := client.ProduceSync(t.Context(), produced).FirstErr(); err != nil {
		t.Fatal(err)
	}
	member.PollFetches(t.Context()) // it is a member once it has something
	s, err := inspect.Read(t.Context(), client, live.Scope{Groups: []string{"busy", "empty", "none"}})
	if err != nil {
		t.Fatal(err)
	}
	if state := s.Groups["none"].State; state != live.Absent {
		t.Errorf("what is not there is %v: %s", state, s.Groups["none"].Why)
	}
	empty, busy := s.Groups["empty"].Value, s.Groups["busy"].Value
	if diff := cmp.Diff(live.Is(map[string]live.Progress{"orders": {1: 7}}), empty.Offsets); diff != "" || empty.Active() || empty.State != "Empty" {
		t.Errorf("the empty one: %+v\n%s", empty, diff)
	}
	if !busy.Active() || busy.Members[0].ClientID != "worker" || len(busy.Members[0].Assigned["orders"]) != 2 || busy.Protocol != schema.Classic && busy.Protocol != schema.Consumer {
		t.Errorf("the one with a member: %+v", busy)
	}
}

// What a broker does not list may be there.
func TestUnlistedGroups(t *testing.T) {
	kafka, client := start(t)
	kafka.ControlKey(kmsg.ListGroups.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
		resp.ErrorCode = kerr.UnknownServerError.Code
		kafka.KeepControl()
		return resp, nil, true
	})
	s, err := inspect.Read(t.Context(), client, live.Scope{Groups: []string{"none"}})
	if err != nil {
		t.Fatal(err)
	}
	if seen := s.Groups["none"]; seen.State != live.Unseen || !strings.Contains(seen.Why, "a broker does not list its groups") {
		t.Errorf("%+v", seen)
	}
}

// A coordinator that breaks off is named, not the client's parts of a request.
func TestCoordinatorBreaksOff(t *testing.T) {
	kafka, client := start(t)
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: "orders", At: 7})
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(t.Context(), 1, 1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	if err := admin.CommitAllOffsets(t.Context(), "billing", offsets); err != nil {
		t.Fatal(err)
	}
	kafka.ControlKey(kmsg.DescribeGroups.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		return nil, errors.New("cut"), true
	})
	s, err := inspect.Read(t.Context(), client, live.Scope{Groups: []string{"billing"}})
	if err != nil {
		t.Fatal(err)
	}
	if seen := s.Groups["billing"]; seen.State != live.Unseen || strings.Contains(seen.Why, "shard") || seen.Why == "" {
		t.Errorf("%+v", seen)
	}
}
