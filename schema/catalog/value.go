package catalog

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Parse turns a value of the key, as a file may spell it, into Kafka's own
// spelling, and checks it against type, range and accepted values: a number
// may have a unit, or be bare and count milliseconds or bytes as in Kafka.
// Lists keep their order. The error is a sentence that names the key.
func (k Key) Parse(text string) (string, error) {
	switch k.Type {
	case Boolean:
		return k.parseBoolean(text)
	case Int, Long:
		return k.parseInteger(text)
	case Double:
		return k.parseDouble(text)
	case List:
		return k.parseList(text)
	case String:
	}
	if err := k.accepts(text); err != nil {
		return "", err
	}
	return text, nil
}

func (k Key) parseBoolean(text string) (string, error) {
	switch lower := strings.ToLower(strings.TrimSpace(text)); lower {
	case "true", "false":
		return lower, nil
	}
	return "", fmt.Errorf("%s is true or false, not %s", k.Name, quote(text))
}

func (k Key) parseInteger(text string) (string, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		if n, err = k.parseQuantity(text); err != nil {
			return "", err
		}
	}
	switch r := k.bounds(); {
	case n < r.Least:
		return "", fmt.Errorf("%s is at least %d, not %d", k.Name, r.Least, n)
	case n > r.Most:
		return "", fmt.Errorf("%s is at most %d, not %d", k.Name, r.Most, n)
	}
	return strconv.FormatInt(n, 10), nil
}

// bounds is the key's range, which its type has if Kafka names none.
func (k Key) bounds() Range {
	if k.Type == Int {
		return cmp.Or(k.Range, Range{math.MinInt32, math.MaxInt32})
	}
	return cmp.Or(k.Range, Range{math.MinInt64, math.MaxInt64})
}

func (k Key) parseQuantity(text string) (n int64, err error) {
	switch k.Unit {
	case Milliseconds:
		n, err = ParseDuration(text)
	case Bytes:
		n, err = ParseBytes(text)
	case NoUnit:
		return 0, fmt.Errorf("%s is a whole number of 64 bits, not %s", k.Name, quote(text))
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", k.Name, err)
	}
	return n, nil
}

func (k Key) parseDouble(text string) (string, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return "", fmt.Errorf("%s is a number, not %s", k.Name, quote(text))
	}
	if r := k.Range; r != (Range{}) && (n < float64(r.Least) || n > float64(r.Most)) {
		return "", fmt.Errorf("%s is between %d and %d, not %s", k.Name, r.Least, r.Most, text)
	}
	return text, nil
}

func (k Key) parseList(text string) (string, error) {
	all := items(text)
	for _, item := range all {
		if err := k.accepts(item); err != nil {
			return "", err
		}
	}
	return strings.Join(all, ","), nil
}

func (k Key) accepts(text string) error {
	if k.Values == nil || slices.Contains(k.Values, text) {
		return nil
	}
	return fmt.Errorf("%s knows %s, not %s", k.Name, strings.Join(k.Values, ", "), quote(text))
}

// Spell is how a person would write a value that the broker reported. What it
// gives, [Key.Parse] takes back.
func (k Key) Spell(value string) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || n == math.MaxInt64:
		return value
	case k.Unit == Milliseconds:
		return FormatDuration(n)
	case k.Unit == Bytes && n >= 1000:
		return FormatBytes(n)
	}
	return value
}

// Equal compares two values in Kafka's spelling as the key's type does:
// numbers exactly, lists as sets.
func (k Key) Equal(a, b string) bool {
	if a == b {
		return true
	}
	switch k.Type {
	case Boolean:
		return strings.EqualFold(a, b)
	case Int, Long:
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		return errX == nil && errY == nil && x == y
	case Double:
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		return errX == nil && errY == nil && x == y
	case List:
		return slices.Equal(set(a), set(b))
	case String:
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
