package lang_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/lang"
)

// A secret is asked for when it is revealed, and not before.
func TestSecretsAreRevealedLate(t *testing.T) {
	asked := map[string]int{}
	variables := map[string]string{`env("SECRET")`: "SECRET", `env("NOT_SET")`: "NOT_SET"}
	o := lang.Options{Vars: []string{"given=hunter2"}, Env: func(name string) (string, bool) {
		asked[name]++
		return secret, name == "SECRET"
	}}
	for expression, want := range map[string]string{
		`env("SECRET")`:                           secret,
		`"${env("SECRET")}-${lower("X")}"`:        "hunter2-x",
		`"${local.prefix}-${env("SECRET")}"`:      "prefix-hunter2",
		`jsondecode(format("%q", env("SECRET")))`: secret,
		`var.given`:                secret,
		`"literal"`:                "literal",
		`var.none == null ? 5 : 6`: "5",
		`env("NOT_SET")`:           `error t.hcl:17:17: Call to function "env" failed: the environment variable NOT_SET is not set.`,
		`var.later`:                "error t.hcl:17:17: the variable has no value",
		`tonumber(env("SECRET"))`:  "error t.hcl:17:17: There may be a secret in it, so what exactly is wrong is not shown.",
	} {
		clear(asked)
		dir := directory(t, map[string]string{"t.hcl": `topology "t" {}
variable "given" { sensitive = true }
variable "later" { sensitive = true }
variable "none" {
  default   = null
  sensitive = true
}
locals {
  prefix = "prefix"
}
cluster "prod" {
  bootstrap_servers = "a:1, b:2"

  sasl {
    mechanism = "PLAIN"
    username  = "deployer"
    password  = ` + expression + `
  }
}
`})
		loaded, diags := lang.Load(dir, o)
		if diags.HasErrors() {
			t.Errorf("%s: %v", expression, diags)
			continue
		}
		if asked["SECRET"]+asked["NOT_SET"] > 0 {
			t.Errorf("%s is evaluated when it is loaded", expression)
		}
		password := loaded.Topology.Cluster.SASL.Password
		if got, want := password.Variable(), variables[expression]; got != want {
			t.Errorf("%s is read from %q, want %q", expression, got, want)
		}
		got, err := password.Reveal()
		if err != nil {
			got = "error " + strings.TrimPrefix(err.Error(), dir+"/")
		}
		if got != want || !password.IsSet() {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
		encoded, err := json.Marshal(loaded.Topology)
		if shown := fmt.Sprintf("%v %+v %#v %s", password, password, password, encoded); err != nil || strings.Contains(shown, secret) {
			t.Errorf("%s is shown: %s, %v", expression, shown, err)
		}
	}
}

// A user's password is missed where it is needed, and not before.
func TestPasswordsOfUsers(t *testing.T) {
	for expression, want := range map[string]string{
		`env("SECRET")`:  secret,
		`env("NOT_SET")`: `t.hcl:3:16: Call to function "env" failed: the environment variable NOT_SET is not set.`,
		`env("EMPTY")`:   "t.hcl:3:16: the password is empty",
		`var.later`:      "t.hcl:3:16: the variable has no value",
		`each.key`:       "a",
	} {
		dir := directory(t, map[string]string{"t.hcl": "topology \"t\" {}\nuser \"u\" {\n  password   = " + expression + "\n  for_each = toset([\"a\"])\n}\nvariable \"later\" { sensitive = true }\n"})
		loaded, diags := lang.Load(dir, lang.Options{Env: func(name string) (string, bool) {
			value, ok := map[string]string{"SECRET": secret, "EMPTY": ""}[name]
			return value, ok
		}})
		if len(diags) > 0 {
			t.Errorf("%s: %v", expression, diags)
			continue
		}
		for u := range schema.All[*schema.User](loaded.Topology) {
			got, err := u.Password.Reveal()
			if err != nil {
				got = strings.TrimPrefix(err.Error(), dir+"/")
			}
			if got != want {
				t.Errorf("%s is %q, want %q", expression, got, want)
			}
		}
		if len(loaded.Topology.Resources) != 1 {
			t.Errorf("%s: no user", expression)
		}
	}
}

func TestSecretThatIsNull(t *testing.T) {
	topology := load(t, `{"topology": {"t": {}}, "cluster": {"a": {"sasl": {"mechanism": "PLAIN", "password": null}}}}`, lang.Options{})
	if topology.Cluster.SASL.Password.IsSet() {
		t.Error("null is a password")
	}
}
