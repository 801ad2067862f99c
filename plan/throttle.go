package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Unclaimed is a replication throttle that the ledger does not know of: who set
// it, and whether it is needed, queueform cannot tell. It is shown, and stays.
type Unclaimed struct {
	Owner string // "topic shop.orders", "broker 1"
	Key   string // of its config
	Value string // "0:1,1:1", "*"; of a broker bytes per second
}

// throttled notes the topics on which an earlier apply of this topology has
// left a replication throttle.
func (b *builder) throttled() {
	throttles := b.snapshot.Ledger.Value.Throttles
	for _, topic := range slices.Sorted(maps.Keys(throttles)) {
		if throttles[topic].Topology == b.topology.Name {
			b.plan.Throttled = append(b.plan.Throttled, schema.ID{Kind: schema.KindQueue, Name: topic})
		}
	}
}

// unclaimed notes the throttles on what is declared that no topology has noted,
// and those on brokers. Another apply of the topology may be about to note one.
func (b *builder) unclaimed() {
	if b.snapshot.Ledger.State == live.Unseen || b.snapshot.Ledger.Value.Locks[b.topology.Name].Holder != "" {
		return
	}
	for q := range schema.All[*schema.Queue](b.topology) {
		b.plan.Unclaimed = append(b.plan.Unclaimed, unclaimed(q.Topic, b.snapshot)...)
	}
	claimed := slowed(b.snapshot.Ledger.Value.Throttles)
	for _, id := range slices.Sorted(maps.Keys(b.snapshot.Rates.Value)) {
		rates := b.snapshot.Rates.Value[id]
		for _, key := range slices.Sorted(maps.Keys(rates)) {
			if !claimed[fmt.Sprint(id)] {
				b.plan.Unclaimed = append(b.plan.Unclaimed, Unclaimed{fmt.Sprintf("broker %d", id), key, rates[key]})
			}
		}
	}
}

// AnyUnclaimed says whether a declared topic has a throttle that no topology has
// noted: then there may be such rates on the brokers, too.
func AnyUnclaimed(t *schema.Topology, s *live.Snapshot) bool {
	for q := range schema.All[*schema.Queue](t) {
		if len(unclaimed(q.Topic, s)) > 0 {
			return true
		}
	}
	return false
}

// unclaimed are the lists of a topic with replicas that nobody has noted.
func unclaimed(topic string, s *live.Snapshot) []Unclaimed {
	noted := s.Ledger.Value.Throttles[topic]
	claimed := slices.Concat(noted.Leaders, noted.Followers)
	var all []Unclaimed
	for key, list := range s.Topics[topic].Value.Throttled {
		for e := range strings.SplitSeq(list, ",") {
			if !slices.Contains(claimed, e) {
				all = append(all, Unclaimed{"topic " + topic, key, list})
				break
			}
		}
	}
	slices.SortFunc(all, func(x, y Unclaimed) int { return cmp.Compare(x.Key, y.Key) })
	return all
}

// slowed are the brokers on which a topology has noted a throttle, by id.
func slowed(throttles map[string]live.Throttle) map[string]bool {
	brokers := map[string]bool{}
	for _, throttle := range throttles {
		for _, e := range slices.Concat(throttle.Leaders, throttle.Followers) {
			_, broker, _ := strings.Cut(e, ":")
			brokers[broker] = true
		}
	}
	return brokers
}
