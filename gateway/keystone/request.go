package keystone

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// refOf points to a user, a project or a domain, by id or by name.
type refOf struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Domain *domain `json:"domain"`
}

type domain struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ours says whether a domain is the one that there is.
func (d *domain) ours() bool {
	return d == nil || d.ID == "default" || d.ID == "" && (d.Name == "Default" || d.Name == "default")
}

type authRequest struct {
	Auth *auth `json:"auth"`
}

type auth struct {
	Identity *identity       `json:"identity"`
	Scope    json.RawMessage `json:"scope"`
}

type identity struct {
	Methods  *[]string `json:"methods"`
	Password *struct {
		User *struct {
			refOf
			Password string `json:"password"`
		} `json:"user"`
	} `json:"password"`
	Token *struct {
		ID *string `json:"id"`
	} `json:"token"`
	Credential *struct {
		ID     string `json:"id"`
		Name   string `json:"name"`
		Secret string `json:"secret"`
		User   *refOf `json:"user"`
	} `json:"application_credential"`
}

// readAuth is the request of a body that has the form of a login. Its refusals are
// worded as Keystone's.
func readAuth(r *http.Request, body []byte) (*auth, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, expecting("application/json in Content-Type header")
	}
	var req authRequest
	if len(body) > 0 {
		if err := fits(json.Unmarshal(body, &req)); err != nil {
			return nil, err
		}
	}
	switch {
	case req.Auth == nil:
		return nil, expecting("auth in request body")
	case req.Auth.Identity == nil:
		return nil, malformed("'identity' is a required property")
	case req.Auth.Identity.Methods == nil:
		return nil, malformed("Invalid input for field 'identity': 'methods' is a required property")
	}
	return req.Auth, req.Auth.Identity.check(body)
}

// fits tells a body that is no JSON from a value of the wrong type.
func fits(err error) error {
	var te *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &te) && te.Field != "":
		path := strings.NewReplacer(".refOf", "", ".", "/").Replace(strings.TrimPrefix(te.Field, "auth."))
		return malformed("Invalid input for field '" + path + "': " + te.Value + " is not of type '" + kindOf(te.Type) + "'")
	default:
		return expecting("valid JSON in request body")
	}
}

func kindOf(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the request holds nothing else
	case reflect.String:
		return "string"
	case reflect.Slice:
		return "array"
	default:
		return "object"
	}
}

// check refuses methods that the body names and does not fill.
func (i *identity) check(body []byte) error {
	var raw struct {
		Auth struct {
			Identity map[string]json.RawMessage `json:"identity"`
		} `json:"auth"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return expecting("valid JSON in request body")
	}
	known := map[string]bool{"password": i.Password != nil, "token": i.Token != nil, "application_credential": i.Credential != nil}
	for _, method := range *i.Methods {
		filled, ours := known[method]
		if !ours {
			filled = len(raw.Auth.Identity[method]) > 0
		}
		if !filled {
			return expecting(method + " in identity")
		}
	}
	switch {
	case i.Password != nil && i.Password.User == nil:
		return expecting("user in password")
	case i.Password != nil:
		return i.Password.User.check("user", "identity/password/user")
	case i.Token != nil && i.Token.ID == nil:
		return malformed("Invalid input for field 'identity/token': 'id' is a required property")
	case i.Credential != nil && i.Credential.ID == "" && i.Credential.User == nil:
		return expecting("user in application credential")
	default:
		return nil
	}
}

// check refuses what points to nothing: a name means something within a domain only.
func (r refOf) check(what, path string) error {
	switch {
	case r.ID == "" && r.Name == "":
		return malformed("Invalid input for field " + path + ": id or name must be present.")
	case r.ID == "" && r.Domain == nil:
		return expecting("domain in " + what)
	case r.Domain != nil && r.Domain.ID == "" && r.Domain.Name == "":
		return malformed("Invalid input for field " + path + "/domain: id or name must be present.")
	default:
		return nil
	}
}

// key is what the reference names, as the id of a key.
func (r refOf) key() string {
	if r.ID != "" {
		return r.ID
	}
	return r.Name
}

// scopeFits says whether the caller may have the scope that it asks for. None, or
// "unscoped", gets the key's own tenant.
func scopeFits(raw json.RawMessage, caller canonical.Caller) error {
	var word string
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &word) == nil && word == "unscoped" {
		return nil
	}
	var s struct {
		Project *refOf          `json:"project"`
		Domain  json.RawMessage `json:"domain"`
		System  json.RawMessage `json:"system"`
		Trust   json.RawMessage `json:"OS-TRUST:trust"`
	}
	if err := json.Unmarshal(raw, &s); err != nil || s.Project == nil && s.Domain == nil && s.System == nil && s.Trust == nil {
		return expecting("system, project, domain, OS-TRUST:trust or unscoped in scope")
	}
	p := s.Project
	if p == nil {
		return errUnauthorized // there are no roles but on projects
	}
	if err := p.check("project", "scope/project"); err != nil {
		return err
	}
	if p.Domain.ours() && (p.ID == ProjectID(caller.Tenant) || p.ID == "" && p.Name == caller.Tenant) {
		return nil
	}
	return errUnauthorized
}

func malformed(message string) error {
	return canonical.Errorf(canonical.InvalidRequest, "%s", message)
}

func expecting(what string) error {
	return malformed("Expecting to find " + what + ". The server could not comply with the request since it is " +
		"either malformed or otherwise incorrect. The client is assumed to be in error.")
}
