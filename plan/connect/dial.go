package connect

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// dial opens a connection to one server, unless it is certain that the cluster
// cannot be reached.
func (c *Conn) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if problem := c.hopeless(); problem != nil {
		return nil, &settled{problem}
	}
	return c.reach(ctx, network, addr)
}

// reach opens a connection to one server.
func (c *Conn) reach(ctx context.Context, network, addr string) (net.Conn, error) {
	c.journal.dial(addr)
	until := time.Now().Add(c.courtesy())
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, unreachable(err)
	}
	if c.security == nil {
		return &plaintext{Conn: conn, until: until}, nil
	}
	c.journal.secure(addr)
	secured := tls.Client(conn, c.securityFor(addr))
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, unheard(err)
	}
	return secured, nil
}

// unheard is the error of a connection on which the server said nothing yet.
func unheard(err error) error {
	if err == nil || !isTimeout(err) {
		return err
	}
	return unreachable(err)
}

// unreachable is the error of a server that cannot be reached, or is silent. The
// client asks another, or looks for who has taken its place, and the same again
// where there is nobody else: until the timeout, or until [Conn.hopeless].
func unreachable(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: unreached{err}}
}

// unreached hides its cause from the client, which would give up over the kind of
// it, or over a time that ran out.
type unreached struct{ cause error }

func (u unreached) Error() string { return u.cause.Error() }
func (u unreached) Timeout() bool { return isTimeout(u.cause) }
func (unreached) Temporary() bool { return true }

// Is says what the cause is, to others.
func (u unreached) Is(target error) bool {
	return target != context.DeadlineExceeded && errors.Is(u.cause, target)
}

// securityFor names the server, and notices when it asks who we are.
func (c *Conn) securityFor(addr string) *tls.Config {
	config := c.security.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr) // the client joined it
	}
	certificate := &tls.Certificate{}
	if len(config.Certificates) > 0 {
		certificate = &config.Certificates[0]
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c.journal.wantsCert(addr)
		return certificate, nil
	}
	return config
}

// hasCertificate says whether we can tell a server who we are.
func (c *Conn) hasCertificate() bool { return c.security != nil && len(c.security.Certificates) > 0 }

// plaintext is a connection that recognises the first bytes of what is not
// Kafka: the client would take them for the size of an answer. It does not wait
// long for them: the system accepts connections for a process that hangs.
type plaintext struct {
	net.Conn
	until time.Time // when the first bytes must be there
	heard bool
}

var (
	errSpeaksTLS  = errors.New("the answer is a TLS alert")
	errSpeaksHTTP = errors.New("the answer is HTTP")
)

func (p *plaintext) Read(b []byte) (int, error) {
	if p.heard {
		return p.Conn.Read(b)
	}
	_ = p.SetReadDeadline(p.until) // fails where Read does
	n, err := p.Conn.Read(b)
	if n == 0 {
		return 0, unheard(err)
	}
	p.heard = true
	const alert, major = 21, 3
	switch {
	case n >= 2 && b[0] == alert && b[1] == major:
		return 0, errSpeaksTLS
	case n >= 4 && string(b[:4]) == "HTTP":
		return 0, errSpeaksHTTP
	}
	return n, err
}
