package lang

import (
	"fmt"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
)

// closest is the known name that a misspelt one most likely means; empty if none is near.
func closest(name string, known []string) string {
	best, distance := "", 1+max(1, len(name)/5)
	for _, candidate := range known {
		if d := levenshtein.Distance(name, candidate, nil); d < distance && d < len(name) {
			best, distance = candidate, d
		}
	}
	return best
}

// didYouMean is a sentence to end a detail with, or nothing.
func didYouMean(name string, known []string) string {
	if near := closest(name, known); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}

func place(r hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}
