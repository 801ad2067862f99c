package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// Kafka's replication throttle (KIP-73): which replicas, on topics, and how
// fast, on brokers.
const (
	leaderReplicas   = "leader.replication.throttled.replicas"
	followerReplicas = "follower.replication.throttled.replicas"
	leaderRate       = "leader.replication.throttled.rate"
	followerRate     = "follower.replication.throttled.rate"
)

// throttle bounds the rate of the moves to come. It is set on the topics
// first: a throttle is recognised as ours by its topics.
func (r *run) throttle(ctx context.Context, steps []plan.Step) error {
	if r.Throttle == 0 {
		return nil
	}
	brokers := r.involved(steps)
	if err := r.foreignThrottle(ctx, brokers); err != nil {
		return err
	}
	topics := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, s := range steps {
		leaders, followers := throttled(s.(*plan.Reassign))
		if len(followers) == 0 {
			continue
		}
		topics.Resources = append(topics.Resources, kmsg.IncrementalAlterConfigsRequestResource{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: s.About().Object.Name,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{
				configOp(leaderReplicas, kmsg.IncrementalAlterConfigOpAppend, strings.Join(leaders, ",")),
				configOp(followerReplicas, kmsg.IncrementalAlterConfigOpAppend, strings.Join(followers, ",")),
			},
		})
		r.slowed = append(r.slowed, s.About().Object.Name)
	}
	if len(topics.Resources) == 0 {
		return nil
	}
	if err := r.alter(ctx, topics); err != nil {
		return err
	}
	rate := strconv.FormatInt(r.Throttle, 10)
	return r.alter(ctx, onBrokers(brokers, func(key string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
		return configOp(key, kmsg.IncrementalAlterConfigOpSet, rate)
	}))
}

// unthrottle takes back what throttle set, and what an earlier apply left on these topics.
func (r *run) unthrottle(ctx context.Context) error {
	if len(r.slowed) == 0 {
		return nil
	}
	slices.Sort(r.slowed)
	topics := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, name := range slices.Compact(r.slowed) {
		topics.Resources = append(topics.Resources, kmsg.IncrementalAlterConfigsRequestResource{
			ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name,
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{reset(leaderReplicas), reset(followerReplicas)},
		})
	}
	brokers := make([]int32, len(r.plan.Cluster.Brokers))
	for i, b := range r.plan.Cluster.Brokers {
		brokers[i] = b.ID
	}
	return errors.Join(r.alter(ctx, onBrokers(brokers, reset)), r.alter(ctx, topics))
}

func reset(key string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
	return kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: kmsg.IncrementalAlterConfigOpDelete}
}

func onBrokers(ids []int32, op func(key string) kmsg.IncrementalAlterConfigsRequestResourceConfig) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, id := range ids {
		req.Resources = append(req.Resources, kmsg.IncrementalAlterConfigsRequestResource{
			ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: strconv.Itoa(int(id)),
			Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{op(leaderRate), op(followerRate)},
		})
	}
	return req
}

// throttled are the replicas of the moves that send, and those that copy, as
// Kafka lists them: partition:broker.
func throttled(step *plan.Reassign) (leaders, followers []string) {
	for _, m := range step.Moves {
		for _, broker := range m.From {
			leaders = append(leaders, fmt.Sprintf("%d:%d", m.Partition, broker))
		}
		for _, broker := range m.To {
			if !slices.Contains(m.From, broker) {
				followers = append(followers, fmt.Sprintf("%d:%d", m.Partition, broker))
			}
		}
	}
	return leaders, followers
}

// involved are the brokers that are up and send or copy for the moves.
func (r *run) involved(steps []plan.Step) []int32 {
	var ids []int32
	for _, s := range steps {
		for _, m := range s.(*plan.Reassign).Moves {
			ids = append(append(ids, m.From...), m.To...)
		}
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id int32) bool { return !r.plan.Cluster.Up(id) })
}

// foreignThrottle refuses to move on brokers that somebody else throttles. A
// rate is taken for ours where an earlier apply left its mark on our topics.
func (r *run) foreignThrottle(ctx context.Context, brokers []int32) error {
	if len(r.slowed) > 0 {
		return nil
	}
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, id := range brokers {
		req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{
			ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: strconv.Itoa(int(id)),
			ConfigNames: []string{leaderRate, followerRate},
		})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	for _, shard := range r.Write.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return fmt.Errorf("read the throttles of broker %d: %w", shard.Meta.NodeID, shard.Err)
		}
		for _, resource := range shard.Resp.(*kmsg.DescribeConfigsResponse).Resources {
			if err := refusal(resource.ErrorCode, resource.ErrorMessage); err != nil {
				return fmt.Errorf("read the throttles of broker %s: %w", resource.ResourceName, err)
			}
			for _, c := range resource.Configs {
				if c.Source == kmsg.ConfigSourceDynamicBrokerConfig && c.Value != nil {
					return fmt.Errorf("broker %s has %s = %s, which queueform did not set: wait until it is gone, or delete it", resource.ResourceName, c.Name, *c.Value)
				}
			}
		}
	}
	return nil
}

// alter sends configs that no change asks for by itself.
func (r *run) alter(ctx context.Context, req *kmsg.IncrementalAlterConfigsRequest) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	var all []error
	for _, shard := range r.Write.RequestSharded(ctx, req) {
		if shard.Err != nil {
			all = append(all, shard.Err)
			continue
		}
		for _, resource := range shard.Resp.(*kmsg.IncrementalAlterConfigsResponse).Resources {
			if err := refusal(resource.ErrorCode, resource.ErrorMessage); err != nil {
				all = append(all, fmt.Errorf("throttle %s: %w", resource.ResourceName, err))
			}
		}
	}
	return errors.Join(all...)
}

// leftovers are the topics on which an earlier apply left a throttle.
func leftovers(p *plan.Plan) []string {
	var topics []string
	for _, id := range p.Throttled {
		if id.Kind == schema.KindQueue {
			topics = append(topics, id.Name)
		}
	}
	return topics
}
