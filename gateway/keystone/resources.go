package keystone

import (
	"context"
	"net/http"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// resource is a kind of thing that clients list and look at, and none changes here.
type resource struct {
	one, many string
	// items are those that the caller may see.
	items func(k *Keystone, r *http.Request, who canonical.Caller) ([]object, error)
	// open: everybody may see them, and not administrators alone.
	open bool
}

var resources = []resource{
	{one: "domain", many: "domains", items: (*Keystone).domains},
	{one: "region", many: "regions", items: (*Keystone).regions, open: true},
	{one: "service", many: "services", items: (*Keystone).services},
	{one: "endpoint", many: "endpoints", items: (*Keystone).endpoints},
	{one: "role", many: "roles", items: (*Keystone).roles},
	{one: "user", many: "users", items: (*Keystone).users},
	{one: "project", many: "projects", items: (*Keystone).projects, open: true},
}

// list answers GET /v3/<many>: what the query names of a thing is a filter.
func (k *Keystone) list(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := k.caller(w, r)
		if !ok {
			return
		}
		if !res.open && !who.Role.AtLeast(canonical.Admin) {
			k.fail(w, r, unauthorized("list_"+res.many))
			return
		}
		items, err := res.items(k, r, who)
		if err != nil {
			k.fail(w, r, err)
			return
		}
		k.listed(w, r, res.many, items)
	}
}

// listed writes the items that the query's filters leave.
func (k *Keystone) listed(w http.ResponseWriter, r *http.Request, many string, items []object) {
	kept := []object{}
	for _, item := range items {
		if matches(item, r) {
			kept = append(kept, item)
		}
	}
	writeJSON(w, http.StatusOK, object{many: kept, "links": object{"next": nil, "self": k.self(r), "previous": nil}})
}

func matches(item object, r *http.Request) bool {
	for key, values := range r.URL.Query() {
		switch has := item[key].(type) {
		case string:
			if has != values[0] {
				return false
			}
		case bool:
			if want, err := strconv.ParseBool(values[0]); err == nil && want != has {
				return false
			}
		}
	}
	return true
}

// get answers GET /v3/<many>/{id}. Callers may see themselves, and their own domain.
func (k *Keystone) get(res resource) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, ok := k.caller(w, r)
		if !ok {
			return
		}
		id := r.PathValue("id")
		own := id == domainID || id == userOf(who)
		if !res.open && !own && !who.Role.AtLeast(canonical.Admin) {
			k.fail(w, r, unauthorized("get_"+res.one))
			return
		}
		items, err := res.items(k, r, who)
		if err != nil {
			k.fail(w, r, err)
			return
		}
		for _, item := range items {
			if item["id"] == id {
				writeJSON(w, http.StatusOK, object{res.one: item})
				return
			}
		}
		k.fail(w, r, canonical.Errorf(canonical.NotFound, "Could not find %s: %s.", res.one, id))
	}
}

func unauthorized(action string) error {
	return canonical.Errorf(canonical.Forbidden, "You are not authorized to perform the requested action: identity:%s.", action)
}

func (k *Keystone) link(r *http.Request, many, id string) object {
	return object{"self": k.o.Base(r) + k.prefix + "/v3/" + many + "/" + id}
}

// The one domain.
const (
	domainID   = "default"
	domainName = "Default"
)

func (k *Keystone) domains(r *http.Request, _ canonical.Caller) ([]object, error) {
	return []object{{
		"id": domainID, "name": domainName, "description": "The default domain", "enabled": true,
		"tags": []string{}, "options": object{}, "links": k.link(r, "domains", domainID),
	}}, nil
}

func (k *Keystone) regions(r *http.Request, _ canonical.Caller) ([]object, error) {
	return []object{{
		"id": k.o.Region, "description": "", "parent_region_id": nil, "links": k.link(r, "regions", k.o.Region),
	}}, nil
}

func (k *Keystone) services(r *http.Request, _ canonical.Caller) ([]object, error) {
	var list []object
	for _, s := range k.catalog(r) {
		id, _ := s["id"].(string)
		list = append(list, object{
			"id": id, "type": s["type"], "name": s["name"], "enabled": true, "links": k.link(r, "services", id),
		})
	}
	return list, nil
}

func (k *Keystone) endpoints(r *http.Request, _ canonical.Caller) ([]object, error) {
	var list []object
	for _, s := range k.catalog(r) {
		all, _ := s["endpoints"].([]object)
		for _, e := range all {
			id, _ := e["id"].(string)
			list = append(list, object{
				"id": id, "interface": e["interface"], "region_id": e["region_id"], "region": e["region"], "url": e["url"],
				"service_id": s["id"], "enabled": true, "links": k.link(r, "endpoints", id),
			})
		}
	}
	return list, nil
}

func (k *Keystone) roles(r *http.Request, _ canonical.Caller) ([]object, error) {
	return k.roleBodies(r, canonical.Admin), nil
}

func (k *Keystone) roleBodies(r *http.Request, of canonical.Role) []object {
	list := rolesOf(of)
	for _, role := range list {
		id, _ := role["id"].(string)
		role["domain_id"], role["description"], role["options"] = nil, nil, object{"immutable": true}
		role["links"] = k.link(r, "roles", id)
	}
	return list
}

