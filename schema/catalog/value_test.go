package catalog_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/queueform/queueform/schema/catalog"
)

func topic(tb testing.TB, name string) catalog.Key {
	tb.Helper()
	key, ok := catalog.Topic.Find(name)
	if !ok {
		tb.Fatalf("there is no %s", name)
	}
	return key
}

func TestParse(t *testing.T) {
	for _, test := range []struct{ key, text, want string }{
		{"retention.ms", "7d", "604800000"},
		{"retention.ms", " 1.5 h ", "5400000"},
		{"retention.ms", "604800000", "604800000"},
		{"retention.ms", "-1", "-1"},
		{"retention.ms", "007", "7"},
		{"retention.ms", "0", "0"},
		{"local.retention.ms", "-2", "-2"},
		{"retention.bytes", "10GB", "10000000000"},
		{"retention.bytes", "0.5KiB", "512"},
		{"segment.bytes", "1GiB", "1073741824"},
		{"flush.messages", "9223372036854775807", "9223372036854775807"},
		{"min.insync.replicas", " 2", "2"},
		{"min.cleanable.dirty.ratio", "0.25", "0.25"},
		{"preallocate", "TRUE", "true"},
		{"cleanup.policy", "delete , compact", "delete,compact"},
		{"cleanup.policy", "", ""},
		{"compression.type", "zstd", "zstd"},
		{"message.format.version", "3.0", "3.0"},
	} {
		got, err := topic(t, test.key).Parse(test.text)
		if err != nil || got != test.want {
			t.Errorf("%s: %q is %q, %v, want %q", test.key, test.text, got, err, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct{ key, text, want string }{
		{"retention.ms", "7 days", `retention.ms: "7 days" has the unknown unit "days": use one of ms, s, m, h, d, w`},
		{"retention.ms", "1.5ms", `retention.ms: "1.5ms" is not a whole number of ms`},
		{"retention.ms", "2MiB", `retention.ms: "2MiB" has the unknown unit "MiB": use one of ms, s, m, h, d, w`},
		{"retention.ms", "1.5", `retention.ms: "1.5" has no unit: say which of ms, s, m, h, d, w it counts`},
		{"retention.ms", "-5", "retention.ms is at least -1, not -5"},
		{"retention.ms", "-1d", "retention.ms is at least -1, not -86400000"},
		{"retention.ms", "99999999999999999999", `retention.ms: "99999999999999999999" has no unit: say which of ms, s, m, h, d, w it counts`},
		{"retention.ms", "99999999999999999999w", `retention.ms: "99999999999999999999w" does not fit a 64-bit number of ms`},
		{"retention.ms", "forever", `retention.ms: "forever" is not a duration: write one number and one unit, like "7d" or "500ms"`},
		{"retention.bytes", "1kb", `retention.bytes: "1kb" has the unknown unit "kb": use one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB`},
		{"segment.bytes", "2GiB", "segment.bytes is at most 2147483647, not 2147483648"},
		{"min.insync.replicas", "0", "min.insync.replicas is at least 1, not 0"},
		{"min.insync.replicas", "2B", `min.insync.replicas is a whole number of 64 bits, not "2B"`},
		{"flush.messages", "99999999999999999999", `flush.messages is a whole number of 64 bits, not "99999999999999999999"`},
		{"min.cleanable.dirty.ratio", "1.5", "min.cleanable.dirty.ratio is between 0 and 1, not 1.5"},
		{"min.cleanable.dirty.ratio", "NaN", `min.cleanable.dirty.ratio is a number, not "NaN"`},
		{"preallocate", "yes", `preallocate is true or false, not "yes"`},
		{"cleanup.policy", "compact,remove", `cleanup.policy knows compact, delete, not "remove"`},
		{"compression.type", "ZSTD", `compression.type knows uncompressed, zstd, lz4, snappy, gzip, producer, not "ZSTD"`},
		{"retention.ms", strings.Repeat("9", 1<<20) + "d", `retention.ms: "` + strings.Repeat("9", 64) + `..." is not a duration: write one number and one unit, like "7d" or "500ms"`},
	} {
		got, err := topic(t, test.key).Parse(test.text)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %.80q is %q, %v, want %s", test.key, test.text, got, err, test.want)
		}
	}
}

func TestSpell(t *testing.T) {
	for _, test := range []struct{ key, value, want string }{
		{"retention.ms", "604800000", "7d"},
		{"retention.ms", "90000", "90s"},
		{"retention.ms", "-1", "-1"},
		{"flush.ms", "9223372036854775807", "9223372036854775807"},
		{"retention.bytes", "1073741824", "1GiB"},
		{"retention.bytes", "1000000000000", "1TB"},
		{"retention.bytes", "100", "100"},
		{"min.insync.replicas", "2", "2"},
		{"cleanup.policy", "compact,delete", "compact,delete"},
	} {
		if got := topic(t, test.key).Spell(test.value); got != test.want {
			t.Errorf("%s: %s is spelled %s, want %s", test.key, test.value, got, test.want)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		key, a, b string
		want      bool
	}{
		{"cleanup.policy", "compact,delete", "delete,compact", true},
		{"cleanup.policy", "delete", "delete,compact", false},
		{"cleanup.policy", "", "delete", false},
		{"min.cleanable.dirty.ratio", "0.50", "0.5", true},
		{"flush.messages", "9223372036854775807", "9223372036854775806", false},
		{"flush.messages", "9223372036854775807", "09223372036854775807", true},
		{"preallocate", "true", "TRUE", true},
		{"compression.type", "zstd", "ZSTD", false},
		{"retention.ms", "", "0", false},
	} {
		if got := topic(t, test.key).Equal(test.a, test.b); got != test.want {
			t.Errorf("%s: %q equals %q: %v, want %v", test.key, test.a, test.b, got, test.want)
		}
	}
}

// An unknown key takes what it is given: the brokers decide.
func TestZeroKey(t *testing.T) {
	if got, err := (catalog.Key{}).Parse(" 7d "); got != " 7d " || err != nil {
		t.Errorf("parsed as %q, %v", got, err)
	}
}

// What a plan shows can be written in a file, and means the same.
func TestSpelledValuesParse(t *testing.T) {
	var numbers []catalog.Key
	for _, key := range append(catalog.Topic, catalog.Group...) {
		if key.Type == catalog.Int || key.Type == catalog.Long {
			numbers = append(numbers, key)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom(numbers).Draw(t, "key")
		least, most := key.Range.Least, key.Range.Most
		if key.Range == (catalog.Range{}) {
			least, most = math.MinInt64, math.MaxInt64
		}
		value := strconv.FormatInt(rapid.Int64Range(least, most).Draw(t, "value"), 10)
		spelled := key.Spell(value)
		if got, err := key.Parse(spelled); err != nil || got != value {
			t.Fatalf("%s: %s is spelled %s, which is %q, %v", key.Name, value, spelled, got, err)
		}
	})
}
