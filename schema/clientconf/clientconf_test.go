package clientconf_test

import (
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/clientconf"
)

func addr(kind schema.Kind, label string) schema.Addr { return schema.Addr{Kind: kind, Label: label} }

// decl is written in shop.hcl, its attributes each on a line.
func decl(kind schema.Kind, label string, attrs ...string) schema.Decl {
	at := func(line int) hcl.Range {
		return hcl.Range{Filename: "shop.hcl", Start: hcl.Pos{Line: line, Column: 1}, End: hcl.Pos{Line: line, Column: 9}}
	}
	d := schema.Decl{Addr: addr(kind, label), Written: schema.Written{Source: at(1), Attrs: map[string]hcl.Range{}}}
	for i, attr := range attrs {
		d.Attrs[attr] = at(i + 2)
	}
	return d
}

func secret(text string) schema.Secret {
	return schema.NewSecret(func() (string, error) { return text, nil })
}

func settings(pairs ...string) map[string]schema.Setting {
	all := map[string]schema.Setting{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = schema.Setting{Value: pairs[i+1], Spelling: pairs[i+1]}
	}
	return all
}

// topology has its resources sorted by address.
func topology(resources ...schema.Resource) *schema.Topology {
	checkout := &schema.User{
		Decl: decl(schema.KindUser, "checkout"), Name: "checkout", Mechanisms: []schema.Mechanism{schema.ScramSHA256, schema.ScramSHA512},
		Password: secret(`pa"ss\w$ord`).In("CHECKOUT_SECRET"),
	}
	resources = append(resources, checkout,
		&schema.Queue{Decl: decl(schema.KindQueue, "orders"), Topic: "shop.orders", Partitions: 12},
		&schema.Queue{Decl: decl(schema.KindQueue, "wide"), Topic: "shop.wide", Partitions: 2000},
	)
	slices.SortFunc(resources, func(a, b schema.Resource) int { return a.Declared().Addr.Compare(b.Declared().Addr) })
	return &schema.Topology{Name: "shop", Resources: resources}
}

var (
	bare = clientconf.Cluster{Cluster: &schema.Cluster{BootstrapServers: []string{"b1:9092", "b2:9092"}}}
	sasl = clientconf.Cluster{
		Cluster: &schema.Cluster{
			Name: "prod", BootstrapServers: []string{"b1:9093"}, TLS: &schema.TLS{CAFile: "/etc/ca.pem", CertFile: "/etc/tls/it.pem", KeyFile: "/etc/tls/key.pem"},
			SASL: &schema.SASL{Mechanism: schema.ScramSHA256, Username: "deployer", Password: secret("deployer-secret")},
		},
		From: map[string]string{"bootstrap_servers": "--bootstrap-servers", "tls": "QUEUEFORM_TLS", "sasl": "QUEUEFORM_SASL_MECHANISM"},
	}
)

// render gives the settings as JSON has them, and the notes.
func render(t *testing.T, r schema.Resource, c clientconf.Cluster, o clientconf.Options) (map[string]string, []string) {
	t.Helper()
	text, notes, err := clientconf.Of(topology(r), r, c).Render(o)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all, notes
}

func producer(client map[string]schema.Setting, queues ...string) *schema.Producer {
	p := &schema.Producer{Decl: decl(schema.KindProducer, "checkout", "principal", "client.linger.ms", "client.buffer.memory"), Client: client}
	for _, label := range queues {
		p.Queues = append(p.Queues, addr(schema.KindQueue, label))
	}
	return p
}