// users are the caller, and for administrators all keys.
func (k *Keystone) users(r *http.Request, who canonical.Caller) ([]object, error) {
	all := []canonical.APIKey{{ID: canonical.ID(userOf(who)), Tenant: who.Tenant, Role: who.Role}}
	if k.o.Cloud != nil && who.Role.AtLeast(canonical.Admin) {
		var err error
		if all, err = every(r.Context(), k, who, canonical.ListAPIKeys, canonical.APIKeyList{}); err != nil {
			return nil, err
		}
	}
	list := make([]object, len(all))
	for i, key := range all {
		id := UserID(string(key.ID))
		list[i] = object{
			"id": id, "name": string(key.ID), "domain_id": domainID, "enabled": true, "default_project_id": ProjectID(key.Tenant),
			"password_expires_at": nil, "options": object{}, "links": k.link(r, "users", id),
		}
		if key.Name != "" {
			list[i]["description"] = key.Name
		}
	}
	return list, nil
}

// projects are the caller's, and for administrators all tenants.
func (k *Keystone) projects(r *http.Request, who canonical.Caller) ([]object, error) {
	names := []string{who.Tenant}
	if k.o.Cloud != nil && who.Role.AtLeast(canonical.Admin) {
		all, err := every(r.Context(), k, who, canonical.ListTenants, canonical.TenantList{})
		if err != nil {
			return nil, err
		}
		names = names[:0]
		for _, t := range all {
			names = append(names, t.Name)
		}
	}
	list := make([]object, len(names))
	for i, name := range names {
		list[i] = k.projectBody(r, name)
	}
	return list, nil
}

// every is a whole list of the cloud behind, as the caller may see it.
func every[Req any, T any](ctx context.Context, k *Keystone, who canonical.Caller, op canonical.Op[Req, canonical.Page[T]], req Req) ([]T, error) {
	ctx = canonical.WithCaller(ctx, who)
	var items []T
	for {
		reply, err := op.Do(ctx, k.o.Cloud, req)
		if err != nil {
			return nil, err
		}
		items = append(items, reply.Result.Items...)
		if reply.Result.NextCursor == "" {
			return items, nil
		}
		req = withCursor(req, reply.Result.NextCursor)
	}
}

// withCursor is the request of a list, going on at cursor.
func withCursor[Req any](req Req, cursor string) Req {
	switch r := any(&req).(type) {
	case *canonical.APIKeyList:
		r.Cursor = cursor
	case *canonical.ApplicationCredentialList:
		r.Cursor = cursor
	case *canonical.TenantList:
		r.Cursor = cursor
	}
	return req
}

// ownProjects answers what a login may be scoped to: a key has one tenant.
func (k *Keystone) ownProjects(w http.ResponseWriter, r *http.Request) {
	if who, ok := k.caller(w, r); ok {
		k.listed(w, r, "projects", []object{k.projectBody(r, who.Tenant)})
	}
}

// nothing answers a list that is always empty here.
func (k *Keystone) nothing(many string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := k.caller(w, r); ok {
			k.listed(w, r, many, nil)
		}
	}
}

// projectsOf answers GET /v3/users/{id}/projects, to the user and to administrators.
func (k *Keystone) projectsOf(w http.ResponseWriter, r *http.Request) {
	who, ok := k.caller(w, r)
	if !ok {
		return
	}
	id := r.PathValue("id")
	if id != userOf(who) && !who.Role.AtLeast(canonical.Admin) {
		k.fail(w, r, unauthorized("list_user_projects"))
		return
	}
	all, err := k.users(r, who)
	if err != nil {
		k.fail(w, r, err)
		return
	}
	projects, err := k.projects(r, who)
	if err != nil {
		k.fail(w, r, err)
		return
	}
	for _, user := range all {
		if user["id"] != id {
			continue
		}
		var theirs []object
		for _, p := range projects {
			if p["id"] == user["default_project_id"] {
				theirs = append(theirs, p)
			}
		}
		k.listed(w, r, "projects", theirs)
		return
	}
	k.fail(w, r, canonical.Errorf(canonical.NotFound, "Could not find user: %s.", id))
}

// assignments answers GET /v3/role_assignments: each key has the roles of its own
// role on its tenant's project.
func (k *Keystone) assignments(w http.ResponseWriter, r *http.Request) {
	who, ok := k.caller(w, r)
	if !ok {
		return
	}
	if !who.Role.AtLeast(canonical.Admin) || k.o.Cloud == nil {
		k.fail(w, r, unauthorized("list_role_assignments"))
		return
	}
	keys, err := every(r.Context(), k, who, canonical.ListAPIKeys, canonical.APIKeyList{})
	if err != nil {
		k.fail(w, r, err)
		return
	}
	list, q := []object{}, r.URL.Query()
	fits := func(key, value string) bool { return !q.Has(key) || q.Get(key) == value }
	for _, key := range keys {
		user, project := UserID(string(key.ID)), ProjectID(key.Tenant)
		for _, role := range rolesOf(key.Role) {
			id, _ := role["id"].(string)
			if !fits("user.id", user) || !fits("scope.project.id", project) || !fits("role.id", id) {
				continue
			}
			whose := object{"role": object{"id": id}, "user": object{"id": user}, "scope": object{"project": object{"id": project}}}
			if q.Has("include_names") {
				domain := object{"id": domainID, "name": domainName}
				whose = object{
					"role": object{"id": id, "name": role["name"]}, "user": object{"id": user, "name": user, "domain": domain},
					"scope": object{"project": object{"id": project, "name": key.Tenant, "domain": domain}},
				}
			}
			list = append(list, object{
				"role": whose["role"], "user": whose["user"], "scope": whose["scope"],
				"links": object{"assignment": k.o.Base(r) + k.prefix + "/v3/projects/" + project + "/users/" + user + "/roles/" + id},
			})
		}
	}
	writeJSON(w, http.StatusOK, object{"role_assignments": list, "links": object{"next": nil, "self": k.self(r), "previous": nil}})
}
