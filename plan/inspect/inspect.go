// Package inspect reads a snapshot of a live cluster, and measures what a plan
// endangers: in few requests, side by side, and honest about what it may not
// see.
//
// Learn [Read] and [Measure]. What was read means nothing here: comparing is
// package plan's concern. Nothing is ever written, nor created by asking.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

const (
	metadataBatch = 5_000 // topics of one request for metadata
	configBatch   = 500   // topics of one request for configs
	inFlight      = 3     // requests for configs at once, over different brokers

	controllerTimeout = 2 * time.Second // that a broker waits for the controller, before another is asked
)

// Read takes one look at the cluster. Its error means that the cluster could
// not be looked at; what could not be seen of one object is said in the
// snapshot, and hides nothing of the others.
func Read(ctx context.Context, client *kgo.Client, scope live.Scope) (*live.Snapshot, error) {
	r := &reader{client: client, broker: client, slots: make(chan struct{}, inFlight), snapshot: &live.Snapshot{Defaults: map[string]string{}}}
	if scope.From != nil {
		r.broker = client.Broker(int(*scope.From))
	}
	reading, ctx := errgroup.WithContext(ctx)
	reading.Go(func() error { return r.topics(ctx, scope) })
	if len(scope.Users) > 0 {
		reading.Go(func() error { r.users(ctx, scope.Users); return nil })
	}
	if scope.Bindings {
		reading.Go(func() error { r.bindings(ctx); return nil })
	}
	if scope.Quotas {
		reading.Go(func() error { r.quotas(ctx); return nil })
	}
	if len(scope.Groups) > 0 {
		reading.Go(func() error { return r.groups(ctx, scope.Groups, scope.From != nil) })
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	r.snapshot.Cluster.Protocols = r.spoken
	return r.snapshot, nil
}

// reader is one Read's state.
type reader struct {
	client *kgo.Client
	broker kmsg.Requestor // the one broker to ask, or the client, which asks any
	slots  chan struct{}  // bounds the requests for configs

	mu       sync.Mutex // guards what is below
	snapshot *live.Snapshot
	spoken   []schema.Protocol // of groups
}

// cluster takes over what a broker says of the cluster itself.
func cluster(resp *kmsg.MetadataResponse) live.Cluster {
	c := live.Cluster{Controller: resp.ControllerID, Pins: true}
	if resp.ClusterID != nil {
		c.ID = *resp.ClusterID
		// Redpanda reports an override that equals the inherited value as inherited.
		c.Pins = !strings.HasPrefix(c.ID, "redpanda.")
	}
	for _, b := range resp.Brokers {
		broker := live.Broker{ID: b.NodeID}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		c.Brokers = append(c.Brokers, broker)
	}
	slices.SortFunc(c.Brokers, func(a, b live.Broker) int { return int(a.ID) - int(b.ID) })
	return c
}

// hidden is a fact that a broker would not tell, by its error code; right is
// the permission that tells it.
func hidden[T any](code int16, right string) live.Seen[T] {
	return unread[T](-1, kerr.ErrorForCode(code), right)
}

// unread is a fact that could not be asked for, or was not told. The broker is
// that which was asked; below 0: it is not known which, or of no matter.
func unread[T any](broker int32, err error, right string) live.Seen[T] {
	if errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.GroupAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed) {
		return live.Hidden[T]("not permitted", right)
	}
	return live.Hidden[T](reasonOf(broker, err), "")
}

// reason is an error in a few words: of several brokers, that of the first.
func reason(err error) string {
	if shards, ok := errors.AsType[*kadm.ShardErrors](err); ok && len(shards.Errs) > 0 {
		return reasonOf(shards.Errs[0].Broker.NodeID, shards.Errs[0].Err)
	}
	timeout, ok := errors.AsType[net.Error](err)
	code, told := errors.AsType[*kerr.Error](err)
	says := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return "there was no answer in time"
	case told:
		return fmt.Sprintf("%s (%s)", strings.TrimSuffix(code.Description, "."), code.Message)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the broker refuses connections"
	case slices.ContainsFunc(unknownBroker, says):
		return "the broker is not up"
	case kgo.IsRetryableBrokerErr(err), errors.Is(err, io.EOF):
		return "the connection broke off"
	}
	return err.Error()
}

// unknownBroker is how the client says that it knows of no such broker. It has
// no error for that which could be asked for.
var unknownBroker = []string{"unknown broker", "did not reply with that broker in the broker list"}

// reasonOf is what went wrong with a broker. A negative number is that of none: it
// is not known which it was.
func reasonOf(broker int32, err error) string {
	if broker < 0 {
		return reason(err)
	}
	return fmt.Sprintf("broker %d: %s", broker, reason(err))
}
