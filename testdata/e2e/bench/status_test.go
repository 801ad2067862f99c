package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readBy declares so many groups, each of which has read nothing of a queue.
func (x *bench) readBy(prefix string, groups int) {
	x.Helper()
	text := fmt.Sprintf(`consumer_group "g" {
  for_each = toset([for n in range(%d) : format("%s%%05d", n)])
  group_id = each.key
  queues   = [queue.q[each.key]]
  protocol = "classic"
}
`, groups, prefix)
	if err := os.WriteFile(filepath.Join(x.dir, "groups.hcl"), []byte(text), 0o644); err != nil {
		x.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(x.servers, ",")...))
	if err != nil {
		x.Fatal(err)
	}
	defer client.Close()
	for i := range groups {
		id, offsets := fmt.Sprintf("%s%05d", prefix, i), kadm.Offsets{}
		for partition := range int32(6) {
			offsets.AddOffset(id, partition, 0, -1)
		}
		if err := kadm.NewClient(client).CommitAllOffsets(x.Context(), id, offsets); err != nil {
			x.Fatal(err)
		}
	}
}

// BenchmarkStatus looks twice at a thousand queues, against a plan for them. The
// limit: 13 requests more, and the greetings of connections, however many groups
// there are.
func BenchmarkStatus(b *testing.B) {
	for _, groups := range []int{20, 200, 1_000} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			x := embedded(b)
			x.run("floor", "create", x.servers, "t", "1000")
			x.adopt("t", 1_000)
			x.readBy("t", groups)
			var status, plan []cost
			for b.Loop() {
				plan = append(plan, x.run("queueform", "plan", "--bootstrap-servers", x.servers))
				status = append(status, x.run("queueform", "status", "--bootstrap-servers", x.servers, "--interval", "1ms"))
			}
			x.compare(status, plan)
		})
	}
}
