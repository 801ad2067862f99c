package traffic_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

// what is all of a message that is to be the same elsewhere.
type what struct {
	Key, Value []byte
	Headers    []kgo.RecordHeader
	Partition  int32
	Time       int64
}

func whatOf(m *kgo.Record) what {
	return what{m.Key, m.Value, m.Headers, m.Partition, m.Timestamp.UnixMilli()}
}

// contents are bytes, text, or nothing at all.
func contents() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.Just[[]byte](nil), rapid.SliceOf(rapid.Byte()),
		rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
		rapid.SampledFrom([][]byte{[]byte("<&>\n\u2028\x00"), []byte("\xff"), []byte("null")}),
	)
}

func messages() *rapid.Generator[*kgo.Record] {
	return rapid.Custom(func(t *rapid.T) *kgo.Record {
		m := &kgo.Record{
			Key: contents().Draw(t, "key"), Value: contents().Draw(t, "value"),
			Partition: rapid.Int32Range(0, 11).Draw(t, "partition"),
			Timestamp: time.UnixMilli(rapid.Int64Range(0, math.MaxInt64/1_000_000).Draw(t, "time")),
		}
		for range rapid.IntRange(0, 3).Draw(t, "headers") {
			m.Headers = append(m.Headers, kgo.RecordHeader{Key: string(contents().Draw(t, "name")), Value: contents().Draw(t, "header")})
		}
		return m
	})
}

// jsonOf is a message as a line of JSON.
func jsonOf(t interface{ Fatal(...any) }, m *kgo.Record) string {
	var out bytes.Buffer
	p := traffic.NewJSONPrinter(&out, traffic.Accept)
	if _, err := p.Take(nil, m); err != nil { //nolint:staticcheck // a printer waits for nothing
		t.Fatal(err)
	}
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A message is the same after it was printed and read.
func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		line := jsonOf(t, m)
		if strings.Count(line, "\n") != 1 {
			t.Fatalf("it is not one line: %q", line)
		}
		for got, err := range traffic.JSONLines(strings.NewReader(line), nil) {
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if d := cmp.Diff(whatOf(m), whatOf(got.Record)); d != "" {
				t.Fatalf("%s: %s", line, d)
			}
		}
	})
}

// What a group receives as JSON can be sent, and is the same there.
func TestCopy(t *testing.T) {
	k := newKafka(t)
	var in strings.Builder
	for _, m := range rapid.SliceOfN(messages(), 200, 200).Example() {
		in.WriteString(jsonOf(t, m))
	}
	sent := in.String()
	for range 2 {
		if _, err := k.sender().Send(t.Context(), traffic.JSONLines(strings.NewReader(sent), nil)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		k.receive(k.receiver(schema.Classic, traffic.NewJSONPrinter(&out, traffic.Accept)))
		sent = out.String()
	}
	all := k.all("orders")
	if len(all) != 400 {
		t.Fatalf("%d messages, want 400", len(all))
	}
	first, second := map[int32][]what{}, map[int32][]what{}
	ends := k.ends()
	for _, m := range all {
		half := first
		if m.Offset >= ends[m.Partition]/2 {
			half = second
		}
		half[m.Partition] = append(half[m.Partition], whatOf(m))
	}
	if d := cmp.Diff(first, second); d != "" {
		t.Error(d)
	}
}

func TestJSONForms(t *testing.T) {
	for line, want := range map[string]what{
		`{"value": null}`:                                                          {Partition: -1},
		`{"value_base64": null}`:                                                   {Partition: -1},
		`{"value": "", "key": "", "timestamp": 1000}`:                              {Key: []byte{}, Value: []byte{}, Partition: -1, Time: 1000},
		`{"value": "a", "timestamp": "1970-01-01T00:00:02Z"}`:                      {Value: []byte("a"), Partition: -1, Time: 2000},
		`{"value": "a", "headers": {"b": "1", "a": null}}`:                         {Value: []byte("a"), Partition: -1, Headers: []kgo.RecordHeader{{Key: "a"}, {Key: "b", Value: []byte("1")}}},
		`{"topic": "t", "offset": 7, "value_base64": "/w==", "delivery_count": 2}`: {Value: []byte{0xff}, Partition: -1},
	} {
		for got, err := range traffic.JSONLines(strings.NewReader(line), nil) {
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if got.Timestamp.IsZero() {
				got.Timestamp = time.UnixMilli(0) // the client sets it
			}
			if d := cmp.Diff(want, whatOf(got.Record)); d != "" {
				t.Errorf("%s: %s", line, d)
			}
		}
	}
}

// The key that is given is that of lines which do not speak of one: null is none.
func TestJSONKey(t *testing.T) {
	for line, want := range map[string][]byte{
		`{"value": ""}`:                       []byte("given"),
		`{"value": "", "key": null}`:          nil,
		`{"value": "", "key": ""}`:            {},
		`{"value": "", "key": "own"}`:         []byte("own"),
		`{"value": "", "key_base64": "/w=="}`: {0xff},
		`{"value": "", "key_base64": null}`:   nil,
	} {
		for got, err := range traffic.JSONLines(strings.NewReader(line), []byte("given")) {
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if d := cmp.Diff(want, got.Key); d != "" {
				t.Errorf("%s: %s", line, d)
			}
		}
	}
}

// Lines end at line feeds alone, the last one or not, however long they are.
func TestLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	var got []string
	for m, err := range traffic.Lines(strings.NewReader("a\r\n\n"+long+"\nend"), []byte("k")) {
		if err != nil || string(m.Key) != "k" || m.Line != len(got)+1 {
			t.Fatalf("%+v, %v", m, err)
		}
		got = append(got, string(m.Value))
	}
	if d := cmp.Diff([]string{"a\r", "", long, "end"}, got); d != "" {
		t.Error(d)
	}
}
