package lang

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"

	"github.com/queueform/queueform/schema"
)

// blocks is the shape of a file, as gohcl decodes it: blocks with attributes
// that are evaluated later. One that is not there is nil.
type blocks struct {
	Topologies []*topologyBlock `hcl:"topology,block"`
	Variables  []*variableBlock `hcl:"variable,block"`
	Locals     []*localsBlock   `hcl:"locals,block"`
	Clusters   []*clusterBlock  `hcl:"cluster,block"`
	Profiles   []*profileBlock  `hcl:"profile,block"`
	Queues     []*queueBlock    `hcl:"queue,block"`
	Externals  []*externalBlock `hcl:"external,block"`
	Producers  []*producerBlock `hcl:"producer,block"`
	Groups     []*groupBlock    `hcl:"consumer_group,block"`
	Users      []*userBlock     `hcl:"user,block"`
	ACLs       []*aclBlock      `hcl:"acl,block"`
	Quotas     []*quotaBlock    `hcl:"quota,block"`
	Deletes    []*removalBlock  `hcl:"delete,block"`
	Forgets    []*removalBlock  `hcl:"forget,block"`
}

func (b *blocks) add(more *blocks) {
	b.Topologies = append(b.Topologies, more.Topologies...)
	b.Variables = append(b.Variables, more.Variables...)
	b.Locals = append(b.Locals, more.Locals...)
	b.Clusters = append(b.Clusters, more.Clusters...)
	b.Profiles = append(b.Profiles, more.Profiles...)
	b.Queues = append(b.Queues, more.Queues...)
	b.Externals = append(b.Externals, more.Externals...)
	b.Producers = append(b.Producers, more.Producers...)
	b.Groups = append(b.Groups, more.Groups...)
	b.Users = append(b.Users, more.Users...)
	b.ACLs = append(b.ACLs, more.ACLs...)
	b.Quotas = append(b.Quotas, more.Quotas...)
	b.Deletes = append(b.Deletes, more.Deletes...)
	b.Forgets = append(b.Forgets, more.Forgets...)
}

// fileSchema is what may stand at the top of a file.
var fileSchema, _ = gohcl.ImpliedBodySchema(blocks{})

type topologyBlock struct {
	Name        string         `hcl:"name,label"`
	NameRange   hcl.Range      `hcl:"name,label_range"`
	Description *hcl.Attribute `hcl:"description,optional"`
	Owner       *hcl.Attribute `hcl:"owner,optional"`
	Labels      *hcl.Attribute `hcl:"labels,optional"`
	DefRange    hcl.Range      `hcl:",def_range"`
}

type localsBlock struct {
	Body hcl.Body `hcl:",remain"`
}

// What external, and what delete and forget may name.
var (
	externalKinds  = []string{string(schema.KindQueue)}
	removableKinds = []string{string(schema.KindQueue), string(schema.KindGroup), string(schema.KindUser)}
)

// kinds checks the labels that choose among kinds of objects, and leaves out
// the blocks that choose none.
func (b *blocks) kinds() hcl.Diagnostics {
	var diags hcl.Diagnostics
	unknown := func(block, kind string, kinds []string, at hcl.Range) bool {
		if slices.Contains(kinds, kind) {
			return false
		}
		d := problem("Unknown kind of object "+schema.Quote(kind), "%s names one of: %s.%s", block, strings.Join(kinds, ", "), didYouMean(kind, kinds))
		d.Subject = &at
		diags = append(diags, d)
		return true
	}
	b.Externals = slices.DeleteFunc(b.Externals, func(e *externalBlock) bool { return unknown("external", e.Kind, externalKinds, e.KindRange) })
	b.Deletes = slices.DeleteFunc(b.Deletes, func(r *removalBlock) bool { return unknown("delete", r.Kind, removableKinds, r.KindRange) })
	b.Forgets = slices.DeleteFunc(b.Forgets, func(r *removalBlock) bool { return unknown("forget", r.Kind, removableKinds, r.KindRange) })
	return diags
}

// bodies are what may stand in a block, by its type; "" is the top of a file.
// All blocks of one type have the same, but for those with another's before it.
var bodies = map[string]any{
	"": blocks{}, "topology": topologyBlock{}, "variable": variableBlock{}, "validation": validationBlock{}, "locals": localsBlock{}, "cluster": clusterBlock{},
	"tls": tlsBlock{}, "sasl": saslBlock{}, "capacity": capacityBlock{}, "profile": profileBlock{}, "queue": queueBlock{}, "load": loadBlock{},
	"placement": placementBlock{}, "lifecycle": lifecycleBlock{}, "external": externalBlock{},
	"producer": producerBlock{}, "producer.quota": limitsBlock{}, "consumer_group": groupBlock{}, "consumer_group.quota": limitsBlock{},
	"user": userBlock{}, "acl": aclBlock{}, "quota": quotaBlock{}, "delete": removalBlock{}, "forget": removalBlock{},
}

// What hcl says of a name that it does not know.
const (
	unknownArgument = "Unsupported argument"
	unknownBlock    = "Unsupported block type"
)

// allowed adds to complaints about unknown names, where none is near, which
// there are. JSON does not tell in which block it is.
func allowed(file *hcl.File, diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Summary != unknownArgument && d.Summary != unknownBlock || strings.Contains(d.Detail, "Did you mean") {
			continue
		}
		in, outer := "", ""
		for _, b := range file.BlocksAtPos(d.Subject.Start) {
			if b.TypeRange != *d.Subject {
				outer, in = in, b.Type
			}
		}
		if body, ok := bodies[outer+"."+in]; ok {
			d.Detail += allowedIn(body, d.Summary == unknownBlock)
		} else if body, ok := bodies[in]; ok {
			d.Detail += allowedIn(body, d.Summary == unknownBlock)
		}
	}
}

// allowedIn is a sentence to end a detail with.
func allowedIn(body any, block bool) string {
	wanted, _ := gohcl.ImpliedBodySchema(body)
	arguments, types := make([]string, len(wanted.Attributes)), blockTypes(wanted)
	for i, a := range wanted.Attributes {
		arguments[i] = a.Name
	}
	switch {
	case block && len(types) > 0, len(arguments) == 0:
		return " These blocks are: " + strings.Join(types, ", ") + "."
	case block:
		return " No block is; these arguments are: " + strings.Join(arguments, ", ") + "."
	}
	return " These are: " + strings.Join(arguments, ", ") + "."
}

func blockTypes(in *hcl.BodySchema) []string {
	types := make([]string, len(in.Blocks))
	for i, b := range in.Blocks {
		types[i] = b.Type
	}
	return types
}
