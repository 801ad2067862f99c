package lang_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/lang"
)

// directory writes files, by name, and returns where they are.
func directory(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// load evaluates one file, native or JSON, that has nothing wrong.
func load(tb testing.TB, text string, o lang.Options) *schema.Topology {
	tb.Helper()
	name := "topology.hcl"
	if strings.HasPrefix(text, "{") {
		name = "topology.hcl.json"
	}
	if o.Env == nil {
		o.Env = env
	}
	loaded, diags := lang.Load(directory(tb, map[string]string{name: text}), o)
	for _, d := range diags {
		tb.Errorf("%s", shown(d))
	}
	return loaded.Topology
}

// places leaves out where things were written.
var places = cmp.Options{
	cmpopts.IgnoreTypes(hcl.Range{}, map[string]hcl.Range{}, schema.Secret{}),
	cmpopts.EquateEmpty(),
}

func queue(label, topic string) *schema.Queue {
	return &schema.Queue{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindQueue, Label: label}}, Topic: topic}
}

func keyed(label, key, topic string) *schema.Queue {
	q := queue(label, topic)
	q.Addr.Key, q.Addr.Keyed = key, true
	return q
}

func with(q *schema.Queue, change func(*schema.Queue)) *schema.Queue {
	change(q)
	return q
}

func settings(pairs ...string) map[string]schema.Setting {
	all := map[string]schema.Setting{}
	for i := 0; i < len(pairs); i += 3 {
		all[pairs[i]] = schema.Setting{Value: pairs[i+1], Spelling: pairs[i+2]}
	}
	return all
}

