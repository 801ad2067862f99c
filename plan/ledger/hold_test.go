package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

func TestLedgerThatIsNotThere(t *testing.T) {
	k := start(t)
	if seen := Read(t.Context(), k.topic()); seen.State != live.Absent {
		t.Errorf("the ledger is %v: %s", seen.State, seen.Why)
	}
	if asked := k.requests(); asked[kmsg.CreateTopics]+asked[kmsg.Produce] > 0 {
		t.Errorf("a look has written: %v", asked)
	}
}

func TestOwnership(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	topic := live.TopicID{1}
	k.write(h, Intent{Object: id("orders")}, Intent{Object: id("old")}, Intent{Object: id("half")})
	k.write(h, Owned{Object: id("orders"), Topic: topic, PreventDelete: true}, Gone{id("old")})
	k.release(h)

	state := k.state()
	want := map[string]Object{
		"orders": {ID: id("orders"), Topology: "shop", Topic: topic, Owned: true, PreventDelete: true},
		"half":   {ID: id("half"), Topology: "shop", HalfDone: true},
	}
	got := map[string]Object{}
	for id, object := range state.Objects {
		got[id.Name] = object
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, held := state.HeldBy(TopologyLock("shop")); held {
		t.Error("it is locked still")
	}
}

func TestFirstOwnerWins(t *testing.T) {
	k := start(t)
	shop, bank := k.acquire("shop", "ann"), k.acquire("bank", "bob")
	k.write(shop, Intent{Object: id("orders")})
	k.write(bank, Intent{Object: id("orders")}, Owned{Object: id("orders")}, Gone{id("orders")}, Intent{Object: id("money")})
	for _, h := range []*Hold{shop, bank} {
		if _, err := h.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if owner := h.State().Objects[queueAt("orders")]; owner.Topology != "shop" || owner.Owned {
			t.Errorf("orders is %+v", owner)
		}
		if owner := h.State().Objects[queueAt("money")]; owner.Topology != "bank" {
			t.Errorf("money is %+v", owner)
		}
	}
}

// A plan sees who else applies, and no hold itself.
func TestLiveLocks(t *testing.T) {
	k := start(t)
	shop := k.acquire("shop", "ann")
	k.acquire("bank", "bob")
	if _, err := shop.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if locks := shop.Live().Locks; len(locks) != 1 || !strings.HasPrefix(locks["bank"].Holder, "bob@ci") {
		t.Errorf("shop sees %v", locks)
	}
	if locks := k.state().Live().Locks; len(locks) != 2 || locks["shop"].Until <= locks["shop"].Since {
		t.Errorf("a plan sees %v", locks)
	}
}

// A topic that was deleted and made again is nobody's.
func TestOwnerOfAnotherLife(t *testing.T) {
	k := start(t)
	shop, bank := k.acquire("shop", "ann"), k.acquire("bank", "bob")
	first, second := live.TopicID{1}, live.TopicID{2}
	k.write(shop, Owned{Object: id("orders"), Topic: first, PreventDelete: true}, Owned{Object: id("money"), Topic: first})
	k.write(bank, Owned{Object: id("orders"), Topic: first}, Intent{Object: id("money")}, Owned{Object: id("orders"), Topic: second})
	objects := bank.State().Objects
	if got, want := objects[queueAt("orders")], (Object{ID: id("orders"), Topology: "bank", Topic: second, Owned: true}); !cmp.Equal(got, want) {
		t.Errorf("orders is %+v", got)
	}
	if objects[queueAt("money")].Topology != "shop" {
		t.Errorf("money is %+v", objects[queueAt("money")])
	}
}

func TestSecondIsTurnedAway(t *testing.T) {
	k := start(t)
	k.acquire("shop", "ann")
	_, err := Acquire(t.Context(), k.topic(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "bob")})
	locked, is := errors.AsType[*Locked](err)
	if !is {
		t.Fatalf("the second gets %v", err)
	}
	want := "topology shop is locked by ann@ci (process 7) since 2026-01-02 03:04:05 UTC"
	if locked.Error() != want {
		t.Errorf("it says %q", locked)
	}
	if queue := k.state().Locks[TopologyLock("shop")]; len(queue) != 1 {
		t.Errorf("the queue is %v", queue)
	}
}

