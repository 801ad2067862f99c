package inspect

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan/live"
)

// topics reads topics by name: where they are, what is set on them, and the
// reassignments that run. What is set on the first of them is asked while it
// is not known yet where the others are.
//
// Reassignments are asked for only where one can be: Kafka ends one at once
// when all replicas that it adds are in sync.
func (r *reader) topics(ctx context.Context, scope live.Scope) error {
	names := slices.Compact(slices.Sorted(slices.Values(scope.Topics)))
	r.snapshot.Topics = make(map[string]live.Seen[live.Topic], len(names))
	reading, ctx := errgroup.WithContext(ctx)
	asked := false
	var moves *kmsg.ListPartitionReassignmentsResponse
	for begin := 0; begin == 0 || begin < len(names); begin += metadataBatch {
		present, err := r.places(ctx, names[begin:min(begin+metadataBatch, len(names))])
		if err != nil {
			return cmp.Or(reading.Wait(), err) // the first of them, which ended the other
		}
		if len(present) == 0 {
			continue
		}
		if scope.Moves && !asked && r.mayMove(present) {
			asked = true
			cluster := r.snapshot.Cluster
			reading.Go(func() (err error) {
				moves, err = r.moves(ctx, cluster)
				return err
			})
		}
		if !scope.Bare {
			r.configs(ctx, reading, present)
		}
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	switch {
	case moves != nil:
		takeMoves(r.snapshot, moves)
	case scope.Moves:
		r.snapshot.Moves = live.Is(0)
	}
	return nil
}

// mayMove says whether any replica of the topics is out of sync.
func (r *reader) mayMove(topics []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(topics, func(name string) bool {
		return slices.ContainsFunc(r.snapshot.Topics[name].Value.Partitions, func(p live.Partition) bool { return len(p.InSync) < len(p.Replicas) })
	})
}

// places asks for metadata by name, and returns which topics there are.
// Auto-creation is off.
func (r *reader) places(ctx context.Context, names []string) (present []string, err error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = make([]kmsg.MetadataRequestTopic, len(names)) // nil would be all of them
	for i := range names {
		req.Topics[i].Topic = &names[i]
	}
	resp, err := req.RequestWith(ctx, r.broker)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Cluster = cluster(resp)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		if t.Topic == nil {
			continue
		}
		seen := place(*t.Topic, t)
		r.snapshot.Topics[*t.Topic] = seen
		if seen.State == live.Present {
			present = append(present, *t.Topic)
		}
	}
	return present, nil
}

func place(name string, t *kmsg.MetadataResponseTopic) live.Seen[live.Topic] {
	switch t.ErrorCode {
	case 0:
	case kerr.UnknownTopicOrPartition.Code:
		return live.None[live.Topic]()
	default:
		return hidden[live.Topic](t.ErrorCode, "Describe on Topic "+name)
	}
	topic := live.Topic{ID: t.TopicID, Partitions: make([]live.Partition, len(t.Partitions))}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if int(p.Partition) >= len(topic.Partitions) {
			return live.Hidden[live.Topic]("the broker does not know all of its partitions yet", "")
		}
		topic.Partitions[p.Partition] = live.Partition{Leader: p.Leader, Replicas: p.Replicas, InSync: p.ISR}
	}
	return live.Is(topic)
}

