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
	Ledger           *hcl.Attribute `hcl:"ledger,optional"`
	Description      *hcl.Attribute `hcl:"description,optional"`
	Labels           *hcl.Attribute `hcl:"labels,optional"`
	TLS              *tlsBlock      `hcl:"tls,block"`
	SASL             *saslBlock     `hcl:"sasl,block"`
	Capacity         *capacityBlock `hcl:"capacity,block"`
	DefRange         hcl.Range      `hcl:",def_range"`
	Body             hcl.Body       `hcl:",body"`
}

type capacityBlock struct {
	PartitionsPerBroker *hcl.Attribute `hcl:"max_partitions_per_broker,optional"`
	BytesInPerBroker    *hcl.Attribute `hcl:"max_bytes_in_per_broker,optional"`
	BytesInPerPartition *hcl.Attribute `hcl:"max_bytes_in_per_partition,optional"`
	DefRange            hcl.Range      `hcl:",def_range"`
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

// chooseCluster finds the block that is asked for, or the only one, and the
// names to choose from. The embedded cluster has no block.
func (l *loader) chooseCluster() (chosen *clusterBlock, known []string) {
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
	chosen = byName[name]
	if chosen == nil && name != "" && name != schema.EmbeddedCluster {
		d := problem("No cluster "+schema.Quote(name), "These can be chosen: %s.%s", strings.Join(append(known, schema.EmbeddedCluster), ", "), didYouMean(name, known))
		d.Extra = undeclared{"cluster"}
		l.complain(d)
	}
	return chosen, known
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
		value, diags := pair.Value.Value(nil)
		s.complain(diags...)
		if name, ok := literalKey(pair); ok && !diags.HasErrors() {
			set(name, given{value: value, from: "cluster." + c.Name, at: pair.Value.Range()})
		}
	}
}

// literalKey is the key of a pair that uses nothing. Not ok is one that is no text.
func literalKey(pair hcl.KeyValuePair) (string, bool) {
	v, _ := pair.Key.Value(nil)
	key, err := convert.Convert(v, cty.String)
	if err != nil || key.IsNull() || !key.IsKnown() {
		return "", false
	}
	return key.AsString(), true
}

// cluster evaluates the chosen block, whole or in part, and lets expressions see
// its name.
func (l *loader) cluster(c *clusterBlock) (cluster *schema.Cluster, whole bool) {
	if l.options.Cluster == schema.EmbeddedCluster {
		l.base.Variables["cluster"] = named(schema.EmbeddedCluster)
		return &schema.Cluster{Name: schema.EmbeddedCluster}, true
	}
	if c == nil {
		return nil, true
	}
	l.base.Variables["cluster"] = named(c.Name)
	s := l.scope(l.base)
	cluster = s.cluster(c)
	return cluster, !s.failed
}

// otherClusters finds what is wrong with the blocks that are not chosen, as far
// as it does not depend on the choice: what var and local are there, and what
// is in the environment, is not known.
func (l *loader) otherClusters(chosen *clusterBlock) {
	ctx := &hcl.EvalContext{Functions: maps.Clone(l.base.Functions), Variables: map[string]cty.Value{
		"var": unknowns(l.base.Variables["var"]), "local": unknowns(l.base.Variables["local"]),
	}}
	ctx.Functions["env"] = laterEnv
	for _, c := range l.blocks.Clusters {
		if c != chosen {
			ctx.Variables["cluster"] = named(c.Name)
			l.scope(ctx).cluster(c)
		}
	}
}

// unknowns is an object whose values are not known, but whether they are secrets.
func unknowns(object cty.Value) cty.Value {
	values := object.AsValueMap()
	for name, v := range values {
		values[name] = cty.DynamicVal
		if v.IsMarked() {
			values[name] = cty.DynamicVal.Mark(secretMark)
		}
	}
	return cty.ObjectVal(values)
}

// named is what expressions see as cluster.
func named(cluster string) cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal(cluster)})
}

func (s *scope) cluster(c *clusterBlock) *schema.Cluster {
	s.remarks(c.Description, c.Labels)
	d := &schema.Cluster{Name: c.Name, Written: schema.Written{Source: c.DefRange, Attrs: map[string]hcl.Range{}}}
	d.BootstrapServers = s.servers(c.BootstrapServers)
	d.ID, _ = s.text(c.ClusterID)
	d.Principal = s.principal(c.Principal)
	if open, ok := s.flag(c.OpenByDefault); ok {
		d.OpenByDefault = &open
	}
	d.Ledger = s.ledger(c.Ledger)
	note(d.Attrs, "bootstrap_servers", c.BootstrapServers)
	note(d.Attrs, "cluster_id", c.ClusterID)
	note(d.Attrs, "principal", c.Principal)
	note(d.Attrs, "open_by_default", c.OpenByDefault)
	note(d.Attrs, "ledger", c.Ledger)
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

// servers takes a list, or Kafka's comma-separated string.
func (s *scope) servers(a *hcl.Attribute) []string {
	servers, ok := s.words(a)
	if ok && len(servers) == 0 {
		s.refuse(a.Expr.Range(), "No bootstrap servers", `Name one at least, like ["b1.example:9092"].`)
	}
	for i, server := range servers {
		if !hasPort(server) {
			s.refuse(itemRange(a.Expr, i), "Not a bootstrap server", "%s is not host:port.", schema.Quote(server))
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

// ledger is the name of the topic that no queue may have then.
func (s *scope) ledger(a *hcl.Attribute) string {
	name, ok := s.text(a)
	if !ok {
		return ""
	}
	s.topicName(name, a.Expr.Range())
	if slices.Contains(internalTopics, name) {
		s.refuse(a.Expr.Range(), "A topic of Kafka's own", "%q is kept by Kafka itself: the ledger needs a topic for itself.", name)
	}
	s.loader.ledger = name
	return name
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
	mechanisms := spelt(schema.Mechanisms())
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
	_, elsewhere := a.Expr.Value(&hcl.EvalContext{})
	if _, err := secretText(v); err != nil && !diags.HasErrors() {
		s.refuse(a.Expr.Range(), "Wrong type of value", "A secret is a string.")
	} else if !elsewhere.HasErrors() {
		s.warn(a.Expr.Range(), "A secret in a file", `Whoever reads the file knows it. Take it from the environment: %s = env("NAME").`, a.Name)
	}
	ctx := s.ctx
	return schema.NewSecret(func() (string, error) {
		v, diags := evaluate(a.Expr, ctx)
		if diags = s.loader.explained(diags); diags.HasErrors() {
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
	}).In(variableRead(a.Expr))
}

// variableRead is the name in env("NAME"); empty: the expression is another.
func variableRead(expr hcl.Expression) string {
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() || call.Name != "env" || len(call.Arguments) != 1 {
		return ""
	}
	name, diags := call.Arguments[0].Value(nil)
	if diags.HasErrors() || name.Type() != cty.String || name.IsNull() {
		return ""
	}
	return name.AsString()
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
