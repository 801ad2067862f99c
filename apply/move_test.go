package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// looks runs a function at the nth look at topics, with the model locked.
func (m *model) looks(n int, then func()) {
	m.step = func() {
		if n--; n == 0 {
			then()
		}
	}
}

// did wants these alterations and reassignments, in their order, but for that
// among brokers: they are asked side by side.
func (m *model) did(want ...string) {
	m.Helper()
	got := slices.Clone(m.said)
	for begin := 0; begin < len(got); begin++ {
		end := begin
		for end < len(got) && strings.HasPrefix(got[end], "broker ") {
			end++
		}
		slices.SortStableFunc(got[begin:end], func(a, b string) int { return strings.Compare(a[:len("broker 0")], b[:len("broker 0")]) })
		begin = max(begin, end-1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("what was sent (-want +got):\n%s", diff)
	}
}

func (m *model) unthrottled() {
	m.Helper()
	if left := m.throttles(); len(left) > 0 {
		m.Errorf("left: %s", strings.Join(left, ", "))
	}
}

// What waits for replicas comes when they are there, and the throttle goes last.
func TestMoveIsWaitedFor(t *testing.T) {
	m := moves(t, "a", "b")
	m.looks(3, func() { m.arrive("a"); m.arrive("b") })
	minISR := late("a", map[string]string{"min.insync.replicas": "2"})
	report := m.run(reassigned("a", 0, 1), reassigned("b", 0, 2), minISR)
	m.ends(report, "done", "done", "done")
	if !ok(report) {
		t.Error("not OK")
	}
	m.did(
		"topic a: append leader.replication.throttled.replicas 0:0,1:0",
		"topic a: append follower.replication.throttled.replicas 0:1,1:1",
		"topic b: append leader.replication.throttled.replicas 0:0,1:0",
		"topic b: append follower.replication.throttled.replicas 0:2,1:2",
		"broker 0: set leader.replication.throttled.rate 1000",
		"broker 0: set follower.replication.throttled.rate 1000",
		"broker 1: set leader.replication.throttled.rate 1000",
		"broker 1: set follower.replication.throttled.rate 1000",
		"broker 2: set leader.replication.throttled.rate 1000",
		"broker 2: set follower.replication.throttled.rate 1000",
		"move a 0 to [0 1]", "move a 1 to [0 1]", "move b 0 to [0 2]", "move b 1 to [0 2]",
		"topic a: set min.insync.replicas 2",
		"broker 0: delete leader.replication.throttled.rate",
		"broker 0: delete follower.replication.throttled.rate",
		"broker 1: delete leader.replication.throttled.rate",
		"broker 1: delete follower.replication.throttled.rate",
		"broker 2: delete leader.replication.throttled.rate",
		"broker 2: delete follower.replication.throttled.rate",
		"topic a: delete leader.replication.throttled.replicas",
		"topic a: delete follower.replication.throttled.replicas",
		"topic b: delete leader.replication.throttled.replicas",
		"topic b: delete follower.replication.throttled.replicas",
	)
	m.unthrottled()
}

func TestMoveTellsItsProgress(t *testing.T) {
	m := moves(t, "a")
	copied := int64(0)
	m.sizes = func(_ string, _, broker int32) int64 {
		return map[int32]int64{0: 1000 + copied/1000*100, 1: copied}[broker] // the leader's log grows at the end
	}
	m.step = func() { // 250 bytes at once, then as many a second
		if copied = 250 + 250*int64(m.clock.time().Sub(newClock().now)/time.Second); copied == 1000 {
			m.arrive("a")
		}
	}
	m.ends(m.run(reassigned("a", 0, 1)), "done")
	var got []apply.MoveProgress
	for _, e := range m.events {
		if p, ok := e.(apply.MoveProgress); ok {
			got = append(got, p)
		}
	}
	want := []apply.MoveProgress{
		{Partitions: 2, Copied: 500, Total: 2000, Rate: 1000},
		{Partitions: 2, Copied: 1000, Total: 2000, Rate: 1000, Left: 2 * time.Second},
		{Partitions: 2, Copied: 1500, Total: 2000, Rate: 1000, Left: time.Second},
		{Partitions: 2, Done: 2, Copied: 2200, Total: 2200, Rate: 1000},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoWaitLeavesMovesAndThrottle(t *testing.T) {
	m := moves(t, "a")
	m.engine.NoWait = true
	report := m.run(reassigned("a", 0, 1), late("a", map[string]string{"min.insync.replicas": "2"}))
	m.ends(report, "started", "postponed")
	if report.Moving != 2 || report.Stopped != nil || report.Leftover != nil || ok(report) {
		t.Errorf("%+v", report)
	}
	if len(m.throttles()) != 6 {
		t.Error(m.throttles())
	}
}

// resumed is a plan for moves that an earlier apply has started.
func (m *model) resumed(topic string, steps ...plan.Step) *plan.Plan {
	p := planned(steps...)
	for partition := range int32(2) {
		m.begin(topic, partition, []int32{0, 1})
		p.Moving = append(p.Moving, plan.Moving{Object: id(topic), Partition: int(partition), Adding: []int32{1}})
	}
	p.Throttled = []schema.ID{id(topic)}
	m.ledger.says("shop", ledger.Moving{Topic: topic, Rate: 5, Leaders: []string{"0:0", "1:0"}, Followers: []string{"0:1", "1:1"}})
	m.configs["topic "+topic] = map[string]string{"leader.replication.throttled.replicas": "0:0,1:0", "follower.replication.throttled.replicas": "0:1,1:1"}
	for _, broker := range []string{"broker 0", "broker 1"} {
		m.configs[broker] = map[string]string{"leader.replication.throttled.rate": "5", "follower.replication.throttled.rate": "5"}
	}
	return p
}

func TestEarlierMoveIsWaitedFor(t *testing.T) {
	m := moves(t, "a")
	p := m.resumed("a", late("a", map[string]string{"min.insync.replicas": "2"}))
	m.looks(3, func() { m.arrive("a") })
	report := m.engine.Run(t.Context(), p)
	m.ends(report, "done")
	m.did(
		"broker 0: set leader.replication.throttled.rate 1000",
		"broker 0: set follower.replication.throttled.rate 1000",
		"broker 1: set leader.replication.throttled.rate 1000",
		"broker 1: set follower.replication.throttled.rate 1000",
		"topic a: set min.insync.replicas 2",
		"broker 0: delete leader.replication.throttled.rate",
		"broker 0: delete follower.replication.throttled.rate",
		"broker 1: delete leader.replication.throttled.rate",
		"broker 1: delete follower.replication.throttled.rate",
		"topic a: delete leader.replication.throttled.replicas",
		"topic a: delete follower.replication.throttled.replicas",
	)
	m.unthrottled()
}

// A move that an earlier apply has started goes on at the rate of this one, or
// without any.
func TestEarlierMoveWithNoWait(t *testing.T) {
	m := moves(t, "a")
	m.engine.NoWait = true
	m.engine.Throttle = 0
	report := m.engine.Run(t.Context(), m.resumed("a", late("a", map[string]string{"min.insync.replicas": "2"})))
	m.ends(report, "postponed")
	m.did(
		"broker 0: delete leader.replication.throttled.rate",
		"broker 0: delete follower.replication.throttled.rate",
		"broker 1: delete leader.replication.throttled.rate",
		"broker 1: delete follower.replication.throttled.rate",
	)
	if report.Moving != 2 || ok(report) {
		t.Errorf("%+v", report)
	}
}

// An earlier apply's move has no step that could fail.
func TestEarlierMoveThatStalls(t *testing.T) {
	m := moves(t, "a", "b")
	m.brokers = []int32{0, 2}
	report := m.engine.Run(t.Context(), m.resumed("a", late("a", map[string]string{"min.insync.replicas": "2"}), late("b", map[string]string{"retention.ms": "1"})))
	m.ends(report, "postponed", "done")
	want := `queue "a": the move of partition 0 has stalled: no progress for 5m0s, broker 1 is down
queue "a": the move of partition 1 has stalled: no progress for 5m0s, broker 1 is down`
	if report.Leftover == nil || report.Leftover.Error() != want {
		t.Errorf("left: %v", report.Leftover)
	}
}

// A stalled move fails its own object only.
func TestMoveThatStalls(t *testing.T) {
	m := moves(t, "a", "b")
	m.looks(10, func() { m.arrive("b"); m.brokers = []int32{0, 2} })
	report := m.run(reassigned("a", 0, 1), reassigned("b", 0, 2),
		late("a", map[string]string{"min.insync.replicas": "2"}), late("b", map[string]string{"min.insync.replicas": "2"}))
	m.ends(report,
		"not moved: the move of partition 0 has stalled: no progress for 5m0s, broker 1 is down", "done",
		`skipped: an earlier step of queue "a" failed`, "done",
	)
	if waited := m.clock.time().Sub(newClock().now); waited < 5*time.Minute || waited > 6*time.Minute {
		t.Errorf("given up after %v", waited)
	}
	if report.Moving != 2 || len(m.throttles()) == 0 {
		t.Errorf("%d still move, throttled: %v", report.Moving, m.throttles())
	}
}

// As long as bytes arrive no move has stalled.
func TestSlowMoveDoesNotStall(t *testing.T) {
	m := moves(t, "a")
	copied, looks := int64(0), 0
	m.sizes = func(_ string, _, broker int32) int64 { return map[int32]int64{0: 1000, 1: copied}[broker] }
	m.step = func() {
		looks++
		copied = int64(looks / 100) // a byte in 100 s
		if looks == 1000 {
			m.arrive("a")
		}
	}
	m.ends(m.run(reassigned("a", 0, 1)), "done")
}

// How far a move is that nobody tells the bytes of is not known: it goes on.
func TestMoveOfUnknownSizeDoesNotStall(t *testing.T) {
	m := moves(t, "a")
	m.sizes = func(string, int32, int32) int64 { return -1 }
	m.step = func() {
		if m.clock.time().Sub(newClock().now) > time.Hour {
			m.arrive("a")
		}
	}
	m.ends(m.run(reassigned("a", 0, 1)), "done")
}

// Unless a broker that copies it is seen to be down.
func TestMoveOfUnknownSizeStalls(t *testing.T) {
	m := moves(t, "a")
	m.sizes = func(string, int32, int32) int64 { return -1 }
	m.brokers = []int32{0, 2}
	m.ends(m.run(reassigned("a", 0, 1)), "not moved: the move of partition 0 has stalled: no progress for 5m0s, broker 1 is down")
}

// While replicas move, for hours maybe, nobody reads the configs of their topics.
func TestMovesAreWatchedWithoutConfigs(t *testing.T) {
	m := moves(t, "a")
	m.looks(10, func() { m.arrive("a") })
	m.ends(m.run(reassigned("a", 0, 1)), "done")
	if m.looked > 0 {
		t.Errorf("%d questions", m.looked)
	}
}

// What producers send to the replicas that have arrived is no progress of the others.
func TestMoveStallsUnderTraffic(t *testing.T) {
	m := moves(t, "a")
	sent := int64(0)
	m.caughtUp = []int32{1}
	m.sizes = func(_ string, _, broker int32) int64 { return map[int32]int64{0: sent, 1: sent}[broker] }
	m.step = func() { sent += 1000 }
	m.brokers = []int32{0, 1}
	report := m.run(reassigned("a", 0, 1, 2))
	m.ends(report, "not moved: the move of partition 0 has stalled: no progress for 5m0s, broker 2 is down")
}

func TestClusterThatCannotBeReadWhileReplicasMove(t *testing.T) {
	m := moves(t, "a")
	read := m.engine.Read
	m.engine.Read = func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
		if s.Moves {
			return nil, errors.New("no broker answers")
		}
		return read(ctx, s)
	}
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "not moved: the move of partition 0 has stalled: no progress for 5m0s, the cluster cannot be read: no broker answers")
}

func TestMoveThatSomebodyCancels(t *testing.T) {
	m := moves(t, "a", "b")
	m.step = func() {
		if m.clock.time().Sub(newClock().now) > 10*time.Second {
			clear(m.moves["a"])
			m.arrive("b")
		}
	}
	report := m.run(reassigned("a", 0, 1), reassigned("b", 0, 1), late("a", map[string]string{"min.insync.replicas": "2"}))
	m.ends(report, "not moved: the move of partition 0 to [0 1] was cancelled by somebody: it is on [0]", "done", `skipped: an earlier step of queue "a" failed`)
	m.unthrottled()
}

// Brokers that lag show the old replicas for a moment after a move.
func TestMoveThatBrokersShowLate(t *testing.T) {
	m := moves(t, "a")
	m.step = func() {
		switch elapsed := m.clock.time().Sub(newClock().now); {
		case elapsed > 15*time.Second:
			m.replicas["a"] = [][]int32{{0, 1}, {0, 1}}
		case elapsed > 5*time.Second:
			clear(m.moves["a"])
		}
	}
	m.ends(m.run(reassigned("a", 0, 1)), "done")
}

func TestTopicDeletedWhileItMoves(t *testing.T) {
	m := moves(t, "a")
	m.looks(3, func() { delete(m.replicas, "a"); delete(m.moves, "a") })
	m.ends(m.run(reassigned("a", 0, 1)), "not moved: the move of partition 0 to [0 1] was cancelled by somebody: it is gone")
}

// Of a move that is refused in part the rest goes on, under its throttle.
func TestPartlyRefusedMove(t *testing.T) {
	m := moves(t, "a")
	m.refuses["a"] = map[int32]int16{1: kerr.InvalidReplicaAssignment.Code}
	waited := false
	m.looks(3, func() { waited = true; m.arrive("a") })
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "refused: partition 1: Replica assignment is invalid. (INVALID_REPLICA_ASSIGNMENT)")
	if !waited || report.Moving > 0 {
		t.Error("partition 0 was not waited for")
	}
	m.unthrottled()
}

