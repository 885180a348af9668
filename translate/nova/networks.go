package nova

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type network struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	TenantID    string   `json:"tenant_id"`
	ProjectID   string   `json:"project_id"`
	Up          bool     `json:"admin_state_up"`
	MTU         *int     `json:"mtu,omitempty"`
	Status      string   `json:"status"`
	Subnets     []string `json:"subnets"`
	Shared      bool     `json:"shared"`
	External    bool     `json:"router:external"`
	Description string   `json:"description"`
	ZoneHints   []string `json:"availability_zone_hints" wire:"native"`
	Zones       []string `json:"availability_zones" wire:"native"`
	Tags        []string `json:"tags"`
	CreatedAt   string   `json:"created_at,omitempty"`
	UpdatedAt   string   `json:"updated_at,omitempty"`
}

type networkBody struct {
	Network network `json:"network"`
}

type networksBody struct {
	Networks []network `json:"networks"`
	Links    []link    `json:"networks_links,omitempty"`
}

func hearNetwork(w network) canonical.Network {
	n := canonical.Network{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), CIDRs: []string{}, Subnets: []canonical.ID{},
		AdminUp: w.Up, Tags: words.List(w.Tags), Shared: w.Shared, External: w.External, Status: hearNetworkStatus(w.Status), NativeStatus: w.Status, MTU: w.MTU,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
	for _, s := range w.Subnets {
		n.Subnets = append(n.Subnets, canonical.ID(s))
	}
	return n
}

func sayNetwork(n canonical.Network, env *translate.Env) network {
	owner := firstOf(words.Or(n.ProjectID, ""), env.Project)
	w := network{
		ID: string(n.ID), Name: n.Name, TenantID: owner, ProjectID: owner, Up: n.AdminUp, MTU: n.MTU,
		Status: sayNetworkStatus(n.Status), Subnets: []string{}, Shared: n.Shared, External: n.External,
		Description: words.Or(n.Description, ""), ZoneHints: []string{}, Zones: []string{}, Tags: words.List(n.Tags),
		CreatedAt: words.Stamp(n.CreatedAt, zoned), UpdatedAt: words.Stamp(n.UpdatedAt, zoned),
	}
	for _, s := range n.Subnets {
		w.Subnets = append(w.Subnets, string(s))
	}
	return w
}

var askNetworks = translate.Ask[canonical.NetworkList, translate.NoBody]{
	Say: func(r canonical.NetworkList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		if r.Name != "" {
			to.Query.Set("name", r.Name)
		}
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.NetworkList, err error) {
		if r.ListOptions, err = hearPaging(from, env, pagingOf(canonical.ByName)); err != nil {
			return r, err
		}
		q := from.Query
		r.Shared, r.External = isTrue(q.Get("shared")), isTrue(q.Get("router:external"))
		if status := q.Get("status"); status != "" {
			r.Status = hearNetworkStatus(status)
		}
		setFact(env, factKeep, func(n *canonical.Network) bool {
			owner := firstOf(words.Or(n.ProjectID, ""), env.Project)
			return among(q["name"], n.Name) && among(q["id"], string(n.ID)) &&
				among(q["project_id"], owner) && among(q["tenant_id"], owner)
		})
		return r, nil
	},
}

// among says whether a filter that may be given several times lets a value pass.
func among(asked []string, got string) bool { return len(asked) == 0 || slices.Contains(asked, got) }

var networksAnswer = translate.List[canonical.Network, networksBody]{
	Say: func(p canonical.Page[canonical.Network], env *translate.Env, _ *translate.Response) (networksBody, error) {
		w := networksBody{make([]network, len(p.Items)), nextLinks(env, "network", p.NextCursor, lastID(p.Items))}
		for i, n := range p.Items {
			w.Networks[i] = sayNetwork(n, env)
		}
		return w, nil
	},
	Hear: func(w networksBody, _ *translate.Response, _ *translate.Env) ([]canonical.Network, error) {
		out := make([]canonical.Network, len(w.Networks))
		for i, n := range w.Networks {
			out[i] = hearNetwork(n)
		}
		return out, nil
	},
	Next: func(w networksBody, asked *translate.Request, _ []canonical.Network) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Network],
}

func networkRoutes() []translate.Route {
	get := func(id canonical.ID) canonical.NetworkGet { return canonical.NetworkGet{ID: id} }
	return []translate.Route{
		{
			ID: "neutron.network.list", Service: "network", Method: "GET", Path: "/v2.0/networks", Op: canonical.ListNetworks.Spec(),
			Needs: []translate.Need{needMarker(canonical.GetNetwork, get)}, Ask: askNetworks, Answer: networksAnswer, Status: 200,
		},
		{
			ID: "neutron.network.show", Service: "network", Method: "GET", Path: "/v2.0/networks/{id}", Op: canonical.GetNetwork.Spec(),
			Ask: translate.ByID[canonical.NetworkGet]("id"), Status: 200,
			Answer: translate.Answer[canonical.Network, networkBody]{
				Say: func(r canonical.TypedReply[canonical.Network], env *translate.Env, _ *translate.Response) (networkBody, error) {
					return networkBody{sayNetwork(r.Result, env)}, nil
				},
				Hear: func(w networkBody, _ *translate.Response, _ *translate.Env) (canonical.Network, error) {
					return hearNetwork(w.Network), nil
				},
			},
		},
	}
}
