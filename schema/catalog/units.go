package catalog

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

type unit struct {
	name string
	size int64
}

var (
	durations = []unit{{"ms", 1}, {"s", 1_000}, {"m", 60_000}, {"h", 3_600_000}, {"d", 86_400_000}, {"w", 604_800_000}}
	sizes     = []unit{{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}}
)

// ParseDuration reads "7d" as milliseconds: one number and one of ms, s, m, h,
// d, w. The number may have a fraction; the result must be whole and fit 64
// bits. A bare number is refused, except 0 and -1, which Kafka uses for "none".
func ParseDuration(text string) (int64, error) {
	return parse(text, `a duration: write one number and one unit, like "7d" or "500ms"`, durations)
}

// ParseBytes reads "2MiB" as bytes: one number and one of B, KiB, MiB, GiB,
// TiB, kB, MB, GB, TB, under the rules of [ParseDuration].
func ParseBytes(text string) (int64, error) {
	return parse(text, `a size: write one number and one unit, like "2MiB" or "10GB"`, sizes)
}

func parse(text, what string, units []unit) (int64, error) {
	number, name, ok := cut(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("%s is not %s", quote(text), what)
	case name == "" && (number == "0" || number == "-1"):
		return strconv.ParseInt(number, 10, 64)
	case name == "":
		return 0, fmt.Errorf("%q has no unit: say which of %s it counts", text, names(units))
	}
	i := slices.IndexFunc(units, func(u unit) bool { return u.name == name })
	if i < 0 {
		return 0, fmt.Errorf("%q has the unknown unit %q: use one of %s", text, name, names(units))
	}
	n, err := times(number, units[i].size)
	if err != nil {
		return 0, fmt.Errorf("%q %w of %s", text, err, units[0].name)
	}
	return n, nil
}

// longest is how long a quantity may be; more would be work to read.
const longest = 64

// cut parts a quantity in its number and its unit, if it has a number.
func cut(text string) (number, unit string, ok bool) {
	if len(text) > longest {
		return "", "", false
	}
	text = strings.TrimSpace(text)
	unit = strings.TrimLeft(text, "+-.0123456789")
	number = text[:len(text)-len(unit)]
	_, err := strconv.ParseFloat(number, 64)
	return number, strings.TrimSpace(unit), err == nil
}

func quote(text string) string {
	if len(text) > longest {
		text = text[:longest] + "..."
	}
	return strconv.Quote(text)
}

var (
	errFraction = errors.New("is not a whole number")
	errTooLarge = errors.New("does not fit a 64-bit number")
)

// times is exact.
func times(number string, size int64) (int64, error) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && -math.MaxInt64/size <= n && n <= math.MaxInt64/size {
		return n * size, nil
	}
	exact, ok := new(big.Rat).SetString(number)
	if !ok {
		panic("strconv reads a number that big does not: " + number)
	}
	exact.Mul(exact, new(big.Rat).SetInt64(size))
	switch {
	case !exact.IsInt():
		return 0, errFraction
	case !exact.Num().IsInt64():
		return 0, errTooLarge
	}
	return exact.Num().Int64(), nil
}

func names(units []unit) string {
	all := make([]string, len(units))
	for i, u := range units {
		all[i] = u.name
	}
	return strings.Join(all, ", ")
}

// FormatDuration spells milliseconds in the largest unit up to days that
// divides them: 604800000 is "7d", never "1w", which people read less easily.
// 0 and less are bare numbers.
func FormatDuration(ms int64) string { return format(ms, durations[:len(durations)-1]) }

// FormatBytes spells bytes in the unit that leaves the smallest whole number.
// 0 and less are bare numbers.
func FormatBytes(n int64) string { return format(n, sizes) }

func format(n int64, units []unit) string {
	if n <= 0 {
		return strconv.FormatInt(n, 10)
	}
	best := units[0]
	for _, u := range units[1:] {
		if u.size > best.size && n%u.size == 0 {
			best = u
		}
	}
	return strconv.FormatInt(n/best.size, 10) + best.name
}
