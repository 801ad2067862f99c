package brokers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the clusters that one test binary's tests share, by version: the
// only state of this package, there because [testing.M] leaves no other place.
var shared = struct {
	sync.Mutex
	clusters map[string]*Cluster
}{clusters: map[string]*Cluster{}}

// Shared is the cluster of one Kafka version that all tests of a package
// share: started by the first that asks, stopped by [Main], which the
// package's TestMain must call. Tests give what they make names of their own
// and leave all brokers running.
func Shared(tb testing.TB, version string) *Cluster {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if c := shared.clusters[version]; c != nil {
		return c
	}
	c, err := Start(context.Background(), Options{Version: version})
	if err != nil {
		tb.Fatal(err)
	}
	shared.clusters[version] = c
	return c
}

// Own is a cluster for one test, closed when the test ends.
func Own(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	c, err := Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Log(logTails(c.nodes[:]))
		}
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// Main is the whole TestMain of a package that uses [Shared]:
//
//	func TestMain(m *testing.M) { brokers.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func closeShared() error {
	shared.Lock()
	defer shared.Unlock()
	var all []error
	for _, c := range shared.clusters {
		all = append(all, c.Close())
	}
	return errors.Join(all...)
}
