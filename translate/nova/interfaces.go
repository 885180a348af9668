package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// nic is a port as its server has it.
type nic struct {
	NetworkID string                `json:"net_id"`
	PortID    string                `json:"port_id"`
	MAC       string                `json:"mac_addr"`
	State     string                `json:"port_state"`
	FixedIPs  []fixedIP             `json:"fixed_ips"`
	Tag       canonical.Opt[string] `json:"tag,omitzero" since:"2.70"`
}

type nicBody struct {
	Interface nic `json:"interfaceAttachment"`
}

type nicsBody struct {
	Interfaces []nic `json:"interfaceAttachments"`
}

func hearNIC(w nic) canonical.Interface {
	return canonical.Interface{
		ID: canonical.ID(w.PortID), NetworkID: canonical.ID(w.NetworkID), MAC: w.MAC, State: hearNetworkStatus(w.State), NativeStatus: w.State,
		FixedIPs: hearFixedIPs(w.FixedIPs), Tag: ptr(w.Tag),
	}
}

func sayNIC(i canonical.Interface) nic {
	return nic{
		NetworkID: string(i.NetworkID), PortID: string(i.ID), MAC: i.MAC, State: sayNetworkStatus(i.State), FixedIPs: sayFixedIPs(i.FixedIPs), Tag: opt(i.Tag),
	}
}

var nicsAnswer = translate.List[canonical.Interface, nicsBody]{
	Say: func(p canonical.Page[canonical.Interface], _ *translate.Env, _ *translate.Response) (nicsBody, error) {
		return nicsBody{convert(p.Items, sayNIC)}, nil
	},
	Hear: func(w nicsBody, _ *translate.Response, _ *translate.Env) ([]canonical.Interface, error) {
		return convert(w.Interfaces, hearNIC), nil
	},
}

var nicAnswer = translate.Answer[canonical.Interface, nicBody]{
	Say: func(r canonical.TypedReply[canonical.Interface], _ *translate.Env, _ *translate.Response) (nicBody, error) {
		return nicBody{sayNIC(r.Result)}, nil
	},
	Hear: func(w nicBody, _ *translate.Response, _ *translate.Env) (canonical.Interface, error) {
		return hearNIC(w.Interface), nil
	},
}

type nicAttach struct {
	NetworkID string    `json:"net_id,omitempty"`
	PortID    string    `json:"port_id,omitempty"`
	FixedIPs  []fixedIP `json:"fixed_ips,omitempty"`
	Tag       string    `json:"tag,omitempty" since:"2.49"`
}

type nicAttachBody struct {
	Interface nicAttach `json:"interfaceAttachment"`
}

var askNICAttach = translate.Ask[canonical.InterfaceAttach, nicAttachBody]{
	Say: func(r canonical.InterfaceAttach, env *translate.Env, to *translate.Request) (nicAttachBody, error) {
		translate.SayPath(r, to)
		w := nicAttach{NetworkID: networkID(r.Network, env), PortID: string(r.Interface), Tag: r.Tag}
		if r.IP != "" {
			w.FixedIPs = []fixedIP{{IP: r.IP}}
		}
		return nicAttachBody{w}, nil
	},
	Hear: func(b nicAttachBody, from *translate.Request, _ *translate.Env) (r canonical.InterfaceAttach, err error) {
		w := b.Interface
		translate.HearPath(from, &r)
		r.Network, r.Interface, r.Tag = canonical.Ref(w.NetworkID), canonical.ID(w.PortID), w.Tag
		switch {
		case w.NetworkID != "" && w.PortID != "":
			return r, canonical.Errorf(canonical.InvalidRequest, "Must not input both network_id and port_id")
		case len(w.FixedIPs) > 0 && w.NetworkID == "":
			return r, canonical.Errorf(canonical.InvalidRequest, "Must input network_id when request IP address")
		case len(w.FixedIPs) > 1:
			return r, canonical.Invalid("fixed_ips", "%v is too long", len(w.FixedIPs))
		case len(w.FixedIPs) == 1:
			r.IP = w.FixedIPs[0].IP
		}
		return r, nil
	},
}

// everyOf asks for all of a list that belongs to what the path names.
func everyOf[Req any](limited func(r *Req) *canonical.ListOptions) translate.Ask[Req, translate.NoBody] {
	ask := translate.ByPath[Req]()
	ask.Hear = func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (r Req, err error) {
		translate.HearPath(from, &r)
		*limited(&r) = canonical.ListOptions{Limit: canonical.MaxLimit, Sort: canonical.ByName}
		return r, nil
	}
	return ask
}

type ipsBody struct {
	Addresses map[string][]address `json:"addresses"`
}

