package plan

import (
	"slices"
	"time"

	"github.com/queueform/queueform/plan/live"
)

// Traffic is what a move of replicas costs.
type Traffic struct {
	Copies int     // replicas that a broker must copy
	To     []int32 // the brokers that copy, by id
	Bytes  *int64  // over all copies, at most; nil: not known
	busy   map[int32]int64
}

// Moved adds up what the step copies. Without sizes the bytes are not known.
func Moved(step *Reassign, sizes live.Sizes) Traffic {
	t := Traffic{busy: map[int32]int64{}}
	var sum int64
	known := sizes != nil
	for _, m := range step.Moves {
		for _, broker := range m.To {
			if slices.Contains(m.From, broker) {
				continue
			}
			t.Copies++
			t.To = append(t.To, broker)
			if known = known && int(m.Partition) < len(sizes); known {
				sum += sizes[m.Partition]
				t.busy[broker] += sizes[m.Partition]
			}
		}
	}
	if known {
		t.Bytes = &sum
	}
	slices.Sort(t.To)
	t.To = slices.Compact(t.To)
	return t
}

// Time is how long the busiest broker copies at a rate in bytes per second.
func (t Traffic) Time(rate int64) time.Duration {
	var most int64
	for _, bytes := range t.busy {
		most = max(most, bytes)
	}
	return time.Duration(float64(most) / float64(rate) * float64(time.Second))
}
