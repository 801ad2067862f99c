package lang

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/queueform/queueform/schema/catalog"
)

// functions is the library: Terraform's names for the go-cty standard
// library, and queueform's own.
func functions(dir string, env func(string) (string, bool)) map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "floor": stdlib.FloorFunc, "log": stdlib.LogFunc,
		"max": stdlib.MaxFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "signum": stdlib.SignumFunc,

		"chomp": stdlib.ChompFunc, "format": formatFunc, "formatlist": formatListFunc, "indent": indentFunc,
		"join": joinFunc, "lower": stdlib.LowerFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
		"replace": replaceFunc, "split": stdlib.SplitFunc, "strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc,
		"title": stdlib.TitleFunc, "trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "upper": stdlib.UpperFunc, "startswith": affix(strings.HasPrefix), "endswith": affix(strings.HasSuffix),

		"chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc, "coalescelist": stdlib.CoalesceListFunc,
		"compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": distinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc,
		"lookup": stdlib.LookupFunc, "merge": stdlib.MergeFunc, "range": rangeFunc, "reverse": stdlib.ReverseListFunc,
		"setintersection": stdlib.SetIntersectionFunc, "setproduct": setProductFunc, "setsubtract": stdlib.SetSubtractFunc,
		"setunion": stdlib.SetUnionFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"csvdecode": stdlib.CSVDecodeFunc, "jsondecode": jsonDecodeFunc, "jsonencode": stdlib.JSONEncodeFunc,
		"formatdate": stdlib.FormatDateFunc, "timeadd": stdlib.TimeAddFunc,

		"tobool": toFunc(cty.Bool), "tolist": toFunc(cty.List(cty.DynamicPseudoType)),
		"tomap": toFunc(cty.Map(cty.DynamicPseudoType)), "tonumber": toFunc(cty.Number),
		"toset": toFunc(cty.Set(cty.DynamicPseudoType)), "tostring": toFunc(cty.String),
		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,

		"env": envFunc(env), "file": fileFunc(dir),
		"duration": quantityFunc(catalog.ParseDuration), "bytes": quantityFunc(catalog.ParseBytes),
	}
}

// toFunc converts to a type. go-cty's own takes time with the square of the
// elements of a tuple or an object to find the one type of all; where that is
// plain to see, they are made a list or a map before it looks.
func toFunc(wanted cty.Type) function.Function {
	convert := stdlib.MakeToFunc(wanted)
	return function.New(&function.Spec{
		Params: convert.Params(),
		Type: func(args []cty.Value) (cty.Type, error) {
			return convert.ReturnTypeForValues([]cty.Value{gathered(args[0])})
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return convert.Call([]cty.Value{gathered(args[0])})
		},
	})
}

func gathered(v cty.Value) cty.Value {
	t := v.Type()
	if v.IsNull() || !v.IsKnown() || !t.IsTupleType() && !t.IsObjectType() || v.LengthInt() == 0 || !ofOneType(v) {
		return v
	}
	if t.IsTupleType() {
		return cty.ListVal(v.AsValueSlice())
	}
	return cty.MapVal(v.AsValueMap())
}

func ofOneType(v cty.Value) bool {
	first := cty.NilType
	for _, item := range v.Elements() {
		if first == cty.NilType {
			first = item.Type()
		}
		if t := item.Type(); t.HasDynamicTypes() || !t.Equals(first) {
			return false
		}
	}
	return true
}

func textFunc(result cty.Type, call func(arg string) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(result),
		Impl:   func(args []cty.Value, _ cty.Type) (cty.Value, error) { return call(args[0].AsString()) },
	})
}

func affix(has func(text, affix string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "affix", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(has(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func quantityFunc(parse func(string) (int64, error)) function.Function {
	return textFunc(cty.Number, func(text string) (cty.Value, error) {
		n, err := parse(text)
		return cty.NumberIntVal(n), err
	})
}

// envFunc reads the environment. Its results are secrets.
func envFunc(env func(string) (string, bool)) function.Function {
	return textFunc(cty.String, func(name string) (cty.Value, error) {
		value, set := env(name)
		if !set {
			return cty.NilVal, fmt.Errorf("the environment variable %s is not set", name)
		}
		return cty.StringVal(value).Mark(secretMark), nil
	})
}

// laterEnv stands for env where it does not matter yet whether a name is set.
var laterEnv = textFunc(cty.String, func(string) (cty.Value, error) {
	return cty.UnknownVal(cty.String).Mark(secretMark), nil
})

const largestText = 1 << 20 // bytes that file() reads

// fileFunc reads a text file within the topology's directory; links do not lead out of it.
func fileFunc(dir string) function.Function {
	return textFunc(cty.String, func(path string) (cty.Value, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return cty.NilVal, errors.New(reason(err))
		}
		defer root.Close()
		info, err := root.Stat(path)
		switch {
		case err != nil:
			return cty.NilVal, fmt.Errorf("%s: %s (only files within the topology's directory are read)", path, reason(err))
		case !info.Mode().IsRegular():
			return cty.NilVal, fmt.Errorf("%s is not a regular file", path)
		}
		f, err := root.Open(path)
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s: %s", path, reason(err))
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, largestText+1))
		switch {
		case err != nil:
			return cty.NilVal, fmt.Errorf("%s: %s", path, reason(err))
		case len(text) > largestText:
			return cty.NilVal, fmt.Errorf("%s is larger than 1 MiB", path)
		case !utf8.Valid(text):
			return cty.NilVal, fmt.Errorf("%s is not UTF-8 text", path)
		}
		return cty.StringVal(string(text)), nil
	})
}

// rangeFunc is Terraform's range, without go-cty's limit of 1,024 numbers.
var rangeFunc = function.New(&function.Spec{
	VarParam: &function.Parameter{Name: "bounds", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.Number)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		var begin, end, step cty.Value
		switch len(args) {
		case 1:
			begin, end, step = cty.Zero, args[0], cty.NumberIntVal(1)
		case 2:
			begin, end, step = args[0], args[1], cty.NumberIntVal(1)
		case 3:
			begin, end, step = args[0], args[1], args[2]
		default:
			return cty.NilVal, errors.New("range takes an end; a begin and an end; or a begin, an end and a step")
		}
		if len(args) < 3 && end.LessThan(begin).True() {
			step = cty.NumberIntVal(-1)
		}
		if step.RawEquals(cty.Zero) {
			return cty.NilVal, function.NewArgErrorf(2, "step must not be zero")
		}
		var numbers []cty.Value
		up := step.GreaterThan(cty.Zero).True()
		for n := begin; up && n.LessThan(end).True() || !up && n.GreaterThan(end).True(); n = n.Add(step) {
			if len(numbers) == longestRange {
				return cty.NilVal, fmt.Errorf("more than %d numbers", longestRange)
			}
			numbers = append(numbers, n)
		}
		if len(numbers) == 0 {
			return cty.ListValEmpty(cty.Number), nil
		}
		return cty.ListVal(numbers), nil
	},
})