// TestQueues compares what queue blocks are evaluated to, in the native syntax
// and in JSON.
func TestQueues(t *testing.T) {
	for _, test := range []struct {
		name, native, json string
		want               []schema.Resource
	}{
		{
			name:   "defaults",
			native: `queue "orders" {}`,
			json:   `"queue": {"orders": {}}`,
			want:   []schema.Resource{queue("orders", "orders")},
		},
		{
			name: "everything",
			native: `
				queue "orders" {
					topic              = "shop.orders"
					description        = "What customers order"
					labels             = { team = "checkout", gone = null }
					partitions         = "12"
					replication_factor = 3
					key                = "order id"
					dead_letter        = queue.dead
					config = {
						"retention.ms"              = "7d"
						"max.message.bytes"         = "2MiB"
						"cleanup.policy"            = ["compact", "delete"]
						"min.cleanable.dirty.ratio" = 0.1
						"preallocate"               = true
						"flush.messages"            = 9223372036854775807
						"retention.bytes"           = -1
					}
					load {
						messages_per_second = 0.5
						message_bytes       = "2KiB"
					}
					placement { racks = ["a", "b"] }
					lifecycle {
						prevent_delete = true
						ignore_config  = ["segment.ms"]
					}
				}
				queue "dead" { dead_letter = external.queue.dead }
				external "queue" "dead" {
					topic       = "dlq"
					description = "Theirs"
				}`,
			json: `
				"queue": {
					"orders": {
						"topic": "shop.orders",
						"description": "What customers ${lower(\"Order\")}",
						"labels": {"team": "checkout", "gone": null},
						"partitions": 12,
						"replication_factor": "${1 + 2}",
						"key": "order id",
						"dead_letter": "queue.dead",
						"config": {
							"retention.ms": "7d",
							"max.message.bytes": "2MiB",
							"cleanup.policy": ["compact", "delete"],
							"min.cleanable.dirty.ratio": 0.1,
							"preallocate": true,
							"flush.messages": 9223372036854775807,
							"retention.bytes": -1
						},
						"load": {"messages_per_second": 0.5, "message_bytes": "2KiB"},
						"placement": {"racks": ["a", "b"]},
						"lifecycle": {"prevent_delete": true, "ignore_config": ["segment.ms"]}
					},
					"dead": {"dead_letter": "${external.queue.dead}"}
				},
				"external": {"queue": {"dead": {"topic": "dlq", "description": "Theirs"}}}`,
			want: []schema.Resource{
				with(queue("dead", "dead"), func(q *schema.Queue) {
					q.DeadLetter = &schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: "dead"}
				}),
				with(queue("orders", "shop.orders"), func(q *schema.Queue) {
					q.Description, q.Labels = "What customers order", map[string]string{"team": "checkout"}
					q.Partitions, q.ReplicationFactor, q.Key = 12, 3, "order id"
					q.DeadLetter = &schema.Addr{Kind: schema.KindQueue, Label: "dead"}
					q.Config = settings("retention.ms", "604800000", "7d", "max.message.bytes", "2097152", "2MiB",
						"cleanup.policy", "compact,delete", "compact,delete", "min.cleanable.dirty.ratio", "0.1", "0.1", "preallocate", "true", "true",
						"flush.messages", "9223372036854775807", "9223372036854775807", "retention.bytes", "-1", "-1")
					q.Load = &schema.Load{MessagesPerSecond: 0.5, MessageBytes: 2048}
					q.Placement = &schema.Placement{Racks: [][]string{{"a", "b"}}}
					q.Lifecycle = schema.Lifecycle{PreventDelete: true, IgnoreConfig: []string{"segment.ms"}}
				}),
				&schema.ExternalQueue{
					Decl: schema.Decl{Addr: schema.Addr{Role: schema.RoleExternal, Kind: schema.KindQueue, Label: "dead"}, Description: "Theirs"}, Topic: "dlq",
				},
			},
		},
		{
			name: "profile",
			native: `
				profile "durable" {
					description        = "Kept"
					labels             = { tier = "gold" }
					partitions         = 6
					replication_factor = 3
					config = {
						"min.insync.replicas" = 2
						"retention.ms"        = "30d"
						"segment.ms"          = "1d"
					}
					load {
						messages_per_second = 1
						message_bytes       = 10
					}
					lifecycle { prevent_delete = true }
				}
				queue "a" { profile = profile.durable }
				queue "b" {
					profile     = 1 > 2 ? null : profile["durable"]
					partitions  = 12
					description = "Own"
					labels      = {}
					config = {
						"retention.ms" = "7d"
						"segment.ms"   = null
					}
					lifecycle { ignore_config = ["segment.ms"] }
				}`,
			json: `
				"profile": {"durable": {
					"description": "Kept",
					"labels": {"tier": "gold"},
					"partitions": 6,
					"replication_factor": 3,
					"config": {"min.insync.replicas": 2, "retention.ms": "30d", "segment.ms": "1d"},
					"load": {"messages_per_second": 1, "message_bytes": 10},
					"lifecycle": {"prevent_delete": true}
				}},
				"queue": {
					"a": {"profile": "profile.durable"},
					"b": {
						"profile": "${profile.durable}",
						"partitions": 12,
						"description": "Own",
						"labels": {},
						"config": {"retention.ms": "7d", "segment.ms": null},
						"lifecycle": {"ignore_config": ["segment.ms"]}
					}
				}`,
			want: []schema.Resource{
				with(queue("a", "a"), func(q *schema.Queue) {
					q.Description, q.Labels, q.Partitions, q.ReplicationFactor = "Kept", map[string]string{"tier": "gold"}, 6, 3
					q.Config = settings("min.insync.replicas", "2", "2", "retention.ms", "2592000000", "30d", "segment.ms", "86400000", "1d")
					q.Load = &schema.Load{MessagesPerSecond: 1, MessageBytes: 10}
					q.Lifecycle.PreventDelete = true
				}),
				with(queue("b", "b"), func(q *schema.Queue) {
					q.Description, q.Partitions, q.ReplicationFactor = "Own", 12, 3
					q.Config = settings("min.insync.replicas", "2", "2", "retention.ms", "604800000", "7d")
					q.Load = &schema.Load{MessagesPerSecond: 1, MessageBytes: 10}
					q.Lifecycle = schema.Lifecycle{PreventDelete: true, IgnoreConfig: []string{"segment.ms"}}
				}),
			},
		},
		{
			name: "for_each",
			native: `
				profile "big" { partitions = 12 }
				profile "small" { partitions = 1 }
				locals { tenants = { a = { size = "big", keep = "1d" }, b = { size = "small", keep = null } } }
				queue "events" {
					for_each           = local.tenants
					topic              = "events.${each.key}"
					profile            = profile[each.value.size]
					replication_factor = 3
					config             = { "retention.ms" = each.value.keep, "segment.ms" = "1h" }
					dead_letter        = queue.dead[each.key]
				}
				queue "dead" {
					for_each = toset(["b", "a"])
					topic    = "dead.${each.value}"
				}`,
			json: `
				"profile": {"big": {"partitions": 12}, "small": {"partitions": 1}},
				"locals": {"tenants": {"a": {"size": "big", "keep": "1d"}, "b": {"size": "small", "keep": null}}},
				"queue": {
					"events": {
						"for_each": "${local.tenants}",
						"topic": "events.${each.key}",
						"profile": "${profile[each.value.size]}",
						"replication_factor": 3,
						"config": {"retention.ms": "${each.value.keep}", "segment.ms": "1h"},
						"dead_letter": "${queue.dead[each.key]}"
					},
					"dead": {"for_each": "${toset([\"b\", \"a\"])}", "topic": "dead.${each.value}"}
				}`,
			want: []schema.Resource{
				keyed("dead", "a", "dead.a"),
				keyed("dead", "b", "dead.b"),
				with(keyed("events", "a", "events.a"), func(q *schema.Queue) {
					q.Partitions, q.ReplicationFactor = 12, 3
					q.Config = settings("retention.ms", "86400000", "1d", "segment.ms", "3600000", "1h")
					q.DeadLetter = &schema.Addr{Kind: schema.KindQueue, Label: "dead", Key: "a", Keyed: true}
				}),
				with(keyed("events", "b", "events.b"), func(q *schema.Queue) {
					q.Partitions, q.ReplicationFactor = 1, 3
					q.Config = settings("segment.ms", "3600000", "1h")
					q.DeadLetter = &schema.Addr{Kind: schema.KindQueue, Label: "dead", Key: "b", Keyed: true}
				}),
			},
		},
		{
			name: "placement",
			native: `
				queue "a" {
					placement { replicas = [[1, 2], [2, 3]] }
				}
				queue "b" {
					partitions         = 2
					replication_factor = 1
					placement { racks = [["a"], ["b"]] }
				}`,
			json: `
				"queue": {
					"a": {"placement": {"replicas": [[1, 2], [2, 3]]}},
					"b": {"partitions": 2, "replication_factor": 1, "placement": {"racks": [["a"], ["b"]]}}
				}`,
			want: []schema.Resource{
				with(queue("a", "a"), func(q *schema.Queue) {
					q.Partitions, q.ReplicationFactor = 2, 2
					q.Placement = &schema.Placement{Replicas: [][]int32{{1, 2}, {2, 3}}}
				}),
				with(queue("b", "b"), func(q *schema.Queue) {
					q.Partitions, q.ReplicationFactor = 2, 1
					q.Placement = &schema.Placement{Racks: [][]string{{"a"}, {"b"}}}
				}),
			},
		},
		{
			name:   "computed config",
			native: `queue "a" { config = merge({ "retention.ms" = "1d" }, { "cleanup.policy" = " compact , delete" }) }`,
			json:   `"queue": {"a": {"config": "${merge({ \"retention.ms\" = \"1d\" }, { \"cleanup.policy\" = \" compact , delete\" })}"}}`,
			want: []schema.Resource{with(queue("a", "a"), func(q *schema.Queue) {
				q.Config = settings("retention.ms", "86400000", "1d", "cleanup.policy", "compact,delete", " compact , delete")
			})},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range []string{"topology \"t\" {}\n" + test.native, `{"topology": {"t": {}}, ` + test.json + `}`} {
				if diff := cmp.Diff(test.want, load(t, text, lang.Options{}).Resources, places); diff != "" {
					t.Errorf("%s\n%s", text, diff)
				}
			}
		})
	}
}

