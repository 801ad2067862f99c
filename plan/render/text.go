// Package render shows the documents of a plan and of a status to people. JSON
// is the document itself; see packages planfile and health.
//
// Learn [Text] and [Status].
package render

import (
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/mitchellh/go-wordwrap"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// Options say how a document is shown.
type Options struct {
	Width int  // columns; 0: 80
	Color bool // ANSI colours
	All   bool // every change, none folded or left out

	Allowed []guard.Allow // what blocks and may pass all the same
}

// mostChanges is how many changes that block nothing are printed.
const mostChanges = 100

// Text prints a plan: what changes, what it could lose, and what to do.
func Text(w io.Writer, d *planfile.Document, o Options) error {
	t := &text{Options: o, paint: diag.NewPalette(o.Color)}
	t.Width = cmp.Or(o.Width, 80)
	t.head(d)
	for _, a := range []plan.Action{plan.Create, plan.Update, plan.Delete, plan.Forget} {
		t.action(d, a)
	}
	t.objects("Adopts, since nobody has it", d.Adopts)
	t.objects("Owned, and declared no more: left alone until a delete or forget block names it", d.Orphans)
	t.objects("Left half-done by an earlier apply", d.HalfDone)
	t.objects("Owned, and there no more: apply forgets it", d.Vanished)
	t.objects("Held no more: stays, since it is another's, too, or was there before", d.Released)
	t.moving(d.Moving)
	t.throttled(d.Throttled)
	t.unclaimed(d.Unclaimed)
	t.obstacles("Could not be read", d.Unseen)
	t.obstacles("Cannot be done now", d.Blocked)
	t.foot(d)
	_, err := io.WriteString(w, t.out.String())
	return err
}

type text struct {
	Options
	paint diag.Palette
	out   strings.Builder
	shown int
}

func (t *text) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	t.out.WriteByte('\n')
}

// wrapped prints prose, its further lines indented like the first.
func (t *text) wrapped(indent, prose string) {
	for _, line := range t.broken(prose, t.Width-len(indent)) {
		t.line("%s%s", indent, line)
	}
}

// broken are the lines of prose, of so many columns.
func (t *text) broken(prose string, room int) []string {
	return strings.Split(wordwrap.WrapString(prose, uint(max(room, 20))), "\n")
}

func (t *text) head(d *planfile.Document) {
	on := d.Cluster.Name
	if d.Cluster.ID != "" {
		on = strings.TrimSpace(on + " (" + d.Cluster.ID + ")")
	}
	t.line("%s on %s", t.paint.Bold(d.Topology), on)
	if len(d.Target) > 0 {
		t.line("Only %s", strings.Join(texts(d.Target), ", "))
	}
	t.line("")
}

func texts(addrs []schema.Addr) []string {
	all := make([]string, len(addrs))
	for i, a := range addrs {
		all[i] = a.String()
	}
	return all
}

// action prints the changes of one kind: those that block in full, of the
// others as many as people read.
func (t *text) action(d *planfile.Document, a plan.Action) {
	groups := t.groups(d, a)
	if len(groups) == 0 {
		return
	}
	t.line("%s", t.paint.Bold(title(a)))
	left := 0
	for _, g := range groups {
		if !t.All && t.shown >= mostChanges && !g.first.Blocking() {
			left += g.count
			continue
		}
		t.shown++
		t.change(g)
	}
	if left > 0 {
		t.line("  and %s more (--all shows them)", humanize.Comma(int64(left)))
	}
	t.line("")
}

func title(a plan.Action) string {
	return strings.ToUpper(string(a[:1])) + string(a[1:])
}

// group is a change, and how many instances of the same block change just like it.
type group struct {
	first *planfile.Change
	count int
}

