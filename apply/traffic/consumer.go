package traffic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/schema"
)

// place is a partition.
type place struct {
	topic     string
	partition int32
}

func (p place) String() string { return fmt.Sprintf("%s[%d]", p.topic, p.partition) }

// consumer is a member of a classic or consumer group.
type consumer struct {
	*Receiver
	client  *kgo.Client
	dead    *undertaker
	firsts  map[place]int64 // the first messages that there are, as of the start
	ends    map[place]int64 // as of the start
	starts  map[place]int64 // where the group begins that has committed nothing
	nowhere error           // why that is not known; nil: it is

	handed  int   // messages of the last poll
	open    bool  // not all of those are acknowledged
	trouble error // why it was not in the group, when it last was not

	mu    sync.Mutex
	came  time.Time          // when the last message did, or a partition
	at    map[place]int64    // of the partitions that it has: the next offset to be taken
	seeds map[place]int64    // of those without a committed offset: where it began
	moved map[place]struct{} // those whose position is not committed
	lost  bool               // it begins somewhere, and where is not known
}

// tick is how long to wait for messages before looking whether the end is reached.
const tick = 100 * time.Millisecond

func newConsumer(ctx context.Context, r *Receiver) (*consumer, error) {
	c := &consumer{Receiver: r, at: map[place]int64{}, seeds: map[place]int64{}, moved: map[place]struct{}{}, came: time.Now()}
	var err error
	if err = c.extent(ctx); err != nil {
		return nil, err
	}
	set := r.settings()
	options := append(slices.Clone(r.Client.Opts()), set.receiving()...)
	options = append(options, set.joining(r.Group.Protocol)...)
	options = append(options,
		kgo.ConsumerGroup(r.Group.GroupID), kgo.ConsumeTopics(r.topics()...),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // messages that are gone are no reason to skip others
		kgo.AdjustFetchOffsetsFn(c.assigned), kgo.OnPartitionsRevoked(c.revoked), kgo.OnPartitionsLost(c.revoked),
	)
	if c.client, err = kgo.NewClient(options...); err != nil {
		return nil, err
	}
	c.dead = &undertaker{Receiver: r}
	return c, nil
}

// extent asks where the queues begin, for who has committed nothing and at all,
// and where they end.
func (c *consumer) extent(ctx context.Context) (err error) {
	admin := kadm.NewClient(c.Client)
	list := admin.ListEndOffsets
	if c.settings().isolation() == kgo.ReadCommitted() {
		list = admin.ListCommittedOffsets
	}
	if c.ends, err = listed(list(ctx, c.topics()...)); err != nil {
		return err
	}
	if c.firsts, err = listed(admin.ListStartOffsets(ctx, c.topics()...)); err != nil {
		return err
	}
	at, timed := c.Group.Start.Time()
	switch start := c.start(); {
	case timed:
		c.starts, err = listed(admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), c.topics()...))
	case start == schema.Earliest:
		c.starts = c.firsts
	case start == schema.Latest:
		c.starts = c.ends
	default: // none, by_duration
		c.nowhere = fmt.Errorf("group %s has committed nothing in some partitions, and auto.offset.reset = %s says no place to begin: declare its start", c.Group.GroupID, start)
	}
	return err
}

// start is where a group begins: as its block says or, where it does not, as
// its client would.
func (r *Receiver) start() schema.Start {
	if r.Group.Start != "" {
		return r.Group.Start
	}
	return schema.Start(r.settings().text("auto.offset.reset"))
}

func listed(offsets kadm.ListedOffsets, err error) (map[place]int64, error) {
	if err != nil {
		return nil, err
	}
	all := map[place]int64{}
	for topic, partitions := range offsets {
		for partition, o := range partitions {
			if o.Err != nil {
				return nil, topicError(topic, o.Err)
			}
			all[place{topic, partition}] = o.Offset
		}
	}
	return all, nil
}

