package live

import "github.com/queueform/queueform/schema"

// User is one user's SCRAM credentials, as far as Kafka shows them (KIP-554,
// Kafka 2.7+): how many iterations each mechanism has.
type User map[schema.Mechanism]int

// Bindings are the rights that there are.
type Bindings map[schema.Binding]bool

// Quotas are what entities may use (KIP-546, Kafka 2.6+).
type Quotas map[schema.Entity]schema.Limits

// Code is how Kafka's protocol numbers words.
type Code[W comparable] struct{ words map[int8]W }

// Word is the word of a number; the zero W: it is of a Kafka to come.
func (c Code[W]) Word(number int8) W { return c.words[number] }

// Number is the number of a word; 0, which is unknown to Kafka, where it has none.
func (c Code[W]) Number(word W) int8 {
	for n, w := range c.words {
		if w == word {
			return n
		}
	}
	return 0
}

// ScramMechanisms are SCRAM's, as Kafka numbers them.
var ScramMechanisms = Code[schema.Mechanism]{map[int8]schema.Mechanism{1: schema.ScramSHA256, 2: schema.ScramSHA512}}

// NoAuthorizer is why bindings are not seen where a cluster has no access control.
const NoAuthorizer = "the cluster has no authorizer"

// How Kafka numbers what a binding says (kafka.acl, in its protocol since 0.11).
var (
	ACLOperations = Code[schema.Operation]{map[int8]schema.Operation{
		2: schema.AnyOperation, 3: schema.Read, 4: schema.Write, 5: schema.Create, 6: schema.Delete, 7: schema.Alter, 8: schema.Describe,
		9: schema.ClusterAction, 10: schema.DescribeConfigs, 11: schema.AlterConfigs, 12: schema.IdempotentWrite,
		13: schema.CreateTokens, 14: schema.DescribeTokens, 15: schema.TwoPhaseCommit,
	}}
	ACLPermissions   = Code[schema.Permission]{map[int8]schema.Permission{2: schema.Deny, 3: schema.Allow}}
	ACLResourceTypes = Code[schema.ResourceType]{map[int8]schema.ResourceType{
		2: schema.TopicResource, 3: schema.GroupResource, 4: schema.ClusterResource, 5: schema.TransactionalIDResource,
		6: schema.TokenResource, 7: schema.UserResource,
	}}
	ACLPatterns = Code[schema.Pattern]{map[int8]schema.Pattern{3: schema.Literal, 4: schema.Prefixed}}
)
