package cloudtest

import (
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func needVolumes(k *check) {
	k.needs(canonical.CreateVolume.Spec(), canonical.GetVolume.Spec(), canonical.DeleteVolume.Spec())
}

// volume makes a volume, waits until it is there, and has it deleted in the end.
func (k *check) volume(r canonical.VolumeCreate) canonical.Volume {
	id := made1(k, canonical.CreateVolume, r, k.deleteVolume)
	return k.getVolume(id)
}

// made1 makes one thing, has it removed in the end, and waits until it is there. The
// answer names it, or the task does in the end.
func made1[Req any, Res canonical.Listed](k *check, op canonical.Op[Req, Res], r Req, remove func(canonical.ID)) canonical.ID {
	reply, err := op.Do(k.ctx, k.cloud, r)
	if err != nil {
		k.fatalf("%s: %v", op.Spec().Name, err)
	}
	id, _, _ := reply.Result.ListKeys()
	if id != "" {
		k.whole(op.Spec().Name, reply.Result)
		k.undo = append(k.undo, func(*check) { remove(id) })
	}
	if err := k.await(reply.Task); err != nil {
		k.fatalf("%s: the task: %v", op.Spec().Name, err)
	}
	if id == "" && reply.Task != nil {
		p, err := reply.Task.Check(k.ctx, k.cloud)
		if i := slices.IndexFunc(p.Resources, func(r canonical.Resource) bool { return r.Type == op.Spec().Resource() }); err == nil && i >= 0 {
			id = p.Resources[i].ID
			k.undo = append(k.undo, func(*check) { remove(id) })
		}
	}
	return id
}

func (k *check) deleteVolume(id canonical.ID) {
	if err := try(k, canonical.DeleteVolume, canonical.VolumeDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		k.errorf("cleaning up volume %s: %v", id, err)
	}
}

func (k *check) getVolume(id canonical.ID) canonical.Volume {
	return do(k, canonical.GetVolume, canonical.VolumeGet{ID: id})
}

func testVolumeTypes(k *check) {
	k.needs(canonical.ListVolumeTypes.Spec(), canonical.GetVolumeType.Spec())
	for _, t := range testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.VolumeType] {
		return do(k, canonical.ListVolumeTypes, canonical.VolumeTypeList{ListOptions: o, Name: name, NamePrefix: prefix})
	}) {
		if got := do(k, canonical.GetVolumeType, canonical.VolumeTypeGet{ID: t.ID}); got.ID != t.ID || got.Name != t.Name {
			k.errorf("volume_type.get gave %+v, the list %+v", got, t)
		}
	}
	k.code("volume_type.get of an unknown id", try(k, canonical.GetVolumeType, canonical.VolumeTypeGet{ID: unknown}), canonical.NotFound)
}

func testVolumeLifecycle(k *check) {
	needVolumes(k)
	k.needs(canonical.ListVolumes.Spec(), canonical.UpdateVolume.Spec(), canonical.ExtendVolume.Spec())
	name := k.name("volume")
	v := k.volume(canonical.VolumeCreate{Name: name, SizeGiB: 1, Description: "说明", Metadata: map[string]string{"keep": "1", "drop": "2"}})
	if v.Name != name || v.SizeGiB != 1 || v.Status != canonical.VolumeAvailable || text(v.Description) != "说明" || v.Bootable ||
		len(v.Attachments) != 0 || v.CreatedAt == nil || v.Type == nil || v.NativeStatus == "" || len(v.Metadata) != 2 {
		k.errorf("the new volume is %+v", v)
	}
	testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.Volume] {
		return do(k, canonical.ListVolumes, canonical.VolumeList{ListOptions: o, Name: name, NamePrefix: prefix})
	})
	k.filterVolumes(v)
	k.updateVolume(v)
	do(k, canonical.ExtendVolume, canonical.VolumeExtend{ID: v.ID, SizeGiB: 3})
	if v = k.getVolume(v.ID); v.SizeGiB != 3 || v.Status != canonical.VolumeAvailable {
		k.errorf("extended to 3 GiB, the volume is %s of %d GiB", v.Status, v.SizeGiB)
	}
	k.refused("an extension to the present size", try(k, canonical.ExtendVolume, canonical.VolumeExtend{ID: v.ID, SizeGiB: 3}), "size_gib")
	do(k, canonical.DeleteVolume, canonical.VolumeDelete{ID: v.ID})
	k.code("volume.get after volume.delete", try(k, canonical.GetVolume, canonical.VolumeGet{ID: v.ID}), canonical.NotFound)
	if left := do(k, canonical.ListVolumes, canonical.VolumeList{Name: name}).Items; len(left) > 0 {
		k.errorf("the list still holds the deleted volume: %+v", left)
	}
}

