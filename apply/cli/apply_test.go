package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/apply/cli"
)

// A person at a terminal is asked, and only yes is taken.
func TestApplyAsks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "q.hcl"), []byte("topology \"q\" {}\n\nqueue \"a\" {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		answer string
		code   int
		says   string
	}{
		{"no\n", 1, "not confirmed: nothing was applied"},
		{"", 1, "not confirmed"},
		{"yes\n", 0, "Applied: 1 done."},
		{"", 0, ""}, // nothing to do is nothing to ask
	} {
		var out, talk bytes.Buffer
		s := cli.Streams{
			In: strings.NewReader(test.answer), Out: &out, Err: &talk, Terminal: true, Width: 80,
			Env: func(string) (string, bool) { return "", false },
		}
		code := cli.Main(context.Background(), s, []string{"apply", "-C", dir, "--cluster", "embedded"})
		if code != test.code || !strings.Contains(talk.String(), test.says) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", test.answer, code, test.code, test.says, &out, &talk)
		}
	}
}
