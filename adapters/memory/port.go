package memory

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// port is a port with what only this cloud knows.
type port struct {
	canonical.Port
	forServer bool // it was made for a server, and goes with it
	reserved  bool // a server that is being made will have it
	tag       *string
	server    *server // whose interface it is
}

func (p *port) copy() canonical.Port {
	out := p.Port
	if p.server != nil {
		out.Host = p.server.Host
	}
	for _, s := range []**string{&out.Description, &out.Device, &out.DeviceOwner, &out.VNICType, &out.Host} {
		*s = own(*s)
	}
	out.ServerID, out.PortSecurity, out.Revision = own(p.ServerID), own(p.PortSecurity), own(p.Revision)
	out.FixedIPs, out.SecurityGroups = slices.Clone(p.FixedIPs), slices.Clone(p.SecurityGroups)
	out.AddressPairs, out.Tags = slices.Clone(p.AddressPairs), slices.Clone(p.Tags)
	out.CreatedAt, out.UpdatedAt = own(p.CreatedAt), own(p.UpdatedAt)
	return out
}

func (c *Cloud) listPorts(r canonical.PortList) (canonical.TypedReply[canonical.Page[canonical.Port]], error) {
	found := make([]*port, 0, len(c.ports))
	for _, p := range c.ports {
		if r.Match(&p.Port) {
			found = append(found, p)
		}
	}
	return arrange(found, r.ListOptions, (*port).copy)
}

func (c *Cloud) findPort(id canonical.ID) (*port, error) {
	if p, ok := c.ports[id]; ok {
		return p, nil
	}
	return nil, canonical.Errorf(canonical.NotFound, "there is no port %s", id)
}

func (c *Cloud) getPort(r canonical.PortGet) (canonical.TypedReply[canonical.Port], error) {
	p, err := c.findPort(r.ID)
	if err != nil {
		return refuse[canonical.Port](err)
	}
	return reply(p.copy(), nil)
}

// newPort is a port on a network that is not among the cloud's yet.
func (c *Cloud) newPort(network canonical.ID) *port {
	now, security, revision := c.now(), true, 1
	return &port{Port: canonical.Port{
		ID: canonical.ID(uuid.NewString()), NetworkID: network, AdminUp: true, Status: canonical.NetworkDown, NativeStatus: "down",
		FixedIPs: []canonical.FixedIP{}, SecurityGroups: []canonical.ID{}, AddressPairs: []canonical.AddressPair{}, PortSecurity: &security,
		VNICType: optional("normal"), Tags: []string{}, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}}
}

func (c *Cloud) createPort(r canonical.PortCreate) (canonical.TypedReply[canonical.Port], error) {
	n, ok := pick(c.networks, string(r.Network))
	if !ok {
		return refuse[canonical.Port](canonical.Invalid("network", "there is no network %q", r.Network))
	}
	if err := c.macIsFree(n.ID, r.MAC, ""); err != nil {
		return refuse[canonical.Port](err)
	}
	p := c.newPort(n.ID)
	p.Name, p.Description, p.AdminUp = r.Name, optional(r.Description), yes(r.AdminUp)
	p.Device, p.DeviceOwner, p.Host = optional(r.Device), optional(r.DeviceOwner), optional(r.Host)
	p.AddressPairs, p.Tags = append(p.AddressPairs, r.AddressPairs...), append(p.Tags, r.Tags...)
	if p.PortSecurity = own(n.PortSecurity); r.PortSecurity != nil {
		p.PortSecurity = own(r.PortSecurity)
	}
	if r.VNICType != "" {
		p.VNICType = optional(r.VNICType)
	}
	var err error
	if p.SecurityGroups, err = c.groupsFor(r.SecurityGroups, *p.PortSecurity); err != nil {
		return refuse[canonical.Port](err)
	}
	if p.FixedIPs, err = c.leaseAll(n.ID, r.FixedIPs); err != nil {
		return refuse[canonical.Port](err)
	}
	if p.MAC = r.MAC; p.MAC == "" {
		p.MAC = c.mac()
	}
	c.ports[p.ID] = p
	return reply(p.copy(), nil)
}

