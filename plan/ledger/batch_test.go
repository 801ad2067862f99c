package ledger

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func TestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.SliceOf(rapid.Byte()), 1, 50).Draw(t, "values")
		now := time.UnixMilli(rapid.Int64Range(0, 1<<42).Draw(t, "now"))
		partition := &kmsg.FetchResponseTopicPartition{RecordBatches: encodeBatch(values, now)}
		got, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, partition, kgo.DefaultDecompressor(), nil)
		if got.Err != nil || next != int64(len(values)) || len(got.Records) != len(values) {
			t.Fatalf("%d of %d records: %v", len(got.Records), len(values), got.Err)
		}
		for i, r := range got.Records {
			if !bytes.Equal(r.Value, values[i]) || !r.Timestamp.Equal(now) {
				t.Fatalf("record %d is %q of %v", i, r.Value, r.Timestamp)
			}
		}
	})
}

func TestBatchesFit(t *testing.T) {
	values := slices.Repeat([][]byte{make([]byte, batchBytes/3)}, 10)
	values = append(values, make([]byte, batchBytes+1), nil)
	var sizes []int
	total := 0
	for _, batch := range batches(values) {
		sizes = append(sizes, len(batch))
		total += len(batch)
	}
	if want := []int{3, 3, 3, 1, 1, 1}; !slices.Equal(sizes, want) || total != len(values) {
		t.Errorf("there are batches of %v", sizes)
	}
}
