package canonical

import "time"

// The operations on networks.
var (
	ListNetworks = op[NetworkList, Page[Network]]("network.list", Read, "GET /v1/networks")
	GetNetwork   = op[NetworkGet, Network]("network.get", Read, "GET /v1/networks/{id}")
)

// NetworkStatus is the state of a network.
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
	Status       NetworkStatus  `json:"status"`
	NativeStatus string         `json:"native_status"`
	MTU          *int           `json:"mtu"`
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
