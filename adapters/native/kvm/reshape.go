package kvm

import (
	"context"

	"github.com/digitalocean/go-libvirt"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Reshape gives a server that is stopped another flavor: its processors, its memory and
// what extra specs say. Its disk stays as it is; see Grow. It can be repeated.
func (h *Host) Reshape(ctx context.Context, id string, to canonical.ServerFlavor) (Server, error) {
	return h.act(ctx, id, Reshaping, func(ctx context.Context, s Server) error {
		if !s.State.off() {
			return canonical.Errorf(canonical.FailedPrecondition, "host %s: server %s is not stopped", h.opts.Name, id)
		}
		m, err := h.machine(ctx)
		if err != nil {
			return err
		}
		record := s.Record.clone()
		record.Flavor = to
		return h.step(ctx, "define the domain anew", func(ctx context.Context) error {
			p, err := h.partsOf(ctx, id)
			if err != nil {
				return err
			}
			return h.defineDomain(ctx, m, ServerSpec{ID: id, Flavor: to}, record, p)
		})
	})
}

// partsOf finds the things of a server on its host.
func (h *Host) partsOf(ctx context.Context, id string) (p parts, err error) {
	pool, err := h.pool(ctx, serversPool)
	if err != nil {
		return p, err
	}
	return fetch(ctx, h, func(a api) (p parts, err error) {
		for _, part := range []struct {
			path *string
			name string
		}{{&p.disk, diskName(id)}, {&p.seed, seedName(id)}, {&p.console, logName(id)}} {
			v, err := a.StorageVolLookupByName(pool, part.name)
			if isCode(err, libvirt.ErrNoStorageVol) && part.path == &p.seed {
				continue // it was made without
			}
			if err != nil {
				return p, err
			}
			if *part.path, err = a.StorageVolGetPath(v); err != nil {
				return p, err
			}
		}
		return p, nil
	})
}

// Grow makes the root disk of a server so large, also while it runs. A disk that is as
// large or larger stays as it is.
func (h *Host) Grow(ctx context.Context, id string, bytes uint64) (Server, error) {
	return h.act(ctx, id, NoTask, func(ctx context.Context, s Server) error {
		return h.step(ctx, "grow the root disk", func(ctx context.Context) error {
			pool, err := h.pool(ctx, serversPool)
			if err != nil {
				return err
			}
			return h.call(ctx, func(a api) error {
				v, err := a.StorageVolLookupByName(pool, diskName(id))
				if err != nil {
					return err
				}
				if _, capacity, _, err := a.StorageVolGetInfo(v); err != nil || capacity >= bytes {
					return err
				}
				if s.State.off() {
					return a.StorageVolResize(v, bytes, 0)
				}
				return a.DomainBlockResize(h.domainOf(id), rootTarget, bytes, libvirt.DomainBlockResizeBytes)
			})
		})
	})
}