// A partition that was taken is waited for, although another never was.
func TestPartlyTakenMove(t *testing.T) {
	m := moves(t, "a")
	m.refuses["a"] = map[int32]int16{1: kerr.NotController.Code}
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "not done: given up after 1m0s: partition 1: This is not the correct controller for this cluster. (NOT_CONTROLLER)")
	if report.Moving != 1 || !report.Slowed {
		t.Errorf("%+v", report)
	}
}

// What keeps a move is told long before it has stalled.
func TestMoveTellsWhatKeepsIt(t *testing.T) {
	m := moves(t, "a")
	m.looks(2, func() { m.brokers = []int32{0, 2} })
	m.run(reassigned("a", 0, 1))
	told := slices.IndexFunc(m.events, func(e apply.Event) bool {
		p, ok := e.(apply.MoveProgress)
		return ok && p.Stuck == "broker 1 is down"
	})
	if told < 0 || told > 20 {
		t.Errorf("told at event %d of %d", told, len(m.events))
	}
}

func TestMoveThatIsRefusedLeavesNoThrottle(t *testing.T) {
	m := moves(t, "a")
	m.refuses["a"] = map[int32]int16{0: kerr.InvalidReplicaAssignment.Code, 1: kerr.InvalidReplicaAssignment.Code}
	m.engine.NoWait = true
	report := m.run(reassigned("a", 0, 1))
	if report.Count(apply.Refused) != 1 {
		t.Error(outcomes(report))
	}
	m.unthrottled()
}

