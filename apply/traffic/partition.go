package traffic

import "github.com/twmb/franz-go/pkg/kgo"

// anywhere is the partition of a message that does not name one.
const anywhere = -1

// partitioner sends a message to the partition that it names, and any other
// where the client's own partitioner wants it.
type partitioner struct{ kgo.Partitioner }

// ForTopic gives each topic a partitioner of its own.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return &named{p.Partitioner.ForTopic(topic), anywhere}
}

// named is asked by the client about one message at a time: first whether it
// requires consistency, and then, maybe twice, for its partition. By the second
// time the client has noted its choice in the message.
type named struct {
	kgo.TopicPartitioner
	at int32 // the partition that the message names
}

// RequiresConsistency keeps a message from another partition where its own has no leader.
func (n *named) RequiresConsistency(m *kgo.Record) bool {
	n.at = m.Partition
	return n.at != anywhere || n.TopicPartitioner.RequiresConsistency(m)
}

// Partition is where the message goes.
func (n *named) Partition(m *kgo.Record, partitions int) int {
	if n.at != anywhere {
		return int(n.at)
	}
	return n.TopicPartitioner.Partition(m, partitions)
}

// OnNewBatch lets those without a key change partition.
func (n *named) OnNewBatch() {
	if inner, ok := n.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		inner.OnNewBatch()
	}
}
