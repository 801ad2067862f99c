package plan

import (
	"fmt"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Step is one object's part of a request to Kafka.
//
//sumtype:decl
type Step interface {
	// About is what every kind of step has.
	About() *Head
	step()
}

// Head is what every step has: its place in the order, and whose change it carries out.
type Head struct {
	Phase   Phase       `json:"phase"`
	Object  schema.ID   `json:"object"`
	Changes []int       `json:"changes"`         // indexes into the plan's changes: whose refusal it would be
	After   []schema.ID `json:"after,omitempty"` // objects whose failed step skips this one, beside its own object
	Records int         `json:"records"`         // how many records the controller writes for it (10,000 a request at most)
}

// About is the part that all steps have.
func (h *Head) About() *Head { return h }

func (*CreateTopic) step()   {}
func (*AlterConfigs) step()  {}
func (*AddPartitions) step() {}
func (*Reassign) step()      {}
func (*DeleteTopic) step()   {}
func (*Release) step()       {}
func (*AlterUser) step()     {}
func (*CreateACL) step()     {}
func (*DeleteACL) step()     {}
func (*AlterQuota) step()    {}
func (*SeedOffsets) step()   {}
func (*DeleteGroup) step()   {}

// Phase is a stretch of an apply; one ends before the next begins.
type Phase uint8

// The phases, in their order.
const (
	PhaseUsers  Phase = iota + 1 // credentials are set
	PhaseCreate                  // topics are created
	PhaseConfigs
	PhasePartitions
	PhaseMove   // reassignments are started
	PhaseGroups // groups are told where they begin, and configured
	PhaseGrant  // rights and quotas are set
	PhaseRevoke // rights and quotas go
	PhaseDelete // objects and ownership go
	PhaseSettle // reassignments are waited for, then what depended on them is set
)

var phaseNames = [...]string{
	PhaseUsers: "users", PhaseCreate: "create", PhaseConfigs: "configs", PhasePartitions: "partitions",
	PhaseMove: "move", PhaseGroups: "groups", PhaseGrant: "grant", PhaseRevoke: "revoke", PhaseDelete: "delete", PhaseSettle: "settle",
}

func (p Phase) String() string { return phaseNames[p] }

// MarshalText spells the phase as the plan document does.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, name := range phaseNames {
		if name != "" && name == string(text) {
			*p = Phase(i)
			return nil
		}
	}
	return fmt.Errorf("unknown phase %q", text)
}

// CreateTopic creates a topic. Partitions or Factor -1 leave the number to the broker.
type CreateTopic struct {
	Head
	Partitions int32             `json:"partitions"`
	Factor     int16             `json:"replication_factor"`
	Assign     [][]int32         `json:"assign,omitempty"` // replicas per partition; then Partitions and Factor are -1
	Configs    map[string]string `json:"configs,omitempty"`
}

// AlterConfigs sets and resets the configs of a topic or a group (IncrementalAlterConfigs, KIP-339, Kafka 2.3+).
type AlterConfigs struct {
	Head
	Set   map[string]string `json:"set,omitempty"`
	Reset []string          `json:"reset,omitempty"`
}

// AddPartitions raises the number of partitions of a topic to Total.
type AddPartitions struct {
	Head
	Total  int32     `json:"total"`
	Assign [][]int32 `json:"assign,omitempty"` // replicas of each new partition, as many as partition 0 has; empty: the broker's choice
}

// Reassign moves replicas (AlterPartitionReassignments, KIP-455, Kafka 2.4+). It starts the moves; settling waits for them.
type Reassign struct {
	Head
	Moves []Move `json:"moves"` // by partition
}

// Move is where one partition's replicas are and where they shall be.
type Move struct {
	Partition int32   `json:"partition"`
	From      []int32 `json:"from"`
	To        []int32 `json:"to"`
}

// DeleteTopic deletes one life of a topic.
type DeleteTopic struct {
	Head
	ID live.TopicID `json:"topic_id,omitzero"` // zero: the brokers have no ids (before Kafka 2.8), delete by name
}

// AlterUser sets and removes SCRAM credentials (KIP-554, Kafka 2.7+). The
// password is taken from the files when it is sent.
type AlterUser struct {
	Head
	Set        []schema.Mechanism `json:"set,omitempty"`
	Iterations int                `json:"iterations,omitempty"`
	Remove     []schema.Mechanism `json:"remove,omitempty"`
}

// CreateACL gives or denies one right.
type CreateACL struct {
	Head
	Binding schema.Binding `json:"binding"`
}

// DeleteACL takes one away, unless another topology holds it when it comes to that.
type DeleteACL struct {
	Head
	Binding schema.Binding `json:"binding"`
}

// AlterQuota sets and removes what an entity may use (KIP-546, Kafka 2.6+).
type AlterQuota struct {
	Head
	Entity schema.Entity     `json:"entity"`
	Set    schema.Limits     `json:"set,omitempty"`
	Remove []schema.LimitKey `json:"remove,omitempty"`
}

// SeedOffsets commits where a group begins, in partitions where it has committed nothing.
type SeedOffsets struct {
	Head
	Seeds []Seeding `json:"seeds"` // by topic
}

// Seeding is where a group begins in one topic.
type Seeding struct {
	Topic      string        `json:"topic"`
	TopicID    live.TopicID  `json:"topic_id,omitzero"`    // zero: the plan creates it, or the brokers have no ids
	Start      schema.Start  `json:"start,omitempty"`      // what it means is found out when it is sent
	Partitions []int32       `json:"partitions,omitempty"` // none: all
	Total      int           `json:"total,omitempty"`      // how many partitions the topic has by then; 0: the broker's choice
	At         live.Progress `json:"at,omitempty"`         // where it was put before, instead of a start, beside Partitions
}

// DeleteGroup deletes a group and its offsets. One that has members is refused.
type DeleteGroup struct {
	Head
}

// Release gives up the ownership of an object: the ledger alone is asked.
type Release struct {
	Head
	Topology string `json:"topology"` // whose ownership ends
}

// Batches cuts steps into requests: neighbours of one phase and one type,
// at most that many controller records together. A step larger than that has
// a batch of its own.
func Batches(steps []Step, records int) [][]Step {
	var batches [][]Step
	begin, sum := 0, 0
	for i, s := range steps {
		if i > begin && (!together(steps[begin], s) || sum+s.About().Records > records) {
			batches, begin, sum = append(batches, steps[begin:i]), i, 0
		}
		sum += s.About().Records
	}
	if begin < len(steps) {
		batches = append(batches, steps[begin:])
	}
	return batches
}

func together(a, b Step) bool { return a.About().Phase == b.About().Phase && rank(a) == rank(b) }

// rank is the place of a kind of step among those of its phase.
func rank(s Step) int {
	switch s.(type) {
	case *AddPartitions:
		return 0
	case *AlterConfigs:
		return 1
	case *AlterQuota:
		return 2
	case *AlterUser:
		return 3
	case *CreateACL:
		return 4
	case *CreateTopic:
		return 5
	case *DeleteACL:
		return 6
	case *DeleteGroup:
		return 7
	case *DeleteTopic:
		return 8
	case *Reassign:
		return 9
	case *Release:
		return 10
	case *SeedOffsets:
		return 11
	}
	panic(fmt.Sprintf("plan: no rank of a %T", s))
}