// Every noun knows where its values were written, be it in a profile.
func TestPlaces(t *testing.T) {
	topology := load(t, `topology "t" {}
profile "durable" {
  partitions = 6
  config = {
    "retention.ms" = "7d"
    "segment.ms"   = "1d"
  }
}
queue "a" {
  for_each = toset(["x", "y"])
  topic    = "a.${each.key}"
  profile  = profile.durable
  config = {
    "segment.ms" = each.key == "x" ? "2d" : null
  }
  lifecycle { ignore_config = ["flush.ms"] }
}
queue "b" {
  profile = profile.durable
}
`, lang.Options{})
	want := map[string]map[string]int{
		`queue.a["x"]`: {"": 9, "topic": 11, "partitions": 3, "config": 13, "config.retention.ms": 5, "config.segment.ms": 14, "lifecycle": 16, "lifecycle.ignore_config": 16},
		`queue.a["y"]`: {"": 9, "topic": 11, "partitions": 3, "config": 13, "config.retention.ms": 5, "config.segment.ms": 14, "lifecycle": 16},
		"queue.b":      {"": 18, "topic": 18, "partitions": 3, "config": 4, "config.retention.ms": 5, "config.segment.ms": 6, "lifecycle": 18},
	}
	for q := range schema.All[*schema.Queue](topology) {
		for path, line := range want[q.Addr.String()] {
			if at := q.At(path); at.Start.Line != line {
				t.Errorf("%s: %q is at %v, want line %d", q.Addr, path, at, line)
			}
		}
		if _, set := q.Config["segment.ms"]; set != (q.Addr.String() != `queue.a["y"]`) {
			t.Errorf("%s: segment.ms is set: %v", q.Addr, set)
		}
	}
}

func TestExamples(t *testing.T) {
	for _, pattern := range []string{"../../examples/*/topology.hcl", "../../examples/teams/*/topology.hcl"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("no examples", pattern, err)
		}
		for _, file := range files {
			if _, diags := lang.Load(filepath.Dir(file), lang.Options{}); len(diags) > 0 {
				t.Errorf("%s: %v", file, diags)
			}
		}
	}
}

// What is wrong elsewhere does not hide which topology it is, and where.
func TestIdentified(t *testing.T) {
	const cluster = "cluster \"prod\" {\n  bootstrap_servers = [\"b:1\"]\n  cluster_id = "
	for text, want := range map[string]bool{
		`topology "t" {}` + "\n" + cluster + "\"x\"\n}\nqueue \"q\" {\n  partitions = var.n\n}\nvariable \"n\" {}\n": true,
		`topology "t" {}` + "\n" + cluster + "var.n\n}\nvariable \"n\" {}\n":                                         false,
		`topology "t" {}` + "\n" + cluster + "\"x\"\n  cluster_idd = \"y\"\n}\n":                                     false,
		cluster + "\"x\"\n}\n": false,
		`topology "t" {}` + "\nqueue \"q\" {\n  partitions = -1\n}\n": true,
		`topology "t" {}` + "\n": true,
	} {
		if loaded, diags := lang.Load(directory(t, map[string]string{"q.hcl": text}), lang.Options{}); loaded.Identified != want {
			t.Errorf("%v: %s\n%v", loaded.Identified, text, diags)
		}
	}
}
