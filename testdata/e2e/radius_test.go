package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const endangered = `
topology "radius" {}

queue "aged" {
  topic      = "radius.aged"
  partitions = 2
  config = {
    "retention.ms" = "7d"
    "segment.ms"   = "30m"
  }
}

queue "coarse" {
  topic      = "radius.coarse"
  partitions = 1
  config = {
    "retention.ms" = "7d"
  }
}

queue "large" {
  topic      = "radius.large"
  partitions = 2
  config = {
    "retention.bytes" = "1GiB"
    "segment.bytes"   = "1MiB"
  }
}

queue "latest" {
  topic      = "radius.latest"
  partitions = 1
  config = {
    "cleanup.policy"            = "delete"
    "min.cleanable.dirty.ratio" = "0"
    "segment.ms"                = "30m"
  }
}

queue "gone" {
  topic      = "radius.gone"
  partitions = 2
}

queue "heavy" {
  topic              = "radius.heavy"
  partitions         = 1
  replication_factor = 3
  load {
    messages_per_second = 1000000
    message_bytes       = "1MiB"
  }
}
`

// TestBlastRadius holds the numbers that a plan shows against what has really
// gone once it was applied: never less, and exact where segments allow.
func TestBlastRadius(t *testing.T) {
	for _, version := range []string{brokers.Newest, brokers.Oldest} {
		t.Run(version, func(t *testing.T) {
			u := newUser(t, brokers.Own(t, brokers.Options{Version: version, Properties: map[string]string{
				"log.retention.check.interval.ms": "500", "log.initial.task.delay.ms": "500", "log.cleaner.backoff.ms": "500",
			}}))
			u.write("radius.hcl", endangered)
			u.has(u.run(0, "apply", "--auto-approve"), "QF501 warns: the declared load may not fit: 1.7 EiB on disk at the", "retention, of ")
			blastRadius(u, newCluster(u))
		})
	}
}

