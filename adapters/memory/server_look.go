package memory

import (
	"crypto/rand"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// setPassword changes nothing that can be seen: there is no guest.
func (c *Cloud) setPassword(r canonical.ServerSetPassword) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "set the password of", states{canonical.ServerRunning})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	s.rest(canonical.ServerPassword, s.Power)
	return c.act(canonical.SetServerPassword.Spec(), s, "updating_password", canonical.ServerRunning, nil)
}

// openConsole tells an address that leads nowhere: there is no screen.
func (c *Cloud) openConsole(r canonical.ConsoleOpen) (canonical.TypedReply[canonical.Console], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Console](err)
	}
	if no := canonical.Hindered("open the console of", &s.Server, canonical.ServerRunning, canonical.ServerPaused, canonical.ServerRescued); no != nil {
		return refuse[canonical.Console](no)
	}
	r = r.OrDefault()
	scheme := map[string]string{"serial": "ws"}[r.Protocol]
	if scheme == "" {
		scheme = "http"
	}
	return reply(canonical.Console{
		Protocol: r.Protocol, Type: r.Type, URL: scheme + "://console.invalid/" + r.Type + "?token=" + rand.Text(),
	}, nil)
}

func (c *Cloud) getDiagnostics(r canonical.ServerDiagnosticsGet) (canonical.TypedReply[canonical.ServerDiagnostics], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.ServerDiagnostics](err)
	}
	if no := canonical.Hindered("get the diagnostics of", &s.Server, canonical.ServerRunning); no != nil {
		return refuse[canonical.ServerDiagnostics](no)
	}
	driver, drive := "memory", s.ConfigDrive
	out := canonical.ServerDiagnostics{
		State: "running", Driver: &driver, Hypervisor: own(&driver), HypervisorOS: own(&driver), ConfigDrive: &drive,
		CPUs: []canonical.CPUDiagnostics{}, Disks: []canonical.DiskDiagnostics{{}}, NICs: []canonical.NICDiagnostics{},
		RAMMiB: own(s.Flavor.RAMMiB),
	}
	if s.LaunchedAt != nil {
		up := int(c.now().Sub(*s.LaunchedAt).Seconds())
		out.UptimeS = &up
	}
	for i := range *s.Flavor.VCPUs {
		out.CPUs = append(out.CPUs, canonical.CPUDiagnostics{ID: &i})
	}
	for _, a := range s.Addresses {
		out.NICs = append(out.NICs, canonical.NICDiagnostics{MAC: own(a.MAC)})
	}
	return reply(out, nil)
}

// getTopology is that of the flavor's extra specs, as Nova reads them.
func (c *Cloud) getTopology(r canonical.ServerTopologyGet) (canonical.TypedReply[canonical.ServerTopology], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.ServerTopology](err)
	}
	out := canonical.ServerTopology{Nodes: []canonical.TopologyNode{}}
	n, err := strconv.Atoi(s.Flavor.ExtraSpecs["hw:numa_nodes"])
	if err != nil || n < 1 || n > *s.Flavor.VCPUs {
		return reply(out, nil)
	}
	next := 0
	for i := range n {
		node := canonical.TopologyNode{
			VCPUs: []int{}, Siblings: [][]int{}, RAMMiB: *s.Flavor.RAMMiB / n, HostNode: &i, CPUPinning: map[string]int{},
		}
		for range (*s.Flavor.VCPUs + n - 1 - i) / n {
			node.VCPUs = append(node.VCPUs, next)
			next++
		}
		out.Nodes = append(out.Nodes, node)
	}
	return reply(out, nil)
}
