package brokers_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

func TestMain(m *testing.M) { brokers.Main(m) }

// What other tests rely on: a replicated topic outlives a broker's stop and a
// broker's crash, and Kafka's own tools see it.
func TestBrokersComeAndGo(t *testing.T) {
	for _, version := range []string{brokers.Newest, brokers.Oldest} {
		t.Run(version, func(t *testing.T) {
			c := brokers.Shared(t, version)
			client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := kadm.NewClient(client).CreateTopic(t.Context(), 3, 3, nil, "harness"); err != nil {
				t.Fatal(err)
			}
			inSync(t, c, "1", "2", "3")

			must(t, c.Stop(t.Context(), 2))
			must(t, c.Await(t.Context()))
			inSync(t, c, "1", "3")
			must(t, c.Restart(t.Context(), 2))

			must(t, c.Kill(3))
			must(t, c.Await(t.Context()))
			inSync(t, c, "1", "2")
			must(t, c.Restart(t.Context(), 3))
			inSync(t, c, "1", "2", "3")
		})
	}
}

var isr = regexp.MustCompile(`\tIsr: ([0-9,]*)`)

// inSync asks Kafka's own tool until exactly those replicas of each of the
// topic's three partitions are in sync.
func inSync(t *testing.T, c *brokers.Cluster, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		out, err := c.Tool(ctx, "TopicCommand", "--describe", "--topic", "harness")
		if err != nil {
			t.Fatal(err)
		}
		partitions := isr.FindAllStringSubmatch(out, -1)
		if len(partitions) == 3 && !slices.ContainsFunc(partitions, func(match []string) bool {
			return !slices.Equal(slices.Sorted(strings.SplitSeq(match[1], ",")), want)
		}) {
			return
		}
		t.Logf("not yet in sync on %v:\n%s", want, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The administrator that the storage was formatted with can log in.
func TestAdministratorLogsIn(t *testing.T) {
	c := brokers.Shared(t, brokers.Newest)
	admin := scram.Auth{User: brokers.AdminName, Pass: brokers.AdminPassword}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.SASL()...), kgo.SASL(admin.AsSha512Mechanism()))
	must(t, err)
	defer client.Close()
	meta, err := kadm.NewClient(client).BrokerMetadata(t.Context())
	must(t, err)
	if meta.Cluster != c.ID {
		t.Errorf("cluster id is %s, want %s", meta.Cluster, c.ID)
	}
	for _, b := range meta.Brokers {
		if want := string('a' + b.NodeID - 1); b.Rack == nil || *b.Rack != want {
			t.Errorf("broker %d is in rack %v, want %s", b.NodeID, b.Rack, want)
		}
	}
}

// A broker that cannot start says why.
func TestBrokenBrokerShowsItsLog(t *testing.T) {
	_, err := brokers.Start(t.Context(), brokers.Options{Properties: map[string]string{"num.partitions": "many"}})
	if err == nil || !strings.Contains(err.Error(), "ended by itself") || !strings.Contains(err.Error(), "Invalid value many") {
		t.Errorf("the error is: %v", err)
	}
}
