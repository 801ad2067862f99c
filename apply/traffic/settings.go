package traffic

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/catalog"
)

// settings are what a block declares for its client, over the defaults of the
// Java client.
type settings struct {
	declared map[string]schema.Setting
	known    catalog.Table
}

func (s settings) text(name string) string {
	if setting, ok := s.declared[name]; ok {
		return setting.Value
	}
	key, _ := s.known.Find(name)
	return key.Default
}

// number is at most what the client takes; one that is no number is 0.
func (s settings) number(name string) int32 {
	n, _ := strconv.ParseInt(s.text(name), 10, 64)
	return int32(min(n, math.MaxInt32))
}

func (s settings) time(name string) time.Duration {
	return time.Duration(s.number(name)) * time.Millisecond
}

// has says whether the block itself declares it.
func (s settings) has(name string) bool {
	_, ok := s.declared[name]
	return ok
}

// codecs are the values of compression.type.
var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

const (
	memory      = 32 << 20 // bytes that wait to be sent, unless buffer.memory says otherwise
	mostWaiting = 50_000   // messages that wait to be sent
)

// sending are the options of a producer's client. Batch.size has no equal: the
// client fills its batches up to the largest message. Delivery.timeout.ms is
// kept by [run.watch]: the client's own counts from a message's timestamp.
func (s settings) sending(largest int32) []kgo.Opt {
	buffer := s.number("buffer.memory")
	if s.text("buffer.memory") == schema.AutoMemory {
		buffer = memory
	}
	options := []kgo.Opt{
		kgo.RecordPartitioner(partitioner{s.partitioner()}),
		kgo.ProducerLinger(min(s.time("linger.ms"), time.Minute)),
		kgo.ProducerBatchCompression(codecs[s.text("compression.type")], kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(largest),
		kgo.ProduceRequestTimeout(max(s.time("request.timeout.ms"), 100*time.Millisecond)),
		kgo.MaxBufferedBytes(int(max(buffer, 2*largest))),
		kgo.MaxBufferedRecords(mostWaiting),
	}
	if s.has("client.id") {
		options = append(options, kgo.ClientID(s.text("client.id")))
	}
	return options
}

func (s settings) partitioner() kgo.Partitioner {
	if s.text("partitioner.ignore.keys") == "true" {
		return kgo.StickyPartitioner()
	}
	return kgo.StickyKeyPartitioner(nil) // nil: murmur2, as every client of Kafka has it
}

// acks are the options of how sure a message is before it counts as sent.
// Idempotence goes where the settings are not for it, as with the Java client.
func (s settings) acks() []kgo.Opt {
	var acks kgo.Acks
	switch s.text("acks") {
	case "0":
		acks = kgo.NoAck()
	case "1":
		acks = kgo.LeaderAck()
	default:
		if s.text("enable.idempotence") != "false" {
			return []kgo.Opt{kgo.AllowIdempotentProduceCancellation()}
		}
		acks = kgo.AllISRAcks()
	}
	inFlight := max(1, int(s.number("max.in.flight.requests.per.connection")))
	return []kgo.Opt{kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(inFlight)}
}

const fetched = 4 << 20 // bytes at a time from one broker, unless fetch.max.bytes says otherwise

// receiving are the options of a group's client that do not depend on its protocol.
func (s settings) receiving() []kgo.Opt {
	most := int32(fetched)
	if s.has("fetch.max.bytes") {
		most = min(max(s.number("fetch.max.bytes"), 1), 1<<30) // the client's own limits
	}
	options := []kgo.Opt{
		kgo.FetchMaxBytes(most),
		kgo.FetchMaxPartitionBytes(max(s.number("max.partition.fetch.bytes"), 1)),
		kgo.FetchMinBytes(s.number("fetch.min.bytes")),
		kgo.FetchMaxWait(max(s.time("fetch.max.wait.ms"), 10*time.Millisecond)),
		kgo.BrokerMaxReadBytes(max(100<<20, most)),
		kgo.FetchIsolationLevel(s.isolation()),
	}
	if s.has("client.id") {
		options = append(options, kgo.ClientID(s.text("client.id")))
	}
	if s.has("client.rack") {
		options = append(options, kgo.Rack(s.text("client.rack")))
	}
	return options
}

func (s settings) isolation() kgo.IsolationLevel {
	if s.text("isolation.level") == "read_committed" {
		return kgo.ReadCommitted()
	}
	return kgo.ReadUncommitted()
}

// joining are the options of a member of a classic or consumer group.
func (s settings) joining(protocol schema.Protocol) []kgo.Opt {
	options := []kgo.Opt{kgo.RebalanceTimeout(max(s.time("max.poll.interval.ms"), 100*time.Millisecond))}
	if s.has("group.instance.id") {
		options = append(options, kgo.InstanceID(s.text("group.instance.id")))
	}
	if protocol == schema.Consumer {
		balancer := kgo.StickyBalancer() // it asks for the brokers' assignor "uniform"
		if s.text("group.remote.assignor") == "range" {
			balancer = kgo.RangeBalancer()
		}
		return append(options, kgo.ServerSideBalancer(), kgo.Balancers(balancer))
	}
	return append(options,
		kgo.SessionTimeout(s.time("session.timeout.ms")),
		kgo.HeartbeatInterval(s.time("heartbeat.interval.ms")),
		kgo.Balancers(s.balancers()...),
	)
}

// balancers are the assignors that the member offers, by what the names of
// their Java classes end in. One that the client does not have is not offered.
func (s settings) balancers() []kgo.GroupBalancer {
	var all []kgo.GroupBalancer
	for name := range strings.SplitSeq(s.text("partition.assignment.strategy"), ",") {
		switch name = strings.TrimSpace(name); name[strings.LastIndexByte(name, '.')+1:] {
		case "RangeAssignor":
			all = append(all, kgo.RangeBalancer())
		case "RoundRobinAssignor":
			all = append(all, kgo.RoundRobinBalancer())
		case "StickyAssignor":
			all = append(all, kgo.StickyBalancer())
		case "CooperativeStickyAssignor":
			all = append(all, kgo.CooperativeStickyBalancer())
		}
	}
	if all == nil {
		return []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()}
	}
	return all
}
