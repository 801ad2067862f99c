package traffic

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// looker is a member of a share group that takes messages, acknowledges none, and
// gives all of them back by leaving. A client of its own would acknowledge what it
// was given when it asks for more, so that the requests are made here.
type looker struct {
	*bounds
	id    string              // of the member
	epoch int32               // of its membership
	names map[[16]byte]string // of the topics
	left  []*session          // those that have more to hand out, maybe
	all   []*session
	held  map[place]map[int64]bool // the offsets of the messages that it was given
}

// session is a share session with one broker.
type session struct {
	broker int32
	epoch  int32
	topics []kmsg.ShareFetchRequestTopic
	empty  int // answers without a message, one after the other
}

const (
	enoughEmpty = 2        // a broker that has just begun with a partition may have nothing of it at once
	lookBytes   = 32 << 20 // that one answer may hold, and more where a single message is larger
)

func newLooker(ctx context.Context, r *Receiver) (*looker, error) {
	b, err := newBounds(ctx, r)
	if err != nil {
		return nil, err
	}
	l := &looker{bounds: b, id: rand.Text(), names: map[[16]byte]string{}, held: map[place]map[int64]bool{}}
	assigned, err := l.join(ctx)
	if err != nil {
		return nil, err
	}
	return l, l.open(ctx, assigned)
}

// join becomes a member, and waits for the partitions that it is given.
func (l *looker) join(ctx context.Context) (map[[16]byte][]int32, error) {
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.GroupID, req.MemberID, req.SubscribedTopicNames = l.Group.GroupID, l.id, l.topics()
	for began := time.Now(); ; {
		resp, err := req.RequestWith(ctx, l.Client)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err != nil {
			return nil, fmt.Errorf("join %s: %w", l.Group.GroupID, err)
		}
		l.epoch, req.MemberEpoch, req.SubscribedTopicNames = resp.MemberEpoch, resp.MemberEpoch, nil
		assigned := map[[16]byte][]int32{}
		if resp.Assignment != nil {
			for _, t := range resp.Assignment.TopicPartitions {
				assigned[t.TopicID] = t.Partitions
			}
		}
		if len(assigned) > 0 || time.Since(began) > quiet {
			return assigned, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(tick):
		}
	}
}

// open finds out who leads the partitions.
func (l *looker) open(ctx context.Context, assigned map[[16]byte][]int32) error {
	known, err := l.admin.Metadata(ctx, l.topics()...)
	if err != nil {
		return err
	}
	of := map[int32]*session{}
	for name, t := range known.Topics {
		l.names[t.ID] = name
		parts := map[int32][]kmsg.ShareFetchRequestTopicPartition{}
		for _, partition := range assigned[t.ID] {
			leader := t.Partitions[partition].Leader
			parts[leader] = append(parts[leader], kmsg.ShareFetchRequestTopicPartition{Partition: partition})
		}
		for leader, partitions := range parts {
			of[leader] = cmp.Or(of[leader], &session{broker: leader})
			of[leader].topics = append(of[leader].topics, kmsg.ShareFetchRequestTopic{TopicID: t.ID, Partitions: partitions})
		}
	}
	delete(of, -1) // which has none now
	l.all = slices.Collect(maps.Values(of))
	l.left = slices.Clone(l.all)
	return nil
}

// poll gives what one broker hands out.
func (l *looker) poll(ctx context.Context, most int) ([]*kgo.Record, error) {
	if len(l.left) == 0 {
		return nil, ctx.Err()
	}
	s := l.left[0]
	messages, err := l.fetch(ctx, s, most)
	if err != nil {
		return nil, fmt.Errorf("read from broker %d: %w", s.broker, err)
	}
	messages = slices.DeleteFunc(messages, l.has) // whose lock has ended
	if s.empty++; len(messages) > 0 {
		s.empty = 0
	}
	if s.empty == enoughEmpty {
		l.left = l.left[1:]
	}
	return messages, nil
}

// has says whether a message was given before, and notes it.
func (l *looker) has(m *kgo.Record) bool {
	p := place{m.Topic, m.Partition}
	if l.held[p] == nil {
		l.held[p] = map[int64]bool{}
	}
	had := l.held[p][m.Offset]
	l.held[p][m.Offset] = true
	return had
}

