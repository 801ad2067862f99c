package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// Refusal is a cluster's no to one object.
type Refusal struct {
	Code    error  // a *kerr.Error
	Message string // the broker's own words, if it had any
	Needs   string // the right that whoever asks lacks, "Create on Topic shop.orders"; empty: it is not that
}

func (r *Refusal) Error() string {
	code, ok := errors.AsType[*kerr.Error](r.Code)
	if !ok {
		return r.Message
	}
	if r.Needs != "" {
		return "not permitted, this needs " + r.Needs
	}
	return fmt.Sprintf("%s (%s)", cmp.Or(r.Message, code.Description), code.Message)
}

// Unwrap gives the *kerr.Error.
func (r *Refusal) Unwrap() error { return r.Code }

// refusal is nil for code 0.
func refusal(code int16, message *string) error {
	if code == 0 {
		return nil
	}
	r := &Refusal{Code: kerr.ErrorForCode(code)}
	if message != nil {
		r.Message = *message
	}
	return r
}

// answer is what came back for the steps of one request.
type answer struct {
	refusals map[string]error        // by object name; every name that was answered is here
	begun    map[string]bool         // of several requests for it one was taken, whatever became of the rest
	ids      map[string]live.TopicID // of the topics that were created; Kafka 2.8+
	seeds    map[string]seeds        // where groups were put, by group
	had      map[string]seeds        // where they were already, by group: where an earlier request has put them, maybe
	cut      map[string]error        // by object name, where each has a broker of its own: how the connection ended
	throttle time.Duration           // how long the broker wants to be left alone
}

// writer sends what a topology asks for to one broker.
type writer struct {
	kmsg.Requestor
	topology *schema.Topology // where passwords come from
	engine   *Engine          // looks where groups are; nil: nothing is sent, but to be checked
}

// send makes one request of steps of one type. Its error is the connection's:
// then nothing is known about any of the steps.
func (w writer) send(ctx context.Context, steps []plan.Step, validate bool) (answer, error) {
	a, err := w.request(ctx, steps, validate)
	for _, s := range steps {
		name := s.About().Object.Name
		if refused, answered := a.refusals[name]; answered {
			a.refusals[name] = lacking(refused, right(s))
		}
	}
	for name, err := range a.cut {
		a.cut[name] = broken(err)
	}
	return a, broken(err)
}

// isDenied says whether a refusal is about who asks.
func isDenied(err error) bool {
	return errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.GroupAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed)
}

// lacking adds to a refusal, if it is about who asks, the right that it takes.
func lacking(err error, right string) error {
	if refused, ok := errors.AsType[*Refusal](err); ok && isDenied(refused) && refused.Needs == "" {
		refused.Needs = right
	}
	return err
}

// right is what it takes to carry a step out.
func right(s plan.Step) string {
	topic, group := " on Topic "+s.About().Object.Name, " on Group "+s.About().Object.Name
	switch s.(type) {
	case *plan.CreateTopic:
		return "Create" + topic
	case *plan.AlterConfigs:
		if s.About().Object.Kind == schema.KindGroup {
			return "AlterConfigs" + group
		}
		return "AlterConfigs" + topic
	case *plan.AddPartitions:
		return "Alter" + topic
	case *plan.Reassign:
		return "Alter on Cluster"
	case *plan.DeleteTopic:
		return "Delete" + topic
	case *plan.AlterUser, *plan.CreateACL, *plan.DeleteACL:
		return "Alter on Cluster"
	case *plan.AlterQuota:
		return "AlterConfigs on Cluster"
	case *plan.SeedOffsets:
		return "Read" + group
	case *plan.DeleteGroup:
		return "Delete" + group
	case *plan.Release: // the ledger alone learns it
	}
	return ""
}

// broken says what the client has no words for: a time that ran out. And it takes
// a guess out of its words for a connection that ended at its first request: that
// the login is at fault. It is not, where others have worked.
func broken(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the broker did not answer in time")
	}
	if _, guesses := errors.AsType[*kgo.ErrFirstReadEOF](err); guesses {
		return errors.New("the broker closed the connection")
	}
	return err
}