// blastRadius fills the queues, endangers them, and compares.
func blastRadius(u *user, l *cluster) {
	for age := 20; age >= 1; age-- { // a segment an hour, the newest an hour and a half old
		l.send("radius.aged", 0, 50, 100, time.Duration(age)*time.Hour+30*time.Minute)
		l.send("radius.coarse", 0, 50, 100, time.Duration(age)*time.Hour+30*time.Minute)
		l.send("radius.latest", 0, 10, 100, time.Duration(age)*time.Hour)
	}
	l.send("radius.aged", 1, 70, 100, time.Hour)
	l.send("radius.large", 0, 10_000, 1000, 0)
	l.send("radius.large", 1, 2000, 1000, 0)
	l.send("radius.gone", 0, 30, 100, 0)
	l.send("radius.gone", 1, 40, 100, 0)
	l.commit("billing", "radius.aged", 100, 0)
	l.commit("audit", "radius.aged", 1000, 70)
	l.commit("billing", "radius.large", 9999, 0)
	l.commit("billing", "radius.latest", 150)
	l.commit("billing", "radius.gone", 10, 40)
	l.commit("audit", "radius.gone", 30, 40)
	gone := []group{{"billing", 20}, {"audit", 0}}
	if u.kafka.Version == brokers.Newest { // share groups can be placed
		l.share("workers", "radius.gone", 20, 15)
		gone = slices.Insert(gone, 0, group{"workers", 35})
	}
	before := l.sizes()

	u.replace("radius.hcl", `"retention.ms" = "7d"`, `"retention.ms" = "10h"`)
	u.replace("radius.hcl", `"retention.bytes" = "1GiB"`, `"retention.bytes" = "3MiB"`)
	u.replace("radius.hcl", `"cleanup.policy"            = "delete"`, `"cleanup.policy"            = "compact"`)
	u.replace("radius.hcl", "queue \"gone\" {\n  topic      = \"radius.gone\"\n  partitions = 2\n}", `delete "queue" "radius.gone" {}`)
	shown := u.radii(3)
	l.blind(func() bool {
		out, _ := u.command("plan", "--format", "json").Output()
		return strings.Count(string(out), `"bytes": null`) == 5 && strings.Count(string(out), `"groups": null`) == 5 &&
			strings.Count(string(out), `"why": "not permitted, Describe on Cluster is missing"`) == 5
	})
	u.run(0, "apply", "--auto-approve", "--allow", `QF102:queue.aged,QF102:queue.coarse,QF102:queue.large,QF103:queue.latest,QF101:delete.queue["radius.gone"]`)

	exact := func(topic string, messages, bytes int64, groups ...group) {
		u.Helper()
		if diff := cmp.Diff(radius{Messages: messages, Bytes: bytes, Groups: append([]group{}, groups...)}, shown[topic]); diff != "" {
			u.Errorf("%s: %s", topic, diff)
		}
	}
	exact("radius.aged", 550, before["radius.aged"][0], group{"billing", 450}) // older than ten hours
	exact("radius.coarse", 550, before["radius.coarse"][0])
	exact("radius.large", 10_000, before["radius.large"][0]-3<<20, group{"billing", 1})
	exact("radius.latest", 200, before["radius.latest"][0], group{"billing", 50})
	exact("radius.gone", 70, before["radius.gone"][0]+before["radius.gone"][1], gone...)

	l.await("aged goes hour by hour", func() bool { return l.start("radius.aged", 0) >= 550 })
	l.await("large goes down to its limit", func() bool { return l.sizes()["radius.large"][0] < 4<<20+64<<10 })
	l.await("latest is compacted", func() bool { return l.count("radius.latest") <= 20 })
	after := l.sizes()
	for topic, gone := range map[string]int64{
		"radius.aged": l.start("radius.aged", 0) + l.start("radius.aged", 1), "radius.coarse": l.start("radius.coarse", 0),
		"radius.large": l.start("radius.large", 0) + l.start("radius.large", 1), "radius.latest": 200 - l.count("radius.latest"),
	} {
		bytes := before[topic][0] + before[topic][1] - after[topic][0] - after[topic][1]
		u.Logf("%s: %d messages and %d bytes have gone, shown were %d and %d", topic, gone, bytes, shown[topic].Messages, shown[topic].Bytes)
		if shown[topic].Messages < gone || shown[topic].Bytes < bytes {
			u.Errorf("%s: shown was less", topic)
		}
	}
	if gone := l.start("radius.aged", 0); gone != 550 {
		u.Errorf("%d messages of radius.aged have gone: its segments are not as this test takes them to be", gone)
	}
}

// radius is what a plan shows; null is -1.
type radius struct {
	Messages int64   `json:"messages"`
	Bytes    int64   `json:"bytes"`
	Groups   []group `json:"groups"`
}

type group struct {
	Group  string `json:"group"`
	Unread int64  `json:"unread"`
}

// radii are those of the blocking hazards of a plan, by topic.
func (u *user) radii(code int) map[string]radius {
	u.Helper()
	u.run(code, "plan") // as people see it
	out, err := u.command("plan", "--format", "json").Output()
	if len(out) == 0 {
		u.Fatal(err)
	}
	var document struct {
		Changes []struct {
			Name    string
			Hazards []struct {
				Severity string
				Radius   radius `json:"blast_radius"`
			}
		}
	}
	if err := json.Unmarshal(out, &document); err != nil {
		u.Fatal(err)
	}
	all := map[string]radius{}
	for _, c := range document.Changes {
		for _, h := range c.Hazards {
			if h.Severity == "blocks" {
				all[c.Name] = h.Radius
			}
		}
	}
	return all
}

// cluster is what a test does to topics beside queueform, and sees of them.
type cluster struct {
	*user
	client *kgo.Client
	admin  *kadm.Client
}

func newCluster(u *user) *cluster {
	u.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(u.kafka.Bootstrap()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(16<<10))
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(client.Close)
	return &cluster{user: u, client: client, admin: kadm.NewClient(client)}
}

