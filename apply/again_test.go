package apply_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// What one apply writes down the next plan stands on: these tests plan, apply
// and plan again, with the cluster and the ledger as they are by then.

// plans compares what is declared with what is there.
func (k *kafka) plans(declared ...schema.Resource) *plan.Plan {
	k.Helper()
	t := &schema.Topology{Name: "shop", Resources: declared}
	scope, known := plan.Scope(t), k.ledger.Live()
	left := plan.Left(t, known)
	scope.Bindings, scope.Quotas = scope.Bindings || left.Bindings, scope.Quotas || left.Quotas
	scope.Users = append(scope.Users, left.Users...)
	s, err := k.engine.Read(k.Context(), scope)
	if err != nil {
		k.Fatal(err)
	}
	s.Ledger = live.Is(known)
	p, diags := plan.Build(t, s, plan.Options{})
	if diags.HasErrors() || p.Incomplete() {
		k.Fatalf("%v %+v", diags, p)
	}
	p.Cluster.Controller = 2
	return p
}

// applies makes it so, and wants the next plan to be empty.
func (k *kafka) applies(declared ...schema.Resource) {
	k.Helper()
	if report := k.engine.Run(k.Context(), k.plans(declared...)); !ok(report) {
		k.Fatal(outcomes(report))
	}
	if next := k.plans(declared...); len(next.Changes)+len(next.Claims)+len(next.HalfDone)+len(next.Vanished) > 0 {
		k.Errorf("the next plan: %+v", next)
	}
}

// kill lets an apply come no further than the request that it cuts.
func (k *kafka) kill() error {
	k.ledger.mu.Lock()
	defer k.ledger.mu.Unlock()
	k.ledger.lost = errors.New("killed")
	return errCut
}

// limits is what guests may use; none: nothing is declared.
func limits(all schema.Limits) schema.Resource {
	return &schema.Quota{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindQuota, Label: "guests"}}, Entity: schema.Entity{User: schema.Named("guest")}, Limits: all}
}

// quotas are the limits of guests that the cluster has.
func (k *kafka) quotas() schema.Limits {
	k.Helper()
	s, err := k.engine.Read(k.Context(), live.Scope{Quotas: true})
	if err != nil {
		k.Fatal(err)
	}
	return s.Quotas.Value[schema.Entity{User: schema.Named("guest")}]
}

// A limit that queueform has set goes with its block, also if its value was
// another in between.
func TestLimitThatChangedGoes(t *testing.T) {
	k := start(t)
	k.applies(limits(schema.Limits{schema.ConsumerByteRate: 5}))
	k.applies(limits(schema.Limits{schema.ConsumerByteRate: 6}))
	k.applies()
	if left := k.quotas(); len(left) > 0 {
		t.Error(left)
	}
}

// A limit that an apply was killed over stays queueform's: it goes with the next.
func TestLimitWhoseRemovalIsCut(t *testing.T) {
	both := schema.Limits{schema.ConsumerByteRate: 5, schema.ProducerByteRate: 6}
	fewer := limits(schema.Limits{schema.ConsumerByteRate: 5})
	for name, next := range map[string][]schema.Resource{"one of two": {fewer}, "all": nil} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.applies(limits(both))
			k.first(kmsg.AlterClientQuotas, func(kmsg.Request) (kmsg.Response, error) {
				return nil, k.kill()
			})
			if report := k.engine.Run(t.Context(), k.plans(next...)); report.Stopped == nil {
				t.Fatal(outcomes(report))
			}
			if diff := cmp.Diff(both, k.quotas()); diff != "" {
				t.Fatal(diff)
			}
			k.ledger.lost = nil
			k.applies(next...)
			if left := k.quotas(); len(left) != len(next) {
				t.Error(left)
			}
		})
	}
}

// What changes of a user leaves the rest of what is known of it: the password
// is not set again, nor is it when it is not asked for.
func TestUserWhoseIterationsChange(t *testing.T) {
	k := start(t)
	user := func(iterations int, mechanisms ...schema.Mechanism) schema.Resource {
		return &schema.User{
			Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindUser, Label: "a"}}, Name: "a", Mechanisms: mechanisms, Iterations: iterations, PasswordVersion: 3,
			Password: schema.NewSecret(func() (string, error) { return "secret", nil }),
		}
	}
	k.applies(user(4096, schema.ScramSHA256))
	k.applies(user(8192, schema.ScramSHA256))
	k.applies(user(8192, schema.ScramSHA512))
	owner, _ := k.ledger.Live().Owners.Of(schema.ID{Kind: schema.KindUser, Name: "a"})
	if diff := cmp.Diff(live.Owner{Topology: "shop", Password: 3}, owner); diff != "" {
		t.Error(diff)
	}
}

// A right that an apply was killed over goes with the next.
func TestRightWhoseRemovalIsCut(t *testing.T) {
	k := start(t)
	acl := &schema.ACL{
		Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindACL, Label: "audit"}}, Principal: "User:audit", Host: "*", Permission: schema.Allow,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: "x", Pattern: schema.Literal}, Operations: []schema.Operation{schema.Read, schema.Describe},
	}
	k.applies(acl)
	k.first(kmsg.DeleteACLs, func(kmsg.Request) (kmsg.Response, error) {
		return nil, k.kill()
	})
	if report := k.engine.Run(t.Context(), k.plans()); report.Count(apply.Done) > 0 {
		t.Fatal(outcomes(report))
	}
	k.ledger.lost = nil
	k.applies()
	s, err := k.engine.Read(t.Context(), live.Scope{Bindings: true})
	if err != nil || len(s.Bindings.Value) > 0 {
		t.Error(s.Bindings, err)
	}
}
