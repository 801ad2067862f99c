package lang_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/lang"
)

func decl(kind schema.Kind, label string) schema.Decl {
	return schema.Decl{Addr: schema.Addr{Kind: kind, Label: label}}
}

// theTopics is what the blocks of TestUses refer to.
const (
	theTopics = `
		queue "orders" {
			topic      = "shop.orders"
			partitions = 3
			config     = { "max.message.bytes" = "1MiB" }
		}
		queue "shard" {
			for_each = toset(["us", "eu"])
			topic    = "shard.${each.key}"
		}
		external "queue" "payments" {}`
	theTopicsJSON = `
		"queue": {
			"orders": {"topic": "shop.orders", "partitions": 3, "config": {"max.message.bytes": "1MiB"}},
			"shard": {"for_each": "${toset([\"us\", \"eu\"])}", "topic": "shard.${each.key}"}
		},
		"external": {"queue": {"payments": {}}},`
)

var (
	orders   = schema.Addr{Kind: schema.KindQueue, Label: "orders"}
	eu       = schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: "eu", Keyed: true}
	us       = schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: "us", Keyed: true}
	payments = schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: "payments"}
)

// TestUses compares what the blocks of those who use queues are evaluated to,
// in the native syntax and in JSON.
func TestUses(t *testing.T) {
	lag := int64(10_000)
	for _, test := range []struct {
		name, native, json string
		want               []schema.Resource
	}{
		{
			name: "producers",
			native: `
				producer "all" {
					description      = "Writes ${queue.orders.topic}"
					labels           = { partitions = queue.orders.partitions }
					queues           = [queue.shard, external.queue.payments, queue.orders]
					principal        = user.checkout
					transactional_id = "all-1"
					client = {
						"linger.ms"        = "5ms"
						"max.request.size" = queue.orders.config["max.message.bytes"]
						"acks"             = -1
						"enable.metrics.push" = true
						"compression.type" = 1 > 2 ? "x" : null
					}
					quota {
						producer_byte_rate = "10MiB"
						request_percentage = 0.5
					}
				}
				producer "each" {
					for_each                = { for key, q in queue.shard : key => q if key == "eu" }
					queues                  = [each.value]
					principal               = "User:each"
					transactional_id_prefix = "${each.value.topic}-"
				}
				user "checkout" {
					name     = "team.checkout"
					password = env("NOT_SET")
				}`,
			json: `
				"producer": {
					"all": {
						"description": "Writes ${queue.orders.topic}",
						"labels": {"partitions": "${queue.orders.partitions}"},
						"queues": ["queue.shard", "external.queue.payments", "${queue.orders}"],
						"principal": "user.checkout",
						"transactional_id": "all-1",
						"client": {
							"linger.ms": "5ms", "max.request.size": "${queue.orders.config[\"max.message.bytes\"]}", "acks": -1, "enable.metrics.push": true,
							"compression.type": "${1 > 2 ? \"x\" : null}"
						},
						"quota": {"producer_byte_rate": "10MiB", "request_percentage": 0.5}
					},
					"each": {
						"for_each": "${{ for key, q in queue.shard : key => q if key == \"eu\" }}",
						"queues": ["${each.value}"],
						"principal": "User:each",
						"transactional_id_prefix": "${each.value.topic}-"
					}
				},
				"user": {"checkout": {"name": "team.checkout", "password": "${env(\"NOT_SET\")}"}}`,
			want: []schema.Resource{
				&schema.Producer{
					Decl:   schema.Decl{Addr: schema.Addr{Kind: schema.KindProducer, Label: "all"}, Description: "Writes shop.orders", Labels: map[string]string{"partitions": "3"}},
					Queues: []schema.Addr{eu, us, payments, orders}, Principal: "User:team.checkout", TransactionalID: "all-1",
					Client: settings("linger.ms", "5", "5ms", "max.request.size", "1048576", "1048576", "acks", "-1", "-1", "enable.metrics.push", "true", "true"),
					Quota:  schema.Limits{schema.ProducerByteRate: 10 << 20, schema.RequestPercentage: 0.5},
				},
				&schema.Producer{
					Decl:   schema.Decl{Addr: schema.Addr{Kind: schema.KindProducer, Label: "each", Key: "eu", Keyed: true}},
					Queues: []schema.Addr{eu}, Principal: "User:each", TransactionalIDPrefix: "shard.eu-",
				},
				&schema.User{Decl: decl(schema.KindUser, "checkout"), Name: "team.checkout", Mechanisms: []schema.Mechanism{schema.ScramSHA512}, Iterations: 8192, PasswordVersion: 1},
			},
		},
		{
			name: "groups",
			native: `
				consumer_group "billing" {
					queues    = concat([queue.orders], values(queue.shard))
					protocol  = "consumer"
					start     = "2026-01-31T08:00:00+01:00"
					principal = "User:billing"
					config    = { "consumer.session.timeout.ms" = "45s" }
					client    = { "max.poll.interval.ms" = "5m" }
					members   = queue.orders.partitions
					max_lag   = 10000
					quota { consumer_byte_rate = 5 }
				}
				consumer_group "work" {
					group_id = "Rechnung Ä/…"
					queues   = [queue.orders]
					protocol = "share"
					start    = "earliest"
					client   = { "client.id" = "work" }
					quota { controller_mutation_rate = 1 }
				}`,
			json: `
				"consumer_group": {
					"billing": {
						"queues": "${concat([queue.orders], values(queue.shard))}",
						"protocol": "consumer",
						"start": "2026-01-31T08:00:00+01:00",
						"principal": "User:billing",
						"config": {"consumer.session.timeout.ms": "45s"},
						"client": {"max.poll.interval.ms": "5m"},
						"members": "${queue.orders.partitions}",
						"max_lag": 10000,
						"quota": {"consumer_byte_rate": 5}
					},
					"work": {
						"group_id": "Rechnung Ä/…", "queues": ["queue.orders"], "protocol": "share", "start": "earliest", "client": {"client.id": "work"},
						"quota": {"controller_mutation_rate": 1}
					}
				}`,
			want: []schema.Resource{
				&schema.Group{
					Decl: decl(schema.KindGroup, "billing"), GroupID: "billing", Queues: []schema.Addr{orders, eu, us}, Protocol: schema.Consumer,
					Start: "2026-01-31T08:00:00+01:00", Principal: "User:billing", Members: 3, MaxLag: &lag,
					Config: settings("consumer.session.timeout.ms", "45000", "45s"), Client: settings("max.poll.interval.ms", "300000", "5m"),
					Quota: schema.Limits{schema.ConsumerByteRate: 5},
				},
				&schema.Group{
					Decl: decl(schema.KindGroup, "work"), GroupID: "Rechnung Ä/…", Queues: []schema.Addr{orders}, Protocol: schema.Share, Start: schema.Earliest,
					Client: settings("client.id", "work", "work"), Quota: schema.Limits{schema.ControllerMutationRate: 1},
				},
			},
		},
		{
			name: "access",
			native: `
				user "a" {
					mechanisms       = ["SCRAM-SHA-512", "SCRAM-SHA-256"]
					iterations       = 4096
					password         = env("NOT_SET")
					password_version = 2
				}
				acl "rights" {
					principal  = user.a
					host       = "2001:db8::7"
					permission = "DENY"
					resource   = { topic = queue.orders.topic, pattern = "prefixed" }
					operations = "write, read, alter_configs, READ"
				}
				acl "any" {
					principal  = "User:*"
					resource   = { cluster = "kafka-cluster", pattern = null, topic = null }
					operations = ["all"]
				}
				quota "both" {
					user               = user.a
					client_id          = null
					producer_byte_rate = "1MiB"
				}
				quota "ip" {
					ip                       = "192.0.2.7"
					connection_creation_rate = 10
				}`,
			json: `
				"user": {"a": {"mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256", "iterations": 4096, "password": "${env(\"NOT_SET\")}", "password_version": 2}},
				"acl": {
					"rights": {
						"principal": "user.a", "host": "2001:db8::7", "permission": "DENY",
						"resource": {"topic": "${queue.orders.topic}", "pattern": "prefixed"}, "operations": "write, read, alter_configs, READ"
					},
					"any": {"principal": "User:*", "resource": {"cluster": "kafka-cluster", "pattern": null, "topic": null}, "operations": ["all"]}
				},
				"quota": {
					"both": {"user": "${user.a}", "client_id": null, "producer_byte_rate": "1MiB"},
					"ip": {"ip": "192.0.2.7", "connection_creation_rate": 10}
				}`,
			want: []schema.Resource{
				&schema.ACL{
					Decl: decl(schema.KindACL, "any"), Principal: "User:*", Host: "*", Permission: schema.Allow, Operations: []schema.Operation{schema.AnyOperation},
					Resource: schema.ACLResource{Type: schema.ClusterResource, Name: schema.ClusterName, Pattern: schema.Literal},
				},
				&schema.ACL{
					Decl: decl(schema.KindACL, "rights"), Principal: "User:a", Host: "2001:db8::7", Permission: schema.Deny,
					Operations: []schema.Operation{schema.AlterConfigs, schema.Read, schema.Write},
					Resource:   schema.ACLResource{Type: schema.TopicResource, Name: "shop.orders", Pattern: schema.Prefixed},
				},
				&schema.Quota{
					Decl: decl(schema.KindQuota, "both"), Entity: schema.Entity{User: schema.Named("a"), ClientID: schema.DefaultName()},
					Limits: schema.Limits{schema.ProducerByteRate: 1 << 20},
				},
				&schema.Quota{
					Decl: decl(schema.KindQuota, "ip"), Entity: schema.Entity{IP: schema.Named("192.0.2.7")},
					Limits: schema.Limits{schema.ConnectionCreationRate: 10},
				},
				&schema.User{
					Decl: decl(schema.KindUser, "a"), Name: "a", Mechanisms: []schema.Mechanism{schema.ScramSHA256, schema.ScramSHA512}, Iterations: 4096, PasswordVersion: 2,
				},
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range []string{"topology \"t\" {}\n" + theTopics + test.native, `{"topology": {"t": {}}, ` + theTopicsJSON + test.json + `}`} {
				var got []schema.Resource
				for _, r := range load(t, text, lang.Options{}).Resources {
					if r.ID().Kind != schema.KindQueue {
						got = append(got, r)
					}
				}
				if diff := cmp.Diff(test.want, got, places); diff != "" {
					t.Errorf("%s\n%s", text, diff)
				}
			}
		})
	}
}

