package nova

import (
	"net/url"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type subnet struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	TenantID     string      `json:"tenant_id"`
	ProjectID    string      `json:"project_id"`
	NetworkID    string      `json:"network_id"`
	IPVersion    int         `json:"ip_version"`
	PoolID       *string     `json:"subnetpool_id" wire:"native"`
	DHCP         bool        `json:"enable_dhcp"`
	RAMode       *string     `json:"ipv6_ra_mode"`
	AddressMode  *string     `json:"ipv6_address_mode"`
	GatewayIP    *string     `json:"gateway_ip"`
	CIDR         string      `json:"cidr"`
	Pools        []pool      `json:"allocation_pools"`
	Routes       []hostRoute `json:"host_routes"`
	DNS          []string    `json:"dns_nameservers"`
	Description  string      `json:"description"`
	ServiceTypes []string    `json:"service_types" wire:"native"`
	Tags         []string    `json:"tags"`
	Revision     *int        `json:"revision_number,omitempty"`
	CreatedAt    string      `json:"created_at,omitempty"`
	UpdatedAt    string      `json:"updated_at,omitempty"`
}

type pool struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

type hostRoute struct {
	Destination string `json:"destination"`
	NextHop     string `json:"nexthop"`
}

type subnetBody struct {
	Subnet subnet `json:"subnet"`
}

type subnetsBody struct {
	Subnets []subnet `json:"subnets"`
	Links   []link   `json:"subnets_links,omitempty"`
}

// convert makes one kind of list of another.
func convert[A, B any](all []A, f func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = f(a)
	}
	return out
}

