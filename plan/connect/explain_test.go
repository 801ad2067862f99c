package connect_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/schema"
)

// explained is what a cluster block must lead to. ADDR stands for its first server.
type explained struct {
	name    string
	cluster *schema.Cluster
	summary string
	attr    string
}

func (e explained) check(t *testing.T, timeout time.Duration) {
	t.Helper()
	began := time.Now()
	got := failing(t, e.cluster, connect.Options{Timeout: timeout})
	if spent := time.Since(began); spent > 5*time.Second {
		t.Errorf("it took %v to find out", spent)
	}
	if want := strings.ReplaceAll(e.summary, "ADDR", e.cluster.BootstrapServers[0]); got.Summary != want {
		t.Errorf("summary %q\n   want %q", got.Summary, want)
	}
	if got.Attr != e.attr {
		t.Errorf("attribute %q, want %q", got.Attr, e.attr)
	}
	if got.Remedy == "" {
		t.Error("no remedy")
	}
	if strings.Contains(got.Error()+fmt.Sprintf("%+v", got), password) {
		t.Errorf("the password is told: %v", got)
	}
}

func TestExplainUnreachable(t *testing.T) {
	web := serving(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
	})
	one, two := refusing(t), refusing(t)
	for _, test := range []explained{
		{"refused", at(one), "Bootstrap server ADDR refuses connections", "bootstrap_servers"},
		{"no such host", at("kafka.invalid:9092"), "Bootstrap server ADDR is not a known host name", "bootstrap_servers"},
		{"all", at(one, two), "No bootstrap server can be reached: " + one + " refuses connections, " + two + " refuses connections", "bootstrap_servers"},
		{"web server", at(web), "Bootstrap server ADDR is a web server, not a Kafka broker", "bootstrap_servers"},
	} {
		t.Run(test.name, func(t *testing.T) { test.check(t, 0) })
	}
}

func TestExplainSilence(t *testing.T) {
	silent := serving(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	for _, test := range []explained{
		{"plaintext", at(silent), "Bootstrap server ADDR accepts the connection and says nothing", "bootstrap_servers"},
		{"TLS", secured(at(silent), &schema.TLS{}), "Bootstrap server ADDR does not answer to TLS", "tls"},
		{"token URL", loggedIn(at(bearing(t, nil)...), credentials("http://"+silent)), "No token from http://" + silent + ": it does not answer", "sasl.token_url"},
	} {
		t.Run(test.name, func(t *testing.T) { test.check(t, 500*time.Millisecond) })
	}
}

func TestExplainTLS(t *testing.T) {
	ca, ended := newAuthority(t), time.Now().Add(-time.Minute)
	trust := &schema.TLS{CAFile: ca.file(t)}
	known := func(certificate tls.Certificate) *schema.TLS {
		known := *trust
		known.CertFile, known.KeyFile = files(t, certificate)
		return &known
	}
	listening := func(certificate tls.Certificate, change func(*tls.Config)) *schema.Cluster {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}}
		if change != nil {
			change(config)
		}
		return at(brokers(t, kfake.TLS(config))...)
	}
	mutual := func(config *tls.Config) {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool()
	}
	closing := at(serving(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }))
	answering := at(serving(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "what do you mean?")
	}))
	alerting := at(serving(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte{21, 3, 3, 0, 2, 2, 80})
	}))
	good := ca.issue(t, nil)
	elsewhere := ca.issue(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"b1.example", "b2.example"} })
	old := ca.issue(t, func(c *x509.Certificate) { c.NotAfter = ended })
	for _, test := range []explained{
		{"plaintext to TLS", listening(good, nil), "Bootstrap server ADDR closes the connection at our first words", "bootstrap_servers"},
		{"plaintext to TLS with alert", alerting, "Bootstrap server ADDR speaks TLS, and we do not", "bootstrap_servers"},
		{"TLS to plaintext", secured(closing, trust), "Bootstrap server ADDR closes the connection in the TLS handshake", "tls"},
		{"TLS to words", secured(answering, trust), "Bootstrap server ADDR does not speak TLS, and we do", "tls"},
		{"unknown authority", secured(listening(good, nil), &schema.TLS{}), "Bootstrap server ADDR shows a certificate of an authority that is not trusted", "tls"},
		{"another host", secured(listening(elsewhere, nil), trust), "Bootstrap server ADDR shows a certificate for b1.example, b2.example, not for 127.0.0.1", "tls"},
		{"expired", secured(listening(old, nil), trust), "Bootstrap server ADDR shows a certificate that expired on " + ended.UTC().Format(time.DateOnly), "tls"},
		{"no client certificate", secured(listening(good, mutual), trust), "Bootstrap server ADDR wants a client certificate", "tls"},
		{"no client certificate, TLS 1.2", secured(listening(good, func(c *tls.Config) {
			mutual(c)
			c.MaxVersion = tls.VersionTLS12
		}), trust), "Bootstrap server ADDR wants a client certificate", "tls"},
		{"a stranger's client certificate", secured(listening(good, mutual), known(newAuthority(t).issue(t, nil))), "Bootstrap server ADDR refuses the client certificate: unknown certificate authority", "tls"},
		{"TLS 1.1", secured(listening(good, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS11, tls.VersionTLS11 }), trust), "Bootstrap server ADDR speaks no TLS version that is still safe", "tls"},
	} {
		t.Run(test.name, func(t *testing.T) { test.check(t, 0) })
	}
}

