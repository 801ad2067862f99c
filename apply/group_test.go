package apply_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

func group(id string) schema.ID { return schema.ID{Kind: schema.KindGroup, Name: id} }

func seeds(id string, all ...plan.Seeding) *plan.SeedOffsets {
	return &plan.SeedOffsets{Head: plan.Head{Phase: plan.PhaseGroups, Object: group(id)}, Seeds: all}
}

// since is the time of the second of the messages in topic a.
var since = time.UnixMilli(1_700_000_000_000).UTC()

// filled makes topic a of two partitions, with three messages in the first.
func (k *kafka) filled() {
	k.Helper()
	k.has("a", 2)
	for i := range 3 {
		record := &kgo.Record{Topic: "a", Partition: 0, Value: []byte("x"), Timestamp: since.Add(time.Duration(i-1) * time.Minute)}
		client, err := kgo.NewClient(kgo.SeedBrokers(k.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		if err != nil {
			k.Fatal(err)
		}
		if err := client.ProduceSync(k.Context(), record).FirstErr(); err != nil {
			k.Fatal(err)
		}
		client.Close()
	}
}

// commit lets a group have read topic a so far.
func (k *kafka) commit(id string, progress live.Progress) {
	k.Helper()
	if len(progress) == 0 {
		return
	}
	offsets := kadm.Offsets{}
	for p, at := range progress {
		offsets.AddOffset("a", p, at, -1)
	}
	if err := kadm.NewClient(k.client()).CommitAllOffsets(k.Context(), id, offsets); err != nil {
		k.Fatal(err)
	}
}

// committed is what a group has, by topic and partition.
func (k *kafka) committed(id string) map[string]live.Progress {
	k.Helper()
	s, err := k.engine.Read(k.Context(), live.Scope{Groups: []string{id}})
	if err != nil {
		k.Fatal(err)
	}
	return s.Groups[id].Value.Offsets.Value
}

// put is what the ledger knows of where a group was put in topic a.
func (k *kafka) put(id string) live.Offsets {
	k.Helper()
	owner, _ := k.ledger.Live().Owners.Of(group(id))
	return owner.Seeds["a"].Offsets
}

// TestGroupsArePut commits where groups begin, where they have committed
// nothing, and notes it.
func TestGroupsArePut(t *testing.T) {
	const none = live.NoOffset
	for name, test := range map[string]struct {
		seeding plan.Seeding
		had     live.Progress
		want    live.Progress
		noted   live.Offsets
	}{
		"at the beginning":              {plan.Seeding{Start: schema.Earliest}, nil, live.Progress{0: 0, 1: 0}, live.Offsets{0, 0}},
		"at the end":                    {plan.Seeding{Start: schema.Latest}, nil, live.Progress{0: 3, 1: 0}, live.Offsets{3, 0}},
		"since a time":                  {plan.Seeding{Start: schema.Start(since.Format(time.RFC3339))}, nil, live.Progress{0: 1, 1: 0}, live.Offsets{1, 0}},
		"since after all":               {plan.Seeding{Start: schema.Start(since.Add(time.Hour).Format(time.RFC3339))}, nil, live.Progress{0: 3, 1: 0}, live.Offsets{3, 0}},
		"in one partition":              {plan.Seeding{Start: schema.Earliest, Partitions: []int32{1}}, nil, live.Progress{1: 0}, live.Offsets{none, 0}},
		"where it was before":           {plan.Seeding{At: live.Progress{0: 2}}, nil, live.Progress{0: 2}, live.Offsets{2, none}},
		"where it was before, and new":  {plan.Seeding{At: live.Progress{0: 2}, Start: schema.Earliest, Partitions: []int32{1}}, nil, live.Progress{0: 2, 1: 0}, live.Offsets{2, 0}},
		"not where it has gone already": {plan.Seeding{Start: schema.Earliest}, live.Progress{0: 2}, live.Progress{0: 2, 1: 0}, live.Offsets{none, 0}},
		"nowhere":                       {plan.Seeding{Start: schema.Earliest}, live.Progress{0: 2, 1: 0}, live.Progress{0: 2, 1: 0}, live.Offsets{none, none}},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.commit("g", test.had)
			test.seeding.Topic, test.seeding.TopicID = "a", k.topic("a").ID
			k.ends(k.run(seeds("g", test.seeding)), "done")
			if diff := cmp.Diff(map[string]live.Progress{"a": test.want}, k.committed("g")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.noted, k.put("g")); diff != "" {
				t.Errorf("noted: %s", diff)
			}
		})
	}
}

