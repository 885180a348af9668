package kvm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Facts are what a host is and can do.
type Facts struct {
	Hostname   string
	Arch       string
	CPUs       int // threads
	RAMMiB     int
	DiskGiB    int // for disks: what is free, and what the disks of our servers take
	FreeGiB    int
	Libvirt    string // version
	Hypervisor string // version of QEMU
	Virt       VirtType
	VirtReason string // why it is that
	MaxVCPUs   int    // of one server
	UEFI       bool
	// Cannot is what the host cannot do, each with the reason.
	Cannot map[string]string
}

// Facts asks the host.
func (h *Host) Facts(ctx context.Context) (Facts, error) {
	f, err := h.knownFacts(ctx)
	if err != nil {
		return Facts{}, err
	}
	err = h.step(ctx, "read the size of the host", func(ctx context.Context) error {
		now, err := fetch(ctx, h, readSizes)
		f.CPUs, f.RAMMiB = now.CPUs, now.RAMMiB
		return err
	})
	if err == nil {
		var d disk
		d, err = h.disk(ctx)
		f.DiskGiB, f.FreeGiB = int(d.bytes>>30), int(d.free>>30)
	}
	return f, err
}

// disk is the room for disks.
type disk struct {
	bytes uint64 // what is free, and what the disks of our servers take
	free  uint64
	at    time.Time
}

// diskAge is how old what is known of the disk may be. Reading it asks about every disk,
// and what our own servers write changes nothing in what there is for them.
const diskAge = time.Minute

func (h *Host) disk(ctx context.Context) (disk, error) {
	h.mu.Lock()
	known := h.room
	h.mu.Unlock()
	if time.Since(known.at) < diskAge {
		return known, nil
	}
	var d disk
	err := h.step(ctx, "read the size of the disk", func(ctx context.Context) error {
		p, err := h.pool(ctx, serversPool)
		if err != nil {
			return err
		}
		d, err = fetch(ctx, h, func(a api) (disk, error) { return readDisk(a, p) })
		return err
	})
	if err != nil {
		return d, err
	}
	d.at = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.room = d
	return d, nil
}

func readDisk(a api, p libvirt.StoragePool) (d disk, err error) {
	// Else the pool tells what was free when it was looked at last. It refuses while
	// something is written to it.
	if err := a.StoragePoolRefresh(p, 0); err != nil && !answered(err) {
		return d, err
	}
	if _, _, _, d.free, err = a.StoragePoolGetInfo(p); err != nil {
		return d, err
	}
	d.bytes = d.free
	all, _, err := a.StoragePoolListAllVolumes(p, 1, 0)
	if err != nil {
		return d, err
	}
	for _, v := range all {
		_, _, takes, err := a.StorageVolGetInfo(v)
		if unlessGone(err) != nil {
			return d, err
		}
		d.bytes += takes
	}
	return d, nil
}

// machine is what domains need to know.
func (h *Host) machine(ctx context.Context) (machine, error) {
	f, err := h.knownFacts(ctx)
	return machine{virt: f.Virt, arch: f.Arch}, err
}

// knownFacts are those that do not change.
func (h *Host) knownFacts(ctx context.Context) (Facts, error) {
	h.mu.Lock()
	known := h.facts
	h.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	var f Facts
	err := h.step(ctx, "read what the host can do", func(ctx context.Context) (err error) {
		f, err = fetch(ctx, h, h.readFacts)
		return err
	})
	if err != nil {
		return f, err
	}
	h.mu.Lock()
	h.facts = &f
	h.mu.Unlock()
	h.opts.Log.InfoContext(ctx, "what a host can do", "host", h.opts.Name, "virt_type", f.Virt, "reason", f.VirtReason,
		"cannot", f.Cannot)
	return f, nil
}

func (h *Host) readFacts(a api) (Facts, error) {
	f := Facts{Cannot: map[string]string{}}
	var err error
	if f.Hostname, err = a.ConnectGetHostname(); err != nil {
		return f, err
	}
	lib, err1 := a.ConnectGetLibVersion()
	hyp, err2 := a.ConnectGetVersion()
	if err := errors.Join(err1, err2); err != nil {
		return f, err
	}
	f.Libvirt, f.Hypervisor = version(lib), version(hyp)
	return f, h.readAbilities(a, &f)
}

func (h *Host) readAbilities(a api, f *Facts) error {
	text, err := a.ConnectGetCapabilities()
	if err != nil {
		return err
	}
	var caps libvirtxml.Caps
	if err := caps.Unmarshal(text); err != nil {
		return err
	}
	if caps.Host.CPU != nil {
		f.Arch = caps.Host.CPU.Arch
	}
	why, err := h.whyNotKVM(a, &caps)
	if err != nil {
		return err
	}
	if f.Virt, f.VirtReason, err = chooseVirt(h.opts.Virt, why); err != nil {
		return err
	}
	if f.Virt != VirtKVM {
		f.Cannot["kvm"] = f.VirtReason
	}
	return readDomainCaps(a, f)
}

// readSizes reads what may change while the host runs.
func readSizes(a api) (Facts, error) {
	_, memKiB, cpus, _, _, _, _, _, err := a.NodeGetInfo()
	return Facts{CPUs: int(cpus), RAMMiB: int(memKiB >> 10)}, err
}

