package nova

import (
	"context"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// Nova reads a path as Latin-1 (nova.server.tags.add), so what it would take for another
// tag is told to it in bodies alone: all tags are read, changed and written again.

func plain(tag string) bool {
	return !slices.ContainsFunc([]byte(tag), func(b byte) bool { return b >= 0x80 })
}

func (c *Cloud) checkTag(ctx context.Context, r canonical.TagCheck) (canonical.TypedReply[canonical.None], error) {
	if plain(r.Tag) {
		return canonical.CheckTag.Do(ctx, c.Rows(), r)
	}
	_, err := c.tagsWith(ctx, r.ID, r.Tag)
	return canonical.TypedReply[canonical.None]{}, err
}

func (c *Cloud) addTag(ctx context.Context, r canonical.TagAdd) (canonical.TypedReply[canonical.None], error) {
	if plain(r.Tag) {
		return canonical.AddTag.Do(ctx, c.Rows(), r)
	}
	now, err := canonical.ListTags.Do(ctx, c.Rows(), canonical.TagList{ID: r.ID})
	if err != nil || slices.Contains(now.Result.Tags, r.Tag) {
		return canonical.TypedReply[canonical.None]{}, err
	}
	return c.replaceTags(ctx, r.ID, append(now.Result.Tags, r.Tag))
}

func (c *Cloud) removeTag(ctx context.Context, r canonical.TagRemove) (canonical.TypedReply[canonical.None], error) {
	if plain(r.Tag) {
		return canonical.RemoveTag.Do(ctx, c.Rows(), r)
	}
	tags, err := c.tagsWith(ctx, r.ID, r.Tag)
	if err != nil {
		return canonical.TypedReply[canonical.None]{}, err
	}
	return c.replaceTags(ctx, r.ID, slices.DeleteFunc(tags, func(tag string) bool { return tag == r.Tag }))
}

// tagsWith are the tags of a server; without that one among them it is NotFound.
func (c *Cloud) tagsWith(ctx context.Context, id canonical.ID, tag string) ([]string, error) {
	now, err := canonical.ListTags.Do(ctx, c.Rows(), canonical.TagList{ID: id})
	if err == nil && !slices.Contains(now.Result.Tags, tag) {
		err = canonical.Errorf(canonical.NotFound, "the server has no tag %s", tag)
	}
	return now.Result.Tags, err
}

func (c *Cloud) replaceTags(ctx context.Context, id canonical.ID, tags []string) (canonical.TypedReply[canonical.None], error) {
	_, err := canonical.ReplaceTags.Do(ctx, c.Rows(), canonical.TagReplace{ID: id, Tags: tags})
	return canonical.TypedReply[canonical.None]{}, err
}
