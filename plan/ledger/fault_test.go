package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// hurried is a topic whose pauses take no test's time.
func (k *kafka) hurried() Topic {
	t := k.topic()
	t.Clock.After = func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) }
	return t
}

// Each append is cut off in turn: before the broker has it, or after. The log
// has each record once, and nobody is told of it.
func TestAppendThatIsCutOff(t *testing.T) {
	for name, cut := range map[string]func(*kafka){
		"before": func(k *kafka) { k.cutBefore(kmsg.Produce) },
		"after":  func(k *kafka) { k.cutAfter(kmsg.Produce) },
		"refused": func(k *kafka) {
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 2})
		},
		"doubtful": func(k *kafka) {
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend})
		},
	} {
		for at := range 5 {
			t.Run(fmt.Sprintf("%s/%d", name, at), func(t *testing.T) {
				k := start(t)
				topic := k.hurried()
				next := func(now int) {
					if now == at {
						cut(k)
					}
				}
				next(0) // the format
				if at == 1 {
					k.make()
				}
				h, err := Acquire(t.Context(), topic, Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
				if err != nil {
					t.Fatal(err)
				}
				next(2)
				k.write(h, Begun{Digest: "d"}, Intent{Object: id("orders")})
				next(3)
				k.write(h, Owned{Object: id("orders")}, Ended{Outcome: "done"})
				next(4)
				k.release(h)
				state := k.state()
				if len(state.History["shop"]) != 1 || state.History["shop"][0].Outcome != "done" || len(state.Locks) > 0 || !state.Objects[queueAt("orders")].Owned {
					t.Errorf("the ledger says %+v", state)
				}
			})
		}
	}
}

// Who could not find out whether its records are in the log goes on with others,
// which are not taken for those.
func TestRecordsThatWereNotReadBack(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed})
	if _, err := h.Write(t.Context(), Intent{Object: id("orders")}, Intent{Object: id("old")}); !is[*Denied](err) {
		t.Fatalf("the holder is told %v", err)
	}
	k.write(h, Owned{Object: id("orders")})
	k.release(h)
	if state := k.state(); !state.Objects[queueAt("orders")].Owned || !state.Objects[queueAt("old")].HalfDone || len(state.Locks) > 0 {
		t.Errorf("the ledger says %+v", state)
	}
}

func TestReadsThatAreCutOff(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.write(h, Intent{Object: id("orders")})
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.ListOffsets, kmsg.Fetch} {
		k.cutBefore(key)
		seen := Read(t.Context(), k.hurried())
		if seen.State != live.Present || len(seen.Value.Objects) != 1 {
			t.Errorf("%s cut off: the ledger is %v: %s", key.Name(), seen.State, seen.Why)
		}
	}
}

