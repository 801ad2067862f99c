package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const (
	leaderList   = "leader.replication.throttled.replicas"
	followerList = "follower.replication.throttled.replicas"
	leaderRate   = "leader.replication.throttled.rate"
	followerRate = "follower.replication.throttled.rate"
)

func TestUnthrottledMove(t *testing.T) {
	m := moves(t, "a")
	m.engine.Throttle = 0
	m.looks(3, func() { m.arrive("a") })
	m.ends(m.run(reassigned("a", 0, 1)), "done")
	m.did("move a 0 to [0 1]", "move a 1 to [0 1]")
}

// Replicas that only go copy nothing.
func TestMoveThatCopiesNothingIsNotThrottled(t *testing.T) {
	m := moves(t, "a")
	m.replicas["a"] = [][]int32{{0, 1}, {0, 1}}
	m.looks(3, func() { m.arrive("a") })
	fewer := &plan.Reassign{Head: head(plan.PhaseMove, "a"), Moves: []plan.Move{{Partition: 1, From: []int32{0, 1}, To: []int32{0}}}}
	m.ends(m.run(fewer), "done")
	m.did("move a 1 to [0]")
}

func TestReplicasThatAreNotCopiedAreNotListed(t *testing.T) {
	m := moves(t, "a")
	m.replicas["a"][1] = []int32{0, 2}
	m.looks(3, func() { m.arrive("a") })
	mixed := &plan.Reassign{Head: head(plan.PhaseMove, "a"), Moves: []plan.Move{
		{Partition: 0, From: []int32{0}, To: []int32{0, 1}}, {Partition: 1, From: []int32{0, 2}, To: []int32{0}},
	}}
	m.ends(m.run(mixed), "done")
	if diff := cmp.Diff([]string{"topic a: append " + leaderList + " 0:0", "topic a: append " + followerList + " 0:1"}, m.said[:2]); diff != "" {
		t.Error(diff)
	}
}

// Somebody else's throttle is kept, and stops the moves that it concerns.
func TestForeignThrottle(t *testing.T) {
	for name, test := range map[string]struct{ owner, key, value, stops string }{
		"rate":          {"broker 1", followerRate, "77", "broker 1: follower.replication.throttled.rate = 77"},
		"all replicas":  {"topic a", leaderList, "*", "topic a: leader.replication.throttled.replicas = *"},
		"some replicas": {"topic a", followerList, "1:2", "topic a: follower.replication.throttled.replicas = 1:2"},
	} {
		t.Run(name, func(t *testing.T) {
			m := moves(t, "a", "b")
			m.configs[test.owner] = map[string]string{test.key: test.value}
			m.looks(3, func() { m.arrive("b") })
			report := m.run(reassigned("a", 0, 1), reassigned("b", 0, 2), late("a", map[string]string{"min.insync.replicas": "2"}))
			m.ends(report,
				"not done: the move cannot be throttled: "+test.stops+" is there, which queueform did not set: wait until it is gone, or delete it",
				"done", `skipped: an earlier step of queue "a" failed`)
			if diff := cmp.Diff([]string{test.owner + ": " + test.key + " = " + test.value}, m.throttles()); diff != "" {
				t.Error(diff)
			}
			if report.Leftover != nil || slices.ContainsFunc(m.said, func(s string) bool { return strings.HasPrefix(s, test.owner) }) {
				t.Error(report.Leftover, m.said)
			}
		})
	}
}

// What others list in the meantime stays when our entries go.
func TestListsOfOthersStay(t *testing.T) {
	m := moves(t, "a")
	m.looks(3, func() {
		m.configs["topic a"][leaderList] += ",1:2"
		m.arrive("a")
	})
	m.ends(m.run(reassigned("a", 0, 1)), "done")
	tail := m.said[len(m.said)-2:]
	if diff := cmp.Diff([]string{"topic a: subtract " + leaderList + " 0:0,1:0", "topic a: delete " + followerList}, tail); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"topic a: " + leaderList + " = 1:2"}, m.throttles()); diff != "" {
		t.Error(diff)
	}
}

