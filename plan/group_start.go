package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// startPrefix stands before the topic in the path of where a group begins.
const startPrefix = "start."

// StartPath is the path of where a group begins in a topic.
func StartPath(topic string) string { return startPrefix + topic }

func startTopic(path string) (topic string, ok bool) { return strings.CutPrefix(path, startPrefix) }

// growthOf is how many partitions a topic will have that steps create or
// enlarge; 0: the broker's choice.
func growthOf(steps []Step) map[string]int {
	growth := map[string]int{}
	for _, s := range steps {
		switch s := s.(type) {
		case *CreateTopic:
			growth[s.Object.Name] = max(0, int(s.Partitions), len(s.Assign))
		case *AddPartitions:
			growth[s.Object.Name] = int(s.Total)
		case *AlterConfigs, *Reassign, *DeleteTopic, *Release, *AlterUser, *CreateACL, *DeleteACL, *AlterQuota, *SeedOffsets, *DeleteGroup:
		}
	}
	return growth
}

// begin compares where a group is with where it was put. A group that commits
// offsets is put where it has none, once; where it has any it is left alone, but
// for partitions that are new to it: it would miss what comes before it sees
// them. A share group begins by its config. Members are never disturbed.
func (b *builder) begin(g *schema.Group, seen live.Seen[live.Group], growth map[string]int, c *Change) (*SeedOffsets, map[string]live.Seed) {
	step := &SeedOffsets{Head: Head{Phase: PhaseGroups}}
	owner, _ := b.owner(g.ID(), live.TopicID{})
	if g.Protocol == schema.Share {
		return step, nil
	}
	has := &seen.Value
	if seen.State == live.Present && has.Offsets.State != live.Present {
		unseen(b, &g.Decl, g.ID(), "offsets", has.Offsets)
		return step, owner.Seeds
	}
	seeds := map[string]live.Seed{}
	for _, addr := range g.Queues {
		o := opening{group: g, active: has.Active(), unclear: owner.HalfDone, topic: b.topology.TopicOf(addr)}
		noted, known := owner.Seeds[o.topic]
		grown, grows := growth[o.topic]
		topic := b.snapshot.Topics[o.topic]
		if topic.State == live.Unseen || topic.State == live.Absent && !grows {
			if known {
				seeds[o.topic] = noted
			}
			continue // which is said of the queue
		}
		o.id, o.partitions = topic.Value.ID, len(topic.Value.Partitions)
		o.total = max(o.partitions, grown)
		o.has = has.Offsets.Value[o.topic]
		if noted.TopicID == o.id {
			o.noted = noted
		}
		if seeding := b.open(&o, c); seeding != nil {
			step.Seeds = append(step.Seeds, *seeding)
			step.Records += seedRecords
			if grows {
				step.After = append(step.After, schema.ID{Kind: schema.KindQueue, Name: o.topic})
			}
		}
		if o.noted.Offsets != nil {
			seeds[o.topic] = o.noted
		}
	}
	return step, seeds
}

// seedRecords is what a group's part in a topic counts in a batch: each group is
// a request of its own.
const seedRecords = 20

// opening is one group at the beginning of one topic.
type opening struct {
	group      *schema.Group
	active     bool
	unclear    bool // an earlier apply set out to put it somewhere, and never said how that ended
	topic      string
	id         live.TopicID
	partitions int // as they are
	total      int // as they will be; 0: the broker's choice
	has        live.Progress
	noted      live.Seed // where it was put; noted anew
}

// beginning is what becomes of a group at the beginning of a topic.
type beginning uint8

const (
	leftAlone       beginning = iota
	atStart                   // where the files say
	inNewPartitions           // at the first message of those that it would get to know too late
	putBack                   // where it was put before, and never moved from
	expired                   // nowhere: it has read, and Kafka has forgotten how far
	atWork                    // nowhere: its members are never disturbed
)

func (o *opening) beginning() beginning {
	has, noted := len(o.has) > 0, o.noted.Offsets != nil
	switch {
	case has && !o.active && len(o.lacking()) > 0:
		return inNewPartitions
	case has, noted && o.active: // it finds its way itself
		return leftAlone
	case noted && (o.noted.Moved || len(o.put()) == 0):
		return expired
	case noted:
		return putBack
	case o.group.Start == "":
		return leftAlone
	case o.active:
		return atWork
	}
	return atStart
}

