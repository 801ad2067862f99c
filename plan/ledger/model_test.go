package ledger

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// A log as rapid makes it: anybody writes anything at any time, whether or not
// the claim holds, twice, late, or with a broker's clock that goes back.

var (
	claims     = []string{"c0", "c1", "c2", "c3", "c4"}
	topologies = map[string]string{"c0": "shop", "c1": "shop", "c2": "shop", "c3": "bank", "c4": "bank"}
	throttled  = map[string]bool{"c2": true, "c4": true}
)

func lockOf(claim string) Lock {
	if throttled[claim] {
		return ThrottleLock
	}
	return TopologyLock(topologies[claim])
}

// writer draws the records of a log.
type writer struct {
	time int64
	seq  map[string]int
	log  []*Entry
}

func newWriter() *writer {
	return &writer{seq: map[string]int{}, log: []*Entry{{Time: 1, Record: Format{Ledger: "l"}}}}
}

// draw appends an entry, or none for a foreign record.
func (w *writer) draw(t *rapid.T) {
	w.time += rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 0, 0, 0, 1, 1_000, 15_000, 30_000, 60_000, 60_001, -5_000}).Draw(t, "later")
	claim := rapid.SampledFrom(claims).Draw(t, "claim")
	switch rapid.IntRange(0, 30).Draw(t, "odd") {
	case 0:
		w.log = append(w.log, &Entry{Time: w.time, Record: nothing{}})
	case 1:
		w.log = append(w.log, &Entry{Time: w.time, Record: Break{Target: claim}})
	case 2:
		w.log = append(w.log, &Entry{Time: w.time, Record: Format{Ledger: "other"}})
	case 3: // once more
		again := *rapid.SampledFrom(w.log).Draw(t, "again")
		again.Time = w.time
		w.log = append(w.log, &again)
	default:
		w.seq[claim]++
		w.log = append(w.log, &Entry{Claim: claim, Seq: w.seq[claim], Time: w.time, Record: drawRecord(t, claim)})
	}
}

func drawRecord(t *rapid.T, claim string) Record {
	object := schema.ID{Kind: schema.KindQueue, Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "object")}
	return rapid.SampledFrom([]Record{
		Claim{Lock: lockOf(claim), Holder: Holder{Topology: topologies[claim]}},
		Claim{Lock: lockOf(claim), Holder: Holder{Topology: topologies[claim]}},
		Renewal{},
		Renewal{Settled: true},
		Release{},
		Intent{Object: object},
		Intent{Object: object},
		Owned{Object: object, Topic: live.TopicID{7}, PreventDelete: true},
		Gone{object},
		Undone{object},
		Moving{Topic: object.Name, Rate: 5, Leaders: []string{"0:1"}},
		Moved{Topic: object.Name},
		Begun{Digest: "d", Changes: Cut([]Change{{Name: "a"}})},
		Ended{Outcome: "done"},
	}).Draw(t, "record")
}

// whole folds a log from its start.
func whole(t rapid.TB, log []*Entry) *fold {
	f := &fold{}
	for i, e := range log {
		if damage := f.take(int64(i), e.Time, e); damage != "" {
			t.Fatal(damage)
		}
	}
	return f
}