func (k *check) filterVolumes(v canonical.Volume) {
	yes, no := true, false
	for what, f := range map[string]struct {
		r    canonical.VolumeList
		want int
	}{
		"the status":       {canonical.VolumeList{Status: canonical.VolumeAvailable}, 1},
		"another status":   {canonical.VolumeList{Status: canonical.VolumeInUse}, 0},
		"the type":         {canonical.VolumeList{Type: text(v.Type)}, 1},
		"another type":     {canonical.VolumeList{Type: "cloudtest-none"}, 0},
		"the zone":         {canonical.VolumeList{AvailabilityZone: canonical.Ref(text(v.AvailabilityZone))}, 1},
		"another zone":     {canonical.VolumeList{AvailabilityZone: "cloudtest-none"}, 0},
		"not bootable":     {canonical.VolumeList{Bootable: &no}, 1},
		"bootable":         {canonical.VolumeList{Bootable: &yes}, 0},
		"an absent server": {canonical.VolumeList{Server: unknown}, 0},
	} {
		f.r.Name = v.Name
		if got := len(do(k, canonical.ListVolumes, f.r).Items); got != f.want {
			k.errorf("filter by %s: %d volumes, want %d", what, got, f.want)
		}
	}
	k.refused("a status that is none", try(k, canonical.ListVolumes, canonical.VolumeList{Status: "odd"}), "status")
}

func (k *check) updateVolume(v canonical.Volume) {
	update := func(u canonical.VolumeUpdate) canonical.Volume {
		u.ID = v.ID
		answer := do(k, canonical.UpdateVolume, u)
		got := k.getVolume(v.ID)
		if answer.Name != got.Name || !maps.Equal(answer.Metadata, got.Metadata) || answer.Bootable != got.Bootable {
			k.errorf("the update answered %+v, the volume is %+v", answer, got)
		}
		return got
	}
	got := update(canonical.VolumeUpdate{Name: canonical.Some(v.Name + "-2")})
	if got.Name != v.Name+"-2" || text(got.Description) != text(v.Description) || !maps.Equal(got.Metadata, v.Metadata) {
		k.errorf("after the renaming: %+v", got)
	}
	got = update(canonical.VolumeUpdate{Name: canonical.Some(v.Name), Metadata: canonical.Some(map[string]canonical.Opt[string]{
		"drop": canonical.Null[string](), "never": canonical.Null[string](), "add": canonical.Some("3"),
	})})
	if !maps.Equal(got.Metadata, map[string]string{"keep": "1", "add": "3"}) || got.Name != v.Name {
		k.errorf("after the merge: name %q, metadata %v", got.Name, got.Metadata)
	}
	got = update(canonical.VolumeUpdate{Metadata: canonical.Null[map[string]canonical.Opt[string]](), Bootable: canonical.Some(true)})
	if len(got.Metadata) != 0 || !got.Bootable {
		k.errorf("after metadata null and bootable: %+v", got)
	}
	if got = update(canonical.VolumeUpdate{Description: canonical.Null[string](), Bootable: canonical.Some(false)}); text(got.Description) != "" || got.Bootable {
		k.errorf("after description null: %+v", got)
	}
	k.refused("a name of 256 characters", try(k, canonical.UpdateVolume, canonical.VolumeUpdate{
		ID: v.ID, Name: canonical.Some(strings.Repeat("x", 256)),
	}), "name")
}

