package clientconf

import (
	"strings"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// login is who connects, by whatever mechanism. What a mechanism does not take
// is empty.
type login struct {
	mechanism schema.Mechanism
	name      part // the user, or the id of an OAuth client
	secret    part // the password, or the secret of an OAuth client
	tokenURL  string
	scope     string
}

func (b *builder) connection(d *schema.Decl, principal string) {
	c := b.client
	b.set("bootstrap.servers", b.cluster.where("bootstrap_servers"), plain(strings.Join(b.cluster.BootstrapServers, ",")))
	c.tls, c.tlsFrom = b.cluster.TLS, b.cluster.where("tls")
	b.logIn(d, principal)
	if c.login != nil && c.login.mechanism == schema.AWSMSKIAM && c.tls == nil {
		c.tls = &schema.TLS{}
	}
	b.set("security.protocol", "derived from tls and sasl", plain(securityProtocol(c.tls != nil, c.login != nil)))
	if c.tls == nil {
		return
	}
	if c.tls.ServerName != "" {
		b.note("tls.server_name has no equivalent: the addresses of the brokers must be in their certificates")
	}
	if c.tls.CertFile != "" {
		b.note("%s and %s are of who applies: put the application's own certificate in their places, its key as PKCS #8", c.tls.CertFile, c.tls.KeyFile)
	}
}

func securityProtocol(encrypted, loggedIn bool) string {
	switch {
	case encrypted && loggedIn:
		return "SASL_SSL"
	case encrypted:
		return "SSL"
	case loggedIn:
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// logIn finds who the principal is: a user of the topology, or somebody who
// comes in by the cluster's mechanism with credentials of their own.
func (b *builder) logIn(d *schema.Decl, principal string) {
	sasl, c := b.cluster.SASL, b.client
	if u := b.topology.UserOf(principal); u != nil {
		c.loginFrom = diag.Place(u.Source)
		c.login = &login{mechanism: u.Mechanism(sasl), name: plain(u.Name), secret: reference(u.Name, "PASSWORD", u.Password)}
		return
	}
	if sasl == nil {
		return
	}
	c.loginFrom = b.cluster.where("sasl")
	if principal != "" {
		c.loginFrom += ", for the principal at " + diag.Place(d.At("principal"))
	}
	_, name, _ := strings.Cut(principal, ":")
	c.login = &login{mechanism: sasl.Mechanism}
	switch sasl.Mechanism {
	case schema.AWSMSKIAM: // the environment has the credentials
	case schema.OAuthBearer:
		c.login.tokenURL, c.login.scope = sasl.TokenURL, sasl.Scope
		b.credentials(name, "CLIENT_ID", "CLIENT_SECRET", sasl.ClientID, sasl.ClientSecret)
	case schema.Plain, schema.ScramSHA256, schema.ScramSHA512:
		b.credentials(name, "USERNAME", "PASSWORD", sasl.Username, sasl.Password)
	}
}

// credentials are the principal's, known where it is who applies. Where none is
// declared the application brings them all.
func (b *builder) credentials(name, nameVariable, secretVariable, applies string, known schema.Secret) {
	l := b.client.login
	switch {
	case name == "":
		l.name, l.secret = reference("kafka", nameVariable, schema.Secret{}), reference("kafka", secretVariable, schema.Secret{})
		b.note("no principal is declared: set %s and %s", l.name.variable, l.secret.variable)
	case name == applies:
		l.name, l.secret = plain(name), reference(name, secretVariable, known)
	default:
		l.name, l.secret = plain(name), reference(name, secretVariable, schema.Secret{})
		b.note("%s is not declared as a user: set %s to its secret", name, l.secret.variable)
	}
}

// reference is to the variable that a secret is from or, where that is not
// known, to one named after whose it is.
func reference(of, what string, secret schema.Secret) part {
	variable := secret.Variable()
	if variable == "" {
		variable = variableName(of) + "_" + what
	}
	return part{variable: variable, secret: secret}
}

// variableName is text as a variable of an environment may be called.
func variableName(text string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return '_'
	}, text)
	if '0' <= name[0] && name[0] <= '9' {
		return "_" + name
	}
	return name
}
