// Package planfile is the versioned plan document: what renderers read, what
// `plan --out` writes and what `apply PLANFILE` carries out.
//
// Learn [Document], [New] and [Decode]. There is no secret in a document.
package planfile

import (
	"errors"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// FormatVersion is the version of the document that this package writes. A
// reader refuses a newer one.
const FormatVersion = 1

// Document is a plan in plain values. Lists are never null.
type Document struct {
	FormatVersion int           `json:"format_version"`
	Version       string        `json:"queueform_version"`
	Topology      string        `json:"topology"` // its name
	Cluster       Cluster       `json:"cluster"`
	Digest        string        `json:"digest"` // of the evaluated topology; only where the document is kept, see [Document.Bind]
	Target        []schema.Addr `json:"target"`
	Changes       []Change      `json:"changes"`
	Steps         []Step        `json:"steps"`
	Adopts        []Object      `json:"adopts"`
	Orphans       []Object      `json:"orphans"`
	HalfDone      []Object      `json:"half_done"` // what an earlier apply set out to make or delete, and never said how that ended
	Vanished      []Object      `json:"vanished"`  // what this topology owned, declares no more, and is not there
	Released      []Object      `json:"released"`  // rights that it held and declares no more: they stay, being another's too or older than queueform
	Moving        []Moving      `json:"moving"`
	Throttled     []Object      `json:"throttled"`           // on which an earlier apply left a replication throttle
	Unclaimed     []Throttle    `json:"unclaimed_throttles"` // that the ledger does not know of: they stay
	Unseen        []Obstacle    `json:"unseen"`
	Blocked       []Obstacle    `json:"blocked"`
	Errors        []Problem     `json:"errors"` // what the files ask for and the cluster would refuse: nothing of such a plan is applied
	Summary       Summary       `json:"summary"`
	Checksum      string        `json:"checksum,omitempty"` // over all the rest
}

// Cluster is what the plan was made for.
type Cluster struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// Change is one object's difference.
type Change struct {
	Address  schema.Addr  `json:"address"`
	Kind     schema.Kind  `json:"kind"`
	Name     string       `json:"name"`
	Action   plan.Action  `json:"action"`
	Fields   []Field      `json:"fields"`
	Hazards  []Hazard     `json:"hazards"`
	NeededBy *schema.Addr `json:"needed_by,omitempty"`
	Adopts   bool         `json:"adopts,omitempty"` // the object lives, and was nobody's until now
	Check    string       `json:"check"`            // "checked by the broker", or "not checked (why)"
	Facts    []Fact       `json:"facts"`
	Source   Source       `json:"source"`
}

// Field is one value that changes. Values are the broker's own; Spelling is
// the file's, BeforeSpelling how a person writes the broker's.
type Field struct {
	Path           string    `json:"path"`
	Before         Value     `json:"before"`
	After          Value     `json:"after"`
	BeforeSpelling string    `json:"before_spelling,omitempty"`
	Spelling       string    `json:"spelling,omitempty"`
	Inherited      plan.Side `json:"inherited,omitempty"` // which side is not set on the object itself
	Source         Source    `json:"source"`
}

// Fact is a value that the change was planned upon: once it is another, the
// plan is not carried out.
type Fact struct {
	Path  string `json:"path"`
	Value Value  `json:"value"`
}

// Hazard is a danger of a change.
type Hazard struct {
	Code        string         `json:"code"`
	Severity    guard.Severity `json:"severity"`
	Summary     string         `json:"summary"`
	BlastRadius Radius         `json:"blast_radius"`
	Flag        string         `json:"flag,omitempty"` // what lets it pass
}

// Radius is at most what is lost or moved; null is unknown.
type Radius struct {
	Messages *int64   `json:"messages"`
	Bytes    *int64   `json:"bytes"`
	Groups   []Reader `json:"groups"`
	Why      string   `json:"why,omitempty"` // something is null
}

// Reader is a group that reads what is lost, and how much of it is unread, at most.
type Reader struct {
	Group  string `json:"group"`
	Unread int64  `json:"unread"`
}

// Source is a place in the files.
type Source struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Object is one of Kafka's objects.
type Object struct {
	Address *schema.Addr `json:"address,omitempty"`
	Kind    schema.Kind  `json:"kind"`
	Name    string       `json:"name"`
}

// Moving is a partition that is on its way already.
type Moving struct {
	Address   schema.Addr `json:"address"`
	Name      string      `json:"name"`
	Partition int         `json:"partition"`
	To        []int32     `json:"to"`     // the replicas it will have
	Adding    []int32     `json:"adding"` // those of them that copy it
}

// Throttle is a config of a replication throttle.
type Throttle struct {
	Owner string `json:"owner"` // "topic shop.orders", "broker 1"
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Obstacle is something declared that could not be compared, or cannot be done now.
type Obstacle struct {
	Address schema.Addr `json:"address"`
	Kind    schema.Kind `json:"kind"`
	Name    string      `json:"name"`
	Path    string      `json:"path,omitempty"` // empty: the object itself
	Reason  string      `json:"reason"`
	Missing string      `json:"missing_permission,omitempty"`
	Source  Source      `json:"source"`
}

// Problem is an error in the files that the cluster brought to light.
type Problem struct {
	Summary string  `json:"summary"`
	Detail  string  `json:"detail,omitempty"`
	Source  *Source `json:"source,omitempty"` // missing: of no place
}

// Summary counts the changes by action.
type Summary struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Delete int `json:"delete"`
	Forget int `json:"forget"`
}

// Changes is the number of all changes.
func (s Summary) Changes() int { return s.Create + s.Update + s.Delete + s.Forget }

// Bind notes what the plan was made from, for a document that is kept. People
// who read the plan at once have no use for it, and it takes its time.
func (d *Document) Bind(t *schema.Topology) { d.Digest = t.Digest() }

// New writes a plan down, with what was found dangerous in it, and what is
// wrong with it: of problems the errors are kept.
func New(p *plan.Plan, found []guard.Finding, problems hcl.Diagnostics, version string) *Document {
	d := &Document{
		FormatVersion: FormatVersion, Version: version,
		Topology: p.Topology.Name,
		Cluster:  Cluster{ID: p.Cluster.ID}, Target: listed(p.Target),
		Adopts: []Object{},
	}
	if p.Topology.Cluster != nil {
		d.Cluster.Name = p.Topology.Cluster.Name
	}
	d.Changes = mapped(p.Changes, change)
	for _, f := range found {
		c := &d.Changes[f.Change]
		c.Hazards = append(c.Hazards, hazard(f))
	}
	d.Steps = mapped(p.Steps, func(s *plan.Step) Step { return Step{*s} })
	d.Moving = mapped(p.Moving, func(m *plan.Moving) Moving {
		return Moving{Address: m.Addr, Name: m.Object.Name, Partition: m.Partition, To: listed(m.To), Adding: listed(m.Adding)}
	})
	for i := range p.Claims {
		if c := &p.Claims[i]; c.Adopts {
			d.Adopts = append(d.Adopts, object(&c.Object))
		}
	}
	d.Throttled, d.HalfDone = mapped(p.Throttled, object), mapped(p.HalfDone, object)
	d.Unclaimed = mapped(p.Unclaimed, func(u *plan.Unclaimed) Throttle { return Throttle(*u) })
	d.Orphans, d.Vanished, d.Released = mapped(p.Orphans, object), mapped(p.Vanished, object), mapped(p.Released, object)
	d.Unseen = mapped(p.Unseen, func(u *plan.Unseen) Obstacle {
		return Obstacle{u.Addr, u.Object.Kind, u.Object.Name, u.Path, u.Why, u.Needs, source(u.Source)}
	})
	d.Blocked = mapped(p.Blocked, func(b *plan.Blocked) Obstacle {
		return Obstacle{b.Addr, b.Object.Kind, b.Object.Name, b.Path, b.Why, "", source(b.Source)}
	})
	d.Errors = mapped(problems.Errs(), problem)
	for i := range d.Changes {
		d.Summary.count(d.Changes[i].Action)
	}
	return d
}

func object(id *schema.ID) Object { return Object{Kind: id.Kind, Name: id.Name} }

func problem(err *error) Problem {
	d, ok := errors.AsType[*hcl.Diagnostic](*err)
	if !ok {
		return Problem{Summary: (*err).Error()}
	}
	p := Problem{Summary: d.Summary, Detail: d.Detail}
	if d.Subject != nil {
		p.Source = new(source(*d.Subject))
	}
	return p
}

func (s *Summary) count(a plan.Action) {
	switch a {
	case plan.Create:
		s.Create++
	case plan.Update:
		s.Update++
	case plan.Delete:
		s.Delete++
	case plan.Forget:
		s.Forget++
	}
}

func change(c *plan.Change) Change {
	return Change{
		Address: c.Addr, Kind: c.Object.Kind, Name: c.Object.Name, Action: c.Action,
		Fields: mapped(c.Fields, field), Hazards: []Hazard{}, NeededBy: c.NeededBy, Adopts: c.Adopts,
		Check: c.Check.String(), Source: source(c.Source),
		Facts: mapped(c.Facts, func(f *plan.Fact) Fact { return Fact{Path: f.Path, Value: Value{f.Value}} }),
	}
}

func field(f *plan.Field) Field {
	d := Field{Path: f.Path, Before: Value{f.Before}, After: Value{f.After}, Spelling: f.Spelling, Inherited: f.Inherited, Source: source(f.Source)}
	key, _ := plan.ConfigKey(f.Path)
	known, _ := catalog.Find(key)
	d.BeforeSpelling = respelled(known, f.Before)
	if f.Inherited == plan.After {
		d.Spelling = respelled(known, f.After)
	}
	return d
}

func respelled(key catalog.Key, v plan.Value) string {
	text, ok := v.(string)
	if !ok {
		return ""
	}
	if spelled := key.Spell(text); spelled != text {
		return spelled
	}
	return ""
}

func hazard(f guard.Finding) Hazard {
	h := Hazard{Code: f.Code, Severity: f.Severity, Summary: f.Summary, BlastRadius: Radius{Messages: f.Radius.Messages, Bytes: f.Radius.Bytes, Why: f.Radius.Why}}
	if f.Radius.Groups != nil {
		h.BlastRadius.Groups = mapped(f.Radius.Groups, func(r *guard.Reader) Reader { return Reader(*r) })
	}
	if f.Severity == guard.Blocks {
		h.Flag = f.Flag()
	}
	return h
}

func source(r hcl.Range) Source {
	return Source{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}

func (s Source) String() string {
	if s.File == "" {
		return "" // the ledger alone knows it
	}
	return s.File + ":" + strconv.Itoa(s.Line) + ":" + strconv.Itoa(s.Column)
}

func mapped[A, B any](from []A, one func(*A) B) []B {
	to := make([]B, len(from))
	for i := range from {
		to[i] = one(&from[i])
	}
	return to
}

func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return slices.Clone(list)
}

// Blocking says whether a hazard stops the change unless it is allowed.
func (c *Change) Blocking() bool {
	return slices.ContainsFunc(c.Hazards, func(h Hazard) bool { return h.Severity == guard.Blocks })
}