func testVolumeRefusals(k *check) {
	needVolumes(k)
	bad := func(r canonical.VolumeCreate) error {
		reply, err := canonical.CreateVolume.Do(k.ctx, k.cloud, r)
		if err == nil {
			k.undo = append(k.undo, func(k *check) { k.deleteVolume(reply.Result.ID) })
		}
		return err
	}
	name := k.name("bad")
	k.refused("a volume without a size", bad(canonical.VolumeCreate{Name: name}), "size_gib")
	k.refused("a volume of less than nothing", bad(canonical.VolumeCreate{Name: name, SizeGiB: -1}), "size_gib")
	k.refused("a volume of an unknown type", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, Type: "cloudtest-none"}), "type")
	k.refused("a volume in an unknown zone", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, AvailabilityZone: "cloudtest-none"}), "availability_zone")
	k.refused("a volume of an unknown snapshot", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, Snapshot: canonical.Ref(unknown)}), "snapshot")
	k.refused("a volume of an unknown volume", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, Source: canonical.Ref(unknown)}), "source")
	k.refused("a volume of an unknown image", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, Image: canonical.Ref(unknown)}), "image")
	k.refused("a volume of two things", bad(canonical.VolumeCreate{Name: name, SizeGiB: 1, Source: canonical.Ref(unknown), Image: canonical.Ref(unknown)}), "source")
	k.code("volume.get of an unknown id", try(k, canonical.GetVolume, canonical.VolumeGet{ID: unknown}), canonical.NotFound)
	k.code("volume.delete of an unknown id", try(k, canonical.DeleteVolume, canonical.VolumeDelete{ID: unknown}), canonical.NotFound)
	k.code("volume.update of an unknown id", try(k, canonical.UpdateVolume, canonical.VolumeUpdate{ID: unknown, Name: canonical.Some(name)}), canonical.NotFound)
	k.code("volume.extend of an unknown id", try(k, canonical.ExtendVolume, canonical.VolumeExtend{ID: unknown, SizeGiB: 2}), canonical.NotFound)
}

// testVolumeSources makes volumes of an image, a volume and a snapshot.
func testVolumeSources(k *check) {
	needVolumes(k)
	k.needs(canonical.CreateVolumeSnapshot.Spec(), canonical.DeleteVolumeSnapshot.Spec())
	of := k.request("")
	first := k.volume(canonical.VolumeCreate{Name: k.name("of-image"), SizeGiB: 1, Image: of.Image})
	if !first.Bootable || first.SizeGiB != 1 {
		k.errorf("the volume of an image is %+v", first)
	}
	second := k.volume(canonical.VolumeCreate{Name: k.name("of-volume"), Source: canonical.Ref(first.ID)})
	if !second.Bootable || second.SizeGiB != 1 || id(second.Source) != first.ID {
		k.errorf("the copy of a volume is %+v", second)
	}
	snapshot := k.volumeSnapshot(canonical.VolumeSnapshotCreate{Volume: canonical.Ref(first.ID), Name: k.name("snapshot")})
	third := k.volume(canonical.VolumeCreate{Name: k.name("of-snapshot"), Snapshot: canonical.Ref(snapshot.ID), SizeGiB: 2})
	if !third.Bootable || third.SizeGiB != 2 || id(third.Snapshot) != snapshot.ID {
		k.errorf("the volume of a snapshot is %+v", third)
	}
	k.code("volume.delete of a volume with a snapshot", try(k, canonical.DeleteVolume, canonical.VolumeDelete{ID: first.ID}), canonical.FailedPrecondition)
}

// volumeSnapshot makes a snapshot and has it deleted in the end.
func (k *check) volumeSnapshot(r canonical.VolumeSnapshotCreate) canonical.VolumeSnapshot {
	id := made1(k, canonical.CreateVolumeSnapshot, r, func(id canonical.ID) {
		err := try(k, canonical.DeleteVolumeSnapshot, canonical.VolumeSnapshotDelete{ID: id})
		if err != nil && canonical.CodeOf(err) != canonical.NotFound {
			k.errorf("cleaning up volume snapshot %s: %v", id, err)
		}
	})
	return do(k, canonical.GetVolumeSnapshot, canonical.VolumeSnapshotGet{ID: id})
}

