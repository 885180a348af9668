package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxBody is Keystone's own max_request_body_size, in bytes.
const maxBody = 114688

type domainRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ours says whether a domain is the one that there is; none given is it too.
func (d *domainRef) ours() bool {
	return d == nil || d.ID == "" && d.Name == "" || d.ID == "default" || d.Name == "Default" || d.Name == "default"
}

type authRequest struct {
	Auth *struct {
		Identity *struct {
			Methods  []string `json:"methods"`
			Password *struct {
				User struct {
					ID       string     `json:"id"`
					Name     string     `json:"name"`
					Password string     `json:"password"`
					Domain   *domainRef `json:"domain"`
				} `json:"user"`
			} `json:"password"`
			Token *struct {
				ID string `json:"id"`
			} `json:"token"`
			ApplicationCredential *struct {
				ID     string `json:"id"`
				Name   string `json:"name"`
				Secret string `json:"secret"`
			} `json:"application_credential"`
		} `json:"identity"`
		Scope json.RawMessage `json:"scope"`
	} `json:"auth"`
}

func (k *Keystone) login(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeJSON(w, http.StatusRequestEntityTooLarge, frameworkError("413 Request Entity Too Large", "Request Entity Too Large",
			"Request is too large. Larger than max_request_body_size (114688)."))
		return
	case err != nil:
		k.fail(w, r, canonical.Errorf(canonical.InvalidRequest, "the body ended early"))
		return
	}
	var req authRequest
	if err := json.Unmarshal(body, &req); err != nil {
		k.fail(w, r, canonical.Errorf(canonical.InvalidRequest, "Expecting to find valid JSON in request body. "+
			"The server could not comply with the request since it is either malformed or otherwise incorrect. "+
			"The client is assumed to be in error."))
		return
	}
	caller, c, err := k.identify(r.Context(), &req)
	if err == nil {
		err = scopeFits(req.Auth.Scope, caller)
	}
	if err != nil {
		k.fail(w, r, err)
		return
	}
	token, err := k.signer.sign(c)
	if err != nil {
		k.fail(w, r, err)
		return
	}
	w.Header().Set("X-Subject-Token", token)
	writeJSON(w, http.StatusCreated, map[string]any{"token": k.tokenBody(r, caller, c, true)})
}

// identify finds the caller by the first method that the request names.
func (k *Keystone) identify(ctx context.Context, req *authRequest) (canonical.Caller, claims, error) {
	now := k.o.Now().UTC()
	c := claims{Audit: auditID(), Issued: now, Expires: now.Add(k.o.Life)}
	if req.Auth == nil || req.Auth.Identity == nil || len(req.Auth.Identity.Methods) == 0 {
		return canonical.Caller{}, c, canonical.Invalid("auth.identity.methods", "is a required property")
	}
	id := req.Auth.Identity
	c.Methods = id.Methods
	var caller canonical.Caller
	var err error
	switch {
	case slices.Contains(id.Methods, "password") && id.Password != nil:
		u := id.Password.User
		if !u.Domain.ours() {
			return caller, c, errToken
		}
		name := u.Name
		if name == "" {
			name = u.ID
		}
		caller, err = k.o.Authenticate(ctx, name+"."+u.Password)
	case slices.Contains(id.Methods, "application_credential") && id.ApplicationCredential != nil:
		a := id.ApplicationCredential
		name := a.ID
		if name == "" {
			name = a.Name
		}
		caller, err = k.o.Authenticate(ctx, name+"."+a.Secret)
	case slices.Contains(id.Methods, "token") && id.Token != nil:
		var old claims
		if old, err = k.signer.read(id.Token.ID, now); err == nil {
			c.Expires = old.Expires // a token does not outlive the one that it was made of
			c.Methods = append([]string{"token"}, old.Methods...)
			caller, err = k.o.Lookup(ctx, old.Key)
		}
	default:
		err = canonical.Errorf(canonical.Unauthenticated, "no method of authentication that is supported: password, token, application_credential")
	}
	c.Key = caller.Key
	return caller, c, err
}

// scopeFits says whether the caller may have the scope that it asks for.
func scopeFits(raw json.RawMessage, caller canonical.Caller) error {
	var word string
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &word) == nil {
		return nil // none, or "unscoped": the key's own tenant
	}
	var s struct {
		Project *struct {
			ID     string     `json:"id"`
			Name   string     `json:"name"`
			Domain *domainRef `json:"domain"`
		} `json:"project"`
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return canonical.Invalid("auth.scope", "is not a scope")
	}
	if p := s.Project; p != nil && p.Domain.ours() &&
		(p.ID == ProjectID(caller.Tenant) || p.ID == "" && p.Name == caller.Tenant) {
		return nil
	}
	return errToken
}
