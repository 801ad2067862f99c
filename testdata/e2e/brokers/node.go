package brokers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// node is one combined broker and controller.
type node struct {
	id                          int
	plaintext, sasl, controller string // addresses
	jars, config, log           string
	process                     *exec.Cmd     // nil: not running
	ended                       chan struct{} // closed when the process is gone
}

// start starts the process, in a process group of its own so that a Ctrl-C in
// a terminal is for us alone to handle.
func (n *node) start() error {
	if n.process != nil {
		return fmt.Errorf("broker %d is running already", n.id)
	}
	log, err := os.OpenFile(n.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	process := java(context.Background(), n.jars, "kafka.Kafka", n.config)
	process.Stdout, process.Stderr = log, log
	process.SysProcAttr = dieWithParent()
	ended, err := supervise(process)
	if err != nil {
		return fmt.Errorf("start broker %d: %w", n.id, err)
	}
	n.process, n.ended = process, ended
	return nil
}

// supervise starts a process and closes the channel when it has ended.
func supervise(process *exec.Cmd) (chan struct{}, error) {
	ended, started := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		runtime.LockOSThread() // the kernel's "parent" that a process dies with is the thread
		err := process.Start()
		started <- err
		if err == nil {
			_ = process.Wait() // how a broker ended is told by its log
		}
	}()
	return ended, <-started
}

func (n *node) stop(ctx context.Context) error {
	if n.process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := n.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.ended:
		n.process = nil
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop broker %d: %w\n%s", n.id, context.Cause(ctx), n.logTail())
	}
}

func (n *node) kill() error {
	if n.process == nil {
		return nil
	}
	if err := n.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-n.ended
	n.process = nil
	return nil
}

func (n *node) signal(s syscall.Signal) error {
	err := n.process.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// crashed says whether the process ended without being told to.
func (n *node) crashed() bool {
	if n.process == nil {
		return false
	}
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// logTail is the end of the broker's log, headed by its id.
func (n *node) logTail() string {
	text, err := os.ReadFile(n.log)
	if err != nil {
		text = []byte(err.Error())
	}
	return fmt.Sprintf("--- end of the log of broker %d\n%s\n", n.id, text[max(0, len(text)-4000):])
}

// java runs a class of the jars, for a quick start rather than speed later.
func java(ctx context.Context, jars, class string, args ...string) *exec.Cmd {
	flags := []string{
		"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j.configuration=file:" + filepath.Join(home(), "log4j.properties"),
		"-cp", filepath.Join(jars, "*"), class,
	}
	return exec.CommandContext(ctx, "java", append(flags, args...)...)
}