// assigned notes partitions that the member has got, and where it begins in them.
func (c *consumer) assigned(_ context.Context, got map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range got {
		for partition, offset := range partitions {
			p := place{topic, partition}
			if at := offset.EpochOffset().Offset; at >= 0 {
				c.at[p] = max(at, c.firsts[p]) // what is gone does not come
				continue
			}
			c.lost = c.lost || c.nowhere != nil
			c.at[p] = c.starts[p] // 0 for a partition that is new: nothing of it was seen
			c.seeds[p] = c.at[p]
			partitions[partition] = kgo.NewOffset().At(c.at[p])
		}
	}
	c.came = time.Now()
	return got, nil
}

// revoked notes partitions that it has no longer.
func (c *consumer) revoked(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for topic, partitions := range lost {
		for _, partition := range partitions {
			p := place{topic, partition}
			delete(c.at, p)
			delete(c.seeds, p)
			delete(c.moved, p)
		}
	}
}

func (c *consumer) poll(ctx context.Context, most int) ([]*kgo.Record, error) {
	c.client.AllowRebalance()
	waiting, cancel := context.WithTimeout(ctx, tick)
	defer cancel()
	fetches := c.client.PollRecords(waiting, most)
	fatal, passing := failure(fetches)
	if fatal != nil {
		return nil, fatal
	}
	if err := c.astray(); err != nil {
		return nil, err
	}
	c.trouble = cmp.Or(passing, c.trouble)
	if err := c.seed(ctx); err != nil {
		return nil, err
	}
	return c.within(fetches), ctx.Err()
}

// astray says why it is not known where the group begins, where it has to.
func (c *consumer) astray() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return c.nowhere
	}
	return nil
}

// within are the messages that are to be taken: none of Kafka's own marks, and
// none from after the end.
func (c *consumer) within(fetches kgo.Fetches) []*kgo.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	messages := make([]*kgo.Record, 0, fetches.NumRecords())
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		p := place{f.Topic, f.Partition}
		end, known := c.ends[p]
		from := c.at[p]
		for _, m := range f.Records {
			if known && !c.Follow && m.Offset >= end {
				c.at[p] = max(from, end) // another member may have come farther
				c.client.PauseFetchPartitions(map[string][]int32{p.topic: {p.partition}})
				break
			}
			c.at[p] = m.Offset + 1
			if !m.Attrs.IsControl() {
				messages = append(messages, m)
			}
		}
		if c.at[p] > from {
			c.moved[p] = struct{}{}
		}
		if len(f.Records) > 0 {
			c.came, c.trouble = time.Now(), nil
		}
	})
	c.handed, c.open = len(messages), len(messages) > 0
	return messages
}

// failure is what is wrong with a poll, but for that nothing came. A member that
// cannot join tries again: passing is why it could not, to be told where
// nothing comes of that.
func failure(fetches kgo.Fetches) (fatal, passing error) {
	for _, f := range fetches.Errors() {
		switch {
		case errors.Is(f.Err, context.DeadlineExceeded), errors.Is(f.Err, context.Canceled), rebalances(f.Err):
		case passes(f.Err):
			passing = f.Err
		case f.Topic == "":
			return f.Err, nil
		default:
			return fmt.Errorf("read %s: %w", place{f.Topic, f.Partition}, f.Err), nil
		}
	}
	return nil, passing
}

// passes says whether an error keeps a member from its group for now.
func passes(err error) bool {
	if _, ok := errors.AsType[*kgo.ErrGroupSession](err); !ok {
		return false
	}
	code, answered := errors.AsType[*kerr.Error](err)
	return !answered || code.Retriable
}

// rebalances says whether an error only tells that the group is divided anew.
func rebalances(err error) bool {
	return slices.ContainsFunc([]error{kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.StaleMemberEpoch, kerr.FencedMemberEpoch},
		func(known error) bool { return errors.Is(err, known) })
}

// hold has nothing to do: a group waits for its member.
func (*consumer) hold(context.Context, *kgo.Record) func() { return func() {} }