// written is the log as others read it.
func written(t rapid.TB, log []*Entry) []*Entry {
	var read []*Entry
	for _, e := range log {
		text, err := encode(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(text, e.Time)
		if err != nil {
			got = &Entry{Time: e.Time, Record: nothing{}}
		}
		read = append(read, got)
	}
	return read
}

func differ(a, b *State) string { return cmp.Diff(a, b, cmpopts.EquateEmpty()) }

// life is one claim, as the definition has it: each on its own, without a queue.
type life struct {
	claim string
	born  int // where in the log
	until int64
	seq   int
	fresh bool // the last record of the log is its own, and came for the first time
	dead  bool
}

// lives tells who lives after each record.
func lives(log []*Entry) []*life {
	var all []*life
	clock := int64(0)
	for i, e := range log {
		clock = max(clock, e.Time)
		var mine *life
		for _, l := range all {
			l.dead, l.fresh = l.dead || clock > l.until, false
			if l.claim == e.Claim && !l.dead {
				mine = l
			}
		}
		switch r := e.Record.(type) {
		case Break:
			for _, l := range all {
				l.dead = l.dead || l.claim == r.Target
			}
		case Claim:
			if mine == nil {
				mine = &life{claim: e.Claim, born: i, until: clock + Lease.Milliseconds()}
				all = append(all, mine)
			}
		case Renewal:
			if mine != nil && e.Seq > mine.seq {
				mine.until = clock + Lease.Milliseconds()
			}
		case Release:
			if mine != nil && e.Seq > mine.seq {
				mine.dead = true
			}
		}
		if mine != nil {
			mine.fresh = e.Seq > mine.seq
			mine.seq = max(mine.seq, e.Seq)
		}
	}
	return all
}

// speaker is the topology that the last record of a log may speak for.
func speaker(log []*Entry) string {
	for _, l := range lives(log) {
		if l.fresh && !l.dead && !throttled[l.claim] && earliest(lives(log), lockOf(l.claim)) == l.claim {
			return topologies[l.claim]
		}
	}
	return ""
}

// owners is who has what, by definition: the first that speaks for an object,
// until it lets go.
func owners(log []*Entry) map[schema.ID]string {
	all, owned := map[schema.ID]string{}, map[schema.ID]bool{}
	for i, e := range log {
		who := speaker(log[:i+1])
		mine := func(id schema.ID) bool { return who != "" && (all[id] == "" || all[id] == who) }
		switch r := e.Record.(type) {
		case Intent:
			if mine(r.Object) {
				all[r.Object] = who
			}
		case Owned:
			if mine(r.Object) {
				all[r.Object], owned[r.Object] = who, true
			}
		case Gone:
			if mine(r.Object) {
				delete(all, r.Object)
				delete(owned, r.Object)
			}
		case Undone:
			if mine(r.Object) && !owned[r.Object] {
				delete(all, r.Object)
			}
		}
	}
	return all
}

// earliest is who holds a lock by definition: the earliest live claim.
func earliest(all []*life, lock Lock) string {
	for _, l := range all {
		if !l.dead && lockOf(l.claim) == lock {
			return l.claim
		}
	}
	return ""
}

func TestLockModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter()
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			w.draw(t)
			state := whole(t, w.log).state
			for _, lock := range []Lock{TopologyLock("shop"), TopologyLock("bank"), ThrottleLock} {
				first, _ := state.HeldBy(lock)
				if want := earliest(lives(w.log), lock); first.Claim != want {
					t.Fatalf("%s is held by %q, not %q", lock, first.Claim, want)
				}
			}
		}
		got := map[schema.ID]string{}
		for place, object := range whole(t, w.log).state.Objects {
			got[place.ID] = object.Topology
		}
		if diff := cmp.Diff(owners(w.log), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAllReadersAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter()
		for range rapid.IntRange(1, 60).Draw(t, "records") {
			w.draw(t)
		}
		read := written(t, w.log)
		n := rapid.IntRange(1, len(w.log)).Draw(t, "prefix")
		f := whole(t, read[:n])
		if diff := differ(whole(t, w.log[:n]).state, f.state); diff != "" {
			t.Fatal(diff)
		}
		copied := f.state.Clone()
		for i, e := range read[n:] {
			f.take(int64(n+i), e.Time, e)
		}
		if diff := differ(whole(t, w.log).state, f.state); diff != "" {
			t.Fatal(diff)
		}
		if diff := differ(whole(t, read[:n]).state, copied); diff != "" {
			t.Fatalf("a clone has changed: %s", diff)
		}
	})
}

// A holder writes a checkpoint while others write what they like, and may be
// killed, paused or robbed of the lock at any record of it.
func TestCheckpointModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter()
		some := func(most int) {
			for range rapid.IntRange(0, most).Draw(t, "others") {
				w.draw(t)
			}
		}
		some(30)
		w.log = append(w.log,
			&Entry{Claim: "me", Seq: 1, Time: w.time, Record: Claim{Lock: TopologyLock("mine"), Holder: Holder{Topology: "mine"}}},
			&Entry{Claim: "me", Seq: 2, Time: w.time, Record: checkpointBegin{}})
		begin := len(w.log) - 1
		records := []Record{}
		parts := split(whole(t, w.log).state)
		for _, p := range parts {
			records = append(records, checkpointPart{Of: 2, Part: p})
		}
		records = append(records, checkpointEnd{Of: 2, Parts: len(parts)})
		killed := rapid.IntRange(0, len(records)).Draw(t, "killed")
		for i, r := range records[:killed] {
			some(6)
			w.log = append(w.log, &Entry{Claim: "me", Seq: 3 + i, Time: w.time, Record: r})
		}
		end := len(w.log)
		some(10)
		read := written(t, w.log)
		complete := killed == len(records)
		if _, holds := whole(t, read[:end]).state.holder(read[end-1]); complete && holds {
			for n := end; n <= len(read); n++ {
				if diff := differ(whole(t, read[:n]).state, whole(t, read[begin:n]).state); diff != "" {
					t.Fatalf("from the checkpoint it is another: %s", diff)
				}
			}
			return
		}
		f := &fold{} // had somebody deleted what is before it: that is seen
		damage := ""
		for i := begin; i < len(read) && damage == ""; i++ {
			damage = f.take(int64(i), read[i].Time, read[i])
		}
		if damage == "" && f.ended() == "" {
			t.Fatal("a void checkpoint counts")
		}
	})
}