var askIPs = translate.Ask[canonical.ServerAddressList, translate.NoBody]{
	Say: func(r canonical.ServerAddressList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		translate.SayPath(r, to)
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (r canonical.ServerAddressList, err error) {
		translate.HearPath(from, &r)
		r.Network = from.Params["network"]
		return r, nil
	},
}

// ofAll says whether an address list is of all networks.
func ofAll(req any) bool { r, _ := req.(canonical.ServerAddressList); return r.Network == "" }

func interfaceRoutes() []translate.Route {
	const all, one = "/servers/{id}/os-interface", "/servers/{id}/os-interface/{interface}"
	return []translate.Route{
		{
			ID: "nova.server.interface.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListInterfaces.Spec(), Want: v(70),
			Ask: everyOf(func(r *canonical.InterfaceList) *canonical.ListOptions { return &r.ListOptions }), Answer: nicsAnswer, Status: 200,
		},
		{
			ID: "nova.server.interface.show", Service: "compute", Method: "GET", Path: one, Op: canonical.GetInterface.Spec(), Want: v(70),
			Ask: translate.ByPath[canonical.InterfaceGet](), Answer: nicAnswer, Status: 200,
		},
		{
			ID: "nova.server.interface.attach", Service: "compute", Method: "POST", Path: all, Op: canonical.AttachInterface.Spec(), Want: v(70),
			Needs: []translate.Need{needNetworks()}, Ask: askNICAttach, Answer: nicAnswer, Status: 200,
		},
		{
			ID: "nova.server.interface.detach", Service: "compute", Method: "DELETE", Path: one, Op: canonical.DetachInterface.Spec(),
			Ask: translate.ByPath[canonical.InterfaceDetach](), Answer: translate.Nothing[canonical.None](), Status: 202,
		},
		{
			ID: "nova.server.ips.list", Service: "compute", Method: "GET", Path: "/servers/{id}/ips", Op: canonical.ListServerAddresses.Spec(),
			Can: ofAll, Ask: askIPs, Status: 200, Answer: translate.Answer[canonical.ServerAddresses, ipsBody]{
				Say: func(r canonical.TypedReply[canonical.ServerAddresses], _ *translate.Env, _ *translate.Response) (ipsBody, error) {
					return ipsBody{sayAddresses(r.Result.Items, false)}, nil
				},
				Hear: func(w ipsBody, _ *translate.Response, _ *translate.Env) (canonical.ServerAddresses, error) {
					return canonical.ServerAddresses{Items: hearAddresses(w.Addresses)}, nil
				},
			},
		},
		{
			ID: "nova.server.ips.show", Service: "compute", Method: "GET", Path: "/servers/{id}/ips/{network}", Op: canonical.ListServerAddresses.Spec(),
			Can: func(any) bool { return false }, Ask: askIPs, Status: 200, Answer: translate.Answer[canonical.ServerAddresses, map[string][]address]{
				Say: func(r canonical.TypedReply[canonical.ServerAddresses], _ *translate.Env, _ *translate.Response) (map[string][]address, error) {
					return sayAddresses(r.Result.Items, false), nil
				},
				Hear: func(w map[string][]address, _ *translate.Response, _ *translate.Env) (canonical.ServerAddresses, error) {
					return canonical.ServerAddresses{Items: hearAddresses(w)}, nil
				},
			},
		},
	}
}

// serverSecGroup is a security group as Nova tells it, whose rules are of before Neutron.
type serverSecGroup struct {
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	TenantID    string      `json:"tenant_id"`
	Rules       []proxyRule `json:"rules"`
}

type proxyRule struct {
	ID       string            `json:"id"`
	Parent   string            `json:"parent_group_id"`
	Protocol *string           `json:"ip_protocol"`
	From     *int              `json:"from_port"`
	To       *int              `json:"to_port"`
	Group    map[string]string `json:"group" wire:"native"`
	Range    map[string]string `json:"ip_range"`
}

type serverSecGroupsBody struct {
	Groups []serverSecGroup `json:"security_groups"`
}

var serverSecGroupsAnswer = translate.List[canonical.SecurityGroup, serverSecGroupsBody]{
	Say: func(p canonical.Page[canonical.SecurityGroup], env *translate.Env, _ *translate.Response) (serverSecGroupsBody, error) {
		return serverSecGroupsBody{convert(p.Items, func(g canonical.SecurityGroup) serverSecGroup { return sayServerSecGroup(g, env) })}, nil
	},
	Hear: func(w serverSecGroupsBody, _ *translate.Response, _ *translate.Env) ([]canonical.SecurityGroup, error) {
		return convert(w.Groups, hearServerSecGroup), nil
	},
}

func sayServerSecGroup(g canonical.SecurityGroup, env *translate.Env) serverSecGroup {
	w := serverSecGroup{ID: string(g.ID), Name: g.Name, Description: words.Or(g.Description, ""), TenantID: ownerOf(g.ProjectID, env), Rules: []proxyRule{}}
	for _, r := range g.Rules {
		if r.Direction != canonical.Ingress { // Nova knew no other
			continue
		}
		rule := proxyRule{
			ID: string(r.ID), Parent: w.ID, Protocol: r.Protocol, From: r.PortMin, To: r.PortMax, Group: map[string]string{}, Range: map[string]string{},
		}
		switch {
		case r.RemoteGroup != nil && *r.RemoteGroup == g.ID:
			rule.Group = map[string]string{"name": g.Name, "tenant_id": w.TenantID}
		case r.RemoteCIDR != nil && *r.RemoteCIDR != "":
			rule.Range["cidr"] = *r.RemoteCIDR
		}
		w.Rules = append(w.Rules, rule)
	}
	return w
}

// hearServerSecGroup hears what Nova tells: rules of what comes in alone, and of groups only
// the group's own.
func hearServerSecGroup(w serverSecGroup) canonical.SecurityGroup {
	g := canonical.SecurityGroup{
		ID: canonical.ID(w.ID), Name: w.Name, Description: words.Filled(w.Description), Stateful: true, Rules: []canonical.SecurityGroupRule{},
		Tags: []string{}, ProjectID: words.Filled(w.TenantID),
	}
	for _, r := range w.Rules {
		rule := canonical.SecurityGroupRule{
			ID: canonical.ID(r.ID), GroupID: g.ID, Direction: canonical.Ingress, IPVersion: versionOf(r.Range["cidr"]), Protocol: r.Protocol,
			PortMin: r.From, PortMax: r.To, RemoteCIDR: words.Filled(r.Range["cidr"]),
		}
		if len(r.Group) > 0 && r.Group["name"] == w.Name {
			rule.RemoteGroup = &g.ID
		}
		g.Rules = append(g.Rules, rule)
	}
	return g
}

// addressOf is what a floating IP's action names.
type addressOf struct {
	Address string `json:"address"`
	Fixed   string `json:"fixed_address,omitempty"`
}

func networkActionRoutes() []translate.Route {
	action := func(id, key string, row translate.Route) translate.Route {
		row.ID, row.Service, row.Method, row.Path, row.Action, row.Status = id, "compute", "POST", "/servers/{id}/action", key, 202
		return row
	}
	add := translate.Ask[canonical.ServerSecurityGroupAdd, named]{
		Say: func(r canonical.ServerSecurityGroupAdd, _ *translate.Env, to *translate.Request) (named, error) {
			translate.SayPath(r, to)
			return named{string(r.Group)}, nil
		},
		Hear: func(w named, from *translate.Request, _ *translate.Env) (r canonical.ServerSecurityGroupAdd, err error) {
			translate.HearPath(from, &r)
			r.Group = canonical.ID(w.Name)
			return r, nil
		},
	}
	remove := translate.Ask[canonical.ServerSecurityGroupRemove, named]{
		Say: func(r canonical.ServerSecurityGroupRemove, _ *translate.Env, to *translate.Request) (named, error) {
			translate.SayPath(r, to)
			return named{string(r.Group)}, nil
		},
		Hear: func(w named, from *translate.Request, _ *translate.Env) (r canonical.ServerSecurityGroupRemove, err error) {
			translate.HearPath(from, &r)
			r.Group = canonical.ID(w.Name)
			return r, nil
		},
	}
	associate := translate.Ask[canonical.FloatingIPAssociate, addressOf]{
		Say: func(r canonical.FloatingIPAssociate, _ *translate.Env, to *translate.Request) (addressOf, error) {
			translate.SayPath(r, to)
			return addressOf{r.Address, r.FixedIP}, nil
		},
		Hear: func(w addressOf, from *translate.Request, _ *translate.Env) (r canonical.FloatingIPAssociate, err error) {
			translate.HearPath(from, &r)
			r.Address, r.FixedIP = w.Address, w.Fixed
			return r, nil
		},
	}
	disassociate := translate.Ask[canonical.FloatingIPDisassociate, addressOf]{
		Say: func(r canonical.FloatingIPDisassociate, _ *translate.Env, to *translate.Request) (addressOf, error) {
			translate.SayPath(r, to)
			return addressOf{Address: r.Address}, nil
		},
		Hear: func(w addressOf, from *translate.Request, _ *translate.Env) (r canonical.FloatingIPDisassociate, err error) {
			translate.HearPath(from, &r)
			r.Address = w.Address
			return r, nil
		},
	}
	none := translate.Nothing[canonical.None]()
	return []translate.Route{
		action("nova.server.security_group.add", "addSecurityGroup", translate.Route{Op: canonical.AddServerSecurityGroup.Spec(), Ask: add, Answer: none}),
		action("nova.server.security_group.remove", "removeSecurityGroup", translate.Route{Op: canonical.RemoveServerSecurityGroup.Spec(), Ask: remove, Answer: none}),
		action("nova.server.floating_ip.add", "addFloatingIp", translate.Route{Op: canonical.AssociateFloatingIP.Spec(), Until: v(43), Ask: associate, Answer: none}),
		action("nova.server.floating_ip.remove", "removeFloatingIp", translate.Route{
			Op: canonical.DisassociateFloatingIP.Spec(), Until: v(43), Ask: disassociate, Answer: none,
		}),
		{
			ID: "nova.server.security_group.list", Service: "compute", Method: "GET", Path: "/servers/{id}/os-security-groups",
			Op: canonical.ListServerSecurityGroups.Spec(), Status: 200,
			Ask:    everyOf(func(r *canonical.ServerSecurityGroupList) *canonical.ListOptions { return &r.ListOptions }),
			Answer: serverSecGroupsAnswer,
		},
	}
}
