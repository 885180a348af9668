package nova

import (
	"context"
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// tagsVersion is the first that has tags of servers (nova.server.tags.replace).
var tagsVersion = translate.Version{Major: 2, Minor: 26}

// updateServer changes a server. Metadata and tags are resources of their own in
// Nova, so such an update is several calls; each may be repeated, and the one with
// most reasons to be refused goes first.
func (c *Cloud) updateServer(ctx context.Context, r canonical.ServerUpdate) (canonical.TypedReply[canonical.Server], error) {
	metadata, tags := r.Metadata, r.Tags
	r.Metadata, r.Tags = canonical.Opt[map[string]canonical.Opt[string]]{}, canonical.Opt[[]string]{}
	if metadata.IsZero() && tags.IsZero() {
		return canonical.UpdateServer.Do(ctx, c.Rows(), r)
	}
	s, err := c.conn.Session(ctx, "compute")
	switch {
	case err != nil:
		return canonical.TypedReply[canonical.Server]{}, err
	case !tags.IsZero() && !s.Window.Max.AtLeast(tagsVersion):
		return canonical.TypedReply[canonical.Server]{}, &canonical.Error{
			Code: canonical.Unsupported, Detail: "tags need version 2.26 of the cloud's API",
			Fields: []canonical.FieldError{{Field: "tags", Reason: "needs version 2.26 of the cloud's API"}},
		}
	}
	u := update{c, r.ID}
	for _, step := range []func() error{
		func() error { return u.tags(ctx, tags) },
		func() error { return u.metadata(ctx, metadata) },
		func() error { return u.rest(ctx, r) },
	} {
		if err := step(); err != nil {
			return canonical.TypedReply[canonical.Server]{}, err
		}
	}
	return canonical.GetServer.Do(ctx, c.Rows(), canonical.ServerGet{ID: r.ID})
}

type update struct {
	cloud *Cloud
	id    canonical.ID
}

// rest is what a row carries.
func (u update) rest(ctx context.Context, r canonical.ServerUpdate) error {
	if r.Name.IsZero() && r.Description.IsZero() && r.AccessIPv4.IsZero() && r.AccessIPv6.IsZero() {
		return nil
	}
	_, err := canonical.UpdateServer.Do(ctx, u.cloud.Rows(), r)
	return err
}

// tags replaces the tags; null removes them.
func (u update) tags(ctx context.Context, tags canonical.Opt[[]string]) error {
	if tags.IsZero() {
		return nil
	}
	_, err := canonical.ReplaceTags.Do(ctx, u.cloud.Rows(), canonical.TagReplace{ID: u.id, Tags: tags.Or(nil)})
	return err
}

// metadata merges the metadata, or with null clears it.
func (u update) metadata(ctx context.Context, patch canonical.Opt[map[string]canonical.Opt[string]]) error {
	if patch.IsNull() {
		_, err := canonical.ReplaceMetadata.Do(ctx, u.cloud.Rows(), canonical.MetadataReplace{ID: u.id})
		return err
	}
	changes, _ := patch.Get()
	return u.cloud.merge(ctx, u.id, changes)
}

// merge sets items, and takes out those that are null, which are calls of their own.
func (c *Cloud) merge(ctx context.Context, id canonical.ID, changes map[string]canonical.Opt[string]) error {
	set := map[string]canonical.Opt[string]{}
	var gone []string
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if value := changes[key]; !value.IsNull() && !value.IsZero() {
			set[key] = value
		} else {
			gone = append(gone, key)
		}
	}
	if len(set) > 0 {
		if _, err := canonical.MergeMetadata.Do(ctx, c.Rows(), canonical.MetadataMerge{ID: id, Metadata: set}); err != nil {
			return err
		}
	}
	return c.takeOut(ctx, id, gone)
}

// takeOut takes items out. To take out one that is not there is no failure, but the
// server must be there, which who asks next is told.
func (c *Cloud) takeOut(ctx context.Context, id canonical.ID, keys []string) error {
	for _, key := range keys {
		_, err := canonical.DeleteMetadata.Do(ctx, c.Rows(), canonical.MetadataDelete{ID: id, Key: key})
		if err != nil && canonical.CodeOf(err) != canonical.NotFound {
			return err
		}
	}
	return nil
}

// mergeMetadata tells all metadata after a merge.
func (c *Cloud) mergeMetadata(ctx context.Context, r canonical.MetadataMerge) (canonical.TypedReply[canonical.Metadata], error) {
	if err := c.merge(ctx, r.ID, r.Metadata); err != nil {
		return canonical.TypedReply[canonical.Metadata]{}, err
	}
	return canonical.ListMetadata.Do(ctx, c.Rows(), canonical.MetadataList{ID: r.ID})
}
