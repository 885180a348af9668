package memory

import (
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// resetState makes the server what it is said to be, and ends what was being done to it.
func (c *Cloud) resetState(r canonical.ServerResetState) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	now := c.now()
	s.turn++ // what was under way comes to nothing
	s.Task, s.UpdatedAt, s.Fault = nil, &now, nil
	s.rest(r.Status, s.Power)
	if s.Host == nil {
		c.settleOn(s, c.host(""))
	}
	return reply(s.copy(), nil)
}

// bin puts the server into the recycle bin.
func (c *Cloud) bin(s *server) {
	now := c.now()
	purge := now.Add(c.opts.Recycle)
	s.rest(canonical.ServerSoftDeleted, canonical.PowerOff)
	s.DeletedAt, s.PurgeAt = &now, &purge
}

// purgeDue removes what has been in the recycle bin for long enough.
func (c *Cloud) purgeDue(now time.Time) {
	if c.opts.Recycle <= 0 {
		return
	}
	for _, s := range c.servers {
		if s.PurgeAt != nil && !s.PurgeAt.After(now) && s.Task == nil {
			c.remove(s)
		}
	}
}

func (c *Cloud) restoreServer(r canonical.ServerRestore) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "restore", states{canonical.ServerSoftDeleted})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.RestoreServer.Spec(), s, "restoring", canonical.ServerRunning, func() {
		s.DeletedAt, s.PurgeAt = nil, nil
		s.boot()
	})
}

func (c *Cloud) purgeServer(r canonical.ServerPurge) (canonical.TypedReply[canonical.None], error) {
	s, err := c.unlocked(r.ID, "purge")
	if err != nil {
		return refuse[canonical.None](err)
	}
	if c.begin(canonical.PurgeServer.Spec(), s, "deleting", func() { c.remove(s) }) {
		return reply(canonical.None{}, canonical.WaitPurged(s.ID))
	}
	return reply(canonical.None{}, nil)
}