// What was known of a group stays, but for where it is put now: where it was
// before, or later where those messages are gone.
func TestGroupIsPutAgain(t *testing.T) {
	const none = live.NoOffset
	for name, test := range map[string]struct {
		known, noted live.Seed
		seeding      plan.Seeding
		had          live.Progress
	}{
		"its messages are gone": {live.Seed{Offsets: live.Offsets{1, none}}, live.Seed{Offsets: live.Offsets{2, none}}, plan.Seeding{At: live.Progress{0: 1}}, nil},
		"a new partition":       {live.Seed{Offsets: live.Offsets{1}, Moved: true}, live.Seed{Offsets: live.Offsets{1, 0}, Moved: true}, plan.Seeding{Start: schema.Earliest, Partitions: []int32{1}}, live.Progress{0: 3}},
		"it has moved there":    {live.Seed{Offsets: live.Offsets{1, 0}}, live.Seed{Offsets: live.Offsets{1, 0}}, plan.Seeding{Start: schema.Earliest}, live.Progress{0: 3, 1: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.commit("g", test.had)
			if _, err := kadm.NewClient(k.client()).DeleteRecords(t.Context(), kadm.Offsets{"a": {0: {Topic: "a", At: 2}}}); err != nil {
				t.Fatal(err)
			}
			a := k.topic("a").ID
			test.known.TopicID, test.noted.TopicID = a, a
			test.seeding.Topic, test.seeding.TopicID = "a", a
			p := planned(seeds("g", test.seeding))
			p.Claims = []plan.Claim{{Object: group("g"), Seeds: map[string]live.Seed{"a": test.known}}}
			k.ends(k.engine.Run(t.Context(), p), "done")
			owner, _ := k.ledger.Live().Owners.Of(group("g"))
			if diff := cmp.Diff(test.noted, owner.Seeds["a"]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A topic that the same apply makes has no id yet when it is planned.
func TestGroupIsPutInNewTopic(t *testing.T) {
	k := start(t)
	step := seeds("g", plan.Seeding{Topic: "a", Start: schema.Latest})
	step.After = []schema.ID{id("a")}
	k.ends(k.run(create("a", 2), step), "done", "done")
	owner, _ := k.ledger.Live().Owners.Of(group("g"))
	if seed := owner.Seeds["a"]; seed.TopicID != k.topic("a").ID || len(seed.Offsets) != 2 {
		t.Errorf("%+v", seed)
	}
}

// A broker may not know yet of partitions that were added.
func TestGroupIsPutInAllPartitions(t *testing.T) {
	k := start(t)
	k.filled()
	left := k.lag(3, "a")
	if _, err := kadm.NewClient(k.client()).UpdatePartitions(t.Context(), 4, "a"); err != nil {
		t.Fatal(err)
	}
	k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest, Total: 4})), "done")
	if diff := cmp.Diff(live.Offsets{3, 0, 0, 0}, k.put("g")); diff != "" || left() > 0 {
		t.Error(left(), diff)
	}
}

// What had no answer is looked at, and noted where it was asked for.
func TestGroupIsPutOnceThoughTheAnswerIsLost(t *testing.T) {
	for name, test := range map[string]struct {
		had   live.Progress
		asked []int32 // nil: all partitions
		noted live.Offsets
	}{
		"new":             {nil, nil, live.Offsets{3, 0}},
		"a new partition": {live.Progress{0: 2}, []int32{1}, live.Offsets{live.NoOffset, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.commit("g", test.had)
			before := k.requests(kmsg.OffsetCommit)
			k.cutAfter(kmsg.OffsetCommit)
			k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest, Partitions: test.asked})), "done")
			if n := k.requests(kmsg.OffsetCommit) - before; n != 2 { // the other is the test's own
				t.Errorf("%d commits", n)
			}
			if diff := cmp.Diff(test.noted, k.put("g")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Where what had no answer cannot be read at once, the next try finds it there.
func TestGroupIsPutOnceThoughTheAnswerIsLostAndItCannotBeSeen(t *testing.T) {
	k := start(t)
	k.filled()
	k.cutAfter(kmsg.OffsetCommit)
	k.first(kmsg.OffsetFetch, func(req kmsg.Request) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		resp.Groups = []kmsg.OffsetFetchResponseGroup{{Group: "g", ErrorCode: kerr.UnknownServerError.Code}}
		return resp, nil
	})
	k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest})), "done")
	if diff := cmp.Diff(live.Offsets{3, 0}, k.put("g")); diff != "" {
		t.Error(diff)
	}
}

