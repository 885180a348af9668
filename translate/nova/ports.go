package nova

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type port struct {
	ID           string                        `json:"id"`
	Name         string                        `json:"name"`
	NetworkID    string                        `json:"network_id"`
	TenantID     string                        `json:"tenant_id"`
	ProjectID    string                        `json:"project_id"`
	MAC          string                        `json:"mac_address"`
	Up           bool                          `json:"admin_state_up"`
	Status       string                        `json:"status"`
	Device       string                        `json:"device_id"`
	DeviceOwner  string                        `json:"device_owner"`
	FixedIPs     []fixedIP                     `json:"fixed_ips"`
	PortSecurity *bool                         `json:"port_security_enabled,omitempty"`
	Groups       []string                      `json:"security_groups"`
	VNICType     string                        `json:"binding:vnic_type"`
	Pairs        []addressPair                 `json:"allowed_address_pairs"`
	DHCPOptions  []any                         `json:"extra_dhcp_opts" wire:"native"`
	Description  string                        `json:"description"`
	Tags         []string                      `json:"tags"`
	Revision     *int                          `json:"revision_number,omitempty"`
	CreatedAt    string                        `json:"created_at,omitempty"`
	UpdatedAt    string                        `json:"updated_at,omitempty"`
	Host         canonical.Opt[string]         `json:"binding:host_id,omitzero"` // these are for operators
	Profile      canonical.Opt[map[string]any] `json:"binding:profile,omitzero" wire:"native"`
	VIFType      canonical.Opt[string]         `json:"binding:vif_type,omitzero" wire:"native"`
	VIFDetails   canonical.Opt[map[string]any] `json:"binding:vif_details,omitzero" wire:"native"`
}

type fixedIP struct {
	SubnetID string `json:"subnet_id,omitempty"`
	IP       string `json:"ip_address,omitempty"`
}

type addressPair struct {
	IP  string `json:"ip_address"`
	MAC string `json:"mac_address,omitempty"`
}

type portBody struct {
	Port port `json:"port"`
}

type portsBody struct {
	Ports []port `json:"ports"`
	Links []link `json:"ports_links,omitempty"`
}

func hearFixed(f fixedIP) canonical.FixedIP {
	return canonical.FixedIP{IP: f.IP, SubnetID: canonical.ID(f.SubnetID)}
}
func sayFixed(f canonical.FixedIP) fixedIP           { return fixedIP{string(f.SubnetID), f.IP} }
func hearFixedIPs(all []fixedIP) []canonical.FixedIP { return convert(all, hearFixed) }
func sayFixedIPs(all []canonical.FixedIP) []fixedIP  { return convert(all, sayFixed) }
func hearPairs(all []addressPair) []canonical.AddressPair {
	return convert(all, func(p addressPair) canonical.AddressPair { return canonical.AddressPair(p) })
}

func sayPairs(all []canonical.AddressPair) []addressPair {
	return convert(all, func(p canonical.AddressPair) addressPair { return addressPair(p) })
}

// ofServers begins the owner of the ports that servers have.
const ofServers = "compute:"

func hearPort(w port, env *translate.Env) canonical.Port {
	p := canonical.Port{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), NetworkID: canonical.ID(w.NetworkID), MAC: w.MAC, AdminUp: w.Up,
		Status: hearNetworkStatus(w.Status), NativeStatus: w.Status, FixedIPs: hearFixedIPs(w.FixedIPs), SecurityGroups: asIDs[canonical.ID](w.Groups),
		Device: words.Filled(w.Device), DeviceOwner: words.Filled(w.DeviceOwner), AddressPairs: hearPairs(w.Pairs), PortSecurity: w.PortSecurity,
		VNICType: words.Filled(w.VNICType), Host: words.Filled(w.Host.Or("")), Tags: words.List(w.Tags), Revision: w.Revision,
		ProjectID: words.Filled(firstOf(w.ProjectID, w.TenantID)), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
	if strings.HasPrefix(w.DeviceOwner, ofServers) {
		p.ServerID = textID(&w.Device)
	}
	if env.Native {
		p.Native = map[string]any{}
		put(p.Native, "binding:profile", w.Profile)
		put(p.Native, "binding:vif_type", w.VIFType)
		put(p.Native, "binding:vif_details", w.VIFDetails)
	}
	return p
}

