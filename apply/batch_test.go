package apply_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// kinds are the steps that kfake carries out, each on topic a, which exists for
// all but its creation.
var kinds = []struct {
	name string
	key  kmsg.Key
	step func(*kafka) plan.Step
}{
	{"create", kmsg.CreateTopics, func(*kafka) plan.Step { return create("a", 3) }},
	{"configs", kmsg.IncrementalAlterConfigs, func(k *kafka) plan.Step {
		k.has("a", 1)
		return configs("a", map[string]string{"retention.ms": "5000"})
	}},
	{"partitions", kmsg.CreatePartitions, func(k *kafka) plan.Step { k.has("a", 1); return partitions("a", 4) }},
	{"delete", kmsg.DeleteTopics, func(k *kafka) plan.Step { k.has("a", 1); return deletion("a", k.topic("a").ID) }},
}

// everyKind runs a test for each kind of step.
func everyKind(t *testing.T, test func(k *kafka, key kmsg.Key, step plan.Step)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			k := start(t)
			test(k, kind.key, kind.step(k))
		})
	}
}

// holds wants the step's result to be there.
func (k *kafka) holds(step plan.Step) {
	k.Helper()
	if err := plan.Holds(step, k.snapshot(step.About().Object.Name)); err != nil {
		k.Error(err)
	}
}

func TestStepIsCarriedOut(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		report := k.run(step)
		k.ends(report, "done")
		k.holds(step)
		if !ok(report) || k.requests(key) != 1 {
			k.Errorf("OK is %v after %d requests", ok(report), k.requests(key))
		}
	})
}

func TestConnectionCutBeforeTheRequestWorked(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		k.cutBefore(key)
		k.ends(k.run(step), "done")
		k.holds(step)
		if k.requests(key) != 2 {
			k.Errorf("%d requests", k.requests(key))
		}
	})
}

func TestConnectionCutAfterTheRequestWorked(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		k.cutAfter(key)
		k.ends(k.run(step), "done")
		k.holds(step)
		if k.requests(key) != 2 { // the other is the test's own
			k.Errorf("%d requests: it was sent again", k.requests(key))
		}
	})
}

// A broker that lags shows nothing of what was done: it is asked for again,
// refused as being there, and read until it shows.
func TestConnectionCutAndBrokersLag(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		left := k.lag(4, "a")
		k.cutAfter(key)
		k.refusesNoPartitions()
		k.ends(k.run(step), "done")
		k.holds(step)
		if key != kmsg.IncrementalAlterConfigs && left() > 0 { // metadata tells nothing of configs
			k.Errorf("%d answers of the past were not read", left())
		}
	})
}

// refusesNoPartitions lets kfake say of partitions that are there already what Kafka says.
func (k *kafka) refusesNoPartitions() {
	k.on(kmsg.CreatePartitions, func(req kmsg.Request) (kmsg.Response, error) {
		asked := req.(*kmsg.CreatePartitionsRequest).Topics[0]
		if int(asked.Count) != len(k.PartitionInfos(asked.Topic)) {
			return nil, nil
		}
		resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
		resp.Topics = []kmsg.CreatePartitionsResponseTopic{{Topic: asked.Topic, ErrorCode: kerr.InvalidPartitions.Code}}
		return resp, nil
	})
}

func TestRequestTimedOutOnTheBrokerAndWorked(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		k.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.RequestTimedOut})
		k.ends(k.run(step), "done")
		k.holds(step)
		if k.requests(key) != 1 {
			k.Errorf("%d requests", k.requests(key))
		}
	})
}

// The plan may be older than the controller.
func TestControllerHasChanged(t *testing.T) {
	for name, id := range map[string]int32{"another": 1, "none": -1} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			p := planned(create("a", 1))
			p.Cluster.Controller = id
			k.ends(k.engine.Run(t.Context(), p), "done")
			if len(k.clock.waits) != 1 {
				t.Errorf("waited %v", k.clock.waits)
			}
		})
	}
}

