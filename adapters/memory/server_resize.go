package memory

import "github.com/dragoman-cloud/dragoman/canonical"

// shape is what a server was before a resize or a migration that is not confirmed yet.
type shape struct {
	flavor canonical.ServerFlavor
	host   string
	status canonical.ServerStatus // running or stopped
}

func (c *Cloud) resizeServer(r canonical.ServerResize) (canonical.TypedReply[canonical.Server], error) {
	from := states{canonical.ServerRunning, canonical.ServerStopped}
	if r.Live {
		from = states{canonical.ServerRunning}
	}
	s, err := c.ready(r.ID, "resize", from)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	to, err := c.flavorFor(r.Flavor, s)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	if r.Live {
		return c.act(canonical.ResizeServer.Spec(), s, "resize_live", canonical.ServerRunning, func() { s.Flavor = shapeOf(to) })
	}
	return c.move(canonical.ResizeServer.Spec(), s, "resize", shapeOf(to), *s.Host)
}

// flavorFor is the flavor of that id or name, if the server can take it.
func (c *Cloud) flavorFor(ref canonical.Ref, s *server) (canonical.Flavor, error) {
	f, ok := pick(c.flavors, string(ref))
	switch {
	case !ok:
		return f, canonical.Invalid("flavor", "there is no flavor %q", ref)
	case s.Flavor.ID != nil && *s.Flavor.ID == f.ID:
		return f, canonical.Invalid("flavor", "is what the server has")
	}
	if s.Image != nil {
		if i, kept := pick(c.images, string(s.Image.ID)); kept && tooSmall(shapeOf(f), i) {
			return f, canonical.Invalid("flavor", "is too small for the image")
		}
	}
	return f, c.fitsInstead(f, s)
}

// move gives the server another shape or host, with the old one to go back to; kind is
// what the migration is called.
func (c *Cloud) move(op *canonical.Spec, s *server, kind string, to canonical.ServerFlavor, host string) (canonical.TypedReply[canonical.Server], error) {
	before := shape{s.Flavor, *s.Host, s.Status}
	power := s.Power
	s.rest(canonical.ServerResizing, power)
	c.migrates(s, kind, host)
	return c.act(op, s, "resize_prep", canonical.ServerVerifyResize, func() {
		s.Power = power
		s.before, s.Flavor = &before, to
		c.settleOn(s, host)
		c.migrated(s, migrationFinished)
		if power == canonical.PowerOn {
			s.boot()
		}
	})
}

func (c *Cloud) confirmResize(r canonical.ServerConfirmResize) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "confirm the resize of", states{canonical.ServerVerifyResize})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	after := s.before.status
	return c.act(canonical.ConfirmServerResize.Spec(), s, "resize_confirming", after, func() {
		s.before = nil
		c.migrated(s, migrationConfirmed)
	})
}

func (c *Cloud) revertResize(r canonical.ServerRevertResize) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "revert the resize of", states{canonical.ServerVerifyResize})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	old := *s.before
	s.rest(canonical.ServerReverting, s.Power)
	return c.act(canonical.RevertServerResize.Spec(), s, "resize_reverting", old.status, func() {
		s.before, s.Flavor = nil, old.flavor
		c.settleOn(s, old.host)
		c.migrated(s, migrationReverted)
		if old.status == canonical.ServerRunning {
			s.boot()
		}
	})
}
