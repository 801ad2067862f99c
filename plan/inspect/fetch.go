package inspect

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// What is fetched to learn how old messages are. Of the partitions in one answer
// brokers send whole batches, as many as have room, and at least the first of all
// (KIP-74).
const (
	mostFetches    = 4         // that one leader is asked
	fetchBytes     = 8 << 20   // that one answer may hold, and more where a single batch is larger
	partitionBytes = 128 << 10 // of one partition, unless there is a larger batch
)

const noLeader = "a partition has no leader"

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
	batch     int // bytes of the first batch that was sent
	answer    *live.Seen[live.Span]
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

// unread is how many messages there are to read; all there can be, where it is
// not known yet where they begin.
func (p *probe) unread() int64 {
	if p.toStart {
		return math.MaxInt64
	}
	return p.end - p.at
}

// fetch asks all leaders, side by side.
func fetch(ctx context.Context, client *kgo.Client, s *live.Snapshot, all []*probe) {
	of := map[int32][]*probe{}
	for _, p := range all {
		of[p.leader] = append(of[p.leader], p)
	}
	var fetching sync.WaitGroup
	for leader, probes := range of {
		fetching.Go(func() { fetchFrom(ctx, client, leader, s, probes) })
	}
	fetching.Wait()
}

// fetchFrom asks a leader about all of its partitions at once, whose answer tells
// where their messages are. Then it is asked about those alone that begin elsewhere,
// or whose first batch had no room: those with the most to read first, and so many
// as have room if their batches are as large as any that was seen.
func fetchFrom(ctx context.Context, client *kgo.Client, leader int32, s *live.Snapshot, left []*probe) {
	room, asked := share(left), len(left)
	for range mostFetches {
		resp, err := client.Broker(int(leader)).RetriableRequest(ctx, fetchOf(s, left[:asked], room))
		if err != nil {
			for _, p := range left[:asked] {
				*p.answer = live.Hidden[live.Span](reasonOf(leader, err), "")
			}
			return
		}
		takeFetched(s, left[:asked], resp.(*kmsg.FetchResponse))
		for _, p := range left[:asked] {
			room = max(room, p.batch)
		}
		left = slices.DeleteFunc(left, func(p *probe) bool { return !p.again })
		if len(left) == 0 {
			return
		}
		slices.SortFunc(left, func(a, b *probe) int { return cmp.Compare(b.unread(), a.unread()) })
		asked = min(len(left), max(1, fetchBytes/room))
	}
}

// share is the room that each partition has, if all that have something to read
// are asked about at once.
func share(all []*probe) int {
	sharing := 0
	for _, p := range all {
		if p.unread() > 0 {
			sharing++
		}
	}
	return min(partitionBytes, fetchBytes/max(1, sharing))
}

func fetchOf(s *live.Snapshot, probes []*probe, room int) *kmsg.FetchRequest {
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
		partition.Partition, partition.FetchOffset = p.partition, p.at
		if !p.none {
			partition.PartitionMaxBytes = int32(room)
		}
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
		p.again = false
		switch answer := answers[k]; {
		case resp.ErrorCode != 0:
			*p.answer = hidden[live.Span](resp.ErrorCode, "Read on Topic "+p.topic)
		case answer == nil: // so the embedded cluster says that there was no room
			p.again = true
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
	span := live.Span{Start: answer.LogStartOffset, End: answer.HighWatermark, Stable: answer.LastStableOffset}
	p.end = span.End
	switch {
	case p.none || p.at >= span.End && !p.toStart || span.Start >= span.End:
		span.Oldest = live.None[time.Time]()
	case p.toStart && p.at != span.Start:
		p.at, p.toStart, p.again = span.Start, false, true
	case len(answer.RecordBatches) == 0:
		p.again = true
	default:
		p.batch = batchBytes(answer.RecordBatches)
		span.Oldest = p.oldest(answer)
	}
	*p.answer = live.Is(span)
}

// oldest is when the first message of an answer was written. Marks of Kafka's
// own are none: where there are only those, what follows them is asked for.
func (p *probe) oldest(answer *kmsg.FetchResponseTopicPartition) live.Seen[time.Time] {
	o := kgo.ProcessFetchPartitionOpts{Offset: p.at, Topic: p.topic, Partition: p.partition}
	fetched, next := kgo.ProcessFetchPartition(o, answer, kgo.DefaultDecompressor(), nil)
	switch {
	case len(fetched.Records) > 0:
		return live.Is(fetched.Records[0].Timestamp)
	case fetched.Err != nil:
		return live.Hidden[time.Time]("its batch cannot be decoded: "+fetched.Err.Error(), "")
	case next < p.end:
		p.at, p.again = next, true
		return live.Seen[time.Time]{}
	}
	return live.None[time.Time]()
}

// batchBytes is the size of the first of some batches: that of what follows its
// offset and its size.
func batchBytes(batches []byte) int {
	const offset, size = 8, 4
	if len(batches) < offset+size {
		return 0
	}
	return min(len(batches), offset+size+int(binary.BigEndian.Uint32(batches[offset:])))
}