func (w writer) request(ctx context.Context, steps []plan.Step, validate bool) (answer, error) {
	to := w.Requestor
	timeout := millis(ctx)
	switch steps[0].(type) {
	case *plan.CreateTopic:
		return createTopics(ctx, to, steps, timeout, validate)
	case *plan.AlterConfigs:
		return alterConfigs(ctx, to, steps, validate)
	case *plan.AddPartitions:
		return addPartitions(ctx, to, steps, timeout, validate)
	case *plan.Reassign:
		return reassign(ctx, to, steps, timeout)
	case *plan.DeleteTopic:
		return deleteTopics(ctx, to, steps, timeout)
	case *plan.AlterUser:
		return w.alterUsers(ctx, steps)
	case *plan.CreateACL:
		return createACLs(ctx, to, steps)
	case *plan.DeleteACL:
		return deleteACLs(ctx, to, steps)
	case *plan.AlterQuota:
		return alterQuotas(ctx, to, steps, validate)
	case *plan.SeedOffsets:
		return w.seedOffsets(ctx, steps)
	case *plan.DeleteGroup:
		return w.deleteGroups(ctx, steps)
	case *plan.Release: // the ledger alone learns it
	}
	panic(fmt.Sprintf("apply: no request for a %T", steps[0]))
}

// millis is the time the broker has, a little less than we have.
func millis(ctx context.Context) int32 {
	deadline, ok := ctx.Deadline()
	if !ok {
		return int32(ledger.RequestTimeout.Milliseconds())
	}
	return int32(max(time.Until(deadline)*9/10, time.Second).Milliseconds())
}

func createTopics(ctx context.Context, to kmsg.Requestor, steps []plan.Step, timeout int32, validate bool) (answer, error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis, req.ValidateOnly = timeout, validate
	req.Topics = make([]kmsg.CreateTopicsRequestTopic, len(steps))
	for i, s := range steps {
		create := s.(*plan.CreateTopic)
		t := &req.Topics[i]
		t.Topic, t.NumPartitions, t.ReplicationFactor = create.Object.Name, create.Partitions, create.Factor
		for p, replicas := range create.Assign {
			t.ReplicaAssignment = append(t.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: int32(p), Replicas: replicas})
		}
		for _, key := range slices.Sorted(maps.Keys(create.Configs)) {
			t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: key, Value: new(create.Configs[key])})
		}
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	a.ids = make(map[string]live.TopicID, len(steps))
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic], a.ids[t.Topic] = refusal(t.ErrorCode, t.ErrorMessage), t.TopicID
	}
	return a, nil
}

// resourceType is how Kafka numbers what has configs.
func resourceType(k schema.Kind) kmsg.ConfigResourceType {
	if k == schema.KindGroup {
		return kmsg.ConfigResourceTypeGroupConfig
	}
	return kmsg.ConfigResourceTypeTopic
}

func alterConfigs(ctx context.Context, to kmsg.Requestor, steps []plan.Step, validate bool) (answer, error) {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.ValidateOnly = validate
	req.Resources = make([]kmsg.IncrementalAlterConfigsRequestResource, len(steps))
	for i, s := range steps {
		alter := s.(*plan.AlterConfigs)
		r := &req.Resources[i]
		r.ResourceType, r.ResourceName = resourceType(alter.Object.Kind), alter.Object.Name
		for _, key := range slices.Sorted(maps.Keys(alter.Set)) {
			r.Configs = append(r.Configs, configOp(key, kmsg.IncrementalAlterConfigOpSet, alter.Set[key]))
		}
		for _, key := range alter.Reset {
			r.Configs = append(r.Configs, configOp(key, kmsg.IncrementalAlterConfigOpDelete))
		}
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Resources {
		r := &resp.Resources[i]
		a.refusals[r.ResourceName] = refusal(r.ErrorCode, r.ErrorMessage)
	}
	return a, nil
}

func addPartitions(ctx context.Context, to kmsg.Requestor, steps []plan.Step, timeout int32, validate bool) (answer, error) {
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis, req.ValidateOnly = timeout, validate
	req.Topics = make([]kmsg.CreatePartitionsRequestTopic, len(steps))
	for i, s := range steps {
		add := s.(*plan.AddPartitions)
		req.Topics[i].Topic, req.Topics[i].Count = add.Object.Name, add.Total
		for _, replicas := range add.Assign {
			req.Topics[i].Assignment = append(req.Topics[i].Assignment, kmsg.CreatePartitionsRequestTopicAssignment{Replicas: replicas})
		}
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic] = refusal(t.ErrorCode, t.ErrorMessage)
	}
	return a, nil
}

