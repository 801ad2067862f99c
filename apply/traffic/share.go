package traffic

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sharer is a member of a share group (KIP-932, Kafka 4.2+).
type sharer struct {
	*bounds
	client  *kgo.Client
	dead    *undertaker
	came    time.Time                // when the last message did
	looked  time.Time                // when the group's positions were last asked for
	seen    map[place]int64          // after the last message that this member was given
	owed    map[place]map[int64]bool // the offsets that are to come again to this member or another: it has released them, or (true) their acknowledgement was refused
	trouble error                    // why it was not in the group, when it last was not
	refused refusals
}

// bounds are how far a share group is to come, and has.
type bounds struct {
	*Receiver
	admin *kadm.Client
	ends  map[place]int64 // of the partitions, as of the start
}

func newBounds(ctx context.Context, r *Receiver) (*bounds, error) {
	b := &bounds{Receiver: r, admin: kadm.NewClient(r.Client)}
	var err error
	b.ends, err = listed(b.admin.ListEndOffsets(ctx, r.topics()...))
	return b, err
}

// refusals are the acknowledgements that brokers have not taken. The client
// notes them, on a goroutine of its own.
type refusals struct {
	mu  sync.Mutex
	why map[place]error
}

func (r *refusals) note(_ *kgo.Client, results kgo.ShareAckResults) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, result := range results {
		if result.Err != nil {
			r.why[place{result.Topic, result.Partition}] = result.Err
		}
	}
}

// take gives those since it was called last.
func (r *refusals) take() map[place]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.why
	r.why = map[place]error{}
	return all
}

func newSharer(ctx context.Context, r *Receiver) (*sharer, error) {
	b, err := newBounds(ctx, r)
	if err != nil {
		return nil, err
	}
	s := &sharer{
		bounds: b, dead: &undertaker{Receiver: r}, came: time.Now(),
		seen: map[place]int64{}, owed: map[place]map[int64]bool{}, refused: refusals{why: map[place]error{}},
	}
	options := append(slices.Clone(r.Client.Opts()), r.settings().receiving()...)
	options = append(options,
		kgo.ShareGroup(r.Group.GroupID), kgo.ConsumeTopics(r.topics()...), kgo.FetchMaxWait(tick),
		kgo.ShareAckCallback(s.refused.note), kgo.ConnIdleTimeout(idle),
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

// idle is how long a connection may be without use. What a member holds is given to
// others when it ends.
const idle = time.Minute

// sharedAtOnce is how many messages brokers give at once.
const sharedAtOnce = 500

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
	for _, m := range messages {
		p := place{m.Topic, m.Partition}
		s.seen[p] = max(s.seen[p], m.Offset+1)
	}
	return messages, ctx.Err()
}

// hold renews the lock of a message for as long as it is worked on (KIP-1222).
func (s *sharer) hold(ctx context.Context, m *kgo.Record) func() {
	ticker := time.NewTicker(min(max(time.Until(m.AcquisitionDeadline())/2, tick), idle/4))
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
				_ = s.client.FlushAcks(ctx) // what they say to it, they say to the acknowledgement
			}
		}
	})
	return func() {
		close(stop)
		renewing.Wait()
	}
}

// settle tells the brokers of all messages, and waits for their answers.
func (s *sharer) settle(ctx context.Context, all []judged) ([]judged, error) {
	if err := s.dead.bury(ctx, all); err != nil {
		return nil, err
	}
	refused, err := s.acknowledge(ctx, all)
	for p, why := range refused {
		s.tell(NotAcknowledged{p.topic, p.partition, why})
	}
	s.came = time.Now() // what took until now was work
	acknowledged := make([]judged, 0, len(all))
	for _, m := range all {
		ok := err == nil && refused[place{m.Topic, m.Partition}] == nil
		if s.owe(m, ok); ok {
			acknowledged = append(acknowledged, m)
		}
	}
	return acknowledged, err
}

// acknowledge gives the partitions in which brokers have refused that, of some
// messages at least. All that is told a broker goes in one request.
func (s *sharer) acknowledge(ctx context.Context, all []judged) (refused map[place]error, err error) {
	told := map[kgo.AckStatus][]*kgo.Record{}
	for _, m := range all {
		told[s.ack(m)] = append(told[s.ack(m)], m.Record)
	}
	s.refused.take() // those of renewals: a lock that is lost is told with the acknowledgement
	for status, messages := range told {
		s.client.MarkAcks(status, messages...)
	}
	if err := s.client.FlushAcks(ctx); err != nil {
		return nil, fmt.Errorf("the brokers of share group %s do not answer acknowledgements: %w", s.Group.GroupID, err)
	}
	return s.refused.take(), nil
}

