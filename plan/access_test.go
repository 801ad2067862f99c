package plan_test

import (
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

// outcome is all that a plan is made of but its changes.
type outcome struct {
	Steps                      []plan.Step
	Claims                     []plan.Claim
	Released, Vanished, Unseen []schema.ID
	Facts                      []plan.Fact // of its only change
	Warned, Refused            bool
}

// outcomeOf compares what is declared, nil is nothing, with what there is and
// what the ledger knows.
func outcomeOf(declared schema.Resource, s live.Snapshot, l live.Ledger) outcome {
	t := topology()
	if declared != nil {
		t = topology(declared)
	}
	s.Ledger = live.Is(l)
	p, diags := plan.Build(t, &s, plan.Options{})
	o := outcome{Steps: p.Steps, Claims: p.Claims, Released: p.Released, Vanished: p.Vanished, Refused: diags.HasErrors(), Warned: len(diags) > len(diags.Errs())}
	for i := range p.Unseen {
		o.Unseen = append(o.Unseen, p.Unseen[i].Object)
	}
	if len(p.Changes) == 1 {
		o.Facts = p.Changes[0].Facts
	}
	return o
}

func (want outcome) check(t *testing.T, got outcome) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(plan.Head{}, "Changes", "Records")); diff != "" {
		t.Error(diff)
	}
}

func TestUsers(t *testing.T) {
	const weak, strong = schema.ScramSHA256, schema.ScramSHA512
	user := schema.ID{Kind: schema.KindUser, Name: "a"}
	alter := func(set, remove []schema.Mechanism) []plan.Step {
		return []plan.Step{&plan.AlterUser{Head: plan.Head{Phase: plan.PhaseUsers, Object: user}, Set: set, Iterations: 4096, Remove: remove}}
	}
	claim := func(password int) []plan.Claim { return []plan.Claim{{Object: user, Password: password}} }
	facts := func(owner, ofWeak, ofStrong plan.Value) []plan.Fact {
		return []plan.Fact{{Path: "owner", Value: owner}, {Path: "iterations.SCRAM-SHA-256", Value: ofWeak}, {Path: "iterations.SCRAM-SHA-512", Value: ofStrong}}
	}
	has := func(u live.User) live.Seen[live.User] { return live.Is(u) }
	ours := live.Owner{Topology: "shop", Password: 1}
	for name, test := range map[string]struct {
		declared *schema.User
		has      live.Seen[live.User]
		owner    live.Owner
		want     outcome
	}{
		"made": {
			login(1, strong), live.None[live.User](),
			live.Owner{},
			outcome{Steps: alter([]schema.Mechanism{strong}, nil), Claims: claim(1), Facts: facts(nil, nil, nil)},
		},
		"there": {login(1, strong), has(live.User{strong: 4096}), ours, outcome{}},
		"nobody's": {
			login(7, strong), has(live.User{strong: 4096}),
			live.Owner{},
			outcome{Claims: []plan.Claim{{Object: user, Password: 7, Adopts: true}}},
		},
		"another's": {login(1, strong), has(live.User{strong: 4096}), live.Owner{Topology: "bank"}, outcome{Refused: true}},
		"of another password": {
			login(2, strong), has(live.User{strong: 4096}), ours,
			outcome{Steps: alter([]schema.Mechanism{strong}, nil), Claims: claim(2), Facts: facts("shop", nil, 4096)},
		},
		"of an earlier password": {
			login(1, strong), has(live.User{strong: 4096}),
			live.Owner{Topology: "shop", Password: 2},
			outcome{Steps: alter([]schema.Mechanism{strong}, nil), Claims: claim(1), Facts: facts("shop", nil, 4096), Warned: true},
		},
		"of a password that may not be set": {
			login(1, strong), has(live.User{strong: 4096}),
			live.Owner{Topology: "shop", HalfDone: true},
			outcome{Steps: alter([]schema.Mechanism{strong}, nil), Claims: claim(1), Facts: facts("shop", nil, 4096)},
		},
		"of other iterations": {
			login(1, strong), has(live.User{strong: 8192}), ours,
			outcome{Steps: alter([]schema.Mechanism{strong}, nil), Facts: facts("shop", nil, 8192)},
		},
		"of another mechanism": {
			login(1, strong), has(live.User{weak: 4096}), ours,
			outcome{Steps: alter([]schema.Mechanism{strong}, []schema.Mechanism{weak}), Facts: facts("shop", 4096, nil)},
		},
		"not to be seen": {login(1, strong), live.Hidden[live.User]("not permitted", ""), live.Owner{}, outcome{Unseen: []schema.ID{user}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := live.Ledger{Owners: live.Owners{}}
			if test.owner.Topology != "" {
				l.Owners.Add(user, test.owner)
			}
			test.want.check(t, outcomeOf(test.declared, live.Snapshot{Users: map[string]live.Seen[live.User]{"a": test.has}}, l))
		})
	}
}

