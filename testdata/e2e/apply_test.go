package e2e_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// everywhere runs a test on the newest and the oldest Kafka.
func everywhere(t *testing.T, test func(*user)) {
	t.Helper()
	for _, version := range []string{brokers.Newest, brokers.Oldest} {
		t.Run(version, func(t *testing.T) { test(newUser(t, brokers.Shared(t, version))) })
	}
}

const forty = `
topology "life" {}

queue "jobs" {
  for_each           = toset([for n in range(38) : format("%02d", n)])
  topic              = "life.jobs.${each.key}"
  partitions         = 3
  replication_factor = 1
  config = {
    "retention.ms"   = "7d"
    "cleanup.policy" = ["compact", "delete"]
  }
}

queue "orders" {
  topic              = "life.orders"
  partitions         = 6
  replication_factor = 1
  config = {
    "segment.bytes" = "1MiB"
  }
}

queue "defaults" {
  topic = "life.defaults"
}
`

// TestLifeOfTopology takes forty queues from nothing through every kind of
// change. After each the next plan is empty, and Kafka's own tool agrees.
func TestLifeOfTopology(t *testing.T) {
	everywhere(t, func(u *user) {
		u.write("life.hcl", forty)
		u.has(u.run(2, "plan", "--detailed-exitcode"), "40 to create, 0 to update, 0 to delete")
		u.run(0, "apply", "--auto-approve")
		u.settled()
		all := u.topics(`life\..*`)
		if len(all) != 40 {
			u.Fatalf("%d topics", len(all))
		}
		wants(u, all["life.jobs.07"], topic{Partitions: 3, Factor: 1, Configs: map[string]string{"retention.ms": "604800000", "cleanup.policy": "compact,delete"}})
		wants(u, all["life.defaults"], topic{Partitions: 1, Factor: 3, Configs: map[string]string{}})

		for _, chapter := range []func(*user){configsChange, partitionsRise, replicasMove, racksHold, queueGoes} {
			chapter(u)
		}
	})
}

// wants compares what there is, but for the places of replicas.
func wants(u *user, got, want topic) {
	u.Helper()
	got.Replicas = nil
	delete(got.Configs, "min.insync.replicas") // 4.4 tells the inherited one
	if diff := cmp.Diff(want, got); diff != "" {
		u.Error(diff)
	}
}

func configsChange(u *user) {
	u.replace("life.hcl", `"retention.ms"   = "7d"`, `"retention.ms"   = "14d"`)
	u.has(u.run(0, "plan"), "7d -> 14d", "0 to create, 38 to update, 0 to delete", "+ 37 like it")
	u.run(0, "apply", "--auto-approve")
	u.settled()
	u.replace("life.hcl", `"cleanup.policy" = ["compact", "delete"]`, ``)
	blocked := u.run(3, "apply", "--auto-approve")
	u.has(blocked, "QF103", `--allow 'QF103:queue.jobs["00"]'`)
	u.has(u.run(0, "apply", "--auto-approve", "--allow", "QF103:queue.jobs"), "compact,delete -> delete (inherited)")
	u.settled()
	wants(u, u.topics(`life\.jobs\.11`)["life.jobs.11"], topic{Partitions: 3, Factor: 1, Configs: map[string]string{"retention.ms": "1209600000"}})
}

func partitionsRise(u *user) {
	u.replace("life.hcl", `partitions         = 3`, `partitions         = 5`)
	u.has(u.run(0, "apply", "--auto-approve"), "partitions  3 -> 5")
	u.settled()
	wants(u, u.topics(`life\.jobs\.37`)["life.jobs.37"], topic{Partitions: 5, Factor: 1, Configs: map[string]string{"retention.ms": "1209600000"}})
	u.replace("life.hcl", `partitions         = 5`, `partitions         = 4`)
	u.has(u.run(1, "plan"), "has 5 partitions", "asks for 4", "life.hcl:")
	u.replace("life.hcl", `partitions         = 4`, `partitions         = 5`)
}

// replicasMove raises and lowers the replication factor while messages flow.
func replicasMove(u *user) {
	flow := produce(u, "life.orders", 30_000)
	u.replace("life.hcl", "partitions         = 6\n  replication_factor = 1", "partitions         = 6\n  replication_factor = 3")
	u.has(u.run(0, "plan"), "QF306", "replication_factor  1 -> 3", "least ")
	u.has(u.run(0, "apply", "--auto-approve", "--throttle", "8MiB"), "move replicas: 6 of 6 partitions", "(100%)", "limit 8.0 MiB/s")
	u.settled()
	wants(u, u.topics(`life\.orders`)["life.orders"], topic{Partitions: 6, Factor: 3, Configs: map[string]string{"segment.bytes": "1048576"}})
	unthrottled(u, "life.orders")
	u.replace("life.hcl", "partitions         = 6\n  replication_factor = 3", "partitions         = 6\n  replication_factor = 2")
	u.has(u.run(0, "apply", "--auto-approve"), "QF301")
	u.settled()
	wants(u, u.topics(`life\.orders`)["life.orders"], topic{Partitions: 6, Factor: 2, Configs: map[string]string{"segment.bytes": "1048576"}})
	unthrottled(u, "life.orders")
	sent := flow()
	if got := count(u, "life.orders"); got != sent {
		u.Errorf("%d messages were sent, and %d are there", sent, got)
	}
}

