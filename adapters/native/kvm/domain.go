package kvm

import (
	"libvirt.org/go/libvirtxml"
)

// machine is what of a host shapes a domain.
type machine struct {
	virt VirtType // kvm or qemu
	arch string
}

// parts are the things of a server on its host.
type parts struct {
	disk    string // path of the root disk
	seed    string // path of the seed; "": none
	console string // path of the file that keeps what the console prints
}

// spareSlots is how many devices can be attached while a q35 guest runs: each takes a
// root port, and ports cannot be added then.
const spareSlots = 6

// fixedSlots are for the disk, the SCSI and USB controllers, the agent's channel, the
// balloon and the random numbers.
const fixedSlots = 6

// domain is the definition of a server.
func domain(name string, m machine, s ServerSpec, r Record, p parts) (*libvirtxml.Domain, error) {
	metadata, err := r.metadata()
	if err != nil {
		return nil, err
	}
	d := &libvirtxml.Domain{
		Type: string(m.virt), Name: name, UUID: s.ID,
		Metadata:   &libvirtxml.DomainMetadata{XML: metadata},
		Memory:     &libvirtxml.DomainMemory{Value: uint(*s.Flavor.RAMMiB), Unit: "MiB"},
		VCPU:       &libvirtxml.DomainVCPU{Value: uint(*s.Flavor.VCPUs), Placement: "static"},
		OS:         &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: m.arch, Machine: "q35", Type: "hvm"}},
		Features:   &libvirtxml.DomainFeatureList{ACPI: &libvirtxml.DomainFeature{}, APIC: &libvirtxml.DomainFeatureAPIC{}},
		CPU:        cpu(m.virt),
		Clock:      clock(),
		OnPoweroff: "destroy", OnReboot: "restart", OnCrash: "destroy",
		Devices: devices(s, r, p),
	}
	if err := applyExtraSpecs(d, s.Flavor.ExtraSpecs); err != nil {
		return nil, err
	}
	return d, completeTopology(d.CPU.Topology, *s.Flavor.VCPUs)
}

// cpu is the processor: the host's, less what would bar migration; or all that the
// emulator can do, since guests of today do not start on its default.
func cpu(v VirtType) *libvirtxml.DomainCPU {
	if v == VirtKVM {
		return &libvirtxml.DomainCPU{Mode: "host-model", Check: "partial"}
	}
	return &libvirtxml.DomainCPU{Mode: "maximum", Check: "none"}
}

// clock keeps guests from drifting: lost ticks are made up for.
func clock() *libvirtxml.DomainClock {
	return &libvirtxml.DomainClock{Offset: "utc", Timer: []libvirtxml.DomainTimer{
		{Name: "rtc", TickPolicy: "catchup"}, {Name: "pit", TickPolicy: "delay"}, {Name: "hpet", Present: "no"},
	}}
}

func devices(s ServerSpec, r Record, p parts) *libvirtxml.DomainDeviceList {
	list := &libvirtxml.DomainDeviceList{
		Controllers: controllers(len(r.Networks)),
		Disks:       []libvirtxml.DomainDisk{rootDisk(s.ID, p.disk)},
		Interfaces:  interfaces(r.Networks),
		Serials:     []libvirtxml.DomainSerial{serial(p.console)},
		Channels:    []libvirtxml.DomainChannel{agentChannel()},
		RNGs: []libvirtxml.DomainRNG{{
			Model:   "virtio",
			Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}},
		}},
		MemBalloon: &libvirtxml.DomainMemBalloon{Model: "virtio"},
	}
	if p.seed != "" {
		list.Disks = append(list.Disks, seedDisk(p.seed))
	}
	return list
}

// controllers lists pcie-root too: libvirt refuses a list of ports without it.
func controllers(nics int) []libvirtxml.DomainController {
	index := func(i uint) *uint { return &i }
	list := []libvirtxml.DomainController{
		{Type: "pci", Index: index(0), Model: "pcie-root"},
		{Type: "scsi", Index: index(0), Model: "virtio-scsi"},
		{Type: "usb", Index: index(0), Model: "none"},
	}
	// Libvirt adds a port for each device that it places itself only where no port is
	// free: these are for all devices, and the spare ones.
	for i := range fixedSlots + nics + spareSlots {
		list = append(list, libvirtxml.DomainController{Type: "pci", Index: index(uint(i) + 1), Model: "pcie-root-port"})
	}
	return list
}

// rootTarget is what the guest is told to call its root disk.
const rootTarget = "vda"

func rootDisk(id, path string) libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device: "disk",
		// A disk of the host that is full stops the guest rather than give it errors.
		Driver: &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "qcow2", Discard: "unmap", ErrorPolicy: "enospace"},
		Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: path}},
		Target: &libvirtxml.DomainDiskTarget{Dev: rootTarget, Bus: "virtio"},
		Serial: id[:18], // guests know disks by it, and see 20 characters at most
		Boot:   &libvirtxml.DomainDeviceBoot{Order: 1},
	}
}

// seedDisk is a CD on virtio-scsi: cloud kernels have no driver for q35's own SATA.
func seedDisk(path string) libvirtxml.DomainDisk {
	return libvirtxml.DomainDisk{
		Device:   "cdrom",
		Driver:   &libvirtxml.DomainDiskDriver{Name: "qemu", Type: "raw"},
		Source:   &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: path}},
		Target:   &libvirtxml.DomainDiskTarget{Dev: "sda", Bus: "scsi"},
		ReadOnly: &libvirtxml.DomainDiskReadOnly{},
	}
}

func interfaces(nics []NIC) []libvirtxml.DomainInterface {
	var list []libvirtxml.DomainInterface
	for _, n := range nics {
		list = append(list, libvirtxml.DomainInterface{
			MAC:    &libvirtxml.DomainInterfaceMAC{Address: n.MAC},
			Source: &libvirtxml.DomainInterfaceSource{Network: &libvirtxml.DomainInterfaceSourceNetwork{Network: n.Network}},
			Model:  &libvirtxml.DomainInterfaceModel{Type: "virtio"},
		})
	}
	return list
}

// serial can be opened, and virtlogd keeps what it prints since the last start.
func serial(log string) libvirtxml.DomainSerial {
	port := uint(0)
	return libvirtxml.DomainSerial{
		Source: &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}},
		Target: &libvirtxml.DomainSerialTarget{Port: &port},
		Log:    &libvirtxml.DomainChardevLog{File: log, Append: "off"},
	}
}

func agentChannel() libvirtxml.DomainChannel {
	return libvirtxml.DomainChannel{
		Source: &libvirtxml.DomainChardevSource{UNIX: &libvirtxml.DomainChardevSourceUNIX{Mode: "bind"}},
		Target: &libvirtxml.DomainChannelTarget{VirtIO: &libvirtxml.DomainChannelTargetVirtIO{Name: "org.qemu.guest_agent.0"}},
	}
}
