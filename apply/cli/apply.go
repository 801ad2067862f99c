package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/apply/progress"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/plan/render"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// defaultThrottle is the rate per broker at which replicas move unless --throttle says otherwise.
const defaultThrottle = 50 << 20

// patience is how long a request is tried again, and its result waited for.
const patience = time.Minute

type applyFlags struct {
	planFlags
	autoApprove bool
	lockTimeout time.Duration
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
4 applied with --no-wait, data still moving; 5 locked by another apply.`,
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
	c.Flags().DurationVar(&flags.lockTimeout, "lock-timeout", 0, "`TIME` to wait for another apply of the topology to end")
	c.Flags().StringVar(&flags.throttle, "throttle", "50MiB", "bytes per second and broker to move, a `RATE` or none")
	return c
}

func (a *app) apply(ctx context.Context, flags applyFlags, file string) error {
	rate, err := parseThrottle(flags.throttle)
	if err != nil {
		return err
	}
	if flags.lockTimeout < 0 {
		return fmt.Errorf("--lock-timeout is 0 or more, not %v", flags.lockTimeout)
	}
	var saved *planfile.Document
	if file != "" {
		if saved, err = readPlan(file); err != nil {
			return err
		}
		if len(flags.target) > 0 {
			return errors.New("--target does not go with a plan file: the plan was narrowed when it was made")
		}
	}
	s, err := a.open(ctx, flags.planFlags)
	if err != nil {
		return err
	}
	defer s.close()
	s.throttle = rate
	if saved != nil {
		s.target = saved.Target
	}
	if flags.autoApprove || saved != nil { // nobody thinks meanwhile
		if err := s.lock(ctx, flags.lockTimeout); err != nil {
			return err
		}
	}
	defer func() { s.unlock(context.WithoutCancel(ctx)) }()
	build := s.fresh
	if saved != nil {
		build = s.kept(file, saved)
	}
	p, err := s.plan(ctx, build)
	if err != nil {
		return err
	}
	_ = a.show(p, "text", flags.all) // that nobody reads it does not stop an apply
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

// carryOut asks where somebody is there to answer, and applies.
func (s *session) carryOut(ctx context.Context, p *planned, flags applyFlags, saved bool) error {
	if done, err := s.over(p); done {
		return err
	}
	if flags.autoApprove || saved {
		return s.execute(ctx, p, flags)
	}
	for {
		var err error
		if p, err = s.asked(ctx, p, flags); err != nil {
			return err
		}
		if done, err := s.over(p); done {
			return err
		}
		if !p.anew {
			return s.execute(ctx, p, flags)
		}
	}
}

// asked has the plan approved, takes the lock, and gives back what is to be
// applied by then: much may happen while a person thinks.
func (s *session) asked(ctx context.Context, shown *planned, flags applyFlags) (*planned, error) {
	s.unlock(ctx)
	if err := s.agreed(ctx, "Apply this?", false); err != nil {
		return nil, fmt.Errorf("%w: nothing was applied", err)
	}
	if err := s.lock(ctx, flags.lockTimeout); err != nil {
		return nil, err
	}
	shown.document.Bind(s.topology)
	p, err := s.plan(ctx, s.approved(shown.document))
	if err == nil && p.anew {
		fmt.Fprintln(s.Err, "The cluster has changed meanwhile. This is the plan now:")
		_ = s.show(p, "text", flags.all)
	}
	return p, err
}

// over says whether there is nothing to apply, or nothing that may be.
func (s *session) over(p *planned) (bool, error) {
	missing := apply.Secrets(p.Plan)
	s.tell(s.files, missing)
	switch {
	case p.diags.HasErrors(), missing.HasErrors():
		return true, &exit{code: exitError, err: errors.New("nothing was applied")}
	case len(p.blocking) > 0:
		s.flags(p.blocking)
		return true, &exit{code: exitBlocked}
	case len(p.Steps)+len(p.Moving)+len(p.Throttled)+len(p.Claims)+len(p.Vanished)+len(p.Released) == 0:
		return true, p.incomplete()
	}
	return false, nil
}

// execute carries the plan out, and writes it into the history.
func (s *session) execute(ctx context.Context, p *planned, flags applyFlags) error {
	report, err := s.carried(ctx, p, flags)
	closing := context.WithoutCancel(ctx)
	outcome := "done"
	if err != nil {
		outcome = ended(report, err)
	}
	_, unsaid := s.hold.Write(closing, ledger.Ended{Outcome: outcome, Changes: changes(p.Plan, report)})
	if unsaid != nil {
		fmt.Fprintln(s.Err, "warning: the history does not tell how this ended:", unsaid)
	} else if long := s.hold.Tidy(closing); long != nil {
		fmt.Fprintln(s.Err, "warning:", long)
	}
	return err
}

func (s *session) carried(ctx context.Context, p *planned, flags applyFlags) (*apply.Report, error) {
	watch := progress.New(s.Err, s.Terminal, s.Width)
	engine := &apply.Engine{
		Client: s.conn.Client(), Read: s.read, Measure: s.measure, Observe: watch.Event, Clock: ledger.SystemClock(), Hold: s.hold, LockThrottles: s.lockThrottles,
		Begun:    ledger.Begun{Digest: s.topology.Digest(), Changes: changes(p.Plan, nil)},
		Patience: patience, Throttle: s.throttle, NoWait: flags.noWait,
	}
	report := engine.Run(ctx, p.Plan)
	missing, seen := engine.Verify(ctx, p.Plan, report, plan.Scope(s.topology))
	watch.Close()
	s.tell(s.files, failures(p.Plan, report, missing))
	progress.Sum(s.Err, p.Plan, report)
	for _, stays := range report.Foreign {
		fmt.Fprintf(s.Err, "note: somebody else has set %s, which stays\n", stays)
	}
	if report.Slowed {
		fmt.Fprintln(s.Err, "The replication throttle stays:", removal(report.Stopped))
	}
	if err := s.exitOf(p, report, missing); err != nil {
		return report, err
	}
	return report, s.converge(ctx, p, seen)
}

// removal is what becomes of a throttle that stays, given why the apply stopped.
func removal(stopped error) string {
	if _, damaged := errors.AsType[*ledger.Damaged](stopped); damaged {
		return "the ledger, which knew of it, is lost. The next plan shows it, and how to take it away."
	}
	return "the next apply removes it when nothing moves."
}

// ended is how an apply that did not end well is told in the history.
func ended(report *apply.Report, err error) string {
	switch code, _ := errors.AsType[*exit](err); {
	case report.Stopped != nil:
		return "interrupted"
	case code != nil && code.code == exitMoving:
		return "moving"
	}
	return "failed"
}

// changes are what the history remembers of a plan, and of how it went.
func changes(p *plan.Plan, report *apply.Report) ledger.Changes {
	all := make([]ledger.Change, len(p.Changes))
	for i := range p.Changes {
		c := &p.Changes[i]
		all[i] = ledger.Change{Address: c.Addr.String(), Name: c.Object.Name, Action: string(c.Action)}
	}
	if report != nil {
		for i, step := range report.Steps {
			c := &all[step.About().Changes[0]]
			if said := progress.Says(report.Results[i].Outcome); c.Outcome == "" || c.Outcome == progress.Says(apply.Done) {
				c.Outcome = said
			}
		}
	}
	return ledger.Cut(all)
}

// agreed asks whoever sits at the terminal; only yes is taken.
func (s *session) agreed(ctx context.Context, question string, approved bool) error {
	switch {
	case approved:
		return nil
	case !s.Terminal:
		return errors.New("nobody is there to ask, say --auto-approve")
	}
	fmt.Fprint(s.Err, question+" Only yes is taken: ")
	answer := make(chan string, 1)
	go func() { // ends with the process, when nobody answers
		line, _ := bufio.NewReader(s.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return errors.New("interrupted")
	case line := <-answer:
		if line != "yes" {
			return errors.New("not confirmed")
		}
		return nil
	}
}

// exitOf finds the exit code of an apply.
func (s *session) exitOf(p *planned, report *apply.Report, missing map[plan.Step]error) error {
	going := report.Count(apply.Started) + report.Count(apply.Postponed)
	moving := going > 0 || report.Moving > 0
	switch {
	case errors.Is(report.Stopped, context.Canceled):
		return &exit{code: exitError, err: errors.New("interrupted: apply again to go on")}
	case report.Stopped != nil:
		return &exit{code: exitError, err: fmt.Errorf("%w: apply again to go on", report.Stopped)}
	case report.Leftover != nil:
		return &exit{code: exitError, err: report.Leftover}
	case len(missing) > 0 || report.Count(apply.Done)+going < len(report.Steps):
		return &exit{code: exitError}
	case moving:
		fmt.Fprintln(s.Err, "Data is still moving: apply again to wait for it.")
		return cmp.Or(p.incomplete(), error(&exit{code: exitMoving}))
	}
	return nil
}

// converge compares once more, with the cluster as it was seen last or is
// now, and says what is not as declared, or cannot be told. What was applied may
// have left something out: that was told.
func (s *session) converge(ctx context.Context, applied *planned, seen *live.Snapshot) error {
	p, err := s.after(ctx, seen)
	if err == nil && seen != nil && p.Incomplete() && !applied.Incomplete() {
		p, err = s.after(ctx, nil) // a broker lagged that was asked first; all know by now
	}
	switch {
	case err != nil:
		return err
	case p.diags.HasErrors():
		s.tell(s.files, p.diags)
		return &exit{code: exitError}
	case len(p.Changes) == 0 && (applied.Incomplete() || !p.Incomplete()):
		return applied.incomplete()
	}
	fmt.Fprintln(s.Err, "The cluster is not as declared yet:")
	if err := render.Text(s.Err, planfile.New(p.Plan, nil, nil, version()), render.Options{Width: s.Width}); err != nil {
		return err
	}
	return &exit{code: exitError}
}

// after is what the files ask for beyond what was seen last; nil: of now.
func (s *session) after(ctx context.Context, seen *live.Snapshot) (*planned, error) {
	if seen == nil {
		return s.compare(ctx, s.fresh)
	}
	seen.Ledger = s.remembered(ctx)
	return s.build(ctx, s.fresh, seen)
}

// failure is what several instances of a block may all have met.
type failure struct {
	at        hcl.Range
	says, why string
}

// failures are the steps that did not end well, each on the line that asked
// for it. What all instances of a block met is told once.
func failures(p *plan.Plan, report *apply.Report, missing map[plan.Step]error) hcl.Diagnostics {
	var order []failure
	met := map[failure][]schema.Addr{}
	for i, step := range report.Steps {
		says, err := progress.Says(report.Results[i].Outcome), report.Results[i].Err
		if err == nil {
			says, err = "not there yet", missing[step]
		}
		if err == nil {
			continue
		}
		f := failure{apply.Line(p, step, err), says, err.Error()}
		if met[f] == nil {
			order = append(order, f)
		}
		met[f] = append(met[f], p.Changes[step.About().Changes[0]].Addr)
	}
	diags := make(hcl.Diagnostics, len(order))
	for i, f := range order {
		who := met[f][0].String()
		if more := len(met[f]) - 1; more > 0 {
			who += fmt.Sprintf(" and %s more", humanize.Comma(int64(more)))
		}
		diags[i] = &hcl.Diagnostic{Severity: hcl.DiagError, Summary: who + ": " + f.says, Detail: f.why, Subject: &f.at}
	}
	return diags
}
