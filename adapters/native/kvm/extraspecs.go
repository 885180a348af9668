package kvm

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// extraSpec puts the value of an extra spec into a domain, or says why it cannot.
type extraSpec func(d *libvirtxml.Domain, value string) error

// extraSpecs are those that this adapter understands, by Nova's names for them (Nova,
// extra specs reference). A flavor with any other is refused, by name: it asks for
// something that its servers would not get.
var extraSpecs = map[string]extraSpec{
	"hw:cpu_policy":      cpuPolicy,
	"hw:cpu_sockets":     topology(func(t *libvirtxml.DomainCPUTopology, n int) { t.Sockets = n }),
	"hw:cpu_cores":       topology(func(t *libvirtxml.DomainCPUTopology, n int) { t.Cores = n }),
	"hw:cpu_threads":     topology(func(t *libvirtxml.DomainCPUTopology, n int) { t.Threads = n }),
	"hw:mem_page_size":   memPageSize,
	"hw:watchdog_action": watchdog,
	"hw:boot_menu":       bootMenu,
	"hw_rng:allowed":     rngAllowed,
	"quota:cpu_shares":   cpuTune(2, 262144, func(t *libvirtxml.DomainCPUTune, n int64) { t.Shares = &libvirtxml.DomainCPUTuneShares{Value: uint(n)} }),
	"quota:cpu_period": cpuTune(1000, 1000000, func(t *libvirtxml.DomainCPUTune, n int64) {
		t.Period = &libvirtxml.DomainCPUTunePeriod{Value: uint64(n)}
	}),
	"quota:cpu_quota": cpuTune(1000, math.MaxInt32, func(t *libvirtxml.DomainCPUTune, n int64) { t.Quota = &libvirtxml.DomainCPUTuneQuota{Value: n} }),
	"quota:vif_inbound_average": bandwidth(func(b *libvirtxml.DomainInterfaceBandwidth) **libvirtxml.DomainInterfaceBandwidthParams {
		return &b.Inbound
	}),
	"quota:vif_outbound_average": bandwidth(func(b *libvirtxml.DomainInterfaceBandwidth) **libvirtxml.DomainInterfaceBandwidthParams {
		return &b.Outbound
	}),
	"quota:disk_total_bytes_sec": ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.TotalBytesSec = n }),
	"quota:disk_read_bytes_sec":  ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.ReadBytesSec = n }),
	"quota:disk_write_bytes_sec": ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.WriteBytesSec = n }),
	"quota:disk_total_iops_sec":  ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.TotalIopsSec = n }),
	"quota:disk_read_iops_sec":   ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.ReadIopsSec = n }),
	"quota:disk_write_iops_sec":  ioTune(func(t *libvirtxml.DomainDiskIOTune, n uint64) { t.WriteIopsSec = n }),
}

// CheckExtraSpecs refuses, by name, the extra specs of flavors that servers here cannot
// have.
func CheckExtraSpecs(specs map[string]string) error {
	return applyExtraSpecs(&libvirtxml.Domain{
		CPU:     &libvirtxml.DomainCPU{},
		Devices: &libvirtxml.DomainDeviceList{Disks: make([]libvirtxml.DomainDisk, 1)}, OS: &libvirtxml.DomainOS{},
	}, specs)
}

// applyExtraSpecs puts a flavor's extra specs into a domain that is complete
// otherwise.
func applyExtraSpecs(d *libvirtxml.Domain, specs map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		apply, ok := extraSpecs[name]
		if !ok {
			return canonical.Invalid("flavor.extra_specs."+name, "is not known to KVM hosts")
		}
		if err := apply(d, specs[name]); err != nil {
			return canonical.Invalid("flavor.extra_specs."+name, "%s", err.Error())
		}
	}
	return nil
}

// refusal is why a value is refused.
type refusal string

func (r refusal) Error() string { return string(r) }

func number(value string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, refusal("must be a number from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(high, 10))
	}
	return n, nil
}

func cpuPolicy(_ *libvirtxml.Domain, value string) error {
	switch value {
	case "shared":
		return nil
	case "dedicated", "mixed":
		return refusal(value + " is not offered: processors are not pinned")
	default:
		return refusal("must be shared")
	}
}

func topology(set func(*libvirtxml.DomainCPUTopology, int)) extraSpec {
	return func(d *libvirtxml.Domain, value string) error {
		n, err := number(value, 1, maxVCPUs)
		if err != nil {
			return err
		}
		if d.CPU.Topology == nil {
			d.CPU.Topology = &libvirtxml.DomainCPUTopology{}
		}
		set(d.CPU.Topology, int(n))
		return nil
	}
}

