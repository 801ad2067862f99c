package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
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

// taken are objects that are declared at one place, and that another topology has.
type taken struct {
	at      hcl.Range
	role    schema.Role
	owner   string
	objects []schema.ID // of one kind
}

// free refuses what another topology has.
func (b *builder) free(d *schema.Decl, id schema.ID, life live.TopicID) bool {
	owner, owned := b.owner(id, life)
	if !owned || owner.Topology == b.topology.Name {
		return true
	}
	at := d.At(nameOf[id.Kind])
	alike := func(t taken) bool { return t.at == at && t.owner == owner.Topology && t.objects[0].Kind == id.Kind }
	if i := slices.IndexFunc(b.taken, alike); i >= 0 {
		b.taken[i].objects = append(b.taken[i].objects, id)
	} else {
		b.taken = append(b.taken, taken{at, d.Addr.Role, owner.Topology, []schema.ID{id}})
	}
	return false
}

// refuseTaken tells what other topologies have, of the instances of one block at once.
func (b *builder) refuseTaken() {
	for _, t := range b.taken {
		first, belong := t.objects[0], "belongs"
		if more := len(t.objects) - 1; more > 0 {
			belong = fmt.Sprintf("and %s more belong", humanize.Comma(int64(more)))
		}
		b.refuse(t.at, fmt.Sprintf("%s %q %s to topology %q", title(noun[first.Kind]), first.Name, belong, t.owner), "%s", t.remedy())
	}
}

// remedy is how to get it.
func (t *taken) remedy() string {
	id := t.objects[0]
	forget := fmt.Sprintf("let that topology go of it first: forget %q %q {}.", id.Kind, id.Name)
	if id.Kind == schema.KindQuota {
		return "Limits go with their blocks: take those of that topology out of its files, and apply it first."
	}
	if id.Kind == schema.KindQueue && t.role != schema.RoleDelete {
		return "Use it by an external block, or " + forget
	}
	return title(forget)
}

// nameOf is the argument that names an object.
var nameOf = map[schema.Kind]string{schema.KindQueue: "topic", schema.KindUser: "name", schema.KindGroup: "group_id"}

// noun is what people call an object.
var noun = map[schema.Kind]string{
	schema.KindQueue: "topic", schema.KindUser: "user", schema.KindGroup: "group", schema.KindACL: "right", schema.KindQuota: "quota",
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// claim notes a declared object that one topology alone can have.
func (b *builder) claim(c Claim) {
	owner, owned := b.owner(c.Object, c.TopicID)
	state, _ := kindOf(c.Object.Kind).lives(c.Object.Name, b.snapshot)
	c.Adopts = !owned && state == live.Present
	b.note(c, owner, owned)
}

// note keeps a claim, unless the ledger says all of it already.
func (b *builder) note(c Claim, owner live.Owner, owned bool) {
	if b.snapshot.Ledger.State != live.Unseen && (!owned || owner.HalfDone || !c.noted(&owner)) {
		b.plan.Claims = append(b.plan.Claims, c)
	}
}

// noted says whether the ledger knows all that the claim says.
func (c *Claim) noted(o *live.Owner) bool {
	return o.TopicID == c.TopicID && o.PreventDelete == c.PreventDelete && o.Made == c.Made && o.Password == c.Password && slices.Equal(o.Keys, c.Keys) &&
		maps.EqualFunc(o.Seeds, c.Seeds, live.Seed.Equal)
}

// claimQueue notes a queue. One that is still to be created has no life yet.
func (b *builder) claimQueue(q *schema.Queue, life live.TopicID) {
	b.claim(Claim{Object: q.ID(), TopicID: life, PreventDelete: q.Lifecycle.PreventDelete})
}

// removals carries out the delete and forget blocks of one kind.
func (b *builder) removals(k schema.Kind, deletion func(*schema.Removal)) {
	for i := range b.topology.Removals {
		r := &b.topology.Removals[i]
		switch {
		case r.Object.Kind != k || !b.chosen.has(r.Addr):
		case r.Addr.Role == schema.RoleForget:
			b.forget(r)
		default:
			deletion(r)
		}
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
			lock.Holder, live.Moment(lock.Since), live.Moment(lock.Until))
	case ledger.State == live.Absent && prevents != nil:
		b.warn(prevents, "Nothing prevents deletions yet",
			"This cluster has no ledger, so that prevent_delete holds from the first apply on. If there was one, its topic is lost, and with it who owned what.")
	}
	if unfit := ledger.Value.Unfit; unfit != "" {
		b.warn(nil, "Apply would refuse the ledger", "%s.", unfit)
	}
}

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
		state, life := kindOf(id.Kind).lives(id.Name, b.snapshot)
		_, lives := b.owner(id, life)
		switch {
		case state == live.Absent && b.changes(id): // something is left of it still
		case state == live.Absent, state == live.Present && !lives:
			b.plan.Vanished = append(b.plan.Vanished, id)
		case state == live.Present:
			b.plan.Orphans = append(b.plan.Orphans, id)
		}
	}
}

// changes says whether the plan changes an object.
func (b *builder) changes(id schema.ID) bool {
	return slices.ContainsFunc(b.plan.Changes, func(c Change) bool { return c.Object == id })
}

// vanished notes that what a delete block names is gone already.
func (b *builder) vanished(id schema.ID) {
	if owner, _ := b.owner(id, live.TopicID{}); owner.Topology == b.topology.Name {
		b.plan.Vanished = append(b.plan.Vanished, id)
	}
}

// Left is the scope of what the topology owns and does not declare any more.
func Left(t *schema.Topology, l live.Ledger) live.Scope {
	s := live.Scope{Bare: true}
	for _, id := range undeclared(t, l.Owners) {
		kindOf(id.Kind).asks(id.Name, &s)
	}
	asked := Scope(t)
	for _, owner := range l.Owners[schema.KindQuota] {
		s.Quotas = s.Quotas || owner.Topology == t.Name && !asked.Quotas
	}
	for _, holders := range l.Holders {
		_, held := holders[t.Name]
		s.Bindings = s.Bindings || held && !asked.Bindings
	}
	return s
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

// undeclared are the objects that the topology has and no block names, of the
// kinds that go by a delete block alone.
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
		if kind == schema.KindQuota {
			continue // they go with their blocks
		}
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
