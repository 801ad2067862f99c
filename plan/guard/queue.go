package guard

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

const (
	policy         = "cleanup.policy"
	minInSync      = "min.insync.replicas"
	retentionTime  = "retention.ms"
	retentionBytes = "retention.bytes"
	unclean        = "unclean.leader.election.enable"
	maxMessage     = "max.message.bytes"
	tiered         = "remote.storage.enable"
	maxRequest     = "max.request.size"
)

func deleted(s *subject) *Finding {
	if s.Action != plan.Delete {
		return nil
	}
	f := &Finding{
		Severity: Blocks, Summary: fmt.Sprintf("topic %q is deleted with all its messages", s.Object.Name),
		Radius: s.radius(s.offsets(live.End), s.bytes()),
	}
	if r := &f.Radius; r.empty() && r.Groups != nil && len(r.Groups) == 0 {
		f.Severity, f.Summary = Warns, fmt.Sprintf("topic %q is deleted: it is empty, and no group reads it", s.Object.Name)
	}
	return f
}

func retentionShortened(s *subject) *Finding {
	if s.Action != plan.Update {
		return nil
	}
	inTime, inBytes := s.cut(retentionTime), s.cut(retentionBytes)
	if !inTime.shorter() && !inBytes.shorter() {
		return nil
	}
	f := &Finding{Severity: Blocks, Summary: "retention is shortened: " + join(inTime, inBytes), Radius: s.cutOff(inTime, inBytes)}
	if f.Radius.empty() {
		f.Severity, f.Radius = Warns, nothing()
		f.Summary += "; there is nothing that it could delete"
	}
	return f
}

// cutOff measures what two limits take, as of now. Brokers delete whole
// segments, the oldest first: while all messages of one are too old, or while
// the log without it still holds the limit. So no message goes that is young
// enough, nor more bytes than are over the limit. Which messages those bytes
// are no broker tells: they may be all of the partition.
func (s *subject) cutOff(inTime, inBytes cut) Radius {
	start, end, sizes := s.offsets(live.Start), s.offsets(live.End), s.sizes()
	before, known := s.tooOld(inTime, start, end), start != nil && end != nil
	var bytes int64
	for i := range s.topic.Partitions {
		over := inBytes.over(sizes.Largest(i))
		if inTime.shorter() && (!known || before[i] > start[i]) {
			bytes += sizes.Largest(i)
		} else {
			bytes += over
		}
		if known && (over > 0 || inBytes.shorter() && sizes == nil) {
			before[i] = end[i]
		}
	}
	r := s.radius(before, nil)
	if sizes != nil {
		r.Bytes = &bytes
	}
	r.behind()
	return r
}

// tooOld is where the messages end that a limit takes for their age, which may
// be all of them where that is not known; nil where not even that is known.
func (s *subject) tooOld(c cut, start, end live.Offsets) live.Offsets {
	if !c.shorter() {
		return slices.Clone(start)
	}
	before := slices.Clone(end)
	for i, young := range s.younger(c.to) {
		if i < len(before) && young != live.NoOffset {
			before[i] = young
		}
	}
	return before
}

// younger are the first messages that are not older than an age in
// milliseconds, nil where that is not known.
func (s *subject) younger(age int64) live.Offsets {
	if age == unknown {
		return nil
	}
	return s.offsets(max(0, s.Now.UnixMilli()-age))
}

// cut is a retention limit before and after, in milliseconds or bytes.
type cut struct {
	key      string
	from, to int64
}

// A limit may be none at all, or not known.
const (
	unlimited int64 = math.MaxInt64
	unknown   int64 = -1
)

// cut finds out what becomes of a retention limit.
func (s *subject) cut(key string) cut {
	if s.config(key) == nil && s.config(policy) == nil {
		return cut{key: key}
	}
	return cut{key, limit(s.before(key), s.before(policy)), limit(s.after(key), s.after(policy))}
}

// limit is a retention limit: none without the delete policy, nor at -1.
func limit(v, cleanup value) int64 {
	if cleanup.known && !strings.Contains(cleanup.text, "delete") {
		return unlimited
	}
	switch n, known := v.number(); {
	case !known:
		return unknown
	case n < 0:
		return unlimited
	default:
		return n
	}
}

