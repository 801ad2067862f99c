package apply_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/apply"
	"github.com/queueform/queueform/plan"
)

func line(n int) hcl.Range { return hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: n}} }

// check runs Check, and gives the marks of the changes and the diagnostics in words.
func (k *kafka) check(p *plan.Plan) (marks, diags []string) {
	found, _ := apply.Check(k.Context(), k.conn.Client(), p)
	for _, d := range found {
		diags = append(diags, fmt.Sprintf("%d: %s; %s", d.Subject.Start.Line, d.Summary, d.Detail))
	}
	for i := range p.Changes {
		marks = append(marks, p.Changes[i].Check.String())
	}
	return marks, diags
}

func TestCheckChangesNothing(t *testing.T) {
	k := start(t)
	k.has("there", 1)
	marks, diags := k.check(planned(
		create("new", 3), configs("there", map[string]string{"retention.ms": "9"}), partitions("there", 4)))
	if diff := cmp.Diff([]string{"checked by the broker", "checked by the broker"}, marks); diff != "" || diags != nil {
		t.Error(diff, diags)
	}
	if _, there := k.snapshot("new").Topics["new"].Value.Overrides.Value["retention.ms"]; there || len(k.topic("there").Partitions) != 1 {
		t.Error("it was done, not checked")
	}
}

func TestCheckSaysWhatItDoesNotCheck(t *testing.T) {
	k := start(t)
	k.has("there", 1)
	p := planned(
		create("big", 600), create("bigger", 600), create("small", 400),
		configs("there", map[string]string{"retention.ms": "9"}), reassigned("there", 0, 1),
		deletion("gone", [16]byte{1}), late("last", map[string]string{"min.insync.replicas": "2"}),
	)
	marks, diags := k.check(p)
	if diff := cmp.Diff([]string{
		"checked by the broker",
		"not checked (too many new partitions to check in one plan)",
		"checked by the broker",
		"not checked (Kafka cannot check moves of replicas)",
		"not checked (Kafka cannot check deletions)",
		"not checked (it waits for replicas to move)",
	}, marks); diff != "" || diags != nil {
		t.Error(diff, diags)
	}
}

func TestCheckIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		err  *kerr.Error
		want string
	}{
		"no right to create": {kerr.TopicAuthorizationFailed, "not checked (not permitted, this needs Create on Topic a)"},
		"quota":              {kerr.ThrottlingQuotaExceeded, "not checked (The throttling quota has been exceeded. (THROTTLING_QUOTA_EXCEEDED))"},
		"no broker":          {nil, "not checked (the broker did not answer: the broker closed the connection)"},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			if test.err != nil {
				k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: test.err})
			} else {
				k.on(kmsg.CreateTopics, func(kmsg.Request) (kmsg.Response, error) { return nil, errCut })
			}
			marks, diags := k.check(planned(create("a", 1)))
			if diff := cmp.Diff([]string{test.want}, marks); diff != "" || diags != nil {
				t.Error(diff, diags)
			}
		})
	}
}

// A refusal is told on the line that asks for what is refused.
func TestCheckTellsTheLine(t *testing.T) {
	fields := []plan.Field{
		{Path: "partitions", Source: line(2)},
		{Path: "replication_factor", Source: line(3)},
		{Path: "config.retention.ms", Source: line(4)},
		{Path: "config.delete.retention.ms", Source: line(5)},
	}
	for name, test := range map[string]struct {
		code    *kerr.Error
		message string
		fields  []plan.Field
		want    string
	}{
		"by code":      {kerr.InvalidReplicationFactor, "", fields, "3: The cluster would refuse queue.a; Replication factor is below 1 or larger than the number of available brokers. (INVALID_REPLICATION_FACTOR)"},
		"by words":     {kerr.InvalidConfig, "Invalid value -5 for configuration retention.ms.", fields, "4: The cluster would refuse queue.a; Invalid value -5 for configuration retention.ms. (INVALID_CONFIG)"},
		"longer word":  {kerr.InvalidConfig, "delete.retention.ms: too small", fields, "5: The cluster would refuse queue.a; delete.retention.ms: too small (INVALID_CONFIG)"},
		"part of word": {kerr.InvalidConfig, "local.retention.ms: too small", fields, "1: The cluster would refuse queue.a; local.retention.ms: too small (INVALID_CONFIG)"},
		"only one":     {kerr.PolicyViolation, "no", fields[2:3], "4: The cluster would refuse queue.a; no (POLICY_VIOLATION)"},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.on(kmsg.IncrementalAlterConfigs, func(req kmsg.Request) (kmsg.Response, error) {
				resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
				resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "a", ErrorCode: test.code.Code}}
				if test.message != "" {
					resp.Resources[0].ErrorMessage = &test.message
				}
				return resp, nil
			})
			p := planned(configs("a", map[string]string{"retention.ms": "9"}))
			p.Changes[0].Source, p.Changes[0].Fields = line(1), test.fields
			marks, diags := k.check(p)
			if diff := cmp.Diff([]string{test.want}, diags); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"not checked (the broker would refuse it)"}, marks); diff != "" {
				t.Error(diff)
			}
		})
	}
}
