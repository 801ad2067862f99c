// Package cli is the command line: commands, flags, what is printed where, and
// the exit codes. One file is one command.
//
// Learn [Main] and [Streams].
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mitchellh/go-wordwrap"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/queueform/queueform/plan/connect"
)

// Exit codes, as the README lists them.
const (
	exitOK      = 0
	exitError   = 1
	exitFound   = 2 // something to do, or found
	exitBlocked = 3 // by a hazard
	exitMoving  = 4 // applied with --no-wait, data still moving
	exitLocked  = 5 // by somebody else
)

// Streams are what the process talks through.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) (string, bool)
	Terminal bool // In and Err are a person's
	Screen   bool // Err is a terminal
	Shown    bool // Out is a terminal
	Color    bool // Out understands ANSI colours
	Width    int  // columns of Out
}

// System is the process's own streams. NO_COLOR is respected.
func System() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Width: 80}
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 0 {
		s.Width = columns
		s.Shown = true
		s.Color = os.Getenv("NO_COLOR") == ""
	}
	s.Screen = term.IsTerminal(int(os.Stderr.Fd()))
	s.Terminal = s.Screen && term.IsTerminal(int(os.Stdin.Fd()))
	return s
}

// Main runs one command and returns the exit code.
func Main(ctx context.Context, s Streams, args []string) int {
	a := &app{Streams: s}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var ended *exit
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, syscall.EPIPE): // nobody listens any more
		return exitError
	case errors.Is(err, context.Canceled):
		s.complain(errors.New("interrupted"))
		return exitError
	case errors.As(err, &ended):
		if ended.err != nil {
			s.complain(ended.err)
		}
		return ended.code
	default:
		s.complain(err)
		return exitError
	}
}

// say prints a line of the result.
func (s Streams) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.Out, format+"\n", args...)
	return err
}

// complain tells an error: to a person within the width of the terminal, and
// elsewhere in the lines that it has, so that it can be searched for.
func (s Streams) complain(err error) {
	text := "error: " + err.Error()
	if s.Terminal {
		text = wordwrap.WrapString(text, uint(s.Width))
	}
	fmt.Fprintln(s.Err, text)
}

// exit is an error that knows the exit code. A nil err was told already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return fmt.Sprintf("exit %d: %v", e.code, e.err) }

func (e *exit) Unwrap() error { return e.err }

// app is one run of the program: its streams and the flags of every command.
type app struct {
	Streams
	dir       string
	cluster   string
	vars      []string
	varFiles  []string
	bootstrap []string
	timeout   time.Duration
	verbose   bool
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "queueform",
		Short: "Deploy Kafka queue topologies from HCL files",
		Long: `queueform deploys Kafka queue topologies from HCL files in version control:
plan shows in a pull request what would change on the live cluster and what it
could lose, apply makes it so from a pipeline.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			return empty(c.Flags(), args)
		},
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
	})
	root.SetVersionTemplate("queueform {{.Version}}\n")
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "FlagUsages", fmt.Sprintf("FlagUsagesWrapped %d", a.Width)))
	flags := root.PersistentFlags()
	flags.StringVarP(&a.dir, "chdir", "C", ".", "the topology's `DIR`")
	flags.SortFlags = false
	root.AddCommand(a.validateCommand(), a.fmtCommand(), a.planCommand(), a.applyCommand(), a.statusCommand(), a.sendCommand(), a.receiveCommand(), a.historyCommand(), a.unlockCommand(), a.clientCommand(), a.explainCommand())
	return root
}

// empty refuses what a script says whose variable is unset: apply "$PLAN" would
// apply another plan than was reviewed.
func empty(flags *pflag.FlagSet, args []string) (err error) {
	if slices.Contains(args, "") {
		return errors.New("an argument is empty: is a variable unset?")
	}
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			err = fmt.Errorf("--%s is empty: is a variable unset?", f.Name)
		}
	})
	return err
}

// topologyFlags are those of every command that loads a topology.
func (a *app) topologyFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&a.vars, "var", nil, "a variable's value: `NAME=VALUE` (repeatable)")
	flags.StringArrayVar(&a.varFiles, "var-file", nil, "a `FILE` of variables' values (repeatable)")
	flags.StringVar(&a.cluster, "cluster", "", "`NAME` of the cluster block to use, or embedded")
}

// clusterFlags are those of every command that talks to a cluster.
func (a *app) clusterFlags(c *cobra.Command) {
	a.topologyFlags(c)
	a.serversFlag(c)
	flags := c.Flags()
	flags.DurationVar(&a.timeout, "timeout", connect.DefaultTimeout, "`TIME` that the cluster may take to answer")
	flags.BoolVar(&a.verbose, "verbose", false, "log the conversation with the cluster to stderr")
}

func (a *app) serversFlag(c *cobra.Command) {
	c.Flags().StringSliceVar(&a.bootstrap, "bootstrap-servers", nil, "comma-separated `SERVERS`, host:port each, instead of the block's")
}

// version is that of the build: devel outside of version control.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
