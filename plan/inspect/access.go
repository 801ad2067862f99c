package inspect

import (
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// users reads the SCRAM credentials of users (KIP-554, Kafka 2.7+).
func (r *reader) users(ctx context.Context, names []string) error {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	names = slices.Compact(slices.Sorted(slices.Values(names))) // twice is an error to Kafka
	for _, name := range names {
		req.Users = append(req.Users, kmsg.DescribeUserSCRAMCredentialsRequestUser{Name: name})
	}
	resp, err := req.RequestWith(ctx, r.broker)
	if err != nil {
		return err
	}
	users := make(map[string]live.Seen[live.User], len(names))
	for _, name := range names {
		if users[name] = live.Hidden[live.User]("the broker did not answer for it", ""); resp.ErrorCode != 0 {
			users[name] = hidden[live.User](resp.ErrorCode, describeCluster)
		}
	}
	for i := range resp.Results {
		users[resp.Results[i].User] = user(&resp.Results[i])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Users = users
	return nil
}

func user(result *kmsg.DescribeUserSCRAMCredentialsResponseResult) live.Seen[live.User] {
	switch result.ErrorCode {
	case 0:
	case kerr.ResourceNotFound.Code:
		return live.None[live.User]()
	default:
		return hidden[live.User](result.ErrorCode, describeCluster)
	}
	u := live.User{}
	for _, c := range result.CredentialInfos {
		if name, known := live.ScramMechanisms[c.Mechanism]; known {
			u[name] = int(c.Iterations)
		}
	}
	return live.Is(u)
}

// bindings reads all rights of everybody.
func (r *reader) bindings(ctx context.Context) error {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	resp, err := req.RequestWith(ctx, r.broker)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Bindings = bindings(resp)
	return nil
}

func bindings(resp *kmsg.DescribeACLsResponse) live.Seen[live.Bindings] {
	switch code := kerr.ErrorForCode(resp.ErrorCode); {
	case errors.Is(code, kerr.SecurityDisabled):
		return live.Hidden[live.Bindings](live.NoAuthorizer, "")
	case code != nil:
		return hidden[live.Bindings](resp.ErrorCode, describeCluster)
	}
	all := live.Bindings{}
	for i := range resp.Resources {
		resource := &resp.Resources[i]
		on, known := aclResource(resource)
		for _, acl := range resource.ACLs {
			operation, said := live.ACLOperations[int8(acl.Operation)], live.ACLPermissions[int8(acl.PermissionType)]
			if known && operation != "" && said != "" { // else it is of a Kafka to come
				all[schema.Binding{Principal: acl.Principal, Host: acl.Host, Permission: said, Operation: operation, Resource: on}] = true
			}
		}
	}
	return live.Is(all)
}

func aclResource(r *kmsg.DescribeACLsResponseResource) (on schema.ACLResource, known bool) {
	on = schema.ACLResource{
		Type: live.ACLResourceTypes[int8(r.ResourceType)], Name: r.ResourceName, Pattern: live.ACLPatterns[int8(r.ResourcePatternType)],
	}
	return on, on.Type != "" && on.Pattern != ""
}

// quotas reads what everybody may use (KIP-546, Kafka 2.6+).
func (r *reader) quotas(ctx context.Context) error {
	resp, err := kmsg.NewPtrDescribeClientQuotasRequest().RequestWith(ctx, r.broker)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if resp.ErrorCode != 0 {
		r.snapshot.Quotas = hidden[live.Quotas](resp.ErrorCode, "DescribeConfigs on Cluster")
		return nil
	}
	all := make(live.Quotas, len(resp.Entries))
	for _, entry := range resp.Entries {
		limits := make(schema.Limits, len(entry.Values))
		for _, v := range entry.Values {
			limits[schema.LimitKey(v.Key)] = v.Value
		}
		parts := make(map[string]*string, len(entry.Entity))
		for _, part := range entry.Entity {
			parts[part.Type] = part.Name
		}
		all[schema.EntityOf(parts)] = limits
	}
	r.snapshot.Quotas = live.Is(all)
	return nil
}