func TestProducer(t *testing.T) {
	p := producer(settings("linger.ms", "5", "acks", "all"), "orders")
	p.Principal, p.TransactionalIDPrefix = "User:checkout", "checkout-"
	got, notes := render(t, p, sasl, clientconf.Options{Format: clientconf.JSON})
	want := map[string]string{
		"acks":                             "all",
		"bootstrap.servers":                "b1:9093",
		"config.providers":                 "env,directory",
		"config.providers.directory.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
		"config.providers.env.class":       "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
		"linger.ms":                        "5",
		"sasl.jaas.config":                 `org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="${env:CHECKOUT_SECRET}";`,
		"sasl.mechanism":                   "SCRAM-SHA-256",
		"security.protocol":                "SASL_SSL",
		"ssl.keystore.certificate.chain":   "${directory:/etc/tls:it.pem}",
		"ssl.keystore.key":                 "${directory:/etc/tls:key.pem}",
		"ssl.keystore.type":                "PEM",
		"ssl.truststore.location":          "/etc/ca.pem",
		"ssl.truststore.type":              "PEM",
		"transactional.id":                 "checkout-${env:HOSTNAME}",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if text := strings.Join(notes, "\n"); len(notes) != 2 || !strings.Contains(text, "/etc/tls/it.pem") || !strings.Contains(text, "HOSTNAME") {
		t.Errorf("notes: %q", notes)
	}
}

// A revealed password is quoted as JAAS wants it.
func TestReveal(t *testing.T) {
	p := producer(nil)
	p.Principal = "User:checkout"
	got, _ := render(t, p, bare, clientconf.Options{Format: clientconf.JSON, Reveal: true})
	want := map[string]string{
		"bootstrap.servers": "b1:9092,b2:9092",
		"sasl.jaas.config":  `org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="pa\"ss\\w$ord";`,
		"sasl.mechanism":    "SCRAM-SHA-512",
		"security.protocol": "SASL_PLAINTEXT",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got, _ = render(t, p, bare, clientconf.Options{Format: clientconf.Librdkafka, Reveal: true})
	if got["sasl.password"] != `pa"ss\w$ord` {
		t.Errorf("sasl.password is %s", got["sasl.password"])
	}
}

// A password that has no value is an error only to who wants to see it.
func TestRevealUnset(t *testing.T) {
	p := producer(nil)
	p.Principal = "User:deployer"
	c := *sasl.Cluster
	c.SASL = &schema.SASL{Mechanism: schema.Plain, Username: "deployer", Password: schema.NewSecret(func() (string, error) { return "", errors.New("it is not set") })}
	client := clientconf.Of(topology(p), p, clientconf.Cluster{Cluster: &c})
	if _, _, err := client.Render(clientconf.Options{Format: clientconf.Env}); err != nil {
		t.Error(err)
	}
	if _, _, err := client.Render(clientconf.Options{Format: clientconf.Env, Reveal: true}); err == nil || err.Error() != "it is not set" {
		t.Errorf("the error is %v", err)
	}
}

// Who logs in: the principal, never who applies.
func TestLogin(t *testing.T) {
	for name, test := range map[string]struct {
		principal string
		sasl      *schema.SASL
		want      string // sasl.jaas.config, as far as it begins so
		note      string
	}{
		"a user, and no login in the cluster block": {
			"User:checkout", nil, `org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="${env:CHECKOUT_SECRET}";`, "",
		},
		"a user where others use PLAIN": {
			"User:checkout", &schema.SASL{Mechanism: schema.Plain},
			`org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="${env:CHECKOUT_SECRET}";`, "",
		},
		"somebody else": {
			"User:bill-ing", &schema.SASL{Mechanism: schema.Plain, Username: "deployer", Password: secret("deployer-secret")},
			`org.apache.kafka.common.security.plain.PlainLoginModule required username="bill-ing" password="${env:BILL_ING_PASSWORD}";`, "BILL_ING_PASSWORD",
		},
		"who applies": {
			"User:deployer", &schema.SASL{Mechanism: schema.Plain, Username: "deployer", Password: secret("x").In("DEPLOY")},
			`org.apache.kafka.common.security.plain.PlainLoginModule required username="deployer" password="${env:DEPLOY}";`, "",
		},
		"nobody": {
			"", &schema.SASL{Mechanism: schema.ScramSHA512, Username: "deployer"},
			`org.apache.kafka.common.security.scram.ScramLoginModule required username="${env:KAFKA_USERNAME}" password="${env:KAFKA_PASSWORD}";`, "KAFKA_USERNAME",
		},
		"a token URL": {
			"User:billing", &schema.SASL{Mechanism: schema.OAuthBearer, TokenURL: "https://id/token", ClientID: "deployer", Scope: "kafka"},
			`org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId="billing" clientSecret="${env:BILLING_CLIENT_SECRET}" scope="kafka";`,
			"billing is not declared as a user: set BILLING_CLIENT_SECRET to its secret\nJava goes to a token URL that it is allowed to: -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=https://id/token",
		},
		"AWS":             {"", &schema.SASL{Mechanism: schema.AWSMSKIAM}, "software.amazon.msk.auth.iam.IAMLoginModule required;", ""},
		"without a login": {"User:billing", nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := producer(nil)
			p.Principal = test.principal
			got, notes := render(t, p, clientconf.Cluster{Cluster: &schema.Cluster{BootstrapServers: []string{"b:1"}, SASL: test.sasl}}, clientconf.Options{Format: clientconf.JSON})
			if d := cmp.Diff(test.want, got["sasl.jaas.config"]); d != "" {
				t.Error(d)
			}
			if text := strings.Join(notes, "\n"); !strings.Contains(text, test.note) || (text == "") != (test.note == "") {
				t.Errorf("notes: %q", notes)
			}
			if encrypted := strings.HasSuffix(got["security.protocol"], "SSL"); encrypted != (name == "AWS") {
				t.Errorf("security.protocol is %s", got["security.protocol"])
			}
		})
	}
}

func TestAutoMemory(t *testing.T) {
	for name, test := range map[string]struct {
		client map[string]schema.Setting
		queues []string
		want   string
	}{
		"the least":          {settings(), []string{"orders"}, "33554432"},
		"batches":            {settings("batch.size", "65536"), []string{"wide", "orders"}, "263716864"}, // 65536 x 2012 x 2
		"default batches":    {settings(), []string{"wide"}, "65536000"},
		"requests":           {settings("max.request.size", "33554433"), []string{"orders"}, "67108866"},
		"unknown queues":     {settings("batch.size", "33554432"), []string{"elsewhere"}, "67108864"},
		"more batches still": {settings("batch.size", "65536", "max.request.size", "33554433"), []string{"wide"}, "262144000"},
	} {
		t.Run(name, func(t *testing.T) {
			test.client["buffer.memory"] = schema.Setting{Value: "auto", Spelling: "auto"}
			got, notes := render(t, producer(test.client, test.queues...), bare, clientconf.Options{Format: clientconf.JSON})
			if got["buffer.memory"] != test.want {
				t.Errorf("buffer.memory is %s, want %s", got["buffer.memory"], test.want)
			}
			if unknown := test.queues[0] == "elsewhere"; unknown != strings.Contains(strings.Join(notes, "\n"), "queue.elsewhere") {
				t.Errorf("notes: %q", notes)
			}
		})
	}
}

func TestGroup(t *testing.T) {
	common := map[string]string{"bootstrap.servers": "b1:9092,b2:9092", "security.protocol": "PLAINTEXT", "group.id": "billing"}
	for name, test := range map[string]struct {
		protocol schema.Protocol
		start    schema.Start
		more     map[string]string
	}{
		"classic":              {schema.Classic, "", map[string]string{"group.protocol": "classic"}},
		"from the first":       {schema.Consumer, schema.Earliest, map[string]string{"group.protocol": "consumer", "auto.offset.reset": "earliest"}},
		"from the last":        {schema.Consumer, schema.Latest, map[string]string{"group.protocol": "consumer", "auto.offset.reset": "latest"}},
		"from a time":          {schema.Classic, "2026-01-01T00:00:00Z", map[string]string{"group.protocol": "classic", "auto.offset.reset": "earliest"}},
		"share from the first": {schema.Share, schema.Earliest, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := &schema.Group{Decl: decl(schema.KindGroup, "billing"), GroupID: "billing", Protocol: test.protocol, Start: test.start}
			got, _ := render(t, g, bare, clientconf.Options{Format: clientconf.JSON})
			for name, value := range common {
				test.more = with(test.more, name, value)
			}
			if d := cmp.Diff(test.more, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func with(all map[string]string, name, value string) map[string]string {
	if all == nil {
		all = map[string]string{}
	}
	all[name] = value
	return all
}

func TestLibrdkafka(t *testing.T) {
	p := producer(settings("buffer.memory", "33554433", "max.request.size", "2097152", "max.block.ms", "1000", "send.buffer.bytes", "-1", "socket.keepalive.enable", "true", "linger.ms", "5"))
	p.Principal = "User:checkout"
	got, notes := render(t, p, sasl, clientconf.Options{Format: clientconf.Librdkafka})
	want := map[string]string{
		"bootstrap.servers":          "b1:9093",
		"queue.buffering.max.kbytes": "32769",
		"linger.ms":                  "5",
		"message.max.bytes":          "2097152",
		"partitioner":                "murmur2_random",
		"sasl.mechanism":             "SCRAM-SHA-256",
		"sasl.password":              "${CHECKOUT_SECRET}",
		"sasl.username":              "checkout",
		"security.protocol":          "SASL_SSL",
		"socket.keepalive.enable":    "true",
		"socket.send.buffer.bytes":   "0",
		"ssl.ca.location":            "/etc/ca.pem",
		"ssl.certificate.location":   "/etc/tls/it.pem",
		"ssl.key.location":           "/etc/tls/key.pem",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "no equivalent: max.block.ms (shop.hcl:1:1)") {
		t.Errorf("notes: %q", notes)
	}
	g := &schema.Group{GroupID: "g", Protocol: schema.Classic, Client: settings(
		"partition.assignment.strategy", "org.apache.kafka.clients.consumer.RoundRobinAssignor,org.apache.kafka.clients.consumer.RangeAssignor",
		"auto.offset.reset", "none",
	)}
	got, notes = render(t, g, bare, clientconf.Options{Format: clientconf.Librdkafka})
	want = map[string]string{
		"bootstrap.servers": "b1:9092,b2:9092", "group.id": "g", "partition.assignment.strategy": "roundrobin,range", "security.protocol": "PLAINTEXT",
	}
	if d := cmp.Diff(want, got); d != "" || len(notes) != 1 {
		t.Errorf("%s\nnotes: %q", d, notes)
	}
}

// What is declared under librdkafka's own name is what librdkafka gets.
func TestLibrdkafkasOwn(t *testing.T) {
	p := producer(settings("max.request.size", "7000", "message.max.bytes", "5000", "partitioner", "consistent_random"))
	got, notes := render(t, p, bare, clientconf.Options{Format: clientconf.Librdkafka})
	want := map[string]string{
		"bootstrap.servers": "b1:9092,b2:9092", "message.max.bytes": "5000", "partitioner": "consistent_random", "security.protocol": "PLAINTEXT",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"librdkafka's own message.max.bytes (shop.hcl:1:1) stands in place of max.request.size (shop.hcl:1:1)"}, notes); d != "" {
		t.Error(d)
	}
}

func TestProperties(t *testing.T) {
	p := producer(settings("linger.ms", "5", "client.id", " ä\\b\n😀=", "odd key:", "x"))
	p.Principal, p.TransactionalID = "User:checkout", "one"
	text, _, err := clientconf.Of(topology(p), p, bare).Render(clientconf.Options{Format: clientconf.Properties, Sources: true})
	if err != nil {
		t.Fatal(err)
	}
	want := `# shop.hcl:1:1
client.id=\ \u00e4\\b\u000a\ud83d\ude00=
# derived from the references
config.providers=env
# derived from the references
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
# shop.hcl:3:1
linger.ms=5
# shop.hcl:1:1
odd\ key\:=x
# shop.hcl:1:1
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="${env:CHECKOUT_SECRET}";
# shop.hcl:1:1
sasl.mechanism=SCRAM-SHA-512
# derived from tls and sasl
security.protocol=SASL_PLAINTEXT
# shop.hcl:1:1
transactional.id=one
`
	_, got, _ := strings.Cut(text, "b1:9092,b2:9092\n")
	if d := cmp.Diff(want, strings.Split(text, "# :0:0\n")[0]+got); d != "" {
		t.Error(d)
	}
}

// A shell takes the lines as they are meant.
func TestEnv(t *testing.T) {
	p := producer(settings("client.id", "it's $HOME `x`"))
	p.Principal, p.TransactionalIDPrefix = "User:checkout", "a$b-"
	text, _, err := clientconf.Of(topology(p), p, bare).Render(clientconf.Options{Format: clientconf.Env, Sources: true})
	if err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("sh", "-c", text+"\n"+`printf '%s\n' "$KAFKA_CLIENT_ID" "$KAFKA_TRANSACTIONAL_ID" "$KAFKA_SASL_JAAS_CONFIG"`)
	shell.Env = []string{"CHECKOUT_SECRET=s3cret", "HOSTNAME=pod-1"}
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "it's $HOME `x`\na$b-pod-1\n" + `org.apache.kafka.common.security.scram.ScramLoginModule required username="checkout" password="s3cret";` + "\n"
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Error(d)
	}
}

// In JSON, the source stands beside the value.
func TestSources(t *testing.T) {
	p := producer(settings("linger.ms", "5", "buffer.memory", "auto"), "orders")
	text, _, err := clientconf.Of(topology(p), p, sasl).Render(clientconf.Options{Format: clientconf.JSON, Sources: true})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]struct{ Value, Source string }
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"linger.ms":           "shop.hcl:3:1",
		"bootstrap.servers":   "--bootstrap-servers",
		"buffer.memory":       "shop.hcl:4:1, derived from the least that auto gives, 32 MiB",
		"ssl.truststore.type": "QUEUEFORM_TLS",
	} {
		if got[name].Source != want {
			t.Errorf("%s is from %q, want %q", name, got[name].Source, want)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	p := producer(nil)
	_, _, err := clientconf.Of(topology(p), p, bare).Render(clientconf.Options{Format: "toml"})
	if err == nil || !strings.Contains(err.Error(), "properties, librdkafka, env, json") {
		t.Errorf("the error is %v", err)
	}
}

// A provider of the block's own stays.
func TestConfigProviders(t *testing.T) {
	p := producer(settings("config.providers", "vault"))
	p.Principal = "User:checkout"
	got, _ := render(t, p, bare, clientconf.Options{Format: clientconf.JSON})
	if got["config.providers"] != "vault,env" {
		t.Errorf("config.providers is %s", got["config.providers"])
	}
}
