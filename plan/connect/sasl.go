package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/queueform/queueform/schema"
)

// mechanism is how to log in; nil where there is no need.
func (c *Conn) mechanism(ctx context.Context) (sasl.Mechanism, error) {
	block := c.settings.cluster.SASL
	if block == nil {
		return nil, nil
	}
	switch block.Mechanism {
	case schema.Plain, schema.ScramSHA256, schema.ScramSHA512:
		return c.password(block)
	case schema.OAuthBearer:
		return c.bearer(block)
	case schema.AWSMSKIAM:
		return c.iam(ctx)
	}
	return nil, c.settings.problem("sasl.mechanism", nil, fmt.Sprintf("Unknown SASL mechanism %q", block.Mechanism),
		"Say how to log in: "+variable("sasl.mechanism")+", or sasl { mechanism } in the cluster block.")
}

func (c *Conn) password(block *schema.SASL) (sasl.Mechanism, error) {
	if block.Username == "" {
		return nil, c.settings.missing("sasl.username")
	}
	password, err := c.settings.reveal("sasl.password", block.Password)
	if err != nil {
		return nil, err
	}
	switch challenge := (scram.Auth{User: block.Username, Pass: password}); {
	case block.Mechanism == schema.ScramSHA256:
		return challenge.AsSha256Mechanism(), nil
	case block.Mechanism == schema.ScramSHA512:
		return challenge.AsSha512Mechanism(), nil
	}
	return plain.Auth{User: block.Username, Pass: password}.AsMechanism(), nil
}

// bearer takes the token of the block, or gets one with client credentials and
// another when that is about to expire.
func (c *Conn) bearer(block *schema.SASL) (sasl.Mechanism, error) {
	if block.Token.IsSet() {
		token, err := c.settings.reveal("sasl.token", block.Token)
		if err != nil {
			return nil, err
		}
		return oauth.Auth{Token: token}.AsMechanism(), nil
	}
	switch {
	case block.TokenURL == "":
		return nil, c.settings.missing("sasl.token_url")
	case block.ClientID == "":
		return nil, c.settings.missing("sasl.client_id")
	}
	key, err := c.settings.reveal("sasl.client_secret", block.ClientSecret)
	if err != nil {
		return nil, err
	}
	credentials := clientcredentials.Config{ClientID: block.ClientID, ClientSecret: key, TokenURL: block.TokenURL}
	if block.Scope != "" {
		credentials.Scopes = []string{block.Scope}
	}
	client := &http.Client{Timeout: c.patience()}
	tokens := credentials.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, client))
	return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
		token, err := tokens.Token()
		if err != nil {
			return oauth.Auth{}, &settled{c.tokenProblem(block.TokenURL, err)}
		}
		return oauth.Auth{Token: token.AccessToken}, nil
	}), nil
}

func (c *Conn) tokenProblem(address string, err error) *Error {
	if u, err := url.Parse(address); err == nil {
		address = u.Redacted()
	}
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		why := innermost(err)
		if isTimeout(err) {
			why = "it does not answer"
		}
		return c.settings.problem("sasl.token_url", err, "No token from "+address+": "+why,
			"Correct "+c.settings.name("sasl.token_url")+", or look into what answers there.")
	}
	why := refused.Response.Status
	if refused.ErrorCode != "" {
		why += ", " + refused.ErrorCode
	}
	if refused.ErrorDescription != "" {
		why += ": " + refused.ErrorDescription
	}
	return c.settings.problem("sasl.client_secret", err, "No token from "+address+": "+why,
		fmt.Sprintf("Check %s, %s and sasl.scope.", c.settings.name("sasl.client_id"), c.settings.name("sasl.client_secret")))
}

// iam finds credentials where AWS's own tools do: the environment, profiles,
// the container, the machine.
func (c *Conn) iam(ctx context.Context) (sasl.Mechanism, error) {
	config, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, c.credentialsProblem(err)
	}
	return aws.ManagedStreamingIAM(func(ctx context.Context) (aws.Auth, error) {
		ctx, cancel := context.WithTimeout(ctx, c.patience())
		defer cancel()
		found, err := config.Credentials.Retrieve(ctx)
		if err != nil {
			return aws.Auth{}, &settled{c.credentialsProblem(err)}
		}
		return aws.Auth{
			AccessKey: found.AccessKeyID, SecretKey: found.SecretAccessKey, SessionToken: found.SessionToken,
			UserAgent: c.agent,
		}, nil
	}), nil
}

func (c *Conn) credentialsProblem(err error) *Error {
	return c.settings.problem("sasl.mechanism", err, "No AWS credentials were found",
		"Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached. At last: "+innermost(err)+".")
}

// innermost is the last of a chain of errors, which says what happened without
// the layers it passed through.
func innermost(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
