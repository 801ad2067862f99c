package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"syscall"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/proxy"
)

// victim is a process of queueform to which something happens once the brokers
// have answered its nth request, before it hears of that.
type victim struct {
	*user
	n       int
	counts  func(*proxy.Request) bool
	strikes func(*victim) proxy.Fate // what happens, and to the answer
	command *exec.Cmd
	proxy   *proxy.Proxy
	out     bytes.Buffer

	started, struck, ended chan struct{}

	mu    sync.Mutex // held while it is struck
	left  int        // requests until then
	last  string     // the kind of the last that counts
	fate  proxy.Fate // of all that it asks and hears
	since []string   // what it has sent that changes anything but the ledger, since it was struck
}

// strike starts a process that is struck at its nth answer of those that count.
func (u *user) strike(n int, counts func(*proxy.Request) bool, strikes func(*victim) proxy.Fate, args ...string) *victim {
	u.Helper()
	v := &victim{
		n: n, counts: counts, strikes: strikes, left: n,
		started: make(chan struct{}), struck: make(chan struct{}), ended: make(chan struct{}),
	}
	v.user, v.proxy = u.through(proxy.Rules{Request: v.asks, Answer: v.hears})
	v.command = v.user.command(args...)
	v.command.Stdout, v.command.Stderr = &v.out, &v.out
	must(u.T, v.command.Start())
	go func() {
		_ = v.command.Wait() // the process state tells how
		close(v.ended)
	}()
	close(v.started)
	return v
}

// kills is the end of it, and of all that it has asked.
func kills(v *victim) proxy.Fate {
	_ = v.command.Process.Kill()
	<-v.ended
	v.fate = proxy.Lose
	return v.fate
}

// loses lets nothing happen but that to the answer, and to its connection.
func loses(fate proxy.Fate) func(*victim) proxy.Fate {
	return func(*victim) proxy.Fate { return fate }
}

// pauses lets it sleep, with the answer waiting for it.
func pauses(v *victim) proxy.Fate {
	_ = v.command.Process.Signal(syscall.SIGSTOP)
	return proxy.Pass
}

func (v *victim) asks(r *proxy.Request) proxy.Fate {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ledger := r.Body.(*kmsg.ProduceRequest); v.left == 0 && writes(r) && !ledger {
		v.since = append(v.since, kmsg.NameForKey(r.Key))
	}
	return v.fate
}

func (v *victim) hears(r *proxy.Request) proxy.Fate {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.left > 0 && v.counts(r) {
		v.left--
		v.last = kmsg.NameForKey(r.Key)
		if v.left == 0 {
			<-v.started
			defer close(v.struck)
			return v.strikes(v)
		}
	}
	return v.fate
}

// wasStruck waits until it was, or has ended before.
func (v *victim) wasStruck() bool {
	select {
	case <-v.struck:
		return true
	case <-v.ended:
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.left == 0
	}
}

// end waits for the end, and for the answers to all that was asked.
func (v *victim) end() (code int, out string) {
	v.Helper()
	<-v.ended
	v.proxy.Close()
	v.Logf("struck after %d, %s; exit code %d\n%s", v.n, v.last, v.command.ProcessState.ExitCode(), &v.out)
	return v.command.ProcessState.ExitCode(), v.out.String()
}

// background is a process that is awaited later.
func (u *user) background(args ...string) (wait func() ending) {
	u.Helper()
	c := u.command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	must(u.T, c.Start())
	return func() ending {
		exit, failed := errors.AsType[*exec.ExitError](c.Wait())
		if failed && !exit.Exited() {
			u.Errorf("%v: %v", args, fmt.Errorf("%w\n%s", exit, &out))
		}
		return ending{c.Process.Pid, exitCode(exit), out.String()}
	}
}
