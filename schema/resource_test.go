package schema_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/queueform/queueform/schema"
)

func TestParseAddr(t *testing.T) {
	for text, want := range map[string]schema.Addr{
		"queue.orders":                {Kind: schema.KindQueue, Label: "orders"},
		`queue.shard["eu"]`:           {Kind: schema.KindQueue, Label: "shard", Key: "eu", Keyed: true},
		`queue.shard[""]`:             {Kind: schema.KindQueue, Label: "shard", Keyed: true},
		`queue.shard["a\"]$${[é"]`:    {Kind: schema.KindQueue, Label: "shard", Key: `a"]${[é`, Keyed: true},
		"external.queue.payments":     {Role: schema.RoleExternal, Kind: schema.KindQueue, Label: "payments"},
		`forget.queue["shop.old"]`:    {Role: schema.RoleForget, Kind: schema.KindQueue, Key: "shop.old", Keyed: true},
		`queue.shard["\u202e\u200b"]`: {Kind: schema.KindQueue, Label: "shard", Key: "\u202e\u200b", Keyed: true},
		`delete.queue["shop.old"]`:    {Role: schema.RoleDelete, Kind: schema.KindQueue, Key: "shop.old", Keyed: true},
	} {
		got, err := schema.ParseAddr(text)
		if err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
	for _, text := range []string{"", "queue", "queue.", ".orders", "queue.a.b", "queue.a[eu]", `queue.a["eu"`, `queue.a["eu"]x`, `queue["a"]`, `external.queue["a"]`, "delete.queue"} {
		if got, err := schema.ParseAddr(text); err == nil {
			t.Errorf("%s is %+v", text, got)
		}
	}
}

// An address survives being written, whatever its key is.
func FuzzAddr(f *testing.F) {
	for _, key := range []string{"eu", "", `"]`, "${x}", "$${x}", "%{if}", "a\\b", "\x00\u2028é", "\U000e0041", `\U000e0041`} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		encoded, err := json.Marshal(schema.Addr{Kind: schema.KindQueue, Label: "shard", Key: key, Keyed: true})
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(key) {
			return
		}
		var first, second schema.Addr
		if err := json.Unmarshal(encoded, &first); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if second, err = schema.ParseAddr(first.String()); err != nil || second != first || first.Key != key {
			t.Errorf("%q is %q, then %q, %v", key, first, second, err)
		}
	})
}
