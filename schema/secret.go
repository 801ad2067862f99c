package schema

// Secret is a value that no output, plan or ledger may show. It is revealed
// only where a request needs it. The zero Secret is not set.
type Secret struct {
	reveal   func() (string, error)
	variable string
}

// NewSecret keeps a secret whose value is found when it is needed. The error
// of reveal says where the value was expected and what to do.
func NewSecret(reveal func() (string, error)) Secret { return Secret{reveal: reveal} }

// In is the secret with the environment variable that it is read from.
func (s Secret) In(variable string) Secret {
	s.variable = variable
	return s
}

// Variable is the environment variable that the secret is read from; empty: it
// comes from elsewhere, or from more than that.
func (s Secret) Variable() string { return s.variable }

// IsSet says whether the files name the secret at all.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Reveal gives the value to whoever sends it; an unset Secret is empty.
func (s Secret) Reveal() (string, error) {
	if s.reveal == nil {
		return "", nil
	}
	return s.reveal()
}

// String hides the value, whatever the verb.
func (s Secret) String() string { return hidden }

// GoString hides the value under %#v.
func (s Secret) GoString() string { return hidden }

// MarshalText hides the value in JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

const hidden = "(secret)"
