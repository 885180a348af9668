package canonical

import "time"

// The operations on floating IPs.
var (
	ListFloatingIPs  = op[FloatingIPList, Page[FloatingIP]]("floating_ip.list", Read, "GET /v1/floating-ips")
	GetFloatingIP    = op[FloatingIPGet, FloatingIP]("floating_ip.get", Read, "GET /v1/floating-ips/{id}")
	CreateFloatingIP = op[FloatingIPCreate, FloatingIP]("floating_ip.create", Write, "POST /v1/floating-ips")
	UpdateFloatingIP = op[FloatingIPUpdate, FloatingIP]("floating_ip.update", Write, "PATCH /v1/floating-ips/{id}")
	DeleteFloatingIP = op[FloatingIPDelete, None]("floating_ip.delete", Delete, "DELETE /v1/floating-ips/{id}")

	AssociateFloatingIP    = op[FloatingIPAssociate, None]("floating_ip.associate", Write, "POST /v1/servers/{id}/floating-ips")
	DisassociateFloatingIP = op[FloatingIPDisassociate, None](
		"floating_ip.disassociate", Delete, "DELETE /v1/servers/{id}/floating-ips/{address}")

	ListFloatingIPPools = op[FloatingIPPoolList, Page[FloatingIPPool]]("floating_ip_pool.list", Read, "GET /v1/floating-ip-pools")
)

// FloatingIP is an address of an external network that leads to a port's own.
type FloatingIP struct {
	ID           ID             `json:"id"`
	Cloud        string         `json:"cloud"`
	IP           string         `json:"ip"`
	FixedIP      *string        `json:"fixed_ip"` // where it leads
	PortID       *ID            `json:"port_id" of:"port"`
	NetworkID    ID             `json:"network_id" of:"network"` // the external one that it is of
	RouterID     *ID            `json:"router_id" of:"router"`
	Description  *string        `json:"description"`
	Status       NetworkStatus  `json:"status"`
	NativeStatus string         `json:"native_status"`
	Tags         []string       `json:"tags"`
	Revision     *int           `json:"revision"`
	ProjectID    *string        `json:"project_id"`
	CreatedAt    *time.Time     `json:"created_at"`
	UpdatedAt    *time.Time     `json:"updated_at"`
	Native       map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (f FloatingIP) ListKeys() (ID, string, string) { return f.ID, f.IP, sortTime(f.CreatedAt) }

func (f *FloatingIP) setCloud(name string) { f.Cloud = name }

// FloatingIPList asks for floating IPs.
type FloatingIPList struct {
	ListOptions
	IP      string `json:"-" query:"ip" doc:"The address itself"`
	Network ID     `json:"-" query:"network" of:"network" doc:"Id of the external network"`
	Port    ID     `json:"-" query:"port" of:"port" doc:"Id of the port that it leads to"`
}

// Match says whether f passes the filters.
func (r FloatingIPList) Match(f *FloatingIP) bool {
	return (r.IP == "" || f.IP == r.IP) && (r.Network == "" || f.NetworkID == r.Network) &&
		(r.Port == "" || f.PortID != nil && *f.PortID == r.Port)
}

// FloatingIPGet names one floating IP.
type FloatingIPGet struct {
	ID ID `json:"-" path:"id"`
}

// FloatingIPCreate takes an address of an external network.
type FloatingIPCreate struct {
	Network     Ref    `json:"network" of:"network" doc:"External network, its pool: an id or a name"`
	Cloud       string `json:"cloud,omitempty" doc:"Cloud to make it on"`
	IP          string `json:"ip,omitempty" doc:"The address that is wanted"`
	Subnet      ID     `json:"subnet,omitempty" of:"subnet" doc:"Subnet to take it from"`
	Port        ID     `json:"port,omitempty" of:"port" doc:"Port that it shall lead to"`
	FixedIP     string `json:"fixed_ip,omitempty" doc:"Which of the port's addresses"`
	Description string `json:"description,omitempty"`
}

// Validate implements the check of requests.
func (r FloatingIPCreate) Validate() error {
	switch {
	case r.Network == "":
		return Invalid("network", "is required")
	case r.FixedIP != "" && r.Port == "":
		return Invalid("fixed_ip", "needs a port")
	}
	return firstError(validIP("ip", r.IP), validIP("fixed_ip", r.FixedIP), validTexts("", r.Description))
}

// FloatingIPUpdate changes what is given.
type FloatingIPUpdate struct {
	ID          ID            `json:"-" path:"id"`
	Port        Opt[ID]       `json:"port,omitzero" of:"port" doc:"Port that it shall lead to; null: none"`
	FixedIP     Opt[string]   `json:"fixed_ip,omitzero" doc:"Which of the port's addresses"`
	Description Opt[string]   `json:"description,omitzero"`
	Tags        Opt[[]string] `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r FloatingIPUpdate) Validate() error {
	return firstError(validIP("fixed_ip", r.FixedIP.Or("")), validChanges(Opt[string]{}, r.Description, r.Tags))
}

// FloatingIPDelete gives the address back.
type FloatingIPDelete struct {
	ID ID `json:"-" path:"id"`
}

// FloatingIPAssociate lets an address lead to a server.
type FloatingIPAssociate struct {
	ID      ID     `json:"-" path:"id" of:"server"`
	Address string `json:"address" doc:"The floating IP's address"`
	FixedIP string `json:"fixed_ip,omitempty" doc:"Which of the server's addresses; the first if not given"`
}

// Validate implements the check of requests.
func (r FloatingIPAssociate) Validate() error {
	if r.Address == "" {
		return Invalid("address", "is required")
	}
	return firstError(validIP("address", r.Address), validIP("fixed_ip", r.FixedIP))
}

// FloatingIPDisassociate lets an address lead to a server no more; Conflict where it
// does not lead to that one.
type FloatingIPDisassociate struct {
	ID      ID     `json:"-" path:"id" of:"server"`
	Address string `json:"-" path:"address"`
}

// Validate implements the check of requests.
func (r FloatingIPDisassociate) Validate() error { return validIP("address", r.Address) }

// FloatingIPPool is where floating IPs are taken from: an external network.
type FloatingIPPool struct {
	ID    ID     `json:"id" of:"network"`
	Cloud string `json:"cloud"`
	Name  string `json:"name"`
}

// ListKeys implements Listed.
func (p FloatingIPPool) ListKeys() (ID, string, string) { return p.ID, p.Name, "" }

func (p *FloatingIPPool) setCloud(name string) { p.Cloud = name }

// FloatingIPPoolList asks for the pools.
type FloatingIPPoolList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the name"`
}

// Match says whether p passes the filters.
func (r FloatingIPPoolList) Match(p *FloatingIPPool) bool {
	return matchName(p.Name, r.Name, r.NamePrefix)
}