// racksHold places the queue over two racks alone, and then over two others:
// by chance its replicas may be in the first two already.
func racksHold(u *user) {
	u.replace("life.hcl", "partitions         = 6\n  replication_factor = 2", "partitions         = 6\n  replication_factor = 2\n  placement {\n    racks = [\"a\", \"b\"]\n  }")
	u.run(0, "apply", "--auto-approve")
	u.replace("life.hcl", `racks = ["a", "b"]`, `racks = ["a", "c"]`)
	u.has(u.run(0, "apply", "--auto-approve"), "placement", "(100%)")
	u.settled()
	for _, replicas := range u.topics(`life\.orders`)["life.orders"].Replicas {
		if diff := cmp.Diff([]int{1, 3}, sorted(replicas)); diff != "" {
			u.Error(diff)
		}
	}
	unthrottled(u, "life.orders")
}

func queueGoes(u *user) {
	u.replace("life.hcl", "queue \"defaults\" {\n  topic = \"life.defaults\"\n}", "delete \"queue\" \"life.defaults\" {}")
	produce(u, "life.defaults", 10)() // an empty one would go without a word
	u.run(3, "apply", "--auto-approve")
	u.run(0, "apply", "--auto-approve", "--allow", `QF101:delete.queue["life.defaults"]`)
	u.settled()
	if all := u.topics(`life\..*`); len(all) != 39 {
		u.Errorf("%d topics", len(all))
	}
}

// unthrottled wants no throttle on any broker, nor on the topic, as soon as all
// brokers know.
func unthrottled(u *user, topic string) {
	u.Helper()
	admin := kadm.NewClient(u.client())
	u.await("no throttle is left on "+topic, func() bool {
		onBrokers, err := admin.DescribeBrokerConfigs(u.Context(), 1, 2, 3)
		must(u.T, err)
		onTopics, err := admin.DescribeTopicConfigs(u.Context(), topic)
		must(u.T, err)
		return !slices.ContainsFunc(append(onBrokers, onTopics...), throttles)
	})
}

// throttles says whether anything is throttled by what is set on it.
func throttles(r kadm.ResourceConfig) bool {
	return slices.ContainsFunc(r.Configs, func(c kadm.Config) bool {
		dynamic := c.Source == kmsg.ConfigSourceDynamicTopicConfig || c.Source == kmsg.ConfigSourceDynamicBrokerConfig
		return dynamic && strings.Contains(c.Key, "throttled")
	})
}

// produce sends as many messages as are wanted at once, and goes on with a
// thousand a second until the returned function is called, which tells how
// many were acknowledged.
func produce(u *user, topic string, atOnce int) func() int64 {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.kafka.Bootstrap()...), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		u.Fatal(err)
	}
	random := make([]byte, 500)
	_, _ = rand.Read(random) // never fails
	var acknowledged atomic.Int64
	send := func(n int) {
		client.Produce(context.Background(), &kgo.Record{Key: fmt.Append(nil, n), Value: random}, func(_ *kgo.Record, err error) {
			if err != nil {
				u.Error(err)
				return
			}
			acknowledged.Add(1)
		})
	}
	for n := range atOnce {
		send(n)
	}
	flush := func() {
		if err := client.Flush(u.Context()); err != nil {
			u.Error(err)
		}
	}
	flush()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := atOnce; ; n++ {
			select {
			case <-tick.C:
				send(n)
			case <-stop:
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		flush()
		client.Close()
		return acknowledged.Load()
	}
}

// count is how many messages a topic holds.
func count(u *user, topic string) int64 {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.kafka.Bootstrap()...))
	if err != nil {
		u.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	begin, err := admin.ListStartOffsets(u.Context(), topic)
	if err != nil {
		u.Fatal(err)
	}
	end, err := admin.ListEndOffsets(u.Context(), topic)
	if err != nil {
		u.Fatal(err)
	}
	if err := errors.Join(begin.Error(), end.Error()); err != nil {
		u.Fatal(err)
	}
	var sum int64
	end.Each(func(o kadm.ListedOffset) {
		first, _ := begin.Lookup(o.Topic, o.Partition)
		sum += o.Offset - first.Offset
	})
	return sum
}