func hearSubnet(w subnet, _ *translate.Env) canonical.Subnet {
	return canonical.Subnet{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), NetworkID: canonical.ID(w.NetworkID), IPVersion: w.IPVersion,
		CIDR: w.CIDR, GatewayIP: w.GatewayIP, DHCP: w.DHCP, Pools: convert(w.Pools, hearPool), DNSServers: words.List(w.DNS),
		Routes: convert(w.Routes, hearRoute), IPv6AddressMode: w.AddressMode, IPv6RAMode: w.RAMode, Tags: words.List(w.Tags), Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func hearPool(p pool) canonical.AddressPool        { return canonical.AddressPool(p) }
func sayPool(p canonical.AddressPool) pool         { return pool(p) }
func hearRoute(r hostRoute) canonical.Route        { return canonical.Route(r) }
func sayRoute(r canonical.Route) hostRoute         { return hostRoute(r) }
func hearPools(all []pool) []canonical.AddressPool { return convert(all, hearPool) }
func sayPools(all []canonical.AddressPool) []pool  { return convert(all, sayPool) }
func hearRoutes(all []hostRoute) []canonical.Route { return convert(all, hearRoute) }
func sayRoutes(all []canonical.Route) []hostRoute  { return convert(all, sayRoute) }

func saySubnet(s canonical.Subnet, env *translate.Env) subnet {
	owner := ownerOf(s.ProjectID, env)
	return subnet{
		ID: string(s.ID), Name: s.Name, TenantID: owner, ProjectID: owner, NetworkID: string(s.NetworkID), IPVersion: s.IPVersion, DHCP: s.DHCP,
		RAMode: s.IPv6RAMode, AddressMode: s.IPv6AddressMode, GatewayIP: s.GatewayIP, CIDR: s.CIDR, Pools: sayPools(s.Pools),
		Routes: sayRoutes(s.Routes), DNS: words.List(s.DNSServers), Description: words.Or(s.Description, ""), ServiceTypes: []string{},
		Tags: words.List(s.Tags), Revision: s.Revision, CreatedAt: words.Stamp(s.CreatedAt, zoned), UpdatedAt: words.Stamp(s.UpdatedAt, zoned),
	}
}

var askSubnets = asList(
	func(r canonical.SubnetList, q url.Values) {
		setQuery(q, map[string]string{"name": r.Name, "network_id": string(r.Network), "cidr": r.CIDR})
		if r.IPVersion != 0 {
			q.Set("ip_version", strconv.Itoa(r.IPVersion))
		}
	},
	func(q url.Values, r *canonical.SubnetList) {
		r.Name, r.Network, r.CIDR = only(q, "name"), canonical.ID(only(q, "network_id")), only(q, "cidr")
		r.IPVersion = isNumber(only(q, "ip_version"))
	},
)

var subnetsAnswer = neutronList(
	func(all []subnet, links []link) subnetsBody { return subnetsBody{all, links} },
	func(b subnetsBody) ([]subnet, []link) { return b.Subnets, b.Links }, saySubnet, hearSubnet,
)

var subnetAnswer = neutronOne(
	func(w subnet) subnetBody { return subnetBody{w} }, func(b subnetBody) subnet { return b.Subnet }, saySubnet, hearSubnet,
)

type subnetCreate struct {
	NetworkID    string                `json:"network_id"`
	CIDR         string                `json:"cidr,omitempty"`
	IPVersion    number                `json:"ip_version"`
	Name         string                `json:"name,omitempty"`
	Description  string                `json:"description,omitempty"`
	GatewayIP    canonical.Opt[string] `json:"gateway_ip,omitzero"`
	DHCP         *bool                 `json:"enable_dhcp,omitempty"`
	Pools        []pool                `json:"allocation_pools,omitempty"`
	DNS          []string              `json:"dns_nameservers,omitempty"`
	Routes       []hostRoute           `json:"host_routes,omitempty"`
	AddressMode  string                `json:"ipv6_address_mode,omitempty"`
	RAMode       string                `json:"ipv6_ra_mode,omitempty"`
	TenantID     string                `json:"tenant_id,omitempty"`
	ProjectID    string                `json:"project_id,omitempty"`
	PoolID       *string               `json:"subnetpool_id,omitempty" wire:"binding"`
	Prefix       any                   `json:"prefixlen,omitempty" wire:"binding"`
	Segment      *string               `json:"segment_id,omitempty" wire:"binding"`
	DefaultPool  bool                  `json:"use_default_subnetpool,omitempty" wire:"binding"`
	ServiceTypes []string              `json:"service_types,omitempty" wire:"binding"`
}

type subnetCreateBody struct {
	Subnet subnetCreate `json:"subnet"`
}

type subnetUpdate struct {
	Name         canonical.Opt[string]      `json:"name,omitzero"`
	Description  canonical.Opt[string]      `json:"description,omitzero"`
	GatewayIP    canonical.Opt[string]      `json:"gateway_ip,omitzero"`
	DHCP         canonical.Opt[bool]        `json:"enable_dhcp,omitzero"`
	Pools        canonical.Opt[[]pool]      `json:"allocation_pools,omitzero"`
	DNS          canonical.Opt[[]string]    `json:"dns_nameservers,omitzero"`
	Routes       canonical.Opt[[]hostRoute] `json:"host_routes,omitzero"`
	ServiceTypes []string                   `json:"service_types,omitempty" wire:"binding"`
	Segment      *string                    `json:"segment_id,omitempty" wire:"binding"`
}

type subnetUpdateBody struct {
	Subnet subnetUpdate `json:"subnet"`
}

var askSubnetCreate = translate.Ask[canonical.SubnetCreate, subnetCreateBody]{
	Say: func(r canonical.SubnetCreate, env *translate.Env, _ *translate.Request) (subnetCreateBody, error) {
		return subnetCreateBody{subnetCreate{
			NetworkID: networkID(r.Network, env), CIDR: r.CIDR, IPVersion: number(versionOf(r.CIDR)), Name: r.Name, Description: r.Description,
			GatewayIP: r.GatewayIP, DHCP: r.DHCP, Pools: sayPools(r.Pools), DNS: r.DNSServers, Routes: sayRoutes(r.Routes),
			AddressMode: r.IPv6AddressMode, RAMode: r.IPv6RAMode,
		}}, nil
	},
	Hear: func(b subnetCreateBody, _ *translate.Request, env *translate.Env) (r canonical.SubnetCreate, err error) {
		w := b.Subnet
		switch {
		case w.IPVersion != 4 && w.IPVersion != 6:
			return r, canonical.Invalid("ip_version", "Invalid input for ip_version. Reason: '%d' is not in [4, 6].", w.IPVersion)
		case w.CIDR != "" && versionOf(w.CIDR) != int(w.IPVersion):
			return r, canonical.Invalid("cidr", "Invalid input for operation: Invalid CIDR %s for ip_version %d.", w.CIDR, w.IPVersion)
		}
		if err := network404(w.NetworkID, env); err != nil {
			return r, err
		}
		return canonical.SubnetCreate{
			Network: canonical.Ref(w.NetworkID), CIDR: w.CIDR, Name: w.Name, Description: w.Description, GatewayIP: w.GatewayIP, DHCP: w.DHCP,
			Pools: hearPools(w.Pools), DNSServers: w.DNS, Routes: hearRoutes(w.Routes), IPv6AddressMode: w.AddressMode, IPv6RAMode: w.RAMode,
		}, noOther(env, w.TenantID, w.ProjectID)
	},
}

var askSubnetUpdate = translate.Ask[canonical.SubnetUpdate, subnetUpdateBody]{
	Say: func(r canonical.SubnetUpdate, _ *translate.Env, to *translate.Request) (subnetUpdateBody, error) {
		translate.SayPath(r, to)
		return subnetUpdateBody{subnetUpdate{
			Name: r.Name, Description: textOrEmpty(r.Description), GatewayIP: r.GatewayIP, DHCP: r.DHCP, Pools: listOrEmpty(mapOpt(r.Pools, sayPools)),
			DNS: listOrEmpty(r.DNSServers), Routes: listOrEmpty(mapOpt(r.Routes, sayRoutes)),
		}}, untagged(r.Tags)
	},
	Hear: func(b subnetUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.SubnetUpdate, err error) {
		w := b.Subnet
		translate.HearPath(from, &r)
		r.Name, r.Description, r.GatewayIP, r.DHCP = w.Name, w.Description, w.GatewayIP, w.DHCP
		r.Pools, r.DNSServers, r.Routes = mapOpt(w.Pools, hearPools), w.DNS, mapOpt(w.Routes, hearRoutes)
		return r, nil
	},
}

func subnetRoutes() []translate.Route {
	return []translate.Route{
		neutronRow("subnet.list", "GET", "subnets", canonical.ListSubnets.Spec(), translate.Route{Ask: askSubnets, Answer: subnetsAnswer}),
		neutronRow("subnet.show", "GET", "subnets/{id}", canonical.GetSubnet.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.SubnetGet](), Answer: subnetAnswer,
		}),
		neutronRow("subnet.create", "POST", "subnets", canonical.CreateSubnet.Spec(), translate.Route{
			Needs: []translate.Need{needNetworks(), needNetworkOf("subnet")}, Ask: askSubnetCreate, Answer: subnetAnswer,
		}),
		neutronRow("subnet.update", "PUT", "subnets/{id}", canonical.UpdateSubnet.Spec(), translate.Route{
			Can: func(req any) bool { r, _ := req.(canonical.SubnetUpdate); return r.Tags.IsZero() },
			Ask: askSubnetUpdate, Answer: subnetAnswer,
		}),
		neutronRow("subnet.delete", "DELETE", "subnets/{id}", canonical.DeleteSubnet.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.SubnetDelete](), Answer: translate.Nothing[canonical.None](),
		}),
	}
}
