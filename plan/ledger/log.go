package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

const (
	patience     = 5 * time.Second // with a ledger out of reach, of who leaves
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
	mostUnknown  = 6               // answers in turn, seconds apart, after which a topic is not only new to a broker that lags
	longestPoll  = 5 * time.Second // how long a broker is asked to wait for the next record
	fetchBytes   = 16 << 20
)

// log is the topic, read up to some record.
type log struct {
	Topic
	id      live.TopicID
	leader  int32 // of the one partition; -1: none now
	unknown int   // how often in turn a broker did not know the topic
	moved   bool  // the leader may be another by now
	next    int64 // the offset to read on from; -1: the start, wherever that is
	fold    fold
	state   *State      // of the whole log, as last read; nil: it was never begun
	poll    chan polled // the answer to a question that is open; nil: none is
}

// errSilent is a time that ran out before there was any answer.
var errSilent = errors.New("no broker has answered in time")

// errUnseen is what a broker that loses records would cause.
var errUnseen = errors.New("a broker has confirmed records that are not in the log")

type polled struct {
	partition *kmsg.FetchResponseTopicPartition
	err       error
}

// Read takes one look at the ledger: a metadata request, one for where the log
// starts, and one for what is in it. A log that cannot be trusted is as unseen
// as one that cannot be read, and the reason says which. It writes nothing, and
// tries as long as the context lasts.
func Read(ctx context.Context, t Topic) live.Seen[*State] {
	l := newLog(t)
	begun, err := l.open(ctx)
	switch denied, is := errors.AsType[*Denied](err); {
	case is:
		return live.Hidden[*State]("not permitted", denied.Needs)
	case err != nil:
		return live.Hidden[*State](err.Error(), "")
	case !begun:
		return live.None[*State]()
	}
	return live.Is(l.state)
}

func newLog(t Topic) *log { return &log{Topic: t, leader: -1, next: -1} }

// open finds the topic and reads it to its end. A log without a record is not begun.
func (l *log) open(ctx context.Context) (begun bool, err error) {
	there := false
	err = l.persist(ctx, func() error {
		there, _, err = l.locate(ctx)
		return err
	})
	if err == nil && there {
		err = l.read(ctx)
	}
	return l.state != nil, err
}

// persist tries something again while it fails in a way that may pass.
func (l *log) persist(ctx context.Context, do func() error) error {
	var last error // before the time was over
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := do()
		if err == nil || !passing(err) {
			return l.final(err)
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			if err = cmp.Or(last, err); silent(err) {
				err = errSilent
			}
			return fmt.Errorf("the ledger %s is out of reach: %w", l.Name, err)
		case <-l.Clock.After(pause):
		}
	}
}

// silent says whether an error is only that nothing came.
func silent(err error) bool {
	network, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && network.Timeout()
}

// final adds to what a broker said, and will say again, what it is about.
func (l *log) final(err error) error {
	if is[*kerr.Error](err) && !is[*Denied](err) {
		return fmt.Errorf("the ledger %s cannot be used: %w", l.Name, err)
	}
	return err
}

// passing says whether the same may succeed in a moment: brokers come and go,
// and with them the leader of the partition.
func passing(err error) bool {
	for _, final := range []func(error) bool{is[*Damaged], is[*Foreign], is[*Newer], is[*Denied], is[*Lost], is[*Unsuitable]} {
		if final(err) {
			return false
		}
	}
	code, answered := errors.AsType[*kerr.Error](err)
	return !answered || code.Retriable
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// refusal is what a broker said of the topic; right is what it takes.
func (l *log) refusal(code int16, right string) error {
	err := kerr.ErrorForCode(code)
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return &Denied{Needs: right + " on Topic " + l.Name, Err: err}
	}
	return err
}

func (l *log) damaged(why string) error { return &Damaged{Topic: l.Name, Why: why} }