// macIsFree refuses a hardware address that another port of the network has.
func (c *Cloud) macIsFree(network canonical.ID, mac string, but canonical.ID) error {
	for _, p := range c.ports {
		if mac != "" && p.MAC == mac && p.NetworkID == network && p.ID != but {
			return canonical.Errorf(canonical.FailedPrecondition, "Unable to complete operation for network %s. The mac address %s is in use.", network, mac)
		}
	}
	return nil
}

// groupsFor are the groups that a port asks for; the default one where it does not say
// and is filtered.
func (c *Cloud) groupsFor(asked canonical.Opt[[]canonical.Ref], filtered bool) ([]canonical.ID, error) {
	refs, given := asked.Get()
	switch {
	case !given && !filtered:
		return []canonical.ID{}, nil
	case !given:
		return []canonical.ID{c.groups[0].ID}, nil
	case len(refs) > 0 && !filtered:
		return nil, &canonical.Error{
			Code: canonical.FailedPrecondition, Detail: "Port security must be enabled and port must have an IP address in order to use security groups.",
			Fields: []canonical.FieldError{{Field: "security_groups", Reason: "the port is not filtered"}},
		}
	}
	return c.groupIDs("security_groups", refs)
}

func (c *Cloud) groupIDs(field string, refs []canonical.Ref) ([]canonical.ID, error) {
	out := []canonical.ID{}
	for i, ref := range refs {
		g, ok := pick(c.groups, string(ref))
		if !ok {
			return nil, canonical.Invalid(field+"."+strconv.Itoa(i), "there is no security group %q", ref)
		}
		if !slices.Contains(out, g.ID) {
			out = append(out, g.ID)
		}
	}
	return out, nil
}

