package canonical

import "time"

// The operations on routers.
var (
	ListRouters = op[RouterList, Page[Router]]("router.list", Read, "GET /v1/routers")
	GetRouter   = op[RouterGet, Router]("router.get", Read, "GET /v1/routers/{id}")
)

// Router joins networks. Its interfaces are ports whose device it is.
type Router struct {
	ID              ID             `json:"id"`
	Cloud           string         `json:"cloud"`
	Name            string         `json:"name"`
	Description     *string        `json:"description"`
	AdminUp         bool           `json:"admin_up"`
	Status          NetworkStatus  `json:"status"`
	NativeStatus    string         `json:"native_status"`
	ExternalNetwork *ID            `json:"external_network" of:"network"` // null: it leads nowhere out
	ExternalIPs     []FixedIP      `json:"external_ips"`
	SNAT            *bool          `json:"snat"` // whether servers without a floating IP reach out
	Routes          []Route        `json:"routes"`
	Tags            []string       `json:"tags"`
	Revision        *int           `json:"revision"`
	ProjectID       *string        `json:"project_id"`
	CreatedAt       *time.Time     `json:"created_at"`
	UpdatedAt       *time.Time     `json:"updated_at"`
	Native          map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (r Router) ListKeys() (ID, string, string) { return r.ID, r.Name, sortTime(r.CreatedAt) }

func (r *Router) setCloud(name string) { r.Cloud = name }

// RouterList asks for routers.
type RouterList struct {
	ListOptions
	Name       string        `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string        `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status     NetworkStatus `json:"-" query:"status" enum:"active,down,building,error,unknown"`
}

// Match says whether router passes the filters.
func (r RouterList) Match(router *Router) bool {
	return matchName(router.Name, r.Name, r.NamePrefix) && (r.Status == "" || router.Status == r.Status)
}

// RouterGet names one router.
type RouterGet struct {
	ID ID `json:"-" path:"id"`
}
