package canonical

import (
	"strings"
	"time"
)

// The operations on the members of an image that is shared: the projects, beside its
// own, that may use it.
var (
	ListImageMembers  = op[ImageMemberList, Page[ImageMember]]("image_member.list", Read, "GET /v1/images/{id}/members")
	GetImageMember    = op[ImageMemberGet, ImageMember]("image_member.get", Read, "GET /v1/images/{id}/members/{member}")
	CreateImageMember = op[ImageMemberCreate, ImageMember]("image_member.create", Write, "POST /v1/images/{id}/members")
	UpdateImageMember = op[ImageMemberUpdate, ImageMember]("image_member.update", Write, "PATCH /v1/images/{id}/members/{member}")
	DeleteImageMember = op[ImageMemberDelete, None]("image_member.delete", Delete, "DELETE /v1/images/{id}/members/{member}")
)

// ImageMember is a project that may use an image.
type ImageMember struct {
	ID        ID         `json:"id"` // the project's
	Cloud     string     `json:"cloud"`
	Image     ID         `json:"image" of:"image"`
	Status    string     `json:"status"` // pending, accepted or rejected: does the member's list show it
	CreatedAt *time.Time `json:"created_at"`
	UpdatedAt *time.Time `json:"updated_at"`
}

// ListKeys implements Listed.
func (m ImageMember) ListKeys() (ID, string, string) {
	return m.ID, string(m.ID), sortTime(m.CreatedAt)
}

// ImageMemberList asks for the members of an image.
type ImageMemberList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"image"`
}

// ImageMemberGet names one member.
type ImageMemberGet struct {
	ID     ID `json:"-" path:"id" of:"image"`
	Member ID `json:"-" path:"member" of:"image_member"`
}

// ImageMemberCreate lets a project use an image.
type ImageMemberCreate struct {
	ID     ID     `json:"-" path:"id" of:"image"`
	Member string `json:"member" doc:"The project, as the cloud names it"`
}

// Validate implements the check of requests.
func (r ImageMemberCreate) Validate() error {
	if strings.TrimSpace(r.Member) == "" {
		return Invalid("member", "is required")
	}
	return nil
}

// ImageMemberUpdate is for the member: it takes the image into its list or not.
type ImageMemberUpdate struct {
	ID     ID     `json:"-" path:"id" of:"image"`
	Member ID     `json:"-" path:"member" of:"image_member"`
	Status string `json:"status" enum:"pending,accepted,rejected"`
}

// Validate implements the check of requests.
func (r ImageMemberUpdate) Validate() error {
	switch r.Status {
	case "pending", "accepted", "rejected":
		return nil
	default:
		return Invalid("status", "must be pending, accepted or rejected")
	}
}

// ImageMemberDelete takes back that a project may use an image.
type ImageMemberDelete struct {
	ID     ID `json:"-" path:"id" of:"image"`
	Member ID `json:"-" path:"member" of:"image_member"`
}
