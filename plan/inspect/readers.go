package inspect

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
)

// readers finds the groups that read topics. What each group has committed is
// read whole, in one request to a coordinator (KIP-709, Kafka 3.0+): that
// grows with what there is, and not with groups times partitions. Active are
// all groups that have members, whatever they read.
func readers(ctx context.Context, client *kgo.Client, topics []string) (answers map[string]live.Seen[live.Readers], active map[string]bool) {
	answers, active = make(map[string]live.Seen[live.Readers], len(topics)), map[string]bool{}
	for _, name := range topics {
		answers[name] = live.Is(live.Readers{})
	}
	if unseen := follow(ctx, client, answers, active); unseen.Why != "" {
		for name := range answers {
			answers[name] = unseen
		}
	}
	return answers, active
}

// follow notes how far all groups are, or says why that is not known.
func follow(ctx context.Context, client *kgo.Client, answers map[string]live.Seen[live.Readers], active map[string]bool) live.Seen[live.Readers] {
	if unseen := mayList(ctx, client); unseen.Why != "" {
		return unseen
	}
	admin := kadm.NewClient(client)
	listed, err := admin.ListGroups(ctx)
	if err != nil {
		return unreadable("*", err)
	}
	var consuming, joined, sharing []string
	for _, g := range listed.Sorted() {
		if g.State != "Empty" && g.State != "Dead" {
			active[g.Group] = true
		}
		if g.ProtocolType == "share" {
			sharing = append(sharing, g.Group)
			continue
		}
		consuming = append(consuming, g.Group)
		if g.State != "Empty" {
			joined = append(joined, g.Group)
		}
	}
	if unseen := takeCommitted(answers, admin.FetchManyOffsets(ctx, consuming...)); unseen.Why != "" {
		return unseen
	}
	if unseen := takeMembers(ctx, admin, answers, joined); unseen.Why != "" || len(sharing) == 0 {
		return unseen
	}
	shared, err := admin.DescribeShareGroupOffsets(ctx, sharing...)
	if err != nil {
		return unreadable("*", err)
	}
	return takeShared(answers, shared)
}

// mayList says why not all groups would be listed: without the right to see
// all, brokers list some and say nothing of the others (KIP-700, Kafka 2.8+).
func mayList(ctx context.Context, client *kgo.Client) live.Seen[live.Readers] {
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeClusterAuthorizedOperations = true
	resp, err := req.RequestWith(ctx, client)
	switch {
	case err != nil:
		return live.Hidden[live.Readers](reason(err), "")
	case resp.ErrorCode != 0:
		return hidden[live.Readers](resp.ErrorCode, describeCluster)
	case resp.ClusterAuthorizedOperations&(1<<kmsg.ACLOperationDescribe) == 0:
		return live.Hidden[live.Readers]("not permitted", describeCluster)
	}
	return live.Seen[live.Readers]{}
}

// takeCommitted notes the committed offsets of groups. One that is gone
// meanwhile reads nothing.
func takeCommitted(answers map[string]live.Seen[live.Readers], fetched kadm.FetchOffsetsResponses) live.Seen[live.Readers] {
	for _, group := range slices.Sorted(maps.Keys(fetched)) { // the first that may not be seen is told
		g := fetched[group]
		if unseen := unreadable(group, g.Err); unseen.Why != "" {
			return unseen
		}
		for topic, partitions := range g.Fetched {
			for partition, o := range partitions {
				note(answers, topic, group, partition, o.At)
			}
		}
	}
	return live.Seen[live.Readers]{}
}

// takeMembers notes the topics that members of groups read, who may have
// committed nothing yet.
func takeMembers(ctx context.Context, admin *kadm.Client, answers map[string]live.Seen[live.Readers], groups []string) live.Seen[live.Readers] {
	if len(groups) == 0 { // that would describe all
		return live.Seen[live.Readers]{}
	}
	described, err := admin.DescribeGroups(ctx, groups...)
	if err != nil {
		return unreadable("*", err)
	}
	var next []string // of the protocol of KIP-848 (Kafka 3.7+), whose members this request does not show
	for group, g := range described {
		if unseen := unreadable(group, g.Err); unseen.Why != "" {
			return unseen
		}
		if len(g.Members) == 0 {
			next = append(next, group)
		}
		noteAll(answers, group, g.JoinTopics(), g.AssignedPartitions())
	}
	if len(next) == 0 {
		return live.Seen[live.Readers]{}
	}
	again, err := admin.DescribeConsumerGroups(ctx, next...)
	if err != nil {
		return unreadable("*", err)
	}
	for group, g := range again {
		if unseen := unreadable(group, g.Err); unseen.Why != "" {
			return unseen
		}
		noteAll(answers, group, g.SubscribedTopics(), g.AssignedPartitions())
	}
	return live.Seen[live.Readers]{}
}

// noteAll keeps that a group reads topics: those it asks for, and has.
func noteAll(answers map[string]live.Seen[live.Readers], group string, wants []string, has kadm.TopicsSet) {
	for _, topic := range slices.Concat(wants, has.Topics()) {
		note(answers, topic, group, 0, live.NoOffset)
	}
}

// takeShared notes where share groups are (KIP-932, Kafka 4.0+): what lies
// before has been acknowledged.
func takeShared(answers map[string]live.Seen[live.Readers], described kadm.DescribedShareGroupsOffsets) live.Seen[live.Readers] {
	for group, g := range described {
		if unseen := unreadable(group, g.Err); unseen.Why != "" {
			return unseen
		}
		for topic, partitions := range g.Offsets {
			for partition, o := range partitions {
				note(answers, topic, group, partition, o.StartOffset)
			}
		}
	}
	return live.Seen[live.Readers]{}
}

func unreadable(group string, err error) live.Seen[live.Readers] {
	switch {
	case err == nil, errors.Is(err, kerr.GroupIDNotFound):
		return live.Seen[live.Readers]{}
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return live.Hidden[live.Readers]("not permitted", "Describe on Group "+group)
	}
	return live.Hidden[live.Readers](reason(err), "")
}

// note keeps where a group is in one of the topics that were asked for. Where
// it has not begun yet, or that is not told, there is no offset.
func note(answers map[string]live.Seen[live.Readers], topic, group string, partition int32, offset int64) {
	answer, asked := answers[topic]
	if !asked {
		return
	}
	if answer.Value[group] == nil {
		answer.Value[group] = live.Progress{}
	}
	if offset >= 0 {
		answer.Value[group][partition] = offset
	}
}
