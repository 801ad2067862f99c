package connect_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/schema"
)

const password = "correct horse battery staple"

// TestRequests counts what a connection costs: nothing to open, and two
// requests for the first question.
func TestRequests(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(3))
	var keys []kmsg.Key
	cluster.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		keys = append(keys, kmsg.Key(req.Key()))
		return nil, nil, false
	})
	conn := open(t, at(cluster.ListenAddrs()...), connect.Options{})
	if err := ask(t, conn.Client()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]kmsg.Key{kmsg.ApiVersions, kmsg.Metadata}, keys); diff != "" {
		t.Error(diff)
	}
}

func TestLogin(t *testing.T) {
	ca := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}}
	mutual := config.Clone()
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool()
	trust := &schema.TLS{CAFile: ca.file(t)}
	known := &schema.TLS{CAFile: trust.CAFile}
	known.CertFile, known.KeyFile = files(t, ca.issue(t, nil))
	user := func(m schema.Mechanism) *schema.SASL {
		return &schema.SASL{Mechanism: m, Username: "deployer", Password: secret(password)}
	}
	with := func(m schema.Mechanism, options ...kfake.Opt) *schema.Cluster {
		return at(brokers(t, append(options, kfake.EnableSASL(), kfake.Superuser(string(m), "deployer", password))...)...)
	}
	for name, c := range map[string]*schema.Cluster{
		"plaintext":       at(brokers(t)...),
		"TLS":             secured(at(brokers(t, kfake.TLS(config))...), trust),
		"mutual TLS":      secured(at(brokers(t, kfake.TLS(mutual))...), known),
		"PLAIN":           loggedIn(with(schema.Plain), user(schema.Plain)),
		"SCRAM-SHA-256":   loggedIn(with(schema.ScramSHA256), user(schema.ScramSHA256)),
		"SCRAM-SHA-512":   loggedIn(with(schema.ScramSHA512), user(schema.ScramSHA512)),
		"SCRAM over TLS":  loggedIn(secured(with(schema.ScramSHA512, kfake.TLS(config)), trust), user(schema.ScramSHA512)),
		"one server down": at(append([]string{refusing(t)}, brokers(t)...)...),
	} {
		t.Run(name, func(t *testing.T) {
			conn := open(t, c, connect.Options{Timeout: 5 * time.Second})
			if err := ask(t, conn.Client()); err != nil {
				t.Error(conn.Explain(err))
			}
		})
	}
}

