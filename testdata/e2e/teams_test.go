package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// part is what the principal of an application was given.
type part struct {
	dir, application string
	writes, reads    []string // topics
	groups, ids      []string // of consumers, and of transactions
}

// parts are those of all principals, in an order in which each finds messages.
var parts = []part{
	{
		"checkout", "producer.shop",
		[]string{"checkout.orders", "checkout.carts", "checkout.emails"},
		nil, nil,
		[]string{"checkout.shop-1"},
	},
	{
		"checkout", "consumer_group.mailer",
		[]string{"dlq.checkout.emails"},
		[]string{"checkout.emails", "dlq.checkout.emails"},
		[]string{"checkout.mailer", "checkout.undertaker"},
		nil,
	},
	{
		"billing", "producer.bank",
		[]string{"billing.payments"},
		nil, nil, nil,
	},
	{
		"billing", "producer.accountant",
		[]string{"billing.invoices", "billing.reminders"},
		[]string{"checkout.orders", "billing.invoices", "billing.payments"},
		[]string{"billing.accountant", "billing.books"},
		[]string{"billing.accountant"},
	},
	{
		"billing", "consumer_group.collector",
		[]string{"dlq.billing.reminders"},
		[]string{"billing.reminders"},
		[]string{"billing.collector"},
		nil,
	},
	{"platform", "consumer_group.auditor", nil, teamTopics, []string{"audit.all"}, nil},
}

// teamTopics are those of both teams, in order.
var teamTopics = []string{
	"billing.invoices", "billing.payments", "billing.reminders",
	"checkout.carts", "checkout.emails", "checkout.orders",
	"dlq.billing.reminders", "dlq.checkout.emails",
}

// teamGroups are the groups by their ids: of which kind a member is, and of what.
var teamGroups = map[string]struct {
	kind  func(string) []kgo.Opt
	topic string
}{
	"checkout.mailer":     {sharing, "checkout.emails"},
	"checkout.undertaker": {classically, "dlq.checkout.emails"},
	"billing.accountant":  {modernly, "checkout.orders"},
	"billing.books":       {classically, "billing.payments"},
	"billing.collector":   {sharing, "billing.reminders"},
	"audit.all":           {classically, "checkout.orders"},
}

func sharing(group string) []kgo.Opt { return []kgo.Opt{kgo.ShareGroup(group)} }

