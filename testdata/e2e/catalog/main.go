// Command catalog writes the tables of schema/catalog from real Kafka.
//
// Brokers of the oldest and the newest version describe their keys: type,
// default, documentation. Kafka's own definitions, printed by its classes for
// these and the versions between, tell the accepted values and when a key came
// and went. Of the keys of clients, which no broker knows, they tell all. With
// -check nothing is written: it fails where the tables differ.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// object is a kind of Kafka object, or client, that has configs.
type object struct {
	table       string // the variable
	file        string
	doc         string
	resource    kmsg.ConfigResourceType
	class       string   // prints the definitions
	versions    []string // whose definitions are read, the oldest first
	describedBy []string // whose brokers are asked, the oldest first; none: the definitions tell all
}

var versions = []string{brokers.Oldest, "4.0.0", "4.1.0", "4.2.0", "4.3.0", brokers.Newest}

var objects = []object{
	{
		table: "Topic", file: "topic_gen.go", doc: "is the keys of a topic",
		resource:    kmsg.ConfigResourceTypeTopic,
		class:       "org.apache.kafka.storage.internals.log.LogConfig",
		versions:    versions,
		describedBy: []string{brokers.Oldest, brokers.Newest},
	},
	{
		table: "Group", file: "group_gen.go", doc: "is the keys of a consumer, share or streams group",
		resource:    kmsg.ConfigResourceTypeGroupConfig,
		class:       "org.apache.kafka.coordinator.group.GroupConfig",
		versions:    []string{"4.1.0", "4.2.0", "4.3.0", brokers.Newest}, // before, it does not print itself
		describedBy: []string{brokers.Newest},
	},
	{
		table: "Producer", file: "producer_gen.go", doc: "is the settings of a producer, by the names of the Java client",
		class:    "org.apache.kafka.clients.producer.ProducerConfig",
		versions: versions,
	},
	{
		table: "Consumer", file: "consumer_gen.go", doc: "is the settings of a member of a consumer or share group, by the names of the Java client",
		class:    "org.apache.kafka.clients.consumer.ConsumerConfig",
		versions: versions,
	},
}

func main() {
	check := flag.Bool("check", false, "compare with the tables that are there")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *check); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, check bool) error {
	described, err := describeAll(ctx)
	if err != nil {
		return err
	}
	var all []error
	for _, o := range objects {
		defined, err := o.definitions(ctx)
		if err != nil {
			return err
		}
		keys, err := o.merge(described, defined)
		if err != nil {
			return err
		}
		all = append(all, put(filepath.Join(home(), o.file), o.source(keys), check))
	}
	return errors.Join(all...)
}

func put(file string, source []byte, check bool) error {
	if !check {
		return os.WriteFile(file, source, 0o644)
	}
	there, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(there, source) {
		err = fmt.Errorf("%s is not what the generator writes: run make generate", filepath.Base(file))
	}
	return err
}

// home is the repository's schema/catalog.
func home() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "schema", "catalog")
}