// configs reads all keys of topics, a few requests at once, each of another
// broker.
func (r *reader) configs(ctx context.Context, reading *errgroup.Group, topics []string) {
	for i, batch := range slices.Collect(slices.Chunk(topics, configBatch)) {
		broker := r.one(i)
		reading.Go(func() error {
			r.slots <- struct{}{}
			defer func() { <-r.slots }()
			resources, err := describe(ctx, broker, kmsg.ConfigResourceTypeTopic, batch)
			if err != nil && broker != r.broker && ctx.Err() == nil {
				resources, err = describe(ctx, r.broker, kmsg.ConfigResourceTypeTopic, batch) // another will do
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for i := range resources {
				takeOverrides(r.snapshot, &resources[i])
			}
			return err
		})
	}
}

// one is the broker that the i-th of several requests goes to. Left to itself
// the client would open connections to the bootstrap servers, too.
func (r *reader) one(i int) kmsg.Requestor {
	brokers := r.snapshot.Cluster.Brokers
	if r.broker != r.client || len(brokers) == 0 {
		return r.broker
	}
	return r.client.Broker(int(brokers[i%len(brokers)].ID))
}

// describe reads configs of topics or of a broker: all keys, or those named with
// what they would inherit.
func describe(ctx context.Context, broker kmsg.Requestor, of kmsg.ConfigResourceType, names []string, keys ...string) ([]kmsg.DescribeConfigsResponseResource, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.IncludeSynonyms = len(keys) > 0
	req.Resources = make([]kmsg.DescribeConfigsRequestResource, len(names))
	for i, name := range names {
		req.Resources[i] = kmsg.DescribeConfigsRequestResource{ResourceType: of, ResourceName: name, ConfigNames: keys}
	}
	resp, err := req.RequestWith(ctx, broker)
	if err != nil {
		return nil, err
	}
	return resp.Resources, nil
}

// takeOverrides notes what is set on one topic, and what it inherits.
func takeOverrides(s *live.Snapshot, r *kmsg.DescribeConfigsResponseResource) {
	seen, asked := s.Topics[r.ResourceName]
	if !asked {
		return
	}
	topic := &seen.Value
	switch {
	case r.ErrorCode != 0:
		topic.Overrides = hidden[map[string]string](r.ErrorCode, "DescribeConfigs on Topic "+r.ResourceName)
	case len(r.Configs) == 0:
		topic.Overrides = live.Hidden[map[string]string]("the broker does not know its configs yet", "")
	default:
		topic.Overrides = live.Is(map[string]string{})
	}
	for i := range r.Configs {
		c := &r.Configs[i]
		value := ""
		if c.Value != nil {
			value = *c.Value
		}
		switch set := c.Source == kmsg.ConfigSourceDynamicTopicConfig; {
		case isThrottle(c.Name):
			throttle(topic, c.Name, value)
		case !set:
			s.Defaults[c.Name] = value
		case !c.ReadOnly:
			topic.Overrides.Value[c.Name] = value
		}
	}
	s.Topics[r.ResourceName] = seen
}

// moves asks for all reassignments that run (KIP-455, Kafka 2.4+): the broker
// that the metadata named as the controller, or else another. With KRaft the
// metadata name any broker, and each asks the controller on our behalf.
func (r *reader) moves(ctx context.Context, cluster live.Cluster) (resp *kmsg.ListPartitionReassignmentsResponse, err error) {
	ids := []int32{cluster.Controller}
	for _, b := range cluster.Brokers {
		if b.ID != cluster.Controller {
			ids = append(ids, b.ID)
		}
	}
	for _, id := range ids {
		req := kmsg.NewPtrListPartitionReassignmentsRequest()
		req.TimeoutMillis = int32(controllerTimeout.Milliseconds())
		resp, err = req.RequestWith(ctx, r.client.Broker(int(id)))
		if err == nil && resp.ErrorCode != kerr.NotController.Code {
			break
		}
	}
	return resp, err
}

// takeMoves turns the replicas of partitions on the move into those they will have.
func takeMoves(s *live.Snapshot, resp *kmsg.ListPartitionReassignmentsResponse) {
	if resp.ErrorCode != 0 {
		s.Moves = hidden[int](resp.ErrorCode, "Describe on Cluster")
		return
	}
	moving := 0
	for _, t := range resp.Topics {
		for _, m := range t.Partitions {
			topic := s.Topics[t.Topic].Value
			if int(m.Partition) >= len(topic.Partitions) {
				continue // not ours to look at
			}
			moving++
			p := &topic.Partitions[m.Partition]
			p.Adding, p.Removing = m.AddingReplicas, m.RemovingReplicas
			p.Replicas = slices.DeleteFunc(slices.Clone(m.Replicas), func(id int32) bool { return slices.Contains(m.RemovingReplicas, id) })
		}
	}
	s.Moves = live.Is(moving)
}

// Inherited adds to the snapshot's defaults what its topics would inherit of
// keys that all of them override. What cannot be read stays unknown.
func Inherited(ctx context.Context, client *kgo.Client, s *live.Snapshot, keys []string) {
	names := slices.Sorted(maps.Keys(s.Topics))
	at := slices.IndexFunc(names, func(name string) bool { return s.Topics[name].Value.Overrides.State == live.Present })
	if len(keys) == 0 || at < 0 {
		return
	}
	resources, err := describe(ctx, client, kmsg.ConfigResourceTypeTopic, names[at:at+1], keys...)
	if err != nil || len(resources) == 0 {
		return
	}
	for _, c := range resources[0].Configs {
		for _, synonym := range c.ConfigSynonyms { // the nearest first
			if synonym.Source != kmsg.ConfigSourceDynamicTopicConfig && synonym.Value != nil {
				s.Defaults[c.Name] = inMillis(synonym.Name, *synonym.Value)
				break
			}
		}
	}
	brokersOwn(ctx, client, s, keys)
}

// brokerKeys are, by key of a topic, the broker configs of which the first that
// has a value is inherited. Brokers list them as synonyms only where somebody
// has set one.
var brokerKeys = map[string][]string{
	"retention.ms":      {"log.retention.ms", "log.retention.minutes", "log.retention.hours"},
	"segment.ms":        {"log.roll.ms", "log.roll.hours"},
	"segment.jitter.ms": {"log.roll.jitter.ms", "log.roll.jitter.hours"},
}

// brokersOwn adds what topics inherit of keys of which they did not tell. A
// broker tells its own configs where that is permitted.
func brokersOwn(ctx context.Context, client *kgo.Client, s *live.Snapshot, keys []string) {
	var names []string
	for _, key := range keys {
		if _, known := s.Defaults[key]; !known {
			names = append(names, brokerKeys[key]...)
		}
	}
	if len(names) == 0 || len(s.Cluster.Brokers) == 0 {
		return
	}
	id := s.Cluster.Brokers[0].ID
	resources, err := describe(ctx, client.Broker(int(id)), kmsg.ConfigResourceTypeBroker, []string{strconv.Itoa(int(id))}, names...)
	if err != nil || len(resources) == 0 {
		return
	}
	own := map[string]string{}
	for _, c := range resources[0].Configs {
		if c.Value != nil {
			own[c.Name] = *c.Value
		}
	}
	for _, key := range keys {
		for _, name := range slices.Backward(brokerKeys[key]) {
			if value, set := own[name]; set {
				s.Defaults[key] = inMillis(name, value)
			}
		}
	}
}

// inMillis converts the broker configs that count hours or minutes, and stand
// for a topic's milliseconds: log.retention.hours for retention.ms.
func inMillis(name, value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || n < 0:
		return value
	case strings.HasSuffix(name, ".hours"):
		n *= time.Hour.Milliseconds()
	case strings.HasSuffix(name, ".minutes"):
		n *= time.Minute.Milliseconds()
	}
	return strconv.FormatInt(n, 10)
}
