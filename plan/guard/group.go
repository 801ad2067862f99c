package guard

import (
	"fmt"
	"maps"
	"slices"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// offsetsLost finds groups that are deleted, and with them how far they have come.
func offsetsLost(s *subject) *Finding {
	group := s.Snapshot.Groups[s.Object.Name]
	if s.Action != plan.Delete || group.State == live.Absent {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: fmt.Sprintf("group %q is deleted with its offsets", s.Object.Name), Radius: nothing()}
	f.Radius.Groups = nil
	if left, known := s.left(group.Value.Offsets); known {
		f.Radius.Groups = []Reader{{Group: s.Object.Name, Unread: left}}
	}
	return f
}

// left counts the messages that a group has not read in the topics where it has
// committed something.
func (s *subject) left(offsets live.Seen[map[string]live.Progress]) (messages int64, known bool) {
	known = offsets.State == live.Present
	for _, topic := range slices.Sorted(maps.Keys(offsets.Value)) {
		start, end := s.offsetsOf(topic, live.Start), s.offsetsOf(topic, live.End)
		known = known && start != nil && end != nil
		messages += unread(offsets.Value[topic], start, end)
	}
	return messages, known
}
