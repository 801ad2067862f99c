package apply

import (
	"cmp"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/plan/live"
	"github.com/queueform/queueform/schema"
)

// saltBytes is the length of the salt of a credential.
const saltBytes = 24

// alterUsers sets and removes SCRAM credentials. A password is never sent: what
// is, is salted and stretched. Whose password is not to be had is refused here.
// Kafka takes one credential of a user at a time: a step may be done in part.
func (w writer) alterUsers(ctx context.Context, steps []plan.Step) (answer, error) {
	a := newAnswer(len(steps), 0)
	a.begun = map[string]bool{}
	left := map[string][]credential{}
	for _, s := range steps {
		name := s.About().Object.Name
		all, err := w.credentials(s.(*plan.AlterUser))
		if left[name] = all; err != nil {
			a.refusals[name] = &Refusal{Message: err.Error()}
		}
	}
	for {
		req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
		for name, all := range left {
			if len(all) > 0 && a.refusals[name] == nil {
				all[0](req)
				left[name] = all[1:]
			}
		}
		if len(req.Upsertions)+len(req.Deletions) == 0 {
			return a, nil
		}
		resp, err := req.RequestWith(ctx, w)
		if err != nil {
			return a, err
		}
		a.throttle = asked(resp.ThrottleMillis)
		for i := range resp.Results {
			user, refused := resp.Results[i].User, refusal(resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage)
			if errors.Is(refused, kerr.ResourceNotFound) {
				refused = nil // what shall go is gone: an earlier request may have done it
			}
			a.refusals[user] = refused
			a.begun[user] = a.begun[user] || refused == nil
		}
	}
}

// credential adds one that is set or removed to a request.
type credential func(*kmsg.AlterUserSCRAMCredentialsRequest)

// credentials are what a step sets and removes: first what is set, so that the
// user can log in all the while.
func (w writer) credentials(step *plan.AlterUser) (all []credential, err error) {
	name, password := step.Object.Name, ""
	if len(step.Set) > 0 {
		if password, err = w.password(name); err != nil {
			return nil, err
		}
	}
	for _, m := range step.Set {
		salt := make([]byte, saltBytes)
		_, _ = rand.Read(salt) // it never fails
		salted, err := stretched(m, password, salt, step.Iterations)
		if err != nil {
			return nil, err
		}
		all = append(all, func(req *kmsg.AlterUserSCRAMCredentialsRequest) {
			req.Upsertions = append(req.Upsertions, kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
				Name: name, Mechanism: numbered(live.ScramMechanisms, m), Iterations: int32(step.Iterations), Salt: salt, SaltedPassword: salted,
			})
		})
	}
	for _, m := range step.Remove {
		all = append(all, func(req *kmsg.AlterUserSCRAMCredentialsRequest) {
			req.Deletions = append(req.Deletions, kmsg.AlterUserSCRAMCredentialsRequestDeletion{Name: name, Mechanism: numbered(live.ScramMechanisms, m)})
		})
	}
	return all, nil
}

// Secrets finds the passwords that the plan's steps need and that are not to be
// had, before anything is sent.
func Secrets(p *plan.Plan) hcl.Diagnostics {
	needed := map[string]bool{}
	for _, s := range p.Steps {
		if alter, ok := s.(*plan.AlterUser); ok && len(alter.Set) > 0 {
			needed[alter.Object.Name] = true
		}
	}
	var diags hcl.Diagnostics
	for u := range schema.All[*schema.User](p.Topology) {
		if !needed[u.Name] {
			continue
		}
		if _, err := u.Password.Reveal(); err != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: u.Addr.String() + " needs its password", Detail: err.Error(), Subject: u.At("password").Ptr(),
			})
		}
	}
	return diags
}

// password is what the files say of a user.
func (w writer) password(name string) (string, error) {
	for u := range schema.All[*schema.User](w.topology) {
		if u.Name == name {
			return u.Password.Reveal()
		}
	}
	return "", fmt.Errorf("no file declares the user %q", name)
}

// stretched is a password as a mechanism keeps it (RFC 5802).
func stretched(m schema.Mechanism, password string, salt []byte, iterations int) ([]byte, error) {
	digest, size := sha256.New, sha256.Size
	if m == schema.ScramSHA512 {
		digest, size = sha512.New, sha512.Size
	}
	return pbkdf2.Key(digest, password, salt, iterations, size)
}

// coded is a binding as Kafka numbers what it says.
type coded struct {
	schema.Binding
	kind       kmsg.ACLResourceType
	pattern    kmsg.ACLResourcePatternType
	operation  kmsg.ACLOperation
	permission kmsg.ACLPermissionType
}