func TestPartitionThatIsLedByAnother(t *testing.T) {
	k := start(t)
	topic := k.hurried()
	h, err := Acquire(t.Context(), topic, Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
	if err != nil {
		t.Fatal(err)
	}
	for node := range int32(3) {
		if err := k.MoveTopicPartition(name, 0, node); err != nil {
			t.Fatal(err)
		}
		k.write(h, Intent{Object: id(fmt.Sprint(node))})
	}
	k.release(h)
	if state := k.state(); len(state.Objects) != 3 || len(state.Locks) != 0 {
		t.Errorf("the ledger says %+v", state)
	}
}

func TestRights(t *testing.T) {
	for key, needs := range map[kmsg.Key]string{
		kmsg.Metadata:        "Describe on Topic __queueform",
		kmsg.ListOffsets:     "Describe on Topic __queueform",
		kmsg.Fetch:           "Read on Topic __queueform",
		kmsg.Produce:         "Write on Topic __queueform",
		kmsg.DescribeConfigs: "DescribeConfigs on Topic __queueform",
		kmsg.CreateTopics:    "Create on Topic __queueform",
	} {
		t.Run(key.Name(), func(t *testing.T) {
			k := start(t)
			if key != kmsg.CreateTopics {
				k.release(k.acquire("shop", "ann"))
			}
			fault := kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.TopicAuthorizationFailed, Count: -1}
			k.Fault(fault)
			if key == kmsg.Metadata || key == kmsg.ListOffsets || key == kmsg.Fetch {
				want := live.Hidden[*State]("not permitted", needs)
				if seen := Read(t.Context(), k.topic()); seen != want {
					t.Errorf("a plan sees %+v", seen)
				}
			}
			_, err := Acquire(t.Context(), k.topic(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
			if want := "the ledger is out of reach: this needs " + needs; err == nil || err.Error() != want {
				t.Errorf("an apply is told %v", err)
			}
		})
	}
}

func TestLedgerOutOfReach(t *testing.T) {
	k := start(t)
	k.release(k.acquire("shop", "ann"))
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.KafkaStorageError, Count: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	seen := Read(ctx, k.hurried())
	if seen.State != live.Unseen || !strings.HasPrefix(seen.Why, "the ledger __queueform is out of reach: KAFKA_STORAGE_ERROR") {
		t.Errorf("a plan sees %v: %s", seen.State, seen.Why)
	}
}

// A ledger that does not answer is waited for as long as the caller wants, and
// named.
func TestLedgerThatDoesNotAnswer(t *testing.T) {
	k := start(t)
	k.release(k.acquire("shop", "ann"))
	over := make(chan struct{})
	defer close(over)
	k.ControlKey(kmsg.Fetch.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.SleepControl(func() { <-over })
		return nil, nil, false
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	seen := Read(ctx, k.topic())
	if seen.Why != "the ledger __queueform is out of reach: no broker has answered in time" {
		t.Errorf("a plan is told: %s", seen.Why)
	}
}

func TestBrokerThatRefusesForGood(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1})
	_, err := h.Write(t.Context(), Intent{Object: id("orders")})
	if err == nil || !strings.HasPrefix(err.Error(), "the ledger __queueform cannot be used: MESSAGE_TOO_LARGE") {
		t.Errorf("the holder is told %v", err)
	}
}

func TestGarbage(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	for _, value := range []string{
		"", "hello", "\x00\xff", "{}", "[1]", "null", `{"queueform":1}`, `{"queueform":1,"kind":"coffee","body":{}}`,
		`{"queueform":1,"kind":"intent","body":7}`, `{"queueform":-3,"kind":"release"}`, `{"queueform":"1"}`,
		`{"queueform":1,"kind":"release","claim":"x","seq":1,"body":{}}`, `{"queueform":1,"kind":"claim","body":{"lock":"topology shop"}}`,
	} {
		k.put(value)
	}
	k.write(h, Intent{Object: id("orders")})
	k.release(h)
	if state := k.state(); len(state.Objects) != 1 || len(state.Locks) != 0 {
		t.Errorf("the ledger says %+v", state)
	}
}

func TestNewerFormat(t *testing.T) {
	k := start(t)
	h := k.acquire("shop", "ann")
	k.put(`{"queueform":2,"kind":"intent","body":{}}`)
	want := "the ledger __queueform has format 2, and this queueform knows 1: use a newer one"
	if _, err := h.Check(t.Context()); err == nil || err.Error() != want {
		t.Errorf("the holder is told %v", err)
	}
	if seen := Read(t.Context(), k.topic()); seen.State != live.Unseen || seen.Why != want {
		t.Errorf("a plan sees %v: %s", seen.State, seen.Why)
	}
	if err := Rebuild(t.Context(), k.topic()); !is[*Newer](err) {
		t.Errorf("it is rebuilt: %v", err)
	}
}

func TestDamage(t *testing.T) {
	const beginning = "the ledger __queueform is damaged: it begins with neither its format nor a checkpoint"
	for name, test := range map[string]struct {
		damage func(*kafka)
		want   string
	}{
		"a lost beginning": {func(k *kafka) {
			k.release(k.acquire("shop", "ann"))
			k.truncate(1)
		}, beginning},
		"nothing left": {func(k *kafka) {
			k.release(k.acquire("shop", "ann"))
			k.truncate(-1)
		}, "the ledger __queueform is damaged: all its records are gone"},
		"half a checkpoint": {func(k *kafka) {
			h := k.acquire("shop", "ann")
			k.write(h, checkpointBegin{})
			k.truncate(2)
		}, "the ledger __queueform is damaged: it begins with a checkpoint that has no end"},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			test.damage(k)
			if seen := Read(t.Context(), k.topic()); seen.State != live.Unseen || seen.Why != test.want {
				t.Errorf("a plan sees %v: %s", seen.State, seen.Why)
			}
			shop := Request{Lock: TopologyLock("shop"), Holder: holder("shop", "bob")}
			if _, err := Acquire(t.Context(), k.topic(), shop); !is[*Damaged](err) || err.Error() != test.want {
				t.Errorf("an apply is told %v", err)
			}
			if err := Rebuild(t.Context(), k.topic()); err != nil {
				t.Fatal(err)
			}
			k.acquire("shop", "bob")
			if err := Rebuild(t.Context(), k.topic()); err == nil || err.Error() != "the ledger __queueform is not damaged" {
				t.Errorf("rebuilding it again: %v", err)
			}
		})
	}
}