// completeTopology fills in what extra specs left out, so that the product is the
// number of processors, as libvirt demands.
func completeTopology(t *libvirtxml.DomainCPUTopology, vcpus int) error {
	if t == nil {
		return nil
	}
	parts := []*int{&t.Sockets, &t.Cores, &t.Threads} // the first that is free takes the rest
	product, free := 1, (*int)(nil)
	for _, p := range parts {
		switch {
		case *p > 0:
			product *= *p
		case free == nil:
			free = p
		default:
			*p = 1
		}
	}
	if free != nil && vcpus%product == 0 {
		*free = vcpus / product
		product = vcpus
	}
	if product != vcpus {
		return canonical.Invalid("flavor.extra_specs", "the CPU topology does not make %d processors", vcpus)
	}
	return nil
}

func memPageSize(d *libvirtxml.Domain, value string) error {
	var pages libvirtxml.DomainMemoryHugepages
	switch value {
	case "small", "any":
		return nil
	case "large":
	default:
		kib, err := pageKiB(value)
		if err != nil {
			return err
		}
		if kib == 4 {
			return nil
		}
		pages.Hugepages = []libvirtxml.DomainMemoryHugepage{{Size: uint(kib), Unit: "KiB"}}
	}
	d.MemoryBacking = &libvirtxml.DomainMemoryBacking{MemoryHugePages: &pages}
	return nil
}

func pageKiB(value string) (int64, error) {
	unit := int64(1)
	for suffix, kib := range map[string]int64{"KB": 1, "MB": 1 << 10, "GB": 1 << 20} {
		if rest, ok := strings.CutSuffix(value, suffix); ok {
			value, unit = rest, kib
			break
		}
	}
	n, err := strconv.ParseInt(value, 10, 32)
	switch kib := n * unit; {
	case err == nil && (kib == 4 || kib == 2<<10 || kib == 1<<20):
		return kib, nil
	default:
		return 0, refusal("must be small, large, any, or a size: 4KB, 2MB or 1GB")
	}
}

func watchdog(d *libvirtxml.Domain, value string) error {
	switch value {
	case "disabled":
		return nil
	case "reset", "poweroff", "pause", "none":
		d.Devices.Watchdogs = []libvirtxml.DomainWatchdog{{Model: "i6300esb", Action: value}}
		return nil
	default:
		return refusal("must be disabled, reset, poweroff, pause or none")
	}
}

func bootMenu(d *libvirtxml.Domain, value string) error {
	on, err := yes(value)
	if err == nil && on {
		d.OS.BootMenu = &libvirtxml.DomainBootMenu{Enable: "yes", Timeout: "3000"}
	}
	return err
}

func rngAllowed(d *libvirtxml.Domain, value string) error {
	on, err := yes(value)
	if err == nil && !on {
		d.Devices.RNGs = nil
	}
	return err
}

func yes(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, refusal("must be true or false")
	}
}

func cpuTune(low, high int64, set func(*libvirtxml.DomainCPUTune, int64)) extraSpec {
	return func(d *libvirtxml.Domain, value string) error {
		n, err := number(value, low, high)
		if err != nil {
			return err
		}
		if d.CPUTune == nil {
			d.CPUTune = &libvirtxml.DomainCPUTune{}
		}
		set(d.CPUTune, n)
		return nil
	}
}

func bandwidth(side func(*libvirtxml.DomainInterfaceBandwidth) **libvirtxml.DomainInterfaceBandwidthParams) extraSpec {
	return func(d *libvirtxml.Domain, value string) error {
		n, err := number(value, 1, math.MaxInt32) // KiB/s
		if err != nil {
			return err
		}
		for i := range d.Devices.Interfaces {
			nic := &d.Devices.Interfaces[i]
			if nic.Bandwidth == nil {
				nic.Bandwidth = &libvirtxml.DomainInterfaceBandwidth{}
			}
			average := int(n)
			*side(nic.Bandwidth) = &libvirtxml.DomainInterfaceBandwidthParams{Average: &average}
		}
		return nil
	}
}

func ioTune(set func(*libvirtxml.DomainDiskIOTune, uint64)) extraSpec {
	return func(d *libvirtxml.Domain, value string) error {
		n, err := number(value, 1, math.MaxInt64)
		if err != nil {
			return err
		}
		disk := &d.Devices.Disks[0] // the root disk
		if disk.IOTune == nil {
			disk.IOTune = &libvirtxml.DomainDiskIOTune{}
		}
		set(disk.IOTune, uint64(n))
		return nil
	}
}
