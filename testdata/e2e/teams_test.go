package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// team is an application of the example, and what its principal may do.
type team struct {
	dir, application string
	writes, reads    []string // topics
	groups           []string
}

// auditor is nobody's producer or group: it has rights by acl blocks alone.
var teams = []team{
	{"checkout", "producer.shop", []string{"checkout.orders", "checkout.carts", "checkout.emails"}, nil, nil},
	{"checkout", "consumer_group.mailer", []string{"dlq.checkout.emails"}, []string{"checkout.emails", "dlq.checkout.emails"}, []string{"checkout.mailer", "checkout.undertaker"}},
	{"billing", "producer.accountant", []string{"billing.invoices", "billing.reminders"}, []string{"checkout.orders", "billing.invoices", "billing.payments"}, []string{"billing.accountant", "billing.books"}},
	{"billing", "producer.bank", []string{"billing.payments"}, nil, nil},
	{"billing", "consumer_group.collector", []string{"dlq.billing.reminders"}, []string{"billing.reminders"}, []string{"billing.collector"}},
}

var (
	teamTopics = []string{
		"checkout.orders", "checkout.carts", "checkout.emails", "dlq.checkout.emails",
		"billing.invoices", "billing.payments", "billing.reminders", "dlq.billing.reminders",
	}
	teamGroups = []string{"checkout.mailer", "checkout.undertaker", "billing.accountant", "billing.books", "billing.collector"}
)

// TestTeams applies the example of two teams, from nothing, to a cluster that is
// closed to everybody else. Then each principal does what it was given, and is
// refused everything else.
func TestTeams(t *testing.T) {
	t.Parallel()
	c := brokers.Own(t, brokers.Options{Version: brokers.Newest, Properties: map[string]string{"allow.everyone.if.no.acl.found": "false"}})
	users := map[string]*user{}
	for _, dir := range []string{"platform", "checkout", "billing"} {
		u := teamOf(t, c, dir)
		u.run(0, "apply", "--auto-approve")
		u.settled()
		users[dir] = u
	}
	users["checkout"].settled() // nobody has touched what is another's

	work(users["checkout"], users["billing"])
	for _, team := range teams {
		t.Run(strings.NewReplacer("producer.", "", "consumer_group.", "").Replace(team.application), func(t *testing.T) {
			u := *users[team.dir]
			u.T = t
			team.rights(&u)
		})
	}
	transactions(users["billing"])
	slowedDown(users["checkout"])

	thief := teamOf(t, c, "billing")
	thief.replace("topology.hcl", `external "queue" "orders" {`, `queue "orders" {`)
	thief.replace("topology.hcl", "external.queue.orders", "queue.orders")
	thief.has(thief.run(1, "plan"), `Topic "checkout.orders" belongs to topology "checkout"`)
}

// TestTeamsOnOldKafka says what the oldest Kafka has not.
func TestTeamsOnOldKafka(t *testing.T) {
	c := brokers.Shared(t, brokers.Oldest)
	teamOf(t, c, "checkout").has(teamOf(t, c, "checkout").run(1, "plan"), `No protocol "share" on this cluster`, "It needs Kafka 4.2")
}

// teamOf is who deploys for a team: an administrator, who knows the passwords.
func teamOf(t *testing.T, c *brokers.Cluster, dir string) *user {
	t.Helper()
	u := newUser(t, c).example("teams/" + dir)
	u.env = asAdmin(c)
	for _, name := range []string{"SHOP", "MAILER", "AUDITOR", "ACCOUNTANT", "BANK", "COLLECTOR"} {
		u.env = append(u.env, name+"_PASSWORD=of-"+strings.ToLower(name))
	}
	return u
}

