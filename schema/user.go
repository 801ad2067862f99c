package schema

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

// UserPrincipal begins the principals that are users.
const UserPrincipal = "User:"
