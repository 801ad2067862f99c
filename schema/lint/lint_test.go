package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/diag"
	"github.com/queueform/queueform/schema/lang"
	"github.com/queueform/queueform/schema/lint"
)

// load evaluates one file, which must have no errors of its own.
func load(t *testing.T, source string) *schema.Topology {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.hcl"), []byte("topology \"shop\" {}\n"+source), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, diags := lang.Load(dir, lang.Options{Env: func(string) (string, bool) { return "", false }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return loaded.Topology
}

// queue declares one with a config.
func queue(config string) string { return "queue \"orders\" {\n  config = {\n" + config + "\n  }\n}\n" }

// The codes in comments are what is wanted on their lines, and nothing else.
func TestCheck(t *testing.T) {
	for name, source := range map[string]string{
		"nothing": "queue \"orders\" {}\n",
		"min.insync.replicas above": `
			queue "orders" {
				replication_factor = 2
				config = {
					"min.insync.replicas" = 3 # QL101
				}
			}`,
		"min.insync.replicas equal": `
			queue "orders" {
				replication_factor = 2
				config             = { "min.insync.replicas" = 2 }
			}`,
		"min.insync.replicas of an unknown number": queue(`"min.insync.replicas" = 9`),
		"min.insync.replicas above the replicas placed": `
			queue "orders" {
				placement {
					replicas = [[1, 2], [2, 3]]
				}
				config = { "min.insync.replicas" = 3 } # QL101
			}`,
		"min.insync.replicas in a profile": `
			profile "durable" {
				config = { "min.insync.replicas" = 2 } # QL101
			}
			queue "orders" {
				profile            = profile.durable
				replication_factor = 1
			}
			queue "dead" {
				profile            = profile.durable
				replication_factor = 2
			}`,
		"cleanup.policy empty":             queue(`"cleanup.policy" = "" # QL102`),
		"cleanup.policy an empty list":     queue(`"cleanup.policy" = [] # QL102`),
		"cleanup.policy taken away":        queue(`"cleanup.policy" = null`),
		"cleanup.policy both":              queue(`"cleanup.policy" = ["compact", "delete"]`),
		"compaction lags crossed":          queue("\"min.compaction.lag.ms\" = \"2h\" # QL104\n\"max.compaction.lag.ms\" = \"1h\""),
		"compaction lags equal":            queue("\"min.compaction.lag.ms\" = \"1h\"\n\"max.compaction.lag.ms\" = \"60m\""),
		"compaction lag of the broker":     queue(`"min.compaction.lag.ms" = "5000d"`),
		"segment small":                    queue(`"segment.bytes" = 1048575 # QL105`),
		"segment just large enough":        queue(`"segment.bytes" = "1MiB"`),
		"batch above segment":              queue("\"max.message.bytes\" = \"2MiB\" # QL106\n\"segment.bytes\" = 2097151"),
		"batch as large as segment":        queue("\"max.message.bytes\" = \"2MiB\"\n\"segment.bytes\" = \"2MiB\""),
		"batch of the broker":              queue(`"segment.bytes" = "1MiB"`),
		"local retention above":            queue("\"remote.storage.enable\" = true\n\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = \"8d\" # QL107"),
		"local retention without limit":    queue("\"remote.storage.enable\" = true\n\"retention.bytes\" = \"1GiB\"\n\"local.retention.bytes\" = -1 # QL107"),
		"local retentions both":            queue("\"remote.storage.enable\" = true\n\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = \"8d\" # QL107\n\"retention.bytes\" = 5\n\"local.retention.bytes\" = 6 # QL107"),
		"local retention equal":            queue("\"remote.storage.enable\" = true\n\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = \"7d\""),
		"local retention like the other":   queue("\"remote.storage.enable\" = true\n\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = -2"),
		"local retention of no limit":      queue("\"remote.storage.enable\" = true\n\"retention.ms\" = -1\n\"local.retention.ms\" = \"8d\""),
		"local retention of the broker's":  queue("\"remote.storage.enable\" = true\n\"local.retention.ms\" = \"800d\""),
		"local retention without a remote": queue("\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = \"8d\""),
		"remote switched off":              queue("\"remote.storage.enable\" = false\n\"retention.ms\" = \"7d\"\n\"local.retention.ms\" = \"8d\"\n\"cleanup.policy\" = \"compact\""),
		"remote and compaction":            queue("\"remote.storage.enable\" = true # QL108\n\"cleanup.policy\" = [\"delete\", \"compact\"]"),
		"remote and deletion":              queue("\"remote.storage.enable\" = true\n\"cleanup.policy\" = \"delete\""),
	} {
		t.Run(name, func(t *testing.T) { wanted(t, source) })
	}
}

// Those who use queues.
func TestCheckUses(t *testing.T) {
	const orders = "queue \"orders\" {\n  partitions = 3\n  config = { \"max.message.bytes\" = \"1MiB\" }\n}\nqueue \"more\" { partitions = 2 }\nqueue \"unknown\" {}\nexternal \"queue\" \"theirs\" {}\n"
	group := func(protocol, queues, more string) string {
		return orders + "consumer_group \"g\" {\n  protocol = \"" + protocol + "\"\n  queues = [" + queues + "]\n" + more + "\n}\n"
	}
	producer := func(queues, client string) string {
		return orders + "producer \"p\" {\n  queues = [" + queues + "]\n  client = {\n" + client + "\n}\n}\n"
	}
	acl := func(resource string) string {
		return "acl \"a\" {\n  principal = \"User:a\"\n  operations = [\"all\"]\n  resource = {\n" + resource + "\n}\n}\n"
	}
	const user = "user \"a\" { password = \"x\" }\n"
	dead := func(protocol string) string {
		return `
			queue "q" { dead_letter = queue.d }
			queue "r" { dead_letter = external.queue.d }
			queue "s" { dead_letter = queue.d }
			queue "d" { topic = "dead" }` + map[bool]string{true: " # QL205"}[protocol == "share"] + `
			external "queue" "d" { topic = "dlq.dead" }
			consumer_group "one" {
				protocol = "` + protocol + `"
				queues   = [queue.q, queue.s]
			}
			consumer_group "two" {
				protocol = "` + protocol + `"
				queues   = [queue.r, queue.q]` + map[bool]string{true: " # QL206"}[protocol == "share"] + `
			}`
	}
	for name, source := range map[string]string{
		"members as many as partitions":  group("consumer", "queue.orders, queue.more", "members = 5"),
		"members above partitions":       group("classic", "queue.orders, queue.more", "members = 6 # QL201"),
		"members of a share group":       group("share", "queue.orders", "members = 6"),
		"members of unknown partitions":  group("classic", "queue.orders, queue.unknown", "members = 600"),
		"members of external partitions": group("classic", "queue.orders, external.queue.theirs", "members = 600"),
		"members not said":               group("classic", "queue.orders", ""),
		"requests as large as messages":  producer("queue.orders", "\"max.request.size\" = 1048576"),
		"requests to another":            producer("queue.more", "\"max.request.size\" = \"2MiB\" # QL305"),
		"requests of the client":         producer("queue.orders", "\"acks\" = \"all\""),
		"a prefix with a star":           acl("topic = \"shop.*\" # QL204\npattern = \"prefixed\""),
		"a prefix of a star":             acl("group = \"*\" # QL204\npattern = \"prefixed\""),
		"a literal star":                 acl("group = \"*\""),
		"a prefix":                       acl("topic = \"shop.\"\npattern = \"prefixed\""),
		"nobody declares users":          acl("topic = \"x\""),
		"the user is declared":           user + acl("topic = \"x\""),
		"another user is declared":       user + strings.ReplaceAll(acl("topic = \"x\""), `"User:a"`, `"User:b" # QL202`),
		"everybody":                      user + strings.ReplaceAll(acl("topic = \"x\""), "User:a", "User:*"),
		"a certificate":                  user + strings.ReplaceAll(acl("topic = \"x\""), "User:a", "User:CN=b"),
		"another type":                   user + strings.ReplaceAll(acl("topic = \"x\""), "User:a", "Role:b"),
		"users of producers and groups":  user + group("classic", "queue.more", "principal = \"User:b\" # QL202") + "producer \"p\" {\nqueues = [queue.more]\nprincipal = \"User:c\" # QL202\n}\n",
		"dead letters of share groups":   dead("share"),
		"dead letters of others":         dead("consumer"),
	} {
		t.Run(name, func(t *testing.T) { wanted(t, source) })
	}
}

func TestCheckDeadLetters(t *testing.T) {
	const shorter, longer, unlimited = "\"retention.ms\" = \"1d\"", "\"retention.ms\" = \"8d\"", "\"retention.ms\" = -1"
	for name, test := range map[string]struct {
		queue, dead string
		header      bool // the complaint is at the header of the dead-letter queue's block
		value       bool // at its value
	}{
		"both unset":                          {},
		"longer":                              {queue: shorter, dead: longer},
		"equal":                               {queue: "\"retention.ms\" = \"24h\"", dead: shorter},
		"shorter":                             {queue: longer, dead: shorter, value: true},
		"shorter than the default":            {dead: shorter, value: true},
		"the default, equal":                  {queue: "\"retention.ms\" = \"7d\""},
		"the default, shorter":                {queue: longer, header: true},
		"without limit":                       {queue: unlimited, dead: longer, value: true},
		"without limit, and the default":      {queue: unlimited, header: true},
		"the dead letters without limit":      {queue: longer, dead: unlimited},
		"both without limit":                  {queue: unlimited, dead: unlimited},
		"the queue compacted only":            {queue: unlimited + "\n\"cleanup.policy\" = \"compact\"", dead: shorter},
		"the queue compacted and deleted":     {queue: longer + "\n\"cleanup.policy\" = \"compact,delete\"", dead: shorter, value: true},
		"the dead letters compacted only":     {queue: longer, dead: shorter + "\n\"cleanup.policy\" = \"compact\""},
		"0 milliseconds, the least there are": {queue: "\"retention.ms\" = \"1ms\"", dead: "\"retention.ms\" = 0", value: true},
	} {
		t.Run(name, func(t *testing.T) {
			dead, comment := test.dead, ""
			if test.value {
				dead = strings.Replace(dead, "\n", " # QL103\n", 1)
				if dead == test.dead {
					dead += " # QL103"
				}
			}
			if test.header {
				comment = " # QL103"
			}
			wanted(t, "queue \"orders\" {\n  dead_letter = queue.dead\n  config = {\n"+test.queue+"\n}\n}\nqueue \"dead\" {"+comment+"\n  config = {\n"+dead+"\n}\n}\n")
		})
	}
}

func TestCheckSmallDeadLetters(t *testing.T) {
	const small, large = "\"max.message.bytes\" = 1000", "\"max.message.bytes\" = \"2MiB\""
	for name, test := range map[string]struct{ queue, dead string }{
		"both unset":               {"", ""},
		"smaller":                  {large, small + " # QL109"},
		"equal":                    {small, small},
		"larger":                   {small, large},
		"smaller than the default": {"", small + " # QL109"},
		"larger than the default":  {"", large},
		"the default, larger":      {small, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wanted(t, "queue \"orders\" {\n  dead_letter = queue.dead\n  config = {\n"+test.queue+"\n}\n}\nqueue \"dead\" {\n  config = {\n"+test.dead+"\n}\n}\n")
		})
	}
}

