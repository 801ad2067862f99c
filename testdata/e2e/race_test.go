package e2e_test

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/testdata/e2e/brokers"
)

const (
	quickRounds = 50 // on the embedded cluster
	realRounds  = 3
)

// embedded is a user of an embedded cluster, and how often each topic of it was
// asked for.
func embedded(t *testing.T) (u *user, asked func(topic string) int) {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(3))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	var mu sync.Mutex
	count := map[string]int{}
	kafka.ControlKey(int16(kmsg.CreateTopics), func(r kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		if req := r.(*kmsg.CreateTopicsRequest); !req.ValidateOnly {
			for i := range req.Topics {
				count[req.Topics[i].Topic]++
			}
		}
		return nil, nil, false
	})
	return &user{T: t, servers: kafka.ListenAddrs(), dir: t.TempDir()}, func(topic string) int {
		mu.Lock()
		defer mu.Unlock()
		return count[topic]
	}
}

// ending is how one of several processes ended.
type ending struct {
	pid, code int
	out       string
}

// atOnce runs n processes of queueform at once.
func (u *user) atOnce(n int, command func(i int) *exec.Cmd) []ending {
	u.Helper()
	all := make([]ending, n)
	var group sync.WaitGroup
	for i := range all {
		c := command(i)
		group.Go(func() {
			out, err := c.CombinedOutput()
			exit, failed := errors.AsType[*exec.ExitError](err)
			if err != nil && !failed {
				u.Error(err)
				return
			}
			all[i] = ending{c.Process.Pid, exitCode(exit), string(out)}
		})
	}
	group.Wait()
	return all
}

// Eight applies of one topology at once, each of another version of it: one
// works at a time, and what is there at the end is of the last that worked.
func TestRaceOfOneTopology(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		for round := range quickRounds {
			u, asked := embedded(t)
			raceOfOne(u, fmt.Sprint("race", round))
			for _, topic := range raced(fmt.Sprint("race", round)) {
				if n := asked(topic); n != 1 {
					t.Errorf("%s was asked for %d times", topic, n)
				}
			}
		}
	})
	t.Run("kafka", func(t *testing.T) {
		for round := range realRounds {
			raceOfOne(newUser(t, brokers.Shared(t, brokers.Newest)), fmt.Sprint("race", round))
		}
	})
}

// raced are the topics of a race.
func raced(topology string) []string {
	all := make([]string, 5)
	for i := range all {
		all[i] = fmt.Sprintf("%s.%d", topology, i)
	}
	return all
}

func raceOfOne(u *user, topology string) {
	u.Helper()
	ledger := topology + ".ledger"
	u.write("race.hcl", fmt.Sprintf(`topology %[1]q {}

cluster "race" {
  ledger = %[2]q
}

variable "days" {
  type = number
}

queue "q" {
  for_each           = toset([for n in range(5) : tostring(n)])
  topic              = "%[1]s.${each.key}"
  partitions         = 2
  replication_factor = 3
  config = {
    "segment.ms" = "${var.days}d"
  }
}
`, topology, ledger))
	endings := u.atOnce(8, func(i int) *exec.Cmd {
		args := []string{"apply", "--auto-approve", "--var", fmt.Sprintf("days=%d", i+1)}
		if i%2 == 0 {
			args = append(args, "--lock-timeout", "5m")
		}
		return u.command(args...)
	})
	won := map[int]int{} // which it was, by process
	for i, e := range endings {
		switch {
		case e.code == 0:
			won[e.pid] = i
		case e.code != 5 || i%2 == 0:
			u.Errorf("%s: exit code %d\n%s", topology, e.code, e.out)
		default:
			u.has(e.out, topology+" is locked by ", "(process ")
		}
	}
	r := u.records(ledger)
	r.novoid()
	r.oneAtATime()
	r.atRest()
	r.owns(topology, raced(topology)...)
	workers := r.workers(topology)
	if len(workers) != len(won) {
		u.Errorf("%s: %d have worked, %d have ended well", topology, len(workers), len(won))
	}
	for _, c := range workers {
		if _, ok := won[c.pid]; !ok || c.outcome() != "done" {
			u.Errorf("%s: process %d ended its apply as %q", topology, c.pid, c.outcome())
		}
	}
	u.retains(raced(topology), "segment.ms", fmt.Sprint(int64(won[workers[len(workers)-1].pid]+1)*24*60*60*1000))
	if u.Failed() {
		u.Fatal(r)
	}
}