// leaseAll takes the addresses that a port asks for: all of them or none. Where it does
// not say that is one of each version of IP.
func (c *Cloud) leaseAll(network canonical.ID, asked canonical.Opt[[]canonical.FixedIP]) ([]canonical.FixedIP, error) {
	wanted, given := asked.Get()
	if !given {
		return c.leaseDefault(network)
	}
	out := []canonical.FixedIP{}
	for i, f := range wanted {
		field := fmt.Sprintf("fixed_ips.%d", i)
		s, err := c.subnetFor(network, field, f)
		if err == nil {
			f, err = c.lease(s, field+".ip", f.IP)
		}
		if err != nil {
			c.release(out)
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// subnetFor is the subnet of the network that f means.
func (c *Cloud) subnetFor(network canonical.ID, field string, f canonical.FixedIP) (*canonical.Subnet, error) {
	if f.SubnetID == "" {
		for _, s := range c.subnetsOf(network) {
			if inRange(s, f.IP) {
				return s, nil
			}
		}
		return nil, canonical.Invalid(field+".ip", "is not a valid IP for any of the subnets of the network")
	}
	s, err := c.findSubnet(f.SubnetID)
	if err != nil || s.NetworkID != network {
		return nil, canonical.Invalid(field+".subnet_id", "is not a subnet of the network")
	}
	return s, nil
}

func (c *Cloud) leaseDefault(network canonical.ID) ([]canonical.FixedIP, error) {
	out := []canonical.FixedIP{}
	for _, version := range []int{4, 6} {
		of := slices.DeleteFunc(c.subnetsOf(network), func(s *canonical.Subnet) bool { return s.IPVersion != version })
		var full error
		for _, s := range of {
			f, err := c.lease(s, "fixed_ips", "")
			if full = err; err == nil {
				out = append(out, f)
				break
			}
		}
		if full != nil {
			c.release(out)
			return nil, full
		}
	}
	return out, nil
}

func (c *Cloud) updatePort(r canonical.PortUpdate) (canonical.TypedReply[canonical.Port], error) {
	p, err := c.findPort(r.ID)
	if err == nil {
		err = c.macIsFree(p.NetworkID, r.MAC.Or(""), p.ID)
	}
	if err != nil {
		return refuse[canonical.Port](err)
	}
	filtered := r.PortSecurity.Or(yes(p.PortSecurity))
	groups := p.SecurityGroups
	if !r.SecurityGroups.IsZero() {
		if groups, err = c.groupsFor(canonical.Some(r.SecurityGroups.Or(nil)), filtered); err != nil {
			return refuse[canonical.Port](err)
		}
	}
	if len(groups) > 0 && !filtered {
		return refuse[canonical.Port](canonical.Errorf(canonical.FailedPrecondition,
			"Port Security must be enabled in order to have allowed address pairs or security groups on a port: it is in a security group."))
	}
	if !r.FixedIPs.IsZero() {
		if err := c.readdress(p, r.FixedIPs.Or(nil)); err != nil {
			return refuse[canonical.Port](err)
		}
	}
	p.SecurityGroups, p.PortSecurity = groups, &filtered
	c.change(&p.Name, &p.Description, &p.Tags, changes{r.Name, r.Description, r.Tags})
	set(&p.MAC, r.MAC)
	set(&p.AdminUp, r.AdminUp)
	for _, f := range []struct {
		to **string
		o  canonical.Opt[string]
	}{{&p.Device, r.Device}, {&p.DeviceOwner, r.DeviceOwner}, {&p.VNICType, r.VNICType}, {&p.Host, r.Host}} {
		if !f.o.IsZero() {
			*f.to = optional(f.o.Or(""))
		}
	}
	if !r.AddressPairs.IsZero() {
		p.AddressPairs = append([]canonical.AddressPair{}, r.AddressPairs.Or(nil)...)
	}
	c.changed(p)
	return reply(p.copy(), nil)
}

// changed notes that a port is not what it was.
func (c *Cloud) changed(p *port) {
	now := c.now()
	p.UpdatedAt, p.Revision = &now, next(p.Revision)
	if p.server != nil {
		c.tell(p.server)
	}
}

// readdress gives a port other addresses; those that stay are kept.
func (c *Cloud) readdress(p *port, to []canonical.FixedIP) error {
	old := p.FixedIPs
	c.release(old)
	leased, err := c.leaseAll(p.NetworkID, canonical.Some(to))
	if err != nil {
		for _, f := range old {
			c.used[string(f.SubnetID)+f.IP] = true
		}
		return err
	}
	p.FixedIPs = leased
	return nil
}

func (c *Cloud) deletePort(r canonical.PortDelete) (canonical.TypedReply[canonical.None], error) {
	p, err := c.findPort(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case p.DeviceOwner != nil && *p.DeviceOwner == routerInterface:
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition,
			"Port %s cannot be deleted directly via the port API: has device owner %s.", r.ID, routerInterface))
	}
	c.removePort(p)
	return reply(canonical.None{}, nil)
}

// removePort takes a port away, from its server too.
func (c *Cloud) removePort(p *port) {
	c.unbind(p)
	c.release(p.FixedIPs)
	delete(c.ports, p.ID)
}

// bind gives a port to a server.
func (c *Cloud) bind(p *port, s *server) {
	id := s.ID
	device := string(id)
	p.server, p.ServerID, p.Device, p.DeviceOwner = s, &id, &device, optional("compute:"+*s.AvailabilityZone)
	p.Status, p.NativeStatus = canonical.NetworkActive, "active"
	s.nics = append(s.nics, p.ID)
	c.ports[p.ID] = p
}

// unbind takes a port from what has it.
func (c *Cloud) unbind(p *port) {
	for i := range c.floatingIPs {
		if f := &c.floatingIPs[i]; f.PortID != nil && *f.PortID == p.ID {
			c.point(f, nil, nil)
		}
	}
	s := p.server
	p.server, p.ServerID, p.Device, p.DeviceOwner, p.Host, p.tag = nil, nil, nil, nil, nil, nil
	p.Status, p.NativeStatus = canonical.NetworkDown, "down"
	if s != nil {
		s.nics = slices.DeleteFunc(s.nics, func(id canonical.ID) bool { return id == p.ID })
		c.tell(s)
	}
}
