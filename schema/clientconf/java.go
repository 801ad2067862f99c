package clientconf

import (
	"path/filepath"
	"slices"

	"github.com/queueform/queueform/schema"
)

// java is the settings as the Java client takes them, and what it wants besides.
func (c *Client) java() (all []value, notes []string) {
	all = slices.Concat(c.values, c.javaTLS(), c.javaLogin())
	slices.SortFunc(all, byName)
	if c.login != nil && c.login.tokenURL != "" {
		notes = append(notes, "Java goes to a token URL that it is allowed to: -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="+c.login.tokenURL)
	}
	return all, notes
}

func (c *Client) javaTLS() []value {
	if c.tls == nil {
		return nil
	}
	var all []value
	set := func(name string, text part) { all = append(all, value{name, parts{text}, c.tlsFrom}) }
	if c.tls.CAFile != "" {
		set("ssl.truststore.type", plain("PEM"))
		set("ssl.truststore.location", plain(c.tls.CAFile))
	}
	if c.tls.CertFile != "" {
		set("ssl.keystore.type", plain("PEM"))
		set("ssl.keystore.certificate.chain", part{file: c.tls.CertFile})
		set("ssl.keystore.key", part{file: c.tls.KeyFile})
	}
	return all
}

// The classes of the Java client that log in.
const (
	scramModule  = "org.apache.kafka.common.security.scram.ScramLoginModule"
	plainModule  = "org.apache.kafka.common.security.plain.PlainLoginModule"
	bearerModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
	bearerLogin  = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
	iamModule    = "software.amazon.msk.auth.iam.IAMLoginModule"
	iamLogin     = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
)

func (c *Client) javaLogin() []value {
	l := c.login
	if l == nil {
		return nil
	}
	var all []value
	set := func(name string, text ...part) { all = append(all, value{name, text, c.loginFrom}) }
	set("sasl.mechanism", plain(string(l.mechanism)))
	const jaas = "sasl.jaas.config"
	switch l.mechanism {
	case schema.ScramSHA256, schema.ScramSHA512:
		set(jaas, entry(scramModule, option{"username", l.name}, option{"password", l.secret})...)
	case schema.Plain:
		set(jaas, entry(plainModule, option{"username", l.name}, option{"password", l.secret})...)
	case schema.AWSMSKIAM:
		set(jaas, entry(iamModule)...)
		set("sasl.client.callback.handler.class", plain(iamLogin))
	case schema.OAuthBearer:
		if l.tokenURL == "" { // a token comes from the application
			set(jaas, entry(bearerModule)...)
			break
		}
		options := []option{{"clientId", l.name}, {"clientSecret", l.secret}}
		if l.scope != "" {
			options = append(options, option{"scope", plain(l.scope)})
		}
		set(jaas, entry(bearerModule, options...)...)
		set("sasl.login.callback.handler.class", plain(bearerLogin))
		set("sasl.oauthbearer.token.endpoint.url", plain(l.tokenURL))
	}
	return all
}

type option struct {
	name  string
	value part
}

// entry is a line of JAAS: a module and its options.
func entry(module string, options ...option) parts {
	line := parts{plain(module + " required")}
	for _, o := range options {
		o.value.quoted = true
		line = append(line, plain(" "+o.name+`="`), o.value, plain(`"`))
	}
	return append(line, plain(";"))
}

// providers are the classes of the Java client that resolve the references in
// values, by what refers to them.
var providers = []struct {
	name, class string
	resolves    func(part) bool
}{
	{"env", "org.apache.kafka.common.config.provider.EnvVarConfigProvider", isVariable},
	{"directory", "org.apache.kafka.common.config.provider.DirectoryConfigProvider", isFile},
}

// provided adds what resolves the references in the values.
func provided(all []value) []value {
	const key = "config.providers"
	i := slices.IndexFunc(all, func(v value) bool { return v.name == key })
	for _, p := range providers {
		if !slices.ContainsFunc(all, func(v value) bool { return v.text.refers(p.resolves) }) {
			continue
		}
		if i < 0 {
			i, all = len(all), append(all, value{name: key, from: "derived from the references"})
		} else {
			all[i].text = append(slices.Clip(all[i].text), plain(","))
		}
		all[i].text = append(all[i].text, plain(p.name))
		all = append(all, value{key + "." + p.name + ".class", parts{plain(p.class)}, "derived from the references"})
	}
	slices.SortFunc(all, byName)
	return all
}

func envReference(variable string) string { return "${env:" + variable + "}" }

func fileReference(file string) string {
	return "${directory:" + filepath.Dir(file) + ":" + filepath.Base(file) + "}"
}
