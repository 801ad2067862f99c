package connect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/schema"
)

// reason is what a failure means.
type reason struct {
	clause  string // what the server does: "refuses connections"
	remedy  string
	attr    string
	certain int // after so many tries the next will end the same; 0: never
}

// reason reads a failure. Guesses from a connection that was cut hold only
// while nothing was ever answered.
func (c *Conn) reason(f failure, now progress) reason {
	if alert, ok := alertOf(f.err); ok {
		return c.alerted(alert)
	}
	if f.stage != dialing && isCut(f.err) {
		return c.cut(f, now)
	}
	if f.stage != dialing && isTimeout(f.err) {
		return c.silent(f, now)
	}
	switch f.stage {
	case dialing:
		return c.unreachable(f)
	case securing:
		return c.insecure(f)
	case signingIn:
		return c.refused(f)
	case greeting, asking:
	}
	switch {
	case errors.Is(f.err, errSpeaksTLS):
		return reason{"speaks TLS, and we do not", "To speak it, " + c.withTLS() + ", or use the port of a plaintext listener.", "bootstrap_servers", 1}
	case errors.Is(f.err, errSpeaksHTTP):
		return reason{"is a web server, not a Kafka broker", "Correct the port in " + c.settings.name("bootstrap_servers") + ".", "bootstrap_servers", 1}
	}
	return reason{"cannot be spoken to: " + f.err.Error(), "See whether it is a Kafka broker, and what its log says.", "bootstrap_servers", 0}
}

// unreachable: no connection was made.
func (c *Conn) unreachable(f failure) reason {
	servers := c.settings.name("bootstrap_servers")
	lookup, byName := errors.AsType[*net.DNSError](f.err)
	switch {
	case byName && lookup.IsNotFound:
		return reason{"is not a known host name", "Correct " + servers + ", or this machine's name service.", "bootstrap_servers", 1}
	case byName:
		return reason{"cannot be looked up: " + lookup.Err, "Look into this machine's name service.", "bootstrap_servers", 0}
	case errors.Is(f.err, syscall.ECONNREFUSED):
		return reason{"refuses connections", "No broker listens there: start it, or correct " + servers + ".", "bootstrap_servers", 1}
	case isTimeout(f.err):
		return reason{"does not answer", "Nothing came back: check " + servers + ", and the firewalls on the way.", "bootstrap_servers", 0}
	}
	return reason{"cannot be reached: " + innermost(f.err), "Check " + servers + " and this machine's network.", "bootstrap_servers", 0}
}

// insecure: TLS was begun, and we do not like what we see.
func (c *Conn) insecure(f failure) reason {
	servers := c.settings.name("bootstrap_servers")
	if _, ok := errors.AsType[tls.RecordHeaderError](f.err); ok {
		return reason{"does not speak TLS, and we do", c.plaintextRemedy(), "tls", 1}
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](f.err); ok {
		issuer := "the authority"
		if unknown.Cert != nil {
			issuer = fmt.Sprintf("the authority %q", unknown.Cert.Issuer)
		}
		return reason{"shows a certificate of an authority that is not trusted", "Set " + c.settings.name("tls.ca_file") + " to the certificate of " + issuer + ".", c.written("tls.ca_file"), 1}
	}
	if other, ok := errors.AsType[x509.HostnameError](f.err); ok {
		return reason{
			fmt.Sprintf("shows a certificate for %s, not for %s", namesOf(other.Certificate), other.Host),
			fmt.Sprintf("Use such a name in %s, or set %s to one.", servers, c.settings.name("tls.server_name")), c.written("tls.server_name"), 1,
		}
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](f.err); ok && invalid.Reason == x509.Expired {
		clause := "shows a certificate that expired on " + invalid.Cert.NotAfter.Format(time.DateOnly)
		if time.Now().Before(invalid.Cert.NotBefore) {
			clause = "shows a certificate that is not valid before " + invalid.Cert.NotBefore.Format(time.DateOnly)
		}
		return reason{clause, "Renew the broker's certificate, or set this machine's clock.", "tls", 1}
	}
	return reason{"cannot be spoken to over TLS: " + innermost(f.err), "Check " + c.settings.block("tls") + " and the broker's certificate.", "tls", 1}
}

// alerted: the server ended TLS, and said why.
func (c *Conn) alerted(alert string) reason {
	const (
		handshakeFailure, badCertificate, unsupported, revoked, expired, unknown = 40, 42, 43, 44, 45, 46
		unknownCA, accessDenied, protocolVersion, certificateRequired            = 48, 49, 70, 116
	)
	is := func(codes ...tls.AlertError) bool {
		return slices.ContainsFunc(codes, func(code tls.AlertError) bool { return code.Error() == alert })
	}
	clause := strings.TrimPrefix(alert, "tls: ")
	switch {
	case !c.hasCertificate() && is(handshakeFailure, badCertificate, certificateRequired):
		return c.wantsCertificate()
	case is(badCertificate, unsupported, revoked, expired, unknown, unknownCA, accessDenied, certificateRequired):
		return reason{"refuses the client certificate: " + clause, "Use a certificate that the brokers' truststore accepts.", c.written("tls.cert_file"), 1}
	case is(protocolVersion):
		return reason{"speaks no TLS version that is still safe", "Let the broker speak TLS 1.2 or 1.3 (ssl.enabled.protocols).", "tls", 1}
	}
	return reason{"ends the TLS handshake: " + clause, "Check " + c.settings.block("tls") + ", and what the broker's log says.", "tls", 1}
}

