package devcluster

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// refusals make kfake answer what it would only pretend to do, whoever asks.
var refusals = map[kmsg.Key]func(kmsg.Request) kmsg.Response{
	kmsg.AlterPartitionAssignments: refuseMoves,
	kmsg.CreateTopics:              refuseTopics,
	kmsg.CreatePartitions:          refusePartitions,
}

func refuse(kafka *kfake.Cluster) {
	for key, answer := range refusals {
		kafka.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			resp := answer(req)
			if resp == nil {
				return nil, nil, false
			}
			kafka.KeepControl()
			return resp, nil, true
		})
	}
}

func refuseMoves(req kmsg.Request) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.AlterPartitionAssignmentsResponse)
	for _, t := range req.(*kmsg.AlterPartitionAssignmentsRequest).Topics {
		refused := kmsg.AlterPartitionAssignmentsResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			refused.Partitions = append(refused.Partitions, kmsg.AlterPartitionAssignmentsResponseTopicPartition{
				Partition: p.Partition, ErrorCode: kerr.PolicyViolation.Code, ErrorMessage: new(noMoves.Error()),
			})
		}
		resp.Topics = append(resp.Topics, refused)
	}
	return resp
}

// together is what becomes of a topic whose neighbour in a request is refused:
// kfake answers a request as a whole.
const together = "not done: another topic of the request asks for a placement"

func refuseTopics(req kmsg.Request) kmsg.Response {
	topics := req.(*kmsg.CreateTopicsRequest).Topics
	placed := func(t kmsg.CreateTopicsRequestTopic) bool { return len(t.ReplicaAssignment) > 0 }
	if !slices.ContainsFunc(topics, placed) {
		return nil
	}
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	for _, t := range topics {
		refused := kmsg.CreateTopicsResponseTopic{Topic: t.Topic, ErrorCode: kerr.PolicyViolation.Code, ErrorMessage: new(together)}
		if placed(t) {
			refused.ErrorMessage = new(noPlacement.Error())
		}
		resp.Topics = append(resp.Topics, refused)
	}
	return resp
}

func refusePartitions(req kmsg.Request) kmsg.Response {
	topics := req.(*kmsg.CreatePartitionsRequest).Topics
	placed := func(t kmsg.CreatePartitionsRequestTopic) bool { return len(t.Assignment) > 0 }
	if !slices.ContainsFunc(topics, placed) {
		return nil
	}
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	for _, t := range topics {
		refused := kmsg.CreatePartitionsResponseTopic{Topic: t.Topic, ErrorCode: kerr.PolicyViolation.Code, ErrorMessage: new(together)}
		if placed(t) {
			refused.ErrorMessage = new(noPlacement.Error())
		}
		resp.Topics = append(resp.Topics, refused)
	}
	return resp
}
