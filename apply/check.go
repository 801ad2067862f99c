package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
// say, for lack of rights or of a connection, is only not checked. Outdated is
// a plan whose snapshot a lagging broker gave: the cluster is to be read again.
func Check(ctx context.Context, client *kgo.Client, p *plan.Plan) (diags hcl.Diagnostics, outdated bool) {
	controller := writer{client.Broker(int(p.Cluster.Controller)), p.Topology, nil}
	passed := make([]bool, len(p.Changes))
	for _, batch := range plan.Batches(checkable(p), batchRecords) {
		a, err := controller.send(ctx, batch, true)
		for _, s := range batch {
			at := s.About().Changes[0]
			c := &p.Changes[at]
			refused, answered := a.refusals[c.Object.Name]
			switch {
			case err != nil:
				c.Check.Why = "the broker did not answer: " + err.Error()
			case !answered:
				c.Check.Why = "the broker did not answer for it"
			case refused == nil:
				passed[at] = true
			case isUnwilling(refused):
				c.Check.Why = refused.Error()
			default:
				c.Check.Why = "the broker would refuse it"
				outdated = outdated || errors.Is(refused, kerr.TopicAlreadyExists) || errors.Is(refused, kerr.UnknownTopicOrPartition)
				diags = append(diags, refusedDiagnostic(p, s, refused))
			}
		}
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		c.Check.Passed = passed[i] && c.Check.Why == ""
	}
	return diags, outdated
}

// checkable are the steps that brokers can validate, as many as is polite. The
// changes of the others are marked with the reason.
func checkable(p *plan.Plan) []plan.Step {
	var steps []plan.Step
	partitions := 0
	for _, s := range p.Steps {
		c := &p.Changes[s.About().Changes[0]]
		switch s := s.(type) {
		case *plan.CreateTopic:
			n := max(int(s.Partitions), len(s.Assign), 1)
			if partitions+n > checkedPartitions {
				c.Check.Why = "too many new partitions to check in one plan"
				continue
			}
			partitions += n
		case *plan.AlterConfigs:
			if s.Phase == plan.PhaseSettle {
				c.Check.Why = "it waits for replicas to move"
				continue
			}
		case *plan.AddPartitions, *plan.AlterQuota:
		case *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL, *plan.SeedOffsets: // Kafka has no check for these, ever
			continue
		case *plan.Release:
			c.Check.Why = "the ledger alone learns it"
			continue
		case *plan.Reassign:
			c.Check.Why = "Kafka cannot check moves of replicas"
			continue
		case *plan.DeleteTopic, *plan.DeleteGroup:
			c.Check.Why = "Kafka cannot check deletions"
			continue
		}
		steps = append(steps, s)
	}
	return steps
}

// isUnwilling says whether a refusal is about who asks or when, not about what.
func isUnwilling(err error) bool { return isDelay(err) || isDenied(err) }

func refusedDiagnostic(p *plan.Plan, s plan.Step, refused error) *hcl.Diagnostic {
	at := Line(p, s, refused)
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  fmt.Sprintf("The cluster would refuse %s", p.Changes[s.About().Changes[0]].Addr),
		Detail:   refused.Error(),
		Subject:  &at,
	}
}

// Line is where the files ask for what a step could not do: the attribute that
// the error is about, as far as its code and its words tell, or else the block.
func Line(p *plan.Plan, s plan.Step, err error) hcl.Range {
	c := &p.Changes[s.About().Changes[0]]
	if len(c.Fields) == 1 && c.Action == plan.Update {
		return c.Fields[0].Source
	}
	for i := range c.Fields {
		if f := &c.Fields[i]; concerns(err, f.Path) {
			return f.Source
		}
	}
	return c.Source
}

// concerns says whether an error is about the value at a path.
func concerns(err error, path string) bool {
	switch path {
	case "partitions":
		return errors.Is(err, kerr.InvalidPartitions)
	case "replication_factor":
		return errors.Is(err, kerr.InvalidReplicationFactor)
	case "placement":
		return errors.Is(err, kerr.InvalidReplicaAssignment)
	}
	key, _ := plan.ConfigKey(path)
	return mentions(err.Error(), key)
}

// mentions says whether a text has the key, and not only as a part of another.
func mentions(text, key string) bool {
	inKey := func(c byte) bool { return c == '.' || c == '-' || 'a' <= c && c <= 'z' }
	for {
		before, after, found := strings.Cut(text, key)
		if !found {
			return false
		}
		end := strings.TrimPrefix(after, ".") // a full stop, unless the key goes on
		if (before == "" || !inKey(before[len(before)-1])) && (end == "" || !inKey(end[0])) {
			return true
		}
		text = after
	}
}