// groups folds the instances of a block that change alike.
func (t *text) groups(d *planfile.Document, a plan.Action) []group {
	var groups []group
	of := map[schema.Addr][]int{} // by block: its groups
	for i := range d.Changes {
		c := &d.Changes[i]
		if c.Action != a {
			continue
		}
		block := c.Address.Block()
		at := slices.IndexFunc(of[block], func(g int) bool { return !t.All && alike(groups[g].first, c) })
		if at >= 0 {
			groups[of[block][at]].count++
			continue
		}
		of[block] = append(of[block], len(groups))
		groups = append(groups, group{first: c, count: 1})
	}
	return groups
}

func alike(a, b *planfile.Change) bool {
	return a.Address.Keyed && a.Address.Label != "" && !a.Blocking() && !b.Blocking() && a.Check == b.Check &&
		reflect.DeepEqual(a.Fields, b.Fields) && reflect.DeepEqual(a.Hazards, b.Hazards)
}

func (t *text) change(g group) {
	c := g.first
	name := c.Name
	if named := cmp.Or(c.Address.Label, c.Address.Key); name == named {
		name = ""
	}
	sign := map[plan.Action]string{plan.Create: t.paint.Green("+"), plan.Update: t.paint.Yellow("~"), plan.Delete: t.paint.Red("-"), plan.Forget: t.paint.Faint("x")}[c.Action]
	t.titled(sign, c.Address.String(), name, c.Source.String())
	if c.NeededBy != nil {
		t.line("      needed by %s", c.NeededBy)
	}
	t.fields(c)
	for _, h := range c.Hazards {
		t.hazard(c.Address, h)
	}
	if asked := c.Check != (plan.Check{}).String(); asked && strings.HasPrefix(c.Check, "not checked") && c.Action != plan.Delete && c.Action != plan.Forget {
		t.wrapped("      ", t.paint.Faint(c.Check))
	}
	if g.count > 1 {
		t.line("      + %s like it", humanize.Comma(int64(g.count-1)))
	}
}

// titled prints a change's first line, its place at the right edge. What finds
// no room beside the address has lines of its own.
func (t *text) titled(sign, address, name, source string) {
	const margin = "      "
	left := "  " + sign + " " + t.paint.Bold(address)
	used := len("  + ") + diag.Columns(address)
	beside := name != "" && used+2+diag.Columns(name) <= t.Width
	if beside {
		left += "  " + name
		used += 2 + diag.Columns(name)
	}
	gap := t.Width - used - diag.Columns(source)
	if gap >= 2 && (beside || name == "") {
		t.line("%s%s%s", left, strings.Repeat(" ", gap), t.paint.Faint(source))
		return
	}
	t.line("%s", left)
	if name != "" && !beside {
		t.line("%s%s", margin, name)
	}
	t.line("%s%s", margin, t.paint.Faint(source))
}

func (t *text) fields(c *planfile.Change) {
	widest := 0
	for _, f := range c.Fields {
		widest = max(widest, len(label(f.Path)))
	}
	for _, f := range c.Fields {
		for i, value := range t.values(c.Action, f) {
			name := label(f.Path)
			if i > 0 {
				name = ""
			}
			t.line("      %-*s  %s", widest, name, value)
		}
	}
}

// label is a field's path, of a config its key alone.
func label(path string) string {
	if key, ok := plan.ConfigKey(path); ok {
		return key
	}
	return path
}

// values are the lines for one field: one, unless it holds replica lists.
func (t *text) values(a plan.Action, f planfile.Field) []string {
	if lists, ok := f.After.Value.([][]int32); ok {
		before, _ := f.Before.Value.([][]int32)
		return placements(before, lists)
	}
	before, after := spelled(f.Before.Value, f.BeforeSpelling), spelled(f.After.Value, f.Spelling)
	switch f.Inherited {
	case plan.Before:
		before += " (inherited)"
	case plan.After:
		after = strings.TrimSpace(strings.TrimPrefix(after, none) + " (inherited)")
	case plan.NoSide:
	}
	switch a {
	case plan.Create:
		return []string{after}
	case plan.Delete:
		return []string{before}
	case plan.Update, plan.Forget:
	}
	return []string{before + " -> " + after}
}

const none = "(none)"