// cut: the server closed the connection without a word.
func (c *Conn) cut(f failure, now progress) reason {
	const often = 3 // a proxy cuts too, while what is behind it starts
	early := now == nothing
	switch {
	case f.wantsCert && !c.hasCertificate() && (f.stage == securing || f.stage == greeting):
		return c.wantsCertificate()
	case early && f.stage == securing:
		return reason{"closes the connection in the TLS handshake", "A plaintext listener does this. " + c.plaintextRemedy(), "tls", often}
	case early && f.stage == greeting && c.security == nil:
		return reason{"closes the connection at our first words", "A TLS listener does this: " + c.withTLS() + ", or use the port of a plaintext listener.", "bootstrap_servers", often}
	case early && f.stage == signingIn && c.settings.cluster.SASL.Username != "":
		r := c.refusedUser()
		return reason{"closes the connection at the login of " + c.user(), r.remedy, r.attr, often}
	case early && f.stage == signingIn:
		return reason{"closes the connection at the login", "Check " + c.settings.block("sasl") + ", and what the broker's log says.", "sasl", often}
	case early && f.stage == asking && c.settings.cluster.SASL == nil:
		return reason{"closes the connection at the first request", "A listener that wants SASL does this: add a sasl block, or use the port of a listener without.", "bootstrap_servers", often}
	}
	return reason{"closed the connection", "Run it again; if it happens again, the broker's log says why.", "bootstrap_servers", 0}
}

// silent: the server accepts the connection and does not go on.
func (c *Conn) silent(f failure, now progress) reason {
	switch {
	case now == nothing && f.stage == securing:
		return reason{"does not answer to TLS", "It may be a plaintext listener. " + c.plaintextRemedy(), "tls", 0}
	case now == nothing && f.stage == greeting:
		return reason{"accepts the connection and says nothing", "It may not be a Kafka broker: check the port in " + c.settings.name("bootstrap_servers") + ".", "bootstrap_servers", 0}
	}
	return reason{"does not answer", "It may be overloaded: look at its log, or raise --timeout.", "bootstrap_servers", 0}
}

// refused: the login did not work.
func (c *Conn) refused(f failure) reason {
	switch {
	case errors.Is(f.err, kerr.IllegalSaslState):
		return reason{"does not use SASL, and we do", c.settings.without("sasl") + ", or use the port of a SASL listener.", "sasl", 1}
	case !errors.Is(f.err, kerr.SaslAuthenticationFailed):
		return reason{"cannot be logged in to: " + f.err.Error(), "Check " + c.settings.block("sasl") + ", and what the broker's log says.", "sasl", 1}
	}
	switch c.settings.cluster.SASL.Mechanism {
	case schema.OAuthBearer:
		return reason{"refuses the token: " + f.err.Error(), "Check its audience, scope and age against the broker's OAUTHBEARER settings.", c.written("sasl.token", "sasl.token_url"), 1}
	case schema.AWSMSKIAM:
		return reason{"refuses the AWS credentials: " + f.err.Error(), "Let the role connect to the cluster (kafka-cluster:Connect).", "sasl.mechanism", 1}
	case schema.Plain, schema.ScramSHA256, schema.ScramSHA512:
	}
	return c.refusedUser()
}

func (c *Conn) refusedUser() reason {
	return reason{
		"refuses " + c.user(),
		fmt.Sprintf("The user or the password is wrong: check %s and %s.", c.settings.name("sasl.username"), c.settings.name("sasl.password")),
		"sasl.password", 1,
	}
}

func (c *Conn) user() string {
	return fmt.Sprintf("user %q with %s", c.settings.cluster.SASL.Username, c.settings.cluster.SASL.Mechanism)
}

func (c *Conn) wantsCertificate() reason {
	return reason{
		"wants a client certificate",
		fmt.Sprintf("Set %s and %s.", c.settings.name("tls.cert_file"), c.settings.name("tls.key_file")), "tls", 1,
	}
}

func (c *Conn) plaintextRemedy() string {
	if c.settings.cluster.TLS == nil {
		return "AWS_MSK_IAM is over TLS always: use the port of a TLS listener."
	}
	return c.settings.without("tls") + ", or use the port of a TLS listener."
}

// withTLS is how to speak TLS where nothing asks for it.
func (c *Conn) withTLS() string {
	if from, off := c.settings.from["tls"]; off {
		return "unset " + from
	}
	return "add a tls block"
}

// written is the first of paths that is set, be it elsewhere than in the
// block, or the block that it would stand in.
func (c *Conn) written(paths ...string) string {
	for _, path := range paths {
		_, here := c.settings.cluster.Attrs[path]
		if _, elsewhere := c.settings.from[path]; here || elsewhere {
			return path
		}
	}
	block, _, _ := strings.Cut(paths[0], ".")
	return block
}

func namesOf(certificate *x509.Certificate) string {
	names := slices.Clone(certificate.DNSNames)
	for _, ip := range certificate.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host"
	}
	return strings.Join(names, ", ")
}

// alertOf is what the other side of TLS said before it hung up.
func alertOf(err error) (string, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return "", false
	}
	return op.Err.Error(), true
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return err == nil || ok && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func isCut(err error) bool {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "read" || op.Op == "write") && !op.Timeout()
}

// isConnection says whether err is about a connection, not about what was said.
func isConnection(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || isCut(err) || isTimeout(err) || kgo.IsRetryableBrokerErr(err)
}
