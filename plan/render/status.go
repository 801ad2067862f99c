package render

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// mostRows is how many rows of a table are printed, beside those that want
// attention.
const mostRows = 20

// Status prints a status: what wants attention, then how all is doing, the most
// urgent first.
func Status(w io.Writer, d *health.Document, o Options) error {
	t := &text{Options: o, paint: diag.NewPalette(o.Color)}
	t.Width = max(cmp.Or(o.Width, 80), 60)
	s := &statusText{text: t, d: d, urgency: urgencies(d)}
	on := strings.TrimSpace(d.Cluster.Name + " (" + d.Cluster.ID + ")")
	t.line("%s on %s", t.paint.Bold(d.Topology), on)
	t.line("%s, %s up", d.At.Format("2006-01-02 15:04:05 UTC"), english.Plural(d.Cluster.Brokers, "broker", ""))
	t.line("")
	s.findings()
	s.queues()
	s.groups()
	s.capacity()
	s.users()
	s.quotas()
	s.leftovers()
	s.unseen()
	s.foot()
	_, err := io.WriteString(w, t.out.String())
	return err
}

type statusText struct {
	*text
	d       *health.Document
	urgency map[schema.Addr]int // of those with findings: the smaller the more urgent
}

func urgencies(d *health.Document) map[schema.Addr]int {
	all := map[schema.Addr]int{}
	for _, f := range d.Findings {
		if f.Address == nil {
			continue
		}
		if _, worse := all[*f.Address]; !worse {
			all[*f.Address] = slices.Index(health.Codes(), f.Code)
		}
	}
	return all
}

// urgent is an address's place: those without findings come last.
func (s *statusText) urgent(a schema.Addr) int {
	if urgency, found := s.urgency[a]; found {
		return urgency
	}
	return len(health.Codes())
}

// painter marks what wants attention.
func (s *statusText) painter(a schema.Addr) diag.Painter {
	switch urgency, found := s.urgency[a]; {
	case !found:
		return fmt.Sprint
	case health.Codes()[urgency] == health.UnderReplicated:
		return s.paint.Yellow
	}
	return s.paint.Red
}

// some are those of a list that are printed, and how many are not.
func (s *statusText) some(all, urgent int) (shown, left int) {
	shown = all
	if !s.All {
		shown = min(all, max(mostRows, urgent))
	}
	return shown, all - shown
}

func (s *statusText) more(left int) {
	if left > 0 {
		s.line("  and %s more (--all shows them)", humanize.Comma(int64(left)))
	}
	s.line("")
}

func (s *statusText) findings() {
	if len(s.d.Findings) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("Wants attention"))
	shown, left := s.some(len(s.d.Findings), 0)
	for _, f := range s.d.Findings[:shown] {
		sign := s.paint.Red("!")
		if f.Code == health.UnderReplicated || f.Code == health.NotApplied {
			sign = s.paint.Yellow("!")
		}
		s.signed(sign, about(f)+": "+f.Summary)
	}
	s.more(left)
}

func about(f health.Finding) string {
	if f.Address == nil {
		return "topology " + f.Name
	}
	return f.Address.String()
}

// signed prints prose behind a sign, its further lines indented.
func (s *statusText) signed(sign, prose string) {
	for i, line := range s.broken(prose, s.Width-4) {
		if i > 0 {
			sign = " "
		}
		s.line("  %s %s", sign, snipped(line, s.Width-4))
	}
}

func (s *statusText) queues() {
	if len(s.d.Queues) == 0 {
		return
	}
	all := slices.Clone(s.d.Queues)
	slices.SortStableFunc(all, func(a, b health.Queue) int {
		return cmp.Or(s.urgent(a.Address)-s.urgent(b.Address), cmp.Compare(valueOf(b.OldestAge), valueOf(a.OldestAge)), a.Address.Compare(b.Address))
	})
	shown, left := s.some(len(all), len(s.urgency))
	tb := table{head: []string{"Queues", "messages", "in/s", "out/s", "unread for", "in sync", "size"}}
	for i := range all[:shown] {
		tb.rows = append(tb.rows, s.queue(&all[i]))
	}
	s.table(tb)
	s.more(left)
}

