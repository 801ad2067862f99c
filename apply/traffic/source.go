package traffic

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Message is a message to send, and where it comes from.
type Message struct {
	*kgo.Record
	Line int // of the input, or the place among the values, from 1
}

// Source gives messages, and the error that ends them early: a [*LineError], or
// what reading said.
type Source iter.Seq2[Message, error]

// LineError is a message that cannot be sent.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives the cause.
func (e *LineError) Unwrap() error { return e.Err }

// Values are messages of one value each, with a key that may be nil.
func Values(key []byte, values []string) Source {
	return func(yield func(Message, error) bool) {
		for i, value := range values {
			m := &kgo.Record{Key: key, Value: []byte(value), Partition: anywhere}
			if !yield(Message{m, i + 1}, nil) {
				return
			}
		}
	}
}

// Lines are messages of one line each: its text, up to the line feed, is the
// value. The key may be nil.
func Lines(r io.Reader, key []byte) Source {
	return lines(r, func(line []byte) (*kgo.Record, error) {
		return &kgo.Record{Key: key, Value: append([]byte{}, line...), Partition: anywhere}, nil
	})
}

// longest is how long a line may be, in bytes: that of JSON with a message as
// large as Kafka's requests may be.
const longest = 256 << 20

var errLong = fmt.Errorf("it is longer than %d MiB", longest>>20)

// lines are those of r, each parsed. A line is only valid until the next.
func lines(r io.Reader, parse func([]byte) (*kgo.Record, error)) Source {
	return func(yield func(Message, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(in)
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.Is(err, errLong):
				yield(Message{}, &LineError{n, err})
				return
			case err != nil:
				yield(Message{}, fmt.Errorf("read line %d: %w", n, err))
				return
			}
			m, err := parse(line)
			if err != nil {
				err = &LineError{n, err}
			}
			if !yield(Message{m, n}, err) || err != nil {
				return
			}
		}
	}
}

// readLine reads up to the line feed, or to the end where that is not at once.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line = slices.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(line) > longest {
				return nil, errLong
			}
			var more []byte
			more, err = in.ReadSlice('\n')
			line = append(line, more...)
		}
	}
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, nil
	}
	return nil, err
}
