package image

import (
	"net/netip"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Allow is what imports may reach beyond public addresses.
type Allow struct {
	Hosts []string       // names, as URLs have them; their addresses are not looked at
	Nets  []netip.Prefix // addresses, whatever the name
}

// ParseAllow reads names, addresses and networks: mirror.example, 10.0.0.7, 10.1.0.0/16.
func ParseAllow(entries []string) (Allow, error) {
	var a Allow
	for _, e := range entries {
		if p, err := netip.ParsePrefix(e); err == nil {
			a.Nets = append(a.Nets, p.Masked())
			continue
		}
		if ip, err := netip.ParseAddr(e); err == nil {
			a.Nets = append(a.Nets, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			continue
		}
		if e == "" || strings.ContainsAny(e, "/:@ ") {
			return Allow{}, canonical.Invalid("import_allow", "%q is no host name, address or network", e)
		}
		a.Hosts = append(a.Hosts, hostKey(e))
	}
	return a, nil
}

// hostKey makes names comparable: case and the root's dot do not matter.
func hostKey(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func (a Allow) host(name string) bool {
	for _, h := range a.Hosts {
		if hostKey(h) == hostKey(name) {
			return true
		}
	}
	return false
}

// addr says whether an address may be dialled.
func (a Allow) addr(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, n := range a.Nets {
		if n.Contains(ip) {
			return true
		}
	}
	return public(ip)
}

// special are the networks that are not the public Internet (the IANA registries of
// special-purpose addresses), among them those that carry an IPv4 address in an IPv6
// one and so may lead back inside.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
	"2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

func public(ip netip.Addr) bool {
	for _, n := range special {
		if n.Contains(ip) {
			return false
		}
	}
	return ip.IsValid()
}
