package plan_test

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

func shard(key string) *schema.Queue {
	q := queue("shard")
	q.Addr.Key, q.Addr.Keyed, q.Topic = key, true, "shop.shard."+key
	return q
}

func TestTarget(t *testing.T) {
	one := topic(lists([]int32{1}))
	hidden := live.Hidden[live.Topic]("not permitted", "")
	for name, test := range map[string]struct {
		resources []schema.Resource
		topics    map[string]live.Seen[live.Topic]
		target    string
		changes   map[string]string // by address: needed by whom
		errors    int
		unseen    int
	}{
		"alone": {
			[]schema.Resource{queue("orders"), queue("other", config("flush.ms", "1"))},
			map[string]live.Seen[live.Topic]{"shop.other": live.Is(one)},
			"queue.orders",
			map[string]string{"queue.orders": ""},
			0, 0,
		},
		"with the dead letters it refers to, and theirs": {
			[]schema.Resource{
				queue("a", deadLetter("c")), queue("b", config("flush.ms", "1")), queue("c", deadLetter("d")), queue("d", deadLetter("a")),
			},
			nil, "queue.a",
			map[string]string{"queue.a": "", "queue.c": "queue.a", "queue.d": "queue.c"},
			0, 0,
		},
		"not with dead letters that are there: those are updates": {
			[]schema.Resource{queue("a", deadLetter("c")), queue("c", config("flush.ms", "1"), deadLetter("d")), queue("d")},
			map[string]live.Seen[live.Topic]{"shop.c": live.Is(one)},
			"queue.a",
			map[string]string{"queue.a": ""},
			0, 0,
		},
		"nor with dead letters that may be there": {
			[]schema.Resource{queue("a", deadLetter("c")), queue("c")},
			map[string]live.Seen[live.Topic]{"shop.c": hidden},
			"queue.a",
			map[string]string{"queue.a": ""},
			0, 0,
		},
		"both asked for: nobody needs the other": {
			[]schema.Resource{shard("eu"), shard("us"), queue("z")},
			nil,
			"queue.shard",
			map[string]string{`queue.shard["eu"]`: "", `queue.shard["us"]`: ""},
			0, 0,
		},
		"one instance": {
			[]schema.Resource{shard("eu"), shard("us")},
			nil,
			`queue.shard["us"]`,
			map[string]string{`queue.shard["us"]`: ""},
			0, 0,
		},
		"a group, with the queue and the dead letters that it needs": {
			[]schema.Resource{reads(schema.Earliest), queue("dead"), queue("orders", deadLetter("dead")), queue("z")},
			nil, "consumer_group.billing",
			map[string]string{"consumer_group.billing": "", "queue.dead": "queue.orders", "queue.orders": "consumer_group.billing"},
			0, 0,
		},
		"a group, with the user that it is": {
			[]schema.Resource{reads("", func(g *schema.Group) { g.Principal = "User:a" }), queue("orders"), login(1, schema.ScramSHA512)},
			map[string]live.Seen[live.Topic]{"shop.orders": live.Is(one)},
			"consumer_group.billing",
			map[string]string{"user.a": "consumer_group.billing", "consumer_group.billing": ""},
			0, 0,
		},
		"a deletion": {
			[]schema.Resource{queue("orders")},
			map[string]live.Seen[live.Topic]{"shop.old": live.Is(one)},
			`delete.queue["shop.old"]`,
			map[string]string{`delete.queue["shop.old"]`: ""},
			0, 0,
		},
		"nothing is deleted for others": {
			[]schema.Resource{queue("orders")},
			map[string]live.Seen[live.Topic]{"shop.old": live.Is(one)},
			"queue.orders",
			map[string]string{"queue.orders": ""},
			0, 0,
		},
		"what others cannot see": {
			[]schema.Resource{queue("a"), queue("b")},
			map[string]live.Seen[live.Topic]{"shop.a": hidden, "shop.b": hidden},
			"queue.b",
			map[string]string{},
			0, 1,
		},
		"nothing": {[]schema.Resource{queue("orders")}, nil, "queue.order", map[string]string{}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := world(nil)
			s.Groups = map[string]live.Seen[live.Group]{"billing": live.None[live.Group]()}
			s.Users = map[string]live.Seen[live.User]{"a": live.None[live.User]()}
			s.Bindings = live.Is(live.Bindings{})
			for _, q := range test.resources {
				s.Topics[q.ID().Name] = live.None[live.Topic]()
			}
			maps.Copy(s.Topics, test.topics)
			declared := topology(test.resources...)
			declared.Removals = []schema.Removal{removal("shop.old")}
			target, err := schema.ParseAddr(test.target)
			if err != nil {
				t.Fatal(err)
			}
			p, diags := plan.Build(declared, s, plan.Options{Target: []schema.Addr{target}})
			if len(diags) != test.errors || len(p.Unseen) != test.unseen {
				t.Errorf("%v, unseen: %+v", diags, p.Unseen)
			}
			got := map[string]string{}
			for _, c := range p.Changes {
				got[c.Addr.String()] = ""
				if c.NeededBy != nil {
					got[c.Addr.String()] = c.NeededBy.String()
				}
			}
			if diff := cmp.Diff(test.changes, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUntargeted(t *testing.T) {
	declared := topology(shard("eu"), queue("orders"))
	declared.Removals = []schema.Removal{removal("shop.old")}
	var targets []schema.Addr
	for _, text := range []string{"queue.shard", "queue.order", `queue.shard["us"]`, `delete.queue["shop.old"]`} {
		a, err := schema.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, a)
	}
	if diff := cmp.Diff([]schema.Addr{targets[1], targets[2]}, plan.Untargeted(declared, targets)); diff != "" {
		t.Error(diff)
	}
}

// An external dead letter that is not there is an error of what was asked for.
func TestTargetNeedsExternal(t *testing.T) {
	events := external("events")
	q := queue("orders")
	q.DeadLetter = &events.Addr
	if _, diags := plan.Build(topology(events, q), world(nil), plan.Options{Target: []schema.Addr{q.Addr}}); len(diags) != 1 {
		t.Errorf("%v", diags)
	}
}
