package lang

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

const (
	longestText  = 16 << 20 // bytes that a function makes
	longestRange = 100_000  // elements that a function makes of fewer
	mostCompared = 2_000    // elements that distinct compares, each with all
)

// bounded is f, which a short text would have exhaust the memory or take hours:
// size tells beforehand how large the result is, and most how large it may be.
func bounded(f function.Function, most float64, unit string, size func(args []cty.Value) float64) function.Function {
	return function.New(&function.Spec{
		Params:   f.Params(),
		VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if size(args) > most {
				return cty.NilType, fmt.Errorf("more than %.0f %s", most, unit)
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

func boundedText(f function.Function, size func(args []cty.Value) float64) function.Function {
	return bounded(f, longestText, "bytes of text", size)
}

var (
	formatFunc     = boundedText(stdlib.FormatFunc, func(args []cty.Value) float64 { return widths(args[0]) })
	formatListFunc = boundedText(stdlib.FormatListFunc, func(args []cty.Value) float64 {
		most := 1.0
		for _, list := range args[1:] {
			most = max(most, count(list))
		}
		return most * widths(args[0])
	})
	indentFunc  = boundedText(stdlib.IndentFunc, func(args []cty.Value) float64 { return number(args[0]) * float64(strings.Count(text(args[1]), "\n")) })
	replaceFunc = boundedText(stdlib.ReplaceFunc, func(args []cty.Value) float64 {
		found := strings.Count(text(args[0]), text(args[1]))
		if strings.HasPrefix(text(args[1]), "/") { // a regular expression, which may match everywhere
			found = len(text(args[0])) + 1
		}
		return float64(found) * float64(len(text(args[2])))
	})
	joinFunc = boundedText(stdlib.JoinFunc, func(args []cty.Value) float64 {
		all := 0.0
		for _, list := range args[1:] {
			all += count(list)
		}
		return all * float64(len(text(args[0])))
	})
	setProductFunc = bounded(stdlib.SetProductFunc, longestRange, "elements", func(args []cty.Value) float64 {
		product := 1.0
		for _, set := range args {
			product *= count(set)
		}
		return product
	})
	distinctFunc   = bounded(stdlib.DistinctFunc, mostCompared, "elements to compare", func(args []cty.Value) float64 { return count(args[0]) })
	jsonDecodeFunc = bounded(stdlib.JSONDecodeFunc, deepest, "brackets within each other", func(args []cty.Value) float64 {
		if deepJSON([]byte(text(args[0]))) >= 0 {
			return deepest + 1
		}
		return 0
	})
)

var width = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]`)

// widths is how wide a format makes what it prints, at least.
func widths(format cty.Value) float64 {
	all := 0.0
	for _, spec := range width.FindAllString(text(format), -1) {
		for _, digits := range strings.FieldsFunc(spec, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.ParseFloat(digits, 64) // beyond its range it is infinite
			all += n
		}
	}
	return all
}

// usable says whether a value is there to be measured.
func usable(v cty.Value) (cty.Value, bool) {
	v, _ = v.Unmark()
	return v, v.IsKnown() && !v.IsNull()
}

func text(v cty.Value) string {
	if v, ok := usable(v); ok && v.Type() == cty.String {
		return v.AsString()
	}
	return ""
}

func number(v cty.Value) float64 {
	if v, ok := usable(v); ok && v.Type() == cty.Number {
		n, _ := v.AsBigFloat().Float64()
		return n
	}
	return 0
}

func count(v cty.Value) float64 {
	if v, ok := usable(v); ok && v.CanIterateElements() {
		return float64(v.LengthInt())
	}
	return 0
}
