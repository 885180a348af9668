package canonical

import (
	"net/netip"
	"strings"
	"time"
)

// The operations on subnets.
var (
	ListSubnets  = op[SubnetList, Page[Subnet]]("subnet.list", Read, "GET /v1/subnets")
	GetSubnet    = op[SubnetGet, Subnet]("subnet.get", Read, "GET /v1/subnets/{id}")
	CreateSubnet = op[SubnetCreate, Subnet]("subnet.create", Write, "POST /v1/subnets")
	UpdateSubnet = op[SubnetUpdate, Subnet]("subnet.update", Write, "PATCH /v1/subnets/{id}")
	DeleteSubnet = op[SubnetDelete, None]("subnet.delete", Delete, "DELETE /v1/subnets/{id}")
)

// Subnet is a range of addresses of a network.
type Subnet struct {
	ID              ID             `json:"id"`
	Cloud           string         `json:"cloud"`
	Name            string         `json:"name"`
	Description     *string        `json:"description"`
	NetworkID       ID             `json:"network_id" of:"network"`
	IPVersion       int            `json:"ip_version"` // 4 or 6
	CIDR            string         `json:"cidr"`
	GatewayIP       *string        `json:"gateway_ip"` // null: it has none
	DHCP            bool           `json:"dhcp"`
	Pools           []AddressPool  `json:"pools"` // what addresses are taken from
	DNSServers      []string       `json:"dns_servers"`
	Routes          []Route        `json:"routes"` // that servers on it are told
	IPv6AddressMode *string        `json:"ipv6_address_mode"`
	IPv6RAMode      *string        `json:"ipv6_ra_mode"`
	Tags            []string       `json:"tags"`
	Revision        *int           `json:"revision"`
	ProjectID       *string        `json:"project_id"`
	CreatedAt       *time.Time     `json:"created_at"`
	UpdatedAt       *time.Time     `json:"updated_at"`
	Native          map[string]any `json:"native,omitempty"`
}

// AddressPool is the addresses from the first to the last, both among them.
type AddressPool struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// Route leads to a range of addresses.
type Route struct {
	Destination string `json:"destination"` // CIDR
	NextHop     string `json:"next_hop"`
}

// ListKeys implements Listed.
func (s Subnet) ListKeys() (ID, string, string) { return s.ID, s.Name, sortTime(s.CreatedAt) }

func (s *Subnet) setCloud(name string) { s.Cloud = name }

// SubnetList asks for subnets.
type SubnetList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Network    ID     `json:"-" query:"network" of:"network" doc:"Id of the network"`
	IPVersion  int    `json:"-" query:"ip_version" doc:"4 or 6"`
	CIDR       string `json:"-" query:"cidr"`
}

// Match says whether s passes the filters.
func (r SubnetList) Match(s *Subnet) bool {
	return matchName(s.Name, r.Name, r.NamePrefix) && (r.Network == "" || s.NetworkID == r.Network) &&
		(r.IPVersion == 0 || s.IPVersion == r.IPVersion) && (r.CIDR == "" || s.CIDR == r.CIDR)
}

// SubnetGet names one subnet.
type SubnetGet struct {
	ID ID `json:"-" path:"id"`
}

