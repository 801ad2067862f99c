// Package ledger keeps what the cluster remembers for queueform: who owns what,
// who is at work, and what was applied. It is one topic with one partition, a
// log that is only ever appended to, and cut off behind checkpoints.
//
// Learn [State], [Record] and [Hold]. State is the fold of the log, a pure
// function: every reader of the same records has the same State. A Hold is the
// lock of a topology; it is won, renewed and lost in the log itself. What of the
// State matters to a plan is for the callers.
//
// The lock. A contender appends a claim; the earliest live claim in the order of
// the log holds. A claim lives until it is released, broken or past its lease, by
// the clock of the log: the largest append time so far. The brokers stamp the
// records (LogAppendTime), so no machine's own clock decides anything, and what a
// claim wrote after it ended is void to every reader alike. A holder that was
// paused may not know yet that it ended. So, by its own monotonic clock, it sends
// nothing later than [Lease] - [RequestTimeout] after it began the last renewal
// that it has read back; and whoever follows a claim that was not released lets
// one RequestTimeout pass first: the clocks of the brokers may differ by less than
// that. A request on its way cannot be called back.
package ledger

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// FormatVersion is the newest format of the ledger that this package reads, and
// the one it writes. It rises with every field that a checkpoint must keep.
const FormatVersion = 1

// The times of the lock. They are part of the format: all who contend must agree.
const (
	Lease          = 60 * time.Second // how long a claim lives after its last renewal
	RenewEvery     = 15 * time.Second
	RequestTimeout = 20 * time.Second // of one write to the cluster, by this package and by whoever holds a lock
)

// Topic is a ledger's place.
type Topic struct {
	Name   string      // the cluster block's
	Client *kgo.Client // records go to one of its brokers, which sends nothing twice
	Clock  Clock
}

// Clock is how the ledger sees time. Where brokers stamp records, its times are
// compared with each other alone.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// SystemClock is the machine's, which is monotonic.
func SystemClock() Clock { return Clock{Now: time.Now, After: time.After} }
