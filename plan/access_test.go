package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

func named(kind schema.Kind, label string) schema.Decl {
	return schema.Decl{Addr: schema.Addr{Kind: kind, Label: label}}
}

func audits(permission schema.Permission, operations ...schema.Operation) *schema.ACL {
	return &schema.ACL{
		Decl: named(schema.KindACL, "audit"), Principal: "User:audit", Host: "*", Permission: permission,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: "x", Pattern: schema.Literal}, Operations: operations,
	}
}

func login(version int, mechanisms ...schema.Mechanism) *schema.User {
	return &schema.User{Decl: named(schema.KindUser, "a"), Name: "a", Mechanisms: mechanisms, Iterations: 4096, PasswordVersion: version}
}

func guests(limits schema.Limits) *schema.Quota {
	return &schema.Quota{Decl: named(schema.KindQuota, "guests"), Entity: schema.Entity{User: schema.Named("guest")}, Limits: limits}
}

// TestAccess compares users, rights and quotas with what there is and with what
// the ledger knows.
func TestAccess(t *testing.T) {
	const both, one = schema.ScramSHA256, schema.ScramSHA512
	read := audits(schema.Allow, schema.Read).Bindings()[0]
	limits := func(l schema.Limits) live.Seen[live.Quotas] {
		return live.Is(live.Quotas{{User: schema.Named("guest")}: l})
	}
	quotaOf := func(o live.Owner) live.Owners { return live.Owners{schema.KindQuota: {"user:guest": o}} }
	userOf := func(o live.Owner) live.Owners { return live.Owners{schema.KindUser: {"a": o}} }
	for name, test := range map[string]struct {
		resource schema.Resource // nil: nothing is declared
		snapshot live.Snapshot
		ledger   live.Ledger
		steps    []string
		claims   int
		released int
		vanished int
		unseen   int
		warns    int
		fails    bool
	}{
		"a user is made":                  {resource: login(1, one), steps: []string{"users a set [SCRAM-SHA-512] remove []"}, claims: 1},
		"a user is there":                 {resource: login(1, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{one: 4096})}}, ledger: live.Ledger{Owners: userOf(live.Owner{Topology: "shop", Password: 1})}},
		"a user is nobody's":              {resource: login(7, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{one: 4096})}}, claims: 1},
		"a user is another's":             {resource: login(1, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{one: 4096})}}, ledger: live.Ledger{Owners: userOf(live.Owner{Topology: "bank"})}, fails: true},
		"a password is another":           {resource: login(2, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{one: 4096})}}, ledger: live.Ledger{Owners: userOf(live.Owner{Topology: "shop", Password: 1})}, steps: []string{"users a set [SCRAM-SHA-512] remove []"}, claims: 1},
		"a password may not be set":       {resource: login(1, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{one: 4096})}}, ledger: live.Ledger{Owners: userOf(live.Owner{Topology: "shop", HalfDone: true})}, steps: []string{"users a set [SCRAM-SHA-512] remove []"}, claims: 1},
		"a mechanism is another":          {resource: login(1, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Is(live.User{both: 4096})}}, ledger: live.Ledger{Owners: userOf(live.Owner{Topology: "shop", Password: 1})}, steps: []string{"users a set [SCRAM-SHA-512] remove [SCRAM-SHA-256]"}},
		"a user cannot be seen":           {resource: login(1, one), snapshot: live.Snapshot{Users: map[string]live.Seen[live.User]{"a": live.Hidden[live.User]("not permitted", "")}}, unseen: 1},
		"a right is given":                {resource: audits(schema.Allow, schema.Read), steps: []string{"grant User:audit Read topic:x literal *"}, claims: 1},
		"a right is there":                {resource: audits(schema.Allow, schema.Read), snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, claims: 1},
		"a right was given before a kill": {resource: audits(schema.Allow, schema.Read), snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop", HalfDone: true, Made: true}}}}, claims: 1},
		"a right is taken":                {snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop", Made: true}}}}, steps: []string{"revoke User:audit Read topic:x literal *"}},
		"a right was there before":        {snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop"}}}}, released: 1},
		"a right is another's, too":       {snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop", Made: true}, "bank": {Topology: "bank"}}}}, released: 1},
		"another is leaving, too":         {snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop", Made: true}, "bank": {Topology: "bank", Leaving: true}}}}, steps: []string{"revoke User:audit Read topic:x literal *"}},
		"a right is another's alone":      {snapshot: live.Snapshot{Bindings: live.Is(live.Bindings{read: true})}, ledger: live.Ledger{Holders: live.Holders{read.String(): {"bank": {Topology: "bank", Made: true}}}}},
		"a right is gone already":         {ledger: live.Ledger{Holders: live.Holders{read.String(): {"shop": {Topology: "shop", Made: true}}}}, vanished: 1},
		"nobody checks rights":            {resource: audits(schema.Allow, schema.Read), snapshot: live.Snapshot{Bindings: live.Hidden[live.Bindings](live.NoAuthorizer, "")}, warns: 1},
		"rights cannot be seen":           {resource: audits(schema.Allow, schema.Read), snapshot: live.Snapshot{Bindings: live.Hidden[live.Bindings]("not permitted", "")}, unseen: 1},
		"a limit is set":                  {resource: guests(schema.Limits{schema.ConsumerByteRate: 5}), steps: []string{"grant user:guest set map[consumer_byte_rate:5] remove []"}, claims: 1},
		"a limit is there":                {resource: guests(schema.Limits{schema.ConsumerByteRate: 5}), snapshot: live.Snapshot{Quotas: limits(schema.Limits{schema.ConsumerByteRate: 5, schema.RequestPercentage: 1})}, ledger: live.Ledger{Owners: quotaOf(live.Owner{Topology: "shop", Keys: []string{"consumer_byte_rate"}})}},
		"a limit is another":              {resource: guests(schema.Limits{schema.ConsumerByteRate: 5}), snapshot: live.Snapshot{Quotas: limits(schema.Limits{schema.ConsumerByteRate: 6, schema.RequestPercentage: 1})}, ledger: live.Ledger{Owners: quotaOf(live.Owner{Topology: "shop", Keys: []string{"consumer_byte_rate", "request_percentage"}})}, steps: []string{"grant user:guest set map[consumer_byte_rate:5] remove [request_percentage]"}, claims: 1},
		"a limit is another topology's":   {resource: guests(schema.Limits{schema.ConsumerByteRate: 5}), snapshot: live.Snapshot{Quotas: limits(schema.Limits{schema.ConsumerByteRate: 6})}, ledger: live.Ledger{Owners: quotaOf(live.Owner{Topology: "bank"})}, fails: true},
		"a limit goes with its block":     {snapshot: live.Snapshot{Quotas: limits(schema.Limits{schema.ConsumerByteRate: 6, schema.RequestPercentage: 1})}, ledger: live.Ledger{Owners: quotaOf(live.Owner{Topology: "shop", Keys: []string{"consumer_byte_rate"}})}, steps: []string{"revoke user:guest set map[] remove [consumer_byte_rate]"}},
		"a limit is gone already":         {snapshot: live.Snapshot{Quotas: limits(schema.Limits{schema.RequestPercentage: 1})}, ledger: live.Ledger{Owners: quotaOf(live.Owner{Topology: "shop", Keys: []string{"consumer_byte_rate"}})}, vanished: 1},
	} {
		t.Run(name, func(t *testing.T) {
			declared := topology()
			if test.resource != nil {
				declared = topology(test.resource)
			}
			s := test.snapshot
			s.Ledger = live.Is(test.ledger)
			s.Topics = map[string]live.Seen[live.Topic]{}
			if s.Users == nil {
				s.Users = map[string]live.Seen[live.User]{"a": live.None[live.User]()}
			}
			if s.Bindings.State == live.Unseen && s.Bindings.Why == "" {
				s.Bindings = live.Is(live.Bindings{})
			}
			if s.Quotas.State == live.Unseen {
				s.Quotas = live.Is(s.Quotas.Value)
			}
			p, diags := plan.Build(declared, &s, plan.Options{})
			if diags.HasErrors() != test.fails || len(diags) != test.warns && !test.fails {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.steps, inWords(p.Steps), cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			got := []int{len(p.Claims), len(p.Released), len(p.Vanished), len(p.Unseen)}
			if diff := cmp.Diff([]int{test.claims, test.released, test.vanished, test.unseen}, got); diff != "" {
				t.Errorf("claims, released, vanished, unseen: %s", diff)
			}
		})
	}
}

func inWords(steps []plan.Step) []string {
	var all []string
	for _, s := range steps {
		h := s.About()
		text := fmt.Sprint(h.Phase, " ", h.Object.Name)
		switch s := s.(type) {
		case *plan.AlterUser:
			text += fmt.Sprint(" set ", s.Set, " remove ", s.Remove)
		case *plan.AlterQuota:
			text += fmt.Sprint(" set ", s.Set, " remove ", s.Remove)
		case *plan.CreateTopic, *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.DeleteTopic, *plan.Release, *plan.CreateACL, *plan.DeleteACL, *plan.SeedOffsets, *plan.DeleteGroup:
		}
		all = append(all, text)
	}
	return all
}
