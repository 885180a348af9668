package memory

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// allocate gives every server of a create its ports: all of them or none.
func (c *Cloud) allocate(r canonical.ServerCreate) ([][]*port, error) {
	groups, err := c.groupIDs("security_groups", r.SecurityGroups)
	if err != nil {
		return nil, err
	}
	homes := make([][]*port, r.HowMany())
	for i := range homes {
		home, err := c.home(r, groups)
		homes[i] = home
		if err != nil {
			for _, home := range homes {
				c.undoPorts(home)
			}
			return nil, err
		}
	}
	return homes, nil
}

// undoPorts takes back what was made for a server that will not be.
func (c *Cloud) undoPorts(home []*port) {
	for _, p := range home {
		if p.forServer {
			c.removePort(p)
		} else {
			p.reserved = false
		}
	}
}

// home is one server's ports; with an error, those that were taken before it.
func (c *Cloud) home(r canonical.ServerCreate, groups []canonical.ID) ([]*port, error) {
	out := []*port{}
	choices := r.Networks.List
	switch r.Networks.Mode {
	case canonical.NetworksNone:
		return out, nil
	case canonical.NetworksUnset, canonical.NetworksAuto:
		choices = []canonical.NetworkChoice{{Network: canonical.Ref(c.networks[0].ID)}}
	case canonical.NetworksList:
	}
	for i, choice := range choices {
		at := fmt.Sprintf("networks.%d", i)
		if choice.Interface != "" && r.HowMany() > 1 {
			return out, canonical.Invalid(at+".interface", "is for one server only")
		}
		p, err := c.take(at, choice, groups)
		if err != nil {
			return out, err
		}
		out = append(out, p)
	}
	return out, nil
}

// take is the port that is chosen, or a new one on the chosen network.
func (c *Cloud) take(at string, choice canonical.NetworkChoice, groups []canonical.ID) (*port, error) {
	if choice.Interface != "" {
		return c.takePort(at+".interface", choice.Interface)
	}
	n, ok := pick(c.networks, string(choice.Network))
	if !ok {
		return nil, canonical.Invalid(at+".network", "there is no network %q", choice.Network)
	}
	if len(choice.SecurityGroups) > 0 {
		var err error
		if groups, err = c.groupIDs(at+".security_groups", choice.SecurityGroups); err != nil {
			return nil, err
		}
	}
	ips, err := c.addressesFor(at, n, choice)
	if err != nil {
		return nil, err
	}
	p := c.newPort(n.ID)
	p.forServer, p.FixedIPs, p.MAC = true, ips, c.mac()
	if p.PortSecurity = own(n.PortSecurity); !yes(n.PortSecurity) {
		groups = nil
	} else if len(groups) == 0 {
		groups = []canonical.ID{c.groups[0].ID}
	}
	p.SecurityGroups = append(p.SecurityGroups, groups...)
	c.ports[p.ID] = p
	return p, nil
}

// takePort is a port that nobody has.
func (c *Cloud) takePort(field string, id canonical.ID) (*port, error) {
	switch p, err := c.findPort(id); {
	case err != nil:
		return nil, canonical.Invalid(field, "there is no port %s", id)
	case p.reserved || p.Device != nil:
		e := canonical.Invalid(field, "Port %s is still in use.", id)
		e.Code, e.Detail = canonical.FailedPrecondition, "Port "+string(id)+" is still in use."
		return nil, e
	default:
		p.reserved = true
		return p, nil
	}
}

// addressesFor are the addresses of a new port of a server.
func (c *Cloud) addressesFor(at string, n canonical.Network, choice canonical.NetworkChoice) ([]canonical.FixedIP, error) {
	var s *canonical.Subnet
	switch {
	case len(n.Subnets) == 0:
		return nil, canonical.Invalid(at+".network", "Network %s requires a subnet in order to boot instances on.", n.ID)
	case choice.Subnet != "":
		got, err := c.findSubnet(choice.Subnet)
		if err != nil || got.NetworkID != n.ID {
			return nil, canonical.Invalid(at+".subnet", "is not a subnet of the network")
		}
		s = got
	case choice.IP != "":
		for _, of := range c.subnetsOf(n.ID) {
			if inRange(of, choice.IP) {
				s = of
			}
		}
		if s == nil {
			return nil, canonical.Invalid(at+".ip", "is not in %v", n.CIDRs)
		}
	default:
		return c.leaseDefault(n.ID)
	}
	f, err := c.lease(s, at+".ip", choice.IP)
	if canonical.CodeOf(err) == canonical.AlreadyExists { // Nova finds fault with the request
		err = canonical.Invalid(at+".ip", "Fixed IP address %s is already in use", choice.IP)
	}
	return []canonical.FixedIP{f}, err
}

