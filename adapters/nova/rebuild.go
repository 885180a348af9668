package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// rebuildServer installs an image anew. A server that was stopped runs for a moment
// before Nova stops it again, so what it shall end as is asked first.
func (c *Cloud) rebuildServer(ctx context.Context, r canonical.ServerRebuild) (canonical.TypedReply[canonical.ServerWithPassword], error) {
	before, err := canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: r.ID})
	if err != nil {
		return canonical.TypedReply[canonical.ServerWithPassword]{}, err
	}
	reply, err := canonical.RebuildServer.Do(ctx, c.Rows(), r)
	if err != nil || reply.Task == nil {
		return reply, err
	}
	end := canonical.ServerRunning
	if before.Result.Status == canonical.ServerStopped {
		end = canonical.ServerStopped
	}
	reply.Task = canonical.WaitStatus(r.ID, end)
	return reply, nil
}
