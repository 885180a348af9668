package nova

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type serverGroup struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Policies  []string    `json:"policies,omitempty" until:"2.63"`
	Metadata  *struct{}   `json:"metadata,omitempty" until:"2.63" wire:"native"` // always empty
	Policy    string      `json:"policy,omitempty" since:"2.64" always:"easystack"`
	Rules     *groupRules `json:"rules,omitempty" since:"2.64" always:"easystack"`
	Members   []string    `json:"members"`
	ProjectID string      `json:"project_id,omitempty" since:"2.13" always:"easystack"`
	UserID    string      `json:"user_id,omitempty" since:"2.13" always:"easystack"`
}

type groupRules struct {
	MaxPerHost *number `json:"max_server_per_host,omitempty"`
}

type serverGroupBody struct {
	Group serverGroup `json:"server_group"`
	// Listed is heard alone: some clouds answer a create with a list of one.
	Listed []serverGroup `json:"server_groups,omitempty" only:"easystack"`
}

type serverGroupsBody struct {
	Groups []serverGroup `json:"server_groups"`
}

func hearGroup(w serverGroup) canonical.ServerGroup {
	g := canonical.ServerGroup{
		ID: canonical.ID(w.ID), Name: w.Name, Policy: hearPolicy(w.Policy), Members: make([]canonical.ID, len(w.Members)),
		ProjectID: words.Filled(w.ProjectID), UserID: words.Filled(w.UserID),
	}
	if len(w.Policies) > 0 {
		g.Policy = hearPolicy(w.Policies[0])
	}
	if w.Rules != nil && w.Rules.MaxPerHost != nil {
		n := int(*w.Rules.MaxPerHost)
		g.MaxPerHost = &n
	}
	for i, id := range w.Members {
		g.Members[i] = canonical.ID(id)
	}
	return g
}

func hearPolicy(word string) canonical.GroupPolicy {
	return canonical.GroupPolicy(strings.ReplaceAll(word, "-", "_"))
}

func sayPolicy(p canonical.GroupPolicy) string { return strings.ReplaceAll(string(p), "_", "-") }

func sayRules(most *int) *groupRules {
	if most == nil {
		return &groupRules{}
	}
	n := number(*most)
	return &groupRules{&n}
}

func sayGroup(g canonical.ServerGroup, env *translate.Env) serverGroup {
	w := serverGroup{
		ID: string(g.ID), Name: g.Name, Policies: []string{sayPolicy(g.Policy)}, Metadata: &struct{}{}, Policy: sayPolicy(g.Policy),
		Rules: sayRules(g.MaxPerHost), Members: make([]string, len(g.Members)),
		ProjectID: firstOf(words.Or(g.ProjectID, ""), env.Project), UserID: firstOf(words.Or(g.UserID, ""), env.User),
	}
	for i, id := range g.Members {
		w.Members[i] = string(id)
	}
	return w
}

var serverGroupAnswer = translate.Answer[canonical.ServerGroup, serverGroupBody]{
	Say: func(r canonical.TypedReply[canonical.ServerGroup], env *translate.Env, _ *translate.Response) (serverGroupBody, error) {
		return serverGroupBody{Group: sayGroup(r.Result, env)}, nil
	},
	Hear: func(w serverGroupBody, _ *translate.Response, _ *translate.Env) (canonical.ServerGroup, error) {
		if w.Group.ID == "" && len(w.Listed) == 1 {
			w.Group = w.Listed[0]
		}
		return hearGroup(w.Group), nil
	},
}

var serverGroupsAnswer = translate.List[canonical.ServerGroup, serverGroupsBody]{
	Say: func(p canonical.Page[canonical.ServerGroup], env *translate.Env, _ *translate.Response) (serverGroupsBody, error) {
		w := serverGroupsBody{make([]serverGroup, len(p.Items))}
		for i, g := range p.Items {
			w.Groups[i] = sayGroup(g, env)
		}
		return w, nil
	},
	Hear: func(w serverGroupsBody, _ *translate.Response, _ *translate.Env) ([]canonical.ServerGroup, error) {
		out := make([]canonical.ServerGroup, len(w.Groups))
		for i, g := range w.Groups {
			out[i] = hearGroup(g)
		}
		return out, nil
	},
}

type groupCreateBody struct {
	Group groupCreate `json:"server_group"`
}

type groupCreate struct {
	Name     string      `json:"name"`
	Policies []string    `json:"policies,omitempty" until:"2.63"`
	Policy   string      `json:"policy,omitempty" since:"2.64"`
	Rules    *groupRules `json:"rules,omitempty" since:"2.64"`
}