// open says where the group is to be put in the topic, nil where it is left alone.
func (b *builder) open(o *opening, c *Change) *Seeding {
	s := &Seeding{Topic: o.topic, TopicID: o.id, Total: o.total}
	says := o.group.At("start")
	what := ""
	switch o.beginning() {
	case leftAlone:
	case atStart:
		s.Start, what = o.group.Start, string(o.group.Start)
	case inNewPartitions:
		s.Start, s.Partitions, what = o.early()
	case putBack:
		s.At, what = o.put(), "where it was put before"
		if len(o.lacking()) > 0 {
			var also string
			s.Start, s.Partitions, also = o.early()
			what += ", and " + also
		}
	case expired:
		b.warn(&says, fmt.Sprintf("The offsets of %q have expired", o.group.GroupID),
			"It has read %s, and Kafka has forgotten how far. Its clients begin by their auto.offset.reset; to put it anywhere, use kafka-consumer-groups --reset-offsets.", o.topic)
	case atWork:
		b.warn(&says, fmt.Sprintf("The group %q is at work", o.group.GroupID),
			"It has committed nothing in %s. Its members begin by their auto.offset.reset, unless they are stopped while this is applied: it is never disturbed.", o.topic)
	}
	o.note()
	if what == "" {
		return nil
	}
	c.Fields = append(c.Fields, Field{Path: StartPath(o.topic), After: what, Source: says})
	return s
}

// early begins with all that will come to the new partitions.
func (o *opening) early() (start schema.Start, partitions []int32, what string) {
	partitions = o.lacking()
	return schema.Earliest, partitions, fmt.Sprintf("%s in %s", schema.Earliest, english.Plural(len(partitions), "new partition", ""))
}

// lacking are the partitions, old or to come, that nobody has looked after yet
// and where the group has committed nothing.
func (o *opening) lacking() []int32 {
	from := o.partitions
	if o.noted.Offsets != nil {
		from = len(o.noted.Offsets)
	}
	var all []int32
	for p := int32(from); p < int32(o.total); p++ {
		if _, committed := o.has[p]; !committed {
			all = append(all, p)
		}
	}
	return all
}

// put is where the group was put.
func (o *opening) put() live.Progress {
	all := live.Progress{}
	for p, offset := range o.noted.Offsets {
		if offset != live.NoOffset {
			all[int32(p)] = offset
		}
	}
	return all
}

// note brings what the ledger knows up to date with what the group has
// committed, but for what is about to be put.
func (o *opening) note() {
	if len(o.has) == 0 {
		return
	}
	first := o.noted.Offsets == nil
	offsets := slices.Clone(o.noted.Offsets)
	for p, was := range offsets {
		if at, committed := o.has[int32(p)]; committed && was != live.NoOffset && at != was {
			o.noted.Moved = true
		}
	}
	for p := int32(len(offsets)); p < int32(o.partitions); p++ {
		at, committed := o.has[p]
		if !first && !committed {
			break // it is about to be put there, or has to find its way
		}
		if !first || !o.unclear || o.active || !committed {
			at = live.NoOffset
		}
		offsets = append(offsets, at) // else by the apply that never said so
	}
	o.noted.TopicID, o.noted.Offsets = o.id, offsets
}

// holds says whether the group has committed in all of the partitions, as far
// as they are known.
func (s *SeedOffsets) holds(snapshot *live.Snapshot, g *live.Group) error {
	for i := range s.Seeds {
		seed := &s.Seeds[i]
		has := g.Offsets.Value[seed.Topic]
		partitions := slices.AppendSeq(slices.Clone(seed.Partitions), maps.Keys(seed.At))
		if len(partitions) == 0 {
			for p := range max(1, len(snapshot.Topics[seed.Topic].Value.Partitions)) {
				partitions = append(partitions, int32(p))
			}
		}
		slices.Sort(partitions)
		for _, p := range partitions {
			if _, committed := has[p]; !committed {
				return fmt.Errorf("it has committed nothing in partition %d of %s", p, seed.Topic)
			}
		}
	}
	return nil
}
