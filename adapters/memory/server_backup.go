package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// createServerBackup makes an image, and then deletes the oldest of the server's backups
// of that kind beyond those that are kept.
func (c *Cloud) createServerBackup(r canonical.ServerCreateBackup) (canonical.TypedReply[canonical.Image], error) {
	if s, err := c.find(r.ID); err == nil && s.Image == nil {
		return refuse[canonical.Image](canonical.Errorf(canonical.InvalidRequest, "It's not supported to backup volume backed instance."))
	}
	of := map[string]string{"image_type": "backup", "backup_type": r.Kind, "instance_uuid": string(r.ID)}
	described := func(i *canonical.Image) {
		for key, value := range of {
			i.Properties[key] = value
		}
	}
	same := func(i canonical.Image) bool {
		for key, value := range of {
			if got, ok := i.Properties[key]; !ok || got != value {
				return false
			}
		}
		return true
	}
	asked := canonical.ServerCreateImage{ID: r.ID, Name: r.Name, Properties: r.Properties}
	return c.imaged(canonical.CreateServerBackup.Spec(), asked, described, func() { c.rotate(same, r.Keep) })
}

// rotate deletes the oldest of these images until keep are left; images are in the order
// in which they were made.
func (c *Cloud) rotate(of func(canonical.Image) bool, keep int) {
	n := 0
	for _, i := range c.images {
		if of(i) {
			n++
		}
	}
	c.images = slices.DeleteFunc(c.images, func(i canonical.Image) bool {
		old := n > keep && of(i)
		if old {
			n--
		}
		return old
	})
}
