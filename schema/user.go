package schema

import "slices"

// KindUser is a user who logs in by SCRAM.
const KindUser Kind = "user"

// The iterations that Kafka accepts for SCRAM credentials, and what they are
// where a file does not say.
const (
	LeastIterations   = 4096
	MostIterations    = 16384
	DefaultIterations = 8192
)

// User is who logs in by SCRAM (KIP-554, Kafka 2.7+). Kafka never shows a
// password, so that another one is set where PasswordVersion says so.
type User struct {
	Decl
	Name            string
	Mechanisms      []Mechanism // of SCRAM, sorted
	Iterations      int
	Password        Secret
	PasswordVersion int // 1 or more
}

// ID is the user's.
func (u *User) ID() ID { return ID{Kind: KindUser, Name: u.Name} }

// Principal is the user as access control names it.
func (u *User) Principal() string { return UserPrincipal + u.Name }

// Mechanism is how the user logs in: as the cluster's block does where the user
// can, and else by the strongest of its own. The block may be nil.
func (u *User) Mechanism(cluster *SASL) Mechanism {
	if cluster != nil && slices.Contains(u.Mechanisms, cluster.Mechanism) {
		return cluster.Mechanism
	}
	return u.Mechanisms[len(u.Mechanisms)-1]
}

// UserOf is the declared user who is a principal, or nil.
func (t *Topology) UserOf(principal string) *User {
	for u := range All[*User](t) {
		if u.Principal() == principal {
			return u
		}
	}
	return nil
}

// UserPrincipal begins the principals that are users.
const UserPrincipal = "User:"
