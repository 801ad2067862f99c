package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// TestDocument holds plans of a real cluster, with every kind of change in
// them, against the schema that others rely on.
func TestDocument(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "plan", "planfile", "plan.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.write("first.hcl", `topology "document" {}

queue "kept" {
  topic              = "document.kept"
  partitions         = 1
  replication_factor = 1
  key                = "id"
  config = {
    "retention.ms"   = "7d"
    "cleanup.policy" = "delete"
  }
}

queue "gone" {
  topic = "document.gone"
}
`)
	valid := func(code int, args ...string) string {
		t.Helper()
		text := u.run(code, append([]string{"plan", "--format", "json"}, args...)...)
		from, to := strings.Index(text, "{\n"), strings.LastIndex(text, "\n}") // around it is what goes to stderr
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text[from : to+2]))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%#v\n%s", err, text)
		}
		return text
	}
	u.has(valid(0), `"create_topic"`)
	u.run(0, "apply", "--auto-approve")
	valid(0)
	u.write("first.hcl", `topology "document" {}

queue "kept" {
  topic              = "document.kept"
  partitions         = 2
  replication_factor = 3
  key                = "id"
  config = {
    "cleanup.policy" = "compact"
  }
}

queue "placed" {
  topic              = "document.placed"
  partitions         = 2
  replication_factor = 2
  placement {
    racks = ["a", "b"]
  }
}

queue "nowhere" {
  topic              = "document.nowhere"
  partitions         = 1
  replication_factor = 1
  placement {
    racks = ["z"]
  }
}

delete "queue" "document.gone" {}
`)
	text := valid(1)
	u.has(text, `"add_partitions"`, `"alter_configs"`, `"reassign"`, `"delete_topic"`, `"blocked"`, `"QF201"`, `"checked by the broker"`)
	valid(3, "--target", "queue.kept")
}
