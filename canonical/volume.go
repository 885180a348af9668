package canonical

import (
	"maps"
	"slices"
	"time"
)

// The operations on volumes (huawei-ecs 5.8; OpenStack's Cinder v3).
var (
	ListVolumes  = op[VolumeList, Page[Volume]]("volume.list", Read, "GET /v1/volumes")
	GetVolume    = op[VolumeGet, Volume]("volume.get", Read, "GET /v1/volumes/{id}")
	CreateVolume = long[VolumeCreate, Volume]("volume.create", Write, "POST /v1/volumes")
	UpdateVolume = op[VolumeUpdate, Volume]("volume.update", Write, "PATCH /v1/volumes/{id}")
	DeleteVolume = long[VolumeDelete, None]("volume.delete", Delete, "DELETE /v1/volumes/{id}")
	// ExtendVolume makes a volume larger; what is on it stays.
	ExtendVolume = long[VolumeExtend, Volume]("volume.extend", Write, "POST /v1/volumes/{id}/extend")
)

// VolumeStatus is the state of a volume.
type VolumeStatus string

// The states of volumes.
const (
	VolumeCreating  VolumeStatus = "creating"
	VolumeAvailable VolumeStatus = "available"
	VolumeReserved  VolumeStatus = "reserved"
	VolumeAttaching VolumeStatus = "attaching"
	VolumeInUse     VolumeStatus = "in_use"
	VolumeDetaching VolumeStatus = "detaching"
	VolumeExtending VolumeStatus = "extending"
	VolumeDeleting  VolumeStatus = "deleting"
	VolumeError     VolumeStatus = "error"
	VolumeUnknown   VolumeStatus = "unknown"
)

// VolumeStatuses are all states of volumes.
var VolumeStatuses = []VolumeStatus{
	VolumeCreating, VolumeAvailable, VolumeReserved, VolumeAttaching, VolumeInUse, VolumeDetaching,
	VolumeExtending, VolumeDeleting, VolumeError, VolumeUnknown,
}

// Volume is a disk that lives apart from servers.
type Volume struct {
	ID               ID                `json:"id"`
	Cloud            string            `json:"cloud"`
	Name             string            `json:"name"` // may be empty: clouds make nameless ones for servers
	Description      *string           `json:"description"`
	SizeGiB          int               `json:"size_gib"`
	Status           VolumeStatus      `json:"status"`
	NativeStatus     string            `json:"native_status"`
	Type             *string           `json:"type"` // name of its volume type
	Bootable         bool              `json:"bootable"`
	Encrypted        bool              `json:"encrypted"`
	MultiAttach      bool              `json:"multi_attach"` // several servers may have it at once
	Attachments      []VolumeUse       `json:"attachments"`
	AvailabilityZone *string           `json:"availability_zone" of:"availability_zone"`
	Snapshot         *ID               `json:"snapshot" of:"volume_snapshot"` // that it was made from
	Source           *ID               `json:"source" of:"volume"`            // the volume that it was made from
	Metadata         map[string]string `json:"metadata"`
	ProjectID        *string           `json:"project_id"` // the cloud's
	UserID           *string           `json:"user_id"`
	CreatedAt        *time.Time        `json:"created_at"`
	UpdatedAt        *time.Time        `json:"updated_at"`
	Native           map[string]any    `json:"native,omitempty"`
}

// VolumeUse is a server that a volume is attached to.
type VolumeUse struct {
	Server     ID         `json:"server" of:"server"`
	Device     *string    `json:"device"`
	Attachment *string    `json:"attachment"` // the cloud's own id of the attachment
	AttachedAt *time.Time `json:"attached_at"`
}

// ListKeys implements Listed.
func (v Volume) ListKeys() (ID, string, string) { return v.ID, v.Name, sortTime(v.CreatedAt) }

// State implements Stated.
func (v Volume) State() string { return string(v.Status) }

