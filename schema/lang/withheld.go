package lang

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/queueform/queueform/schema/diag"
)

// A literal secret may be written in cluster and user blocks, and in the variable
// blocks of secrets. Of those nothing is shown but what is known to be none,
// since a misspelt name, a wrong type or a lost brace does not make a password
// anything else.

// notShown stands for what hcl says about an expression that holds a secret, or
// a place that is withheld: it may quote what is there.
const notShown = "There may be a secret in it, so what exactly is wrong is not shown."

// withholds says whether what is written at a place is not to be quoted. The
// files of variables are none of those that lines are shown of.
func (l *loader) withholds(at *hcl.Range) bool {
	if at == nil {
		return false
	}
	file, shown := l.files[at.Filename]
	return !shown || file.Withholds(*at)
}

// withhold marks what is not to be shown of the blocks that were read.
func (l *loader) withhold() {
	open := map[string]bool{}
	for _, v := range l.blocks.Variables {
		others, again := open[v.Name]
		open[v.Name] = v.open() && (others || !again)
	}
	for _, v := range l.blocks.Variables {
		if !v.open() {
			l.withholdBlock(v.DefRange, v.Body, append(written(v.Type, v.Sensitive, v.Description, v.Labels), v.NameRange))
		}
	}
	for _, c := range l.blocks.Clusters {
		l.withholdBlock(c.DefRange, c.Body, c.open(open))
	}
	for _, u := range l.blocks.Users {
		l.withholdBlock(u.DefRange, u.Body, u.open())
	}
	for _, p := range l.blocks.Producers {
		l.withholdSettings(p.Client)
	}
	for _, g := range l.blocks.Groups {
		l.withholdSettings(g.Client)
	}
}

// withholdBlock marks all of a block but what is open in it.
func (l *loader) withholdBlock(header hcl.Range, body hcl.Body, open []hcl.Range) {
	file := l.files[header.Filename]
	end := body.MissingItemRange().End.Byte
	if native, ok := body.(*hclsyntax.Body); ok {
		end = native.EndRange.End.Byte
	}
	from := header.End.Byte
	slices.SortFunc(open, func(a, b hcl.Range) int { return a.Start.Byte - b.Start.Byte })
	for _, r := range append(open, hcl.Range{Start: hcl.Pos{Byte: end}, End: hcl.Pos{Byte: end}}) {
		if to := r.Start.Byte; to > from && len(bytes.Trim(file.Text[from:to], " \t\r\n,:={}[]")) > 0 {
			file.Withheld = append(file.Withheld, diag.Part{From: from, To: to})
		}
		from = max(from, r.End.Byte)
	}
	l.files[header.Filename] = file
}

// withholdSettings marks the values that no client map should hold.
func (l *loader) withholdSettings(client *hcl.Attribute) {
	if client == nil {
		return
	}
	pairs, _ := hcl.ExprMap(client.Expr)
	for _, pair := range pairs {
		if name, ok := literalKey(pair); ok && secretSetting.MatchString(name) {
			at := pair.Value.Range()
			file := l.files[at.Filename]
			file.Withheld = append(file.Withheld, diag.Part{From: at.Start.Byte, To: at.End.Byte})
			l.files[at.Filename] = file
		}
	}
}

// open is what may be shown of a cluster block, where variables are known to
// be open or not.
func (c *clusterBlock) open(variables map[string]bool) []hcl.Range {
	open := append(written(c.BootstrapServers, c.ClusterID, c.Principal, c.OpenByDefault, c.Ledger, c.Description, c.Labels), c.NameRange)
	if t := c.TLS; t != nil {
		open = append(append(open, t.DefRange), written(t.CAFile, t.CertFile, t.KeyFile, t.ServerName)...)
	}
	if s := c.SASL; s != nil {
		open = append(append(open, s.DefRange), written(s.Mechanism, s.Username, s.ClientID, s.Scope)...)
	}
	if c.Capacity != nil {
		open = append(open, c.Capacity.DefRange)
		open = append(open, written(c.Capacity.PartitionsPerBroker, c.Capacity.BytesInPerBroker, c.Capacity.BytesInPerPartition)...)
	}
	if c.Variables == nil {
		return open
	}
	open = append(open, c.Variables.NameRange)
	pairs, _ := hcl.ExprMap(c.Variables.Expr)
	for _, pair := range pairs {
		if name, ok := literalKey(pair); ok && variables[name] {
			open = append(open, hcl.RangeBetween(pair.Key.Range(), pair.Value.Range()))
		}
	}
	return open
}

// written is where attributes stand that are there.
func written(attributes ...*hcl.Attribute) []hcl.Range {
	var ranges []hcl.Range
	for _, a := range attributes {
		if a != nil {
			ranges = append(ranges, a.Range)
		}
	}
	return ranges
}

// Guarded is a file with errors of syntax, to show lines of; they lose the
// details that may quote a secret. What is beyond the first error cannot be
// told apart, and it may be within it that a block should have ended: where
// the file looks as if it had secrets, only the line of that error is shown,
// and only if it is in a block that has none.
func Guarded(text []byte, diags hcl.Diagnostics) diag.File {
	file := diag.File{Text: text}
	if !secretive.Match(text) {
		return file
	}
	first := slices.MinFunc(diags, compareDiagnostics)
	from, to := 0, 0
	if at := subject(first).Start.Byte; at <= len(text) && outspoken(text, first) {
		from, to = bytes.LastIndexByte(text[:at], '\n')+1, len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			to = at + i
		}
	}
	if secretive.Match(text[from:to]) {
		to = from
	}
	file.Withheld = []diag.Part{{From: 0, To: from}, {From: to, To: len(text) + 1}}
	for _, d := range diags {
		if d.Subject != nil && file.Withholds(*d.Subject) {
			d.Detail = notShown
		}
	}
	return file
}

// secretive are words of what holds secrets, misspelt ones among them; users are
// named elsewhere, too.
var secretive = regexp.MustCompile(`(?im)cluster|sasl|sensitiv|passw|token|secret|jaas|^\s*user\s+["\w]|"user"\s*:`)

// openBlocks are those that hold no secrets.
var openBlocks = []string{"topology", "locals", "profile", "queue", "external", "producer", "consumer_group", "acl", "quota", "delete", "forget"}

// outspoken says whether the first error of a file is in a block that holds no
// secrets. All that is before it is as it seems.
func outspoken(text []byte, first *hcl.Diagnostic) bool {
	tokens, _ := hclsyntax.LexConfig(text, subject(first).Filename, hcl.InitialPos)
	items := []string{""} // the first words of what is open: block in block
	begins := true
	for _, t := range tokens {
		if t.Range.Start.Byte > subject(first).Start.Byte {
			break
		}
		switch {
		case t.Type == hclsyntax.TokenOBrace:
			items = append(items, "")
		case t.Type == hclsyntax.TokenCBrace && len(items) > 1:
			items = items[:len(items)-1]
		case begins && t.Type == hclsyntax.TokenIdent:
			items[len(items)-1] = string(t.Bytes)
		}
		begins = t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenOBrace || t.Type == hclsyntax.TokenComment
	}
	closed := func(item string) bool { return item == "variable" || secretive.MatchString(item) }
	return slices.Contains(openBlocks, items[0]) && !slices.ContainsFunc(items, closed)
}
