package apply_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/queueform/queueform/plan"
	"github.com/queueform/queueform/plan/ledger"
	"github.com/queueform/queueform/schema"
)

func user(name string) schema.ID { return schema.ID{Kind: schema.KindUser, Name: name} }

// login gives a user credentials of both mechanisms.
func (k *kafka) login(name string) {
	k.Helper()
	for _, mechanism := range []int8{1, 2} {
		req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
		req.Upsertions = []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{{Name: name, Mechanism: mechanism, Iterations: 4096, Salt: []byte("s"), SaltedPassword: []byte("p")}}
		resp, err := req.RequestWith(context.Background(), k.client())
		if err != nil || resp.Results[0].ErrorCode != 0 {
			k.Fatal(resp, err)
		}
	}
}

// second lets the second of the requests for credentials meet with something.
func (k *kafka) second(meets func(*kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error)) {
	var came atomic.Int32
	k.on(kmsg.AlterUserSCRAMCredentials, func(req kmsg.Request) (kmsg.Response, error) {
		if came.Add(1) == 2 {
			return meets(req.(*kmsg.AlterUserSCRAMCredentialsRequest))
		}
		return nil, nil
	})
}

// credentials answers a request for one user's with an error.
func credentials(req *kmsg.AlterUserSCRAMCredentialsRequest, code *kerr.Error) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.AlterUserSCRAMCredentialsResponse)
	resp.Results = []kmsg.AlterUserSCRAMCredentialsResponseResult{{User: "a", ErrorCode: code.Code}}
	return resp
}

func logout() *plan.AlterUser {
	return &plan.AlterUser{Head: plan.Head{Phase: plan.PhaseDelete, Object: user("a")}, Remove: []schema.Mechanism{schema.ScramSHA256, schema.ScramSHA512}}
}

// A user has several requests. What the first has taken away cannot go again.
func TestUserThatIsDoneInPart(t *testing.T) {
	for name, meets := range map[string]func(*kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error){
		"the controller has changed": func(req *kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error) {
			return credentials(req, kerr.NotController), nil
		},
		"the connection is cut": func(*kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error) { return nil, errCut },
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			k.login("a")
			k.second(meets)
			k.ends(k.run(logout()), "done")
		})
	}
}

// A user who is refused in part stays announced: it is there.
func TestUserThatIsRefusedInPart(t *testing.T) {
	k := start(t)
	k.login("a")
	k.second(func(req *kmsg.AlterUserSCRAMCredentialsRequest) (kmsg.Response, error) {
		return credentials(req, kerr.UnacceptableCredential), nil
	})
	p := planned(logout())
	p.Changes[0].Adopts = true
	k.ends(k.engine.Run(t.Context(), p), "unknown: a part of it was done: ...")
	k.noted(ledger.Intent{Object: user("a")})
}

// A right that was found and not deleted is there still.
func TestRightThatIsNotDeleted(t *testing.T) {
	k := start(t)
	binding := schema.Binding{
		Principal: "User:a", Host: "*", Permission: schema.Allow, Operation: schema.Read,
		Resource: schema.ACLResource{Type: schema.TopicResource, Name: "orders", Pattern: schema.Literal},
	}
	right := schema.ID{Kind: schema.KindACL, Name: binding.String()}
	k.on(kmsg.DeleteACLs, func(req kmsg.Request) (kmsg.Response, error) {
		resp := req.ResponseKind().(*kmsg.DeleteACLsResponse)
		resp.Results = []kmsg.DeleteACLsResponseResult{{MatchingACLs: []kmsg.DeleteACLsResponseResultMatchingACL{{ErrorCode: kerr.SecurityDisabled.Code}}}}
		return resp, nil
	})
	k.ends(k.run(&plan.DeleteACL{Head: plan.Head{Phase: plan.PhaseRevoke, Object: right}, Binding: binding}), "refused: ...")
}