func (s *statusText) queue(q *health.Queue) row {
	r := row{paint: s.painter(q.Address), below: otherName(q.Address, q.Topic)}
	if q.Exists == nil || !*q.Exists {
		missing := "?"
		if q.Exists != nil {
			missing = "absent"
		}
		r.cells = []string{q.Address.String(), missing, "", "", "", "", ""}
		return r
	}
	messages := known(q.Messages, count)
	if q.Bound && q.Messages != nil && *q.Messages > 0 {
		messages = "up to " + messages
	}
	away := map[int32]bool{}
	for _, p := range slices.Concat(q.Offline, q.UnderReplicated) {
		away[p] = true
	}
	r.cells = []string{
		q.Address.String(), messages, known(q.In, rate), known(q.Out, rate), unreadFor(q),
		fmt.Sprintf("%d/%d", *q.Partitions-len(away), *q.Partitions), known(q.Bytes, size),
	}
	return r
}

// otherName is Kafka's name of an object, where the address does not have it.
func otherName(a schema.Addr, name string) string {
	if name == cmp.Or(a.Label, a.Key) {
		return ""
	}
	return plain(name)
}

func unreadFor(q *health.Queue) string {
	switch {
	case q.OldestAge != nil && q.OldestAtLeast:
		return ">= " + span(*q.OldestAge)
	case q.OldestAge != nil:
		return span(*q.OldestAge)
	case q.OldestAtLeast:
		return "?"
	}
	return "-"
}

func (s *statusText) groups() {
	if len(s.d.Groups) == 0 {
		return
	}
	all := slices.Clone(s.d.Groups)
	slices.SortStableFunc(all, func(a, b health.Group) int {
		return cmp.Or(s.urgent(a.Address)-s.urgent(b.Address), cmp.Compare(valueOf(b.Lag), valueOf(a.Lag)), a.Address.Compare(b.Address))
	})
	shown, left := s.some(len(all), len(s.urgency))
	tb := table{head: []string{"Groups", "unread", "in/s", "out/s", "caught up", "members"}}
	for i := range all[:shown] {
		g := &all[i]
		lag := known(g.Lag, count)
		if g.LagAtLeast {
			lag = ">= " + lag
		}
		members := known(g.Members, func(n int) string { return count(int64(n)) })
		if g.DeclaredMembers > 0 {
			members += "/" + count(int64(g.DeclaredMembers))
		}
		tb.rows = append(tb.rows, row{
			cells: []string{g.Address.String(), lag, known(g.In, rate), known(g.Out, rate), caughtUp(g), members},
			paint: s.painter(g.Address), below: details(g),
		})
	}
	s.table(tb)
	s.more(left)
}

func caughtUp(g *health.Group) string {
	switch g.CatchUp {
	case health.CaughtUp:
		return "yes"
	case health.Catching:
		return "in " + span(*g.CatchUpIn)
	case health.Falling, health.Standing:
		return "never"
	case health.UnknownYet:
	}
	return "?"
}

// details are what a group's row has no room for.
func details(g *health.Group) string {
	says := []string{string(cmp.Or(g.Protocol, g.Declared))}
	if g.Protocol != "" && g.Protocol != g.Declared {
		says[0] += fmt.Sprintf(" (declared: %s)", g.Declared)
	}
	if name := otherName(g.Address, g.GroupID); name != "" {
		says = append([]string{name}, says...)
	}
	if g.State != "" {
		says = append(says, strings.ToLower(g.State))
	}
	if g.Worst != nil {
		worst := fmt.Sprintf("most in %s[%d]: %s", plain(g.Worst.Topic), g.Worst.Partition, count(*g.Worst.Lag))
		if g.Skew != nil {
			worst += fmt.Sprintf(", %.1f times the mean", *g.Skew)
		}
		says = append(says, worst)
	}
	if g.InFlight != nil && *g.InFlight > 0 {
		says = append(says, "up to "+count(*g.InFlight)+" in flight")
	}
	return strings.Join(says, ", ")
}

func (s *statusText) capacity() {
	if len(s.d.Capacity) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("The declared load needs"))
	all := slices.Clone(s.d.Capacity)
	slices.SortStableFunc(all, func(a, b health.Need) int { return fits(a) - fits(b) })
	shown, left := s.some(len(all), 0)
	for _, n := range all[:shown] {
		sign, says := " ", n.Summary
		if n.Address != nil {
			says = n.Address.String() + ": " + says
		}
		if !n.Fits {
			sign = s.paint.Yellow("!")
		}
		s.signed(sign, says)
	}
	s.more(left)
}