// actor follows the rules that a Hold follows, in a world where everything
// takes its time.
type actor struct {
	name    string
	claim   string
	seq     int
	renewed time.Duration // when the last confirmed renewal was begun
	first   time.Duration // since when it waits for the requests of another
	waits   bool
	wakes   time.Duration // until when it sleeps
	checked bool          // it is about to send, since it held the lock
	busy    time.Duration // until when its own last request may be on its way
}

// world is true time, and a log stamped by brokers whose clocks differ.
type world struct {
	now   time.Duration
	skew  time.Duration // of the broker that leads now
	state *State
	sends []send
	born  int
	dice  *rand.Rand
}

// send is a request on its way: from when it is sent until it has surely ended.
type send struct {
	actor      string
	begin, end time.Duration
}

func (w *world) append(claim string, seq int, r Record) {
	w.state.Apply(&Entry{Claim: claim, Seq: seq, Time: (time.Hour + w.now + w.skew).Milliseconds(), Record: r})
}

const simLock = Lock("topology shop")

// turn lets an actor do the next thing, unless it sleeps.
func (w *world) turn(a *actor) {
	held := w.state.live(a.claim)
	switch {
	case w.now < a.wakes:
	case w.dice.IntN(30) == 0:
		a.wakes = w.now + RequestTimeout + w.upTo(Lease)
	case a.checked:
		a.checked = false
		if until := lastSend(time.Time{}.Add(a.renewed)).Sub(time.Time{}); w.now <= until {
			a.busy = w.now + RequestTimeout
			w.sends = append(w.sends, send{a.claim, w.now, a.busy})
		}
	case held == nil: // it lost its claim, or never had one
		w.born++
		a.claim, a.seq, a.waits = fmt.Sprint(a.name, w.born), 1, false
		a.renewed = w.now
		w.pass() // on its way to the broker
		w.append(a.claim, 1, Claim{Lock: simLock, Holder: Holder{Topology: "shop"}})
	case w.now-a.renewed >= RenewEvery:
		begun := w.now
		w.pass()
		a.seq++
		w.append(a.claim, a.seq, Renewal{})
		w.pass()
		if w.state.live(a.claim) != nil {
			a.renewed = begun
		}
	case w.state.Locks[simLock][0].Claim != a.claim:
	case w.unsettled() && !a.waits:
		a.waits, a.first = true, w.now
	case w.unsettled() && w.now-a.first < RequestTimeout:
	case w.unsettled():
		a.seq++
		w.append(a.claim, a.seq, Renewal{Settled: true})
	case w.now >= a.busy && w.dice.IntN(6) == 0:
		a.seq++
		w.append(a.claim, a.seq, Release{})
	default:
		a.checked = true // what follows comes later
	}
}

func (w *world) unsettled() bool {
	_, unsettled := w.state.Unsettled[simLock]
	return unsettled
}

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.dice.Int64N(int64(d))) }

// pass lets time go by, and now and then another broker lead the partition.
func (w *world) pass() {
	w.now += w.upTo(2 * time.Second)
	if w.dice.IntN(30) == 0 {
		w.skew = []time.Duration{0, RequestTimeout - time.Second}[w.dice.IntN(2)]
	}
}

func TestNoTwoSendAtOnce(t *testing.T) {
	handovers := 0
	for seed := range uint64(4_000) {
		w := &world{state: newState(), dice: rand.New(rand.NewPCG(seed, 0))}
		actors := []*actor{{name: "a"}, {name: "b"}, {name: "c"}}
		for range 300 {
			w.turn(actors[w.dice.IntN(len(actors))])
			w.pass()
		}
		for i, a := range w.sends {
			for _, b := range w.sends[i+1:] {
				if a.actor == b.actor {
					continue
				}
				handovers++
				if a.end > b.begin && b.end > a.begin {
					t.Fatalf("seed %d: %+v and %+v overlap", seed, a, b)
				}
			}
		}
	}
	if handovers == 0 {
		t.Error("nobody ever followed anybody")
	}
}
