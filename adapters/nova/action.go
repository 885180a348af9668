package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// told performs what Nova answers with nothing, and answers the server as it is then.
func told[Req any](c *Cloud, op canonical.Op[Req, canonical.Server], id func(Req) canonical.ID) {
	canonical.HandleIf(&c.Mux, op, like(c, op), func(ctx context.Context, r Req) (canonical.TypedReply[canonical.Server], error) {
		if reply, err := op.Do(ctx, c.Rows(), r); err != nil {
			return reply, err
		}
		return canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: id(r)})
	})
}

// away is a move whose end cannot be told from its beginning by the state: which host is
// left is asked first. Where the account does not see hosts, the state has to do.
func away[Req, Res any](c *Cloud, op canonical.Op[Req, Res], id func(Req) canonical.ID) {
	canonical.HandleIf(&c.Mux, op, like(c, op), func(ctx context.Context, r Req) (canonical.TypedReply[Res], error) {
		before, err := canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: id(r)})
		if err != nil {
			return canonical.TypedReply[Res]{}, err
		}
		reply, err := op.Do(ctx, c.Rows(), r)
		if err == nil && reply.Task != nil && reply.Task.Status != nil && before.Result.Host != nil {
			reply.Task.Status.Leaves = *before.Result.Host
		}
		return reply, err
	})
}

func (c *Cloud) handleActions() {
	told(c, canonical.LockServer, func(r canonical.ServerLock) canonical.ID { return r.ID })
	told(c, canonical.UnlockServer, func(r canonical.ServerUnlock) canonical.ID { return r.ID })
	told(c, canonical.ResetServerState, func(r canonical.ServerResetState) canonical.ID { return r.ID })
	away(c, canonical.LiveMigrateServer, func(r canonical.ServerLiveMigrate) canonical.ID { return r.ID })
	away(c, canonical.EvacuateServer, func(r canonical.ServerEvacuate) canonical.ID { return r.ID })
}