// shorter takes what is not known for the worst: no limit before, and the
// strictest after.
func (c cut) shorter() bool { return c.to < c.from || c.from == unknown && c.to != unlimited }

// over is how many of a partition's bytes are more than it may keep.
func (c cut) over(bytes int64) int64 {
	if !c.shorter() {
		return 0
	}
	return max(0, bytes-max(0, c.to))
}

func (c cut) String() string {
	return fmt.Sprintf("%s %s -> %s", c.key, c.spell(c.from), c.spell(c.to))
}

func (c cut) spell(n int64) string {
	switch n {
	case unlimited:
		return "unlimited"
	case unknown:
		return "unknown"
	}
	return value{strconv.FormatInt(n, 10), true}.spell(c.key)
}

// spell is how a person would write a value of the key.
func (v value) spell(key string) string {
	if !v.known {
		return "unknown"
	}
	known, _ := catalog.Topic.Find(key)
	return known.Spell(v.text)
}

func join(cuts ...cut) string {
	var texts []string
	for _, c := range cuts {
		if c.shorter() {
			texts = append(texts, c.String())
		}
	}
	return strings.Join(texts, ", ")
}

func compactionSwitched(s *subject) *Finding {
	if s.Action != plan.Update || s.config(policy) == nil {
		return nil
	}
	before, after := s.before(policy), s.after(policy)
	compacted, compacts := strings.Contains(before.text, "compact"), strings.Contains(after.text, "compact")
	f := &Finding{Severity: Blocks}
	switch {
	case !before.known || !after.known:
		f.Summary = "compaction may start or stop: not both policies are known"
	case compacts && !compacted:
		f.Summary = "compaction starts: of each key only the last message stays"
	case compacted && !compacts:
		f.Summary = "compaction stops: keys expire with the retention"
	default:
		return nil
	}
	f.Radius = s.radius(s.offsets(live.End), s.bytes())
	f.Radius.behind()
	return f
}

func messagesShrink(s *subject) *Finding {
	if s.Action != plan.Update || s.config(maxMessage) == nil {
		return nil
	}
	before, after := s.before(maxMessage), s.after(maxMessage)
	had, knew := before.number()
	if takes, known := after.number(); knew && known && takes >= had {
		return nil
	}
	f := &Finding{Severity: Warns, Summary: fmt.Sprintf(
		"max.message.bytes %s -> %s: producers of larger batches are refused", before.spell(maxMessage), after.spell(maxMessage))}
	if larger := s.larger(after); len(larger) > 0 {
		f.Severity = Blocks
		f.Summary += "; " + maxRequest + " is above it in " + strings.Join(larger, ", ")
	}
	return f
}

// larger are the declared producers that may send more to the queue at once.
func (s *subject) larger(limit value) []string {
	most, known := limit.number()
	var all []string
	for p := range schema.All[*schema.Producer](s.plan.Topology) {
		size, declared := p.Client[maxRequest]
		bytes, _ := value{size.Value, declared}.number()
		if declared && (!known || bytes > most) && slices.Contains(p.Queues, s.Addr) {
			all = append(all, p.Addr.String())
		}
	}
	return all
}

// beginMissed finds the groups that may miss the first messages of partitions
// which they get to know later than the producers do. Inactive groups of this
// topology are put at the beginning.
func beginMissed(s *subject) *Finding {
	f := s.field("partitions")
	if s.Action != plan.Update || f == nil || s.queue == nil {
		return nil
	}
	readers := learn(s, s.readers.about(s.Object.Name))
	if readers == nil {
		return &Finding{Severity: Blocks, Summary: "groups may miss the first messages of the new partitions: which read it is not known"}
	}
	var active, idle []string
	for _, id := range slices.Sorted(maps.Keys(readers)) {
		g := s.groups[id]
		switch declared := g != nil && slices.Contains(g.Queues, s.Addr); {
		case declared && g.Start == schema.Earliest:
		case s.Answers.Active[id]:
			active = append(active, id)
		case !slices.Contains(s.seeded[id], s.Object.Name): // share groups, others', and those that the plan leaves out
			idle = append(idle, id)
		}
	}
	const miss = "may miss the first messages of the new partitions, unless auto.offset.reset is earliest"
	switch {
	case len(active) > 0:
		return &Finding{Severity: Blocks, Summary: fmt.Sprintf("active groups %s: %s", miss, strings.Join(active, ", "))}
	case len(idle) > 0:
		return &Finding{Severity: Warns, Summary: fmt.Sprintf("groups %s: %s", miss, strings.Join(idle, ", "))}
	}
	return nil
}

