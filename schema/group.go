package schema

import "time"

// KindGroup is a consumer group or a share group.
const KindGroup Kind = "consumer_group"

// Protocol is how the members of a group divide its queues.
type Protocol string

// The protocols of groups.
const (
	Classic  Protocol = "classic"  // partitions are assigned by one of the members
	Consumer Protocol = "consumer" // by the brokers (KIP-848, Kafka 4.0+)
	Share    Protocol = "share"    // messages are, one by one, and acknowledged so (KIP-932, Kafka 4.2+)
)

// Protocols are all of them, in the order in which messages name them.
func Protocols() []Protocol { return []Protocol{Classic, Consumer, Share} }

// Group is an application that reads queues, in as many members as it has.
type Group struct {
	Decl
	GroupID   string
	Queues    []Addr // what it reads, as declared; external ones, too
	Protocol  Protocol
	Start     Start
	Principal string             // who it connects as, "User:billing"; empty: no rights are derived
	Config    map[string]Setting // the brokers' settings of the group (KIP-848 and KIP-932, Kafka 4.0+)
	Client    map[string]Setting // its clients' settings, by the names of the Java client
	Members   int                // how many will run; 0: not said
	MaxLag    *int64             // messages that may be unread before status complains; nil: any number
	Quota     Limits
}

// ID is the group's.
func (g *Group) ID() ID { return ID{Kind: KindGroup, Name: g.GroupID} }

// Start is where a group begins that has committed nothing: [Earliest],
// [Latest], a time as RFC 3339 has it, or empty where the files say nothing.
type Start string

// The starts that are not a time.
const (
	Earliest Start = "earliest" // at the first message that is there
	Latest   Start = "latest"   // after the last one
)

// Time is the time of a start at the first message that is not older.
func (s Start) Time() (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, string(s))
	return at, err == nil
}
