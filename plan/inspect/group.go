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
// each for all of its groups at once. One broker alone knows only the last.
func (r *reader) groups(ctx context.Context, ids []string, configsOnly bool) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	all := make(map[string]live.Seen[live.Group], len(ids))
	var spoken []schema.Protocol
	if !configsOnly {
		spoken = r.described(ctx, ids, all)
	}
	read := time.Now()
	keys := r.groupConfigs(ctx, ids, spoken, all)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Groups, r.snapshot.GroupsAt, r.snapshot.GroupKeys, r.spoken = all, read, keys, spoken
	return nil
}

// described reads all of groups but their configs, and which protocols the
// brokers speak.
func (r *reader) described(ctx context.Context, ids []string, all map[string]live.Seen[live.Group]) []schema.Protocol {
	spoken := r.spokenProtocols(ctx)
	protocols, unlisted := r.protocols(ctx)
	of := map[schema.Protocol][]string{}
	for _, id := range ids {
		of[protocols[id]] = append(of[protocols[id]], id)
	}
	switch others := of[""]; {
	case unlisted != "":
		for _, id := range others {
			all[id] = live.Hidden[live.Group]("a broker does not list its groups: "+unlisted, "")
		}
	case r.someGroups(ctx):
		of[schema.Classic] = append(of[schema.Classic], others...) // which says whether it is there, or may not be seen
	default:
		for _, id := range others {
			all[id] = live.None[live.Group]()
		}
	}
	for protocol, ids := range of {
		if unanswered := r.describeGroups(ctx, protocol, ids, all); len(unanswered) > 0 {
			r.describeGroups(ctx, protocol, unanswered, all) // of another broker, who their coordinator is
		}
	}
	shared(ctx, r.client, of[schema.Share], all)
	committed(all, kadm.NewClient(r.client).FetchManyOffsets(ctx, slices.Concat(of[schema.Classic], of[schema.Consumer])...))
	return spoken
}

// Which features brokers speak a protocol by, once they are finalized (KIP-584).
var features = map[string]schema.Protocol{"group.version": schema.Consumer, "share.version": schema.Share}

// spokenProtocols are those of groups that the cluster has; none: it does not tell.
func (r *reader) spokenProtocols(ctx context.Context) []schema.Protocol {
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, r.client)
	if err != nil || resp.ErrorCode != 0 || resp.FinalizedFeaturesEpoch < 0 {
		return nil
	}
	spoken := []schema.Protocol{schema.Classic}
	for i := range resp.FinalizedFeatures {
		f := &resp.FinalizedFeatures[i]
		if protocol, known := features[f.Name]; known && f.MaxVersionLevel > 0 {
			spoken = append(spoken, protocol)
		}
	}
	slices.Sort(spoken)
	return spoken
}

// protocols are those of the groups that the brokers list (by type since Kafka
// 4.0, KIP-848). Others may be there, and not to be seen. Unlisted is why a
// broker has not listed its own: it is asked twice, since one that has gone leaves
// them to others.
func (r *reader) protocols(ctx context.Context) (all map[string]schema.Protocol, unlisted string) {
	if all, unlisted = r.list(ctx); unlisted != "" {
		all, unlisted = r.list(ctx)
	}
	return all, unlisted
}

func (r *reader) list(ctx context.Context) (all map[string]schema.Protocol, unlisted string) {
	all = map[string]schema.Protocol{}
	for _, shard := range r.client.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
		resp, answered := shard.Resp.(*kmsg.ListGroupsResponse)
		if !answered {
			unlisted = reasonOf(shard.Meta.NodeID, shard.Err)
			continue
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			unlisted = reasonOf(shard.Meta.NodeID, err)
		}
		for i := range resp.Groups {
			g := &resp.Groups[i]
			if all[g.Group] = schema.Protocol(strings.ToLower(g.GroupType)); g.ProtocolType == "share" {
				all[g.Group] = schema.Share
			}
		}
	}
	return all, unlisted
}

// someGroups says whether the cluster has ever had a group: before, to ask for
// the coordinator of one would create the topic that groups are kept in.
func (r *reader) someGroups(ctx context.Context) bool {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = new("__consumer_offsets")
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, r.client)
	return err != nil || len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != kerr.UnknownTopicOrPartition.Code
}

// describing is the request that tells what groups of a protocol are; nil: they are
// of none.
func describing(protocol schema.Protocol, ids []string) kmsg.Request {
	switch protocol {
	case schema.Classic:
		return &kmsg.DescribeGroupsRequest{Groups: ids}
	case schema.Consumer:
		return &kmsg.ConsumerGroupDescribeRequest{Groups: ids}
	case schema.Share:
		return &kmsg.ShareGroupDescribeRequest{GroupIDs: ids}
	}
	return nil
}

