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

// Sizes are the bytes of a topic's logs: by partition, then by the broker that
// keeps the replica. A replica whose broker did not answer is not in it.
type Sizes []map[int32]int64

// Largest is the bytes of a partition's largest replica: at least what a new
// replica has to copy.
func (s Sizes) Largest(partition int) int64 {
	var most int64
	if partition < len(s) {
		for _, bytes := range s[partition] {
			most = max(most, bytes)
		}
	}
	return most
}

// Total is the bytes of all partitions, each counted once.
func (s Sizes) Total() int64 {
	var sum int64
	for i := range s {
		sum += s.Largest(i)
	}
	return sum
}
