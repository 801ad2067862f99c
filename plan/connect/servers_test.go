package connect_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/schema"
)

func at(servers ...string) *schema.Cluster {
	return &schema.Cluster{Name: "test", BootstrapServers: servers}
}

func secured(c *schema.Cluster, security *schema.TLS) *schema.Cluster {
	with := *c
	with.TLS = security
	return &with
}

func loggedIn(c *schema.Cluster, login *schema.SASL) *schema.Cluster {
	with := *c
	with.SASL = login
	return &with
}

func secret(value string) schema.Secret {
	return schema.NewSecret(func() (string, error) { return value, nil })
}

func credentials(url string) *schema.SASL {
	return &schema.SASL{Mechanism: schema.OAuthBearer, TokenURL: url, ClientID: "deployer", ClientSecret: secret("key"), Scope: "kafka"}
}

func open(t *testing.T, c *schema.Cluster, o connect.Options) *connect.Conn {
	t.Helper()
	conn, err := connect.Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask is the first question of a plan.
func ask(t *testing.T, client *kgo.Client) error {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	_, err := req.RequestWith(t.Context(), client)
	return err
}

// failing asks what cannot be answered, and has the failure explained.
func failing(t *testing.T, c *schema.Cluster, o connect.Options) *connect.Error {
	t.Helper()
	conn := open(t, c, o)
	timeout := o.Timeout
	if timeout == 0 {
		timeout = connect.DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	_, err := req.RequestWith(ctx, conn.Client())
	var explained *connect.Error
	if !errors.As(conn.Explain(err), &explained) {
		t.Fatalf("%v is not explained", err)
	}
	return explained
}

func fake(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// brokers are the addresses of one broker.
func brokers(t *testing.T, options ...kfake.Opt) []string {
	t.Helper()
	return fake(t, append(options, kfake.NumBrokers(1))...).ListenAddrs()
}

// advertising is a broker that gives another address for its own.
func advertising(t *testing.T, addr string, options ...kfake.Opt) []string {
	t.Helper()
	cluster := fake(t, append(options, kfake.NumBrokers(1))...)
	cluster.ControlKey(kmsg.Metadata.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.MetadataResponse)
		host, port := hostport(t, addr)
		resp.ControllerID = 1
		resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: host, Port: port}}
		return resp, nil, true
	})
	return cluster.ListenAddrs()
}

// bearing is a broker that accepts any login, and notes the first words of each.
func bearing(t *testing.T, said *[]string, options ...kfake.Opt) []string {
	t.Helper()
	cluster := fake(t, append(options, kfake.NumBrokers(1))...)
	cluster.ControlKey(kmsg.SASLHandshake.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return req.ResponseKind(), nil, true
	})
	cluster.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		login := req.(*kmsg.SASLAuthenticateRequest)
		if said != nil {
			*said = append(*said, string(login.SASLAuthBytes))
		}
		resp := login.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if login.SASLAuthBytes[0] == '{' {
			resp.SASLAuthBytes = []byte("{}") // AWS answers with a document
		}
		return resp, nil, true
	})
	return cluster.ListenAddrs()
}

// tokens is a token URL, and counts in issued.
func tokens(t *testing.T, issued *atomic.Int32) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, key, _ := r.BasicAuth(); id != "deployer" || key != "key" || r.FormValue("scope") != "kafka" {
			t.Errorf("asked with %q, %q, %q", id, key, r.FormValue("scope"))
		}
		if issued != nil {
			issued.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token": "fresh", "token_type": "bearer", "expires_in": 5}`) // about to expire: of no use for the next login
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// saslFailing is a broker that answers a request of the login with an error.
func saslFailing(t *testing.T, key kmsg.Key, code *kerr.Error) []string {
	t.Helper()
	cluster := fake(t, kfake.NumBrokers(1))
	cluster.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		switch resp := req.ResponseKind().(type) {
		case *kmsg.SASLHandshakeResponse:
			resp.ErrorCode = code.Code
			return resp, nil, true
		case *kmsg.SASLAuthenticateResponse:
			resp.ErrorCode, resp.ErrorMessage = code.Code, new("Authentication failed: Invalid username or password")
			return resp, nil, true
		}
		return nil, nil, false
	})
	return cluster.ListenAddrs()
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serving answers each connection by hand, and closes it.
func serving(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				answer(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// forward passes a connection on.
func forward(conn net.Conn, addr string) {
	to, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(to, conn) }()
	_, _ = io.Copy(conn, to)
}

func hostport(t *testing.T, addr string) (string, int32) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return host, int32(number)
}

// scissors cut the connection instead of the next answer.
type scissors struct{ next atomic.Bool }

func (s *scissors) listen(network, addr string) (net.Listener, error) {
	l, err := net.Listen(network, addr)
	return &cutListener{l, s}, err
}

type cutListener struct {
	net.Listener
	*scissors
}

func (l *cutListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &cutConn{conn.(*net.TCPConn), l.scissors}, nil
}

type cutConn struct {
	*net.TCPConn
	*scissors
}

func (c *cutConn) Write(b []byte) (int, error) {
	if !c.next.CompareAndSwap(true, false) {
		return c.TCPConn.Write(b)
	}
	_ = c.SetLinger(0) // a reset: the client may take an orderly end for a refusal
	_ = c.Close()
	return 0, io.ErrClosedPipe
}
