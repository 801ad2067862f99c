// Package devcluster is the embedded cluster: three Kafka brokers within this
// process that keep their data in a directory.
//
// Learn [Start], [Cluster] and [Limits], which says all that it does not do as
// Kafka does. The brokers are franz-go's kfake; what is not said there is as
// kfake has it.
package devcluster

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokers is how many there are: enough for a replication factor of 3.
const brokers = 3

// Cluster is a running embedded cluster.
type Cluster struct {
	kafka   *kfake.Cluster
	lock    *flock.Flock
	doors   doors
	minutes minutes
	unsaved atomic.Bool // something is in memory that is not on disk
}

// Start runs the cluster whose data are in dir, which it makes if need be and
// keeps out of version control. Each port is any that is free. It fails while
// another process, or another Cluster of this one, has the directory.
func Start(dir string) (*Cluster, error) {
	if err := prepare(dir); err != nil {
		return nil, fmt.Errorf("the embedded cluster cannot keep its data: %w", err)
	}
	c := &Cluster{lock: flock.New(filepath.Join(dir, "lock"))}
	switch free, err := c.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("the embedded cluster cannot keep its data: %w", err)
	case !free:
		return nil, fmt.Errorf("the embedded cluster of %s is in use by another queueform: wait until that ends", dir)
	}
	data := filepath.Join(dir, "cluster")
	_, err := os.Stat(filepath.Join(data, "session_state.json"))
	c.unsaved.Store(err == nil) // kfake takes the file, and writes it again when it ends
	kafka, err := kfake.NewCluster(
		kfake.NumBrokers(brokers),
		kfake.DefaultNumPartitions(1), // Kafka's
		kfake.ClusterID(newID()),      // when dir is new
		kfake.DataDir(data),
		kfake.ListenFn(c.doors.listen),
		kfake.WithLogger(&c.minutes),
	)
	if err != nil {
		_ = c.lock.Unlock()
		return nil, fmt.Errorf("the data of the embedded cluster in %s cannot be used: %w; remove the directory to begin anew", dir, err)
	}
	c.kafka = kafka
	refuse(kafka)
	c.watch()
	return c, nil
}

// Bootstrap is where the brokers listen, as host:port.
func (c *Cluster) Bootstrap() []string { return c.kafka.ListenAddrs() }

// Close stops the brokers and frees the directory. Its error tells of data
// that could not be kept, now or earlier.
//
// All that was answered is on disk already, but for what c.unsaved stands for.
// So mostly the brokers are shut off and left to the end of the process: kfake's
// own end writes a file for each partition, a second for a thousand topics.
func (c *Cluster) Close() error {
	c.doors.close()
	if c.unsaved.Load() {
		c.kafka.Close()
	}
	return errors.Join(c.minutes.trouble(), c.lock.Unlock())
}

// watch looks out for requests whose effects kfake writes when it ends, not
// when it answers.
func (c *Cluster) watch() {
	for _, key := range []kmsg.Key{
		kmsg.DeleteRecords, kmsg.ShareFetch, kmsg.ShareAcknowledge,
		kmsg.AlterShareGroupOffsets, kmsg.DeleteShareGroupOffsets, kmsg.DeleteGroups,
	} {
		c.kafka.ControlKey(key.Int16(), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.unsaved.Store(true)
			return nil, nil, false
		})
	}
	c.kafka.ControlKey(kmsg.IncrementalAlterConfigs.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, r := range req.(*kmsg.IncrementalAlterConfigsRequest).Resources {
			if r.ResourceType == kmsg.ConfigResourceTypeGroupConfig {
				c.unsaved.Store(true)
			}
		}
		return nil, nil, false
	})
}

// prepare makes the directory, and keeps it out of version control.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644)
}

// newID is a cluster id as Kafka makes them.
func newID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}
