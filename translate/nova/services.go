package nova

import (
	"encoding/json"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type service struct {
	ID         hypervisorID          `json:"id"`
	Binary     string                `json:"binary"`
	Host       string                `json:"host"`
	Zone       string                `json:"zone"`
	Status     string                `json:"status"`
	State      string                `json:"state"`
	UpdatedAt  canonical.Opt[string] `json:"updated_at"`
	Reason     *string               `json:"disabled_reason"`
	ForcedDown canonical.Opt[bool]   `json:"forced_down,omitzero" since:"2.11"`
}

type serviceBody struct {
	Service service `json:"service"`
}

type servicesBody struct {
	Services []service `json:"services"`
}

func hearService(w service) canonical.ComputeService {
	return canonical.ComputeService{
		ID: canonical.ID(w.ID.Text), Name: w.Binary, Host: w.Host, Zone: words.Filled(w.Zone), State: w.State, Status: w.Status,
		DisabledReason: w.Reason, ForcedDown: w.ForcedDown.Or(false), UpdatedAt: words.Time(w.UpdatedAt.Or("")),
	}
}

func sayService(s canonical.ComputeService, env *translate.Env) service {
	return service{
		ID: hypervisorID{string(s.ID), numbered(env)}, Binary: s.Name, Host: s.Host, Zone: words.Or(s.Zone, ""), Status: s.Status, State: s.State,
		UpdatedAt: sayOptTime(s.UpdatedAt, naive), Reason: s.DisabledReason, ForcedDown: canonical.Some(s.ForcedDown),
	}
}

var serviceAnswer = translate.Answer[canonical.ComputeService, serviceBody]{
	Say: func(r canonical.TypedReply[canonical.ComputeService], env *translate.Env, _ *translate.Response) (serviceBody, error) {
		return serviceBody{sayService(r.Result, env)}, nil
	},
	Hear: func(w serviceBody, _ *translate.Response, _ *translate.Env) (canonical.ComputeService, error) {
		return hearService(w.Service), nil
	},
}

// servicePart is what the calls below 2.53 answer.
type servicePart struct {
	Service struct {
		Host       string              `json:"host"`
		Binary     string              `json:"binary"`
		Status     string              `json:"status,omitempty"`
		Reason     *string             `json:"disabled_reason,omitempty"`
		ForcedDown canonical.Opt[bool] `json:"forced_down,omitzero" since:"2.11"`
	} `json:"service"`
}

func servicePartAnswer(forced bool) translate.Answer[canonical.ComputeService, servicePart] {
	return translate.Answer[canonical.ComputeService, servicePart]{
		Say: func(r canonical.TypedReply[canonical.ComputeService], _ *translate.Env, _ *translate.Response) (w servicePart, _ error) {
			w.Service.Host, w.Service.Binary = r.Result.Host, r.Result.Name
			if forced {
				w.Service.ForcedDown = canonical.Some(r.Result.ForcedDown)
				return w, nil
			}
			w.Service.Status, w.Service.Reason = r.Result.Status, r.Result.DisabledReason
			return w, nil
		},
		Hear: func(w servicePart, _ *translate.Response, env *translate.Env) (canonical.ComputeService, error) {
			return canonical.ComputeService{
				ID: translate.IDOf(env.Asked), Host: w.Service.Host, Name: w.Service.Binary, Status: w.Service.Status,
				DisabledReason: w.Service.Reason, ForcedDown: w.Service.ForcedDown.Or(false),
			}, nil
		},
	}
}

var servicesAnswer = translate.List[canonical.ComputeService, servicesBody]{
	Say: func(p canonical.Page[canonical.ComputeService], env *translate.Env, _ *translate.Response) (servicesBody, error) {
		w := servicesBody{make([]service, len(p.Items))}
		for i, s := range p.Items {
			w.Services[i] = sayService(s, env)
		}
		return w, nil
	},
	Hear: func(w servicesBody, _ *translate.Response, _ *translate.Env) ([]canonical.ComputeService, error) {
		out := make([]canonical.ComputeService, len(w.Services))
		for i, s := range w.Services {
			out[i] = hearService(s)
		}
		return out, nil
	},
	Whole: true,
}

// wholeList asks for a list that a dialect neither pages nor filters.
func wholeList[Req any](req func(canonical.ListOptions) Req) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(Req, *translate.Env, *translate.Request) (translate.NoBody, error) {
			return translate.NoBody{}, nil
		},
		Hear: func(translate.NoBody, *translate.Request, *translate.Env) (Req, error) {
			o := everything()
			o.Sort = canonical.ByName
			return req(o), nil
		},
	}
}

