package lang

import (
	"fmt"

	"github.com/agext/levenshtein"
)

// Closest is the known name that a misspelt one most likely means; empty if none is near.
func Closest(name string, known []string) string {
	best, distance := "", 1+slips(name)
	for _, candidate := range known {
		if d := levenshtein.Distance(name, candidate, nil); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// slips is how many letters of a name may be wrong for it still to mean another.
func slips(name string) int {
	switch n := len(name); {
	case n < 2:
		return 0
	case n < 3:
		return 1
	default:
		return max(2, n/5)
	}
}

// spelt are names of one type as text.
func spelt[T ~string](all []T) []string {
	names := make([]string, len(all))
	for i, name := range all {
		names[i] = string(name)
	}
	return names
}

// didYouMean is a sentence to end a detail with, or nothing.
func didYouMean(name string, known []string) string {
	if near := Closest(name, known); near != "" {
		return fmt.Sprintf(" Did you mean %q?", near)
	}
	return ""
}