// TestHanging asks a broker that accepts connections and never answers: that is
// found out before the patience with a request ends.
func TestHanging(t *testing.T) {
	ca := newAuthority(t)
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}}
	mute := serving(t, func(net.Conn) { <-t.Context().Done() })
	for name, c := range map[string]*schema.Cluster{
		"plaintext": at(advertising(t, mute)...),
		"TLS":       secured(at(advertising(t, mute, kfake.TLS(config))...), &schema.TLS{CAFile: ca.file(t)}),
	} {
		t.Run(name, func(t *testing.T) {
			const patience = time.Second
			conn := open(t, c, connect.Options{Timeout: 3 * patience})
			if err := ask(t, conn.Client()); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err := conn.Client().Broker(1).Request(t.Context(), kmsg.NewPtrMetadataRequest())
			if took := time.Since(began); err == nil || took > patience {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
}

// What became of a broker can be asked, though the client is not to know.
func TestRefusing(t *testing.T) {
	conn := open(t, at(advertising(t, refusing(t))...), connect.Options{})
	if err := ask(t, conn.Client()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Client().Broker(1).Request(t.Context(), kmsg.NewPtrMetadataRequest()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Error(err)
	}
}

// TestHangingAlone asks the only server there is until the timeout.
func TestHangingAlone(t *testing.T) {
	var tries atomic.Int32
	conn := open(t, at(serving(t, func(net.Conn) {
		tries.Add(1)
		<-t.Context().Done()
	})), connect.Options{Timeout: 3 * time.Second})
	if err := ask(t, conn.Client()); err == nil || tries.Load() < 4 {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}

// TestSlowBootstrap asks several things at once of servers of which some are
// down, and the others say nothing to the first who come.
func TestSlowBootstrap(t *testing.T) {
	broker := brokers(t)[0]
	slow := func(mute int32) string {
		var came atomic.Int32
		return serving(t, func(conn net.Conn) {
			if came.Add(1) <= mute {
				<-t.Context().Done()
				return
			}
			forward(conn, broker)
		})
	}
	conn := open(t, at(refusing(t), slow(3), refusing(t), slow(3)), connect.Options{Timeout: 6 * time.Second})
	var asking errgroup.Group
	for range 8 {
		asking.Go(func() error { return ask(t, conn.Client()) })
	}
	if err := asking.Wait(); err != nil {
		t.Error(conn.Explain(err))
	}
}

func TestBearer(t *testing.T) {
	var issued atomic.Int32
	url := tokens(t, &issued)
	for name, test := range map[string]struct {
		sasl *schema.SASL
		want string
		asks int32
	}{
		"token":       {&schema.SASL{Mechanism: schema.OAuthBearer, Token: secret("given")}, "n,,\x01auth=Bearer given\x01\x01", 0},
		"credentials": {credentials(url), "n,,\x01auth=Bearer fresh\x01\x01", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var said []string
			conn := open(t, loggedIn(at(bearing(t, &said)...), test.sasl), connect.Options{})
			if err := ask(t, conn.Client()); err != nil {
				t.Fatal(conn.Explain(err))
			}
			if diff := cmp.Diff([]string{test.want}, said); diff != "" {
				t.Error(diff)
			}
			if got := issued.Swap(0); got != test.asks {
				t.Errorf("%d tokens were issued, want %d", got, test.asks)
			}
		})
	}
}

func TestAWS(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", password)
	t.Setenv("AWS_REGION", "eu-central-1")
	ca := newAuthority(t)
	var said []string
	servers := bearing(t, &said, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}}))
	conn := open(t, loggedIn(secured(at(servers...), &schema.TLS{CAFile: ca.file(t)}), &schema.SASL{Mechanism: schema.AWSMSKIAM}), connect.Options{Version: "1.2.3"})
	if err := ask(t, conn.Client()); err != nil {
		t.Fatal(conn.Explain(err))
	}
	var claim map[string]string
	if err := json.Unmarshal([]byte(said[0]), &claim); err != nil {
		t.Fatal(err)
	}
	if got := claim["x-amz-credential"]; !strings.HasPrefix(got, "AKID/") || !strings.HasSuffix(got, "/eu-central-1/kafka-cluster/aws4_request") {
		t.Errorf("credential %q", got)
	}
	if got := claim["user-agent"]; got != "queueform/1.2.3" {
		t.Errorf("user agent %q", got)
	}
}

// TestBrokerSendsOnce cuts the connection after each kind of write was carried
// out: one broker must not be sent it again, as the cluster is.
func TestBrokerSendsOnce(t *testing.T) {
	one := func(c *connect.Conn) kmsg.Requestor { return c.Client().Broker(0) }
	all := func(c *connect.Conn) kmsg.Requestor { return c.Client() }
	for name, write := range writes() {
		t.Run(name, func(t *testing.T) {
			if sent, err := cutOnce(t, write(), one); err == nil || sent != 1 {
				t.Errorf("a broker was sent it %d times: %v", sent, err)
			}
			if sent, _ := cutOnce(t, write(), all); sent != 2 {
				t.Errorf("the cluster was sent it %d times: this test does not cut what is sent again", sent)
			}
		})
	}
}

// cutOnce sends a write whose first answer is lost, and counts how often it was sent.
func cutOnce(t *testing.T, write kmsg.Request, by func(*connect.Conn) kmsg.Requestor) (int32, error) {
	t.Helper()
	cut := &scissors{}
	cluster := fake(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "present"), kfake.ListenFn(cut.listen))
	var sent atomic.Int32
	cluster.ControlKey(write.Key(), func(kmsg.Request) (kmsg.Response, error, bool) {
		cut.next.Store(sent.Add(1) == 1)
		return nil, nil, false
	})
	conn := open(t, at(cluster.ListenAddrs()...), connect.Options{})
	_, err := by(conn).Request(t.Context(), write)
	return sent.Load(), err
}

