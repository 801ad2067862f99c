package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// users is what users and deletions of users bring to a plan.
type users struct{}

func (users) of() schema.Kind { return schema.KindUser }

func (users) scope(t *schema.Topology, s *live.Scope) {
	for u := range schema.All[*schema.User](t) {
		s.Users = append(s.Users, u.Name)
	}
	removed(t, schema.KindUser, &s.Users)
}

func (users) asks(name string, s *live.Scope) { s.Users = append(s.Users, name) }

func (users) lives(name string, s *live.Snapshot) (live.State, live.TopicID) {
	return s.Users[name].State, live.TopicID{}
}

func (users) diff(b *builder) {
	for u := range schema.All[*schema.User](b.topology) {
		if b.chosen.has(u.Addr) {
			b.user(u)
		}
	}
	b.removals(schema.KindUser, b.userDeletion)
}

func (b *builder) user(u *schema.User) {
	seen := b.snapshot.Users[u.Name]
	if seen.State == live.Unseen {
		unseen(b, &u.Decl, u.ID(), "", seen)
		return
	}
	if !b.free(&u.Decl, u.ID(), live.TopicID{}) {
		return
	}
	b.claim(Claim{Object: u.ID(), Password: u.PasswordVersion})
	set := &AlterUser{Head: Head{Phase: PhaseUsers}, Iterations: u.Iterations}
	fields := b.credentials(u, seen.Value, set)
	if set.Records = len(set.Set) + len(set.Remove); set.Records == 0 {
		return
	}
	c := Change{Addr: u.Addr, Object: u.ID(), Action: Update, Source: u.Source, Fields: fields}
	if seen.State == live.Absent {
		c.Action = Create
	} else {
		c.Adopts = b.unowned(u.ID(), live.TopicID{})
	}
	b.change(c, set)
}

// credentials compares what a user logs in by, and adds to the step what makes
// it so. Passwords are compared by their versions: Kafka does not show them.
func (b *builder) credentials(u *schema.User, has live.User, step *AlterUser) []Field {
	var fields []Field
	version, anew := b.password(u, has)
	if before, set := version.(int); set && anew && before > u.PasswordVersion {
		at := u.At("password_version")
		b.warn(&at, "A password version goes back", "It was %d when it was last set, and is %d: the files may be older than what was applied. The password is set to that of now all the same.", before, u.PasswordVersion)
	}
	if anew {
		fields = append(fields, Field{Path: "password_version", Before: version, After: u.PasswordVersion, Source: u.At("password_version")})
	}
	for _, m := range u.Mechanisms {
		if iterations, set := has[m]; !set || iterations != u.Iterations {
			field := Field{Path: iterationsOf(m), After: u.Iterations, Source: u.At("mechanisms")}
			if set {
				field.Before, field.Source = iterations, u.At("iterations")
			}
			fields = append(fields, field)
		} else if !anew {
			continue
		}
		step.Set = append(step.Set, m)
	}
	for _, m := range slices.Sorted(maps.Keys(has)) {
		if !slices.Contains(u.Mechanisms, m) {
			step.Remove = append(step.Remove, m)
			fields = append(fields, Field{Path: iterationsOf(m), Before: has[m], Source: u.At("mechanisms")})
		}
	}
	return fields
}

// password says whether the password is to be set: the files ask for another
// version than the one that is set, or whether it was set is not known. That of
// a user who was there before is left as it is.
func (b *builder) password(u *schema.User, has live.User) (version Value, anew bool) {
	owner, owned := b.owner(u.ID(), live.TopicID{})
	switch {
	case len(has) == 0:
		return nil, true
	case !owned:
		return nil, false
	case owner.HalfDone || owner.Password == 0:
		return nil, true
	}
	return owner.Password, owner.Password != u.PasswordVersion
}

// iterationsOf is the path of a mechanism's iterations.
func iterationsOf(m schema.Mechanism) string { return iterationsPrefix + string(m) }

const iterationsPrefix = "iterations."

// IsMechanism says whether a path is that of a user's mechanism.
func IsMechanism(path string) bool { return strings.HasPrefix(path, iterationsPrefix) }

func (b *builder) userDeletion(d *schema.Removal) {
	switch seen := b.snapshot.Users[d.Object.Name]; seen.State {
	case live.Present:
		if !b.free(&d.Decl, d.Object, live.TopicID{}) {
			return
		}
		c := Change{Addr: d.Addr, Object: d.Object, Action: Delete, Source: d.Source, Adopts: b.unowned(d.Object, live.TopicID{})}
		step := &AlterUser{Head: Head{Phase: PhaseDelete, Records: len(seen.Value)}, Remove: slices.Sorted(maps.Keys(seen.Value))}
		for _, m := range step.Remove {
			c.Fields = append(c.Fields, Field{Path: iterationsOf(m), Before: seen.Value[m], Source: d.Source})
		}
		b.change(c, step)
	case live.Unseen:
		unseen(b, &d.Decl, d.Object, "", seen)
	case live.Absent:
		b.vanished(d.Object)
	}
}

// facts are how many iterations each mechanism has.
func (users) facts(c *Change, s *live.Snapshot) []Fact {
	seen := s.Users[c.Object.Name]
	if seen.State == live.Unseen {
		return nil
	}
	facts := ownership(c, s, live.TopicID{})
	for _, m := range schema.Mechanisms() {
		if !m.Scram() {
			continue
		}
		fact := Fact{Path: iterationsOf(m)}
		if iterations, set := seen.Value[m]; set {
			fact.Value = iterations
		}
		facts = append(facts, fact)
	}
	return facts
}

func (users) holds(step Step, s *live.Snapshot) error {
	alter := step.(*AlterUser)
	name := alter.Object.Name
	seen := s.Users[name]
	if seen.State == live.Unseen {
		return fmt.Errorf("user %q cannot be seen: %s", name, seen.Reason())
	}
	for _, m := range alter.Set {
		if has := seen.Value[m]; has != alter.Iterations {
			return fmt.Errorf("user %q has %d iterations of %s, not %d", name, has, m, alter.Iterations)
		}
	}
	for _, m := range alter.Remove {
		if _, set := seen.Value[m]; set {
			return fmt.Errorf("user %q still has %s", name, m)
		}
	}
	return nil
}
