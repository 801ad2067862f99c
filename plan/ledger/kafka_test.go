package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/schema"
)

const name = schema.DefaultLedger

// kafka is an embedded cluster whose brokers stamp records with the test's own
// time: kfake itself never stamps them, whatever message.timestamp.type says.
type kafka struct {
	*testing.T
	*kfake.Cluster
	clock  *clock
	client *kgo.Client // somebody else's

	mu    sync.Mutex
	asked map[kmsg.Key]int // how many requests came
}

func start(t *testing.T) *kafka {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	k := &kafka{T: t, Cluster: cluster, clock: newClock(), asked: map[kmsg.Key]int{}}
	k.client = k.open(kgo.DefaultProduceTopic(name), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	cluster.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asked[kmsg.Key(req.Key())]++
		return nil, nil, false
	})
	cluster.ControlKey(kmsg.Produce.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		stamp(req.(*kmsg.ProduceRequest), k.clock.time())
		return nil, nil, false
	})
	return k
}

// stamp gives all records the broker's time.
func stamp(req *kmsg.ProduceRequest, now time.Time) {
	const firstTimestamp, maxTimestamp = 27, 35
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			batch := req.Topics[i].Partitions[j].Records
			binary.BigEndian.PutUint64(batch[firstTimestamp:], uint64(now.UnixMilli()))
			binary.BigEndian.PutUint64(batch[maxTimestamp:], uint64(now.UnixMilli()))
			binary.BigEndian.PutUint32(batch[batchCRC:], crc32.Checksum(batch[batchCRCEnd:], crc32.MakeTable(crc32.Castagnoli)))
		}
	}
}

func (k *kafka) open(options ...kgo.Opt) *kgo.Client {
	k.Helper()
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(k.ListenAddrs()...), kgo.DisableClientMetrics())...)
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(client.Close)
	return client
}

// topic is the ledger as one queueform sees it, with clients of its own.
func (k *kafka) topic() Topic { return k.topicWith(k.clock.watch()) }

func (k *kafka) topicWith(w *watch) Topic {
	k.Helper()
	return Topic{
		Name: name, Clock: w.shown(), Client: k.open(),
	}
}

// requests is how many came since the last call.
func (k *kafka) requests() map[kmsg.Key]int {
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := k.asked
	k.asked = map[kmsg.Key]int{}
	return asked
}

// holder is a user of that name.
func holder(topology, user string) Holder {
	return Holder{Topology: topology, User: user, Host: "ci", PID: 7}
}

// acquire takes the lock of a topology at once.
func (k *kafka) acquire(topology, user string) *Hold {
	return k.acquireWith(k.clock.watch(), topology, user)
}

func (k *kafka) acquireWith(w *watch, topology, user string) *Hold {
	k.Helper()
	h, err := Acquire(k.Context(), k.topicWith(w), Request{Lock: TopologyLock(topology), Holder: holder(topology, user)})
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(func() { _ = h.Release(context.Background()) })
	return h
}

// dies is an end without a word.
func (h *Hold) dies() {
	h.stop()
	<-h.stopped
}

func (k *kafka) write(h *Hold, records ...Record) {
	k.Helper()
	if _, err := h.Write(k.Context(), records...); err != nil {
		k.Fatal(err)
	}
}

func (k *kafka) release(h *Hold) {
	k.Helper()
	if err := h.Release(k.Context()); err != nil {
		k.Fatal(err)
	}
}

// state is what a plan sees.
func (k *kafka) state() *State {
	k.Helper()
	seen := Read(k.Context(), k.topic())
	if seen.Value == nil {
		k.Fatalf("the ledger is %v: %s %s", seen.State, seen.Why, seen.Needs)
	}
	return seen.Value
}

// put writes somebody else's record.
func (k *kafka) put(value string) {
	k.Helper()
	if err := k.client.ProduceSync(k.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
		k.Fatal(err)
	}
}

// make makes the topic without a record.
func (k *kafka) make() {
	k.Helper()
	l := newLog(k.topic())
	if err := l.prepare(k.Context()); err != nil {
		k.Fatal(err)
	}
}

// errCut makes kfake close a connection.
var errCut = errors.New("cut")

// first answers the first request of a kind.
func (k *kafka) first(key kmsg.Key, answer func(kmsg.Request) (kmsg.Response, error)) {
	var came atomic.Bool
	k.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if came.Swap(true) {
			return nil, nil, false
		}
		resp, err := answer(req)
		return resp, err, true
	})
}

// cutBefore ends the connection of the next request of a kind, which is lost.
func (k *kafka) cutBefore(key kmsg.Key) {
	k.first(key, func(kmsg.Request) (kmsg.Response, error) { return nil, errCut })
}

// cutAfter ends the connection of the next request of a kind once it is
// carried out.
func (k *kafka) cutAfter(key kmsg.Key) {
	k.first(key, func(req kmsg.Request) (kmsg.Response, error) {
		node := int(k.CurrentNode())
		k.SleepControl(func() {
			if _, err := k.client.Broker(node).Request(context.Background(), again(req)); err != nil {
				k.Error(err)
			}
		})
		return nil, errCut
	})
}

// again is a copy of a request.
func again(req kmsg.Request) kmsg.Request {
	dup := kmsg.RequestForKey(req.Key())
	dup.SetVersion(req.GetVersion())
	if err := dup.ReadFrom(req.AppendTo(nil)); err != nil {
		panic(err)
	}
	return dup
}

// clock is a clock that goes when it is told to. All watches show its time.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
}

type timer struct {
	at    time.Time
	fires chan time.Time
}

// watch is the clock as one of those sees it who use it.
type watch struct {
	*clock
	set chan time.Time // when the timers fire that were set
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) watch() *watch { return &watch{c, make(chan time.Time, 10_000)} }

func (w *watch) shown() Clock { return Clock{Now: w.time, After: w.after} }

func (w *watch) after(d time.Duration) <-chan time.Time {
	w.mu.Lock()
	t := timer{w.now.Add(d), make(chan time.Time, 1)}
	w.timers = append(w.timers, t)
	w.fire()
	w.mu.Unlock()
	w.set <- t.at
	return t.fires
}

// rests returns once a timer is set that time must go by for.
func (w *watch) rests() {
	for at := range w.set {
		if at.After(w.time()) {
			return
		}
	}
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// pass lets time go by.
func (c *clock) pass(d time.Duration) { c.reach(c.time().Add(d)) }

// reach lets time go by until then, and fires what is due.
func (c *clock) reach(then time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if then.After(c.now) {
		c.now = then
	}
	c.fire()
}

// fire ends the timers that are due; c.mu is held.
func (c *clock) fire() {
	c.timers = slices.DeleteFunc(c.timers, func(t timer) bool {
		due := !t.at.After(c.now)
		if due {
			t.fires <- c.now
		}
		return due
	})
}

func id(topic string) schema.ID { return schema.ID{Kind: schema.KindQueue, Name: topic} }

func queueAt(topic string) Place { return Place{ID: id(topic)} }
