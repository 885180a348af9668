package native

import (
	"context"
	"errors"
	"reflect"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
)

// resizeServer gives a server another flavor on the host where it is. Until that is
// confirmed the claim is for the larger of both, and the disk stays as it is, since a
// disk cannot be made smaller again.
func (c *Cloud) resizeServer(ctx context.Context, r canonical.ServerResize) (out canonical.TypedReply[canonical.Server], err error) {
	if r.Live {
		return out, canonical.Errorf(canonical.Unsupported, "live: a server here is resized with a stop")
	}
	from := []canonical.ServerStatus{canonical.ServerRunning, canonical.ServerStopped}
	rec, err := c.admit(ctx, canonical.ResizeServer.Spec(), r.ID, from...)
	if err != nil {
		return out, err
	}
	to, err := c.newShape(ctx, rec, r.Flavor)
	if err != nil {
		return out, err
	}
	j := job{Operation: canonical.ResizeServer.Spec().Name, Resources: about("server", r.ID), Flavor: &to, On: c.runs(rec)}
	// While the server is busy with it, so that no other resize claims at the same time.
	return c.enter(ctx, j, func(ctx context.Context) error { return c.claimBoth(ctx, rec, to) })
}

// claimBoth claims what either shape takes, for a server that has the one still.
func (c *Cloud) claimBoth(ctx context.Context, rec record, to canonical.ServerFlavor) error {
	now, err := c.record(ctx, canonical.ID(rec.ID))
	switch {
	case err != nil:
		return err
	case now.Former != nil || !reflect.DeepEqual(now.Flavor, rec.Flavor):
		return canonical.Errorf(canonical.Conflict, "the server was resized at this moment")
	}
	return c.reclaim(ctx, rec, larger(c.claimOf(rec, rec.Flavor), c.claimOf(rec, to)))
}

func (c *Cloud) confirmResize(ctx context.Context, r canonical.ServerConfirmResize) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.ConfirmServerResize.Spec(), job{}, r.ID, canonical.ServerVerifyResize)
}

func (c *Cloud) revertResize(ctx context.Context, r canonical.ServerRevertResize) (out canonical.TypedReply[canonical.Server], err error) {
	rec, err := c.record(ctx, r.ID)
	if err != nil {
		return out, err
	}
	j := job{Flavor: rec.Former, On: c.runs(rec)}
	return c.act(ctx, canonical.RevertServerResize.Spec(), j, r.ID, canonical.ServerVerifyResize)
}

// runs says whether a server has power now.
func (c *Cloud) runs(r record) bool {
	live := c.live(r)
	return live != nil && live.Power == canonical.PowerOn
}

// newShape is what a flavor makes of a server.
func (c *Cloud) newShape(ctx context.Context, rec record, flavor canonical.Ref) (shape canonical.ServerFlavor, err error) {
	all, err := c.flavors(ctx)
	if err != nil {
		return shape, err
	}
	f, ok := pick(all, string(flavor))
	switch {
	case !ok:
		return shape, canonical.Invalid("flavor", "there is no flavor %q", flavor)
	case rec.Flavor.ID != nil && *rec.Flavor.ID == f.ID:
		return shape, canonical.Invalid("flavor", "is the one that the server has")
	case f.DiskGiB != 0 && f.DiskGiB < *rec.Flavor.DiskGiB:
		return shape, canonical.Invalid("flavor", "has a disk of %d GiB, and the server one of %d: disks do not shrink", f.DiskGiB, *rec.Flavor.DiskGiB)
	}
	disk := max(f.DiskGiB, *rec.Flavor.DiskGiB)
	return canonical.ServerFlavor{
		ID: &f.ID, Name: &f.Name, VCPUs: &f.VCPUs, RAMMiB: &f.RAMMiB, DiskGiB: &disk, EphemeralGiB: new(int), SwapMiB: new(int), ExtraSpecs: f.ExtraSpecs,
	}, nil
}

