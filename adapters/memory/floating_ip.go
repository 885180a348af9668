package memory

import (
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copyFloatingIP(f canonical.FloatingIP) canonical.FloatingIP {
	f.FixedIP, f.PortID, f.RouterID, f.Description = own(f.FixedIP), own(f.PortID), own(f.RouterID), own(f.Description)
	f.Tags, f.Revision, f.CreatedAt, f.UpdatedAt = slices.Clone(f.Tags), own(f.Revision), own(f.CreatedAt), own(f.UpdatedAt)
	return f
}

func (c *Cloud) listFloatingIPs(r canonical.FloatingIPList) (canonical.TypedReply[canonical.Page[canonical.FloatingIP]], error) {
	return arrange(those(c.floatingIPs, r.Match), r.ListOptions, copyFloatingIP)
}

func (c *Cloud) findFloatingIP(id canonical.ID) (*canonical.FloatingIP, error) {
	return findIn(c.floatingIPs, "floating IP", id)
}

func (c *Cloud) getFloatingIP(r canonical.FloatingIPGet) (canonical.TypedReply[canonical.FloatingIP], error) {
	return byID(c.floatingIPs, "floating IP", r.ID, copyFloatingIP)
}

func (c *Cloud) createFloatingIP(r canonical.FloatingIPCreate) (canonical.TypedReply[canonical.FloatingIP], error) {
	n, ok := pick(c.networks, string(r.Network))
	switch {
	case !ok:
		return refuse[canonical.FloatingIP](canonical.Invalid("network", "there is no network %q", r.Network))
	case !n.External:
		return refuse[canonical.FloatingIP](canonical.Invalid("network", "Network %s is not a valid external network", n.ID))
	}
	leased, err := c.leaseAll(n.ID, floatingChoice(r))
	if err != nil {
		return refuse[canonical.FloatingIP](err)
	}
	if len(leased) == 0 {
		return refuse[canonical.FloatingIP](canonical.Invalid("network", "has no subnet"))
	}
	now, revision := c.now(), 0
	f := canonical.FloatingIP{
		ID: canonical.ID(uuid.NewString()), IP: leased[0].IP, NetworkID: n.ID, Description: optional(r.Description),
		Status: canonical.NetworkDown, NativeStatus: "down", Tags: []string{}, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}
	if r.Port != "" {
		if err := c.lead(&f, r.Port, r.FixedIP); err != nil {
			c.release(leased)
			return refuse[canonical.FloatingIP](err)
		}
	}
	c.floatingIPs = append(c.floatingIPs, f)
	c.tellPort(f.PortID)
	return reply(copyFloatingIP(f), nil)
}

func floatingChoice(r canonical.FloatingIPCreate) (o canonical.Opt[[]canonical.FixedIP]) {
	if r.IP != "" || r.Subnet != "" {
		return canonical.Some([]canonical.FixedIP{{IP: r.IP, SubnetID: r.Subnet}})
	}
	return o
}

// lead lets a floating IP lead to an address of a port that a router joins with it.
func (c *Cloud) lead(f *canonical.FloatingIP, to canonical.ID, fixed string) error {
	p, err := c.findPort(to)
	if err != nil {
		return canonical.Invalid("port", "there is no port %s", to)
	}
	if fixed == "" && len(p.FixedIPs) > 0 {
		fixed = p.FixedIPs[0].IP
	}
	if !slices.ContainsFunc(p.FixedIPs, func(f canonical.FixedIP) bool { return f.IP == fixed }) {
		return canonical.Invalid("fixed_ip", "Port %s does not have fixed ip %s", to, fixed)
	}
	for _, other := range c.floatingIPs {
		if other.ID != f.ID && other.PortID != nil && *other.PortID == to && *other.FixedIP == fixed {
			return canonical.Errorf(canonical.FailedPrecondition,
				"Cannot associate floating IP %s (%s) with port %s using fixed IP %s, as that fixed IP already has a floating IP on external network %s.",
				f.IP, f.ID, to, fixed, other.NetworkID)
		}
	}
	router := c.routerBetween(f.NetworkID, p.NetworkID)
	if router == nil {
		return canonical.Errorf(canonical.NotFound,
			"External network %s is not reachable from subnet %s.  Therefore, cannot associate Port %s with a Floating IP.",
			f.NetworkID, p.FixedIPs[0].SubnetID, to)
	}
	f.RouterID = &router.ID
	c.point(f, &p.ID, &fixed)
	return nil
}

// point notes where a floating IP leads; nil is nowhere.
func (c *Cloud) point(f *canonical.FloatingIP, to *canonical.ID, fixed *string) {
	f.PortID, f.FixedIP, f.Status, f.NativeStatus = own(to), own(fixed), canonical.NetworkDown, "down"
	if to == nil {
		f.RouterID = nil
	} else {
		f.Status, f.NativeStatus = canonical.NetworkActive, "active"
	}
	now := c.now()
	f.UpdatedAt, f.Revision = &now, next(f.Revision)
}

// tellPort lets a port's server know its addresses.
func (c *Cloud) tellPort(id *canonical.ID) {
	if id == nil {
		return
	}
	if p := c.ports[*id]; p != nil && p.server != nil {
		c.tell(p.server)
	}
}

func (c *Cloud) updateFloatingIP(r canonical.FloatingIPUpdate) (canonical.TypedReply[canonical.FloatingIP], error) {
	f, err := c.findFloatingIP(r.ID)
	if err != nil {
		return refuse[canonical.FloatingIP](err)
	}
	before := own(f.PortID)
	switch port, given := r.Port.Get(); {
	case given:
		err = c.lead(f, port, r.FixedIP.Or(""))
	case r.Port.IsNull():
		c.point(f, nil, nil)
	case !r.FixedIP.IsZero() && f.PortID == nil:
		err = canonical.Invalid("fixed_ip", "needs a port")
	case !r.FixedIP.IsZero():
		err = c.lead(f, *f.PortID, r.FixedIP.Or(""))
	}
	if err != nil {
		return refuse[canonical.FloatingIP](err)
	}
	if !r.Description.IsZero() {
		f.Description = optional(r.Description.Or(""))
	}
	if !r.Tags.IsZero() {
		f.Tags = append([]string{}, r.Tags.Or(nil)...)
	}
	now := c.now()
	f.UpdatedAt, f.Revision = &now, next(f.Revision)
	c.tellPort(before)
	c.tellPort(f.PortID)
	return reply(copyFloatingIP(*f), nil)
}

func (c *Cloud) deleteFloatingIP(r canonical.FloatingIPDelete) (canonical.TypedReply[canonical.None], error) {
	f, err := c.findFloatingIP(r.ID)
	if err != nil {
		return nothing(err)
	}
	ip, network, port := f.IP, f.NetworkID, own(f.PortID)
	c.floatingIPs = without(c.floatingIPs, r.ID)
	for _, s := range c.subnetsOf(network) {
		delete(c.used, string(s.ID)+ip)
	}
	c.tellPort(port)
	return nothing(nil)
}

// floatingBy is the floating IP of an address.
func (c *Cloud) floatingBy(address string) (*canonical.FloatingIP, error) {
	i := slices.IndexFunc(c.floatingIPs, func(f canonical.FloatingIP) bool { return f.IP == address })
	if i < 0 {
		return nil, canonical.Errorf(canonical.NotFound, "floating IP not found for address %s", address)
	}
	return &c.floatingIPs[i], nil
}

func (c *Cloud) associateFloatingIP(r canonical.FloatingIPAssociate) (canonical.TypedReply[canonical.None], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return nothing(err)
	}
	f, err := c.floatingBy(r.Address)
	if err != nil {
		return nothing(err)
	}
	for _, id := range s.nics {
		for _, at := range c.ports[id].FixedIPs {
			if r.FixedIP == "" || at.IP == r.FixedIP {
				before := own(f.PortID)
				if err := c.lead(f, id, at.IP); err != nil {
					return nothing(err)
				}
				c.tellPort(before)
				c.tell(s)
				return nothing(nil)
			}
		}
	}
	if r.FixedIP != "" {
		return nothing(canonical.Invalid("fixed_ip", "the server has no such address"))
	}
	return nothing(canonical.Errorf(canonical.FailedPrecondition, "server %s has no address for a floating IP to lead to", r.ID))
}

func (c *Cloud) disassociateFloatingIP(r canonical.FloatingIPDisassociate) (canonical.TypedReply[canonical.None], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return nothing(err)
	}
	f, err := c.floatingBy(r.Address)
	switch {
	case err != nil:
		return nothing(err)
	case f.PortID == nil || !slices.Contains(s.nics, *f.PortID):
		return nothing(canonical.Errorf(canonical.Conflict, "floating IP %s is not associated with server %s", r.Address, r.ID))
	}
	c.point(f, nil, nil)
	c.tell(s)
	return nothing(nil)
}

func (c *Cloud) listPools(r canonical.FloatingIPPoolList) (canonical.TypedReply[canonical.Page[canonical.FloatingIPPool]], error) {
	var all []canonical.FloatingIPPool
	for _, n := range c.networks {
		if n.External {
			all = append(all, canonical.FloatingIPPool{ID: n.ID, Name: n.Name})
		}
	}
	return arrange(those(all, r.Match), r.ListOptions, func(p canonical.FloatingIPPool) canonical.FloatingIPPool { return p })
}
