package schema_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/schema"
)

// TestEdges follows messages from a producer over a queue to a group, and to
// where the group's dead letters go.
func TestEdges(t *testing.T) {
	at := func(kind schema.Kind, label string) schema.Addr { return schema.Addr{Kind: kind, Label: label} }
	orders, dead := at(schema.KindQueue, "orders"), at(schema.KindQueue, "dead")
	payments := schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: "payments"}
	shop, billing := at(schema.KindProducer, "shop"), at(schema.KindGroup, "billing")
	topology := &schema.Topology{Resources: []schema.Resource{
		&schema.Group{Decl: schema.Decl{Addr: billing}, Queues: []schema.Addr{payments, orders}},
		&schema.Producer{Decl: schema.Decl{Addr: shop}, Queues: []schema.Addr{orders}},
		&schema.Queue{Decl: schema.Decl{Addr: orders}, DeadLetter: &dead},
		&schema.Queue{Decl: schema.Decl{Addr: dead}},
		&schema.ExternalQueue{Decl: schema.Decl{Addr: payments}},
	}}
	want := []schema.Edge{
		{From: shop, To: orders, Flow: schema.Writes},
		{From: orders, To: billing, Flow: schema.Reads},
		{From: orders, To: dead, Flow: schema.Rejects},
		{From: payments, To: billing, Flow: schema.Reads},
	}
	if diff := cmp.Diff(want, topology.Edges()); diff != "" {
		t.Error(diff)
	}
}
