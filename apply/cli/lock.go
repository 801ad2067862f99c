package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
)

// ledger is where the cluster remembers.
func (s *session) ledger() ledger.Topic {
	return ledger.Topic{Name: s.topology.Cluster.LedgerTopic(), Client: s.conn.Client(), Clock: ledger.SystemClock()}
}

// remembered is what the ledger says: that of the lock, where it is held.
func (s *session) remembered(ctx context.Context) live.Seen[live.Ledger] {
	if s.hold != nil {
		return live.Is(s.hold.Live())
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	unfit := make(chan error, 1)
	go func() { unfit <- ledger.Fit(ctx, s.ledger()) }()
	seen := ledger.Read(ctx, s.ledger())
	known := live.Seen[live.Ledger]{State: seen.State, Why: seen.Why, Needs: seen.Needs}
	if seen.State == live.Present {
		known.Value = seen.Value.Live()
	}
	if err := <-unfit; err != nil {
		known.Value.Unfit = err.Error()
	}
	return known
}

// lock takes the topology's lock. It waits for somebody else to release it as
// long as --lock-timeout says.
func (s *session) lock(ctx context.Context, patience time.Duration) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	hold, err := ledger.Acquire(ctx, s.ledger(), ledger.Request{
		Lock: ledger.TopologyLock(s.topology.Name), Holder: s.holder(ctx), Patience: patience,
		Observe: func(w ledger.Wait) { fmt.Fprintln(s.Err, waiting(w)) },
	})
	_, locked := errors.AsType[*ledger.Locked](err)
	_, damaged := errors.AsType[*ledger.Damaged](err)
	switch {
	case locked:
		return &exit{code: exitLocked, err: fmt.Errorf("%w: wait for it with --lock-timeout, or end it with queueform unlock", err)}
	case damaged:
		return fmt.Errorf("%w: nothing is applied until queueform unlock --rebuild begins it anew", err)
	case err != nil:
		return err
	}
	s.hold = hold
	return nil
}

// reach makes sure that this is the cluster that is meant, before anything is
// written to it.
func (s *session) reach(ctx context.Context) error {
	snapshot, err := s.read(ctx, live.Scope{})
	if err != nil {
		return s.unreachable(err)
	}
	if err := s.conn.Guard(snapshot.Cluster.ID); err != nil {
		return s.unreachable(err)
	}
	return nil
}

// waiting tells what is waited for.
func waiting(w ledger.Wait) string {
	if w.Settles > 0 {
		return fmt.Sprintf("waiting %v: %s has not released the lock, and its last requests may be on their way", w.Settles, w.For.Holder)
	}
	return fmt.Sprintf("waiting for the lock of %s, which %s has", w.For.Lock, w.For.Holder)
}

// unlock releases the lock, if it is held.
func (s *session) unlock(ctx context.Context) {
	if s.hold == nil {
		return
	}
	if err := s.hold.Release(ctx); err != nil {
		fmt.Fprintln(s.Err, "warning:", err)
	}
	s.hold = nil
}

// slowPatience outlasts whoever has died with the lock that guards throttles:
// the lease, the renewal by which the log learns that it is over, and the last
// requests.
const slowPatience = ledger.Lease + ledger.RenewEvery + ledger.RequestTimeout

// slow takes the lock that guards throttles. Others have it for seconds, unless
// they die.
func (s *session) slow(ctx context.Context) (apply.Hold, error) {
	hold, err := ledger.Acquire(ctx, s.ledger(), ledger.Request{
		Lock: ledger.ThrottleLock, Holder: s.holder(ctx), Patience: slowPatience,
		Observe: func(w ledger.Wait) { fmt.Fprintln(s.Err, waiting(w)) },
	})
	if err != nil {
		return nil, err
	}
	return hold, nil
}

