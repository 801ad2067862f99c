package catalog

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type unit struct {
	name string
	size int64
}

// Largest first, and binary before decimal: the order in which a number is spelled.
var (
	durations = []unit{{"w", 604_800_000}, {"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1_000}, {"ms", 1}}
	sizes     = []unit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}
)

var quantity = regexp.MustCompile(`^\s*([+-]?[0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*$`)

// ParseDuration reads "7d" as milliseconds: one number and one of ms, s, m, h,
// d, w. The result must be whole and fit 64 bits. A bare number is refused,
// except 0 and -1, which Kafka uses for "none".
func ParseDuration(text string) (int64, error) { return parse(text, "duration", durations) }

// ParseBytes reads "2MiB" as bytes: one number and one of B, KiB, MiB, GiB,
// TiB, kB, MB, GB, TB, under the rules of [ParseDuration].
func ParseBytes(text string) (int64, error) { return parse(text, "size", sizes) }

func parse(text, what string, units []unit) (int64, error) {
	m := quantity.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is not a %s: write one number and one unit, like %s", text, what, example(units))
	}
	number, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return 0, fmt.Errorf("%q is not a %s: its number cannot be read", text, what)
	}
	if m[2] == "" {
		if n := number.Num(); number.IsInt() && n.IsInt64() && (n.Int64() == 0 || n.Int64() == -1) {
			return n.Int64(), nil
		}
		return 0, fmt.Errorf("%q has no unit: say which of %s it counts", text, names(units))
	}
	i := slices.IndexFunc(units, func(u unit) bool { return u.name == m[2] })
	if i < 0 {
		return 0, fmt.Errorf("%q has the unknown unit %q: use one of %s", text, m[2], names(units))
	}
	number.Mul(number, new(big.Rat).SetInt64(units[i].size))
	switch {
	case !number.IsInt():
		return 0, fmt.Errorf("%q is not a whole number of %s: write it in a smaller unit", text, units[len(units)-1].name)
	case !number.Num().IsInt64():
		return 0, fmt.Errorf("%q does not fit 64 bits", text)
	}
	return number.Num().Int64(), nil
}

func names(units []unit) string {
	all := make([]string, len(units))
	for i, u := range units {
		all[len(units)-1-i] = u.name
	}
	return strings.Join(all, ", ")
}

func example(units []unit) string {
	if units[0].name == "w" {
		return `"7d" or "500ms"`
	}
	return `"2MiB" or "10GB"`
}

// FormatDuration spells milliseconds in the largest unit that divides them:
// 604800000 is "7d", never "1w", which people read less easily.
func FormatDuration(ms int64) string { return format(ms, durations[1:]) }

// FormatBytes spells bytes in the largest unit that divides them.
func FormatBytes(n int64) string { return format(n, sizes) }

func format(n int64, units []unit) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10)
	}
	for _, u := range units {
		if n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	panic("the smallest unit divides everything")
}

// Parse turns a value of the key, as a file may spell it, into Kafka's own
// spelling, and checks its type and range. Lists keep their order.
func (k Key) Parse(text string) (string, error) {
	switch k.Type {
	case Boolean:
		return k.parseBoolean(text)
	case Int:
		return k.parseInteger(text, math.MinInt32, math.MaxInt32)
	case Long:
		return k.parseInteger(text, math.MinInt64, math.MaxInt64)
	case Double:
		return k.parseDouble(text)
	case List:
		return strings.Join(items(text), ","), nil
	case String:
	}
	return text, nil
}

func (k Key) parseBoolean(text string) (string, error) {
	switch lower := strings.ToLower(text); lower {
	case "true", "false":
		return lower, nil
	}
	return "", fmt.Errorf("%s is true or false, not %q", k.Name, text)
}

func (k Key) parseDouble(text string) (string, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return "", fmt.Errorf("%s is a number, not %q", k.Name, text)
	}
	return text, nil
}

func (k Key) parseInteger(text string, least, most int64) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if n, err = k.parseQuantity(text, err); err != nil {
			return "", err
		}
	}
	if n < least || n > most {
		return "", fmt.Errorf("%s is between %d and %d, not %d", k.Name, least, most, n)
	}
	return strconv.FormatInt(n, 10), nil
}

func (k Key) parseQuantity(text string, plain error) (int64, error) {
	switch {
	case k.Unit == Milliseconds:
		return ParseDuration(text)
	case k.Unit == Bytes:
		return ParseBytes(text)
	case errors.Is(plain, strconv.ErrRange):
		return 0, fmt.Errorf("%s: %s does not fit 64 bits", k.Name, text)
	}
	return 0, fmt.Errorf("%s is a whole number, not %q", k.Name, text)
}

// Spell is how a person would write a value that the broker reported.
func (k Key) Spell(value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || n == math.MaxInt64:
		return value
	case k.Unit == Milliseconds:
		return FormatDuration(n)
	case k.Unit == Bytes && n >= 1024:
		return FormatBytes(n)
	}
	return value
}

// Equal compares two values as the key's type does: numbers exactly, lists as sets.
func (k Key) Equal(a, b string) bool {
	if a == b {
		return true
	}
	switch k.Type {
	case Boolean:
		return strings.EqualFold(a, b)
	case Double:
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && x == y
	case List:
		return slices.Equal(set(a), set(b))
	case Int, Long, String:
	}
	return false
}

func set(text string) []string {
	all := items(text)
	slices.Sort(all)
	return slices.Compact(all)
}

func items(text string) []string {
	var all []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}
