package e2e_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const access = `
topology "access" {}

queue "orders" {
  topic              = "access.orders"
  partitions         = 2
  replication_factor = 1
}

user "writer" {
  name       = "access.writer"
  mechanisms = ["SCRAM-SHA-256", "SCRAM-SHA-512"]
  password   = env("WRITER")
}

producer "writer" {
  queues    = [queue.orders]
  principal = user.writer
  quota {
    producer_byte_rate = "10MiB"
  }
}

acl "audit" {
  principal = "User:access.audit"
  resource = {
    topic   = "access."
    pattern = "prefixed"
  }
  operations = ["read", "describe"]
}
`

// TestAccess takes a user, what it may do and how much, from nothing to nothing.
// Another client sees each; and the user logs in by the password of the files.
func TestAccess(t *testing.T) {
	everywhere(t, func(u *user) {
		u.env = []string{"WRITER=first"}
		u.write("access.hcl", access)
		u.has(u.run(3, "plan"), "QF401 blocks: topic access. has no rights on it yet")
		u.has(u.run(0, "apply", "--auto-approve", "--allow", "QF401:acl.audit"), "7 to create")
		u.settled()
		rights := []string{
			"User:access.audit DESCRIBE access.", "User:access.audit READ access.",
			"User:access.writer DESCRIBE access.orders", "User:access.writer WRITE access.orders",
		}
		u.rights(rights...)
		u.limited("producer_byte_rate", 10<<20)
		u.logsIn("first", true)

		u.env = []string{"WRITER=second"}
		u.settled() // nobody sees that the password is another one
		u.replace("access.hcl", `env("WRITER")`, "env(\"WRITER\")\n  password_version = 2")
		u.has(u.run(0, "apply", "--auto-approve"), "password_version  1 -> 2")
		u.settled()
		u.logsIn("first", false)
		u.logsIn("second", true)

		u.replace("access.hcl", `["read", "describe"]`, `["read"]`)
		u.replace("access.hcl", `producer_byte_rate = "10MiB"`, `request_percentage = 50`)
		right := `orphan.acl["User:access.audit Describe topic:access. prefixed *"]`
		u.has(u.run(3, "plan", "--out", "plan.json"), "QF402", right)
		u.run(0, "apply", "plan.json", "--allow", "QF402:"+right)
		u.settled()
		u.rights(rights[1:]...)
		u.limited("request_percentage", 50)

		u.write("access.hcl", `topology "access" {}`+"\n"+`delete "user" "access.writer" {}`+"\n"+`forget "queue" "access.orders" {}`)
		u.has(u.run(3, "plan"), "QF105", "QF402")
		u.run(0, "apply", "--auto-approve", "--allow", "QF105,QF402")
		u.settled()
		u.rights()
		u.limited("", 0)
		u.logsIn("second", false)
	})
}

// admin is another client than ours.
func (u *user) admin() *kadm.Client { return kadm.NewClient(u.client()) }

// rights wants these rights of the principals of the test, and no others.
func (u *user) rights(want ...string) {
	u.Helper()
	var got []string
	results, err := u.admin().DescribeACLs(u.Context(), kadm.NewACLs().AnyResource().Allow().AllowHosts().Operations().ResourcePatternType(kadm.ACLPatternAny))
	if err != nil {
		u.Fatal(err)
	}
	for _, result := range results {
		for _, acl := range result.Described {
			if acl.Principal == "User:access.audit" || acl.Principal == "User:access.writer" {
				got = append(got, acl.Principal+" "+acl.Operation.String()+" "+acl.Name)
			}
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		u.Error(diff)
	}
}

// limited wants the user to have this limit alone, or none.
func (u *user) limited(key string, value float64) {
	u.Helper()
	name := "access.writer"
	quotas, err := u.admin().DescribeClientQuotas(u.Context(), true, []kadm.DescribeClientQuotaComponent{{Type: "user", MatchName: &name}})
	if err != nil {
		u.Fatal(err)
	}
	got, want := map[string]float64{}, map[string]float64{}
	for _, q := range quotas {
		for _, v := range q.Values {
			got[v.Key] = v.Value
		}
	}
	if key != "" {
		want[key] = value
	}
	if !maps.Equal(want, got) {
		u.Errorf("the user has %v, not %v", got, want)
	}
}

// logsIn waits until the user gets in by a password, or does not, by either
// mechanism: a broker may know the password of before for a moment.
func (u *user) logsIn(password string, in bool) {
	u.Helper()
	login := scram.Auth{User: "access.writer", Pass: password}
	for _, mechanism := range []kgo.Opt{kgo.SASL(login.AsSha512Mechanism()), kgo.SASL(login.AsSha256Mechanism())} {
		u.await("the brokers know the password "+password, func() bool {
			client, err := kgo.NewClient(kgo.SeedBrokers(u.kafka.SASL()...), mechanism)
			if err != nil {
				u.Fatal(err)
			}
			defer client.Close()
			return (client.Ping(u.Context()) == nil) == in
		})
	}
}