var askServices = translate.Ask[canonical.ComputeServiceList, translate.NoBody]{
	Say: func(r canonical.ComputeServiceList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		for key, value := range map[string]string{"binary": r.Name, "host": r.Host} {
			if value != "" {
				to.Query.Set(key, value)
			}
		}
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ComputeServiceList, error) {
		o := everything()
		o.Sort = canonical.ByName
		return canonical.ComputeServiceList{ListOptions: o, Name: from.Query.Get("binary"), Host: from.Query.Get("host")}, nil
	},
}

// serviceChange is the body of a change by id: it means one of three operations.
type serviceChange struct {
	Status     string              `json:"status,omitempty"`
	Reason     string              `json:"disabled_reason,omitempty"`
	ForcedDown canonical.Opt[bool] `json:"forced_down,omitzero"`
}

// serviceNamed is the body of a change by host and program.
type serviceNamed struct {
	Host       string              `json:"host"`
	Binary     string              `json:"binary"`
	Reason     string              `json:"disabled_reason,omitempty"`
	ForcedDown canonical.Opt[bool] `json:"forced_down,omitzero" since:"2.11"`
}

// factService is the service that a client names by host and program; southwards the
// one that such a call is to name.
const factService = "service"

func needService() translate.Need {
	return translate.Need{
		Fact: factService,
		Hear: func(req *translate.Request) (canonical.Call, bool) {
			var w serviceNamed
			if json.Unmarshal(req.Body, &w) != nil || w.Host == "" {
				return canonical.Call{}, false
			}
			return translate.Question(canonical.ListComputeServices, canonical.ComputeServiceList{
				ListOptions: everything(), Host: w.Host, Name: w.Binary,
			}), true
		},
		Say: func(any) (canonical.Call, bool) {
			return translate.Question(canonical.ListComputeServices, canonical.ComputeServiceList{ListOptions: everything()}), true
		},
		Pick: func(result any, env *translate.Env) any {
			page, _ := result.(canonical.Page[canonical.ComputeService])
			for _, s := range page.Items {
				if env.Asked == nil || s.ID == translate.IDOf(env.Asked) {
					return s
				}
			}
			return nil
		},
	}
}

func namedService(w serviceNamed, env *translate.Env) (canonical.ID, error) {
	s, ok := translate.Fact[canonical.ComputeService](env, factService)
	if !ok {
		e := canonical.Errorf(canonical.NotFound, "Could not find binary %s on host %s.", w.Binary, w.Host)
		e.Operation = canonical.ListComputeServices.Spec().Name
		return "", e
	}
	return s.ID, nil
}

// means is which of the operations the body of a change by id is for.
func means(what string) func(*translate.Request, *translate.Env) bool {
	return func(req *translate.Request, _ *translate.Env) bool {
		var w serviceChange
		if json.Unmarshal(req.Body, &w) != nil {
			return what == "status"
		}
		switch {
		case w.Status == "disabled":
			return what == "disabled"
		case w.Status == "enabled":
			return what == "enabled"
		case !w.ForcedDown.IsZero():
			return what == "forced_down"
		default:
			return what == "enabled" // which refuses it
		}
	}
}