// work has each application do what it is for, through queueform and Java.
func work(checkout, billing *user) {
	checkout.Helper()
	checkout.run(0, "send", "producer.shop", "--queue", "queue.orders", "--key", "order-1", "one", "two")
	checkout.run(0, "send", "producer.shop", "--queue", "queue.carts", "--key", "ann", "cart")
	checkout.run(0, "send", "producer.shop", "--queue", "queue.emails", "kind", "angry")
	if sent, _ := checkout.received("consumer_group.mailer", "--reject"); len(sent) != 2 {
		checkout.Errorf("the mailer got %v", sent)
	}
	if dead, _ := checkout.received("consumer_group.undertaker"); len(dead) != 2 {
		checkout.Errorf("the undertaker got %v", dead)
	}
	if orders, _ := billing.received("consumer_group.accountant"); len(orders) != 2 {
		billing.Errorf("the accountant got %v", orders)
	}
	billing.run(0, "send", "producer.accountant", "--queue", "queue.invoices", "--key", "order-1", "invoice")
	billing.run(0, "send", "producer.accountant", "--queue", "queue.reminders", "please pay")
	tool(billing.T, "ProducerPerformance", "--command-config", billing.settings("producer.bank", "--reveal"), "--topic", "billing.payments", "--num-records", "1", "--record-size", "20", "--throughput", "-1")
	if read, _ := billing.received("consumer_group.books"); len(read) != 2 {
		billing.Errorf("the books got %v", read)
	}
	out := tool(billing.T, "consumer.ConsoleShareConsumer", "--bootstrap-server", billing.kafka.SASL()[0], "--topic", "billing.reminders",
		"--max-messages", "1", "--timeout-ms", "30000", "--command-config", billing.settings("collector", "--reveal"))
	if !strings.Contains(out, "please pay") {
		billing.Errorf("the collector got %s", out)
	}
	checkout.run(0, "send", "producer.shop", "--queue", "queue.emails", "another") // for those who try to read it
	billing.run(0, "send", "producer.accountant", "--queue", "queue.reminders", "another")
}

// rights tries everything: what is not given is refused.
func (s *team) rights(u *user) {
	u.Helper()
	client := franz(u, s.application)
	var written, read, joined []string
	for _, topic := range teamTopics {
		if s.may(u, "write "+topic, func(ctx context.Context) error { return writeOne(ctx, client, topic) }, kerr.TopicAuthorizationFailed) {
			written = append(written, topic)
		}
		if s.may(u, "read "+topic, func(ctx context.Context) error { return readOne(ctx, client, topic) }, kerr.TopicAuthorizationFailed) {
			read = append(read, topic)
		}
	}
	admin := kadm.NewClient(client)
	for _, group := range teamGroups {
		if s.may(u, "join "+group, func(ctx context.Context) error {
			described, err := admin.DescribeGroups(ctx, group)
			if err != nil {
				return err
			}
			return ignored(described[group].Err, kerr.GroupIDNotFound)
		}, kerr.GroupAuthorizationFailed) {
			joined = append(joined, group)
		}
	}
	for what, diff := range map[string]string{
		"writes": cmp.Diff(inOrder(s.writes), inOrder(written)), "reads": cmp.Diff(inOrder(s.reads), inOrder(read)), "groups": cmp.Diff(inOrder(s.groups), inOrder(joined)),
	} {
		if diff != "" {
			u.Errorf("%s %s (-want +got):\n%s", s.application, what, diff)
		}
	}
	s.altersNothing(u, admin)
}

// may says whether something is allowed: whatever else fails, the test does.
func (s *team) may(u *user, what string, try func(context.Context) error, refused error) bool {
	u.Helper()
	ctx, cancel := context.WithTimeout(u.Context(), 20*time.Second)
	defer cancel()
	err := try(ctx)
	if err != nil && !errors.Is(err, refused) {
		u.Errorf("%s: %s: %v", s.application, what, err)
	}
	return err == nil
}

