package nova

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// login is what Keystone gave: a token and what it is good for. It never changes.
type login struct {
	token   string
	made    time.Time
	expires time.Time
	project string
	user    string
	bases   map[string]string // of services
}

// logIn asks Keystone for a token.
func (c *conn) logIn(ctx context.Context) (*login, error) {
	provider := &gophercloud.ProviderClient{HTTPClient: *c.client}
	provider.UserAgent.Prepend(userAgent)
	identity := &gophercloud.ServiceClient{
		ProviderClient: provider, Endpoint: c.keystone + "/", Type: "identity",
		MoreHeaders: causeHeaders(ctx),
	}
	result := tokens.Create(ctx, identity, c.auth.options())
	if result.Err != nil {
		return nil, loginError(result.Err)
	}
	return c.readLogin(result)
}

func (c *conn) readLogin(result tokens.CreateResult) (*login, error) {
	token, err := result.ExtractToken()
	catalog, errCatalog := result.ExtractServiceCatalog()
	project, errProject := result.ExtractProject()
	user, errUser := result.ExtractUser()
	if err := errors.Join(err, errCatalog, errProject, errUser); err != nil {
		return nil, &canonical.Error{
			Code: canonical.UpstreamError, Detail: "the cloud's answer to the log-in is not Keystone's", Err: err,
		}
	}
	switch {
	case token.ID == "" || user == nil:
		return nil, canonical.Errorf(canonical.UpstreamError, "the cloud's log-in gave no token")
	case project == nil:
		return nil, canonical.Errorf(canonical.UpstreamError, "the cloud's log-in gave a token of no project: configure one")
	}
	return &login{
		token: token.ID, made: time.Now(), expires: token.ExpiresAt, project: project.ID, user: user.ID,
		bases: c.bases(catalog, project.ID),
	}, nil
}

// options are what gophercloud calls an account.
func (a Auth) options() *tokens.AuthOptions {
	o := &tokens.AuthOptions{
		Username: a.Username, Password: a.Password, TokenID: a.Token,
		ApplicationCredentialID:     a.ApplicationCredentialID,
		ApplicationCredentialName:   a.ApplicationCredentialName,
		ApplicationCredentialSecret: a.ApplicationCredentialSecret,
	}
	if a.Token == "" && a.ApplicationCredentialID == "" {
		o.DomainName = cmp.Or(a.UserDomain, "Default")
	}
	if a.ApplicationCredentialSecret != "" { // it has a project of its own
		return o
	}
	switch {
	case a.ProjectID != "":
		o.Scope.ProjectID = a.ProjectID
	case a.Project != "":
		o.Scope.ProjectName = a.Project
		o.Scope.DomainName = cmp.Or(a.ProjectDomain, a.UserDomain, "Default")
	}
	return o
}

// loginError gives a failed log-in its code. That an account is refused is no fault
// of the caller, who has authenticated to us.
func loginError(err error) error {
	var known *canonical.Error
	var answer gophercloud.ErrUnexpectedResponseCode
	switch {
	case errors.Is(err, transport.ErrInDoubt): // a log-in changes nothing
		return &canonical.Error{Code: canonical.Unavailable, Detail: "the cloud's Keystone cannot be reached", Err: err}
	case errors.As(err, &known):
		return known
	case errors.As(err, &answer):
		return loginRefusal(answer.Actual)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return canonical.AsError(err)
	default: // the body did not parse
		return &canonical.Error{Code: canonical.UpstreamError, Detail: "the cloud's answer to the log-in is not Keystone's", Err: err}
	}
}

func loginRefusal(status int) error {
	e := &canonical.Error{
		Code: canonical.UpstreamError, Detail: "the cloud does not log us in",
		Upstream: &canonical.Upstream{Status: status},
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Detail = "the cloud refuses the account that is configured for it"
	case http.StatusNotFound:
		e.Detail = "the cloud's endpoint is not a Keystone of version 3"
	case http.StatusTooManyRequests:
		e.Code = canonical.RateLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.Code = canonical.Unavailable
	}
	return e
}
