package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const seeded = `
topology "seeded" {}

queue "orders" {
  topic              = "seeded.orders"
  partitions         = 2
  replication_factor = 1
}

consumer_group "first" {
  group_id = "seeded.first"
  queues   = [queue.orders]
  protocol = "classic"
  start    = "earliest"
}

consumer_group "last" {
  group_id = "seeded.last"
  queues   = [queue.orders]
  protocol = "classic"
  start    = "latest"
}

consumer_group "since" {
  group_id = "seeded.since"
  queues   = [queue.orders]
  protocol = "classic"
  start    = "SINCE"
}
`

// TestSeeding puts groups where they begin: at the first message, after the
// last, and at a time, once. New partitions lose no message of those that have
// no members, and are told of those that have.
func TestSeeding(t *testing.T) {
	everywhere(t, func(u *user) {
		c := newCluster(u)
		since := time.Now().Add(-30 * time.Minute).UTC().Truncate(time.Millisecond)
		text := strings.ReplaceAll(seeded, "SINCE", since.Format(time.RFC3339Nano))
		queueOnly, _, _ := strings.Cut(text, "consumer_group")
		u.write("seeded.hcl", queueOnly)
		u.run(0, "apply", "--auto-approve")
		c.send("seeded.orders", 0, 4, 10, time.Hour)
		c.send("seeded.orders", 1, 6, 10, time.Hour)
		c.send("seeded.orders", 0, 3, 10, time.Minute)

		u.write("seeded.hcl", text)
		u.has(u.run(0, "apply", "--auto-approve"), "start.seeded.orders  earliest", "start.seeded.orders  latest", since.Format(time.RFC3339Nano))
		c.committed("seeded.first", 0, 0)
		c.committed("seeded.last", 7, 6)
		c.committed("seeded.since", 4, 6)
		if read := c.reads("seeded.since", 3); len(read) != 3 {
			t.Errorf("since a time, it read %v", read)
		}

		u.settled()
		c.committed("seeded.since", 7, 6) // what was read stays read
		u.run(0, "apply", "--auto-approve")
		c.committed("seeded.since", 7, 6)

		u.replace("seeded.hcl", "partitions         = 2", "partitions         = 3")
		u.has(u.run(0, "apply", "--auto-approve"), "earliest in 1 new partition")
		c.committed("seeded.last", 7, 6, 0)
		newCluster(u).send("seeded.orders", 2, 5, 10, 0) // the other knows two partitions
		if read := c.reads("seeded.last", 5); len(read) != 5 {
			t.Errorf("of the new partition it read %v", read)
		}

		c.forgets("seeded.first")
		u.has(u.run(2, "plan", "--detailed-exitcode"), "where it was put before")
		u.run(0, "apply", "--auto-approve")
		c.committed("seeded.first", 0, 0, 0)
		c.forgets("seeded.last")
		u.has(u.run(0, "plan", "--detailed-exitcode"), `The offsets of "seeded.last" have expired`)

		leave := c.joins("seeded.since")
		u.replace("seeded.hcl", "partitions         = 3", "partitions         = 4")
		u.has(u.run(3, "plan"), "QF202 blocks", "seeded.since")
		u.write("seeded.hcl", strings.Replace(queueOnly, "partitions         = 2", "partitions         = 3", 1)+"\n"+`delete "consumer_group" "seeded.since" {}`)
		u.has(u.run(1, "plan"), "it has 1 member")
		leave()
		u.has(u.run(3, "plan"), "QF104", "unread by")
		u.run(0, "apply", "--auto-approve", "--allow", `QF104:delete.consumer_group["seeded.since"]`)
		u.settled()
		c.gone("seeded.since")
	})
}