// locate finds the leader of the partition, and counts the brokers.
func (l *log) locate(ctx context.Context) (there bool, brokers int, err error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: &l.Name}}
	resp, err := req.RequestWith(ctx, l.Client)
	if err != nil {
		return false, 0, err
	}
	if len(resp.Topics) != 1 {
		return false, 0, errors.New("the broker did not say where the topic is")
	}
	t := &resp.Topics[0]
	err = l.refusal(t.ErrorCode, "Describe")
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition) && l.id != live.TopicID{}:
		return false, 0, l.vanished(err)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return false, len(resp.Brokers), nil
	case err != nil:
		return false, 0, err
	case len(t.Partitions) != 1:
		return false, 0, &Unsuitable{Topic: l.Name, Key: "partitions", Value: strconv.Itoa(len(t.Partitions)), Want: "1"}
	case l.id != live.TopicID{} && l.id != t.TopicID:
		return false, 0, l.damaged("somebody has deleted the topic and made it again")
	}
	l.unknown = 0
	l.id, l.leader = t.TopicID, t.Partitions[0].Leader
	if l.leader < 0 {
		return true, 0, kerr.LeaderNotAvailable
	}
	return true, len(resp.Brokers), nil
}

// vanished tells a topic that was deleted from one that a broker does not know
// yet: brokers lag the controller, but not for long.
func (l *log) vanished(unknown error) error {
	if l.unknown++; l.unknown < mostUnknown {
		return unknown
	}
	return l.damaged("somebody has deleted the topic")
}

// read is catchUp, in spite of brokers that come and go.
func (l *log) read(ctx context.Context) error {
	return l.persist(ctx, func() error { return l.catchUp(ctx) })
}

// catchUp reads to the end of the log.
func (l *log) catchUp(ctx context.Context) (err error) {
	if l.moved {
		if _, _, err := l.locate(ctx); err != nil {
			return err
		}
	}
	defer func() { l.moved = err != nil }()
	if l.next < 0 {
		if err := l.rewind(ctx); err != nil {
			return err
		}
	}
	if l.poll != nil { // the answer may be older than the question of now
		got := <-l.poll
		l.poll = nil
		if _, err := l.take(ctx, got); err != nil {
			return err
		}
	}
	for {
		got := <-l.ask(ctx, 0)
		if end, err := l.take(ctx, got); end || err != nil {
			return err
		}
	}
}

// rewind goes to the start of the log, which moves when a checkpoint is made.
func (l *log) rewind(ctx context.Context) error {
	req := kmsg.NewPtrListOffsetsRequest()
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Timestamp = -2 // the earliest
	req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: l.Name, Partitions: []kmsg.ListOffsetsRequestTopicPartition{partition}}}
	resp, err := l.Client.Broker(int(l.leader)).Request(ctx, req)
	if err != nil {
		return err
	}
	topics := resp.(*kmsg.ListOffsetsResponse).Topics
	if len(topics) != 1 || len(topics[0].Partitions) != 1 {
		return errors.New("the broker did not say where the log starts")
	}
	found := topics[0].Partitions[0]
	if err := l.refusal(found.ErrorCode, "Describe"); err != nil {
		return err
	}
	if found.Offset <= l.next {
		return l.damaged("records that were at its end are gone")
	}
	l.next, l.fold = found.Offset, fold{}
	return nil
}

// ask asks the leader for what comes next. It waits so long for something to come.
func (l *log) ask(ctx context.Context, wait time.Duration) chan polled {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(wait.Milliseconds()), 1, fetchBytes
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.FetchOffset, partition.PartitionMaxBytes = l.next, fetchBytes
	req.Topics = []kmsg.FetchRequestTopic{{Topic: l.Name, TopicID: l.id, Partitions: []kmsg.FetchRequestTopicPartition{partition}}}
	answer, leader := make(chan polled, 1), l.Client.Broker(int(l.leader))
	go func() {
		resp, err := leader.Request(ctx, req)
		if err != nil {
			answer <- polled{err: err}
			return
		}
		answer <- answered(resp.(*kmsg.FetchResponse))
	}()
	return answer
}

func answered(resp *kmsg.FetchResponse) polled {
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return polled{err: err}
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return polled{err: errors.New("the broker did not say what is in the log")}
	}
	return polled{partition: &resp.Topics[0].Partitions[0]}
}

