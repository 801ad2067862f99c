package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const watched = `topology "watched" {}

queue "orders" {
  topic              = "watched.orders"
  partitions         = 6
  replication_factor = 3
}

queue "large" {
  topic              = "watched.large"
  partitions         = 9
  replication_factor = 1
}

producer "checkout" {
  queues = [queue.orders, queue.large]
}

consumer_group "classic" {
  group_id = "watched.classic"
  queues   = [queue.orders]
  protocol = "classic"
  start    = "earliest"
}

consumer_group "consumer" {
  group_id = "watched.consumer"
  queues   = [queue.orders]
  protocol = "consumer"
  start    = "earliest"
}

consumer_group "share" {
  group_id = "watched.share"
  queues   = [queue.orders]
  protocol = "share"
  start    = "earliest"
}

consumer_group "archive" {
  group_id = "watched.archive"
  queues   = [queue.large]
  protocol = "classic"
  start    = "earliest"
}
`

// TestStatus compares every fact that status shows with what Kafka's own tools
// do, with groups of the three protocols, with and without members.
func TestStatus(t *testing.T) {
	u := newUser(t, brokers.Own(t, brokers.Options{}))
	u.write("watched.hcl", watched)
	u.run(0, "apply", "--auto-approve")
	u.traffic()
	u.asKafka(u.status(0, "--interval", "0"))
	u.rates()
	u.documents()
	u.expire()
	u.lose()
}

// status is the document of a status.
func (u *user) status(code int, args ...string) *health.Document {
	u.Helper()
	text := u.run(code, append([]string{"status", "--format", "json"}, args...)...)
	d := new(health.Document)
	must(u.T, json.Unmarshal([]byte(documentIn(text)), d))
	return d
}

// documentIn is the JSON in what was printed, around which is what goes to stderr.
func documentIn(text string) string {
	from, to := strings.Index(text, "{\n"), strings.LastIndex(text, "\n}")
	return text[from : to+2]
}

// traffic leaves groups in different states: one that is empty and behind, one
// with a member that holds on to a message, one that shares, one in which nobody
// ever was.
func (u *user) traffic() {
	u.Helper()
	u.send(numbered(3_000), "checkout", "--queue", "queue.orders")
	var large []string
	for partition := range 9 {
		large = append(large, fmt.Sprintf(`{"value": %q, "partition": %d}`, strings.Repeat("x", 300<<10), partition))
	}
	u.send(large, "checkout", "--queue", "queue.large", "--format", "json")
	u.run(0, "receive", "consumer_group.classic", "--max", "500")
	u.run(0, "receive", "consumer_group.consumer", "--max", "700")
	u.run(0, "receive", "consumer_group.share", "--max", "300")
	for _, group := range []string{"consumer", "share"} {
		u.running("receive", "consumer_group."+group, "--exec", "exec sleep 1000")
	}
	u.await("members", func() bool {
		d := u.status(0, "--interval", "0")
		return *groupOf(d, "consumer").Members == 1 && *groupOf(d, "share").Members == 1
	})
}

// running is queueform, which runs until the test ends, and ends what it runs.
func (u *user) running(args ...string) *exec.Cmd {
	u.Helper()
	command := u.command(args...)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	must(u.T, command.Start())
	u.Cleanup(func() { _ = command.Wait() }) // by then it is interrupted
	return command
}

func groupOf(d *health.Document, label string) *health.Group {
	return &d.Groups[slices.IndexFunc(d.Groups, func(g health.Group) bool { return g.Address.Label == label })]
}

func queueOf(d *health.Document, label string) *health.Queue {
	return &d.Queues[slices.IndexFunc(d.Queues, func(q health.Queue) bool { return q.Address.Label == label })]
}

// standing is where a group is in a partition, as a tool prints it; "-" is not known.
type standing struct{ Offset, End, Lag, Client string }

