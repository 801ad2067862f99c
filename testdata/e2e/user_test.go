// Package e2e_test uses queueform as its users do: the built binary, real
// Kafka, and Kafka's own tools to see what came of it.
package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queueform/queueform/testdata/e2e/brokers"
	"github.com/queueform/queueform/testdata/e2e/proxy"
)

func TestMain(m *testing.M) { brokers.Main(m) }

// binary builds queueform once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "queueform-binary-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "queueform")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
})

// user works on one topology, with one cluster.
type user struct {
	*testing.T
	kafka   *brokers.Cluster // nil: the cluster is an embedded one
	servers []string         // the brokers
	via     []string         // where queueform finds them; nil: at the brokers
	dir     string
	env     []string
}

func newUser(t *testing.T, c *brokers.Cluster) *user {
	t.Helper()
	return &user{T: t, kafka: c, servers: c.Bootstrap(), dir: t.TempDir()}
}

// through is the same user behind a proxy, which ends with the test.
func (u *user) through(rules proxy.Rules) (*user, *proxy.Proxy) {
	u.Helper()
	p, err := proxy.Start(u.servers, rules)
	if err != nil {
		u.Fatal(err)
	}
	u.Cleanup(p.Close)
	behind := *u
	behind.via = p.Bootstrap()
	return &behind, p
}

// write makes a file of the topology.
func (u *user) write(name, text string) {
	u.Helper()
	if err := os.WriteFile(filepath.Join(u.dir, name), []byte(text), 0o644); err != nil {
		u.Fatal(err)
	}
}

// replace edits a file of the topology.
func (u *user) replace(name, old, replacement string) {
	u.Helper()
	text, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		u.Fatal(err)
	}
	if !bytes.Contains(text, []byte(old)) {
		u.Fatalf("%s has no %q", name, old)
	}
	u.write(name, strings.ReplaceAll(string(text), old, replacement))
}

func (u *user) command(args ...string) *exec.Cmd {
	u.Helper()
	path, err := binary()
	if err != nil {
		u.Fatal(err)
	}
	command := exec.CommandContext(u.Context(), path, args...)
	command.Dir = u.dir
	servers := u.via
	if servers == nil {
		servers = u.servers
	}
	command.Env = append(os.Environ(), "QUEUEFORM_BOOTSTRAP_SERVERS="+strings.Join(servers, ","))
	command.Env = append(command.Env, u.env...)
	return command
}

// run runs queueform, wants that exit code, and returns all that was printed.
func (u *user) run(code int, args ...string) string {
	u.Helper()
	began := time.Now()
	out, err := u.command(args...).CombinedOutput()
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		u.Fatal(err)
	} else if got := exitCode(exit); got != code {
		u.Fatalf("queueform %s: exit code %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	u.Logf("queueform %s (%v)\n%s", strings.Join(args, " "), time.Since(began).Round(time.Millisecond), out)
	return string(out)
}

func exitCode(err *exec.ExitError) int {
	if err == nil {
		return 0
	}
	return err.ExitCode()
}

// settled wants a plan without changes.
func (u *user) settled() {
	u.Helper()
	u.run(0, "plan", "--detailed-exitcode")
}

// has fails where text lacks one of the parts.
func (u *user) has(text string, parts ...string) {
	u.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			u.Errorf("it does not say %q:\n%s", part, text)
		}
	}
}

// await polls until something holds.
func (u *user) await(what string, holds func() bool) {
	u.Helper()
	deadline := time.After(90 * time.Second)
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			u.Fatalf("not within 90 s: %s", what)
		}
	}
}

// tool runs one of Kafka's own tools.
func (u *user) tool(class string, args ...string) string {
	u.Helper()
	out, err := u.kafka.Tool(context.WithoutCancel(u.Context()), class, args...)
	if err != nil {
		u.Fatal(err)
	}
	return out
}

// topic is what Kafka's own tool shows of a topic.
type topic struct {
	Partitions int
	Factor     int
	Configs    map[string]string
	Replicas   [][]int
}

var (
	topicLine     = regexp.MustCompile(`PartitionCount: (\d+)\tReplicationFactor: (\d+)\tConfigs: (.*)`)
	partitionLine = regexp.MustCompile(`\tPartition: \d+\t.*\tReplicas: ([0-9,]+)`)
)

// topics asks Kafka's own tool for topics whose names match a regular expression.
func (u *user) topics(pattern string) map[string]topic {
	u.Helper()
	out := u.tool("TopicCommand", "--describe", "--topic", pattern)
	all := map[string]topic{}
	var name string
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		name = strings.TrimPrefix(fields[0], "Topic: ")
		t := all[name]
		if match := topicLine.FindStringSubmatch(line); match != nil {
			t.Partitions, t.Factor, t.Configs = number(match[1]), number(match[2]), configs(match[3])
		} else if match := partitionLine.FindStringSubmatch(line); match != nil {
			t.Replicas = append(t.Replicas, numbers(match[1]))
		}
		all[name] = t
	}
	return all
}

// configs reads "a=1,cleanup.policy=compact,delete": a part without = goes on with the value before it.
func configs(text string) map[string]string {
	all := map[string]string{}
	last := ""
	for part := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		if key, value, ok := strings.Cut(part, "="); ok {
			all[key], last = value, key
		} else if last != "" {
			all[last] += "," + part
		}
	}
	return all
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err) // the expression matched digits
	}
	return n
}

func numbers(text string) []int {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		all = append(all, number(part))
	}
	return all
}

func sorted(list []int) []int { return slices.Sorted(slices.Values(list)) }