// left is a plan with nothing to do but to remove what an earlier apply left on topic a.
func (m *model) left(replicas string) *plan.Plan {
	m.configs["topic a"] = map[string]string{followerList: replicas}
	m.configs["broker 1"] = map[string]string{followerRate: "5"}
	m.ledger.says("shop", ledger.Moving{Topic: "a", Rate: 5, Followers: strings.Split(replicas, ",")})
	p := planned()
	p.Throttled = []schema.ID{id("a")}
	return p
}

func TestLeftoverIsRemoved(t *testing.T) {
	m := moves(t, "a")
	report := m.engine.Run(t.Context(), m.left("0:1,1:1"))
	if !ok(report) {
		t.Error(report.Leftover)
	}
	m.did("broker 1: delete "+followerRate, "topic a: delete "+followerList)
	m.unthrottled()
	if len(m.ledger.Live().Throttles) > 0 {
		t.Error("the ledger still knows of it")
	}
}

// A partition that somebody is moving still needs its throttle.
func TestLeftoverIsKeptWhereReplicasMove(t *testing.T) {
	m := moves(t, "a")
	m.begin("a", 1, []int32{0, 1})
	report := m.engine.Run(t.Context(), m.left("0:1,0:2,1:1"))
	if report.Leftover == nil {
		t.Error("nothing is said to be left")
	}
	m.did("topic a: subtract " + followerList + " 0:1,0:2")
	if diff := cmp.Diff([]string{"broker 1: " + followerRate + " = 5", "topic a: " + followerList + " = 1:1"}, m.throttles()); diff != "" {
		t.Error(diff)
	}
	if len(m.ledger.Live().Throttles) == 0 {
		t.Error("the ledger does not know of it any more")
	}
}

// A rate that somebody else sets while replicas move is not ours to take away.
func TestRateOfOthersStays(t *testing.T) {
	m := moves(t, "a")
	m.looks(3, func() {
		m.configs["broker 1"][followerRate] = "77"
		m.arrive("a")
	})
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "done")
	stays := "broker 1: " + followerRate + " = 77"
	if diff := cmp.Diff([]string{stays}, m.throttles()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{stays}, report.Foreign); diff != "" || report.Slowed || len(m.ledger.Live().Throttles) > 0 {
		t.Error(report.Slowed, m.ledger.Live().Throttles, diff)
	}
}

// Nor is it to be set over, when a later apply goes on with the moves.
func TestRateOfOthersIsNotSetOver(t *testing.T) {
	m := moves(t, "a")
	p := m.resumed("a")
	m.configs["broker 1"][followerRate] = "77"
	m.looks(3, func() {
		if rate := m.ledger.Live().Throttles["a"].Rate; rate != 1000 {
			t.Errorf("the ledger knows of %d, and the brokers have 1000", rate)
		}
		m.arrive("a")
	})
	m.engine.Run(t.Context(), p)
	if diff := cmp.Diff([]string{"broker 1: " + followerRate + " = 77"}, m.throttles()); diff != "" {
		t.Error(diff)
	}
}

// Who may list replicas and not set rates moves nothing, and leaves nothing.
func TestRatesThatAreNotPermitted(t *testing.T) {
	m := moves(t, "a")
	m.denies = kmsg.ConfigResourceTypeBroker
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "not done: the move cannot be throttled: broker 0: not permitted, this needs AlterConfigs on Cluster")
	m.unthrottled()
	if report.Leftover != nil || report.Slowed || len(m.ledger.Live().Throttles) > 0 {
		t.Error(report.Leftover, report.Slowed, m.ledger.Live().Throttles)
	}
}

// A broker that does not show the lists yet is not taken for one without them.
func TestListsThatAreShownLate(t *testing.T) {
	m := moves(t, "a")
	m.denies, m.lags = kmsg.ConfigResourceTypeBroker, 2
	m.ends(m.run(reassigned("a", 0, 1)), "not done: the move cannot be throttled: broker 0: ...")
	m.unthrottled()
}

