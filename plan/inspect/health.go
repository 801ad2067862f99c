package inspect

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Sample notes how far the groups of a snapshot had come, and asks where
// topics end now.
func Sample(ctx context.Context, client *kgo.Client, s *live.Snapshot, topics []string) live.Sample {
	sample := live.Sample{GroupsAt: s.GroupsAt, Groups: s.Groups, Ends: make(map[string]live.Offsets, len(topics))}
	var ends []live.Position
	for _, name := range topics {
		ends = append(ends, live.Position{Topic: name, At: live.End})
	}
	for name, l := range list(ctx, client, s, ends) {
		sample.Ends[name] = l.offsets
	}
	sample.EndsAt = time.Now()
	return sample
}

// Progress is a sample whose groups are read again.
func Progress(ctx context.Context, client *kgo.Client, before live.Sample) live.Sample {
	now := before
	now.Groups = maps.Clone(before.Groups)
	var committing, sharing []string
	for id, seen := range before.Groups {
		switch {
		case seen.State != live.Present:
		case seen.Value.Protocol == schema.Share:
			sharing = append(sharing, id)
		default:
			committing = append(committing, id)
		}
	}
	committed(now.Groups, kadm.NewClient(client).FetchManyOffsets(ctx, committing...))
	shared(ctx, client, sharing, now.Groups)
	now.GroupsAt = time.Now()
	return now
}

// Reading adds to a sample where the messages of all partitions are, and when the
// first of those was written that are not read: at the offset that is given,
// or from live.Start; live.End asks for none. How old messages are is not asked
// where that would take too many bytes.
func Reading(ctx context.Context, client *kgo.Client, s *live.Snapshot, sample live.Sample, unread map[string]live.Offsets) live.Reading {
	r := live.Reading{Sample: sample, Spans: make(map[string][]live.Seen[live.Span], len(unread))}
	fetch(ctx, client, s, probes(s, &r, unread))
	listed(ctx, client, s, unread, r.Spans)
	r.EndsAt, r.Ends = time.Now(), make(map[string]live.Offsets, len(r.Spans))
	for name, spans := range r.Spans {
		for _, seen := range spans {
			end := live.NoOffset
			if seen.State == live.Present {
				end = seen.Value.End
			}
			r.Ends[name] = append(r.Ends[name], end)
		}
	}
	return r
}

// listed asks for the offsets alone where nothing could be fetched: that needs
// fewer rights, and finds leaders that have changed. The age of messages is then
// not known, if any are not read.
func listed(ctx context.Context, client *kgo.Client, s *live.Snapshot, unread map[string]live.Offsets, all map[string][]live.Seen[live.Span]) {
	var starts, ends []live.Position
	for name, spans := range all {
		if slices.ContainsFunc(spans, unfetched) {
			starts = append(starts, live.Position{Topic: name, At: live.Start})
			ends = append(ends, live.Position{Topic: name, At: live.End})
		}
	}
	from := list(ctx, client, s, starts)
	for name, to := range list(ctx, client, s, ends) {
		for i, end := range to.offsets {
			seen, start := &all[name][i], from[name].offsets[i]
			if !unfetched(*seen) || start < 0 || end < 0 {
				continue
			}
			span := live.Span{Start: start, End: end, Stable: live.NoOffset, Oldest: live.None[time.Time]()}
			if at := unread[name][i]; at != live.End && max(at, start) < end {
				span.Oldest = live.Hidden[time.Time](seen.Why, seen.Needs)
			}
			*seen = live.Is(span)
		}
	}
}

func unfetched(s live.Seen[live.Span]) bool { return s.State == live.Unseen && s.Why != noLeader }
