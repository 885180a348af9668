package kvm

import (
	"context"
	"path"
	"strings"

	"github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"
)

// The pools, by the end of their name.
const (
	basePool    = "base"
	serversPool = "servers"
)

// pool finds one of our pools, makes it if the host has none, and starts it if it is
// stopped: whoever removed or stopped it did not ask.
func (h *Host) pool(ctx context.Context, name string) (libvirt.StoragePool, error) {
	full := h.opts.Prefix + "-" + name
	return fetch(ctx, h, func(a api) (libvirt.StoragePool, error) {
		p, err := a.StoragePoolLookupByName(full)
		if isCode(err, libvirt.ErrNoStoragePool) {
			p, err = h.definePool(a, full, path.Join(h.opts.Dir, name))
		}
		if err != nil {
			return p, err
		}
		active, err := a.StoragePoolIsActive(p)
		if err != nil || active != 0 {
			return p, err
		}
		return p, startPool(a, p)
	})
}

func (h *Host) definePool(a api, name, dir string) (libvirt.StoragePool, error) {
	def := libvirtxml.StoragePool{
		Type: "dir", Name: name,
		// Others may pass through: QEMU runs as a user of its own, and opens the
		// disks by their path.
		Target: &libvirtxml.StoragePoolTarget{Path: dir, Permissions: &libvirtxml.StoragePoolTargetPermissions{Mode: "0711"}},
	}
	text, err := def.Marshal()
	if err != nil {
		return libvirt.StoragePool{}, err
	}
	p, err := a.StoragePoolDefineXML(text, 0)
	if err != nil {
		return p, err
	}
	return p, a.StoragePoolSetAutostart(p, 1)
}

func startPool(a api, p libvirt.StoragePool) error {
	if err := a.StoragePoolBuild(p, 0); err != nil { // makes the directory; harmless if it is there
		return err
	}
	err := a.StoragePoolCreate(p, 0)
	if isCode(err, libvirt.ErrOperationInvalid) { // somebody else was faster
		return nil
	}
	return err
}

// volume finds a volume.
func (h *Host) volume(ctx context.Context, p libvirt.StoragePool, name string) (libvirt.StorageVol, error) {
	return fetch(ctx, h, func(a api) (libvirt.StorageVol, error) { return a.StorageVolLookupByName(p, name) })
}

// made is a volume and its path on the host.
type made struct {
	volume libvirt.StorageVol
	path   string
}

// newVolume makes a volume in place of one that may be there from an attempt that was
// cut short.
func (h *Host) newVolume(ctx context.Context, p libvirt.StoragePool, def *libvirtxml.StorageVolume) (made, error) {
	text, err := def.Marshal()
	if err != nil {
		return made{}, err
	}
	return fetch(ctx, h, func(a api) (m made, err error) {
		m.volume, err = replaceVolume(a, p, def.Name, text)
		if isCode(err, fileExists...) && !answeredFull(err) {
			// A file that the pool has not noticed yet, as from a daemon that was killed.
			if err := a.StoragePoolRefresh(p, 0); err != nil {
				return m, err
			}
			m.volume, err = replaceVolume(a, p, def.Name, text)
		}
		if err == nil {
			m.path, err = a.StorageVolGetPath(m.volume)
		}
		return m, err
	})
}

// fileExists are the answers to making a volume whose file is there: as a volume, and
// as one that the pool has not noticed, which versions of libvirt tell differently.
var fileExists = []libvirt.ErrorNumber{libvirt.ErrStorageVolExist, libvirt.ErrOperationInvalid, libvirt.ErrSystemError}

func replaceVolume(a api, p libvirt.StoragePool, name, def string) (libvirt.StorageVol, error) {
	if err := deleteVolume(a, p, name); err != nil {
		return libvirt.StorageVol{}, err
	}
	return a.StorageVolCreateXML(p, def, 0)
}

func deleteVolume(a api, p libvirt.StoragePool, name string) error {
	v, err := a.StorageVolLookupByName(p, name)
	if err == nil {
		err = a.StorageVolDelete(v, 0)
	}
	return unlessGone(err)
}

// deleteVolumes deletes the volumes of a pool whose names begin with prefix.
func (h *Host) deleteVolumes(ctx context.Context, p libvirt.StoragePool, prefix string) error {
	return h.call(ctx, func(a api) error {
		// Files come into being without libvirt's storage driver, such as rotated logs.
		if err := a.StoragePoolRefresh(p, 0); err != nil {
			return err
		}
		all, _, err := a.StoragePoolListAllVolumes(p, 1, 0)
		if err != nil {
			return err
		}
		for _, v := range all {
			if !strings.HasPrefix(v.Name, prefix) {
				continue
			}
			if err := unlessGone(a.StorageVolDelete(v, 0)); err != nil {
				return err
			}
		}
		return nil
	})
}

// rawVolume is a file of so many bytes, of which none are allocated yet.
func rawVolume(name string, size uint64) *libvirtxml.StorageVolume {
	return &libvirtxml.StorageVolume{
		Name:       name,
		Allocation: &libvirtxml.StorageVolumeSize{Value: 0},
		Capacity:   &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: size},
		Target:     &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: "raw"}},
	}
}

// overlayVolume is a disk of so many bytes that begins as its base.
func overlayVolume(name string, size uint64, base *Base) *libvirtxml.StorageVolume {
	return &libvirtxml.StorageVolume{
		Name:         name,
		Capacity:     &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: size},
		Target:       &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: "qcow2"}, Compat: "1.1"},
		BackingStore: &libvirtxml.StorageVolumeBackingStore{Path: base.path, Format: &libvirtxml.StorageVolumeTargetFormat{Type: base.format}},
	}
}
