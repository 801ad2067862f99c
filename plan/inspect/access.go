package inspect

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// users reads the SCRAM credentials of users (KIP-554, Kafka 2.7+).
func (r *reader) users(ctx context.Context, names []string) {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	names = slices.Compact(slices.Sorted(slices.Values(names))) // twice is an error to Kafka
	for _, name := range names {
		req.Users = append(req.Users, kmsg.DescribeUserSCRAMCredentialsRequestUser{Name: name})
	}
	resp, err := req.RequestWith(ctx, r.broker)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Users = users(names, resp, err)
}

func users(names []string, resp *kmsg.DescribeUserSCRAMCredentialsResponse, err error) map[string]live.Seen[live.User] {
	missing := live.Hidden[live.User]("the broker did not answer for it", "")
	switch {
	case err != nil:
		missing, resp = live.Hidden[live.User](reason(err), ""), kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
	case resp.ErrorCode != 0:
		missing = hidden[live.User](resp.ErrorCode, describeCluster)
	}
	all := make(map[string]live.Seen[live.User], len(names))
	for _, name := range names {
		all[name] = missing
	}
	for i := range resp.Results {
		all[resp.Results[i].User] = user(&resp.Results[i])
	}
	return all
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
func (r *reader) bindings(ctx context.Context) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	req.Operation, req.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	resp, err := req.RequestWith(ctx, r.broker)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Bindings = bindings(resp, err)
}

func bindings(resp *kmsg.DescribeACLsResponse, err error) live.Seen[live.Bindings] {
	switch {
	case err != nil:
		return live.Hidden[live.Bindings](reason(err), "")
	case resp.ErrorCode == kerr.SecurityDisabled.Code:
		return live.Hidden[live.Bindings](live.NoAuthorizer, "")
	case resp.ErrorCode != 0:
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
func (r *reader) quotas(ctx context.Context) {
	resp, err := kmsg.NewPtrDescribeClientQuotasRequest().RequestWith(ctx, r.broker)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot.Quotas = quotas(resp, err)
}

func quotas(resp *kmsg.DescribeClientQuotasResponse, err error) live.Seen[live.Quotas] {
	switch {
	case err != nil:
		return live.Hidden[live.Quotas](reason(err), "")
	case resp.ErrorCode != 0:
		return hidden[live.Quotas](resp.ErrorCode, "DescribeConfigs on Cluster")
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
	return live.Is(all)
}
