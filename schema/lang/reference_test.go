package lang

import (
	"strings"
	"testing"
)

// Every block and every argument is explained, and nothing else is.
func TestReferences(t *testing.T) {
	used := map[string]bool{}
	blocks := map[string]bool{"": true}
	for _, r := range References() {
		blocks[r.Block] = true
		if bodies[r.Block] == nil {
			t.Errorf("there is no block %s", r.Block)
		}
		for _, a := range r.Arguments {
			if a.Says == "" {
				t.Errorf("%s.%s has no meaning", r.Block, a.Name)
			}
			used[a.Name], used[r.Block+"."+a.Name] = true, true
		}
	}
	for name := range bodies {
		if !blocks[name] {
			t.Errorf("the block %s is not explained", name)
		}
	}
	for name, says := range meanings {
		if !used[name] || strings.HasSuffix(says, ".") {
			t.Errorf("%s: %s", name, says)
		}
	}
}