func TestRequestsOfAnApply(t *testing.T) {
	k := start(t)
	k.release(k.acquire("shop", "ann"))
	k.requests()
	k.state()
	want := map[kmsg.Key]int{kmsg.Metadata: 1, kmsg.ListOffsets: 1, kmsg.Fetch: 1}
	if diff := cmp.Diff(want, withoutGreetings(k.requests())); diff != "" {
		t.Errorf("a look costs: %s", diff)
	}
	h := k.acquire("shop", "ann")
	k.write(h, Begun{Digest: "d"}, Intent{Object: id("orders")})
	k.write(h, Owned{Object: id("orders")}, Ended{Outcome: "done"})
	k.release(h)
	want = map[kmsg.Key]int{
		kmsg.Metadata:        1,
		kmsg.DescribeConfigs: 1, kmsg.ListOffsets: 1, kmsg.Fetch: 4, kmsg.Produce: 4,
	}
	if diff := cmp.Diff(want, withoutGreetings(k.requests())); diff != "" {
		t.Errorf("an apply costs: %s", diff)
	}
}

func withoutGreetings(asked map[kmsg.Key]int) map[kmsg.Key]int {
	delete(asked, kmsg.ApiVersions)
	return asked
}

// Several topologies may hold a right. Who made it tells those who stay, since
// the last of them deletes it; and who is leaving holds it for nobody.
func TestRightsAreShared(t *testing.T) {
	k := start(t)
	right := schema.ID{Kind: schema.KindACL, Name: "User:a Read topic:x literal *"}
	shop, bank := k.acquire("shop", "ann"), k.acquire("bank", "bob")
	k.write(shop, Intent{Object: right, Makes: true}, Owned{Object: right, Made: true})
	k.write(bank, Owned{Object: right})
	if holders := k.state().Live().Holders; !holders.Others(right.Name, "shop") || !holders.Others(right.Name, "bank") {
		t.Errorf("the holders are %+v", holders)
	}
	k.write(shop, Intent{Object: right, Leaving: true})
	if holders := k.state().Live().Holders; !holders.Others(right.Name, "shop") || holders.Others(right.Name, "bank") {
		t.Errorf("while one leaves, the holders are %+v", holders)
	}
	k.write(shop, Gone{right})
	want := live.Holders{right.Name: {"bank": {Topology: "bank", Made: true}}}
	if diff := cmp.Diff(want, k.state().Live().Holders); diff != "" {
		t.Error(diff)
	}
	restored := join(split(k.state()))
	if diff := cmp.Diff(want, restored.Live().Holders); diff != "" {
		t.Errorf("after a checkpoint: %s", diff)
	}
}

// What is about to be set counts as set by queueform until it is known better.
func TestKeysAreKept(t *testing.T) {
	k := start(t)
	quota := schema.ID{Kind: schema.KindQuota, Name: "user:a"}
	h := k.acquire("shop", "ann")
	k.write(h, Owned{Object: quota, Keys: []string{"b"}}, Intent{Object: quota, Keys: []string{"a", "b"}})
	owner, _ := k.state().Live().Owners.Of(quota)
	if diff := cmp.Diff(live.Owner{Topology: "shop", HalfDone: true, Keys: []string{"a", "b"}}, owner); diff != "" {
		t.Error(diff)
	}
	k.write(h, Owned{Object: quota, Keys: []string{"a"}})
	if owner, _ = k.state().Live().Owners.Of(quota); len(owner.Keys) != 1 || owner.HalfDone {
		t.Errorf("in the end it is %+v", owner)
	}
}
