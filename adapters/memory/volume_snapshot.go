package memory

import (
	"maps"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// volumeSnapshot is a snapshot with what only this cloud knows.
type volumeSnapshot struct {
	canonical.VolumeSnapshot
	bootable bool
}

func (s *volumeSnapshot) copy() canonical.VolumeSnapshot {
	out := s.VolumeSnapshot
	out.Description, out.Metadata = own(s.Description), maps.Clone(s.Metadata)
	out.CreatedAt, out.UpdatedAt = own(s.CreatedAt), own(s.UpdatedAt)
	return out
}

func (s *volumeSnapshot) rest(status canonical.VolumeSnapshotStatus) {
	s.Status, s.NativeStatus = status, string(status)
}

func (c *Cloud) findVolumeSnapshot(id canonical.ID) (*volumeSnapshot, error) {
	if s, ok := c.volumeSnapshots[id]; ok {
		return s, nil
	}
	return nil, canonical.Errorf(canonical.NotFound, "there is no volume snapshot %s", id)
}

func (c *Cloud) getVolumeSnapshot(r canonical.VolumeSnapshotGet) (canonical.TypedReply[canonical.VolumeSnapshot], error) {
	s, err := c.findVolumeSnapshot(r.ID)
	if err != nil {
		return refuse[canonical.VolumeSnapshot](err)
	}
	return reply(s.copy(), nil)
}

func (c *Cloud) listVolumeSnapshots(r canonical.VolumeSnapshotList) (canonical.TypedReply[canonical.Page[canonical.VolumeSnapshot]], error) {
	found := make([]*volumeSnapshot, 0, len(c.volumeSnapshots))
	for _, s := range c.volumeSnapshots {
		if r.Match(&s.VolumeSnapshot) {
			found = append(found, s)
		}
	}
	return arrange(found, r.ListOptions, (*volumeSnapshot).copy)
}

func (c *Cloud) createVolumeSnapshot(r canonical.VolumeSnapshotCreate) (canonical.TypedReply[canonical.VolumeSnapshot], error) {
	v, err := named(c.volumes, "volume", r.Volume)
	switch {
	case err != nil:
		return refuse[canonical.VolumeSnapshot](err)
	case v.Status != canonical.VolumeAvailable && (v.Status != canonical.VolumeInUse || !r.Force):
		return refuse[canonical.VolumeSnapshot](canonical.Errorf(canonical.FailedPrecondition, "cannot snapshot volume %s while it is %s", v.ID, v.Status))
	}
	if err := c.fitsGiB(v.SizeGiB); err != nil {
		return refuse[canonical.VolumeSnapshot](err)
	}
	now := c.now()
	s := &volumeSnapshot{bootable: v.Bootable, VolumeSnapshot: canonical.VolumeSnapshot{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, Description: optional(r.Description), Volume: v.ID, SizeGiB: v.SizeGiB,
		Metadata: notNil(maps.Clone(r.Metadata)), CreatedAt: &now, UpdatedAt: &now,
	}}
	s.rest(canonical.SnapshotCreating)
	c.volumeSnapshots[s.ID] = s
	if !c.after(canonical.CreateVolumeSnapshot.Spec(), func() {
		s.Progress = 100
		s.rest(canonical.SnapshotAvailable)
	}) {
		return reply(s.copy(), nil)
	}
	return reply(s.copy(), canonical.WaitState("volume_snapshot", s.ID, string(canonical.SnapshotAvailable)))
}

func (c *Cloud) updateVolumeSnapshot(r canonical.VolumeSnapshotUpdate) (canonical.TypedReply[canonical.VolumeSnapshot], error) {
	s, err := c.findVolumeSnapshot(r.ID)
	if err != nil {
		return refuse[canonical.VolumeSnapshot](err)
	}
	if !r.Name.IsZero() {
		s.Name = r.Name.Or("")
	}
	s.Description = merged(s.Description, r.Description)
	s.Metadata = mergedMap(s.Metadata, r.Metadata)
	now := c.now()
	s.UpdatedAt = &now
	return reply(s.copy(), nil)
}

func (c *Cloud) deleteVolumeSnapshot(r canonical.VolumeSnapshotDelete) (canonical.TypedReply[canonical.None], error) {
	s, err := c.findVolumeSnapshot(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case s.Status == canonical.SnapshotCreating:
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "cannot delete snapshot %s while it is %s", s.ID, s.Status))
	}
	if s.Status != canonical.SnapshotDeleting {
		s.rest(canonical.SnapshotDeleting)
		if !c.after(canonical.DeleteVolumeSnapshot.Spec(), func() { delete(c.volumeSnapshots, s.ID) }) {
			return reply(canonical.None{}, nil)
		}
	}
	return reply(canonical.None{}, canonical.WaitStateGone("volume_snapshot", s.ID))
}
