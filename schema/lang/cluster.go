package lang

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

type clusterBlock struct {
	Name             string         `hcl:"name,label"`
	NameRange        hcl.Range      `hcl:"name,label_range"`
	BootstrapServers *hcl.Attribute `hcl:"bootstrap_servers,optional"`
	ClusterID        *hcl.Attribute `hcl:"cluster_id,optional"`
	Variables        *hcl.Attribute `hcl:"variables,optional"`
	Principal        *hcl.Attribute `hcl:"principal,optional"`
	OpenByDefault    *hcl.Attribute `hcl:"open_by_default,optional"`
	Description      *hcl.Attribute `hcl:"description,optional"`
	Labels           *hcl.Attribute `hcl:"labels,optional"`
	TLS              *tlsBlock      `hcl:"tls,block"`
	SASL             *saslBlock     `hcl:"sasl,block"`
	Capacity         *capacityBlock `hcl:"capacity,block"`
	DefRange         hcl.Range      `hcl:",def_range"`
}

type capacityBlock struct {
	PartitionsPerBroker *hcl.Attribute `hcl:"max_partitions_per_broker,optional"`
	BytesInPerBroker    *hcl.Attribute `hcl:"max_bytes_in_per_broker,optional"`
	BytesInPerPartition *hcl.Attribute `hcl:"max_bytes_in_per_partition,optional"`
}

type tlsBlock struct {
	CAFile     *hcl.Attribute `hcl:"ca_file,optional"`
	CertFile   *hcl.Attribute `hcl:"cert_file,optional"`
	KeyFile    *hcl.Attribute `hcl:"key_file,optional"`
	ServerName *hcl.Attribute `hcl:"server_name,optional"`
	DefRange   hcl.Range      `hcl:",def_range"`
}

type saslBlock struct {
	Mechanism    *hcl.Attribute `hcl:"mechanism,optional"`
	Username     *hcl.Attribute `hcl:"username,optional"`
	Password     *hcl.Attribute `hcl:"password,optional"`
	Token        *hcl.Attribute `hcl:"token,optional"`
	TokenURL     *hcl.Attribute `hcl:"token_url,optional"`
	ClientID     *hcl.Attribute `hcl:"client_id,optional"`
	ClientSecret *hcl.Attribute `hcl:"client_secret,optional"`
	Scope        *hcl.Attribute `hcl:"scope,optional"`
	DefRange     hcl.Range      `hcl:",def_range"`
}

// chooseCluster finds the block that is asked for, or the only one. The
// embedded cluster has none.
func (l *loader) chooseCluster() *clusterBlock {
	byName := map[string]*clusterBlock{}
	s := l.scope(nil)
	for _, c := range l.blocks.Clusters {
		switch first, twice := byName[c.Name]; {
		case c.Name == "":
			s.refuse(c.NameRange, "Cluster without a name", "The name chooses it: --cluster prod.")
		case c.Name == schema.EmbeddedCluster:
			s.refuse(c.NameRange, "This name is taken", "The cluster %q is always there: it runs within queueform.", c.Name)
		case twice:
			s.refuse(c.NameRange, "Cluster declared twice", "It is declared at %s already.", diag.Place(first.NameRange))
		default:
			byName[c.Name] = c
		}
	}
	name, known := l.options.Cluster, slices.Sorted(maps.Keys(byName))
	if name == "" && len(known) == 1 {
		name = known[0]
	}
	chosen := byName[name]
	if chosen == nil && name != "" && name != schema.EmbeddedCluster {
		d := problem("No cluster "+schema.Quote(name), "These can be chosen: %s.%s", strings.Join(append(known, schema.EmbeddedCluster), ", "), didYouMean(name, known))
		d.Extra = undeclared{}
		l.complain(d)
	}
	return chosen
}