// altersNothing tries to change the cluster.
func (s *team) altersNothing(u *user, admin *kadm.Client) {
	u.Helper()
	for what, try := range map[string]func(context.Context) error{
		"create a topic": func(ctx context.Context) error {
			_, err := admin.CreateTopic(ctx, 1, 1, nil, "checkout.mine")
			return err
		},
		"delete a topic": func(ctx context.Context) error { return deleteOne(ctx, admin, "checkout.orders") },
		"set a config": func(ctx context.Context) error {
			all, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: new("1")}}, "checkout.orders")
			return errors.Join(err, firstError(all))
		},
		"give a right": func(ctx context.Context) error {
			given, err := admin.CreateACLs(ctx, kadm.NewACLs().Topics("*").Allow("User:me").AllowHosts().Operations(kadm.OpAll).ResourcePatternType(kadm.ACLPatternLiteral))
			if err == nil {
				err = given[0].Err
			}
			return err
		},
	} {
		refused := kerr.TopicAuthorizationFailed
		if what == "give a right" {
			refused = kerr.ClusterAuthorizationFailed
		}
		if s.may(u, what, try, refused) {
			u.Errorf("%s may %s", s.application, what)
		}
	}
}

func writeOne(ctx context.Context, client *kgo.Client, topic string) error {
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")}).FirstErr()
}

// readOne reads any message of a topic that has one.
func readOne(ctx context.Context, client *kgo.Client, topic string) error {
	client.AddConsumeTopics(topic)
	defer client.PurgeTopicsFromConsuming(topic)
	for {
		fetches := client.PollFetches(ctx)
		for _, e := range fetches.Errors() {
			return e.Err
		}
		if fetches.NumRecords() > 0 {
			return nil
		}
	}
}

func deleteOne(ctx context.Context, admin *kadm.Client, topic string) error {
	deleted, err := admin.DeleteTopics(ctx, topic)
	return errors.Join(err, deleted[topic].Err)
}

func firstError(all kadm.AlterConfigsResponses) error {
	for _, r := range all {
		return r.Err
	}
	return nil
}

func ignored(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

func inOrder(all []string) []string { return slices.Sorted(slices.Values(all)) }

// transactions has the accountant use its transactional id, which nobody else may.
func transactions(billing *user) {
	billing.Helper()
	for application, refused := range map[string]error{"producer.accountant": nil, "producer.bank": kerr.TransactionalIDAuthorizationFailed} {
		client := franz(billing, application, kgo.TransactionalID("billing.accountant"))
		err := client.BeginTransaction()
		if err == nil {
			_, _, err = client.ProducerID(billing.Context())
		}
		if !errors.Is(err, refused) {
			billing.Errorf("%s begins a transaction: %v, want %v", application, err, refused)
		}
	}
}

// delays hears of the broker's throttling.
type delays struct {
	mu      sync.Mutex
	longest time.Duration
}

// OnBrokerThrottle notes how long the broker wants to be left alone.
func (d *delays) OnBrokerThrottle(_ kgo.BrokerMetadata, wait time.Duration, _ bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.longest = max(d.longest, wait)
}

// slowedDown has the shop send more than its quota lets through in the seconds
// over which a broker adds up.
func slowedDown(checkout *user) {
	checkout.Helper()
	var heard delays
	client := franz(checkout, "producer.shop", kgo.WithHooks(&heard), kgo.DefaultProduceTopic("checkout.emails"), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	const quota, seconds = 1 << 20, 11 // by the example, and by Kafka's defaults
	value := make([]byte, 512<<10)
	for range (quota*seconds)/len(value) + 4 {
		client.Produce(checkout.Context(), &kgo.Record{Partition: 0, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				checkout.Error(err)
			}
		})
	}
	if err := client.Flush(checkout.Context()); err != nil {
		checkout.Fatal(err)
	}
	heard.mu.Lock()
	defer heard.mu.Unlock()
	if heard.longest == 0 {
		checkout.Error(fmt.Sprint("no broker has throttled ", "producer.shop"))
	}
}
