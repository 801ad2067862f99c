package guard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// TestAccessHazards judges what happens to users and rights.
func TestAccessHazards(t *testing.T) {
	reads := schema.Binding{
		Principal: "User:audit", Host: "*", Permission: schema.Allow, Operation: schema.Read,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: "shop.orders", Pattern: schema.Literal},
	}
	user := &schema.User{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindUser, Label: "a"}}, Name: "a",
		Mechanisms: []schema.Mechanism{schema.ScramSHA512}, Iterations: 4096, PasswordVersion: 1,
	}
	acl := &schema.ACL{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindACL, Label: "a"}}, Principal: "User:audit", Host: "*", Permission: schema.Deny,
		Resource: reads.Resource, Operations: []schema.Operation{schema.Read},
	}
	allowing := *acl
	allowing.Permission = schema.Allow
	gone := schema.Removal{
		Decl:   schema.Decl{Addr: schema.Addr{Role: schema.RoleDelete, Kind: schema.KindUser, Key: "a", Keyed: true}},
		Object: user.ID(),
	}
	closed := &schema.Cluster{OpenByDefault: new(bool)}
	made := live.Owner{Topology: "shop", Made: true, Password: 1}
	for name, test := range map[string]struct {
		topology schema.Topology
		users    live.Seen[live.User]
		bindings live.Bindings
		want     []string
	}{
		"a user is made":           {topology: schema.Topology{Resources: []schema.Resource{user}}, users: live.None[live.User]()},
		"a user is deleted":        {topology: schema.Topology{Removals: []schema.Removal{gone}}, users: live.Is(live.User{schema.ScramSHA512: 4096}), want: []string{"QF105"}},
		"a mechanism goes":         {topology: schema.Topology{Resources: []schema.Resource{user}}, users: live.Is(live.User{schema.ScramSHA512: 4096, schema.ScramSHA256: 4096}), want: []string{"QF105"}},
		"a mechanism is another":   {topology: schema.Topology{Resources: []schema.Resource{user}}, users: live.Is(live.User{schema.ScramSHA256: 4096}), want: []string{"QF105"}},
		"iterations change":        {topology: schema.Topology{Resources: []schema.Resource{user}}, users: live.Is(live.User{schema.ScramSHA512: 8192})},
		"a right comes":            {topology: schema.Topology{Resources: []schema.Resource{&allowing}, Cluster: closed}},
		"a right is denied":        {topology: schema.Topology{Resources: []schema.Resource{acl}, Cluster: closed}, want: []string{"QF402"}},
		"a right goes":             {bindings: live.Bindings{reads: true}, want: []string{"QF402"}},
		"a right is there already": {topology: schema.Topology{Resources: []schema.Resource{&allowing}}, bindings: live.Bindings{reads: true}},
	} {
		t.Run(name, func(t *testing.T) {
			test.topology.Name = "shop"
			snapshot := &live.Snapshot{
				Users: map[string]live.Seen[live.User]{"a": test.users}, Bindings: live.Is(test.bindings),
				Ledger: live.Is(live.Ledger{
					Owners:  live.Owners{schema.KindUser: {"a": made}},
					Holders: live.Holders{reads.String(): {"shop": made}},
				}),
			}
			p, diags := plan.Build(&test.topology, snapshot, plan.Options{})
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			found, _ := guard.Judge(p, guard.Facts{Snapshot: snapshot})
			var got []string
			for _, f := range found {
				got = append(got, f.Code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