func fits(n health.Need) int {
	if n.Fits {
		return 1
	}
	return 0
}

func (s *statusText) users() {
	if len(s.d.Users) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("Users"))
	shown, left := s.some(len(s.d.Users), 0)
	for _, u := range s.d.Users[:shown] {
		by := make([]string, len(u.Mechanisms))
		for i, m := range u.Mechanisms {
			by[i] = string(m)
		}
		says := u.Address.String() + ": " + cmp.Or(english.WordSeries(by, "and"), "no credentials")
		if u.Mechanisms == nil {
			says = u.Address.String() + ": ?"
		}
		if len(u.UsedBy) > 0 {
			says += ", for " + english.WordSeries(texts(u.UsedBy), "and")
		}
		s.within("  ", says)
	}
	s.more(left)
}

func (s *statusText) quotas() {
	if len(s.d.Quotas) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("Quotas"))
	shown, left := s.some(len(s.d.Quotas), 0)
	for _, q := range s.d.Quotas[:shown] {
		says := fmt.Sprintf("%s %s: %s", q.Entity, q.Key, known(q.Limit, limited(q.Key)))
		if q.Known && q.Limit == nil {
			says = fmt.Sprintf("%s %s: none", q.Entity, q.Key)
		}
		if q.Limit == nil || *q.Limit != q.Declared {
			says += ", declared " + limited(q.Key)(q.Declared)
		}
		s.within("  ", says)
	}
	s.more(left)
}

// limited spells a limit.
func limited(key schema.LimitKey) func(float64) string {
	if strings.HasSuffix(string(key), "byte_rate") {
		return func(v float64) string { return size(int64(min(v, math.MaxInt64))) + "/s" }
	}
	return func(v float64) string { return humanize.Ftoa(v) }
}

var leftSays = map[health.Left]string{
	health.Throttled: "has a replication throttle, which apply removes when nothing moves",
	health.HalfDone:  "was left half-done by an earlier apply",
	health.Orphan:    "is owned, and declared no more",
	health.Moving:    "is moving to other brokers",
}

func (s *statusText) leftovers() {
	if s.d.Lock != nil {
		s.within("", fmt.Sprintf("%s applies this topology since %s.", plain(s.d.Lock.Holder), s.d.Lock.Since.Format("2006-01-02 15:04:05 UTC")))
		s.line("")
	}
	if len(s.d.Leftovers) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("Left over"))
	shown, left := s.some(len(s.d.Leftovers), 0)
	for _, l := range s.d.Leftovers[:shown] {
		s.within("  ", fmt.Sprintf("%s %s %s", l.Object, plain(l.Name), leftSays[l.Left]))
	}
	s.more(left)
}

func (s *statusText) unseen() {
	if len(s.d.Unseen) == 0 {
		return
	}
	s.line("%s", s.paint.Bold("Could not be read"))
	shown, left := s.some(len(s.d.Unseen), 0)
	for _, u := range s.d.Unseen[:shown] {
		says := strings.TrimSuffix(u.Address.String()+" "+u.What, " ") + ": " + u.Reason
		if u.Missing != "" {
			says += ", missing: " + u.Missing
		}
		s.signed("?", says)
	}
	s.more(left)
}

func (s *statusText) foot() {
	switch {
	case s.d.Incomplete():
		s.line("The status is incomplete: see above what could not be read.")
	case s.d.Applied:
		s.line("The topology is applied.")
	default:
		s.line("The topology is not applied: queueform plan shows what is different.")
	}
}

func valueOf[N int64 | float64](n *N) N {
	if n == nil {
		return -1
	}
	return *n
}

func known[N any](n *N, spell func(N) string) string {
	if n == nil {
		return "?"
	}
	return spell(*n)
}

// count spells a number: exactly up to millions.
func count(n int64) string {
	if n < 10_000_000 {
		return humanize.Comma(n)
	}
	return humanize.SIWithDigits(float64(n), 1, "")
}

func rate(perSecond float64) string {
	if perSecond < 10 {
		return humanize.FtoaWithDigits(perSecond, 1)
	}
	return count(int64(math.Round(perSecond)))
}

func size(bytes int64) string { return humanize.IBytes(uint64(max(0, bytes))) }

// span spells seconds in their two largest units.
func span(seconds float64) string {
	const day = 24 * time.Hour
	switch d := time.Duration(min(seconds, 1e9) * float64(time.Second)); {
	case d < time.Second:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 1000*day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}
