package health

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Group is how one group is doing.
type Group struct {
	Address         schema.Addr     `json:"address"`
	GroupID         string          `json:"group_id"`
	State           string          `json:"state"`             // as Kafka spells it: "Stable", "Empty"; "Absent": nobody was ever in it
	Protocol        schema.Protocol `json:"protocol"`          // empty: nobody was ever in it
	Declared        schema.Protocol `json:"declared_protocol"` // what the files say
	Members         *int            `json:"members"`
	DeclaredMembers int             `json:"declared_members"` // 0: the files do not say
	Lag             *int64          `json:"lag"`              // messages that are not read; of a share group, that are not done
	LagAtLeast      bool            `json:"lag_at_least"`     // of some partitions it is not known
	MaxLag          *int64          `json:"max_lag"`          // as declared
	Partitions      []Partition     `json:"partitions"`
	Worst           *Partition      `json:"worst"`                  // the partition with the largest lag; null: there is none
	Skew            *float64        `json:"skew"`                   // the largest lag, times the mean: 1 is even
	Expired         *int64          `json:"expired"`                // messages that were deleted before they were read
	InFlight        *int64          `json:"in_flight_at_most"`      // of a share group: messages that members may have at hand
	In              *float64        `json:"in_per_second"`          // messages that come into its queues
	Out             *float64        `json:"out_per_second"`         // messages that it is done with
	CatchUp         CatchUp         `json:"catch_up"`               // whether it will have read all
	CatchUpIn       *float64        `json:"catch_up_after_seconds"` // at the rates of now
}

// empty says whether it is known that the group has no members.
func (g *Group) empty() bool { return g.Members != nil && *g.Members == 0 }

// Partition is how far a group has come in one partition.
type Partition struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    *int64 `json:"offset"` // the next to read, as committed; of a share group, the first that is not done
	End       *int64 `json:"end"`
	Lag       *int64 `json:"lag"`
	Expired   *int64 `json:"expired"`
	Member    string `json:"member,omitempty"` // the client id of who has it
}

// CatchUp says whether a group will have read all, at the rates of now.
type CatchUp string

// The ways in which groups catch up.
const (
	CaughtUp   CatchUp = "caught_up"
	Catching   CatchUp = "catching_up"
	Falling    CatchUp = "falling_behind" // more comes in than it reads
	Standing   CatchUp = "standing_still" // it reads nothing
	UnknownYet CatchUp = "unknown"
)

// Absent is the state of a group in which nobody was ever.
const Absent = "Absent"

// Unread is where the first message is that one of the groups has not read, by
// topic and partition: an offset, live.Start, or live.End where there is none
// or that is not known.
func Unread(t *schema.Topology, s *live.Snapshot, groups map[string]live.Seen[live.Group]) map[string]live.Offsets {
	all := map[string]live.Offsets{}
	for _, topic := range Topics(t, s) {
		all[topic] = slices.Repeat(live.Offsets{live.End}, len(s.Topics[topic].Value.Partitions))
	}
	for g := range schema.All[*schema.Group](t) {
		for _, queue := range g.Queues {
			topic := t.TopicOf(queue)
			for i := range all[topic] {
				all[topic][i] = earlier(all[topic][i], unread(g, groups[g.GroupID], topic, int32(i)))
			}
		}
	}
	return all
}

// unread is what a group has not read of a partition. A share group may be done
// with what lies behind its offset.
func unread(g *schema.Group, seen live.Seen[live.Group], topic string, partition int32) int64 {
	if undone, told := seen.Value.Undone[topic][partition]; told && undone == 0 {
		return live.End
	}
	return next(g, seen, topic, partition)
}

// next is what a group reads next of a partition. One that has committed
// nothing begins where its start says.
func next(g *schema.Group, seen live.Seen[live.Group], topic string, partition int32) int64 {
	if offset, committed := seen.Value.Offsets.Value[topic][partition]; committed {
		return offset
	}
	if readable(seen) && g.Start == schema.Earliest {
		return live.Start
	}
	return live.End
}

