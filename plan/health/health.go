// Package health says how queues and groups are doing: a pure function from a
// topology, its plan and two samples of the cluster to a status document.
//
// Learn [Document], [New] and [Finding]. What to read for it is [Unread] and
// [Topics]; reading is package inspect's concern, showing package render's.
package health

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// FormatVersion is the version of the document that this package writes.
const FormatVersion = 1

// Document is a status in plain values. Lists are never null; other values are
// null where they are not known.
type Document struct {
	FormatVersion int        `json:"format_version"`
	Version       string     `json:"queueform_version"`
	At            time.Time  `json:"at"`
	Interval      float64    `json:"interval_seconds"` // that rates are made over; 0: there are none
	Topology      string     `json:"topology"`
	Cluster       Cluster    `json:"cluster"`
	Applied       bool       `json:"applied"`  // nothing is to be changed
	Findings      []Finding  `json:"findings"` // the most urgent first
	Queues        []Queue    `json:"queues"`
	Groups        []Group    `json:"groups"`
	Capacity      []Need     `json:"capacity"`
	Users         []User     `json:"users"`
	Quotas        []Quota    `json:"quotas"`
	Differences   []Change   `json:"differences"`
	Leftovers     []Leftover `json:"leftovers"`
	Locked        *bool      `json:"locked"` // whether an apply is at work, or has died
	Lock          *Lock      `json:"lock"`   // null: nobody has it, or it is not known
	Unseen        []Unseen   `json:"unseen"`
}

// Cluster is where it was read.
type Cluster struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Brokers int    `json:"brokers"` // those that are up
}

// Change is a difference between the files and the cluster.
type Change struct {
	Address schema.Addr `json:"address"`
	Name    string      `json:"name"`
	Action  plan.Action `json:"action"`
	Blocked string      `json:"blocked,omitempty"` // why the cluster cannot make it good now
}

// Leftover is what an earlier apply, or an earlier version of the files, has left.
type Leftover struct {
	Left   Left        `json:"left"`
	Object schema.Kind `json:"kind"`
	Name   string      `json:"name"`
}

// Left says how something was left.
type Left string

// The ways in which things are left.
const (
	Throttled Left = "throttled" // a replication throttle that apply removes when nothing moves
	HalfDone  Left = "half_done" // an apply set out to change it, and never said how that ended
	Orphan    Left = "orphan"    // owned, and declared no more
	Moving    Left = "moving"    // replicas of it are on their way
)

// Lock is held by an apply that is at work, or has died.
type Lock struct {
	Holder string    `json:"holder"`
	Since  time.Time `json:"since"`
}

// Unseen is something declared that could not be read.
type Unseen struct {
	Address schema.Addr `json:"address"`
	Name    string      `json:"name"`
	What    string      `json:"what"` // empty: the object itself
	Reason  string      `json:"reason"`
	Missing string      `json:"missing_permission,omitempty"`
}

// Facts are what a status is made of, beside the plan.
type Facts struct {
	Snapshot *live.Snapshot
	Reading  live.Reading
	Before   *live.Sample // an earlier sample; nil: there are no rates
	Now      time.Time    // by which the age of messages is told
	Version  string       // queueform's
}

// New writes a status down.
func New(p *plan.Plan, f Facts) *Document {
	t := p.Topology
	d := &Document{
		FormatVersion: FormatVersion, Version: f.Version, At: f.Now.UTC(), Topology: t.Name,
		Cluster: Cluster{ID: p.Cluster.ID, Brokers: len(p.Cluster.Brokers)},
		Queues:  []Queue{}, Groups: []Group{}, Capacity: needs(p, f), Users: []User{}, Quotas: []Quota{},
		Findings: []Finding{}, Differences: []Change{}, Leftovers: []Leftover{}, Unseen: []Unseen{},
	}
	if t.Cluster != nil {
		d.Cluster.Name = t.Cluster.Name
	}
	if f.Before != nil {
		d.Interval = f.Reading.EndsAt.Sub(f.Before.EndsAt).Seconds()
	}
	c := &checkup{Facts: f, topology: t, readers: readersOf(t), document: d}
	c.groups()
	c.queues()
	c.access()
	c.differences(p)
	c.leftovers(p)
	c.unseen(p)
	c.find()
	return d
}

// Encode writes the document as JSON.
func Encode(w io.Writer, d *Document) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d)
}

// checkup is the making of one document.
type checkup struct {
	Facts
	topology *schema.Topology
	readers  map[string][]string // ids of groups, by topic
	document *Document
}

// Incomplete says whether something declared could not be read.
func (d *Document) Incomplete() bool { return len(d.Unseen) > 0 }

func (c *checkup) hide(a schema.Addr, name, what, why, needs string) {
	u := Unseen{a, name, what, cmp.Or(why, "it was not read"), needs}
	if !slices.Contains(c.document.Unseen, u) {
		c.document.Unseen = append(c.document.Unseen, u)
	}
}

func (c *checkup) differences(p *plan.Plan) {
	for i := range p.Changes {
		ch := &p.Changes[i]
		c.document.Differences = append(c.document.Differences, Change{Address: ch.Addr, Name: ch.Object.Name, Action: ch.Action})
	}
	for i := range p.Blocked {
		b := &p.Blocked[i]
		c.document.Differences = append(c.document.Differences, Change{Address: b.Addr, Name: b.Object.Name, Action: plan.Update, Blocked: b.Why})
	}
	c.document.Applied = len(c.document.Differences) == 0 && len(p.Unseen) == 0
}

func (c *checkup) leftovers(p *plan.Plan) {
	for left, objects := range map[Left][]schema.ID{Throttled: p.Throttled, HalfDone: p.HalfDone, Orphan: p.Orphans} {
		for _, id := range objects {
			c.leave(left, id)
		}
	}
	for i := range p.Moving {
		c.leave(Moving, p.Moving[i].Object)
	}
	slices.SortFunc(c.document.Leftovers, func(a, b Leftover) int {
		return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Name, b.Name))
	})
	held, locked := p.Ledger.Value.Locks[p.Topology.Name]
	if p.Ledger.State != live.Unseen {
		c.document.Locked = &locked
	}
	if locked {
		c.document.Lock = &Lock{Holder: held.Holder, Since: time.UnixMilli(held.Since).UTC()}
	}
}

// leave notes each object once, however many of its partitions are moving.
func (c *checkup) leave(left Left, id schema.ID) {
	l := Leftover{left, id.Kind, id.Name}
	if !slices.Contains(c.document.Leftovers, l) {
		c.document.Leftovers = append(c.document.Leftovers, l)
	}
}

func (c *checkup) unseen(p *plan.Plan) {
	for i := range p.Unseen {
		u := &p.Unseen[i]
		c.hide(u.Addr, u.Object.Name, u.Path, u.Why, u.Needs)
	}
}
