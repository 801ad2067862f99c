package connect

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/queueform/queueform/schema"
)

// Override is an environment variable that replaces one attribute of the
// cluster block. An empty variable replaces nothing.
type Override struct {
	Name string // of the variable
	Path string // of the attribute
	Doc  string
	set  func(*schema.Cluster, string) error
}

// Overrides are all the variables that are looked at, but for the embedded cluster.
var Overrides = []Override{
	{"QUEUEFORM_BOOTSTRAP_SERVERS", "bootstrap_servers", "host:port, several with commas between", setServers},
	{"QUEUEFORM_TLS", "tls", "true: TLS, trusting this system's authorities; false: none", setTLS},
	{"QUEUEFORM_TLS_CA_FILE", "tls.ca_file", "certificates of the authorities to trust, PEM", inTLS(func(t *schema.TLS) *string { return &t.CAFile })},
	{"QUEUEFORM_TLS_CERT_FILE", "tls.cert_file", "the client certificate, PEM", inTLS(func(t *schema.TLS) *string { return &t.CertFile })},
	{"QUEUEFORM_TLS_KEY_FILE", "tls.key_file", "the key of the client certificate, PEM", inTLS(func(t *schema.TLS) *string { return &t.KeyFile })},
	{"QUEUEFORM_TLS_SERVER_NAME", "tls.server_name", "the name that the brokers' certificates must show", inTLS(func(t *schema.TLS) *string { return &t.ServerName })},
	{"QUEUEFORM_SASL_MECHANISM", "sasl.mechanism", "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM", setMechanism},
	{"QUEUEFORM_SASL_USERNAME", "sasl.username", "for PLAIN and SCRAM", inSASL(func(s *schema.SASL, v string) { s.Username = v })},
	{"QUEUEFORM_SASL_PASSWORD", "sasl.password", "for PLAIN and SCRAM", inSASL(func(s *schema.SASL, v string) { s.Password = secret(v) })},
	{"QUEUEFORM_SASL_TOKEN", "sasl.token", "for OAUTHBEARER: the token itself", inSASL(func(s *schema.SASL, v string) { s.Token = secret(v) })},
	{"QUEUEFORM_SASL_TOKEN_URL", "sasl.token_url", "for OAUTHBEARER: where client credentials get a token", inSASL(func(s *schema.SASL, v string) { s.TokenURL = v })},
	{"QUEUEFORM_SASL_CLIENT_ID", "sasl.client_id", "for OAUTHBEARER with a token URL", inSASL(func(s *schema.SASL, v string) { s.ClientID = v })},
	{"QUEUEFORM_SASL_CLIENT_SECRET", "sasl.client_secret", "for OAUTHBEARER with a token URL", inSASL(func(s *schema.SASL, v string) { s.ClientSecret = secret(v) })},
	{"QUEUEFORM_SASL_SCOPE", "sasl.scope", "for OAUTHBEARER with a token URL", inSASL(func(s *schema.SASL, v string) { s.Scope = v })},
}

// settings are a cluster block after the overrides.
type settings struct {
	cluster schema.Cluster
	from    map[string]string // by path: the flag or variable that set it, where it was not the block; of tls and sasl what made, or took away, all of it
}

// Resolve is the cluster block with what flags and variables replace in it, and
// by path which of them did. It fails as [Open] does before it connects.
func Resolve(c *schema.Cluster, o Options) (*schema.Cluster, map[string]string, error) {
	s, err := resolve(c, o)
	return &s.cluster, s.from, err
}

func resolve(c *schema.Cluster, o Options) (settings, error) {
	s := settings{from: map[string]string{}}
	if c != nil {
		s.cluster = *c
	}
	s.cluster.TLS, s.cluster.SASL = clone(s.cluster.TLS), clone(s.cluster.SASL)
	if o.Env != nil && s.cluster.Name != schema.EmbeddedCluster {
		if err := s.override(o.Env); err != nil {
			return s, err
		}
	}
	if o.BootstrapServers != nil {
		s.cluster.BootstrapServers, s.from["bootstrap_servers"] = o.BootstrapServers, "--bootstrap-servers"
	}
	if o.User != nil && s.cluster.SASL != nil {
		s.logIn(o.User)
	}
	if c == nil && len(o.Clusters) > 0 && len(s.cluster.BootstrapServers) == 0 {
		return s, s.problem("bootstrap_servers", nil, "No cluster is chosen", "Choose one with --cluster: "+
			strings.Join(append(slices.Clone(o.Clusters), schema.EmbeddedCluster), ", ")+".")
	}
	return s, s.checkServers()
}

// logIn has a user of the topology log in, by the cluster's mechanism if that is
// one of the user's.
func (s *settings) logIn(u *schema.User) {
	s.cluster.SASL = &schema.SASL{Mechanism: u.Mechanism(s.cluster.SASL), Username: u.Name, Password: u.Password}
	for path, attr := range map[string]string{"sasl.mechanism": "mechanisms", "sasl.username": "name", "sasl.password": "password"} {
		s.from[path] = attr + " of " + u.Addr.String()
	}
}