func sayPort(p canonical.Port, env *translate.Env) port {
	owner := ownerOf(p.ProjectID, env)
	w := port{
		ID: string(p.ID), Name: p.Name, NetworkID: string(p.NetworkID), TenantID: owner, ProjectID: owner, MAC: p.MAC, Up: p.AdminUp,
		Status: sayNetworkStatus(p.Status), Device: words.Or(p.Device, ""), DeviceOwner: words.Or(p.DeviceOwner, ""), FixedIPs: sayFixedIPs(p.FixedIPs),
		PortSecurity: p.PortSecurity, Groups: idsOf(p.SecurityGroups), VNICType: words.Or(p.VNICType, "normal"), Pairs: sayPairs(p.AddressPairs),
		DHCPOptions: []any{}, Description: words.Or(p.Description, ""), Tags: words.List(p.Tags), Revision: p.Revision,
		CreatedAt: words.Stamp(p.CreatedAt, zoned), UpdatedAt: words.Stamp(p.UpdatedAt, zoned),
	}
	if p.ServerID != nil && strings.HasPrefix(w.DeviceOwner, ofServers) { // as it is known to clients
		w.Device = string(*p.ServerID)
	}
	if env.Role.AtLeast(canonical.Operator) {
		w.Host = canonical.Some(words.Or(p.Host, ""))
		w.Profile = canonical.Some(kept(p.Native, "binding:profile", map[string]any{}))
		w.VIFType = canonical.Some(kept(p.Native, "binding:vif_type", vifOf(p)))
		w.VIFDetails = canonical.Some(kept(p.Native, "binding:vif_details", map[string]any{}))
	}
	return w
}

// vifOf is how a port is bound where its cloud does not say.
func vifOf(p canonical.Port) string {
	if p.Device == nil {
		return "unbound"
	}
	return "other"
}

var askPorts = asList(
	func(r canonical.PortList, q url.Values) {
		setQuery(q, map[string]string{"name": r.Name, "network_id": string(r.Network), "device_id": string(r.Server), "mac_address": r.MAC})
	},
	func(q url.Values, r *canonical.PortList) {
		r.Name, r.Network, r.MAC = only(q, "name"), canonical.ID(only(q, "network_id")), only(q, "mac_address")
	},
)

var portsAnswer = neutronList(
	func(all []port, links []link) portsBody { return portsBody{all, links} },
	func(b portsBody) ([]port, []link) { return b.Ports, b.Links }, sayPort, hearPort,
)

var portAnswer = neutronOne(
	func(w port) portBody { return portBody{w} }, func(b portBody) port { return b.Port }, sayPort, hearPort,
)

type portCreate struct {
	NetworkID    string                   `json:"network_id"`
	Name         string                   `json:"name,omitempty"`
	Description  string                   `json:"description,omitempty"`
	MAC          string                   `json:"mac_address,omitempty"`
	Up           *bool                    `json:"admin_state_up,omitempty"`
	FixedIPs     canonical.Opt[[]fixedIP] `json:"fixed_ips,omitzero"`
	Groups       canonical.Opt[[]string]  `json:"security_groups,omitzero"`
	Device       string                   `json:"device_id,omitempty"`
	DeviceOwner  string                   `json:"device_owner,omitempty"`
	Pairs        []addressPair            `json:"allowed_address_pairs,omitempty"`
	PortSecurity *bool                    `json:"port_security_enabled,omitempty"`
	VNICType     string                   `json:"binding:vnic_type,omitempty"`
	Host         string                   `json:"binding:host_id,omitempty"`
	Tags         []string                 `json:"tags,omitempty"`
	TenantID     string                   `json:"tenant_id,omitempty"`
	ProjectID    string                   `json:"project_id,omitempty"`
	Profile      map[string]any           `json:"binding:profile,omitempty" wire:"binding"`
	DHCPOptions  []any                    `json:"extra_dhcp_opts,omitempty" wire:"binding"`
	QoS          *string                  `json:"qos_policy_id,omitempty" wire:"binding"`
	DNSName      string                   `json:"dns_name,omitempty" wire:"binding"`
}

