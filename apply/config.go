package apply

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

// Configs that no change asks for by itself: read and altered until each owner
// has an answer, or the engine's patience ends.

// resource is a topic or a broker.
type resource struct {
	kind kmsg.ConfigResourceType
	name string
}

func (o resource) String() string { return strings.ToLower(o.kind.String()) + " " + o.name }

// right is what an operation on it takes: brokers are the cluster's.
func (o resource) right(operation string) string {
	if o.kind == kmsg.ConfigResourceTypeBroker {
		return operation + " on Cluster"
	}
	return operation + " on Topic " + o.name
}

func resources(topics []string, brokers []int32) []resource {
	all := make([]resource, 0, len(topics)+len(brokers))
	for _, name := range topics {
		all = append(all, resource{kmsg.ConfigResourceTypeTopic, name})
	}
	for _, id := range brokers {
		all = append(all, resource{kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(id))})
	}
	return all
}

// alteration is what becomes of the configs of one resource.
type alteration struct {
	resource
	ops []kmsg.IncrementalAlterConfigsRequestResourceConfig
}

// set adds an operation on one key.
func (a *alteration) set(key string, op kmsg.IncrementalAlterConfigOp, values ...string) {
	a.ops = append(a.ops, configOp(key, op, values...))
}

// configOp is an operation on one key; a list may have several values, a
// deletion has none.
func configOp(key string, op kmsg.IncrementalAlterConfigOp, values ...string) kmsg.IncrementalAlterConfigsRequestResourceConfig {
	c := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: key, Op: op}
	if len(values) > 0 {
		c.Value = new(strings.Join(values, ","))
	}
	return c
}

// rated are the alterations that set both rates on brokers.
func rated(ids []int32, rate int64) []alteration {
	var all []alteration
	for _, o := range resources(nil, ids) {
		a := alteration{resource: o}
		for _, key := range []string{leaderRate, followerRate} {
			a.set(key, kmsg.IncrementalAlterConfigOpSet, spell(rate))
		}
		all = append(all, a)
	}
	return all
}

// dynamic reads which of the keys are set while the cluster runs, on the
// resources or for all brokers. Whatever could not be read is among the failed,
// and not in found.
func (r *run) dynamic(ctx context.Context, of []resource, keys ...string) (found map[resource]map[string]string, failed map[resource]error) {
	found = make(map[resource]map[string]string, len(of))
	failed = r.insist(ctx, of, func(ctx context.Context, to *kgo.Broker, of []resource) (map[resource]error, error) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		for _, o := range of {
			req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: o.kind, ResourceName: o.name, ConfigNames: keys})
		}
		resp, err := req.RequestWith(ctx, to)
		if err != nil {
			return nil, err
		}
		said := make(map[resource]error, len(of))
		for i := range resp.Resources {
			c := &resp.Resources[i]
			o := resource{c.ResourceType, c.ResourceName}
			said[o] = lacking(refusal(c.ErrorCode, c.ErrorMessage), o.right("DescribeConfigs"))
			r.mu.Lock()
			found[o] = overridden(c.Configs)
			r.mu.Unlock()
		}
		return said, nil
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
func (r *run) alter(ctx context.Context, all []alteration) map[resource]error {
	ops := make(map[resource][]kmsg.IncrementalAlterConfigsRequestResourceConfig, len(all))
	of := make([]resource, len(all))
	for i := range all {
		of[i], ops[all[i].resource] = all[i].resource, all[i].ops
	}
	return r.insist(ctx, of, func(ctx context.Context, to *kgo.Broker, of []resource) (map[resource]error, error) {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		for _, o := range of {
			req.Resources = append(req.Resources, kmsg.IncrementalAlterConfigsRequestResource{ResourceType: o.kind, ResourceName: o.name, Configs: ops[o]})
		}
		resp, err := req.RequestWith(ctx, to)
		if err != nil {
			return nil, err
		}
		said := make(map[resource]error, len(of))
		for i := range resp.Resources {
			c := &resp.Resources[i]
			o := resource{c.ResourceType, c.ResourceName}
			said[o] = lacking(refusal(c.ErrorCode, c.ErrorMessage), o.right("AlterConfigs"))
		}
		return said, nil
	})
}

// ask makes one request of one broker, and tells what it said of each
// resource. It may be made twice. Its error is the connection's.
type ask func(ctx context.Context, to *kgo.Broker, of []resource) (map[resource]error, error)

// insist asks until there is an answer for each resource, a few thousand in a
// request, and returns what those said that did not agree.
func (r *run) insist(ctx context.Context, of []resource, a ask) map[resource]error {
	failed := map[resource]error{}
	const atOnce = batchRecords / 2 // two keys each
	for some := range slices.Chunk(of, atOnce) {
		r.persist(ctx, some, a, failed)
	}
	maps.DeleteFunc(failed, func(_ resource, err error) bool { return err == nil })
	return failed
}

// persist asks for some until they have answers, and notes them. Patience and
// interruption bound it; a request in flight is waited for.
func (r *run) persist(ctx context.Context, some []resource, a ask, failed map[resource]error) {
	for _, o := range some {
		failed[o] = errors.New("interrupted before it was asked")
	}
	deadline := r.Clock.Now().Add(r.Patience)
	for pause := firstPause; r.held(ctx); pause = min(2*pause, longestPause) {
		errs := r.once(ctx, some, a)
		maps.Copy(failed, errs)
		some = slices.DeleteFunc(slices.Clone(some), func(o resource) bool { return isFinal(errs[o]) })
		if len(some) == 0 || r.Clock.Now().After(deadline) {
			return
		}
		r.wait(ctx, fmt.Sprintf("%s: %v", some[0], errs[some[0]]), pause)
		r.lookup(ctx)
	}
}

// once asks for each resource the broker that answers for it: topics have the
// controller, brokers themselves.
func (r *run) once(ctx context.Context, of []resource, a ask) map[resource]error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	by := map[int32][]resource{}
	for _, o := range of {
		broker := r.controller.Load()
		if o.kind == kmsg.ConfigResourceTypeBroker {
			broker, _ = number(o.name)
		}
		by[broker] = append(by[broker], o)
	}
	errs := make(map[resource]error, len(of))
	var mu sync.Mutex
	var group errgroup.Group
	for broker, some := range by {
		group.Go(func() error {
			said, err := a(ctx, r.Client.Broker(int(broker)), some)
			mu.Lock()
			defer mu.Unlock()
			for _, o := range some {
				answer, answered := said[o]
				switch {
				case err != nil:
					answer = broken(err)
				case !answered:
					answer = errors.New("the broker did not answer for it")
				}
				errs[o] = answer
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are told of each resource
	return errs
}

// isFinal says whether asking again would lead to nothing else.
func isFinal(err error) bool {
	return err == nil || isAnswer(err) && !isDelay(err)
}

// flat is one error of many, in a fixed order.
func flat(failed map[resource]error) error {
	var all []error
	for _, o := range slices.SortedFunc(maps.Keys(failed), func(a, b resource) int { return strings.Compare(a.String(), b.String()) }) {
		all = append(all, fmt.Errorf("%s: %w", o, failed[o]))
	}
	return errors.Join(all...)
}
