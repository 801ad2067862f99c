package lang

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/queueform/queueform/schema"
)

type clusterBlock struct {
	Name             string         `hcl:"name,label"`
	NameRange        hcl.Range      `hcl:"name,label_range"`
	BootstrapServers hcl.Expression `hcl:"bootstrap_servers,optional"`
	ClusterID        hcl.Expression `hcl:"cluster_id,optional"`
	Variables        hcl.Expression `hcl:"variables,optional"`
	Principal        hcl.Expression `hcl:"principal,optional"`
	OpenByDefault    hcl.Expression `hcl:"open_by_default,optional"`
	Description      hcl.Expression `hcl:"description,optional"`
	Labels           hcl.Expression `hcl:"labels,optional"`
	TLS              *tlsBlock      `hcl:"tls,block"`
	SASL             *saslBlock     `hcl:"sasl,block"`
	DefRange         hcl.Range      `hcl:",def_range"`
}

type tlsBlock struct {
	CAFile     hcl.Expression `hcl:"ca_file,optional"`
	CertFile   hcl.Expression `hcl:"cert_file,optional"`
	KeyFile    hcl.Expression `hcl:"key_file,optional"`
	ServerName hcl.Expression `hcl:"server_name,optional"`
	DefRange   hcl.Range      `hcl:",def_range"`
}

type saslBlock struct {
	Mechanism    hcl.Expression `hcl:"mechanism"`
	Username     hcl.Expression `hcl:"username,optional"`
	Password     hcl.Expression `hcl:"password,optional"`
	Token        hcl.Expression `hcl:"token,optional"`
	TokenURL     hcl.Expression `hcl:"token_url,optional"`
	ClientID     hcl.Expression `hcl:"client_id,optional"`
	ClientSecret hcl.Expression `hcl:"client_secret,optional"`
	Scope        hcl.Expression `hcl:"scope,optional"`
	DefRange     hcl.Range      `hcl:",def_range"`
}

// chooseCluster finds the block that is asked for, or the only one. The
// embedded cluster has none.
func (l *loader) chooseCluster() *clusterBlock {
	byName := map[string]*clusterBlock{}
	s := l.scope(nil)
	for _, c := range l.blocks.Clusters {
		switch first, twice := byName[c.Name]; {
		case c.Name == schema.EmbeddedCluster:
			s.refuse(c.NameRange, "This name is taken", "The cluster %q is always there: it runs within queueform.", c.Name)
		case twice:
			s.refuse(c.NameRange, "Cluster declared twice", "It is declared at %s already.", place(first.NameRange))
		default:
			byName[c.Name] = c
		}
	}
	switch name := l.options.Cluster; {
	case name == schema.EmbeddedCluster:
		return nil
	case name != "":
		if chosen, ok := byName[name]; ok {
			return chosen
		}
		known := slices.Sorted(maps.Keys(byName))
		l.complain(problem(fmt.Sprintf("No cluster %q", name), fmt.Sprintf("The files declare these: %s.%s",
			strings.Join(append(known, schema.EmbeddedCluster), ", "), didYouMean(name, known)))...)
	case len(byName) == 1:
		return l.blocks.Clusters[0]
	}
	return nil
}

// clusterVariables hands on the literals that belong to a cluster: they are
// read before anything else, so they can use nothing.
func (l *loader) clusterVariables(c *clusterBlock, set func(string, given)) {
	v, diags := c.Variables.Value(nil)
	l.complain(explained(diags)...)
	if diags.HasErrors() || v.IsNull() {
		return
	}
	if !v.CanIterateElements() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		l.scope(nil).refuse(c.Variables.Range(), "Wrong type of value", "variables is a map: { env = \"prod\" }.")
		return
	}
	for key, value := range v.Elements() {
		set(key.AsString(), given{value: value, from: "cluster." + c.Name, at: c.Variables.Range().Ptr()})
	}
}

// cluster evaluates the chosen block, and lets expressions see its name.
func (l *loader) cluster(c *clusterBlock) *schema.Cluster {
	if l.options.Cluster == schema.EmbeddedCluster {
		l.nameCluster(schema.EmbeddedCluster)
		return &schema.Cluster{Name: schema.EmbeddedCluster}
	}
	if c == nil {
		return nil
	}
	l.nameCluster(c.Name)
	s := l.scope(l.base)
	d := &schema.Cluster{Name: c.Name, Source: c.DefRange, Attrs: map[string]hcl.Range{}}
	d.BootstrapServers = s.servers(c.BootstrapServers)
	s.note(d.Attrs, "bootstrap_servers", c.BootstrapServers)
	d.ID, _ = s.text(c.ClusterID)
	s.note(d.Attrs, "cluster_id", c.ClusterID)
	d.Principal, _ = s.text(c.Principal)
	if d.Principal != "" && !strings.Contains(d.Principal, ":") {
		s.refuse(c.Principal.Range(), "Not a principal", "A principal has a type: \"User:%s\".", d.Principal)
	}
	if open, ok := s.flag(c.OpenByDefault); ok {
		d.OpenByDefault = &open
	}
	if c.TLS != nil {
		d.TLS = l.tls(s, c.TLS, d.Attrs)
	}
	if c.SASL != nil {
		d.SASL = s.sasl(c.SASL, d.Attrs)
	}
	return d
}