func inRange(s *canonical.Subnet, ip string) bool {
	prefix, err1 := netip.ParsePrefix(s.CIDR)
	addr, err2 := netip.ParseAddr(ip)
	return err1 == nil && err2 == nil && prefix.Contains(addr)
}

// settleIn gives a new server its ports.
func (c *Cloud) settleIn(s *server, home []*port) {
	for _, p := range home {
		p.reserved = false
		c.bind(p, s)
	}
	c.tell(s)
}

// moveOut takes a server's ports from it: those that were made for it are gone.
func (c *Cloud) moveOut(s *server) {
	for len(s.nics) > 0 {
		if p := c.ports[s.nics[0]]; p.forServer {
			c.removePort(p)
		} else {
			c.unbind(p)
		}
	}
}

func (p *port) asInterface() canonical.Interface {
	q := p.copy()
	return canonical.Interface{
		ID: q.ID, NetworkID: q.NetworkID, MAC: q.MAC, State: q.Status, NativeStatus: q.NativeStatus, FixedIPs: q.FixedIPs, Tag: own(p.tag),
	}
}

func (c *Cloud) listInterfaces(r canonical.InterfaceList) (canonical.TypedReply[canonical.Page[canonical.Interface]], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Page[canonical.Interface]](err)
	}
	out := make([]canonical.Interface, 0, len(s.nics))
	for _, id := range s.nics {
		out = append(out, c.ports[id].asInterface())
	}
	return arrange(out, r.ListOptions, func(i canonical.Interface) canonical.Interface { return i })
}

// nic is a port that a server has.
func (c *Cloud) nic(server, id canonical.ID) (*port, error) {
	if _, err := c.find(server); err != nil {
		return nil, err
	}
	p, err := c.findPort(id)
	if err == nil && (p.ServerID == nil || *p.ServerID != server) {
		err = canonical.Errorf(canonical.NotFound, "server %s has no interface %s", server, id)
	}
	return p, err
}

func (c *Cloud) getInterface(r canonical.InterfaceGet) (canonical.TypedReply[canonical.Interface], error) {
	p, err := c.nic(r.ID, r.Interface)
	if err != nil {
		return refuse[canonical.Interface](err)
	}
	return reply(p.asInterface(), nil)
}

// pluggable are the states in which Nova attaches and detaches interfaces.
var pluggable = states{canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused}

func (c *Cloud) attachInterface(r canonical.InterfaceAttach) (canonical.TypedReply[canonical.Interface], error) {
	s, err := c.ready(r.ID, "attach_interface", pluggable)
	if err != nil {
		return refuse[canonical.Interface](err)
	}
	var p *port
	if r.Interface != "" {
		p, err = c.takePort("interface", r.Interface)
	} else {
		network := r.Network
		if network == "" {
			network = canonical.Ref(c.networks[0].ID)
		}
		p, err = c.take("networks.0", canonical.NetworkChoice{Network: network, IP: r.IP}, nil)
	}
	if err != nil {
		return refuse[canonical.Interface](plainFields(err))
	}
	c.settleIn(s, []*port{p})
	p.tag = optional(r.Tag)
	now := c.now()
	s.UpdatedAt = &now
	return reply(p.asInterface(), nil)
}

// plainFields names the fields of an attach where take names those of a create.
func plainFields(err error) error {
	e := *canonical.AsError(err)
	for i, f := range e.Fields {
		e.Fields[i].Field = strings.TrimPrefix(f.Field, "networks.0.")
	}
	return &e
}

func (c *Cloud) detachInterface(r canonical.InterfaceDetach) (canonical.TypedReply[canonical.None], error) {
	p, err := c.nic(r.ID, r.Interface)
	if err != nil {
		return refuse[canonical.None](err)
	}
	s, err := c.ready(r.ID, "detach_interface", pluggable)
	if err != nil {
		return refuse[canonical.None](err)
	}
	if p.forServer {
		c.removePort(p)
	} else {
		c.unbind(p)
	}
	now := c.now()
	s.UpdatedAt = &now
	return reply(canonical.None{}, nil)
}

func (c *Cloud) listAddresses(r canonical.ServerAddressList) (canonical.TypedReply[canonical.ServerAddresses], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.ServerAddresses](err)
	}
	out, known := []canonical.Address{}, r.Network == ""
	for _, a := range s.copy().Addresses {
		if r.Network == "" || a.Network == r.Network {
			out, known = append(out, a), true
		}
	}
	if !known {
		return refuse[canonical.ServerAddresses](canonical.Errorf(canonical.NotFound, "server %s is not on a network %s", r.ID, r.Network))
	}
	return reply(canonical.ServerAddresses{Items: out}, nil)
}
