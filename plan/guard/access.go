package guard

import (
	"fmt"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/schema"
)

// loginTaken finds users who can log in no more, or by one mechanism less.
func loginTaken(s *subject) *Finding {
	for i := range s.Fields {
		if f := &s.Fields[i]; f.Before != nil && f.After == nil && plan.IsMechanism(f.Path) {
			what := "cannot log in any more"
			if s.Action != plan.Delete {
				what = "cannot log in by one of the mechanisms any more"
			}
			return &Finding{Severity: Blocks, Summary: fmt.Sprintf("user %q %s", s.Object.Name, what)}
		}
	}
	return nil
}

// accessTaken finds rights that go, and denials that come. Whether anybody works
// by them is not known.
func accessTaken(s *subject) *Finding {
	right, err := schema.ParseBinding(s.Object.Name)
	if allowed := right.Permission == schema.Allow; err != nil || allowed != (s.Action == plan.Delete) {
		return nil
	}
	return &Finding{Severity: Blocks, Summary: fmt.Sprintf("%s may not %s %s any more", right.Principal, right.Operation, right.Resource.Name)}
}
