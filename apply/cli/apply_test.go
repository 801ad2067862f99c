package cli_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply/cli"
)

// A person at a terminal is asked, and only yes is taken.
func TestApplyAsks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "q.hcl"), []byte("topology \"q\" {}\n\nqueue \"a\" {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		answer string
		code   int
		says   string
	}{
		{"no\n", 1, "not confirmed: nothing was applied"},
		{"", 1, "not confirmed"},
		{"yes\n", 0, "Applied: 1 done."},
		{"", 0, ""}, // nothing to do is nothing to ask
	} {
		var out, talk bytes.Buffer
		s := cli.Streams{
			In: strings.NewReader(test.answer), Out: &out, Err: &talk, Terminal: true, Width: 80,
			Env: func(string) (string, bool) { return "", false },
		}
		code := cli.Main(context.Background(), s, []string{"apply", "-C", dir, "--cluster", "embedded"})
		if code != test.code || !strings.Contains(talk.String(), test.says) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", test.answer, code, test.code, test.says, &out, &talk)
		}
	}
}

// An apply whose last look could not see all that is declared does not say that
// the cluster is as declared.
func TestApplyThatCannotSeeAllAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	files := "topology \"q\" {}\n\nqueue \"a\" {}\n\nqueue \"b\" {}\n"
	if err := os.WriteFile(filepath.Join(dir, "q.hcl"), []byte(files), 0o644); err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.SeedTopics(1, "b"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	var created atomic.Bool
	cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		create := req.(*kmsg.CreateTopicsRequest)
		created.Store(create.Topics[0].Topic == "a" && !create.ValidateOnly)
		return nil, nil, false
	})
	cluster.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.DescribeConfigs}, Resource: "b", Err: kerr.TopicAuthorizationFailed, Count: -1,
		When: func(kmsg.Request) bool { return created.Load() },
	})
	var out, talk bytes.Buffer
	s := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &talk, Width: 80, Env: func(string) (string, bool) { return "", false }}
	code := cli.Main(t.Context(), s, []string{"apply", "-C", dir, "--auto-approve", "--bootstrap-servers", strings.Join(cluster.ListenAddrs(), ",")})
	if code != 1 || !strings.Contains(talk.String(), "Applied: 1 done.") || !strings.Contains(talk.String(), "DescribeConfigs on Topic b") {
		t.Errorf("exit code %d\n%s%s", code, &out, &talk)
	}
}

// answers are a person's lines, each read after something has happened.
type answers []func() string

func (a *answers) Read(p []byte) (int, error) {
	if len(*a) == 0 {
		return 0, io.EOF
	}
	line := (*a)[0]()
	*a = (*a)[1:]
	return copy(p, line), nil
}

// Yes is said to what was shown: when that holds no longer, the plan is shown
// and asked for again.
func TestApplyAsksAgain(t *testing.T) {
	dir := t.TempDir()
	files := "topology \"q\" {}\n\nqueue \"a\" {\n  config = {\n    \"retention.ms\" = \"1d\"\n  }\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "q.hcl"), []byte(files), 0o644); err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.SeedTopics(1, "a"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	yes := func() string { return "yes\n" }
	meanwhile := func() string {
		if err := do(t.Context(), client, "set", "a", []string{"retention.ms", "3600000"}); err != nil {
			t.Error(err)
		}
		return yes()
	}
	var out, talk bytes.Buffer
	s := cli.Streams{
		In: &answers{meanwhile, yes}, Out: &out, Err: &talk, Terminal: true, Width: 80,
		Env: func(string) (string, bool) { return "", false },
	}
	code := cli.Main(t.Context(), s, []string{"apply", "-C", dir, "--allow", "QF601:queue.a", "--bootstrap-servers", strings.Join(cluster.ListenAddrs(), ",")})
	if asked := strings.Count(talk.String(), "Apply this?"); code != 0 || asked != 2 || !strings.Contains(talk.String(), "changed meanwhile") || !strings.Contains(out.String(), "1h -> 1d") {
		t.Errorf("exit code %d, asked %d times\n%s%s", code, asked, &out, &talk)
	}
}