// A connection that breaks, or cannot be made, is of one coordinator: the groups
// of the others are put, and go, by what their own say.
func TestGroupsOfSeveralCoordinators(t *testing.T) {
	for name, fail := range map[string]func(*kafka, kmsg.Key){"cut": (*kafka).cutBefore, "refused": (*kafka).refuseAfter} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.has("b", 1)
			a, b := k.topic("a").ID, k.topic("b").ID
			var put, gone []plan.Step
			var done []string
			for i := range 9 {
				name := fmt.Sprintf("g%d", i)
				put = append(put, seeds(name, plan.Seeding{Topic: "a", TopicID: a, Start: schema.Latest}, plan.Seeding{Topic: "b", TopicID: b, Start: schema.Latest}))
				gone = append(gone, &plan.DeleteGroup{Head: plan.Head{Phase: plan.PhaseDelete, Object: group(name)}})
				done = append(done, "done")
			}
			fail(k, kmsg.OffsetCommit)
			k.ends(k.run(put...), done...)
			want := map[string]live.Seed{"a": {TopicID: a, Offsets: live.Offsets{3, 0}}, "b": {TopicID: b, Offsets: live.Offsets{0}}}
			for _, s := range put {
				owner, _ := k.ledger.Live().Owners.Of(s.About().Object)
				if diff := cmp.Diff(want, owner.Seeds); diff != "" {
					t.Errorf("%s: %s", s.About().Object.Name, diff)
				}
			}
			fail(k, kmsg.DeleteGroups)
			k.ends(k.run(gone...), done...)
			for _, s := range gone {
				if owner, owned := k.ledger.Live().Owners.Of(s.About().Object); owned {
					t.Errorf("%+v", owner)
				}
			}
		})
	}
}

// TestGroupIsNotPut tries again what passes, and refuses the rest.
func TestGroupIsNotPut(t *testing.T) {
	for name, test := range map[string]struct {
		code *kerr.Error
		ends string
	}{
		"the coordinator loads": {kerr.CoordinatorLoadInProgress, "done"},
		"somebody has joined":   {kerr.UnknownMemberID, "refused: somebody has joined it meanwhile (UNKNOWN_MEMBER_ID)"},
		"not permitted":         {kerr.GroupAuthorizationFailed, "refused: not permitted, this needs Read on Group g"},
		"topic not permitted":   {kerr.TopicAuthorizationFailed, "refused: not permitted, this needs Read on Topic a"},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.first(kmsg.OffsetCommit, func(kreq kmsg.Request) (kmsg.Response, error) {
				req := kreq.(*kmsg.OffsetCommitRequest)
				resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
				resp.Topics = []kmsg.OffsetCommitResponseTopic{{
					Topic: req.Topics[0].Topic, TopicID: req.Topics[0].TopicID,
					Partitions: []kmsg.OffsetCommitResponseTopicPartition{{ErrorCode: test.code.Code}},
				}}
				return resp, nil
			})
			k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest})), test.ends)
			if _, owned := k.ledger.Live().Owners.Of(group("g")); owned != (test.ends == "done") {
				t.Errorf("owned: %v", owned)
			}
		})
	}
}

func TestGroupGoes(t *testing.T) {
	for name, lost := range map[string]bool{"answered": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", Start: schema.Latest})), "done")
			if lost {
				k.cutAfter(kmsg.DeleteGroups)
			}
			k.ends(k.run(&plan.DeleteGroup{Head: plan.Head{Phase: plan.PhaseDelete, Object: group("g")}}), "done")
			if has := k.committed("g"); len(has) > 0 {
				t.Error(has)
			}
			if _, owned := k.ledger.Live().Owners.Of(group("g")); owned {
				t.Error("the ledger has it still")
			}
		})
	}
}

// A group that is put somewhere and told something has both remembered.
func TestGroupIsPutAndTold(t *testing.T) {
	k := start(t)
	k.filled()
	p := planned(
		&plan.AlterConfigs{Head: plan.Head{Phase: plan.PhaseGroups, Object: group("g")}, Set: map[string]string{"consumer.session.timeout.ms": "50000"}},
		seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest}),
	)
	p.Claims = []plan.Claim{{Object: group("g"), Keys: []string{"consumer.session.timeout.ms"}}}
	k.engine.Patience = 10_000 * time.Hour // of a clock that runs ahead
	var put atomic.Bool                    // the configs are not taken before that
	k.on(kmsg.IncrementalAlterConfigs, func(req kmsg.Request) (kmsg.Response, error) {
		if put.Load() {
			return nil, nil
		}
		resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
		resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{{ResourceName: "g", ErrorCode: kerr.NotController.Code}}
		return resp, nil
	})
	observe := k.engine.Observe
	k.engine.Observe = func(e apply.Event) {
		if ended, ok := e.(apply.StepEnded); ok && ended.Step == p.Steps[1] {
			put.Store(true)
		}
		observe(e)
	}
	k.ends(k.engine.Run(t.Context(), p), "done", "done")
	owner, _ := k.ledger.Live().Owners.Of(group("g"))
	if diff := cmp.Diff(live.Offsets{3, 0}, owner.Seeds["a"].Offsets); diff != "" || len(owner.Keys) != 1 {
		t.Error(owner.Keys, diff)
	}
}

