package devcluster

import "github.com/queueform/queueform/plan"

// Limit is something that Kafka does and the embedded cluster does not.
type Limit struct {
	Code string // one word
	Says string // what it does instead, after "the embedded cluster"
}

// Error makes a Limit the reason of a refusal.
func (l Limit) Error() string { return "the embedded cluster " + l.Says }

// The limits that make the embedded cluster refuse, rather than pretend.
var (
	noMoves     = Limit{"moves", "moves no replicas: a topic keeps its replication factor and its places; run this on a real cluster"}
	noPlacement = Limit{"placement", "has one rack and places replicas itself: leave placement out, or run this on a real cluster"}
)

// Limits are all of them.
var Limits = []Limit{
	noMoves,
	noPlacement,
	{"replication", "keeps each message once, whatever the replication factor and min.insync.replicas"},
	{"configs", "takes any topic config without a check, and acts on cleanup.policy, compression.type, delete.retention.ms, max.message.bytes, " +
		"message.timestamp.type, min.insync.replicas, retention.bytes, retention.ms, segment.bytes and segment.ms alone"},
	{"sizes", "knows no disks: log sizes are those of the messages, and free space is made up"},
	{"kills", "forgets, when it is killed, the positions of share groups, the configs of groups and how far records were deleted"},
}

// Refuses says whether a step would only seem to work, and why. A nil error
// promises nothing about the step but that.
func Refuses(s plan.Step) error {
	switch s := s.(type) {
	case *plan.Reassign:
		return noMoves
	case *plan.CreateTopic:
		if len(s.Assign) > 0 {
			return noPlacement
		}
	case *plan.AddPartitions:
		if len(s.Assign) > 0 {
			return noPlacement
		}
	case *plan.AlterConfigs, *plan.DeleteTopic:
	}
	return nil
}
