package nova

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// items is a change of metadata.
type items = canonical.Opt[map[string]canonical.Opt[string]]

// updateVolume changes a volume. Its metadata, and whether it is bootable, are calls of
// their own in Cinder; each may be repeated.
func (c *Cloud) updateVolume(ctx context.Context, r canonical.VolumeUpdate) (canonical.TypedReply[canonical.Volume], error) {
	var none canonical.TypedReply[canonical.Volume]
	before, err := canonical.GetVolume.Do(ctx, c.Rows(), canonical.VolumeGet{ID: r.ID})
	if err != nil {
		return none, err
	}
	if err := c.replaceItems(ctx, "volumes", r.ID, before.Result.Metadata, r.Metadata); err != nil {
		return none, err
	}
	var parts []canonical.VolumeUpdate
	if !r.Bootable.IsZero() {
		parts = append(parts, canonical.VolumeUpdate{ID: r.ID, Bootable: r.Bootable})
	}
	if !r.Name.IsZero() || !r.Description.IsZero() {
		parts = append(parts, canonical.VolumeUpdate{ID: r.ID, Name: r.Name, Description: r.Description})
	}
	for _, part := range parts {
		if _, err := canonical.UpdateVolume.Do(ctx, c.Rows(), part); err != nil {
			return none, err
		}
	}
	return canonical.GetVolume.Do(ctx, c.Rows(), canonical.VolumeGet{ID: r.ID})
}

func (c *Cloud) updateVolumeSnapshot(ctx context.Context, r canonical.VolumeSnapshotUpdate) (canonical.TypedReply[canonical.VolumeSnapshot], error) {
	var none canonical.TypedReply[canonical.VolumeSnapshot]
	before, err := canonical.GetVolumeSnapshot.Do(ctx, c.Rows(), canonical.VolumeSnapshotGet{ID: r.ID})
	if err != nil {
		return none, err
	}
	if err := c.replaceItems(ctx, "snapshots", r.ID, before.Result.Metadata, r.Metadata); err != nil {
		return none, err
	}
	if !r.Name.IsZero() || !r.Description.IsZero() {
		r.Metadata = items{}
		if _, err := canonical.UpdateVolumeSnapshot.Do(ctx, c.Rows(), r); err != nil {
			return none, err
		}
	}
	return canonical.GetVolumeSnapshot.Do(ctx, c.Rows(), canonical.VolumeSnapshotGet{ID: r.ID})
}

// replaceItems replaces all metadata of a volume or a snapshot by what the change makes
// of them (cinder.volume.metadata.replace).
func (c *Cloud) replaceItems(ctx context.Context, kind string, id canonical.ID, before map[string]string, change items) error {
	if change.IsZero() {
		return nil
	}
	all := map[string]string{}
	if !change.IsNull() {
		for key, value := range before {
			all[key] = value
		}
	}
	for key, value := range change.Or(nil) {
		if text, ok := value.Get(); ok {
			all[key] = text
		} else {
			delete(all, key)
		}
	}
	body, err := json.Marshal(map[string]any{"metadata": all})
	if err != nil {
		return canonical.Errorf(canonical.Internal, "metadata do not encode: %v", err)
	}
	_, err = c.sendVolume(ctx, http.MethodPut, "/"+kind+"/"+url.PathEscape(string(id))+"/metadata", body)
	return err
}

// sendVolume is one call to Cinder at its oldest version; the answer is one of success.
func (c *Cloud) sendVolume(ctx context.Context, method, path string, body []byte) (*translate.Response, error) {
	return c.sendPlain(ctx, &translate.Request{Service: "volume", Method: method, Path: path, Header: http.Header{}, Body: body})
}

// sendPlain is one call that no row of an operation makes; the answer is one of success.
func (c *Cloud) sendPlain(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	resp, err := c.conn.Send(ctx, req)
	if err == nil && (resp.Status < 200 || resp.Status > 299) {
		err = c.table.HearError(resp)
	}
	return resp, err
}

// extendVolume tells the volume as it is: the answer of Cinder tells nothing.
func (c *Cloud) extendVolume(ctx context.Context, r canonical.VolumeExtend) (canonical.TypedReply[canonical.Volume], error) {
	done, err := canonical.ExtendVolume.Do(ctx, c.Rows(), r)
	if err != nil {
		return done, err
	}
	now, err := canonical.GetVolume.Do(ctx, c.Rows(), canonical.VolumeGet{ID: r.ID})
	if err != nil { // it was begun all the same, and the task tells more
		return canonical.TypedReply[canonical.Volume]{Task: done.Task}, nil //nolint:nilerr // see above
	}
	now.Task = done.Task
	return now, nil
}

func (c *Cloud) updateAttachment(ctx context.Context, r canonical.VolumeAttachmentUpdate) (canonical.TypedReply[canonical.VolumeAttachment], error) {
	if done, err := canonical.UpdateVolumeAttachment.Do(ctx, c.Rows(), r); err != nil {
		return done, err
	}
	return canonical.GetVolumeAttachment.Do(ctx, c.Rows(), canonical.VolumeAttachmentGet{ID: r.ID, Volume: r.Volume})
}