// SubnetCreate asks for a subnet.
type SubnetCreate struct {
	Network         Ref           `json:"network" of:"network" doc:"Network that gets it: an id or a name"`
	CIDR            string        `json:"cidr" doc:"Range of addresses, as 10.0.0.0/24"`
	Name            string        `json:"name,omitempty"`
	Cloud           string        `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Description     string        `json:"description,omitempty"`
	GatewayIP       Opt[string]   `json:"gateway_ip,omitzero" doc:"The first address if not given; null: none"`
	DHCP            *bool         `json:"dhcp,omitempty" doc:"true is the default"`
	Pools           []AddressPool `json:"pools,omitempty" doc:"What addresses are taken from; all of the range but the gateway if not given"`
	DNSServers      []string      `json:"dns_servers,omitempty"`
	Routes          []Route       `json:"routes,omitempty"`
	IPv6AddressMode string        `json:"ipv6_address_mode,omitempty" enum:"slaac,dhcpv6-stateful,dhcpv6-stateless"`
	IPv6RAMode      string        `json:"ipv6_ra_mode,omitempty" enum:"slaac,dhcpv6-stateful,dhcpv6-stateless"`
}

// Validate implements the check of requests.
func (r SubnetCreate) Validate() error {
	switch {
	case r.Network == "":
		return Invalid("network", "is required")
	case r.CIDR == "":
		return Invalid("cidr", "is required")
	}
	if err := validCIDR("cidr", r.CIDR); err != nil {
		return err
	}
	v6 := strings.Contains(r.CIDR, ":")
	switch {
	case r.IPv6AddressMode != "" && !v6:
		return Invalid("ipv6_address_mode", "is for ranges of IPv6")
	case r.IPv6RAMode != "" && !v6:
		return Invalid("ipv6_ra_mode", "is for ranges of IPv6")
	}
	return firstError(validTexts(r.Name, r.Description), validIPv6Mode("ipv6_address_mode", r.IPv6AddressMode),
		validIPv6Mode("ipv6_ra_mode", r.IPv6RAMode),
		validSubnet(r.GatewayIP, r.Pools, r.DNSServers, r.Routes))
}

func validIPv6Mode(field, mode string) error {
	switch mode {
	case "", "slaac", "dhcpv6-stateful", "dhcpv6-stateless":
		return nil
	}
	return Invalid(field, "must be slaac, dhcpv6-stateful or dhcpv6-stateless")
}

func validSubnet(gateway Opt[string], pools []AddressPool, dns []string, routes []Route) error {
	if g, ok := gateway.Get(); ok && g == "" {
		return Invalid("gateway_ip", "is not an IP address")
	}
	if err := validIP("gateway_ip", gateway.Or("")); err != nil {
		return err
	}
	for i, p := range pools {
		at := sprintf("pools.%d", i)
		start, err1 := netip.ParseAddr(p.Start)
		end, err2 := netip.ParseAddr(p.End)
		switch {
		case err1 != nil:
			return Invalid(at+".start", "is not an IP address")
		case err2 != nil:
			return Invalid(at+".end", "is not an IP address")
		case end.Less(start):
			return Invalid(at+".end", "is before the start")
		}
	}
	for i, ip := range dns {
		if _, err := netip.ParseAddr(ip); err != nil {
			return Invalid(sprintf("dns_servers.%d", i), "is not an IP address")
		}
	}
	for i, route := range routes {
		at := sprintf("routes.%d", i)
		if _, err := netip.ParsePrefix(route.Destination); err != nil {
			return Invalid(at+".destination", "is not of the form address/length")
		}
		if _, err := netip.ParseAddr(route.NextHop); err != nil {
			return Invalid(at+".next_hop", "is not an IP address")
		}
	}
	return nil
}

// SubnetUpdate changes what is given.
type SubnetUpdate struct {
	ID          ID                 `json:"-" path:"id"`
	Name        Opt[string]        `json:"name,omitzero"`
	Description Opt[string]        `json:"description,omitzero"`
	GatewayIP   Opt[string]        `json:"gateway_ip,omitzero" doc:"null: none"`
	DHCP        Opt[bool]          `json:"dhcp,omitzero"`
	Pools       Opt[[]AddressPool] `json:"pools,omitzero" doc:"Replaces the pools"`
	DNSServers  Opt[[]string]      `json:"dns_servers,omitzero" doc:"Replaces the DNS servers"`
	Routes      Opt[[]Route]       `json:"routes,omitzero" doc:"Replaces the routes"`
	Tags        Opt[[]string]      `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r SubnetUpdate) Validate() error {
	if r.DHCP.IsNull() {
		return Invalid("dhcp", "must not be null")
	}
	return firstError(validChanges(r.Name, r.Description, r.Tags),
		validSubnet(r.GatewayIP, r.Pools.Or(nil), r.DNSServers.Or(nil), r.Routes.Or(nil)))
}

// SubnetDelete deletes a subnet; FailedPrecondition while a port has an address of it.
type SubnetDelete struct {
	ID ID `json:"-" path:"id"`
}
