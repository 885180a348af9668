package memory

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxTags is how many tags a server may have.
const maxTags = 50

func (c *Cloud) handleTags() {
	handle(c, canonical.ListTags, c.listTags)
	handle(c, canonical.CheckTag, c.checkTag)
	handle(c, canonical.AddTag, c.addTag)
	handle(c, canonical.RemoveTag, c.removeTag)
	handle(c, canonical.ReplaceTags, c.replaceTags)
	handle(c, canonical.ClearTags, c.clearTags)
}

func (c *Cloud) listTags(r canonical.TagList) (canonical.TypedReply[canonical.Tags], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Tags](err)
	}
	return reply(canonical.Tags{Tags: slices.Clone(s.Tags)}, nil)
}

func (c *Cloud) checkTag(r canonical.TagCheck) (canonical.TypedReply[canonical.None], error) {
	s, err := c.find(r.ID)
	if err == nil && !slices.Contains(s.Tags, r.Tag) {
		err = noTag(r.Tag)
	}
	return canonical.TypedReply[canonical.None]{}, err
}

func noTag(tag string) error {
	return canonical.Errorf(canonical.NotFound, "the server has no tag %s", tag)
}

func (c *Cloud) addTag(r canonical.TagAdd) (canonical.TypedReply[canonical.None], error) {
	s, err := c.taggable(r.ID)
	switch {
	case err != nil:
		return refuse[canonical.None](err)
	case slices.Contains(s.Tags, r.Tag):
		return reply(canonical.None{}, nil)
	case len(s.Tags) >= maxTags:
		return refuse[canonical.None](canonical.Invalid("tag", "The number of tags exceeded the per-server limit %d", maxTags))
	}
	return c.tag(s, append(slices.Clone(s.Tags), r.Tag))
}

func (c *Cloud) removeTag(r canonical.TagRemove) (canonical.TypedReply[canonical.None], error) {
	s, err := c.taggable(r.ID)
	if err == nil && !slices.Contains(s.Tags, r.Tag) {
		err = noTag(r.Tag)
	}
	if err != nil {
		return refuse[canonical.None](err)
	}
	return c.tag(s, slices.DeleteFunc(slices.Clone(s.Tags), func(tag string) bool { return tag == r.Tag }))
}

func (c *Cloud) replaceTags(r canonical.TagReplace) (canonical.TypedReply[canonical.Tags], error) {
	s, err := c.taggable(r.ID)
	if err != nil {
		return refuse[canonical.Tags](err)
	}
	if _, err := c.tag(s, distinct(r.Tags)); err != nil {
		return refuse[canonical.Tags](err)
	}
	return reply(canonical.Tags{Tags: slices.Clone(s.Tags)}, nil)
}

func (c *Cloud) clearTags(r canonical.TagClear) (canonical.TypedReply[canonical.None], error) {
	s, err := c.taggable(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	return c.tag(s, []string{})
}

// taggable is the server, if it is in a state in which tags change. Neither work on it
// nor its lock hinders that, after Nova.
func (c *Cloud) taggable(id canonical.ID) (*server, error) {
	s, err := c.find(id)
	if err == nil && !slices.Contains(described, s.Status) {
		err = canonical.Errorf(canonical.FailedPrecondition, "cannot update tags of server %s while it is %s", id, s.Status)
	}
	return s, err
}

func (c *Cloud) tag(s *server, tags []string) (canonical.TypedReply[canonical.None], error) {
	now := c.now()
	s.Tags, s.UpdatedAt = tags, &now
	return reply(canonical.None{}, nil)
}

// distinct are the tags, each once, in their order.
func distinct(tags []string) []string {
	out := make([]string, 0, len(tags))
	for _, tag := range tags {
		if !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}
