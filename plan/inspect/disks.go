package inspect

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// disks asks every broker for all that it keeps. One that does not answer
// leaves all unseen: what is free is the sum of them.
func disks(ctx context.Context, client *kgo.Client) live.Seen[live.Disks] {
	all := live.Disks{}
	for _, shard := range client.RequestSharded(ctx, kmsg.NewPtrDescribeLogDirsRequest()) {
		if shard.Err != nil {
			return live.Hidden[live.Disks](reason(shard.Err), "")
		}
		resp := shard.Resp.(*kmsg.DescribeLogDirsResponse)
		if refused := refusedDirs(resp); refused != 0 {
			return hidden[live.Disks](refused, describeCluster)
		}
		all[shard.Meta.NodeID] = disk(resp)
	}
	return live.Is(all)
}

// disk adds up one broker's log directories.
func disk(resp *kmsg.DescribeLogDirsResponse) live.Disk {
	d := live.Disk{Bytes: map[string]int64{}}
	for _, dir := range resp.Dirs {
		if dir.UsableBytes < 0 || d.Usable < 0 {
			d.Usable = live.NoSpace
		} else {
			d.Usable += dir.UsableBytes
		}
		for _, t := range dir.Topics {
			for _, p := range t.Partitions {
				if !p.IsFuture { // a move between the broker's own directories
					d.Replicas++
					d.Bytes[t.Topic] += p.Size
				}
			}
		}
	}
	return d
}
