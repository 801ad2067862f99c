package traffic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The exit codes of a command that mean more than that it failed.
const (
	RejectCode     = 100 // the message cannot be done, however often it is tried
	notExecutable  = 126 // of a shell: the command cannot be run
	notFound       = 127 // there is none
	gracePeriod    = 10 * time.Second
	longestInEnv   = 100 << 10 // bytes: systems refuse much longer variables
	variablePrefix = "QUEUEFORM_"
)

// Command is a Taker that runs a command for each message, by the shell, with
// the message on its standard input. Exit code 0 accepts the message, 100
// rejects it, and any other releases it; a command that cannot be run ends the
// receiving.
type Command struct {
	Line     string // for sh -c
	JSON     bool   // the message is given as JSON, not only its value
	Out, Err io.Writer
}

// Take runs the command. It has QUEUEFORM_TOPIC, QUEUEFORM_PARTITION,
// QUEUEFORM_OFFSET, QUEUEFORM_KEY and, for each header,
// QUEUEFORM_HEADER_ with its name in capitals, in its environment.
func (c *Command) Take(ctx context.Context, m *kgo.Record) (Verdict, error) {
	input := m.Value
	if c.JSON {
		var err error
		if input, err = marshal(printed(m)); err != nil {
			return Release, err
		}
	}
	shell := exec.CommandContext(ctx, "sh", "-c", c.Line)
	shell.Stdin, shell.Stdout, shell.Stderr = bytes.NewReader(input), c.Out, c.Err
	shell.Env = append(os.Environ(), environment(m)...)
	shell.Cancel = func() error { return shell.Process.Signal(os.Interrupt) }
	shell.WaitDelay = gracePeriod
	err := shell.Run()
	if stopped := ctx.Err(); stopped != nil && err != nil {
		return Release, stopped
	}
	ended, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return Accept, nil
	case !exited:
		return Release, fmt.Errorf("run %s: %w", c.Line, err)
	}
	switch code := ended.ExitCode(); code {
	case RejectCode:
		return Reject, nil
	case notExecutable, notFound:
		return Release, fmt.Errorf("%s cannot be run: exit code %d", c.Line, code)
	}
	return Release, nil
}

// Flush has nothing to do: a command that has ended has done its work.
func (*Command) Flush() error { return nil }

// environment tells a command about its message: all that a variable can hold.
func environment(m *kgo.Record) []string {
	var all []string
	set := func(name string, value []byte) {
		if value != nil && len(value) <= longestInEnv && !bytes.ContainsRune(value, 0) {
			all = append(all, variablePrefix+name+"="+string(value))
		}
	}
	for _, h := range m.Headers {
		set("HEADER_"+strings.Map(variable, h.Key), h.Value)
	}
	set("TOPIC", []byte(m.Topic))
	set("PARTITION", []byte(strconv.Itoa(int(m.Partition))))
	set("OFFSET", []byte(strconv.FormatInt(m.Offset, 10)))
	set("KEY", m.Key)
	return all
}

// variable is a letter as the names of variables have it.
func variable(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return r
	}
	return '_'
}