func code(b schema.Binding) coded {
	return coded{
		b, kmsg.ACLResourceType(numbered(live.ACLResourceTypes, b.Resource.Type)), kmsg.ACLResourcePatternType(numbered(live.ACLPatterns, b.Resource.Pattern)),
		kmsg.ACLOperation(numbered(live.ACLOperations, b.Operation)), kmsg.ACLPermissionType(numbered(live.ACLPermissions, b.Permission)),
	}
}

// numbered is how Kafka numbers a word; 0, which is unknown to it, where it has none.
func numbered[W comparable](words map[int8]W, word W) int8 {
	for n, w := range words {
		if w == word {
			return n
		}
	}
	return 0
}

func createACLs(ctx context.Context, to kmsg.Requestor, steps []plan.Step) (answer, error) {
	req := kmsg.NewPtrCreateACLsRequest()
	for _, s := range steps {
		c := code(s.(*plan.CreateACL).Binding)
		req.Creations = append(req.Creations, kmsg.CreateACLsRequestCreation{
			ResourceType: c.kind, ResourceName: c.Resource.Name, ResourcePatternType: c.pattern,
			Principal: c.Principal, Host: c.Host, Operation: c.operation, PermissionType: c.permission,
		})
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i, s := range steps[:min(len(steps), len(resp.Results))] {
		a.refusals[s.About().Object.Name] = refusal(resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage)
	}
	return a, nil
}

func deleteACLs(ctx context.Context, to kmsg.Requestor, steps []plan.Step) (answer, error) {
	req := kmsg.NewPtrDeleteACLsRequest()
	for _, s := range steps {
		c := code(s.(*plan.DeleteACL).Binding)
		req.Filters = append(req.Filters, kmsg.DeleteACLsRequestFilter{
			ResourceType: c.kind, ResourceName: &c.Resource.Name, ResourcePatternType: c.pattern,
			Principal: &c.Principal, Host: &c.Host, Operation: c.operation, PermissionType: c.permission,
		})
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i, s := range steps[:min(len(steps), len(resp.Results))] {
		a.refusals[s.About().Object.Name] = refusedMatch(&resp.Results[i])
	}
	return a, nil
}

// refusedMatch is the cluster's no to a filter, or to a right that it matches.
func refusedMatch(r *kmsg.DeleteACLsResponseResult) error {
	err := refusal(r.ErrorCode, r.ErrorMessage)
	for i := range r.MatchingACLs {
		err = cmp.Or(err, refusal(r.MatchingACLs[i].ErrorCode, r.MatchingACLs[i].ErrorMessage))
	}
	return err
}

func alterQuotas(ctx context.Context, to kmsg.Requestor, steps []plan.Step, validate bool) (answer, error) {
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.ValidateOnly = validate
	for _, s := range steps {
		alter := s.(*plan.AlterQuota)
		var entry kmsg.AlterClientQuotasRequestEntry
		for kind, name := range alter.Entity.Parts() {
			entry.Entity = append(entry.Entity, kmsg.AlterClientQuotasRequestEntryEntity{Type: kind, Name: name})
		}
		for _, key := range slices.Sorted(maps.Keys(alter.Set)) {
			entry.Ops = append(entry.Ops, kmsg.AlterClientQuotasRequestEntryOp{Key: string(key), Value: alter.Set[key]})
		}
		for _, key := range alter.Remove {
			entry.Ops = append(entry.Ops, kmsg.AlterClientQuotasRequestEntryOp{Key: string(key), Remove: true})
		}
		req.Entries = append(req.Entries, entry)
	}
	resp, err := req.RequestWith(ctx, to)
	if err != nil {
		return answer{}, err
	}
	a := newAnswer(len(steps), resp.ThrottleMillis)
	for i := range resp.Entries {
		e := &resp.Entries[i]
		parts := make(map[string]*string, len(e.Entity))
		for _, part := range e.Entity {
			parts[part.Type] = part.Name
		}
		a.refusals[schema.EntityOf(parts).String()] = refusal(e.ErrorCode, e.ErrorMessage)
	}
	return a, nil
}

// unheld are the steps whose right nobody else holds. The others end here: the
// right was let go of, and stays.
func (r *run) unheld(steps []plan.Step) []plan.Step {
	holders := r.Hold.Live().Holders
	var going []plan.Step
	for _, s := range steps {
		if holders.Others(s.About().Object.Name, r.plan.Topology.Name) {
			r.end(s, Result{Outcome: Kept})
			continue
		}
		going = append(going, s)
	}
	return going
}

// leaving tells the ledger which rights are about to go.
func (r *run) leaving(ctx context.Context, steps []plan.Step) bool {
	records := make([]ledger.Record, len(steps))
	for i, s := range steps {
		records[i] = ledger.Intent{Object: s.About().Object, Leaving: true}
	}
	return r.write(ctx, records)
}
