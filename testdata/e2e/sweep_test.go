package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
	"github.com/queueform/queueform/testdata/e2e/proxy"
)

// sweepVariable chooses how much is swept: unset a sample; "writes" after each
// request that changes anything; "all" after each.
const sweepVariable = "QUEUEFORM_SWEEP"

// TestKillSweep kills an apply that takes every kind of step, with -9, once the
// brokers have answered its nth request and before it hears of that, for one n
// after the other. After each, another apply makes all as if nothing had been.
func TestKillSweep(t *testing.T) {
	counts, stride := writes, 6
	switch os.Getenv(sweepVariable) {
	case "writes":
		stride = 1
	case "all":
		counts, stride = func(*proxy.Request) bool { return true }, 1
	}
	u := newUser(t, brokers.Shared(t, brokers.Newest))
	u.foreign("sweep.foreign")
	before := u.alive("sweep.foreign")
	for n, killed := 1, true; killed; n += stride {
		name := fmt.Sprint("sweep", n)
		killed = newSweep(t, u.kafka, name, name+".ledger").killed(n, counts)
	}
	if diff := cmp.Diff(before, u.alive("sweep.foreign")); diff != "" {
		t.Errorf("what is foreign has changed: %s", diff)
	}
}

// writes says whether a request changes anything.
func writes(r *proxy.Request) bool {
	switch body := r.Body.(type) {
	case *kmsg.CreateTopicsRequest:
		return !body.ValidateOnly
	case *kmsg.CreatePartitionsRequest:
		return !body.ValidateOnly
	case *kmsg.IncrementalAlterConfigsRequest:
		return !body.ValidateOnly
	case *kmsg.AlterClientQuotasRequest:
		return !body.ValidateOnly
	case *kmsg.ProduceRequest, *kmsg.DeleteTopicsRequest, *kmsg.AlterPartitionAssignmentsRequest, *kmsg.DeleteRecordsRequest,
		*kmsg.AlterUserSCRAMCredentialsRequest, *kmsg.CreateACLsRequest, *kmsg.DeleteACLsRequest, *kmsg.OffsetCommitRequest, *kmsg.DeleteGroupsRequest:
		return true
	}
	return false
}

