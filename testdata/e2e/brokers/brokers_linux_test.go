package brokers_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// A process that is killed takes its brokers with it; the data goes when the
// next cluster starts.
func TestKilledProcessLeavesNothing(t *testing.T) {
	command := filepath.Join(t.TempDir(), "kafka")
	if out, err := exec.Command("go", "build", "-o", command, "../kafka").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	address, log := killed(t, command)
	gone(t, address)

	next, err := brokers.Start(t.Context(), brokers.Options{})
	must(t, err)
	must(t, next.Close())
	if _, err := os.Stat(log); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", log, err)
	}
}

// killed starts a cluster in a process of its own, kills that, and tells where
// a broker listened and logged.
func killed(t *testing.T, command string) (address, log string) {
	t.Helper()
	process := exec.CommandContext(t.Context(), command)
	out, err := process.StdoutPipe()
	must(t, err)
	must(t, process.Start())
	for lines := bufio.NewScanner(out); log == "" && lines.Scan(); {
		if servers, ok := strings.CutPrefix(lines.Text(), "bootstrap servers"); ok {
			address, _, _ = strings.Cut(strings.TrimSpace(servers), ",")
		}
		if file, ok := strings.CutPrefix(lines.Text(), "log of broker 1"); ok {
			log = strings.TrimSpace(file)
		}
	}
	must(t, process.Process.Kill())
	_ = process.Wait() // "signal: killed"
	if _, err := os.Stat(log); err != nil {
		t.Fatal(err)
	}
	return address, log
}

// gone waits until nobody listens at the address.
func gone(t *testing.T, address string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		must(t, conn.Close())
	}
	t.Fatal("the broker lives on")
}
