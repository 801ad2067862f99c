package guard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/queueform/queueform/plan/live"
)

// Radius is the blast radius: what could be lost or moved, at most. Nil is
// unknown. Messages are counted by offsets: what compaction took out and the
// marks of transactions count, too.
type Radius struct {
	Messages *int64
	Bytes    *int64
	Groups   []Reader // by what is unread, the most first; nil is unknown, empty is none
	Why      string   // why something is unknown; empty: it is not, or was not asked for
}

// nothing is the radius of what takes nothing.
func nothing() Radius { return Radius{Messages: new(int64), Bytes: new(int64), Groups: []Reader{}} }

// empty says whether it is known that nothing goes.
func (r *Radius) empty() bool {
	return r.Messages != nil && *r.Messages == 0 || r.Bytes != nil && *r.Bytes == 0
}

// unset says whether a check has measured nothing.
func (r *Radius) unset() bool { return r.Messages == nil && r.Bytes == nil && r.Groups == nil }

// whole says whether nothing of it is unknown.
func (r *Radius) whole() bool { return r.Messages != nil && r.Bytes != nil && r.Groups != nil }

// behind leaves the groups that have not read everything.
func (r *Radius) behind() {
	r.Groups = slices.DeleteFunc(r.Groups, func(g Reader) bool { return g.Unread == 0 })
}

// complete says what a hazard that takes no messages need not measure, and why
// the rest is not known.
func (s *subject) complete(r *Radius, loses bool) {
	if !loses && r.unset() {
		*r = nothing()
	}
	if !r.whole() {
		r.Why = strings.Join(s.unknown, "; ")
	}
}

// radius measures the loss of all messages before these offsets, which are nil
// where they are not known, and of so many bytes.
func (s *subject) radius(before live.Offsets, bytes *int64) Radius {
	r := Radius{Bytes: bytes}
	start, readers := s.offsets(live.Start), learn(s, s.readers.about(s.Object.Name))
	if start == nil || before == nil {
		return r
	}
	r.Messages = new(unread(nil, start, before))
	if readers == nil {
		return r
	}
	r.Groups = make([]Reader, 0, len(readers))
	for group, next := range readers {
		r.Groups = append(r.Groups, Reader{Group: group, Unread: unread(next, start, before)})
	}
	slices.SortFunc(r.Groups, func(a, b Reader) int {
		return cmp.Or(cmp.Compare(b.Unread, a.Unread), strings.Compare(a.Group, b.Group))
	})
	return r
}

// unread counts the messages between two offsets of each partition that are
// not before the next one to read. A partition nothing is known of is unread.
func unread(next live.Progress, start, before live.Offsets) int64 {
	var sum int64
	for i := range min(len(start), len(before)) {
		sum += max(0, before[i]-max(start[i], next[int32(i)]))
	}
	return sum
}