// foreign makes a topic that is nobody's, and waits until each broker knows it.
func (u *user) foreign(topic string) {
	u.Helper()
	client := u.client()
	if _, err := kadm.NewClient(client).CreateTopic(u.Context(), 1, 1, nil, topic); err != nil {
		u.Fatal(err)
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	for id := 1; id <= brokers.Size; id++ {
		u.await(topic+" is known", func() bool {
			resp, err := req.RequestWith(u.Context(), client.Broker(id))
			must(u.T, err)
			return resp.Topics[0].ErrorCode == 0
		})
	}
}

// sweep is one apply that is killed.
type sweep struct {
	*user
	name, ledger string
	kept         kadm.TopicDetail // the topic that it lets go of
}

const beforeKill = `topology %[1]q {}

cluster "sweep" {
  ledger          = %[2]q
  open_by_default = false
}

queue "tuned" {
  topic              = "%[1]s.tuned"
  replication_factor = 3
  config = {
    "retention.ms" = "7d"
    "segment.ms"   = "2d"
  }
}

queue "grows" {
  topic      = "%[1]s.grows"
  partitions = 2
}

queue "moves" {
  topic              = "%[1]s.moves"
  partitions         = 2
  replication_factor = 1
  config = {
    "min.insync.replicas" = 1
  }
}

queue "released" {
  topic = "%[1]s.released"
}

queue "goes" {
  topic = "%[1]s.goes"
}

user "app" {
  name       = "%[1]s.app"
  mechanisms = ["SCRAM-SHA-256"]
  password   = env("SWEEP")
}

acl "audit" {
  principal = "User:%[1]s.audit"
  resource = {
    topic = "%[1]s.tuned"
  }
  operations = ["read", "describe"]
}

quota "app" {
  user               = "%[1]s.app"
  producer_byte_rate = "10MiB"
  consumer_byte_rate = "5MiB"
}

consumer_group "reads" {
  group_id = "%[1]s.reads"
  queues   = [queue.moves]
  protocol = "consumer"
  config = {
    "consumer.session.timeout.ms" = "50s"
  }
}

consumer_group "done" {
  group_id = "%[1]s.done"
  queues   = [queue.moves]
  protocol = "classic"
  start    = "earliest"
}
`

const afterKill = `topology %[1]q {}

cluster "sweep" {
  ledger          = %[2]q
  open_by_default = false
}

queue "tuned" {
  topic              = "%[1]s.tuned"
  replication_factor = 3
  config = {
    "retention.ms" = "8d"
  }
}

queue "grows" {
  topic      = "%[1]s.grows"
  partitions = 4
}

queue "moves" {
  topic              = "%[1]s.moves"
  partitions         = 2
  replication_factor = 3
  config = {
    "min.insync.replicas" = 2
  }
}

queue "new" {
  topic      = "%[1]s.new"
  partitions = 3
}

queue "found" {
  topic              = "%[1]s.found"
  partitions         = 1
  replication_factor = 1
  config = {
    "retention.ms" = "9d"
  }
}

user "app" {
  name             = "%[1]s.app"
  mechanisms       = ["SCRAM-SHA-512"]
  password         = env("SWEEP")
  password_version = 2
}

acl "audit" {
  principal = "User:%[1]s.audit"
  resource = {
    topic = "%[1]s.tuned"
  }
  operations = ["read", "write"]
}

quota "app" {
  user               = "%[1]s.app"
  producer_byte_rate = "20MiB"
}

consumer_group "reads" {
  group_id = "%[1]s.reads"
  queues   = [queue.moves]
  protocol = "consumer"
  start    = "earliest"
  config = {
    "consumer.session.timeout.ms" = "55s"
  }
}

consumer_group "work" {
  group_id = "%[1]s.work"
  queues   = [queue.moves]
  protocol = "share"
  start    = "earliest"
}

delete "consumer_group" "%[1]s.done" {}
forget "queue" "%[1]s.released" {}
delete "queue" "%[1]s.goes" {}
delete "queue" "%[1]s.stray" {}
`

// newSweep brings a topology to where the apply begins.
func newSweep(t *testing.T, kafka *brokers.Cluster, name, ledger string) *sweep {
	t.Helper()
	s := &sweep{user: newUser(t, kafka), name: name, ledger: ledger}
	s.env = []string{"SWEEP=secret"}
	s.write("sweep.hcl", fmt.Sprintf(beforeKill, s.name, s.ledger))
	s.run(0, "apply", "--auto-approve")
	s.foreign(s.name + ".found")
	s.foreign(s.name + ".stray")
	produce(s.user, s.name+".moves", 2_000)()
	s.kept = s.alive(s.name + ".released")[s.name+".released"]
	s.write("sweep.hcl", fmt.Sprintf(afterKill, s.name, s.ledger))
	return s
}

// allow are the hazards of the apply.
func (s *sweep) allow() []string {
	return []string{
		"--allow", "QF601:queue.found", "--allow", fmt.Sprintf(`QF601:delete.queue["%s.stray"]`, s.name),
		"--allow", "QF105:user.app", "--allow", "QF402", "--allow", fmt.Sprintf(`QF104:delete.consumer_group["%s.done"]`, s.name),
	}
}

// apply is the command line of the apply.
func (s *sweep) apply() []string { return append([]string{"apply", "--auto-approve"}, s.allow()...) }

// killed kills the apply at its nth answer, and wants the next one to end well. It says whether the
// apply came so far that it was killed.
func (s *sweep) killed(n int, counts func(*proxy.Request) bool) (was bool) {
	s.Helper()
	v := s.strike(n, counts, kills, s.apply()...)
	was = v.wasStruck()
	if code, out := v.end(); !was && code != 0 {
		s.Fatalf("it was not killed, and ends with %d\n%s", code, out)
	}
	s.run(0, "unlock", "--auto-approve")
	s.records(s.ledger).unlocked()
	s.settle("topology " + s.name)
	s.settle("throttle")
	s.converges()
	return was
}

// settle says in the ledger what else only time can tell: that nothing of a
// dead holder is on its way any more. The proxy has seen it all answered.
func (s *sweep) settle(lock string) {
	s.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.servers...), kgo.DefaultProduceTopic(s.ledger))
	if err != nil {
		s.Fatal(err)
	}
	defer client.Close()
	for i, body := range []string{
		fmt.Sprintf(`"claim","body":{"lock":%q,"holder":{"topology":%q,"user":"test"}}`, lock, s.name),
		`"renewal","body":{"settled":true}`, `"release","body":{}`,
	} {
		text := fmt.Sprintf(`{"queueform":1,"claim":"test of %s","seq":%d,"kind":%s}`, lock, i+1, body)
		if err := client.ProduceSync(context.WithoutCancel(s.Context()), kgo.StringRecord(text)).FirstErr(); err != nil {
			s.Fatal(err)
		}
	}
}

