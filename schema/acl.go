package schema

import (
	"errors"
	"fmt"
	"strings"
)

// KindACL is one right that a principal has or is denied.
const KindACL Kind = "acl"

// ACL is a block of rights: what one principal may do, or may not, with one
// resource.
type ACL struct {
	Decl
	Principal  string // "User:audit"
	Host       string // "*": from anywhere
	Permission Permission
	Resource   ACLResource
	Operations []Operation // sorted
}

// ID is the block's own: each of its [ACL.Bindings] is an object of Kafka.
func (a *ACL) ID() ID { return ID{Kind: KindACL, Name: a.Addr.String()} }

// Bindings are the rights that the block declares, one for each operation.
func (a *ACL) Bindings() []Binding {
	all := make([]Binding, len(a.Operations))
	for i, operation := range a.Operations {
		all[i] = Binding{Principal: a.Principal, Host: a.Host, Permission: a.Permission, Operation: operation, Resource: a.Resource}
	}
	return all
}

// Permission is what a binding says of an operation.
type Permission string

// The permissions. What is denied is so whatever else is allowed.
const (
	Allow Permission = "Allow"
	Deny  Permission = "Deny"
)

// Operation is what is done with a resource, as Kafka's tools spell it.
type Operation string

// The operations that a binding can name.
const (
	AnyOperation    Operation = "All"
	Read            Operation = "Read"
	Write           Operation = "Write"
	Create          Operation = "Create"
	Delete          Operation = "Delete"
	Alter           Operation = "Alter"
	Describe        Operation = "Describe"
	ClusterAction   Operation = "ClusterAction"
	DescribeConfigs Operation = "DescribeConfigs"
	AlterConfigs    Operation = "AlterConfigs"
	IdempotentWrite Operation = "IdempotentWrite"
	CreateTokens    Operation = "CreateTokens"
	DescribeTokens  Operation = "DescribeTokens"
	TwoPhaseCommit  Operation = "TwoPhaseCommit"
)

// ResourceType is a sort of thing that rights are about, as the language
// spells it.
type ResourceType string

// The resource types.
const (
	TopicResource           ResourceType = "topic"
	GroupResource           ResourceType = "group"
	TransactionalIDResource ResourceType = "transactional_id"
	ClusterResource         ResourceType = "cluster"
	TokenResource           ResourceType = "delegation_token"
	UserResource            ResourceType = "user" // of delegation tokens (KIP-373, Kafka 3.3+)
)

// ResourceTypes are all of them, in the order in which messages name them.
func ResourceTypes() []ResourceType {
	return []ResourceType{TopicResource, GroupResource, TransactionalIDResource, ClusterResource, TokenResource, UserResource}
}

// Operations are those that Kafka accepts of a resource of the type, sorted.
func (t ResourceType) Operations() []Operation { return operations[t] }

var operations = map[ResourceType][]Operation{
	TopicResource:           {AnyOperation, Alter, AlterConfigs, Create, Delete, Describe, DescribeConfigs, Read, Write},
	GroupResource:           {AnyOperation, AlterConfigs, Delete, Describe, DescribeConfigs, Read},
	TransactionalIDResource: {AnyOperation, Describe, TwoPhaseCommit, Write},
	ClusterResource:         {AnyOperation, Alter, AlterConfigs, ClusterAction, Create, Describe, DescribeConfigs, IdempotentWrite},
	TokenResource:           {AnyOperation, Describe},
	UserResource:            {AnyOperation, CreateTokens, DescribeTokens},
}

// ClusterName is the one name that a resource of type cluster has.
const ClusterName = "kafka-cluster"

// Pattern is how a resource's name is to be read.
type Pattern string

// The patterns.
const (
	Literal  Pattern = "literal" // the name alone; * is every name
	Prefixed Pattern = "prefixed"
)

// ACLResource is what a binding is about.
type ACLResource struct {
	Type    ResourceType
	Name    string
	Pattern Pattern
}

// Covers says whether a binding about r is about the thing of that name, too.
func (r ACLResource) Covers(t ResourceType, name string) bool {
	switch {
	case r.Type != t:
		return false
	case r.Pattern == Prefixed:
		return strings.HasPrefix(name, r.Name)
	}
	return r.Name == name || r.Name == "*"
}

// Binding is one right, the unit that Kafka keeps. It is comparable.
type Binding struct {
	Principal  string
	Host       string
	Permission Permission
	Operation  Operation
	Resource   ACLResource
}

// ID is the binding's.
func (b Binding) ID() ID { return ID{Kind: KindACL, Name: b.String()} }

// String is the binding on one line: "User:audit Read topic:shop. prefixed *",
// with "Deny" before the operation where it is denied.
func (b Binding) String() string {
	parts := []string{bare(b.Principal)}
	if b.Permission == Deny {
		parts = append(parts, string(Deny))
	}
	resource := bare(string(b.Resource.Type) + ":" + b.Resource.Name)
	return strings.Join(append(parts, string(b.Operation), resource, string(b.Resource.Pattern), bare(b.Host)), " ")
}

// bare quotes what could not be told from several words.
func bare(word string) string {
	if word == "" || strings.ContainsAny(word, " \t\r\n\"\\") {
		return Quote(word)
	}
	return word
}

// MarshalText makes a binding its own spelling in JSON.
func (b Binding) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (b *Binding) UnmarshalText(text []byte) (err error) {
	*b, err = ParseBinding(string(text))
	return err
}

// ParseBinding reads what [Binding.String] writes.
func ParseBinding(text string) (Binding, error) {
	malformed := fmt.Errorf("%q is not a right: write it like %q", text, "User:audit Read topic:shop. prefixed *")
	words, err := words(text)
	b := Binding{Permission: Allow}
	if len(words) == 6 && words[1] == string(Deny) {
		b.Permission = Deny
		words = append(words[:1], words[2:]...)
	}
	if err != nil || len(words) != 5 {
		return Binding{}, malformed
	}
	kind, name, ok := strings.Cut(words[2], ":")
	if !ok {
		return Binding{}, malformed
	}
	b.Principal, b.Operation, b.Host = words[0], Operation(words[1]), words[4]
	b.Resource = ACLResource{Type: ResourceType(kind), Name: name, Pattern: Pattern(words[3])}
	return b, nil
}

// words splits a text at its spaces, but not within quotes.
func words(text string) (all []string, err error) {
	for rest := text; rest != ""; {
		if rest[0] != '"' {
			var word string
			word, rest, _ = strings.Cut(rest, " ")
			all = append(all, word)
			continue
		}
		end := closing(rest)
		if end < 0 {
			return nil, errors.New("a quote is not closed")
		}
		word, err := unquote(rest[:end+1])
		if err != nil {
			return nil, err
		}
		all = append(all, word)
		rest = strings.TrimPrefix(rest[end+1:], " ")
	}
	return all, nil
}

// closing is where the quote ends that a text begins with, or -1.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
