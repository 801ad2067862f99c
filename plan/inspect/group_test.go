package inspect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// protocols are those of groups, with how a client joins one, and how a broker is
// asked what one is.
var protocols = map[schema.Protocol]struct {
	member   []kgo.Opt
	describe kmsg.Key
}{
	schema.Classic:  {[]kgo.Opt{kgo.ConsumerGroup("busy"), kgo.Balancers(kgo.RangeBalancer())}, kmsg.DescribeGroups},
	schema.Consumer: {[]kgo.Opt{kgo.ConsumerGroup("busy"), kgo.ServerSideBalancer()}, kmsg.ConsumerGroupDescribe},
	schema.Share:    {[]kgo.Opt{kgo.ShareGroup("busy")}, kmsg.ShareGroupDescribe},
}

// TestGroups reads, under each protocol, a group with a member, one that has come
// somewhere and is empty, and one that is not there.
func TestGroups(t *testing.T) {
	for protocol, of := range protocols {
		kafka, client := start(t)
		create(t, client, nil, "orders")
		begin(t, client, protocol, "empty")
		join(t, kafka, client, of.member)
		s := read(t, client, live.Scope{Groups: []string{"busy", "empty", "none"}})
		if state := s.Groups["none"].State; state != live.Absent {
			t.Errorf("%s: what is not there is %v: %s", protocol, state, s.Groups["none"].Why)
		}
		empty, busy := s.Groups["empty"].Value, s.Groups["busy"].Value
		if diff := cmp.Diff(live.Is(map[string]live.Progress{"orders": {0: 0}}), empty.Offsets); diff != "" || empty.Active() || empty.State != "Empty" {
			t.Errorf("%s: the empty one: %+v\n%s", protocol, empty, diff)
		}
		if busy.Protocol != protocol || busy.State != "Stable" || len(busy.Members) != 1 {
			t.Errorf("%s: the one with a member: %+v", protocol, busy)
			continue
		}
		if assigned := busy.Members[0].Assigned; protocol == schema.Consumer && len(assigned[""]) > 0 { // kfake leaves its name out
			busy.Members[0].Assigned = map[string][]int32{"orders": assigned[""]}
		}
		want := live.Member{ID: busy.Members[0].ID, ClientID: "worker", Host: busy.Members[0].Host, Assigned: map[string][]int32{"orders": {0, 1}}}
		if diff := cmp.Diff(want, busy.Members[0]); diff != "" || want.ID == "" || want.Host == "" {
			t.Errorf("%s: the member: %s", protocol, diff)
		}
	}
}

// begin lets a group begin at the first message, with nobody in it.
func begin(t *testing.T, client *kgo.Client, protocol schema.Protocol, group string) {
	t.Helper()
	if protocol == schema.Share {
		share(t, client, group, "orders", 0)
		return
	}
	commit(t, client, group, "orders", map[int32]int64{0: 0})
}

