package broker

import (
	"context"
	"maps"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// maxMetadata is how many items every dialect takes; a create with that many is not
// marked, and cannot be settled.
const maxMetadata = 128

// marked is a create with the mark of its operation.
func (b *Broker) marked(request any, id canonical.ID) any {
	r, ok := request.(canonical.ServerCreate)
	if !ok || len(r.Metadata) >= maxMetadata {
		return request
	}
	r.Metadata = maps.Clone(r.Metadata)
	if r.Metadata == nil {
		r.Metadata = map[string]string{}
	}
	r.Metadata[b.mark] = string(id)
	return r
}

// withoutMark is the metadata as its tenant made it.
func (b *Broker) withoutMark(m map[string]string) map[string]string {
	if _, ok := m[b.mark]; !ok {
		return m
	}
	m = maps.Clone(m)
	delete(m, b.mark)
	return m
}

// keepMark is the request as the cloud gets it: the mark is no item of the tenant's, so
// it can be neither read nor changed, and it stays where all items are replaced.
func (v *view) keepMark(ctx context.Context, request any) (any, error) {
	mark := v.b.mark
	reserved := canonical.Invalid("metadata", "%s is dragoman's own", mark)
	switch r := request.(type) {
	case canonical.MetadataGet:
		return r, hidden(r.Key == mark)
	case canonical.MetadataDelete:
		return r, hidden(r.Key == mark)
	case canonical.MetadataSet:
		if r.Key == mark {
			return r, reserved
		}
	case canonical.MetadataMerge:
		if _, given := r.Metadata[mark]; given {
			return r, reserved
		}
	case canonical.MetadataReplace:
		if _, given := r.Metadata[mark]; given {
			return r, reserved
		}
		all, err := v.withMark(ctx, r.ID, r.Metadata)
		r.Metadata = all
		return r, err
	case canonical.ServerUpdate:
		changes, err := v.markedUpdate(ctx, r, reserved)
		r.Metadata = changes
		return r, err
	case canonical.ServerRebuild:
		all, given := r.Metadata.Get()
		if _, is := all[mark]; is {
			return r, reserved
		}
		if !given && !r.Metadata.IsNull() {
			return r, nil
		}
		all, err := v.withMark(ctx, r.ID, all)
		r.Metadata = canonical.Some(all)
		return r, err
	}
	return request, nil
}

// hidden is the answer to who asks for the mark.
func hidden(is bool) error {
	if is {
		return canonical.Errorf(canonical.NotFound, "the server has no such metadata item")
	}
	return nil
}

// withMark is all metadata that the server shall have, and its mark.
func (v *view) withMark(ctx context.Context, id canonical.ID, all map[string]string) (map[string]string, error) {
	now, err := v.metadata(ctx, id)
	value, marked := now[v.b.mark]
	if err != nil || !marked || len(all) >= maxMetadata {
		return all, err
	}
	out := maps.Clone(all)
	if out == nil {
		out = map[string]string{}
	}
	out[v.b.mark] = value
	return out, nil
}

// markedUpdate is the metadata of an update; one that takes out all items takes out
// all but the mark.
func (v *view) markedUpdate(ctx context.Context, r canonical.ServerUpdate, reserved error) (canonical.Opt[map[string]canonical.Opt[string]], error) {
	changes, _ := r.Metadata.Get()
	if _, given := changes[v.b.mark]; given {
		return r.Metadata, reserved
	}
	if !r.Metadata.IsNull() {
		return r.Metadata, nil
	}
	now, err := v.metadata(ctx, r.ID)
	if _, marked := now[v.b.mark]; err != nil || !marked {
		return r.Metadata, err
	}
	gone := make(map[string]canonical.Opt[string], len(now))
	for key := range now {
		if key != v.b.mark {
			gone[key] = canonical.Null[string]()
		}
	}
	return canonical.Some(gone), nil
}

func (v *view) metadata(ctx context.Context, id canonical.ID) (map[string]string, error) {
	reply, err := v.call(ctx, canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: id}})
	if err != nil {
		return nil, err
	}
	s, _ := reply.Result.(canonical.Server)
	return s.Metadata, nil
}