// take reads what has come.
func (l *log) take(ctx context.Context, got polled) (end bool, err error) {
	if got.err != nil {
		return false, got.err
	}
	err = l.refusal(got.partition.ErrorCode, "Read")
	if errors.Is(err, kerr.OffsetOutOfRange) {
		return false, l.rewind(ctx)
	}
	if err != nil {
		return false, err
	}
	options := kgo.ProcessFetchPartitionOpts{Offset: l.next, Topic: l.Name}
	records, next := kgo.ProcessFetchPartition(options, got.partition, kgo.DefaultDecompressor(), nil)
	for _, r := range records.Records {
		if err := l.record(r); err != nil {
			return false, err
		}
	}
	if records.Err != nil {
		return false, l.damaged(fmt.Sprintf("at offset %d: %v", next, records.Err))
	}
	l.next = next
	if l.next < got.partition.HighWatermark {
		return false, nil
	}
	if err := l.whole(); err != nil {
		return false, err
	}
	l.state = l.fold.state
	return true, nil
}

func (l *log) record(r *kgo.Record) error {
	e, err := decode(r.Value, r.Timestamp.UnixMilli())
	if newer, is := errors.AsType[*Newer](err); is {
		newer.Topic = l.Name
		return newer
	}
	if e == nil && l.fold.records == 0 {
		return &Foreign{Topic: l.Name}
	}
	if damage := l.fold.take(r.Offset, r.Timestamp.UnixMilli(), e); damage != "" {
		return l.damaged(damage)
	}
	l.next = r.Offset + 1
	return nil
}

// whole says whether the log has a beginning, now that its end is reached.
func (l *log) whole() error {
	if l.fold.records == 0 && l.next > 0 {
		return l.damaged("all its records are gone")
	}
	if damage := l.fold.ended(); damage != "" {
		return l.damaged(damage)
	}
	return nil
}

// await waits for the next record, but not longer than d.
func (l *log) await(ctx context.Context, d time.Duration) error {
	if l.poll == nil {
		l.poll = l.ask(context.WithoutCancel(ctx), min(d, longestPoll))
	}
	select {
	case got := <-l.poll:
		l.poll = nil
		_, err := l.take(ctx, got)
		return err
	case <-l.Clock.After(d):
	case <-ctx.Done():
	}
	return nil
}

// append writes one batch, once, and returns its offset. Its error says nothing
// about whether the batch is in the log, unless it is a [*Denied].
func (l *log) append(ctx context.Context, values [][]byte) (offset int64, err error) {
	defer func() { l.moved = l.moved || err != nil }()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, int32(RequestTimeout.Milliseconds()/2)
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = encodeBatch(values, l.Clock.Now())
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: l.Name, TopicID: l.id, Partitions: []kmsg.ProduceRequestTopicPartition{partition}}}
	answer, err := l.Client.Broker(int(l.leader)).Request(ctx, req)
	if err != nil {
		return 0, err
	}
	resp := answer.(*kmsg.ProduceResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, errors.New("the broker did not say whether it has written")
	}
	written := &resp.Topics[0].Partitions[0]
	return written.BaseOffset, l.refusal(written.ErrorCode, "Write")
}

// put writes a record that stands under no claim, until what it does is seen.
func (l *log) put(ctx context.Context, r Record, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	value, err := encode(&Entry{Record: r})
	if err != nil {
		return err
	}
	return l.persist(ctx, func() error {
		_, written := l.append(ctx, [][]byte{value})
		if is[*Denied](written) {
			return written
		}
		if err := l.catchUp(ctx); err != nil || done() {
			return err
		}
		return cmp.Or(written, errUnseen)
	})
}

// truncate deletes what is before an offset.
func (l *log) truncate(ctx context.Context, offset int64) error {
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = int32(RequestTimeout.Milliseconds() / 2)
	partition := kmsg.DeleteRecordsRequestTopicPartition{Offset: offset}
	req.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: l.Name, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{partition}}}
	answer, err := l.Client.Broker(int(l.leader)).Request(ctx, req)
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.DeleteRecordsResponse)
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return errors.New("the broker did not say whether it has deleted the records")
	}
	return l.refusal(resp.Topics[0].Partitions[0].ErrorCode, "Delete")
}
