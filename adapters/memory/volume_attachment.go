package memory

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// attachable are the states of servers that take and give volumes, after Nova's
// compute API.
var attachable = states{
	canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerVerifyResize,
	canonical.ServerSoftDeleted, canonical.ServerShelved, canonical.ServerShelvedOffloaded,
}

// attachment is what a server and its volume know of each other.
func (c *Cloud) attachment(s *server, i int) canonical.VolumeAttachment {
	sv := s.Volumes[i]
	a := canonical.VolumeAttachment{
		ID: sv.ID, Server: s.ID, Volume: sv.ID, Device: own(sv.Device), BootIndex: own(sv.BootIndex), DeleteWithServer: own(sv.DeleteWithServer),
		Tag: optional(s.tags[sv.ID]),
	}
	if v, ok := c.volumes[sv.ID]; ok {
		for _, u := range v.Attachments {
			if u.Server == s.ID {
				a.Attachment, a.AttachedAt = own(u.Attachment), own(u.AttachedAt)
			}
		}
	}
	return a
}

func (c *Cloud) listAttachments(r canonical.VolumeAttachmentList) (canonical.TypedReply[canonical.Page[canonical.VolumeAttachment]], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Page[canonical.VolumeAttachment]](err)
	}
	all := make([]canonical.VolumeAttachment, len(s.Volumes))
	for i := range s.Volumes {
		all[i] = c.attachment(s, i)
	}
	same := func(a canonical.VolumeAttachment) canonical.VolumeAttachment { return a } // made for this answer
	return arrange(all, r.ListOptions, same)
}

// findAttachment is a server and which of its volumes is meant.
func (c *Cloud) findAttachment(server, volume canonical.ID) (*server, int, error) {
	s, err := c.find(server)
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(s.Volumes, func(v canonical.ServerVolume) bool { return v.ID == volume })
	if i < 0 {
		return nil, 0, canonical.Errorf(canonical.NotFound, "server %s has no volume %s", server, volume)
	}
	return s, i, nil
}

func (c *Cloud) getAttachment(r canonical.VolumeAttachmentGet) (canonical.TypedReply[canonical.VolumeAttachment], error) {
	s, i, err := c.findAttachment(r.ID, r.Volume)
	if err != nil {
		return refuse[canonical.VolumeAttachment](err)
	}
	return reply(c.attachment(s, i), nil)
}

func (c *Cloud) updateAttachment(r canonical.VolumeAttachmentUpdate) (canonical.TypedReply[canonical.VolumeAttachment], error) {
	s, i, err := c.findAttachment(r.ID, r.Volume)
	if err != nil {
		return refuse[canonical.VolumeAttachment](err)
	}
	goes := r.DeleteWithServer.Or(false)
	s.Volumes[i].DeleteWithServer = &goes
	return reply(c.attachment(s, i), nil)
}

func (c *Cloud) attachVolume(r canonical.VolumeAttach) (canonical.TypedReply[canonical.VolumeAttachment], error) {
	s, err := c.ready(r.ID, "attach a volume to", attachable)
	if err != nil {
		return refuse[canonical.VolumeAttachment](err)
	}
	v, err := c.offered(s, r.Volume)
	if err != nil {
		return refuse[canonical.VolumeAttachment](err)
	}
	device, err := s.device(r.Device)
	if err != nil {
		return refuse[canonical.VolumeAttachment](err)
	}
	s.take(v.ID, device, nil, r.DeleteWithServer, r.Tag)
	v.rest(canonical.VolumeAttaching)
	under := c.after(canonical.AttachVolume.Spec(), func() { c.attached(s, v) })
	a := c.attachment(s, len(s.Volumes)-1)
	if !under {
		return reply(a, nil)
	}
	task := canonical.WaitState("volume", v.ID, string(canonical.VolumeInUse))
	task.State.Failed = []string{string(canonical.VolumeAvailable)}
	return reply(a, task)
}

// offered is the volume, if the server may get it now.
func (c *Cloud) offered(s *server, ref canonical.Ref) (*volume, error) {
	v, err := named(c.volumes, "volume", ref)
	switch {
	case err != nil:
		return nil, err
	case s.has(v.ID):
		return nil, canonical.Errorf(canonical.FailedPrecondition, "volume %s is attached to server %s already", v.ID, s.ID)
	case v.Status == canonical.VolumeInUse && v.MultiAttach, v.Status == canonical.VolumeAvailable:
		return v, nil
	default:
		return nil, canonical.Errorf(canonical.FailedPrecondition, "volume %s is %s, not available", v.ID, v.Status)
	}
}

