package canonical

import "time"

// The operations on the volumes of a server. An attachment is named by its server and
// its volume.
var (
	ListVolumeAttachments = op[VolumeAttachmentList, Page[VolumeAttachment]](
		"volume_attachment.list", Read, "GET /v1/servers/{id}/volumes")
	GetVolumeAttachment = op[VolumeAttachmentGet, VolumeAttachment](
		"volume_attachment.get", Read, "GET /v1/servers/{id}/volumes/{volume}")
	UpdateVolumeAttachment = op[VolumeAttachmentUpdate, VolumeAttachment](
		"volume_attachment.update", Write, "PATCH /v1/servers/{id}/volumes/{volume}")
	AttachVolume = long[VolumeAttach, VolumeAttachment]("volume.attach", Write, "POST /v1/servers/{id}/volumes")
	DetachVolume = long[VolumeDetach, None]("volume.detach", Delete, "DELETE /v1/servers/{id}/volumes/{volume}")
)

// VolumeAttachment is a volume that a server has.
type VolumeAttachment struct {
	ID               ID             `json:"id" of:"volume"` // the volume's: the server and it name the attachment
	Cloud            string         `json:"cloud"`
	Server           ID             `json:"server" of:"server"`
	Volume           ID             `json:"volume" of:"volume"`
	Device           *string        `json:"device"` // in the guest, such as /dev/vdb
	Tag              *string        `json:"tag"`
	BootIndex        *int           `json:"boot_index"`
	DeleteWithServer *bool          `json:"delete_with_server"`
	Attachment       *string        `json:"attachment"` // the cloud's own id of it
	AttachedAt       *time.Time     `json:"attached_at"`
	Native           map[string]any `json:"native,omitempty"`
}

// ListKeys implements Listed: attachments are ordered by their devices.
func (a VolumeAttachment) ListKeys() (ID, string, string) {
	device := ""
	if a.Device != nil {
		device = *a.Device
	}
	return a.ID, device, ""
}

// VolumeAttachmentList asks for the volumes of a server.
type VolumeAttachmentList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"server"`
}

// VolumeAttachmentGet names one volume of a server.
type VolumeAttachmentGet struct {
	ID     ID `json:"-" path:"id" of:"server"`
	Volume ID `json:"-" path:"volume" of:"volume"`
}

// VolumeAttachmentUpdate says anew what becomes of a volume when its server is deleted.
type VolumeAttachmentUpdate struct {
	ID               ID        `json:"-" path:"id" of:"server"`
	Volume           ID        `json:"-" path:"volume" of:"volume"`
	DeleteWithServer Opt[bool] `json:"delete_with_server,omitzero"`
}

// Validate implements the check of requests.
func (r VolumeAttachmentUpdate) Validate() error {
	if _, ok := r.DeleteWithServer.Get(); !ok {
		return Invalid("delete_with_server", "must be true or false")
	}
	return nil
}

// VolumeAttach gives a server a volume.
type VolumeAttach struct {
	ID               ID     `json:"-" path:"id" of:"server"`
	Volume           Ref    `json:"volume" of:"volume" doc:"Volume: an id or a name"`
	Device           string `json:"device,omitempty" doc:"Where in the guest; a hint that clouds may overrule"`
	Tag              string `json:"tag,omitempty" doc:"Word by which the guest finds it in its metadata"`
	DeleteWithServer bool   `json:"delete_with_server,omitempty"`
}

// Validate implements the check of requests.
func (r VolumeAttach) Validate() error {
	if r.Volume == "" {
		return Invalid("volume", "is required")
	}
	return nil
}

// VolumeDetach takes a volume from a server.
type VolumeDetach struct {
	ID     ID `json:"-" path:"id" of:"server"`
	Volume ID `json:"-" path:"volume" of:"volume"`
}
