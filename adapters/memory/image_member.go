package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func (c *Cloud) handleImageMembers() {
	handle(c, canonical.ListImageMembers, c.listImageMembers)
	handle(c, canonical.GetImageMember, c.getImageMember)
	handle(c, canonical.CreateImageMember, c.createImageMember)
	handle(c, canonical.UpdateImageMember, c.updateImageMember)
	handle(c, canonical.DeleteImageMember, c.deleteImageMember)
	handle(c, canonical.DeactivateImage, func(r canonical.ImageDeactivate) (canonical.TypedReply[canonical.None], error) {
		return c.turn(r.ID, canonical.ImageActive, canonical.ImageDeactivated)
	})
	handle(c, canonical.ReactivateImage, func(r canonical.ImageReactivate) (canonical.TypedReply[canonical.None], error) {
		return c.turn(r.ID, canonical.ImageDeactivated, canonical.ImageActive)
	})
	handle(c, canonical.AddImageTag, c.addImageTag)
	handle(c, canonical.RemoveImageTag, c.removeImageTag)
}

func copyMember(m canonical.ImageMember) canonical.ImageMember {
	m.CreatedAt, m.UpdatedAt = own(m.CreatedAt), own(m.UpdatedAt)
	return m
}

// sharedImage is NotFound for what is no image, and Forbidden where it is not shared.
func (c *Cloud) sharedImage(id canonical.ID) error {
	i, err := c.findImage(id)
	if err == nil && i.Visibility != "shared" {
		err = canonical.Errorf(canonical.Forbidden, "Only shared images have members.")
	}
	return err
}

func (c *Cloud) listImageMembers(r canonical.ImageMemberList) (canonical.TypedReply[canonical.Page[canonical.ImageMember]], error) {
	if err := c.sharedImage(r.ID); err != nil {
		return refuse[canonical.Page[canonical.ImageMember]](err)
	}
	return arrange(slices.Clone(c.imageMembers[r.ID]), r.ListOptions, copyMember)
}

func (c *Cloud) getImageMember(r canonical.ImageMemberGet) (canonical.TypedReply[canonical.ImageMember], error) {
	if err := c.sharedImage(r.ID); err != nil {
		return refuse[canonical.ImageMember](err)
	}
	return byID(c.imageMembers[r.ID], "member", r.Member, copyMember)
}

func (c *Cloud) createImageMember(r canonical.ImageMemberCreate) (canonical.TypedReply[canonical.ImageMember], error) {
	if err := c.sharedImage(r.ID); err != nil {
		return refuse[canonical.ImageMember](err)
	}
	if slices.ContainsFunc(c.imageMembers[r.ID], func(m canonical.ImageMember) bool { return string(m.ID) == r.Member }) {
		return refuse[canonical.ImageMember](canonical.Errorf(canonical.AlreadyExists, "project %s is a member already", r.Member))
	}
	now := c.now()
	m := canonical.ImageMember{ID: canonical.ID(r.Member), Image: r.ID, Status: "pending", CreatedAt: &now, UpdatedAt: &now}
	c.imageMembers[r.ID] = append(c.imageMembers[r.ID], m)
	return reply(copyMember(m), nil)
}

func (c *Cloud) updateImageMember(r canonical.ImageMemberUpdate) (canonical.TypedReply[canonical.ImageMember], error) {
	if err := c.sharedImage(r.ID); err != nil {
		return refuse[canonical.ImageMember](err)
	}
	for i := range c.imageMembers[r.ID] {
		if m := &c.imageMembers[r.ID][i]; m.ID == r.Member {
			now := c.now()
			m.Status, m.UpdatedAt = r.Status, &now
			return reply(copyMember(*m), nil)
		}
	}
	return refuse[canonical.ImageMember](canonical.Errorf(canonical.NotFound, "project %s is no member", r.Member))
}

func (c *Cloud) deleteImageMember(r canonical.ImageMemberDelete) (canonical.TypedReply[canonical.None], error) {
	if err := c.sharedImage(r.ID); err != nil {
		return refuse[canonical.None](err)
	}
	n := len(c.imageMembers[r.ID])
	c.imageMembers[r.ID] = slices.DeleteFunc(c.imageMembers[r.ID], func(m canonical.ImageMember) bool { return m.ID == r.Member })
	if len(c.imageMembers[r.ID]) == n {
		return refuse[canonical.None](canonical.Errorf(canonical.NotFound, "project %s is no member", r.Member))
	}
	return reply(canonical.None{}, nil)
}

// turn takes an image from one state to the other; one that is there already stays.
func (c *Cloud) turn(id canonical.ID, from, to canonical.ImageStatus) (canonical.TypedReply[canonical.None], error) {
	i, err := c.findImage(id)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case i.Status != from && i.Status != to:
		return refuse[canonical.None](canonical.Errorf(canonical.FailedPrecondition, "image %s is %s, not %s", id, i.Status, from))
	}
	now := c.now()
	restImage(i, to)
	i.UpdatedAt = &now
	return reply(canonical.None{}, nil)
}

func (c *Cloud) addImageTag(r canonical.ImageTagAdd) (canonical.TypedReply[canonical.None], error) {
	i, err := c.findImage(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	i.Tags = distinct(append(slices.Clone(i.Tags), r.Tag))
	return reply(canonical.None{}, nil)
}

func (c *Cloud) removeImageTag(r canonical.ImageTagRemove) (canonical.TypedReply[canonical.None], error) {
	i, err := c.findImage(r.ID)
	if err == nil && !slices.Contains(i.Tags, r.Tag) {
		err = canonical.Errorf(canonical.NotFound, "image %s has no tag %s", r.ID, r.Tag)
	}
	if err != nil {
		return refuse[canonical.None](err)
	}
	i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(tag string) bool { return tag == r.Tag })
	return reply(canonical.None{}, nil)
}
