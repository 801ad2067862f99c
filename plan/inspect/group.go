package inspect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// groups reads groups by id: what they are, who is in them, how far they have
// come, and what the brokers are told of them. Their coordinators are asked,
// each for all of its groups at once.
func (r *reader) groups(ctx context.Context, ids []string) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	admin := kadm.NewClient(r.client)
	protocols := r.protocols(ctx)
	of := map[schema.Protocol][]string{}
	for _, id := range ids {
		of[protocols[id]] = append(of[protocols[id]], id)
	}
	of[schema.Classic] = append(of[schema.Classic], of[""]...) // which says whether it is there, or may not be seen
	all := make(map[string]live.Seen[live.Group], len(ids))
	for protocol, describe := range map[schema.Protocol]describer{schema.Classic: classic, schema.Consumer: consuming, schema.Share: sharing} {
		if some := of[protocol]; len(some) > 0 { // kadm takes none for all
			describe(ctx, admin, some, all)
		}
	}
	committed(all, admin.FetchManyOffsets(ctx, slices.Concat(of[schema.Classic], of[schema.Consumer])...))
	read := time.Now()
	groupConfigs(ctx, r.client, ids, all)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Groups, r.snapshot.GroupsAt = all, read
	return nil
}

// describer notes what groups of one protocol are, and who is in them.
type describer func(ctx context.Context, admin *kadm.Client, ids []string, all map[string]live.Seen[live.Group])

// protocols are those of the groups that the brokers list (by type since Kafka
// 4.0, KIP-848). Others may be there, and not to be seen.
func (r *reader) protocols(ctx context.Context) map[string]schema.Protocol {
	all := map[string]schema.Protocol{}
	for _, shard := range r.client.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
		resp, answered := shard.Resp.(*kmsg.ListGroupsResponse)
		if !answered {
			continue
		}
		for i := range resp.Groups {
			g := &resp.Groups[i]
			if all[g.Group] = schema.Protocol(strings.ToLower(g.GroupType)); g.ProtocolType == "share" {
				all[g.Group] = schema.Share
			}
		}
	}
	return all
}

// group is a fact about a group, of what was described of it.
func group(id string, g live.Group, err error) live.Seen[live.Group] {
	switch {
	case errors.Is(err, kerr.GroupIDNotFound), err == nil && g.State == "Dead":
		return live.None[live.Group]()
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return live.Hidden[live.Group]("not permitted", "Describe on Group "+id)
	case err != nil:
		return live.Hidden[live.Group](reason(err), "")
	}
	return live.Is(g)
}

func classic(ctx context.Context, admin *kadm.Client, ids []string, all map[string]live.Seen[live.Group]) {
	described, err := admin.DescribeGroups(ctx, ids...)
	for _, id := range ids {
		d := described[id]
		g := live.Group{State: d.State}
		if d.ProtocolType == "consumer" {
			g.Protocol = schema.Classic
		}
		for i := range d.Members {
			m := &d.Members[i]
			member := live.Member{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Assigned: map[string][]int32{}}
			if assigned, ok := m.Assigned.AsConsumer(); ok {
				for _, t := range assigned.Topics {
					member.Assigned[t.Topic] = t.Partitions
				}
			}
			g.Members = append(g.Members, member)
		}
		all[id] = group(id, g, firstOf(err, d.Err))
	}
}

func consuming(ctx context.Context, admin *kadm.Client, ids []string, all map[string]live.Seen[live.Group]) {
	described, err := admin.DescribeConsumerGroups(ctx, ids...)
	for _, id := range ids {
		d := described[id]
		g := live.Group{Protocol: schema.Consumer, State: d.State}
		for i := range d.Members {
			m := &d.Members[i]
			g.Members = append(g.Members, live.Member{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Assigned: assigned(m.Assignment)})
		}
		all[id] = group(id, g, firstOf(err, d.Err))
	}
}

