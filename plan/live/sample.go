package live

import "time"

// Sample is what changes by itself, as read at one moment. Two of them make
// rates.
type Sample struct {
	EndsAt   time.Time
	Ends     map[string]Offsets // by topic: where the next messages come; NoOffset where that is not known
	GroupsAt time.Time
	Groups   map[string]Seen[Group] // by id: how far they have come
}

// Reading is a sample with all that a status shows besides.
type Reading struct {
	Sample
	Spans map[string][]Seen[Span] // by topic, then partition
	Sizes map[string]Seen[Sizes]  // by topic
	Disks Seen[Disks]
}

// Span is where a partition's messages are.
type Span struct {
	Start  int64
	End    int64
	Stable int64           // before it all transactions have ended; NoOffset: not told
	Oldest Seen[time.Time] // of the first message that is not read; absent: there is none; not asked: it would have taken too many bytes
}
