package apply_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// noted wants these records to be written down.
func (k *kafka) noted(want ...ledger.Record) {
	k.Helper()
	if diff := cmp.Diff(want, k.ledger.written); diff != "" {
		k.Errorf("what was written down (-want +got):\n%s", diff)
	}
}

func intent(topic string) ledger.Intent { return ledger.Intent{Object: id(topic)} }

func TestCreationIsAnnounced(t *testing.T) {
	k := start(t)
	k.first(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) {
		k.noted(intent("a"), intent("b"))
		return nil, nil
	})
	p := planned(create("a", 1), create("b", 1))
	p.Claims = []plan.Claim{{Object: id("a")}, {Object: id("b"), PreventDelete: true}}
	k.ends(k.engine.Run(t.Context(), p), "done", "done")
	k.noted(intent("a"), intent("b"),
		ledger.Owned{Object: id("a"), Topic: k.topic("a").ID}, ledger.Owned{Object: id("b"), Topic: k.topic("b").ID, PreventDelete: true})
}

// A topic whose creation was seen only when read back is noted all the same.
func TestCreationThatWasCutIsNoted(t *testing.T) {
	k := start(t)
	k.cutAfter(kmsg.CreateTopics)
	k.ends(k.run(create("a", 1)), "done")
	k.noted(intent("a"), ledger.Owned{Object: id("a"), Topic: k.topic("a").ID})
}

func TestCreationThatIsRefusedIsTakenBack(t *testing.T) {
	k := start(t)
	k.has("a", 3)
	k.ends(k.run(create("a", 1)), "refused: ...")
	k.noted(intent("a"), ledger.Undone{Object: id("a")})
}

// What an earlier apply has announced it may have made.
func TestCreationOfAnEarlierApplyStaysAnnounced(t *testing.T) {
	k := start(t)
	k.has("a", 3)
	p := planned(create("a", 1))
	p.Ledger = live.Is(live.Ledger{Owners: live.Owners{schema.KindQueue: {"a": {Topology: "shop", HalfDone: true}}}})
	k.ends(k.engine.Run(t.Context(), p), "refused: ...")
	k.noted(intent("a"))
}

// What may have been made stays announced.
func TestCreationThatIsNotKnownStaysAnnounced(t *testing.T) {
	k := start(t)
	k.on(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) { return nil, errCut })
	k.ends(k.run(create("a", 1)), "unknown: ...")
	k.noted(intent("a"))
}

func TestDeletionIsNoted(t *testing.T) {
	k := start(t)
	k.has("a", 1)
	k.has("b", 1)
	k.ledger.says("shop", ledger.Owned{Object: id("a")})
	b := k.topic("b").ID
	p := planned(deletion("a", k.topic("a").ID), deletion("b", b))
	p.Changes[1].Adopts = true
	k.ends(k.engine.Run(t.Context(), p), "done", "done")
	k.noted(ledger.Intent{Object: id("b"), Topic: b}, ledger.Gone{Object: id("a")}, ledger.Gone{Object: id("b")})
}

func TestReleaseIsNoted(t *testing.T) {
	k := start(t)
	k.ends(k.run(&plan.Release{Head: head(plan.PhaseDelete, "a")}), "done")
	k.noted(ledger.Gone{Object: id("a")})
}

// What lives is taken, and what has vanished let go, before anything changes.
func TestAdoptionComesFirst(t *testing.T) {
	k := start(t)
	k.has("a", 1)
	a := k.topic("a").ID
	all := []ledger.Record{ledger.Owned{Object: id("a"), Topic: a}, ledger.Owned{Object: id("b")}, ledger.Gone{Object: id("c")}}
	k.first(kmsg.IncrementalAlterConfigs, func(kmsg.Request) (kmsg.Response, error) {
		k.noted(all...)
		return nil, nil
	})
	p := planned(configs("a", map[string]string{"retention.ms": "5"}))
	p.Claims = []plan.Claim{{Object: id("a"), TopicID: a, Adopts: true}, {Object: id("b")}}
	p.Vanished = []schema.ID{id("c")}
	k.ends(k.engine.Run(t.Context(), p), "done")
	k.noted(all...)
}

// What is not there any more is forgotten.
func TestVanishedIsForgotten(t *testing.T) {
	k := start(t)
	p := planned()
	p.Vanished = []schema.ID{id("old")}
	k.ledger.says("shop", ledger.Owned{Object: id("old")})
	if report := k.engine.Run(t.Context(), p); !ok(report) {
		t.Errorf("%+v", report)
	}
	k.noted(ledger.Gone{Object: id("old")})
}

// What another topology got first is left alone, and named.
func TestObjectThatAnotherTopologyGot(t *testing.T) {
	k := start(t)
	k.has("b", 1)
	for _, topic := range []string{"a", "b"} {
		k.ledger.says("pay", ledger.Owned{Object: id(topic)})
	}
	p := planned(create("a", 1), create("c", 1), configs("b", map[string]string{"retention.ms": "5"}))
	p.Claims = []plan.Claim{{Object: id("b"), TopicID: k.topic("b").ID, Adopts: true}}
	report := k.engine.Run(t.Context(), p)
	k.ends(report, `refused: the topology "pay" has it`, "done", `refused: the topology "pay" has it`)
	if k.requests(kmsg.CreateTopics) != 1 || k.requests(kmsg.IncrementalAlterConfigs) > 0 {
		t.Error("something was sent")
	}
	if report.Leftover == nil || report.Leftover.Error() != `queue "b": the topology "pay" has it` {
		t.Error(report.Leftover)
	}
}

// Once the lock is lost nothing more is sent.
func TestLostLockStopsTheApply(t *testing.T) {
	k := start(t)
	k.has("b", 1)
	lost := errors.New("the lock is lost")
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.NotController, Count: 1})
	k.clock.wait = func(time.Duration) bool { k.ledger.lost = lost; return true }
	report := k.run(create("a", 1), deletion("b", k.topic("b").ID))
	if !errors.Is(report.Stopped, lost) || ok(report) {
		t.Errorf("stopped: %v", report.Stopped)
	}
	if k.requests(kmsg.CreateTopics) != 1 || k.requests(kmsg.DeleteTopics) > 0 {
		t.Errorf("%d and %d requests", k.requests(kmsg.CreateTopics), k.requests(kmsg.DeleteTopics))
	}
	if report.Count(apply.Done) > 0 {
		t.Error(outcomes(report))
	}
}

// A process that was asleep between the check and the request checks again.
func TestSleepBeforeARequest(t *testing.T) {
	k := start(t)
	k.ledger.until = k.clock.time().Add(-time.Second)
	checks := 0
	k.ledger.checked = func() {
		if checks++; checks == 3 {
			k.ledger.lost = errors.New("the lock is lost")
		}
	}
	if report := k.run(create("a", 1)); report.Stopped == nil || k.requests(kmsg.CreateTopics) > 0 {
		t.Errorf("%d requests, stopped: %v", k.requests(kmsg.CreateTopics), report.Stopped)
	}
}

func TestLostLockStopsTheWait(t *testing.T) {
	m := moves(t, "a")
	lost := errors.New("the lock is lost")
	m.looks(3, func() { m.ledger.lost = lost })
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "started")
	if !errors.Is(report.Stopped, lost) || !report.Slowed || report.Moving != 2 {
		t.Errorf("%+v", report)
	}
}
