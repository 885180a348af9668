package memory

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copySubnet(s canonical.Subnet) canonical.Subnet {
	s.Description, s.GatewayIP, s.Revision = own(s.Description), own(s.GatewayIP), own(s.Revision)
	s.IPv6AddressMode, s.IPv6RAMode = own(s.IPv6AddressMode), own(s.IPv6RAMode)
	s.Pools, s.DNSServers, s.Routes, s.Tags = slices.Clone(s.Pools), slices.Clone(s.DNSServers), slices.Clone(s.Routes), slices.Clone(s.Tags)
	s.CreatedAt, s.UpdatedAt = own(s.CreatedAt), own(s.UpdatedAt)
	return s
}

func (c *Cloud) listSubnets(r canonical.SubnetList) (canonical.TypedReply[canonical.Page[canonical.Subnet]], error) {
	return arrange(those(c.subnets, r.Match), r.ListOptions, copySubnet)
}

func (c *Cloud) getSubnet(r canonical.SubnetGet) (canonical.TypedReply[canonical.Subnet], error) {
	return byID(c.subnets, "subnet", r.ID, copySubnet)
}

func (c *Cloud) findSubnet(id canonical.ID) (*canonical.Subnet, error) {
	return findIn(c.subnets, "subnet", id)
}

// subnetsOf are the subnets of a network, by age.
func (c *Cloud) subnetsOf(network canonical.ID) []*canonical.Subnet {
	var out []*canonical.Subnet
	for i := range c.subnets {
		if c.subnets[i].NetworkID == network {
			out = append(out, &c.subnets[i])
		}
	}
	return out
}

func (c *Cloud) createSubnet(r canonical.SubnetCreate) (canonical.TypedReply[canonical.Subnet], error) {
	n, ok := pick(c.networks, string(r.Network))
	if !ok {
		return refuse[canonical.Subnet](canonical.Invalid("network", "there is no network %q", r.Network))
	}
	prefix, err := netip.ParsePrefix(r.CIDR)
	if err != nil {
		return refuse[canonical.Subnet](canonical.Errorf(canonical.Internal, "a range that was checked: %w", err))
	}
	prefix = prefix.Masked()
	for _, other := range c.subnetsOf(n.ID) {
		if taken, err := netip.ParsePrefix(other.CIDR); err == nil && taken.Overlaps(prefix) {
			return refuse[canonical.Subnet](canonical.Invalid("cidr", "Requested subnet with cidr: %s for network: %s overlaps with another subnet", prefix, n.ID))
		}
	}
	now, revision := c.now(), 0
	s := canonical.Subnet{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, Description: optional(r.Description), NetworkID: n.ID,
		IPVersion: versionOf(prefix.Addr().String()), CIDR: prefix.String(), GatewayIP: gatewayOf(prefix, r.GatewayIP), DHCP: yes(r.DHCP),
		Pools: append([]canonical.AddressPool{}, r.Pools...), DNSServers: append([]string{}, r.DNSServers...),
		Routes: append([]canonical.Route{}, r.Routes...), IPv6AddressMode: optional(r.IPv6AddressMode), IPv6RAMode: optional(r.IPv6RAMode),
		Tags: []string{}, Revision: &revision, CreatedAt: &now, UpdatedAt: &now,
	}
	if len(s.Pools) == 0 {
		s.Pools = poolsOf(prefix, s.GatewayIP)
	}
	if err := poolsFit(s.Pools, prefix, s.GatewayIP); err != nil {
		return refuse[canonical.Subnet](err)
	}
	c.subnets = append(c.subnets, s)
	c.knowSubnets(n.ID)
	return reply(copySubnet(s), nil)
}

// knowSubnets puts into a network what its subnets are.
func (c *Cloud) knowSubnets(network canonical.ID) {
	n, err := c.findNetwork(network)
	if err != nil {
		return // it goes with them
	}
	n.CIDRs, n.Subnets = []string{}, []canonical.ID{}
	for _, s := range c.subnetsOf(network) {
		n.CIDRs, n.Subnets = append(n.CIDRs, s.CIDR), append(n.Subnets, s.ID)
	}
}

// gatewayOf is what is asked for, or the first address of the range.
func gatewayOf(prefix netip.Prefix, asked canonical.Opt[string]) *string {
	switch ip, given := asked.Get(); {
	case given:
		return &ip
	case asked.IsNull():
		return nil
	}
	return optional(prefix.Addr().Next().String())
}

