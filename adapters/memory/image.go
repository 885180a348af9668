package memory

import (
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func copyImage(i canonical.Image) canonical.Image {
	i.SizeBytes, i.DiskFormat, i.ContainerFormat = own(i.SizeBytes), own(i.DiskFormat), own(i.ContainerFormat)
	i.Checksum, i.OS, i.Architecture = own(i.Checksum), own(i.OS), own(i.Architecture)
	i.Properties, i.Tags = maps.Clone(i.Properties), slices.Clone(i.Tags)
	i.CreatedAt, i.UpdatedAt = own(i.CreatedAt), own(i.UpdatedAt)
	return i
}

func (c *Cloud) listImages(r canonical.ImageList) (canonical.TypedReply[canonical.Page[canonical.Image]], error) {
	return arrange(those(c.images, r.Match), r.ListOptions, copyImage)
}

func (c *Cloud) getImage(r canonical.ImageGet) (canonical.TypedReply[canonical.Image], error) {
	return byID(c.images, "image", r.ID, copyImage)
}

// findImage is the image of that id; it is good until the lock is given up.
func (c *Cloud) findImage(id canonical.ID) (*canonical.Image, error) {
	i := slices.IndexFunc(c.images, func(i canonical.Image) bool { return i.ID == id })
	if i < 0 {
		return nil, canonical.Errorf(canonical.NotFound, "there is no image %s", id)
	}
	return &c.images[i], nil
}

func visible(as string) error {
	if !slices.Contains([]string{"public", "private", "shared", "community"}, as) {
		return canonical.Invalid("visibility", "must be public, private, shared or community")
	}
	return nil
}

func (c *Cloud) createImage(r canonical.ImageCreate) (canonical.TypedReply[canonical.Image], error) {
	now := c.now()
	i := canonical.Image{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, MinDiskGiB: r.MinDiskGiB, MinRAMMiB: r.MinRAMMiB,
		DiskFormat: optional(r.DiskFormat), ContainerFormat: optional(or(r.ContainerFormat, "bare")), Visibility: or(r.Visibility, "private"),
		OS: optional(r.OS), Architecture: optional(r.Architecture), Protected: r.Protected,
		Properties: notNil(maps.Clone(r.Properties)), Tags: append([]string{}, r.Tags...), CreatedAt: &now, UpdatedAt: &now,
	}
	if err := visible(i.Visibility); err != nil {
		return refuse[canonical.Image](err)
	}
	restImage(&i, canonical.ImageQueued)
	c.images = append(c.images, i)
	return reply(copyImage(i), nil)
}

func restImage(i *canonical.Image, status canonical.ImageStatus) {
	i.Status, i.NativeStatus = status, string(status)
}

func (c *Cloud) updateImage(r canonical.ImageUpdate) (canonical.TypedReply[canonical.Image], error) {
	i, err := c.findImage(r.ID)
	if err != nil {
		return refuse[canonical.Image](err)
	}
	as := i.Visibility
	if !r.Visibility.IsZero() {
		as = r.Visibility.Or("private")
	}
	switch err := visible(as); {
	case err != nil:
		return refuse[canonical.Image](err)
	case r.MinDiskGiB.Or(0) < 0:
		return refuse[canonical.Image](canonical.Invalid("min_disk_gib", "must not be negative"))
	case r.MinRAMMiB.Or(0) < 0:
		return refuse[canonical.Image](canonical.Invalid("min_ram_mib", "must not be negative"))
	}
	i.Visibility, i.Name = as, r.Name.Or(i.Name)
	if !r.MinDiskGiB.IsZero() {
		i.MinDiskGiB = r.MinDiskGiB.Or(0)
	}
	if !r.MinRAMMiB.IsZero() {
		i.MinRAMMiB = r.MinRAMMiB.Or(0)
	}
	if !r.Protected.IsZero() {
		i.Protected = r.Protected.Or(false)
	}
	i.Properties = mergedMap(i.Properties, r.Properties)
	if !r.Tags.IsZero() {
		i.Tags = append([]string{}, r.Tags.Or(nil)...)
	}
	now := c.now()
	i.UpdatedAt = &now
	return reply(copyImage(*i), nil)
}

// deleteImage lets servers that were made of the image be, as Nova does.
func (c *Cloud) deleteImage(r canonical.ImageDelete) (canonical.TypedReply[canonical.None], error) {
	i, err := c.findImage(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case i.Protected:
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "Image %s is protected and cannot be deleted.", r.ID))
	}
	c.images = slices.DeleteFunc(c.images, func(i canonical.Image) bool { return i.ID == r.ID })
	c.stored -= int64(len(c.content[r.ID]))
	delete(c.content, r.ID)
	delete(c.imageMembers, r.ID)
	return reply(canonical.None{}, nil)
}

// or is s, def where s is empty.
func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
