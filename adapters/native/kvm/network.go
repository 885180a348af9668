package kvm

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Network is a network of libvirt's that servers can join.
type Network struct {
	ID      string // UUID
	Name    string
	Mode    string // nat, route, open, bridge, ...; "isolated" without a way out
	Bridge  string // name of the bridge on the host; "" where libvirt has none
	Active  bool
	MTU     int // 0: the default
	Subnets []Subnet
}

// Subnet is a range of addresses on a network. A network without any, such as one
// that is bridged to the host's own, gets its addresses from elsewhere.
type Subnet struct {
	CIDR    netip.Prefix
	Gateway netip.Addr // the host
	Ranges  []Range    // what DHCP hands out; empty: there is no DHCP
}

// Range is from First to Last, both included.
type Range struct{ First, Last netip.Addr }

// Status is the state of the network in canonical words.
func (n Network) Status() canonical.NetworkStatus {
	if n.Active {
		return canonical.NetworkActive
	}
	return canonical.NetworkDown
}

// Networks asks the host for its networks, by name.
func (h *Host) Networks(ctx context.Context) ([]Network, error) {
	all, err := h.networks(ctx)
	if err != nil {
		return nil, h.explain(err, "list the networks")
	}
	out := make([]Network, 0, len(all))
	for _, n := range all {
		out = append(out, n.public())
	}
	return out, nil
}

// network is one as libvirt describes it.
type network struct {
	handle libvirt.Network
	active bool
	def    libvirtxml.Network
	leases []libvirt.NetworkDhcpLease
}

func (h *Host) networks(ctx context.Context) ([]network, error) {
	out, err := fetch(ctx, h, func(a api) (out []network, err error) {
		handles, _, err := a.ConnectListAllNetworks(1, 0)
		if err != nil {
			return nil, err
		}
		for _, handle := range handles {
			n, err := readNetwork(a, handle)
			switch {
			case gone(err): // since the list was made
			case err != nil:
				return nil, err
			default:
				out = append(out, n)
			}
		}
		return out, nil
	})
	slices.SortFunc(out, func(a, b network) int { return strings.Compare(a.handle.Name, b.handle.Name) })
	return out, err
}

func readNetwork(a api, handle libvirt.Network) (network, error) {
	n := network{handle: handle}
	text, err := a.NetworkGetXMLDesc(handle, 0)
	if err != nil {
		return n, err
	}
	if err := n.def.Unmarshal(text); err != nil {
		return n, err
	}
	active, err := a.NetworkIsActive(handle)
	n.active = active != 0
	if err != nil || !n.active || !slices.ContainsFunc(n.def.IPs, func(ip libvirtxml.NetworkIP) bool { return ip.DHCP != nil }) {
		return n, err
	}
	n.leases, _, err = a.NetworkGetDhcpLeases(handle, nil, 1, 0)
	return n, err
}

func (n network) public() Network {
	out := Network{ID: n.def.UUID, Name: n.def.Name, Mode: "isolated", Active: n.active}
	if f := n.def.Forward; f != nil {
		out.Mode = f.Mode
		if f.Mode == "" {
			out.Mode = "nat" // libvirt's default
		}
	}
	if n.def.Bridge != nil {
		out.Bridge = n.def.Bridge.Name
	}
	if n.def.MTU != nil {
		out.MTU = int(n.def.MTU.Size)
	}
	for _, ip := range n.def.IPs {
		if s, ok := subnet(ip); ok {
			out.Subnets = append(out.Subnets, s)
		}
	}
	return out
}

// subnet reads an <ip> element, whose size is a netmask or a prefix.
func subnet(ip libvirtxml.NetworkIP) (Subnet, bool) {
	addr, err := netip.ParseAddr(ip.Address)
	if err != nil {
		return Subnet{}, false
	}
	bits := int(ip.Prefix)
	if mask, err := netip.ParseAddr(ip.Netmask); err == nil {
		bits = 0
		for _, b := range mask.AsSlice() {
			for ; b != 0; b <<= 1 {
				bits++
			}
		}
	}
	cidr, err := addr.Prefix(bits)
	s := Subnet{CIDR: cidr, Gateway: addr}
	if ip.DHCP != nil {
		for _, r := range ip.DHCP.Ranges {
			first, err1 := netip.ParseAddr(r.Start)
			last, err2 := netip.ParseAddr(r.End)
			if err1 == nil && err2 == nil {
				s.Ranges = append(s.Ranges, Range{first, last})
			}
		}
	}
	return s, err == nil && bits > 0
}
