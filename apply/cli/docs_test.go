package cli_test

import (
	"bytes"
	"context"
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

var listed = regexp.MustCompile(`(?m)^  (\w+) `)

// commands are queueform's own, as its help lists them.
func commands(t *testing.T) []string {
	t.Helper()
	_, out, _ := run(t, "--help")
	var all []string
	for _, match := range listed.FindAllStringSubmatch(out, -1) {
		if name := match[1]; name != "help" && name != "completion" && name != "queueform" {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		t.Fatal("the help lists no command")
	}
	return all
}

// run is queueform within the test, with nothing in its environment.
func run(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	return runIn(t, func(string) (string, bool) { return "", false }, args...)
}

// runIn is queueform within the test, in an environment.
func runIn(t *testing.T, env func(string) (string, bool), args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e, Env: env, Width: 80}
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

// The status that the README shows is what package render prints.
func TestReadmeStatus(t *testing.T) {
	if text := file(t, "plan/render/testdata/status.txt"); !strings.Contains(file(t, "README.md"), text) {
		t.Errorf("the README does not show:\n%s", text)
	}
}

// The README lists every command, with all its flags.
func TestReadmeCommands(t *testing.T) {
	readme := file(t, "README.md")
	flag := regexp.MustCompile(`--[a-z-]+`)
	for _, command := range commands(t) {
		if !strings.Contains(readme, "\n| `"+command) {
			t.Errorf("the README does not list %s", command)
		}
		_, out, _ := run(t, command, "--help")
		for _, name := range flag.FindAllString(out, -1) {
			if name != "--help" && name != "--chdir" && !strings.Contains(readme, "`"+name) {
				t.Errorf("the README does not tell of %s %s", command, name)
			}
		}
	}
}

// The README lists the hazards as explain does.
func TestReadmeHazards(t *testing.T) {
	readme := file(t, "README.md")
	_, out, _ := run(t, "explain")
	for line := range strings.Lines(out) {
		code, summary, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if row := "\n| " + code + " | " + summary + " |"; strings.HasPrefix(code, "QF") && !strings.Contains(readme, row) {
			t.Errorf("the README does not list %s", line)
		}
	}
}

var kept = regexp.MustCompile(`\[(Test\w+|\w+\.txtar)\]\(([^)]+)\)`)

// Every promise of the README names tests that keep it, and there are such tests.
func TestReadmePromises(t *testing.T) {
	_, section, _ := strings.Cut(file(t, "README.md"), "\n## What queueform promises\n")
	section, _, _ = strings.Cut(section, "\n## ")
	promises := strings.Split(section, "\n- ")[1:]
	if len(promises) == 0 {
		t.Fatal("there are none")
	}
	for _, promise := range promises {
		tests := kept.FindAllStringSubmatch(promise, -1)
		if len(tests) == 0 {
			t.Errorf("nothing keeps: %s", promise)
		}
		for _, test := range tests {
			name, path := test[1], test[2]
			text := file(t, path)
			if strings.HasPrefix(name, "Test") && !strings.Contains(text, "\nfunc "+name+"(") {
				t.Errorf("%s has no %s", path, name)
			} else if strings.HasSuffix(name, ".txtar") && filepath.Base(path) != name {
				t.Errorf("%s is not %s", path, name)
			}
		}
	}
}

// needy are the examples that the embedded cluster is not enough for: how a plan
// of them ends there, and what it says.
var needy = map[string]struct {
	code int
	says string
}{
	"racks":          {1, "needs a real cluster"},
	"teams/billing":  {1, "The cluster has no topic \"checkout.orders\""}, // that is another team's
	"teams/platform": {3, "topic * has no rights on it yet"},              // which the embedded one is open without
}

// Every example is canonical, valid, planned and applied, and then there is
// nothing to do. Those that need another cluster are refused by name here, and
// applied by the tests in testdata/e2e.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "topology.hcl"))
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	teams, err := filepath.Glob(filepath.Join(root, "examples", "teams", "*", "topology.hcl"))
	if err != nil || len(teams) == 0 {
		t.Fatal(teams, err)
	}
	passwords := func(name string) (string, bool) { return "secret", strings.HasSuffix(name, "_PASSWORD") }
	for _, file := range append(examples, teams...) {
		example := filepath.Dir(file)
		name, err := filepath.Rel(filepath.Join(root, "examples"), example)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(filepath.Join(dir, ".queueform")); err != nil { // of somebody trying it out
				t.Fatal(err)
			}
			wants := func(code int, says string, args ...string) {
				t.Helper()
				got, out, talk := runIn(t, passwords, append(args, "-C", dir)...)
				if got != code || !strings.Contains(out+talk, says) {
					t.Errorf("queueform %v: exit code %d, want %d and %q\n%s%s", args, got, code, says, out, talk)
				}
			}
			wants(0, "", "fmt", "--check", "--diff")
			wants(0, "is valid", "validate")
			if needs, more := needy[filepath.ToSlash(name)]; more {
				wants(needs.code, needs.says, "plan", "--cluster", "embedded")
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
	for _, command := range append([]string{""}, commands(t)...) {
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
