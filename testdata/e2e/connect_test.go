package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const login = `topology "login" {}

cluster "real" {
  bootstrap_servers = [%q]
  sasl {
    mechanism = %q
    username  = %q
    password  = env("PASSWORD")
  }
}

queue "q" {
  topic      = "login.q"
  partitions = 1
}
`

// TestLogin plans through the SASL listener.
func TestLogin(t *testing.T) {
	everywhere(t, func(u *user) {
		u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS=", "PASSWORD=" + brokers.AdminPassword}
		u.write("login.hcl", fmt.Sprintf(login, u.kafka.SASL()[0], brokers.AdminMechanism, brokers.AdminName))
		u.run(0, "apply", "--auto-approve")
		u.settled()
	})
}

// TestRefusedLogin wants each way not to get in told in a sentence, at the
// line that is to blame, without the password, and long before the timeout.
func TestRefusedLogin(t *testing.T) {
	c := brokers.Shared(t, brokers.Newest)
	for name, test := range map[string]struct {
		server, mechanism, user string
		env                     []string
		says                    string
	}{
		"wrong password":          {c.SASL()[0], "SCRAM-SHA-512", brokers.AdminName, nil, "login.hcl:8:17"},
		"a password in the file":  {c.SASL()[0], "SCRAM-SHA-512", brokers.AdminName, nil, "login.hcl:8:17"},
		"unknown user":            {c.SASL()[0], "SCRAM-SHA-512", "nobody", nil, "login.hcl:"},
		"mechanism not offered":   {c.SASL()[0], "PLAIN", brokers.AdminName, nil, "do not offer SASL mechanism PLAIN, only SCRAM-SHA-"},
		"no login wanted":         {c.Bootstrap()[0], "SCRAM-SHA-512", brokers.AdminName, nil, "SASL"},
		"TLS, and they have none": {c.SASL()[0], "SCRAM-SHA-512", brokers.AdminName, []string{"QUEUEFORM_TLS=true"}, "TLS"},
		"nobody there":            {"127.0.0.1:1", "SCRAM-SHA-512", brokers.AdminName, nil, "127.0.0.1:1"},
		"another cluster":         {c.SASL()[0], "SCRAM-SHA-512", brokers.AdminName, []string{"PASSWORD=" + brokers.AdminPassword}, "This is cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, c)
			u.env = append([]string{"QUEUEFORM_BOOTSTRAP_SERVERS=", "PASSWORD=not-the-password"}, test.env...)
			text := fmt.Sprintf(login, test.server, test.mechanism, test.user)
			if name == "another cluster" {
				text = strings.Replace(text, "  sasl {", "  cluster_id = \"AAAAAAAAAAAAAAAAAAAAAA\"\n  sasl {", 1)
			}
			if name == "a password in the file" {
				text = strings.Replace(text, `env("PASSWORD")`, `"not-the-password"`, 1)
			}
			u.write("login.hcl", text)
			began := time.Now()
			out := u.run(1, "plan", "--timeout", "8s")
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
			u.has(out, "Error: ", test.says)
			u.has(u.run(1, "apply", "--auto-approve", "--timeout", "8s"), "Error: ", test.says)
			if strings.Contains(out, "not-the-password") || strings.Contains(out, brokers.AdminPassword) {
				t.Error("it shows the password")
			}
		})
	}
}

// TestWithoutSASL meets a listener that wants a login.
func TestWithoutSASL(t *testing.T) {
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.write("q.hcl", "topology \"q\" {}\n")
	u.has(u.run(1, "plan", "--timeout", "8s", "--bootstrap-servers", u.kafka.SASL()[0]), "Error: ", "SASL")
}

// TestFewRights plans as somebody who may see one topic of two, and change none.
func TestFewRights(t *testing.T) {
	c := brokers.Shared(t, brokers.Newest)
	admin := newUser(t, c)
	admin.write("q.hcl", `topology "rights" {}

queue "seen" {
  topic              = "rights.seen"
  partitions         = 1
  replication_factor = 1
}

queue "hidden" {
  topic              = "rights.hidden"
  partitions         = 1
  replication_factor = 1
}
`)
	admin.run(0, "apply", "--auto-approve")
	users := kadm.NewClient(admin.client())
	if _, err := users.AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{{User: "reader", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "reader-secret"}}); err != nil {
		t.Fatal(err)
	}
	for _, rule := range [][]string{
		{"--allow-principal", "User:reader", "--operation", "Describe", "--operation", "DescribeConfigs", "--topic", "rights.seen"},
		{"--allow-principal", "User:somebody", "--operation", "Describe", "--topic", "rights.hidden"},
		{"--allow-principal", "User:somebody", "--operation", "Describe", "--cluster"},
	} {
		admin.tool("AclCommand", append([]string{"--add"}, rule...)...)
		t.Cleanup(func() { admin.tool("AclCommand", append([]string{"--remove", "--force"}, rule...)...) })
	}
	u := newUser(t, c)
	u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS=" + c.SASL()[0], "QUEUEFORM_SASL_MECHANISM=SCRAM-SHA-512", "QUEUEFORM_SASL_USERNAME=reader", "QUEUEFORM_SASL_PASSWORD=reader-secret"}
	u.write("q.hcl", `topology "rights" {}

queue "seen" {
  topic      = "rights.seen"
  partitions = 1
  config = {
    "retention.ms" = "1d"
  }
}

queue "hidden" {
  topic      = "rights.hidden"
  partitions = 1
}
`)
	out := u.run(1, "plan")
	u.has(out, "queue.hidden", "missing: Describe on Topic rights.hidden", "retention.ms", "not checked", "incomplete")
	if strings.Contains(out, "rights.hidden\" is") {
		t.Error("a hidden topic is taken for an absent one")
	}
}
