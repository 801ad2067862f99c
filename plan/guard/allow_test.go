package guard_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/guard"
	"github.com/queueform/queueform/schema"
)

func TestParseAllow(t *testing.T) {
	for text, want := range map[string][]string{
		"QF102:queue.orders":                       {"QF102:queue.orders"},
		`QF101:delete.queue["a"]`:                  {`QF101:delete.queue["a"]`},
		"QF102:queue.a,QF201:queue.b":              {"QF102:queue.a", "QF201:queue.b"},
		" QF102:queue.a , QF201 ":                  {"QF102:queue.a", "QF201"},
		`QF102:queue.a["x,y"],QF102:queue.b`:       {`QF102:queue.a["x,y"]`, "QF102:queue.b"},
		`QF102:queue.a["x\",]"],QF102:queue.b`:     {`QF102:queue.a["x\",]"]`, "QF102:queue.b"},
		`QF102:queue.a["x:y"]`:                     {`QF102:queue.a["x:y"]`},
		"QF201":                                    {"QF201"},
		"QF302":                                    {"QF302"},
		`QF102:queue.a["$${x}"],QF102:queue.b[""]`: {`QF102:queue.a["$${x}"]`, `QF102:queue.b[""]`},
	} {
		allowed, err := guard.ParseAllow(text)
		var got []string
		for _, a := range allowed {
			got = append(got, a.String())
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

func TestParseAllowRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"":                            "--allow is empty",
		"QF102:queue.a,":              "--allow is empty",
		"QF999:queue.a":               `there is no hazard "QF999"`,
		"queue.a":                     `there is no hazard "queue.a"`,
		"qf102:queue.a":               `there is no hazard "qf102"`,
		"QF101":                       "so name the object: QF101:ADDRESS",
		"QF102":                       "so name the object: QF102:ADDRESS",
		"QF103":                       "so name the object: QF103:ADDRESS",
		"QF304":                       "so name the object: QF304:ADDRESS",
		"QF102:":                      `"" is not an address`,
		"QF102:orders":                `"orders" is not an address`,
		`QF102:queue.a["x`:            "is not an address",
		"QF102:queue.a[1,2]":          `"queue.a[1,2]" is not an address`,
		"QF201:queue.a,QF102":         "--allow QF102: this hazard loses messages",
		`QF102:queue.a["x],QF201`:     "is not an address",
		"QF102:queue.a QF201:queue.b": "is not an address",
	} {
		if got, err := guard.ParseAllow(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestBlocking(t *testing.T) {
	shard := func(key string) schema.Addr {
		return schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: key, Keyed: true}
	}
	orders := schema.Addr{Kind: schema.KindQueue, Label: "orders"}
	found := []guard.Finding{
		{Code: "QF102", Severity: guard.Blocks, Addr: shard("eu")},
		{Code: "QF102", Severity: guard.Blocks, Addr: shard("us")},
		{Code: "QF201", Severity: guard.Blocks, Addr: orders},
		{Code: "QF301", Severity: guard.Warns, Addr: orders},
	}
	for allow, test := range map[string]struct{ left, unused []string }{
		`QF102:queue.shard["eu"]`:         {[]string{`QF102:queue.shard["us"]`, "QF201:queue.orders"}, nil},
		"QF102:queue.shard":               {[]string{"QF201:queue.orders"}, nil},
		"QF201":                           {[]string{`QF102:queue.shard["eu"]`, `QF102:queue.shard["us"]`}, nil},
		"QF102:queue.shard,QF201":         {nil, nil},
		"QF201:queue.shard":               {[]string{`QF102:queue.shard["eu"]`, `QF102:queue.shard["us"]`, "QF201:queue.orders"}, []string{"QF201:queue.shard"}},
		"QF302,QF301,QF102:queue.shards":  {[]string{`QF102:queue.shard["eu"]`, `QF102:queue.shard["us"]`, "QF201:queue.orders"}, []string{"QF302", "QF102:queue.shards"}},
		`QF102:queue.shard["asia"],QF201`: {[]string{`QF102:queue.shard["eu"]`, `QF102:queue.shard["us"]`}, []string{`QF102:queue.shard["asia"]`}},
		"QF201:queue.orders,QF201,QF301":  {[]string{`QF102:queue.shard["eu"]`, `QF102:queue.shard["us"]`}, nil},
	} {
		allowed, err := guard.ParseAllow(allow)
		if err != nil {
			t.Fatal(err)
		}
		var left, unused []string
		for _, f := range guard.Blocking(found, allowed) {
			left = append(left, f.Code+":"+f.Addr.String())
		}
		for _, a := range guard.Unused(allowed, found) {
			unused = append(unused, a.String())
		}
		if diff := cmp.Diff(test.left, left) + cmp.Diff(test.unused, unused); diff != "" {
			t.Errorf("%s: %s", allow, diff)
		}
	}
}

func TestUnplanned(t *testing.T) {
	instance := schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: "eu", Keyed: true}
	p := &plan.Plan{Changes: []plan.Change{{Addr: instance}}}
	allowed, err := guard.ParseAllow(`QF102:queue.shard,QF102:queue.shard["eu"],QF201,QF102:queue.shard["us"],QF101:queue.shards`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range guard.Unplanned(allowed, p) {
		got = append(got, a.String())
	}
	if diff := cmp.Diff([]string{`QF102:queue.shard["us"]`, "QF101:queue.shards"}, got); diff != "" {
		t.Error(diff)
	}
}

// A flag as it is printed gives, through a shell, what was found.
func TestFlag(t *testing.T) {
	for key, want := range map[string]string{
		"eu":       `--allow 'QF102:queue.shard["eu"]'`,
		"it's":     `--allow 'QF102:queue.shard["it'\''s"]'`,
		"a b\n":    `--allow 'QF102:queue.shard["a b\n"]'`,
		"${HOME}":  `--allow 'QF102:queue.shard["$${HOME}"]'`,
		"`x`\"\\":  "--allow 'QF102:queue.shard[\"`x`\\\"\\\\\"]'",
		"größe, 2": `--allow 'QF102:queue.shard["größe, 2"]'`,
	} {
		f := guard.Finding{Code: "QF102", Severity: guard.Blocks, Addr: schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: key, Keyed: true}}
		if got := f.Flag(); got != want {
			t.Errorf("%s, not %s", got, want)
		}
		quoted := strings.TrimPrefix(f.Flag(), "--allow ")
		value := strings.ReplaceAll(strings.Trim(quoted, "'"), `'\''`, "'")
		allowed, err := guard.ParseAllow(value)
		if err != nil || len(allowed) != 1 || len(guard.Blocking([]guard.Finding{f}, allowed)) > 0 {
			t.Errorf("%s: %v %v", value, allowed, err)
		}
	}
	plain := guard.Finding{Code: "QF201", Addr: schema.Addr{Kind: schema.KindQueue, Label: "orders_dead-1"}}
	if got := plain.Flag(); got != "--allow QF201:queue.orders_dead-1" {
		t.Error(got)
	}
}