// Somebody's messages are not deleted by who names their topic as the ledger.
func TestForeignTopic(t *testing.T) {
	const want = "the topic __queueform is no ledger, since queueform did not write its beginning: name another in the cluster block, or delete it if nobody needs it"
	k := start(t)
	k.make()
	k.put("hello")
	if seen := Read(t.Context(), k.topic()); seen.State != live.Unseen || seen.Why != want {
		t.Errorf("a plan sees %v: %s", seen.State, seen.Why)
	}
	_, err := Acquire(t.Context(), k.topic(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
	for _, err := range []error{err, Rebuild(t.Context(), k.topic())} {
		if !is[*Foreign](err) || err.Error() != want {
			t.Errorf("the topic is taken: %v", err)
		}
	}
}

// A topic with several partitions, or one that forgets, is no better when it is rebuilt.
func TestUnsuitableIsNotRebuilt(t *testing.T) {
	for key, spoil := range map[string]func(context.Context, *kadm.Client) error{
		"partitions": func(ctx context.Context, admin *kadm.Client) error {
			_, err := admin.UpdatePartitions(ctx, 3, name)
			return err
		},
		"retention.ms": func(ctx context.Context, admin *kadm.Client) error {
			_, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: new("1000")}}, name)
			return err
		},
	} {
		t.Run(key, func(t *testing.T) {
			k := start(t)
			k.release(k.acquire("shop", "ann"))
			k.truncate(-1)
			if err := spoil(t.Context(), kadm.NewClient(k.client)); err != nil {
				t.Fatal(err)
			}
			err := Rebuild(t.Context(), k.topic())
			if why, is := errors.AsType[*Unsuitable](err); !is || why.Key != key {
				t.Errorf("it is rebuilt: %v", err)
			}
		})
	}
}

func TestHolderOfARebuiltLedger(t *testing.T) {
	k := start(t)
	ann := k.acquire("shop", "ann")
	k.write(ann, Intent{Object: id("orders")})
	k.truncate(1)
	if err := Rebuild(t.Context(), k.topic()); err != nil {
		t.Fatal(err)
	}
	bob := k.acquire("shop", "bob")
	if _, err := ann.Check(t.Context()); !is[*Lost](err) {
		t.Errorf("ann is told %v", err)
	}
	if len(bob.State().Objects) > 0 {
		t.Errorf("bob sees %v", bob.State().Objects)
	}
}

