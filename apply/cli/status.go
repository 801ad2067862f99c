package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/plan/render"
)

type statusFlags struct {
	watch, check, all bool
	format            string
	interval          time.Duration
}

func (a *app) statusCommand() *cobra.Command {
	var flags statusFlags
	c := &cobra.Command{
		Use:   "status",
		Short: "Show whether the queues are keeping up",
		Long: `Shows how many messages the queues hold, how fast they come and go, how far the
groups are behind and whether they will catch up, what is out of sync, whether
the declared load fits, and whether the topology is applied. Rates are made of
two looks, --interval apart. Nothing is written to the cluster.

--check ends in 2 where it finds one of these, the most urgent first:
  offline           a partition has no leader
  expired           messages were deleted before a group has read them
  no_members        a group has messages to read, and no member
  lag               a group has more to read than its max_lag
  under_replicated  a replica is not in sync
  not_applied       plan would change something

Exit codes: 0 shown; 1 error, or something declared could not be read; 2 found
(--check).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.status(c.Context(), flags) },
	}
	a.clusterFlags(c)
	c.Flags().BoolVar(&flags.watch, "watch", false, "show it again every --interval, until Ctrl-C")
	c.Flags().BoolVar(&flags.check, "check", false, "exit 2 when something wants attention")
	c.Flags().StringVar(&flags.format, "format", "text", "`FORMAT`: text, json or prometheus")
	c.Flags().DurationVar(&flags.interval, "interval", 2*time.Second, "`TIME` over which rates are made (0: none)")
	c.Flags().BoolVar(&flags.all, "all", false, "print every row, none left out")
	return c
}

func (f statusFlags) verify() error {
	switch {
	case !slices.Contains([]string{"text", "json", "prometheus"}, f.format):
		return fmt.Errorf("--format is text, json or prometheus, not %q", f.format)
	case f.interval < 0:
		return fmt.Errorf("--interval is 0 or more, not %v", f.interval)
	case f.watch && f.check:
		return errors.New("--watch goes on and --check ends: give one of them")
	case f.interval == 0 && f.watch:
		return errors.New("--interval 0 does not go with --watch")
	}
	return nil
}

func (a *app) status(ctx context.Context, flags statusFlags) error {
	if err := flags.verify(); err != nil {
		return err
	}
	s, err := a.open(ctx, planFlags{})
	if err != nil {
		return err
	}
	defer s.close()
	m := &monitor{session: s, statusFlags: flags}
	if flags.watch {
		err := m.watching(ctx)
		if ctx.Err() != nil {
			return nil // that is how it ends
		}
		return m.unreachable(err)
	}
	d, err := m.look(ctx)
	if err != nil {
		return m.unreachable(err)
	}
	if err := m.print(a.Out, d); err != nil {
		return err
	}
	switch {
	case d.Incomplete():
		return &exit{code: exitError, err: errors.New("the status is incomplete: something declared could not be read, as said above")}
	case flags.check && len(d.Findings) > 0:
		return &exit{code: exitFound}
	}
	return nil
}

// monitor looks at a cluster, once or again and again.
type monitor struct {
	*session
	statusFlags
	before *live.Sample // of the look before; nil: there was none
}

// missed is why a look saw nothing. The next one may see something.
type missed struct{ error }

func (m *missed) Unwrap() error { return m.error }

// look takes a look, and two the first time: rates are of what changed since
// the one before.
func (m *monitor) look(ctx context.Context) (*health.Document, error) {
	seen, err := m.session.look(ctx)
	if err != nil {
		return nil, &missed{err}
	}
	p, err := m.build(ctx, m.fresh, seen)
	if err != nil {
		return nil, err
	}
	if p.diags.HasErrors() {
		m.tell(m.files, p.diags)
		return nil, &exit{code: exitError}
	}
	topics := health.Topics(m.topology, p.snapshot)
	measured := m.measure(ctx, p.snapshot, live.Questions{Sizes: topics, Disks: !m.embedded() && guard.AsksDisks(m.topology)})
	sample, err := m.sample(ctx, p.snapshot, topics)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	reading := inspect.Reading(ctx, m.conn.Client(), p.snapshot, sample, health.Unread(m.topology, p.snapshot, sample.Groups))
	reading.Sizes, reading.Disks = measured.Sizes, measured.Disks
	d := health.New(p.Plan, health.Facts{
		Snapshot: p.snapshot, Reading: reading, Before: m.before, Version: version(),
		Now: ledger.Now(reading.EndsAt, p.Ledger.Value, false),
	})
	m.before = &reading.Sample
	return d, nil
}

// sample is how far the groups have come. The first time, where there is
// nothing to make rates of yet, two are taken.
func (m *monitor) sample(ctx context.Context, s *live.Snapshot, topics []string) (live.Sample, error) {
	if m.before != nil {
		return live.Sample{GroupsAt: s.GroupsAt, Groups: s.Groups, Ends: m.before.Ends}, nil
	}
	first := m.within(ctx, func(ctx context.Context) live.Sample { return inspect.Sample(ctx, m.conn.Client(), s, topics) })
	if m.interval == 0 {
		return first, nil
	}
	if err := pause(ctx, m.interval); err != nil {
		return live.Sample{}, err
	}
	m.before = &first
	return m.within(ctx, func(ctx context.Context) live.Sample { return inspect.Progress(ctx, m.conn.Client(), first) }), nil
}

// within takes a sample within --timeout.
func (m *monitor) within(ctx context.Context, take func(context.Context) live.Sample) live.Sample {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	return take(ctx)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// watching shows a status again and again: on a terminal in the place of the
// one before. Once there was one, a look that sees nothing does not end it.
func (m *monitor) watching(ctx context.Context) error {
	var shown []byte
	for {
		d, err := m.look(ctx)
		switch nothing, passes := errors.AsType[*missed](err); {
		case err == nil:
			shown, err = m.show(d)
		case passes && shown != nil && ctx.Err() == nil:
			err = m.regret(nothing, shown)
		}
		if err != nil {
			return err
		}
		if err := pause(ctx, m.interval); err != nil {
			return err
		}
	}
}

// inPlace says whether each status is drawn over the one before.
func (m *monitor) inPlace() bool { return m.Shown && m.format == "text" }

// show prints a status, and returns what it printed.
func (m *monitor) show(d *health.Document) ([]byte, error) {
	var block bytes.Buffer
	err := m.print(&block, d)
	switch {
	case err != nil:
	case m.inPlace():
		err = redraw(m.Out, block.Bytes())
	default:
		_, err = m.Out.Write(append(block.Bytes(), '\n'))
	}
	return block.Bytes(), err
}

// regret tells why there is nothing new: on a terminal above what was shown last.
func (m *monitor) regret(why error, shown []byte) error {
	if !m.inPlace() {
		m.complain(why)
		return nil
	}
	above := wordwrap.WrapString(fmt.Sprintf("error: %v; what follows is older", why), uint(m.Width))
	return redraw(m.Out, append([]byte(above+"\n\n"), shown...))
}

// redraw writes a block from the upper left corner of a terminal on, over what
// is there.
func redraw(w io.Writer, block []byte) error {
	const home, lineEnd, below = "\x1b[H", "\x1b[K\n", "\x1b[J"
	_, err := w.Write([]byte(home + string(bytes.ReplaceAll(block, []byte("\n"), []byte(lineEnd))) + below))
	return err
}

func (m *monitor) print(w io.Writer, d *health.Document) error {
	switch m.format {
	case "json":
		return health.Encode(w, d)
	case "prometheus":
		return render.Prometheus(w, d)
	}
	return render.Status(w, d, render.Options{Width: m.Width, Color: m.Color, All: m.all})
}
