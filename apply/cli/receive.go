package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/apply/progress"
	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

type receiveFlags struct {
	most                 int64
	follow               bool
	format               string
	exec                 string
	ack, reject, release bool
}

func (a *app) receiveCommand() *cobra.Command {
	var flags receiveFlags
	c := &cobra.Command{
		Use:   "receive ADDRESS",
		Short: "Receive messages as a member of a consumer group",
		Long: `Joins the group under its protocol and prints the messages of its queues: their
values, a line each, or JSON with all there is. It ends where the queues ended
when it started. A message is acknowledged after it was printed: if this is
killed, some may come twice, and none is lost. The login is the group's
principal, where that is a user of these files, and else that of the cluster
block.

With --exec CMD each message goes to a command of its own, run by sh, on its
stdin: its value or, with --format json, all of it. QUEUEFORM_TOPIC,
QUEUEFORM_PARTITION, QUEUEFORM_OFFSET, QUEUEFORM_KEY and QUEUEFORM_HEADER_NAME
tell about it, but for what holds a byte of zero. The exit code decides:
  0      the message is done
  100    it is rejected
  other  it is released; 126 and 127, of a command that cannot be run, end this

What is rejected is sent to the dead_letter of its queue, and then acknowledged.
A share group gives what is released to its members again, as often as its
delivery count limit says, and drops what is rejected without a dead_letter,
which is told at the start. In the other groups both end the receiving and stay
unread.

--release shows messages of a share group, as many as its brokers hand out while
none is acknowledged, and gives them back at the end. Each time counts as a
delivery.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeApplication(schema.KindGroup),
		RunE:              func(c *cobra.Command, args []string) error { return a.receive(c.Context(), args[0], flags) },
	}
	a.clusterFlags(c)
	c.Flags().Int64Var(&flags.most, "max", 0, "end after `N` messages (0: any number)")
	c.Flags().BoolVar(&flags.follow, "follow", false, "go on at the end, until Ctrl-C")
	c.Flags().StringVar(&flags.format, "format", "text", "`FORMAT`: text or json")
	c.Flags().BoolVar(&flags.ack, "ack", false, "acknowledge what was printed (the default)")
	c.Flags().BoolVar(&flags.reject, "reject", false, "send what was printed to the dead letters, which each queue must have")
	c.Flags().BoolVar(&flags.release, "release", false, "give what was printed back, in a share group")
	c.Flags().StringVar(&flags.exec, "exec", "", "a command `CMD` for each message, whose exit code decides; a share group drops what it rejects without a dead_letter")
	return c
}

func (f receiveFlags) check() error {
	verdicts := 0
	for _, given := range []bool{f.ack, f.reject, f.release, f.exec != ""} {
		if given {
			verdicts++
		}
	}
	switch {
	case verdicts > 1:
		return errors.New("--ack, --reject, --release and --exec each say what becomes of messages: give one of them")
	case f.format != "text" && f.format != "json":
		return fmt.Errorf("--format is text or json, not %q", f.format)
	case f.most < 0:
		return fmt.Errorf("--max is 0 or more, not %d", f.most)
	case f.follow && f.release:
		return errors.New("--release with --follow would show the same messages again and again")
	}
	return nil
}

// fits refuses what the group cannot do.
func (f receiveFlags) fits(g *schema.Group, queues []traffic.Queue) error {
	lacking := withoutDeadLetters(g, queues)
	switch {
	case len(queues) == 0:
		return fmt.Errorf("%s has no queues", g.Addr)
	case f.release && g.Protocol != schema.Share:
		return fmt.Errorf("--release gives single messages back, which share groups alone can: the protocol of %s is %q", g.Addr, g.Protocol)
	case f.reject && len(lacking) > 0:
		return fmt.Errorf("--reject: %s has no dead_letter that its messages could go to: declare one, or drop them with --ack", lacking[0])
	}
	return nil
}

// withoutDeadLetters are the queues of a group whose rejected messages have
// nowhere to go.
func withoutDeadLetters(g *schema.Group, queues []traffic.Queue) []schema.Addr {
	var all []schema.Addr
	for i, q := range queues {
		if q.DeadLetter == "" {
			all = append(all, g.Queues[i])
		}
	}
	return all
}

func (a *app) receive(ctx context.Context, name string, flags receiveFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	s, r, err := a.openAs(ctx, name, schema.KindGroup)
	if err != nil {
		return err
	}
	defer s.close()
	group := r.(*schema.Group)
	queues := read(s.topology, group)
	if err := flags.fits(group, queues); err != nil {
		return err
	}
	if err := s.reach(ctx); err != nil {
		return err
	}
	if flags.exec != "" && group.Protocol == schema.Share {
		for _, queue := range withoutDeadLetters(group, queues) {
			fmt.Fprintf(a.Err, "warning: %s has no dead_letter: what the command rejects is dropped\n", queue)
		}
	}
	meter := progress.NewMeter("received", a.Err, a.Screen && !a.Shown, a.Width) // the messages are on the screen already
	received, err := (&traffic.Receiver{
		Client: s.conn.Client(), Group: group, Queues: queues,
		Taker: a.taker(flags), Singly: flags.exec != "", Look: flags.release, Max: flags.most, Follow: flags.follow,
		Observe: func(e traffic.Event) { a.receiving(meter, e) },
	}).Receive(ctx)
	meter.End(received.Messages, received.Bytes, received.Took)
	if n := int(received.Rejected); n > 0 {
		fmt.Fprintf(a.Err, "rejected %s of these\n", english.Plural(n, "message", ""))
	}
	if n := int(received.Released); n > 0 {
		fmt.Fprintf(a.Err, "released %s\n", english.Plural(n, "message", ""))
	}
	if wrong := besideInterruption(err); wrong != nil || flags.follow {
		err = wrong // who follows ends it by an interruption
	}
	return s.unreachable(s.conn.Explain(err))
}

// besideInterruption is what went wrong besides that it was interrupted; nil:
// nothing did.
func besideInterruption(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var wrong []error
		for _, part := range joined.Unwrap() {
			wrong = append(wrong, besideInterruption(part))
		}
		return errors.Join(wrong...)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// read is what the group reads.
func read(t *schema.Topology, g *schema.Group) []traffic.Queue {
	all := make([]traffic.Queue, len(g.Queues))
	for i, addr := range g.Queues {
		all[i].Topic = t.TopicOf(addr)
		if q, ok := t.Find(addr).(*schema.Queue); ok && q.DeadLetter != nil {
			all[i].DeadLetter = t.TopicOf(*q.DeadLetter)
		}
	}
	return all
}

// taker is what is done with each message.
func (a *app) taker(flags receiveFlags) traffic.Taker {
	verdict := traffic.Accept
	switch {
	case flags.exec != "":
		return &traffic.Command{Line: flags.exec, JSON: flags.format == "json", Out: a.Out, Err: a.Err}
	case flags.reject:
		verdict = traffic.Reject
	case flags.release:
		verdict = traffic.Release
	}
	if flags.format == "json" {
		return traffic.NewJSONPrinter(a.Out, verdict)
	}
	return traffic.NewPrinter(a.Out, verdict)
}

// receiving shows what happens.
func (a *app) receiving(meter *progress.Meter, e traffic.Event) {
	switch e := e.(type) {
	case traffic.Received:
		meter.Passed(e.Messages, e.Bytes, e.Took)
	case traffic.NotAcknowledged:
		fmt.Fprintf(a.Err, "warning: messages of %s[%d] are not acknowledged, and will come again: %v\n", e.Topic, e.Partition, e.Err)
	case traffic.Missing:
		if e.Partitions > 0 {
			fmt.Fprintf(a.Err, "note: other members of the group have %s of its queues\n", english.Plural(e.Partitions, "partition", ""))
			return
		}
		fmt.Fprintf(a.Err, "note: up to %s before the end did not come: other members have them, or the brokers hand them out later\n", english.Plural(int(e.Messages), "message", ""))
	}
}
