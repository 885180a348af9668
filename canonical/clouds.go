package canonical

// The operations on clouds themselves; the broker performs them.
var (
	ListClouds = op[CloudList, Page[CloudInfo]]("cloud.list", Read, "GET /v1/clouds")
	GetCloud   = op[CloudGet, CloudInfo]("cloud.get", Read, "GET /v1/clouds/{cloud}")
)

// CloudStatus is how well a cloud answers.
type CloudStatus string

// The states of clouds.
const (
	CloudUp       CloudStatus = "up"
	CloudDegraded CloudStatus = "degraded" // some calls fail
	CloudDown     CloudStatus = "down"
)

// CloudInfo is a cloud as its tenants see it.
type CloudInfo struct {
	ID           ID                 `json:"id"`
	Name         string             `json:"name"`
	Dialect      string             `json:"dialect"`
	Region       string             `json:"region"`
	Labels       map[string]string  `json:"labels"`
	Status       CloudStatus        `json:"status"`
	Breaker      string             `json:"breaker"`      // closed, half_open or open
	LatencyMS    *float64           `json:"latency_ms"`   // of recent calls; null before the first
	Capabilities map[string]Support `json:"capabilities"` // by operation
	Versions     map[string]string  `json:"versions"`     // by service: "2.1-2.93"
}

// ListKeys implements Listed.
func (c CloudInfo) ListKeys() (ID, string, string) { return c.ID, c.Name, "" }

// CloudList asks for the clouds of the tenant.
type CloudList struct {
	ListOptions
	Name       string      `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string      `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Dialect    string      `json:"-" query:"dialect"`
	Status     CloudStatus `json:"-" query:"status" enum:"up,degraded,down"`
}

// Match says whether c passes the filters.
func (r CloudList) Match(c *CloudInfo) bool {
	return matchName(c.Name, r.Name, r.NamePrefix) && (r.Dialect == "" || c.Dialect == r.Dialect) &&
		(r.Status == "" || c.Status == r.Status)
}

// CloudGet names one cloud.
type CloudGet struct {
	Cloud string `json:"-" path:"cloud"`
}