func TestTopicDeletedUnderAHolder(t *testing.T) {
	for want, again := range map[string]bool{
		"the ledger __queueform is damaged: somebody has deleted the topic":                   false,
		"the ledger __queueform is damaged: somebody has deleted the topic and made it again": true,
	} {
		k := start(t)
		h, err := Acquire(t.Context(), k.hurried(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kadm.NewClient(k.client).DeleteTopics(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if again {
			k.acquire("shop", "bob")
		}
		if _, err := h.Write(t.Context(), Intent{Object: id("orders")}); err == nil || err.Error() != want {
			t.Errorf("the holder is told %v", err)
		}
		h.dies()
	}
}

func TestTopicThatForgets(t *testing.T) {
	for key, value := range map[string]string{
		"cleanup.policy": "compact", "retention.ms": "604800000", "retention.bytes": "1000", "message.timestamp.type": "CreateTime",
	} {
		k := start(t)
		k.make()
		admin := kadm.NewClient(k.client)
		if _, err := admin.AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: key, Value: &value}}, name); err != nil {
			t.Fatal(err)
		}
		_, err := Acquire(t.Context(), k.topic(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
		want := fmt.Sprintf("the ledger __queueform has %s = %q, which must be %q: set it so, or name another topic in the cluster block", key, value, settings[key])
		if err == nil || err.Error() != want {
			t.Errorf("an apply is told %v", err)
		}
	}
}

// What an apply would come upon a plan can tell, and makes nothing.
func TestFit(t *testing.T) {
	fit := func(k *kafka) string {
		if err := Fit(t.Context(), k.topic()); err != nil {
			return err.Error()
		}
		return ""
	}
	k := start(t)
	if says := fit(k); says != "" {
		t.Errorf("where there is none: %s", says)
	}
	if _, _, err := newLog(k.topic()).locate(t.Context()); k.requests()[kmsg.CreateTopics] != 1 || err != nil {
		t.Error("whether it can be made was not asked")
	} else if there, _, _ := newLog(k.topic()).locate(t.Context()); there {
		t.Error("it was made")
	}
	policy := kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.PolicyViolation, Count: 1}
	k.Fault(policy)
	if says := fit(k); !strings.HasPrefix(says, "the ledger __queueform cannot be made: POLICY_VIOLATION") {
		t.Errorf("where a policy is against it: %s", says)
	}
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAuthorizationFailed, Count: 1})
	if says := fit(k); says != "" {
		t.Errorf("who may not make it learns %s", says)
	}
	k.make()
	if says := fit(k); says != "" {
		t.Errorf("one that was made: %s", says)
	}
	if _, err := kadm.NewClient(k.client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Name: "retention.ms", Value: new("1")}}, name); err != nil {
		t.Fatal(err)
	}
	if says := fit(k); !strings.HasPrefix(says, `the ledger __queueform has retention.ms = "1"`) {
		t.Errorf("one that forgets: %s", says)
	}
}

func TestTopicIsMade(t *testing.T) {
	k := start(t)
	k.cutAfter(kmsg.CreateTopics)
	h, err := Acquire(t.Context(), k.hurried(), Request{Lock: TopologyLock("shop"), Holder: holder("shop", "ann")})
	if err != nil {
		t.Fatal(err)
	}
	k.release(h)
	configs, err := kadm.NewClient(k.client).DescribeTopicConfigs(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range configs[0].Configs {
		if c.Source == kmsg.ConfigSourceDynamicTopicConfig {
			got[c.Key] = c.MaybeValue()
		}
	}
	want := "map[cleanup.policy:delete message.timestamp.type:LogAppendTime min.insync.replicas:2 retention.bytes:-1 retention.ms:-1 unclean.leader.election.enable:false]"
	if fmt.Sprint(got) != want {
		t.Errorf("the topic has %v", got)
	}
}

// truncate deletes the records before an offset; -1: all.
func (k *kafka) truncate(offset int64) {
	k.Helper()
	var offsets kadm.Offsets
	offsets.AddOffset(name, 0, offset, -1)
	deleted, err := kadm.NewClient(k.client).DeleteRecords(k.Context(), offsets)
	if err == nil {
		err = deleted.Error()
	}
	if err != nil {
		k.Fatal(err)
	}
}
