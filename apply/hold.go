package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// What an apply owes to the ledger: each object is announced before it is made,
// the lock is held before anything is sent, and what became of it is written
// down after.

// Hold is a lock of the ledger, as [ledger.Hold] is one.
type Hold interface {
	Check(context.Context) (until time.Time, err error)
	Write(context.Context, ...ledger.Record) (until time.Time, err error)
	Live() live.Ledger
	Release(context.Context) error
}

// held makes sure that the topology's lock is held still. Once it is not, the
// apply stops as if it were interrupted.
func (r *run) held(ctx context.Context) bool {
	err := r.sure(ctx, r.Hold)
	if err != nil {
		r.stop(err)
	}
	return err == nil
}

// sure says why a lock is not held any more; nil: it is, and there is time to
// send something. What is sent must be sent at once: this process may be put to
// sleep at any moment.
func (r *run) sure(ctx context.Context, lock Hold) error {
	for ctx.Err() == nil {
		until, err := lock.Check(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if !r.Clock.Now().After(until) {
			return nil
		}
	}
	return context.Cause(ctx)
}

// write tells the ledger, and makes sure that the lock is held still.
func (r *run) write(ctx context.Context, records []ledger.Record) bool {
	if len(records) == 0 {
		return true
	}
	if _, err := r.Hold.Write(context.WithoutCancel(ctx), records...); err != nil {
		r.stop(err)
		return false
	}
	return true
}

// announce tells the ledger, before anything is sent, what this apply sets out
// to do: the declared objects that are there are this topology's from now on,
// and so are those that it makes. What another topology has got meanwhile is
// not: it fails.
func (r *run) announce(ctx context.Context) {
	records, ids := []ledger.Record{r.Begun}, []schema.ID{}
	for _, c := range r.plan.Claims {
		if !r.makes[c.Object] {
			records = append(records, owned(&c))
			ids = append(ids, c.Object)
		}
	}
	for _, id := range slices.Concat(r.plan.Vanished, r.plan.Released) {
		records = append(records, ledger.Gone{Object: id})
	}
	adopted := len(ids)
	for _, s := range r.plan.Steps {
		if r.announced(s) {
			records = append(records, intent(s))
			ids = append(ids, s.About().Object)
		}
	}
	if !r.write(ctx, records) {
		return
	}
	owners := r.Hold.Live().Owners
	for i, id := range ids {
		owner, _ := owners.Of(id)
		if id.Kind.Shared() || owner.Topology == r.plan.Topology.Name {
			continue
		}
		r.lost[id] = fmt.Errorf("the topology %q has it", owner.Topology)
		if i < adopted {
			r.leave(fmt.Errorf("%s: %w", id, r.lost[id]))
		}
	}
}

// announced says whether a step needs an intent: the others are of objects
// that are this topology's already.
func (r *run) announced(s plan.Step) bool {
	switch s := s.(type) {
	case *plan.CreateTopic, *plan.CreateACL, *plan.SeedOffsets:
		return true
	case *plan.AlterConfigs:
		return s.Object.Kind == schema.KindGroup // whose keys are remembered
	case *plan.DeleteGroup:
		return r.plan.Changes[s.Changes[0]].Adopts
	case *plan.DeleteTopic:
		return r.plan.Changes[s.Changes[0]].Adopts
	case *plan.AlterUser:
		return len(s.Set) > 0 || r.plan.Changes[s.Changes[0]].Adopts
	case *plan.AlterQuota:
		return s.Phase != plan.PhaseRevoke // what it changes is claimed after it, never before
	case *plan.AddPartitions, *plan.Reassign, *plan.Release, *plan.DeleteACL:
	}
	return false
}

// removes says whether a step takes its object away.
func removes(s plan.Step) bool {
	switch s := s.(type) {
	case *plan.DeleteTopic, *plan.DeleteACL, *plan.DeleteGroup:
		return true
	case *plan.AlterUser:
		return s.Phase == plan.PhaseDelete
	case *plan.AlterQuota:
		return s.Phase == plan.PhaseRevoke
	case *plan.CreateTopic, *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.Release, *plan.CreateACL, *plan.SeedOffsets:
	}
	return false
}

// intent announces a step.
func intent(s plan.Step) ledger.Intent {
	i := ledger.Intent{Object: s.About().Object}
	switch s := s.(type) {
	case *plan.DeleteTopic:
		i.Topic = s.ID
	case *plan.CreateACL:
		i.Makes = true
	case *plan.AlterConfigs:
		i.Keys = slices.Sorted(maps.Keys(s.Set))
	case *plan.AlterQuota:
		for key := range s.Set {
			i.Keys = append(i.Keys, string(key))
		}
		slices.Sort(i.Keys)
	case *plan.CreateTopic, *plan.AddPartitions, *plan.Reassign, *plan.Release, *plan.AlterUser, *plan.DeleteACL, *plan.SeedOffsets, *plan.DeleteGroup:
	}
	return i
}

// owned is what the ledger is told of a claim.
func owned(c *plan.Claim) ledger.Owned {
	return ledger.Owned{
		Object: c.Object, Topic: c.TopicID, PreventDelete: c.PreventDelete, Made: c.Made, Keys: c.Keys, Password: c.Password,
		Seeds: c.Seeds,
	}
}

// record writes down what became of the steps that were announced. Of a step
// that may have been carried out the intent stays: the next apply finds out.
func (r *run) record(ctx context.Context) {
	claims := make(map[schema.ID]ledger.Owned, len(r.plan.Claims))
	for _, c := range r.plan.Claims {
		claims[c.Object] = owned(&c)
	}
	var records []ledger.Record
	stays := r.stays()
	for i, s := range r.report.Steps {
		id, outcome := s.About().Object, r.report.Results[i].Outcome
		if r.lost[id] != nil {
			continue
		}
		switch {
		case removes(s) && (outcome == Done || outcome == Kept):
			records = append(records, ledger.Gone{Object: id})
		case removes(s) && outcome != Unknown && r.announced(s):
			records = append(records, r.undone(id)...)
		case !removes(s) && r.announced(s):
			outcome, first := stays[id]
			if !first {
				continue // of another step of the object all was said
			}
			delete(stays, id)
			claim, news := claims[id]
			if !news {
				claim = r.known(id)
			}
			claim.Keys = r.keys(claim)
			records = append(records, r.made(claim, outcome)...)
		}
	}
	r.write(ctx, records)
}

// stays is how it went with the objects that are not to go: of several steps,
// what is not known of one is not known of the object, and one that is done
// makes it the topology's.
func (r *run) stays() map[schema.ID]Outcome {
	all := map[schema.ID]Outcome{}
	for i, s := range r.report.Steps {
		if removes(s) || !r.announced(s) {
			continue
		}
		id, outcome := s.About().Object, r.report.Results[i].Outcome
		if before, several := all[id]; !several || outcome == Unknown || outcome == Done && before != Unknown {
			all[id] = outcome
		}
	}
	return all
}

// keys are those of a claim but for those of a group that were not set.
func (r *run) keys(claim ledger.Owned) []string {
	keys := claim.Keys
	for i, s := range r.report.Steps {
		alter, ok := s.(*plan.AlterConfigs)
		if !ok || alter.Object != claim.Object || r.report.Results[i].Outcome == Done {
			continue
		}
		had := r.known(claim.Object).Keys
		keys = slices.DeleteFunc(slices.Clone(keys), func(key string) bool {
			_, sets := alter.Set[key]
			return sets && !slices.Contains(had, key)
		})
	}
	return keys
}

// known is what the ledger says of an object: all that the plan claims of it,
// where the plan has no claim.
func (r *run) known(id schema.ID) ledger.Owned {
	owner, _ := r.plan.Ledger.Value.Owners.Of(id)
	if id.Kind.Shared() {
		owner = r.plan.Ledger.Value.Holders[id.Name][r.plan.Topology.Name]
	}
	return ledger.Owned{Object: id, Topic: owner.TopicID, PreventDelete: owner.PreventDelete, Made: owner.Made, Keys: owner.Keys, Password: owner.Password, Seeds: owner.Seeds}
}

// made is what a step leaves to note that did not take its object away.
func (r *run) made(claim ledger.Owned, outcome Outcome) []ledger.Record {
	id := claim.Object
	switch outcome {
	case Done:
		if life, created := r.lives[id]; created {
			claim.Topic = life
		}
		claim.Seeds = r.seeds[id].after(claim.Seeds)
		return []ledger.Record{claim}
	case Unknown:
		return nil
	case NotDone, Refused, Skipped, Started, Postponed, Kept, NotMoved:
	}
	return r.undone(id)
}

// undone takes an announcement back, but not that of an earlier apply which may
// have done it.
func (r *run) undone(id schema.ID) []ledger.Record {
	if owner, _ := r.plan.Ledger.Value.Owners.Of(id); owner.HalfDone {
		return nil
	}
	return []ledger.Record{ledger.Undone{Object: id}}
}

// release lets go of objects.
func (r *run) release(ctx context.Context, steps []plan.Step) {
	records := make([]ledger.Record, len(steps))
	for i, s := range steps {
		records[i] = ledger.Gone{Object: s.About().Object}
	}
	if r.write(ctx, records) {
		for _, s := range steps {
			r.end(s, Result{Outcome: Done})
		}
	}
}