// What brokers are told of groups is remembered by its keys.
func TestGroupIsTold(t *testing.T) {
	const session = "consumer.session.timeout.ms"
	k := start(t)
	tells := func(set map[string]string, reset ...string) *apply.Report {
		p := planned(&plan.AlterConfigs{Head: plan.Head{Phase: plan.PhaseGroups, Object: group("g")}, Set: set, Reset: reset})
		p.Claims = []plan.Claim{{Object: group("g")}}
		for key := range set {
			p.Claims[0].Keys = append(p.Claims[0].Keys, key)
		}
		return k.engine.Run(t.Context(), p)
	}
	k.ends(tells(map[string]string{session: "50000"}), "done")
	owned := ledger.Owned{Object: group("g"), Keys: []string{session}}
	if diff := cmp.Diff([]ledger.Record{ledger.Intent{Object: group("g"), Keys: []string{session}}, owned}, k.ledger.written); diff != "" {
		t.Error(diff)
	}
	k.ends(tells(nil, session), "done")
	if owner, _ := k.ledger.Live().Owners.Of(group("g")); len(owner.Keys) > 0 {
		t.Error(owner)
	}
}

// Where it is not known whether a group was put, the intent stays, whatever else
// was done; what it was not told is not remembered.
func TestGroupIsRememberedAsItWent(t *testing.T) {
	const session = "consumer.session.timeout.ms"
	for name, test := range map[string]struct {
		configs, offsets *kerr.Error // nil: done
		half             bool
		keys             int
	}{
		"put, and told":       {nil, nil, false, 1},
		"put, and not told":   {kerr.InvalidConfig, nil, false, 0},
		"told, and not put":   {nil, kerr.UnknownMemberID, false, 1},
		"told, and maybe put": {nil, kerr.RequestTimedOut, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.filled()
			refuse := func(key kmsg.Key, code *kerr.Error, answer func(kmsg.Request) kmsg.Response) {
				if code != nil {
					k.on(key, func(req kmsg.Request) (kmsg.Response, error) { return answer(req), nil })
				}
			}
			refuse(kmsg.IncrementalAlterConfigs, test.configs, func(req kmsg.Request) kmsg.Response {
				resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
				resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{{ResourceName: "g", ErrorCode: test.configs.Code}}
				return resp
			})
			refuse(kmsg.OffsetCommit, test.offsets, func(req kmsg.Request) kmsg.Response {
				asked, resp := req.(*kmsg.OffsetCommitRequest), req.ResponseKind().(*kmsg.OffsetCommitResponse)
				resp.Topics = []kmsg.OffsetCommitResponseTopic{{Topic: "a", TopicID: asked.Topics[0].TopicID}}
				for _, p := range asked.Topics[0].Partitions {
					resp.Topics[0].Partitions = append(resp.Topics[0].Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: test.offsets.Code})
				}
				return resp
			})
			p := planned(
				&plan.AlterConfigs{Head: plan.Head{Phase: plan.PhaseGroups, Object: group("g")}, Set: map[string]string{session: "50000"}},
				seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest}),
			)
			p.Claims = []plan.Claim{{Object: group("g"), Keys: []string{session}}}
			k.engine.Run(t.Context(), p)
			owner, owned := k.ledger.Live().Owners.Of(group("g"))
			if !owned || owner.HalfDone != test.half || len(owner.Keys) != test.keys {
				t.Errorf("owned: %v, %+v", owned, owner)
			}
		})
	}
}

// How far a group has come and cannot be read is not taken for nothing.
func TestGroupIsNotPutUnseen(t *testing.T) {
	k := start(t)
	k.filled()
	k.commit("g", live.Progress{0: 1})
	k.first(kmsg.OffsetFetch, func(req kmsg.Request) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		resp.Groups = []kmsg.OffsetFetchResponseGroup{{Group: "g", ErrorCode: kerr.UnknownServerError.Code}}
		return resp, nil
	})
	k.ends(k.run(seeds("g", plan.Seeding{Topic: "a", TopicID: k.topic("a").ID, Start: schema.Latest})), "done")
	if diff := cmp.Diff(map[string]live.Progress{"a": {0: 1, 1: 0}}, k.committed("g")); diff != "" {
		t.Error(diff)
	}
}