func testVolumeSnapshots(k *check) {
	needVolumes(k)
	k.needs(canonical.CreateVolumeSnapshot.Spec(), canonical.GetVolumeSnapshot.Spec(), canonical.ListVolumeSnapshots.Spec(),
		canonical.UpdateVolumeSnapshot.Spec(), canonical.DeleteVolumeSnapshot.Spec())
	v, name := k.volume(canonical.VolumeCreate{Name: k.name("volume"), SizeGiB: 1}), k.name("snapshot")
	s := k.volumeSnapshot(canonical.VolumeSnapshotCreate{
		Volume: canonical.Ref(v.ID), Name: name, Description: "before", Metadata: map[string]string{"a": "1"},
	})
	if s.Name != name || s.Volume != v.ID || s.SizeGiB != 1 || s.Status != canonical.SnapshotAvailable || text(s.Description) != "before" ||
		!maps.Equal(s.Metadata, map[string]string{"a": "1"}) || s.CreatedAt == nil {
		k.errorf("the new snapshot is %+v", s)
	}
	testLists(k, func(o canonical.ListOptions, name, prefix string) canonical.Page[canonical.VolumeSnapshot] {
		return do(k, canonical.ListVolumeSnapshots, canonical.VolumeSnapshotList{ListOptions: o, Name: name, NamePrefix: prefix})
	})
	for _, r := range []canonical.VolumeSnapshotList{{Volume: v.ID}, {Name: name, Status: canonical.SnapshotAvailable}} {
		if items := do(k, canonical.ListVolumeSnapshots, r).Items; len(items) != 1 || items[0].ID != s.ID {
			k.errorf("the list by %+v holds %+v", r, items)
		}
	}
	got := do(k, canonical.UpdateVolumeSnapshot, canonical.VolumeSnapshotUpdate{
		ID: s.ID, Name: canonical.Some(name + "-2"),
		Metadata: canonical.Some(map[string]canonical.Opt[string]{"a": canonical.Null[string](), "b": canonical.Some("2")}),
	})
	if now := do(k, canonical.GetVolumeSnapshot, canonical.VolumeSnapshotGet{ID: s.ID}); now.Name != name+"-2" || got.Name != now.Name ||
		!maps.Equal(now.Metadata, map[string]string{"b": "2"}) || text(now.Description) != "before" {
		k.errorf("after the update the snapshot is %+v, the answer was %+v", now, got)
	}
	do(k, canonical.DeleteVolumeSnapshot, canonical.VolumeSnapshotDelete{ID: s.ID})
	for what, err := range map[string]error{
		"volume_snapshot.get after its deletion":  try(k, canonical.GetVolumeSnapshot, canonical.VolumeSnapshotGet{ID: s.ID}),
		"volume_snapshot.delete of an unknown id": try(k, canonical.DeleteVolumeSnapshot, canonical.VolumeSnapshotDelete{ID: unknown}),
		"volume_snapshot.update of an unknown id": try(k, canonical.UpdateVolumeSnapshot, canonical.VolumeSnapshotUpdate{ID: unknown, Name: canonical.Some("x")}),
	} {
		k.code(what, err, canonical.NotFound)
	}
	k.refused("a snapshot of an unknown volume", try(k, canonical.CreateVolumeSnapshot, canonical.VolumeSnapshotCreate{Volume: canonical.Ref(unknown), Name: name}), "volume")
}

func needAttachments(k *check) {
	needVolumes(k)
	k.needs(canonical.CreateServer.Spec(), canonical.AttachVolume.Spec(), canonical.DetachVolume.Spec(),
		canonical.ListVolumeAttachments.Spec(), canonical.GetVolumeAttachment.Spec())
}

