package traffic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/twmb/franz-go/pkg/kgo"
)

// JSONLines are messages of one JSON object each, of the form that [Printer]
// writes: what it says of where a message was is accepted and means nothing,
// but for the partition, which the message is sent to. A line that does not speak
// of a key gets the one given, which may be nil; a key of null is none.
func JSONLines(r io.Reader, key []byte) Source {
	return lines(r, func(line []byte) (*kgo.Record, error) { return parseJSON(line, key) })
}

// message is a message in JSON. What is no text is there as base64.
type message struct {
	Topic         string   `json:"topic,omitempty"`
	Partition     *int32   `json:"partition,omitempty"`
	Offset        *int64   `json:"offset,omitempty"`
	Timestamp     stamp    `json:"timestamp,omitzero"`
	DeliveryCount int32    `json:"delivery_count,omitempty"` // of a share group
	Key           text     `json:"key,omitzero"`             // null: there is none
	KeyBase64     binary   `json:"key_base64,omitzero"`
	Value         text     `json:"value,omitzero"` // null: there is none, which in a compacted topic deletes the key
	ValueBase64   binary   `json:"value_base64,omitzero"`
	Headers       *headers `json:"headers,omitempty"`
}

// header is one of a message: Kafka keeps their order, and may have one twice.
type header struct {
	Key         text   `json:"key,omitzero"`
	KeyBase64   binary `json:"key_base64,omitzero"`
	Value       text   `json:"value,omitzero"`
	ValueBase64 binary `json:"value_base64,omitzero"`
}

// text is a string of JSON, or null.
type text struct {
	bytes []byte // nil: null
	there bool
}

// IsZero leaves it out.
func (t text) IsZero() bool { return !t.there }

// MarshalJSON writes the string, or null.
func (t text) MarshalJSON() ([]byte, error) {
	if t.bytes == nil {
		return []byte("null"), nil
	}
	return marshal(string(t.bytes))
}

// UnmarshalJSON reads a string, or null.
func (t *text) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("text is a string or null")
	}
	*t = text{there: true}
	if s != nil {
		t.bytes = []byte(*s)
	}
	return nil
}

// binary is bytes as base64, or null.
type binary struct {
	bytes []byte
	there bool
}

// IsZero leaves it out.
func (b binary) IsZero() bool { return !b.there }

// MarshalJSON writes base64.
func (b binary) MarshalJSON() ([]byte, error) { return json.Marshal(b.bytes) }

// UnmarshalJSON reads base64, or null.
func (b *binary) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return errors.New("base64 is in a string, or null")
	}
	*b = binary{there: true}
	if s == nil {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(*s)
	if err != nil {
		return errors.New("what is called base64 is not")
	}
	b.bytes = append([]byte{}, decoded...)
	return nil
}

// stamp is a time in RFC 3339 or, where that cannot say it, in milliseconds.
type stamp struct{ time.Time }

// MarshalJSON writes milliseconds, which is all that Kafka keeps.
func (s stamp) MarshalJSON() ([]byte, error) {
	if at := s.UTC(); at.Year() >= 0 && at.Year() <= 9999 {
		return marshal(at.Format("2006-01-02T15:04:05.000Z"))
	}
	return json.Marshal(s.UnixMilli())
}

// UnmarshalJSON reads either.
func (s *stamp) UnmarshalJSON(data []byte) error {
	var milliseconds *int64 // nil: null, which is none
	if json.Unmarshal(data, &milliseconds) == nil && milliseconds != nil {
		s.Time = time.UnixMilli(*milliseconds)
	} else if json.Unmarshal(data, &s.Time) != nil || s.IsZero() {
		return errors.New("a timestamp is like \"2026-01-31T12:00:00.000Z\", or a number of milliseconds")
	}
	if s.Before(time.UnixMilli(0)) || s.After(time.Unix(0, math.MaxInt64)) { // which the client keeps in nanoseconds
		return errors.New("a timestamp is of the years 1970 to 2261")
	}
	return nil
}

// headers are a list of headers or, where each is text and there once, a map.
type headers []header

// UnmarshalJSON reads either. Those of a map are sorted.
func (h *headers) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		var all []header
		err := strict(data, &all)
		*h = all
		return err
	}
	var all map[string]text
	if err := strict(data, &all); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		*h = append(*h, header{Key: text{[]byte(key), true}, Value: all[key]})
	}
	return nil
}

