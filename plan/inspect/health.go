package inspect

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Sample notes how far the groups of a snapshot had come, and asks where
// topics end now.
func Sample(ctx context.Context, client *kgo.Client, s *live.Snapshot, topics []string) live.Sample {
	sample := live.Sample{GroupsAt: s.GroupsAt, Groups: s.Groups, Ends: make(map[string]live.Offsets, len(topics))}
	var ends []live.Position
	for _, name := range topics {
		ends = append(ends, live.Position{Topic: name, At: live.End})
	}
	for name, l := range list(ctx, client, s, ends) {
		sample.Ends[name] = l.offsets
	}
	sample.EndsAt = time.Now()
	return sample
}

// Progress is a sample whose groups are read again.
func Progress(ctx context.Context, client *kgo.Client, before live.Sample) live.Sample {
	admin, now := kadm.NewClient(client), before
	now.Groups = maps.Clone(before.Groups)
	var committing, sharing []string
	for id, seen := range before.Groups {
		switch {
		case seen.State != live.Present:
		case seen.Value.Protocol == schema.Share:
			sharing = append(sharing, id)
		default:
			committing = append(committing, id)
		}
	}
	committed(now.Groups, admin.FetchManyOffsets(ctx, committing...))
	if len(sharing) > 0 {
		shared(ctx, admin, sharing, now.Groups)
	}
	now.GroupsAt = time.Now()
	return now
}

const (
	fetchRounds  = 3
	fetchBytes   = 8 << 20   // that one broker may answer, and more where a single batch is larger
	partitionFew = 128 << 10 // of one partition, in the first round
)

// Reading adds to a sample where the messages of all partitions are, and when the
// first of those was written that are not read: at the offset that is given,
// or from live.Start; live.End asks for none. A leader's answer to one fetch
// tells all of that. It is asked again about a partition that begins elsewhere,
// or with a batch too large for so many in one answer.
func Reading(ctx context.Context, client *kgo.Client, s *live.Snapshot, sample live.Sample, unread map[string]live.Offsets) live.Reading {
	r := live.Reading{Sample: sample, Spans: make(map[string][]live.Seen[live.Span], len(unread))}
	asking := probes(s, &r, unread)
	for round := 0; round < fetchRounds && len(asking) > 0; round++ {
		few := int32(partitionFew)
		if round > 0 {
			few = fetchBytes
		}
		fetch(ctx, client, s, asking, few)
		asking = slices.DeleteFunc(asking, func(p *probe) bool { return !p.again })
	}
	listed(ctx, client, s, unread, r.Spans)
	r.EndsAt, r.Ends = time.Now(), make(map[string]live.Offsets, len(r.Spans))
	for name, spans := range r.Spans {
		for _, seen := range spans {
			end := live.NoOffset
			if seen.State == live.Present {
				end = seen.Value.End
			}
			r.Ends[name] = append(r.Ends[name], end)
		}
	}
	return r
}

// probes are the partitions that have leaders.
func probes(s *live.Snapshot, r *live.Reading, unread map[string]live.Offsets) []*probe {
	var all []*probe
	for name, offsets := range unread {
		r.Spans[name] = make([]live.Seen[live.Span], len(offsets))
		for i, at := range offsets {
			p := &probe{
				topic: name, partition: int32(i), leader: s.Topics[name].Value.Partitions[i].Leader,
				at: at, end: endOf(r.Ends, name, i), answer: &r.Spans[name][i],
			}
			if p.leader < 0 {
				*p.answer = live.Hidden[live.Span](noLeader, "")
				continue
			}
			if at < 0 {
				p.at, p.toStart, p.none = p.end, at == live.Start, at == live.End
			}
			all = append(all, p)
		}
	}
	return all
}

func endOf(ends map[string]live.Offsets, topic string, partition int) int64 {
	if offsets := ends[topic]; partition < len(offsets) && offsets[partition] >= 0 {
		return offsets[partition]
	}
	return 0
}

// probe is a partition that is fetched from.
type probe struct {
	topic     string
	partition int32
	leader    int32
	at        int64 // the offset to fetch
	end       int64 // that the partition is known to have had
	toStart   bool  // what is wanted is the first message that is there
	none      bool  // no message is wanted
	again     bool
	answer    *live.Seen[live.Span]
}

// fetch asks each leader once.
func fetch(ctx context.Context, client *kgo.Client, s *live.Snapshot, asking []*probe, few int32) {
	of := map[int32][]*probe{}
	for _, p := range asking {
		p.again = false
		of[p.leader] = append(of[p.leader], p)
	}
	var fetching sync.WaitGroup
	for leader, probes := range of {
		fetching.Go(func() {
			resp, err := client.Broker(int(leader)).RetriableRequest(ctx, fetchOf(s, probes, few))
			if err != nil {
				for _, p := range probes {
					*p.answer = live.Hidden[live.Span](reason(err), "")
				}
				return
			}
			takeFetched(s, probes, resp.(*kmsg.FetchResponse))
		})
	}
	fetching.Wait()
}

