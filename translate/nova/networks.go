package nova

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type network struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	TenantID     string   `json:"tenant_id"`
	ProjectID    string   `json:"project_id"`
	Up           bool     `json:"admin_state_up"`
	MTU          *int     `json:"mtu,omitempty"`
	Status       string   `json:"status"`
	Subnets      []string `json:"subnets"`
	Shared       bool     `json:"shared"`
	External     bool     `json:"router:external"`
	Description  string   `json:"description"`
	ZoneHints    []string `json:"availability_zone_hints" wire:"native"`
	Zones        []string `json:"availability_zones" wire:"native"`
	IPv4Scope    *string  `json:"ipv4_address_scope" wire:"native"`
	IPv6Scope    *string  `json:"ipv6_address_scope" wire:"native"`
	PortSecurity *bool    `json:"port_security_enabled,omitempty"`
	Tags         []string `json:"tags"`
	Revision     *int     `json:"revision_number,omitempty"`
	CreatedAt    string   `json:"created_at,omitempty"`
	UpdatedAt    string   `json:"updated_at,omitempty"`
	// Only operators see these.
	Kind     canonical.Opt[string] `json:"provider:network_type,omitzero" wire:"native"`
	Physical canonical.Opt[string] `json:"provider:physical_network,omitzero" wire:"native"`
	Segment  canonical.Opt[int]    `json:"provider:segmentation_id,omitzero" wire:"native"`
}

type networkBody struct {
	Network network `json:"network"`
}

type networksBody struct {
	Networks []network `json:"networks"`
	Links    []link    `json:"networks_links,omitempty"`
}

func hearNetwork(w network, env *translate.Env) canonical.Network {
	n := canonical.Network{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), CIDRs: []string{}, Subnets: asIDs[canonical.ID](w.Subnets),
		AdminUp: w.Up, Tags: words.List(w.Tags), Shared: w.Shared, External: w.External,
		Status: hearNetworkStatus(w.Status), NativeStatus: w.Status, MTU: w.MTU, PortSecurity: w.PortSecurity, Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
	if env.Native {
		n.Native = map[string]any{}
		put(n.Native, "provider:network_type", w.Kind)
		put(n.Native, "provider:physical_network", w.Physical)
		put(n.Native, "provider:segmentation_id", w.Segment)
	}
	return n
}

func sayNetwork(n canonical.Network, env *translate.Env) network {
	owner := ownerOf(n.ProjectID, env)
	w := network{
		ID: string(n.ID), Name: n.Name, TenantID: owner, ProjectID: owner, Up: n.AdminUp, MTU: n.MTU,
		Status: sayNetworkStatus(n.Status), Subnets: idsOf(n.Subnets), Shared: n.Shared, External: n.External,
		Description: words.Or(n.Description, ""), ZoneHints: []string{}, Zones: []string{}, Tags: words.List(n.Tags),
		PortSecurity: n.PortSecurity, Revision: n.Revision,
		CreatedAt: words.Stamp(n.CreatedAt, zoned), UpdatedAt: words.Stamp(n.UpdatedAt, zoned),
	}
	if env.Role.AtLeast(canonical.Operator) && n.Native["provider:network_type"] != nil {
		w.Kind = keptOrNull[string](n.Native, "provider:network_type")
		w.Physical = keptOrNull[string](n.Native, "provider:physical_network")
		w.Segment = keptOrNull[int](n.Native, "provider:segmentation_id")
	}
	return w
}

var askNetworks = asList(
	func(r canonical.NetworkList, q url.Values) { setQuery(q, map[string]string{"name": r.Name}) },
	func(q url.Values, r *canonical.NetworkList) {
		r.Name, r.Shared, r.External = only(q, "name"), isTrue(only(q, "shared")), isTrue(only(q, "router:external"))
	},
)

// among says whether a filter that may be given several times lets a value pass.
func among(asked []string, got string) bool { return len(asked) == 0 || slices.Contains(asked, got) }

var networksAnswer = neutronList(
	func(all []network, links []link) networksBody { return networksBody{all, links} },
	func(b networksBody) ([]network, []link) { return b.Networks, b.Links }, sayNetwork, hearNetwork,
)

var networkAnswer = neutronOne(
	func(w network) networkBody { return networkBody{w} }, func(b networkBody) network { return b.Network }, sayNetwork, hearNetwork,
)

type networkCreate struct {
	Name         string   `json:"name,omitempty"`
	Description  string   `json:"description,omitempty"`
	Up           *bool    `json:"admin_state_up,omitempty"`
	Shared       bool     `json:"shared,omitempty"`
	External     bool     `json:"router:external,omitempty"`
	MTU          int      `json:"mtu,omitempty"`
	PortSecurity *bool    `json:"port_security_enabled,omitempty"`
	TenantID     string   `json:"tenant_id,omitempty"`
	ProjectID    string   `json:"project_id,omitempty"`
	ZoneHints    []string `json:"availability_zone_hints,omitempty" wire:"advisory"`
	Kind         string   `json:"provider:network_type,omitempty" wire:"binding"`
	Physical     string   `json:"provider:physical_network,omitempty" wire:"binding"`
	Segment      any      `json:"provider:segmentation_id,omitempty" wire:"binding"`
	Default      bool     `json:"is_default,omitempty" wire:"binding"`
	QoS          *string  `json:"qos_policy_id,omitempty" wire:"binding"`
	Transparent  *bool    `json:"vlan_transparent,omitempty" wire:"binding"`
	DNSDomain    string   `json:"dns_domain,omitempty" wire:"binding"`
}

