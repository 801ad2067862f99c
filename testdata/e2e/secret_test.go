package e2e_test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// TestSecretsStayUntold plants secrets wherever one is accepted, and looks for
// them in all that is printed, logged, saved, and kept on the cluster.
func TestSecretsStayUntold(t *testing.T) {
	c := brokers.Shared(t, brokers.Newest)
	u := newUser(t, c)
	u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS=", "PASSWORD=" + brokers.AdminPassword, "QUEUEFORM_VAR_given=planted-by-environment"}
	u.write("secret.hcl", fmt.Sprintf(`topology "secret" {}

variable "pass" {
  default   = %[2]q
  sensitive = true
}

variable "given" {
  sensitive = true
}

variable "flag" {
  sensitive = true
}

cluster "real" {
  bootstrap_servers = [%[1]q]
  sasl {
    mechanism     = "SCRAM-SHA-512"
    username      = "admin"
    password      = var.pass
    client_secret = var.given
    token         = var.flag
  }
}

cluster "other" {
  bootstrap_servers = ["b1:9092"]
  sasl {
    mechanism = "PLAIN"
    username  = "admin"
    password  = "planted-in-the-file"
  }
}

queue "q" {
  topic              = "secret.q"
  partitions         = 1
  replication_factor = 1
}
`, c.SASL()[0], brokers.AdminPassword))
	with := func(args ...string) []string {
		return append(args, "--cluster", "real", "--verbose", "--var", "flag=planted-by-flag")
	}
	var said strings.Builder
	said.WriteString(u.run(0, "validate", "--cluster", "real", "--var", "flag=planted-by-flag"))
	said.WriteString(u.run(0, with("plan", "--out", "plan.json")...))
	said.WriteString(u.run(0, with("apply", "plan.json")...))
	u.replace("secret.hcl", "partitions         = 1", "partitions         = 2")
	said.WriteString(u.run(0, with("apply", "--auto-approve")...))
	said.WriteString(u.run(0, with("history")...))
	said.WriteString(u.run(0, with("history", "--format", "json")...))
	said.WriteString(u.run(0, with("unlock")...))
	u.replace("secret.hcl", brokers.AdminPassword, "planted-and-wrong")
	said.WriteString(u.run(1, with("apply", "--auto-approve", "--timeout", "8s")...))
	saved, err := os.ReadFile(filepath.Join(u.dir, "plan.json"))
	if err != nil {
		t.Fatal(err)
	}
	for place, text := range map[string]string{"what was printed": said.String(), "the plan file": string(saved), "the ledger": u.consumed("__queueform")} {
		if text == "" {
			t.Errorf("%s is empty", place)
		}
		for _, secret := range []string{brokers.AdminPassword, "planted-by-environment", "planted-by-flag", "planted-in-the-file", "planted-and-wrong"} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(text, form) {
					t.Errorf("%s has %s", place, secret)
				}
			}
		}
	}
}

// consumed is all that a topic of one partition holds.
func (u *user) consumed(topic string) string {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.kafka.Bootstrap()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		u.Fatal(err)
	}
	defer client.Close()
	var text strings.Builder
	for end := int64(1); end > 0; {
		fetches := client.PollFetches(u.Context())
		if err := fetches.Err(); err != nil {
			u.Fatal(err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				text.Write(r.Value)
				if end = p.HighWatermark - r.Offset - 1; end == 0 {
					return
				}
			}
		})
	}
	return text.String()
}
