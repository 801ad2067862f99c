package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
)

func (a *app) historyCommand() *cobra.Command {
	var format string
	var last int
	c := &cobra.Command{
		Use:   "history",
		Short: "List who applied what, and how it ended",
		Long: `Lists the applies of the topology that the ledger remembers, the newest first:
when, who, from where, of which git commit, what changed, and how it ended.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			if last < 0 {
				return fmt.Errorf("--last is 0 or more, not %d", last)
			}
			s, err := a.visit(c.Context())
			if err != nil {
				return err
			}
			defer s.close()
			state, err := s.state(c.Context())
			if err != nil {
				return err
			}
			applies := slices.Clone(state.History[s.topology.Name])
			slices.Reverse(applies)
			for i := range applies {
				applies[i].Outcome = cmp.Or(applies[i].Outcome, unended(state, &applies[i]))
			}
			if last > 0 {
				applies = applies[:min(last, len(applies))]
			}
			if format == "json" {
				return a.historyJSON(applies)
			}
			return a.historyText(applies)
		},
	}
	a.clusterFlags(c)
	c.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	c.Flags().IntVar(&last, "last", 0, "only the last `N` (0: all)")
	return c
}

// past is an apply in JSON.
type past struct {
	Began   time.Time       `json:"began"`
	Ended   *time.Time      `json:"ended"` // null: it runs, or was killed
	Outcome string          `json:"outcome"`
	User    string          `json:"user"`
	Host    string          `json:"host"`
	Process int             `json:"process"`
	Commit  string          `json:"commit,omitempty"`
	Digest  string          `json:"digest"`
	Changes []ledger.Change `json:"changes"`
	More    int             `json:"more_changes"`
}

func (a *app) historyJSON(applies []ledger.Apply) error {
	all := make([]past, len(applies))
	for i := range applies {
		p := &applies[i]
		all[i] = past{
			Began: time.UnixMilli(p.Began).UTC(), Outcome: p.Outcome, User: p.Holder.User, Host: p.Holder.Host, Process: p.Holder.PID,
			Commit: p.Holder.Commit, Digest: p.Digest, Changes: append([]ledger.Change{}, p.Changes.First...), More: p.Changes.More,
		}
		if p.Ended > 0 {
			all[i].Ended = new(time.UnixMilli(p.Ended).UTC())
		}
	}
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(struct {
		FormatVersion int    `json:"format_version"`
		Applies       []past `json:"applies"`
	}{1, all})
}

func (a *app) historyText(applies []ledger.Apply) error {
	if len(applies) == 0 {
		_, err := fmt.Fprintln(a.Out, "Nothing was applied yet.")
		return err
	}
	for i := range applies {
		if err := a.past(&applies[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) past(p *ledger.Apply) error {
	_, err := fmt.Fprintf(a.Out, "%s  %s  %s\n", stamp(p.Began), p.Outcome, p.Holder)
	for _, c := range p.Changes.First {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Out, "  %-6s %s  %s%s\n", c.Action, c.Address, c.Name, suffix(c.Outcome))
	}
	if err == nil && p.Changes.More > 0 {
		_, err = fmt.Fprintf(a.Out, "  and %d more\n", p.Changes.More)
	}
	return err
}

// unended tells an apply that is at work, as far as its lease says, from one that died.
func unended(state *ledger.State, p *ledger.Apply) string {
	held, _ := state.HeldBy(ledger.TopologyLock(p.Holder.Topology))
	if now := ledger.Now(time.Now(), live.Ledger{Clock: state.Clock}, false); held.Claim == p.Claim && now.UnixMilli() <= held.Until {
		return "running"
	}
	return "not ended"
}

func suffix(outcome string) string {
	if outcome == "" || outcome == "done" {
		return ""
	}
	return ": " + outcome
}