// clusterVariables hands on the literals that belong to a cluster: they are
// read before anything else, so they can use nothing.
func (l *loader) clusterVariables(c *clusterBlock, set func(string, given)) {
	if c.Variables == nil {
		return
	}
	s := l.scope(nil)
	pairs, diags := hcl.ExprMap(c.Variables.Expr)
	if diags.HasErrors() {
		s.refuse(c.Variables.Expr.Range(), "Wrong type of value", `variables is a map of literals, like { env = "prod" }.`)
	}
	for _, pair := range pairs {
		name, diags := pair.Key.Value(nil)
		value, more := pair.Value.Value(nil)
		s.complain(append(diags, more...)...)
		if name, err := convert.Convert(name, cty.String); err == nil && name.IsKnown() && !name.IsNull() && !more.HasErrors() {
			set(name.AsString(), given{value: value, from: "cluster." + c.Name, at: pair.Value.Range()})
		}
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
	s.remarks(c.Description, c.Labels)
	d := &schema.Cluster{Name: c.Name, Source: c.DefRange, Attrs: map[string]hcl.Range{}}
	d.BootstrapServers = s.servers(c.BootstrapServers)
	d.ID, _ = s.text(c.ClusterID)
	d.Principal = s.principal(c.Principal)
	if open, ok := s.flag(c.OpenByDefault); ok {
		d.OpenByDefault = &open
	}
	note(d.Attrs, "bootstrap_servers", c.BootstrapServers)
	note(d.Attrs, "cluster_id", c.ClusterID)
	note(d.Attrs, "principal", c.Principal)
	note(d.Attrs, "open_by_default", c.OpenByDefault)
	if c.TLS != nil {
		d.TLS = s.tls(c.TLS, d.Attrs)
	}
	if c.SASL != nil {
		d.SASL = s.sasl(c.SASL, d.Attrs)
	}
	if c.Capacity != nil {
		d.Capacity = s.capacity(c.Capacity)
	}
	return d
}

func (s *scope) capacity(b *capacityBlock) *schema.Capacity {
	d := &schema.Capacity{BytesInPerBroker: s.size(b.BytesInPerBroker), BytesInPerPartition: s.size(b.BytesInPerPartition)}
	if n, ok := s.whole(b.PartitionsPerBroker, 1, math.MaxInt32); ok {
		d.PartitionsPerBroker = int(n)
	}
	return d
}

func (l *loader) nameCluster(name string) {
	l.base.Variables["cluster"] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(name)})
}

// servers takes a list, or Kafka's comma-separated string.
func (s *scope) servers(a *hcl.Attribute) []string {
	if a == nil {
		return nil
	}
	v, ok := s.value(a.Expr)
	if !ok {
		return nil
	}
	var servers []string
	if v.Type() == cty.String {
		servers = strings.Split(v.AsString(), ",")
	} else if servers, ok = s.textsOf(a.Expr, v); !ok {
		return nil
	}
	for i, server := range servers {
		servers[i] = strings.TrimSpace(server)
		if !hasPort(servers[i]) {
			s.refuse(itemRange(a.Expr, i), "Not a bootstrap server", "%s is not host:port.", schema.Quote(servers[i]))
		}
	}
	return servers
}