// Another topology that moves replicas keeps its rate, and the lower one of
// both holds meanwhile. Its topics are nobody else's.
func TestThrottleOfAnotherTopology(t *testing.T) {
	m := moves(t, "a", "b")
	m.ledger.says("pay", ledger.Moving{Topic: "b", Rate: 600, Followers: []string{"0:1"}})
	m.configs["topic b"] = map[string]string{followerList: "0:1"}
	m.configs["broker 1"] = map[string]string{followerRate: "600"}
	m.looks(3, func() { m.arrive("a") })
	m.ends(m.run(reassigned("a", 0, 1), reassigned("b", 0, 2)),
		"done", "not done: the move cannot be throttled: topic b: "+followerList+" = 0:1 is there, ...")
	m.did(
		"topic a: append "+leaderList+" 0:0,1:0", "topic a: append "+followerList+" 0:1,1:1",
		"broker 0: set "+leaderRate+" 600", "broker 0: set "+followerRate+" 600",
		"broker 1: set "+leaderRate+" 600", "broker 1: set "+followerRate+" 600",
		"move a 0 to [0 1]", "move a 1 to [0 1]",
		"broker 0: delete "+leaderRate, "broker 0: delete "+followerRate,
		"broker 1: set "+leaderRate+" 600", "broker 1: set "+followerRate+" 600",
		"topic a: delete "+leaderList, "topic a: delete "+followerList,
	)
	if len(m.ledger.Live().Throttles) != 1 {
		t.Error(m.ledger.Live().Throttles)
	}
	for _, e := range m.events {
		if p, is := e.(apply.MoveProgress); is && p.Rate != 600 {
			t.Errorf("the rate is said to be %d", p.Rate)
		}
	}
}

// Without the lock that guards throttles nothing moves.
func TestThrottleIsLocked(t *testing.T) {
	m := moves(t, "a")
	m.ledger.locked = errors.New("somebody has it")
	m.ends(m.run(reassigned("a", 0, 1)), "not done: the move cannot be throttled: somebody has it")
	m.did()
}

// lost is a lock that is lost after some checks.
type lost struct {
	*paper
	checks int
}

func (l *lost) Check(ctx context.Context) (time.Time, error) {
	if l.checks--; l.checks < 0 {
		return time.Time{}, errors.New("the lock is lost")
	}
	return l.paper.Check(ctx)
}

// Who has lost the lock that guards throttles edits none any more: somebody
// else may. The rest of the apply goes on.
func TestThrottleLockIsLost(t *testing.T) {
	for checks, said := range [][]string{
		nil,
		{"topic a: append " + leaderList + " 0:0,1:0", "topic a: append " + followerList + " 0:1,1:1"},
	} {
		m := moves(t, "a")
		m.engine.LockThrottles = func(context.Context) (apply.Hold, error) { return &lost{m.ledger, 1 + checks}, nil }
		report := m.run(create("b", 1), reassigned("a", 0, 1))
		m.ends(report, "done", "not done: the move cannot be throttled: ...")
		if report.Stopped != nil {
			t.Error(report.Stopped)
		}
		m.did(said...)
	}
}

// All replicas are never throttled by queueform: that list is not its.
func TestListOfAllReplicasIsKept(t *testing.T) {
	m := moves(t, "a")
	p := m.left("0:1")
	m.configs["topic a"][followerList] = "*"
	if report := m.engine.Run(t.Context(), p); !ok(report) {
		t.Error(report.Leftover)
	}
	m.did("broker 1: delete " + followerRate)
}

func TestListOfAllReplicasStopsMoves(t *testing.T) {
	m := moves(t, "a")
	p := planned(reassigned("a", 0, 1))
	p.Throttled = m.left("*").Throttled
	m.ends(m.engine.Run(t.Context(), p), "not done: the move cannot be throttled: topic a: "+followerList+" = * is there, ...")
	m.did()
}

