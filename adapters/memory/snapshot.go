package memory

import (
	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// snapshot is a snapshot with the image that its server had.
type snapshot struct {
	canonical.ServerSnapshot
	image *canonical.Link
}

func (s *snapshot) copy() canonical.ServerSnapshot {
	out := s.ServerSnapshot
	out.CreatedAt = own(out.CreatedAt)
	return out
}

func (c *Cloud) listSnapshots(r canonical.ServerSnapshotList) (canonical.TypedReply[canonical.Page[canonical.ServerSnapshot]], error) {
	if _, err := c.find(r.ID); err != nil {
		return refuse[canonical.Page[canonical.ServerSnapshot]](err)
	}
	found := []*snapshot{}
	for _, s := range c.snapshots {
		if s.Server == r.ID {
			found = append(found, s)
		}
	}
	return arrange(found, r.ListOptions, (*snapshot).copy)
}

// createSnapshot saves the disk: the server keeps its state, and its task says that
// the work is under way.
func (c *Cloud) createSnapshot(r canonical.ServerSnapshotCreate) (canonical.TypedReply[canonical.ServerSnapshot], error) {
	s, err := c.ready(r.ID, "snapshot", savable)
	if err != nil {
		return refuse[canonical.ServerSnapshot](err)
	}
	now := c.now()
	snap := &snapshot{image: s.Image, ServerSnapshot: canonical.ServerSnapshot{
		ID: canonical.ID(uuid.NewString()), Server: s.ID, Name: r.Name,
		Status: string(canonical.ImageSaving), CreatedAt: &now,
	}}
	c.snapshots[snap.ID] = snap
	done := func() { snap.Status = string(canonical.ImageActive) }
	if !c.begin(canonical.CreateServerSnapshot.Spec(), s, "image_snapshot", done) {
		return reply(snap.copy(), nil)
	}
	return reply(snap.copy(), canonical.WaitStatus(s.ID, s.Status))
}

func (c *Cloud) rollbackSnapshot(r canonical.ServerSnapshotRollback) (canonical.TypedReply[canonical.Server], error) {
	s, err := c.ready(r.ID, "roll back", rebuildable)
	if err != nil {
		return refuse[canonical.Server](err)
	}
	snap, ok := c.snapshots[r.Snapshot]
	switch {
	case !ok || snap.Server != s.ID:
		return refuse[canonical.Server](canonical.Errorf(canonical.NotFound, "server %s has no snapshot %s", s.ID, r.Snapshot))
	case snap.Status != string(canonical.ImageActive):
		return refuse[canonical.Server](canonical.Errorf(canonical.FailedPrecondition, "snapshot %s is %s", r.Snapshot, snap.Status))
	}
	s.Image = snap.image
	return c.redo(canonical.RollbackServerSnapshot.Spec(), s)
}
