package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type extraSpecsBody struct {
	ExtraSpecs map[string]string `json:"extra_specs"`
}

var extraSpecsAnswer = translate.Answer[canonical.FlavorExtraSpecs, extraSpecsBody]{
	Say: func(r canonical.TypedReply[canonical.FlavorExtraSpecs], _ *translate.Env, _ *translate.Response) (extraSpecsBody, error) {
		return extraSpecsBody{dict(r.Result)}, nil
	},
	Hear: func(w extraSpecsBody, _ *translate.Response, _ *translate.Env) (canonical.FlavorExtraSpecs, error) {
		return dict(w.ExtraSpecs), nil
	},
}

// extraSpecsMade is what a merge changed, which is all that Nova tells of it; the
// adapter asks for the rest.
var extraSpecsMade = translate.Answer[canonical.FlavorExtraSpecs, extraSpecsBody]{
	Say: func(r canonical.TypedReply[canonical.FlavorExtraSpecs], env *translate.Env, _ *translate.Response) (extraSpecsBody, error) {
		asked, _ := env.Asked.(canonical.FlavorExtraSpecsMerge)
		made := map[string]string{}
		for key := range asked.ExtraSpecs {
			made[key] = r.Result[key]
		}
		return extraSpecsBody{made}, nil
	},
	Hear: extraSpecsAnswer.Hear,
}

var askExtraSpecs = translate.Ask[canonical.FlavorExtraSpecsMerge, extraSpecsBody]{
	Say: func(r canonical.FlavorExtraSpecsMerge, _ *translate.Env, to *translate.Request) (extraSpecsBody, error) {
		translate.SayPath(r, to)
		w := extraSpecsBody{map[string]string{}}
		for key, value := range r.ExtraSpecs {
			w.ExtraSpecs[key] = value.Or("")
		}
		return w, nil
	},
	Hear: func(w extraSpecsBody, from *translate.Request, _ *translate.Env) (r canonical.FlavorExtraSpecsMerge, err error) {
		translate.HearPath(from, &r)
		if w.ExtraSpecs == nil {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute extra_specs. 'extra_specs' is a required property")
		}
		r.ExtraSpecs = sayItems(w.ExtraSpecs)
		return r, nil
	},
}

// specsOnly says whether a merge takes nothing out: that is a call of its own.
func specsOnly(req any) bool {
	r, ok := req.(canonical.FlavorExtraSpecsMerge)
	for _, value := range r.ExtraSpecs {
		_, sets := value.Get()
		ok = ok && sets
	}
	return ok
}

// askSpec is one extra spec: a map of one, without a name around it.
var askSpec = translate.Ask[canonical.FlavorExtraSpecSet, map[string]string]{
	Say: func(r canonical.FlavorExtraSpecSet, _ *translate.Env, to *translate.Request) (map[string]string, error) {
		translate.SayPath(r, to)
		return map[string]string{r.Key: r.Value}, nil
	},
	Hear: func(w map[string]string, from *translate.Request, _ *translate.Env) (r canonical.FlavorExtraSpecSet, err error) {
		translate.HearPath(from, &r)
		value, ok := w[r.Key]
		switch {
		case len(w) > 1:
			err = canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute extra_specs. %d items are too many", len(w))
		case !ok:
			err = canonical.Errorf(canonical.InvalidRequest, "Request body and URI mismatch")
		}
		r.Value = value
		return r, err
	},
}

// specAnswer is the extra spec whose key is in the path.
var specAnswer = translate.Answer[canonical.FlavorExtraSpecs, map[string]string]{
	Say: func(r canonical.TypedReply[canonical.FlavorExtraSpecs], env *translate.Env, _ *translate.Response) (map[string]string, error) {
		key := env.Wire.Params["key"]
		value, ok := r.Result[key]
		if !ok {
			return nil, canonical.Errorf(canonical.NotFound, "Flavor %s has no extra specs with key %s.", env.Wire.Params["id"], key)
		}
		return map[string]string{key: value}, nil
	},
	Hear: func(w map[string]string, _ *translate.Response, _ *translate.Env) (canonical.FlavorExtraSpecs, error) {
		return w, nil
	},
}

type accessBody struct {
	Access []access `json:"flavor_access"`
}

type access struct {
	Flavor string `json:"flavor_id"`
	Tenant string `json:"tenant_id"`
}

var accessAnswer = translate.Answer[canonical.FlavorAccess, accessBody]{
	Say: func(r canonical.TypedReply[canonical.FlavorAccess], env *translate.Env, _ *translate.Response) (accessBody, error) {
		w := accessBody{make([]access, len(r.Result.Projects))}
		for i, project := range r.Result.Projects {
			w.Access[i] = access{string(translate.IDOf(env.Asked)), string(project)}
		}
		return w, nil
	},
	Hear: func(w accessBody, _ *translate.Response, _ *translate.Env) (canonical.FlavorAccess, error) {
		out := canonical.FlavorAccess{Projects: make([]canonical.Project, len(w.Access))}
		for i, a := range w.Access {
			out.Projects[i] = canonical.Project(a.Tenant)
		}
		return out, nil
	},
}