func testVolumeAttach(k *check) {
	needAttachments(k)
	server, v := k.machineIn("running").id, k.volume(canonical.VolumeCreate{Name: k.name("volume"), SizeGiB: 1})
	a := do(k, canonical.AttachVolume, canonical.VolumeAttach{ID: server, Volume: canonical.Ref(v.ID)})
	if a.ID != "" && (a.Server != server || a.Volume != v.ID) { // a task may tell it later
		k.errorf("volume.attach gave %+v", a)
	}
	k.attached(server, v.ID)
	if k.cloud.Support(k.ctx, canonical.UpdateVolumeAttachment.Spec()).Level != canonical.No {
		k.keepsOrGoes(server, v.ID)
	}
	do(k, canonical.DetachVolume, canonical.VolumeDetach{ID: server, Volume: v.ID})
	if now := k.getVolume(v.ID); now.Status != canonical.VolumeAvailable || len(now.Attachments) != 0 {
		k.errorf("the detached volume is %s, attached to %+v", now.Status, now.Attachments)
	}
	if s := k.get(server); slices.ContainsFunc(s.Volumes, func(sv canonical.ServerVolume) bool { return sv.ID == v.ID }) {
		k.errorf("the server still has the volume: %+v", s.Volumes)
	}
	gone := canonical.VolumeAttachmentGet{ID: server, Volume: v.ID}
	k.code("volume_attachment.get after the detachment", try(k, canonical.GetVolumeAttachment, gone), canonical.NotFound)
	k.code("a second volume.detach", try(k, canonical.DetachVolume, canonical.VolumeDetach{ID: server, Volume: v.ID}), canonical.NotFound)
	k.code("volume.attach to an unknown server", try(k, canonical.AttachVolume, canonical.VolumeAttach{ID: unknown, Volume: canonical.Ref(v.ID)}), canonical.NotFound)
	k.refused("volume.attach of an unknown volume", try(k, canonical.AttachVolume, canonical.VolumeAttach{ID: server, Volume: canonical.Ref(unknown)}), "volume")
	k.code("the volumes of an unknown server", try(k, canonical.ListVolumeAttachments, canonical.VolumeAttachmentList{ID: unknown}), canonical.NotFound)
}

// attached looks at an attachment from all its sides.
func (k *check) attached(server, volume canonical.ID) {
	v := k.getVolume(volume)
	if v.Status != canonical.VolumeInUse || len(v.Attachments) != 1 || v.Attachments[0].Server != server {
		k.errorf("the attached volume is %s, attached to %+v", v.Status, v.Attachments)
	}
	if s := k.get(server); !slices.ContainsFunc(s.Volumes, func(sv canonical.ServerVolume) bool { return sv.ID == volume }) {
		k.errorf("the server has the volumes %+v, and not %s", s.Volumes, volume)
	}
	got := do(k, canonical.GetVolumeAttachment, canonical.VolumeAttachmentGet{ID: server, Volume: volume})
	if got.ID != volume || got.Volume != volume || got.Server != server || !strings.HasPrefix(text(got.Device), "/dev/") {
		k.errorf("volume_attachment.get gave %+v", got)
	}
	items := do(k, canonical.ListVolumeAttachments, canonical.VolumeAttachmentList{ID: server}).Items
	if !slices.ContainsFunc(items, func(a canonical.VolumeAttachment) bool {
		return a.Volume == volume && text(a.Device) == text(got.Device)
	}) {
		k.errorf("volume_attachment.list gave %+v", items)
	}
	of := do(k, canonical.ListVolumes, canonical.VolumeList{Server: server}).Items
	if !slices.Contains(idsOf(of), volume) {
		k.errorf("the list of volumes by their server holds %v", idsOf(of))
	}
}

func (k *check) keepsOrGoes(server, volume canonical.ID) {
	for _, goes := range []bool{true, false} {
		do(k, canonical.UpdateVolumeAttachment, canonical.VolumeAttachmentUpdate{ID: server, Volume: volume, DeleteWithServer: canonical.Some(goes)})
		got := do(k, canonical.GetVolumeAttachment, canonical.VolumeAttachmentGet{ID: server, Volume: volume})
		if got.DeleteWithServer == nil || *got.DeleteWithServer != goes {
			k.errorf("delete_with_server was set to %v, the attachment is %+v", goes, got)
		}
	}
}

