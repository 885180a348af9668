package canonical

// The operations that look into servers.
var (
	GetServerDiagnostics = op[ServerDiagnosticsGet, ServerDiagnostics]("server.get_diagnostics", Read, "GET /v1/servers/{id}/diagnostics")
	GetServerTopology    = op[ServerTopologyGet, ServerTopology]("server.get_topology", Read, "GET /v1/servers/{id}/topology")
)

// ServerDiagnosticsGet asks what a running server uses; operators only.
type ServerDiagnosticsGet struct {
	ID ID `json:"-" path:"id"`
}

// ServerDiagnostics is what a server uses, as its hypervisor tells; null: it does not.
type ServerDiagnostics struct {
	State        string            `json:"state"` // of the machine: running, paused, shutdown, crashed, suspended or pending
	Driver       *string           `json:"driver"`
	Hypervisor   *string           `json:"hypervisor"`
	HypervisorOS *string           `json:"hypervisor_os"`
	UptimeS      *int              `json:"uptime_s"` // seconds
	ConfigDrive  *bool             `json:"config_drive"`
	CPUs         []CPUDiagnostics  `json:"cpus"`
	Disks        []DiskDiagnostics `json:"disks"`
	NICs         []NICDiagnostics  `json:"nics"`
	RAMMiB       *int              `json:"ram_mib"`
	RAMUsedMiB   *int              `json:"ram_used_mib"`
}

// CPUDiagnostics is one processor of a server.
type CPUDiagnostics struct {
	ID          *int   `json:"id"`
	TimeNS      *int64 `json:"time_ns"`     // nanoseconds
	Utilisation *int   `json:"utilisation"` // per cent
}

// DiskDiagnostics is one disk of a server.
type DiskDiagnostics struct {
	ReadBytes     *int64 `json:"read_bytes"`
	ReadRequests  *int64 `json:"read_requests"`
	WriteBytes    *int64 `json:"write_bytes"`
	WriteRequests *int64 `json:"write_requests"`
	Errors        *int64 `json:"errors"`
}

// NICDiagnostics is one network card of a server; the octets and packets are since its
// start, the rates in octets per second.
type NICDiagnostics struct {
	MAC       *string `json:"mac"`
	RxOctets  *int64  `json:"rx_octets"`
	RxPackets *int64  `json:"rx_packets"`
	RxErrors  *int64  `json:"rx_errors"`
	RxDrop    *int64  `json:"rx_drop"`
	RxRate    *int64  `json:"rx_rate"`
	TxOctets  *int64  `json:"tx_octets"`
	TxPackets *int64  `json:"tx_packets"`
	TxErrors  *int64  `json:"tx_errors"`
	TxDrop    *int64  `json:"tx_drop"`
	TxRate    *int64  `json:"tx_rate"`
}

// ServerTopologyGet asks how a server's processors and memory are laid out.
type ServerTopologyGet struct {
	ID ID `json:"-" path:"id"`
}

// ServerTopology is the NUMA topology of a server; without nodes it has none.
type ServerTopology struct {
	Nodes       []TopologyNode `json:"nodes"`
	PageSizeKiB *int           `json:"page_size_kib"`
}

// TopologyNode is one NUMA node of a server.
type TopologyNode struct {
	VCPUs      []int          `json:"vcpus"`
	Siblings   [][]int        `json:"siblings"` // processors that share a core
	RAMMiB     int            `json:"ram_mib"`
	HostNode   *int           `json:"host_node"`   // operators only, as the next
	CPUPinning map[string]int `json:"cpu_pinning"` // the host's processor by the server's
}
