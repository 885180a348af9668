package native

import (
	"context"

	"github.com/dragoman-cloud/dragoman/adapters/native/kvm"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// Recovered is a server that Recover has found.
type Recovered struct {
	ID     canonical.ID
	Tenant string // that owns it
	Host   string
}

// Recover rebuilds the store's records of servers from their hosts, which have to be
// up: of those that the store does not know. A server whose making or deletion was
// under way is recovered as it is, for its owner to delete.
func (c *Cloud) Recover(ctx context.Context) ([]Recovered, error) {
	var found []Recovered
	for _, h := range c.hosts {
		if err := h.Ready(ctx); err != nil {
			return found, err
		}
		for _, s := range h.List() {
			switch _, err := c.record(ctx, canonical.ID(s.ID)); {
			case err == nil:
				continue
			case canonical.CodeOf(err) != canonical.NotFound:
				return found, err
			}
			if err := c.adopt(ctx, h, s); err != nil {
				return found, err
			}
			found = append(found, Recovered{ID: canonical.ID(s.ID), Tenant: s.Tenant, Host: h.Name()})
		}
	}
	return found, nil
}

// adopt writes what the store keeps of a server. That its image is not there any more
// does not matter: the host has what the server needs.
func (c *Cloud) adopt(ctx context.Context, h *kvm.Host, s kvm.Server) error {
	if err := c.images.Use(s.Image.ID, s.ID); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		return err
	}
	claim := store.Claim{Host: h.Name(), Server: s.ID, VCPUs: *s.Flavor.VCPUs, RAMMiB: *s.Flavor.RAMMiB, DiskGiB: *s.Flavor.DiskGiB}
	err := c.opts.Store.Claim(ctx, c.opts.Name, func([]store.Claim) ([]store.Claim, error) { return []store.Claim{claim}, nil })
	if err != nil && canonical.CodeOf(err) != canonical.AlreadyExists {
		return err
	}
	created := s.CreatedAt
	r := record{Record: s.Record, Host: h.Name(), Built: true, UpdatedAt: now(), LaunchedAt: &created}
	if err := c.opts.Store.AddObject(ctx, c.object(serverKind, s.ID), r); err != nil {
		return err
	}
	return c.opts.Store.Adopt(ctx, c.opts.Name, "server", canonical.MakeID(c.opts.Name, s.ID), s.Tenant)
}
