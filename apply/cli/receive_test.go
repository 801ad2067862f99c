package cli_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/apply/cli"
)

// interrupting stops what writes to it, and then takes no more than it is to.
type interrupting struct {
	bytes.Buffer
	stop context.CancelFunc
	full error
}

func (i *interrupting) Write(p []byte) (int, error) {
	if i.Len() > 0 && i.full != nil {
		return 0, i.full
	}
	i.stop()
	return i.Buffer.Write(p)
}

// Who follows ends it, which is no error; that what was received by then cannot
// be written is one.
func TestReceiveInterrupted(t *testing.T) {
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	large := bytes.Repeat([]byte("x"), 40<<10) // two are more than wait to be written
	for range 3 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "orders", Value: large}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	const files = "topology \"shop\" {}\nqueue \"orders\" {}\nconsumer_group \"billing\" {\n  queues   = [queue.orders]\n  protocol = \"classic\"\n  start    = \"earliest\"\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "shop.hcl"), []byte(files), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		full error
		code int
		talk string
	}{
		{errors.New("no space left"), 1, "received 0 messages, 0 B\nerror: no space left\n"},
		{nil, 0, "received 2 messages, 80 KiB\n"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		out := &interrupting{stop: stop, full: test.full}
		var talk strings.Builder
		s := cli.Streams{Out: out, Err: &talk, Width: 80, Env: func(string) (string, bool) { return "", false }}
		code := cli.Main(ctx, s, []string{"receive", "billing", "--follow", "-C", dir, "--bootstrap-servers", strings.Join(kafka.ListenAddrs(), ",")})
		if code != test.code || talk.String() != test.talk {
			t.Errorf("full: %v: exit code %d\n%s", test.full, code, &talk)
		}
	}
}
