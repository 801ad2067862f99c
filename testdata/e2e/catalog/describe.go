package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// name is the topic, and the group, that is described.
const name = "catalog"

type config = kmsg.DescribeConfigsResponseResourceConfig

// described is what brokers say of their keys.
type described map[source][]config

type source struct{ table, version string }

// describeAll asks the brokers of each version about every kind of object.
func describeAll(ctx context.Context) (described, error) {
	all := described{}
	for _, version := range []string{brokers.Oldest, brokers.Newest} {
		if err := describeVersion(ctx, version, all); err != nil {
			return nil, fmt.Errorf("kafka %s: %w", version, err)
		}
	}
	return all, nil
}

func describeVersion(ctx context.Context, version string, all described) (err error) {
	c, err := brokers.Start(ctx, brokers.Options{Version: version})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Bootstrap()...))
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 1, 1, nil, name); err != nil {
		return err
	}
	for _, o := range objects {
		if !slices.Contains(o.describedBy, version) {
			continue
		}
		if all[source{o.table, version}], err = describe(ctx, client, o.resource); err != nil {
			return fmt.Errorf("%s: %w", o.table, err)
		}
	}
	return nil
}

// describe asks again while the broker has not heard of the topic: one just
// created is unknown there, or its configs come back empty.
func describe(ctx context.Context, client *kgo.Client, resource kmsg.ConfigResourceType) ([]config, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		configs, err := describeOnce(ctx, client, resource)
		if len(configs) > 0 || err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return configs, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

func describeOnce(ctx context.Context, client *kgo.Client, resource kmsg.ConfigResourceType) ([]config, error) {
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: resource, ResourceName: name}}
	request.IncludeDocumentation = true
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	r := response.Resources[0]
	return r.Configs, kerr.ErrorForCode(r.ErrorCode)
}