func reassign(ctx context.Context, to kmsg.Requestor, steps []plan.Step, timeout int32) (answer, error) {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = timeout
	req.Topics = make([]kmsg.AlterPartitionAssignmentsRequestTopic, len(steps))
	for i, s := range steps {
		move := s.(*plan.Reassign)
		req.Topics[i].Topic = move.Object.Name
		for _, m := range move.Moves {
			req.Topics[i].Partitions = append(req.Topics[i].Partitions,
				kmsg.AlterPartitionAssignmentsRequestTopicPartition{Partition: m.Partition, Replicas: m.To})
		}
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		a.refusals[t.Topic] = refusedPartitions(t)
	}
	if err := refusal(resp.ErrorCode, resp.ErrorMessage); err != nil {
		for _, s := range steps {
			a.refusals[s.About().Object.Name] = err
		}
	}
	return a, nil
}

// partlyRefused is a cluster's no to some partitions of a topic: the others
// were taken.
type partlyRefused struct {
	partitions map[int32]error
}

func (p *partlyRefused) Error() string {
	var all []string
	for _, partition := range slices.Sorted(maps.Keys(p.partitions)) {
		all = append(all, fmt.Sprintf("partition %d: %v", partition, p.partitions[partition]))
	}
	return strings.Join(all, "; ")
}

// Unwrap gives the refusals of the partitions.
func (p *partlyRefused) Unwrap() []error { return slices.Collect(maps.Values(p.partitions)) }

// taken are the moves of the step that were not refused.
func (p *partlyRefused) taken(step *plan.Reassign) []plan.Move {
	return slices.DeleteFunc(slices.Clone(step.Moves), func(m plan.Move) bool { return p.partitions[m.Partition] != nil })
}

func refusedPartitions(t *kmsg.AlterPartitionAssignmentsResponseTopic) error {
	refused := map[int32]error{}
	for i := range t.Partitions {
		p := &t.Partitions[i]
		if err := refusal(p.ErrorCode, p.ErrorMessage); err != nil {
			refused[p.Partition] = err
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &partlyRefused{refused}
}

// deleteTopics deletes by topic id where there is one (KIP-516): a topic made
// again under the same name is safe. Brokers without ids (before Kafka 2.8) are
// asked by name.
func deleteTopics(ctx context.Context, to kmsg.Requestor, steps []plan.Step, timeout int32) (answer, error) {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = timeout
	names := make(map[[16]byte]string, len(steps))
	for _, s := range steps {
		gone := s.(*plan.DeleteTopic)
		t := kmsg.NewDeleteTopicsRequestTopic()
		if gone.ID == (live.TopicID{}) {
			t.Topic = &gone.Object.Name
			req.TopicNames = append(req.TopicNames, gone.Object.Name) // what the brokers of then understand
		} else {
			t.TopicID = gone.ID
			names[gone.ID] = gone.Object.Name
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Topics {
		t := &resp.Topics[i]
		name, byID := names[t.TopicID]
		if !byID && t.Topic != nil {
			name = *t.Topic
		}
		a.refusals[name] = refusal(t.ErrorCode, t.ErrorMessage)
	}
	return a, nil
}

func newAnswer(size int, throttleMillis int32) answer {
	return answer{
		refusals: make(map[string]error, size),
		throttle: asked(throttleMillis),
	}
}

// asked is how long a broker asks to be left alone.
func asked(millis int32) time.Duration { return time.Duration(millis) * time.Millisecond }
