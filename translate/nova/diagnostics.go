package nova

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type diagnostics struct {
	State        string            `json:"state"`
	Driver       *string           `json:"driver"`
	Hypervisor   *string           `json:"hypervisor"`
	HypervisorOS *string           `json:"hypervisor_os"`
	Uptime       *int              `json:"uptime"`
	ConfigDrive  *bool             `json:"config_drive"`
	NumCPUs      int               `json:"num_cpus"`
	NumNICs      int               `json:"num_nics"`
	NumDisks     int               `json:"num_disks"`
	Disks        []diagnosticsDisk `json:"disk_details"`
	CPUs         []diagnosticsCPU  `json:"cpu_details"`
	NICs         []diagnosticsNIC  `json:"nic_details"`
	Memory       diagnosticsMemory `json:"memory_details"`
}

type diagnosticsDisk struct {
	ReadBytes     *int64 `json:"read_bytes"`
	ReadRequests  *int64 `json:"read_requests"`
	WriteBytes    *int64 `json:"write_bytes"`
	WriteRequests *int64 `json:"write_requests"`
	Errors        *int64 `json:"errors_count"`
}

type diagnosticsCPU struct {
	ID          *int   `json:"id"`
	TimeNS      *int64 `json:"time"`
	Utilisation *int   `json:"utilisation"`
}

type diagnosticsNIC struct {
	MAC       *string `json:"mac_address"`
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

type diagnosticsMemory struct {
	Maximum *int `json:"maximum"`
	Used    *int `json:"used"`
}

// The parts of both sides have the same fields in the same order, so they convert.
func converted[A, B any](all []A, to func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = to(a)
	}
	return out
}

func sayDiagnostics(r canonical.TypedReply[canonical.ServerDiagnostics], _ *translate.Env, _ *translate.Response) (diagnostics, error) {
	d := r.Result
	return diagnostics{
		State: d.State, Driver: d.Driver, Hypervisor: d.Hypervisor, HypervisorOS: d.HypervisorOS, Uptime: d.UptimeS,
		ConfigDrive: d.ConfigDrive, NumCPUs: len(d.CPUs), NumNICs: len(d.NICs), NumDisks: len(d.Disks),
		CPUs:   converted(d.CPUs, func(c canonical.CPUDiagnostics) diagnosticsCPU { return diagnosticsCPU(c) }),
		Disks:  converted(d.Disks, func(c canonical.DiskDiagnostics) diagnosticsDisk { return diagnosticsDisk(c) }),
		NICs:   converted(d.NICs, func(c canonical.NICDiagnostics) diagnosticsNIC { return diagnosticsNIC(c) }),
		Memory: diagnosticsMemory{d.RAMMiB, d.RAMUsedMiB},
	}, nil
}

func hearDiagnostics(w diagnostics, _ *translate.Response, _ *translate.Env) (canonical.ServerDiagnostics, error) {
	return canonical.ServerDiagnostics{
		State: w.State, Driver: w.Driver, Hypervisor: w.Hypervisor, HypervisorOS: w.HypervisorOS, UptimeS: w.Uptime, ConfigDrive: w.ConfigDrive,
		CPUs:   converted(w.CPUs, func(c diagnosticsCPU) canonical.CPUDiagnostics { return canonical.CPUDiagnostics(c) }),
		Disks:  converted(w.Disks, func(c diagnosticsDisk) canonical.DiskDiagnostics { return canonical.DiskDiagnostics(c) }),
		NICs:   converted(w.NICs, func(c diagnosticsNIC) canonical.NICDiagnostics { return canonical.NICDiagnostics(c) }),
		RAMMiB: w.Memory.Maximum, RAMUsedMiB: w.Memory.Used,
	}, nil
}

// flat is the form before 2.48: free names; these are libvirt's, memory in KiB.
type flat map[string]int64

// diskCounts and nicCounts are the counts of one disk and one card, by the ends of
// their names.
func diskCounts(d *canonical.DiskDiagnostics) map[string]**int64 {
	return map[string]**int64{
		"_read": &d.ReadBytes, "_read_req": &d.ReadRequests, "_write": &d.WriteBytes, "_write_req": &d.WriteRequests, "_errors": &d.Errors,
	}
}

func nicCounts(n *canonical.NICDiagnostics) map[string]**int64 {
	return map[string]**int64{
		"_rx": &n.RxOctets, "_rx_packets": &n.RxPackets, "_rx_errors": &n.RxErrors, "_rx_drop": &n.RxDrop,
		"_tx": &n.TxOctets, "_tx_packets": &n.TxPackets, "_tx_errors": &n.TxErrors, "_tx_drop": &n.TxDrop,
	}
}

func sayFlat(r canonical.TypedReply[canonical.ServerDiagnostics], _ *translate.Env, _ *translate.Response) (flat, error) {
	w := flat{"memory": int64(words.Or(r.Result.RAMMiB, 0)) * 1024}
	for i, c := range r.Result.CPUs {
		w["cpu"+strconv.Itoa(i)+"_time"] = words.Or(c.TimeNS, 0)
	}
	for i := range r.Result.Disks {
		for end, n := range diskCounts(&r.Result.Disks[i]) {
			w["vd"+string(rune('a'+i%26))+end] = words.Or(*n, 0)
		}
	}
	for i := range r.Result.NICs {
		for end, n := range nicCounts(&r.Result.NICs[i]) {
			w["vnet"+strconv.Itoa(i)+end] = words.Or(*n, 0)
		}
	}
	return w, nil
}