func (l *loader) nameCluster(name string) {
	l.base.Variables["cluster"] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name)})
}

// servers takes a list, or Kafka's comma-separated string.
func (s *scope) servers(expr hcl.Expression) []string {
	v, ok := s.value(expr)
	if !ok {
		return nil
	}
	var servers []string
	if v.Type() == cty.String {
		servers = strings.Split(v.AsString(), ",")
	} else if servers, ok = s.texts(expr); !ok {
		return nil
	}
	for i, server := range servers {
		servers[i] = strings.TrimSpace(server)
		if host, port, err := net.SplitHostPort(servers[i]); err != nil || host == "" || port == "" {
			s.refuse(expr.Range(), "Not a bootstrap server", "%q is not host:port.", server)
		}
	}
	return servers
}

func (l *loader) tls(s *scope, b *tlsBlock, attrs map[string]hcl.Range) *schema.TLS {
	path := func(name string, expr hcl.Expression) string {
		text, ok := s.text(expr)
		s.note(attrs, "tls."+name, expr)
		if !ok || filepath.IsAbs(text) {
			return text
		}
		return filepath.Join(l.dir, text)
	}
	attrs["tls"] = b.DefRange
	t := &schema.TLS{CAFile: path("ca_file", b.CAFile), CertFile: path("cert_file", b.CertFile), KeyFile: path("key_file", b.KeyFile)}
	t.ServerName, _ = s.text(b.ServerName)
	if (t.CertFile == "") != (t.KeyFile == "") {
		s.refuse(b.DefRange, "Half a client certificate", "cert_file and key_file go together.")
	}
	return t
}

var mechanisms = []string{
	string(schema.Plain), string(schema.ScramSHA256), string(schema.ScramSHA512), string(schema.OAuthBearer), string(schema.AWSMSKIAM),
}

func (s *scope) sasl(b *saslBlock, attrs map[string]hcl.Range) *schema.SASL {
	mechanism, _ := s.text(b.Mechanism)
	if mechanism != "" && !slices.Contains(mechanisms, mechanism) {
		s.refuse(b.Mechanism.Range(), fmt.Sprintf("Unknown SASL mechanism %q", mechanism), "It is one of %s.%s", strings.Join(mechanisms, ", "), didYouMean(mechanism, mechanisms))
	}
	d := &schema.SASL{Mechanism: schema.Mechanism(mechanism)}
	d.Username, _ = s.text(b.Username)
	d.TokenURL, _ = s.text(b.TokenURL)
	d.ClientID, _ = s.text(b.ClientID)
	d.Scope, _ = s.text(b.Scope)
	d.Password, d.Token, d.ClientSecret = s.secret(b.Password), s.secret(b.Token), s.secret(b.ClientSecret)
	for name, expr := range map[string]hcl.Expression{
		"mechanism": b.Mechanism, "username": b.Username, "password": b.Password, "token": b.Token,
		"token_url": b.TokenURL, "client_id": b.ClientID, "client_secret": b.ClientSecret,
	} {
		s.note(attrs, "sasl."+name, expr)
	}
	attrs["sasl"] = b.DefRange
	s.completeSASL(b, d)
	return d
}

// completeSASL refuses what a mechanism cannot work without.
func (s *scope) completeSASL(b *saslBlock, d *schema.SASL) {
	switch d.Mechanism {
	case schema.Plain, schema.ScramSHA256, schema.ScramSHA512:
		if d.Username == "" || !d.Password.IsSet() {
			s.refuse(b.DefRange, "Incomplete credentials", "%s needs username and password.", d.Mechanism)
		}
	case schema.OAuthBearer:
		client := d.TokenURL != "" && d.ClientID != "" && d.ClientSecret.IsSet()
		if d.Token.IsSet() == client {
			s.refuse(b.DefRange, "Incomplete credentials", "OAUTHBEARER needs either token, or token_url, client_id and client_secret.")
		}
	case schema.AWSMSKIAM:
	}
}

// secret keeps an expression to be evaluated when the secret is needed. What
// can be said of it without the secret's value is said now.
func (s *scope) secret(expr hcl.Expression) schema.Secret {
	if v, diags := expr.Value(nil); !diags.HasErrors() && v.IsNull() {
		return schema.Secret{}
	}
	lenient := s.ctx.NewChild()
	lenient.Functions = functions(s.loader.dir, func(string) (string, bool) { return "", true })
	_, diags := expr.Value(lenient)
	s.loader.complain(explained(diags)...)
	return schema.NewSecret(func() (string, error) {
		v, diags := expr.Value(s.ctx)
		if diags.HasErrors() {
			return "", fmt.Errorf("%s: %s", place(expr.Range()), diags[0].Detail)
		}
		v, _ = v.Unmark()
		text, err := convert.Convert(v, cty.String)
		switch {
		case !v.IsKnown():
			return "", fmt.Errorf("%s: the variable has no value", place(expr.Range()))
		case err != nil || text.IsNull():
			return "", errors.New(place(expr.Range()) + ": a secret is a string")
		}
		return text.AsString(), nil
	})
}

// note remembers where an attribute was written, if it was.
func (s *scope) note(attrs map[string]hcl.Range, path string, expr hcl.Expression) {
	if v, diags := expr.Value(s.ctx); diags.HasErrors() || !v.IsNull() {
		attrs[path] = expr.Range()
	}
}