// poolsOf is all of a range but its first and last address and the gateway.
func poolsOf(prefix netip.Prefix, gateway *string) []canonical.AddressPool {
	first, last := prefix.Addr().Next(), lastOf(prefix)
	if !first.IsValid() || first.Compare(last) > 0 {
		return []canonical.AddressPool{}
	}
	pool := func(a, b netip.Addr) []canonical.AddressPool {
		if a.Compare(b) > 0 {
			return nil
		}
		return []canonical.AddressPool{{Start: a.String(), End: b.String()}}
	}
	if gateway == nil {
		return pool(first, last)
	}
	g, err := netip.ParseAddr(*gateway)
	if err != nil || g.Compare(first) < 0 || g.Compare(last) > 0 {
		return pool(first, last)
	}
	return append(append([]canonical.AddressPool{}, pool(first, g.Prev())...), pool(g.Next(), last)...)
}

// lastOf is the last address of a range that something may have: of IPv4 the one before
// the broadcast.
func lastOf(prefix netip.Prefix) netip.Addr {
	b := prefix.Addr().As16()
	host := 128 - prefix.Bits()
	if prefix.Addr().Is4() {
		host = 32 - prefix.Bits()
	}
	high, low := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	if host >= 64 {
		high |= 1<<(host-64) - 1
		low = ^uint64(0)
	} else {
		low |= 1<<host - 1
	}
	binary.BigEndian.PutUint64(b[:8], high)
	binary.BigEndian.PutUint64(b[8:], low)
	last := netip.AddrFrom16(b)
	if prefix.Addr().Is4() {
		return last.Unmap().Prev()
	}
	return last
}

// poolsFit refuses pools that leave the range, hold the gateway, or overlap.
func poolsFit(pools []canonical.AddressPool, prefix netip.Prefix, gateway *string) error {
	var g netip.Addr
	if gateway != nil {
		addr, err := netip.ParseAddr(*gateway)
		if err != nil || addr.Is4() != prefix.Addr().Is4() {
			return canonical.Invalid("gateway_ip", "is not an address of the range's version")
		}
		g = addr
	}
	type span struct{ start, end netip.Addr }
	var all []span
	for _, p := range pools {
		s := span{netip.MustParseAddr(p.Start), netip.MustParseAddr(p.End)}
		switch {
		case !prefix.Contains(s.start) || !prefix.Contains(s.end):
			return canonical.Invalid("pools", "the pool %s-%s spans beyond the subnet cidr %s", p.Start, p.End, prefix)
		case g.IsValid() && s.start.Compare(g) <= 0 && g.Compare(s.end) <= 0:
			return &canonical.Error{
				Code: canonical.FailedPrecondition, Detail: "Gateway ip " + g.String() + " conflicts with allocation pool " + p.Start + "-" + p.End + ".",
				Fields: []canonical.FieldError{{Field: "gateway_ip", Reason: "is in a pool"}},
			}
		case slices.ContainsFunc(all, func(o span) bool { return s.start.Compare(o.end) <= 0 && o.start.Compare(s.end) <= 0 }):
			return canonical.Errorf(canonical.FailedPrecondition, "Found overlapping allocation pools: %s-%s", p.Start, p.End)
		}
		all = append(all, s)
	}
	return nil
}

func (c *Cloud) updateSubnet(r canonical.SubnetUpdate) (canonical.TypedReply[canonical.Subnet], error) {
	s, err := c.findSubnet(r.ID)
	if err != nil {
		return refuse[canonical.Subnet](err)
	}
	gateway, pools := merged(s.GatewayIP, r.GatewayIP), s.Pools
	if !r.Pools.IsZero() {
		pools = append([]canonical.AddressPool{}, r.Pools.Or(nil)...)
	}
	prefix, err := netip.ParsePrefix(s.CIDR)
	if err == nil {
		err = poolsFit(pools, prefix, gateway)
	}
	if err != nil {
		return refuse[canonical.Subnet](err)
	}
	c.change(&s.Name, &s.Description, &s.Tags, changes{r.Name, r.Description, r.Tags})
	s.GatewayIP, s.Pools = gateway, pools
	set(&s.DHCP, r.DHCP)
	if !r.DNSServers.IsZero() {
		s.DNSServers = append([]string{}, r.DNSServers.Or(nil)...)
	}
	if !r.Routes.IsZero() {
		s.Routes = append([]canonical.Route{}, r.Routes.Or(nil)...)
	}
	now := c.now()
	s.UpdatedAt, s.Revision = &now, next(s.Revision)
	return reply(copySubnet(*s), nil)
}

func (c *Cloud) deleteSubnet(r canonical.SubnetDelete) (canonical.TypedReply[canonical.None], error) {
	s, err := c.findSubnet(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	network := s.NetworkID
	for _, p := range c.ports {
		if slices.ContainsFunc(p.FixedIPs, func(f canonical.FixedIP) bool { return f.SubnetID == r.ID }) {
			return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition,
				"Unable to complete operation on subnet %s: One or more ports have an IP allocation from this subnet.", r.ID))
		}
	}
	c.subnets = without(c.subnets, r.ID)
	delete(c.lastFree, r.ID)
	c.knowSubnets(network)
	return reply(canonical.None{}, nil)
}
