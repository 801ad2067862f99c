package connect

import (
	"errors"
	"net"
	"unicode"
	"unicode/utf8"
)

// Error is why a cluster cannot be used: one sentence, and what to do about it.
type Error struct {
	Summary string // without a full stop
	Remedy  string
	Attr    string // the path in the cluster block whose value is at fault, "sasl.password"; empty: none, or it was not the block that set it
	Err     error  // what the client, the network or the file system said; may be nil
}

func (e *Error) Error() string {
	first, size := utf8.DecodeRuneInString(e.Summary)
	if second, _ := utf8.DecodeRuneInString(e.Summary[size:]); !unicode.IsUpper(second) { // else it is a name: SCRAM, QUEUEFORM_TLS
		first = unicode.ToLower(first)
	}
	return string(first) + e.Summary[size:] + ": " + e.Remedy
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Unsent says of a request's error that it never left: no connection was made.
func Unsent(err error) bool {
	_, given := errors.AsType[*settled](err)
	op, ok := errors.AsType[*net.OpError](err)
	return given || ok && op.Op == "dial"
}

// settled carries an Error out of the client. It shows no cause, because the
// client would try again where it sees one of the network's.
type settled struct{ problem *Error }

func (s *settled) Error() string { return s.problem.Error() }