// send sends messages with the keys 0 to count-1, all of one age.
func (c *cluster) send(topic string, partition int32, count, size int, age time.Duration) {
	c.Helper()
	value := make([]byte, size)
	_, _ = rand.Read(value) // never fails
	var all []*kgo.Record
	for i := range count {
		all = append(all, &kgo.Record{Topic: topic, Partition: partition, Key: fmt.Append(nil, i), Value: value, Timestamp: time.Now().Add(-age)})
	}
	if err := c.client.ProduceSync(c.Context(), all...).FirstErr(); err != nil {
		c.Fatal(err)
	}
}

// commit commits an offset for each partition.
func (c *cluster) commit(group, topic string, offsets ...int64) {
	c.Helper()
	all := kadm.Offsets{}
	for partition, offset := range offsets {
		all.AddOffset(topic, int32(partition), offset, -1)
	}
	if err := c.admin.CommitAllOffsets(c.Context(), group, all); err != nil {
		c.Fatal(err)
	}
}

// share places a share group in each partition.
func (c *cluster) share(group, topic string, offsets ...int64) {
	c.Helper()
	all := kadm.Offsets{}
	for partition, offset := range offsets {
		all.AddOffset(topic, int32(partition), offset, -1)
	}
	placed, err := c.admin.AlterShareGroupOffsets(c.Context(), group, all)
	if err = errors.Join(err, placed.Error()); err != nil {
		c.Fatal(err)
	}
}

// blind waits for what somebody sees who may describe and alter topics, and may
// not describe the cluster: brokers learn of it one by one.
func (c *cluster) blind(sees func() bool) {
	c.Helper()
	set, err := c.admin.AlterUserSCRAMs(c.Context(), nil, []kadm.UpsertSCRAM{{User: "blind", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "blind-secret"}})
	if err = errors.Join(err, set.Error()); err != nil {
		c.Fatal(err)
	}
	if _, err := c.admin.CreateACLs(c.Context(), kadm.NewACLs().Clusters().Deny("User:blind").DenyHosts("*").Operations(kadm.OpDescribe)); err != nil {
		c.Fatal(err)
	}
	c.env = []string{
		"QUEUEFORM_BOOTSTRAP_SERVERS=" + c.kafka.SASL()[0], "QUEUEFORM_SASL_MECHANISM=SCRAM-SHA-256",
		"QUEUEFORM_SASL_USERNAME=blind", "QUEUEFORM_SASL_PASSWORD=blind-secret",
	}
	c.await("readers and bytes are unknown", sees)
	c.env = nil
}

// start is the first offset of a partition.
func (c *cluster) start(topic string, partition int32) int64 {
	c.Helper()
	offsets, err := c.admin.ListStartOffsets(c.Context(), topic)
	if err != nil {
		c.Fatal(err)
	}
	o, _ := offsets.Lookup(topic, partition)
	return o.Offset
}

// sizes are the bytes of the largest replica, by topic and partition.
func (c *cluster) sizes() map[string]map[int32]int64 {
	c.Helper()
	brokers, err := c.admin.DescribeAllLogDirs(c.Context(), nil)
	if err != nil {
		c.Fatal(err)
	}
	all := map[string]map[int32]int64{}
	for _, dirs := range brokers {
		dirs.EachPartition(func(p kadm.DescribedLogDirPartition) {
			if all[p.Topic] == nil {
				all[p.Topic] = map[int32]int64{}
			}
			all[p.Topic][p.Partition] = max(all[p.Topic][p.Partition], p.Size)
		})
	}
	return all
}

// count reads a topic of one partition to its end.
func (c *cluster) count(topic string) int64 {
	c.Helper()
	ends, err := c.admin.ListEndOffsets(c.Context(), topic)
	if err != nil {
		c.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.kafka.Bootstrap()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		c.Fatal(err)
	}
	defer client.Close()
	for read := int64(0); ; {
		fetches := client.PollFetches(c.Context())
		if err := fetches.Err(); err != nil {
			c.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			if read++; r.Offset == end.Offset-1 {
				return read
			}
		}
	}
}
