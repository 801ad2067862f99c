package render_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/plan/health"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/plan/render"
	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

var update = flag.Bool("update", false, "write the expected texts anew")

func queueAddr(label string) schema.Addr { return schema.Addr{Kind: schema.KindQueue, Label: label} }

func groupAddr(label string) schema.Addr { return schema.Addr{Kind: schema.KindGroup, Label: label} }

// status has something to show of all that can be shown.
func status() *health.Document {
	at := time.Date(2026, 3, 2, 1, 15, 4, 0, time.UTC)
	orders, dead, billing, mail := queueAddr("orders"), queueAddr("orders_dead"), groupAddr("billing"), groupAddr("mail")
	worst := health.Partition{Topic: "shop.orders", Partition: 3, Offset: new(int64(100)), End: new(int64(8112)), Lag: new(int64(8012)), Member: "billing-1"}
	return &health.Document{
		FormatVersion: health.FormatVersion, Version: "v1", At: at, Interval: 2, Topology: "shop",
		Cluster: health.Cluster{Name: "prod", ID: "4L6g3nShT-eMCtK--X86sw", Brokers: 3},
		Findings: []health.Finding{
			{Code: health.LagTooLarge, Address: &billing, Name: "billing", Summary: "12,345 unread, of max_lag 10,000"},
			{Code: health.UnderReplicated, Address: &dead, Name: "dlq.shop.orders", Summary: "1 of 3 partitions with a replica out of sync"},
			{Code: health.NotApplied, Name: "shop", Summary: "1 difference between the files and the cluster"},
		},
		Queues: []health.Queue{
			{
				Address: orders, Topic: "shop.orders", Exists: new(true), Partitions: new(12), Messages: new(int64(1_204_377)), Bound: true, Bytes: new(int64(2_400 << 20)),
				In: new(512.5), Out: new(841.0), OldestUnread: new(at.Add(-72 * time.Second)), OldestAge: new(72.0),
			},
			{
				Address: dead, Topic: "dlq.shop.orders", Exists: new(true), Partitions: new(3), UnderReplicated: []int32{1}, Messages: new(int64(17)), Bytes: new(int64(4_201)),
				In: new(0.0), Out: new(0.0), OldestUnread: new(at.Add(-50 * time.Hour)), OldestAge: new((50 * time.Hour).Seconds()),
			},
		},
		Groups: []health.Group{
			{
				Address: billing, GroupID: "billing", State: "Stable", Protocol: schema.Consumer, Declared: schema.Consumer, Members: new(3), DeclaredMembers: 4, Expired: new(int64(0)),
				Lag: new(int64(12_345)), MaxLag: new(int64(10_000)), Partitions: []health.Partition{worst}, Worst: &worst, Skew: new(7.79),
				In: new(512.5), Out: new(420.0), CatchUp: health.Falling,
			},
			{
				Address: mail, GroupID: "shop.mail", State: "Stable", Protocol: schema.Share, Declared: schema.Share, Members: new(2), Expired: new(int64(0)),
				Lag: new(int64(840)), InFlight: new(int64(840)), In: new(512.5), Out: new(421.0 + 511.5), CatchUp: health.Catching, CatchUpIn: new(2.0),
			},
		},
		Capacity: []health.Need{{Of: guard.DiskBytes, Needs: new(2e12), Has: new(3e12), Fits: true, Summary: "1.8 TiB on disk at the retention, of 2.7 TiB"}},
		Users: []health.User{{
			Address: schema.Addr{Kind: schema.KindUser, Label: "checkout"}, Name: "checkout", Mechanisms: []schema.Mechanism{schema.ScramSHA512},
			UsedBy: []schema.Addr{{Kind: schema.KindProducer, Label: "checkout"}},
		}},
		Quotas: []health.Quota{{
			Address: schema.Addr{Kind: schema.KindProducer, Label: "checkout"}, Entity: "user:checkout", Key: schema.ProducerByteRate,
			Limit: new(5242880.0), Declared: 10485760,
		}},
		Differences: []health.Change{{Address: schema.Addr{Kind: schema.KindProducer, Label: "checkout"}, Name: "user:checkout", Action: plan.Update}},
		Locked:      new(false),
		Leftovers:   []health.Leftover{{Left: health.Orphan, Object: schema.KindQueue, Name: "shop.refunds"}},
	}
}

