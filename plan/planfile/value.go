package planfile

import (
	"encoding/json"

	"github.com/queueform/queueform/plan"
)

// Value is one side of a field, of the same Go type after JSON as before: nil,
// an int, a string or the replica lists of partitions, [][]int32.
type Value struct{ plan.Value }

// MarshalJSON writes the plain value.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.Value) }

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(text []byte) error {
	switch text[0] {
	case 'n':
		v.Value = nil
		return nil
	case '"':
		return read[string](v, text)
	case '[':
		return read[[][]int32](v, text)
	}
	return read[int](v, text)
}

func read[T any](v *Value, text []byte) error {
	var typed T
	err := json.Unmarshal(text, &typed)
	v.Value = typed
	return err
}
