package cli_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/queueform/queueform/apply/cli"
)

const root = "../.."

func file(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run is queueform within the test, with nothing in its environment.
func run(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e, Env: func(string) (string, bool) { return "", false }, Width: 80}
	code = cli.Main(context.Background(), s, args)
	return code, o.String(), e.String()
}

var sample = regexp.MustCompile("(?s)```hcl\n(.*?)```")

// Every HCL sample of the README is a topology, alone or with a name before it.
func TestReadmeSamples(t *testing.T) {
	samples := sample.FindAllStringSubmatch(file(t, "README.md"), -1)
	if len(samples) == 0 {
		t.Fatal("there are none")
	}
	for _, match := range samples {
		text := match[1]
		if !strings.Contains(text, "topology ") {
			text += "topology \"sample\" {}\n"
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "sample.hcl"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, out, talk := run(t, "validate", "-C", dir, "--var", "env=prod"); code != 0 {
			t.Errorf("exit code %d\n%s%s", code, out, talk)
		}
		if code, out, _ := run(t, "fmt", "-C", dir, "--check", "--diff"); code != 0 {
			t.Errorf("not canonical:\n%s", out)
		}
	}
}

// The plan that the README shows is what its script prints.
func TestReadmePlan(t *testing.T) {
	script := txtar.Parse([]byte(file(t, filepath.Join("testdata", "script", "readme.txtar"))))
	readme := file(t, "README.md")
	for _, f := range script.Files {
		text := string(f.Data)
		if f.Name == "plan.txt" {
			_, text, _ = strings.Cut(text, "\n") // it names the cluster
		}
		if strings.HasSuffix(f.Name, ".txt") && !strings.Contains(readme, text) {
			t.Errorf("the README does not show %s:\n%s", f.Name, text)
		}
	}
}

// Each promise of the README names a test that there is.
func TestReadmePromises(t *testing.T) {
	_, promises, _ := strings.Cut(file(t, "README.md"), "## What queueform promises")
	promises, _, _ = strings.Cut(promises, "\n## ")
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(promises, -1)
	if len(named) < 10 {
		t.Fatalf("%d tests are named", len(named))
	}
	tests := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, match := range regexp.MustCompile(`(?m)^func (Test[A-Za-z]+)\(`).FindAllStringSubmatch(string(text), -1) {
				tests[match[1]] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range named {
		if !tests[match[1]] {
			t.Errorf("there is no %s", match[1])
		}
	}
}

// Every example is canonical, valid, planned and applied, and then there is
// nothing to do. What only a real cluster can do is refused by name here, and
// applied by the tests in testdata/e2e.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*"))
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(dir, ".queueform")); err != nil { // of somebody trying it out
				t.Fatal(err)
			}
			wants := func(code int, says string, args ...string) {
				t.Helper()
				got, out, talk := run(t, append(args, "-C", dir)...)
				if got != code || !strings.Contains(out+talk, says) {
					t.Errorf("queueform %v: exit code %d, want %d and %q\n%s%s", args, got, code, says, out, talk)
				}
			}
			wants(0, "", "fmt", "--check", "--diff")
			wants(0, "is valid", "validate")
			if filepath.Base(example) == "racks" {
				wants(1, "needs a real cluster", "plan", "--cluster", "embedded")
				return
			}
			wants(2, "to create", "plan", "--cluster", "embedded", "--detailed-exitcode")
			wants(0, "Applied", "apply", "--cluster", "embedded", "--auto-approve")
			wants(0, "Nothing to do", "plan", "--cluster", "embedded", "--detailed-exitcode")
		})
	}
}

// What every command tells of itself fits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	for _, command := range []string{"", "validate", "fmt", "plan", "apply", "explain"} {
		code, out, _ := run(t, strings.Fields(command+" --help")...)
		if code != 0 || out == "" {
			t.Errorf("%s: exit code %d", command, code)
		}
		for line := range strings.Lines(out) {
			if width := utf8.RuneCountInString(strings.TrimRight(line, "\n")); width > 80 {
				t.Errorf("%s: %d columns: %s", command, width, line)
			}
		}
	}
}
