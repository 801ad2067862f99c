package traffic

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sharer is a member of a share group (KIP-932, Kafka 4.2+).
type sharer struct {
	*Receiver
	client  *kgo.Client
	admin   *kadm.Client
	dead    *undertaker
	ends    map[place]int64              // as of the start
	came    time.Time                    // when the last message did
	looked  time.Time                    // when the group's positions were last asked for
	seen    map[place]int64              // after the last message that this member was given
	owed    map[place]map[int64]struct{} // the offsets that it has released, and neither accepted nor rejected since
	again   bool                         // one of those has come again
	trouble error                        // why it was not in the group, when it last was not
}

func newSharer(ctx context.Context, r *Receiver) (*sharer, error) {
	s := &sharer{Receiver: r, admin: kadm.NewClient(r.Client), dead: &undertaker{Receiver: r}, came: time.Now(), seen: map[place]int64{}, owed: map[place]map[int64]struct{}{}}
	var err error
	if s.ends, err = listed(s.admin.ListEndOffsets(ctx, r.topics()...)); err != nil {
		return nil, err
	}
	options := append(slices.Clone(r.Client.Opts()), r.settings().receiving()...)
	options = append(options,
		kgo.ShareGroup(r.Group.GroupID), kgo.ConsumeTopics(r.topics()...), kgo.FetchMaxWait(tick),
		kgo.ShareAckCallback(s.acknowledged),
	)
	switch {
	case r.Singly:
		options = append(options, kgo.ShareMaxRecords(1), kgo.ShareMaxRecordsStrict())
	case r.Max > 0:
		options = append(options, kgo.ShareMaxRecords(int32(min(r.Max, sharedAtOnce))), kgo.ShareMaxRecordsStrict())
	}
	if s.client, err = kgo.NewClient(options...); err != nil {
		return nil, err
	}
	return s, nil
}

// sharedAtOnce is how many messages brokers give at once.
const sharedAtOnce = 500

// acknowledged takes what the brokers say of acknowledgements.
func (s *sharer) acknowledged(_ *kgo.Client, results kgo.ShareAckResults) {
	for _, r := range results {
		if r.Err != nil {
			s.tell(NotAcknowledged{r.Topic, r.Partition, r.Err})
		}
	}
}

func (s *sharer) poll(ctx context.Context, most int) ([]*kgo.Record, error) {
	waiting, cancel := context.WithTimeout(ctx, tick)
	defer cancel()
	fetches := s.client.PollRecords(waiting, most)
	fatal, passing := failure(fetches)
	if fatal != nil {
		return nil, fatal
	}
	s.trouble = cmp.Or(passing, s.trouble)
	messages := fetches.Records()
	if len(messages) > 0 {
		s.came, s.trouble = time.Now(), nil
	}
	if s.Once {
		messages = slices.DeleteFunc(messages, s.back)
	}
	for _, m := range messages {
		p := place{m.Topic, m.Partition}
		s.seen[p] = max(s.seen[p], m.Offset+1)
	}
	return messages, ctx.Err()
}

// back gives a message back that this member has released already.
func (s *sharer) back(m *kgo.Record) bool {
	if _, owed := s.owed[place{m.Topic, m.Partition}][m.Offset]; !owed {
		return false
	}
	m.Ack(kgo.AckRelease)
	s.again = true
	return true
}

// hold renews the lock of a message for as long as it is worked on (KIP-1222).
func (s *sharer) hold(ctx context.Context, m *kgo.Record) func() {
	ticker := time.NewTicker(max(time.Until(m.AcquisitionDeadline())/2, tick))
	stop := make(chan struct{})
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				m.Ack(kgo.AckRenew)
				_ = s.client.FlushAcks(ctx) // a lock that is lost is told with the acknowledgement
			}
		}
	})
	return func() {
		close(stop)
		renewing.Wait()
	}
}

// settle lets the brokers know; what they say to it comes later, but where
// messages are acknowledged singly.
func (s *sharer) settle(ctx context.Context, all []judged) error {
	if err := s.dead.bury(ctx, all); err != nil {
		return err
	}
	for _, m := range all {
		m.Ack(s.ack(m))
		s.owe(m)
	}
	if s.Singly {
		return s.client.FlushAcks(ctx)
	}
	return nil
}

// ack is what the brokers are told of a message. One that is with the dead
// letters is done: they are not to put it there once more.
func (s *sharer) ack(m judged) kgo.AckStatus {
	if m.verdict == Reject && s.deadLetters(m.Topic) != "" {
		return kgo.AckAccept
	}
	return acks[m.verdict]
}

// owe notes whether a message is to come again before the end is reached.
func (s *sharer) owe(m judged) {
	p := place{m.Topic, m.Partition}
	switch {
	case s.Follow: // there is no end
	case m.verdict != Release:
		delete(s.owed[p], m.Offset)
	case s.owed[p] == nil:
		s.owed[p] = map[int64]struct{}{m.Offset: {}}
	default:
		s.owed[p][m.Offset] = struct{}{}
	}
}

// acks are the verdicts as share groups have them.
var acks = map[Verdict]kgo.AckStatus{Accept: kgo.AckAccept, Release: kgo.AckRelease, Reject: kgo.AckReject}

const (
	quiet     = 10 * time.Second // without a message, others have what is missing: a new member is given some within that
	lookEvery = 5 * tick
)

// ended compares where the group is with the end: unlike in other groups, what
// a member has read does not tell.
func (s *sharer) ended(ctx context.Context) (bool, error) {
	if s.again {
		return true, nil
	}
	if time.Since(s.looked) < lookEvery {
		return false, nil
	}
	s.looked = time.Now()
	left, known, err := s.left(ctx)
	switch {
	case err != nil:
		return false, err
	case left == 0:
		return true, nil
	case time.Since(s.came) < quiet:
		return false, nil
	case s.trouble != nil:
		return false, s.trouble
	case known > 0:
		s.tell(Elsewhere{Messages: known})
	}
	return true, nil
}

// left is how many messages may come before the end, at most, and how many of
// those are certainly there: a partition in which the group has not begun tells
// nothing. What a group has acknowledged is in its lag alone (KIP-1226, Kafka
// 4.2+); the offset that it keeps may be far behind.
func (s *sharer) left(ctx context.Context) (left, known int64, err error) {
	groups, err := s.admin.DescribeShareGroupOffsets(ctx, s.Group.GroupID)
	if err == nil {
		err = groups.Error()
	}
	if err != nil {
		return 0, 0, fmt.Errorf("where share group %s is: %w", s.Group.GroupID, err)
	}
	offsets := groups[s.Group.GroupID].Offsets
	for p, end := range s.ends {
		at, ok := offsets[p.topic][p.partition]
		begun := ok && at.StartOffset >= 0
		switch {
		case s.past(p, end), begun && (at.StartOffset >= end || at.Lag == 0):
		case begun:
			n := end - at.StartOffset
			if at.Lag > 0 {
				n = min(n, at.Lag)
			}
			left, known = left+n, known+n
		default:
			left += end
		}
	}
	return left, known, nil
}

// past says whether this member has seen the end of a partition, and owes it
// nothing: where messages keep coming, there is no lag of 0.
func (s *sharer) past(p place, end int64) bool {
	return end == 0 || s.seen[p] >= end && len(s.owed[p]) == 0
}

func (s *sharer) leave(ctx context.Context) error {
	s.dead.leave()
	err := s.client.FlushAcks(ctx)
	s.client.CloseAllowingRebalance()
	return err
}
