package schema

import (
	"cmp"
	"slices"
)

// Flow is what an edge between two declared things stands for.
type Flow string

// The flows of messages.
const (
	Writes  Flow = "writes"  // a producer to a queue
	Reads   Flow = "reads"   // a group from a queue: the edge goes with the messages
	Rejects Flow = "rejects" // what a queue's groups reject goes to its dead-letter queue
)

// Edge is one way that messages take.
type Edge struct {
	From, To Addr
	Flow     Flow
}

// Edges are the ways that messages take through the topology: from producers to
// queues, from queues to groups and to their dead-letter queues; sorted.
func (t *Topology) Edges() []Edge {
	var all []Edge
	for _, r := range t.Resources {
		switch r := r.(type) {
		case *Producer:
			for _, queue := range r.Queues {
				all = append(all, Edge{r.Addr, queue, Writes})
			}
		case *Group:
			for _, queue := range r.Queues {
				all = append(all, Edge{queue, r.Addr, Reads})
			}
		case *Queue:
			if r.DeadLetter != nil {
				all = append(all, Edge{r.Addr, *r.DeadLetter, Rejects})
			}
		}
	}
	slices.SortFunc(all, func(a, b Edge) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return all
}
