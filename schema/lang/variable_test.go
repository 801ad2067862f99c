package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/lang"
)

// described evaluates an expression, as the description of a queue.
func described(tb testing.TB, blocks, expression string, o lang.Options) string {
	tb.Helper()
	t := load(tb, "topology \"t\" {}\n"+blocks+"\nqueue \"q\" {\n  description = "+expression+"\n}\n", o)
	if t == nil || len(t.Resources) != 1 {
		tb.Fatalf("%s gives no queue", expression)
	}
	return t.Resources[0].Declared().Description
}

// Each source of a variable's value wins over those before it.
func TestVariableOrder(t *testing.T) {
	const blocks = `
variable "x" { default = "default" }
cluster "prod" {
  variables = { x = "cluster" }
}
cluster "dev" {}`
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "values.qfvars")
		if err := os.WriteFile(path, []byte("\xef\xbb\xbfx = "+text+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	exported := func(name string) (string, bool) { return "exported", name == "QUEUEFORM_VAR_x" }
	for _, test := range []struct {
		want    string
		options lang.Options
	}{
		{"default", lang.Options{}},
		{"default", lang.Options{Cluster: "dev"}},
		{"default", lang.Options{Cluster: "embedded"}},
		{"cluster", lang.Options{Cluster: "prod"}},
		{"exported", lang.Options{Cluster: "prod", Env: exported}},
		{"first", lang.Options{Cluster: "prod", Env: exported, VarFiles: []string{file(`"first"`)}}},
		{"second", lang.Options{Cluster: "prod", Env: exported, VarFiles: []string{file(`"first"`), file(`"second"`)}}},
		{"flag", lang.Options{Cluster: "prod", Env: exported, VarFiles: []string{file(`"first"`)}, Vars: []string{"x=flag"}}},
		{"a=b", lang.Options{Cluster: "prod", Vars: []string{"x=flag", " x =a=b"}}},
		{"", lang.Options{Cluster: "prod", Vars: []string{"x="}}},
	} {
		if got := described(t, blocks, "var.x", test.options); got != test.want {
			t.Errorf("%+v: x is %q, want %q", test.options, got, test.want)
		}
	}
}

// Text from outside is read by the variable's type.
func TestVariableTypes(t *testing.T) {
	for _, test := range []struct{ block, text, want string }{
		{`{}`, "1", `"1"`},
		{`{ type = string }`, "[1", `"[1"`},
		{`{ type = number }`, "1.50", `1.5`},
		{`{ type = bool }`, "true", `true`},
		{`{ type = list(number) }`, `[1, "2"]`, `[1,2]`},
		{`{ type = set(string) }`, `["b", "a", "b"]`, `["a","b"]`},
		{`{ type = map(any) }`, `{ a = 1 }`, `{"a":1}`},
		{`{ type = object({ a = string, b = optional(number, 3), c = optional(string) }) }`, `{ a = 1 }`, `{"a":"1","b":3,"c":null}`},
	} {
		if got := described(t, `variable "x" `+test.block, "jsonencode(var.x)", lang.Options{Vars: []string{"x=" + test.text}}); got != test.want {
			t.Errorf("%s set to %s is %s, want %s", test.block, test.text, got, test.want)
		}
	}
}

// A typed JSON variable is written with the type as text.
func TestJSONVariables(t *testing.T) {
	topology := load(t, `{
		"//": "a comment",
		"topology": {"t": {"owner": "${var.team}"}},
		"variable": {
			"team": {"type": "string", "default": "shop", "validation": {"condition": "${length(var.names) == 2}", "error_message": "Two."}},
			"names": {"type": "list(string)", "default": ["a", "b"]},
			"set": {}
		},
		"cluster": {"prod": {"variables": {"set": "literal ${x}"}}},
		"queue": {"q": {"description": "${join(\"-\", var.names)} ${var.set} ${cluster.name}"}}
	}`, lang.Options{})
	if got, want := topology.Resources[0].Declared().Description, "a-b literal ${x} prod"; got != want || topology.Owner != "shop" {
		t.Errorf("the queue is described as %q and owned by %q, want %q and shop", got, topology.Owner, want)
	}
}

func TestClusterName(t *testing.T) {
	for cluster, block := range map[string]string{"only": `cluster "only" {}`, "embedded": `cluster "only" {}`} {
		o := lang.Options{Cluster: cluster}
		if cluster == "only" {
			o.Cluster = ""
		}
		if got := described(t, block, "cluster.name", o); got != cluster {
			t.Errorf("cluster.name is %q, want %q", got, cluster)
		}
	}
}

func TestNoCluster(t *testing.T) {
	_, diags := lang.Load(directory(t, map[string]string{"t.hcl": "topology \"t\" {}\ncluster \"prod\" {}\n"}), lang.Options{Cluster: "prd"})
	if len(diags) != 1 || !strings.Contains(diags[0].Error(), `No cluster "prd"; These can be chosen: prod, embedded. Did you mean "prod"?`) {
		t.Errorf("%v", diags)
	}
}
