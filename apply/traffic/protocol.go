package traffic

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/schema"
)

// newer are the protocols that not every Kafka speaks: a request that comes with
// each, and since when.
var newer = map[schema.Protocol]struct {
	key   kmsg.Key
	since string
}{
	schema.Consumer: {kmsg.ConsumerGroupDescribe, "Kafka 4.0 or later (KIP-848)"},
	schema.Share:    {kmsg.ShareGroupDescribe, "Kafka 4.2 or later (KIP-932)"},
}

// check refuses a group that the brokers cannot have under its protocol. The
// client would try for ever, or take another protocol.
func (r *Receiver) check(ctx context.Context) error {
	admin := kadm.NewClient(r.Client)
	if need, ok := newer[r.Group.Protocol]; ok {
		switch spoken, err := r.spoken(ctx, admin); {
		case err != nil:
			return err
		case !spoken:
			return fmt.Errorf("these brokers do not speak the protocol %q of %s: it needs %s", r.Group.Protocol, r.Group.Addr, need.since)
		}
	}
	groups, err := admin.ListGroups(ctx)
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	live, there := groups[r.Group.GroupID]
	if shared := live.ProtocolType == "share"; there && shared != (r.Group.Protocol == schema.Share) {
		return fmt.Errorf("the protocol of %s is %q, and %s is a group of another kind on the cluster: delete that, or choose another group_id",
			r.Group.Addr, r.Group.Protocol, r.Group.GroupID)
	}
	return nil
}

// spoken says whether the brokers know the protocol, and have it switched on.
func (r *Receiver) spoken(ctx context.Context, admin *kadm.Client) (bool, error) {
	brokers, err := admin.ApiVersions(ctx)
	if err != nil {
		return false, err
	}
	for _, b := range brokers {
		if _, known := b.KeyMaxVersion(newer[r.Group.Protocol].key.Int16()); b.Err == nil && !known {
			return false, nil
		}
	}
	id := r.Group.GroupID
	if r.Group.Protocol == schema.Share {
		groups, err := admin.DescribeShareGroups(ctx, id)
		return !errors.Is(groups[id].Err, kerr.UnsupportedVersion), err
	}
	groups, err := admin.DescribeConsumerGroups(ctx, id)
	return !errors.Is(groups[id].Err, kerr.UnsupportedVersion), err
}
