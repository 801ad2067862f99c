package clientconf

import (
	"strconv"
	"strings"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/schema/diag"
)

const (
	bufferMemory   = "buffer.memory"
	batchSize      = "batch.size"
	maxRequestSize = "max.request.size"
	leastMemory    = 32 << 20
)

// memory sets buffer.memory to the largest of 32 MiB, two batches for each
// partition that is written to, and two of the largest requests.
func (b *builder) memory(p *schema.Producer) {
	partitions, unknown := b.partitions(p.Queues)
	batches, requests := 2*number(p, batchSize)*partitions, 2*number(p, maxRequestSize)
	why := "the least that auto gives, 32 MiB"
	switch {
	case batches > leastMemory && batches >= requests:
		why = batchSize + " x " + strconv.FormatInt(partitions, 10) + " partitions x 2"
	case requests > leastMemory:
		why = maxRequestSize + " x 2"
	}
	from := diag.Place(p.At("client."+bufferMemory)) + ", derived from " + why
	b.set(bufferMemory, from, plain(strconv.FormatInt(max(leastMemory, batches, requests), 10)))
	if len(unknown) > 0 {
		b.note("%s counts one partition of %s, since the files do not say how many there are", bufferMemory, strings.Join(unknown, ", "))
	}
}

// partitions are those of the queues; a queue that does not say has one at least.
func (b *builder) partitions(queues []schema.Addr) (count int64, unknown []string) {
	for _, addr := range queues {
		if q, ok := b.topology.Find(addr).(*schema.Queue); ok && q.Partitions > 0 {
			count += int64(q.Partitions)
			continue
		}
		count++
		unknown = append(unknown, addr.String())
	}
	return count, unknown
}

// number is a declared value, or the Java client's own.
func number(p *schema.Producer, name string) int64 {
	if n, err := strconv.ParseInt(p.Client[name].Value, 10, 64); err == nil {
		return n
	}
	key, _ := catalog.Producer.Find(name)
	n, _ := strconv.ParseInt(key.Default, 10, 64)
	return n
}
