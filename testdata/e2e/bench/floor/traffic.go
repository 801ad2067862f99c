package main

import (
	"bufio"
	"context"
	"os"
	"runtime/debug"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// traffic is a client with the defaults of the Java client, and as much garbage
// and as many messages on their way as queueform has: none of these is what makes
// one faster than the other.
func traffic(servers []string, options ...kgo.Opt) (*kgo.Client, error) {
	debug.SetGCPercent(200)
	return kgo.NewClient(append(options,
		kgo.SeedBrokers(servers...), kgo.DisableClientMetrics(),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000))...)
}

// send sends the lines of stdin.
func send(ctx context.Context, servers []string, topic string) error {
	client, err := traffic(servers, kgo.DefaultProduceTopic(topic))
	if err != nil {
		return err
	}
	defer client.Close()
	var failed error
	sent := func(_ *kgo.Record, err error) {
		if err != nil {
			failed = err
		}
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		client.Produce(ctx, &kgo.Record{Value: append([]byte{}, lines.Bytes()...)}, sent)
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return lines.Err()
}

// receive prints so many messages as the only member of a group, and commits
// them after they are printed.
func receive(ctx context.Context, servers []string, topic, group string, count int) error {
	client, err := traffic(servers, kgo.ConsumeTopics(topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(), kgo.FetchMaxBytes(4<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	return prints(ctx, client, count, func() error { return client.CommitUncommittedOffsets(ctx) })
}

// prints prints so many messages, and acknowledges those of each poll after that.
func prints(ctx context.Context, client *kgo.Client, count int, acknowledge func() error) error {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	for n := 0; n < count; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(m *kgo.Record) {
			n++
			_, _ = out.Write(m.Value) // an error stays
			_ = out.WriteByte('\n')
		})
		if err := out.Flush(); err != nil {
			return err
		}
		if err := acknowledge(); err != nil {
			return err
		}
	}
	return nil
}

// earliest has a share group begin at the first message.
func earliest(ctx context.Context, servers []string, group string) error {
	client, err := traffic(servers)
	if err != nil {
		return err
	}
	defer client.Close()
	value := "earliest"
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{
		ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: group,
		Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: "share.auto.offset.reset", Op: kmsg.IncrementalAlterConfigOpSet, Value: &value}},
	}}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Resources[0].ErrorCode)
}

// share prints so many messages as the only member of a share group, and
// acknowledges them after they are printed.
func share(ctx context.Context, servers []string, topic, group string, count int) error {
	if err := earliest(ctx, servers, group); err != nil {
		return err
	}
	client, err := traffic(servers, kgo.ConsumeTopics(topic), kgo.ShareGroup(group), kgo.FetchMaxBytes(4<<20))
	if err != nil {
		return err
	}
	defer client.Close()
	return prints(ctx, client, count, func() error {
		client.MarkAcks(kgo.AckAccept)
		return client.FlushAcks(ctx)
	})
}
