package traffic

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Printer is a Taker that writes messages, one on a line, and judges them all alike.
type Printer struct {
	verdict Verdict
	out     *bufio.Writer
	write   func(*kgo.Record) error
}

// NewPrinter writes the value of each message, whatever is in it, and a line feed.
func NewPrinter(out io.Writer, v Verdict) *Printer {
	p := &Printer{verdict: v, out: bufio.NewWriterSize(out, 64<<10)}
	p.write = func(m *kgo.Record) error {
		_, _ = p.out.Write(m.Value) // an error stays
		return p.out.WriteByte('\n')
	}
	return p
}

// NewJSONPrinter writes each message as a JSON object: topic, partition,
// offset, timestamp, key, value and headers, of which what is no text is in
// key_base64 and value_base64.
func NewJSONPrinter(out io.Writer, v Verdict) *Printer {
	p := &Printer{verdict: v, out: bufio.NewWriterSize(out, 64<<10)}
	lines := json.NewEncoder(p.out)
	lines.SetEscapeHTML(false)
	p.write = func(m *kgo.Record) error { return lines.Encode(printed(m)) }
	return p
}

// Take writes a message, into memory at first.
func (p *Printer) Take(_ context.Context, m *kgo.Record) (Verdict, error) {
	return p.verdict, p.write(m)
}

// Flush writes all of them out.
func (p *Printer) Flush() error { return p.out.Flush() }
