package canonical

import "time"

// The operations on the services that a cloud's hosts run; for operators.
var (
	ListComputeServices   = op[ComputeServiceList, Page[ComputeService]]("compute_service.list", Read, "GET /v1/compute-services")
	EnableComputeService  = op[ComputeServiceEnable, ComputeService]("compute_service.enable", Write, "POST /v1/compute-services/{id}/enable")
	DisableComputeService = op[ComputeServiceDisable, ComputeService]("compute_service.disable", Write, "POST /v1/compute-services/{id}/disable")
	UpdateComputeService  = op[ComputeServiceUpdate, ComputeService]("compute_service.update", Write, "PATCH /v1/compute-services/{id}")

	// ListHosts tells of the hosts of a cloud, one item for each service of a host.
	ListHosts = op[HostList, Page[Host]]("host.list", Read, "GET /v1/hosts")
)

// ComputeService is a service of a host.
type ComputeService struct {
	ID             ID         `json:"id"`
	Cloud          string     `json:"cloud"`
	Name           string     `json:"name"` // the program's
	Host           string     `json:"host"`
	Zone           *string    `json:"zone" of:"availability_zone"`
	State          string     `json:"state"`  // up or down: does it answer
	Status         string     `json:"status"` // enabled or disabled: does it get new servers
	DisabledReason *string    `json:"disabled_reason"`
	ForcedDown     bool       `json:"forced_down"` // called down, whatever it answers
	UpdatedAt      *time.Time `json:"updated_at"`
}

// ListKeys implements Listed.
func (s ComputeService) ListKeys() (ID, string, string) { return s.ID, s.Name, "" }

// ComputeServiceList asks for services.
type ComputeServiceList struct {
	ListOptions
	Name string `json:"-" query:"name" doc:"Exact name"`
	Host string `json:"-" query:"host" doc:"Name of the host"`
}

// Match says whether s passes the filters.
func (r ComputeServiceList) Match(s *ComputeService) bool {
	return (r.Name == "" || s.Name == r.Name) && (r.Host == "" || s.Host == r.Host)
}

// ComputeServiceEnable lets a service have new servers.
type ComputeServiceEnable struct {
	ID ID `json:"-" path:"id"`
}

// ComputeServiceDisable keeps new servers from a service.
type ComputeServiceDisable struct {
	ID     ID     `json:"-" path:"id"`
	Reason string `json:"reason,omitempty"`
}

// Validate implements the check of requests.
func (r ComputeServiceDisable) Validate() error {
	if len([]rune(r.Reason)) > 255 {
		return Invalid("reason", "is longer than 255 characters")
	}
	return nil
}

// ComputeServiceUpdate changes what is given, by the rules of JSON merge patch.
type ComputeServiceUpdate struct {
	ID         ID        `json:"-" path:"id"`
	ForcedDown Opt[bool] `json:"forced_down,omitzero" doc:"Call it down, whatever it answers"`
}

// Host is a host of a cloud by one of its services.
type Host struct {
	ID      ID      `json:"id"`
	Cloud   string  `json:"cloud"`
	Name    string  `json:"name"`
	Service string  `json:"service"`
	Zone    *string `json:"zone" of:"availability_zone"`
}

// ListKeys implements Listed.
func (h Host) ListKeys() (ID, string, string) { return h.ID, h.Name, "" }

// HostList asks for hosts.
type HostList struct {
	ListOptions
	Name string `json:"-" query:"name" doc:"Exact name"`
	Zone Ref    `json:"-" query:"zone" of:"availability_zone" doc:"Zone: its id or its name"`
}

// Match says whether h passes the filters.
func (r HostList) Match(h *Host) bool {
	return (r.Name == "" || h.Name == r.Name) && (r.Zone == "" || h.Zone != nil && *h.Zone == string(r.Zone))
}