func TestExplainSASL(t *testing.T) {
	refusal := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error": "invalid_client", "error_description": "no such client"}`)
	}
	tokens := httptest.NewServer(http.HandlerFunc(refusal))
	defer tokens.Close()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	ca := newAuthority(t)
	secure, trust := kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}}), &schema.TLS{CAFile: ca.file(t)}
	user := func(m schema.Mechanism) *schema.SASL {
		return &schema.SASL{Mechanism: m, Username: "deployer", Password: secret(password)}
	}
	scram := at(brokers(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "deployer", "right"))...)
	plain := at(brokers(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "deployer", "right"))...)
	nowhere := refusing(t)
	for _, test := range []explained{
		{"wrong password", loggedIn(at(saslFailing(t, kmsg.SASLAuthenticate, kerr.SaslAuthenticationFailed)...), user(schema.ScramSHA512)), `Bootstrap server ADDR refuses user "deployer" with SCRAM-SHA-512`, "sasl.password"},
		{"wrong PLAIN password, closed", loggedIn(plain, user(schema.Plain)), `Bootstrap server ADDR closes the connection at the login of user "deployer" with PLAIN`, "sasl.password"},
		{"wrong SCRAM password, closed", loggedIn(scram, user(schema.ScramSHA512)), `Bootstrap server ADDR closes the connection at the login of user "deployer" with SCRAM-SHA-512`, "sasl.password"},
		{"no login", scram, "Bootstrap server ADDR closes the connection at the first request", "bootstrap_servers"},
		{"not offered", loggedIn(scram, &schema.SASL{Mechanism: schema.OAuthBearer, Token: secret("t")}), "The brokers do not offer SASL mechanism OAUTHBEARER, only PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", "sasl.mechanism"},
		{"not wanted", loggedIn(at(saslFailing(t, kmsg.SASLHandshake, kerr.IllegalSaslState)...), user(schema.Plain)), "Bootstrap server ADDR does not use SASL, and we do", "sasl"},
		{"client refused", loggedIn(at(bearing(t, nil)...), credentials(tokens.URL)), "No token from " + tokens.URL + ": 401 Unauthorized, invalid_client: no such client", "sasl.client_secret"},
		{"token URL unreachable", loggedIn(at(bearing(t, nil)...), credentials("http://"+nowhere)), "No token from http://" + nowhere + ": connection refused", "sasl.token_url"},
		{"no AWS credentials", loggedIn(secured(at(bearing(t, nil, secure)...), trust), &schema.SASL{Mechanism: schema.AWSMSKIAM}), "No AWS credentials were found", "sasl.mechanism"},
	} {
		t.Run(test.name, func(t *testing.T) { test.check(t, 0) })
	}
}

// What a variable asks for is not blamed on the block.
func TestExplainVariables(t *testing.T) {
	ca := newAuthority(t)
	security := kfake.TLS(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}})
	secure, plaintext := at(brokers(t, security)...), at(serving(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, "what do you mean?")
	}))
	sasl := at(saslFailing(t, kmsg.SASLHandshake, kerr.IllegalSaslState)...)
	stranger := newAuthority(t).file(t)
	for _, test := range []struct {
		name    string
		cluster *schema.Cluster
		env     map[string]string
		remedy  string
	}{
		{"TLS on", plaintext, map[string]string{"QUEUEFORM_TLS": "true"}, "Unset QUEUEFORM_TLS, or use"},
		{"TLS by a file", plaintext, map[string]string{"QUEUEFORM_TLS_CA_FILE": ca.file(t)}, "Unset QUEUEFORM_TLS_CA_FILE, or use"},
		{"TLS off", secured(secure, &schema.TLS{}), map[string]string{"QUEUEFORM_TLS": "false"}, "unset QUEUEFORM_TLS, or use"},
		{"no authority", secure, map[string]string{"QUEUEFORM_TLS": "true"}, "Set QUEUEFORM_TLS_CA_FILE to"},
		{"another authority", secured(secure, &schema.TLS{}), map[string]string{"QUEUEFORM_TLS_CA_FILE": stranger}, "Set QUEUEFORM_TLS_CA_FILE to"},
		{"SASL", sasl, map[string]string{"QUEUEFORM_SASL_MECHANISM": "PLAIN", "QUEUEFORM_SASL_USERNAME": "u", "QUEUEFORM_SASL_PASSWORD": password}, "Unset QUEUEFORM_SASL_MECHANISM, or use"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := failing(t, test.cluster, connect.Options{Env: env(test.env)})
			if !strings.Contains(got.Remedy, test.remedy) || test.name != "TLS off" && got.Attr != "" {
				t.Errorf("got %+v, want %q", got, test.remedy)
			}
		})
	}
	got := failing(t, secured(plaintext, &schema.TLS{}), connect.Options{Env: env(map[string]string{"QUEUEFORM_TLS": "true"})})
	if got.Attr != "tls" || !strings.HasPrefix(got.Remedy, "Remove the tls block") {
		t.Errorf("the block asks for TLS itself: %+v", got)
	}
}
