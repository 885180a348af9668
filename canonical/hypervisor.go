package canonical

// The operations on the hosts that run virtual machines; for operators.
var (
	ListHypervisors = op[HypervisorList, Page[Hypervisor]]("hypervisor.list", Read, "GET /v1/hypervisors")
	GetHypervisor   = op[HypervisorGet, Hypervisor]("hypervisor.get", Read, "GET /v1/hypervisors/{id}")
)

// Hypervisor is a host that runs virtual machines. What it has is told as the cloud
// counts it, before overcommit.
type Hypervisor struct {
	ID          ID             `json:"id"`
	Cloud       string         `json:"cloud"`
	Hostname    string         `json:"hostname"`
	Type        string         `json:"type"`    // QEMU, ironic...
	Version     string         `json:"version"` // of the hypervisor
	State       string         `json:"state"`   // up or down: does it answer
	Status      string         `json:"status"`  // enabled or disabled: does it get new servers
	VCPUs       *int           `json:"vcpus"`
	VCPUsUsed   *int           `json:"vcpus_used"`
	RAMMiB      *int           `json:"ram_mib"`
	RAMUsedMiB  *int           `json:"ram_used_mib"`
	DiskGiB     *int           `json:"disk_gib"`
	DiskUsedGiB *int           `json:"disk_used_gib"`
	Servers     *int           `json:"servers"` // how many run or rest there
	IP          *string        `json:"ip"`
	Native      map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (h Hypervisor) ListKeys() (ID, string, string) { return h.ID, h.Hostname, "" }

// HypervisorList asks for hypervisors.
type HypervisorList struct {
	ListOptions
	Name       string `json:"-" query:"name" doc:"Exact hostname"`
	NamePrefix string `json:"-" query:"name_prefix" doc:"Beginning of the hostname"`
	State      string `json:"-" query:"state" enum:"up,down"`
	Status     string `json:"-" query:"status" enum:"enabled,disabled"`
}

// Match says whether h passes the filters.
func (r HypervisorList) Match(h *Hypervisor) bool {
	return matchName(h.Hostname, r.Name, r.NamePrefix) && (r.State == "" || h.State == r.State) &&
		(r.Status == "" || h.Status == r.Status)
}

// HypervisorGet names one hypervisor.
type HypervisorGet struct {
	ID ID `json:"-" path:"id"`
}