// retains wants a config of topics.
func (u *user) retains(topics []string, key, want string) {
	u.Helper()
	all, err := kadm.NewClient(u.client()).DescribeTopicConfigs(u.Context(), topics...)
	if err != nil {
		u.Fatal(err)
	}
	for _, resource := range all {
		for _, c := range resource.Configs {
			if c.Key == key && c.MaybeValue() != want {
				u.Errorf("%s: %s = %s, want %s", resource.Name, key, c.MaybeValue(), want)
			}
		}
	}
}

// Four topologies that name the same topics, at once: each topic has one
// owner, and the others are told its name.
func TestRaceOfFourTopologies(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		for round := range quickRounds {
			u, asked := embedded(t)
			raceOfFour(u, fmt.Sprint("four", round))
			if n := asked(fmt.Sprint("four", round, ".all")); n != 1 {
				t.Errorf("it was asked for %d times", n)
			}
		}
	})
	t.Run("kafka", func(t *testing.T) {
		for round := range realRounds {
			raceOfFour(newUser(t, brokers.Shared(t, brokers.Newest)), fmt.Sprint("four", round))
		}
	})
}

// raceOfFour has a topic that all four name, and four that two of them name.
func raceOfFour(u *user, prefix string) {
	u.Helper()
	const four = 4
	ledger := prefix + ".ledger"
	users := make([]*user, four)
	for i := range users {
		other := *u
		other.dir = u.TempDir()
		users[i] = &other
		other.write("race.hcl", fmt.Sprintf(`topology "%[1]s-%[2]d" {}

cluster "race" {
  ledger = %[4]q
}

queue "all" {
  topic = "%[1]s.all"
}

queue "left" {
  topic = "%[1]s.%[2]d"
}

queue "right" {
  topic = "%[1]s.%[3]d"
}
`, prefix, i, (i+1)%four, ledger))
	}
	endings := u.atOnce(four, func(i int) *exec.Cmd { return users[i].command("apply", "--auto-approve") })
	r := u.records(ledger)
	r.novoid()
	r.oneAtATime()
	r.atRest()
	owner := r.owners[prefix+".all"].topology
	for i, e := range endings {
		topology := fmt.Sprintf("%s-%d", prefix, i)
		mine := []string{prefix + ".all", fmt.Sprintf("%s.%d", prefix, i), fmt.Sprintf("%s.%d", prefix, (i+1)%four)}
		has := slices.DeleteFunc(slices.Clone(mine), func(topic string) bool { return r.owners[topic].topology != topology })
		r.owns(topology, has...)
		if topology == owner {
			if e.code != 0 || len(has) != len(mine) {
				u.Errorf("%s has %v, exit code %d\n%s", topology, has, e.code, e.out)
			}
			continue
		}
		if said := fmt.Sprintf("topology %q", owner); e.code != 1 || !strings.Contains(e.out, said) {
			u.Errorf("%s: exit code %d, does it say %s?\n%s", topology, e.code, said, e.out)
		}
	}
	for topic := range u.alive(prefix + ".") {
		if _, owned := r.owners[topic]; !owned && topic != ledger {
			u.Errorf("%s was made, and nobody has it", topic)
		}
	}
	if u.Failed() {
		u.Fatal(r)
	}
}

// alive are the topics whose names begin so.
func (u *user) alive(prefix string) kadm.TopicDetails {
	u.Helper()
	all, err := kadm.NewClient(u.client()).ListTopics(u.Context())
	if err != nil {
		u.Fatal(err)
	}
	all.FilterInternal()
	for name := range all {
		if !strings.HasPrefix(name, prefix) {
			delete(all, name)
		}
	}
	return all
}
