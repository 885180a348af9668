package memory

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// nets is what is on networks; Cloud.mu guards it.
type nets struct {
	networks    []canonical.Network
	subnets     []canonical.Subnet
	ports       map[canonical.ID]*port
	groups      []canonical.SecurityGroup // the first is the default one
	routers     []canonical.Router
	floatingIPs []canonical.FloatingIP
	used        map[string]bool             // addresses, behind the ids of their subnets
	lastFree    map[canonical.ID]netip.Addr // by subnet
	macs        uint32                      // how many were given
}

func newNets() nets {
	return nets{ports: map[canonical.ID]*port{}, used: map[string]bool{}, lastFree: map[canonical.ID]netip.Addr{}}
}

func (c *Cloud) handleNetworks() {
	handle(c, canonical.ListNetworks, c.listNetworks)
	handle(c, canonical.GetNetwork, c.getNetwork)
	handle(c, canonical.CreateNetwork, c.createNetwork)
	handle(c, canonical.UpdateNetwork, c.updateNetwork)
	handle(c, canonical.DeleteNetwork, c.deleteNetwork)
	handle(c, canonical.ListSubnets, c.listSubnets)
	handle(c, canonical.GetSubnet, c.getSubnet)
	handle(c, canonical.CreateSubnet, c.createSubnet)
	handle(c, canonical.UpdateSubnet, c.updateSubnet)
	handle(c, canonical.DeleteSubnet, c.deleteSubnet)
	handle(c, canonical.ListPorts, c.listPorts)
	handle(c, canonical.GetPort, c.getPort)
	handle(c, canonical.CreatePort, c.createPort)
	handle(c, canonical.UpdatePort, c.updatePort)
	handle(c, canonical.DeletePort, c.deletePort)
	handle(c, canonical.ListInterfaces, c.listInterfaces)
	handle(c, canonical.GetInterface, c.getInterface)
	handle(c, canonical.AttachInterface, c.attachInterface)
	handle(c, canonical.DetachInterface, c.detachInterface)
	handle(c, canonical.ListServerAddresses, c.listAddresses)
	handle(c, canonical.ListSecurityGroups, c.listGroups)
	handle(c, canonical.GetSecurityGroup, c.getGroup)
	handle(c, canonical.CreateSecurityGroup, c.createGroup)
	handle(c, canonical.UpdateSecurityGroup, c.updateGroup)
	handle(c, canonical.DeleteSecurityGroup, c.deleteGroup)
	handle(c, canonical.ListSecurityGroupRules, c.listRules)
	handle(c, canonical.GetSecurityGroupRule, c.getRule)
	handle(c, canonical.CreateSecurityGroupRule, c.createRule)
	handle(c, canonical.DeleteSecurityGroupRule, c.deleteRule)
	handle(c, canonical.ListServerSecurityGroups, c.listServerGroups)
	handle(c, canonical.AddServerSecurityGroup, c.addServerGroup)
	handle(c, canonical.RemoveServerSecurityGroup, c.removeServerGroup)
	handle(c, canonical.ListFloatingIPs, c.listFloatingIPs)
	handle(c, canonical.GetFloatingIP, c.getFloatingIP)
	handle(c, canonical.CreateFloatingIP, c.createFloatingIP)
	handle(c, canonical.UpdateFloatingIP, c.updateFloatingIP)
	handle(c, canonical.DeleteFloatingIP, c.deleteFloatingIP)
	handle(c, canonical.AssociateFloatingIP, c.associateFloatingIP)
	handle(c, canonical.DisassociateFloatingIP, c.disassociateFloatingIP)
	handle(c, canonical.ListFloatingIPPools, c.listPools)
	handle(c, canonical.ListRouters, c.listRouters)
	handle(c, canonical.GetRouter, c.getRouter)
}

func copyNetwork(n canonical.Network) canonical.Network {
	n.Description, n.PortSecurity, n.Revision = own(n.Description), own(n.PortSecurity), own(n.Revision)
	n.CIDRs, n.Subnets, n.MTU, n.Tags = slices.Clone(n.CIDRs), slices.Clone(n.Subnets), own(n.MTU), slices.Clone(n.Tags)
	n.CreatedAt, n.UpdatedAt = own(n.CreatedAt), own(n.UpdatedAt)
	return n
}

func (c *Cloud) listNetworks(r canonical.NetworkList) (canonical.TypedReply[canonical.Page[canonical.Network]], error) {
	return arrange(those(c.networks, r.Match), r.ListOptions, copyNetwork)
}

func (c *Cloud) getNetwork(r canonical.NetworkGet) (canonical.TypedReply[canonical.Network], error) {
	return byID(c.networks, "network", r.ID, copyNetwork)
}