// parseJSON reads one line.
func parseJSON(line, key []byte) (*kgo.Record, error) {
	if !utf8.Valid(line) {
		return nil, errors.New("it is not UTF-8: write what is no text as value_base64 or key_base64")
	}
	var m message
	if err := strict(line, &m); err != nil {
		return nil, err
	}
	r := &kgo.Record{Partition: anywhere, Timestamp: m.Timestamp.Time}
	if m.Partition != nil {
		if r.Partition = *m.Partition; r.Partition < 0 {
			return nil, fmt.Errorf("there is no partition %d", r.Partition)
		}
	}
	var there bool
	var err error
	if r.Key, there, err = either("key", m.Key, m.KeyBase64); err != nil {
		return nil, err
	}
	if !there {
		r.Key = key
	}
	if r.Value, there, err = either("value", m.Value, m.ValueBase64); err != nil {
		return nil, err
	}
	if !there {
		return nil, errors.New("it has no value: say null where that is meant")
	}
	if m.Headers != nil {
		r.Headers, err = m.Headers.read()
	}
	return r, err
}

func (h headers) read() ([]kgo.RecordHeader, error) {
	all := make([]kgo.RecordHeader, len(h))
	for i, header := range h {
		key, _, err := either("key", header.Key, header.KeyBase64)
		if err != nil {
			return nil, fmt.Errorf("header %d: %w", i+1, err)
		}
		value, _, err := either("value", header.Value, header.ValueBase64)
		if err != nil {
			return nil, fmt.Errorf("header %d: %w", i+1, err)
		}
		all[i] = kgo.RecordHeader{Key: string(key), Value: value}
	}
	return all, nil
}

// either is the one of the two that is there.
func either(name string, t text, b binary) (bytes []byte, there bool, err error) {
	if t.there && b.there {
		return nil, false, fmt.Errorf("it has both %s and %s_base64", name, name)
	}
	if b.there {
		return b.bytes, true, nil
	}
	return t.bytes, t.there, nil
}

// strict reads one JSON value that has nothing unknown in it, nothing twice, and
// nothing after it. Encoding/json takes names in any case, and the last of two; its
// second version, of which this package is the forerunner, does not.
func strict(data []byte, into any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	err := jsonv2.Unmarshal(data, into, jsonv2.RejectUnknownMembers(true))
	syntax, broken := errors.AsType[*jsontext.SyntacticError](err)
	wrong, mistyped := errors.AsType[*jsonv2.SemanticError](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("it has %s twice", syntax.JSONPointer.LastToken())
	case broken:
		return fmt.Errorf("it is not a message in JSON: %w", syntax.Err)
	case !mistyped:
		return err
	case errors.Is(err, jsonv2.ErrUnknownName):
		return fmt.Errorf("there is no %s in a message", wrong.JSONPointer.LastToken())
	case wrong.Err != nil && wrong.JSONPointer != "":
		return fmt.Errorf("%s: %w", wrong.JSONPointer.LastToken(), wrong.Err)
	case wrong.JSONPointer == "":
		return fmt.Errorf("it is not a message in JSON but %s", kinds[wrong.JSONKind])
	}
	return fmt.Errorf("%s cannot be %s", wrong.JSONPointer.LastToken(), kinds[wrong.JSONKind])
}

var kinds = map[jsontext.Kind]string{
	'n': "null", 't': "true", 'f': "false", '"': "a string", '0': "a number", '[': "an array", '{': "an object",
}

// printed is a message as JSON says it.
func printed(r *kgo.Record) *message {
	m := &message{Topic: r.Topic, Partition: &r.Partition, Offset: &r.Offset, DeliveryCount: deliveries(r)}
	if r.Timestamp.UnixMilli() >= 0 { // else it has none
		m.Timestamp.Time = r.Timestamp
	}
	if r.Key != nil {
		m.Key, m.KeyBase64 = written(r.Key)
	}
	m.Value, m.ValueBase64 = written(r.Value)
	if len(r.Headers) > 0 {
		all := make(headers, len(r.Headers))
		for i, h := range r.Headers {
			all[i].Key, all[i].KeyBase64 = written([]byte(h.Key))
			all[i].Value, all[i].ValueBase64 = written(h.Value)
		}
		m.Headers = &all
	}
	return m
}

// written is data as text or, where that cannot be, as base64.
func written(data []byte) (text, binary) {
	if utf8.Valid(data) {
		return text{data, true}, binary{}
	}
	return text{}, binary{data, true}
}

// marshal writes JSON without the escapes of HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	err := out.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}
