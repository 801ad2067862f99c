package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/apply/devcluster"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/inspect"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/plan/planfile"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// session is a topology and the open connection to its cluster.
type session struct {
	*app
	topology *schema.Topology
	files    diag.Files
	login    *schema.User // who connects; nil: whom the cluster block names
	conn     *connect.Conn
	target   []schema.Addr
	allowed  []guard.Allow
	throttle int64
	hold     *ledger.Hold // the topology's lock; nil: it is not held
	closers  []io.Closer
}

// visit opens a session with the ledger alone: of the files it takes what names
// the topology and its cluster.
func (a *app) visit(ctx context.Context) (s *session, err error) {
	if s, err = a.newSession(); err != nil {
		return nil, err
	}
	if s.topology, s.files, err = a.identified(); err != nil {
		return nil, err
	}
	if err = s.connect(ctx); err == nil {
		err = s.reach(ctx)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// newSession is one without a topology yet.
func (a *app) newSession() (*session, error) {
	if a.timeout <= 0 {
		return nil, fmt.Errorf("--timeout is more than 0, not %v", a.timeout)
	}
	return &session{app: a, throttle: defaultThrottle}, nil
}

// open loads the topology and prepares the connection.
func (a *app) open(ctx context.Context, flags planFlags) (*session, error) {
	s, err := a.newSession()
	if err != nil {
		return nil, err
	}
	for _, text := range flags.target {
		addr, err := schema.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--target: %w", err)
		}
		s.target = append(s.target, addr)
	}
	for _, text := range flags.allow {
		allowed, err := guard.ParseAllow(text)
		if err != nil {
			return nil, err
		}
		s.allowed = append(s.allowed, allowed...)
	}
	if s.topology, s.files, err = a.loaded(); err != nil {
		return nil, err
	}
	if aimless := plan.Untargeted(s.topology, s.target); len(aimless) > 0 {
		return nil, fmt.Errorf("--target %s: nothing is declared there, only blocks like queue.orders, queue.shard[\"eu\"] or delete.queue[\"shop.old\"] can be targets", aimless[0])
	}
	if err := s.connect(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// connect opens the cluster of the topology; the embedded one is started first.
func (s *session) connect(ctx context.Context) error {
	servers := s.bootstrap
	if s.embedded() {
		if servers != nil {
			return errors.New("--bootstrap-servers does not go with --cluster embedded: that is within queueform")
		}
		if diags := devcluster.Check(s.topology); diags.HasErrors() {
			s.tell(s.files, diags)
			return &exit{code: exitError}
		}
		embedded, err := devcluster.Start(filepath.Join(s.dir, ".queueform"))
		if err != nil {
			return err
		}
		s.closers = append(s.closers, embedded)
		servers = embedded.Bootstrap()
	}
	options := connect.Options{BootstrapServers: servers, Env: s.Env, Clusters: s.topology.Clusters, User: s.login, Timeout: s.timeout, Version: version()}
	if s.verbose {
		options.Logger = slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	conn, err := connect.Open(ctx, s.topology.Cluster, options)
	if err != nil {
		return s.unreachable(err)
	}
	s.conn = conn
	s.closers = append(s.closers, conn)
	return nil
}

func (s *session) embedded() bool {
	return s.topology.Cluster != nil && s.topology.Cluster.Name == schema.EmbeddedCluster
}

func (s *session) close() {
	for _, c := range slices.Backward(s.closers) {
		_ = c.Close() // nothing more is asked of it
	}
}

// read takes one look at the cluster, within --timeout. Its error says what is
// wrong with the connection, where it is that.
func (s *session) read(ctx context.Context, scope live.Scope) (*live.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	snapshot, err := inspect.Read(ctx, s.conn.Client(), scope)
	if err == nil && s.embedded() {
		devcluster.Place(snapshot)
	}
	return snapshot, s.conn.Explain(err)
}

// look reads the cluster and what it remembers, side by side, and then what the
// topology has that no block names any more.
func (s *session) look(ctx context.Context) (*live.Snapshot, error) {
	remembered := make(chan live.Seen[live.Ledger], 1)
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { remembered <- s.remembered(reading) }()
	snapshot, err := s.read(ctx, plan.Scope(s.topology))
	if err != nil {
		cancel() // a cluster that cannot be read has no ledger to wait for
		<-remembered
		return nil, err
	}
	snapshot.Ledger = <-remembered
	left := plan.Left(s.topology, snapshot.Ledger.Value)
	if left.None() {
		return snapshot, nil
	}
	more, err := s.read(ctx, left)
	if err != nil {
		return nil, err
	}
	snapshot.Add(more)
	return snapshot, nil
}

// measure answers what judging and moving ask, within --timeout.
func (s *session) measure(ctx context.Context, snapshot *live.Snapshot, q live.Questions) live.Answers {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return inspect.Measure(ctx, s.conn.Client(), snapshot, q)
}

// planned is a plan with everything that was found out about it.
type planned struct {
	*plan.Plan
	snapshot *live.Snapshot
	diags    hcl.Diagnostics
	anew     bool // it is not the one that was shown
	blocking []guard.Finding
	allowed  []guard.Allow
	document *planfile.Document
}

// failed says whether the files ask for what cannot be, or the cluster did not show what is there.
func (p *planned) failed() bool { return p.diags.HasErrors() || p.incomplete() != nil }

// incomplete is the error of a plan that leaves out something declared.
func (p *planned) incomplete() error {
	if !p.Incomplete() {
		return nil
	}
	return &exit{code: exitError, err: errors.New("the plan is incomplete: something declared could not be read or done, as said above")}
}

// builder makes a plan for the cluster as it is.
type builder func(*live.Snapshot) (*planned, error)

// fresh plans from the files.
func (s *session) fresh(now *live.Snapshot) (*planned, error) {
	p, diags := plan.Build(s.topology, now, plan.Options{Target: s.target})
	return &planned{Plan: p, snapshot: now, diags: diags, anew: true}, nil
}

// kept takes the plan of a file as it is, or says why it holds no longer.
func (s *session) kept(file string, d *planfile.Document) builder {
	return func(now *live.Snapshot) (*planned, error) {
		p, diags, err := d.Plan(s.now(now))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		return &planned{Plan: p, snapshot: now, diags: diags}, nil
	}
}

// approved takes the plan that was shown, and plans anew where it holds no longer.
func (s *session) approved(shown *planfile.Document) builder {
	return func(now *live.Snapshot) (*planned, error) {
		p, diags, err := shown.Plan(s.now(now))
		if err != nil || diags.HasErrors() {
			return s.fresh(now)
		}
		return &planned{Plan: p, snapshot: now}, nil // what it warns of was read
	}
}

func (s *session) now(snapshot *live.Snapshot) planfile.Now {
	return planfile.Now{Version: version(), Topology: s.topology, Snapshot: snapshot}
}

// compare looks at the cluster, and plans.
func (s *session) compare(ctx context.Context, build builder) (*planned, error) {
	snapshot, err := s.look(ctx)
	if err != nil {
		return nil, s.unreachable(err)
	}
	return s.build(ctx, build, snapshot)
}

// build plans for what was seen of the cluster, if it is the one that is meant.
func (s *session) build(ctx context.Context, build builder, seen *live.Snapshot) (*planned, error) {
	if err := s.conn.Guard(seen.Cluster.ID); err != nil {
		return nil, s.unreachable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	inspect.Inherited(ctx, s.conn.Client(), seen, plan.Unknown(s.topology, seen))
	if plan.AnyUnclaimed(s.topology, seen) {
		inspect.Rates(ctx, s.conn.Client(), seen)
	}
	return build(seen)
}

// plan compares, lets the brokers check, and judges.
func (s *session) plan(ctx context.Context, build builder) (*planned, error) {
	p, err := s.checked(ctx, build)
	if err != nil {
		return nil, err
	}
	facts := guard.Facts{Snapshot: p.snapshot, Principal: s.conn.Principal(), Throttle: s.throttle, Now: s.brokersTime(p.snapshot.Ledger.Value)}
	found, open := guard.Judge(p.Plan, facts)
	if !open.None() {
		facts.Answers = s.measure(ctx, p.snapshot, open)
		found, _ = guard.Judge(p.Plan, facts)
	}
	p.blocking, p.allowed = guard.Blocking(found, s.allowed), s.allowed
	p.document = planfile.New(p.Plan, found, p.diags, version())
	s.tell(s.files, p.diags)
	if aimless := guard.Unplanned(s.allowed, p.Plan); len(aimless) > 0 && !p.failed() {
		return nil, fmt.Errorf("--allow %s: nothing is planned for %s", aimless[0], aimless[0].Addr)
	}
	for _, unused := range guard.Unused(s.allowed, found) {
		fmt.Fprintf(s.Err, "note: --allow %s: the plan has no such hazard\n", unused)
	}
	return p, nil
}

// brokersTime is that by which brokers tell the age of messages.
func (s *session) brokersTime(l live.Ledger) time.Time {
	machine := time.Now()
	now := ledger.Now(machine, l, s.hold != nil)
	switch behind := now.Sub(machine).Round(time.Minute); {
	case behind > 0:
		fmt.Fprintf(s.Err, "warning: the clock of this machine is %v behind the brokers', which is taken\n", behind)
	case behind < 0:
		fmt.Fprintf(s.Err, "warning: the clock of this machine is %v ahead of the brokers', which is taken\n", -behind)
	}
	return now
}

// checked compares and asks whether the cluster would carry the plan out. A
// snapshot that a lagging broker gave is taken again, for some seconds.
func (s *session) checked(ctx context.Context, build builder) (*planned, error) {
	const longest = 4 * time.Second
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		p, err := s.compare(ctx, build)
		if err != nil {
			return nil, err
		}
		if outdated := s.check(ctx, p); !outdated || pause > longest {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// check adds what the cluster would refuse. Outdated is a plan that does not
// know the cluster as it is.
func (s *session) check(ctx context.Context, p *planned) (outdated bool) {
	if s.embedded() {
		p.diags = append(p.diags, devcluster.CheckPlan(p.Plan)...)
	}
	if p.diags.HasErrors() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	refused, outdated := apply.Check(ctx, s.conn.Client(), p.Plan)
	p.diags = append(p.diags, refused...)
	return outdated
}

// unreachable tells a failure of the connection at the line of the cluster
// block that it comes from, where there is one.
func (s *session) unreachable(err error) error {
	problem, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return err
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: problem.Summary, Detail: problem.Remedy}
	if c := s.topology.Cluster; c != nil && c.Source.Filename != "" && problem.Attr != "" {
		at := c.At(problem.Attr)
		d.Subject = &at
	}
	s.tell(s.files, hcl.Diagnostics{d})
	return &exit{code: exitError}
}