// describeGroups notes what groups of one protocol are, and gives those of which no
// broker said anything. Kadm would take one that may not be seen for all of them.
func (r *reader) describeGroups(ctx context.Context, protocol schema.Protocol, ids []string, all map[string]live.Seen[live.Group]) (unanswered []string) {
	req := describing(protocol, ids)
	if req == nil || len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		all[id] = live.Hidden[live.Group](noAnswer, "")
	}
	for _, shard := range r.client.RequestSharded(ctx, req) {
		switch resp := shard.Resp.(type) {
		case *kmsg.DescribeGroupsResponse:
			for i := range resp.Groups {
				g := &resp.Groups[i]
				all[g.Group] = group(g.Group, g.ErrorCode, classic(g))
			}
		case *kmsg.ConsumerGroupDescribeResponse:
			for i := range resp.Groups {
				g := &resp.Groups[i]
				all[g.Group] = group(g.Group, g.ErrorCode, consuming(g))
			}
		case *kmsg.ShareGroupDescribeResponse:
			for i := range resp.Groups {
				g := &resp.Groups[i]
				all[g.GroupID] = group(g.GroupID, g.ErrorCode, sharing(g))
			}
		default:
			for _, id := range groupsOf(shard.Req) {
				all[id] = unread[live.Group](shard.Meta.NodeID, shard.Err, "Describe on Group "+id)
				if _, said := errors.AsType[*kerr.Error](shard.Err); !said {
					unanswered = append(unanswered, id)
				}
			}
		}
	}
	return unanswered
}

// groupsOf are those that a request asks for.
func groupsOf(req kmsg.Request) []string {
	switch req := req.(type) {
	case *kmsg.DescribeGroupsRequest:
		return req.Groups
	case *kmsg.ConsumerGroupDescribeRequest:
		return req.Groups
	case *kmsg.ShareGroupDescribeRequest:
		return req.GroupIDs
	}
	return nil
}

const noAnswer = "the broker did not answer for it"

// group is a fact about a group, of what a broker says of it.
func group(id string, code int16, g live.Group) live.Seen[live.Group] {
	switch {
	case code == kerr.GroupIDNotFound.Code, code == 0 && g.State == "Dead":
		return live.None[live.Group]()
	case code != 0:
		return hidden[live.Group](code, "Describe on Group "+id)
	}
	return live.Is(g)
}

// memberOf is a member that has no partitions yet.
func memberOf(id, clientID, host string) live.Member {
	return live.Member{ID: id, ClientID: clientID, Host: host, Assigned: map[string][]int32{}}
}

func classic(d *kmsg.DescribeGroupsResponseGroup) live.Group {
	g := live.Group{State: d.State}
	if d.ProtocolType == "consumer" {
		g.Protocol = schema.Classic
	}
	for i := range d.Members {
		m := &d.Members[i]
		member := memberOf(m.MemberID, m.ClientID, m.ClientHost)
		var assigned kmsg.ConsumerMemberAssignment
		if g.Protocol == schema.Classic && assigned.ReadFrom(m.MemberAssignment) == nil { // else it has none yet
			for _, t := range assigned.Topics {
				member.Assigned[t.Topic] = t.Partitions
			}
		}
		g.Members = append(g.Members, member)
	}
	return g
}

func consuming(d *kmsg.ConsumerGroupDescribeResponseGroup) live.Group {
	g := live.Group{Protocol: schema.Consumer, State: d.State}
	for i := range d.Members {
		m := &d.Members[i]
		member := memberOf(m.MemberID, m.ClientID, m.ClientHost)
		for _, t := range m.Assignment.TopicPartitions {
			member.Assigned[t.Topic] = t.Partitions
		}
		g.Members = append(g.Members, member)
	}
	return g
}

func sharing(d *kmsg.ShareGroupDescribeResponseGroup) live.Group {
	g := live.Group{Protocol: schema.Share, State: d.GroupState}
	for i := range d.Members {
		m := &d.Members[i]
		member := memberOf(m.MemberID, m.ClientID, m.ClientHost)
		for _, t := range m.Assignment.TopicPartitions {
			member.Assigned[t.Topic] = t.Partitions
		}
		g.Members = append(g.Members, member)
	}
	return g
}