// findIn is the item of that id; it is good until the lock is given up.
func findIn[T canonical.Listed](items []T, kind string, id canonical.ID) (*T, error) {
	i := slices.IndexFunc(items, func(t T) bool { got, _, _ := t.ListKeys(); return got == id })
	if i < 0 {
		return nil, canonical.Errorf(canonical.NotFound, "there is no %s %s", kind, id)
	}
	return &items[i], nil
}

func without[T canonical.Listed](items []T, id canonical.ID) []T {
	return slices.DeleteFunc(items, func(t T) bool { got, _, _ := t.ListKeys(); return got == id })
}

func (c *Cloud) findNetwork(id canonical.ID) (*canonical.Network, error) {
	return findIn(c.networks, "network", id)
}

// change is what updates do to all that is on networks.
func (c *Cloud) change(name *string, description **string, tags *[]string, r struct {
	name, description canonical.Opt[string]
	tags              canonical.Opt[[]string]
},
) {
	*name = r.name.Or(*name)
	if !r.description.IsZero() {
		*description = optional(r.description.Or(""))
	}
	if !r.tags.IsZero() {
		*tags = append([]string{}, r.tags.Or(nil)...)
	}
}

// changes are the fields that all updates of networking have.
type changes = struct {
	name, description canonical.Opt[string]
	tags              canonical.Opt[[]string]
}

// set is the value of o where it has one.
func set[T any](to *T, o canonical.Opt[T]) {
	if v, ok := o.Get(); ok {
		*to = v
	}
}

// next is the number of the revision after one.
func next(revision *int) *int {
	n := *revision + 1
	return &n
}

// nothing is the reply of what has no result.
func nothing(err error) (canonical.TypedReply[canonical.None], error) {
	return canonical.TypedReply[canonical.None]{}, err
}

func yes(p *bool) bool { return p == nil || *p }

func (c *Cloud) createNetwork(r canonical.NetworkCreate) (canonical.TypedReply[canonical.Network], error) {
	now, mtu, security, revision := c.now(), defaultMTU, yes(r.PortSecurity), 1
	if r.MTU > 0 {
		mtu = r.MTU
	}
	n := canonical.Network{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, Description: optional(r.Description), CIDRs: []string{}, Subnets: []canonical.ID{},
		Shared: r.Shared, External: r.External, AdminUp: yes(r.AdminUp), Status: canonical.NetworkActive, NativeStatus: "active",
		MTU: &mtu, PortSecurity: &security, Tags: []string{}, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}
	c.networks = append(c.networks, n)
	return reply(copyNetwork(n), nil)
}

func (c *Cloud) updateNetwork(r canonical.NetworkUpdate) (canonical.TypedReply[canonical.Network], error) {
	n, err := c.findNetwork(r.ID)
	if err != nil {
		return refuse[canonical.Network](err)
	}
	c.change(&n.Name, &n.Description, &n.Tags, changes{r.Name, r.Description, r.Tags})
	set(&n.Shared, r.Shared)
	set(&n.External, r.External)
	set(&n.AdminUp, r.AdminUp)
	if mtu, ok := r.MTU.Get(); ok {
		n.MTU = &mtu
	}
	if security, ok := r.PortSecurity.Get(); ok {
		n.PortSecurity = &security
	}
	now := c.now()
	n.UpdatedAt, n.Revision = &now, next(n.Revision)
	for _, s := range c.servers { // a server tells the name of its networks
		if slices.ContainsFunc(s.nics, func(id canonical.ID) bool { return c.ports[id].NetworkID == r.ID }) {
			c.tell(s)
		}
	}
	return reply(copyNetwork(*n), nil)
}

func (c *Cloud) deleteNetwork(r canonical.NetworkDelete) (canonical.TypedReply[canonical.None], error) {
	n, err := c.findNetwork(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	var left []string
	for _, p := range c.ports {
		if p.NetworkID == r.ID {
			left = append(left, string(p.ID))
		}
	}
	joined := slices.ContainsFunc(c.routers, func(router canonical.Router) bool {
		return router.ExternalNetwork != nil && *router.ExternalNetwork == r.ID
	})
	floats := slices.ContainsFunc(c.floatingIPs, func(f canonical.FloatingIP) bool { return f.NetworkID == r.ID })
	if slices.Sort(left); len(left) > 0 || joined || floats {
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition,
			"Unable to complete operation on network %s. There are one or more ports still in use on the network, id for these ports is: %s.",
			n.ID, strings.Join(left, ",")))
	}
	c.subnets = slices.DeleteFunc(c.subnets, func(s canonical.Subnet) bool { return s.NetworkID == r.ID })
	c.networks = without(c.networks, r.ID)
	return reply(canonical.None{}, nil)
}