// testVolumeInUse: what a server has cannot be taken by another, or deleted.
func testVolumeInUse(k *check) {
	needAttachments(k)
	server, v := k.machineIn("running").id, k.volume(canonical.VolumeCreate{Name: k.name("volume"), SizeGiB: 1})
	do(k, canonical.AttachVolume, canonical.VolumeAttach{ID: server, Volume: canonical.Ref(v.ID)})
	k.undo = append(k.undo, func(k *check) {
		if err := try(k, canonical.DetachVolume, canonical.VolumeDetach{ID: server, Volume: v.ID}); err != nil {
			k.errorf("cleaning up an attachment: %v", err)
		}
	})
	k.code("volume.delete of a volume in use", try(k, canonical.DeleteVolume, canonical.VolumeDelete{ID: v.ID}), canonical.FailedPrecondition)
	k.code("volume.attach of a volume in use", try(k, canonical.AttachVolume, canonical.VolumeAttach{ID: server, Volume: canonical.Ref(v.ID)}), canonical.FailedPrecondition)
	err := try(k, canonical.CreateVolumeSnapshot, canonical.VolumeSnapshotCreate{Volume: canonical.Ref(v.ID), Name: k.name("snapshot")})
	k.code("a snapshot of a volume in use", err, canonical.FailedPrecondition, canonical.Unsupported)
	if k.cloud.Support(k.ctx, canonical.CreateVolumeSnapshot.Spec()).Level != canonical.No {
		s := k.volumeSnapshot(canonical.VolumeSnapshotCreate{Volume: canonical.Ref(v.ID), Name: k.name("snapshot"), Force: true})
		if s.Status != canonical.SnapshotAvailable {
			k.errorf("the forced snapshot is %s", s.Status)
		}
	}
	k.attached(server, v.ID)
}

// testBootVolume makes a server whose root disk is a volume that goes with it, and that
// has another volume, which stays.
func testBootVolume(k *check) {
	needAttachments(k)
	extra := k.volume(canonical.VolumeCreate{Name: k.name("volume"), SizeGiB: 1})
	r, zero := k.request(k.name("boot")), 0
	r.Volumes = []canonical.ServerVolumeCreate{
		{Image: r.Image, SizeGiB: 2, BootIndex: &zero, DeleteWithServer: true}, {Volume: canonical.Ref(extra.ID)},
	}
	r.Image = ""
	server := k.create(r)[0]
	s := k.get(server)
	if s.Image != nil || len(s.Volumes) != 2 {
		k.fatalf("the server that boots from a volume has the image %+v and the volumes %+v", s.Image, s.Volumes)
	}
	root := s.Volumes[slices.IndexFunc(s.Volumes, func(v canonical.ServerVolume) bool { return v.ID != extra.ID })].ID
	if v := k.getVolume(root); !v.Bootable || v.SizeGiB != 2 || v.Status != canonical.VolumeInUse {
		k.errorf("the root disk is %+v", v)
	}
	k.attached(server, extra.ID)
	k.code("volume.detach of a root disk", try(k, canonical.DetachVolume, canonical.VolumeDetach{ID: server, Volume: root}),
		canonical.FailedPrecondition, canonical.InvalidRequest)
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: server})
	k.eventually("the root disk goes with its server", func() bool {
		return canonical.CodeOf(try(k, canonical.GetVolume, canonical.VolumeGet{ID: root})) == canonical.NotFound
	})
	k.eventually("the other volume stays", func() bool { return k.getVolume(extra.ID).Status == canonical.VolumeAvailable })
	r.Volumes[1].Volume = canonical.Ref(unknown)
	_, err := k.tryCreate(r)
	k.refused("a server with an unknown volume", err, "volumes.1.volume")
}

// eventually fails the test unless what comes true soon.
func (k *check) eventually(what string, is func() bool) {
	for pause := k.h.First; !is(); pause = min(2*pause, k.h.Most) {
		if k.ctx.Err() != nil {
			k.fatalf("not so: %s", what)
		}
		k.pause(pause)
	}
}