func (s *server) has(volume canonical.ID) bool {
	return slices.ContainsFunc(s.Volumes, func(v canonical.ServerVolume) bool { return v.ID == volume })
}

// take notes a volume of the server.
func (s *server) take(volume canonical.ID, device string, boot *int, goes bool, tag string) {
	s.Volumes = append(s.Volumes, canonical.ServerVolume{ID: volume, Device: &device, BootIndex: own(boot), DeleteWithServer: &goes})
	if tag != "" {
		s.tags[volume] = tag
	}
}

// attached ends an attachment, if the server still wants the volume.
func (c *Cloud) attached(s *server, v *volume) {
	i := slices.IndexFunc(s.Volumes, func(sv canonical.ServerVolume) bool { return sv.ID == v.ID })
	if _, there := c.servers[s.ID]; !there || i < 0 {
		v.rest(v.settled())
		return
	}
	now, id := c.now(), uuid.NewString()
	v.Attachments = append(v.Attachments, canonical.VolumeUse{
		Server: s.ID, Device: own(s.Volumes[i].Device), Attachment: &id, AttachedAt: &now,
	})
	v.UpdatedAt = &now
	v.rest(canonical.VolumeInUse)
}

// device is where a volume goes: the place that is asked for, else the first free one.
// The first letter is the root disk's.
func (s *server) device(asked string) (string, error) {
	used := map[string]bool{}
	for _, v := range s.Volumes {
		used[*v.Device] = true
	}
	if s.Image != nil {
		used["/dev/vda"] = true
	}
	if asked != "" {
		if !strings.HasPrefix(asked, "/dev/") {
			asked = "/dev/" + asked
		}
		if used[asked] {
			return "", canonical.Errorf(canonical.FailedPrecondition, "the device %s is in use", asked)
		}
		return asked, nil
	}
	for letter := 'a'; letter <= 'z'; letter++ {
		if d := "/dev/vd" + string(letter); !used[d] {
			return d, nil
		}
	}
	return "", canonical.Errorf(canonical.QuotaExceeded, "the server has as many volumes as it can have")
}

func (c *Cloud) detachVolume(r canonical.VolumeDetach) (canonical.TypedReply[canonical.None], error) {
	s, i, err := c.findAttachment(r.ID, r.Volume)
	if err != nil {
		return refuse[canonical.None](err)
	}
	if _, err := c.ready(r.ID, "detach a volume from", attachable); err != nil {
		return refuse[canonical.None](err)
	}
	if boot := s.Volumes[i].BootIndex; boot != nil && *boot == 0 && s.Status != canonical.ServerShelvedOffloaded {
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "volume %s is the root disk of server %s", r.Volume, s.ID))
	}
	v, err := c.readyVolume(r.Volume, "detach", canonical.VolumeInUse)
	if err != nil {
		return refuse[canonical.None](err)
	}
	v.rest(canonical.VolumeDetaching)
	if !c.after(canonical.DetachVolume.Spec(), func() { c.detached(s, v) }) {
		return reply(canonical.None{}, nil)
	}
	task := canonical.WaitState("volume", v.ID, string(canonical.VolumeAvailable))
	if v.MultiAttach && len(v.Attachments) > 1 {
		task.State.Done = append(task.State.Done, string(canonical.VolumeInUse))
	}
	return reply(canonical.None{}, task)
}

// detached takes a volume from a server, which may be gone meanwhile.
func (c *Cloud) detached(s *server, v *volume) {
	s.Volumes = slices.DeleteFunc(s.Volumes, func(sv canonical.ServerVolume) bool { return sv.ID == v.ID })
	delete(s.tags, v.ID)
	v.Attachments = slices.DeleteFunc(v.Attachments, func(u canonical.VolumeUse) bool { return u.Server == s.ID })
	now := c.now()
	v.UpdatedAt = &now
	v.rest(v.settled())
}

// releaseVolumes lets go of the volumes of a server that is gone, and deletes those
// that go with it.
func (c *Cloud) releaseVolumes(s *server) {
	for _, sv := range slices.Clone(s.Volumes) {
		v, ok := c.volumes[sv.ID]
		if !ok {
			continue
		}
		c.detached(s, v)
		if sv.DeleteWithServer != nil && *sv.DeleteWithServer && v.Status == canonical.VolumeAvailable {
			delete(c.volumes, v.ID)
		}
	}
}
