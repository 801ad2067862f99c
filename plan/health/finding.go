package health

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/queueform/queueform/schema"
)

// Finding is something that wants attention.
type Finding struct {
	Code    Code         `json:"code"`
	Address *schema.Addr `json:"address"` // null: the topology as a whole
	Name    string       `json:"name"`
	Summary string       `json:"summary"`
}

// Code is a sort of finding.
type Code string

// The sorts of findings, the most urgent first.
const (
	Offline         Code = "offline"
	Expired         Code = "expired"
	NoMembers       Code = "no_members"
	LagTooLarge     Code = "lag"
	UnderReplicated Code = "under_replicated"
	NotApplied      Code = "not_applied"
)

// Codes are all of them, the most urgent first.
func Codes() []Code {
	return []Code{Offline, Expired, NoMembers, LagTooLarge, UnderReplicated, NotApplied}
}

func (c *checkup) find() {
	d := c.document
	for i := range d.Queues {
		c.findQueue(&d.Queues[i])
	}
	for i := range d.Groups {
		c.findGroup(&d.Groups[i])
	}
	if n := len(d.Differences); n > 0 {
		d.Findings = append(d.Findings, Finding{NotApplied, nil, d.Topology, english.Plural(n, "difference", "") + " between the files and the cluster"})
	}
	urgency := Codes()
	slices.SortStableFunc(d.Findings, func(a, b Finding) int { return slices.Index(urgency, a.Code) - slices.Index(urgency, b.Code) })
}

func (c *checkup) findQueue(q *Queue) {
	found := func(code Code, format string, args ...any) {
		c.document.Findings = append(c.document.Findings, Finding{code, &q.Address, q.Topic, fmt.Sprintf(format, args...)})
	}
	if n := len(q.Offline); n > 0 {
		found(Offline, "%d of %s without a leader", n, english.Plural(*q.Partitions, "partition", ""))
	}
	if n := len(q.UnderReplicated); n > 0 {
		found(UnderReplicated, "%d of %s with a replica out of sync", n, english.Plural(*q.Partitions, "partition", ""))
	}
}

func (c *checkup) findGroup(g *Group) {
	found := func(code Code, format string, args ...any) {
		c.document.Findings = append(c.document.Findings, Finding{code, &g.Address, g.GroupID, fmt.Sprintf(format, args...)})
	}
	if g.Expired != nil && *g.Expired > 0 {
		found(Expired, "%s deleted before it was read: the committed offset is below the log's start", upTo(*g.Expired))
	}
	if g.Lag == nil || *g.Lag == 0 {
		return
	}
	if g.empty() {
		found(NoMembers, "nobody reads %s", upTo(*g.Lag))
	}
	if g.MaxLag != nil && *g.Lag > *g.MaxLag {
		found(LagTooLarge, "%s unread, of max_lag %s", humanize.Comma(*g.Lag), humanize.Comma(*g.MaxLag))
	}
}

func upTo(messages int64) string {
	return fmt.Sprintf("up to %s %s", humanize.Comma(messages), english.PluralWord(int(messages), "message", ""))
}