type networkCreateBody struct {
	Network networkCreate `json:"network"`
}

type networkUpdate struct {
	Name         canonical.Opt[string] `json:"name,omitzero"`
	Description  canonical.Opt[string] `json:"description,omitzero"`
	Up           canonical.Opt[bool]   `json:"admin_state_up,omitzero"`
	Shared       canonical.Opt[bool]   `json:"shared,omitzero"`
	External     canonical.Opt[bool]   `json:"router:external,omitzero"`
	MTU          canonical.Opt[int]    `json:"mtu,omitzero"`
	PortSecurity canonical.Opt[bool]   `json:"port_security_enabled,omitzero"`
	QoS          *string               `json:"qos_policy_id,omitempty" wire:"binding"`
}

type networkUpdateBody struct {
	Network networkUpdate `json:"network"`
}

var askNetworkCreate = translate.Ask[canonical.NetworkCreate, networkCreateBody]{
	Say: func(r canonical.NetworkCreate, _ *translate.Env, _ *translate.Request) (networkCreateBody, error) {
		return networkCreateBody{networkCreate{
			Name: r.Name, Description: r.Description, Up: r.AdminUp, Shared: r.Shared, External: r.External, MTU: r.MTU, PortSecurity: r.PortSecurity,
		}}, nil
	},
	Hear: func(b networkCreateBody, _ *translate.Request, env *translate.Env) (canonical.NetworkCreate, error) {
		w := b.Network
		return canonical.NetworkCreate{
			Name: w.Name, Description: w.Description, AdminUp: w.Up, Shared: w.Shared, External: w.External, MTU: w.MTU, PortSecurity: w.PortSecurity,
		}, noOther(env, w.TenantID, w.ProjectID)
	},
}

var askNetworkUpdate = translate.Ask[canonical.NetworkUpdate, networkUpdateBody]{
	Say: func(r canonical.NetworkUpdate, _ *translate.Env, to *translate.Request) (networkUpdateBody, error) {
		translate.SayPath(r, to)
		if r.PortSecurity.IsNull() || r.MTU.IsNull() {
			return networkUpdateBody{}, words.Refuse("mtu", "cannot be taken away here, nor port_security")
		}
		return networkUpdateBody{networkUpdate{
			Name: r.Name, Description: textOrEmpty(r.Description), Up: r.AdminUp, Shared: r.Shared, External: r.External, MTU: r.MTU,
			PortSecurity: r.PortSecurity,
		}}, untagged(r.Tags)
	},
	Hear: func(b networkUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.NetworkUpdate, err error) {
		w := b.Network
		translate.HearPath(from, &r)
		r.Name, r.Description, r.AdminUp, r.Shared, r.External = w.Name, w.Description, w.Up, w.Shared, w.External
		r.MTU, r.PortSecurity = w.MTU, w.PortSecurity
		return r, nil
	},
}

// untagged refuses tags in the call of other changes: they have one of their own.
func untagged(tags canonical.Opt[[]string]) error {
	if tags.IsZero() {
		return nil
	}
	return words.Refuse("tags", "are not changed by this call")
}

func networkRoutes() []translate.Route {
	return slices.Concat([]translate.Route{
		neutronRow("network.list", "GET", "networks", canonical.ListNetworks.Spec(), translate.Route{Ask: askNetworks, Answer: networksAnswer}),
		neutronRow("network.show", "GET", "networks/{id}", canonical.GetNetwork.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.NetworkGet](), Answer: networkAnswer,
		}),
		neutronRow("network.create", "POST", "networks", canonical.CreateNetwork.Spec(), translate.Route{Ask: askNetworkCreate, Answer: networkAnswer}),
		neutronRow("network.update", "PUT", "networks/{id}", canonical.UpdateNetwork.Spec(), translate.Route{
			Can: func(req any) bool { r, _ := req.(canonical.NetworkUpdate); return r.Tags.IsZero() },
			Ask: askNetworkUpdate, Answer: networkAnswer,
		}),
		neutronRow("network.delete", "DELETE", "networks/{id}", canonical.DeleteNetwork.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.NetworkDelete](), Answer: translate.Nothing[canonical.None](),
		}),
	}, subnetRoutes(), portRoutes(), secGroupRoutes(), floatingRoutes(), routerRoutes(), extensionRoutes())
}

// isNumber is the filter of a number; 0 where it is none.
func isNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
