package inspect

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan/live"
)

// readTopics reads topics by name: where they are, then their configs and the
// reassignments that run.
func readTopics(ctx context.Context, from kmsg.Requestor, names []string, s *live.Snapshot) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	s.Topics = make(map[string]live.Seen[live.Topic], len(names))
	if err := readPlaces(ctx, from, names, s); err != nil {
		return err
	}
	present := slices.DeleteFunc(names, func(name string) bool { return s.Topics[name].State != live.Present })
	if len(present) == 0 {
		return nil
	}
	var (
		mu      sync.Mutex // guards s
		reading errgroup.Group
		moves   *kmsg.ListPartitionReassignmentsResponse
	)
	reading.SetLimit(inFlight + 1)
	reading.Go(func() (err error) {
		moves, err = kmsg.NewPtrListPartitionReassignmentsRequest().RequestWith(ctx, from) // of all topics
		return err
	})
	for batch := range slices.Chunk(present, configBatch) {
		reading.Go(func() error {
			resources, err := describe(ctx, from, batch)
			mu.Lock()
			defer mu.Unlock()
			for i := range resources {
				takeOverrides(s, &resources[i])
			}
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	takeMoves(s, moves)
	return nil
}

// readPlaces asks for metadata by name. Auto-creation is off.
func readPlaces(ctx context.Context, from kmsg.Requestor, names []string, s *live.Snapshot) error {
	for begin := 0; begin == 0 || begin < len(names); begin += metadataBatch {
		batch := names[begin:min(begin+metadataBatch, len(names))]
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = make([]kmsg.MetadataRequestTopic, len(batch)) // nil would be all of them
		for i := range batch {
			req.Topics[i].Topic = &batch[i]
		}
		resp, err := req.RequestWith(ctx, from)
		if err != nil {
			return err
		}
		s.Cluster = cluster(resp)
		for i := range resp.Topics {
			if t := &resp.Topics[i]; t.Topic != nil {
				s.Topics[*t.Topic] = place(*t.Topic, t)
			}
		}
	}
	return nil
}

func place(name string, t *kmsg.MetadataResponseTopic) live.Seen[live.Topic] {
	switch kerr.ErrorForCode(t.ErrorCode) {
	case nil:
	case kerr.UnknownTopicOrPartition:
		return live.None[live.Topic]()
	default:
		return hidden[live.Topic](t.ErrorCode, "Describe on Topic "+name)
	}
	topic := live.Topic{
		ID:         t.TopicID,
		Partitions: make([]live.Partition, len(t.Partitions)),
		Overrides:  live.Hidden[map[string]string]("the broker did not answer for it", ""),
	}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if int(p.Partition) >= len(topic.Partitions) {
			return live.Hidden[live.Topic]("the broker does not know all of its partitions yet", "")
		}
		topic.Partitions[p.Partition] = live.Partition{Leader: p.Leader, Replicas: p.Replicas, InSync: p.ISR}
	}
	return live.Is(topic)
}

// describe reads configs of topics: all keys, or those named.
func describe(ctx context.Context, from kmsg.Requestor, topics []string, keys ...string) ([]kmsg.DescribeConfigsResponseResource, error) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.IncludeSynonyms = len(keys) > 0
	req.Resources = make([]kmsg.DescribeConfigsRequestResource, len(topics))
	for i, name := range topics {
		req.Resources[i] = kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name, ConfigNames: keys}
	}
	resp, err := req.RequestWith(ctx, from)
	if err != nil {
		return nil, err
	}
	return resp.Resources, nil
}

// isThrottle says whether a key belongs to moves of replicas (KIP-73), not to the topic's owner.
func isThrottle(key string) bool { return strings.HasSuffix(key, ".replication.throttled.replicas") }

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
			topic.Throttled = topic.Throttled || value != ""
		case !set:
			s.Defaults[c.Name] = value
		case !c.ReadOnly:
			topic.Overrides.Value[c.Name] = value
		}
	}
	s.Topics[r.ResourceName] = seen
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
			moving++
			topic := s.Topics[t.Topic].Value
			if int(m.Partition) >= len(topic.Partitions) {
				continue // not ours to look at
			}
			p := &topic.Partitions[m.Partition]
			p.Adding, p.Removing = m.AddingReplicas, m.RemovingReplicas
			p.Replicas = slices.DeleteFunc(slices.Clone(m.Replicas), func(id int32) bool { return slices.Contains(m.RemovingReplicas, id) })
		}
	}
	s.Moves = live.Is(moving)
}

// Inherited adds to the snapshot's defaults what its topics would inherit of
// keys that all of them override. What cannot be read stays unknown.
func Inherited(ctx context.Context, from kmsg.Requestor, s *live.Snapshot, keys []string) {
	at := slices.IndexFunc(slices.Sorted(maps.Keys(s.Topics)), func(name string) bool {
		return s.Topics[name].Value.Overrides.State == live.Present
	})
	if len(keys) == 0 || at < 0 {
		return
	}
	topic := slices.Sorted(maps.Keys(s.Topics))[at]
	resources, err := describe(ctx, from, []string{topic}, keys...)
	if err != nil || len(resources) == 0 {
		return
	}
	for _, c := range resources[0].Configs {
		for _, synonym := range c.ConfigSynonyms { // the nearest first
			if synonym.Source != kmsg.ConfigSourceDynamicTopicConfig && synonym.Value != nil {
				s.Defaults[c.Name] = *synonym.Value
				break
			}
		}
	}
}
