package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// owner is who has an object of which this life is on the cluster. Who owned
// another life of a topic, deleted since, owns nothing of this one.
func (b *builder) owner(id schema.ID, life live.TopicID) (live.Owner, bool) {
	return ownerOf(b.snapshot, id, life)
}

func ownerOf(s *live.Snapshot, id schema.ID, life live.TopicID) (live.Owner, bool) {
	owner, owned := s.Ledger.Value.Owners.Of(id)
	none := live.TopicID{}
	if owned && owner.TopicID != none && life != none && owner.TopicID != life {
		return live.Owner{}, false
	}
	return owner, owned
}

// unowned says whether an object that lives is known to be nobody's.
func (b *builder) unowned(id schema.ID, life live.TopicID) bool {
	_, owned := b.owner(id, life)
	return !owned && b.snapshot.Ledger.State != live.Unseen
}

// free refuses what another topology has.
func (b *builder) free(d *schema.Decl, id schema.ID, life live.TopicID) bool {
	owner, owned := b.owner(id, life)
	if !owned || owner.Topology == b.topology.Name {
		return true
	}
	b.refuse(d.At("topic"), fmt.Sprintf("Topic %q belongs to topology %q", id.Name, owner.Topology),
		"Use it by an external block, or let that topology go of it first: forget %q %q {}.", id.Kind, id.Name)
	return false
}

// claim notes a declared object, unless the ledger says all of it already. One
// that is still to be created has no life yet.
func (b *builder) claim(q *schema.Queue, life live.TopicID) {
	if b.snapshot.Ledger.State == live.Unseen {
		return
	}
	owner, owned := b.owner(q.ID(), life)
	c := Claim{Object: q.ID(), TopicID: life, PreventDelete: q.Lifecycle.PreventDelete}
	c.Adopts = !owned && b.snapshot.Topics[q.Topic].State == live.Present
	if !owned || owner.HalfDone || owner.TopicID != life || owner.PreventDelete != c.PreventDelete {
		b.plan.Claims = append(b.plan.Claims, c)
	}
}

// deletable refuses what was applied with prevent_delete.
func (b *builder) deletable(d *schema.Removal, life live.TopicID) bool {
	owner, _ := b.owner(d.Object, life)
	if owner.PreventDelete {
		b.refuse(d.Source, "Deletion is prevented",
			"%s was applied with prevent_delete. Declare it with prevent_delete = false and apply that first.", d.Object)
	}
	return !owner.PreventDelete
}

// remember warns where what the cluster should remember is not there.
func (b *builder) remember() {
	ledger := b.snapshot.Ledger
	switch prevents := b.prevents(); {
	case ledger.State == live.Unseen && ledger.Why != "":
		b.warn(nil, "The ledger cannot be read",
			"Who owns what is not known: %s. Apply needs to know.", cmp.Or(ledger.Needs, ledger.Why))
	case ledger.Value.Locks[b.topology.Name].Holder != "":
		lock := ledger.Value.Locks[b.topology.Name]
		b.warn(nil, "Another apply is at work", "%s applies this topology since %s. If it has died, its lock ends at %s, or now by queueform unlock.",
			lock.Holder, moment(lock.Since), moment(lock.Until))
	case ledger.State == live.Absent && prevents != nil:
		b.warn(prevents, "Nothing prevents deletions yet",
			"This cluster has no ledger, so that prevent_delete holds from the first apply on. If there was one, its topic is lost, and with it who owned what.")
	}
}

// moment is a time of the ledger, for people.
func moment(millis int64) string { return time.UnixMilli(millis).UTC().Format("15:04:05 UTC") }

// prevents is where a queue that is there is declared with prevent_delete.
func (b *builder) prevents() *hcl.Range {
	for q := range schema.All[*schema.Queue](b.topology) {
		if q.Lifecycle.PreventDelete && b.snapshot.Topics[q.Topic].State == live.Present {
			return q.At("lifecycle.prevent_delete").Ptr()
		}
	}
	return nil
}

// orphans lists what the topology owns and no block names any more: what is
// there, and what is not.
func (b *builder) orphans() {
	if b.chosen != nil {
		return
	}
	for _, id := range undeclared(b.topology, b.snapshot.Ledger.Value.Owners) {
		seen := b.snapshot.Topics[id.Name]
		_, lives := b.owner(id, seen.Value.ID)
		switch {
		case seen.State == live.Absent, seen.State == live.Present && !lives:
			b.plan.Vanished = append(b.plan.Vanished, id)
		case seen.State == live.Present:
			b.plan.Orphans = append(b.plan.Orphans, id)
		}
	}
}

// Left is the scope of what the topology owns and does not declare any more.
func Left(t *schema.Topology, owners live.Owners) live.Scope {
	s := live.Scope{Bare: true}
	for _, id := range undeclared(t, owners) {
		if id.Kind == schema.KindQueue {
			s.Topics = append(s.Topics, id.Name)
		}
	}
	return s
}

// throttled notes the topics on which an earlier apply of this topology has
// left a replication throttle.
func (b *builder) throttled() {
	throttles := b.snapshot.Ledger.Value.Throttles
	for _, topic := range slices.Sorted(maps.Keys(throttles)) {
		if throttles[topic].Topology == b.topology.Name {
			b.plan.Throttled = append(b.plan.Throttled, schema.ID{Kind: schema.KindQueue, Name: topic})
		}
	}
}

// halfDone notes what an earlier apply of this topology did not get to the end of.
func (b *builder) halfDone() {
	owners := b.snapshot.Ledger.Value.Owners
	for _, kind := range slices.Sorted(maps.Keys(owners)) {
		for _, name := range slices.Sorted(maps.Keys(owners[kind])) {
			if owner := owners[kind][name]; owner.HalfDone && owner.Topology == b.topology.Name {
				b.plan.HalfDone = append(b.plan.HalfDone, schema.ID{Kind: kind, Name: name})
			}
		}
	}
}

// undeclared are the objects that the topology has and no block names.
func undeclared(t *schema.Topology, owners live.Owners) []schema.ID {
	named := map[schema.ID]bool{}
	for _, r := range t.Resources {
		named[r.ID()] = true
	}
	for i := range t.Removals {
		named[t.Removals[i].Object] = true
	}
	var all []schema.ID
	for _, kind := range slices.Sorted(maps.Keys(owners)) {
		for _, name := range slices.Sorted(maps.Keys(owners[kind])) {
			if id := (schema.ID{Kind: kind, Name: name}); owners[kind][name].Topology == t.Name && !named[id] {
				all = append(all, id)
			}
		}
	}
	return all
}

// forget lets go of an object that the topology has, whether it is there or not.
func (b *builder) forget(r *schema.Removal) {
	if b.snapshot.Ledger.State == live.Unseen {
		unseen(b, &r.Decl, r.Object, "", b.snapshot.Ledger)
		return
	}
	if owner, _ := b.snapshot.Ledger.Value.Owners.Of(r.Object); owner.Topology == b.topology.Name {
		b.change(Change{Addr: r.Addr, Object: r.Object, Action: Forget, Source: r.Source}, &Release{Head: Head{Phase: PhaseDelete}, Topology: b.topology.Name})
	}
}

// holds says whether the ledger knows of the release, as far as it was read.
func (s *Release) holds(snapshot *live.Snapshot) error {
	if owner, _ := snapshot.Ledger.Value.Owners.Of(s.Object); owner.Topology == s.Topology {
		return fmt.Errorf("the topology %q still has it", owner.Topology)
	}
	return nil
}
