// Command floor is the least that a program can do to learn what a plan has to
// know, to create what an apply has to create, or to send and receive: bare
// calls of the same client library, whose answers nobody looks at.
//
//	floor plan   SERVERS PREFIX COUNT
//	floor create SERVERS PREFIX COUNT
//	floor await  SERVERS PREFIX COUNT   creates, until every broker shows the last topic
//	floor send    SERVERS TOPIC 0       sends the lines of stdin
//	floor receive SERVERS TOPIC COUNT   prints so many messages
//	floor share   SERVERS TOPIC COUNT   does so as a member of a share group
//	floor earliest SERVERS GROUP 0      has a share group begin at the first message
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: floor plan|create|await|send|receive|share|earliest SERVERS PREFIX|TOPIC|GROUP COUNT")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, verb, servers, prefix, count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	switch verb {
	case "send":
		return send(ctx, strings.Split(servers, ","), prefix)
	case "receive":
		return receive(ctx, strings.Split(servers, ","), prefix, fmt.Sprintf("floor-%d", os.Getpid()), n)
	case "share":
		return share(ctx, strings.Split(servers, ","), prefix, fmt.Sprintf("floor-%d", os.Getpid()), n)
	case "earliest":
		return earliest(ctx, strings.Split(servers, ","), prefix)
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%05d", prefix, i)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.DisableClientMetrics())
	if err != nil {
		return err
	}
	defer client.Close()
	switch verb {
	case "plan":
		return plan(ctx, client, names)
	case "create":
		return create(ctx, client, names)
	case "await":
		if err := create(ctx, client, names); err != nil {
			return err
		}
		return await(ctx, client, names[n-1])
	}
	return fmt.Errorf("no verb %q", verb)
}

// await asks the brokers, one after the other, until each shows a topic.
func await(ctx context.Context, client *kgo.Client, topic string) error {
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	brokers, err := metadata.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, b := range brokers.Brokers {
		for there := false; !there; {
			resp, err := metadata.RequestWith(ctx, client.Broker(int(b.NodeID)))
			if err != nil {
				return err
			}
			if there = resp.Topics[0].ErrorCode == 0; !there {
				<-time.After(100 * time.Millisecond)
			}
		}
	}
	return nil
}

// plan asks where the topics are, what is set on them, and what moves.
func plan(ctx context.Context, client *kgo.Client, names []string) error {
	metadata := kmsg.NewPtrMetadataRequest()
	for i := range names {
		metadata.Topics = append(metadata.Topics, kmsg.MetadataRequestTopic{Topic: &names[i]})
	}
	if _, err := metadata.RequestWith(ctx, client); err != nil {
		return err
	}
	var reading errgroup.Group
	reading.SetLimit(4)
	reading.Go(func() error {
		_, err := kmsg.NewPtrListPartitionReassignmentsRequest().RequestWith(ctx, client)
		return err
	})
	const batch = 500
	for begin := 0; begin < len(names); begin += batch {
		configs := kmsg.NewPtrDescribeConfigsRequest()
		for _, name := range names[begin:min(begin+batch, len(names))] {
			configs.Resources = append(configs.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name})
		}
		reading.Go(func() error {
			_, err := configs.RequestWith(ctx, client)
			return err
		})
	}
	return reading.Wait()
}

// create makes topics of 6 partitions with 3 configs, 500 a request: about
// 5,000 records of the 10,000 that a controller takes at once.
func create(ctx context.Context, client *kgo.Client, names []string) error {
	const batch = 500
	for begin := 0; begin < len(names); begin += batch {
		req := kmsg.NewPtrCreateTopicsRequest()
		req.TimeoutMillis = 60_000
		for _, name := range names[begin:min(begin+batch, len(names))] {
			req.Topics = append(req.Topics, kmsg.CreateTopicsRequestTopic{
				Topic: name, NumPartitions: 6, ReplicationFactor: 1,
				Configs: []kmsg.CreateTopicsRequestTopicConfig{
					{Name: "cleanup.policy", Value: new("delete")}, {Name: "max.message.bytes", Value: new("2097152")}, {Name: "retention.ms", Value: new("604800000")},
				},
			})
		}
		resp, err := req.RequestWith(ctx, client)
		if err != nil {
			return err
		}
		for _, t := range resp.Topics {
			if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
				return fmt.Errorf("%s: %w", t.Topic, err)
			}
		}
	}
	return nil
}
