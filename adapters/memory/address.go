package memory

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// allocate gives every server of a create its addresses: all of them or none.
func (c *Cloud) allocate(r canonical.ServerCreate) ([][]canonical.Address, error) {
	homes := make([][]canonical.Address, r.HowMany())
	for i := range homes {
		home, err := c.home(r.Networks)
		homes[i] = home
		if err != nil {
			c.release(homes)
			return nil, err
		}
	}
	return homes, nil
}

func (c *Cloud) release(homes [][]canonical.Address) {
	for _, home := range homes {
		for _, a := range home {
			delete(c.used, string(*a.NetworkID)+a.IP)
		}
	}
}

// home is one server's addresses; with an error, those that were taken before it.
func (c *Cloud) home(n canonical.Networks) ([]canonical.Address, error) {
	out := []canonical.Address{}
	choices := n.List
	switch n.Mode {
	case canonical.NetworksNone:
		return out, nil
	case canonical.NetworksUnset, canonical.NetworksAuto:
		choices = []canonical.NetworkChoice{{Network: canonical.Ref(c.networks[0].ID)}}
	case canonical.NetworksList:
	}
	for i, choice := range choices {
		a, err := c.take(fmt.Sprintf("networks.%d", i), choice)
		if err != nil {
			return out, err
		}
		out = append(out, a)
	}
	return out, nil
}

// take is a free address of the chosen network.
func (c *Cloud) take(field string, choice canonical.NetworkChoice) (canonical.Address, error) {
	if choice.Interface != "" {
		return canonical.Address{}, lacksField(field + ".interface")
	}
	n, ok := pick(c.networks, string(choice.Network))
	if !ok {
		return canonical.Address{}, canonical.Invalid(field+".network", "there is no network %q", choice.Network)
	}
	prefix, err := netip.ParsePrefix(n.CIDRs[0])
	if err != nil {
		return canonical.Address{}, canonical.Errorf(canonical.Internal, "network %s: %w", n.Name, err)
	}
	ip := choice.IP
	if ip == "" {
		ip = c.free(n.ID, prefix)
	}
	switch addr, err := netip.ParseAddr(ip); {
	case ip == "":
		return canonical.Address{}, canonical.Errorf(canonical.QuotaExceeded, "network %s has no free address", n.Name)
	case err != nil || !prefix.Contains(addr):
		return canonical.Address{}, canonical.Invalid(field+".ip", "is not in %s", prefix)
	case c.used[string(n.ID)+ip]:
		return canonical.Address{}, canonical.Invalid(field+".ip", "is in use")
	}
	c.used[string(n.ID)+ip] = true
	mac := macOf(ip)
	return canonical.Address{
		Network: n.Name, NetworkID: &n.ID, IP: ip, Version: 4, MAC: &mac, Kind: canonical.FixedAddress,
	}, nil
}

// free is an address that nobody has, "" where there is none. The first ten of a
// network are its own.
func (c *Cloud) free(network canonical.ID, prefix netip.Prefix) string {
	base := prefix.Masked().Addr().As4()
	start := binary.BigEndian.Uint32(base[:])
	size := uint32(1) << (32 - prefix.Bits())
	for i := range size {
		// Addresses that were given back are found on the second way round.
		n := 10 + (uint32(len(c.used))+i)%(size-11)
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], start+n)
		if ip := netip.AddrFrom4(b).String(); !c.used[string(network)+ip] {
			return ip
		}
	}
	return ""
}

func macOf(ip string) string {
	b := netip.MustParseAddr(ip).As16()
	return fmt.Sprintf("fa:16:%02x:%02x:%02x:%02x", b[12], b[13], b[14], b[15])
}
