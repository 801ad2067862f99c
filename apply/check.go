package apply

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/plan"
)

// checkedPartitions is how many partitions of new topics a plan may have
// checked: validation draws on the controller's mutation quota (KIP-599).
const checkedPartitions = 1000

// Check asks the brokers whether they would carry out creations, configs and
// partitions (validate_only), and marks each change with the answer. What they
// would refuse is a diagnostic on the line that asks for it; what they do not
// say, for lack of rights or of a connection, is only not checked.
func Check(ctx context.Context, client *kgo.Client, p *plan.Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	passed := make([]bool, len(p.Changes))
	steps := checkable(p)
	for _, batch := range plan.Batches(steps, batchRecords) {
		a, err := send(ctx, client, batch, true)
		for _, s := range batch {
			c := &p.Changes[s.About().Changes[0]]
			refused, answered := a.refusals[c.Object.Name]
			switch {
			case err != nil || !answered:
				c.Check = plan.Check{Why: "the broker did not answer"}
			case refused == nil:
				passed[s.About().Changes[0]] = true
			case isUnwilling(refused):
				c.Check = plan.Check{Why: refused.Error()}
			default:
				diags = append(diags, refusedDiagnostic(c, refused))
			}
		}
	}
	for i := range p.Changes {
		if c := &p.Changes[i]; passed[i] && c.Check.Why == "" {
			c.Check.Passed = true
		}
	}
	return diags
}

// checkable are the steps that brokers can validate, as many as is polite.
func checkable(p *plan.Plan) []plan.Step {
	var steps []plan.Step
	partitions := 0
	for _, s := range p.Steps {
		c := &p.Changes[s.About().Changes[0]]
		switch s := s.(type) {
		case *plan.CreateTopic:
			if partitions += max(int(s.Partitions), len(s.Assign), 1); partitions > checkedPartitions {
				c.Check.Why = "too many new partitions to check in one plan"
				continue
			}
			steps = append(steps, s)
		case *plan.AlterConfigs:
			if s.Phase == plan.PhaseConfigs {
				steps = append(steps, s)
			}
		case *plan.AddPartitions:
			steps = append(steps, s)
		case *plan.Reassign:
			c.Check.Why = "Kafka cannot check moves of replicas"
		case *plan.DeleteTopic:
			c.Check.Why = "Kafka cannot check deletions"
		}
	}
	return steps
}

// isUnwilling says whether a refusal is about who asks or when, not about what.
func isUnwilling(err error) bool {
	for _, code := range []error{
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.NotController,
		kerr.ThrottlingQuotaExceeded, kerr.RequestTimedOut,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

func refusedDiagnostic(c *plan.Change, refused error) *hcl.Diagnostic {
	at := c.Source
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "The cluster would refuse " + c.Addr.String(),
		Detail:   refused.Error(),
		Subject:  &at,
	}
}