func TestRights(t *testing.T) {
	read := audits(schema.Allow, schema.Read)
	binding := read.Bindings()[0]
	right := schema.ID{Kind: schema.KindACL, Name: binding.String()}
	there, none := live.Is(live.Bindings{binding: true}), live.Is(live.Bindings{})
	hidden := live.Hidden[live.Bindings]("not permitted", "")
	give := []plan.Step{&plan.CreateACL{Head: plan.Head{Phase: plan.PhaseGrant, Object: right}, Binding: binding}}
	take := []plan.Step{&plan.DeleteACL{Head: plan.Head{Phase: plan.PhaseRevoke, Object: right}, Binding: binding}}
	fact := func(state string) []plan.Fact { return []plan.Fact{{Path: "right", Value: state}} }
	made := live.Owner{Topology: "shop", Made: true}
	for name, test := range map[string]struct {
		declared schema.Resource // nil: nothing is
		has      live.Seen[live.Bindings]
		holders  []live.Owner
		want     outcome
	}{
		"given":              {read, none, nil, outcome{Steps: give, Claims: []plan.Claim{{Object: right, Made: true}}, Facts: fact("absent")}},
		"there":              {read, there, nil, outcome{Claims: []plan.Claim{{Object: right, Adopts: true}}}},
		"there, and held":    {read, there, []live.Owner{made}, outcome{}},
		"there, another's":   {read, there, []live.Owner{{Topology: "bank", Made: true}}, outcome{Claims: []plan.Claim{{Object: right}}}},
		"given, then killed": {read, there, []live.Owner{{Topology: "shop", HalfDone: true, Made: true}}, outcome{Claims: []plan.Claim{{Object: right, Made: true}}}},
		"taken":              {nil, there, []live.Owner{made}, outcome{Steps: take, Facts: fact("present")}},
		"there before":       {nil, there, []live.Owner{{Topology: "shop"}}, outcome{Released: []schema.ID{right}}},
		"another's, too":     {nil, there, []live.Owner{made, {Topology: "bank"}}, outcome{Released: []schema.ID{right}}},
		"another's who goes": {nil, there, []live.Owner{made, {Topology: "bank", Leaving: true}}, outcome{Steps: take, Facts: fact("present")}},
		"another's alone":    {nil, there, []live.Owner{{Topology: "bank", Made: true}}, outcome{}},
		"gone already":       {nil, none, []live.Owner{made}, outcome{Vanished: []schema.ID{right}}},
		"held, not seen":     {nil, hidden, []live.Owner{made}, outcome{Unseen: []schema.ID{right}}},
		"not seen":           {read, hidden, nil, outcome{Unseen: []schema.ID{right}}},
		"checked by nobody":  {read, live.Hidden[live.Bindings](live.NoAuthorizer, ""), nil, outcome{Warned: true}},
	} {
		t.Run(name, func(t *testing.T) {
			l := live.Ledger{Holders: live.Holders{}}
			for _, h := range test.holders {
				l.Holders.Add(right.Name, h)
			}
			test.want.check(t, outcomeOf(test.declared, live.Snapshot{Bindings: test.has}, l))
		})
	}
}