// Which start is in the future is for the clock to say.
func TestStartAndClock(t *testing.T) {
	now := time.Date(2026, time.January, 31, 8, 0, 0, 0, time.UTC)
	for start, future := range map[string]bool{"2026-01-31T08:00:00Z": false, "2026-01-31T08:00:01Z": true, "2026-01-31T08:30:00+01:00": false} {
		dir := directory(t, map[string]string{"t.hcl": "topology \"t\" {}\nqueue \"q\" {}\nconsumer_group \"g\" {\n  queues = [queue.q]\n  protocol = \"classic\"\n  start = \"" + start + "\"\n}\n"})
		if _, diags := lang.Load(dir, lang.Options{Now: func() time.Time { return now }}); diags.HasErrors() != future {
			t.Errorf("%s: %v", start, diags)
		}
	}
}

// What a quota or a right limits is found again at its value.
func TestPlacesOfUses(t *testing.T) {
	topology := load(t, `topology "t" {}
queue "q" {}
producer "p" {
  queues    = [queue.q]
  principal = "User:p"
  client    = { "acks" = "all" }
  quota {
    producer_byte_rate = 1
  }
}
acl "a" {
  principal  = "User:a"
  resource   = {
    topic = "x"
  }
  operations = ["read"]
}
quota "q" {
  user               = "u"
  consumer_byte_rate = 1
}
user "u" { password = env("NOT_SET") }
`, lang.Options{})
	lines := map[string]int{}
	for _, a := range topology.Allotments() {
		lines[a.By.String()+" "+string(a.Key)] = a.Source.Start.Line
	}
	for _, g := range topology.Grants() {
		lines[g.String()] = g.Source.Start.Line
	}
	for path, r := range map[string]schema.Resource{"client.acks": topology.Find(schema.Addr{Kind: schema.KindProducer, Label: "p"}), "resource.topic": topology.Find(schema.Addr{Kind: schema.KindACL, Label: "a"}), "name": topology.Find(schema.Addr{Kind: schema.KindUser, Label: "u"})} {
		lines[path] = r.Declared().At(path).Start.Line
	}
	want := map[string]int{
		"producer.p producer_byte_rate": 8, "quota.q consumer_byte_rate": 20, "User:a Read topic:x literal *": 16, "User:p Write topic:q literal *": 5,
		"User:p Describe topic:q literal *": 5, "client.acks": 6, "resource.topic": 14, "name": 22,
	}
	if d := cmp.Diff(want, lines); d != "" {
		t.Error(d)
	}
}
