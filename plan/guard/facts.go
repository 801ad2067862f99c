package guard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// inquiry is one judging: the facts, and the questions that came up.
type inquiry struct {
	Facts
	plan    *plan.Plan
	queues  map[schema.Addr]*schema.Queue
	groups  map[string]*schema.Group // by group id
	seeded  map[string][]string      // the topics in which the plan puts a group, by group id
	moves   []*plan.Reassign         // by change; nil: it moves nothing
	sizes   asking[string, live.Sizes]
	offsets asking[live.Position, live.Offsets]
	readers asking[string, live.Readers]
	room    bool // it is asked what the disks have room for
	flow    func() flow
	rights  func() *rights
	short   func() *shortage
}

func newInquiry(p *plan.Plan, f Facts) *inquiry {
	in := &inquiry{Facts: f, plan: p, moves: make([]*plan.Reassign, len(p.Changes))}
	in.sizes.answers, in.offsets.answers, in.readers.answers = f.Answers.Sizes, f.Answers.Offsets, f.Answers.Readers
	in.flow, in.short, in.rights = sync.OnceValue(in.replication), sync.OnceValue(in.shortage), sync.OnceValue(in.allRights)
	if len(p.Changes) == 0 {
		return in
	}
	in.queues = make(map[schema.Addr]*schema.Queue, len(p.Topology.Resources))
	for q := range schema.All[*schema.Queue](p.Topology) {
		in.queues[q.Addr] = q
	}
	in.groups = map[string]*schema.Group{}
	for g := range schema.All[*schema.Group](p.Topology) {
		in.groups[g.GroupID] = g
	}
	in.seeded = map[string][]string{}
	for _, s := range p.Steps {
		if r, ok := s.(*plan.Reassign); ok {
			in.moves[r.Changes[0]] = r
		}
		if seed, ok := s.(*plan.SeedOffsets); ok {
			for i := range seed.Seeds {
				in.seeded[seed.Object.Name] = append(in.seeded[seed.Object.Name], seed.Seeds[i].Topic)
			}
		}
	}
	return in
}

// open are the questions that have no answer yet.
func (in *inquiry) open() live.Questions {
	return live.Questions{Sizes: in.sizes.open, Offsets: in.offsets.open, Readers: in.readers.open, Disks: in.room}
}

// disks are those of all brokers, nil where they are not known.
func (in *inquiry) disks() live.Disks {
	answer := in.Answers.Disks
	in.room = !answer.Asked()
	return answer.Value
}

// asking is one kind of question, each of which is asked once.
type asking[Q comparable, A any] struct {
	answers map[Q]live.Seen[A]
	asked   map[Q]bool
	open    []Q
}

// about is the answer, or unseen and one more open question.
func (k *asking[Q, A]) about(q Q) live.Seen[A] {
	answer, answered := k.answers[q]
	if !answered && !k.asked[q] {
		if k.asked == nil {
			k.asked = map[Q]bool{}
		}
		k.asked[q] = true
		k.open = append(k.open, q)
	}
	return answer
}

// learn is what is known of a fact, the zero A where nothing is: then the reason
// is kept.
func learn[A any](s *subject, fact live.Seen[A]) A {
	for _, why := range reasons(fact) {
		if !slices.Contains(s.unknown, why) {
			s.unknown = append(s.unknown, why)
		}
	}
	return fact.Value
}

// reasons are why a fact is not known, with the right that would show it; none
// where it is known, or was not asked yet.
func reasons[A any](fact live.Seen[A]) []string {
	switch {
	case fact.Why == "":
		return nil
	case fact.Needs == "":
		return []string{fact.Why}
	}
	return []string{fact.Why + ", " + fact.Needs + " is missing"}
}

// because is why something is not known, where there is a reason.
func because(reasons []string) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + strings.Join(reasons, "; ") + ")"
}

// subject is one change under judgement.
type subject struct {
	*inquiry
	*plan.Change
	index   int
	moves   *plan.Reassign
	queue   *schema.Queue // as declared; nil for a deletion, and of what is no queue
	topic   live.Topic    // as it is; zero for a creation, and of what is no queue
	unknown []string      // why not all is known of it
}