type portCreateBody struct {
	Port portCreate `json:"port"`
}

type portUpdate struct {
	Name         canonical.Opt[string]        `json:"name,omitzero"`
	Description  canonical.Opt[string]        `json:"description,omitzero"`
	MAC          canonical.Opt[string]        `json:"mac_address,omitzero"`
	Up           canonical.Opt[bool]          `json:"admin_state_up,omitzero"`
	FixedIPs     canonical.Opt[[]fixedIP]     `json:"fixed_ips,omitzero"`
	Groups       canonical.Opt[[]string]      `json:"security_groups,omitzero"`
	Device       canonical.Opt[string]        `json:"device_id,omitzero"`
	DeviceOwner  canonical.Opt[string]        `json:"device_owner,omitzero"`
	Pairs        canonical.Opt[[]addressPair] `json:"allowed_address_pairs,omitzero"`
	PortSecurity canonical.Opt[bool]          `json:"port_security_enabled,omitzero"`
	VNICType     canonical.Opt[string]        `json:"binding:vnic_type,omitzero"`
	Host         canonical.Opt[string]        `json:"binding:host_id,omitzero"`
	Profile      map[string]any               `json:"binding:profile,omitempty" wire:"binding"`
	DHCPOptions  []any                        `json:"extra_dhcp_opts,omitempty" wire:"binding"`
	QoS          *string                      `json:"qos_policy_id,omitempty" wire:"binding"`
	DNSName      string                       `json:"dns_name,omitempty" wire:"binding"`
}

type portUpdateBody struct {
	Port portUpdate `json:"port"`
}

var askPortCreate = translate.Ask[canonical.PortCreate, portCreateBody]{
	Say: func(r canonical.PortCreate, env *translate.Env, _ *translate.Request) (portCreateBody, error) {
		if r.FixedIPs.IsNull() || r.SecurityGroups.IsNull() {
			return portCreateBody{}, words.Refuse("fixed_ips", "and security_groups are lists, which may be empty")
		}
		return portCreateBody{portCreate{
			NetworkID: networkID(r.Network, env), Name: r.Name, Description: r.Description, MAC: r.MAC, Up: r.AdminUp,
			FixedIPs: mapOpt(r.FixedIPs, sayFixedIPs), Groups: mapOpt(r.SecurityGroups, idsOf[canonical.Ref]), Device: r.Device,
			DeviceOwner: r.DeviceOwner, Pairs: sayPairs(r.AddressPairs), PortSecurity: r.PortSecurity, VNICType: r.VNICType, Host: r.Host, Tags: r.Tags,
		}}, nil
	},
	Hear: func(b portCreateBody, _ *translate.Request, env *translate.Env) (r canonical.PortCreate, err error) {
		w := b.Port
		if err := network404(w.NetworkID, env); err != nil {
			return r, err
		}
		return canonical.PortCreate{
			Network: canonical.Ref(w.NetworkID), Name: w.Name, Description: w.Description, MAC: w.MAC, AdminUp: w.Up,
			FixedIPs: mapOpt(w.FixedIPs, hearFixedIPs), SecurityGroups: mapOpt(w.Groups, asIDs[canonical.Ref]), Device: w.Device,
			DeviceOwner: w.DeviceOwner, AddressPairs: hearPairs(w.Pairs), PortSecurity: w.PortSecurity, VNICType: w.VNICType, Host: w.Host, Tags: w.Tags,
		}, noOther(env, w.TenantID, w.ProjectID)
	},
}