func keysMove(s *subject) *Finding {
	f := s.field("partitions")
	if s.Action != plan.Update || f == nil || s.queue == nil || s.queue.Key == "" {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: fmt.Sprintf("keys (%s) change partition: %v -> %v partitions", s.queue.Key, f.Before, f.After)}
}

func factorLowered(s *subject) *Finding {
	before, after := s.factor()
	if s.Action != plan.Update || after >= before {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("replication_factor %d -> %d: fewer brokers can fail", before, after)}
}

func producersStop(s *subject) *Finding {
	least, known := s.after(minInSync).number()
	if s.Action != plan.Update || !known {
		return nil
	}
	had, knew := s.before(minInSync).number()
	raised := s.config(minInSync) != nil && (!knew || least > had)
	var short []int
	for i := range s.topic.Partitions {
		if now, then := s.inSync(i); int64(then) < least && (raised || int64(now) >= least) {
			short = append(short, i)
		}
	}
	if len(short) == 0 {
		return nil
	}
	_, has := s.inSync(short[0])
	summary := fmt.Sprintf("acks=all producers stop: min.insync.replicas %d, and partition %d has %d in sync", least, short[0], has)
	if len(short) > 1 {
		summary += fmt.Sprintf("; %d of %d partitions have too few", len(short), len(s.topic.Partitions))
	}
	return &Finding{Severity: Blocks, Summary: summary}
}

func noSpareReplica(s *subject) *Finding {
	before, factor := s.factor()
	least, known := s.after(minInSync).number()
	touched := s.config(minInSync) != nil || before != factor
	if s.Action == plan.Delete || !known || !touched || factor < 2 || least != int64(factor) {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("min.insync.replicas %d of %d replicas: one broker down stops acks=all producers", least, factor)}
}

func uncleanElection(s *subject) *Finding {
	if s.Action != plan.Update || s.config(unclean) == nil {
		return nil
	}
	before, after := s.before(unclean), s.after(unclean)
	if before.known && before.text == "true" || after.known && after.text != "true" {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: "unclean leader election is switched on: acknowledged messages may be lost"}
}

func unhealthy(s *subject) *Finding {
	offline, behind := 0, 0
	for _, p := range s.topic.Partitions {
		switch {
		case p.Leader < 0:
			offline++
		case slices.ContainsFunc(p.Replicas, func(id int32) bool { return !slices.Contains(p.InSync, id) && !slices.Contains(p.Adding, id) }):
			behind++
		}
	}
	if s.Action == plan.Create || offline+behind == 0 {
		return nil
	}
	return &Finding{Severity: Warns, Summary: fmt.Sprintf("%d offline and %d under-replicated of %s", offline, behind, english.Plural(len(s.topic.Partitions), "partition", ""))}
}

func dataMoves(s *subject) *Finding {
	if s.moves == nil {
		return nil
	}
	m := plan.Moved(s.moves, s.sizes())
	if m.Copies == 0 {
		return nil
	}
	f := &Finding{Severity: Warns, Summary: fmt.Sprintf("%s copied from brokers %v to %v", english.Plural(m.Copies, "replica is", "replicas are"), m.From, m.To)}
	f.Radius = nothing()
	f.Radius.Bytes = m.Bytes
	switch {
	case m.Bytes == nil:
		f.Summary += ", an unknown number of bytes" + because(reasons(s.measured()))
	case s.Throttle == 0:
		f.Summary += ", up to " + humanize.IBytes(uint64(*m.Bytes))
	default:
		f.Summary += fmt.Sprintf(", up to %s, at least %s at %s/s",
			humanize.IBytes(uint64(*m.Bytes)), m.Time(s.Throttle).Round(time.Second), humanize.IBytes(uint64(s.Throttle)))
	}
	return f
}
