package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/clientconf"
	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const applications = `topology "apps" {}

cluster "real" {
  bootstrap_servers = %q

  sasl {
    mechanism = "SCRAM-SHA-512"
    username  = "admin"
    password  = env("ADMIN_PASSWORD")
  }
}

queue "orders" {
  topic      = "apps.orders"
  partitions = 4
}

user "writer" {
  name     = "apps.writer"
  password = env("WRITER_PASSWORD")
}

user "reader" {
  name     = "apps.reader"
  password = env("READER_PASSWORD")
}

producer "checkout" {
  queues    = [queue.orders]
  principal = user.writer
  client = {
    "linger.ms"        = "5ms"
    "batch.size"       = "64KiB"
    "buffer.memory"    = "auto"
    "compression.type" = "gzip"
    "client.id"        = "na\u00efve: app"
  }
}

producer "ledger" {
  queues                  = [queue.orders]
  principal               = user.writer
  transactional_id_prefix = "apps-ledger-"
}

consumer_group "billing" {
  group_id  = "apps.billing"
  queues    = [queue.orders]
  protocol  = "consumer"
  start     = "earliest"
  principal = user.reader
  client = {
    "max.poll.records" = 10
    "fetch.max.bytes"  = "1MiB"
  }
}

consumer_group "audit" {
  group_id  = "apps.audit"
  queues    = [queue.orders]
  protocol  = "classic"
  start     = "earliest"
  principal = user.reader
  client = {
    "session.timeout.ms"    = "30s"
    "heartbeat.interval.ms" = "5s"
  }
}

consumer_group "work" {
  group_id  = "apps.work"
  queues    = [queue.orders]
  protocol  = "share"
  start     = "earliest"
  principal = user.reader
}
`

// passwords are what files and shells have to quote, as far as a client of Java
// takes a reference to them: not with the quotes of JAAS.
var passwords = map[string]string{"WRITER_PASSWORD": `it's $ome #secret=!`, "READER_PASSWORD": `o'th"er \s\ecret$`}

// newApplications is a user with the applications, their topic and their users.
func newApplications(t *testing.T) *user {
	t.Helper()
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.env = []string{"QUEUEFORM_BOOTSTRAP_SERVERS="}
	u.write("apps.hcl", fmt.Sprintf(applications, strings.Join(u.kafka.SASL(), ",")))
	admin := kadm.NewClient(u.client())
	if _, err := admin.CreateTopic(t.Context(), 4, 3, nil, "apps.orders"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.DeleteTopic(u.client().Context(), "apps.orders"); err != nil {
			t.Error(err)
		}
	})
	var users []kadm.UpsertSCRAM
	for name, variable := range map[string]string{"apps.writer": "WRITER_PASSWORD", "apps.reader": "READER_PASSWORD"} {
		users = append(users, kadm.UpsertSCRAM{User: name, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: passwords[variable]})
	}
	if _, err := admin.AlterUserSCRAMs(t.Context(), nil, users); err != nil {
		t.Fatal(err)
	}
	shareFromTheFirst(u, "apps.work")
	return u
}

// shareFromTheFirst has a share group start at the first message.
func shareFromTheFirst(u *user, group string) {
	u.Helper()
	key := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	key.Name, key.Value = "share.auto.offset.reset", new("earliest")
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	resource.Configs = append(resource.Configs, key)
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	request.Resources = append(request.Resources, resource)
	response, err := request.RequestWith(u.Context(), u.client())
	if err == nil {
		err = kerr.ErrorForCode(response.Resources[0].ErrorCode)
	}
	if err != nil {
		u.Fatal(err)
	}
}

// settings is what queueform prints for an application, as a file.
func (u *user) settings(application string, args ...string) string {
	u.Helper()
	command := u.command(append([]string{"client", application}, args...)...)
	var talk bytes.Buffer
	command.Stderr = &talk
	text, err := command.Output()
	if err != nil {
		u.Fatalf("%v\n%s", err, &talk)
	}
	path := filepath.Join(u.TempDir(), "client")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		u.Fatal(err)
	}
	return path
}

// librdkafka is the settings as that takes them.
func (u *user) librdkafka(application string) *kafka.ConfigMap {
	u.Helper()
	all := kafka.ConfigMap{}
	for name, value := range u.object(application, "librdkafka") {
		all[name] = value
	}
	return &all
}

// object is the settings, revealed, as JSON has them.
func (u *user) object(application, format string) map[string]string {
	u.Helper()
	text, err := os.ReadFile(u.settings(application, "--format", format, "--reveal"))
	if err != nil {
		u.Fatal(err)
	}
	all := map[string]string{}
	if err := json.Unmarshal(text, &all); err != nil {
		u.Fatal(err)
	}
	return all
}

