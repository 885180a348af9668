package memory

import (
	"maps"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// described are the states in which metadata and tags change, after Nova's.
var described = states{canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended}

// maxItems is how many items of metadata a server may have.
const maxItems = 128

func (c *Cloud) handleMetadata() {
	handle(c, canonical.ListMetadata, c.listMetadata)
	handle(c, canonical.GetMetadata, c.getMetadata)
	handle(c, canonical.SetMetadata, c.setMetadata)
	handle(c, canonical.DeleteMetadata, c.deleteMetadata)
	handle(c, canonical.MergeMetadata, c.mergeMetadata)
	handle(c, canonical.ReplaceMetadata, c.replaceMetadata)
}

func (c *Cloud) listMetadata(r canonical.MetadataList) (canonical.TypedReply[canonical.Metadata], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.Metadata](err)
	}
	return reply(canonical.Metadata(maps.Clone(s.Metadata)), nil)
}

func (c *Cloud) getMetadata(r canonical.MetadataGet) (canonical.TypedReply[canonical.MetadataItem], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.MetadataItem](err)
	}
	value, ok := s.Metadata[r.Key]
	if !ok {
		return refuse[canonical.MetadataItem](noItem(r.Key))
	}
	return reply(canonical.MetadataItem{Key: r.Key, Value: value}, nil)
}

func noItem(key string) error {
	return canonical.Errorf(canonical.NotFound, "the server has no metadata item %s", key)
}

// mayDescribe refuses more items of metadata than a server may have.
func (c *Cloud) mayDescribe(n int) error {
	if over(n, c.quota.items) {
		return canonical.Errorf(canonical.QuotaExceeded, "Maximum number of metadata items exceeds %d", *c.quota.items)
	}
	return nil
}

// describe sets the metadata of a server, if it may have these now.
func (c *Cloud) describe(s *server, all map[string]string) error {
	if err := c.mayDescribe(len(all)); err != nil {
		return err
	}
	now := c.now()
	s.Metadata, s.UpdatedAt = all, &now
	return nil
}

func (c *Cloud) setMetadata(r canonical.MetadataSet) (canonical.TypedReply[canonical.MetadataItem], error) {
	_, err := c.mergeMetadata(canonical.MetadataMerge{ID: r.ID, Metadata: map[string]canonical.Opt[string]{r.Key: canonical.Some(r.Value)}})
	if err != nil {
		return refuse[canonical.MetadataItem](err)
	}
	return reply(canonical.MetadataItem{Key: r.Key, Value: r.Value}, nil)
}

func (c *Cloud) deleteMetadata(r canonical.MetadataDelete) (canonical.TypedReply[canonical.None], error) {
	s, err := c.find(r.ID)
	if err != nil {
		return refuse[canonical.None](err)
	}
	if _, ok := s.Metadata[r.Key]; !ok {
		return refuse[canonical.None](noItem(r.Key))
	}
	_, err = c.mergeMetadata(canonical.MetadataMerge{ID: r.ID, Metadata: map[string]canonical.Opt[string]{r.Key: canonical.Null[string]()}})
	return canonical.TypedReply[canonical.None]{}, err
}

func (c *Cloud) mergeMetadata(r canonical.MetadataMerge) (canonical.TypedReply[canonical.Metadata], error) {
	s, err := c.ready(r.ID, "update metadata of", described)
	if err != nil {
		return refuse[canonical.Metadata](err)
	}
	if err := c.describe(s, mergedMap(s.Metadata, canonical.Some(r.Metadata))); err != nil {
		return refuse[canonical.Metadata](err)
	}
	return reply(canonical.Metadata(maps.Clone(s.Metadata)), nil)
}

func (c *Cloud) replaceMetadata(r canonical.MetadataReplace) (canonical.TypedReply[canonical.Metadata], error) {
	s, err := c.ready(r.ID, "update metadata of", described)
	if err != nil {
		return refuse[canonical.Metadata](err)
	}
	if err := c.describe(s, notNil(maps.Clone(r.Metadata))); err != nil {
		return refuse[canonical.Metadata](err)
	}
	return reply(canonical.Metadata(maps.Clone(s.Metadata)), nil)
}