// readable says whether it is known how far a group has come. One that is not
// there has not begun.
func readable(g live.Seen[live.Group]) bool {
	return g.State == live.Absent || g.Value.Offsets.State == live.Present
}

func earlier(a, b int64) int64 {
	switch {
	case a == live.Start || b == live.Start:
		return live.Start
	case a == live.End:
		return b
	case b == live.End:
		return a
	}
	return min(a, b)
}

func (c *checkup) groups() {
	for g := range schema.All[*schema.Group](c.topology) {
		seen := c.Reading.Groups[g.GroupID]
		d := Group{
			Address: g.Addr, GroupID: g.GroupID, State: cmp.Or(seen.Value.State, Absent), Protocol: seen.Value.Protocol, Declared: g.Protocol,
			DeclaredMembers: g.Members, MaxLag: g.MaxLag, Partitions: []Partition{}, CatchUp: UnknownYet,
		}
		if offsets := seen.Value.Offsets; seen.State == live.Present && offsets.State == live.Unseen {
			c.hide(g.Addr, g.GroupID, "offsets", offsets.Why, offsets.Needs)
		}
		if seen.State == live.Unseen {
			d.State = ""
			c.hide(g.Addr, g.GroupID, "", seen.Why, seen.Needs)
		} else {
			d.Members = new(len(seen.Value.Members))
		}
		c.partitions(&d, g, seen)
		c.sum(&d)
		if g.Protocol == schema.Share {
			d.InFlight = inFlight(&d, &seen.Value)
		}
		c.catchUp(&d, g)
		c.document.Groups = append(c.document.Groups, d)
	}
}

func (c *checkup) partitions(d *Group, g *schema.Group, seen live.Seen[live.Group]) {
	members := assigned(&seen.Value)
	for _, queue := range g.Queues {
		topic := c.topology.TopicOf(queue)
		for i, span := range c.Reading.Spans[topic] {
			p := Partition{Topic: topic, Partition: int32(i), Member: members[topic][int32(i)]}
			if span.State == live.Present {
				p.End = &span.Value.End
				if readable(seen) {
					p.measure(next(g, seen, topic, p.Partition), &span.Value)
				}
				if undone, told := seen.Value.Undone[topic][p.Partition]; told {
					p.Lag, p.Expired = &undone, new(int64(0)) // it may have been done with what was deleted
				}
			}
			d.Partitions = append(d.Partitions, p)
		}
	}
}

// measure finds how much is unread from an offset on. What Kafka's own tools
// call lag counts messages that are not there any more, too.
func (p *Partition) measure(next int64, span *live.Span) {
	p.Expired = new(int64(0))
	switch next {
	case live.End:
	case live.Start:
		p.Lag = new(span.End - span.Start)
	default:
		p.Offset, p.Lag, p.Expired = &next, new(max(0, span.End-next)), new(max(0, span.Start-next))
	}
}

// assigned are the client ids of members, by topic and partition.
func assigned(g *live.Group) map[string]map[int32]string {
	all := map[string]map[int32]string{}
	for i := range g.Members {
		for topic, partitions := range g.Members[i].Assigned {
			if all[topic] == nil {
				all[topic] = map[int32]string{}
			}
			for _, p := range partitions {
				all[topic][p] = g.Members[i].ClientID
			}
		}
	}
	return all
}

// sum adds up the partitions.
func (c *checkup) sum(d *Group) {
	var lag, expired int64
	known := 0
	for i := range d.Partitions {
		p := &d.Partitions[i]
		if p.Expired != nil {
			expired += *p.Expired
			d.Expired = &expired
		}
		if p.Lag == nil {
			continue
		}
		known++
		lag += *p.Lag
		if *p.Lag > 0 && (d.Worst == nil || *p.Lag > *d.Worst.Lag) {
			d.Worst = p
		}
	}
	if known == 0 {
		return
	}
	d.Lag, d.LagAtLeast = &lag, known < len(d.Partitions)
	if d.Worst != nil && known > 1 {
		d.Skew = new(float64(*d.Worst.Lag) * float64(known) / float64(lag))
	}
}

