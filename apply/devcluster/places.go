package devcluster

import (
	"slices"

	"github.com/queueform/queueform/plan/live"
)

// Place gives every partition of a snapshot of an embedded cluster replicas in
// one place for good: the brokers make their places up, anew at each start.
// Who leads, and so has the messages, stays as it is.
func Place(s *live.Snapshot) {
	for _, topic := range s.Topics {
		for i := range topic.Value.Partitions {
			p := &topic.Value.Partitions[i]
			for at := range p.Replicas {
				p.Replicas[at] = int32((i + at) % brokers)
			}
			p.InSync = slices.Clone(p.Replicas)
		}
	}
}
