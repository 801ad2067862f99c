package devcluster

import (
	"errors"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// Limit is something that Kafka does and the embedded cluster does not.
type Limit struct {
	Code string // one word
	Says string // what it does instead, after "the embedded cluster"
}

// Error makes a Limit the reason of a refusal.
func (l Limit) Error() string { return "the embedded cluster " + l.Says }

// The limits that make the embedded cluster refuse, rather than pretend.
var (
	noMoves     = Limit{"moves", "moves no replicas: a topic keeps its replication factor and its places; run this on a real cluster"}
	noPlacement = Limit{"placement", "has one rack and places replicas itself: leave placement out, or run this on a real cluster"}
)

// Limits are all of them.
var Limits = []Limit{
	noMoves,
	noPlacement,
	{"replication", "keeps each message once, whatever the replication factor and min.insync.replicas"},
	{"configs", "takes any topic config without a check, and acts on cleanup.policy, compression.type, delete.retention.ms, max.message.bytes, " +
		"min.insync.replicas, retention.bytes, retention.ms, segment.bytes and segment.ms alone"},
	{"sizes", "knows no disks: log sizes are those of the messages, and free space is made up"},
	{"kills", "forgets, when it is killed, the positions of share groups, the configs of groups, which groups were deleted and how far records were"},
}

// Check finds what a topology declares and the embedded cluster does not do.
func Check(t *schema.Topology) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for q := range schema.All[*schema.Queue](t) {
		if q.Placement != nil {
			diags = append(diags, refusal(q.Addr, q.At("placement"), noPlacement))
		}
	}
	return diags
}

// CheckPlan finds the steps of a plan that would only seem to work.
func CheckPlan(p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, step := range p.Steps {
		if limit, refused := errors.AsType[Limit](Refuses(step)); refused {
			c := &p.Changes[step.About().Changes[0]]
			diags = append(diags, refusal(c.Addr, c.Source, limit))
		}
	}
	return diags
}

func refusal(a schema.Addr, at hcl.Range, l Limit) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: a.String() + " needs a real cluster",
		Detail: "The embedded cluster " + l.Says + ".", Subject: &at,
	}
}

// Refuses says whether a step would only seem to work, and why. A nil error
// promises nothing about the step but that.
func Refuses(s plan.Step) error {
	switch s := s.(type) {
	case *plan.Reassign:
		return noMoves
	case *plan.CreateTopic:
		if len(s.Assign) > 0 {
			return noPlacement
		}
	case *plan.AddPartitions:
		if len(s.Assign) > 0 {
			return noPlacement
		}
	case *plan.AlterConfigs, *plan.DeleteTopic, *plan.Release, *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.AlterQuota, *plan.SeedOffsets, *plan.DeleteGroup:
	}
	return nil
}
