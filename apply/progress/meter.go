package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
)

// Meter shows how many messages have passed: on a terminal while they do, and
// at the end everywhere.
type Meter struct {
	verb string // "sent", "received"
	line *Watch
	next time.Time // when the line may be written again
}

// NewMeter is one for out, with lines of at most so many columns.
func NewMeter(verb string, out io.Writer, terminal bool, width int) *Meter {
	return &Meter{verb: verb, line: New(out, terminal, width)}
}

// refresh is how long a line stays at least.
const refresh = 200 * time.Millisecond

// Passed tells how much has passed by now, in so much time.
func (m *Meter) Passed(messages, bytes int64, took time.Duration) {
	if !m.line.terminal {
		return
	}
	if now := time.Now(); now.After(m.next) {
		m.next = now.Add(refresh)
		m.line.line(m.text(messages, bytes, took), false)
	}
}

// End tells how much has passed in all.
func (m *Meter) End(messages, bytes int64, took time.Duration) {
	m.line.line(m.text(messages, bytes, took), true)
	m.line.Close()
}

func (m *Meter) text(messages, bytes int64, took time.Duration) string {
	text := fmt.Sprintf("%s %s, %s", m.verb, english.Plural(int(messages), "message", ""), humanize.IBytes(uint64(bytes)))
	if took < refresh { // too short for a rate
		return text
	}
	seconds := took.Seconds()
	return fmt.Sprintf("%s in %v: %s messages/s, %s/s", text, took.Round(time.Millisecond),
		humanize.Comma(int64(float64(messages)/seconds)), humanize.IBytes(uint64(float64(bytes)/seconds)))
}