func TestNotController(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		k.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: kerr.NotController, Count: 2})
		k.ends(k.run(step), "done")
		k.holds(step)
		if diff := cmp.Diff([]time.Duration{100 * time.Millisecond, 200 * time.Millisecond}, k.clock.waits); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBrokerIsLeftAloneAsLongAsItWants(t *testing.T) {
	k := start(t)
	k.first(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		resp.ThrottleMillis = 350
		resp.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "a"}, {Topic: "b", ErrorCode: kerr.ThrottlingQuotaExceeded.Code}}
		return resp, nil
	})
	k.ends(k.run(create("a", 1), create("b", 1)), "done", "done")
	if diff := cmp.Diff([]time.Duration{350 * time.Millisecond}, k.clock.waits); diff != "" {
		t.Error(diff)
	}
	if i := slices.Index(k.events, apply.Event(apply.Waiting{Why: "the cluster asks to wait", For: 350 * time.Millisecond})); i < 0 {
		t.Errorf("nobody was told: %v", k.events)
	}
}

func TestClusterThatAsksToWaitForEver(t *testing.T) {
	k := start(t)
	k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.ThrottlingQuotaExceeded, Count: -1})
	k.ends(k.run(create("a", 1)), "not done: given up after 1m0s: The throttling quota has been exceeded. (THROTTLING_QUOTA_EXCEEDED)")
}

// Whoever made a topic while our connection was broken made another one.
func TestTopicOfSomebodyElse(t *testing.T) {
	k := start(t)
	k.first(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) {
		k.has("a", 5)
		return nil, errCut
	})
	k.ends(k.run(create("a", 3)), "refused: Topic with this name already exists. (TOPIC_ALREADY_EXISTS); it is not as asked for: it has 5 partitions, not 3")
}

// Without a broken connection, there is no doubt about whose topic it is.
func TestTopicThatExistsIsNoSuccess(t *testing.T) {
	k := start(t)
	k.run(create("a", 3))
	k.events = nil
	k.ends(k.run(create("a", 3)), "refused: Topic with this name already exists. (TOPIC_ALREADY_EXISTS)")
}

// A connection that breaks each time leaves nothing but not knowing. It is not
// blamed on the login.
func TestConnectionsThatAlwaysBreak(t *testing.T) {
	everyKind(t, func(k *kafka, key kmsg.Key, step plan.Step) {
		k.on(key, func(kmsg.Request) (kmsg.Response, error) { return nil, errCut })
		report := k.run(step)
		k.ends(report, "unknown: the connection broke: ...")
		if text := report.Results[0].Err.Error(); strings.Contains(text, "SASL") {
			k.Error(text)
		}
	})
}

// Where no connection can be made, nothing was sent.
func TestControllerThatCannotBeReached(t *testing.T) {
	k := start(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	told := *k.metadata()
	told.ControllerID = 9
	told.Brokers = append(told.Brokers, kmsg.MetadataResponseBroker{NodeID: 9, Host: "127.0.0.1", Port: int32(closed.Addr().(*net.TCPAddr).Port)})
	k.on(kmsg.Metadata, func(req kmsg.Request) (kmsg.Response, error) {
		told.Version = req.GetVersion()
		return &told, nil
	})
	p := planned(create("a", 1))
	p.Cluster.Controller = 9
	k.ends(k.engine.Run(t.Context(), p), "not done: given up after 1m0s: no connection: ...")
}

func TestBrokerThatDoesNotAnswerForATopic(t *testing.T) {
	for name, test := range map[string]struct {
		made *plan.CreateTopic
		want string
	}{
		"made":           {create("b", 1), "done"},
		"made otherwise": {create("b", 2), "unknown: the broker did not say how it went; it may have been done: it has 2 partitions, not 1"},
		"not made":       {nil, `unknown: the broker did not say how it went; it may have been done: topic "b" is not there`},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.first(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error) {
				if test.made != nil {
					k.make(test.made)
				}
				resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
				resp.Topics = []kmsg.CreateTopicsResponseTopic{{Topic: "a"}}
				return resp, nil
			})
			k.ends(k.run(create("a", 1), create("b", 1)), "done", test.want)
		})
	}
}

// A topic that is gone for the controller, and there for a broker that lags
// for ever, may be gone.
func TestDeletionThatBrokersDoNotShow(t *testing.T) {
	k := start(t)
	k.has("a", 1)
	step := deletion("a", k.topic("a").ID)
	k.lag(1000, "a")
	k.cutAfter(kmsg.DeleteTopics)
	k.ends(k.run(step), `unknown: the connection broke: ...`)
}

// make makes a topic as a step asks for it.
func (k *kafka) make(s *plan.CreateTopic) {
	if err := k.CreateTopic(s.Object.Name, s.Partitions, s.Configs); err != nil {
		k.Error(err)
	}
}