// converges applies as the killed apply was told to.
func (s *sweep) converges() {
	s.Helper()
	args := []string{"apply", "--auto-approve"}
	for _, flag := range s.allow() {
		if strings.HasPrefix(flag, "QF") && strings.Contains(s.blocking(), flag) {
			args = append(args, "--allow", flag)
		}
	}
	s.run(0, args...)
	s.converged()
}

// converged wants that all is as if nothing had been.
func (s *sweep) converged() {
	s.Helper()
	s.settled()
	unthrottled(s.user, s.name+".moves")
	r := s.records(s.ledger)
	r.novoid()
	r.oneAtATime()
	r.atRest()
	r.owns(s.name, s.topics("tuned", "grows", "moves", "new", "found")...)
	right := fmt.Sprintf("acl User:%s.audit %%s topic:%s.tuned literal *", s.name, s.name)
	r.holds(s.name, fmt.Sprintf(right, "Read"), fmt.Sprintf(right, "Write"),
		"consumer_group "+s.name+".reads", "consumer_group "+s.name+".work", "quota user:"+s.name+".app", "user "+s.name+".app")
	c := newCluster(s.user)
	c.committed(s.name+".reads", 0, 0)
	c.gone(s.name + ".done")
	got := s.alive(s.name + ".")
	delete(got, s.ledger)
	want := map[string]string{
		"tuned": "1x3", "grows": "4x3", "moves": "2x3", "new": "3x3", "found": "1x1", "released": "1x3",
	}
	for _, topic := range got.Sorted() {
		key := strings.TrimPrefix(topic.Topic, s.name+".")
		if shape := fmt.Sprintf("%dx%d", len(topic.Partitions), topic.Partitions.NumReplicas()); shape != want[key] {
			s.Errorf("%s is %s, want %s", topic.Topic, shape, want[key])
		}
	}
	if len(got) != len(want) {
		s.Errorf("there are %v", got.Names())
	}
	if diff := cmp.Diff(s.kept, got[s.name+".released"]); diff != "" {
		s.Errorf("the released topic has changed: %s", diff)
	}
	if s.Failed() {
		s.Fatal(r)
	}
}

func (s *sweep) topics(labels ...string) []string {
	all := make([]string, len(labels))
	for i, label := range labels {
		all[i] = s.name + "." + label
	}
	return all
}

// blocking is the plan's output where something blocks it.
func (s *sweep) blocking() string {
	s.Helper()
	out, _ := s.command("plan").CombinedOutput()
	return string(out)
}

// TestDeadHolderOfTheThrottle kills an apply while it edits the throttle. Another
// topology that moves replicas meanwhile waits until the lease is over, and both
// leave no throttle behind.
func TestDeadHolderOfTheThrottle(t *testing.T) {
	t.Parallel()
	kafka := brokers.Shared(t, brokers.Newest)
	dead, other := newSweep(t, kafka, "dead", "dead.ledger"), newSweep(t, kafka, "other", "dead.ledger")
	rates := func(r *proxy.Request) bool {
		body, alters := r.Body.(*kmsg.IncrementalAlterConfigsRequest)
		return alters && body.Resources[0].ResourceType == kmsg.ConfigResourceTypeBroker
	}
	dead.strike(1, rates, kills, dead.apply()...).end()
	other.has(other.run(0, other.apply()...), "waiting for the lock of throttle")
	dead.converges()
	other.converged()
}
