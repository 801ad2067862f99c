package devcluster_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply/devcluster"
	"github.com/queueform/queueform/plan"
)

func start(tb testing.TB, dir string) *devcluster.Cluster {
	tb.Helper()
	c, err := devcluster.Start(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func client(tb testing.TB, c *devcluster.Cluster, options ...kgo.Opt) *kgo.Client {
	tb.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(c.Bootstrap()...), kgo.RequestRetries(2), kgo.DisableClientMetrics())...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

func stop(tb testing.TB, c *devcluster.Cluster) {
	tb.Helper()
	if err := c.Close(); err != nil {
		tb.Fatal(err)
	}
}

// fill makes two topics, alters one, and writes into it.
func fill(t *testing.T, c *devcluster.Cluster) {
	t.Helper()
	writer := client(t, c)
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = []kmsg.CreateTopicsRequestTopic{
		{Topic: "orders", NumPartitions: 6, ReplicationFactor: 3, Configs: []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: new("86400000")}}},
		{Topic: "default", NumPartitions: -1, ReplicationFactor: -1},
	}
	if resp, err := create.RequestWith(t.Context(), writer); err != nil || resp.Topics[0].ErrorCode != 0 || resp.Topics[1].ErrorCode != 0 {
		t.Fatal(resp, err)
	}
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	alter.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "orders",
		Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "max.compaction.lag.ms", Value: new("7")}},
	}}
	if resp, err := alter.RequestWith(t.Context(), writer); err != nil || resp.Resources[0].ErrorCode != 0 {
		t.Fatal(resp, err)
	}
	if err := writer.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: []byte("one")}, &kgo.Record{Topic: "orders", Value: []byte("two")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// contents is all that a topic's users would miss.
type contents struct {
	Cluster string
	Topics  []topic
	Records []string
}

type topic struct {
	Name       string
	ID         [16]byte
	Partitions int
	Factor     int
	Overrides  map[string]string
}

func read(t *testing.T, c *devcluster.Cluster) contents {
	t.Helper()
	reader := client(t, c, kgo.ConsumeTopics("orders"), kgo.FetchMaxWait(time.Second))
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	all := contents{Cluster: *metadata.ClusterID}
	for _, m := range metadata.Topics {
		all.Topics = append(all.Topics, topic{*m.Topic, m.TopicID, len(m.Partitions), len(m.Partitions[0].Replicas), overrides(t, reader, *m.Topic)})
	}
	slices.SortFunc(all.Topics, func(a, b topic) int { return cmp.Compare(a.Name, b.Name) })
	for len(all.Records) < 2 {
		fetches := reader.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		for r := range fetches.RecordsAll() {
			all.Records = append(all.Records, string(r.Value))
		}
	}
	slices.Sort(all.Records)
	return all
}

func overrides(t *testing.T, client *kgo.Client, name string) map[string]string {
	t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name}}
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	for _, config := range resp.Resources[0].Configs {
		if config.Source == kmsg.ConfigSourceDynamicTopicConfig {
			set[config.Name] = *config.Value
		}
	}
	return set
}

// TestRestart keeps everything over a stop, and over a kill: the directory as
// it was at some moment.
func TestRestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".queueform")
	first := start(t, dir)
	fill(t, first)
	before := read(t, first)
	if n := len(before.Topics); n != 2 || before.Topics[0].Partitions != 1 || len(before.Topics[1].Overrides) != 2 || before.Topics[1].Factor != 3 {
		t.Fatalf("%+v", before)
	}
	killed := filepath.Join(t.TempDir(), "killed")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	stop(t, first)
	for name, dir := range map[string]string{"stopped": dir, "killed": killed} {
		again := start(t, dir)
		if diff := gocmp.Diff(before, read(t, again)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		stop(t, again)
	}
}

// TestRestartUnsaved keeps what kfake writes only at its own end.
func TestRestartUnsaved(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	alter := kmsg.NewPtrIncrementalAlterConfigsRequest()
	alter.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: "workers",
		Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "share.auto.offset.reset", Value: new("earliest")}},
	}}
	if resp, err := alter.RequestWith(t.Context(), client(t, first)); err != nil || resp.Resources[0].ErrorCode != 0 {
		t.Fatal(resp, err)
	}
	stop(t, first)
	describe := kmsg.NewPtrDescribeConfigsRequest()
	describe.Resources = []kmsg.DescribeConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: "workers", ConfigNames: []string{"share.auto.offset.reset"},
	}}
	for _, time := range []string{"second", "third"} {
		again := start(t, dir)
		resp, err := describe.RequestWith(t.Context(), client(t, again))
		if err != nil || len(resp.Resources[0].Configs) != 1 || resp.Resources[0].Configs[0].Value == nil || *resp.Resources[0].Configs[0].Value != "earliest" {
			t.Errorf("the %s time: %+v, %v", time, resp, err)
		}
		stop(t, again)
	}
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	_, err := devcluster.Start(dir)
	if err == nil || !strings.Contains(err.Error(), "is in use by another queueform") {
		t.Errorf("got %v", err)
	}
	stop(t, first)
	stop(t, start(t, dir))
}

// TestClosed checks that nothing answers after Close.
func TestClosed(t *testing.T) {
	c := start(t, t.TempDir())
	client := client(t, c)
	if err := client.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	if err := client.Ping(t.Context()); err == nil {
		t.Error("it still answers")
	}
}

