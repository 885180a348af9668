package canonical

import (
	"net/netip"
	"time"
)

// The operations on networks.
var (
	ListNetworks  = op[NetworkList, Page[Network]]("network.list", Read, "GET /v1/networks")
	GetNetwork    = op[NetworkGet, Network]("network.get", Read, "GET /v1/networks/{id}")
	CreateNetwork = op[NetworkCreate, Network]("network.create", Write, "POST /v1/networks")
	UpdateNetwork = op[NetworkUpdate, Network]("network.update", Write, "PATCH /v1/networks/{id}")
	DeleteNetwork = op[NetworkDelete, None]("network.delete", Delete, "DELETE /v1/networks/{id}")
)

// NetworkStatus is the state of a network, and of what is made on networks: ports,
// interfaces, floating IPs and routers.
type NetworkStatus string

// The states of networks.
const (
	NetworkActive   NetworkStatus = "active"
	NetworkDown     NetworkStatus = "down"
	NetworkBuilding NetworkStatus = "building"
	NetworkError    NetworkStatus = "error"
	NetworkUnknown  NetworkStatus = "unknown"
)

// NetworkStatuses are all states of networks.
var NetworkStatuses = []NetworkStatus{NetworkActive, NetworkDown, NetworkBuilding, NetworkError, NetworkUnknown}

// Network is what servers are joined to.
type Network struct {
	ID           ID             `json:"id"`
	Cloud        string         `json:"cloud"`
	Name         string         `json:"name"`
	Description  *string        `json:"description"`
	CIDRs        []string       `json:"cidrs"` // of its subnets; empty where the cloud tells them elsewhere
	Subnets      []ID           `json:"subnets" of:"subnet"`
	Shared       bool           `json:"shared"`
	External     bool           `json:"external"`
	AdminUp      bool           `json:"admin_up"` // false: its owner has switched it off
	Status       NetworkStatus  `json:"status"`
	NativeStatus string         `json:"native_status"`
	MTU          *int           `json:"mtu"`
	PortSecurity *bool          `json:"port_security"` // whether its ports are filtered if they do not say otherwise
	Tags         []string       `json:"tags"`
	Revision     *int           `json:"revision"` // grows with every change
	ProjectID    *string        `json:"project_id"`
	CreatedAt    *time.Time     `json:"created_at"`
	UpdatedAt    *time.Time     `json:"updated_at"`
	Native       map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (n Network) ListKeys() (ID, string, string) { return n.ID, n.Name, sortTime(n.CreatedAt) }

// NetworkList asks for networks.
type NetworkList struct {
	ListOptions
	Name       string        `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string        `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status     NetworkStatus `json:"-" query:"status" enum:"active,down,building,error,unknown"`
	Shared     *bool         `json:"-" query:"shared"`
	External   *bool         `json:"-" query:"external"`
}

// Match says whether n passes the filters.
func (r NetworkList) Match(n *Network) bool {
	same := func(want *bool, got bool) bool { return want == nil || *want == got }
	return matchName(n.Name, r.Name, r.NamePrefix) && (r.Status == "" || n.Status == r.Status) &&
		same(r.Shared, n.Shared) && same(r.External, n.External)
}

// NetworkGet names one network.
type NetworkGet struct {
	ID ID `json:"-" path:"id"`
}

// NetworkCreate asks for a network; it has no addresses before it has subnets.
type NetworkCreate struct {
	Name         string `json:"name,omitempty"`
	Cloud        string `json:"cloud,omitempty" doc:"Cloud to make it on"`
	Description  string `json:"description,omitempty"`
	Shared       bool   `json:"shared,omitempty" doc:"For every tenant; for operators to make"`
	External     bool   `json:"external,omitempty" doc:"Leads out of the cloud; for operators to make"`
	AdminUp      *bool  `json:"admin_up,omitempty" doc:"true is the default"`
	MTU          int    `json:"mtu,omitempty"`
	PortSecurity *bool  `json:"port_security,omitempty" doc:"Whether its ports are filtered if they do not say otherwise"`
}

// Validate implements the check of requests.
func (r NetworkCreate) Validate() error {
	if r.MTU < 0 {
		return Invalid("mtu", "must not be negative")
	}
	return validTexts(r.Name, r.Description)
}

// NetworkUpdate changes what is given.
type NetworkUpdate struct {
	ID           ID            `json:"-" path:"id"`
	Name         Opt[string]   `json:"name,omitzero"`
	Description  Opt[string]   `json:"description,omitzero"`
	Shared       Opt[bool]     `json:"shared,omitzero"`
	External     Opt[bool]     `json:"external,omitzero"`
	AdminUp      Opt[bool]     `json:"admin_up,omitzero"`
	MTU          Opt[int]      `json:"mtu,omitzero"`
	PortSecurity Opt[bool]     `json:"port_security,omitzero"`
	Tags         Opt[[]string] `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r NetworkUpdate) Validate() error {
	switch {
	case r.Shared.IsNull():
		return Invalid("shared", "must not be null")
	case r.External.IsNull():
		return Invalid("external", "must not be null")
	case r.AdminUp.IsNull():
		return Invalid("admin_up", "must not be null")
	case r.MTU.Or(0) < 0:
		return Invalid("mtu", "must not be negative")
	}
	return validChanges(r.Name, r.Description, r.Tags)
}

// NetworkDelete deletes a network on which nothing is left, with its subnets;
// FailedPrecondition while there is a port on it.
type NetworkDelete struct {
	ID ID `json:"-" path:"id"`
}

// maxText is how long names and descriptions of networks and what is on them may be, in
// characters.
const maxText = 255

// validTexts refuses names and descriptions that no cloud takes.
func validTexts(name, description string) error {
	switch {
	case len([]rune(name)) > maxText:
		return Invalid("name", "is longer than %d characters", maxText)
	case len([]rune(description)) > maxText:
		return Invalid("description", "is longer than %d characters", maxText)
	default:
		return nil
	}
}

// validChanges refuses names, descriptions and tags that no cloud takes.
func validChanges(name, description Opt[string], tags Opt[[]string]) error {
	if name.IsNull() {
		return Invalid("name", "must not be null")
	}
	for i, tag := range tags.Or(nil) {
		if n := len([]rune(tag)); n == 0 || n > maxText {
			return Invalid(sprintf("tags.%d", i), "must have 1 to %d characters", maxText)
		}
	}
	return validTexts(name.Or(""), description.Or(""))
}

// validIP refuses what is no address; "" is none.
func validIP(field, ip string) error {
	if _, err := netip.ParseAddr(ip); ip != "" && err != nil {
		return Invalid(field, "is not an IP address")
	}
	return nil
}

// validCIDR refuses what is no address with the length of a prefix; "" is none.
func validCIDR(field, cidr string) error {
	if _, err := netip.ParsePrefix(cidr); cidr != "" && err != nil {
		return Invalid(field, "is not of the form address/length")
	}
	return nil
}

// firstError is the first failure of all.
func firstError(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}
