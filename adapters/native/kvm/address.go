package kvm

import (
	"context"
	"encoding/binary"
	"encoding/xml"
	"net/netip"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// reserve makes libvirt's DHCP give one address to a MAC, and always that one: want,
// or where that is zero the next free one. Repeating it changes nothing. Where the
// network has no DHCP and none is wanted the answer is zero.
func (h *Host) reserve(ctx context.Context, name, mac string, want netip.Addr) (netip.Addr, error) {
	unlock, err := h.nets.lock(ctx, name)
	if err != nil {
		return netip.Addr{}, err
	}
	defer unlock()
	for try := 1; ; try++ {
		ip, err := h.reserveOnce(ctx, name, mac, want)
		// Another process may have been faster, or our own call on a connection that is
		// lost: the network tells.
		if !isCode(err, libvirt.ErrOperationInvalid) || try == tries {
			return ip, err
		}
	}
}

func (h *Host) reserveOnce(ctx context.Context, name, mac string, want netip.Addr) (netip.Addr, error) {
	n, err := h.networkNamed(ctx, name)
	if err != nil {
		return netip.Addr{}, err
	}
	if had, ok := n.reservedFor(mac); ok {
		if !want.IsValid() || want == had {
			return had, nil
		}
		return netip.Addr{}, canonical.Errorf(canonical.Conflict, "%s is reserved for this server on network %q, and not %s", had, name, want)
	}
	ip, index, err := n.choose(want)
	if err != nil || !ip.IsValid() {
		return ip, err
	}
	entry := libvirtxml.NetworkDHCPHost{MAC: mac, IP: ip.String()}
	return ip, h.updateHosts(ctx, n, libvirt.NetworkUpdateCommandAddLast, index, entry)
}

func (h *Host) networkNamed(ctx context.Context, name string) (network, error) {
	all, err := h.networks(ctx)
	if err != nil {
		return network{}, err
	}
	for _, n := range all {
		if n.handle.Name == name {
			return n, nil
		}
	}
	return network{}, canonical.Errorf(canonical.FailedPrecondition, "host %s has no network %q", h.opts.Name, name)
}

// hosts calls f for every reservation, with the number of the subnet that has it.
func (n network) hosts(f func(index int, host libvirtxml.NetworkDHCPHost)) {
	for i, ip := range n.def.IPs {
		if ip.DHCP == nil {
			continue
		}
		for _, host := range ip.DHCP.Hosts {
			f(i, host)
		}
	}
}

func (n network) reservedFor(mac string) (had netip.Addr, ok bool) {
	n.hosts(func(_ int, host libvirtxml.NetworkDHCPHost) {
		if strings.EqualFold(host.MAC, mac) {
			if ip, err := netip.ParseAddr(host.IP); err == nil {
				had, ok = ip, true
			}
		}
	})
	return had, ok
}

// taken are the addresses that must not be handed out.
func (n network) taken() map[netip.Addr]bool {
	out := map[netip.Addr]bool{}
	add := func(text string) {
		if ip, err := netip.ParseAddr(text); err == nil {
			out[ip] = true
		}
	}
	n.hosts(func(_ int, host libvirtxml.NetworkDHCPHost) { add(host.IP) })
	for _, ip := range n.def.IPs {
		add(ip.Address)
	}
	for _, l := range n.leases {
		add(l.Ipaddr)
	}
	return out
}

// choose finds an address and the number of its subnet.
func (n network) choose(want netip.Addr) (netip.Addr, int, error) {
	taken := n.taken()
	dhcp := false
	for i, ip := range n.def.IPs {
		s, ok := subnet(ip)
		// DHCPv6 knows clients by DUID, which nobody knows before the guest made it.
		if !ok || ip.DHCP == nil || !s.CIDR.Addr().Is4() {
			continue
		}
		dhcp = true
		if want.IsValid() {
			if s.CIDR.Contains(want) {
				return want, i, n.wanted(s, want, taken)
			}
			continue
		}
		if free, ok := s.free(taken); ok {
			return free, i, nil
		}
	}
	switch {
	case want.IsValid() && dhcp:
		return want, 0, canonical.Invalid("networks.ip", "%s is not in a subnet of network %q", want, n.handle.Name)
	case want.IsValid():
		return want, 0, canonical.Invalid("networks.ip", "%s cannot be given: network %q has no IPv4 DHCP of libvirt's", want, n.handle.Name)
	case dhcp:
		return want, 0, canonical.Errorf(canonical.QuotaExceeded, "network %q has no free address", n.handle.Name)
	default:
		return netip.Addr{}, 0, nil
	}
}

func (n network) wanted(s Subnet, want netip.Addr, taken map[netip.Addr]bool) error {
	switch {
	case want == s.CIDR.Addr(), want == last(s.CIDR):
		return canonical.Invalid("networks.ip", "%s is not an address for servers", want)
	case taken[want]:
		return canonical.Errorf(canonical.Conflict, "%s is in use on network %q", want, n.handle.Name)
	}
	return nil
}

// last is the broadcast address of an IPv4 subnet.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	n := binary.BigEndian.Uint32(b[:]) | (1<<(32-p.Bits()) - 1)
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

func (s Subnet) free(taken map[netip.Addr]bool) (netip.Addr, bool) {
	for _, r := range s.Ranges {
		for ip := r.First; ip.IsValid() && ip.Compare(r.Last) <= 0; ip = ip.Next() {
			if !taken[ip] && ip != last(s.CIDR) {
				return ip, true
			}
		}
	}
	return netip.Addr{}, false
}

// unreserve removes what is reserved for a server, on whatever networks.
func (h *Host) unreserve(ctx context.Context, id string) error {
	macs := map[string]bool{}
	for i := range maxNICs {
		macs[MAC(id, i)] = true
	}
	all, err := h.networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := h.unreserveOn(ctx, n, macs); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) unreserveOn(ctx context.Context, n network, macs map[string]bool) (err error) {
	n.hosts(func(i int, host libvirtxml.NetworkDHCPHost) {
		if err != nil || !macs[strings.ToLower(host.MAC)] {
			return
		}
		err = h.updateHosts(ctx, n, libvirt.NetworkUpdateCommandDelete, i, libvirtxml.NetworkDHCPHost{MAC: host.MAC, IP: host.IP})
		if gone(err) || isCode(err, libvirt.ErrOperationInvalid) { // somebody else was faster
			err = nil
		}
	})
	return err
}

// updateHosts changes the definition, and what runs by it.
func (h *Host) updateHosts(ctx context.Context, n network, do libvirt.NetworkUpdateCommand, index int, entry libvirtxml.NetworkDHCPHost) error {
	entry.XMLName = xml.Name{Local: "host"}
	text, err := xml.Marshal(&entry)
	if err != nil {
		return err
	}
	flags := libvirt.NetworkUpdateAffectConfig
	if n.active {
		flags |= libvirt.NetworkUpdateAffectLive
	}
	return h.call(ctx, func(a api) error {
		return a.NetworkUpdateCompat(n.handle, do, libvirt.NetworkSectionIPDhcpHost, int32(index), string(text), flags)
	})
}