func TestIgnoredByGit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", ".queueform")
	stop(t, start(t, dir))
	if content, err := os.ReadFile(filepath.Join(dir, ".gitignore")); err != nil || string(content) != "*\n" {
		t.Errorf("%q, %v", content, err)
	}
}

func TestUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	damaged := t.TempDir()
	stop(t, start(t, damaged))
	for _, path := range []string{file, filepath.Join(damaged, "cluster", "meta.json")} {
		if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{
		filepath.Join(file, ".queueform"): "the embedded cluster cannot keep its data: ",
		damaged:                           "the data of the embedded cluster in " + damaged + " cannot be used: ",
	} {
		if _, err := devcluster.Start(dir); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s...", err, want)
		}
	}
	if err := os.Remove(filepath.Join(damaged, "cluster", "meta.json")); err != nil {
		t.Fatal(err)
	}
	stop(t, start(t, damaged)) // a failed start keeps no lock
}

// TestLost takes the directory away from a running cluster.
func TestLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lost")
	c := start(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "cluster")); err != nil {
		t.Fatal(err)
	}
	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: "orders", NumPartitions: 1, ReplicationFactor: 1}}
	if _, err := create.RequestWith(t.Context(), client(t, c)); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err == nil || !strings.HasPrefix(err.Error(), "the embedded cluster could not keep its data: persist topics: ") {
		t.Errorf("got %v", err)
	}
}

// TestRefused checks that the brokers refuse what Refuses refuses.
func TestRefused(t *testing.T) {
	c := start(t, t.TempDir())
	defer stop(t, c)
	fill(t, c)
	admin := client(t, c)
	const moves, placement = "the embedded cluster moves no replicas", "the embedded cluster has one rack"

	reassign := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	reassign.Topics = []kmsg.AlterPartitionAssignmentsRequestTopic{{
		Topic: "orders", Partitions: []kmsg.AlterPartitionAssignmentsRequestTopicPartition{{Replicas: []int32{1}}},
	}}
	for range 2 { // each time
		moved, err := reassign.RequestWith(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, moved.Topics[0].Partitions[0].ErrorCode, moved.Topics[0].Partitions[0].ErrorMessage, moves)
	}

	create := kmsg.NewPtrCreateTopicsRequest()
	create.Topics = []kmsg.CreateTopicsRequestTopic{
		{Topic: "placed", NumPartitions: -1, ReplicationFactor: -1, ReplicaAssignment: []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: []int32{1}}}},
		{Topic: "beside", NumPartitions: 1, ReplicationFactor: 1},
	}
	created, err := create.RequestWith(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, created.Topics[0].ErrorCode, created.Topics[0].ErrorMessage, placement)
	refused(t, created.Topics[1].ErrorCode, created.Topics[1].ErrorMessage, "not done: another topic")

	add := kmsg.NewPtrCreatePartitionsRequest()
	add.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: "default", Count: 2, Assignment: []kmsg.CreatePartitionsRequestTopicAssignment{{Replicas: []int32{1}}}}}
	added, err := add.RequestWith(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, added.Topics[0].ErrorCode, added.Topics[0].ErrorMessage, placement)
	add.Topics[0].Assignment = nil
	if added, err = add.RequestWith(t.Context(), admin); err != nil || added.Topics[0].ErrorCode != 0 {
		t.Error(added, err)
	}
}

func refused(t *testing.T, code int16, message *string, want string) {
	t.Helper()
	if !errors.Is(kerr.ErrorForCode(code), kerr.PolicyViolation) || message == nil || !strings.HasPrefix(*message, want) {
		t.Errorf("%v %v, want %s", kerr.ErrorForCode(code), message, want)
	}
}

func TestRefuses(t *testing.T) {
	for _, test := range []struct {
		step plan.Step
		want string
	}{
		{&plan.Reassign{}, "moves"},
		{&plan.CreateTopic{Assign: [][]int32{{1}}}, "placement"},
		{&plan.CreateTopic{Partitions: 1}, ""},
		{&plan.AddPartitions{Assign: [][]int32{{1}}}, "placement"},
		{&plan.AddPartitions{Total: 2}, ""},
		{&plan.AlterConfigs{}, ""},
		{&plan.DeleteTopic{}, ""},
	} {
		limit, _ := errors.AsType[devcluster.Limit](devcluster.Refuses(test.step))
		if limit.Code != test.want {
			t.Errorf("%T: %+v, want %q", test.step, limit, test.want)
		}
		if limit.Code != "" && !slices.Contains(devcluster.Limits, limit) {
			t.Errorf("%q is not among the Limits", limit.Code)
		}
	}
}

// BenchmarkRestart stops and starts a cluster of 10,000 topics of 6 partitions.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	c := start(b, dir)
	admin := client(b, c)
	for i := range 20 {
		create := kmsg.NewPtrCreateTopicsRequest()
		for j := range 500 {
			create.Topics = append(create.Topics, kmsg.CreateTopicsRequestTopic{Topic: fmt.Sprintf("topic.%02d.%03d", i, j), NumPartitions: 6, ReplicationFactor: 3})
		}
		if _, err := create.RequestWith(b.Context(), admin); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		stop(b, c)
		c = start(b, dir)
	}
	stop(b, c)
}
