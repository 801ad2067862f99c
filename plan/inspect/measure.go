package inspect

import (
	"cmp"
	"context"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// Measure answers questions about endangered objects, all kinds of them side
// by side, each with a few requests to a broker however many topics there are.
// What a cluster does not answer in full is unseen, with the reason.
func Measure(ctx context.Context, client *kgo.Client, s *live.Snapshot, q live.Questions) live.Answers {
	var a live.Answers
	var asking sync.WaitGroup
	if len(q.Sizes) > 0 || q.Disks {
		asking.Go(func() { a.Sizes, a.Disks = logs(ctx, client, s, q.Sizes, q.Disks) })
	}
	if len(q.Offsets) > 0 {
		asking.Go(func() { a.Offsets = offsets(ctx, client, s, q.Offsets) })
	}
	if len(q.Readers) > 0 {
		asking.Go(func() { a.Readers, a.Active = readers(ctx, client, q.Readers) })
	}
	asking.Wait()
	return a
}

// logs asks each broker for the logs it keeps (KIP-113, Kafka 1.0+): of some
// topics or, where the disks are asked for, too, all of them. The leader of
// each partition must answer; what is free is the sum of all brokers.
func logs(ctx context.Context, client *kgo.Client, s *live.Snapshot, topics []string, all bool) (map[string]live.Seen[live.Sizes], live.Seen[live.Disks]) {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	measured := make(map[string]live.Sizes, len(topics))
	for _, name := range topics {
		t := kmsg.DescribeLogDirsRequestTopic{Topic: name}
		measured[name] = make(live.Sizes, len(s.Topics[name].Value.Partitions))
		for i := range measured[name] {
			t.Partitions = append(t.Partitions, int32(i))
			measured[name][i] = map[int32]int64{}
		}
		req.Topics = append(req.Topics, t)
	}
	var disks live.Seen[live.Disks]
	if all {
		req.Topics, disks = nil, live.Is(live.Disks{})
	}
	var silent live.Seen[live.Sizes] // why the last broker that did not answer did not
	for _, shard := range client.RequestSharded(ctx, req) {
		resp, refused := answeredLogs(shard)
		if refused.Why != "" {
			silent, disks = refused, live.Hidden[live.Disks](refused.Why, refused.Needs)
			continue
		}
		takeSizes(measured, shard.Meta.NodeID, resp)
		if disks.State == live.Present {
			disks.Value[shard.Meta.NodeID] = disk(resp)
		}
	}
	if !all {
		disks = live.Seen[live.Disks]{}
	}
	return complete(s, measured, silent), disks
}

// answeredLogs is one broker's answer, or why there is none.
func answeredLogs(shard kgo.ResponseShard) (*kmsg.DescribeLogDirsResponse, live.Seen[live.Sizes]) {
	if shard.Err != nil {
		return nil, live.Hidden[live.Sizes](reasonOf(shard.Meta.NodeID, shard.Err), "")
	}
	resp := shard.Resp.(*kmsg.DescribeLogDirsResponse)
	if refused := refusedDirs(resp); refused != 0 {
		return nil, hidden[live.Sizes](refused, describeCluster)
	}
	return resp, live.Seen[live.Sizes]{}
}

// takeSizes notes what one broker keeps.
func takeSizes(measured map[string]live.Sizes, broker int32, resp *kmsg.DescribeLogDirsResponse) {
	for _, dir := range resp.Dirs {
		for _, t := range dir.Topics {
			for _, p := range t.Partitions {
				if all := measured[t.Topic]; int(p.Partition) < len(all) && !p.IsFuture {
					all[p.Partition][broker] = p.Size
				}
			}
		}
	}
}

// describeCluster is the right that shows log directories, and all groups.
const describeCluster = "Describe on Cluster"

// refusedDirs is the error that a broker answers instead of all its log
// directories, or 0.
func refusedDirs(resp *kmsg.DescribeLogDirsResponse) int16 {
	if len(resp.Dirs) == 0 && resp.Version < 3 { // so brokers before Kafka 3.2 refuse
		return kerr.ClusterAuthorizationFailed.Code
	}
	for i := range resp.Dirs {
		if code := resp.Dirs[i].ErrorCode; code != 0 {
			return code
		}
	}
	return resp.ErrorCode
}

// complete are the sizes of the topics whose leaders have all answered.
func complete(s *live.Snapshot, measured map[string]live.Sizes, silent live.Seen[live.Sizes]) map[string]live.Seen[live.Sizes] {
	answers := make(map[string]live.Seen[live.Sizes], len(measured))
	for name, sizes := range measured {
		answers[name] = live.Is(sizes)
		for i := range sizes {
			leader := s.Topics[name].Value.Partitions[i].Leader
			if _, answered := sizes[i][leader]; !answered {
				answers[name] = live.Hidden[live.Sizes](cmp.Or(silent.Why, noLeader), silent.Needs)
			}
		}
	}
	return answers
}
