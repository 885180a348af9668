package nova

import (
	"encoding/json"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// quotaSet holds numbers, of the call with details quotaUse.
type quotaSet[N any] struct {
	ID       string `json:"id,omitempty"`
	Servers  N      `json:"instances"`
	VCPUs    N      `json:"cores"`
	RAM      N      `json:"ram"`
	Keypairs N      `json:"key_pairs"`
	Groups   N      `json:"server_groups"`
	Members  N      `json:"server_group_members"`
	Metadata N      `json:"metadata_items"`

	FixedIPs       *N `json:"fixed_ips,omitempty" until:"2.35" wire:"native"`
	FloatingIPs    *N `json:"floating_ips,omitempty" until:"2.35" wire:"native"`
	SecurityRules  *N `json:"security_group_rules,omitempty" until:"2.35" wire:"native"`
	SecurityGroups *N `json:"security_groups,omitempty" until:"2.35" wire:"native"`
	FileBytes      *N `json:"injected_file_content_bytes,omitempty" until:"2.56" wire:"native"`
	FilePathBytes  *N `json:"injected_file_path_bytes,omitempty" until:"2.56" wire:"native"`
	Files          *N `json:"injected_files,omitempty" until:"2.56" wire:"native"`
}

type quotaUse struct {
	Limit    int `json:"limit"`
	InUse    int `json:"in_use"`
	Reserved int `json:"reserved"`
}

type quotaBody[N any] struct {
	Set quotaSet[N] `json:"quota_set"`
}

// quotaClassBody is the defaults by another name.
type quotaClassBody struct {
	Set quotaClass `json:"quota_class_set"`
}

// quotaClass has server groups since 2.50 only.
type quotaClass struct {
	ID       string `json:"id,omitempty"`
	Servers  int    `json:"instances"`
	VCPUs    int    `json:"cores"`
	RAM      int    `json:"ram"`
	Keypairs int    `json:"key_pairs"`
	Groups   *int   `json:"server_groups,omitempty" since:"2.50"`
	Members  *int   `json:"server_group_members,omitempty" since:"2.50"`
	Metadata int    `json:"metadata_items"`

	FixedIPs       *int `json:"fixed_ips,omitempty" until:"2.49" wire:"native"`
	FloatingIPs    *int `json:"floating_ips,omitempty" until:"2.49" wire:"native"`
	SecurityRules  *int `json:"security_group_rules,omitempty" until:"2.49" wire:"native"`
	SecurityGroups *int `json:"security_groups,omitempty" until:"2.49" wire:"native"`
	FileBytes      *int `json:"injected_file_content_bytes,omitempty" until:"2.56" wire:"native"`
	FilePathBytes  *int `json:"injected_file_path_bytes,omitempty" until:"2.56" wire:"native"`
	Files          *int `json:"injected_files,omitempty" until:"2.56" wire:"native"`
}

func sayQuotaClass(q canonical.Quota, name string) quotaClassBody {
	s := sayQuota(q, name, limitNumber)
	return quotaClassBody{quotaClass{
		ID: s.ID, Servers: s.Servers, VCPUs: s.VCPUs, RAM: s.RAM, Keypairs: s.Keypairs, Groups: &s.Groups, Members: &s.Members, Metadata: s.Metadata,
		FixedIPs: s.FixedIPs, FloatingIPs: s.FloatingIPs, SecurityRules: s.SecurityRules, SecurityGroups: s.SecurityGroups,
		FileBytes: s.FileBytes, FilePathBytes: s.FilePathBytes, Files: s.Files,
	}}
}

func hearQuotaClass(w quotaClass, env *translate.Env) canonical.Quota {
	return hearQuota(quotaSet[int]{
		Servers: w.Servers, VCPUs: w.VCPUs, RAM: w.RAM, Keypairs: w.Keypairs, Groups: *orNone(w.Groups), Members: *orNone(w.Members), Metadata: w.Metadata,
	}, env)
}

// hearProject is the project of a path. The caller's own is open to all, another's to
// operators.
func hearProject(from *translate.Request, env *translate.Env, policy string) (canonical.Project, error) {
	project := from.Params["project"]
	switch {
	case project == env.Project:
		return canonical.OwnProject, nil
	case !env.Role.AtLeast(canonical.Operator):
		return "", canonical.Errorf(canonical.Forbidden, "Policy doesn't allow os_compute_api:%s to be performed.", policy)
	}
	return canonical.Project(project), nil
}

// sayProject is the project as the cloud names it.
func sayProject(project canonical.Project, env *translate.Env) string {
	if project == canonical.OwnProject {
		return env.Project
	}
	return string(project)
}

// shownProject is the project by which the client asked.
func shownProject(q canonical.Quota, env *translate.Env) string {
	if env.Wire != nil && env.Wire.Params["project"] != "" {
		return env.Wire.Params["project"]
	}
	return string(q.ID)
}

// sayQuota makes a set of a quota: number makes each entry of a limit and what is used.
func sayQuota[N any](q canonical.Quota, project string, number func(limit, used *int) N) quotaSet[N] {
	none := number(nil, nil)
	zero := 0
	files := number(&zero, nil) // none can be put into a server by number
	return quotaSet[N]{
		ID: project, Servers: number(q.Servers, q.ServersUsed), VCPUs: number(q.VCPUs, q.VCPUsUsed), RAM: number(q.RAMMiB, q.RAMUsedMiB),
		Keypairs: number(q.Keypairs, nil), Groups: number(q.ServerGroups, q.ServerGroupsUsed), Members: number(q.ServerGroupMembers, nil),
		Metadata: number(q.MetadataItems, nil), FixedIPs: &none, FloatingIPs: &none, SecurityRules: &none, SecurityGroups: &none,
		FileBytes: &files, FilePathBytes: &files, Files: &files,
	}
}

func limitNumber(n, _ *int) int { return *orNone(n) }

func useNumber(n, used *int) quotaUse { return quotaUse{Limit: *orNone(n), InUse: *orZero(used)} }

func hearQuota(w quotaSet[int], env *translate.Env) canonical.Quota {
	return canonical.Quota{
		ID: canonical.ID(firstOf(w.ID, projectOf(env.Asked, env), env.Project)), Servers: limit(&w.Servers), VCPUs: limit(&w.VCPUs), RAMMiB: limit(&w.RAM), Keypairs: limit(&w.Keypairs),
		ServerGroups: limit(&w.Groups), ServerGroupMembers: limit(&w.Members), MetadataItems: limit(&w.Metadata),
	}
}

// projectOf is the project that a request names.
func projectOf(asked any, env *translate.Env) string {
	switch r := asked.(type) {
	case canonical.QuotaGet:
		return sayProject(r.Project, env)
	case canonical.QuotaDefaultsGet:
		return sayProject(r.Project, env)
	case canonical.QuotaUpdate:
		return sayProject(r.Project, env)
	}
	return ""
}

var quotaAnswer = translate.Answer[canonical.Quota, quotaBody[int]]{
	Say: func(r canonical.TypedReply[canonical.Quota], env *translate.Env, _ *translate.Response) (quotaBody[int], error) {
		return quotaBody[int]{sayQuota(r.Result, shownProject(r.Result, env), limitNumber)}, nil
	},
	Hear: func(w quotaBody[int], _ *translate.Response, env *translate.Env) (canonical.Quota, error) {
		return hearQuota(w.Set, env), nil
	},
}

var quotaSetAnswer = translate.Answer[canonical.Quota, quotaBody[int]]{
	Say: func(r canonical.TypedReply[canonical.Quota], _ *translate.Env, _ *translate.Response) (quotaBody[int], error) {
		return quotaBody[int]{sayQuota(r.Result, "", limitNumber)}, nil
	},
	Hear: quotaAnswer.Hear,
}

var quotaDetailAnswer = translate.Answer[canonical.Quota, quotaBody[quotaUse]]{
	Say: func(r canonical.TypedReply[canonical.Quota], env *translate.Env, _ *translate.Response) (quotaBody[quotaUse], error) {
		return quotaBody[quotaUse]{sayQuota(r.Result, shownProject(r.Result, env), useNumber)}, nil
	},
	Hear: func(w quotaBody[quotaUse], _ *translate.Response, env *translate.Env) (canonical.Quota, error) {
		s := w.Set
		return canonical.Quota{
			ID: canonical.ID(firstOf(s.ID, projectOf(env.Asked, env), env.Project)), Servers: limit(&s.Servers.Limit), ServersUsed: &s.Servers.InUse, VCPUs: limit(&s.VCPUs.Limit), VCPUsUsed: &s.VCPUs.InUse,
			RAMMiB: limit(&s.RAM.Limit), RAMUsedMiB: &s.RAM.InUse, Keypairs: limit(&s.Keypairs.Limit), ServerGroups: limit(&s.Groups.Limit),
			ServerGroupsUsed: &s.Groups.InUse, ServerGroupMembers: limit(&s.Members.Limit), MetadataItems: limit(&s.Metadata.Limit),
		}, nil
	},
}

var quotaClassAnswer = translate.Answer[canonical.Quota, quotaClassBody]{
	Say: func(r canonical.TypedReply[canonical.Quota], env *translate.Env, _ *translate.Response) (quotaClassBody, error) {
		return sayQuotaClass(r.Result, firstOf(env.Wire.Params["project"], defaultClass)), nil
	},
	Hear: func(w quotaClassBody, _ *translate.Response, env *translate.Env) (canonical.Quota, error) {
		return hearQuotaClass(w.Set, env), nil
	},
}

// quotaClassUpdateBody changes the defaults by another name.
type quotaClassUpdateBody struct {
	Set quotaChange `json:"quota_class_set"`
}

// defaultClass is the one class of quotas that has an effect.
const defaultClass = "default"

var askQuotaClassUpdate = translate.Ask[canonical.QuotaDefaultsUpdate, quotaClassUpdateBody]{
	Say: func(r canonical.QuotaDefaultsUpdate, _ *translate.Env, to *translate.Request) (quotaClassUpdateBody, error) {
		to.Params["project"] = defaultClass
		return quotaClassUpdateBody{sayChange(r.Limits())}, nil
	},
	Hear: func(w quotaClassUpdateBody, from *translate.Request, _ *translate.Env) (canonical.QuotaDefaultsUpdate, error) {
		l := hearChange(w.Set)
		r := canonical.QuotaDefaultsUpdate{
			Project: canonical.OwnProject, Servers: l.Servers, VCPUs: l.VCPUs, RAMMiB: l.RAMMiB, Keypairs: l.Keypairs,
			ServerGroups: l.ServerGroups, ServerGroupMembers: l.ServerGroupMembers, MetadataItems: l.MetadataItems,
		}
		switch {
		case from.Params["project"] != defaultClass:
			return r, canonical.Errorf(canonical.InvalidRequest, "There is one quota class, %s.", defaultClass)
		case w.Set.Force != nil:
			return r, words.Refuse("force", "is for the quota of a project")
		}
		return r, nil
	},
}

var quotaClassSetAnswer = translate.Answer[canonical.Quota, quotaClassBody]{
	Say: func(r canonical.TypedReply[canonical.Quota], _ *translate.Env, _ *translate.Response) (quotaClassBody, error) {
		return sayQuotaClass(r.Result, ""), nil
	},
	Hear: quotaClassAnswer.Hear,
}

type quotaUpdateBody struct {
	Set quotaChange `json:"quota_set"`
}

type quotaChange struct {
	Servers  *number `json:"instances,omitempty"`
	VCPUs    *number `json:"cores,omitempty"`
	RAM      *number `json:"ram,omitempty"`
	Keypairs *number `json:"key_pairs,omitempty"`
	Groups   *number `json:"server_groups,omitempty"`
	Members  *number `json:"server_group_members,omitempty"`
	Metadata *number `json:"metadata_items,omitempty"`
	Force    *loose  `json:"force,omitempty"`
	Tenant   string  `json:"tenant_id,omitempty" wire:"advisory"`

	FixedIPs       json.RawMessage `json:"fixed_ips,omitempty" until:"2.35" wire:"advisory"`
	FloatingIPs    json.RawMessage `json:"floating_ips,omitempty" until:"2.35" wire:"advisory"`
	SecurityRules  json.RawMessage `json:"security_group_rules,omitempty" until:"2.35" wire:"advisory"`
	SecurityGroups json.RawMessage `json:"security_groups,omitempty" until:"2.35" wire:"advisory"`
	FileBytes      json.RawMessage `json:"injected_file_content_bytes,omitempty" until:"2.56" wire:"advisory"`
	FilePathBytes  json.RawMessage `json:"injected_file_path_bytes,omitempty" until:"2.56" wire:"advisory"`
	Files          json.RawMessage `json:"injected_files,omitempty" until:"2.56" wire:"advisory"`
}

func sayLimit(o canonical.Opt[int]) *number {
	if o.IsZero() {
		return nil
	}
	n := number(o.Or(-1))
	return &n
}

func hearLimit(n *number) canonical.Opt[int] {
	switch {
	case n == nil:
		return canonical.Opt[int]{}
	case *n == -1:
		return canonical.Null[int]()
	}
	return canonical.Some(int(*n))
}

func sayChange(r canonical.QuotaUpdate) quotaChange {
	return quotaChange{
		Servers: sayLimit(r.Servers), VCPUs: sayLimit(r.VCPUs), RAM: sayLimit(r.RAMMiB), Keypairs: sayLimit(r.Keypairs),
		Groups: sayLimit(r.ServerGroups), Members: sayLimit(r.ServerGroupMembers), Metadata: sayLimit(r.MetadataItems),
	}
}

func hearChange(w quotaChange) canonical.QuotaUpdate {
	return canonical.QuotaUpdate{
		Servers: hearLimit(w.Servers), VCPUs: hearLimit(w.VCPUs), RAMMiB: hearLimit(w.RAM), Keypairs: hearLimit(w.Keypairs),
		ServerGroups: hearLimit(w.Groups), ServerGroupMembers: hearLimit(w.Members), MetadataItems: hearLimit(w.Metadata),
	}
}

var askQuotaUpdate = translate.Ask[canonical.QuotaUpdate, quotaUpdateBody]{
	Say: func(r canonical.QuotaUpdate, env *translate.Env, to *translate.Request) (quotaUpdateBody, error) {
		to.Params["project"] = sayProject(r.Project, env)
		w := sayChange(r)
		if r.Force {
			force := loose(true)
			w.Force = &force
		}
		return quotaUpdateBody{w}, nil
	},
	Hear: func(w quotaUpdateBody, from *translate.Request, env *translate.Env) (r canonical.QuotaUpdate, err error) {
		r = hearChange(w.Set)
		r.Force = w.Set.Force != nil && bool(*w.Set.Force)
		r.Project, err = hearProject(from, env, "os-quota-sets:update")
		return r, err
	},
}

// askProject asks by the project in the path.
func askProject[Req any](call string, make func(canonical.Project) Req, project func(Req) canonical.Project) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(r Req, env *translate.Env, to *translate.Request) (translate.NoBody, error) {
			to.Params["project"] = sayProject(project(r), env)
			return translate.NoBody{}, nil
		},
		Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (Req, error) {
			p, err := hearProject(from, env, "os-quota-sets:"+call)
			return make(p), err
		},
	}
}

