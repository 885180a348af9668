package memory

import "github.com/dragoman-cloud/dragoman/canonical"

func (c *Cloud) pauseServer(r canonical.ServerPause) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "pause", states{canonical.ServerRunning})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.PauseServer.Spec(), s, "pausing", canonical.ServerPaused, nil)
}

func (c *Cloud) unpauseServer(r canonical.ServerUnpause) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "unpause", states{canonical.ServerPaused})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.UnpauseServer.Spec(), s, "unpausing", canonical.ServerRunning, nil)
}

func (c *Cloud) suspendServer(r canonical.ServerSuspend) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "suspend", states{canonical.ServerRunning})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.SuspendServer.Spec(), s, "suspending", canonical.ServerSuspended, nil)
}

func (c *Cloud) resumeServer(r canonical.ServerResume) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "resume", states{canonical.ServerSuspended})
	if err != nil {
		return refuse[canonical.Server](err)
	}
	return c.act(canonical.ResumeServer.Spec(), s, "resuming", canonical.ServerRunning, nil)
}

// lockServer works in every state, as Nova does.
func (c *Cloud) lockServer(r canonical.ServerLock) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	if s.Locked {
		return reply(s.copy(), nil)
	}
	now := c.now()
	s.Locked, s.LockReason, s.UpdatedAt = true, optional(r.Reason), &now
	return reply(s.copy(), nil)
}

func (c *Cloud) unlockServer(r canonical.ServerUnlock) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	now := c.now()
	s.Locked, s.LockReason, s.UpdatedAt = false, nil, &now
	return reply(s.copy(), nil)
}
