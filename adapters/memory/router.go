package memory

import (
	"slices"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// What the cloud's own networks are like.
const (
	defaultMTU      = 1450
	routerInterface = "network:router_interface"
)

// seedNetworks makes a network for servers, one that leads out of the cloud, and the
// router between them. The former is the newer one, and so the first of a list.
func (c *Cloud) seedNetworks() {
	now := c.now()
	out := c.seedNetwork("public", "203.0.113.0/24", "203.0.113.10", "203.0.113.250", now.Add(-time.Second))
	out.External = true
	in := c.seedNetwork("private", "10.0.0.0/16", "10.0.0.10", "10.0.255.254", now)
	in.Shared = true
	c.networks = []canonical.Network{in, out}
	revision, snat := 1, true
	router := canonical.Router{
		ID: canonical.ID(c.stableID("router", "router")), Name: "router", AdminUp: true, Status: canonical.NetworkActive, NativeStatus: "active",
		ExternalNetwork: &out.ID, ExternalIPs: []canonical.FixedIP{{IP: "203.0.113.2", SubnetID: out.Subnets[0]}}, SNAT: &snat,
		Routes: []canonical.Route{}, Tags: []string{}, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}
	c.routers = []canonical.Router{router}
	gate := c.newPort(in.ID)
	device := string(router.ID)
	gate.ID = canonical.ID(c.stableID("port", "router"))
	gate.FixedIPs, gate.MAC = []canonical.FixedIP{{IP: "10.0.0.1", SubnetID: in.Subnets[0]}}, c.mac()
	gate.Device, gate.DeviceOwner, gate.Status, gate.NativeStatus = &device, optional(routerInterface), canonical.NetworkActive, "active"
	c.used[string(in.Subnets[0])+"10.0.0.1"] = true
	c.ports[gate.ID] = gate
}

// seedNetwork is a network with one subnet.
func (c *Cloud) seedNetwork(name, cidr, start, end string, at time.Time) canonical.Network {
	mtu, security, revision := defaultMTU, true, 1
	subnet := canonical.ID(c.stableID("subnet", name))
	n := canonical.Network{
		ID: canonical.ID(c.stableID("network", name)), Name: name, CIDRs: []string{cidr}, Subnets: []canonical.ID{subnet}, AdminUp: true,
		Status: canonical.NetworkActive, NativeStatus: "active", MTU: &mtu, PortSecurity: &security, Tags: []string{}, Revision: &revision,
		CreatedAt: &at, UpdatedAt: &at,
	}
	gateway := start[:len(start)-1] // the pools begin at .10
	c.subnets = append(c.subnets, canonical.Subnet{
		ID: subnet, Name: name, NetworkID: n.ID, IPVersion: 4, CIDR: cidr, GatewayIP: &gateway, DHCP: true,
		Pools: []canonical.AddressPool{{Start: start, End: end}}, DNSServers: []string{}, Routes: []canonical.Route{}, Tags: []string{},
		Revision: own(&revision), CreatedAt: own(&at), UpdatedAt: own(&at),
	})
	return n
}

func copyRouter(r canonical.Router) canonical.Router {
	r.Description, r.ExternalNetwork, r.SNAT, r.Revision = own(r.Description), own(r.ExternalNetwork), own(r.SNAT), own(r.Revision)
	r.ExternalIPs, r.Routes, r.Tags = slices.Clone(r.ExternalIPs), slices.Clone(r.Routes), slices.Clone(r.Tags)
	r.CreatedAt, r.UpdatedAt = own(r.CreatedAt), own(r.UpdatedAt)
	return r
}

func (c *Cloud) listRouters(r canonical.RouterList) (canonical.TypedReply[canonical.Page[canonical.Router]], error) {
	return arrange(those(c.routers, r.Match), r.ListOptions, copyRouter)
}

func (c *Cloud) getRouter(r canonical.RouterGet) (canonical.TypedReply[canonical.Router], error) {
	return byID(c.routers, "router", r.ID, copyRouter)
}

// routerBetween is the router that leads from a network out to an external one; nil:
// there is none.
func (c *Cloud) routerBetween(external, network canonical.ID) *canonical.Router {
	for i := range c.routers {
		r := &c.routers[i]
		if r.ExternalNetwork == nil || *r.ExternalNetwork != external {
			continue
		}
		for _, p := range c.ports {
			if p.NetworkID == network && p.Device != nil && *p.Device == string(r.ID) {
				return r
			}
		}
	}
	return nil
}
