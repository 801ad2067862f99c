package connect

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// stage is how far a connection came.
type stage uint8

const (
	dialing   stage = iota
	securing        // the TLS handshake
	greeting        // ApiVersions, the first words of Kafka's protocol
	signingIn       // SASL
	asking          // requests
)

// stageOf is the stage in which a request of that key is sent.
func stageOf(key int16) stage {
	switch k := kmsg.Key(key); {
	case k == kmsg.ApiVersions:
		return greeting
	case k == kmsg.SASLHandshake || k == kmsg.SASLAuthenticate:
		return signingIn
	}
	return asking
}

// progress is how far the client came with the cluster.
type progress uint8

const (
	nothing      progress = iota // not a single answer
	bootstrapped                 // answers, but none from an address that a broker advertises
	working
)

// failure is how a connection to one server ended, or where it hangs.
type failure struct {
	addr      string
	node      int32 // below 0: a bootstrap server, or not known
	seed      bool
	stage     stage
	tries     int   // since the last success
	err       error // nil: nothing came, for as long as we waited
	number    int   // among all failures
	wantsCert bool  // the server asked for a client certificate
}

// journal remembers how the connections fare: the client itself tells of its
// last error at best, and of nothing but the time that ran out at worst.
type journal struct {
	seeds []string

	mu       sync.Mutex
	answered bool                // some request got its answer
	reached  bool                // a broker was, at the address it advertises
	pending  map[string]*failure // by address: what was not done yet when last heard of
	failed   map[string]failure  // by address: how the last try ended, until one succeeds
	failures int                 // how many there were
}

// The client's own hooks.
var (
	_ kgo.HookBrokerConnect = (*journal)(nil)
	_ kgo.HookBrokerWrite   = (*journal)(nil)
	_ kgo.HookBrokerRead    = (*journal)(nil)
)

func newJournal(seeds []string) *journal {
	return &journal{seeds: seeds, pending: map[string]*failure{}, failed: map[string]failure{}}
}

// OnBrokerConnect hears that a connection is made, logged in and usable, or why not.
func (j *journal) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	try := j.try(meta)
	if err != nil {
		j.fail(try, err)
		return
	}
	j.reached = j.reached || meta.NodeID >= 0
	j.succeed(try)
}

// OnBrokerWrite follows a connection from stage to stage.
func (j *journal) OnBrokerWrite(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	try := j.try(meta)
	try.stage = stageOf(key)
	if err != nil {
		j.fail(try, err)
	}
}

// OnBrokerRead hears answers, and of connections that ended instead.
func (j *journal) OnBrokerRead(meta kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	try := j.try(meta)
	try.stage = stageOf(key)
	switch {
	case err != nil:
		j.fail(try, err)
	case try.stage == asking:
		j.answered = true
		j.succeed(try)
	}
}

// dial notes that a server is tried once more.
func (j *journal) dial(addr string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	try := j.tryAt(addr)
	try.stage, try.wantsCert = dialing, false
	try.tries++
}

// secure notes that the TLS handshake begins.
func (j *journal) secure(addr string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tryAt(addr).stage = securing
}

// wantsCert notes that a server asked for a client certificate.
func (j *journal) wantsCert(addr string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tryAt(addr).wantsCert = true
}

func (j *journal) try(meta kgo.BrokerMetadata) *failure {
	try := j.tryAt(net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port))))
	try.node = meta.NodeID
	return try
}

func (j *journal) tryAt(addr string) *failure {
	try, ok := j.pending[addr]
	if !ok {
		try = &failure{addr: addr, node: -1, seed: slices.Contains(j.seeds, addr)}
		j.pending[addr] = try
	}
	return try
}

// fail keeps how a try ended, unless it was we who ended it.
func (j *journal) fail(try *failure, err error) {
	if _, ours := errors.AsType[*settled](err); ours || errors.Is(err, context.Canceled) || errors.Is(err, kgo.ErrClientClosed) {
		return
	}
	if hidden, ok := errors.AsType[unreached](err); ok {
		err = hidden.cause
	}
	j.failures++
	failed := *try
	failed.err, failed.number = err, j.failures
	j.failed[try.addr] = failed
}

func (j *journal) succeed(try *failure) {
	delete(j.pending, try.addr)
	delete(j.failed, try.addr)
}

// troubles are the failures that explain why nothing works: those of the
// bootstrap servers until something was answered, those of the addresses that
// brokers advertise until one of them was reached, and then the latest.
func (j *journal) troubles() (failures []failure, now progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case !j.answered:
		for _, addr := range j.seeds {
			if f, ok := j.last(addr); ok {
				failures = append(failures, f)
			}
		}
		return failures, nothing
	case !j.reached:
		for _, addr := range slices.Sorted(maps.Keys(j.pending)) {
			if f, _ := j.last(addr); !f.seed {
				failures = append(failures, f)
			}
		}
		return failures, bootstrapped
	}
	if len(j.failed) > 0 {
		return []failure{slices.MaxFunc(slices.Collect(maps.Values(j.failed)), func(a, b failure) int { return cmp.Compare(a.number, b.number) })}, working
	}
	for _, addr := range slices.Sorted(maps.Keys(j.pending)) {
		failures = append(failures, *j.pending[addr])
	}
	return failures, working
}

// last is how the last try of a server ended, or the present one while it is
// the first.
func (j *journal) last(addr string) (failure, bool) {
	if failed, ok := j.failed[addr]; ok {
		return failed, true
	}
	if try, ok := j.pending[addr]; ok {
		return *try, true
	}
	return failure{}, false
}
