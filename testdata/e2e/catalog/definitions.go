package main

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/queueform/queueform/schema/catalog"
	"github.com/queueform/queueform/testdata/e2e/brokers"
)

// definitions is what each version says it accepts: by version, by key.
type definitions map[string]map[string]accepted

type accepted struct {
	bounds catalog.Range
	values []string
}

var (
	heading = regexp.MustCompile(`<h4>.*>([^<>]+)</a></h4>`)
	valid   = regexp.MustCompile(`<tr><th>Valid Values:</th><td>(.*)</td></tr>`)
	span    = regexp.MustCompile(`^\[(-?\d+),\.\.\.(?:,(-?\d+))?\](?: or (-?\d+))?$`)
	list    = regexp.MustCompile(`^\[(\w+(?:, \w+)*)\]$`)
)

func (o *object) definitions(ctx context.Context) (definitions, error) {
	all := definitions{}
	for _, version := range o.versions {
		text, err := brokers.Class(ctx, version, o.class)
		if err != nil {
			return nil, fmt.Errorf("kafka %s: %w", version, err)
		}
		names, values := heading.FindAllStringSubmatch(text, -1), valid.FindAllStringSubmatch(text, -1)
		if len(names) != len(values) || len(names) == 0 {
			return nil, fmt.Errorf("kafka %s: %s names %d keys and the values of %d", version, o.class, len(names), len(values))
		}
		all[version] = map[string]accepted{}
		for i, match := range names {
			all[version][match[1]] = parseAccepted(values[i][1])
		}
	}
	return all, nil
}

// parseAccepted reads "[0,...]", "[1,...,9] or -1" and "[compact, delete]".
// Whatever else Kafka says of its values is beyond checking here.
func parseAccepted(text string) accepted {
	if match := list.FindStringSubmatch(text); match != nil {
		return accepted{values: strings.Split(match[1], ", ")}
	}
	match := span.FindStringSubmatch(text)
	if match == nil {
		return accepted{}
	}
	bounds := catalog.Range{Least: number(match[1], math.MinInt64), Most: number(match[2], math.MaxInt64)}
	bounds.Least = min(bounds.Least, number(match[3], bounds.Least))
	return accepted{bounds: bounds}
}

func number(text string, otherwise int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}
