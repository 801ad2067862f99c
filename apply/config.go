package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Configs that no change asks for by itself: read and altered until each owner
// has an answer, or the engine's patience ends.

// owner is a topic or a broker.
type owner struct {
	kind kmsg.ConfigResourceType
	name string
}

func (o owner) String() string { return strings.ToLower(o.kind.String()) + " " + o.name }

func owners(topics []string, brokers []int32) []owner {
	all := make([]owner, 0, len(topics)+len(brokers))
	for _, name := range topics {
		all = append(all, owner{kmsg.ConfigResourceTypeTopic, name})
	}
	for _, id := range brokers {
		all = append(all, owner{kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(id))})
	}
	return all
}

// alteration is what becomes of the configs of one owner. Each may be sent twice.
type alteration struct {
	owner
	ops []kmsg.IncrementalAlterConfigsRequestResourceConfig
}

// set adds an operation on one key; a list has several values, a deletion none.
func (a *alteration) set(key string, op kmsg.IncrementalAlterConfigOp, values ...string) {
	c := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: op}
	if len(values) > 0 {
		c.Value = new(strings.Join(values, ","))
	}
	a.ops = append(a.ops, c)
}

// onBrokers sets both rates, or deletes them.
func onBrokers(ids []int32, op kmsg.IncrementalAlterConfigOp, rate *string) []alteration {
	var all []alteration
	for _, o := range owners(nil, ids) {
		a := alteration{owner: o}
		for _, key := range []string{leaderRate, followerRate} {
			a.ops = append(a.ops, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: op, Value: rate})
		}
		all = append(all, a)
	}
	return all
}

// dynamic reads which of the keys are set while the cluster runs, on the
// owners or for all brokers. Whoever could not be read is among the failed,
// and not in found.
func (r *run) dynamic(ctx context.Context, of []owner, keys ...string) (found map[owner]map[string]string, failed map[owner]error) {
	found = make(map[owner]map[string]string, len(of))
	failed = r.insist(ctx, of, func(ctx context.Context, of []owner, tell func(owner, error)) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, o := range of {
			req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: o.kind, ResourceName: o.name, ConfigNames: keys})
		}
		for _, shard := range r.Write.RequestSharded(ctx, req) {
			if shard.Err != nil {
				for _, resource := range shard.Req.(*kmsg.DescribeConfigsRequest).Resources {
					tell(owner{resource.ResourceType, resource.ResourceName}, broken(shard.Err))
				}
				continue
			}
			for _, resource := range shard.Resp.(*kmsg.DescribeConfigsResponse).Resources {
				o := owner{resource.ResourceType, resource.ResourceName}
				found[o] = overridden(resource.Configs)
				tell(o, refusal(resource.ErrorCode, resource.ErrorMessage))
			}
		}
	})
	for o := range failed {
		delete(found, o)
	}
	return found, failed
}

// whileRunning are the sources of configs that are set while the cluster runs.
var whileRunning = []kmsg.ConfigSource{
	kmsg.ConfigSourceDynamicTopicConfig, kmsg.ConfigSourceDynamicBrokerConfig, kmsg.ConfigSourceDynamicDefaultBrokerConfig,
}

func overridden(configs []kmsg.DescribeConfigsResponseResourceConfig) map[string]string {
	set := map[string]string{}
	for i := range configs {
		if c := &configs[i]; c.Value != nil && slices.Contains(whileRunning, c.Source) {
			set[c.Name] = *c.Value
		}
	}
	return set
}

// alter sends alterations, and returns whose failed.
func (r *run) alter(ctx context.Context, all []alteration) map[owner]error {
	ops := make(map[owner][]kmsg.IncrementalAlterConfigsRequestResourceConfig, len(all))
	of := make([]owner, len(all))
	for i := range all {
		of[i], ops[all[i].owner] = all[i].owner, all[i].ops
	}
	return r.insist(ctx, of, func(ctx context.Context, of []owner, tell func(owner, error)) {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		for _, o := range of {
			req.Resources = append(req.Resources, kmsg.IncrementalAlterConfigsRequestResource{ResourceType: o.kind, ResourceName: o.name, Configs: ops[o]})
		}
		for _, shard := range r.Write.RequestSharded(ctx, req) {
			if shard.Err != nil {
				for _, resource := range shard.Req.(*kmsg.IncrementalAlterConfigsRequest).Resources {
					tell(owner{resource.ResourceType, resource.ResourceName}, broken(shard.Err))
				}
				continue
			}
			for _, resource := range shard.Resp.(*kmsg.IncrementalAlterConfigsResponse).Resources {
				tell(owner{resource.ResourceType, resource.ResourceName}, refusal(resource.ErrorCode, resource.ErrorMessage))
			}
		}
	})
}

// ask makes one request, and tells what became of each owner.
type ask func(ctx context.Context, of []owner, tell func(owner, error))

// insist asks until each owner has an answer, a few thousand in a request, and
// returns what those said that did not agree.
func (r *run) insist(ctx context.Context, of []owner, a ask) map[owner]error {
	failed := map[owner]error{}
	const atOnce = batchRecords / 2 // two keys each
	for some := range slices.Chunk(of, atOnce) {
		r.persist(ctx, some, a, failed)
	}
	maps.DeleteFunc(failed, func(_ owner, err error) bool { return err == nil })
	return failed
}

// persist asks some until they have answers, and notes them. Patience and
// interruption bound it; a request in flight is waited for.
func (r *run) persist(ctx context.Context, some []owner, a ask, failed map[owner]error) {
	for _, o := range some {
		failed[o] = errors.New("interrupted before it was asked")
	}
	deadline := r.Clock.Now().Add(r.Patience)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		errs := once(ctx, some, a)
		maps.Copy(failed, errs)
		some = slices.DeleteFunc(slices.Clone(some), func(o owner) bool { return isFinal(errs[o]) })
		if len(some) == 0 || r.Clock.Now().After(deadline) {
			return
		}
		r.wait(ctx, fmt.Sprintf("%s: %v", some[0], errs[some[0]]), pause)
	}
}

func once(ctx context.Context, of []owner, a ask) map[owner]error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	errs := make(map[owner]error, len(of))
	for _, o := range of {
		errs[o] = errors.New("the broker did not answer for it")
	}
	a(ctx, of, func(o owner, err error) { errs[o] = err })
	return errs
}

// isFinal says whether asking again would lead to nothing else.
func isFinal(err error) bool {
	return err == nil || isAnswer(err) && !isPassing(err)
}

// flat is one error of many, in a fixed order.
func flat(failed map[owner]error) error {
	var all []error
	for _, o := range slices.SortedFunc(maps.Keys(failed), func(a, b owner) int { return strings.Compare(a.String(), b.String()) }) {
		all = append(all, fmt.Errorf("%s: %w", o, failed[o]))
	}
	return errors.Join(all...)
}