func (in *inquiry) subject(i int) *subject {
	c := &in.plan.Changes[i]
	s := &subject{inquiry: in, Change: c, index: i, moves: in.moves[i]}
	if c.Object.Kind == schema.KindQueue {
		s.queue, s.topic = in.queues[c.Addr], in.Snapshot.Topics[c.Object.Name].Value
	}
	return s
}

func (s *subject) field(path string) *plan.Field {
	i := slices.IndexFunc(s.Fields, func(f plan.Field) bool { return f.Path == path })
	if i < 0 {
		return nil
	}
	return &s.Fields[i]
}

func (s *subject) config(key string) *plan.Field { return s.field(plan.ConfigPath(key)) }

// value is a config's, as far as it is known.
type value struct {
	text  string
	known bool
}

func (v value) number() (n int64, known bool) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, v.known && err == nil
}

// before is the config value that holds now, inherited or not.
func (s *subject) before(key string) value {
	if s.Action != plan.Create {
		if s.topic.Overrides.State != live.Present {
			return value{}
		}
		if text, set := s.topic.Overrides.Value[key]; set {
			return value{text, true}
		}
	}
	text, known := s.Snapshot.Defaults[key]
	return value{text, known}
}

// after is the config value that will hold.
func (s *subject) after(key string) value {
	if f := s.config(key); f != nil {
		text, known := f.After.(string)
		return value{text, known}
	}
	return s.before(key)
}

// inSync is how many replicas of a partition are in sync now, and how many
// will be once replicas have moved.
func (s *subject) inSync(partition int) (now, then int) {
	p := &s.topic.Partitions[partition]
	to := p.Replicas
	if s.moves != nil {
		at, moved := slices.BinarySearchFunc(s.moves.Moves, int32(partition), func(m plan.Move, n int32) int { return cmp.Compare(m.Partition, n) })
		if moved {
			to = s.moves.Moves[at].To
		}
	}
	for _, id := range to {
		arrives := slices.Contains(p.Adding, id) || !slices.Contains(p.Replicas, id)
		if arrives || slices.Contains(p.InSync, id) {
			then++
		}
	}
	return len(p.InSync), then
}

// factor is the replication factor before and after, the largest among the
// partitions; 0 is the broker's choice, or none.
func (s *subject) factor() (before, after int) {
	if s.Action == plan.Create {
		if f := s.field("replication_factor"); f != nil {
			after, _ = f.After.(int)
		} else if f := s.field("placement"); f != nil {
			lists, _ := f.After.([][]int32)
			after = most(lists)
		}
		return 0, after
	}
	lists := make([][]int32, len(s.topic.Partitions))
	for i := range lists {
		lists[i] = s.topic.Partitions[i].Replicas
	}
	before = most(lists)
	if s.moves != nil {
		for _, m := range s.moves.Moves {
			if int(m.Partition) < len(lists) {
				lists[m.Partition] = m.To
			}
		}
	}
	return before, most(lists)
}

func most(lists [][]int32) int {
	n := 0
	for _, list := range lists {
		n = max(n, len(list))
	}
	return n
}

// measured are the bytes of the topic's partitions. Those in tiered storage
// (KIP-405) are not known.
func (s *subject) measured() live.Seen[live.Sizes] {
	if s.before(tiered).text == "true" {
		return live.Hidden[live.Sizes]("brokers tell the bytes on their disks alone, and it is in tiered storage, too", "")
	}
	return s.inquiry.sizes.about(s.Object.Name)
}

// sizes are the bytes of the topic's partitions, nil where they are not known.
func (s *subject) sizes() live.Sizes { return learn(s, s.measured()) }

// bytes is how much the topic holds, each message counted once; nil is not known.
func (s *subject) bytes() *int64 {
	sizes := s.sizes()
	if sizes == nil {
		return nil
	}
	return new(sizes.Total())
}

// offsets are those of a place in the topic, nil where they are not known.
func (s *subject) offsets(at int64) live.Offsets { return s.offsetsOf(s.Object.Name, at) }

func (s *subject) offsetsOf(topic string, at int64) live.Offsets {
	return learn(s, s.inquiry.offsets.about(live.Position{Topic: topic, At: at}))
}
