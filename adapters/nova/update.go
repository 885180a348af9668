package nova

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
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
	u := update{c, r.ID, s.Window}
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
	cloud  *Cloud
	id     canonical.ID
	window translate.Window
}

// rest is what a row carries.
func (u update) rest(ctx context.Context, r canonical.ServerUpdate) error {
	if r.Name.IsZero() && r.Description.IsZero() && r.AccessIPv4.IsZero() && r.AccessIPv6.IsZero() {
		return nil
	}
	_, err := canonical.UpdateServer.Do(ctx, u.cloud.Rows(), r)
	return err
}

// tags replaces the tags; null removes them (nova.server.tags.replace).
func (u update) tags(ctx context.Context, tags canonical.Opt[[]string]) error {
	if tags.IsZero() {
		return nil
	}
	body := map[string][]string{"tags": append([]string{}, tags.Or(nil)...)} // never null
	return u.send(ctx, http.MethodPut, "/tags", tagsVersion, body)
}

// metadata merges the metadata (a row of its own), takes keys out
// (nova.server.metadata.item.delete), or with null clears it.
func (u update) metadata(ctx context.Context, patch canonical.Opt[map[string]canonical.Opt[string]]) error {
	if patch.IsNull() {
		return u.send(ctx, http.MethodPut, "/metadata", translate.Version{}, map[string]any{"metadata": map[string]string{}})
	}
	changes, _ := patch.Get()
	set := map[string]canonical.Opt[string]{}
	var gone []string
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		if value := changes[key]; !value.IsNull() {
			set[key] = value
		} else {
			gone = append(gone, key)
		}
	}
	if len(set) > 0 {
		merge := canonical.ServerUpdate{ID: u.id, Metadata: canonical.Some(set)}
		if _, err := canonical.UpdateServer.Do(ctx, u.cloud.Rows(), merge); err != nil {
			return err
		}
	}
	return u.remove(ctx, gone)
}

// remove takes keys out. To take out one that is not there is no failure, but the
// server must be there.
func (u update) remove(ctx context.Context, keys []string) error {
	for _, key := range keys {
		err := u.send(ctx, http.MethodDelete, "/metadata/"+url.PathEscape(key), translate.Version{}, nil)
		if err != nil && canonical.CodeOf(err) != canonical.NotFound {
			return err
		}
	}
	return nil // a missing server is told by the get that ends every update
}

// send is one call below the server; a zero version is the oldest of the cloud.
func (u update) send(ctx context.Context, method, path string, v translate.Version, body any) error {
	req := &translate.Request{
		Service: "compute", Method: method, Path: "/servers/" + url.PathEscape(string(u.id)) + path,
		Header: http.Header{},
	}
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return canonical.Errorf(canonical.Internal, "a body does not encode: %v", err)
		}
		req.Body = b
	}
	if at := u.window.Clamp(v); u.cloud.table.Version != nil && !at.IsZero() {
		u.cloud.table.Version(req, at)
	}
	resp, err := u.cloud.conn.Send(ctx, req)
	if err != nil {
		return err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return u.cloud.table.HearError(resp)
	}
	return nil
}