// A failed object skips what depends on it, and nothing else.
func TestPartialFailure(t *testing.T) {
	k := start(t)
	k.has("there", 1)
	k.has("old", 1)
	dependent := configs("old", map[string]string{"retention.ms": "1"})
	dependent.After = []schema.ID{id("there")}
	further := partitions("old", 2)
	p := planned(create("there", 1), create("new", 1), dependent, further, deletion("new2", live.TopicID{1}))
	k.ends(k.engine.Run(t.Context(), p),
		"refused: Topic with this name already exists. (TOPIC_ALREADY_EXISTS)",
		"done",
		"skipped: an earlier step of queue \"there\" failed",
		"skipped: an earlier step of queue \"old\" failed",
		"refused: This server does not host this topic ID. (UNKNOWN_TOPIC_ID)",
	)
	if about := dependent.About(); len(about.After) != 1 {
		t.Errorf("the plan was changed: %v", about)
	}
}

func TestBrokerBeforeTopicIDsIsAskedByName(t *testing.T) {
	for name, options := range map[string][]kfake.Opt{"Kafka 2.7": {kfake.MaxVersions(kversion.V2_7_0())}, "newer": nil} {
		t.Run(name, func(t *testing.T) {
			k := start(t, options...)
			k.has("a", 1)
			k.ends(k.run(deletion("a", live.TopicID{})), "done")
			k.holds(deletion("a", live.TopicID{}))
		})
	}
}

// A topic made again under its name is another.
func TestDeletionIsOfOneLife(t *testing.T) {
	k := start(t)
	k.has("a", 1)
	k.ends(k.run(deletion("a", live.TopicID{1})), "refused: ...")
	if k.snapshot("a").Topics["a"].State != live.Present {
		t.Error("the other life was deleted")
	}
}

func TestBatchesByRecords(t *testing.T) {
	k := start(t)
	var mu sync.Mutex
	var sizes []int
	k.on(kmsg.CreateTopics, func(req kmsg.Request) (kmsg.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(req.(*kmsg.CreateTopicsRequest).Topics))
		return nil, nil
	})
	var steps []plan.Step
	for i := range 9 {
		s := create(fmt.Sprint("t", i), 1)
		s.Records = 2000
		steps = append(steps, s)
	}
	if report := k.run(steps...); !ok(report) {
		t.Error(outcomes(report))
	}
	slices.Sort(sizes)
	if diff := cmp.Diff([]int{1, 2, 2, 2, 2}, sizes); diff != "" {
		t.Error(diff)
	}
}

// An interruption waits for the requests in flight, and sends no other.
func TestInterruptionBetweenBatches(t *testing.T) {
	k := start(t)
	stop := errors.New("Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	k.on(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) { cancel(stop); return nil, nil })
	var steps []plan.Step
	for i := range 6 {
		s := create(fmt.Sprint("t", i), 1)
		s.Records = 5000
		steps = append(steps, s)
	}
	later := configs("t0", map[string]string{"retention.ms": "7"})
	report := k.engine.Run(ctx, planned(append(steps, later)...))
	sent := k.requests(kmsg.CreateTopics)
	if done := report.Count(apply.Done); done != sent || done == 0 || done > 3 || report.Count(apply.NotDone) != len(report.Steps)-done {
		t.Errorf("after %d requests: %v", sent, outcomes(report))
	}
	if !errors.Is(report.Stopped, stop) || k.requests(kmsg.IncrementalAlterConfigs) > 0 {
		t.Errorf("stopped: %v", report.Stopped)
	}
}

// What is known of a step at an interruption depends on what was sent.
func TestInterruptionBeforeTheNextTry(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(*kafka)
		want  string
	}{
		"not sent": {func(k *kafka) {
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.NotController, Count: -1})
		}, "not done"},
		"lost": {func(k *kafka) { k.cutBefore(kmsg.CreateTopics) }, "unknown: the connection broke: the broker closed the connection; it may have been done: topic \"a\" is not there"},
		"timed out and lagging": {func(k *kafka) {
			k.lag(100, "a")
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.RequestTimedOut})
		}, "unknown: The request timed out. (REQUEST_TIMED_OUT); it may have been done: topic \"a\" is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			ctx, cancel := context.WithCancel(t.Context())
			k.clock.wait = func(time.Duration) bool { cancel(); return false }
			test.fault(k)
			report := k.engine.Run(ctx, planned(create("a", 1)))
			k.ends(report, test.want)
			if report.Stopped == nil {
				t.Error("not stopped")
			}
		})
	}
}