// checkServers wants at least one bootstrap server, and each as host:port.
func (s *settings) checkServers() error {
	servers := slices.Clone(s.cluster.BootstrapServers)
	s.cluster.BootstrapServers = servers
	if from, elsewhere := s.from["bootstrap_servers"]; len(servers) == 0 && elsewhere {
		return s.problem("bootstrap_servers", nil, from+" is empty", "It takes servers as host:port, several with commas between.")
	}
	if len(servers) == 0 {
		return s.problem("bootstrap_servers", nil, "No bootstrap servers",
			"Declare a cluster block with bootstrap_servers, or say --bootstrap-servers HOST:PORT.")
	}
	for i, server := range servers {
		host, port, err := net.SplitHostPort(strings.TrimSpace(server))
		number, _ := strconv.ParseUint(port, 10, 16)
		if err != nil || host == "" || number == 0 {
			return s.problem("bootstrap_servers", err, fmt.Sprintf("%s has %q, which is not host:port", s.name("bootstrap_servers"), server),
				"Write each server with its port: b1.example:9092.")
		}
		servers[i] = net.JoinHostPort(host, port)
	}
	return nil
}

func (s *settings) override(env func(string) (string, bool)) error {
	for _, o := range Overrides {
		value, _ := env(o.Name)
		if value == "" {
			continue
		}
		secured, loggedIn := s.cluster.TLS != nil, s.cluster.SASL != nil
		if err := o.set(&s.cluster, value); err != nil {
			return &Error{Summary: fmt.Sprintf("%s is not usable: %v", o.Name, err), Remedy: "It is: " + o.Doc + ".", Err: err}
		}
		if o.Path != "tls" {
			s.from[o.Path] = o.Name
		}
		if secured != (s.cluster.TLS != nil) {
			s.from["tls"] = o.Name
		}
		if loggedIn != (s.cluster.SASL != nil) {
			s.from["sasl"] = o.Name
		}
	}
	return nil
}

// name is how people know the attribute at path: by the flag or variable that
// set it or, where variables stand for its block, could; else as in the block.
func (s *settings) name(path string) string {
	if from, ok := s.from[path]; ok {
		return from
	}
	if block, _, within := strings.Cut(path, "."); within && s.from[block] != "" {
		return variable(path)
	}
	return path
}

// block is how people know tls or sasl: as a block, or by the variable that
// stands for it.
func (s *settings) block(name string) string {
	if from, ok := s.from[name]; ok {
		return from
	}
	return "the " + name + " block"
}

// without is how to do without tls or sasl.
func (s *settings) without(name string) string {
	if from, ok := s.from[name]; ok {
		return "Unset " + from
	}
	return "Remove the " + name + " block"
}

// problem is an Error about the attribute at path.
func (s *settings) problem(path string, cause error, summary, remedy string) *Error {
	block, _, _ := strings.Cut(path, ".")
	if s.from[path] != "" || s.from[block] != "" {
		path = ""
	}
	return &Error{Summary: summary, Remedy: remedy, Attr: path, Err: cause}
}

// reveal gives the secret at path, which must be there.
func (s *settings) reveal(path string, secret schema.Secret) (string, error) {
	value, err := secret.Reveal()
	switch {
	case err != nil:
		return "", s.problem(path, err, s.name(path)+" has no value", err.Error())
	case value == "":
		return "", s.missing(path)
	}
	return value, nil
}

func (s *settings) missing(path string) error {
	if from, elsewhere := s.from[path]; elsewhere {
		return s.problem(path, nil, from+" is empty", "Nobody can log in with that.")
	}
	at := path
	if _, ok := s.cluster.Attrs[path]; !ok {
		at = "sasl"
	}
	return s.problem(at, nil, fmt.Sprintf("%s needs %s", s.cluster.SASL.Mechanism, path),
		fmt.Sprintf("Set it in the cluster block, or in %s.", variable(path)))
}

func variable(path string) string {
	i := slices.IndexFunc(Overrides, func(o Override) bool { return o.Path == path })
	return Overrides[i].Name
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	copied := *p
	return &copied
}

func secret(value string) schema.Secret {
	return schema.NewSecret(func() (string, error) { return value, nil })
}

func setServers(c *schema.Cluster, value string) error {
	c.BootstrapServers = strings.Split(value, ",")
	return nil
}

func setTLS(c *schema.Cluster, value string) error {
	on, err := strconv.ParseBool(value)
	switch {
	case err != nil:
		return fmt.Errorf("%q is neither true nor false", value)
	case !on:
		c.TLS = nil
	case c.TLS == nil:
		c.TLS = &schema.TLS{}
	}
	return nil
}

func inTLS(field func(*schema.TLS) *string) func(*schema.Cluster, string) error {
	return func(c *schema.Cluster, value string) error {
		if c.TLS == nil {
			c.TLS = &schema.TLS{}
		}
		*field(c.TLS) = value
		return nil
	}
}

func setMechanism(c *schema.Cluster, value string) error {
	if !slices.Contains(schema.Mechanisms(), schema.Mechanism(value)) {
		return fmt.Errorf("there is no mechanism %q", value)
	}
	return inSASL(func(s *schema.SASL, v string) { s.Mechanism = schema.Mechanism(v) })(c, value)
}

func inSASL(set func(*schema.SASL, string)) func(*schema.Cluster, string) error {
	return func(c *schema.Cluster, value string) error {
		if c.SASL == nil {
			c.SASL = &schema.SASL{}
		}
		set(c.SASL, value)
		return nil
	}
}
