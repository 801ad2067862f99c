package e2e_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// TestThrottlesOfOthers has a cluster of its own: what brokers are slowed to
// stops the moves of others.
func TestThrottlesOfOthers(t *testing.T) {
	c := brokers.Own(t, brokers.Options{})
	t.Run("a rate that somebody sets meanwhile", func(t *testing.T) { rateOfOthers(newUser(t, c)) })
	t.Run("the ledger is lost", func(t *testing.T) { ledgerIsLost(newUser(t, c)) })
}

// moving begins an apply that moves some 20 MB to each of two brokers at 2 MiB
// a second, and returns once they are slowed.
func moving(u *user, name string) *running {
	u.Helper()
	u.write("move.hcl", strings.ReplaceAll(`topology "NAME" {}

queue "orders" {
  topic              = "NAME.orders"
  partitions         = 1
  replication_factor = 1
}
`, "NAME", name))
	u.run(0, "apply", "--auto-approve")
	produce(u, name+".orders", 40_000)()
	u.replace("move.hcl", "replication_factor = 1", "replication_factor = 3")
	apply := u.begin("Plan: ", "apply", "--auto-approve", "--throttle", "2MiB")
	admin := kadm.NewClient(u.client())
	var orders kadm.TopicsSet
	orders.Add(name+".orders", 0)
	u.await("replicas move", func() bool {
		going, err := admin.ListPartitionReassignments(u.Context(), orders)
		must(u.T, err)
		return len(going) > 0
	})
	return apply
}

// throttled are the configs that slow replicas, of a topic and of all brokers.
func throttled(u *user, topic string) []string {
	u.Helper()
	admin := kadm.NewClient(u.client())
	onBrokers, err := admin.DescribeBrokerConfigs(u.Context(), 1, 2, 3)
	must(u.T, err)
	onTopics, err := admin.DescribeTopicConfigs(u.Context(), topic)
	must(u.T, err)
	var all []string
	for _, r := range append(onBrokers, onTopics...) {
		for _, c := range r.Configs {
			if throttles(kadm.ResourceConfig{Configs: []kadm.Config{c}}) {
				all = append(all, r.Name+" "+c.Key+" "+c.MaybeValue())
			}
		}
	}
	return all
}

func deleted(keys ...string) []kadm.AlterConfig {
	var all []kadm.AlterConfig
	for _, key := range keys {
		all = append(all, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: key})
	}
	return all
}

// A rate that somebody sets while replicas move is not taken away with ours.
func rateOfOthers(u *user) {
	const rate = "follower.replication.throttled.rate"
	apply := moving(u, "rates")
	admin := kadm.NewClient(u.client())
	_, err := admin.AlterBrokerConfigs(u.Context(), []kadm.AlterConfig{{Name: rate, Value: new("123456789")}}, 2)
	must(u.T, err)
	code, out := apply.end()
	if code != 0 {
		u.Errorf("exit code %d", code)
	}
	u.has(out, "somebody else has set broker 2: "+rate+" = 123456789, which stays")
	u.await("that rate alone is left", func() bool {
		left := throttled(u, "rates.orders")
		return len(left) == 1 && left[0] == "2 "+rate+" 123456789"
	})
	_, err = admin.AlterBrokerConfigs(u.Context(), deleted(rate), 2)
	must(u.T, err)
	u.settled()
}

// Where the ledger is lost, nobody promises what cannot be kept: the throttle is
// shown, and taken away by hand.
func ledgerIsLost(u *user) {
	apply := moving(u, "lost")
	admin := kadm.NewClient(u.client())
	_, err := admin.DeleteTopics(u.Context(), "__queueform")
	must(u.T, err)
	code, out := apply.end()
	if code != 1 {
		u.Errorf("exit code %d", code)
	}
	u.has(out, "The replication throttle stays: the ledger, which knew of it, is lost")
	u.has(u.run(0, "plan"), "Throttled, and the ledger does not tell by whom", "topic lost.orders  leader.replication.throttled.replicas = ", "broker 1  follower.replication.throttled.rate = 2097152")
	u.run(0, "apply", "--auto-approve")
	u.has(u.run(0, "plan"), "topic lost.orders  leader.replication.throttled.replicas = ")
	_, err = admin.AlterTopicConfigs(u.Context(), deleted("leader.replication.throttled.replicas", "follower.replication.throttled.replicas"), "lost.orders")
	must(u.T, err)
	for broker := range int32(brokers.Size) {
		_, err = admin.AlterBrokerConfigs(u.Context(), deleted("leader.replication.throttled.rate", "follower.replication.throttled.rate"), broker+1)
		must(u.T, err)
	}
	unthrottled(u, "lost.orders")
	if out := u.run(0, "plan"); strings.Contains(out, "Throttled") {
		u.Error("what is gone is shown")
	}
}

// What is inherited where the brokers set nothing is known: an override that
// equals it goes without a hazard.
func TestInheritedRetention(t *testing.T) {
	everywhere(t, func(u *user) {
		u.write("q.hcl", `topology "inherits" {}

queue "orders" {
  topic      = "inherits.orders"
  partitions = 1
  config = {
    "retention.ms" = "7d"
    "segment.ms"   = "7d"
  }
}
`)
		u.run(0, "apply", "--auto-approve")
		u.write("q.hcl", `topology "inherits" {}

queue "orders" {
  topic      = "inherits.orders"
  partitions = 1
}
`)
		out := u.run(0, "plan")
		u.has(out, "7d -> 7d (inherited)")
		if strings.Contains(out, "QF102") {
			t.Error("it is taken for shorter")
		}
	})
}
