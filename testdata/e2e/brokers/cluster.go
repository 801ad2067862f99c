// Package brokers runs real Apache Kafka for tests and for people: clusters of
// three combined KRaft nodes on loopback, in the racks a, b and c.
//
// Learn [Shared], [Start] and [Cluster]. Jars are cached outside the
// repository; brokers and their data end with the process that started them.
// Broken networks are out of scope.
package brokers

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// The Kafka versions that the tests run on.
const (
	Newest = "4.4.0"
	Oldest = "3.9.1"
)

// The administrator, who is a super user, and how it logs in to the SASL listeners.
const (
	AdminName      = "admin"
	AdminPassword  = "admin-secret"
	AdminMechanism = "SCRAM-SHA-512"
)

// Size is how many brokers a cluster has. Their ids are 1 to Size.
const Size = 3

// Options of a cluster. The zero value is a cluster of the [Newest] Kafka.
type Options struct {
	Version    string            // of Kafka, "4.4.0"
	Properties map[string]string // of each broker, over those in testdata/kafka/broker.properties
}

// Cluster is a running Kafka cluster. Its methods are not for use from several
// goroutines at once.
type Cluster struct {
	Version string
	ID      string // Kafka's cluster id
	jars    string
	dir     string
	lease   *os.File
	nodes   [Size]*node
}

// Start starts a cluster and waits until all its brokers serve; ctx bounds
// the start alone. The caller must [Cluster.Close] it. Tests would rather
// have [Shared] or [Own].
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Version == "" {
		o.Version = Newest
	}
	jars, err := brokerJars(ctx, o.Version)
	if err != nil {
		return nil, err
	}
	formatted, err := formattedStorage(ctx, o.Version, jars)
	if err != nil {
		return nil, err
	}
	dir, lease, err := leaseDir()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Version: o.Version, ID: newID(), jars: jars, dir: dir, lease: lease}
	if err := c.launch(ctx, formatted, o.Properties); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) launch(ctx context.Context, formatted string, properties map[string]string) error {
	if err := c.configure(formatted, properties); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return err
		}
	}
	return c.Await(ctx)
}

// Bootstrap is the plaintext addresses, by broker id. Who comes in there is
// User:ANONYMOUS, a super user.
func (c *Cluster) Bootstrap() []string {
	return c.addresses(func(n *node) string { return n.plaintext })
}

// SASL is the addresses of the SASL listeners, which take SCRAM without TLS.
func (c *Cluster) SASL() []string { return c.addresses(func(n *node) string { return n.sasl }) }

func (c *Cluster) addresses(of func(*node) string) []string {
	all := make([]string, Size)
	for i, n := range c.nodes {
		all[i] = of(n)
	}
	return all
}

// Log is where a broker writes its log.
func (c *Cluster) Log(id int) string { return c.nodes[id-1].log }

// Stop shuts a broker down in good order: it hands its partitions over first,
// for which the other two must be running. It fails after 90 s.
func (c *Cluster) Stop(ctx context.Context, id int) error { return c.nodes[id-1].stop(ctx) }

// Kill ends a broker at once, as a crash would. The others learn of it when
// its session has run out: see [Cluster.Await].
func (c *Cluster) Kill(id int) error { return c.nodes[id-1].kill() }

// Pause lets a broker hang: its connections stay open, and nothing answers,
// until [Cluster.Resume].
func (c *Cluster) Pause(id int) error { return c.nodes[id-1].signal(syscall.SIGSTOP) }

// Resume lets a paused broker go on.
func (c *Cluster) Resume(id int) error { return c.nodes[id-1].signal(syscall.SIGCONT) }

// Restart starts a stopped or killed broker again, with the data and the
// addresses it had, and waits until it serves.
func (c *Cluster) Restart(ctx context.Context, id int) error {
	if err := c.nodes[id-1].start(); err != nil {
		return err
	}
	return c.Await(ctx)
}

// Close kills the brokers and removes their data.
func (c *Cluster) Close() error {
	var all []error
	for _, n := range c.nodes {
		if n != nil {
			all = append(all, n.kill())
		}
	}
	return errors.Join(append(all, os.RemoveAll(c.dir), c.lease.Close())...)
}

func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] = 0               // an id must not begin with a dash
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func (c *Cluster) nodeDir(id int) string { return filepath.Join(c.dir, strconv.Itoa(id)) }