// TestJavaClients has Kafka's own clients read the properties: with references
// to the environment, which they resolve, and with the passwords themselves.
func TestJavaClients(t *testing.T) {
	u := newApplications(t)
	u.env = append(u.env, "WRITER_PASSWORD="+passwords["WRITER_PASSWORD"], "READER_PASSWORD="+passwords["READER_PASSWORD"])
	t.Setenv("WRITER_PASSWORD", passwords["WRITER_PASSWORD"])
	t.Setenv("HOSTNAME", "one")
	send := func(settings string) {
		t.Helper()
		tool(t, "ProducerPerformance", "--command-config", settings, "--topic", "apps.orders", "--num-records", "10", "--record-size", "20", "--throughput", "-1")
	}
	send(u.settings("producer.checkout"))
	send(u.settings("producer.checkout", "--reveal", "--sources"))
	send(u.settings("ledger"))
	receive := func(class, application string) {
		t.Helper()
		out := tool(t, class, "--bootstrap-server", u.kafka.SASL()[0], "--topic", "apps.orders", "--max-messages", "30", "--timeout-ms", "30000",
			"--command-config", u.settings(application, "--reveal"))
		if got := strings.Count(out, "\n"); got != 30 {
			t.Errorf("%s: %d messages\n%s", application, got, out)
		}
	}
	receive("consumer.ConsoleConsumer", "consumer_group.billing")
	receive("consumer.ConsoleConsumer", "audit")
	receive("consumer.ConsoleShareConsumer", "work")
	groups := u.tool("GroupsCommand", "--list")
	for group, protocol := range map[string]string{"apps.billing": "consumer", "apps.audit": "classic", "apps.work": "share"} {
		if !regexp.MustCompile(`(?mi)^` + group + `\s.*\b` + protocol + `\b`).MatchString(groups) {
			t.Errorf("%s does not use %s:\n%s", group, protocol, groups)
		}
	}
}

func tool(t *testing.T, class string, args ...string) string {
	t.Helper()
	out, err := brokers.Tool(t.Context(), class, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOtherClients has librdkafka and franz-go connect with what they are given.
// Each puts a key on the partition that the other does, as Java would.
func TestOtherClients(t *testing.T) {
	u := newApplications(t)
	u.env = append(u.env, "WRITER_PASSWORD="+passwords["WRITER_PASSWORD"], "READER_PASSWORD="+passwords["READER_PASSWORD"])
	sendByLibrdkafka(u, "producer.checkout", 40)
	writer := franz(u, "producer.checkout")
	for i := range 40 {
		record := &kgo.Record{Topic: "apps.orders", Key: fmt.Appendf(nil, "key-%d", i), Value: []byte("franz-go")}
		if err := writer.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}

	for _, group := range []string{"audit", "billing"} {
		partitions := receiveByLibrdkafka(u, group, 80)
		if d := cmp.Diff(partitions["franz-go"], partitions["librdkafka"]); d != "" || len(partitions["franz-go"]) != 40 {
			t.Errorf("%s: the keys differ: %s\n%v", group, d, partitions)
		}
	}
}

// sendByLibrdkafka sends messages with keys.
func sendByLibrdkafka(u *user, application string, count int) {
	u.Helper()
	producer, err := kafka.NewProducer(u.librdkafka(application))
	if err != nil {
		u.Fatal(err)
	}
	defer producer.Close()
	topic, delivered := "apps.orders", make(chan kafka.Event, count)
	for i := range count {
		message := &kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Key: fmt.Appendf(nil, "key-%d", i), Value: []byte("librdkafka"),
		}
		if err := producer.Produce(message, delivered); err != nil {
			u.Fatal(err)
		}
	}
	for range count {
		select {
		case event := <-delivered:
			if message, ok := event.(*kafka.Message); !ok || message.TopicPartition.Error != nil {
				u.Fatalf("not delivered: %v", event)
			}
		case <-time.After(time.Minute):
			u.Fatal("librdkafka does not deliver")
		}
	}
}

// receiveByLibrdkafka tells the partition of each key, by the value it came with.
func receiveByLibrdkafka(u *user, application string, count int) map[string]map[string]int32 {
	u.Helper()
	consumer, err := kafka.NewConsumer(u.librdkafka(application))
	if err != nil {
		u.Fatal(err)
	}
	defer func() {
		if err := consumer.Close(); err != nil {
			u.Error(err)
		}
	}()
	if err := consumer.Subscribe("apps.orders", nil); err != nil {
		u.Fatal(err)
	}
	partitions := map[string]map[string]int32{"librdkafka": {}, "franz-go": {}}
	for range count {
		message, err := consumer.ReadMessage(time.Minute)
		if err != nil {
			u.Fatal(err)
		}
		partitions[string(message.Value)][string(message.Key)] = message.TopicPartition.Partition
	}
	return partitions
}

var jaas = regexp.MustCompile(`username="(.*)" password="(.*)";`)

// franz is a client of franz-go with the settings of an application.
func franz(u *user, application string, more ...kgo.Opt) *kgo.Client {
	u.Helper()
	client, err := kgo.NewClient(append(more, u.franz(application)...)...)
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(client.Close)
	return client
}

// franz is the settings as franz-go takes them, from those by the names of Java.
func (u *user) franz(application string) []kgo.Opt {
	u.Helper()
	all := u.object(application, "json")
	login := jaas.FindStringSubmatch(all["sasl.jaas.config"])
	if login == nil || all["sasl.mechanism"] != "SCRAM-SHA-512" {
		u.Fatalf("nobody to log in: %v", all)
	}
	return []kgo.Opt{
		kgo.SeedBrokers(strings.Split(all["bootstrap.servers"], ",")...),
		kgo.SASL(scram.Auth{User: login[1], Pass: login[2]}.AsSha512Mechanism()),
		kgo.ClientID(all["client.id"]),
	}
}

var refusal = regexp.MustCompile(`ConfigException: (.*) cannot be set when`)

// TestRefusedSettings gives Kafka's own clients all settings that they know, and
// wants those refused that queueform refuses.
func TestRefusedSettings(t *testing.T) {
	for protocol, class := range map[schema.Protocol]string{schema.Classic: "ConsoleConsumer", schema.Consumer: "ConsoleConsumer", schema.Share: "ConsoleShareConsumer"} {
		refused := clientconf.Refused(protocol)
		var text strings.Builder
		for _, key := range catalog.Consumer {
			switch named := slices.Contains(refused, key.Name); {
			case key.Name == "group.protocol" && protocol != schema.Share:
				fmt.Fprintf(&text, "group.protocol=%s\n", protocol)
			case named && key.Null:
				fmt.Fprintf(&text, "%s=x\n", key.Name)
			case !key.Null:
				fmt.Fprintf(&text, "%s=%s\n", key.Name, key.Default)
			}
		}
		settings := filepath.Join(t.TempDir(), "client.properties")
		if err := os.WriteFile(settings, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := brokers.Tool(t.Context(), "consumer."+class, "--bootstrap-server", "127.0.0.1:1", "--topic", "x", "--timeout-ms", "1", "--command-config", settings)
		if err == nil {
			t.Errorf("%s: nothing is refused", protocol)
			continue
		}
		match := refusal.FindStringSubmatch(err.Error())
		if match == nil {
			t.Errorf("%s: %v", protocol, err)
			continue
		}
		got := strings.Split(match[1], ", ")
		slices.Sort(got)
		if d := cmp.Diff(refused, got); d != "" {
			t.Errorf("%s: %s", protocol, d)
		}
	}
}

// TestSecuredClients has the clients trust an authority and show a certificate,
// from the files of the tls block.
func TestSecuredClients(t *testing.T) {
	const login = "apps.writer"
	config, certificate, key := selfSigned(t)
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "apps.orders"), kfake.TLS(config),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", login, passwords["WRITER_PASSWORD"]))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	u := &user{T: t, servers: fake.ListenAddrs(), dir: t.TempDir(), env: []string{
		"QUEUEFORM_TLS_CA_FILE=" + certificate, "QUEUEFORM_TLS_CERT_FILE=" + certificate, "QUEUEFORM_TLS_KEY_FILE=" + key,
		"WRITER_PASSWORD=" + passwords["WRITER_PASSWORD"],
	}}
	u.write("apps.hcl", fmt.Sprintf(applications, "127.0.0.1:1"))
	t.Setenv("WRITER_PASSWORD", passwords["WRITER_PASSWORD"])
	tool(t, "ProducerPerformance", "--command-config", u.settings("checkout"), "--topic", "apps.orders", "--num-records", "10", "--record-size", "20", "--throughput", "-1")
	sendByLibrdkafka(u, "checkout", 10)
}

