package inspect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/live"
)

var access = live.Scope{Topics: []string{"orders"}, Users: []string{"a", "b"}, Bindings: true, Quotas: true}

// Brokers that know no users, rights or quotas of ours hide them, and nothing else.
func TestAccessOfOldBrokers(t *testing.T) {
	_, client := start(t, kfake.MaxVersions(kversion.V2_5_0()))
	create(t, client, nil, "orders")
	s, err := inspect.Read(t.Context(), client, access)
	if err != nil {
		t.Fatal(err)
	}
	if s.Topics["orders"].State != live.Present {
		t.Errorf("orders: %+v", s.Topics["orders"])
	}
	for name, seen := range map[string]live.Seen[live.User]{"a": s.Users["a"], "b": s.Users["b"]} {
		if seen.State != live.Unseen || seen.Why == "" {
			t.Errorf("user %s: %+v", name, seen)
		}
	}
	if s.Quotas.State != live.Unseen || s.Quotas.Why == "" {
		t.Errorf("quotas: %+v", s.Quotas)
	}
}

// Rights that nobody may see, users and quotas likewise, are not taken for none.
func TestAccessThatIsNotShown(t *testing.T) {
	kafka, client := start(t)
	kafka.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.DescribeUserSCRAMCredentials, kmsg.DescribeACLs, kmsg.DescribeClientQuotas}, TopLevel: true, Err: kerr.ClusterAuthorizationFailed, Count: -1,
	})
	s := read(t, client, access)
	want := live.Snapshot{
		Users: map[string]live.Seen[live.User]{
			"a": live.Hidden[live.User]("not permitted", "Describe on Cluster"), "b": live.Hidden[live.User]("not permitted", "Describe on Cluster"),
		},
		Bindings: live.Hidden[live.Bindings]("not permitted", "Describe on Cluster"),
		Quotas:   live.Hidden[live.Quotas]("not permitted", "DescribeConfigs on Cluster"),
	}
	if diff := cmp.Diff(want, live.Snapshot{Users: s.Users, Bindings: s.Bindings, Quotas: s.Quotas}); diff != "" {
		t.Error(diff)
	}
}
