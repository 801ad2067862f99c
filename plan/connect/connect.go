// Package connect opens a Kafka client from a cluster block: addresses, TLS,
// SASL, and what to say when it does not work.
//
// Learn [Open], [Conn] and [Error]. What is asked of the cluster is for the
// callers; nothing here sends a request of its own accord.
package connect

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kslog"

	"github.com/queueform/queueform/schema"
)

// DefaultTimeout is how long a cluster may take to answer unless [Options] say otherwise.
const DefaultTimeout = 30 * time.Second

// Options are what the command line and the environment add to a cluster block.
type Options struct {
	BootstrapServers []string                    // host:port; not nil: the block's and the environment's are not used
	Env              func(string) (string, bool) // looks up [Overrides]; nil: there are none
	Clusters         []string                    // the names of the blocks to choose from, for who chose none
	User             *schema.User                // logs in, on a cluster where somebody has to; nil: who the block or the environment names
	Timeout          time.Duration               // how long the cluster may take to answer; 0: DefaultTimeout
	Version          string                      // of queueform, for the brokers' logs
	Logger           *slog.Logger                // gets the conversation with the cluster; nil: silence
}

// Conn is a cluster that can be spoken to. Making one sends nothing: the first
// request of a caller shows whether the cluster is there, and [Conn.Explain]
// says why not.
type Conn struct {
	settings settings
	security *tls.Config // nil: plaintext
	timeout  time.Duration
	journal  *journal
	agent    string // who we are to brokers and to AWS
	client   *kgo.Client
}

// Open prepares the connection to c, which may be nil where the options name
// the bootstrap servers. It reads the files and reveals the secrets that the
// block names, so its error, an [*Error], is about those. The context is for
// looking up AWS credentials alone.
func Open(ctx context.Context, c *schema.Cluster, o Options) (*Conn, error) {
	conn := &Conn{timeout: o.Timeout, agent: "queueform/" + o.Version}
	if conn.timeout == 0 {
		conn.timeout = DefaultTimeout
	}
	var err error
	if conn.settings, err = resolve(c, o); err != nil {
		return nil, err
	}
	conn.journal = newJournal(conn.settings.cluster.BootstrapServers)
	options, err := conn.clientOptions(ctx, o.Logger)
	if err != nil {
		return nil, err
	}
	if conn.client, err = kgo.NewClient(options...); err != nil {
		return nil, conn.settings.problem("bootstrap_servers", err,
			"The bootstrap servers cannot be used: "+err.Error(), "Write each as host:port.")
	}
	return conn, nil
}

// Client speaks with the cluster. What it is asked may be sent again, to another
// broker, within the timeout; a request to one of its brokers is sent once,
// whatever happens to the connection, so that an error means "not known".
func (c *Conn) Client() *kgo.Client { return c.client }

// Principal is who the brokers take us for: the user who logs in by name, or else
// whom the cluster block names; empty: neither says.
func (c *Conn) Principal() string {
	if sasl := c.settings.cluster.SASL; sasl != nil && sasl.Username != "" {
		return schema.UserPrincipal + sasl.Username
	}
	return c.settings.cluster.Principal
}

// Close ends the client. It never fails.
func (c *Conn) Close() error {
	c.client.Close()
	return nil
}

// Guard refuses a cluster with another id than the block names.
func (c *Conn) Guard(id string) error {
	want := c.settings.cluster.ID
	if want == "" || want == id {
		return nil
	}
	return c.settings.problem("cluster_id", nil,
		"This is cluster "+schema.Quote(id)+", not "+schema.Quote(want),
		"The cluster block accepts the one cluster that its cluster_id names: correct "+
			c.settings.name("bootstrap_servers")+", or choose another block with --cluster.")
}

func (c *Conn) clientOptions(ctx context.Context, logger *slog.Logger) ([]kgo.Opt, error) {
	var err error
	if c.security, err = c.settings.tlsConfig(); err != nil {
		return nil, err
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(c.settings.cluster.BootstrapServers...),
		kgo.ClientID(c.agent),
		kgo.Dialer(c.dial),
		kgo.RetryTimeout(c.timeout),
		kgo.RequestTimeoutOverhead(c.patience()),
		kgo.WithHooks(c.journal),
		kgo.DisableClientMetrics(), // they are requests too
	}
	mechanism, err := c.mechanism(ctx)
	if err != nil {
		return nil, err
	}
	if mechanism != nil {
		options = append(options, kgo.SASL(mechanism))
	}
	if logger != nil {
		options = append(options, kgo.WithLogger(kslog.New(logger)))
	}
	return options, nil
}

// patience is how long one server may take for one thing: short enough that
// the others get their turn within the timeout.
func (c *Conn) patience() time.Duration {
	return min(max(c.timeout/3, 100*time.Millisecond), 10*time.Minute)
}

// courtesy is how long one server may take for its first words, which are few. The
// client tries twice: one that hangs is found out several times within the timeout.
func (c *Conn) courtesy() time.Duration { return c.patience() / 5 }
