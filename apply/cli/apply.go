package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/apply/progress"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/schema/catalog"
)

// defaultThrottle is the rate per broker at which replicas move unless --throttle says otherwise.
const defaultThrottle = 50 << 20

// patience is how long a request is tried again, and its result waited for.
const patience = time.Minute

type applyFlags struct {
	planFlags
	autoApprove bool
	noWait      bool
	throttle    string
}

func (a *app) applyCommand() *cobra.Command {
	var flags applyFlags
	c := &cobra.Command{
		Use:   "apply [PLANFILE]",
		Short: "Make the cluster what the topology says",
		Long: `Plans, asks, and makes the minimal set of changes; or carries out a saved plan.
Afterwards the cluster is read again: the next plan is empty, or apply says what
is left and why.

Exit codes: 0 applied, or nothing to do; 1 error; 3 blocked by a hazard;
4 applied with --no-wait, data still moving.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file := ""
			if len(args) > 0 {
				file = args[0]
			}
			return a.apply(c.Context(), flags, file)
		},
	}
	a.clusterFlags(c)
	flags.register(c)
	c.Flags().BoolVar(&flags.autoApprove, "auto-approve", false, "do not ask")
	c.Flags().BoolVar(&flags.noWait, "no-wait", false, "do not wait for replicas to move")
	c.Flags().StringVar(&flags.throttle, "throttle", "50MiB", "bytes per second and broker at which replicas move, or none: `RATE`")
	return c
}

func (a *app) apply(ctx context.Context, flags applyFlags, file string) error {
	rate, err := parseThrottle(flags.throttle)
	if err != nil {
		return err
	}
	var saved *planfile.Document
	if file != "" {
		if saved, err = readPlan(file); err != nil {
			return err
		}
		if len(flags.target) > 0 {
			return errors.New("--target does not go with a plan file: the plan was narrowed when it was made")
		}
		flags.target = addresses(saved)
	}
	s, err := a.open(ctx, flags.planFlags)
	if err != nil {
		return err
	}
	defer s.close()
	s.throttle = rate
	p, err := s.plan(ctx)
	if err != nil {
		return err
	}
	if saved != nil {
		if err := stale(saved, p.document); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	if err := a.show(p, "text", flags.all); err != nil {
		return err
	}
	return s.carryOut(ctx, p, flags, saved != nil)
}

func parseThrottle(text string) (int64, error) {
	if text == "none" {
		return 0, nil
	}
	rate, err := catalog.ParseBytes(strings.TrimSuffix(text, "/s"))
	if err != nil {
		return 0, fmt.Errorf("--throttle: %w", err)
	}
	if rate <= 0 {
		return 0, fmt.Errorf("--throttle is a positive rate or none, not %q", text)
	}
	return rate, nil
}

func readPlan(path string) (*planfile.Document, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := planfile.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func addresses(d *planfile.Document) []string {
	all := make([]string, len(d.Target))
	for i, a := range d.Target {
		all[i] = a.String()
	}
	return all
}

// carryOut asks where somebody is there to answer, and applies.
func (s *session) carryOut(ctx context.Context, p *planned, flags applyFlags, saved bool) error {
	switch {
	case p.diags.HasErrors():
		return &exit{code: exitError, err: errors.New("nothing was applied")}
	case len(p.Steps) == 0 && len(p.Moving) == 0:
		return s.ended(p)
	case len(p.blocking) > 0:
		s.flags(p.blocking)
		return &exit{code: exitBlocked}
	case !flags.autoApprove && !saved:
		if err := s.confirm(ctx); err != nil {
			return err
		}
	}
	watch := progress.New(s.Err, s.Terminal)
	engine := &apply.Engine{
		Write: s.conn.Writer(), Read: s.read, Observe: watch.Event, Clock: apply.SystemClock(),
		Patience: patience, Throttle: s.throttle, NoWait: flags.noWait,
	}
	report := engine.Run(ctx, p.Plan)
	watch.Close()
	return s.outcome(ctx, p, report, engine)
}

func (s *session) confirm(ctx context.Context) error {
	if !s.Terminal {
		return errors.New("nobody is there to ask: say --auto-approve, or apply a plan file")
	}
	fmt.Fprint(s.Err, "Apply this? Only yes is taken: ")
	answer := make(chan string, 1)
	go func() { // ends with the process, when nobody answers
		line, _ := bufio.NewReader(s.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return errors.New("interrupted: nothing was applied")
	case line := <-answer:
		if line != "yes" {
			return errors.New("not confirmed: nothing was applied")
		}
		return nil
	}
}

// outcome tells how an apply went, on the lines that asked for what failed,
// and reads the cluster once more.
func (s *session) outcome(ctx context.Context, p *planned, report *apply.Report, engine *apply.Engine) error {
	s.tell(s.files, failures(p.Plan, report))
	fmt.Fprintln(s.Err, progress.Sum(report))
	if report.Stopped != nil {
		return &exit{code: exitError, err: errors.New("interrupted; run apply again to go on")}
	}
	left := engine.Verify(ctx, report)
	if len(left) > 0 {
		for step, why := range left {
			fmt.Fprintf(s.Err, "not there yet: %s: %v\n", step.About().Object, why)
		}
		return &exit{code: exitError}
	}
	if !report.OK() {
		if report.Count(apply.Started) > 0 && report.Count(apply.Started)+report.Count(apply.Done) == len(report.Steps) {
			return &exit{code: exitMoving}
		}
		return &exit{code: exitError}
	}
	again, err := s.plan(ctx)
	if err != nil {
		return err
	}
	return s.ended(again)
}

// ended says whether the cluster is as declared.
func (s *session) ended(p *planned) error {
	switch {
	case p.failed():
		return &exit{code: exitError}
	case p.document.Summary.Changes() > 0:
		fmt.Fprintln(s.Err, "The cluster is not as declared yet:")
		if err := s.show(p, "text", false); err != nil {
			return err
		}
		return &exit{code: exitError}
	}
	return nil
}

// failures are the steps that did not end well, each on the line that asked for it.
func failures(p *plan.Plan, report *apply.Report) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for i, step := range report.Steps {
		result := report.Results[i]
		if result.Err == nil {
			continue
		}
		c := &p.Changes[step.About().Changes[0]]
		at := c.Source
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  fmt.Sprintf("%s: %s", c.Addr, progress.Says(result.Outcome)),
			Detail:   result.Err.Error(),
			Subject:  &at,
		})
	}
	return diags
}

// stale compares a saved plan with what would be planned now.
func stale(saved, now *planfile.Document) error {
	switch {
	case saved.Cluster.ID != now.Cluster.ID:
		return fmt.Errorf("the plan was made for cluster %s, and this is %s", saved.Cluster.ID, now.Cluster.ID)
	case saved.Digest != now.Digest:
		return errors.New("the files or their variables have changed since the plan was made: plan again")
	case len(now.Steps) == 0 && len(saved.Steps) > 0:
		return errors.New("the plan was applied already: there is nothing left to do")
	case !saved.SameSteps(now):
		return errors.New("the cluster has changed since the plan was made: plan again")
	}
	return nil
}
