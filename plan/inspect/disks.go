package inspect

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

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
