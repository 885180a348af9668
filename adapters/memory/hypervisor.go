package memory

import (
	"github.com/dragoman-cloud/dragoman/canonical"
)

// hosts are the names of the hosts; a server goes to the one with the fewest.
var hosts = []string{"memory-1", "memory-2"}

// host is where a new server goes: the pinned host, else the emptiest.
func (c *Cloud) host(pinned string) string {
	if pinned != "" {
		return pinned
	}
	least := hosts[0]
	for _, h := range hosts {
		if c.load[h] < c.load[least] {
			least = h
		}
	}
	return least
}

// hypervisors are the hosts with what their servers use. What they have is unlimited
// unless the cloud's capacity says otherwise, of which each has its part.
func (c *Cloud) hypervisors() []canonical.Hypervisor {
	out := make([]canonical.Hypervisor, len(hosts))
	used := make(map[string]*canonical.Hypervisor, len(hosts))
	for i, name := range hosts {
		vcpus, ram, disk, servers, ip := 0, 0, 0, 0, "192.0.2."+string(rune('1'+i))
		out[i] = canonical.Hypervisor{
			ID: canonical.ID(c.stableID("hypervisor", name)), Hostname: name, Type: "memory", Version: "1", State: "up", Status: "enabled",
			VCPUs: part(c.opts.Capacity.VCPUs, i), VCPUsUsed: &vcpus, RAMMiB: part(c.opts.Capacity.RAMMiB, i), RAMUsedMiB: &ram,
			DiskUsedGiB: &disk, Servers: &servers, IP: &ip,
		}
		out[i].State, out[i].Status = c.services[i].State, c.services[i].Status
		used[name] = &out[i]
	}
	for _, s := range c.servers {
		if s.Host == nil { // offloaded
			continue
		}
		h := used[*s.Host]
		*h.VCPUsUsed += *s.Flavor.VCPUs
		*h.RAMUsedMiB += *s.Flavor.RAMMiB
		*h.DiskUsedGiB += *s.Flavor.DiskGiB
		*h.Servers++
	}
	return out
}

// part is what host i has of all; nil where there is no limit.
func part(all, i int) *int {
	if all == 0 {
		return nil
	}
	n := all / len(hosts)
	if i < all%len(hosts) {
		n++
	}
	return &n
}

func (c *Cloud) listHypervisors(r canonical.HypervisorList) (canonical.TypedReply[canonical.Page[canonical.Hypervisor]], error) {
	same := func(h canonical.Hypervisor) canonical.Hypervisor { return h } // made for this answer
	return arrange(those(c.hypervisors(), r.Match), r.ListOptions, same)
}

func (c *Cloud) getHypervisor(r canonical.HypervisorGet) (canonical.TypedReply[canonical.Hypervisor], error) {
	return byID(c.hypervisors(), "hypervisor", r.ID, func(h canonical.Hypervisor) canonical.Hypervisor { return h })
}

// getLimits tells the capacity, which is all tenants' together.
func (c *Cloud) getLimits(canonical.LimitsGet) (canonical.TypedReply[canonical.Limits], error) {
	servers, vcpus, ram := c.usage()
	groups := len(c.serverGroups)
	volumes, snapshots, gib := len(c.volumes), len(c.volumeSnapshots), c.volumeGiB()
	networks, subnets, ports, routers, addresses := len(c.networks), len(c.subnets), len(c.ports), len(c.routers), len(c.floatingIPs)
	firewalls, rules := len(c.groups), 0
	for _, g := range c.groups {
		rules += len(g.Rules)
	}
	return reply(canonical.Limits{
		NetworksUsed: &networks, SubnetsUsed: &subnets, PortsUsed: &ports, RoutersUsed: &routers, FloatingIPsUsed: &addresses,
		SecurityGroupsUsed: &firewalls, SecurityGroupRulesUsed: &rules,
		ID: "memory", Servers: own(c.quota.servers), ServersUsed: &servers, VCPUs: own(c.quota.vcpus), VCPUsUsed: &vcpus,
		RAMMiB: own(c.quota.ramMiB), RAMUsedMiB: &ram, Keypairs: own(c.quota.keypairs), MetadataItems: own(c.quota.items),
		ServerGroups: own(c.quota.groups), ServerGroupsUsed: &groups, ServerGroupMember: own(c.quota.members), VolumesUsed: &volumes, VolumeSnapshotsUsed: &snapshots,
		VolumeGiB: atMost(c.opts.Capacity.VolumeGiB), VolumeUsedGiB: &gib,
	}, nil)
}

// usage is what the servers use together.
func (c *Cloud) usage() (servers, vcpus, ramMiB int) {
	for _, s := range c.servers {
		vcpus += *s.Flavor.VCPUs
		ramMiB += *s.Flavor.RAMMiB
	}
	return len(c.servers), vcpus, ramMiB
}

// atMost is a limit; nil where there is none.
func atMost(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