func fetchOf(s *live.Snapshot, probes []*probe, few int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = fetchBytes
	of := map[string]*kmsg.FetchRequestTopic{}
	for _, p := range probes {
		t := of[p.topic]
		if t == nil {
			t = new(kmsg.NewFetchRequestTopic())
			t.Topic, t.TopicID = p.topic, s.Topics[p.topic].Value.ID
			of[p.topic] = t
		}
		partition := kmsg.NewFetchRequestTopicPartition()
		partition.Partition, partition.FetchOffset, partition.PartitionMaxBytes = p.partition, p.at, few
		t.Partitions = append(t.Partitions, partition)
	}
	for _, t := range of {
		req.Topics = append(req.Topics, *t)
	}
	return req
}

// takeFetched notes what one leader says. Since Kafka 3.1 it names topics by
// id alone (KIP-516).
func takeFetched(s *live.Snapshot, probes []*probe, resp *kmsg.FetchResponse) {
	type key struct {
		topic     string
		id        live.TopicID
		partition int32
	}
	answers := map[key]*kmsg.FetchResponseTopicPartition{}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			answers[key{t.Topic, t.TopicID, t.Partitions[j].Partition}] = &t.Partitions[j]
		}
	}
	for _, p := range probes {
		k := key{topic: p.topic, partition: p.partition}
		if resp.Version >= 13 {
			k = key{id: s.Topics[p.topic].Value.ID, partition: p.partition}
		}
		switch answer := answers[k]; {
		case resp.ErrorCode != 0:
			*p.answer = hidden[live.Span](resp.ErrorCode, "Read on Topic "+p.topic)
		case answer == nil:
			*p.answer = live.Hidden[live.Span]("its leader did not answer for it", "")
		default:
			p.take(answer)
		}
	}
}

// take notes an answer, or where to fetch from again.
func (p *probe) take(answer *kmsg.FetchResponseTopicPartition) {
	switch err := kerr.ErrorForCode(answer.ErrorCode); {
	case errors.Is(err, kerr.OffsetOutOfRange):
		p.at, p.toStart, p.again = p.end, true, true // what was there has been deleted
		return
	case err != nil:
		*p.answer = hidden[live.Span](answer.ErrorCode, "Read on Topic "+p.topic)
		return
	}
	span := live.Span{Start: answer.LogStartOffset, End: answer.HighWatermark, Stable: answer.LastStableOffset, Oldest: live.None[time.Time]()}
	switch {
	case p.none || p.at >= span.End && !p.toStart || span.Start >= span.End:
	case p.toStart && p.at != span.Start:
		p.at, p.again = span.Start, true
		span.Oldest = live.Hidden[time.Time](tooLarge, "")
	default:
		span.Oldest, p.again = p.oldest(answer)
	}
	*p.answer = live.Is(span)
}

const (
	noLeader = "a partition has no leader"
	tooLarge = "a batch of messages is too large to be fetched with those of other partitions"
)

// oldest is when the first message of an answer was written. Marks of Kafka's
// own are none; where there are only those, all messages are read.
func (p *probe) oldest(answer *kmsg.FetchResponseTopicPartition) (at live.Seen[time.Time], again bool) {
	if len(answer.RecordBatches) == 0 {
		return live.Hidden[time.Time](tooLarge, ""), true
	}
	o := kgo.ProcessFetchPartitionOpts{Offset: p.at, Topic: p.topic, Partition: p.partition}
	fetched, _ := kgo.ProcessFetchPartition(o, answer, kgo.DefaultDecompressor(), nil)
	switch {
	case len(fetched.Records) > 0:
		return live.Is(fetched.Records[0].Timestamp), false
	case fetched.Err != nil:
		return live.Hidden[time.Time](reason(fetched.Err), ""), false
	}
	return live.None[time.Time](), false
}

// listed asks for the offsets alone where nothing could be fetched: that needs
// fewer rights, and finds leaders that have changed. The age of messages is then
// not known, if any are not read.
func listed(ctx context.Context, client *kgo.Client, s *live.Snapshot, unread map[string]live.Offsets, all map[string][]live.Seen[live.Span]) {
	var starts, ends []live.Position
	for name, spans := range all {
		if slices.ContainsFunc(spans, unfetched) {
			starts = append(starts, live.Position{Topic: name, At: live.Start})
			ends = append(ends, live.Position{Topic: name, At: live.End})
		}
	}
	from := list(ctx, client, s, starts)
	for name, to := range list(ctx, client, s, ends) {
		for i, end := range to.offsets {
			seen, start := &all[name][i], from[name].offsets[i]
			if !unfetched(*seen) || start < 0 || end < 0 {
				continue
			}
			span := live.Span{Start: start, End: end, Stable: live.NoOffset, Oldest: live.None[time.Time]()}
			if at := unread[name][i]; at != live.End && max(at, start) < end {
				span.Oldest = live.Hidden[time.Time](seen.Why, seen.Needs)
			}
			*seen = live.Is(span)
		}
	}
}

func unfetched(s live.Seen[live.Span]) bool { return s.State == live.Unseen && s.Why != noLeader }
