package inspect

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// offsets asks the leaders of topics where messages are (ListOffsets by time:
// KIP-79, Kafka 0.10.1+). Start is asked for before End, so that what lies
// between them is at least what was there at either moment.
func offsets(ctx context.Context, client *kgo.Client, s *live.Snapshot, positions []live.Position) map[live.Position]live.Seen[live.Offsets] {
	answers := make(map[live.Position]live.Seen[live.Offsets], len(positions))
	for _, round := range rounds(positions) {
		for _, l := range list(ctx, client, s, round) {
			answers[l.position] = l.answer()
		}
	}
	return answers
}

// rounds parts positions so that each topic is in a round once: a request that
// names a partition twice is refused.
func rounds(positions []live.Position) [][]live.Position {
	sorted := slices.SortedFunc(slices.Values(positions), func(a, b live.Position) int { return cmp.Compare(a.At, b.At) })
	var all [][]live.Position
	named := map[string]int{}
	for _, p := range sorted {
		round := named[p.Topic]
		named[p.Topic]++
		if round == len(all) {
			all = append(all, nil)
		}
		all[round] = append(all[round], p)
	}
	return all
}

// list asks about topics, each of which is in a round once. Partitions that
// have no leader are left out.
func list(ctx context.Context, client *kgo.Client, s *live.Snapshot, round []live.Position) map[string]*listing {
	req := kmsg.NewPtrListOffsetsRequest()
	asked := make(map[string]*listing, len(round))
	for _, p := range round {
		partitions := s.Topics[p.Topic].Value.Partitions
		l := &listing{position: p, offsets: make(live.Offsets, len(partitions)), left: len(partitions)}
		asked[p.Topic] = l
		t := kmsg.ListOffsetsRequestTopic{Topic: p.Topic}
		for i := range partitions {
			if l.offsets[i] = live.NoOffset; partitions[i].Leader < 0 {
				l.why = noLeader
				continue
			}
			partition := kmsg.NewListOffsetsRequestTopicPartition()
			partition.Partition, partition.Timestamp = int32(i), p.At
			t.Partitions = append(t.Partitions, partition)
		}
		if len(t.Partitions) > 0 {
			req.Topics = append(req.Topics, t)
		}
	}
	if len(req.Topics) > 0 {
		for _, shard := range client.RequestSharded(ctx, req) {
			takeOffsets(asked, shard)
		}
	}
	return asked
}

// listing is what is known of one position so far.
type listing struct {
	position live.Position
	offsets  live.Offsets // NoOffset where there is no answer
	left     int          // partitions without an answer
	why      string       // the last of them has none
	needs    string
}

func (l *listing) answer() live.Seen[live.Offsets] {
	if l.left == 0 {
		return live.Is(l.offsets)
	}
	return live.Hidden[live.Offsets](cmp.Or(l.why, "the leader of a partition did not answer"), l.needs)
}

// takeOffsets notes what one broker says.
func takeOffsets(asked map[string]*listing, shard kgo.ResponseShard) {
	if shard.Err != nil {
		for _, t := range shard.Req.(*kmsg.ListOffsetsRequest).Topics {
			asked[t.Topic].why = reasonOf(shard.Meta.NodeID, shard.Err)
		}
		return
	}
	for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
		l := asked[t.Topic]
		for _, p := range t.Partitions {
			switch {
			case l == nil || int(p.Partition) >= len(l.offsets):
			case p.ErrorCode != 0:
				refused := hidden[live.Offsets](p.ErrorCode, "Describe on Topic "+t.Topic)
				l.why, l.needs = refused.Why, refused.Needs
			default:
				l.offsets[p.Partition] = p.Offset
				l.left--
			}
		}
	}
}