// version writes libvirt's number for a version: major * 1,000,000 + minor * 1,000 +
// release.
func version(n uint64) string { return fmt.Sprintf("%d.%d.%d", n/1000000, n/1000%1000, n%1000) }

// chooseVirt decides by what was configured and by why the host cannot do KVM.
func chooseVirt(want VirtType, whyNot string) (VirtType, string, error) {
	switch {
	case want == VirtQEMU:
		return VirtQEMU, "configured", nil
	case want == VirtKVM && whyNot != "":
		return "", "", canonical.Errorf(canonical.FailedPrecondition, "virt_type is kvm, but %s", whyNot)
	case want == VirtKVM:
		return VirtKVM, "configured", nil
	case whyNot != "":
		return VirtQEMU, whyNot, nil
	default:
		return VirtKVM, "the host has KVM and a CPU for it", nil
	}
}

// whyNotKVM is why the host cannot run guests on its CPU; "" if it can. That libvirt
// offers KVM is not enough: it does so wherever the device file is there, even if
// guests hang for lack of vmx and svm.
func (h *Host) whyNotKVM(a api, caps *libvirtxml.Caps) (string, error) {
	arch := ""
	if caps.Host.CPU != nil {
		arch = caps.Host.CPU.Arch
	}
	if !offersKVM(caps, arch) {
		return "libvirt offers no KVM for " + arch, nil
	}
	if h.addr.local {
		if why := noDevice("/dev/kvm"); why != "" {
			return why, nil
		}
	}
	if arch != "x86_64" && arch != "i686" {
		return "", nil
	}
	features, err := h.cpuFeatures(a, caps)
	if err != nil {
		return "", err
	}
	if !slices.Contains(features, "vmx") && !slices.Contains(features, "svm") {
		return "the CPU has neither vmx nor svm", nil
	}
	return "", nil
}

func offersKVM(caps *libvirtxml.Caps, arch string) bool {
	for _, g := range caps.Guests {
		if g.Arch.Name == arch && slices.ContainsFunc(g.Arch.Domains, func(d libvirtxml.CapsGuestDomain) bool { return d.Type == "kvm" }) {
			return true
		}
	}
	return false
}

func noDevice(path string) string {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "/dev/kvm does not open: " + errors.Unwrap(err).Error()
	}
	_ = f.Close() // nothing was written
	return ""
}

// cpuFeatures are the host's. Here the kernel tells; of a host far away libvirt tells
// a model and what goes beyond it, which it has to spell out: models include svm.
func (h *Host) cpuFeatures(a api, caps *libvirtxml.Caps) ([]string, error) {
	if h.addr.local {
		if flags, err := cpuFlags("/proc/cpuinfo"); err == nil {
			return flags, nil
		}
	}
	cpu := libvirtxml.DomainCPU{Match: "exact", Model: &libvirtxml.DomainCPUModel{Value: caps.Host.CPU.Model}}
	features := make([]string, 0, len(caps.Host.CPU.FeatureFlags))
	text := "<cpu><arch>" + caps.Host.CPU.Arch + "</arch><model>" + cpu.Model.Value + "</model>"
	for _, f := range caps.Host.CPU.FeatureFlags {
		features = append(features, f.Name)
		text += "<feature name='" + f.Name + "'/>"
	}
	full, err := a.ConnectBaselineCPU([]string{text + "</cpu>"}, libvirt.ConnectBaselineCPUExpandFeatures)
	if err != nil {
		return nil, err
	}
	if err := cpu.Unmarshal(full); err != nil {
		return nil, err
	}
	for _, f := range cpu.Features {
		features = append(features, f.Name)
	}
	return features, nil
}

// cpuFlags reads the flags of the first CPU.
func cpuFlags(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "flags" {
			return strings.Fields(value), nil
		}
	}
	return nil, errors.Join(errNoFlags, lines.Err())
}

var errNoFlags = errors.New("/proc/cpuinfo tells no flags")

func readDomainCaps(a api, f *Facts) error {
	text, err := a.ConnectGetDomainCapabilities(nil, libvirt.OptString{f.Arch}, libvirt.OptString{"q35"}, libvirt.OptString{string(f.Virt)}, 0)
	if isCode(err, libvirt.ErrConfigUnsupported, libvirt.ErrInvalidArg, libvirt.ErrOperationFailed) {
		return canonical.Errorf(canonical.FailedPrecondition, "the host has no QEMU for %s guests with machine q35", f.Arch)
	}
	if err != nil {
		return err
	}
	var caps libvirtxml.DomainCaps
	if err := caps.Unmarshal(text); err != nil {
		return err
	}
	if caps.VCPU != nil {
		f.MaxVCPUs = int(caps.VCPU.Max)
	}
	f.UEFI = caps.OS != nil && slices.ContainsFunc(caps.OS.Enums, func(e libvirtxml.DomainCapsEnum) bool {
		return e.Name == "firmware" && slices.Contains(e.Values, "efi")
	})
	if !f.UEFI {
		f.Cannot["uefi"] = "no UEFI firmware is installed (Debian: ovmf)"
	}
	return nil
}