func spelled(value plan.Value, spelling string) string {
	switch {
	case value == nil:
		return none
	case spelling != "":
		return spelling
	case value == "":
		return `""`
	}
	text := fmt.Sprint(value)
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return schema.Quote(text) // it does not speak to the terminal
	}
	return text
}

// mostPlacements is how many partitions' replicas are printed.
const mostPlacements = 8

func placements(before, after [][]int32) []string {
	var lines []string
	for i := range after {
		switch {
		case i >= len(before):
			lines = append(lines, fmt.Sprintf("partition %d on %v", i, after[i]))
		case !slices.Equal(before[i], after[i]):
			lines = append(lines, fmt.Sprintf("partition %d %v -> %v", i, before[i], after[i]))
		}
	}
	if len(lines) > mostPlacements {
		more := fmt.Sprintf("and %s more", english.Plural(len(lines)-mostPlacements+1, "partition", ""))
		lines = append(lines[:mostPlacements-1], more)
	}
	return lines
}

func (t *text) hazard(of schema.Addr, h planfile.Hazard) {
	sign, says := t.paint.Yellow("!"), string(h.Severity)
	switch passes := func(a guard.Allow) bool { return a.Permits(h.Code, of) }; {
	case h.Severity != guard.Blocks:
	case slices.ContainsFunc(t.Allowed, passes):
		says = "allowed"
	default:
		sign = t.paint.Red("!")
	}
	prose := fmt.Sprintf("%s %s: %s", h.Code, says, h.Summary)
	if r := radius(h); r != "" {
		prose += " (" + r + ")"
	}
	for i, line := range t.broken(prose, t.Width-8) {
		if i > 0 {
			sign = " "
		}
		t.line("      %s %s", sign, line)
	}
}

// radius tells what a blocking hazard could lose.
func radius(h planfile.Hazard) string {
	known, exists := guard.Find(h.Code)
	if !exists || !known.Loses || h.Severity != guard.Blocks {
		return ""
	}
	r := h.BlastRadius
	messages, bytes, groups := "messages unknown", "bytes unknown", "readers unknown"
	if r.Messages != nil {
		messages = fmt.Sprintf("up to %s %s", humanize.Comma(*r.Messages), english.PluralWord(int(*r.Messages), "message", ""))
	}
	if r.Bytes != nil {
		bytes = "up to " + humanize.IBytes(uint64(*r.Bytes))
	}
	if r.Groups != nil {
		groups = readers(r.Groups)
	}
	parts := []string{messages, bytes, groups}
	if r.Messages != nil && r.Bytes != nil && *r.Messages+*r.Bytes == 0 {
		parts = []string{"no messages", groups}
	}
	text := strings.Join(parts, ", ")
	if r.Why != "" {
		text += "; " + r.Why
	}
	return text
}

// mostReaders is how many groups are named.
const mostReaders = 3

// readers tells which groups would miss something, those that miss the most
// first, and which have read it all.
func readers(groups []planfile.Reader) string {
	var behind, done []string
	for _, g := range groups {
		if name := plain(g.Group); g.Unread > 0 {
			behind = append(behind, name+": "+humanize.Comma(g.Unread))
		} else {
			done = append(done, name)
		}
	}
	says := "unread by " + cmp.Or(named(behind), "no group")
	if len(done) > 0 {
		says += ", read to the end by " + named(done)
	}
	return says
}

// named lists groups, as many as people read.
func named(groups []string) string {
	if more := len(groups) - mostReaders; more > 0 {
		groups = append(groups[:mostReaders:mostReaders], english.Plural(more, "more group", ""))
	}
	return english.WordSeries(groups, "and")
}

// plain is a name that may hold anything, fit for a terminal.
func plain(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
		return schema.Quote(name)
	}
	return name
}

func (t *text) moving(moves []planfile.Moving) {
	if len(moves) == 0 {
		return
	}
	t.line("%s", t.paint.Bold("Moving already"))
	for _, m := range moves {
		t.line("  %s partition %d to %v", m.Address, m.Partition, m.To)
	}
	t.line("")
}

// mostNamed is how many objects of a list are printed.
const mostNamed = 10

