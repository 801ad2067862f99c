package lang_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema/diag"
	"github.com/queueform/queueform/schema/lang"
)

// told is all that a person and a machine are told of what is wrong.
func told(t *testing.T, files diag.Files, diags hcl.Diagnostics) string {
	t.Helper()
	var out bytes.Buffer
	if err := diag.WriteText(&out, files, diags, diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := diag.WriteJSON(&out, files, diags); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// plantedInSASL are lines with a secret that are wrong in a sasl block.
var plantedInSASL = []string{
	`pasword = "hunter2"`,
	`password = ["hunter2"]`,
	`token = { a = "hunter2" }`,
	`password = hunter2`,
	`password = hunter2.x`,
	`password = hunter2("x")`,
	`password = tonumber("hunter2")`,
	`password = { a = 1 }["hunter2"]`,
	`password = "${var.missing}hunter2"`,
	`password = [for x in ["hunter2"] : tonumber(x)]`,
	`token_url = ["https://hunter2@idp"]`,
	"token = \"hunter2\"\n    token_url = [\"hunter2\"]",
	"password = [\n      \"hunter2\", tonumber(\"hunter2\")]",
	"password = <<EOT\nhunter2 ${missing} hunter2\nEOT\n",
	"password = <<EOT\nhunter2 ${tonumber(\"hunter2\")}\nEOT\n",
	"password = \"a\"\n    password = \"hunter2\"",
	`password = "hunter2`,
	`password = "hunter2" "hunter2"`,
	`password = hunter2"`,
	`password : "hunter2"`,
	`password = "%{hunter2}"`,
	`password = "\hunter2"`,
	`hunter2 hunter2`,
	`more { password = "hunter2" }`,
	`password "hunter2" {}`,
	`mechanism = 5 + "a" # hunter2`,
	"password = <<EOT\nhunter2",
	"}}\n password = \"hunter2\"\n x = [",
	"}\n}\n password = \"hunter2\"\n x {\n y {",
}

// plantedInUser are lines with a secret that are wrong in a user block.
var plantedInUser = []string{
	`pasword = "hunter2"`,
	`password = ["hunter2"]`,
	`password = hunter2`,
	`password = tonumber("hunter2")`,
	`password = "${var.missing}hunter2"`,
	`password = <<EOT` + "\nhunter2 ${missing} hunter2\nEOT\n",
	`password = "hunter2`,
	`pasword = "hunter2`,
	`pasword = "hunter2" "hunter2"`,
	`hunter2 hunter2`,
	`more { password = "hunter2" }`,
	"password = \"hunter2\"\n  iterations = 1 # hunter2",
	"}\n  pasword = \"hunter2",
}

// planted are files with a secret wherever one may be, wrong in some way.
func planted() map[string][]string {
	files := map[string][]string{
		"t.hcl": {
			`cluster "c" { password = "hunter2" }`,
			`cluster "c" { pass { word = "hunter2" }`,
			`clustr "c" { password = "hunter2" }`,
			`sasl { password = "hunter2" }`,
			`password = "hunter2"`,
			"cluster \"c\" {\n  tls {\n    key_password = \"hunter2\"\n  }\n}",
			"cluster \"c\" {\n  sasl {\n    password = \"a\"\n  }\n  sasl {\n    pasword = \"hunter2\"\n  }\n}",
			"queue \"q\" {\n  partitions = 1\ncluster \"c\" {\n  sasl {\n    password = \"hunter2\n  }\n}",
			"queue \"q\" {\n  partitions = \"\n}\ncluster \"c\" {\n  sasl {\n    password = \"hunter2\n  }\n}",
			`queue "q" {} cluster "c" { sasl { password = "hunter2" } }`,
			`variable "v" { sensitiv = "hunter2" }`,
			`variable "v" "w" { default = "hunter2" }`,
			`vrible "v" { default = "hunter2" }`,
			`usr "u" { password = "hunter2" }`,
			`user "u" "v" { pasword = "hunter2" }`,
			"producer \"p\" {\n  queues = [queue.q]\n  client = {\n    \"ssl.key.password\" = \"hunter2\"\n  }\n}",
			"producer \"p\" {\n  client = { \"sasl.jaas.config\" = \"x required password='hunter2';\" }\n}",
			"consumer_group \"g\" {\n  client = { \"sasl.password\" = [\"hunter2\"] }\n}",
		},
		"t.hcl.json": {
			`{"cluster": {"c": {"sasl": {"pasword": "hunter2"}}}}`,
			`{"cluster": {"c": {"sasl": {"mechanism": "PLAIN", "pasword": "hunter2"}}}}`,
			`{"cluster": {"c": {"sasl": "hunter2"}}}`,
			`{"cluster": {"c": "hunter2"}}`,
			`{"cluster": ["hunter2"]}`,
			`{"sasl": {"password": "hunter2"}}`,
			"{\"cluster\": {\"c\": {\"sasl\": [{\n\"mechanism\": 5,\n\"token\":\n[\"hunter2\"]}]}}}",
			`{"cluster": {"c": {"sasl": {"password": "${tonumber(\"hunter2\")}"}}}}`,
			`{"cluster": {"c": {"sasl": {"password": "x\n\n${tonumber(\"hunter2\")}"}}}}`,
			`{"cluster": {"c": {"sasl": {"password": "${hunter2}"}}}}`,
			`{"cluster": {"c": {"sasl": {"password": "${hunter2"}}}}`,
			`{"cluster": {"c": {"sasl": {"password": hunter2}}}}`,
			`{"cluster": {"c": {"sasl": {"password": "hunter2}}}}`,
			`{"cluster": {"c": {"sasl": {"password": "hunter2",}}}}`,
			`{"user": {"u": {"pasword": "hunter2"}}}`,
			`{"user": {"u": {"password": ["hunter2"], "iterations": 1}}}`,
			`{"user": {"u": {"pasword": "hunter2",}}}`,
			`{"producer": {"p": {"queues": [], "client": {"ssl.key.password": "hunter2"}}}}`,
			`{"variable": {"v": {"sensitive": true, "type": "number", "default": "hunter2"}}}`,
			`{"variable": {"v": {"sensitive": true, "default": "${tonumber(\"hunter2\")}"}}}`,
			`{"variable": {"v": {"sensitive": "true", "type": "number", "default": "hunter2"}}}`,
			`{"variable": {"v": {"sensitiv": true, "type": "number", "default": "hunter2"}}}`,
			`{"variable": {"v": {"sensitive": true, "type": "number"}}, "cluster": {"c": {"variables": {"v": "hunter2"}}}}`,
			`{"variable": {"w": {"sensitive": true}}, "cluster": {"c": {"variables": {"v": "hunter2"}}}}`,
		},
	}
	native := func(text string) { files["t.hcl"] = append(files["t.hcl"], text) }
	for _, line := range plantedInUser {
		native("user \"u\" {\n  name = \"u\"\n  " + line + "\n}\nqueue \"q\" { partitions = \"many\" }")
	}
	for _, line := range plantedInSASL {
		native("cluster \"c\" {\n  bootstrap_servers = [\"b\"]\n  sasl {\n    " + line + "\n  }\n}\nqueue \"q\" { partitions = \"many\" }")
	}
	for _, line := range []string{
		`default = tonumber("hunter2")`, `default = hunter2`, `default = ["hunter2"]`, `default = "hunter2`, `default = {hunter2 hunter2}`,
		`defalt = "hunter2"`, "default = <<EOT\nhunter2${x}\nEOT", "default = \"x\"\n  default = \"hunter2\"",
		"default = 5\n  validation {\n    condition     = tonumber(\"hunter2\") > 5\n    error_message = \"x\"\n  }",
	} {
		for _, sensitive := range []string{`true`, `1 == 1`, `tru`, `"true"`, "true\n  sensitive = false"} {
			native("variable \"v\" {\n  type = number\n  " + line + "\n  sensitive = " + sensitive + "\n}\nqueue \"q\" { partitions = var.v }")
		}
		native("variable \"v\" {\n  type = number\n  " + line + "\n  sensitiv = true\n}")
	}
	for _, variables := range []string{`{ v = "hunter2" }`, `{ w = "hunter2" }`, `{ v = hunter2 }`, `{ v = tonumber("hunter2") }`, `["hunter2"]`, "{\n v = \"a\"\n v = [\"hunter2\"]\n}", `merge("hunter2")`} {
		native("variable \"v\" {\n  type = number\n  sensitive = true\n}\ncluster \"c\" {\n  variables = " + variables + "\n}")
	}
	return files
}

// A secret that is written in the files is not shown, whatever is wrong with them.
func TestPlantedSecrets(t *testing.T) {
	for name, texts := range planted() {
		for _, text := range texts {
			if name == "t.hcl" {
				text = "topology \"t\" {}\n" + text + "\n"
			}
			loaded, diags := lang.Load(directory(t, map[string]string{name: text}), lang.Options{Env: env, Vars: []string{"other=5"}})
			if !diags.HasErrors() {
				t.Errorf("nothing is wrong with\n%s", text)
			}
			if out := told(t, loaded.Files, diags); strings.Contains(out, secret) {
				t.Errorf("shown of\n%s\n%s", text, out)
			}
		}
	}
}

// What surely holds no secret is shown, in files that have some.
func TestShownLines(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"a cluster's attribute":        {"cluster \"c\" {\n  bootstrap_servers = [\"b\"]\n  sasl {\n    password = \"hunter2\"\n  }\n}", `bootstrap_servers = ["b"]`},
		"a mechanism":                  {"cluster \"c\" {\n  sasl {\n    mechanism = \"PLAN\"\n    password = \"hunter2\"\n  }\n}", `mechanism = "PLAN"`},
		"a tls attribute":              {"cluster \"c\" {\n  tls {\n    ca_file = [\"x\"]\n  }\n}", `ca_file = ["x"]`},
		"a variable of the cluster":    {"variable \"v\" { type = number }\ncluster \"c\" {\n  variables = { v = \"many\" }\n}", `variables = { v = "many" }`},
		"one beside a secret":          {"variable \"v\" { type = number }\nvariable \"w\" { sensitive = true }\ncluster \"c\" {\n  variables = {\n    v = \"many\"\n    w = \"hunter2\"\n  }\n}", `v = "many"`},
		"a variable":                   {"variable \"v\" {\n  type = number\n  default = \"many\"\n  sensitive = false\n}", `default = "many"`},
		"the type of a secret":         {"variable \"v\" {\n  type = strin\n  sensitive = true\n}", `type = strin`},
		"a user's attribute":           {"user \"u\" {\n  iterations = 1\n  password = \"hunter2\"\n}", `iterations = 1`},
		"a producer's setting":         {"producer \"p\" {\n  client = {\n    \"acks\" = [1]\n    \"ssl.key.password\" = \"hunter2\"\n  }\n}", `"acks" = [1]`},
		"a principal in bad syntax":    {"acl \"a\" {\n  principal = user.a b\n  host = \"*\"\n}", `principal = user.a b`},
		"a queue":                      {"cluster \"c\" {\n  sasl {\n    password = \"hunter2\"\n  }\n}\nqueue \"q\" { partitions = \"many\" }", `partitions = "many"`},
		"the first error of syntax":    {"queue \"q\" {\n  topic = \"t\n}\ncluster \"c\" {\n  sasl {\n    password = \"hunter2\"\n  }\n}", `topic = "t`},
		"all errors without a secret":  {"queue \"q\" {\n  topic = 5 5\n}\nqueue \"r\" {\n  key 6\n}", `key 6`},
		"a name where quotes are lost": {"queue \"q\" { topic = hunter }", `topic = hunter`},
	} {
		loaded, diags := lang.Load(directory(t, map[string]string{"t.hcl": "topology \"t\" {}\n" + test.text + "\n"}), lang.Options{Env: env})
		if out := told(t, loaded.Files, diags); !strings.Contains(out, test.want) {
			t.Errorf("%s is not shown:\n%s", name, out)
		}
	}
}
