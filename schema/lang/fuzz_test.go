package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/lang"
)

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.hcl", "../../examples/*/*.hcl", "../../examples/teams/*/*.hcl"} {
		seeds, err := filepath.Glob(pattern)
		if err != nil || len(seeds) == 0 {
			f.Fatal("no seeds", pattern, err)
		}
		for _, name := range seeds {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	fuzz(f, "t.hcl")
}

func FuzzLoadJSON(f *testing.F) {
	for _, text := range []string{
		`{"topology": {"t": {}}, "queue": {"q": {"for_each": "${toset([\"a\"])}", "topic": "${each.key}", "config": {"retention.ms": null, "segment.ms": "7d"}}}}`,
		`{"topology": {"t": {}}, "locals": {"a": "${local.b}", "b": ["${local.a}"]}, "queue": [{"q": [{"dead_letter": "queue.p"}, null]}]}`,
		`{"topology": {"t": {}}, "variable": {"v": {"type": "map(string)", "default": {"${x}": 1}, "sensitive": true}}, "profile": {"p": {"partitions": "${var.v}"}}}`,
		`{"topology": {"t": {}}, "cluster": {"c": {"variables": {"v": 1}, "sasl": {"mechanism": "PLAIN", "password": "${env(\"SECRET\")}"}}}}`,
		`{"topology": {"t": {}}, "queue": {"q": {"placement": {"racks": [["a"], null]}, "load": {"message_bytes": 1e99}, "lifecycle": null}}}`,
		`{"topology": {"t": {}}, "queue": {"q": {}, "p": {"for_each": "${toset([\"a\"])}"}}, "producer": {"w": {"queues": ["queue.q", "queue.p", null], "principal": "user.u", "client": {"a": "${queue.q.topic}"}, "quota": {"producer_byte_rate": "1MiB"}}}, "user": {"u": {"password": "${env(\"SECRET\")}"}}}`,
		`{"topology": {"t": {}}, "queue": {"q": {}}, "consumer_group": {"g": {"for_each": "${queue.q}", "queues": "${[queue.q]}", "protocol": "share", "start": "2026-01-31T00:00:00Z", "config": {"share.isolation.level": null}}}}`,
		`{"topology": {"t": {}}, "acl": {"a": {"principal": "User:*", "resource": {"topic": "x", "${env(\"SECRET\")}": 1}, "operations": "read,all"}}, "quota": {"q": {"user": null, "client_id": "x", "request_percentage": 1e99}}}`,
		`{"external": {"queue": {"x": {}}}, "delete": {"queue": {"y": {}, "z": {"labels": {"a": null, "${env(\"SECRET\")}": 1}}}}}`,
	} {
		f.Add([]byte(text))
	}
	fuzz(f, "t.hcl.json")
}

// fuzz loads a file of anything: there is no panic, every diagnostic says
// something, and none shows a secret.
func fuzz(f *testing.F, name string) {
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, diags := lang.Load(dir, lang.Options{Env: env})
		if loaded.Topology == nil && !diags.HasErrors() {
			t.Error("neither a topology nor errors")
		}
		for _, d := range diags {
			if d.Summary == "" || d.Detail == "" || d.Severity == 0 {
				t.Errorf("says nothing: %+v", d)
			}
			if strings.Contains(d.Summary+d.Detail, secret) && !strings.Contains(string(text), secret) {
				t.Errorf("shows a secret: %v", d)
			}
		}
	})
}