// VolumeList asks for volumes.
type VolumeList struct {
	ListOptions
	Name             string       `json:"-" query:"name" doc:"Exact name"`
	NamePrefix       string       `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status           VolumeStatus `json:"-" query:"status"`
	Type             string       `json:"-" query:"type" doc:"Name of the volume type"`
	AvailabilityZone Ref          `json:"-" query:"availability_zone" of:"availability_zone" doc:"Zone: its id or its name"`
	Bootable         *bool        `json:"-" query:"bootable" doc:"Only bootable ones, or only others"`
	Server           ID           `json:"-" query:"server" of:"server" doc:"Server that they are attached to"`
}

// Validate implements the check of requests.
func (r VolumeList) Validate() error {
	if r.Status != "" && !slices.Contains(VolumeStatuses, r.Status) {
		return Invalid("status", "is not a state of volumes")
	}
	return r.ListOptions.Validate()
}

// Match says whether v passes the filters.
func (r VolumeList) Match(v *Volume) bool {
	switch {
	case r.Status != "" && v.Status != r.Status, r.Bootable != nil && v.Bootable != *r.Bootable:
		return false
	case r.Server != "" && !slices.ContainsFunc(v.Attachments, func(u VolumeUse) bool { return u.Server == r.Server }):
		return false
	default:
		return matchName(v.Name, r.Name, r.NamePrefix) && matchText(r.Type, v.Type) && matchText(string(r.AvailabilityZone), v.AvailabilityZone)
	}
}

// matchText says whether an optional text passes a filter.
func matchText(want string, got *string) bool { return want == "" || got != nil && *got == want }

// VolumeGet names one volume.
type VolumeGet struct {
	ID ID `json:"-" path:"id"`
}

// VolumeCreate asks for a volume, empty or made from one other thing.
type VolumeCreate struct {
	Name             string            `json:"name,omitempty"`
	Description      string            `json:"description,omitempty"`
	Cloud            string            `json:"cloud,omitempty" doc:"Cloud to make it on"`
	SizeGiB          int               `json:"size_gib,omitempty" doc:"May be left out for a copy of a snapshot or a volume, which is then as large"`
	Type             string            `json:"type,omitempty" doc:"Name of a volume type; the cloud's default if not given"`
	AvailabilityZone Ref               `json:"availability_zone,omitempty" of:"availability_zone" doc:"Zone: its id, which names the cloud too, or its name"`
	Image            Ref               `json:"image,omitempty" of:"image" doc:"Fill it with this image: an id or a name"`
	Snapshot         Ref               `json:"snapshot,omitempty" of:"volume_snapshot" doc:"Make it from this snapshot: an id or a name"`
	Source           Ref               `json:"source,omitempty" of:"volume" doc:"Make it a copy of this volume: an id or a name"`
	Metadata         map[string]string `json:"metadata,omitempty"`
	MultiAttach      bool              `json:"multi_attach,omitempty" doc:"Several servers may have it at once"`
	Native           map[string]any    `json:"native,omitempty" doc:"Fields of the cloud's own dialect"`
}

// Validate implements the check of requests.
func (r VolumeCreate) Validate() error {
	if n := count(r.Image != "", r.Snapshot != "", r.Source != ""); n > 1 {
		return Invalid("source", "a volume is made from one thing: an image, a snapshot or a volume")
	}
	if r.SizeGiB < 0 || r.SizeGiB == 0 && r.Snapshot == "" && r.Source == "" {
		return Invalid("size_gib", "must be at least 1")
	}
	if err := validateTexts(r.Name, r.Description); err != nil {
		return err
	}
	return validateMetadata(maps.Keys(r.Metadata), maps.Values(r.Metadata))
}

// validateTexts checks the name and the description of what has both.
func validateTexts(name, description string) error {
	switch {
	case len([]rune(name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	case len([]rune(description)) > 255:
		return Invalid("description", "is longer than 255 characters")
	default:
		return nil
	}
}

// count is how many of these are true.
func count(all ...bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// VolumeUpdate changes what is given, by the rules of JSON merge patch (RFC 7396).
type VolumeUpdate struct {
	ID          ID                          `json:"-" path:"id"`
	Name        Opt[string]                 `json:"name,omitzero"`
	Description Opt[string]                 `json:"description,omitzero"`
	Bootable    Opt[bool]                   `json:"bootable,omitzero"`
	Metadata    Opt[map[string]Opt[string]] `json:"metadata,omitzero" doc:"Keys that are given change; null removes a key"`
}

// Validate implements the check of requests.
func (r VolumeUpdate) Validate() error {
	if r.Bootable.IsNull() {
		return Invalid("bootable", "must be true or false")
	}
	if err := validateTexts(r.Name.Or(""), r.Description.Or("")); err != nil {
		return err
	}
	return validateChanges(r.Metadata)
}

// validateChanges checks an update of metadata.
func validateChanges(metadata Opt[map[string]Opt[string]]) error {
	changes := metadata.Or(nil)
	return validateMetadata(maps.Keys(changes), given(changes))
}

// VolumeDelete deletes a volume that no server has; its snapshots must be gone first.
type VolumeDelete struct {
	ID ID `json:"-" path:"id"`
}

// VolumeExtend asks for a larger volume.
type VolumeExtend struct {
	ID      ID  `json:"-" path:"id"`
	SizeGiB int `json:"size_gib" doc:"New size, larger than the present one"`
}

// Validate implements the check of requests.
func (r VolumeExtend) Validate() error {
	if r.SizeGiB < 1 {
		return Invalid("size_gib", "must be at least 1")
	}
	return nil
}
