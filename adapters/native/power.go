package native

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) pauseServer(ctx context.Context, r canonical.ServerPause) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.PauseServer.Spec(), job{}, r.ID, canonical.ServerRunning)
}

func (c *Cloud) unpauseServer(ctx context.Context, r canonical.ServerUnpause) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.UnpauseServer.Spec(), job{}, r.ID, canonical.ServerPaused)
}

func (c *Cloud) suspendServer(ctx context.Context, r canonical.ServerSuspend) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.SuspendServer.Spec(), job{}, r.ID, canonical.ServerRunning)
}

func (c *Cloud) resumeServer(ctx context.Context, r canonical.ServerResume) (canonical.TypedReply[canonical.Server], error) {
	return c.act(ctx, canonical.ResumeServer.Spec(), job{}, r.ID, canonical.ServerSuspended)
}

// errorOf is the error of a call whose other result is of no use.
func errorOf[T any](_ T, err error) error { return err }

// lockedFor says whether the lock keeps the caller from the server.
func (r record) lockedFor(ctx context.Context) bool {
	return r.Locked && !canonical.CallerOf(ctx).Role.AtLeast(canonical.Operator)
}

func (c *Cloud) lockServer(ctx context.Context, r canonical.ServerLock) (canonical.Server, error) {
	return c.setLock(ctx, r.ID, true, r.Reason)
}

func (c *Cloud) unlockServer(ctx context.Context, r canonical.ServerUnlock) (canonical.Server, error) {
	return c.setLock(ctx, r.ID, false, "")
}

// setLock works in every state.
func (c *Cloud) setLock(ctx context.Context, id canonical.ID, locked bool, reason string) (canonical.Server, error) {
	rec, err := c.change(ctx, id, func(rec *record) error {
		if rec.Locked && locked {
			return nil // the first reason stays, as with Nova
		}
		rec.Locked, rec.LockReason = locked, reason
		return nil
	})
	if err != nil {
		return canonical.Server{}, err
	}
	c.informIdle(ctx, rec)
	c.tell(id)
	return c.now(ctx, rec)
}
