package keystone

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

type object = map[string]any

// stamp is how Keystone writes times: UTC with microseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

func (k *Keystone) tokenBody(r *http.Request, caller canonical.Caller, c claims, catalog bool) object {
	domain, user := object{"id": domainID, "name": domainName}, userOf(caller)
	body := object{
		"methods":    c.Methods,
		"user":       object{"domain": domain, "id": user, "name": user, "password_expires_at": nil},
		"audit_ids":  []string{c.Audit},
		"expires_at": stamp(c.Expires),
		"issued_at":  stamp(c.Issued),
		"project":    object{"domain": domain, "id": ProjectID(caller.Tenant), "name": caller.Tenant},
		"is_domain":  false,
		"roles":      rolesOf(caller.Role),
	}
	if caller.Parent != "" {
		body["application_credential"] = object{"id": caller.Key, "name": caller.Key, "restricted": true}
	}
	if catalog {
		body["catalog"] = k.catalog(r)
	}
	return body
}

// rolesOf are Keystone's three: an operator is one more member there, for admin opens
// what operators may not.
func rolesOf(r canonical.Role) []object {
	list := []object{{"id": stableID("role reader"), "name": "reader"}}
	if r.AtLeast(canonical.Member) {
		list = append(list, object{"id": stableID("role member"), "name": "member"})
	}
	if r.AtLeast(canonical.Admin) {
		list = append(list, object{"id": stableID("role admin"), "name": "admin"})
	}
	return list
}

func (k *Keystone) catalog(r *http.Request) []object {
	list := []object{}
	services := append([]Service{{Type: "identity", Name: "keystone", Path: k.prefix + "/v3"}}, k.o.Services...)
	for _, s := range services {
		endpoints := []object{}
		for _, iface := range []string{"public", "internal", "admin"} {
			endpoints = append(endpoints, object{
				"id": stableID("endpoint " + s.Type + " " + iface), "interface": iface,
				"region_id": k.o.Region, "region": k.o.Region, "url": k.o.Base(r) + s.Path,
			})
		}
		list = append(list, object{"endpoints": endpoints, "id": stableID("service " + s.Type), "type": s.Type, "name": s.Name})
	}
	return list
}

func (k *Keystone) versionBody(r *http.Request) object {
	return object{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []object{{"rel": "self", "href": k.o.Base(r) + k.prefix + "/v3/"}},
		"media-types": []object{{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

func (k *Keystone) version(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, object{"version": k.versionBody(r)})
}

func (k *Keystone) versions(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", k.o.Base(r)+k.prefix+"/v3/")
	writeJSON(w, http.StatusMultipleChoices, object{"versions": object{"values": []object{k.versionBody(r)}}})
}

// caller is who the request's own token belongs to; where there is none it has
// answered 401.
func (k *Keystone) caller(w http.ResponseWriter, r *http.Request) (canonical.Caller, bool) {
	who, err := k.Caller(r.Context(), r.Header.Get("X-Auth-Token"))
	if err != nil {
		k.fail(w, r, err)
		return who, false
	}
	return who, true
}

// validate tells about a token to who holds it, and to administrators.
func (k *Keystone) validate(w http.ResponseWriter, r *http.Request) {
	asker, ok := k.caller(w, r)
	if !ok {
		return
	}
	subject := r.Header.Get("X-Subject-Token")
	c, err := k.live(r.Context(), subject)
	var who canonical.Caller
	if err == nil {
		who, err = k.o.Lookup(r.Context(), c.Key)
	}
	switch {
	case err != nil:
		k.fail(w, r, lost(err))
	case who.Key != asker.Key && !asker.Role.AtLeast(canonical.Admin):
		k.fail(w, r, unauthorized("validate_token"))
	default:
		w.Header().Set("X-Subject-Token", subject)
		_, nocatalog := r.URL.Query()["nocatalog"]
		writeJSON(w, http.StatusOK, object{"token": k.tokenBody(r, who, c, !nocatalog)})
	}
}

// revoke ends a token, for who holds it and for administrators.
func (k *Keystone) revoke(w http.ResponseWriter, r *http.Request) {
	asker, ok := k.caller(w, r)
	if !ok {
		return
	}
	c, err := k.live(r.Context(), r.Header.Get("X-Subject-Token"))
	switch {
	case err != nil:
		err = lost(err)
	case c.Key != asker.Key && !asker.Role.AtLeast(canonical.Admin):
		err = unauthorized("revoke_token")
	case k.o.Revoke == nil:
		err = canonical.Errorf(canonical.Unsupported, "Tokens end with their key here.")
	default:
		err = k.o.Revoke(r.Context(), c.Audit, c.Expires.Sub(k.o.Now()))
	}
	if err != nil {
		k.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (k *Keystone) catalogOnly(w http.ResponseWriter, r *http.Request) {
	if _, ok := k.caller(w, r); ok {
		writeJSON(w, http.StatusOK, object{"catalog": k.catalog(r), "links": object{"self": k.self(r)}})
	}
}

func (k *Keystone) self(r *http.Request) string { return k.o.Base(r) + r.URL.Path }

func (k *Keystone) projectBody(r *http.Request, tenant string) object {
	id := ProjectID(tenant)
	return object{
		"id": id, "name": tenant, "domain_id": "default", "description": "", "enabled": true,
		"parent_id": "default", "is_domain": false, "tags": []string{}, "options": object{},
		"links": object{"self": k.o.Base(r) + k.prefix + "/v3/projects/" + id},
	}
}

// notAllowed answers methods that a path does not have.
func notAllowed(calls map[string]http.HandlerFunc) http.HandlerFunc {
	allow := append(slices.Sorted(maps.Keys(calls)), http.MethodHead)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		writeJSON(w, http.StatusMethodNotAllowed, object{"message": "The method is not allowed for the requested URL."})
	}
}

func (k *Keystone) unknown(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte("<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n" +
		"<p>This identity service has no such call.</p>\n")) // the client went away: nobody is left to tell
}

// fail tells an error as Keystone does.
func (k *Keystone) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := canonical.AsError(err)
	status, message := e.HTTPStatus(), e.Detail
	if status == http.StatusUnauthorized {
		if !errors.Is(err, errMethod) {
			message = "The request you have made requires authentication."
		}
		w.Header().Set("WWW-Authenticate", `Keystone uri="`+k.o.Base(r)+k.prefix+`/v3"`)
	}
	writeJSON(w, status, object{"error": object{"code": status, "message": message, "title": http.StatusText(status)}})
}

func frameworkError(code, title, message string) object {
	return object{"message": message + "<br /><br />\n\n\n", "code": code, "title": title}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the answer does not encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client went away: nobody is left to tell
}