// hearFlat reads what has libvirt's names; what a driver names otherwise is passed over.
func hearFlat(w flat, _ *translate.Response, _ *translate.Env) (canonical.ServerDiagnostics, error) {
	d := canonical.ServerDiagnostics{
		State: "running", CPUs: []canonical.CPUDiagnostics{}, Disks: []canonical.DiskDiagnostics{}, NICs: []canonical.NICDiagnostics{},
	}
	for i := 0; ; i++ {
		n, ok := w["cpu"+strconv.Itoa(i)+"_time"]
		if !ok {
			break
		}
		d.CPUs = append(d.CPUs, canonical.CPUDiagnostics{ID: &i, TimeNS: &n})
	}
	for _, name := range w.ending("_read") {
		d.Disks = append(d.Disks, canonical.DiskDiagnostics{})
		w.count(name, diskCounts(&d.Disks[len(d.Disks)-1]))
	}
	for _, name := range w.ending("_rx") {
		d.NICs = append(d.NICs, canonical.NICDiagnostics{})
		w.count(name, nicCounts(&d.NICs[len(d.NICs)-1]))
	}
	if kib, ok := w["memory"]; ok {
		mib := int(kib / 1024)
		d.RAMMiB = &mib
	}
	return d, nil
}

// ending are the devices that have a count of that name, in order: vnet2 before vnet10.
func (w flat) ending(end string) []string {
	var names []string
	for key := range w {
		if name, ok := strings.CutSuffix(key, end); ok {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return names
}

func (w flat) count(name string, into map[string]**int64) {
	for end, n := range into {
		if got, ok := w[name+end]; ok {
			*n = &got
		}
	}
}

type topology struct {
	Nodes    []topologyNode `json:"nodes"`
	PageSize *int           `json:"pagesize_kb"`
}

type topologyNode struct {
	VCPUs    []int                         `json:"vcpu_set"`
	Siblings [][]int                       `json:"siblings"`
	Memory   int                           `json:"memory_mb"`
	HostNode *int                          `json:"host_node,omitempty"`
	Pinning  canonical.Opt[map[string]int] `json:"cpu_pinning,omitzero"`
}

func sayTopology(r canonical.TypedReply[canonical.ServerTopology], env *translate.Env, _ *translate.Response) (topology, error) {
	w := topology{Nodes: []topologyNode{}, PageSize: r.Result.PageSizeKiB}
	for _, n := range r.Result.Nodes {
		node := topologyNode{VCPUs: n.VCPUs, Siblings: n.Siblings, Memory: n.RAMMiB, HostNode: n.HostNode}
		if env.Role.AtLeast(canonical.Operator) {
			node.Pinning = canonical.Some(n.CPUPinning)
		}
		w.Nodes = append(w.Nodes, node)
	}
	return w, nil
}

func hearTopology(w topology, _ *translate.Response, _ *translate.Env) (canonical.ServerTopology, error) {
	t := canonical.ServerTopology{Nodes: []canonical.TopologyNode{}, PageSizeKiB: w.PageSize}
	for _, n := range w.Nodes {
		pinning := n.Pinning.Or(nil)
		if pinning == nil {
			pinning = map[string]int{}
		}
		t.Nodes = append(t.Nodes, canonical.TopologyNode{
			VCPUs: words.List(n.VCPUs), Siblings: words.List(n.Siblings), RAMMiB: n.Memory, HostNode: n.HostNode, CPUPinning: pinning,
		})
	}
	return t, nil
}

func lookRoutes() []translate.Route {
	look := func(id, path string, row translate.Route) translate.Route {
		row.ID, row.Service, row.Method, row.Path, row.Status = id, "compute", "GET", "/servers/{id}/"+path, 200
		return row
	}
	ask := translate.ByID[canonical.ServerDiagnosticsGet]("id")
	return append(consoleRoutes(),
		look("nova.server.diagnostics", "diagnostics", translate.Route{
			Op: canonical.GetServerDiagnostics.Spec(), Since: v(48), Ask: ask,
			Answer: translate.Answer[canonical.ServerDiagnostics, diagnostics]{Say: sayDiagnostics, Hear: hearDiagnostics},
		}),
		look("nova.server.diagnostics_2_1", "diagnostics", translate.Route{
			Op: canonical.GetServerDiagnostics.Spec(), Until: v(47), Ask: ask,
			Answer: translate.Answer[canonical.ServerDiagnostics, flat]{Say: sayFlat, Hear: hearFlat},
		}),
		look("nova.server.topology", "topology", translate.Route{
			Op: canonical.GetServerTopology.Spec(), Since: v(78), Ask: translate.ByID[canonical.ServerTopologyGet]("id"),
			Answer: translate.Answer[canonical.ServerTopology, topology]{Say: sayTopology, Hear: hearTopology},
		}),
	)
}
