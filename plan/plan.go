// Package plan compares a topology with a snapshot and says what to change: a
// pure function from facts to an ordered plan.
//
// Learn [Build], [Change] and [Step]: a change is what a person reads, a step
// is what Kafka is asked for. Reading, judging the danger of a plan and
// carrying it out are the concerns of inspect, guard and apply.
package plan

import (
	"cmp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Plan is the minimal set of changes from a snapshot to a topology, and the
// steps that make them, in the order in which they are taken.
type Plan struct {
	Topology  *schema.Topology
	Cluster   live.Cluster
	Target    []schema.Addr // the plan was narrowed to these; none: everything
	Changes   []Change      // by address
	Steps     []Step        // by phase
	Moving    []Moving
	Unseen    []Unseen
	Blocked   []Blocked
	Throttled []schema.ID // objects on which an earlier apply of this topology left a replication throttle
	Unclaimed []Unclaimed
	Claims    []Claim     // by object
	Orphans   []schema.ID // what the topology owns and no block declares any more: never touched
	HalfDone  []schema.ID // what an earlier apply set out to make or delete, and never said how that ended
	Vanished  []schema.ID // what it owned, no block declares, and is not there any more: the ledger forgets it
	Released  []schema.ID // rights it held that no block declares: they stay, being another's too or older than queueform
	Ledger    live.Seen[live.Ledger]
}

// Claim is what the ledger is to note about a live object that is declared,
// whether anything of it changes or not.
type Claim struct {
	Object        schema.ID
	TopicID       live.TopicID
	PreventDelete bool
	Made          bool                 // queueform made it, or will have
	Keys          []string             // of a quota or a group: those that queueform has set, or will have; sorted
	Password      int                  // of a user: the version that is set, or will be
	Seeds         map[string]live.Seed // of a group, by topic: where it was put; what steps of this plan add is known when they are done
	Adopts        bool                 // it was nobody's until now
}

// Incomplete says whether something declared could not be compared, or cannot
// be had now: what the plan leaves out, it does not call equal.
func (p *Plan) Incomplete() bool { return len(p.Unseen)+len(p.Blocked) > 0 }

// Action is what a change does to an object as a whole.
type Action string

// The actions, as the plan document spells them.
const (
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Forget Action = "forget" // ownership goes, the object stays
)

// Change is a difference as a person thinks of it: one object's fields, before and after.
type Change struct {
	Addr     schema.Addr
	Object   schema.ID
	Action   Action
	Fields   []Field
	Source   hcl.Range    // the block that asks for it
	NeededBy *schema.Addr // it is here only because this targeted address refers to it
	Adopts   bool         // the object lives, and was nobody's until now
	Facts    []Fact
	Check    Check
}

// Field is one value that changes.
type Field struct {
	Path      string    // "partitions", "config.retention.ms"
	Before    Value     // nil: nothing there, or not known
	After     Value     // likewise
	Inherited Side      // which side is not set on the object itself
	Source    hcl.Range // where the file says so; the block where it says nothing
	Spelling  string    // After as the file has it, where that differs
}

// configPrefix stands before the key in a config's path.
const configPrefix = "config."

// ConfigPath is the path of a config key.
func ConfigPath(key string) string { return configPrefix + key }

// ConfigKey is the config key at a path; false: something else is there.
func ConfigKey(path string) (key string, ok bool) { return strings.CutPrefix(path, configPrefix) }

// Written is where the files say what the value at a path shall be, be it that
// they say it with another value.
func Written(d *schema.Decl, path string) hcl.Range {
	if r, ok := d.Attrs[path]; ok {
		return r
	}
	switch _, isConfig := ConfigKey(path); {
	case isConfig:
		return d.At("config")
	case path == "placement":
		return d.At("replication_factor")
	case path == "partitions", path == "replication_factor":
		return d.At("placement")
	}
	return d.Source
}

// Value is one side of a field: nil, an int, a broker's config string, or the
// replica lists of partitions, [][]int32.
type Value any

// Side names one side of a field.
type Side string

// The sides of a field.
const (
	NoSide Side = ""
	Before Side = "before"
	After  Side = "after"
)

// Check tells whether the broker has already agreed to a change (validate_only).
type Check struct {
	Passed bool
	Why    string // not checked: why not
}

func (c Check) String() string {
	if c.Passed {
		return "checked by the broker"
	}
	return "not checked (" + cmp.Or(c.Why, "not asked") + ")"
}

// Moving is a partition that a running reassignment already takes where it should go.
type Moving struct {
	Addr      schema.Addr
	Object    schema.ID
	Partition int
	To        []int32 // the replicas it will have
	Adding    []int32 // those of them that copy it
}

// Unseen is something declared that could not be compared, since the cluster
// did not show it. An empty Path means the object itself.
type Unseen struct {
	Addr   schema.Addr
	Object schema.ID
	Path   string
	Why    string
	Needs  string // the missing right, empty where rights are not the cause
	Source hcl.Range
}

// Blocked is a difference that the cluster cannot make good now: too few
// brokers are up, or another reassignment is in the way.
type Blocked struct {
	Addr   schema.Addr
	Object schema.ID
	Path   string
	Why    string
	Source hcl.Range
}
