package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
)

// lately is how far back the write rate is measured. It is long enough to
// smooth bursts, and it is over: nobody waits for a second sample.
const lately = time.Minute

func throttleTooLow(s *subject) *Finding {
	if s.moves == nil || s.Throttle == 0 || plan.Moved(s.moves, nil).Copies == 0 {
		return nil
	}
	flow := s.flow()
	busiest, most := int32(0), 0.0
	for i := range s.moves.Moves {
		for _, id := range s.copying(&s.moves.Moves[i]) {
			if flow.through[id] > most {
				busiest, most = id, flow.through[id]
			}
		}
	}
	throttle := humanize.IBytes(uint64(s.Throttle))
	switch {
	case !flow.known:
		return &Finding{Severity: Warns, Summary: fmt.Sprintf("it is not known how much is written to what moves%s: at %s/s it may never end", because(flow.why), throttle)}
	case most < float64(s.Throttle):
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf(
		"the move may never end: at broker %d %s/s are written to what moves, and the throttle is %s/s", busiest, humanize.IBytes(uint64(most)), throttle)}
}

// copying are the brokers between which a partition is copied: those that will
// have it, and the leader that sends it. One that this plan adds is empty.
func (s *subject) copying(m *plan.Move) []int32 {
	added := m.Added()
	if len(added) == 0 || int(m.Partition) >= len(s.topic.Partitions) {
		return added
	}
	return append(added, s.topic.Partitions[m.Partition].Leader)
}

// flow is what goes through the throttle of each broker while all that is
// written now goes on, over all moves of a plan.
type flow struct {
	through map[int32]float64 // bytes per second, by broker
	known   bool              // that is all
	why     []string          // it is not
}

// replication finds the flow out. What a leader sends to followers that are in
// sync counts, too.
func (in *inquiry) replication() flow {
	f := flow{through: map[int32]float64{}, known: true}
	for i, step := range in.moves {
		if step == nil || plan.Moved(step, nil).Copies == 0 {
			continue
		}
		s := in.subject(i)
		rates := s.rates()
		f.known, f.why = f.known && rates != nil, append(f.why, s.unknown...)
		for j := range step.Moves {
			m := &step.Moves[j]
			if int(m.Partition) >= len(rates) || len(m.Added()) == 0 {
				continue
			}
			rate := rates[m.Partition]
			for _, id := range m.Added() {
				f.through[id] += rate
			}
			f.through[s.topic.Partitions[m.Partition].Leader] += rate * float64(len(m.From)-1+len(m.Added()))
		}
	}
	slices.Sort(f.why)
	f.why = slices.Compact(f.why)
	return f
}

// rates are the bytes per second that were written to each partition lately,
// each message taken for one of average size; nil where they are not known.
func (s *subject) rates() []float64 {
	sizes, start, end := s.sizes(), s.offsets(live.Start), s.offsets(live.End)
	young := s.offsets(s.Now.Add(-lately).UnixMilli())
	if sizes == nil || start == nil || end == nil || young == nil {
		return nil
	}
	rates := make([]float64, len(end))
	for i := range rates {
		if young[i] != live.NoOffset && end[i] > start[i] {
			average := float64(sizes.Largest(i)) / float64(end[i]-start[i])
			rates[i] = average * float64(max(0, end[i]-young[i])) / lately.Seconds()
		}
	}
	return rates
}
