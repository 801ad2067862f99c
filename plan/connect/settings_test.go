package connect_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/queueform/queueform/plan/connect"
	"github.com/queueform/queueform/schema"
)

func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestPrecedence(t *testing.T) {
	there, nowhere := brokers(t)[0], "kafka.invalid:9092"
	embedded := at(there)
	embedded.Name = schema.EmbeddedCluster
	for name, test := range map[string]struct {
		cluster *schema.Cluster
		flag    []string
		env     map[string]string
	}{
		"the flag wins":         {at(nowhere), []string{there}, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": nowhere}},
		"then the environment":  {at(nowhere), nil, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": " " + there + ", " + there}},
		"then the block":        {at(there), nil, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": ""}},
		"no block":              {nil, nil, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": there}},
		"no environment":        {at(there), nil, nil},
		"embedded, none looked": {embedded, nil, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": nowhere, "QUEUEFORM_TLS": "true"}},
		"TLS switched off":      {secured(at(there), &schema.TLS{}), nil, map[string]string{"QUEUEFORM_TLS": "false"}},
	} {
		t.Run(name, func(t *testing.T) {
			conn := open(t, test.cluster, connect.Options{BootstrapServers: test.flag, Env: env(test.env)})
			if err := ask(t, conn.Client()); err != nil {
				t.Error(conn.Explain(err))
			}
		})
	}
}

// TestOpenRefused checks what Open finds by itself, and that it points at the
// block where the block said it, and names the variable where that did.
func TestOpenRefused(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("-----BEGIN GARBAGE-----"), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := newAuthority(t)
	certificate, _ := files(t, ca.issue(t, nil))
	_, otherKey := files(t, ca.issue(t, nil))
	unset := schema.NewSecret(func() (string, error) { return "", errors.New(`main.hcl:7: no environment variable "KAFKA_PASSWORD"`) })
	login := func(m schema.Mechanism, password schema.Secret) *schema.SASL {
		return &schema.SASL{Mechanism: m, Username: "deployer", Password: password}
	}
	for name, test := range map[string]struct {
		cluster *schema.Cluster
		env     map[string]string
		summary string // its beginning
		attr    string
	}{
		"no servers":         {nil, nil, "No bootstrap servers", "bootstrap_servers"},
		"no port":            {at("b1.example"), nil, `bootstrap_servers has "b1.example", which is not host:port`, "bootstrap_servers"},
		"no port, variable":  {nil, map[string]string{"QUEUEFORM_BOOTSTRAP_SERVERS": "b1:x"}, `QUEUEFORM_BOOTSTRAP_SERVERS has "b1:x", which is not host:port`, ""},
		"ca missing":         {secured(at("b1:1"), &schema.TLS{CAFile: "missing.pem"}), nil, "tls.ca_file cannot be read: open missing.pem: no such file or directory", "tls.ca_file"},
		"ca garbage":         {secured(at("b1:1"), &schema.TLS{CAFile: garbage}), nil, "tls.ca_file holds no certificate", "tls.ca_file"},
		"ca by variable":     {at("b1:1"), map[string]string{"QUEUEFORM_TLS_CA_FILE": garbage}, "QUEUEFORM_TLS_CA_FILE holds no certificate", ""},
		"key missing":        {secured(at("b1:1"), &schema.TLS{CertFile: certificate, KeyFile: "missing.pem"}), nil, "tls.key_file cannot be read", "tls.key_file"},
		"key of another":     {secured(at("b1:1"), &schema.TLS{CertFile: certificate, KeyFile: otherKey}), nil, "The client certificate and its key cannot be used: tls: private key does not match public key", "tls.cert_file"},
		"no key":             {secured(at("b1:1"), &schema.TLS{CertFile: certificate}), nil, "Half a client certificate", "tls.cert_file"},
		"no key, variable":   {secured(at("b1:1"), &schema.TLS{}), map[string]string{"QUEUEFORM_TLS_CERT_FILE": certificate}, "Half a client certificate", ""},
		"secret without one": {loggedIn(at("b1:1"), login(schema.Plain, unset)), nil, "sasl.password has no value", "sasl.password"},
		"no password":        {loggedIn(at("b1:1"), login(schema.ScramSHA256, schema.Secret{})), nil, "SCRAM-SHA-256 needs sasl.password", "sasl"},
		"no mechanism":       {at("b1:1"), map[string]string{"QUEUEFORM_SASL_USERNAME": "deployer"}, `Unknown SASL mechanism ""`, ""},
		"unknown mechanism":  {at("b1:1"), map[string]string{"QUEUEFORM_SASL_MECHANISM": "NTLM"}, `QUEUEFORM_SASL_MECHANISM is not usable: there is no mechanism "NTLM"`, ""},
		"no client id":       {loggedIn(at("b1:1"), &schema.SASL{Mechanism: schema.OAuthBearer, TokenURL: "http://t"}), nil, "OAUTHBEARER needs sasl.client_id", "sasl"},
		"neither true":       {at("b1:1"), map[string]string{"QUEUEFORM_TLS": "maybe"}, `QUEUEFORM_TLS is not usable: "maybe" is neither true nor false`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if test.cluster != nil {
				test.cluster.Attrs = map[string]hcl.Range{"bootstrap_servers": {}, "tls.ca_file": {}, "tls.cert_file": {}, "tls.key_file": {}, "sasl.mechanism": {}}
			}
			_, err := connect.Open(t.Context(), test.cluster, connect.Options{Env: env(test.env)})
			var got *connect.Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(got.Summary, test.summary) || got.Attr != test.attr || got.Remedy == "" {
				t.Errorf("got %+v\nwant %q, %q", got, test.summary, test.attr)
			}
		})
	}
}

// TestNoneChosen names the clusters to choose from, and wants none where
// something else says which.
// An error begins as those of Go do, but a name is a name.
func TestErrorBegins(t *testing.T) {
	for summary, want := range map[string]string{
		"The cluster is away":            "the cluster is away: Wait.",
		"A broker is away":               "a broker is away: Wait.",
		"QUEUEFORM_TLS is not usable":    "QUEUEFORM_TLS is not usable: Wait.",
		"SCRAM-SHA-512 needs a password": "SCRAM-SHA-512 needs a password: Wait.",
	} {
		e := &connect.Error{Summary: summary, Remedy: "Wait."}
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

func TestNoneChosen(t *testing.T) {
	o := connect.Options{Clusters: []string{"dev", "prod"}}
	_, err := connect.Open(t.Context(), nil, o)
	if want := "no cluster is chosen: Choose one with --cluster: dev, prod, embedded."; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	o.BootstrapServers = []string{"b1:1"}
	open(t, nil, o)
}

// A flag that names no server does not fall back to the block.
func TestEmptyFlag(t *testing.T) {
	_, err := connect.Open(t.Context(), at("b1:1"), connect.Options{BootstrapServers: []string{}})
	if got, ok := errors.AsType[*connect.Error](err); !ok || got.Summary != "--bootstrap-servers is empty" || got.Attr != "" {
		t.Errorf("got %+v", err)
	}
}

// TestOverrides connects by the variables alone, and uses each.
func TestOverrides(t *testing.T) {
	ca := newAuthority(t)
	mutual := &tls.Config{
		Certificates: []tls.Certificate{ca.issue(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"b1.example"} })},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(),
	}
	certificate, key := files(t, ca.issue(t, nil))
	used := map[string]bool{"QUEUEFORM_BOOTSTRAP_SERVERS": true, "QUEUEFORM_TLS": true} // TestPrecedence has them
	for _, test := range []struct {
		servers []string
		env     map[string]string
	}{
		{brokers(t, kfake.TLS(mutual)), map[string]string{
			"QUEUEFORM_TLS_CA_FILE": ca.file(t), "QUEUEFORM_TLS_CERT_FILE": certificate, "QUEUEFORM_TLS_KEY_FILE": key, "QUEUEFORM_TLS_SERVER_NAME": "b1.example",
		}},
		{brokers(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "deployer", password)), map[string]string{
			"QUEUEFORM_SASL_MECHANISM": "PLAIN", "QUEUEFORM_SASL_USERNAME": "deployer", "QUEUEFORM_SASL_PASSWORD": password,
		}},
		{bearing(t, nil), map[string]string{"QUEUEFORM_SASL_MECHANISM": "OAUTHBEARER", "QUEUEFORM_SASL_TOKEN": "given"}},
		{bearing(t, nil), map[string]string{
			"QUEUEFORM_SASL_MECHANISM": "OAUTHBEARER", "QUEUEFORM_SASL_TOKEN_URL": tokens(t, nil), "QUEUEFORM_SASL_CLIENT_ID": "deployer",
			"QUEUEFORM_SASL_CLIENT_SECRET": "key", "QUEUEFORM_SASL_SCOPE": "kafka",
		}},
	} {
		conn := open(t, at(test.servers...), connect.Options{Env: env(test.env)})
		if err := ask(t, conn.Client()); err != nil {
			t.Errorf("%v: %v", test.env, conn.Explain(err))
		}
		for name := range test.env {
			used[name] = true
		}
	}
	for _, o := range connect.Overrides {
		if !used[o.Name] {
			t.Errorf("%s is not tested", o.Name)
		}
	}
}

// TestUser logs in as a user of the topology, whoever the environment names,
// and says whose password it is that does not do.
func TestUser(t *testing.T) {
	servers := brokers(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "shop", password))
	deployer := env(map[string]string{"QUEUEFORM_SASL_MECHANISM": "SCRAM-SHA-512", "QUEUEFORM_SASL_USERNAME": "deployer", "QUEUEFORM_SASL_PASSWORD": "x"})
	given := func(value string, err error) schema.Secret {
		return schema.NewSecret(func() (string, error) { return value, err })
	}
	for name, test := range map[string]struct {
		password schema.Secret
		want     string
	}{
		"right": {given(password, nil), ""},
		"unset": {given("", errors.New("SHOP is not set")), "password of user.shop has no value"},
		"empty": {given("", nil), "password of user.shop is empty"},
		"wrong": {given("wrong", nil), "check name of user.shop and password of user.shop"},
	} {
		t.Run(name, func(t *testing.T) {
			u := &schema.User{Decl: schema.Decl{Addr: schema.Addr{Kind: schema.KindUser, Label: "shop"}}, Name: "shop", Mechanisms: []schema.Mechanism{schema.ScramSHA256}, Password: test.password}
			conn, err := connect.Open(t.Context(), at(servers...), connect.Options{Env: deployer, User: u})
			if err == nil {
				t.Cleanup(conn.Client().Close)
				err = conn.Explain(ask(t, conn.Client()))
			}
			told, failed := errors.AsType[*connect.Error](err)
			if failed != (test.want != "") || failed && (!strings.Contains(told.Error(), test.want) || told.Attr != "") {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}
