package nova

import (
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type router struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	TenantID    string      `json:"tenant_id"`
	ProjectID   string      `json:"project_id"`
	Up          bool        `json:"admin_state_up"`
	Status      string      `json:"status"`
	Gateway     *gateway    `json:"external_gateway_info"`
	Routes      []hostRoute `json:"routes"`
	Description string      `json:"description"`
	ZoneHints   []string    `json:"availability_zone_hints" wire:"native"`
	Zones       []string    `json:"availability_zones" wire:"native"`
	Tags        []string    `json:"tags"`
	Revision    *int        `json:"revision_number,omitempty"`
	CreatedAt   string      `json:"created_at,omitempty"`
	UpdatedAt   string      `json:"updated_at,omitempty"`
}

type gateway struct {
	NetworkID string    `json:"network_id"`
	FixedIPs  []fixedIP `json:"external_fixed_ips"`
	SNAT      *bool     `json:"enable_snat,omitempty"`
}

type routerBody struct {
	Router router `json:"router"`
}

type routersBody struct {
	Routers []router `json:"routers"`
	Links   []link   `json:"routers_links,omitempty"`
}

func hearRouter(w router, _ *translate.Env) canonical.Router {
	r := canonical.Router{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), AdminUp: w.Up, Status: hearNetworkStatus(w.Status),
		NativeStatus: w.Status, ExternalIPs: []canonical.FixedIP{}, Routes: hearRoutes(w.Routes), Tags: words.List(w.Tags), Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
	if g := w.Gateway; g != nil {
		r.ExternalNetwork, r.ExternalIPs, r.SNAT = textID(&g.NetworkID), hearFixedIPs(g.FixedIPs), g.SNAT
	}
	return r
}

func sayRouter(r canonical.Router, env *translate.Env) router {
	owner := ownerOf(r.ProjectID, env)
	w := router{
		ID: string(r.ID), Name: r.Name, TenantID: owner, ProjectID: owner, Up: r.AdminUp, Status: sayNetworkStatus(r.Status), Routes: sayRoutes(r.Routes),
		Description: words.Or(r.Description, ""), ZoneHints: []string{}, Zones: []string{}, Tags: words.List(r.Tags), Revision: r.Revision,
		CreatedAt: words.Stamp(r.CreatedAt, zoned), UpdatedAt: words.Stamp(r.UpdatedAt, zoned),
	}
	if id := idText(r.ExternalNetwork); id != nil {
		w.Gateway = &gateway{*id, sayFixedIPs(r.ExternalIPs), r.SNAT}
	}
	return w
}

var askRouters = asList(
	func(r canonical.RouterList, q url.Values) { setQuery(q, map[string]string{"name": r.Name}) },
	func(q url.Values, r *canonical.RouterList) { r.Name = only(q, "name") },
)

func routerRoutes() []translate.Route {
	return []translate.Route{
		neutronRow("router.list", "GET", "routers", canonical.ListRouters.Spec(), translate.Route{Ask: askRouters, Answer: neutronList(
			func(all []router, links []link) routersBody { return routersBody{all, links} },
			func(b routersBody) ([]router, []link) { return b.Routers, b.Links }, sayRouter, hearRouter,
		)}),
		neutronRow("router.show", "GET", "routers/{id}", canonical.GetRouter.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.RouterGet](), Answer: neutronOne(
				func(w router) routerBody { return routerBody{w} }, func(b routerBody) router { return b.Router }, sayRouter, hearRouter,
			),
		}),
	}
}
