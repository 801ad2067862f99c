package cli_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queueform/queueform/apply/cli"
	"github.com/queueform/queueform/plan/planfile"
)

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A pipe that a plan is saved to is written to, and stays one: so do devices.
func TestPlanToPipe(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.hcl"), []byte("topology \"t\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(path, os.O_RDWR, 0) // who only reads waits for who writes
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	s := cli.Streams{Out: io.Discard, Err: io.Discard, Env: os.LookupEnv, Width: 80}
	if code := cli.Main(t.Context(), s, []string{"plan", "-C", dir, "--cluster", "embedded", "--out", path}); code != 0 {
		t.Fatalf("it ends in %d", code)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Fatalf("the pipe is %v (%v)", info, err)
	}
	var saved planfile.Document
	if err := json.NewDecoder(pipe).Decode(&saved); err != nil {
		t.Errorf("it holds no plan: %v", err)
	}
}

// What cannot be written is told, and ends in exit code 1.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.hcl"), []byte("topology \"t\" { }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"explain", "explain QF102", "explain QL101", "explain retention.ms", "validate", "validate --format json", "fmt --check", "fmt --check --diff", "unlock --cluster embedded", "history --cluster embedded"} {
		var stderr strings.Builder
		code := cli.Main(t.Context(), cli.Streams{Out: full{}, Err: &stderr, Env: os.LookupEnv, Width: 80}, append(strings.Fields(args), "-C", dir))
		if code != 1 || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%s ends in %d: %s", args, code, stderr.String())
		}
	}
}
