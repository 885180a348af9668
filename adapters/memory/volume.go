package memory

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// defaultType is the type of volumes that are made of none.
const defaultType = "standard"

// volume is a volume with what only this cloud knows.
type volume struct {
	canonical.Volume
	created string // creation time as lists sort it
}

// ListKeys implements canonical.Listed without formatting the time each time.
func (v *volume) ListKeys() (canonical.ID, string, string) { return v.ID, v.Name, v.created }

// copy is the volume for a caller, who may change all of it.
func (v *volume) copy() canonical.Volume {
	out := v.Volume
	out.Description, out.Type, out.AvailabilityZone = own(v.Description), own(v.Type), own(v.AvailabilityZone)
	out.Snapshot, out.Source = own(v.Snapshot), own(v.Source)
	out.CreatedAt, out.UpdatedAt = own(v.CreatedAt), own(v.UpdatedAt)
	out.Metadata, out.Attachments = maps.Clone(v.Metadata), slices.Clone(v.Attachments)
	for i := range out.Attachments {
		u := &out.Attachments[i]
		u.Device, u.Attachment, u.AttachedAt = own(u.Device), own(u.Attachment), own(u.AttachedAt)
	}
	return out
}

// rest puts the volume into a state.
func (v *volume) rest(status canonical.VolumeStatus) {
	v.Status, v.NativeStatus = status, string(status)
}

// settled is the state of a volume that nothing is done to.
func (v *volume) settled() canonical.VolumeStatus {
	if len(v.Attachments) > 0 {
		return canonical.VolumeInUse
	}
	return canonical.VolumeAvailable
}

func (c *Cloud) handleVolumes() {
	handle(c, canonical.ListVolumes, c.listVolumes)
	handle(c, canonical.GetVolume, c.getVolume)
	handle(c, canonical.CreateVolume, c.createVolume)
	handle(c, canonical.UpdateVolume, c.updateVolume)
	handle(c, canonical.DeleteVolume, c.deleteVolume)
	handle(c, canonical.ExtendVolume, c.extendVolume)
	handle(c, canonical.ListVolumeTypes, c.listVolumeTypes)
	handle(c, canonical.GetVolumeType, c.getVolumeType)
	handle(c, canonical.ListVolumeAttachments, c.listAttachments)
	handle(c, canonical.GetVolumeAttachment, c.getAttachment)
	handle(c, canonical.UpdateVolumeAttachment, c.updateAttachment)
	handle(c, canonical.AttachVolume, c.attachVolume)
	handle(c, canonical.DetachVolume, c.detachVolume)
	handle(c, canonical.ListVolumeSnapshots, c.listVolumeSnapshots)
	handle(c, canonical.GetVolumeSnapshot, c.getVolumeSnapshot)
	handle(c, canonical.CreateVolumeSnapshot, c.createVolumeSnapshot)
	handle(c, canonical.UpdateVolumeSnapshot, c.updateVolumeSnapshot)
	handle(c, canonical.DeleteVolumeSnapshot, c.deleteVolumeSnapshot)
}

func (c *Cloud) volumeType(name string, isDefault bool) canonical.VolumeType {
	return canonical.VolumeType{
		ID: canonical.ID(c.stableID("volume_type", name)), Name: name, Public: true, Default: &isDefault, ExtraSpecs: map[string]string{},
	}
}

func copyVolumeType(t canonical.VolumeType) canonical.VolumeType {
	t.Description, t.Default, t.ExtraSpecs = own(t.Description), own(t.Default), maps.Clone(t.ExtraSpecs)
	return t
}

func (c *Cloud) listVolumeTypes(r canonical.VolumeTypeList) (canonical.TypedReply[canonical.Page[canonical.VolumeType]], error) {
	return arrange(those(c.volumeTypes, r.Match), r.ListOptions, copyVolumeType)
}

func (c *Cloud) getVolumeType(r canonical.VolumeTypeGet) (canonical.TypedReply[canonical.VolumeType], error) {
	return byID(c.volumeTypes, "volume type", r.ID, copyVolumeType)
}

func (c *Cloud) findVolume(id canonical.ID) (*volume, error) {
	if v, ok := c.volumes[id]; ok {
		return v, nil
	}
	return nil, canonical.Errorf(canonical.NotFound, "there is no volume %s", id)
}

