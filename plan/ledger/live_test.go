package ledger

import (
	"testing"
	"time"

	"github.com/queueform/queueform/plan/live"
)

// A machine whose clock is a day off tells the brokers' time from the ledger.
func TestNow(t *testing.T) {
	log := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		machine time.Time
		held    bool
		want    time.Time
	}{
		"right, and the ledger is old":      {log.Add(day), false, log.Add(day)},
		"right, and the lock is held":       {log.Add(RenewEvery), true, log.Add(RenewEvery)},
		"a day behind":                      {log.Add(-day), false, log},
		"a day behind, the lock is held":    {log.Add(-day), true, log},
		"a day ahead, the lock is held":     {log.Add(day), true, log},
		"a lease ahead, which is no wonder": {log.Add(Lease), true, log.Add(Lease)},
	} {
		if got := Now(test.machine, live.Ledger{Clock: log.UnixMilli()}, test.held); !got.Equal(test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
	if got := Now(log, live.Ledger{}, false); !got.Equal(log) {
		t.Errorf("without a ledger: %v", got)
	}
}

// What plans see of the ledger has the time of its last record.
func TestClockOfTheLedger(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.write(h, Intent{Object: id("orders")})
	if got, want := h.Live().Clock, k.clock.time().UnixMilli(); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}
