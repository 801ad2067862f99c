package e2e_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// The README's rights, as Kafka's tool takes them. Those of apply are given in
// addition to those of plan.
var (
	planRights = [][]string{
		{"--operation", "Describe", "--operation", "DescribeConfigs", "--operation", "Create", "--operation", "AlterConfigs", "--operation", "Alter", "--topic", "rights.", "--resource-pattern-type", "prefixed"},
		{"--operation", "Describe", "--cluster"},
		{"--operation", "Describe", "--group", "*"},
		{"--operation", "Describe", "--operation", "Read", "--topic", "__queueform"},
	}
	applyRights = [][]string{
		{"--operation", "Delete", "--topic", "rights.", "--resource-pattern-type", "prefixed"},
		{"--operation", "Alter", "--operation", "AlterConfigs", "--operation", "DescribeConfigs", "--cluster"},
		{"--operation", "Create", "--operation", "Write", "--operation", "DescribeConfigs", "--operation", "Delete", "--topic", "__queueform"},
	}
)

const rightsBefore = `topology "rights" {}

queue "kept" {
  topic              = "rights.kept"
  partitions         = 1
  replication_factor = 1
}

queue "old" {
  topic              = "rights.old"
  partitions         = 1
  replication_factor = 1
}
`

const rightsAfter = `topology "rights" {}

queue "kept" {
  topic              = "rights.kept"
  partitions         = 2
  replication_factor = 2
  config = {
    "retention.ms" = "5d"
  }
}

queue "new" {
  topic              = "rights.new"
  partitions         = 1
  replication_factor = 1
}

delete "queue" "rights.old" {}
`

// TestRights uses a cluster on which nothing is allowed that no ACL allows.
func TestRights(t *testing.T) {
	c := brokers.Own(t, brokers.Options{Properties: map[string]string{"allow.everyone.if.no.acl.found": "false"}})
	admin := newUser(t, c)
	accounts := kadm.NewClient(admin.client())
	with := func(name string, rights ...[]string) *user {
		t.Helper()
		secret := []kadm.UpsertSCRAM{{User: name, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: name + "-secret"}}
		if _, err := accounts.AlterUserSCRAMs(t.Context(), nil, secret); err != nil {
			t.Fatal(err)
		}
		for _, right := range rights {
			admin.tool("AclCommand", append([]string{"--add", "--allow-principal", "User:" + name}, right...)...)
		}
		u := newUser(t, c)
		u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS=" + c.SASL()[0], "QUEUEFORM_SASL_MECHANISM=SCRAM-SHA-512", "QUEUEFORM_SASL_USERNAME=" + name, "QUEUEFORM_SASL_PASSWORD=" + name + "-secret"}
		return u
	}
	planner, deployer := with("planner", planRights...), with("deployer", append(planRights, applyRights...)...)
	deployer.write("rights.hcl", rightsBefore)
	deployer.run(0, "apply", "--auto-approve")
	deployer.settled()

	planner.write("rights.hcl", rightsAfter)
	before := admin.everything(accounts)
	out := planner.run(0, "plan")
	planner.has(out, "1 to create, 1 to update, 1 to delete")
	for _, bad := range []string{"not checked (Not auth", "unknown", "cannot be read"} {
		if strings.Contains(out, bad) {
			t.Errorf("the plan says %q", bad)
		}
	}
	if diff := cmp.Diff(before, admin.everything(accounts)); diff != "" {
		t.Errorf("the plan has written: %s", diff)
	}
	planner.has(planner.run(1, "apply", "--auto-approve"), "DescribeConfigs on Topic __queueform")

	deployer.write("rights.hcl", rightsAfter)
	deployer.run(0, "apply", "--auto-approve")
	deployer.settled()
}

// everything is what a plan could change: the topics with their configs, and
// where they end.
func (u *user) everything(admin *kadm.Client) map[string]any {
	u.Helper()
	topics, err := admin.ListTopicsWithInternal(u.Context())
	if err != nil {
		u.Fatal(err)
	}
	ends, err := admin.ListEndOffsets(u.Context(), topics.Names()...)
	if err != nil {
		u.Fatal(err)
	}
	all := map[string]any{}
	for name, configs := range u.topics(".*") {
		all[name] = configs
	}
	for topic, partitions := range ends {
		for p := range maps.Keys(partitions) {
			all[topic+" ends"] = partitions[p].Offset
		}
	}
	return all
}
