package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// credentialAsked is what a client tells of a new application credential.
type credentialAsked struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Secret      *string `json:"secret"`
	ExpiresAt   *string `json:"expires_at"`
	Roles       []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"roles"`
	ProjectID    string `json:"project_id"`
	Unrestricted bool   `json:"unrestricted"`
	AccessRules  []any  `json:"access_rules"`
}

// ownCredentials is a caller who asks for their own application credentials; where
// it is not so the refusal is written.
func (k *Keystone) ownCredentials(w http.ResponseWriter, r *http.Request, action string) (context.Context, canonical.Caller, bool) {
	who, ok := k.caller(w, r)
	if !ok {
		return nil, who, false
	}
	var err error
	switch {
	case r.PathValue("id") != userOf(who):
		err = unauthorized(action)
	case k.o.Cloud == nil:
		err = canonical.Errorf(canonical.Unsupported, "There are no application credentials here.")
	}
	if err != nil {
		k.fail(w, r, err)
		return nil, who, false
	}
	if who.Parent != "" { // reads what its maker has
		who.Key, who.Parent = who.Parent, ""
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			k.fail(w, r, unauthorized(action))
			return nil, who, false
		}
	}
	return canonical.WithCaller(r.Context(), who), who, true
}

func (k *Keystone) createCredential(w http.ResponseWriter, r *http.Request) {
	ctx, who, ok := k.ownCredentials(w, r, "create_application_credential")
	if !ok {
		return
	}
	req, err := k.readCredential(w, r, who)
	if err != nil {
		k.fail(w, r, err)
		return
	}
	made, err := canonical.CreateApplicationCredential.Do(ctx, k.o.Cloud, req)
	if err != nil {
		k.fail(w, r, err)
		return
	}
	body := k.credentialBody(r, made.Result.ApplicationCredential)
	body["secret"] = made.Result.Secret
	writeJSON(w, http.StatusCreated, object{"application_credential": body})
}

// readCredential is what a body asks for. What would widen a credential, or narrow it
// in a way that nobody keeps, is refused by its name.
func (k *Keystone) readCredential(w http.ResponseWriter, r *http.Request, who canonical.Caller) (req canonical.ApplicationCredentialCreate, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return req, canonical.Errorf(canonical.InvalidRequest, "Request is too large.")
	}
	var in struct {
		Asked *credentialAsked `json:"application_credential"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil || in.Asked == nil {
		return req, expecting("application_credential in request body")
	}
	a := in.Asked
	switch {
	case a.Name == "":
		return req, malformed("'name' is a required property")
	case a.Unrestricted:
		return req, canonical.Invalid("unrestricted", "unrestricted application credentials are not made here")
	case len(a.AccessRules) > 0:
		return req, canonical.Invalid("access_rules", "access_rules are not kept here")
	case a.ProjectID != "" && a.ProjectID != ProjectID(who.Tenant):
		return req, unauthorized("create_application_credential")
	}
	req = canonical.ApplicationCredentialCreate{Name: a.Name, Description: orEmpty(a.Description), Secret: orEmpty(a.Secret)}
	if req.ExpiresAt, err = expiry(a.ExpiresAt); err != nil {
		return req, err
	}
	for _, asked := range a.Roles {
		role, err := roleNamed(who, asked.ID, asked.Name)
		if err != nil {
			return req, err
		}
		if req.Role == "" || role.AtLeast(req.Role) {
			req.Role = role
		}
	}
	return req, nil
}

// roleNamed is the role of the caller's that a client names by id or by name.
func roleNamed(who canonical.Caller, id, name string) (canonical.Role, error) {
	for _, role := range rolesOf(who.Role) {
		if id != "" && role["id"] == id || id == "" && role["name"] == name {
			text, _ := role["name"].(string)
			return canonical.Role(text), nil
		}
	}
	if id != "" {
		name = id
	}
	return "", canonical.Errorf(canonical.NotFound, "Role %s is not defined", name)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// expiry reads a time in UTC, with or without its fraction and zone.
func expiry(text *string) (*time.Time, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // a credential may have no end of its own
	}
	at, err := time.Parse("2006-01-02T15:04:05.999999", strings.TrimSuffix(*text, "Z"))
	if err != nil {
		return nil, malformed("Invalid input for field 'expires_at': '" + *text + "' is not a time")
	}
	return &at, nil
}

func (k *Keystone) credentialBody(r *http.Request, a canonical.ApplicationCredential) object {
	body := object{
		"id": string(a.ID), "name": a.Name, "description": a.Description, "user_id": UserID(string(a.Parent)), "project_id": ProjectID(a.Tenant),
		"system": nil, "expires_at": nil, "unrestricted": false, "roles": k.roleBodies(r, a.Role),
		"links": k.link(r, "application_credentials", string(a.ID)),
	}
	if a.ExpiresAt != nil {
		body["expires_at"] = strings.TrimSuffix(stamp(*a.ExpiresAt), "Z")
	}
	return body
}

func (k *Keystone) credentials(w http.ResponseWriter, r *http.Request) {
	_, who, ok := k.ownCredentials(w, r, "list_application_credentials")
	if !ok {
		return
	}
	all, err := every(r.Context(), k, who, canonical.ListApplicationCredentials, canonical.ApplicationCredentialList{})
	if err != nil {
		k.fail(w, r, err)
		return
	}
	items := make([]object, len(all))
	for i, a := range all {
		items[i] = k.credentialBody(r, a)
	}
	k.listed(w, r, "application_credentials", items)
}

func (k *Keystone) credential(w http.ResponseWriter, r *http.Request) {
	ctx, _, ok := k.ownCredentials(w, r, "get_application_credential")
	if !ok {
		return
	}
	reply, err := canonical.GetApplicationCredential.Do(ctx, k.o.Cloud, canonical.ApplicationCredentialGet{ID: canonical.ID(r.PathValue("credential"))})
	if err != nil {
		k.fail(w, r, noCredential(r, err))
		return
	}
	writeJSON(w, http.StatusOK, object{"application_credential": k.credentialBody(r, reply.Result)})
}

func (k *Keystone) deleteCredential(w http.ResponseWriter, r *http.Request) {
	ctx, _, ok := k.ownCredentials(w, r, "delete_application_credential")
	if !ok {
		return
	}
	_, err := canonical.DeleteApplicationCredential.Do(ctx, k.o.Cloud, canonical.ApplicationCredentialDelete{ID: canonical.ID(r.PathValue("credential"))})
	if err != nil {
		k.fail(w, r, noCredential(r, err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// noCredential words that there is none as Keystone does.
func noCredential(r *http.Request, err error) error {
	if canonical.CodeOf(err) == canonical.NotFound {
		return canonical.Errorf(canonical.NotFound, "Could not find Application Credential: %s.", r.PathValue("credential"))
	}
	return err
}

// credentialNamed is the id of a user's application credential of that name. A key
// is one of itself, named by its id.
func (k *Keystone) credentialNamed(ctx context.Context, user *refOf, name string) (string, error) {
	if k.o.Cloud == nil || user == nil || !user.Domain.ours() || user.key() == "" {
		return name, nil
	}
	as := canonical.Caller{Key: user.key(), Role: canonical.Reader} // who they are is proved by the secret
	all, err := every(ctx, k, as, canonical.ListApplicationCredentials, canonical.ApplicationCredentialList{Name: name})
	if err != nil || len(all) == 0 {
		return name, err
	}
	return string(all[0].ID), nil
}