// golden compares with a file, which -update writes anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func statusText(t *testing.T, d *health.Document, o render.Options) string {
	t.Helper()
	var text strings.Builder
	if err := render.Status(&text, d, o); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// The README shows it, too.
func TestStatus(t *testing.T) {
	golden(t, "status.txt", statusText(t, status(), render.Options{}))
}

func TestPrometheus(t *testing.T) {
	d := status()
	d.Queues[0].Topic = "a\"b\\c\nd" // Kafka allows none of it; the format must
	var text strings.Builder
	if err := render.Prometheus(&text, d); err != nil {
		t.Fatal(err)
	}
	golden(t, "status.prom", text.String())
}

// unseen is a topology with a bit of everything, of which nothing could be read.
func unseen() (*plan.Plan, health.Facts) {
	const why = "slow"
	decl := func(kind schema.Kind) schema.Decl { return schema.Decl{Addr: schema.Addr{Kind: kind, Label: "x"}} }
	queue := &schema.Queue{Decl: decl(schema.KindQueue), Topic: "x", Partitions: 1, Load: &schema.Load{MessagesPerSecond: 1, MessageBytes: 1}}
	t := &schema.Topology{Name: "shop", Resources: []schema.Resource{queue, &schema.User{Decl: decl(schema.KindUser), Name: "x"}}}
	s := &live.Snapshot{
		Cluster: live.Cluster{Brokers: []live.Broker{{ID: 1}}}, Ledger: live.Hidden[live.Ledger](why, ""), Moves: live.Hidden[int](why, ""),
		Topics: map[string]live.Seen[live.Topic]{"x": live.Hidden[live.Topic](why, "")}, Groups: map[string]live.Seen[live.Group]{},
		Users:    map[string]live.Seen[live.User]{"x": live.Hidden[live.User](why, "")},
		Bindings: live.Hidden[live.Bindings](why, ""), Quotas: live.Hidden[live.Quotas](why, ""),
	}
	for _, protocol := range schema.Protocols() {
		id := string(protocol)
		t.Resources = append(t.Resources, &schema.Group{
			Decl:    schema.Decl{Addr: groupAddr(id)},
			GroupID: id, Protocol: protocol, Start: schema.Earliest, Queues: []schema.Addr{queue.Addr}, Principal: "User:x", Members: 2,
			Quota: schema.Limits{schema.ConsumerByteRate: 10},
		})
		s.Groups[id] = live.Hidden[live.Group](why, "")
	}
	slices.SortFunc(t.Resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	p, _ := plan.Build(t, s, plan.Options{})
	before := live.Sample{Groups: s.Groups}
	reading := live.Reading{Sample: before, Sizes: map[string]live.Seen[live.Sizes]{"x": live.Hidden[live.Sizes](why, "")}, Disks: live.Hidden[live.Disks](why, "")}
	return p, health.Facts{Snapshot: s, Reading: reading, Before: &before, Now: time.Unix(1, 0)}
}

var zero = regexp.MustCompile(`(?m)^.* 0$`)

// What could not be read is nowhere taken for zero.
func TestPrometheusUnseen(t *testing.T) {
	p, f := unseen()
	var text strings.Builder
	if err := render.Prometheus(&text, health.New(p, f)); err != nil {
		t.Fatal(err)
	}
	if zeros := zero.FindAllString(text.String(), -1); len(zeros) > 0 {
		t.Errorf("zero, of what is not known:\n%s", strings.Join(zeros, "\n"))
	}
	if !strings.Contains(text.String(), "queueform_unseen{") {
		t.Errorf("nothing is said to be unseen:\n%s", &text)
	}
}

// Nor is it of groups, users and quotas where their queue is seen.
func TestPrometheusUnseenGroups(t *testing.T) {
	p, f := unseen()
	f.Snapshot.Topics["x"] = live.Is(live.Topic{Partitions: []live.Partition{{Leader: 1}}, Overrides: live.Is(map[string]string{})})
	f.Reading.Spans = map[string][]live.Seen[live.Span]{"x": {live.Is(live.Span{Start: 5, End: 10, Oldest: live.None[time.Time]()})}}
	f.Reading.Ends, f.Before.Ends = map[string]live.Offsets{"x": {10}}, map[string]live.Offsets{"x": {5}}
	f.Reading.EndsAt = time.Unix(1, 0)
	var text strings.Builder
	if err := render.Prometheus(&text, health.New(p, f)); err != nil {
		t.Fatal(err)
	}
	for _, sample := range zero.FindAllString(text.String(), -1) {
		if !strings.Contains(sample, "_partitions{") {
			t.Errorf("zero, of what is not known: %s", sample)
		}
	}
	if !strings.Contains(text.String(), "queueform_queue_depth_messages{") {
		t.Errorf("the queue is not seen:\n%s", &text)
	}
}

// strained has as much of everything as there can be, all of it long.
func strained() *health.Document {
	d := status()
	long := strings.Repeat("x", 249)
	for i := range 500 {
		q, g := d.Queues[i%2], d.Groups[i%2]
		q.Address, q.Topic = queueAddr(fmt.Sprint(long, i)), long
		q.Messages, q.Bytes, q.In, q.Out = new(int64(9_999_999)), new(int64(1023<<30)), new(9_999_999.0), new(9e18)
		q.Partitions, q.OldestAge, q.OldestAtLeast = new(99_999), new(1e12), true
		g.Address, g.GroupID, g.Members, g.DeclaredMembers = groupAddr(fmt.Sprint("größe日本", i)), "日本 "+long, new(9_999_999), 9_999_999
		g.Lag, g.LagAtLeast, g.In, g.Out, g.Declared = new(int64(9e18)), true, new(9_999_999.0), new(9_999_999.0), schema.Classic
		g.Worst = &health.Partition{Topic: long, Partition: 99_999, Lag: new(int64(9e18))}
		d.Queues, d.Groups = append(d.Queues, q), append(d.Groups, g)
		d.Findings = append(d.Findings, health.Finding{Code: health.LagTooLarge, Address: &g.Address, Name: long, Summary: long + " " + long})
		d.Unseen = append(d.Unseen, health.Unseen{Address: q.Address, Name: long, What: "offsets", Reason: "not permitted", Missing: "Read on Topic " + long})
		d.Users, d.Quotas, d.Capacity = append(d.Users, d.Users[0]), append(d.Quotas, d.Quotas[0]), append(d.Capacity, d.Capacity[0])
		d.Leftovers = append(d.Leftovers, health.Leftover{Left: health.Throttled, Object: schema.KindQueue, Name: long})
	}
	d.Locked, d.Lock = new(true), &health.Lock{Holder: long}
	return d
}

// No line is longer than a terminal of 80 columns, whatever there is to show.
func TestStatusFits(t *testing.T) {
	text := statusText(t, strained(), render.Options{Width: 80})
	for line := range strings.Lines(text) {
		if width := diag.Columns(strings.TrimSuffix(line, "\n")); width > 80 {
			t.Errorf("%d columns: %s", width, line)
		}
	}
}

// Long lists are folded, and what wants attention is before the fold.
func TestStatusFolds(t *testing.T) {
	d := status()
	for i := range 100 {
		q := d.Queues[0]
		q.Address = queueAddr(fmt.Sprintf("more%d", i))
		d.Queues = append(d.Queues, q)
	}
	for i := range 25 {
		d.Findings = append(d.Findings, health.Finding{Code: health.Offline, Address: &d.Queues[101-i].Address, Summary: "12 of 12 partitions without a leader"})
	}
	text := statusText(t, d, render.Options{})
	_, rows, _ := strings.Cut(text, "\nQueues")
	rows, _, _ = strings.Cut(rows, "\nGroups")
	if shown := strings.Count(rows, "  queue."); shown != 27 || !strings.Contains(rows, "and 75 more (--all shows them)") || strings.Count(rows, "queue.more9")+strings.Count(rows, "queue.more8") != 20 {
		t.Errorf("%d rows:\n%s", shown, rows)
	}
	if all := statusText(t, d, render.Options{All: true}); strings.Count(all, "queue.more") < 100 {
		t.Errorf("--all leaves some out:\n%s", all)
	}
}