// TestLibrdkafkaNames gives librdkafka all that the Java client has a default
// for, under the names that it is to have there.
func TestLibrdkafkaNames(t *testing.T) {
	cluster := clientconf.Cluster{Cluster: &schema.Cluster{BootstrapServers: []string{"127.0.0.1:1"}}}
	settings := func(r schema.Resource) *kafka.ConfigMap {
		text, _, err := clientconf.Of(&schema.Topology{}, r, cluster).Render(clientconf.Options{Format: clientconf.Librdkafka})
		if err != nil {
			t.Fatal(err)
		}
		named, all := map[string]string{}, kafka.ConfigMap{}
		if err := json.Unmarshal([]byte(text), &named); err != nil {
			t.Fatal(err)
		}
		for name, value := range named {
			all[name] = value
		}
		return &all
	}
	producer, err := kafka.NewProducer(settings(&schema.Producer{Client: defaults(catalog.Producer)}))
	if err != nil {
		t.Fatal(err)
	}
	producer.Close()
	consumer, err := kafka.NewConsumer(settings(&schema.Group{GroupID: "g", Protocol: schema.Classic, Client: defaults(catalog.Consumer)}))
	if err != nil {
		t.Fatal(err)
	}
	if err := consumer.Close(); err != nil {
		t.Error(err)
	}
}

// defaults are those that the client has itself, of what a block may declare.
func defaults(table catalog.Table) map[string]schema.Setting {
	all := map[string]schema.Setting{}
	for _, key := range table {
		if key.Default != "" && clientconf.DerivedFrom(key.Name) == "" {
			all[key.Name] = schema.Setting{Value: key.Default}
		}
	}
	return all
}