func TestConnectionCutWhileMovesStart(t *testing.T) {
	for name, worked := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			m := moves(t, "a")
			m.cuts, m.cutsAfter = 1, worked
			m.looks(6, func() { m.arrive("a") })
			m.ends(m.run(reassigned("a", 0, 1)), "done")
			if requests := map[bool]int{false: 2, true: 1}[worked]; m.requests(kmsg.AlterPartitionAssignments) != requests {
				t.Errorf("%d requests", m.requests(kmsg.AlterPartitionAssignments))
			}
			m.unthrottled()
		})
	}
}

// A move that may have been started keeps its throttle.
func TestMoveThatIsNotKnown(t *testing.T) {
	m := moves(t, "a")
	m.cuts = -1
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "unknown: the connection broke: ...")
	if report.Leftover == nil || len(m.throttles()) != 6 {
		t.Errorf("left: %v, throttles %v", report.Leftover, m.throttles())
	}
}

// An interruption leaves moves and throttle to the next apply.
func TestInterruptionWhileReplicasMove(t *testing.T) {
	m := moves(t, "a", "b")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("Ctrl-C")
	m.looks(3, func() { m.arrive("b") })
	m.clock.wait = func(time.Duration) bool {
		if m.clock.time().Sub(newClock().now) < 5*time.Second {
			return true
		}
		cancel(stop)
		return false
	}
	report := m.engine.Run(ctx, planned(reassigned("a", 0, 1), reassigned("b", 0, 2), late("a", map[string]string{"min.insync.replicas": "2"})))
	m.ends(report, "started", "done", "postponed")
	if !errors.Is(report.Stopped, stop) || report.Moving != 2 || len(m.throttles()) == 0 {
		t.Errorf("stopped %v, %d still move, throttles %v", report.Stopped, report.Moving, m.throttles())
	}
}

func TestInterruptionBeforeMovesStart(t *testing.T) {
	m := moves(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	m.on(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) { cancel(); return nil, nil })
	m.ends(m.engine.Run(ctx, planned(create("new", 1), reassigned("a", 0, 1))), "done", "not done")
	m.did()
}