// askGroupCreate says the policy in the one field or the other, by the version.
var askGroupCreate = translate.Ask[canonical.ServerGroupCreate, groupCreateBody]{
	Say: func(r canonical.ServerGroupCreate, env *translate.Env, _ *translate.Request) (groupCreateBody, error) {
		w := groupCreate{Name: r.Name}
		switch {
		case env.Dialect == easyStack && r.MaxPerHost == nil && env.Version.AtLeast(v(15)): // as its own clients do
			w.Policies = []string{sayPolicy(r.Policy)}
		case env.Version.IsZero() || env.Version.AtLeast(v(64)):
			w.Policy = sayPolicy(r.Policy)
			if r.MaxPerHost != nil {
				w.Rules = sayRules(r.MaxPerHost)
			}
		case r.MaxPerHost != nil:
			return groupCreateBody{}, words.Refuse("max_servers_per_host", "needs version 2.64 of the cloud's API")
		case !env.Version.AtLeast(v(15)) && strings.HasPrefix(string(r.Policy), "soft"):
			return groupCreateBody{}, words.Refuse("policy", "soft policies need version 2.15 of the cloud's API")
		default:
			w.Policies = []string{sayPolicy(r.Policy)}
		}
		return groupCreateBody{w}, nil
	},
	Hear: func(w groupCreateBody, _ *translate.Request, env *translate.Env) (canonical.ServerGroupCreate, error) {
		r := canonical.ServerGroupCreate{Name: w.Group.Name, Policy: hearPolicy(w.Group.Policy)}
		if len(w.Group.Policies) > 1 {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute policies. Value: %v. too long", w.Group.Policies)
		}
		if len(w.Group.Policies) == 1 {
			r.Policy = hearPolicy(w.Group.Policies[0])
		}
		if !env.Version.AtLeast(v(15)) && strings.HasPrefix(string(r.Policy), "soft") {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for field/attribute 0. Value: %s. '%s' is not one of ['anti-affinity', 'affinity']",
				w.Group.Policies[0], w.Group.Policies[0])
		}
		if w.Group.Rules != nil && w.Group.Rules.MaxPerHost != nil {
			n := int(*w.Group.Rules.MaxPerHost)
			r.MaxPerHost = &n
		}
		return r, nil
	},
}

// window is the part of a whole list that limit and offset ask for.
func window[T any](items []T, from *translate.Request) []T {
	items = items[min(atLeast(from, "offset"), len(items)):]
	if limit := atLeast(from, "limit"); limit > 0 {
		items = items[:min(limit, len(items))]
	}
	return items
}

func serverGroupRoutes() []translate.Route {
	list := translate.Route{
		ID: "nova.server_group.list", Service: "compute", Method: "GET", Path: "/os-server-groups", Op: canonical.ListServerGroups.Spec(), Want: v(64),
		Ask: translate.Ask[canonical.ServerGroupList, translate.NoBody]{
			Say: func(canonical.ServerGroupList, *translate.Env, *translate.Request) (translate.NoBody, error) {
				return translate.NoBody{}, nil
			},
			Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.ServerGroupList, err error) {
				if r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName)); err == nil {
					r.ListOptions = everything() // they are paged by number: see window
				}
				return r, err
			},
		},
		Answer: serverGroupsAnswer, Status: 200,
	}
	offset := serverGroupsAnswer
	offset.Whole = true
	say := offset.Say
	offset.Say = func(p canonical.Page[canonical.ServerGroup], env *translate.Env, to *translate.Response) (serverGroupsBody, error) {
		p.Items = window(p.Items, env.Wire)
		return say(p, env, to)
	}
	list.Answer = offset
	return []translate.Route{
		list,
		{
			ID: "nova.server_group.show", Service: "compute", Method: "GET", Path: "/os-server-groups/{id}", Op: canonical.GetServerGroup.Spec(), Want: v(64),
			Ask: translate.ByPath[canonical.ServerGroupGet](), Answer: serverGroupAnswer, Status: 200,
		},
		{
			ID: "nova.server_group.create", Service: "compute", Method: "POST", Path: "/os-server-groups", Op: canonical.CreateServerGroup.Spec(), Want: v(64),
			Ask: askGroupCreate, Answer: serverGroupAnswer, Status: 200,
		},
		{
			ID: "nova.server_group.delete", Service: "compute", Method: "DELETE", Path: "/os-server-groups/{id}", Op: canonical.DeleteServerGroup.Spec(),
			Ask: translate.ByPath[canonical.ServerGroupDelete](), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
	}
}
