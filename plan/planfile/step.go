package planfile

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/queueform/queueform/plan"
)

// Step is a step with its kind beside its fields in JSON.
type Step struct{ plan.Step }

// stepKinds is the one list of names for the kinds of steps.
var stepKinds = []stepKind{
	{"create_topic", is[*plan.CreateTopic], func() plan.Step { return new(plan.CreateTopic) }},
	{"alter_configs", is[*plan.AlterConfigs], func() plan.Step { return new(plan.AlterConfigs) }},
	{"add_partitions", is[*plan.AddPartitions], func() plan.Step { return new(plan.AddPartitions) }},
	{"reassign", is[*plan.Reassign], func() plan.Step { return new(plan.Reassign) }},
	{"alter_user", is[*plan.AlterUser], func() plan.Step { return new(plan.AlterUser) }},
	{"create_acl", is[*plan.CreateACL], func() plan.Step { return new(plan.CreateACL) }},
	{"delete_acl", is[*plan.DeleteACL], func() plan.Step { return new(plan.DeleteACL) }},
	{"alter_quota", is[*plan.AlterQuota], func() plan.Step { return new(plan.AlterQuota) }},
	{"seed_offsets", is[*plan.SeedOffsets], func() plan.Step { return new(plan.SeedOffsets) }},
	{"delete_group", is[*plan.DeleteGroup], func() plan.Step { return new(plan.DeleteGroup) }},
	{"release", is[*plan.Release], func() plan.Step { return new(plan.Release) }},
	{"delete_topic", is[*plan.DeleteTopic], func() plan.Step { return new(plan.DeleteTopic) }},
}

type stepKind struct {
	name string
	is   func(plan.Step) bool
	make func() plan.Step
}

func is[T plan.Step](s plan.Step) bool { _, ok := s.(T); return ok }

// Kind names the step's kind: create_topic, alter_configs and so on.
func (s Step) Kind() string {
	i := slices.IndexFunc(stepKinds, func(k stepKind) bool { return k.is(s.Step) })
	return stepKinds[i].name
}

// MarshalJSON puts the kind before the step's own fields.
func (s Step) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(s.Step)
	if err != nil {
		return nil, err
	}
	return append([]byte(fmt.Sprintf(`{"kind":%q,`, s.Kind())), fields[1:]...), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Step) UnmarshalJSON(text []byte) error {
	var kind struct{ Kind string }
	if err := json.Unmarshal(text, &kind); err != nil {
		return err
	}
	for _, k := range stepKinds {
		if k.name == kind.Kind {
			s.Step = k.make()
			return json.Unmarshal(text, s.Step)
		}
	}
	return fmt.Errorf("unknown kind of step %q", kind.Kind)
}
