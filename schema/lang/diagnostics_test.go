package lang_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema/lang"
)

// secret is the value of $SECRET in all tests. No diagnostic may show it.
const secret = "hunter2"

func env(name string) (string, bool) {
	value, ok := map[string]string{"SECRET": secret, "QUEUEFORM_VAR_exported": "5"}[name]
	return value, ok
}

// TestDiagnostics loads every directory of testdata. Comments on the line at
// fault tell what is wrong there, "# error: summary | detail", both in part;
// "# nowhere: summary | detail" is an error of no line, and "# options: --cluster
// x --var a=b" is how to load; both may stand anywhere.
func TestDiagnostics(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, dir := range dirs {
		if filepath.Base(dir) == "fuzz" {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			options, wanted := expectations(t, dir)
			_, diags := lang.Load(dir, options)
			for _, d := range diags {
				if strings.Contains(d.Summary+d.Detail, secret) {
					t.Errorf("a secret is shown: %v", d)
				}
				i := slices.IndexFunc(wanted, func(w expectation) bool { return w.is(d) })
				if i < 0 {
					t.Errorf("not expected: %s", shown(d))
					continue
				}
				wanted = slices.Delete(wanted, i, i+1)
			}
			for _, w := range wanted {
				t.Errorf("missing: %+v", w)
			}
		})
	}
}

func shown(d *hcl.Diagnostic) string {
	level := map[hcl.DiagnosticSeverity]string{hcl.DiagError: "error", hcl.DiagWarning: "warning"}[d.Severity]
	return fmt.Sprintf("%v: %s: %s | %s", d.Subject, level, d.Summary, d.Detail)
}

// expectation is a diagnostic that a comment tells of.
type expectation struct {
	file            string
	line            int
	level           hcl.DiagnosticSeverity
	summary, detail string
}

func (w expectation) is(d *hcl.Diagnostic) bool {
	if d.Subject == nil {
		d.Subject = &hcl.Range{}
	}
	return d.Subject.Filename == w.file && d.Subject.Start.Line == w.line && d.Severity == w.level &&
		strings.Contains(d.Summary, w.summary) && strings.Contains(d.Detail, w.detail)
}

func expectations(t *testing.T, dir string) (o lang.Options, wanted []expectation) {
	t.Helper()
	o.Env = env
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		for n := 1; lines.Scan(); n++ {
			if _, options, ok := strings.Cut(lines.Text(), "# options: "); ok {
				readOptions(t, &o, dir, strings.Fields(options))
			}
			for _, comment := range strings.Split(lines.Text(), "# ")[1:] {
				wanted = append(wanted, expected(name, n, comment)...)
			}
		}
	}
	return o, wanted
}

func expected(file string, line int, comment string) []expectation {
	if text, ok := strings.CutPrefix(comment, "nowhere: "); ok {
		file, line, comment = "", 0, "error: "+text
	}
	for word, level := range map[string]hcl.DiagnosticSeverity{"error: ": hcl.DiagError, "warning: ": hcl.DiagWarning} {
		if text, ok := strings.CutPrefix(comment, word); ok {
			summary, detail, _ := strings.Cut(text, " | ")
			return []expectation{{file, line, level, strings.TrimSpace(summary), strings.TrimSpace(detail)}}
		}
	}
	return nil
}

func readOptions(t *testing.T, o *lang.Options, dir string, words []string) {
	t.Helper()
	for pair := range slices.Chunk(words, 2) {
		switch pair[0] {
		case "--cluster":
			o.Cluster = pair[1]
		case "--var":
			o.Vars = append(o.Vars, pair[1])
		case "--var-file":
			o.VarFiles = append(o.VarFiles, filepath.Join(dir, pair[1]))
		default:
			t.Fatalf("unknown option %s", pair[0])
		}
	}
}