// seed commits where the group begins in what it has just got: the next member
// begins there, too, and not at some later end.
func (c *consumer) seed(ctx context.Context) error {
	c.mu.Lock()
	seeds := maps.Clone(c.seeds)
	c.mu.Unlock()
	switch err := c.commit(ctx, seeds); {
	case err == nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		for p, at := range seeds {
			if c.seeds[p] == at {
				delete(c.seeds, p)
			}
		}
		return nil
	case rebalances(err):
		return nil // it is tried again, if the partition comes again
	default:
		return err
	}
}

// settle commits how far the member is, after what was rejected has gone to the
// dead letters.
func (c *consumer) settle(ctx context.Context, all []judged) ([]judged, error) {
	for _, m := range all {
		if m.verdict == Reject && c.deadLetters(m.Topic) == "" {
			return nil, fmt.Errorf("the message at offset %d of %s is rejected, and its queue has no dead_letter", m.Offset, place{m.Topic, m.Partition})
		}
	}
	if err := c.dead.bury(ctx, all); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.came = time.Now() // what took until now was work
	c.mu.Unlock()
	if c.open = len(all) < c.handed; !c.open {
		return all, c.commitMoved(ctx)
	}
	offsets := map[place]int64{}
	for _, m := range all {
		offsets[place{m.Topic, m.Partition}] = m.Offset + 1
	}
	return all, c.commit(ctx, offsets)
}

// commitMoved commits all positions that are not.
func (c *consumer) commitMoved(ctx context.Context) error {
	c.mu.Lock()
	offsets := map[place]int64{}
	for p := range c.moved {
		offsets[p] = c.at[p]
	}
	clear(c.moved)
	c.mu.Unlock()
	return c.commit(ctx, offsets)
}

func (c *consumer) commit(ctx context.Context, offsets map[place]int64) error {
	if len(offsets) == 0 {
		return nil
	}
	all := map[string]map[int32]kgo.EpochOffset{}
	for p, offset := range offsets {
		if all[p.topic] == nil {
			all[p.topic] = map[int32]kgo.EpochOffset{}
		}
		all[p.topic][p.partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	for tries := 1; ; tries++ {
		err := c.commitOnce(ctx, all)
		if tries == commitTries || !errors.Is(err, kerr.StaleMemberEpoch) {
			return err
		}
		select { // the member's next heartbeat knows better
		case <-ctx.Done():
			return err
		case <-time.After(5 * tick):
		}
	}
}

const commitTries = 20

func (c *consumer) commitOnce(ctx context.Context, all map[string]map[int32]kgo.EpochOffset) error {
	var failed error
	c.client.CommitOffsetsSync(ctx, all, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		if failed = err; answer == nil {
			return // the request itself has failed
		}
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					failed = fmt.Errorf("commit offset of %s: %w", place{t.Topic, p.Partition}, err)
				}
			}
		}
	})
	return failed
}

// stalled is how long nothing may come from before the end.
const stalled = 30 * time.Second

func (c *consumer) ended(context.Context) (bool, error) {
	ended, others, err := c.reached()
	if ended && others > 0 {
		c.tell(Missing{Partitions: others})
	}
	return ended, err
}

// reached says whether this member is at the end of its partitions, and how many
// others have.
func (c *consumer) reached() (ended bool, others int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waited := time.Since(c.came)
	if waited > stalled && c.trouble != nil {
		return false, 0, c.trouble
	}
	for p, at := range c.at {
		if at >= c.ends[p] {
			continue
		}
		if waited > stalled {
			return false, 0, fmt.Errorf("nothing came from %s for %v, and it has messages from offset %d to %d", p, stalled, at, c.ends[p]-1)
		}
		return false, 0, nil
	}
	if len(c.at) == 0 && waited < stalled {
		return false, 0, nil
	}
	return true, len(c.ends) - len(c.at), nil
}

func (c *consumer) leave(ctx context.Context) error {
	var err error
	if !c.open {
		err = c.commitMoved(ctx)
	}
	c.dead.leave()
	c.client.CloseAllowingRebalance()
	return err
}
