// Package lint looks for what a declared topology should better not be: what
// the brokers are certain to refuse, and what they accept to nobody's good.
//
// Learn [Rule] and [Check]. Values of the wrong type or out of range never get
// here, since package lang refuses them; what a change would cost on a live
// cluster is package guard's to say.
package lint

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/queueform/queueform/schema"
	"github.com/queueform/queueform/schema/diag"
)

// Rule is one thing to look for: data and one function.
type Rule struct {
	Code     string // "QL101"
	Summary  string // one line, for lists and as the diagnostic's summary
	Doc      string // what is wrong with it, and what to write instead
	Severity hcl.DiagnosticSeverity
	check    func(*schema.Topology) []finding
}

// finding is one place where a rule does not hold.
type finding struct {
	addr   schema.Addr
	at     hcl.Range // of the value at fault
	detail string    // sentences about addr
}

// Check applies every rule. The diagnostics are at the values at fault and
// carry the codes of their rules, see [diag.Code]. What one value, of a profile
// or of a block with for_each, does to several queues is told once.
func Check(t *schema.Topology) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, r := range Rules() {
		for _, f := range together(r.check(t)) {
			diags = append(diags, diag.Coded(r.Code, &hcl.Diagnostic{
				Severity: r.Severity, Summary: r.Summary, Detail: f.detail, Subject: &f.at,
			}))
		}
	}
	return diag.Sorted(diags)
}

// together tells findings that say the same of the same place once, with the
// first address they hold for and the number of others.
func together(found []finding) []finding {
	type saying struct {
		at     hcl.Range
		detail string
	}
	others := map[saying]int{}
	var first []finding
	for _, f := range found {
		key := saying{f.at, f.detail}
		if _, told := others[key]; told {
			others[key]++
			continue
		}
		others[key] = 0
		first = append(first, f)
	}
	for i, f := range first {
		about := f.addr.String()
		if n := others[saying{f.at, f.detail}]; n > 0 {
			about = fmt.Sprintf("%s and %d more", about, n)
		}
		first[i].detail = about + ": " + f.detail
	}
	return first
}

// Rules is every rule there is, in the order of their codes.
func Rules() []Rule { return rules[:] }

// Find looks a rule up by its code.
func Find(code string) (Rule, bool) {
	i := slices.IndexFunc(rules[:], func(r Rule) bool { return r.Code == code })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}