func (t *text) objects(title string, all []planfile.Object) {
	if len(all) == 0 {
		return
	}
	t.line("%s", t.paint.Bold(title))
	for i, o := range all {
		if i == mostNamed && !t.All {
			t.line("  and %s more", humanize.Comma(int64(len(all)-i)))
			break
		}
		t.line("  %s %s", o.Kind, o.Name)
	}
	t.line("")
}

func (t *text) throttled(objects []planfile.Object) {
	if len(objects) == 0 {
		return
	}
	t.line("%s", t.paint.Bold("Left by an earlier apply"))
	for _, o := range objects {
		t.line("  a replication throttle on %s %s, which apply removes when nothing moves", o.Kind, o.Name)
	}
	t.line("")
}

// unclaimed tells of throttles that queueform does not take away, and how to.
func (t *text) unclaimed(all []planfile.Throttle) {
	if len(all) == 0 {
		return
	}
	t.line("%s", t.paint.Bold("Throttled, and the ledger does not tell by whom: stays"))
	for i, o := range all {
		if i == mostNamed && !t.All {
			t.line("  and %s more", humanize.Comma(int64(len(all)-i)))
			break
		}
		t.wrapped("  ", fmt.Sprintf("%s  %s = %s", o.Owner, o.Key, plain(o.Value)))
	}
	t.wrapped("  ", "If nobody moves replicas now, take each away: kafka-configs.sh --alter --entity-type topics (or brokers) --entity-name NAME --delete-config KEY")
	t.line("")
}

func (t *text) obstacles(title string, all []planfile.Obstacle) {
	if len(all) == 0 {
		return
	}
	t.line("%s", t.paint.Bold(title))
	for _, o := range all {
		t.titled("?", strings.TrimSuffix(o.Address.String()+" "+o.Path, " "), o.Name, o.Source.String())
		t.wrapped("      ", o.Reason)
		if o.Missing != "" {
			t.wrapped("      ", "missing: "+o.Missing)
		}
	}
	t.line("")
}

func (t *text) foot(d *planfile.Document) {
	switch s := d.Summary; {
	case s.Changes() > 0:
		forget := ""
		if s.Forget > 0 {
			forget = fmt.Sprintf(", %s to forget", humanize.Comma(int64(s.Forget)))
		}
		t.line("%s to create, %s to update, %s to delete%s.", t.paint.Bold("Plan: "+humanize.Comma(int64(s.Create))), humanize.Comma(int64(s.Update)), humanize.Comma(int64(s.Delete)), forget)
	case d.Incomplete() || len(d.Errors) > 0:
	case len(d.Adopts) > 0:
		t.line("Nothing to change: apply notes that %s is this topology's.", english.Plural(len(d.Adopts), "object", ""))
	case len(d.Moving) > 0:
		t.line("Nothing to do but to wait for what is moving.")
	case len(d.Throttled) > 0:
		t.line("Nothing to change: apply removes the replication throttle that is left.")
	case len(d.Vanished)+len(d.Released) > 0:
		t.line("Nothing to change: apply forgets %s.", english.Plural(len(d.Vanished)+len(d.Released), "object", ""))
	case len(d.HalfDone) > 0:
		t.line("Nothing to change, whatever an earlier apply left half-done.")
	default:
		t.line("Nothing to do: the cluster is as declared.")
	}
	if len(d.Errors) > 0 {
		t.wrapped("", "The files have errors: see above. Nothing of the plan can be applied before they are mended.")
	}
	if d.Incomplete() {
		t.wrapped("", "The plan is incomplete: see above what could not be read or done.")
	}
}

// Flags prints what to add to the command line to let the blocking findings
// pass. One flag may be for several.
func Flags(w io.Writer, blocking []guard.Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Blocked by %s. If this is what you want, add:\n", english.Plural(len(blocking), "hazard", ""))
	said := map[string]bool{}
	for _, f := range blocking {
		if flag := f.Flag(); !said[flag] {
			said[flag] = true
			fmt.Fprintf(&b, "  %s\n", flag)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