func classically(group string) []kgo.Opt {
	return []kgo.Opt{kgo.ConsumerGroup(group), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
}

func modernly(group string) []kgo.Opt {
	return append(classically(group), kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
}

// audit is what an application needs that is the auditor: rights by acl blocks
// alone, and no queue of its own.
const audit = `external "queue" "orders" {
  topic = "checkout.orders"
}

consumer_group "auditor" {
  group_id  = "audit.all"
  queues    = [external.queue.orders]
  protocol  = "classic"
  principal = user.auditor
}
`

// TestTeams applies the example of two teams, from nothing, to a cluster that is
// closed to everybody else. Then each principal does what it was given, and is
// refused everything else.
func TestTeams(t *testing.T) {
	t.Parallel()
	c := brokers.Own(t, brokers.Options{Properties: map[string]string{"allow.everyone.if.no.acl.found": "false"}})
	platform, checkout, billing := teamOf(t, c, "platform"), teamOf(t, c, "checkout"), teamOf(t, c, "billing")
	billing.has(billing.run(1, "plan"), `The cluster has no topic "checkout.orders"`)
	for _, u := range []*user{platform, checkout, billing} {
		u.run(0, "apply", "--auto-approve")
		u.settled()
	}
	platform.write("audit.hcl", audit)

	checkoutWorks(checkout)
	billingWorks(billing)
	users := map[string]*user{"platform": platform, "checkout": checkout, "billing": billing}
	for _, p := range parts {
		t.Run(p.application, func(t *testing.T) {
			u := users[p.dir].on(t)
			(&trial{u, p, u.franz(p.application)}).everything()
		})
	}
	t.Run("other clients", func(t *testing.T) { refusedOtherwise(billing.on(t)) })
	t.Run("other deployers", func(t *testing.T) { refusedDeployer(teamOf(t, c, "billing")) })
	checkout.settled()
	billing.settled()
	slowedDown(checkout)
}

// TestTeamsOnOldKafka says what the oldest Kafka has not.
func TestTeamsOnOldKafka(t *testing.T) {
	c := brokers.Shared(t, brokers.Oldest)
	checkout, billing := teamOf(t, c, "checkout"), teamOf(t, c, "billing")
	checkout.has(checkout.run(1, "plan"), `No protocol "share" on this cluster`, "It needs Kafka 4.2")
	billing.has(billing.run(1, "plan"), `No protocol "consumer" on this cluster`, "It needs Kafka 4.0", `No protocol "share" on this cluster`, "It needs Kafka 4.2")
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

// checkoutWorks has each application of the team do what it is for.
func checkoutWorks(u *user) {
	u.Helper()
	u.run(0, "send", "producer.shop", "--queue", "queue.orders", "--key", "order-1", "one", "two")
	u.run(0, "send", "producer.shop", "--queue", "queue.carts", "--key", "ann", "cart")
	u.run(0, "send", "producer.shop", "--queue", "queue.emails", "--key", "ann", "kind", "angry")
	if sent, _ := u.received("consumer_group.mailer", "--reject"); len(sent) != 2 {
		u.Errorf("the mailer got %+v", sent)
	}
	var dead []message
	u.await("both dead letters", func() bool {
		more, _ := u.received("consumer_group.undertaker")
		dead = append(dead, more...)
		return len(dead) == 2
	})
	for _, m := range dead {
		if m.Key != "ann" || m.header("__dlq.errors.group") != "checkout.mailer" || m.header("__dlq.errors.topic") != "checkout.emails" {
			u.Errorf("the undertaker got %+v", m)
		}
	}
}

// billingWorks does the same, in part through Kafka's own clients and librdkafka.
func billingWorks(u *user) {
	u.Helper()
	if orders, _ := u.received("consumer_group.accountant"); len(orders) != 2 {
		u.Errorf("the accountant got %+v", orders)
	}
	u.run(0, "send", "producer.accountant", "--queue", "queue.invoices", "--key", "order-1", "invoice")
	u.run(0, "send", "producer.accountant", "--queue", "queue.reminders", "please pay")
	tool(u.T, "ProducerPerformance", "--command-config", u.settings("producer.bank", "--reveal"), "--topic", "billing.payments", "--num-records", "1", "--record-size", "20", "--throughput", "-1")
	out := tool(u.T, "consumer.ConsoleShareConsumer", "--bootstrap-server", u.kafka.SASL()[0], "--topic", "billing.reminders",
		"--max-messages", "1", "--timeout-ms", "30000", "--command-config", u.settings("collector", "--reveal"))
	u.has(out, "please pay")
	if from := takeByLibrdkafka(u, "consumer_group.books", 2, "billing.invoices", "billing.payments"); !cmp.Equal(from, map[string]int{"billing.invoices": 1, "billing.payments": 1}) {
		u.Errorf("the books got messages from %v", from)
	}
}

// takeByLibrdkafka counts messages by the topics that they are from.
func takeByLibrdkafka(u *user, application string, count int, topics ...string) map[string]int {
	u.Helper()
	consumer, err := kafka.NewConsumer(u.librdkafka(application))
	must(u.T, err)
	defer func() { must(u.T, consumer.Close()) }()
	must(u.T, consumer.SubscribeTopics(topics, nil))
	from := map[string]int{}
	for range count {
		m, err := consumer.ReadMessage(time.Minute)
		must(u.T, err)
		from[*m.TopicPartition.Topic]++
	}
	return from
}

// trial is the principal of an application, who tries what it may.
type trial struct {
	*user
	given    part
	settings []kgo.Opt
}

// everything is tried: what was not given is refused.
func (r *trial) everything() {
	cannotWrite := kerr.TopicAuthorizationFailed
	if r.given.writes == nil { // who writes nowhere gets no producer id
		cannotWrite = kerr.ClusterAuthorizationFailed
	}
	writer, got := r.client(), part{dir: r.given.dir, application: r.given.application}
	for _, topic := range teamTopics {
		if r.may("write "+topic, cannotWrite, func(ctx context.Context) error { return writeOne(ctx, writer, topic) }) {
			got.writes = append(got.writes, topic)
		}
		reader := r.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if r.may("read "+topic, kerr.TopicAuthorizationFailed, func(ctx context.Context) error { return readOne(ctx, reader) }) {
			got.reads = append(got.reads, topic)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(teamGroups)) {
		if r.may("join "+group, kerr.GroupAuthorizationFailed, func(ctx context.Context) error { return readOne(ctx, r.member(group)) }) {
			got.groups = append(got.groups, group)
		}
	}
	for _, id := range []string{"billing.accountant", "checkout.shop-1"} {
		if r.may("commit as "+id, kerr.TransactionalIDAuthorizationFailed, func(ctx context.Context) error { return r.commitOne(ctx, id) }) {
			got.ids = append(got.ids, id)
		}
	}
	if d := cmp.Diff(r.given, got, cmp.AllowUnexported(part{}), cmpopts.SortSlices(strings.Compare)); d != "" {
		r.Errorf("what it may (-want +got):\n%s", d)
	}
	for what, refused := range alterations {
		if r.may(what, refused.as, func(ctx context.Context) error { return refused.try(ctx, kadm.NewClient(writer)) }) {
			r.Errorf("it may %s", what)
		}
	}
}

// client is one with the settings of the application.
func (r *trial) client(more ...kgo.Opt) *kgo.Client {
	r.Helper()
	client, err := kgo.NewClient(append(more, r.settings...)...)
	must(r.T, err)
	r.Cleanup(client.Close)
	return client
}

// may says whether something is allowed, or refused as it must be.
func (r *trial) may(what string, refused error, try func(context.Context) error) bool {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	err := try(ctx)
	if err != nil && !errors.Is(err, refused) {
		r.Errorf("%s: %v, want %v", what, err, refused)
	}
	return err == nil
}

// member joins a group. One that may not gets to know a topic all the same, so
// that it is the group that it is refused.
func (r *trial) member(group string) *kgo.Client {
	r.Helper()
	g := teamGroups[group]
	topic := g.topic
	if !slices.Contains(r.given.groups, group) {
		topic = slices.Concat(r.given.writes, r.given.reads)[0]
	}
	return r.client(append(g.kind(group), kgo.ConsumeTopics(topic))...)
}

// commitOne sends a message in a transaction.
func (r *trial) commitOne(ctx context.Context, id string) error {
	client := r.client(kgo.TransactionalID(id))
	if _, _, err := client.ProducerID(ctx); err != nil {
		return err
	}
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	return errors.Join(writeOne(ctx, client, r.given.writes[0]), client.EndTransaction(ctx, kgo.TryCommit))
}

func writeOne(ctx context.Context, client *kgo.Client, topic string) error {
	return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Key: []byte("k"), Value: []byte("v")}).FirstErr()
}

// readOne waits for any message, and ends the client.
func readOne(ctx context.Context, client *kgo.Client) error {
	defer client.Close()
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

// alterations are what no application may do, and how it is refused.
var alterations = map[string]struct {
	as  error
	try func(context.Context, *kadm.Client) error
}{
	"create a topic": {kerr.TopicAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		_, err := admin.CreateTopic(ctx, 1, 1, nil, "checkout.mine")
		return err
	}},
	"delete a topic": {kerr.TopicAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		_, err := admin.DeleteTopic(ctx, "checkout.orders")
		return err
	}},
	"add partitions": {kerr.TopicAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.CreatePartitions(ctx, 1, "checkout.orders")
		return errors.Join(err, all.Error())
	}},
	"set a config": {kerr.TopicAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: new("1")}}, "checkout.orders")
		for _, one := range all {
			err = errors.Join(err, one.Err)
		}
		return err
	}},
	"delete a group": {kerr.GroupAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		_, err := admin.DeleteGroup(ctx, "billing.books")
		return err
	}},
	"set a password": {kerr.ClusterAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "admin", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "mine"}})
		return errors.Join(err, all.Error())
	}},
	"give a right": {kerr.ClusterAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.CreateACLs(ctx, kadm.NewACLs().Topics("*").Allow("User:me").AllowHosts().Operations(kadm.OpAll).ResourcePatternType(kadm.ACLPatternLiteral))
		for _, one := range all {
			err = errors.Join(err, one.Err)
		}
		return err
	}},
	"lift a limit": {kerr.ClusterAuthorizationFailed, func(ctx context.Context, admin *kadm.Client) error {
		all, err := admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: "user", Name: new("checkout.shop")}}, Ops: []kadm.AlterClientQuotaOp{{Key: "producer_byte_rate", Remove: true}},
		}})
		for _, one := range all {
			err = errors.Join(err, one.Err)
		}
		return err
	}},
}

