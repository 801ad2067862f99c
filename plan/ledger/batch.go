package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// batchBytes is how much goes in one batch before it is compressed, so that it
// fits the largest one of a topic, 1 MiB unless it is set lower.
const batchBytes = 900 << 10

// Where things are in a batch of records (KIP-98, Kafka 0.11+).
const (
	batchLengthEnd = 12 // its length counts from here
	batchCRC       = 17
	batchCRCEnd    = 21 // its checksum is of what follows
	gzipped        = 1  // the attribute
)

// encodeBatch makes one batch of records. Brokers put their own time in the place
// of now; the embedded cluster, which shares our clock, does not.
func encodeBatch(values [][]byte, now time.Time) []byte {
	var records []byte
	for i, value := range values {
		r := kmsg.Record{OffsetDelta: int32(i), Value: value}
		r.Length = int32(len(r.AppendTo(nil)) - 1) // less the one byte of a length of 0
		records = r.AppendTo(records)
	}
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: gzipped,
		LastOffsetDelta: int32(len(values) - 1), NumRecords: int32(len(values)),
		FirstTimestamp: now.UnixMilli(), MaxTimestamp: now.UnixMilli(),
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		Records: compress(records),
	}
	text := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(text[8:], uint32(len(text)-batchLengthEnd))
	binary.BigEndian.PutUint32(text[batchCRC:], crc32.Checksum(text[batchCRCEnd:], crc32.MakeTable(crc32.Castagnoli)))
	return text
}

func compress(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}

// batches groups values so that each group fits one batch.
func batches(values [][]byte) [][][]byte {
	var groups [][][]byte
	size := 0
	for i, value := range values {
		size += len(value)
		if i == 0 || size > batchBytes {
			groups = append(groups, nil)
			size = len(value)
		}
		last := &groups[len(groups)-1]
		*last = append(*last, value)
	}
	return groups
}
