package canonical

import (
	"maps"
	"slices"
	"time"
)

// The operations on snapshots of volumes (huawei-ecs 5.19; OpenStack's Cinder v3).
var (
	ListVolumeSnapshots  = op[VolumeSnapshotList, Page[VolumeSnapshot]]("volume_snapshot.list", Read, "GET /v1/volume-snapshots")
	GetVolumeSnapshot    = op[VolumeSnapshotGet, VolumeSnapshot]("volume_snapshot.get", Read, "GET /v1/volume-snapshots/{id}")
	CreateVolumeSnapshot = long[VolumeSnapshotCreate, VolumeSnapshot]("volume_snapshot.create", Write, "POST /v1/volume-snapshots")
	UpdateVolumeSnapshot = op[VolumeSnapshotUpdate, VolumeSnapshot]("volume_snapshot.update", Write, "PATCH /v1/volume-snapshots/{id}")
	DeleteVolumeSnapshot = long[VolumeSnapshotDelete, None]("volume_snapshot.delete", Delete, "DELETE /v1/volume-snapshots/{id}")
)

// VolumeSnapshotStatus is the state of a snapshot.
type VolumeSnapshotStatus string

// The states of snapshots.
const (
	SnapshotCreating  VolumeSnapshotStatus = "creating"
	SnapshotAvailable VolumeSnapshotStatus = "available"
	SnapshotDeleting  VolumeSnapshotStatus = "deleting"
	SnapshotError     VolumeSnapshotStatus = "error"
	SnapshotUnknown   VolumeSnapshotStatus = "unknown"
)

// VolumeSnapshotStatuses are all states of snapshots.
var VolumeSnapshotStatuses = []VolumeSnapshotStatus{
	SnapshotCreating, SnapshotAvailable, SnapshotDeleting, SnapshotError, SnapshotUnknown,
}

// VolumeSnapshot is what a volume held at one time.
type VolumeSnapshot struct {
	ID           ID                   `json:"id"`
	Cloud        string               `json:"cloud"`
	Name         string               `json:"name"`
	Description  *string              `json:"description"`
	Volume       ID                   `json:"volume" of:"volume"`
	SizeGiB      int                  `json:"size_gib"`
	Status       VolumeSnapshotStatus `json:"status"`
	NativeStatus string               `json:"native_status"`
	Progress     int                  `json:"progress"` // 0..100
	Metadata     map[string]string    `json:"metadata"`
	ProjectID    *string              `json:"project_id"` // the cloud's
	CreatedAt    *time.Time           `json:"created_at"`
	UpdatedAt    *time.Time           `json:"updated_at"`
	Native       map[string]any       `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (s VolumeSnapshot) ListKeys() (ID, string, string) { return s.ID, s.Name, sortTime(s.CreatedAt) }

// State implements Stated.
func (s VolumeSnapshot) State() string { return string(s.Status) }

// VolumeSnapshotList asks for snapshots.
type VolumeSnapshotList struct {
	ListOptions
	Name       string               `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string               `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status     VolumeSnapshotStatus `json:"-" query:"status"`
	Volume     ID                   `json:"-" query:"volume" of:"volume" doc:"Volume that they are of"`
}

// Validate implements the check of requests.
func (r VolumeSnapshotList) Validate() error {
	if r.Status != "" && !slices.Contains(VolumeSnapshotStatuses, r.Status) {
		return Invalid("status", "is not a state of snapshots")
	}
	return r.ListOptions.Validate()
}

// Match says whether s passes the filters.
func (r VolumeSnapshotList) Match(s *VolumeSnapshot) bool {
	return matchName(s.Name, r.Name, r.NamePrefix) && (r.Status == "" || s.Status == r.Status) && (r.Volume == "" || s.Volume == r.Volume)
}

// VolumeSnapshotGet names one snapshot.
type VolumeSnapshotGet struct {
	ID ID `json:"-" path:"id"`
}

// VolumeSnapshotCreate makes a snapshot of a volume.
type VolumeSnapshotCreate struct {
	Volume      Ref               `json:"volume" of:"volume" doc:"Volume: an id or a name"`
	Name        string            `json:"name,omitempty"`
	Description string            `json:"description,omitempty"`
	Cloud       string            `json:"cloud,omitempty" doc:"Cloud that has the volume"`
	Force       bool              `json:"force,omitempty" doc:"Also of a volume that a server has, which may be writing to it"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

// Validate implements the check of requests.
func (r VolumeSnapshotCreate) Validate() error {
	if r.Volume == "" {
		return Invalid("volume", "is required")
	}
	if err := validateTexts(r.Name, r.Description); err != nil {
		return err
	}
	return validateMetadata(maps.Keys(r.Metadata), maps.Values(r.Metadata))
}

// VolumeSnapshotUpdate changes what is given, by the rules of JSON merge patch (RFC 7396).
type VolumeSnapshotUpdate struct {
	ID          ID                          `json:"-" path:"id"`
	Name        Opt[string]                 `json:"name,omitzero"`
	Description Opt[string]                 `json:"description,omitzero"`
	Metadata    Opt[map[string]Opt[string]] `json:"metadata,omitzero" doc:"Keys that are given change; null removes a key"`
}

// Validate implements the check of requests.
func (r VolumeSnapshotUpdate) Validate() error {
	if err := validateTexts(r.Name.Or(""), r.Description.Or("")); err != nil {
		return err
	}
	return validateChanges(r.Metadata)
}

// VolumeSnapshotDelete deletes a snapshot; volumes that were made from it stay.
type VolumeSnapshotDelete struct {
	ID ID `json:"-" path:"id"`
}
