package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"github.com/queueform/queueform/apply/progress"
	"github.com/queueform/queueform/apply/traffic"
	"github.com/queueform/queueform/schema"
)

type sendFlags struct {
	queue  string
	key    string
	keyed  bool
	format string
}

func (a *app) sendCommand() *cobra.Command {
	var flags sendFlags
	c := &cobra.Command{
		Use:   "send ADDRESS [VALUE...]",
		Short: "Send messages to the queue of a producer",
		Long: `Sends messages as the producer is declared to: with its acks, its transactions
and its other client settings, and each key to the partition that Kafka's
clients send it to. The login is the producer's principal, where that is a user
of these files, and else that of the cluster block.

Messages are the values or, without any, the lines of stdin. With --format json
each line is an object of value, key, headers (a map, or a list of key and
value), partition and timestamp; value_base64 and key_base64 are for what is no
text, and a value or key of null is none. What receive --format json prints can
be sent.

Values, and a file as stdin, are checked before anything is sent. Of a pipe,
what comes before the first line that is wrong is sent, and said. With a
transactional id, messages go in transactions of 10,000 messages or 10 seconds,
and the one with the line that is wrong is taken back. Another process with
that id is fenced: its next transaction fails. Ctrl-C sends what was read.`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeApplication(schema.KindProducer),
		RunE: func(c *cobra.Command, args []string) error {
			flags.keyed = c.Flags().Changed("key")
			return a.send(c.Context(), args[0], args[1:], flags)
		},
	}
	a.clusterFlags(c)
	c.Flags().StringVar(&flags.queue, "queue", "", "the `QUEUE` to send to, by address or topic, where there are several")
	c.Flags().StringVar(&flags.key, "key", "", "the `KEY` of messages that do not say theirs (null says there is none)")
	c.Flags().StringVar(&flags.format, "format", "text", "`FORMAT` of the lines of stdin: text or json")
	return c
}

func (a *app) send(ctx context.Context, name string, values []string, flags sendFlags) error {
	switch {
	case flags.format != "text" && flags.format != "json":
		return fmt.Errorf("--format is text or json, not %q", flags.format)
	case flags.format == "json" && len(values) > 0:
		return errors.New("--format json is about stdin: a VALUE is text")
	}
	s, r, err := a.openAs(ctx, name, schema.KindProducer)
	if err != nil {
		return err
	}
	defer s.close()
	producer := r.(*schema.Producer)
	topic, err := written(s.topology, producer, flags.queue)
	if err != nil {
		return err
	}
	if err := s.reach(ctx); err != nil {
		return err
	}
	meter := progress.NewMeter("sent", a.Err, a.Screen, a.Width)
	sender := &traffic.Sender{
		Client: s.conn.Client(), Producer: producer, Topic: topic,
		Observe: func(p traffic.Progress) { meter.Passed(p.Messages, p.Bytes, p.Took) },
	}
	if err := a.precheck(ctx, sender, values, flags); err != nil {
		return s.unreachable(s.conn.Explain(err))
	}
	sent, err := sender.Send(ctx, a.messages(values, flags))
	meter.End(sent.Messages, sent.Bytes, sent.Took)
	return s.notSent(err)
}

// written is the topic of the queue that is meant.
func written(t *schema.Topology, p *schema.Producer, queue string) (string, error) {
	var names []string
	for _, addr := range p.Queues {
		topic := t.TopicOf(addr)
		if queue == addr.String() || queue == topic || queue == "" && len(p.Queues) == 1 {
			return topic, nil
		}
		names = append(names, addr.String())
	}
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("%s has no queues", p.Addr)
	case queue == "":
		return "", fmt.Errorf("%s has several queues: say which with --queue: %s", p.Addr, strings.Join(names, ", "))
	}
	return "", fmt.Errorf("%s does not write to %s: --queue is one of %s", p.Addr, queue, strings.Join(names, ", "))
}

// messages are what is to be sent.
func (a *app) messages(values []string, flags sendFlags) traffic.Source {
	var key []byte
	if flags.keyed {
		key = []byte(flags.key)
	}
	switch {
	case len(values) > 0:
		return traffic.Values(key, values)
	case flags.format == "json":
		return traffic.JSONLines(a.In, key)
	}
	return traffic.Lines(a.In, key)
}

// precheck refuses a message that cannot be sent before any is, where the
// messages can be looked at twice.
func (a *app) precheck(ctx context.Context, sender *traffic.Sender, values []string, flags sendFlags) error {
	file, ok := a.In.(*os.File)
	if len(values) == 0 {
		if !ok {
			return nil
		}
		about, err := file.Stat()
		if err != nil || !about.Mode().IsRegular() {
			return nil // what cannot be read twice is checked on the way
		}
		begin, err := file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		defer func() { _, _ = file.Seek(begin, io.SeekStart) }() // it was possible just now
	}
	err := sender.Check(ctx, a.messages(values, flags))
	wrong, ok := errors.AsType[*traffic.LineError](err)
	switch {
	case !ok:
		return err
	case len(values) > 0:
		return fmt.Errorf("value %d: %w; nothing is sent", wrong.Line, wrong.Err)
	}
	return fmt.Errorf("%w; nothing is sent", wrong)
}

// notSent says what became of what was not sent.
func (s *session) notSent(err error) error {
	failed, ok := errors.AsType[*traffic.NotSent](err)
	if !ok {
		return err
	}
	_, malformed := errors.AsType[*traffic.LineError](err)
	messages := english.Plural(int(failed.Failed), "message", "")
	switch {
	case failed.Unknown:
		return fmt.Errorf("%w; sent or not, nobody knows: %s", err, messages)
	case malformed && failed.Failed > 0:
		return fmt.Errorf("%w; taken back with its transaction: %s", err, messages)
	case malformed && failed.Sent.Messages == 0:
		return fmt.Errorf("%w; nothing is sent", err)
	case malformed:
		return fmt.Errorf("%w; those before it are sent", err)
	case failed.Failed > 0 && errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted; read and not acknowledged: %s", messages)
	}
	err = s.unreachable(s.conn.Explain(failed.Err))
	if failed.Failed > 0 {
		return fmt.Errorf("%w; read and not acknowledged: %s", err, messages)
	}
	return err
}
