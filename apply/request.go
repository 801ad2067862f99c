package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
)

// Refusal is a cluster's no to one object.
type Refusal struct {
	Code    error  // a *kerr.Error
	Message string // the broker's own words, if it had any
}

func (r *Refusal) Error() string {
	var code *kerr.Error
	if !errors.As(r.Code, &code) {
		return r.Message
	}
	if r.Message == "" {
		return fmt.Sprintf("%s (%s)", code.Description, code.Message)
	}
	return fmt.Sprintf("%s (%s)", r.Message, code.Message)
}

// Unwrap gives the *kerr.Error.
func (r *Refusal) Unwrap() error { return r.Code }

// refusal is nil for code 0.
func refusal(code int16, message *string) error {
	if code == 0 {
		return nil
	}
	r := &Refusal{Code: kerr.ErrorForCode(code)}
	if message != nil {
		r.Message = *message
	}
	return r
}

// answer is what came back for the steps of one request.
type answer struct {
	refusals map[string]error // by object name; every name that was answered is here
	throttle time.Duration    // how long the broker wants to be left alone
}

// timedOut says whether the broker gave up waiting for something that may still happen.
func (a answer) timedOut() bool {
	for _, err := range a.refusals {
		if errors.Is(err, kerr.RequestTimedOut) {
			return true
		}
	}
	return false
}

// send makes one request of steps of one type. Its error is the connection's:
// then nothing is known about any of the steps.
func send(ctx context.Context, client *kgo.Client, steps []plan.Step, validate bool) (answer, error) {
	timeout := millis(ctx)
	switch steps[0].(type) {
	case *plan.CreateTopic:
		return createTopics(ctx, client, steps, timeout, validate)
	case *plan.AlterConfigs:
		return alterConfigs(ctx, client, steps, validate)
	case *plan.AddPartitions:
		return addPartitions(ctx, client, steps, timeout, validate)
	case *plan.Reassign:
		return reassign(ctx, client, steps, timeout)
	case *plan.DeleteTopic:
		return deleteTopics(ctx, client, steps, timeout)
	}
	panic(fmt.Sprintf("apply: no request for a %T", steps[0]))
}

// millis is the time the broker has, a little less than we have.
func millis(ctx context.Context) int32 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return int32(requestTimeout.Milliseconds())
	}
	return int32(max(time.Until(deadline)*9/10, time.Second).Milliseconds())
}

func createTopics(ctx context.Context, client *kgo.Client, steps []plan.Step, timeout int32, validate bool) (answer, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.ValidateOnly = timeout, validate
	req.Topics = make([]kmsg.CreateTopicsRequestTopic, len(steps))
	for i, s := range steps {
		create := s.(*plan.CreateTopic)
		t := &req.Topics[i]
		t.Topic, t.NumPartitions, t.ReplicationFactor = create.Object.Name, create.Partitions, create.Factor
		for p, replicas := range create.Assign {
			t.ReplicaAssignment = append(t.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(p), Replicas: replicas})
		}
		for _, key := range slices.Sorted(maps.Keys(create.Configs)) {
			t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: key, Value: kmsg.StringPtr(create.Configs[key])})
		}
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic] = refusal(t.ErrorCode, t.ErrorMessage)
	}
	return a, nil
}

func alterConfigs(ctx context.Context, client *kgo.Client, steps []plan.Step, validate bool) (answer, error) {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.ValidateOnly = validate
	req.Resources = make([]kmsg.IncrementalAlterConfigsRequestResource, len(steps))
	for i, s := range steps {
		alter := s.(*plan.AlterConfigs)
		r := &req.Resources[i]
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, alter.Object.Name
		for _, key := range slices.Sorted(maps.Keys(alter.Set)) {
			r.Configs = append(r.Configs, configOp(key, kmsg.IncrementalAlterConfigOpSet, alter.Set[key]))
		}
		for _, key := range alter.Reset {
			r.Configs = append(r.Configs, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: kmsg.IncrementalAlterConfigOpDelete})
		}
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Resources {
		r := &resp.Resources[i]
		a.refusals[r.ResourceName] = refusal(r.ErrorCode, r.ErrorMessage)
	}
	return a, nil
}

func configOp(key string, op kmsg.IncrementalAlterConfigOp, value string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
	return kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: op, Value: kmsg.StringPtr(value)}
}

func addPartitions(ctx context.Context, client *kgo.Client, steps []plan.Step, timeout int32, validate bool) (answer, error) {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis, req.ValidateOnly = timeout, validate
	req.Topics = make([]kmsg.CreatePartitionsRequestTopic, len(steps))
	for i, s := range steps {
		add := s.(*plan.AddPartitions)
		req.Topics[i].Topic, req.Topics[i].Count = add.Object.Name, add.Total
		for _, replicas := range add.Assign {
			req.Topics[i].Assignment = append(req.Topics[i].Assignment, kmsg.CreatePartitionsRequestTopicAssignment{Replicas: replicas})
		}
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic] = refusal(t.ErrorCode, t.ErrorMessage)
	}
	return a, nil
}

func reassign(ctx context.Context, client *kgo.Client, steps []plan.Step, timeout int32) (answer, error) {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = timeout
	req.Topics = make([]kmsg.AlterPartitionAssignmentsRequestTopic, len(steps))
	for i, s := range steps {
		move := s.(*plan.Reassign)
		req.Topics[i].Topic = move.Object.Name
		for _, m := range move.Moves {
			req.Topics[i].Partitions = append(req.Topics[i].Partitions,
				kmsg.AlterPartitionAssignmentsRequestTopicPartition{Partition: m.Partition, Replicas: m.To})
		}
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic] = partitionRefusals(t)
	}
	if err := refusal(resp.ErrorCode, resp.ErrorMessage); err != nil {
		for _, s := range steps {
			a.refusals[s.About().Object.Name] = err
		}
	}
	return a, nil
}

func partitionRefusals(t *kmsg.AlterPartitionAssignmentsResponseTopic) error {
	var all []error
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if err := refusal(p.ErrorCode, p.ErrorMessage); err != nil {
			all = append(all, fmt.Errorf("partition %d: %w", p.Partition, err))
		}
	}
	return errors.Join(all...)
}

// deleteTopics deletes by topic id where there is one (KIP-516): a topic made
// again under the same name is safe.
func deleteTopics(ctx context.Context, client *kgo.Client, steps []plan.Step, timeout int32) (answer, error) {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = timeout
	req.Topics = make([]kmsg.DeleteTopicsRequestTopic, len(steps))
	names := make(map[[16]byte]string, len(steps))
	for i, s := range steps {
		gone := s.(*plan.DeleteTopic)
		req.Topics[i].TopicID = gone.ID
		names[gone.ID] = gone.Object.Name
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[names[t.TopicID]] = refusal(t.ErrorCode, t.ErrorMessage)
	}
	return a, nil
}

func newAnswer(size int, throttleMillis int32) answer {
	return answer{
		refusals: make(map[string]error, size),
		throttle: time.Duration(throttleMillis) * time.Millisecond,
	}
}
