package catalog_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/queueform/queueform/schema/catalog"
)

func TestTables(t *testing.T) {
	for name, table := range map[string]catalog.Table{"Topic": catalog.Topic, "Group": catalog.Group} {
		if !slices.IsSortedFunc(table, func(a, b catalog.Key) int { return cmp.Compare(a.Name, b.Name) }) {
			t.Errorf("%s is not sorted", name)
		}
		for _, key := range table {
			if found, ok := table.Find(key.Name); !ok || found.Name != key.Name {
				t.Errorf("%s: %s is not found", name, key.Name)
			}
			if key.Doc == "" {
				t.Errorf("%s: %s has no documentation", name, key.Name)
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
	if key, ok := catalog.Topic.Find("retention.m"); ok {
		t.Errorf("retention.m is found as %s", key.Name)
	}
}