func (l *looker) fetch(ctx context.Context, s *session, most int) ([]*kgo.Record, error) {
	req := kmsg.NewPtrShareFetchRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &l.Group.GroupID, &l.id, s.epoch
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(lookEvery.Milliseconds()), 1, lookBytes
	req.MaxRecords, req.BatchSize, req.ShareAcquireMode = int32(most), int32(most), 1 // not one more than is shown (KIP-1206)
	if s.epoch == 0 {
		req.Topics = s.topics
	}
	answer, err := l.Client.Broker(int(s.broker)).Request(ctx, req)
	if err != nil {
		return nil, err
	}
	s.epoch++
	resp := answer.(*kmsg.ShareFetchResponse)
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, err
	}
	var messages []*kgo.Record
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			some, err := acquired(l.names[t.TopicID], &t.Partitions[j])
			if err != nil {
				return nil, err
			}
			messages = append(messages, some...)
		}
	}
	return messages, nil
}

// acquired are the messages of an answer that this member was given, which brokers
// send with the rest of their batches.
func acquired(topic string, p *kmsg.ShareFetchResponseTopicPartition) ([]*kgo.Record, error) {
	if err := kerr.ErrorForCode(p.ErrorCode); err != nil && !kerr.IsRetriable(err) {
		return nil, fmt.Errorf("%s: %w", place{topic, p.Partition}, err)
	}
	batches := &kmsg.FetchResponseTopicPartition{Partition: p.Partition, RecordBatches: p.Records}
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Topic: topic, Partition: p.Partition}, batches, kgo.DefaultDecompressor(), nil)
	var given []*kgo.Record
	for _, m := range fetched.Records {
		for _, run := range p.AcquiredRecords {
			if run.FirstOffset <= m.Offset && m.Offset <= run.LastOffset {
				m.Context = context.WithValue(context.Background(), delivery{}, int32(run.DeliveryCount))
				given = append(given, m)
			}
		}
	}
	return given, fetched.Err
}

// delivery is where a message that a look has keeps how often it was delivered.
type delivery struct{}

// deliveries is how often a message of a share group was delivered; 0: it is of another.
func deliveries(m *kgo.Record) int32 {
	if m.Context != nil {
		if n, ok := m.Context.Value(delivery{}).(int32); ok {
			return n
		}
	}
	return m.DeliveryCount()
}

// hold has nothing to do: what comes too late to be given back is given back by
// the brokers.
func (l *looker) hold(context.Context, *kgo.Record) func() { return func() {} }

// settle leaves all to leave.
func (l *looker) settle(_ context.Context, all []judged) ([]judged, error) { return all, nil }

func (l *looker) ended(ctx context.Context) (bool, error) {
	if len(l.left) > 0 {
		return false, nil
	}
	return true, l.tellMissing(ctx, l.held)
}

// leave ends the sessions, with which brokers give everything back. Those that are
// gone have done so.
func (l *looker) leave(ctx context.Context) error {
	var all []error
	for _, s := range l.all {
		if s.epoch > 0 {
			all = append(all, l.end(ctx, s))
		}
	}
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.GroupID, req.MemberID, req.MemberEpoch = l.Group.GroupID, l.id, -1
	resp, err := req.RequestWith(ctx, l.Client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err := errors.Join(append(all, unlessGone(err))...); err != nil {
		return fmt.Errorf("what was shown comes again when its locks end: %w", err)
	}
	return nil
}

func (l *looker) end(ctx context.Context, s *session) error {
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.GroupID, req.MemberID, req.ShareSessionEpoch = &l.Group.GroupID, &l.id, -1
	answer, err := l.Client.Broker(int(s.broker)).Request(ctx, req)
	if err == nil {
		err = kerr.ErrorForCode(answer.(*kmsg.ShareAcknowledgeResponse).ErrorCode)
	}
	return unlessGone(err)
}

// unlessGone is an error, but for that what was to be ended is not there any more.
func unlessGone(err error) error {
	for _, gone := range []error{kerr.UnknownMemberID, kerr.GroupIDNotFound, kerr.ShareSessionNotFound} {
		if errors.Is(err, gone) {
			return nil
		}
	}
	return err
}