func (c *Cloud) getVolume(r canonical.VolumeGet) (canonical.TypedReply[canonical.Volume], error) {
	v, err := c.findVolume(r.ID)
	if err != nil {
		return refuse[canonical.Volume](err)
	}
	return reply(v.copy(), nil)
}

func (c *Cloud) listVolumes(r canonical.VolumeList) (canonical.TypedReply[canonical.Page[canonical.Volume]], error) {
	found := make([]*volume, 0, len(c.volumes))
	for _, v := range c.volumes {
		if r.Match(&v.Volume) {
			found = append(found, v)
		}
	}
	return arrange(found, r.ListOptions, (*volume).copy)
}

func (c *Cloud) createVolume(r canonical.VolumeCreate) (canonical.TypedReply[canonical.Volume], error) {
	v, err := c.newVolume(r)
	if err == nil {
		err = c.fitsGiB(v.SizeGiB)
	}
	if err != nil {
		return refuse[canonical.Volume](err)
	}
	c.volumes[v.ID] = v
	if !c.after(canonical.CreateVolume.Spec(), func() { v.rest(v.settled()) }) {
		return reply(v.copy(), nil)
	}
	return reply(v.copy(), canonical.WaitState("volume", v.ID, string(canonical.VolumeAvailable)))
}

// newVolume is the volume that r asks for, not yet among the cloud's.
func (c *Cloud) newVolume(r canonical.VolumeCreate) (*volume, error) {
	now, kind, zone := c.now(), or(r.Type, defaultType), or(string(r.AvailabilityZone), c.zones[0].Name)
	v := &volume{Volume: canonical.Volume{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, Description: optional(r.Description), SizeGiB: r.SizeGiB, Type: &kind,
		AvailabilityZone: &zone, Attachments: []canonical.VolumeUse{}, Metadata: notNil(maps.Clone(r.Metadata)),
		MultiAttach: r.MultiAttach, CreatedAt: &now, UpdatedAt: &now,
	}}
	t, ok := pick(c.volumeTypes, kind)
	switch {
	case len(r.Native) > 0:
		return nil, lacksField("native")
	case !ok:
		return nil, canonical.Invalid("type", "there is no volume type %q", kind)
	case !slices.ContainsFunc(c.zones, func(z canonical.AvailabilityZone) bool { return z.Name == zone }):
		return nil, canonical.Invalid("availability_zone", "there is no zone %q", zone)
	}
	v.Type = &t.Name
	if err := c.fill(v, r); err != nil {
		return nil, err
	}
	_, _, v.created = v.Volume.ListKeys()
	v.rest(canonical.VolumeCreating)
	return v, nil
}

// fill notes what a new volume is made from, and refuses what does not go into it.
func (c *Cloud) fill(v *volume, r canonical.VolumeCreate) error {
	least, of := 1, ""
	switch {
	case r.Image != "":
		i, ok := pick(c.images, string(r.Image))
		switch {
		case !ok:
			return canonical.Invalid("image", "there is no image %q", r.Image)
		case i.Status != canonical.ImageActive:
			return canonical.Invalid("image", "is %s", i.Status)
		}
		v.Bootable, least, of = true, max(i.MinDiskGiB, wholeGiB(*i.SizeBytes)), "image"
	case r.Snapshot != "":
		s, err := named(c.volumeSnapshots, "snapshot", r.Snapshot)
		switch {
		case err != nil:
			return err
		case s.Status != canonical.SnapshotAvailable:
			return canonical.Errorf(canonical.FailedPrecondition, "snapshot %s is %s", s.ID, s.Status)
		}
		v.Snapshot, v.Bootable, least, of = own(&s.ID), s.bootable, s.SizeGiB, "snapshot"
	case r.Source != "":
		from, err := named(c.volumes, "source", r.Source)
		switch {
		case err != nil:
			return err
		case from.Status != canonical.VolumeAvailable && from.Status != canonical.VolumeInUse:
			return canonical.Errorf(canonical.FailedPrecondition, "volume %s is %s", from.ID, from.Status)
		}
		v.Source, v.Bootable, least, of = own(&from.ID), from.Bootable, from.SizeGiB, "volume"
	}
	if v.SizeGiB == 0 {
		v.SizeGiB = least
	}
	if v.SizeGiB < least {
		return canonical.Invalid("size_gib", "is less than the %d GiB of the %s", least, of)
	}
	return nil
}