// refusedOtherwise has Kafka's own client and librdkafka hear no as franz-go does.
func refusedOtherwise(u *user) {
	const topic = "checkout.orders"
	out, err := brokers.Tool(u.Context(), "VerifiableProducer", "--bootstrap-server", u.kafka.SASL()[0], "--topic", topic,
		"--max-messages", "1", "--command-config", u.settings("producer.bank", "--reveal"))
	if said := fmt.Sprint(out, err); !strings.Contains(said, "TopicAuthorizationException") {
		u.Errorf("Kafka's own client: %s", said)
	}
	producer, err := kafka.NewProducer(u.librdkafka("producer.bank"))
	must(u.T, err)
	defer producer.Close()
	delivered := make(chan kafka.Event, 1)
	to := kafka.TopicPartition{Topic: new(topic), Partition: kafka.PartitionAny}
	must(u.T, producer.Produce(&kafka.Message{TopicPartition: to, Value: []byte("v")}, delivered))
	if m, is := (<-delivered).(*kafka.Message); !is || m.TopicPartition.Error == nil || !strings.Contains(m.TopicPartition.Error.Error(), "Topic authorization failed") {
		u.Errorf("librdkafka: %v", m)
	}
}

// refusedDeployer has billing declare, take and delete what is checkout's, with
// all the rights that Kafka knows: the owner is named.
func refusedDeployer(billing *user) {
	billing.write("theft.hcl", `queue "carts" {
  topic      = "checkout.carts"
  partitions = 12
}

user "shop" {
  name     = "checkout.shop"
  password = env("BANK_PASSWORD")
}

quota "shop" {
  user               = "checkout.shop"
  producer_byte_rate = "1GiB"
}

delete "queue" "checkout.emails" {}

delete "user" "checkout.mailer" {}
`)
	billing.has(billing.run(1, "apply", "--auto-approve"),
		`"checkout.carts" belongs to topology "checkout"`, `"checkout.shop" belongs to topology "checkout"`,
		`"checkout.emails" belongs to topology "checkout"`, `"checkout.mailer" belongs to topology "checkout"`,
		`"user:checkout.shop" belongs to topology "checkout"`, "nothing was applied")
}

// delays hears how long brokers want to be left alone.
type delays struct{ longest atomic.Int64 }

// OnBrokerThrottle notes the last time that was not none.
func (d *delays) OnBrokerThrottle(_ kgo.BrokerMetadata, wait time.Duration, _ bool) {
	d.longest.Store(max(d.longest.Load(), int64(wait)))
}

// slowedDown has the shop send more than its quota lets through in the seconds
// over which a broker adds up.
func slowedDown(checkout *user) {
	checkout.Helper()
	const quota, seconds = 1 << 20, 11 // by the example, and by Kafka's defaults
	heard := &delays{}
	client := franz(checkout, "producer.shop", kgo.WithHooks(heard), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	value := make([]byte, 512<<10)
	ctx, cancel := context.WithTimeout(checkout.Context(), time.Minute)
	defer cancel()
	for sent := 0; heard.longest.Load() == 0; sent += len(value) {
		if sent > 4*quota*seconds {
			checkout.Fatalf("%d bytes are sent, and no broker slows the shop down", sent)
		}
		must(checkout.T, client.ProduceSync(ctx, &kgo.Record{Topic: "checkout.emails", Value: value}).FirstErr())
	}
}