func hasPort(server string) bool {
	u, err := url.Parse("kafka://" + server)
	if err != nil || u.Host != server || u.Hostname() == "" {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// principal is Kafka's own spelling of who somebody is, with its type before it.
func (s *scope) principal(a *hcl.Attribute) string {
	text, ok := s.text(a)
	if kind, name, _ := strings.Cut(text, ":"); ok && (kind == "" || name == "") {
		s.refuse(a.Expr.Range(), "Not a principal", "A principal has a type and a name, like User:deployer.")
	}
	return text
}

func (s *scope) tls(b *tlsBlock, attrs map[string]hcl.Range) *schema.TLS {
	attrs["tls"] = b.DefRange
	path := func(name string, a *hcl.Attribute) string {
		note(attrs, "tls."+name, a)
		text, ok := s.text(a)
		if !ok || filepath.IsAbs(text) {
			return text
		}
		return filepath.Join(s.loader.dir, text)
	}
	t := &schema.TLS{CAFile: path("ca_file", b.CAFile), CertFile: path("cert_file", b.CertFile), KeyFile: path("key_file", b.KeyFile)}
	t.ServerName, _ = s.text(b.ServerName)
	note(attrs, "tls.server_name", b.ServerName)
	return t
}

var mechanisms = []string{
	string(schema.Plain), string(schema.ScramSHA256), string(schema.ScramSHA512), string(schema.OAuthBearer), string(schema.AWSMSKIAM),
}

// sasl evaluates who connects. What is not here may come from the environment
// when the connection is opened.
func (s *scope) sasl(b *saslBlock, attrs map[string]hcl.Range) *schema.SASL {
	attrs["sasl"] = b.DefRange
	for path, a := range map[string]*hcl.Attribute{
		"mechanism": b.Mechanism, "username": b.Username, "password": b.Password, "token": b.Token,
		"token_url": b.TokenURL, "client_id": b.ClientID, "client_secret": b.ClientSecret, "scope": b.Scope,
	} {
		note(attrs, "sasl."+path, a)
	}
	mechanism, ok := s.text(b.Mechanism)
	if ok && !slices.Contains(mechanisms, mechanism) {
		s.refuse(b.Mechanism.Expr.Range(), "Unknown SASL mechanism "+schema.Quote(mechanism), "It is one of %s.%s", strings.Join(mechanisms, ", "), didYouMean(mechanism, mechanisms))
	}
	d := &schema.SASL{Mechanism: schema.Mechanism(mechanism)}
	d.Username, _ = s.text(b.Username)
	d.TokenURL, _ = s.text(b.TokenURL)
	d.ClientID, _ = s.text(b.ClientID)
	d.Scope, _ = s.text(b.Scope)
	d.Password, d.Token, d.ClientSecret = s.secret(b.Password), s.secret(b.Token), s.secret(b.ClientSecret)
	if b.Token != nil && b.TokenURL != nil {
		s.refuse(b.TokenURL.NameRange, "Two ways to a token", "A sasl block has either a token, or a token_url with client_id and client_secret.")
	}
	return d
}

// secret keeps an expression to be evaluated when the secret is needed. What
// can be said of it without the environment is said now.
func (s *scope) secret(a *hcl.Attribute) schema.Secret {
	if a == nil {
		return schema.Secret{}
	}
	now := s.ctx.NewChild()
	now.Functions = maps.Clone(s.loader.base.Functions)
	now.Functions["env"] = laterEnv
	v, diags := evaluate(a.Expr, now)
	s.complain(diags...)
	if v, _ = v.Unmark(); v.IsNull() {
		return schema.Secret{}
	}
	if _, err := secretText(v); err != nil && !diags.HasErrors() {
		s.refuse(a.Expr.Range(), "Wrong type of value", "A secret is a string.")
	}
	ctx := s.ctx
	return schema.NewSecret(func() (string, error) {
		v, diags := evaluate(a.Expr, ctx)
		if diags = explained(diags); diags.HasErrors() {
			return "", fmt.Errorf("%s: %s", diag.Place(a.Expr.Range()), diags[0].Detail)
		}
		text, err := secretText(v)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", diag.Place(a.Expr.Range()), err)
		case !text.IsKnown():
			return "", fmt.Errorf("%s: the variable has no value", diag.Place(a.Expr.Range()))
		}
		return text.AsString(), nil
	})
}

// secretText is a string, which may be unknown.
func secretText(v cty.Value) (cty.Value, error) {
	v, _ = v.UnmarkDeep()
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsKnown() && text.IsNull() {
		return text, errors.New("a secret is a string")
	}
	return text, nil
}