var askPortUpdate = translate.Ask[canonical.PortUpdate, portUpdateBody]{
	Say: func(r canonical.PortUpdate, _ *translate.Env, to *translate.Request) (portUpdateBody, error) {
		translate.SayPath(r, to)
		return portUpdateBody{portUpdate{
			Name: r.Name, Description: textOrEmpty(r.Description), MAC: r.MAC, Up: r.AdminUp, FixedIPs: listOrEmpty(mapOpt(r.FixedIPs, sayFixedIPs)),
			Groups: listOrEmpty(mapOpt(r.SecurityGroups, idsOf[canonical.Ref])), Device: textOrEmpty(r.Device), DeviceOwner: textOrEmpty(r.DeviceOwner),
			Pairs: listOrEmpty(mapOpt(r.AddressPairs, sayPairs)), PortSecurity: r.PortSecurity, VNICType: r.VNICType, Host: r.Host,
		}}, untagged(r.Tags)
	},
	Hear: func(b portUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.PortUpdate, err error) {
		w := b.Port
		translate.HearPath(from, &r)
		r.Name, r.Description, r.MAC, r.AdminUp, r.FixedIPs = w.Name, w.Description, w.MAC, w.Up, mapOpt(w.FixedIPs, hearFixedIPs)
		r.SecurityGroups, r.Device, r.DeviceOwner = mapOpt(w.Groups, asIDs[canonical.Ref]), w.Device, w.DeviceOwner
		r.AddressPairs, r.PortSecurity, r.VNICType, r.Host = mapOpt(w.Pairs, hearPairs), w.PortSecurity, w.VNICType, w.Host
		return r, nil
	},
}

// factNetwork is there where the network that a client names is.
const factNetwork = "network"

// needNetworkOf looks for the network that the item of a body is of, northwards: Neutron
// answers 404 where there is none, and not 400 as for all else that is wrong with it.
func needNetworkOf(item string) translate.Need {
	return translate.Need{
		Fact: factNetwork,
		Hear: func(req *translate.Request) (canonical.Call, bool) {
			var body map[string]struct {
				ID string `json:"network_id"`
			}
			if json.Unmarshal(req.Body, &body) != nil || body[item].ID == "" {
				return canonical.Call{}, false
			}
			return translate.Question(canonical.GetNetwork, canonical.NetworkGet{ID: canonical.ID(body[item].ID)}), true
		},
		Pick: func(any, *translate.Env) any { return true },
	}
}

// network404 refuses a network that is looked for and is not there.
func network404(id string, env *translate.Env) error {
	there, _ := translate.Fact[bool](env, factNetwork)
	if id == "" {
		return canonical.Errorf(canonical.InvalidRequest, "Failed to parse request. Required attribute 'network_id' not specified")
	}
	if !there && env.ProjectOf != nil { // a facade looks for it
		e := canonical.Errorf(canonical.NotFound, "Network %s could not be found.", id)
		e.Upstream = &canonical.Upstream{Code: "NetworkNotFound", Message: e.Detail}
		return e
	}
	return nil
}

// versionOf is the version of IP of an address or a range.
func versionOf(text string) int {
	if strings.Contains(text, ":") {
		return 6
	}
	return 4
}

func portRoutes() []translate.Route {
	return []translate.Route{
		neutronRow("port.list", "GET", "ports", canonical.ListPorts.Spec(), translate.Route{Ask: askPorts, Answer: portsAnswer}),
		neutronRow("port.show", "GET", "ports/{id}", canonical.GetPort.Spec(), translate.Route{Ask: translate.ByPath[canonical.PortGet](), Answer: portAnswer}),
		neutronRow("port.create", "POST", "ports", canonical.CreatePort.Spec(), translate.Route{
			Needs: []translate.Need{needNetworks(), needNetworkOf("port")}, Ask: askPortCreate, Answer: portAnswer,
		}),
		neutronRow("port.update", "PUT", "ports/{id}", canonical.UpdatePort.Spec(), translate.Route{
			Can: func(req any) bool { r, _ := req.(canonical.PortUpdate); return r.Tags.IsZero() },
			Ask: askPortUpdate, Answer: portAnswer,
		}),
		neutronRow("port.delete", "DELETE", "ports/{id}", canonical.DeletePort.Spec(), translate.Route{
			Ask: translate.ByPath[canonical.PortDelete](), Answer: translate.Nothing[canonical.None](),
		}),
	}
}