// reshape is the work of a resize and of its revert. One that fails claims no more than
// before, and is as it was; a crash leads to it once more, from where it was.
func (c *Cloud) reshape(ctx context.Context, j *job) error {
	err := c.reshapeOff(ctx, j)
	if ctx.Err() != nil || canonical.CodeOf(err) == canonical.NotFound {
		return err // the next process goes on; or it was deleted meanwhile
	}
	if err != nil {
		c.note("give back what a resize claimed", c.claimAgain(j.about()))
	}
	if j.On && j.Off {
		err = errors.Join(err, c.start(ctx, j))
	}
	return err
}

// reshapeOff stops the server and gives it its new shape.
func (c *Cloud) reshapeOff(ctx context.Context, j *job) error {
	if !j.Off {
		if err := c.halt(ctx, j); err != nil {
			return err
		}
		j.Off = true
		if err := c.keep(ctx, *j); err != nil {
			return err
		}
	}
	err := c.onHost(ctx, j.about(), func(h host, id string) error { return errorOf(h.Reshape(ctx, id, *j.Flavor)) })
	if err != nil {
		return err
	}
	return c.reshaped(ctx, j)
}

// reshaped notes a resize or a revert that was done.
func (c *Cloud) reshaped(ctx context.Context, j *job) error {
	rec, err := c.change(ctx, j.about(), func(r *record) error {
		switch {
		case j.Operation == canonical.RevertServerResize.Spec().Name:
			r.Former = nil
		case r.Former == nil: // else this is the second time
			former := r.Flavor
			r.Former = &former
		}
		r.Flavor = *j.Flavor
		return nil
	})
	if err != nil {
		return err
	}
	c.informNow(ctx, rec)
	return c.claimAgain(j.about())
}

// confirm grows the disk, and gives back what the former shape claimed.
func (c *Cloud) confirm(ctx context.Context, j *job) error {
	err := c.onHost(ctx, j.about(), func(h host, id string) error {
		rec, err := c.record(ctx, j.about())
		if err != nil || *rec.Flavor.DiskGiB == 0 {
			return err
		}
		return errorOf(h.Grow(ctx, id, uint64(*rec.Flavor.DiskGiB)<<30))
	})
	if err != nil {
		return err
	}
	rec, err := c.change(ctx, j.about(), func(r *record) error { r.Former = nil; return nil })
	if err != nil {
		return err
	}
	c.informNow(ctx, rec)
	return c.claimAgain(j.about())
}

// claimOf is what a shape takes of the server's host; a disk that is as large as the
// image takes what the image wants.
func (c *Cloud) claimOf(r record, f canonical.ServerFlavor) store.Claim {
	claim := store.Claim{Host: r.Host, Server: r.ID, VCPUs: *f.VCPUs, RAMMiB: *f.RAMMiB, DiskGiB: *f.DiskGiB}
	if claim.DiskGiB > 0 {
		return claim
	}
	for _, i := range c.images.List() {
		if i.ID == r.Image.ID {
			claim.DiskGiB = i.MinDiskGiB
		}
	}
	return claim
}

func larger(a, b store.Claim) store.Claim {
	a.VCPUs, a.RAMMiB, a.DiskGiB = max(a.VCPUs, b.VCPUs), max(a.RAMMiB, b.RAMMiB), max(a.DiskGiB, b.DiskGiB)
	return a
}

// reclaim changes what a server claims, if its host has the room.
func (c *Cloud) reclaim(ctx context.Context, rec record, claim store.Claim) error {
	hosts := c.candidates(ctx)
	return c.opts.Store.Reclaim(ctx, c.opts.Name, claim, func(others []store.Claim) error {
		taken := usage(others)
		for _, h := range hosts {
			if h.name != rec.Host {
				continue
			}
			if why := h.refuses(demand{claim: claim}, taken[h.name]); why != "" {
				return noRoom(hosts, 0, 1, []string{h.name + " " + why})
			}
		}
		return nil
	})
}

// claimAgain claims what a server's shape takes, and no more, unless both shapes of a
// resize are needed still.
func (c *Cloud) claimAgain(id canonical.ID) error {
	rec, err := c.record(c.ctx, id)
	if err != nil || rec.Former != nil {
		return err
	}
	return c.opts.Store.Reclaim(c.ctx, c.opts.Name, c.claimOf(rec, rec.Flavor), func([]store.Claim) error { return nil })
}
