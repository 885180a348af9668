package keystone

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxBody is Keystone's own max_request_body_size, in bytes.
const maxBody = 114688

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
	caller, c, err := k.enter(r, body)
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

// enter is who logs in with that body, and the claims of the token that they get.
func (k *Keystone) enter(r *http.Request, body []byte) (canonical.Caller, claims, error) {
	req, err := readAuth(r, body)
	if err != nil {
		return canonical.Caller{}, claims{}, err
	}
	caller, c, err := k.identify(r.Context(), req.Identity)
	if err == nil {
		err = scopeFits(req.Scope, caller)
	}
	return caller, c, err
}

// methods are what a login may be made with.
var methods = []string{"password", "token", "application_credential"}

// identify finds the caller by the first method that the request names.
func (k *Keystone) identify(ctx context.Context, id *identity) (caller canonical.Caller, c claims, err error) {
	now := k.o.Now().UTC()
	c = claims{Audit: auditID(), Issued: now, Expires: now.Add(k.o.Life)}
	if len(*id.Methods) == 0 {
		return caller, c, errUnauthorized
	}
	if slices.ContainsFunc(*id.Methods, func(m string) bool { return !slices.Contains(methods, m) }) {
		return caller, c, errMethod
	}
	c.Methods = (*id.Methods)[:1] // what is proved
	switch c.Methods[0] {
	case "password":
		u := id.Password.User
		if !u.Domain.ours() {
			return caller, c, errUnauthorized
		}
		caller, err = k.o.Authenticate(ctx, u.key()+"."+u.Password)
	case "application_credential":
		a := id.Credential
		id := a.ID
		if id == "" {
			if id, err = k.credentialNamed(ctx, a.User, a.Name); err != nil {
				return caller, c, err
			}
		}
		caller, err = k.o.Authenticate(ctx, id+"."+a.Secret)
	default:
		var old claims
		if old, err = k.live(ctx, *id.Token.ID); err != nil {
			return caller, c, lost(err)
		}
		c.Expires = old.Expires // a token does not outlive the one that it was made of
		c.Methods = append([]string{"token"}, slices.DeleteFunc(old.Methods, func(m string) bool { return m == "token" })...)
		caller, err = k.o.Lookup(ctx, old.Key)
	}
	c.Key = caller.Key
	return caller, c, err
}

// lost tells of a token that is asked about, rather than with: it cannot be found.
func lost(err error) error {
	switch {
	case errors.Is(err, errExpired):
		return canonical.Errorf(canonical.NotFound, "Failed to validate token")
	case canonical.CodeOf(err) == canonical.Unauthenticated:
		return canonical.Errorf(canonical.NotFound, "Could not recognize Fernet token")
	default:
		return err
	}
}