// TestGroupProtocols tells what brokers know of a group, under each protocol, and
// what a cluster cannot do.
func TestGroupProtocols(t *testing.T) {
	const text = `
topology "told" {}

queue "orders" {
  topic              = "told.orders"
  partitions         = 1
  replication_factor = 1
  dead_letter        = queue.dead
}

queue "dead" {
  topic              = "dlq.told.orders"
  partitions         = 1
  replication_factor = 1
}

consumer_group "modern" {
  group_id = "told.modern"
  queues   = [queue.orders]
  protocol = "consumer"
  config = {
    "consumer.session.timeout.ms" = "50s"
  }
}

consumer_group "work" {
  group_id = "told.work"
  queues   = [queue.orders]
  protocol = "share"
  start    = "earliest"
}
`
	t.Run(brokers.Newest, func(t *testing.T) {
		u := newUser(t, brokers.Shared(t, brokers.Newest))
		u.write("told.hcl", text)
		u.run(0, "apply", "--auto-approve")
		u.settled()
		u.told("told.modern", map[string]string{"consumer.session.timeout.ms": "50000"})
		u.told("told.work", map[string]string{
			"share.auto.offset.reset": "earliest", "errors.deadletterqueue.topic.name": "dlq.told.orders", "errors.deadletterqueue.copy.record.enable": "true",
		})
		produce(u, "told.orders", 3)()
		u.replace("told.hcl", `"earliest"`, `"latest"`)
		u.has(u.run(3, "plan"), "share.auto.offset.reset  earliest -> latest", "QF106:consumer_group.work")
		u.replace("told.hcl", `"latest"`, `"earliest"`)
		u.replace("told.hcl", `protocol = "share"`, `protocol = "consumer"`) // nobody has shared yet
		u.replace("told.hcl", `"50s"`, `"55s"`)
		u.run(0, "apply", "--auto-approve")
		u.settled()
		u.told("told.modern", map[string]string{"consumer.session.timeout.ms": "55000"})
		u.told("told.work", map[string]string{})
		leave := newCluster(u).joins("told.modern")
		defer leave()
		u.has(u.run(0, "plan"), `The members of "told.modern" speak another protocol`)
		u.write("told.hcl", `topology "told" {}`)
		u.run(0, "apply", "--auto-approve")
		u.told("told.modern", map[string]string{})
	})
	t.Run(brokers.Oldest, func(t *testing.T) {
		u := newUser(t, brokers.Shared(t, brokers.Oldest))
		u.write("told.hcl", text)
		u.has(u.run(1, "plan"), `No protocol "consumer" on this cluster`, "It needs Kafka 4.0", `No protocol "share" on this cluster`, "It needs Kafka 4.2")
	})
}

// committed wants the group to have committed these offsets, by partition.
func (c *cluster) committed(group string, want ...int64) {
	c.Helper()
	fetched, err := c.admin.FetchOffsets(c.Context(), group)
	if err != nil {
		c.Fatal(err)
	}
	got := map[int32]int64{}
	fetched.Each(func(o kadm.OffsetResponse) { got[o.Partition] = o.At })
	wants := map[int32]int64{}
	for partition, at := range want {
		wants[int32(partition)] = at
	}
	if diff := cmp.Diff(wants, got); diff != "" {
		c.Errorf("%s has committed (-want +got):\n%s", group, diff)
	}
}

// member joins a group of the topic as an application would that begins after
// the last message wherever it finds no offset.
func (c *cluster) member(group string) *kgo.Client {
	c.Helper()
	member, err := kgo.NewClient(kgo.SeedBrokers(c.servers...), kgo.ConsumerGroup(group), kgo.ConsumeTopics("seeded.orders", "told.orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.DisableAutoCommit())
	if err != nil {
		c.Fatal(err)
	}
	return member
}

// reads reads as a member until it has so many messages, and commits them.
func (c *cluster) reads(group string, count int) (read []string) {
	c.Helper()
	member := c.member(group)
	defer member.Close()
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	for len(read) < count {
		fetches := member.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			c.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { read = append(read, fmt.Sprintf("%d@%d", r.Offset, r.Partition)) })
	}
	if err := member.CommitUncommittedOffsets(ctx); err != nil {
		c.Fatal(err)
	}
	return read
}

// joins becomes a member, until the function that it returns is called.
func (c *cluster) joins(group string) (leave func()) {
	c.Helper()
	member := c.member(group)
	ctx, cancel := context.WithCancel(c.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			member.PollFetches(ctx)
		}
	}()
	c.await(group+" has a member", func() bool {
		described, err := c.admin.DescribeGroups(c.Context(), group)
		return err == nil && described[group].State == "Stable"
	})
	return func() {
		cancel()
		<-done
		member.Close()
	}
}

// forgets takes away what a group has committed, as time does.
func (c *cluster) forgets(group string) {
	c.Helper()
	partitions := kadm.TopicsSet{}
	partitions.Add("seeded.orders", 0, 1, 2)
	if _, err := c.admin.DeleteOffsets(c.Context(), group, partitions); err != nil {
		c.Fatal(err)
	}
}

// gone wants no such group.
func (c *cluster) gone(group string) {
	c.Helper()
	listed, err := c.admin.ListGroups(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	if _, there := listed[group]; there {
		c.Errorf("%s is still there", group)
	}
}

// told wants the brokers to have been told this of a group, and nothing else.
func (u *user) told(group string, want map[string]string) {
	u.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: group}}
	resp, err := req.RequestWith(u.Context(), u.client())
	if err != nil {
		u.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range resp.Resources[0].Configs {
		if c.Source == kmsg.ConfigSourceGroupConfig {
			got[c.Name] = *c.Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		u.Errorf("%s (-want +got):\n%s", group, diff)
	}
}
