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
	// CreateImage makes an image without bytes; UploadImage gives it some.
	CreateImage = op[ImageCreate, Image]("image.create", Write, "POST /v1/images")
	UpdateImage = op[ImageUpdate, Image]("image.update", Write, "PATCH /v1/images/{id}")
	DeleteImage = op[ImageDelete, None]("image.delete", Delete, "DELETE /v1/images/{id}")
	UploadImage = op[ImageUpload, Image]("image.upload", Write, "PUT /v1/images/{id}/file")
	// DownloadImage answers the bytes of an image.
	DownloadImage = op[ImageDownload, ImageContent]("image.download", Read, "GET /v1/images/{id}/file")
	// ImportImage makes an image of what the cloud fetches from a URL.
	ImportImage = long[ImageImport, Image]("image.import", Write, "POST /v1/images/import")
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

// ImageCreate asks for an image.
type ImageCreate struct {
	Name            string            `json:"name"`
	Cloud           string            `json:"cloud,omitempty" doc:"Cloud to make it on"`
	DiskFormat      string            `json:"disk_format,omitempty" enum:"raw,qcow2,vmdk,vdi,vhd,vhdx,iso,ami,ari,aki,ploop" doc:"Format of the bytes to come; without it the cloud looks at them, or refuses them"`
	ContainerFormat string            `json:"container_format,omitempty" enum:"bare,ovf,ova,ami,ari,aki,docker,compressed" doc:"bare is the default"`
	Visibility      string            `json:"visibility,omitempty" enum:"public,private,shared,community" doc:"private is the default; public ones are for operators"`
	MinDiskGiB      int               `json:"min_disk_gib,omitempty"`
	MinRAMMiB       int               `json:"min_ram_mib,omitempty"`
	OS              string            `json:"os,omitempty"`
	Architecture    string            `json:"architecture,omitempty"`
	Protected       bool              `json:"protected,omitempty" doc:"Refuse to delete it"`
	Properties      map[string]string `json:"properties,omitempty"`
	Tags            []string          `json:"tags,omitempty"`
}

// Validate implements the check of requests.
func (r ImageCreate) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return Invalid("name", "is required")
	case len([]rune(r.Name)) > 255:
		return Invalid("name", "is longer than 255 characters")
	case r.MinDiskGiB < 0:
		return Invalid("min_disk_gib", "must not be negative")
	case r.MinRAMMiB < 0:
		return Invalid("min_ram_mib", "must not be negative")
	default:
		return nil
	}
}

// ImageUpdate changes what is given, by the rules of JSON merge patch (RFC 7396).
type ImageUpdate struct {
	ID         ID                          `json:"-" path:"id"`
	Name       Opt[string]                 `json:"name,omitzero"`
	Visibility Opt[string]                 `json:"visibility,omitzero"`
	MinDiskGiB Opt[int]                    `json:"min_disk_gib,omitzero"`
	MinRAMMiB  Opt[int]                    `json:"min_ram_mib,omitzero"`
	Protected  Opt[bool]                   `json:"protected,omitzero"`
	Properties Opt[map[string]Opt[string]] `json:"properties,omitzero" doc:"Keys that are given change; null removes a key"`
	Tags       Opt[[]string]               `json:"tags,omitzero" doc:"Replaces the tags"`
}

// Validate implements the check of requests.
func (r ImageUpdate) Validate() error {
	if n, ok := r.Name.Get(); r.Name.IsNull() || ok && strings.TrimSpace(n) == "" {
		return Invalid("name", "must not be empty")
	} else if ok && len([]rune(n)) > 255 {
		return Invalid("name", "is longer than 255 characters")
	}
	return nil
}

// ImageDelete deletes an image that is not protected.
type ImageDelete struct {
	ID ID `json:"-" path:"id"`
}

// ImageUpload gives an image its bytes; one that has some keeps them.
type ImageUpload struct {
	ID      ID       `json:"-" path:"id"`
	Content *Content `json:"-"`
}

// ImageDownload asks for the bytes of an image.
type ImageDownload struct {
	ID ID `json:"-" path:"id"`
}

// ImageContent is the bytes of an image.
type ImageContent struct {
	Content  *Content `json:"-"`
	Checksum *string  `json:"-"` // MD5, hexadecimal; null where it is not known
}

// ImageImport asks for an image of what is at a URL.
type ImageImport struct {
	ImageCreate
	URL string `json:"url" doc:"http or https; what may be fetched is for the cloud's operators to say"`
}

// Validate implements the check of requests.
func (r ImageImport) Validate() error {
	if !strings.HasPrefix(r.URL, "http://") && !strings.HasPrefix(r.URL, "https://") {
		return Invalid("url", "must be an http or https URL")
	}
	if r.DiskFormat == "" {
		return Invalid("disk_format", "is required")
	}
	return r.ImageCreate.Validate()
}

// matchName says whether a name passes the two filters that every list has.
func matchName(name, exact, prefix string) bool {
	return (exact == "" || name == exact) && strings.HasPrefix(name, prefix)
}