// ack is what the brokers are told of a message. One that is with the dead
// letters is done: they are not to put it there once more.
func (s *sharer) ack(m judged) kgo.AckStatus {
	if m.verdict == Reject && s.deadLetters(m.Topic) != "" {
		return kgo.AckAccept
	}
	return acks[m.verdict]
}

// owe notes whether a message is to come again.
func (s *sharer) owe(m judged, acknowledged bool) {
	p := place{m.Topic, m.Partition}
	if s.owed[p] == nil {
		s.owed[p] = map[int64]bool{}
	}
	switch {
	case m.verdict != Release && !acknowledged:
		s.owed[p][m.Offset] = true
	case m.verdict == Release && !s.Follow: // else there is no end to wait for it at
		s.owed[p][m.Offset] = false
	default:
		delete(s.owed[p], m.Offset)
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
	if s.done() {
		return true, s.tellMissing(ctx, nil)
	}
	every := lookEvery
	if time.Since(s.came) < lookEvery { // it costs brokers much, and while messages come the end is hardly near
		every = quiet
	}
	if time.Since(s.looked) < every {
		return false, nil
	}
	s.looked = time.Now()
	left, err := s.left(ctx)
	switch {
	case err != nil:
		return false, err
	case left == 0:
		return true, nil
	case time.Since(s.came) < quiet:
		return false, nil
	case s.trouble != nil:
		return false, s.trouble
	}
	return true, s.tellMissing(ctx, nil)
}

// tellMissing tells how many messages before the end are not done, and are not
// among those that are held. Those that came after the end are not done, either.
func (b *bounds) tellMissing(ctx context.Context, held map[place]map[int64]bool) error {
	progress, err := b.progress(ctx)
	if err != nil {
		return err
	}
	now, err := listed(b.admin.ListEndOffsets(ctx, b.topics()...))
	if err != nil {
		return err
	}
	missing := int64(0)
	for p, end := range b.ends {
		at, begun := progress[p]
		if !begun || at.Lag < 0 {
			continue
		}
		n := min(end-at.StartOffset, at.Lag-(now[p]-end))
		missing += max(0, n-int64(len(held[p])))
	}
	if missing > 0 {
		b.tell(Missing{Messages: missing})
	}
	return nil
}

// progress is how far the group has come in the partitions where it has begun.
func (b *bounds) progress(ctx context.Context) (map[place]kadm.ShareOffset, error) {
	groups, err := b.admin.DescribeShareGroupOffsets(ctx, b.Group.GroupID)
	if err == nil {
		err = groups.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("where share group %s is: %w", b.Group.GroupID, err)
	}
	all := map[place]kadm.ShareOffset{}
	for topic, partitions := range groups[b.Group.GroupID].Offsets {
		for partition, at := range partitions {
			if at.StartOffset >= 0 {
				all[place{topic, partition}] = at
			}
		}
	}
	return all, nil
}

// left is how many messages may come before the end, at most. What a group has
// acknowledged is in its lag alone (KIP-1226, Kafka 4.2+); the offset that it keeps
// may be far behind.
func (s *sharer) left(ctx context.Context) (left int64, err error) {
	progress, err := s.progress(ctx)
	for p, end := range s.ends {
		at, begun := progress[p]
		switch {
		case s.past(p, end):
		case begun && at.Lag >= 0:
			left += max(0, min(end-at.StartOffset, at.Lag))
		case begun:
			left += max(0, end-at.StartOffset)
		default:
			left += end
		}
	}
	return left, err
}

// done says whether this member is past the end everywhere.
func (s *sharer) done() bool {
	for p, end := range s.ends {
		if !s.past(p, end) {
			return false
		}
	}
	return true
}

// past says whether this member has seen the end of a partition, and owes it
// nothing: where messages keep coming, there is no lag of 0.
func (s *sharer) past(p place, end int64) bool {
	return end == 0 || s.seen[p] >= end && len(s.owed[p]) == 0
}

// leave leaves the group. What it could not acknowledge, and has not got again
// since, is an error.
func (s *sharer) leave(context.Context) error {
	s.dead.leave()
	s.client.CloseAllowingRebalance()
	unacknowledged := 0
	for _, offsets := range s.owed {
		for _, refused := range offsets {
			if refused {
				unacknowledged++
			}
		}
	}
	if unacknowledged > 0 {
		return fmt.Errorf("taken and not acknowledged, so that they come again: up to %s", english.Plural(unacknowledged, "message", ""))
	}
	return nil
}
