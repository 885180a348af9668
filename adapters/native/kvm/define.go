package kvm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Define makes a server, which is then stopped. It can be repeated after a crash or
// an error: a server that is there is answered as it is, and one that is half made is
// finished. When it fails nothing is left; what cannot be removed at once, because the
// host went away, is removed when it is back.
func (h *Host) Define(ctx context.Context, spec ServerSpec) (Server, error) {
	if err := spec.validate(); err != nil {
		return Server{}, err
	}
	unlock, err := h.locks.lock(ctx, spec.ID)
	if err != nil {
		return Server{}, err
	}
	defer unlock()
	// What an undo could not remove is not built on; and once there is a server of that
	// id nobody shall take it for what is left of an attempt.
	if h.littered(spec.ID) {
		if err := h.removeAll(ctx, spec.ID); err != nil {
			return Server{}, err
		}
	}
	if s, err := h.Refresh(ctx, spec.ID); err == nil {
		return h.taken(s)
	} else if canonical.CodeOf(err) != canonical.NotFound {
		return Server{}, err
	}
	defer h.table.begin(spec.ID, Building)()
	if err := h.define(ctx, spec); err != nil {
		h.undo(ctx, spec.ID)
		return Server{}, err
	}
	return h.Get(spec.ID)
}

// taken is a server that Define finds already there.
func (h *Host) taken(s Server) (Server, error) {
	if s.Intent == IntendDelete {
		return Server{}, canonical.Errorf(canonical.Conflict, "server %s is being deleted", s.ID)
	}
	return s, nil
}

func (h *Host) define(ctx context.Context, spec ServerSpec) error {
	m, err := h.machine(ctx)
	if err != nil {
		return err
	}
	var nics []NIC
	var p parts
	for _, s := range []struct {
		doing string
		do    func(context.Context) error
	}{
		{"reserve addresses", func(ctx context.Context) (err error) { nics, err = h.reserveAll(ctx, spec); return err }},
		{"make the root disk", func(ctx context.Context) (err error) { p.disk, err = h.makeDisk(ctx, spec); return err }},
		{"make the seed", func(ctx context.Context) (err error) { p.seed, err = h.makeSeed(ctx, spec); return err }},
		{"make the console's log", func(ctx context.Context) (err error) { p.console, err = h.makeLog(ctx, spec); return err }},
		{"define the domain", func(ctx context.Context) error { return h.defineDomain(ctx, m, spec, spec.record(nics), p) }},
	} {
		if err := ctx.Err(); err != nil {
			return h.explain(err, "%s", s.doing)
		}
		// A call that is abandoned may still do its work, after the undo.
		if err := h.step(context.WithoutCancel(ctx), s.doing, s.do); err != nil {
			return err
		}
	}
	return nil
}

func (h *Host) reserveAll(ctx context.Context, spec ServerSpec) ([]NIC, error) {
	var nics []NIC
	for i, n := range spec.NICs {
		mac := MAC(spec.ID, i)
		ip, err := h.reserve(ctx, n.Network, mac, n.IP)
		if err != nil {
			return nil, err
		}
		nics = append(nics, NIC{Network: n.Network, MAC: mac, IP: ip})
	}
	return nics, nil
}

// The volumes of a server.
func diskName(id string) string { return id + ".qcow2" }
func seedName(id string) string { return id + ".iso" }
func logName(id string) string  { return id + ".log" }

func (h *Host) makeDisk(ctx context.Context, spec ServerSpec) (string, error) {
	p, err := h.pool(ctx, serversPool)
	if err != nil {
		return "", err
	}
	m, err := h.newVolume(ctx, p, overlayVolume(diskName(spec.ID), spec.diskBytes(), spec.Base))
	return m.path, err
}

func (h *Host) makeSeed(ctx context.Context, spec ServerSpec) (string, error) {
	if spec.Seed.Open == nil {
		return "", nil
	}
	p, err := h.pool(ctx, serversPool)
	if err != nil {
		return "", err
	}
	m, err := h.newVolume(ctx, p, rawVolume(seedName(spec.ID), uint64(spec.Seed.SizeBytes)))
	if err != nil {
		return "", err
	}
	r, err := spec.Seed.Open()
	if err != nil {
		return "", fmt.Errorf("seed: %w", err)
	}
	return m.path, errors.Join(h.upload(ctx, m.volume, r, spec.Seed.SizeBytes), r.Close())
}

// makeLog makes the file that virtlogd will write: as a volume it can be read from
// afar, and is removed with the others.
func (h *Host) makeLog(ctx context.Context, spec ServerSpec) (string, error) {
	p, err := h.pool(ctx, serversPool)
	if err != nil {
		return "", err
	}
	m, err := h.newVolume(ctx, p, rawVolume(logName(spec.ID), 0))
	return m.path, err
}

func (h *Host) defineDomain(ctx context.Context, m machine, spec ServerSpec, record Record, p parts) error {
	record, err := record.asRead()
	if err != nil {
		return err
	}
	def, err := domain(h.domainName(spec.ID), m, spec, record, p)
	if err != nil {
		return err
	}
	text, err := def.Marshal()
	if err != nil {
		return err
	}
	ticket := h.table.ticket()
	err = h.call(ctx, func(a api) error {
		_, err := a.DomainDefineXMLFlags(text, libvirt.DomainDefineValidate)
		return err
	})
	if err == nil { // known without another look, which could fail
		h.table.found(ticket, spec.ID, state(libvirt.DomainShutoff, 0), &record)
		h.table.wrote(spec.ID, record)
	}
	return err
}

// undoTime limits the undoing of what failed, for which the caller's context is not
// asked: it may be what failed.
const undoTime = time.Minute

func (h *Host) undoing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), undoTime)
}

// undo removes whatever there is of a server that could not be made.
func (h *Host) undo(ctx context.Context, id string) {
	ctx, cancel := h.undoing(ctx)
	defer cancel()
	err := h.remove(ctx, id)
	if err != nil {
		h.opts.Log.WarnContext(ctx, "what is left of a server is removed later", "host", h.opts.Name, "server", id, "error", err)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.litter[id] = true
	}
}

// littered says whether something of an attempt to make the server may be left.
func (h *Host) littered(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.litter[id]
}