func writes() map[string]func() kmsg.Request {
	return map[string]func() kmsg.Request{
		"CreateTopics": func() kmsg.Request {
			req := kmsg.NewPtrCreateTopicsRequest()
			req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: "new", NumPartitions: 1, ReplicationFactor: 1}}
			return req
		},
		"DeleteTopics": func() kmsg.Request {
			req := kmsg.NewPtrDeleteTopicsRequest()
			req.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: new("present")}}
			return req
		},
		"CreatePartitions": func() kmsg.Request {
			req := kmsg.NewPtrCreatePartitionsRequest()
			req.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: "present", Count: 2}}
			return req
		},
		"IncrementalAlterConfigs": func() kmsg.Request {
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "present"}}
			return req
		},
		"AlterPartitionAssignments": func() kmsg.Request {
			req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
			req.Topics = []kmsg.AlterPartitionAssignmentsRequestTopic{{Topic: "present"}}
			return req
		},
	}
}

// TestExplainAdvertised bootstraps from a broker that advertises addresses
// which lead nowhere.
func TestExplainAdvertised(t *testing.T) {
	nowhere := refusing(t)
	conn := open(t, at(advertising(t, nowhere)...), connect.Options{})
	if err := ask(t, conn.Client()); err != nil {
		t.Fatal(err)
	}
	_, err := kmsg.NewPtrListPartitionReassignmentsRequest().RequestWith(t.Context(), conn.Client())
	var got *connect.Error
	if !errors.As(conn.Explain(err), &got) {
		t.Fatalf("%v is not explained", err)
	}
	if want := "The brokers cannot be reached at the addresses they advertise: " + nowhere + " refuses connections"; got.Summary != want {
		t.Errorf("summary %q\n   want %q", got.Summary, want)
	}
}

// TestExplainCutLater cuts a connection after something was answered: what
// would look like missing SASL or TLS at the start is a cut and nothing else.
func TestExplainCutLater(t *testing.T) {
	cluster := fake(t, kfake.NumBrokers(1))
	conn := open(t, at(cluster.ListenAddrs()...), connect.Options{})
	if err := ask(t, conn.Client()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []kmsg.Key{kmsg.ListPartitionReassignments, kmsg.ApiVersions} {
		cluster.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			return nil, io.ErrClosedPipe, true // closes the connection
		})
		_, err := kmsg.NewPtrListPartitionReassignmentsRequest().RequestWith(t.Context(), conn.Client())
		var got *connect.Error
		if !errors.As(conn.Explain(err), &got) {
			t.Fatalf("%v is not explained", err)
		}
		if want := "Broker 0 at " + cluster.ListenAddrs()[0] + " closed the connection"; got.Summary != want {
			t.Errorf("%v: summary %q\n   want %q", key, got.Summary, want)
		}
	}
}

// TestExplainOther leaves alone what is not the connection's.
func TestExplainOther(t *testing.T) {
	conn := open(t, at(refusing(t)), connect.Options{})
	_ = ask(t, conn.Client())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := &fs.PathError{Op: "write", Path: "out", Err: syscall.ENOSPC}
	for _, err := range []error{nil, kerr.TopicAuthorizationFailed, context.Cause(ctx), full} {
		if got := conn.Explain(err); !errors.Is(got, err) || got != nil && got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestGuard(t *testing.T) {
	c := at("127.0.0.1:9092")
	if err := open(t, c, connect.Options{}).Guard("any"); err != nil {
		t.Error(err)
	}
	c.ID = "this"
	conn := open(t, c, connect.Options{})
	if err := conn.Guard("this"); err != nil {
		t.Error(err)
	}
	var got *connect.Error
	if !errors.As(conn.Guard("that"), &got) || got.Attr != "cluster_id" || got.Summary != `This is cluster "that", not "this"` {
		t.Errorf("got %+v", got)
	}
}
