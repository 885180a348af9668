package nova

import "github.com/dragoman-cloud/dragoman/canonical"

// volumeWords are Cinder's states of volumes (cinder.objects.fields.VolumeStatus and
// what its managers set).
var volumeWords = map[string]canonical.VolumeStatus{
	"creating": canonical.VolumeCreating, "downloading": canonical.VolumeCreating, "restoring-backup": canonical.VolumeCreating,
	"available": canonical.VolumeAvailable, "awaiting-transfer": canonical.VolumeReserved, "reserved": canonical.VolumeReserved,
	"maintenance": canonical.VolumeReserved, "backing-up": canonical.VolumeReserved, "uploading": canonical.VolumeReserved,
	"retyping": canonical.VolumeReserved, "attaching": canonical.VolumeAttaching, "in-use": canonical.VolumeInUse,
	"detaching": canonical.VolumeDetaching, "extending": canonical.VolumeExtending, "deleting": canonical.VolumeDeleting,
	"error": canonical.VolumeError, "error_deleting": canonical.VolumeError, "error_extending": canonical.VolumeError,
	"error_restoring": canonical.VolumeError, "error_backing-up": canonical.VolumeError, "error_managing": canonical.VolumeError,
}

func hearVolumeStatus(word string) canonical.VolumeStatus {
	if s, ok := volumeWords[word]; ok {
		return s
	}
	return canonical.VolumeUnknown
}

func sayVolumeStatus(s canonical.VolumeStatus, native string) string {
	if got, known := volumeWords[native]; known && got == s {
		return native
	}
	switch s {
	case canonical.VolumeInUse:
		return "in-use"
	case canonical.VolumeUnknown: // the word that promises least
		return "maintenance"
	case canonical.VolumeCreating, canonical.VolumeAvailable, canonical.VolumeReserved, canonical.VolumeAttaching,
		canonical.VolumeDetaching, canonical.VolumeExtending, canonical.VolumeDeleting, canonical.VolumeError:
		return string(s)
	}
	return "maintenance"
}

// snapshotWords are Cinder's states of snapshots.
var snapshotWords = map[string]canonical.VolumeSnapshotStatus{
	"creating": canonical.SnapshotCreating, "available": canonical.SnapshotAvailable, "backing-up": canonical.SnapshotAvailable,
	"restoring": canonical.SnapshotAvailable, "deleting": canonical.SnapshotDeleting, "deleted": canonical.SnapshotDeleting,
	"unmanaging": canonical.SnapshotDeleting, "error": canonical.SnapshotError, "error_deleting": canonical.SnapshotError,
}

func hearSnapshotStatus(word string) canonical.VolumeSnapshotStatus {
	if s, ok := snapshotWords[word]; ok {
		return s
	}
	return canonical.SnapshotUnknown
}

func saySnapshotStatus(s canonical.VolumeSnapshotStatus, native string) string {
	if got, known := snapshotWords[native]; known && got == s {
		return native
	}
	if s == canonical.SnapshotUnknown {
		return string(canonical.SnapshotCreating)
	}
	return string(s)
}
