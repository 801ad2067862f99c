package cli_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/apply/cli"
	"github.com/queueform/queueform/apply/devcluster"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"queueform": func() {
			streams := cli.System()
			streams.Out, streams.Err = anonymous{streams.Out}, anonymous{streams.Err}
			os.Exit(cli.Main(context.Background(), streams, os.Args[1:]))
		},
	})
}

// anonymous hides what differs from run to run: the id of a cluster.
type anonymous struct{ io.Writer }

var clusterID = regexp.MustCompile(`([( "])[A-Za-z0-9_-]{21}[AQgw]([)", ])`)

func (a anonymous) Write(p []byte) (int, error) {
	_, err := a.Writer.Write(clusterID.ReplaceAll(p, []byte("${1}CLUSTER-ID$2")))
	return len(p), err
}

// TestScript runs the behaviour scripts: each a page of files, commands and
// what they print. UPDATE=1 rewrites what they print.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: false,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"kafka": kafka,
			"code":  code,
			"edit":  edit,
		},
	})
}

// code runs a command and compares its exit code: code 3 queueform plan.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// edit replaces text in a file, which must be there: edit FILE OLD NEW.
func edit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o644))
}

// kafka does to the embedded cluster of a directory what somebody else would:
//
//	kafka DIR create TOPIC PARTITIONS
//	kafka DIR set TOPIC KEY VALUE
//	kafka DIR delete TOPIC
//	kafka DIR send TOPIC COUNT [AGE]
//	kafka DIR put TOPIC VALUE
//	kafka DIR commit TOPIC GROUP OFFSET
//	kafka DIR share TOPIC GROUP OFFSET
//	kafka DIR trim TOPIC OFFSET
func kafka(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: kafka DIR VERB TOPIC...")
	}
	embedded, err := devcluster.Start(filepath.Join(ts.MkAbs(args[0]), ".queueform"))
	ts.Check(err)
	defer func() { ts.Check(embedded.Close()) }()
	client, err := kgo.NewClient(kgo.SeedBrokers(embedded.Bootstrap()...))
	ts.Check(err)
	defer client.Close()
	ts.Check(do(context.Background(), client, args[1], args[2], args[3:]))
}

func do(ctx context.Context, client *kgo.Client, verb, topic string, args []string) error {
	admin := kadm.NewClient(client)
	switch verb {
	case "create":
		partitions, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		created, err := admin.CreateTopic(ctx, int32(partitions), 1, nil, topic)
		if err != nil {
			return err
		}
		return created.Err
	case "set":
		altered, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: args[0], Value: &args[1]}}, topic)
		if err != nil {
			return err
		}
		return altered[0].Err
	case "delete":
		deleted, err := admin.DeleteTopic(ctx, topic)
		if err != nil {
			return err
		}
		return deleted.Err
	case "send":
		count, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		sent := time.Now()
		if len(args) > 1 {
			age, err := time.ParseDuration(args[1])
			if err != nil {
				return err
			}
			sent = sent.Add(-age)
		}
		var all []*kgo.Record
		for i := range count {
			all = append(all, &kgo.Record{Topic: topic, Value: []byte(strconv.Itoa(i)), Timestamp: sent})
		}
		return client.ProduceSync(ctx, all...).FirstErr()
	case "put":
		return client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(args[0])}).FirstErr()
	case "commit", "share", "trim":
		offset, err := strconv.ParseInt(args[len(args)-1], 10, 64)
		if err != nil {
			return err
		}
		return place(ctx, admin, verb, topic, args[0], offset)
	}
	panic("no verb " + verb)
}

// place sets where a group is in a topic, or where the topic begins.
func place(ctx context.Context, admin *kadm.Client, verb, topic, group string, offset int64) error {
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, offset, -1)
	var err error
	switch verb {
	case "commit":
		err = admin.CommitAllOffsets(ctx, group, offsets)
	case "share":
		_, err = admin.AlterShareGroupOffsets(ctx, group, offsets)
	case "trim":
		_, err = admin.DeleteRecords(ctx, offsets)
	}
	return err
}
