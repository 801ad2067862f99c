package live

import "github.com/queueform/queueform/schema"

// Group is one live consumer or share group.
type Group struct {
	Protocol schema.Protocol           `json:"protocol,omitempty"` // empty: nobody has ever been a member
	State    string                    `json:"state"`              // as Kafka spells it: "Stable", "Empty"
	Members  []Member                  `json:"members"`
	Offsets  Seen[map[string]Progress] `json:"offsets"`          // committed, by topic; of a share group where its messages are all done
	Undone   map[string]Progress       `json:"undone,omitempty"` // of a share group: how many messages are not done, by topic (KIP-1226, Kafka 4.2+)
	Configs  Seen[map[string]string]   `json:"configs"`          // what the brokers are told of the group (KIP-848, Kafka 4.0+)
}

// Active says whether anybody is a member.
func (g *Group) Active() bool { return len(g.Members) > 0 }

// Member is one client in a group.
type Member struct {
	ID       string             `json:"id"`
	ClientID string             `json:"client_id"`
	Host     string             `json:"host"`
	Assigned map[string][]int32 `json:"assigned,omitempty"` // partitions, by topic
}
