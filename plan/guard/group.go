package guard

import (
	"fmt"
	"maps"
	"slices"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
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

// beginsLater finds share groups that are told to begin later, and the messages
// in partitions that they have not begun to read.
func beginsLater(s *subject) *Finding {
	f, group := s.config(plan.ShareStart), s.groups[s.Object.Name]
	if f == nil || group == nil || group.Protocol != schema.Share || f.Before == nil || f.Before == string(schema.Latest) || f.After == string(schema.Earliest) {
		return nil
	}
	seen := s.Snapshot.Groups[s.Object.Name]
	begun, known := seen.Value.Offsets.Value, seen.State == live.Absent || seen.Value.Offsets.State == live.Present
	var left int64
	for _, addr := range group.Queues {
		topic := s.plan.Topology.TopicOf(addr)
		if s.Snapshot.Topics[topic].State == live.Absent {
			continue
		}
		start, end := s.offsetsOf(topic, live.Start), s.offsetsOf(topic, live.End)
		known = known && start != nil && end != nil
		left += fresh(begun[topic], start, end)
	}
	if known && left == 0 {
		return nil
	}
	finding := &Finding{Severity: Blocks, Summary: fmt.Sprintf("group %q skips what it has not begun to read", s.Object.Name)}
	if known {
		finding.Radius.Messages, finding.Radius.Groups = &left, []Reader{{Group: s.Object.Name, Unread: left}}
	}
	return finding
}

// fresh counts the messages of partitions that nothing was read of.
func fresh(begun live.Progress, start, end live.Offsets) (sum int64) {
	for p := range min(len(start), len(end)) {
		if _, is := begun[int32(p)]; !is {
			sum += end[p] - start[p]
		}
	}
	return sum
}
