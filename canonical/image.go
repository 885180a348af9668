package canonical

import (
	"slices"
	"strings"
	"time"
)

// The operations on images.
var (
	ListImages = op[ImageList, Page[Image]]("image.list", Read, "GET /v1/images")
	GetImage   = op[ImageGet, Image]("image.get", Read, "GET /v1/images/{id}")
)

// ImageStatus is the state of an image.
type ImageStatus string

// The states of images.
const (
	ImageQueued      ImageStatus = "queued"
	ImageSaving      ImageStatus = "saving"
	ImageImporting   ImageStatus = "importing"
	ImageActive      ImageStatus = "active"
	ImageDeactivated ImageStatus = "deactivated"
	ImageDeleted     ImageStatus = "deleted"
	ImageError       ImageStatus = "error"
	ImageUnknown     ImageStatus = "unknown"
)

// ImageStatuses are all states of images.
var ImageStatuses = []ImageStatus{
	ImageQueued, ImageSaving, ImageImporting, ImageActive, ImageDeactivated, ImageDeleted, ImageError, ImageUnknown,
}

// Image is what root disks are made from.
type Image struct {
	ID              ID                `json:"id"`
	Cloud           string            `json:"cloud"`
	Name            string            `json:"name"`
	Status          ImageStatus       `json:"status"`
	NativeStatus    string            `json:"native_status"`
	SizeBytes       *int64            `json:"size_bytes"`
	MinDiskGiB      int               `json:"min_disk_gib"`
	MinRAMMiB       int               `json:"min_ram_mib"`
	DiskFormat      *string           `json:"disk_format"`
	ContainerFormat *string           `json:"container_format"`
	Visibility      string            `json:"visibility"` // public, private, shared, community
	Checksum        *string           `json:"checksum"`   // MD5, hexadecimal
	OS              *string           `json:"os"`
	Architecture    *string           `json:"architecture"`
	ProjectID       *string           `json:"project_id"`
	Protected       bool              `json:"protected"`
	Properties      map[string]string `json:"properties"`
	Tags            []string          `json:"tags"`
	CreatedAt       *time.Time        `json:"created_at"`
	UpdatedAt       *time.Time        `json:"updated_at"`
	Native          map[string]any    `json:"native,omitempty"`
}

// ListKeys implements Listed.
func (i Image) ListKeys() (ID, string, string) { return i.ID, i.Name, sortTime(i.CreatedAt) }

// ImageList asks for images.
type ImageList struct {
	ListOptions
	Name       string      `json:"-" query:"name" doc:"Exact name"`
	NamePrefix string      `json:"-" query:"name_prefix" doc:"Beginning of the name"`
	Status     ImageStatus `json:"-" query:"status"`
	Visibility string      `json:"-" query:"visibility" doc:"public, private, shared or community"`
}

// Validate implements the check of requests.
func (r ImageList) Validate() error {
	if r.Status != "" && !slices.Contains(ImageStatuses, r.Status) {
		return Invalid("status", "is not a state of images")
	}
	return r.ListOptions.Validate()
}

// Match says whether i passes the filters.
func (r ImageList) Match(i *Image) bool {
	return matchName(i.Name, r.Name, r.NamePrefix) && (r.Status == "" || i.Status == r.Status) &&
		(r.Visibility == "" || i.Visibility == r.Visibility)
}

// ImageGet names one image.
type ImageGet struct {
	ID ID `json:"-" path:"id"`
}

// matchName says whether a name passes the two filters that every list has.
func matchName(name, exact, prefix string) bool {
	return (exact == "" || name == exact) && strings.HasPrefix(name, prefix)
}