func quotaRoutes() []translate.Route {
	const one = "/os-quota-sets/{project}"
	get := func(p canonical.Project) canonical.QuotaGet { return canonical.QuotaGet{Project: p} }
	defaults := func(p canonical.Project) canonical.QuotaDefaultsGet { return canonical.QuotaDefaultsGet{Project: p} }
	reset := func(p canonical.Project) canonical.QuotaReset { return canonical.QuotaReset{Project: p} }
	class := translate.Ask[canonical.QuotaDefaultsGet, translate.NoBody]{
		Say: askProject("show", defaults, func(r canonical.QuotaDefaultsGet) canonical.Project { return r.Project }).Say,
		Hear: func(translate.NoBody, *translate.Request, *translate.Env) (canonical.QuotaDefaultsGet, error) {
			return canonical.QuotaDefaultsGet{Project: canonical.OwnProject}, nil
		},
	}
	return []translate.Route{
		{
			ID: "nova.quota.detail", Service: "compute", Method: "GET", Path: one + "/detail", Op: canonical.GetQuota.Spec(),
			Ask: askProject("detail", get, func(r canonical.QuotaGet) canonical.Project { return r.Project }), Answer: quotaDetailAnswer, Status: 200,
		},
		{
			ID: "nova.quota.show", Service: "compute", Method: "GET", Path: one, Op: canonical.GetQuota.Spec(), Can: never,
			Ask: askProject("show", get, func(r canonical.QuotaGet) canonical.Project { return r.Project }), Answer: quotaAnswer, Status: 200,
		},
		{
			ID: "nova.quota.defaults", Service: "compute", Method: "GET", Path: one + "/defaults", Op: canonical.GetQuotaDefaults.Spec(),
			Ask: askProject("defaults", defaults, func(r canonical.QuotaDefaultsGet) canonical.Project { return r.Project }), Answer: quotaAnswer, Status: 200,
		},
		{
			ID: "nova.quota.update", Service: "compute", Method: "PUT", Path: one, Op: canonical.UpdateQuota.Spec(),
			Ask: askQuotaUpdate, Answer: quotaSetAnswer, Status: 200,
		},
		{
			ID: "nova.quota.delete", Service: "compute", Method: "DELETE", Path: one, Op: canonical.ResetQuota.Spec(),
			Ask: askProject("delete", reset, func(r canonical.QuotaReset) canonical.Project { return r.Project }), Answer: translate.Nothing[canonical.None](), Status: 202,
		},
		{
			ID: "nova.quota_class.show", Service: "compute", Method: "GET", Path: "/os-quota-class-sets/{project}", Op: canonical.GetQuotaDefaults.Spec(), Can: never,
			Ask: class, Answer: quotaClassAnswer, Status: 200,
		},
		{
			ID: "nova.quota_class.update", Service: "compute", Method: "PUT", Path: "/os-quota-class-sets/{project}", Op: canonical.UpdateQuotaDefaults.Spec(), Want: v(50),
			Ask: askQuotaClassUpdate, Answer: quotaClassSetAnswer, Status: 200,
		},
	}
}