func serviceRoutes() []translate.Route {
	list := translate.Route{
		ID: "nova.service.list", Service: "compute", Method: "GET", Path: "/os-services", Op: canonical.ListComputeServices.Spec(), Want: v(53),
		Ask: askServices, Answer: servicesAnswer, Status: 200,
	}
	byID := func(id, what string, op *canonical.Spec, ask translate.Asker) translate.Route {
		return translate.Route{
			ID: id, Service: "compute", Method: "PUT", Path: "/os-services/{id}", Op: op, Since: v(53), When: means(what),
			Ask: ask, Answer: serviceAnswer, Status: 200,
		}
	}
	byName := func(id, word string, since translate.Version, op *canonical.Spec, ask translate.Asker) translate.Route {
		return translate.Route{
			ID: id, Service: "compute", Method: "PUT", Path: "/os-services/" + word, Op: op, Since: since, Until: v(52),
			Needs: []translate.Need{needService()}, Ask: ask, Answer: servicePartAnswer(word == "force-down"), Status: 200,
		}
	}
	unexplained := byName("nova.service.disable_named", "disable", translate.Version{}, canonical.DisableComputeService.Spec(), askNamed(func(_ serviceNamed, id canonical.ID) canonical.ComputeServiceDisable {
		return canonical.ComputeServiceDisable{ID: id}
	}, func(canonical.ComputeServiceDisable, *serviceNamed) error { return nil }))
	unexplained.Can = func(req any) bool {
		r, ok := req.(canonical.ComputeServiceDisable)
		return ok && r.Reason == ""
	}
	return []translate.Route{
		list,
		byID("nova.service.enable", "enabled", canonical.EnableComputeService.Spec(), translate.Ask[canonical.ComputeServiceEnable, serviceChange]{
			Say: func(r canonical.ComputeServiceEnable, _ *translate.Env, to *translate.Request) (serviceChange, error) {
				to.Params["id"] = string(r.ID)
				return serviceChange{Status: "enabled"}, nil
			},
			Hear: func(w serviceChange, from *translate.Request, _ *translate.Env) (canonical.ComputeServiceEnable, error) {
				r := canonical.ComputeServiceEnable{ID: canonical.ID(from.Params["id"])}
				if w.Status != "enabled" || w.Reason != "" {
					return r, canonical.Errorf(canonical.InvalidRequest, "Specifying disabled_reason requires that status is \"disabled\".")
				}
				return r, both(w)
			},
		}),
		byID("nova.service.disable", "disabled", canonical.DisableComputeService.Spec(), translate.Ask[canonical.ComputeServiceDisable, serviceChange]{
			Say: func(r canonical.ComputeServiceDisable, _ *translate.Env, to *translate.Request) (serviceChange, error) {
				to.Params["id"] = string(r.ID)
				return serviceChange{Status: "disabled", Reason: r.Reason}, nil
			},
			Hear: func(w serviceChange, from *translate.Request, _ *translate.Env) (canonical.ComputeServiceDisable, error) {
				return canonical.ComputeServiceDisable{ID: canonical.ID(from.Params["id"]), Reason: w.Reason}, both(w)
			},
		}),
		byID("nova.service.force_down", "forced_down", canonical.UpdateComputeService.Spec(), translate.Ask[canonical.ComputeServiceUpdate, serviceChange]{
			Say: func(r canonical.ComputeServiceUpdate, _ *translate.Env, to *translate.Request) (serviceChange, error) {
				to.Params["id"] = string(r.ID)
				return serviceChange{ForcedDown: canonical.Some(r.ForcedDown.Or(false))}, down(r)
			},
			Hear: func(w serviceChange, from *translate.Request, _ *translate.Env) (canonical.ComputeServiceUpdate, error) {
				return canonical.ComputeServiceUpdate{ID: canonical.ID(from.Params["id"]), ForcedDown: w.ForcedDown}, nil
			},
		}),
		byName("nova.service.enable_named", "enable", translate.Version{}, canonical.EnableComputeService.Spec(), askNamed(func(_ serviceNamed, id canonical.ID) canonical.ComputeServiceEnable {
			return canonical.ComputeServiceEnable{ID: id}
		}, func(canonical.ComputeServiceEnable, *serviceNamed) error { return nil })),
		unexplained,
		byName("nova.service.disable_for", "disable-log-reason", translate.Version{}, canonical.DisableComputeService.Spec(), askNamed(func(w serviceNamed, id canonical.ID) canonical.ComputeServiceDisable {
			return canonical.ComputeServiceDisable{ID: id, Reason: w.Reason}
		}, func(r canonical.ComputeServiceDisable, w *serviceNamed) error {
			w.Reason = r.Reason
			return nil
		})),
		byName("nova.service.force_down_named", "force-down", v(11), canonical.UpdateComputeService.Spec(), askNamed(func(w serviceNamed, id canonical.ID) canonical.ComputeServiceUpdate {
			return canonical.ComputeServiceUpdate{ID: id, ForcedDown: w.ForcedDown}
		}, func(r canonical.ComputeServiceUpdate, w *serviceNamed) error {
			w.ForcedDown = canonical.Some(r.ForcedDown.Or(false))
			return down(r)
		})),
		hostsRoute(),
	}
}

