package native

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// defaultZone is the zone of hosts that are in none.
const defaultZone = "default"

func zoneOf(h host) string {
	if z := h.Zone(); z != "" {
		return z
	}
	return defaultZone
}

func (c *Cloud) listZones(_ context.Context, r canonical.AvailabilityZoneList) (canonical.Page[canonical.AvailabilityZone], error) {
	byName := map[string]*canonical.AvailabilityZone{}
	for _, h := range c.hosts {
		name := zoneOf(h)
		if byName[name] == nil {
			byName[name] = &canonical.AvailabilityZone{ID: canonical.ID(name), Name: name, Hosts: []string{}}
		}
		byName[name].Hosts = append(byName[name].Hosts, h.Name())
		byName[name].Available = byName[name].Available || h.Health().Connected
	}
	all := []canonical.AvailabilityZone{}
	for _, z := range byName {
		all = append(all, *z)
	}
	return those(all, r.Match, r.ListOptions)
}

// use is what the servers of a host take together.
type use struct{ servers, vcpus, ramMiB, diskGiB int }

func (u use) with(c store.Claim) use {
	return use{u.servers + 1, u.vcpus + c.VCPUs, u.ramMiB + c.RAMMiB, u.diskGiB + c.DiskGiB}
}

func usage(claims []store.Claim) map[string]use {
	all := map[string]use{}
	for _, claim := range claims {
		all[claim.Host] = all[claim.Host].with(claim)
	}
	return all
}

// capacity is what may be given away of a host.
func (c *Cloud) capacity(f kvm.Facts) use {
	times := func(n int, ratio, def float64) int {
		if ratio == 0 {
			ratio = def
		}
		return int(math.Floor(float64(n) * ratio))
	}
	o := c.opts.Overcommit
	return use{vcpus: times(f.CPUs, o.VCPUs, 4), ramMiB: times(f.RAMMiB, o.RAMMiB, 1), diskGiB: times(f.DiskGiB, o.DiskGiB, 1)}
}

func (c *Cloud) hypervisors(ctx context.Context) ([]canonical.Hypervisor, error) {
	claims, err := c.opts.Store.Claims(ctx, c.opts.Name)
	if err != nil {
		return nil, err
	}
	taken := usage(claims)
	all := []canonical.Hypervisor{}
	for _, h := range c.hosts {
		u := taken[h.Name()]
		v := canonical.Hypervisor{
			ID: canonical.ID(h.Name()), Hostname: h.Name(), Type: "QEMU", State: "down", Status: "enabled",
			VCPUsUsed: &u.vcpus, RAMUsedMiB: &u.ramMiB, DiskUsedGiB: &u.diskGiB, Servers: &u.servers,
		}
		if is := h.Health(); !is.Connected {
			v.Native = map[string]any{"down_since": is.Since.UTC(), "reason": fmt.Sprint(is.Err)}
		} else if f, err := h.Facts(ctx); err == nil { // one that cannot be asked is down
			v.State, v.Version, v.VCPUs, v.RAMMiB, v.DiskGiB = "up", f.Hypervisor, &f.CPUs, &f.RAMMiB, &f.DiskGiB
			v.Native = map[string]any{"virt_type": string(f.Virt), "virt_reason": f.VirtReason, "libvirt": f.Libvirt, "cannot": f.Cannot}
		}
		if !canonical.OptionsOf(ctx).Native {
			v.Native = nil
		}
		all = append(all, v)
	}
	return all, nil
}

func (c *Cloud) listHypervisors(ctx context.Context, r canonical.HypervisorList) (canonical.Page[canonical.Hypervisor], error) {
	all, err := c.hypervisors(ctx)
	if err != nil {
		return canonical.Page[canonical.Hypervisor]{}, err
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getHypervisor(ctx context.Context, r canonical.HypervisorGet) (canonical.Hypervisor, error) {
	all, err := c.hypervisors(ctx)
	if err != nil {
		return canonical.Hypervisor{}, err
	}
	for _, h := range all {
		if h.ID == r.ID {
			return h, nil
		}
	}
	return canonical.Hypervisor{}, canonical.Errorf(canonical.NotFound, "there is no hypervisor %s", r.ID)
}

// getLimits tells what all hosts together have and what is taken of it.
func (c *Cloud) getLimits(ctx context.Context, _ canonical.LimitsGet) (canonical.Limits, error) {
	claims, err := c.opts.Store.Claims(ctx, c.opts.Name)
	if err != nil {
		return canonical.Limits{}, err
	}
	var have, taken use
	for _, claim := range claims {
		taken = taken.with(claim)
	}
	for _, h := range c.hosts {
		if !h.Health().Connected {
			continue
		}
		f, err := h.Facts(ctx)
		if err != nil {
			continue // it has just gone
		}
		can := c.capacity(f)
		have.vcpus, have.ramMiB = have.vcpus+can.vcpus, have.ramMiB+can.ramMiB
	}
	items := maxMetadata
	return canonical.Limits{
		ID: canonical.ID(c.opts.Name), ServersUsed: &taken.servers, VCPUs: &have.vcpus, VCPUsUsed: &taken.vcpus,
		RAMMiB: &have.ramMiB, RAMUsedMiB: &taken.ramMiB, MetadataItems: &items,
	}, nil
}

// networks are the networks by name: those of one name on several hosts are one.
func (c *Cloud) networks(ctx context.Context) ([]canonical.Network, error) {
	byName := map[string]*canonical.Network{}
	reached := 0
	var failure error
	for _, h := range c.hosts {
		all, err := h.Networks(ctx)
		if err != nil {
			failure = err
			continue
		}
		reached++
		for _, n := range all {
			c.addNetwork(byName, n)
		}
	}
	if reached == 0 {
		return nil, failure
	}
	out := []canonical.Network{}
	for _, n := range byName {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b canonical.Network) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func (c *Cloud) addNetwork(byName map[string]*canonical.Network, n kvm.Network) {
	known := byName[n.Name]
	if known == nil {
		known = &canonical.Network{
			ID: canonical.ID(c.stableID("network", n.Name)), Name: n.Name, CIDRs: []string{}, Subnets: []canonical.ID{},
			Shared: true, AdminUp: true, Status: n.Status(), NativeStatus: n.Mode, Tags: []string{},
		}
		if n.MTU > 0 {
			known.MTU = &n.MTU
		}
		byName[n.Name] = known
	}
	if n.Active {
		known.Status = canonical.NetworkActive
	}
	for _, s := range n.Subnets {
		if cidr := s.CIDR.Masked().String(); !slices.Contains(known.CIDRs, cidr) {
			known.CIDRs = append(known.CIDRs, cidr)
		}
	}
}

func (c *Cloud) listNetworks(ctx context.Context, r canonical.NetworkList) (canonical.Page[canonical.Network], error) {
	all, err := c.networks(ctx)
	if err != nil {
		return canonical.Page[canonical.Network]{}, err
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getNetwork(ctx context.Context, r canonical.NetworkGet) (canonical.Network, error) {
	all, err := c.networks(ctx)
	if err != nil {
		return canonical.Network{}, err
	}
	for _, n := range all {
		if n.ID == r.ID {
			return n, nil
		}
	}
	return canonical.Network{}, canonical.Errorf(canonical.NotFound, "there is no network %s", r.ID)
}
