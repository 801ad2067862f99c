package catalog_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/queueform/queueform/schema/catalog"
)

func TestTables(t *testing.T) {
	for name, table := range map[string]catalog.Table{
		"Topic": catalog.Topic, "Group": catalog.Group, "Producer": catalog.Producer, "Consumer": catalog.Consumer,
	} {
		if !slices.IsSortedFunc(table, func(a, b catalog.Key) int { return cmp.Compare(a.Name, b.Name) }) {
			t.Errorf("%s is not sorted", name)
		}
		for _, key := range table {
			if found, ok := table.Find(key.Name); !ok || found.Name != key.Name {
				t.Errorf("%s: %s is not found", name, key.Name)
			}
			login := strings.HasPrefix(key.Name, "sasl.") || strings.HasPrefix(key.Name, "ssl.")
			if (key.Doc == "") != login {
				t.Errorf("%s: %s has documentation: %t", name, key.Name, key.Doc != "")
			}
			if key.Default == "" {
				continue
			}
			if value, err := key.Parse(key.Default); err != nil || value != key.Default {
				t.Errorf("%s: the default of %s, %q, is parsed as %q, %v", name, key.Name, key.Default, value, err)
			}
		}
	}
}

// A few facts that are known without the generator.
func TestKnownKeys(t *testing.T) {
	retention, _ := catalog.Topic.Find("retention.ms")
	if retention.Type != catalog.Long || retention.Unit != catalog.Milliseconds || retention.Default != "604800000" || retention.Range.Least != -1 {
		t.Errorf("retention.ms is %+v", retention)
	}
	dead, _ := catalog.Topic.Find("errors.deadletterqueue.group.enable")
	if dead.Since != "4.4" || dead.Type != catalog.Boolean { // KIP-1191
		t.Errorf("errors.deadletterqueue.group.enable is %+v", dead)
	}
	old, _ := catalog.Topic.Find("message.downconversion.enable")
	if old.Until != "3.9" { // Kafka 4.0 dropped it
		t.Errorf("message.downconversion.enable is %+v", old)
	}
	batch, _ := catalog.Producer.Find("batch.size")
	if batch.Type != catalog.Int || batch.Unit != catalog.Bytes || batch.Default != "16384" || batch.Range.Least != 0 {
		t.Errorf("batch.size is %+v", batch)
	}
	acks, _ := catalog.Producer.Find("acks")
	if acks.Type != catalog.String || !slices.Equal(acks.Values, []string{"all", "-1", "0", "1"}) {
		t.Errorf("acks is %+v", acks)
	}
	mode, _ := catalog.Consumer.Find("share.acquire.mode")
	if mode.Since != "4.2" || mode.Default != "batch_optimized" { // KIP-1206
		t.Errorf("share.acquire.mode is %+v", mode)
	}
	if key, ok := catalog.Topic.Find("retention.m"); ok {
		t.Errorf("retention.m is found as %s", key.Name)
	}
}