type tenantBody struct {
	Tenant string `json:"tenant"`
}

var askGrant = translate.Ask[canonical.FlavorAccessGrant, tenantBody]{
	Say: func(r canonical.FlavorAccessGrant, _ *translate.Env, to *translate.Request) (tenantBody, error) {
		to.Params["id"] = string(r.ID)
		return tenantBody{string(r.Project)}, nil
	},
	Hear: func(w tenantBody, from *translate.Request, _ *translate.Env) (canonical.FlavorAccessGrant, error) {
		return canonical.FlavorAccessGrant{ID: canonical.ID(from.Params["id"]), Project: canonical.Project(w.Tenant)}, needTenant(w)
	},
}

var askRevoke = translate.Ask[canonical.FlavorAccessRevoke, tenantBody]{
	Say: func(r canonical.FlavorAccessRevoke, _ *translate.Env, to *translate.Request) (tenantBody, error) {
		to.Params["id"] = string(r.ID)
		return tenantBody{string(r.Project)}, nil
	},
	Hear: func(w tenantBody, from *translate.Request, _ *translate.Env) (canonical.FlavorAccessRevoke, error) {
		return canonical.FlavorAccessRevoke{ID: canonical.ID(from.Params["id"]), Project: canonical.Project(w.Tenant)}, needTenant(w)
	},
}

func needTenant(w tenantBody) error {
	if w.Tenant == "" {
		return canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute tenant. 'tenant' is a required property")
	}
	return nil
}

type flavorUpdateBody struct {
	Flavor flavorUpdate `json:"flavor"`
}

type flavorUpdate struct {
	Description canonical.Opt[string] `json:"description"`
}

var askFlavorUpdate = translate.Ask[canonical.FlavorUpdate, flavorUpdateBody]{
	Say: func(r canonical.FlavorUpdate, _ *translate.Env, to *translate.Request) (flavorUpdateBody, error) {
		to.Params["id"] = string(r.ID)
		if r.Description.IsZero() {
			return flavorUpdateBody{}, words.Refuse("description", "is all that changes, and none is given")
		}
		return flavorUpdateBody{flavorUpdate{r.Description}}, nil
	},
	Hear: func(w flavorUpdateBody, from *translate.Request, _ *translate.Env) (canonical.FlavorUpdate, error) {
		r := canonical.FlavorUpdate{ID: canonical.ID(from.Params["id"]), Description: w.Flavor.Description}
		if r.Description.IsZero() {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute flavor. 'description' is a required property")
		}
		return r, nil
	},
}

// never is for rows that are heard only: southwards another says the same.
func never(any) bool { return false }

func flavorSpecRoutes() []translate.Route {
	const specs, spec, access = "/flavors/{id}/os-extra_specs", "/flavors/{id}/os-extra_specs/{key}", "/flavors/{id}/action"
	return []translate.Route{
		{
			ID: "nova.flavor.extra_specs", Service: "compute", Method: "GET", Path: specs, Op: canonical.GetFlavorExtraSpecs.Spec(),
			Ask: translate.ByPath[canonical.FlavorExtraSpecsGet](), Answer: extraSpecsAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.extra_specs.show", Service: "compute", Method: "GET", Path: spec, Op: canonical.GetFlavorExtraSpecs.Spec(),
			Can: never, Ask: translate.ByPath[canonical.FlavorExtraSpecsGet](), Answer: specAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.extra_specs.create", Service: "compute", Method: "POST", Path: specs, Op: canonical.MergeFlavorExtraSpecs.Spec(),
			Can: specsOnly, Ask: askExtraSpecs, Answer: extraSpecsMade, Status: 200,
		},
		{
			ID: "nova.flavor.extra_specs.set", Service: "compute", Method: "PUT", Path: spec, Op: canonical.SetFlavorExtraSpec.Spec(),
			Ask: askSpec, Answer: specAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.extra_specs.delete", Service: "compute", Method: "DELETE", Path: spec, Op: canonical.DeleteFlavorExtraSpec.Spec(),
			Ask: translate.ByPath[canonical.FlavorExtraSpecDelete](), Answer: translate.Nothing[canonical.None](), Status: 200,
		},
		{
			ID: "nova.flavor.access.list", Service: "compute", Method: "GET", Path: "/flavors/{id}/os-flavor-access", Op: canonical.ListFlavorAccess.Spec(),
			Ask: translate.ByPath[canonical.FlavorAccessList](), Answer: accessAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.access.grant", Service: "compute", Method: "POST", Path: access, Action: "addTenantAccess", Op: canonical.GrantFlavorAccess.Spec(),
			Ask: askGrant, Answer: accessAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.access.revoke", Service: "compute", Method: "POST", Path: access, Action: "removeTenantAccess", Op: canonical.RevokeFlavorAccess.Spec(),
			Ask: askRevoke, Answer: accessAnswer, Status: 200,
		},
		{
			ID: "nova.flavor.update", Service: "compute", Method: "PUT", Path: "/flavors/{id}", Op: canonical.UpdateFlavor.Spec(), Since: v(55), Want: v(79),
			Ask: askFlavorUpdate, Answer: flavorAnswer, Status: 200,
		},
	}
}
