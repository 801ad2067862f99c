package catalog_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/catalog"
)

func FuzzParseDuration(f *testing.F) { fuzz(f, catalog.ParseDuration, catalog.FormatDuration) }

func FuzzParseBytes(f *testing.F) { fuzz(f, catalog.ParseBytes, catalog.FormatBytes) }

// fuzz feeds a parser anything. What it reads survives being spelled and read
// again; what it refuses, it refuses by name.
func fuzz(f *testing.F, parse func(string) (int64, error), format func(int64) string) {
	for _, seed := range []string{
		"7d", "-1", "0", "1.5h", "500 ms", "2MiB", "10GB", "1e3s", "+5s", "-0", "--1d", ".5d", "1.d", "1..2d", "0x10s", "1_000s", "7", "d", "",
		" ", "٣d", "1\x00d", "9223372036854775807ms", "9223372036854775808B", "-9223372036854775808B", "0.0000000000009094947017729282379150390625TiB",
		strings.Repeat("0", 60) + "1ms",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parse(text)
		if err != nil {
			if len(err.Error()) > 4*len(text)+400 {
				t.Errorf("%q is refused at length: %v", text, err)
			}
			return
		}
		again, err := parse(format(n))
		if n < -1 { // not spelled with a unit, so not read without a key
			again, err = strconv.ParseInt(format(n), 10, 64)
		}
		if err != nil || again != n {
			t.Errorf("%q is %d, spelled %q, which is %d, %v", text, n, format(n), again, err)
		}
	})
}

// FuzzParse feeds every key anything. What a key takes, it takes again in
// Kafka's spelling and in the one that plans show, and it means the same.
func FuzzParse(f *testing.F) {
	keys := slices.Concat(catalog.Topic, catalog.Group)
	for i := range keys {
		for _, text := range []string{"7d", "2MiB", "-1", " 1.5 h", "true", "compact , delete,", "0.50", "1e3", "0x10", "-2", ""} {
			f.Add(i, text)
		}
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		if i < 0 || i >= len(keys) {
			return
		}
		key := keys[i]
		value, err := key.Parse(text)
		if err != nil {
			if !strings.Contains(err.Error(), key.Name) {
				t.Errorf("%q is refused without naming %s: %v", text, key.Name, err)
			}
			return
		}
		for _, spelling := range []string{value, key.Spell(value)} {
			if again, err := key.Parse(spelling); err != nil || again != value {
				t.Errorf("%s: %q is %q, spelled %q, which is %q, %v", key.Name, text, value, spelling, again, err)
			}
		}
		if !key.Equal(value, value) {
			t.Errorf("%s: %q does not equal itself", key.Name, value)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	key := topic(b, "retention.ms")
	for b.Loop() {
		if _, err := key.Parse("7d"); err != nil {
			b.Fatal(err)
		}
	}
}
