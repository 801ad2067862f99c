package live

// Questions are what else to read about endangered objects: asked only of
// those, so that a plan without danger costs nothing.
type Questions struct {
	Sizes   []string   // topics: how many bytes they hold
	Offsets []Position // where a topic's messages begin, end, or are younger than a time
	Readers []string   // topics: which groups read them, and how far they are
	Disks   bool       // what all brokers hold, and have room for
}

// None says whether there is nothing to ask.
func (q *Questions) None() bool {
	return len(q.Sizes)+len(q.Offsets)+len(q.Readers) == 0 && !q.Disks
}

// Answers are what was read.
type Answers struct {
	Sizes   map[string]Seen[Sizes] // by topic
	Offsets map[Position]Seen[Offsets]
	Readers map[string]Seen[Readers] // by topic
	Active  map[string]bool          // the groups among all readers that have members
	Disks   Seen[Disks]
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

// Position is a place in all partitions of a topic: Start, End, or that of the
// first message that is not older than a time.
type Position struct {
	Topic string
	At    int64 // Unix milliseconds, or one of the constants
}

// The places that are not a time, as Kafka numbers them.
const (
	Start int64 = -2 // of the first message that is there
	End   int64 = -1 // of the next message to come
)

// NoOffset stands for an offset where there is none: all messages are older.
const NoOffset int64 = -1

// Offsets are a topic's, by partition.
type Offsets []int64

// Readers are the groups that have committed offsets for a topic, have members
// who read it, or share it (KIP-932).
type Readers map[string]Progress

// Progress is the next offset that a group reads, by partition. One that it
// has not committed is missing.
type Progress map[int32]int64

// Disks are the log directories of all brokers, by broker id.
type Disks map[int32]Disk

// Disk is what one broker's log directories hold.
type Disk struct {
	Usable   int64            // bytes that are free; NoSpace: the broker does not tell
	Bytes    map[string]int64 // by topic
	Replicas int              // of all topics
}

// NoSpace is the free space of a broker before Kafka 3.3 (KIP-827).
const NoSpace int64 = -1