// named is the item of that id or, failing that, of that name; field is what names it.
func named[T canonical.Listed](items map[canonical.ID]T, field string, ref canonical.Ref) (T, error) {
	if item, ok := items[canonical.ID(ref)]; ok {
		return item, nil
	}
	if item, ok := pick(slices.Collect(maps.Values(items)), string(ref)); ok {
		return item, nil
	}
	var none T
	return none, canonical.Invalid(field, "there is no %q", ref)
}

// wholeGiB is the GiB that hold so many bytes.
func wholeGiB(bytes int64) int { return int((bytes + 1<<30 - 1) >> 30) }

// volumeGiB is what all volumes and their snapshots hold together.
func (c *Cloud) volumeGiB() (gib int) {
	for _, v := range c.volumes {
		gib += v.SizeGiB
	}
	for _, s := range c.volumeSnapshots {
		gib += s.SizeGiB
	}
	return gib
}

// fitsGiB says whether so much more keeps within the capacity.
func (c *Cloud) fitsGiB(more int) error {
	limit, used := c.opts.Capacity.VolumeGiB, c.volumeGiB()
	if limit > 0 && used+more > limit {
		return canonical.Errorf(canonical.QuotaExceeded, "quota exceeded for volume_gib: %d of %d", used+more, limit)
	}
	return nil
}

func (c *Cloud) updateVolume(r canonical.VolumeUpdate) (canonical.TypedReply[canonical.Volume], error) {
	v, err := c.findVolume(r.ID)
	if err != nil {
		return refuse[canonical.Volume](err)
	}
	if !r.Name.IsZero() {
		v.Name = r.Name.Or("")
	}
	v.Description = merged(v.Description, r.Description)
	v.Bootable = r.Bootable.Or(v.Bootable)
	v.Metadata = mergedMap(v.Metadata, r.Metadata)
	now := c.now()
	v.UpdatedAt = &now
	return reply(v.copy(), nil)
}

// readyVolume is the volume if it is in one of the states, else FailedPrecondition.
func (c *Cloud) readyVolume(id canonical.ID, verb string, from ...canonical.VolumeStatus) (*volume, error) {
	v, err := c.findVolume(id)
	if err == nil && !slices.Contains(from, v.Status) {
		err = canonical.Errorf(canonical.FailedPrecondition, "cannot %s volume %s while it is %s", verb, id, v.Status)
	}
	return v, err
}

func (c *Cloud) deleteVolume(r canonical.VolumeDelete) (canonical.TypedReply[canonical.None], error) {
	v, err := c.findVolume(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case v.Status == canonical.VolumeDeleting:
		return reply(canonical.None{}, canonical.WaitStateGone("volume", v.ID))
	}
	if v, err = c.readyVolume(r.ID, "delete", canonical.VolumeAvailable, canonical.VolumeError); err != nil {
		return refuse[canonical.None](err)
	}
	for _, s := range c.volumeSnapshots {
		if s.Volume == v.ID {
			return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "volume %s has snapshots", v.ID))
		}
	}
	v.rest(canonical.VolumeDeleting)
	if !c.after(canonical.DeleteVolume.Spec(), func() { delete(c.volumes, v.ID) }) {
		return reply(canonical.None{}, nil)
	}
	return reply(canonical.None{}, canonical.WaitStateGone("volume", v.ID))
}

// extendVolume makes a volume larger, also while a server has it.
func (c *Cloud) extendVolume(r canonical.VolumeExtend) (canonical.TypedReply[canonical.Volume], error) {
	v, err := c.readyVolume(r.ID, "extend", canonical.VolumeAvailable, canonical.VolumeInUse)
	switch {
	case err != nil:
		return refuse[canonical.Volume](err)
	case r.SizeGiB <= v.SizeGiB:
		return refuse[canonical.Volume](canonical.Invalid("size_gib", "must be more than the present %d", v.SizeGiB))
	}
	if err := c.fitsGiB(r.SizeGiB - v.SizeGiB); err != nil {
		return refuse[canonical.Volume](err)
	}
	v.rest(canonical.VolumeExtending)
	if !c.after(canonical.ExtendVolume.Spec(), func() {
		now := c.now()
		v.SizeGiB, v.UpdatedAt = r.SizeGiB, &now
		v.rest(v.settled())
	}) {
		return reply(v.copy(), nil)
	}
	return reply(v.copy(), canonical.WaitState("volume", v.ID, string(v.settled())))
}
