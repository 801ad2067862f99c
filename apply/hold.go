package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// What an apply owes to the ledger: the lock is held before anything is sent,
// each object is claimed before it is made, and what became of it is written
// down after.

// Hold is a lock of the ledger, as [ledger.Hold] is one.
type Hold interface {
	Check(context.Context) (until time.Time, err error)
	Write(context.Context, ...ledger.Record) (until time.Time, err error)
	Live() live.Ledger
	Release(context.Context) error
}

// held makes sure that the lock is held still, and that there is time to send
// something. Once it is not, the apply stops as if it were interrupted. What is
// sent must be sent at once: this process may be put to sleep at any moment.
func (r *run) held(ctx context.Context) bool {
	for ctx.Err() == nil {
		until, err := r.Hold.Check(context.WithoutCancel(ctx))
		if err != nil {
			r.stop(err)
			return false
		}
		if !r.Clock.Now().After(until) {
			return true
		}
	}
	return false
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

// others says which topology has an object that this one has not.
func (r *run) others(owners live.Owners, id schema.ID) error {
	if owner, _ := owners.Of(id); owner.Topology != r.plan.Topology.Name {
		return fmt.Errorf("the topology %q has it", owner.Topology)
	}
	return nil
}

// adopt notes the declared objects that are there as this topology's, before
// anything of them changes, and what has vanished as nobody's. What another
// topology has got meanwhile fails.
func (r *run) adopt(ctx context.Context) {
	var records []ledger.Record
	var adopted []schema.ID
	for _, c := range r.plan.Claims {
		if !r.makes[c.Object] {
			records = append(records, ledger.Owned{Object: c.Object, Topic: c.TopicID, PreventDelete: c.PreventDelete})
			adopted = append(adopted, c.Object)
		}
	}
	for _, id := range r.plan.Vanished {
		records = append(records, ledger.Gone{Object: id})
	}
	if len(records) == 0 || !r.write(ctx, records) {
		return
	}
	owners := r.Hold.Live().Owners
	for _, id := range adopted {
		if err := r.others(owners, id); err != nil {
			r.lost[id] = err
			r.leave(fmt.Errorf("%s: %w", id, err))
		}
	}
}

// intend announces what a batch makes, and what it deletes that was nobody's.
// It returns the steps that are this topology's to take.
func (r *run) intend(ctx context.Context, steps []plan.Step) []plan.Step {
	var records []ledger.Record
	for _, s := range steps {
		if r.announced(s) {
			records = append(records, ledger.Intent{Object: s.About().Object, Topic: lifeOf(s)})
		}
	}
	if len(records) == 0 {
		return steps
	}
	if !r.write(ctx, records) {
		return nil
	}
	owners := r.Hold.Live().Owners
	var ours []plan.Step
	for _, s := range steps {
		if err := r.others(owners, s.About().Object); err != nil {
			r.end(s, Result{Refused, err})
			continue
		}
		ours = append(ours, s)
	}
	return ours
}

// announced says whether a step needs an intent: the others are of objects
// that are this topology's already.
func (r *run) announced(s plan.Step) bool {
	switch s.(type) {
	case *plan.CreateTopic:
		return true
	case *plan.DeleteTopic:
		return r.plan.Changes[s.About().Changes[0]].Adopts
	case *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.Release:
	}
	return false
}

// lifeOf is the life of a topic that a step is about, where it is there already.
func lifeOf(s plan.Step) live.TopicID {
	if deletion, ok := s.(*plan.DeleteTopic); ok {
		return deletion.ID
	}
	return live.TopicID{}
}

// record writes down what became of a batch. Of a step that may have been
// carried out the intent stays: the next apply finds out.
func (r *run) record(ctx context.Context, steps []plan.Step) {
	var records []ledger.Record
	r.mu.Lock()
	for _, s := range steps {
		switch id, outcome := s.About().Object, r.report.Results[r.places[s]].Outcome; s.(type) {
		case *plan.CreateTopic:
			records = append(records, r.made(id, outcome)...)
		case *plan.DeleteTopic:
			if outcome == Done {
				records = append(records, ledger.Gone{Object: id})
			} else if outcome != Unknown && r.announced(s) {
				records = append(records, r.undone(id)...)
			}
		case *plan.AlterConfigs, *plan.AddPartitions, *plan.Reassign, *plan.Release:
		}
	}
	r.mu.Unlock()
	r.write(ctx, records)
}

// made is what a creation leaves to note.
func (r *run) made(id schema.ID, outcome Outcome) []ledger.Record {
	switch outcome {
	case Done:
		owned := ledger.Owned{Object: id, Topic: r.lives[id]}
		for _, c := range r.plan.Claims {
			if c.Object == id {
				owned.PreventDelete = c.PreventDelete
			}
		}
		return []ledger.Record{owned}
	case Unknown:
		return nil
	case NotDone, Refused, Skipped, Started, Postponed, NotMoved:
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
