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

// announce tells the ledger, before anything is sent, what this apply sets out
// to do: the declared objects that are there are this topology's from now on,
// and so are those that it makes. What another topology has got meanwhile is
// not: it fails.
func (r *run) announce(ctx context.Context) {
	records, ids := []ledger.Record{r.Begun}, []schema.ID{}
	for _, c := range r.plan.Claims {
		if !r.makes[c.Object] {
			records = append(records, ledger.Owned{Object: c.Object, Topic: c.TopicID, PreventDelete: c.PreventDelete})
			ids = append(ids, c.Object)
		}
	}
	for _, id := range r.plan.Vanished {
		records = append(records, ledger.Gone{Object: id})
	}
	adopted := len(ids)
	for _, s := range r.plan.Steps {
		if r.announced(s) {
			records = append(records, ledger.Intent{Object: s.About().Object, Topic: lifeOf(s)})
			ids = append(ids, s.About().Object)
		}
	}
	if !r.write(ctx, records) {
		return
	}
	owners := r.Hold.Live().Owners
	for i, id := range ids {
		owner, _ := owners.Of(id)
		if owner.Topology == r.plan.Topology.Name {
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

// record writes down what became of the steps that were announced. Of a step
// that may have been carried out the intent stays: the next apply finds out.
func (r *run) record(ctx context.Context) {
	var records []ledger.Record
	for i, s := range r.report.Steps {
		id, outcome := s.About().Object, r.report.Results[i].Outcome
		if r.lost[id] != nil {
			continue
		}
		switch s.(type) {
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
