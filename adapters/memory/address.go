package memory

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// used says whether somebody has an address of a subnet.
func (c *Cloud) isUsed(subnet canonical.ID, ip string) bool { return c.used[string(subnet)+ip] }

// lease takes an address of a subnet: ip, or one that is free where that is "".
func (c *Cloud) lease(s *canonical.Subnet, field, ip string) (canonical.FixedIP, error) {
	prefix, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return canonical.FixedIP{}, canonical.Errorf(canonical.Internal, "subnet %s: %w", s.ID, err)
	}
	if ip == "" {
		ip = c.free(s)
	}
	switch addr, err := netip.ParseAddr(ip); {
	case ip == "":
		return canonical.FixedIP{}, canonical.Errorf(canonical.QuotaExceeded, "no more IP addresses available on network %s", s.NetworkID)
	case err != nil || !prefix.Contains(addr):
		return canonical.FixedIP{}, canonical.Invalid(field, "is not in %s", prefix)
	case c.isUsed(s.ID, ip):
		return canonical.FixedIP{}, &canonical.Error{
			Code: canonical.AlreadyExists, Detail: fmt.Sprintf("IP address %s already allocated in subnet %s", ip, s.ID),
			Fields: []canonical.FieldError{{Field: field, Reason: "is in use"}},
		}
	}
	c.used[string(s.ID)+ip] = true
	return canonical.FixedIP{IP: ip, SubnetID: s.ID}, nil
}

// release gives addresses back.
func (c *Cloud) release(all []canonical.FixedIP) {
	for _, f := range all {
		delete(c.used, string(f.SubnetID)+f.IP)
	}
}

// free is an address of the subnet's pools that nobody has, "" where there is none. It
// goes on behind the one that it gave last, so that addresses that were given back come
// again as late as can be.
func (c *Cloud) free(s *canonical.Subnet) string {
	last, begun := c.lastFree[s.ID]
	if ip := c.freeAfter(s, last, begun); ip.IsValid() {
		c.lastFree[s.ID] = ip
		return ip.String()
	}
	if ip := c.freeAfter(s, netip.Addr{}, false); ip.IsValid() {
		c.lastFree[s.ID] = ip
		return ip.String()
	}
	return ""
}

func (c *Cloud) freeAfter(s *canonical.Subnet, last netip.Addr, begun bool) netip.Addr {
	for _, p := range s.Pools {
		start, err1 := netip.ParseAddr(p.Start)
		end, err2 := netip.ParseAddr(p.End)
		if err1 != nil || err2 != nil || begun && end.Compare(last) <= 0 {
			continue
		}
		if begun && start.Compare(last) <= 0 {
			start = last.Next()
		}
		for ip := start; ip.IsValid() && ip.Compare(end) <= 0; ip = ip.Next() {
			if !c.isUsed(s.ID, ip.String()) {
				return ip
			}
		}
	}
	return netip.Addr{}
}

// mac is a hardware address that no port has.
func (c *Cloud) mac() string {
	c.macs++
	n := c.macs
	return fmt.Sprintf("fa:16:3e:%02x:%02x:%02x", byte(n>>16), byte(n>>8), byte(n))
}

// tell puts the addresses and the groups of its ports into a server.
func (c *Cloud) tell(s *server) {
	s.Addresses, s.SecurityGroups = []canonical.Address{}, []canonical.Link{}
	for _, id := range s.nics {
		p := c.ports[id]
		for _, f := range p.FixedIPs {
			s.Addresses = append(s.Addresses, c.address(p, f.IP, canonical.FixedAddress))
			for _, floating := range c.floatingIPs {
				if floating.PortID != nil && *floating.PortID == p.ID && *floating.FixedIP == f.IP {
					s.Addresses = append(s.Addresses, c.address(p, floating.IP, canonical.FloatingAddress))
				}
			}
		}
		for _, group := range p.SecurityGroups {
			if slices.ContainsFunc(s.SecurityGroups, func(l canonical.Link) bool { return l.ID == group }) {
				continue
			}
			if g, err := c.findGroup(group); err == nil {
				s.SecurityGroups = append(s.SecurityGroups, canonical.Link{ID: g.ID, Name: own(&g.Name)})
			}
		}
	}
}

func (c *Cloud) address(p *port, ip string, kind canonical.AddressKind) canonical.Address {
	a := canonical.Address{NetworkID: own(&p.NetworkID), IP: ip, Version: versionOf(ip), MAC: own(&p.MAC), Kind: kind, InterfaceID: own(&p.ID)}
	if n, err := c.findNetwork(p.NetworkID); err == nil {
		a.Network = n.Name
	}
	return a
}

func versionOf(ip string) int {
	if addr, err := netip.ParseAddr(ip); err == nil && addr.Is6() {
		return 6
	}
	return 4
}
