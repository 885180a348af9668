package nova

import (
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type floatingIP struct {
	ID          string   `json:"id"`
	TenantID    string   `json:"tenant_id"`
	ProjectID   string   `json:"project_id"`
	IP          string   `json:"floating_ip_address"`
	NetworkID   string   `json:"floating_network_id"`
	RouterID    *string  `json:"router_id"`
	PortID      *string  `json:"port_id"`
	FixedIP     *string  `json:"fixed_ip_address"`
	Status      string   `json:"status"`
	Description string   `json:"description"`
	Tags        []string `json:"tags"`
	Revision    *int     `json:"revision_number,omitempty"`
	CreatedAt   string   `json:"created_at,omitempty"`
	UpdatedAt   string   `json:"updated_at,omitempty"`
}

type floatingIPBody struct {
	IP floatingIP `json:"floatingip"`
}

type floatingIPsBody struct {
	IPs   []floatingIP `json:"floatingips"`
	Links []link       `json:"floatingips_links,omitempty"`
}

func hearFloatingIP(w floatingIP, _ *translate.Env) canonical.FloatingIP {
	return canonical.FloatingIP{
		ID: canonical.ID(w.ID), IP: w.IP, FixedIP: words.Filled(words.Or(w.FixedIP, "")), PortID: textID(w.PortID), NetworkID: canonical.ID(w.NetworkID),
		RouterID: textID(w.RouterID), Description: words.Filled(w.Description), Status: hearNetworkStatus(w.Status), NativeStatus: w.Status,
		Tags: words.List(w.Tags), Revision: w.Revision, ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)),
		CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func sayFloatingIP(f canonical.FloatingIP, env *translate.Env) floatingIP {
	owner := ownerOf(f.ProjectID, env)
	return floatingIP{
		ID: string(f.ID), TenantID: owner, ProjectID: owner, IP: f.IP, NetworkID: string(f.NetworkID), RouterID: idText(f.RouterID),
		PortID: idText(f.PortID), FixedIP: f.FixedIP, Status: sayNetworkStatus(f.Status), Description: words.Or(f.Description, ""),
		Tags: words.List(f.Tags), Revision: f.Revision, CreatedAt: words.Stamp(f.CreatedAt, zoned), UpdatedAt: words.Stamp(f.UpdatedAt, zoned),
	}
}

var askFloatingIPs = asList(
	func(r canonical.FloatingIPList, q url.Values) {
		setQuery(q, map[string]string{"floating_ip_address": r.IP, "floating_network_id": string(r.Network), "port_id": string(r.Port)})
	},
	func(q url.Values, r *canonical.FloatingIPList) {
		r.IP, r.Network, r.Port = only(q, "floating_ip_address"), canonical.ID(only(q, "floating_network_id")), canonical.ID(only(q, "port_id"))
	},
)

var floatingIPAnswer = neutronOne(
	func(w floatingIP) floatingIPBody { return floatingIPBody{w} }, func(b floatingIPBody) floatingIP { return b.IP }, sayFloatingIP, hearFloatingIP,
)

type floatingCreate struct {
	NetworkID   string  `json:"floating_network_id"`
	IP          string  `json:"floating_ip_address,omitempty"`
	SubnetID    *string `json:"subnet_id,omitempty"`
	PortID      *string `json:"port_id,omitempty"`
	FixedIP     *string `json:"fixed_ip_address,omitempty"`
	Description string  `json:"description,omitempty"`
	TenantID    string  `json:"tenant_id,omitempty"`
	ProjectID   string  `json:"project_id,omitempty"`
	QoS         *string `json:"qos_policy_id,omitempty" wire:"binding"`
	DNSName     string  `json:"dns_name,omitempty" wire:"binding"`
	DNSDomain   string  `json:"dns_domain,omitempty" wire:"binding"`
}

type floatingCreateBody struct {
	IP floatingCreate `json:"floatingip"`
}

type floatingUpdate struct {
	PortID      canonical.Opt[string] `json:"port_id,omitzero"`
	FixedIP     canonical.Opt[string] `json:"fixed_ip_address,omitzero"`
	Description canonical.Opt[string] `json:"description,omitzero"`
	QoS         *string               `json:"qos_policy_id,omitempty" wire:"binding"`
}

type floatingUpdateBody struct {
	IP floatingUpdate `json:"floatingip"`
}

var askFloatingCreate = translate.Ask[canonical.FloatingIPCreate, floatingCreateBody]{
	Say: func(r canonical.FloatingIPCreate, env *translate.Env, _ *translate.Request) (floatingCreateBody, error) {
		return floatingCreateBody{floatingCreate{
			NetworkID: networkID(r.Network, env), IP: r.IP, SubnetID: idText(&r.Subnet), PortID: idText(&r.Port), FixedIP: words.Filled(r.FixedIP),
			Description: r.Description,
		}}, nil
	},
	Hear: func(b floatingCreateBody, _ *translate.Request, env *translate.Env) (canonical.FloatingIPCreate, error) {
		w := b.IP
		return canonical.FloatingIPCreate{
			Network: canonical.Ref(w.NetworkID), IP: w.IP, Subnet: canonical.ID(words.Or(w.SubnetID, "")), Port: canonical.ID(words.Or(w.PortID, "")),
			FixedIP: words.Or(w.FixedIP, ""), Description: w.Description,
		}, noOther(env, w.TenantID, w.ProjectID)
	},
}

var askFloatingUpdate = translate.Ask[canonical.FloatingIPUpdate, floatingUpdateBody]{
	Say: func(r canonical.FloatingIPUpdate, _ *translate.Env, to *translate.Request) (floatingUpdateBody, error) {
		translate.SayPath(r, to)
		return floatingUpdateBody{floatingUpdate{
			PortID:  mapOpt(r.Port, func(id canonical.ID) string { return string(id) }),
			FixedIP: r.FixedIP, Description: textOrEmpty(r.Description),
		}}, untagged(r.Tags)
	},
	Hear: func(b floatingUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.FloatingIPUpdate, err error) {
		translate.HearPath(from, &r)
		r.Port = mapOpt(b.IP.PortID, func(id string) canonical.ID { return canonical.ID(id) })
		r.FixedIP, r.Description = b.IP.FixedIP, b.IP.Description
		if b.IP == (floatingUpdate{}) { // Neutron takes nothing for: to no port
			r.Port = canonical.Null[canonical.ID]()
		}
		return r, nil
	},
}

func hearFloatingPool(w network, _ *translate.Env) canonical.FloatingIPPool {
	return canonical.FloatingIPPool{ID: canonical.ID(w.ID), Name: w.Name}
}

func sayFloatingPool(p canonical.FloatingIPPool, env *translate.Env) network {
	return sayNetwork(canonical.Network{ID: p.ID, Name: p.Name, External: true, AdminUp: true, Status: canonical.NetworkActive}, env)
}

func floatingRoutes() []translate.Route {
	pools := neutronList(
		func(all []network, links []link) networksBody { return networksBody{all, links} },
		func(b networksBody) ([]network, []link) { return b.Networks, b.Links }, sayFloatingPool, hearFloatingPool,
	)
	askPools := asList(
		func(_ canonical.FloatingIPPoolList, q url.Values) { q.Set("router:external", "true") },
		func(q url.Values, r *canonical.FloatingIPPoolList) { r.Name = only(q, "name") },
	)
	return []translate.Route{
		neutronRow("floatingip.list", "GET", "floatingips", canonical.ListFloatingIPs.Spec(), translate.Route{Ask: askFloatingIPs, Answer: neutronList(
			func(all []floatingIP, links []link) floatingIPsBody { return floatingIPsBody{all, links} },
			func(b floatingIPsBody) ([]floatingIP, []link) { return b.IPs, b.Links }, sayFloatingIP, hearFloatingIP,
		)}),
		neutronRow("floatingip.show", "GET", "floatingips/{id}", canonical.GetFloatingIP.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.FloatingIPGet](), Answer: floatingIPAnswer,
		}),
		neutronRow("floatingip.create", "POST", "floatingips", canonical.CreateFloatingIP.Spec(), translate.Route{
			Needs: []translate.Need{needNetworks()}, Ask: askFloatingCreate, Answer: floatingIPAnswer,
		}),
		neutronRow("floatingip.update", "PUT", "floatingips/{id}", canonical.UpdateFloatingIP.Spec(), translate.Route{
			Can: func(req any) bool { r, _ := req.(canonical.FloatingIPUpdate); return r.Tags.IsZero() },
			Ask: askFloatingUpdate, Answer: floatingIPAnswer,
		}),
		neutronRow("floatingip.delete", "DELETE", "floatingips/{id}", canonical.DeleteFloatingIP.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.FloatingIPDelete](), Answer: translate.Nothing[canonical.None](),
		}),
		// Neutron's pools are networks; northwards that list is another row's.
		neutronRow("floatingip_pool.list", "GET", "networks", canonical.ListFloatingIPPools.Spec(), translate.Route{
			Ask: askPools, Answer: pools, When: func(*translate.Request, *translate.Env) bool { return false },
		}),
	}
}
