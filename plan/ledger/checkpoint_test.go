package ledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// many are records of so many applies that a checkpoint is due.
func (k *kafka) many(h *Hold) {
	k.Helper()
	var records []Record
	for i := range longestLog/2 + 100 {
		object := id(fmt.Sprint("queue", i))
		records = append(records, Intent{Object: object}, Owned{Object: object, Topic: live.TopicID{1}})
	}
	k.write(h, records...)
}

// begins is where the log starts.
func (k *kafka) begins() int64 {
	k.Helper()
	l := newLog(k.topic())
	if _, _, err := l.locate(k.Context()); err != nil {
		k.Fatal(err)
	}
	if err := l.rewind(k.Context()); err != nil {
		k.Fatal(err)
	}
	return l.next
}

func TestCheckpoint(t *testing.T) {
	k := start(t)
	bank, reader := k.acquire("bank", "bob"), newLog(k.topic())
	if _, err := reader.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	shop := k.acquire("shop", "ann")
	k.write(shop, Begun{Digest: "d", Changes: Cut([]Change{{Name: "orders"}})})
	if err := shop.Tidy(t.Context()); err != nil || k.begins() != 0 {
		t.Fatalf("a short log begins at %d: %v", k.begins(), err)
	}
	for range 3 {
		k.many(shop)
		before := k.begins()
		if err := shop.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := shop.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := shop.State()
		if after := k.begins(); after < before+longestLog {
			t.Errorf("the log begins at %d, after %d", after, before)
		}
		if diff := cmp.Diff(want, k.state()); diff != "" {
			t.Errorf("whoever comes anew sees another: %s", diff)
		}
		if err := reader.read(t.Context()); err != nil { // it falls off the start
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, reader.state); diff != "" {
			t.Errorf("who read before sees another: %s", diff)
		}
		k.write(bank, Intent{Object: id("money")})
	}
	before := k.begins()
	if err := shop.Tidy(t.Context()); err != nil || k.begins() != before {
		t.Errorf("a log just cut off is cut off again: %v", err)
	}
	k.release(shop)
	k.release(bank)
	if state := k.state(); len(state.Objects) != longestLog/2+101 || len(state.Locks) != 0 || len(state.History["shop"]) != 1 {
		t.Errorf("in the end there are %d objects, %v", len(state.Objects), state.Locks)
	}
}

// Whoever may not delete records works on, with a log that stays long.
func TestCheckpointWithoutTheRight(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.many(h)
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteRecords}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	err := h.Tidy(t.Context())
	if want := "the ledger __queueform could not be shortened: the ledger is out of reach: this needs Delete on Topic __queueform"; err == nil || err.Error() != want {
		t.Errorf("the holder is told %v", err)
	}
	if _, err := h.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(h.State(), k.state()); diff != "" {
		t.Error(diff)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	s := newState()
	changes := make([]Change, mostChanges+7)
	changes[0].Detail = strings.Repeat("é", longestDetail)
	for i := range historyLength + 5 {
		claim := fmt.Sprint(i)
		for seq, r := range []Record{Claim{TopologyLock("shop"), Holder{Topology: "shop"}}, Begun{Digest: claim}, Ended{Outcome: "done", Changes: Cut(changes)}, Release{}} {
			s.Apply(&Entry{Claim: claim, Seq: seq + 1, Time: 1, Record: r})
		}
	}
	applies := s.History["shop"]
	if len(applies) != historyLength || applies[0].Digest != "5" {
		t.Errorf("there are %d applies, from %q", len(applies), applies[0].Digest)
	}
	last := applies[historyLength-1].Changes
	if len(last.First) != mostChanges || last.More != 7 || len(last.First[0].Detail) > longestDetail+3 {
		t.Errorf("there are %d changes and %d more", len(last.First), last.More)
	}
}
