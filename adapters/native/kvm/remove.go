package kvm

import (
	"context"
	"errors"
	"strings"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Delete removes a server and all that was made for it, in any state. It can be
// repeated, and a server that is not there is no failure: what may be left of it is
// removed all the same.
func (h *Host) Delete(ctx context.Context, id string) error {
	if !validID(id) {
		return canonical.Errorf(canonical.NotFound, "host %s has no server %q", h.opts.Name, id)
	}
	unlock, err := h.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	return h.removeAll(ctx, id)
}

// removeAll does what Delete does; the server is locked.
func (h *Host) removeAll(ctx context.Context, id string) error {
	defer h.table.begin(id, Deleting)()
	if s, err := h.Refresh(ctx, id); err == nil {
		// From here on it is to be gone, which the host tells even after a crash: the
		// domain goes last.
		if err := h.intend(ctx, s, IntendDelete); err != nil {
			return err
		}
	} else if canonical.CodeOf(err) != canonical.NotFound {
		return err
	}
	return h.remove(ctx, id)
}

// remove removes a server without telling the host first that it is to be gone.
func (h *Host) remove(ctx context.Context, id string) error {
	for _, s := range []struct {
		doing string
		do    func(context.Context) error
	}{
		{"stop the domain", func(ctx context.Context) error { return h.end(ctx, id) }},
		{"delete the disks", func(ctx context.Context) error { return h.removeVolumes(ctx, id) }},
		{"release addresses", func(ctx context.Context) error { return h.unreserve(ctx, id) }},
		{"undefine the domain", func(ctx context.Context) error { return h.undefine(ctx, id) }},
	} {
		if err := h.step(ctx, s.doing, s.do); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.litter, id)
	return nil
}

// end kills the domain's process: its disks are deleted anyhow.
func (h *Host) end(ctx context.Context, id string) error {
	return h.call(ctx, func(a api) error {
		err := a.DomainDestroyFlags(h.domainOf(id), 0)
		if isCode(err, libvirt.ErrOperationInvalid) { // it is off
			return nil
		}
		return unlessGone(err)
	})
}

func (h *Host) removeVolumes(ctx context.Context, id string) error {
	p, err := h.pool(ctx, serversPool)
	if err != nil {
		return err
	}
	rotated, err := fetch(ctx, h, func(a api) (bool, error) {
		for _, name := range []string{diskName(id), seedName(id), logName(id)} {
			if err := deleteVolume(a, p, name); err != nil {
				return false, err
			}
		}
		return rotatedLog(a, p, id)
	})
	if err != nil || !rotated {
		return err
	}
	return h.deleteVolumes(ctx, p, id+".")
}

// rotatedLog says whether virtlogd has begun another file for a console that printed
// much. The pool would tell only after a refresh, which reads every file that it has;
// so a volume of that name is made, which fails where the file is there.
func rotatedLog(a api, p libvirt.StoragePool, id string) (bool, error) {
	def := rawVolume(logName(id)+".0", 0)
	text, err := def.Marshal()
	if err != nil {
		return false, err
	}
	v, err := a.StorageVolCreateXML(p, text, 0)
	switch {
	case isCode(err, fileExists...):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, unlessGone(a.StorageVolDelete(v, 0))
}

// undefineAll removes what libvirt itself keeps of a domain beside its definition;
// with any of it left it would refuse.
const undefineAll = libvirt.DomainUndefineManagedSave | libvirt.DomainUndefineSnapshotsMetadata |
	libvirt.DomainUndefineNvram | libvirt.DomainUndefineCheckpointsMetadata

func (h *Host) undefine(ctx context.Context, id string) error {
	ticket := h.table.ticket()
	err := h.call(ctx, func(a api) error {
		return unlessGone(a.DomainUndefineFlags(h.domainOf(id), undefineAll))
	})
	if err == nil {
		h.table.missing(ticket, id)
	}
	return err
}

// Orphans are the ids that have volumes on the host but no domain: of servers whose
// making was cut short before there was one. Those that this process is working on
// are not among them.
func (h *Host) Orphans(ctx context.Context) ([]string, error) {
	var names []string
	err := h.step(ctx, "list the disks", func(ctx context.Context) error {
		p, err := h.pool(ctx, serversPool)
		if err != nil {
			return err
		}
		names, err = h.volumeNames(ctx, p)
		return err
	})
	seen := map[string]bool{}
	var out []string
	for _, name := range names {
		id, _, _ := strings.Cut(name, ".")
		if validID(id) && !seen[id] && !h.table.busyOrThere(id) {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out, err
}

func (h *Host) volumeNames(ctx context.Context, p libvirt.StoragePool) ([]string, error) {
	return fetch(ctx, h, func(a api) (names []string, err error) {
		all, _, err := a.StoragePoolListAllVolumes(p, 1, 0)
		for _, v := range all {
			names = append(names, v.Name)
		}
		return names, err
	})
}

// cleanUp runs when the host is back: it removes what could not be removed before,
// images whose upload was cut short, and those that are not wanted any more.
func (h *Host) cleanUp() {
	h.mu.Lock()
	var ids []string
	for id := range h.litter {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	var errs []error
	for _, id := range ids {
		errs = append(errs, h.removeLitter(h.ctx, id))
	}
	errs = append(errs, h.dropBases(h.ctx))
	if err := errors.Join(errs...); err != nil && h.ctx.Err() == nil {
		h.opts.Log.Warn("the host is not clean", "host", h.opts.Name, "error", err)
	}
}

// removeLitter removes what is left of an attempt to make a server, unless the server was
// made since.
func (h *Host) removeLitter(ctx context.Context, id string) error {
	unlock, err := h.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	if !h.littered(id) {
		return nil
	}
	return h.removeAll(ctx, id)
}

// dropBases deletes images without the mark that they are whole, and those that were
// deleted while the host was away or that could not be evicted then.
func (h *Host) dropBases(ctx context.Context) error {
	names := map[string]bool{}
	p, err := fetch(ctx, h, func(a api) (libvirt.StoragePool, error) {
		return a.StoragePoolLookupByName(h.opts.Prefix + "-" + basePool)
	})
	if err == nil {
		var list []string
		list, err = h.volumeNames(ctx, p)
		for _, name := range list {
			names[name] = true
		}
	}
	if unlessGone(err) != nil {
		return h.explain(err, "list the images")
	}
	for name := range names {
		id, _, _ := strings.Cut(name, ".")
		if !validID(id) || names[baseMark(canonical.ID(id))] && h.opts.Wanted(canonical.ID(id)) {
			continue
		}
		if err := h.EvictBase(ctx, canonical.ID(id)); err != nil && canonical.CodeOf(err) != canonical.FailedPrecondition {
			return err
		}
	}
	return nil
}