// recordLocks is how many messages of a partition members have at hand at
// once, where the group's own config does not say (KIP-932).
const (
	recordLocks     = "share.partition.max.record.locks"
	mostRecordLocks = 2000
)

// inFlight is at most how many messages members have: Kafka tells how many are
// not done, and not which of those are being worked on.
func inFlight(d *Group, g *live.Group) *int64 {
	if d.Lag == nil {
		return nil
	}
	most := int64(mostRecordLocks)
	if set, err := strconv.ParseInt(g.Configs.Value[recordLocks], 10, 64); err == nil {
		most = set
	} else if g.Configs.State == live.Unseen {
		most = math.MaxInt64
	}
	sum := int64(0)
	for i := range d.Partitions {
		if p := &d.Partitions[i]; p.Lag != nil && !d.empty() {
			sum += min(*p.Lag, most)
		}
	}
	return &sum
}

// progress is how far a group has moved on in one topic. A partition in which
// it has not begun yet has not moved.
func (c *checkup) progress(id, topic string) change {
	if c.Before == nil || !readable(c.Before.Groups[id]) || !readable(c.Reading.Groups[id]) {
		return change{}
	}
	before, now := done(c.Before, id, topic), done(&c.Reading.Sample, id, topic)
	ch := change{known: true, over: c.Reading.GroupsAt.Sub(c.Before.GroupsAt)}
	for partition, offset := range now {
		if from, begun := before[partition]; begun {
			ch.messages += max(0, offset-from) // a group that was reset has read nothing
		}
	}
	return ch
}

// done is how many messages of each partition a group is done with: of a share
// group those, too, that lie after some that are not.
func done(s *live.Sample, id, topic string) live.Progress {
	all := live.Progress{}
	g, ends := s.Groups[id].Value, s.Ends[topic]
	for partition, offset := range g.Offsets.Value[topic] {
		all[partition] = offset
		if undone, told := g.Undone[topic][partition]; told && int(partition) < len(ends) && ends[partition] >= 0 {
			all[partition] = max(offset, ends[partition]-undone)
		}
	}
	return all
}

// out is what all declared groups of a topic are done with in a second.
func (c *checkup) out(topic string) *float64 {
	if c.Before == nil {
		return nil
	}
	sum := new(0.0)
	for _, id := range c.readers[topic] {
		sum = plus(sum, c.rate(c.progress(id, topic)))
	}
	return sum
}

// readersOf are the ids of the groups that read each topic.
func readersOf(t *schema.Topology) map[string][]string {
	all := map[string][]string{}
	for g := range schema.All[*schema.Group](t) {
		for _, queue := range g.Queues {
			topic := t.TopicOf(queue)
			all[topic] = append(all[topic], g.GroupID)
		}
	}
	return all
}

// plus adds what is known.
func plus(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(*a + *b)
}

// catchUp compares what comes in with what the group is done with.
func (c *checkup) catchUp(d *Group, g *schema.Group) {
	d.In, d.Out = new(0.0), new(0.0)
	for _, queue := range g.Queues {
		topic := c.topology.TopicOf(queue)
		d.In, d.Out = plus(d.In, c.rate(c.ends(topic))), plus(d.Out, c.rate(c.progress(g.GroupID, topic)))
	}
	switch {
	case d.Lag == nil || d.LagAtLeast:
	case *d.Lag == 0:
		d.CatchUp, d.CatchUpIn = CaughtUp, new(0.0)
	case d.empty():
		d.CatchUp = Standing
	case d.In == nil || d.Out == nil:
	case *d.Out > *d.In:
		d.CatchUp, d.CatchUpIn = Catching, new(float64(*d.Lag)/(*d.Out-*d.In))
	case *d.Out == 0:
		d.CatchUp = Standing
	default:
		d.CatchUp = Falling
	}
}
