package main

import (
	"context"
	"fmt"
	"html"
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
	key    catalog.Key // what else is printed of it
}

var (
	heading = regexp.MustCompile(`<h4>.*>([^<>]+)</a></h4>`)
	printed = regexp.MustCompile(`(?s)</h4>\n<p>(.*?)</p>\n<table><tbody>\n` +
		`<tr><th>Type:</th><td>(\w+)</td></tr>\n<tr><th>Default:</th><td>([^\n]*)</td></tr>\n<tr><th>Valid Values:</th><td>([^\n]*)</td></tr>`)
	span = regexp.MustCompile(`^\[(-?\d+),\.\.\.(?:,(-?\d+))?\](?: or (-?\d+))?$`)
	list = regexp.MustCompile(`^\[(-?\w+(?:, -?\w+)*)\]$`)
)

func (o *object) definitions(ctx context.Context) (definitions, error) {
	all := definitions{}
	for _, version := range o.versions {
		text, err := brokers.Class(ctx, version, o.class)
		if err != nil {
			return nil, fmt.Errorf("kafka %s: %w", version, err)
		}
		names, bodies := heading.FindAllStringSubmatch(text, -1), printed.FindAllStringSubmatch(text, -1)
		if len(names) != len(bodies) || len(names) == 0 {
			return nil, fmt.Errorf("kafka %s: %s names %d keys and tells of %d", version, o.class, len(names), len(bodies))
		}
		all[version] = map[string]accepted{}
		for i, match := range names {
			if all[version][match[1]], err = parsePrinted(match[1], bodies[i]); err != nil {
				return nil, fmt.Errorf("kafka %s: %w", version, err)
			}
		}
	}
	return all, nil
}

var printedTypes = map[string]catalog.Type{
	"string": catalog.String, "class": catalog.String, "password": catalog.String, "boolean": catalog.Boolean,
	"short": catalog.Int, "int": catalog.Int, "long": catalog.Long, "double": catalog.Double, "list": catalog.List,
}

var (
	inWords = regexp.MustCompile(` \([^()]*\)$`) // "300000 (5 minutes)"
	login   = regexp.MustCompile(`^(?:sasl|ssl)\.`)
)

func parsePrinted(name string, body []string) (accepted, error) {
	a := parseAccepted(body[4])
	key, err := printedKey(name, body)
	for _, value := range a.values {
		if strings.EqualFold(value, key.Default) {
			key.Default = value // BATCH_OPTIMIZED
		}
	}
	a.key = key
	return a, err
}

// printedKey reads documentation, type and default. What a login is made of is
// nobody's to set here, and needs no documentation.
func printedKey(name string, body []string) (catalog.Key, error) {
	t, ok := printedTypes[body[2]]
	if !ok {
		return catalog.Key{}, fmt.Errorf("%s is of the type %s, which the catalog does not know", name, body[2])
	}
	key := catalog.Key{Name: name, Type: t, Unit: unit(name, t)}
	if !login.MatchString(name) {
		key.Doc = plain(body[1])
	}
	switch value := html.UnescapeString(body[3]); value {
	case "", "null": // it has to be set, or need not be
		key.Null = true
	case `""`:
	default:
		key.Default = strings.ReplaceAll(inWords.ReplaceAllString(value, ""), "class ", "")
	}
	return key, nil
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