func sharing(ctx context.Context, admin *kadm.Client, ids []string, all map[string]live.Seen[live.Group]) {
	described, err := admin.DescribeShareGroups(ctx, ids...)
	for _, id := range ids {
		d := described[id]
		g := live.Group{Protocol: schema.Share, State: d.GroupState}
		for i := range d.Members {
			m := &d.Members[i]
			g.Members = append(g.Members, live.Member{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Assigned: assigned(m.Assignment)})
		}
		all[id] = group(id, g, firstOf(err, d.Err))
	}
	shared(ctx, admin, ids, all)
}

// shared notes how far share groups have come.
func shared(ctx context.Context, admin *kadm.Client, ids []string, all map[string]live.Seen[live.Group]) {
	described, err := admin.DescribeShareGroupOffsets(ctx, ids...)
	for _, id := range ids {
		seen := all[id]
		if seen.State != live.Present {
			continue
		}
		offsets, undone := map[string]live.Progress{}, map[string]live.Progress{}
		for topic, partitions := range described[id].Offsets {
			for partition, o := range partitions {
				progress(offsets, topic, partition, o.StartOffset)
				progress(undone, topic, partition, o.Lag)
			}
		}
		seen.Value.Offsets, seen.Value.Undone = live.Is(offsets), undone
		if err := firstOf(err, described[id].Err); err != nil {
			seen.Value.Offsets = live.Hidden[map[string]live.Progress](reason(err), "")
		}
		all[id] = seen
	}
}

// firstOf prefers what is known of one group to what is known of all.
func firstOf(all, one error) error {
	if one != nil {
		return one
	}
	return all
}

func assigned(topics kadm.TopicsSet) map[string][]int32 {
	all := make(map[string][]int32, len(topics))
	for topic, partitions := range topics {
		for partition := range partitions {
			all[topic] = append(all[topic], partition)
		}
		slices.Sort(all[topic])
	}
	return all
}

// committed notes how far the groups have come that commit offsets.
func committed(all map[string]live.Seen[live.Group], fetched kadm.FetchOffsetsResponses) {
	for id, f := range fetched {
		seen := all[id]
		if seen.State != live.Present {
			continue
		}
		offsets := map[string]live.Progress{}
		for topic, partitions := range f.Fetched {
			for partition, o := range partitions {
				progress(offsets, topic, partition, o.At)
			}
		}
		if seen.Value.Offsets = live.Is(offsets); f.Err != nil {
			seen.Value.Offsets = live.Hidden[map[string]live.Progress](reason(f.Err), "")
		}
		all[id] = seen
	}
}

// progress keeps an offset, if there is one.
func progress(of map[string]live.Progress, topic string, partition int32, offset int64) {
	if offset < 0 {
		return
	}
	if of[topic] == nil {
		of[topic] = live.Progress{}
	}
	of[topic][partition] = offset
}

// groupConfigs reads what is set on groups (KIP-848, Kafka 4.0+), be they there
// or not.
func groupConfigs(ctx context.Context, client *kgo.Client, ids []string, all map[string]live.Seen[live.Group]) {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, id := range ids {
		req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: id})
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		resp = kmsg.NewPtrDescribeConfigsResponse()
	}
	for _, id := range ids {
		seen := all[id]
		seen.Value.Configs = live.Hidden[map[string]string]("this Kafka has no configs of groups", "")
		all[id] = seen
	}
	for i := range resp.Resources {
		res := &resp.Resources[i]
		seen := all[res.ResourceName]
		seen.Value.Configs = configsOf(res)
		all[res.ResourceName] = seen
	}
}

func configsOf(r *kmsg.DescribeConfigsResponseResource) live.Seen[map[string]string] {
	if r.ErrorCode != 0 {
		return hidden[map[string]string](r.ErrorCode, "DescribeConfigs on Group "+r.ResourceName)
	}
	set := map[string]string{}
	for _, c := range r.Configs {
		if c.Source == kmsg.ConfigSourceGroupConfig && c.Value != nil {
			set[c.Name] = *c.Value
		}
	}
	return live.Is(set)
}
