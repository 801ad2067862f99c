package live

import "github.com/queueform/queueform/schema"

// User is one user's SCRAM credentials, as far as Kafka shows them (KIP-554,
// Kafka 2.7+): how many iterations each mechanism has.
type User map[schema.Mechanism]int

// Bindings are the rights that there are.
type Bindings map[schema.Binding]bool

// Quotas are what entities may use (KIP-546, Kafka 2.6+).
type Quotas map[schema.Entity]schema.Limits

// ScramMechanisms are SCRAM's, as Kafka numbers them.
var ScramMechanisms = map[int8]schema.Mechanism{1: schema.ScramSHA256, 2: schema.ScramSHA512}

// NoAuthorizer is why bindings are not seen where a cluster has no access control.
const NoAuthorizer = "the cluster has no authorizer"

// How Kafka numbers what a binding says (kafka.acl, in its protocol since 0.11).
var (
	ACLOperations = map[int8]schema.Operation{
		2: schema.AnyOperation, 3: schema.Read, 4: schema.Write, 5: schema.Create, 6: schema.Delete, 7: schema.Alter, 8: schema.Describe,
		9: schema.ClusterAction, 10: schema.DescribeConfigs, 11: schema.AlterConfigs, 12: schema.IdempotentWrite,
		13: schema.CreateTokens, 14: schema.DescribeTokens, 15: schema.TwoPhaseCommit,
	}
	ACLPermissions   = map[int8]schema.Permission{2: schema.Deny, 3: schema.Allow}
	ACLResourceTypes = map[int8]schema.ResourceType{
		2: schema.TopicResource, 3: schema.GroupResource, 4: schema.ClusterResource, 5: schema.TransactionalIDResource,
		6: schema.TokenResource, 7: schema.UserResource,
	}
	ACLPatterns = map[int8]schema.Pattern{3: schema.Literal, 4: schema.Prefixed}
)
