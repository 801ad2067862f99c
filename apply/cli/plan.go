package cli

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/plan/render"
)

// planFlags are those of plan and apply.
type planFlags struct {
	target []string
	allow  []string
	all    bool
}

func (f *planFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.target, "target", nil, "only the block at `ADDRESS` and what it needs (repeatable)")
	flags.StringArrayVar(&f.allow, "allow", nil, "let a hazard pass: `CODE:ADDRESS` (repeatable)")
	flags.BoolVar(&f.all, "all", false, "print every change, none folded or left out")
}

func (a *app) planCommand() *cobra.Command {
	var flags planFlags
	var out, format string
	var detailed bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would change, and what it could lose",
		Long: `Compares the topology with the live cluster and shows the minimal set of
changes. Nothing is written to the cluster.

Exit codes: 0 planned; 1 error; 2 something to do (--detailed-exitcode);
3 blocked by a hazard.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			s, err := a.open(c.Context(), flags)
			if err != nil {
				return err
			}
			defer s.close()
			p, err := s.plan(c.Context(), s.fresh)
			if err != nil {
				return err
			}
			if err := a.show(p, format, flags.all); err != nil {
				return err
			}
			return a.planned(p, out, detailed)
		},
	}
	a.clusterFlags(c)
	flags.register(c)
	c.Flags().StringVar(&out, "out", "", "write the plan to a `FILE` for apply")
	c.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	c.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit 2 when there is something to do")
	return c
}

// show prints the plan to stdout.
func (a *app) show(p *planned, format string, all bool) error {
	if format == "json" {
		p.document.Bind(p.Topology)
		return planfile.Encode(a.Out, p.document)
	}
	return render.Text(a.Out, p.document, render.Options{Width: a.Width, Color: a.Color, All: all, Allowed: p.allowed})
}

// planned saves the plan and finds the exit code. A plan with errors is not saved.
func (a *app) planned(p *planned, out string, detailed bool) error {
	if p.failed() {
		return &exit{code: exitError}
	}
	if out != "" {
		p.document.Bind(p.Topology)
		if err := save(out, p.document); err != nil {
			return err
		}
		fmt.Fprintf(a.Err, "Saved. To carry it out, with the same -C, --cluster and --var:\n  queueform apply %s\n", out)
	}
	switch {
	case len(p.blocking) > 0:
		a.flags(p.blocking)
		return &exit{code: exitBlocked}
	case detailed && p.document.Summary.Changes() > 0:
		return &exit{code: exitFound}
	}
	return nil
}

func (a *app) flags(blocking []guard.Finding) {
	_ = render.Flags(a.Err, blocking) // a stderr that cannot be written to leaves nobody to tell
}

// save writes the plan document to a file.
func save(path string, d *planfile.Document) error {
	var text bytes.Buffer
	if err := planfile.Encode(&text, d); err != nil {
		return err
	}
	if err := replace(path, text.Bytes()); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return nil
}
