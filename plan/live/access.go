package live

import "github.com/queueform/queueform/schema"

// User is one user's SCRAM credentials, as far as Kafka shows them (KIP-554,
// Kafka 2.7+): how many iterations each mechanism has.
type User map[schema.Mechanism]int

// Quota is what one entity may use (KIP-546, Kafka 2.6+).
type Quota struct {
	Entity schema.Entity `json:"entity"`
	Limits schema.Limits `json:"limits"`
}

// NoAuthorizer is why bindings are not seen where a cluster has no access control.
const NoAuthorizer = "the cluster has no authorizer"