// down refuses a change of nothing.
func down(r canonical.ComputeServiceUpdate) error {
	if r.ForcedDown.IsZero() {
		return words.Refuse("forced_down", "is all that changes, and none is given")
	}
	return nil
}

// both refuses two changes in one call, which are two operations here.
func both(w serviceChange) error {
	if !w.ForcedDown.IsZero() {
		return words.Refuse("forced_down", "is changed by a call of its own here")
	}
	return nil
}

// askNamed is the ask of a call by host and program: hear makes the request of it, and
// say adds what else a request holds.
func askNamed[Req any](hear func(serviceNamed, canonical.ID) Req, say func(Req, *serviceNamed) error) translate.Ask[Req, serviceNamed] {
	return translate.Ask[Req, serviceNamed]{
		Say: func(r Req, env *translate.Env, _ *translate.Request) (serviceNamed, error) {
			s, ok := translate.Fact[canonical.ComputeService](env, factService)
			if !ok {
				return serviceNamed{}, canonical.Errorf(canonical.NotFound, "there is no service %s", translate.IDOf(r))
			}
			w := serviceNamed{Host: s.Host, Binary: s.Name}
			return w, say(r, &w)
		},
		Hear: func(w serviceNamed, _ *translate.Request, env *translate.Env) (r Req, err error) {
			id, err := namedService(w, env)
			if err != nil {
				return r, err
			}
			return hear(w, id), nil
		},
	}
}

type hostsBody struct {
	Hosts []host `json:"hosts"`
}

type host struct {
	Name    string `json:"host_name"`
	Service string `json:"service"`
	Zone    string `json:"zone"`
}

// hostsRoute is of the versions up to 2.42; services took its place.
func hostsRoute() translate.Route {
	return translate.Route{
		ID: "nova.host.list", Service: "compute", Method: "GET", Path: "/os-hosts", Op: canonical.ListHosts.Spec(), Until: v(42), Status: 200,
		Ask: translate.Ask[canonical.HostList, translate.NoBody]{
			Say: func(r canonical.HostList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
				if r.Zone != "" {
					to.Query.Set("zone", string(r.Zone))
				}
				return translate.NoBody{}, nil
			},
			Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.HostList, error) {
				o := everything()
				o.Sort = canonical.ByName
				return canonical.HostList{ListOptions: o, Zone: canonical.Ref(from.Query.Get("zone"))}, nil
			},
		},
		Answer: translate.List[canonical.Host, hostsBody]{
			Say: func(p canonical.Page[canonical.Host], _ *translate.Env, _ *translate.Response) (hostsBody, error) {
				w := hostsBody{make([]host, len(p.Items))}
				for i, h := range p.Items {
					w.Hosts[i] = host{h.Name, h.Service, words.Or(h.Zone, "")}
				}
				return w, nil
			},
			Hear: func(w hostsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Host, error) {
				out := make([]canonical.Host, len(w.Hosts))
				for i, h := range w.Hosts {
					out[i] = canonical.Host{ID: canonical.ID(h.Name + "/" + h.Service), Name: h.Name, Service: h.Service, Zone: words.Filled(h.Zone)}
				}
				return out, nil
			},
			Whole: true,
		},
	}
}