// asKafka holds a status against Kafka's tools, which must see the same.
func (u *user) asKafka(d *health.Document) {
	u.Helper()
	kinds := u.groupTypes()
	for i := range d.Groups {
		g := &d.Groups[i]
		label := g.Address.Label
		if kind := kinds[g.GroupID]; string(g.Protocol) != kind || g.Protocol != "" && g.Protocol != g.Declared {
			u.Errorf("%s is %q, for Kafka %q", label, g.Protocol, kind)
		}
		state, members := u.groupState(g)
		if g.State != state || *g.Members != members {
			u.Errorf("%s is %s with %d members, for Kafka %s with %d", label, g.State, *g.Members, state, members)
		}
		if diff := cmp.Diff(u.standings(g), shown(g)); diff != "" {
			u.Errorf("%s: %s", label, diff)
		}
	}
	for i := range d.Queues {
		u.queueAsKafka(&d.Queues[i])
	}
}

// groupTypes are the types of all groups in which somebody was: the others have
// no protocol yet.
func (u *user) groupTypes() map[string]string {
	u.Helper()
	types := map[string]string{}
	for _, row := range table(u.tool("GroupsCommand", "--list")) {
		types[row["GROUP"]] = strings.ToLower(row["TYPE"])
	}
	return types
}

// table reads what a tool prints under a line of headings in capitals.
func table(text string) (rows []map[string]string) {
	var head []string
	for line := range strings.Lines(text) {
		cells := strings.Fields(line)
		switch {
		case len(cells) > 0 && cells[0] == "GROUP":
			head = cells
		case len(cells) == len(head) && len(head) > 0:
			row := map[string]string{}
			for i, name := range head {
				row[name] = cells[i]
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// toolOf is the tool for groups of a protocol.
func toolOf(p schema.Protocol) string {
	if p == schema.Share {
		return "consumer.group.ShareGroupCommand"
	}
	return "consumer.group.ConsumerGroupCommand"
}

var stateLine = regexp.MustCompile(`(?m)^watched\..*\s(\w+)\s+(\d+)\s*$`)

func (u *user) groupState(g *health.Group) (state string, members int) {
	u.Helper()
	out := u.tool(toolOf(g.Protocol), "--describe", "--state", "--group", g.GroupID)
	match := stateLine.FindStringSubmatch(out)
	if match == nil {
		u.Fatalf("no state in:\n%s", out)
	}
	return match[1], number(match[2])
}

// standings are what the tool shows of a group, by partition.
func (u *user) standings(g *health.Group) map[string]standing {
	u.Helper()
	out := u.tool(toolOf(g.Protocol), "--describe", "--offsets", "--group", g.GroupID)
	all := map[string]standing{}
	for _, row := range table(out) {
		s := standing{row["CURRENT-OFFSET"], row["LOG-END-OFFSET"], row["LAG"], row["CLIENT-ID"]}
		if g.Protocol == schema.Share {
			s = standing{Offset: row["START-OFFSET"], Lag: row["LAG"]}
		}
		all[row["PARTITION"]] = s
	}
	if len(all) != len(g.Partitions) {
		u.Errorf("%d partitions in:\n%s", len(all), out)
	}
	return all
}

// shown are what status shows of it, in the same form. Where a group has not
// begun, Kafka does not know what its start makes it read.
func shown(g *health.Group) map[string]standing {
	spelled := func(n *int64) string {
		if n == nil {
			return "-"
		}
		return strconv.FormatInt(*n, 10)
	}
	all := map[string]standing{}
	for _, p := range g.Partitions {
		if p.Offset == nil {
			p.Lag = nil
		}
		s := standing{spelled(p.Offset), spelled(p.End), spelled(p.Lag), p.Member}
		if g.Protocol == schema.Share {
			s = standing{Offset: s.Offset, Lag: s.Lag}
		} else if p.Member == "" {
			s.Client = "-"
		}
		all[strconv.Itoa(int(p.Partition))] = s
	}
	return all
}

// queueAsKafka compares a queue's offsets, sizes and replicas.
func (u *user) queueAsKafka(q *health.Queue) {
	u.Helper()
	depth := u.offsetSum(q.Topic, "-1") - u.offsetSum(q.Topic, "-2")
	once, disk := u.logSizes(q.Topic)
	got := []int64{*q.Messages, *q.Bytes, *q.BytesOnDisk, int64(*q.Partitions)}
	if diff := cmp.Diff([]int64{depth, once, disk, int64(u.topics(regexp.QuoteMeta(q.Topic))[q.Topic].Partitions)}, got); diff != "" {
		u.Errorf("%s: messages, bytes, on disk, partitions: %s", q.Topic, diff)
	}
	if q.Bound || q.OldestAtLeast || q.OldestAge == nil || *q.OldestAge <= 0 || *q.OldestAge > 300 {
		u.Errorf("%s: at most %v, oldest %v, at least %v", q.Topic, q.Bound, q.OldestAge, q.OldestAtLeast)
	}
	u.replicasAsKafka(q)
}

// replicasAsKafka compares which partitions are out of sync, and offline.
func (u *user) replicasAsKafka(q *health.Queue) {
	u.Helper()
	for flag, partitions := range map[string][]int32{"--under-replicated-partitions": q.UnderReplicated, "--unavailable-partitions": q.Offline} {
		if diff := cmp.Diff(u.partitions(flag, q.Topic), partitions); diff != "" {
			u.Errorf("%s %s: %s", q.Topic, flag, diff)
		}
	}
}

// offsetSum adds up the offsets of a topic: -1 are its ends, -2 its starts.
func (u *user) offsetSum(topic, at string) (sum int64) {
	u.Helper()
	for line := range strings.Lines(u.tool("GetOffsetShell", "--topic-partitions", topic, "--time", at)) {
		parts := strings.Split(strings.TrimSpace(line), ":")
		sum += int64(number(parts[len(parts)-1]))
	}
	return sum
}

// logSizes are the bytes of a topic: the largest replica of each partition, and
// all of them.
func (u *user) logSizes(topic string) (once, disk int64) {
	u.Helper()
	out := u.tool("LogDirsCommand", "--describe", "--topic-list", topic)
	var dirs struct {
		Brokers []struct {
			LogDirs []struct {
				Partitions []struct {
					Partition string
					Size      int64
				}
			}
		}
	}
	must(u.T, json.Unmarshal([]byte(out[strings.Index(out, `{"`):]), &dirs))
	largest := map[string]int64{}
	for _, b := range dirs.Brokers {
		for _, d := range b.LogDirs {
			for _, p := range d.Partitions {
				largest[p.Partition] = max(largest[p.Partition], p.Size)
				disk += p.Size
			}
		}
	}
	for size := range maps.Values(largest) {
		once += size
	}
	return once, disk
}

var partitionOf = regexp.MustCompile(`\tPartition: (\d+)\t`)

// partitions are those of a topic that a flag of the tool leaves.
func (u *user) partitions(flag, topic string) []int32 {
	u.Helper()
	all := []int32{}
	for _, match := range partitionOf.FindAllStringSubmatch(u.tool("TopicCommand", "--describe", "--topic", regexp.QuoteMeta(topic), flag), -1) {
		all = append(all, int32(number(match[1])))
	}
	slices.Sort(all)
	return all
}

// rates sends at a known rate, while a group catches up.
func (u *user) rates() {
	u.Helper()
	const perSecond = 500
	client := u.client()
	done := make(chan struct{})
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		tick := time.NewTicker(time.Second / perSecond)
		defer tick.Stop()
		for began, sent := time.Now(), 0.0; ; {
			select {
			case <-done:
				return
			case <-tick.C:
				for ; sent < time.Since(began).Seconds()*perSecond; sent++ { // ticks are dropped on a busy machine
					client.Produce(u.Context(), &kgo.Record{Topic: "watched.orders", Value: []byte("x")}, nil)
				}
			}
		}
	}()
	member := u.running("receive", "consumer_group.classic", "--follow")
	u.await("a group that has caught up while messages come", func() bool {
		d := u.status(0, "--interval", "4s")
		q, g := queueOf(d, "orders"), groupOf(d, "classic")
		return *g.Members == 1 && near(q.In, perSecond) && near(g.In, perSecond) && near(g.Out, perSecond) && *g.Lag < 3*perSecond
	})
	d := u.status(0, "--interval", "4s")
	if g := groupOf(d, "consumer"); g.CatchUp != health.Standing || *g.Out != 0 {
		u.Errorf("a group that does nothing: %+v", g)
	}
	must(u.T, member.Process.Signal(os.Interrupt))
	close(done)
	<-sending
	must(u.T, client.Flush(u.Context()))
	u.await("the group to be empty", func() bool { return *groupOf(u.status(0, "--interval", "0"), "classic").Members == 0 })
	u.asKafka(u.status(0, "--interval", "1s"))
}

// near says whether a rate is as expected, within a fifth.
func near(rate *float64, want float64) bool {
	return rate != nil && *rate > want*0.8 && *rate < want*1.2
}

// documents holds what programs read against a schema, and a parser.
func (u *user) documents() {
	u.Helper()
	s, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "plan", "health", "status.schema.json"))
	must(u.T, err)
	text := u.run(0, "status", "--format", "json")
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(documentIn(text)))
	must(u.T, err)
	if err := s.Validate(document); err != nil {
		u.Errorf("%#v\n%s", err, text)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	text = u.run(0, "status", "--format", "prometheus")
	families, err := parser.TextToMetricFamilies(strings.NewReader(text[strings.Index(text, "# HELP"):]))
	must(u.T, err)
	for name, want := range map[string]int{"queueform_queue_depth_messages": 2, "queueform_group_unread_messages": 4, "queueform_group_partition_unread_messages": 27} {
		if got := len(families[name].GetMetric()); got != want {
			u.Errorf("%s: %d samples, want %d", name, got, want)
		}
	}
}

// expire deletes messages that a group has not read.
func (u *user) expire() {
	u.Helper()
	worst := groupOf(u.status(0, "--interval", "0"), "consumer").Worst
	offsets := kadm.Offsets{}
	offsets.AddOffset(worst.Topic, worst.Partition, *worst.Offset+7, -1)
	_, err := kadm.NewClient(u.client()).DeleteRecords(u.Context(), offsets)
	must(u.T, err)
	d := u.status(2, "--check", "--interval", "0")
	if g := groupOf(d, "consumer"); *g.Expired != 7 || !found(d, health.Expired, g.Address) {
		u.Errorf("%d expired: %v", *g.Expired, d.Findings)
	}
	u.asKafka(d)
}

// lose stops a broker, which leaves the only replicas of some partitions.
func (u *user) lose() {
	u.Helper()
	must(u.T, u.kafka.Kill(3))
	must(u.T, u.kafka.Await(u.Context()))
	var d *health.Document
	u.await("what is left of the cluster", func() bool {
		out, err := u.command("status", "--check", "--interval", "0", "--format", "json").Output()
		d = new(health.Document)
		must(u.T, json.Unmarshal(out, d))
		exit, _ := errors.AsType[*exec.ExitError](err) // 1 while a broker says that a group is with the one that is gone
		return exitCode(exit) == 2 && len(queueOf(d, "large").Offline) > 0 && len(queueOf(d, "orders").UnderReplicated) == 6
	})
	for i := range d.Queues {
		u.replicasAsKafka(&d.Queues[i])
	}
	orders, large := queueOf(d, "orders"), queueOf(d, "large")
	if !found(d, health.Offline, large.Address) || !found(d, health.UnderReplicated, orders.Address) || found(d, health.Offline, orders.Address) {
		u.Errorf("%+v", d.Findings)
	}
	if archive := groupOf(d, "archive"); *archive.Lag != int64(9-len(large.Offline)) || !archive.LagAtLeast {
		u.Errorf("of the partitions that are there: %+v", archive)
	}
}

func found(d *health.Document, code health.Code, a schema.Addr) bool {
	return slices.ContainsFunc(d.Findings, func(f health.Finding) bool { return f.Code == code && f.Address != nil && *f.Address == a })
}
