package native

import (
	"context"
	"errors"
	"fmt"
	"maps"

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
// under way is recovered as it is, for its owner to delete; of one whose making did not
// come to a domain nothing is kept. The error tells also of servers whose host's record cannot be read; the others are recovered all the same.
func (c *Cloud) Recover(ctx context.Context) ([]Recovered, error) {
	var found []Recovered
	var errs []error
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
				errs = append(errs, fmt.Errorf("server %s on host %s: %w", s.ID, h.Name(), err))
				continue
			}
			found = append(found, Recovered{ID: canonical.ID(s.ID), Tenant: s.Tenant, Host: h.Name()})
		}
		errs = append(errs, c.removeOrphans(ctx, h))
	}
	return found, errors.Join(errs...)
}

// removeOrphans removes what creates left on a host that did not come to a domain: a disk,
// and a seed with a password in it. What the store knows is made by its job.
func (c *Cloud) removeOrphans(ctx context.Context, h host) error {
	ids, err := h.Orphans(ctx)
	errs := []error{err}
	for _, id := range ids {
		if _, err := c.record(ctx, canonical.ID(id)); canonical.CodeOf(err) == canonical.NotFound {
			errs = append(errs, h.Delete(ctx, id))
		}
	}
	return errors.Join(errs...)
}

// adopt writes what the store keeps of a server, its record last: by that it is known.
// That its image is not there any more does not matter: the host has what it needs.
func (c *Cloud) adopt(ctx context.Context, h host, s kvm.Server) error {
	f := s.Flavor
	if s.CreatedAt.IsZero() || f.VCPUs == nil || f.RAMMiB == nil || f.DiskGiB == nil {
		return canonical.Errorf(canonical.Internal, "the record in the domain's metadata is missing or spoiled")
	}
	if err := c.usesImage(s.Record); err != nil {
		return err
	}
	created := s.CreatedAt
	r := record{Record: s.Record, Host: h.Name(), Built: true, UpdatedAt: now(), LaunchedAt: &created}
	if err := c.dropMarks(ctx, r.Metadata); err != nil {
		return err
	}
	claim := c.claimOf(r, r.Flavor)
	if r.Former != nil {
		claim = larger(claim, c.claimOf(r, *r.Former))
	}
	err := c.opts.Store.Claim(ctx, c.opts.Name, func([]store.Claim) ([]store.Claim, error) { return []store.Claim{claim}, nil })
	if err != nil && canonical.CodeOf(err) != canonical.AlreadyExists {
		return err
	}
	if s.Tenant != "" {
		if err := c.opts.Store.Adopt(ctx, c.opts.Name, "server", canonical.MakeID(c.opts.Name, s.ID), s.Tenant); err != nil {
			return err
		}
	}
	return c.opts.Store.AddObject(ctx, c.object(serverKind, s.ID), r)
}

// dropMarks takes out the marks of other stores, such as the one that is lost: they name
// operations that nobody knows any more, and nobody hides them.
func (c *Cloud) dropMarks(ctx context.Context, metadata map[string]string) error {
	instance, err := c.opts.Store.Instance(ctx)
	maps.DeleteFunc(metadata, func(key, _ string) bool { return canonical.IsMark(key) && key != canonical.Mark(instance) })
	return err
}
