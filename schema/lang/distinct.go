package lang

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// called is a kind of object that Kafka has names for: how messages speak of
// it, the path of the name, and what refuses names that none can have.
type called struct {
	what, path string
	check      func(s *scope, name string, at hcl.Range)
}

var naming = map[schema.Kind]called{
	schema.KindQueue: {"Topic", "topic", (*scope).ownTopic},
	schema.KindGroup: {"Group", "group_id", (*scope).plain},
	schema.KindUser:  {"User", "name", (*scope).userName},
}

// distinction finds what is declared twice. It tells of two blocks once,
// however many instances they have.
type distinction struct {
	*scope
	told map[[2]schema.Addr]bool
}

// again says whether something is to be told of two declarations.
func (s *distinction) again(one, other schema.Addr) bool {
	pair := [2]schema.Addr{one.Block(), other.Block()}
	told := s.told[pair]
	s.told[pair] = true
	return !told
}

// distinct refuses two declarations of one Kafka object, or of two that Kafka
// takes for one.
func (l *loader) distinct(t *schema.Topology) {
	s := distinction{l.scope(l.base), map[[2]schema.Addr]bool{}}
	names, metrics := map[schema.ID]*schema.Decl{}, map[string]*schema.Decl{}
	for _, r := range t.Resources {
		d, id := r.Declared(), r.ID()
		as, named := naming[id.Kind]
		if !named {
			continue
		}
		first, twice := names[id]
		if twice && s.again(d.Addr, first.Addr) {
			s.refuse(d.At(as.path), fmt.Sprintf("%s %q is declared twice", as.what, id.Name), "%s at %s declares it too, and this is %s.", first.Addr, diag.Place(first.At(as.path)), d.Addr)
		}
		if !twice {
			names[id] = d
			s.metric(d, id, metrics)
		}
	}
	s.allotments(t)
	s.removals(t, names)
}

// metric refuses a topic whose metrics would be another's.
func (s *distinction) metric(d *schema.Decl, id schema.ID, metrics map[string]*schema.Decl) {
	if id.Kind != schema.KindQueue {
		return
	}
	metric := strings.ReplaceAll(id.Name, ".", "_")
	first, alike := metrics[metric]
	switch {
	case !alike:
		metrics[metric] = d
	case s.again(d.Addr, first.Addr):
		s.refuse(d.At("topic"), "Topics that differ only in . and _",
			"Kafka takes %q, which is %s, for the name of %s at %s: their metrics collide, and once they are created neither can be made again.",
			id.Name, d.Addr, first.Addr, diag.Place(first.At("topic")))
	}
}

// allotments refuses two limits of one entity that are about the same.
func (s *distinction) allotments(t *schema.Topology) {
	var first schema.Allotment
	for _, a := range t.Allotments() {
		switch {
		case a.Entity != first.Entity || a.Key != first.Key:
			first = a
		case s.again(a.By, first.By):
			s.refuse(a.Source, fmt.Sprintf("%s is limited twice", a.Key), "%s at %s sets it for %s, and this is %s. Remove one of the two.", first.By, diag.Place(first.Source), a.Entity, a.By)
		}
	}
}

// removed says what a removal does to an object.
var removed = map[schema.Role]string{schema.RoleDelete: "deleted", schema.RoleForget: "forgotten"}

// removals refuses to let go of what is declared, and to say it twice.
func (s *distinction) removals(t *schema.Topology, declared map[schema.ID]*schema.Decl) {
	named := map[schema.ID]*schema.Removal{}
	for i := range t.Removals {
		r := &t.Removals[i]
		as := naming[r.Object.Kind]
		if first, ok := declared[r.Object]; ok {
			s.refuse(r.At(as.path), fmt.Sprintf("%s %q is declared and %s", as.what, r.Object.Name, removed[r.Addr.Role]), "%s at %s declares it. Remove one of the two blocks.", first.Addr, diag.Place(first.At(as.path)))
		}
		switch first, twice := named[r.Object]; {
		case !twice:
		case first.Addr == r.Addr:
			s.refuse(r.At(as.path), fmt.Sprintf("%s stands twice", r.Addr), "It stands at %s already. Once is enough.", diag.Place(first.At(as.path)))
		default:
			s.refuse(r.At(as.path), fmt.Sprintf("%s %q is deleted and forgotten", as.what, r.Object.Name), "%s stands at %s. Remove one of the two blocks.", first.Addr, diag.Place(first.At(as.path)))
		}
		named[r.Object] = r
	}
}
