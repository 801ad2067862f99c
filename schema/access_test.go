package schema_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/queueform/queueform/schema"
)

// names are such as Kafka keeps, and some that are easily taken for something else.
func names() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"*", "a b", "Deny", `"`, `\`, "a:b", "${x}", "$${x}", "%{x}", "\n", "\u2028", ":", "shop. prefixed *"}))
}

// A right survives being written on one line.
func TestBindingRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.SampledFrom(schema.ResourceTypes()).Draw(t, "type")
		b := schema.Binding{
			Principal:  "User:" + names().Draw(t, "principal"),
			Host:       names().Draw(t, "host"),
			Permission: rapid.SampledFrom([]schema.Permission{schema.Allow, schema.Deny}).Draw(t, "permission"),
			Operation:  rapid.SampledFrom(of.Operations()).Draw(t, "operation"),
			Resource: schema.ACLResource{
				Type: of, Name: names().Draw(t, "name"),
				Pattern: rapid.SampledFrom([]schema.Pattern{schema.Literal, schema.Prefixed}).Draw(t, "pattern"),
			},
		}
		if got, err := schema.ParseBinding(b.String()); err != nil || got != b {
			t.Errorf("%s is %+v, %v, and was %+v", b, got, err, b)
		}
	})
}

func TestBindingSpelling(t *testing.T) {
	topic := schema.ACLResource{Type: schema.TopicResource, Name: "shop.", Pattern: schema.Prefixed}
	for want, b := range map[string]schema.Binding{
		"User:audit Read topic:shop. prefixed *":               {Principal: "User:audit", Host: "*", Permission: schema.Allow, Operation: schema.Read, Resource: topic},
		`"User:CN=a b" Deny All topic:shop. prefixed ::1`:      {Principal: "User:CN=a b", Host: "::1", Permission: schema.Deny, Operation: schema.AnyOperation, Resource: topic},
		`User:x Read "group:a \"b\"" literal 192.0.2.7`:        {Principal: "User:x", Host: "192.0.2.7", Permission: schema.Allow, Operation: schema.Read, Resource: schema.ACLResource{Type: schema.GroupResource, Name: `a "b"`, Pattern: schema.Literal}},
		"User:x ClusterAction cluster:kafka-cluster literal *": {Principal: "User:x", Host: "*", Permission: schema.Allow, Operation: schema.ClusterAction, Resource: schema.ACLResource{Type: schema.ClusterResource, Name: schema.ClusterName, Pattern: schema.Literal}},
	} {
		if b.String() != want {
			t.Errorf("%s is written %s", want, b)
		}
	}
	for _, text := range []string{"", "User:audit", "User:audit Read topic:shop. prefixed", "User:audit Read shop. prefixed *", `"User:audit Read topic:shop. prefixed *`, "User:audit Deny Read topic:shop. prefixed * more"} {
		if b, err := schema.ParseBinding(text); err == nil {
			t.Errorf("%s is %+v", text, b)
		}
	}
}

// An entity survives being written on one line, but for a name that the
// language refuses.
func TestEntityRoundTrip(t *testing.T) {
	part := rapid.OneOf(
		rapid.Just(schema.EntityName{}), rapid.Just(schema.DefaultName()),
		rapid.Map(names().Filter(func(name string) bool { return !schema.Named(name).IsReserved() }), schema.Named),
	)
	rapid.Check(t, func(t *rapid.T) {
		e := schema.Entity{User: part.Draw(t, "user"), ClientID: part.Draw(t, "client_id"), IP: part.Draw(t, "ip")}
		if e == (schema.Entity{}) {
			return
		}
		if got, err := schema.ParseEntity(e.String()); err != nil || got != e {
			t.Errorf("%s is %+v, %v, and was %+v", e, got, err, e)
		}
	})
	for _, text := range []string{"", "guest", "user", "user:a user:b", "team:a", `"user:a`} {
		if e, err := schema.ParseEntity(text); err == nil {
			t.Errorf("%s is %+v", text, e)
		}
	}
	if !schema.Named("(default)").IsReserved() {
		t.Error("a name that is written as the default is not reserved")
	}
}

func addr(kind schema.Kind, label string) schema.Addr { return schema.Addr{Kind: kind, Label: label} }

// What producers and groups need follows from what they do; what an acl block
// says too is said once.
func TestGrants(t *testing.T) {
	dead := addr(schema.KindQueue, "dead")
	topology := &schema.Topology{Resources: []schema.Resource{
		&schema.ACL{
			Decl: schema.Decl{Addr: addr(schema.KindACL, "more")}, Principal: "User:w", Host: "*", Permission: schema.Allow,
			Resource: schema.ACLResource{Type: schema.TopicResource, Name: "shop.orders", Pattern: schema.Literal}, Operations: []schema.Operation{schema.Delete, schema.Write},
		},
		&schema.Group{Decl: schema.Decl{Addr: addr(schema.KindGroup, "g")}, GroupID: "billing", Principal: "User:r", Queues: []schema.Addr{addr(schema.KindQueue, "orders")}},
		&schema.Group{Decl: schema.Decl{Addr: addr(schema.KindGroup, "nobody")}, GroupID: "nobody", Queues: []schema.Addr{addr(schema.KindQueue, "orders")}},
		&schema.Producer{Decl: schema.Decl{Addr: addr(schema.KindProducer, "p")}, Principal: "User:w", TransactionalIDPrefix: "p-", Queues: []schema.Addr{addr(schema.KindQueue, "orders")}},
		&schema.Queue{Decl: schema.Decl{Addr: dead}, Topic: "dlq.orders"},
		&schema.Queue{Decl: schema.Decl{Addr: addr(schema.KindQueue, "orders")}, Topic: "shop.orders", DeadLetter: &dead},
	}}
	var got []string
	for _, g := range topology.Grants() {
		got = append(got, g.By.String()+": "+g.String())
	}
	want := []string{
		"consumer_group.g: User:r Describe topic:dlq.orders literal *",
		"consumer_group.g: User:r Describe topic:shop.orders literal *",
		"consumer_group.g: User:r Read group:billing literal *",
		"consumer_group.g: User:r Read topic:shop.orders literal *",
		"consumer_group.g: User:r Write topic:dlq.orders literal *",
		"acl.more: User:w Delete topic:shop.orders literal *",
		"producer.p: User:w Describe topic:shop.orders literal *",
		"producer.p: User:w Describe transactional_id:p- prefixed *",
		"acl.more: User:w Write topic:shop.orders literal *",
		"producer.p: User:w Write transactional_id:p- prefixed *",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A digest tells whether a user is to be set again, and nothing of the password.
func TestDigestOfUser(t *testing.T) {
	digest := func(password string, err error, version int) string {
		t.Helper()
		u := &schema.User{
			Decl: schema.Decl{Addr: addr(schema.KindUser, "u")}, Name: "u", Mechanisms: []schema.Mechanism{schema.ScramSHA512},
			Password: schema.NewSecret(func() (string, error) { return password, err }), PasswordVersion: version,
		}
		return (&schema.Topology{Name: "t", Resources: []schema.Resource{u}}).Digest()
	}
	all := []string{digest("a", nil, 1), digest("b", nil, 1), digest("", errors.New("not set"), 1)}
	if len(slices.Compact(all)) != 1 {
		t.Error("a password is in the digest")
	}
	if digest("a", nil, 2) == all[0] {
		t.Error("the password's version is not in the digest")
	}
}