// shared notes how far share groups have come (KIP-932).
func shared(ctx context.Context, client *kgo.Client, ids []string, all map[string]live.Seen[live.Group]) {
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	for _, id := range ids {
		if seen := all[id]; seen.State == live.Present {
			seen.Value.Offsets, seen.Value.Undone = live.Hidden[map[string]live.Progress](noAnswer, ""), nil
			all[id] = seen
			req.Groups = append(req.Groups, kmsg.DescribeShareGroupOffsetsRequestGroup{GroupID: id})
		}
	}
	if len(req.Groups) == 0 {
		return
	}
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			for _, g := range shard.Req.(*kmsg.DescribeShareGroupOffsetsRequest).Groups {
				seen := all[g.GroupID]
				seen.Value.Offsets = unread[map[string]live.Progress](shard.Meta.NodeID, shard.Err, "Describe on Group "+g.GroupID)
				all[g.GroupID] = seen
			}
			continue
		}
		resp := shard.Resp.(*kmsg.DescribeShareGroupOffsetsResponse)
		for i := range resp.Groups {
			g := &resp.Groups[i]
			seen := all[g.GroupID]
			seen.Value.Offsets, seen.Value.Undone = sharedOffsets(g)
			all[g.GroupID] = seen
		}
	}
}

// sharedOffsets are those of one share group, and how much behind them is not done.
func sharedOffsets(g *kmsg.DescribeShareGroupOffsetsResponseGroup) (live.Seen[map[string]live.Progress], map[string]live.Progress) {
	offsets, undone := map[string]live.Progress{}, map[string]live.Progress{}
	trouble, right := g.ErrorCode, "Describe on Group "+g.GroupID
	for _, t := range g.Topics {
		for _, p := range t.Partitions {
			if trouble == 0 && p.ErrorCode != 0 {
				trouble, right = p.ErrorCode, "Describe on Topic "+t.Topic
			}
			progress(offsets, t.Topic, p.Partition, p.StartOffset)
			progress(undone, t.Topic, p.Partition, p.Lag)
		}
	}
	if trouble != 0 {
		return hidden[map[string]live.Progress](trouble, right), nil
	}
	return live.Is(offsets), undone
}

// committed notes how far the groups have come that commit offsets.
func committed(all map[string]live.Seen[live.Group], fetched kadm.FetchOffsetsResponses) {
	for id, f := range fetched {
		offsets, trouble, right := map[string]live.Progress{}, f.Err, "Describe on Group "+id
		for topic, partitions := range f.Fetched {
			for partition, o := range partitions {
				if trouble == nil && o.Err != nil {
					trouble, right = o.Err, "Describe on Topic "+topic
				}
				progress(offsets, topic, partition, o.At)
			}
		}
		seen := all[id]
		if seen.State == live.Absent && len(offsets) > 0 { // it came just now
			all[id] = live.Hidden[live.Group]("brokers disagree on whether it is there", "")
		}
		if seen.State != live.Present {
			continue
		}
		seen.Value.Offsets = live.Is(offsets)
		if trouble != nil {
			seen.Value.Offsets = unread[map[string]live.Progress](-1, trouble, right)
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
// or not, and which keys there are. Brokers that speak the classic protocol alone
// are not asked: older ones close the connection.
func (r *reader) groupConfigs(ctx context.Context, ids []string, spoken []schema.Protocol, all map[string]live.Seen[live.Group]) (keys []string) {
	note := func(id string, configs live.Seen[map[string]string]) {
		seen := all[id]
		seen.Value.Configs = configs
		all[id] = seen
	}
	for batch := range slices.Chunk(ids, groupConfigBatch) {
		var resources []kmsg.DescribeConfigsResponseResource
		why := noGroupConfigs
		if !slices.Equal(spoken, []schema.Protocol{schema.Classic}) {
			var err error
			if resources, err = describe(ctx, r.broker, kmsg.ConfigResourceTypeGroupConfig, batch); err != nil {
				why = reason(err)
			}
		}
		for _, id := range batch {
			note(id, live.Hidden[map[string]string](why, ""))
		}
		for i := range resources {
			note(resources[i].ResourceName, configsOf(&resources[i]))
			if keys == nil {
				keys = keysOf(&resources[i])
			}
		}
	}
	return keys
}

// groupConfigBatch is how many groups one request for configs is about.
const groupConfigBatch = 2_000

const noGroupConfigs = "this Kafka has no configs of groups"

// keysOf are the keys that a broker knows of a group, nil where it does not tell.
func keysOf(r *kmsg.DescribeConfigsResponseResource) (keys []string) {
	for i := range r.Configs {
		keys = append(keys, r.Configs[i].Name)
	}
	slices.Sort(keys)
	return keys
}

func configsOf(r *kmsg.DescribeConfigsResponseResource) live.Seen[map[string]string] {
	switch r.ErrorCode {
	case 0:
	case kerr.UnknownServerError.Code, kerr.InvalidRequest.Code: // before Kafka 4.0
		return live.Hidden[map[string]string](noGroupConfigs, "")
	default:
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
