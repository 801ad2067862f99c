package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// settings are what makes the topic a log that can be trusted. Anything else
// would lose its start, or let the clocks of clients decide.
var settings = map[string]string{
	"message.timestamp.type": "LogAppendTime",
	"cleanup.policy":         "delete",
	"retention.ms":           "-1",
	"retention.bytes":        "-1",
}

// mostReplicas is the replication factor, where there are so many brokers.
const mostReplicas = 3

// prepare opens the log to write to it. It makes the topic if there is none.
func (l *log) prepare(ctx context.Context) error {
	var there bool
	var brokers int
	err := l.persist(ctx, func() (err error) {
		there, brokers, err = l.locate(ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case there:
		err = l.persist(ctx, func() error { return l.suits(ctx) })
	default:
		err = l.create(ctx, min(brokers, mostReplicas))
	}
	if err != nil {
		return err
	}
	return l.read(ctx)
}

// Fit asks what an apply would come upon: a ledger that would forget, an
// [*Unsuitable], or one that the brokers would not make. It writes nothing. What
// is not permitted, or not answered, is not known, and no error.
func Fit(ctx context.Context, t Topic) error {
	l := newLog(t)
	err := l.suits(ctx)
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		err = l.makeable(ctx)
	}
	code, refused := errors.AsType[*kerr.Error](err)
	if is[*Unsuitable](err) || refused && !is[*Denied](err) && !code.Retriable {
		return err
	}
	return nil
}

// makeable says whether the brokers would make the topic.
func (l *log) makeable(ctx context.Context) error {
	there, brokers, err := l.locate(ctx)
	if err != nil || there {
		return err
	}
	req := l.creation(min(brokers, mostReplicas))
	req.ValidateOnly = true
	if err := l.created(req.RequestWith(ctx, l.Client)); err != nil {
		return fmt.Errorf("the ledger %s cannot be made: %w", l.Name, err)
	}
	return nil
}

// creation is the request that makes the topic.
func (l *log) creation(replicas int) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(RequestTimeout.Milliseconds() / 2)
	t := kmsg.CreateTopicsRequestTopic{Topic: l.Name, NumPartitions: 1, ReplicationFactor: int16(replicas)}
	configs := maps.Clone(settings)
	configs["unclean.leader.election.enable"] = "false"
	if replicas == mostReplicas {
		configs["min.insync.replicas"] = "2"
	}
	for _, key := range slices.Sorted(maps.Keys(configs)) {
		t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: key, Value: new(configs[key])})
	}
	req.Topics = []kmsg.CreateTopicsRequestTopic{t}
	return req
}

// create makes the topic, and waits until it is there. Somebody else may make
// it at the same time.
func (l *log) create(ctx context.Context, replicas int) error {
	req := l.creation(replicas)
	return l.persist(ctx, func() error {
		if err := l.created(req.RequestWith(ctx, l.Client)); err != nil {
			return err
		}
		there, _, err := l.locate(ctx)
		if err == nil && !there {
			return errors.New("it was made, and no broker shows it yet")
		}
		return err
	})
}

// created says whether the topic can be there now.
func (l *log) created(resp *kmsg.CreateTopicsResponse, err error) error {
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		err := l.refusal(t.ErrorCode, "Create")
		switch {
		case errors.Is(err, kerr.TopicAlreadyExists):
		case errors.Is(err, kerr.ClusterAuthorizationFailed):
			return &Denied{Needs: "Create on Topic " + l.Name, Err: err}
		case err != nil:
			return err
		}
	}
	return nil
}

// suits says whether the topic that is there keeps what is written to it.
func (l *log) suits(ctx context.Context) error {
	req := kmsg.NewPtrDescribeConfigsRequest()
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, l.Name
	resource.ConfigNames = slices.Sorted(maps.Keys(settings))
	req.Resources = []kmsg.DescribeConfigsRequestResource{resource}
	resp, err := req.RequestWith(ctx, l.Client)
	if err != nil {
		return err
	}
	for _, r := range resp.Resources {
		if err := l.refusal(r.ErrorCode, "DescribeConfigs"); err != nil {
			return err
		}
		for _, c := range r.Configs {
			if want := settings[c.Name]; c.Value != nil && *c.Value != want {
				return &Unsuitable{Topic: l.Name, Key: c.Name, Value: *c.Value, Want: want}
			}
		}
	}
	return nil
}
