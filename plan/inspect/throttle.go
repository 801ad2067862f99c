package inspect

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// isThrottle says whether a key belongs to moves of replicas (KIP-73), not to the topic's owner.
func isThrottle(key string) bool { return strings.HasSuffix(key, ".replication.throttled.replicas") }

// throttle notes a list of replicas that are slowed; an empty one slows none.
func throttle(t *live.Topic, key, list string) {
	if list == "" {
		return
	}
	if t.Throttled == nil {
		t.Throttled = map[string]string{}
	}
	t.Throttled[key] = list
}

// rateKeys are the broker configs of the replication throttle.
var rateKeys = []string{"follower.replication.throttled.rate", "leader.replication.throttled.rate"}

// Rates adds to the snapshot the rates at which brokers slow replicas, with one
// request to each broker.
func Rates(ctx context.Context, client *kgo.Client, s *live.Snapshot) {
	all := live.Rates{}
	s.Rates = live.Is(all)
	var asking sync.WaitGroup
	var mu sync.Mutex
	for _, b := range s.Cluster.Brokers {
		asking.Go(func() {
			rates := ratesOf(ctx, client, b.ID)
			mu.Lock()
			defer mu.Unlock()
			if rates.State != live.Present {
				s.Rates = live.Hidden[live.Rates](rates.Why, rates.Needs)
			} else if len(rates.Value) > 0 {
				all[b.ID] = rates.Value
			}
		})
	}
	asking.Wait()
}

// ratesOf are those that were set on a broker while it runs.
func ratesOf(ctx context.Context, client *kgo.Client, broker int32) live.Seen[map[string]string] {
	resources, err := describe(ctx, client.Broker(int(broker)), kmsg.ConfigResourceTypeBroker, []string{strconv.Itoa(int(broker))}, rateKeys...)
	switch {
	case err != nil:
		return live.Hidden[map[string]string](reasonOf(broker, err), "")
	case len(resources) == 0:
		return live.Hidden[map[string]string](reason(kerr.UnknownServerError), "")
	case resources[0].ErrorCode != 0:
		return hidden[map[string]string](resources[0].ErrorCode, "DescribeConfigs on Cluster")
	}
	set := map[string]string{}
	for i := range resources[0].Configs {
		if c := &resources[0].Configs[i]; c.Value != nil && slices.Contains(whileRunning, c.Source) {
			set[c.Name] = *c.Value
		}
	}
	return live.Is(set)
}

// whileRunning are the sources of broker configs that are set while brokers run.
var whileRunning = []kmsg.ConfigSource{kmsg.ConfigSourceDynamicBrokerConfig, kmsg.ConfigSourceDynamicDefaultBrokerConfig}