func TestLimits(t *testing.T) {
	const consumer, request = schema.ConsumerByteRate, schema.RequestPercentage
	five := guests(schema.Limits{consumer: 5})
	quota := schema.ID{Kind: schema.KindQuota, Name: "user:guest"}
	alter := func(phase plan.Phase, set schema.Limits, remove ...schema.LimitKey) []plan.Step {
		return []plan.Step{&plan.AlterQuota{Head: plan.Head{Phase: phase, Object: quota}, Entity: five.Entity, Set: set, Remove: remove}}
	}
	claim := []plan.Claim{{Object: quota, Keys: []string{"consumer_byte_rate"}}}
	ours := func(keys ...string) live.Owner { return live.Owner{Topology: "shop", Keys: keys} }
	has := func(l schema.Limits) live.Seen[live.Quotas] { return live.Is(live.Quotas{five.Entity: l}) }
	facts := func(owner plan.Value, more ...plan.Fact) []plan.Fact {
		return append([]plan.Fact{{Path: "owner", Value: owner}}, more...)
	}
	for name, test := range map[string]struct {
		declared schema.Resource // nil: nothing is
		has      live.Seen[live.Quotas]
		owner    live.Owner
		want     outcome
	}{
		"set": {
			five, has(nil),
			live.Owner{},
			outcome{Steps: alter(plan.PhaseGrant, five.Limits), Claims: claim, Facts: facts(nil, plan.Fact{Path: "consumer_byte_rate"})},
		},
		"there, beside another's": {five, has(schema.Limits{consumer: 5, request: 1}), ours("consumer_byte_rate"), outcome{}},
		"there, nobody's":         {five, has(schema.Limits{consumer: 5}), live.Owner{}, outcome{Claims: []plan.Claim{{Object: quota, Adopts: true}}}},
		"of another value": {
			five, has(schema.Limits{consumer: 6}), ours("consumer_byte_rate"),
			outcome{Steps: alter(plan.PhaseGrant, five.Limits), Facts: facts("shop", plan.Fact{Path: "consumer_byte_rate", Value: "6"})},
		},
		"one declared no more": {
			five, has(schema.Limits{consumer: 5, request: 1}), ours("consumer_byte_rate", "request_percentage"),
			outcome{Steps: alter(plan.PhaseGrant, nil, request), Claims: claim, Facts: facts("shop", plan.Fact{Path: "request_percentage", Value: "1"})},
		},
		"another topology's": {five, has(schema.Limits{consumer: 6}), live.Owner{Topology: "bank"}, outcome{Refused: true}},
		"not seen":           {five, live.Hidden[live.Quotas]("not permitted", ""), live.Owner{}, outcome{Unseen: []schema.ID{quota}}},
		"none declared": {
			nil, has(schema.Limits{consumer: 6, request: 1}), ours("consumer_byte_rate"),
			outcome{Steps: alter(plan.PhaseRevoke, nil, consumer), Facts: facts("shop", plan.Fact{Path: "consumer_byte_rate", Value: "6"})},
		},
		"none declared, gone already": {nil, has(schema.Limits{request: 1}), ours("consumer_byte_rate"), outcome{Vanished: []schema.ID{quota}}},
		"none declared, not seen":     {nil, live.Hidden[live.Quotas]("not permitted", ""), ours("consumer_byte_rate"), outcome{Unseen: []schema.ID{quota}}},
	} {
		t.Run(name, func(t *testing.T) {
			l := live.Ledger{Owners: live.Owners{}}
			if test.owner.Topology != "" {
				l.Owners.Add(quota, test.owner)
			}
			test.want.check(t, outcomeOf(test.declared, live.Snapshot{Quotas: test.has}, l))
		})
	}
}