// join lets a client be a member, until the test ends: it is one once it has read.
func join(t *testing.T, kafka *kfake.Cluster, client *kgo.Client, as []kgo.Opt) {
	t.Helper()
	member, err := kgo.NewClient(append(as, kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.ConsumeTopics("orders"), kgo.ClientID("worker"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	for read := 0; read == 0 && t.Context().Err() == nil; { // a share group begins after what is there
		send(t, client, &kgo.Record{Topic: "orders", Value: []byte("x")})
		polling, enough := context.WithTimeout(t.Context(), 100*time.Millisecond)
		read = member.PollFetches(polling).NumRecords()
		enough()
	}
}

// apart are two groups that different brokers answer for.
func apart(t *testing.T, client *kgo.Client) (one, other string) {
	t.Helper()
	found := kadm.NewClient(client).FindGroupCoordinators(t.Context(), "a", "b", "c", "d", "e", "f", "g", "h")
	for id, coordinator := range found {
		if id != "a" && coordinator.Err == nil && coordinator.NodeID != found["a"].NodeID {
			return "a", id
		}
	}
	t.Fatal("one broker answers for all")
	return "", ""
}

// What a broker does not tell of one group hides nothing of another, be it that it
// may not be seen, is not loaded yet, or that its broker breaks off.
func TestGroupsUnseen(t *testing.T) {
	for protocol, of := range protocols {
		for name, test := range map[string]struct {
			code       int16 // 0: the connection breaks off
			why, needs string
		}{
			"refused": {kerr.GroupAuthorizationFailed.Code, "not permitted", "Describe on Group "},
			"loading": {kerr.CoordinatorLoadInProgress.Code, kerr.CoordinatorLoadInProgress.Message, ""},
			"broken":  {0, "the connection broke off", ""},
		} {
			kafka, asking := start(t)
			create(t, asking, nil, "orders")
			hidden, seen := apart(t, asking)
			listed(kafka, protocol, hidden, seen)
			kafka.ControlKey(of.describe.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
				kafka.KeepControl()
				resp, asked := describing(req, hidden, test.code)
				if asked && test.code == 0 {
					return nil, errors.New("cut"), true
				}
				return resp, nil, true
			})
			client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...), kgo.RequestRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			groups := read(t, client, live.Scope{Groups: []string{hidden, seen}}).Groups
			if g := groups[hidden]; g.State != live.Unseen || !strings.Contains(g.Why, test.why) || g.Needs != "" && g.Needs != test.needs+hidden || (g.Needs == "") != (test.needs == "") {
				t.Errorf("%s, %s: %+v", protocol, name, g)
			}
			if g := groups[seen]; g.State != live.Present || g.Value.State != "Empty" {
				t.Errorf("%s, %s: the other one: %+v", protocol, name, g)
			}
		}
	}
}

// Who may not see a group is not told its coordinator.
func TestGroupNotPermitted(t *testing.T) {
	kafka, asking := start(t)
	create(t, asking, nil, "__consumer_offsets") // else there are no groups
	always(kafka, kmsg.FindCoordinator, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		for _, key := range req.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Key: key, NodeID: -1, ErrorCode: kerr.GroupAuthorizationFailed.Code})
		}
		return resp
	})
	got := read(t, asking, live.Scope{Groups: []string{"g"}}).Groups["g"]
	if got.State != live.Unseen || got.Why != "not permitted" || got.Needs != "Describe on Group g" {
		t.Errorf("%+v", got)
	}
}

// listed lets the first broker list groups, all of one protocol.
func listed(kafka *kfake.Cluster, protocol schema.Protocol, ids ...string) {
	always(kafka, kmsg.ListGroups, func(req kmsg.Request) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
		for _, id := range ids {
			g := kmsg.ListGroupsResponseGroup{Group: id, ProtocolType: "consumer", GroupType: string(protocol)}
			if protocol == schema.Share {
				g.ProtocolType = "share"
			}
			resp.Groups = append(resp.Groups, g)
		}
		return resp
	})
}

// describing answers that groups are empty, but for one of which it tells an error;
// asked is whether it was asked for.
func describing(asked kmsg.Request, hidden string, code int16) (resp kmsg.Response, isAsked bool) {
	of := func(id string) int16 {
		if id != hidden {
			return 0
		}
		isAsked = true
		return code
	}
	switch resp := asked.ResponseKind().(type) {
	case *kmsg.DescribeGroupsResponse:
		for _, id := range asked.(*kmsg.DescribeGroupsRequest).Groups {
			resp.Groups = append(resp.Groups, kmsg.DescribeGroupsResponseGroup{Group: id, State: "Empty", ErrorCode: of(id)})
		}
		return resp, isAsked
	case *kmsg.ConsumerGroupDescribeResponse:
		for _, id := range asked.(*kmsg.ConsumerGroupDescribeRequest).Groups {
			resp.Groups = append(resp.Groups, kmsg.ConsumerGroupDescribeResponseGroup{Group: id, State: "Empty", ErrorCode: of(id)})
		}
		return resp, isAsked
	case *kmsg.ShareGroupDescribeResponse:
		for _, id := range asked.(*kmsg.ShareGroupDescribeRequest).GroupIDs {
			resp.Groups = append(resp.Groups, kmsg.ShareGroupDescribeResponseGroup{GroupID: id, GroupState: "Empty", ErrorCode: of(id)})
		}
		return resp, isAsked
	}
	panic("no description")
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
