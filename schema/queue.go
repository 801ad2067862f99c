package schema

// Queue is a topic that this topology owns, with the contract of its use.
type Queue struct {
	Decl
	Topic             string
	Partitions        int                // 0: the broker's default at creation, not compared later
	ReplicationFactor int                // 0: likewise
	Key               string             // what producers key by; empty: unkeyed
	Config            map[string]Setting // the whole set of topic-level overrides
	DeadLetter        *Addr              // the queue its rejected messages go to
	Load              *Load
	Placement         *Placement
	Lifecycle         Lifecycle
}

// ID is the topic's.
func (q *Queue) ID() ID { return ID{Kind: KindQueue, Name: q.Topic} }

// Setting is one config value, as Kafka spells it and as the file did.
type Setting struct {
	Value    string
	Spelling string `json:"-"` // what the file says: "7d", "2MiB"; equal to Value where nothing was translated
}

// Load is the peak a queue must carry.
type Load struct {
	MessagesPerSecond float64
	MessageBytes      int64
}

// Placement says where replicas must live. At most one of its fields is set.
type Placement struct {
	Racks    [][]string // per partition; a single entry holds for every partition
	Replicas [][]int32  // per partition, the preferred leader first
}

// RacksOf are the racks that partition p must be spread over, nil where none are declared.
func (p *Placement) RacksOf(partition int) []string {
	switch {
	case p == nil || len(p.Racks) == 0:
		return nil
	case len(p.Racks) == 1:
		return p.Racks[0]
	case partition < len(p.Racks):
		return p.Racks[partition]
	}
	return nil
}

// Lifecycle narrows what queueform does to a queue.
type Lifecycle struct {
	PreventDelete bool     // remembered on the cluster: outlives the block
	IgnoreConfig  []string // keys whose live overrides are left alone
}

// ExternalQueue is another topology's topic: it must exist and is never altered.
type ExternalQueue struct {
	Decl
	Topic string
}

// ID is the topic's.
func (q *ExternalQueue) ID() ID { return ID{Kind: KindQueue, Name: q.Topic} }