// What another topology keeps is not known.
func TestCheckDeadLettersElsewhere(t *testing.T) {
	wanted(t, "queue \"orders\" {\n  dead_letter = external.queue.dead\n  config = { \"retention.ms\" = -1 }\n}\nexternal \"queue\" \"dead\" {}\n")
}

var comment = regexp.MustCompile(`# (QL\d+)$`)

// wanted checks a file against its comments.
func wanted(t *testing.T, source string) {
	t.Helper()
	var want, got []string
	for i, line := range strings.Split(source, "\n") {
		if code := comment.FindStringSubmatch(line); code != nil {
			want = append(want, fmt.Sprintf("line %d: %s", i+2, code[1])) // 2: the topology block is line 1
		}
	}
	for _, d := range lint.Check(load(t, source)) {
		got = append(got, fmt.Sprintf("line %d: %s", d.Subject.Start.Line, diag.Code(d)))
		rule, ok := lint.Find(diag.Code(d))
		if !ok || d.Severity != rule.Severity || d.Summary != rule.Summary {
			t.Errorf("%v is not as rule %q says", d, rule.Code)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s\n%s", source, d)
	}
}

// The range is that of the value, so that the value is underlined.
func TestCheckUnderlinesValue(t *testing.T) {
	diags := lint.Check(load(t, queue(`"segment.bytes" = "1KiB"`)))
	if len(diags) != 1 {
		t.Fatal(diags)
	}
	if at := diags[0].Subject; at.Start.Column != 19 || at.End.Column != 25 {
		t.Errorf("columns %d to %d", at.Start.Column, at.End.Column)
	}
}

// One value that is wrong for many queues is one complaint.
func TestCheckTogether(t *testing.T) {
	const source = `
		profile "durable" {
			replication_factor = 1
			config             = { "min.insync.replicas" = 2 }
		}
		queue "shard" {
			for_each = toset(["eu", "us", "ap"])
			topic    = "shard.${each.key}"
			profile  = profile.durable
		}
		queue "other" {
			profile            = profile.durable
			replication_factor = 0 + 1
		}
		queue "batches" {
			for_each = { small = 20, large = 30 }
			topic    = "batches.${each.key}"
			config   = { "segment.bytes" = each.value }
		}`
	want := []string{
		"queue.other and 3 more: 2 in-sync replicas are demanded, and there are never more than 1: producers with acks=all could not send. Lower min.insync.replicas, or raise replication_factor.",
		`queue.batches["large"]: Kafka 4.0 and later refuse 30. Write "1MiB" or more.`,
		`queue.batches["small"]: Kafka 4.0 and later refuse 20. Write "1MiB" or more.`,
	}
	var got []string
	for _, d := range lint.Check(load(t, source)) {
		got = append(got, d.Detail)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDetails(t *testing.T) {
	const dead = "queue \"orders\" {\n  dead_letter = queue.dead\n  config = { \"retention.ms\" = %s }\n}\nqueue \"dead\" {}\n"
	for source, want := range map[string]string{
		fmt.Sprintf(dead, "-1"):      "queue.orders: its messages are kept for ever, and its dead letters in queue.dead for 7d (Kafka's default). Give queue.dead a retention.ms of at least the queue's.",
		fmt.Sprintf(dead, "\"2w\""):  "queue.orders: its messages are kept for 2w, and its dead letters in queue.dead for 7d (Kafka's default). Give queue.dead a retention.ms of at least the queue's.",
		queue(`"cleanup.policy"=""`): `queue.orders: nothing would ever be deleted. Write "delete", "compact" or both; to keep everything, "delete" with retention.ms and retention.bytes at -1.`,
		queue("\"min.compaction.lag.ms\" = \"2h\"\n\"max.compaction.lag.ms\" = \"90m\""):                      "queue.orders: the brokers refuse 2h, since max.compaction.lag.ms is 90m. Lower the one or raise the other.",
		queue("\"max.message.bytes\" = \"4MiB\"\n\"segment.bytes\" = \"3MiB\""):                               "queue.orders: a batch must fit in one segment, and segment.bytes is 3MiB: larger ones are refused. Raise it, or lower max.message.bytes.",
		queue("\"remote.storage.enable\" = true\n\"retention.ms\" = \"1d\"\n\"local.retention.ms\" = \"2d\""): "queue.orders: the brokers refuse 2d, since retention.ms is 1d. Lower it, or leave it out to keep as much on the brokers.",
		queue("\"remote.storage.enable\" = true\n\"cleanup.policy\" = \"compact\""):                           "queue.orders: the brokers refuse tiered storage with cleanup.policy compact. Leave one of the two out.",
	} {
		diags := lint.Check(load(t, source))
		if len(diags) != 1 {
			t.Errorf("%s: %v", source, diags)
			continue
		}
		if d := cmp.Diff(want, diags[0].Detail); d != "" {
			t.Error(d)
		}
	}
}

// A list of rules that people read, and that tools refer to.
func TestRules(t *testing.T) {
	code := regexp.MustCompile(`^QL[1-9]\d\d$`)
	var codes []string
	for _, r := range lint.Rules() {
		codes = append(codes, r.Code)
		if !code.MatchString(r.Code) || r.Summary == "" || r.Doc == "" || r.Severity != hcl.DiagError && r.Severity != hcl.DiagWarning {
			t.Errorf("incomplete: %+v", r)
		}
		for line := range strings.SplitSeq(r.Doc, "\n") {
			if len(line) > 90 {
				t.Errorf("%s: too wide: %s", r.Code, line)
			}
		}
	}
	if !slices.IsSorted(codes) || len(slices.Compact(codes)) != len(lint.Rules()) {
		t.Errorf("not in order, or twice: %v", codes)
	}
	if _, ok := lint.Find("QL999"); ok {
		t.Error("QL999 is found")
	}
}

// What the doc of QL103 says of Kafka's default.
func TestDefaultRetention(t *testing.T) {
	if key, _ := catalog.Topic.Find("retention.ms"); key.Spell(key.Default) != "7d" {
		t.Errorf("the default is %s", key.Default)
	}
}
