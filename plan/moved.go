package plan

import (
	"slices"
	"time"

	"github.com/queueform/queueform/plan/live"
)

// Added are the brokers that must copy the partition.
func (m *Move) Added() []int32 {
	return slices.DeleteFunc(slices.Clone(m.To), func(id int32) bool { return slices.Contains(m.From, id) })
}

// Traffic is what a move of replicas costs.
type Traffic struct {
	Copies int     // replicas that a broker must copy
	From   []int32 // the brokers that have them, by id
	To     []int32 // the brokers that copy, by id
	Bytes  *int64  // over all copies, at most; nil: not known
	busy   map[int32]int64
}

// Moved adds up what the step copies. Without sizes the bytes are not known.
func Moved(step *Reassign, sizes live.Sizes) Traffic {
	t := Traffic{busy: map[int32]int64{}}
	var sum int64
	for i := range step.Moves {
		m := &step.Moves[i]
		added := m.Added()
		if len(added) > 0 {
			t.From = append(t.From, m.From...)
		}
		for _, broker := range added {
			t.Copies++
			t.To = append(t.To, broker)
			t.busy[broker] += sizes.Largest(int(m.Partition))
			sum += sizes.Largest(int(m.Partition))
		}
	}
	if sizes != nil {
		t.Bytes = &sum
	}
	t.From, t.To = distinct(t.From), distinct(t.To)
	return t
}

func distinct(ids []int32) []int32 {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Time is how long the busiest broker copies at a rate in bytes per second.
func (t Traffic) Time(rate int64) time.Duration {
	var most int64
	for _, bytes := range t.busy {
		most = max(most, bytes)
	}
	return time.Duration(float64(most) / float64(rate) * float64(time.Second))
}