// The next move goes under what an earlier apply has left, and lists nothing twice.
func TestMoveAfterLeftover(t *testing.T) {
	m := moves(t, "a")
	p := m.left("0:1,1:2")
	both := planned(reassigned("a", 0, 1))
	both.Throttled = p.Throttled
	m.configs["topic a"][leaderList] = "1:0,0:0"
	m.looks(3, func() { m.arrive("a") })
	m.ends(m.engine.Run(t.Context(), both), "done")
	if m.said[0] != "topic a: append "+followerList+" 1:1" || !strings.HasPrefix(m.said[1], "broker") {
		t.Error(m.said[:2])
	}
	m.unthrottled()
}

func TestLeftoverOfDeletedTopic(t *testing.T) {
	m := moves(t, "a")
	p := m.left("0:1")
	delete(m.replicas, "a")
	delete(m.configs, "topic a")
	if report := m.engine.Run(t.Context(), p); !ok(report) {
		t.Error(report.Leftover)
	}
	m.unthrottled()
}

// A broker that died keeps its rate, and the topics the mark by which the next
// apply finds it. The moves are done for all that.
func TestBrokerDiesBeforeItsRateIsRemoved(t *testing.T) {
	m := moves(t, "a")
	m.looks(3, func() { m.arrive("a"); m.dead[1] = true })
	report := m.run(reassigned("a", 0, 1))
	m.ends(report, "done")
	if report.Leftover == nil || !strings.Contains(report.Leftover.Error(), "broker 1: ") || ok(report) {
		t.Errorf("left: %v", report.Leftover)
	}
	want := []string{
		"broker 1: " + followerRate + " = 1000", "broker 1: " + leaderRate + " = 1000",
		"topic a: " + followerList + " = 0:1,1:1", "topic a: " + leaderList + " = 0:0,1:0",
	}
	if diff := cmp.Diff(want, m.throttles()); diff != "" {
		t.Error(diff)
	}
	m.dead[1] = false
	p := planned()
	p.Throttled = []schema.ID{id("a")}
	if again := m.engine.Run(t.Context(), p); !ok(again) {
		t.Error(again.Leftover)
	}
	m.unthrottled()
}

// A broker that cannot be slowed stops the moves that it takes part in.
func TestBrokerThatCannotBeThrottled(t *testing.T) {
	m := moves(t, "a", "b")
	m.dead[1] = true
	m.looks(4, func() { m.arrive("b") })
	report := m.run(reassigned("a", 0, 1), reassigned("b", 0, 2))
	m.ends(report, "not done: the move cannot be throttled: broker 1: ...", "done")
	if report.Leftover == nil {
		t.Error("the rate of broker 1 is not known to be gone")
	}
}

// An interruption ends the tries to set a throttle, and starts no move.
func TestInterruptionWhileABrokerIsAsked(t *testing.T) {
	m := moves(t, "a")
	m.dead[1] = true
	ctx, cancel := context.WithCancel(t.Context())
	m.clock.wait = func(time.Duration) bool { cancel(); return false }
	m.ends(m.engine.Run(ctx, planned(reassigned("a", 0, 1))), "not done: the move cannot be throttled: broker 1: ...")
	if len(m.clock.waits) != 1 || m.requests(kmsg.AlterPartitionAssignments) > 0 {
		t.Errorf("it went on for %v", m.clock.waits)
	}
}

func TestThrottleIsLeftByAnInterruption(t *testing.T) {
	m := moves(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := m.left("0:1")
	report := m.engine.Run(ctx, p)
	if report.Stopped == nil || ok(report) {
		t.Error("it does not say that it was stopped")
	}
	m.did()
}

func TestWhatMovesCannotBeSeen(t *testing.T) {
	m := moves(t, "a")
	read := m.engine.Read
	m.engine.Read = func(ctx context.Context, s live.Scope) (*live.Snapshot, error) {
		snapshot, err := read(ctx, s)
		if err == nil {
			snapshot.Moves = live.Hidden[int]("not permitted", "Describe on Cluster")
		}
		return snapshot, err
	}
	report := m.engine.Run(t.Context(), m.left("0:1"))
	if report.Leftover == nil || !strings.Contains(report.Leftover.Error(), "not permitted") {
		t.Error(report.Leftover)
	}
	if report.Count(apply.Done) > 0 || len(m.said) > 0 {
		t.Error(m.said)
	}
}
