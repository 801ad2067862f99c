package live

// Questions are what else to read about endangered objects: asked only of
// those, so that a plan without danger costs nothing.
type Questions struct {
	Sizes []string // topics
}

// None says whether there is nothing to ask.
func (q *Questions) None() bool { return len(q.Sizes) == 0 }

// Answers are what was read.
type Answers struct {
	Sizes map[string]Seen[Sizes] // by topic
}

// Sizes are the bytes of each partition's log, by partition: those of its largest replica.
type Sizes []int64
