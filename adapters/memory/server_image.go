package memory

import (
	"maps"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// createServerImage makes an image as blank as the server's disk. The server keeps its
// state, and its task says that the work is under way.
func (c *Cloud) createServerImage(r canonical.ServerCreateImage) (canonical.TypedReply[canonical.Image], error) {
	return c.imaged(canonical.CreateServerImage.Spec(), r, func(*canonical.Image) {}, func() {})
}

// imaged makes an image, to which described adds what it is; then happens when it is there.
func (c *Cloud) imaged(op *canonical.Spec, r canonical.ServerCreateImage, described func(*canonical.Image), then func()) (canonical.TypedReply[canonical.Image], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Image](err)
	}
	if no := canonical.Hindered("make an image of", &s.Server, savable...); no != nil {
		return refuse[canonical.Image](no)
	}
	i := c.imageOf(s, r)
	described(&i)
	c.images = append(c.images, i)
	under := c.begin(op, s, "image_snapshot", func() { c.saved(i.ID); then() })
	if made, err := c.findImage(i.ID); err == nil { // a backup of which none is kept is gone
		i = *made
	}
	if !under {
		return reply(copyImage(i), nil)
	}
	task := canonical.WaitStatus(s.ID, s.Status)
	task.Resources = append(task.Resources, canonical.Resource{Type: "image", ID: i.ID})
	return reply(copyImage(i), task)
}

func (c *Cloud) imageOf(s *server, r canonical.ServerCreateImage) canonical.Image {
	now, size, sum := c.now(), int64(blankSize), blankChecksum()
	i := canonical.Image{
		ID: canonical.ID(uuid.NewString()), Name: r.Name, SizeBytes: &size, Checksum: &sum, MinDiskGiB: *s.Flavor.DiskGiB,
		DiskFormat: optional("raw"), ContainerFormat: optional("bare"), Visibility: "private",
		Properties: map[string]string{"image_type": "snapshot", "instance_uuid": string(s.ID)}, Tags: []string{},
		CreatedAt: &now, UpdatedAt: &now,
	}
	if s.Image != nil {
		i.Properties["base_image_ref"] = string(s.Image.ID)
	}
	maps.Copy(i.Properties, r.Properties)
	restImage(&i, canonical.ImageSaving)
	return i
}

// saved ends the making of an image, if it was not deleted meanwhile.
func (c *Cloud) saved(id canonical.ID) {
	if i, err := c.findImage(id); err == nil {
		restImage(i, canonical.ImageActive)
	}
}
