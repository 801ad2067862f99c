package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Explain says why a request failed, where the connection is to blame: then
// the error is an [*Error]. Any other is returned as it is: what a broker
// answered, or an interruption. It may ask a broker which SASL mechanisms it
// offers, for a few seconds at most.
func (c *Conn) Explain(err error) error {
	if _, done := errors.AsType[*Error](err); done || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, file := errors.AsType[*fs.PathError](err); file { // whose kinds are those of connections, too
		return err
	}
	if given, ok := errors.AsType[*settled](err); ok {
		return given.problem
	}
	if errors.Is(err, kerr.UnsupportedSaslMechanism) {
		return c.unsupported(err)
	}
	if code, ok := errors.AsType[*kerr.Error](err); ok && code != kerr.SaslAuthenticationFailed && code != kerr.IllegalSaslState {
		return err
	}
	failures, now := c.journal.troubles()
	if len(failures) > 0 && (now != working || isConnection(err)) {
		return c.tell(failures, now)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Error{Summary: fmt.Sprintf("The cluster did not answer within %v", c.timeout), Remedy: "Look at its load, or raise --timeout.", Err: err}
	}
	return err
}

// hopeless says what is wrong once it is certain: when each bootstrap server
// fails in a way that does not pass, or the advertised addresses keep doing so.
func (c *Conn) hopeless() *Error {
	const often = 3
	failures, now := c.journal.troubles()
	certain := func(f failure) bool {
		r := c.reason(f, now)
		return r.certain > 0 && f.tries >= r.certain
	}
	switch now {
	case nothing:
		if len(failures) < len(c.settings.cluster.BootstrapServers) || !all(failures, certain) {
			return nil
		}
	case bootstrapped:
		if !slices.ContainsFunc(failures, func(f failure) bool { return f.tries >= often && certain(f) }) {
			return nil
		}
	case working:
		return nil
	}
	return c.tell(failures, now)
}

func all(failures []failure, holds func(failure) bool) bool {
	return !slices.ContainsFunc(failures, func(f failure) bool { return !holds(f) })
}

// tell makes one sentence of failures. One that is about more than reaching an
// address says all that is needed.
func (c *Conn) tell(failures []failure, now progress) *Error {
	spokesman := max(0, slices.IndexFunc(failures, func(f failure) bool { return f.stage != dialing }))
	f := failures[spokesman]
	r := c.reason(f, now)
	summary := f.String() + " " + r.clause
	if f.stage == dialing && now == bootstrapped {
		r.attr, r.remedy = "bootstrap_servers", "The bootstrap server answered. Set advertised.listeners of the brokers to addresses that can be reached from here."
		summary = "The brokers cannot be reached at the addresses they advertise: " + c.list(failures, now)
	} else if f.stage == dialing && len(failures) > 1 {
		summary = "No bootstrap server can be reached: " + c.list(failures, now)
	}
	return c.settings.problem(r.attr, f.err, summary, r.remedy)
}

func (c *Conn) list(failures []failure, now progress) string {
	var clauses []string
	for _, f := range failures {
		clauses = append(clauses, f.addr+" "+c.reason(f, now).clause)
	}
	return strings.Join(clauses, ", ")
}

func (f failure) String() string {
	switch {
	case f.node >= 0:
		return fmt.Sprintf("Broker %d at %s", f.node, f.addr)
	case f.seed:
		return "Bootstrap server " + f.addr
	}
	return "The broker at " + f.addr
}

// unsupported names the mechanisms that there are.
func (c *Conn) unsupported(err error) *Error {
	summary := fmt.Sprintf("The brokers do not offer SASL mechanism %s", c.settings.cluster.SASL.Mechanism)
	if offered := c.offered(); len(offered) > 0 {
		summary += ", only " + strings.Join(offered, ", ")
	}
	return c.settings.problem("sasl.mechanism", err, summary, "Correct "+c.settings.name("sasl.mechanism")+".")
}

// offered asks for the mechanisms, over a connection that does not log in.
func (c *Conn) offered() []string {
	ctx, cancel := context.WithTimeout(context.Background(), min(c.patience(), 3*time.Second))
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.settings.cluster.BootstrapServers...), kgo.Dialer(c.reach), kgo.DisableClientMetrics())
	if err != nil {
		return nil
	}
	defer client.Close()
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Mechanism = string(c.settings.cluster.SASL.Mechanism)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil
	}
	return resp.SupportedMechanisms
}