// holder is who applies, from where, and of which commit.
func (s *session) holder(ctx context.Context) ledger.Holder {
	h := ledger.Holder{Topology: s.topology.Name, PID: os.Getpid(), User: "unknown"}
	if u, err := user.Current(); err == nil {
		h.User = u.Username
	}
	h.Host, _ = os.Hostname() // without a name it is empty
	h.Host = cmp.Or(h.Host, "unknown")
	h.Commit = commit(ctx, s.dir)
	return h
}

// commit is the one that a directory is at; empty where it is in no git repository.
func commit(ctx context.Context, dir string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func (a *app) unlockCommand() *cobra.Command {
	var approve, rebuild bool
	c := &cobra.Command{
		Use:   "unlock",
		Short: "End the lock that a dead apply left",
		Long: `Shows who holds the lock of the topology, asks, and ends it, with that of the
throttle where the same topology holds it. An apply that is still at work then
stops before its next request. Who takes the lock next waits for the requests of
the one that lost it. A lock ends by itself a minute after its holder has died.

--rebuild begins a damaged ledger anew: all that it knew is gone.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.visit(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			if rebuild {
				return s.rebuild(c.Context(), approve)
			}
			return s.breakLock(c.Context(), approve)
		},
	}
	a.clusterFlags(c)
	c.Flags().BoolVar(&approve, "auto-approve", false, "do not ask")
	c.Flags().BoolVar(&rebuild, "rebuild", false, "begin a damaged ledger anew")
	return c
}

func (s *session) breakLock(ctx context.Context, approved bool) error {
	state, err := s.state(ctx)
	if err != nil {
		return err
	}
	locks := s.locked(state)
	if len(locks) == 0 {
		return s.say("Nobody has the lock.")
	}
	for _, held := range locks {
		if err := s.say("%s has the lock of %s since %s.", held.Holder, held.Lock, stamp(held.Since)); err != nil {
			return err
		}
	}
	if err := s.agreed(ctx, "End it?", approved); err != nil {
		return err
	}
	for _, held := range locks {
		if err := ledger.Unlock(ctx, s.ledger(), held.Claim, s.holder(ctx)); err != nil {
			return err
		}
	}
	return s.say("Unlocked.")
}

// locked are the locks that an apply of the topology has: its own, and for
// seconds that of the throttle.
func (s *session) locked(state *ledger.State) []ledger.Held {
	var all []ledger.Held
	for _, lock := range []ledger.Lock{ledger.TopologyLock(s.topology.Name), ledger.ThrottleLock} {
		if held, locked := state.HeldBy(lock); locked && held.Holder.Topology == s.topology.Name {
			all = append(all, held)
		}
	}
	return all
}

func (s *session) rebuild(ctx context.Context, approved bool) error {
	damage, err := ledger.Damage(ctx, s.ledger())
	if err != nil {
		return err
	}
	err = s.say("The ledger %s is damaged: %s.\nRebuilding it forgets who owns what, for every topology on this cluster.\nThe next apply of each adopts what it declares, as QF601 says.", damage.Topic, damage.Why)
	if err != nil {
		return err
	}
	if err := s.agreed(ctx, "Rebuild it?", approved); err != nil {
		return err
	}
	if err := ledger.Rebuild(ctx, s.ledger()); err != nil {
		return err
	}
	return s.say("Rebuilt.")
}

// state is all that the ledger says.
func (s *session) state(ctx context.Context) (*ledger.State, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	seen := ledger.Read(ctx, s.ledger())
	switch seen.State {
	case live.Present:
		return seen.Value, nil
	case live.Absent:
		return &ledger.State{}, nil
	case live.Unseen:
	}
	return nil, errors.New("the ledger cannot be read: " + needing(seen.Why, seen.Needs))
}

// needing is why something could not be read, with the right that is missing.
func needing(why, right string) string {
	if right != "" {
		why += ", this needs " + right
	}
	return why
}

// stamp is a time of the ledger, for people.
func stamp(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02 15:04:05 UTC")
}
