package lang

import (
	"math"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
)

// plain refuses names that Kafka would take and nobody could read or type.
func (s *scope) plain(name string, at hcl.Range) {
	switch i := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }); {
	case name == "":
		s.refuse(at, "Empty name", "Kafka knows nothing without a name: write one, or leave the line out.")
	case len(name) > math.MaxInt16:
		s.refuse(at, "Name too long", "It has %d bytes, and Kafka takes %d at most.", len(name), math.MaxInt16)
	case i >= 0:
		s.refuse(at, "Control character in a name", "%s: no tool could show or type it. Leave it out.", quoted(name))
	}
}

// named evaluates a name, where it is given, and checks it.
func (s *scope) named(a *hcl.Attribute) string {
	name, ok := s.text(a)
	if ok {
		s.plain(name, a.Expr.Range())
	}
	return name
}

// labelled evaluates a name that is the block's label unless it is given, and
// says whether there is one that the check does not refuse.
func (s *scope) labelled(a *hcl.Attribute, label string, labelAt hcl.Range, check func(name string, at hcl.Range)) (name string, ok bool) {
	failed := s.failing(func() {
		at := labelAt
		if name, ok = s.text(a); ok {
			at = a.Expr.Range()
		} else {
			name = label
		}
		if !s.failed {
			check(name, at)
		}
	})
	return name, !failed
}
