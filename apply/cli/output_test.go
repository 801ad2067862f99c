package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/queueform/queueform/apply/cli"
)

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// What cannot be written is told, and ends in exit code 1.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "t.hcl"), []byte("topology \"t\" { }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"explain", "explain QF102", "explain QL101", "explain retention.ms", "validate", "validate --format json", "fmt --check", "fmt --check --diff"} {
		var stderr strings.Builder
		code := cli.Main(t.Context(), cli.Streams{Out: full{}, Err: &stderr, Env: os.LookupEnv, Width: 80}, append(strings.Fields(args), "-C", dir))
		if code != 1 || !strings.Contains(stderr.String(), syscall.ENOSPC.Error()) {
			t.Errorf("%s ends in %d: %s", args, code, stderr.String())
		}
	}
}
