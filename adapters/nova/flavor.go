package nova

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// createFlavor makes a flavor and its extra specs, which are a call of their own in
// Nova (nova.flavor.extra_specs.create); a flavor that did not get them is deleted.
func (c *Cloud) createFlavor(ctx context.Context, r canonical.FlavorCreate) (canonical.TypedReply[canonical.Flavor], error) {
	specs := r.ExtraSpecs
	r.ExtraSpecs = nil
	made, err := canonical.CreateFlavor.Do(ctx, c.Rows(), r)
	if err != nil || len(specs) == 0 {
		return made, err
	}
	if err := c.setExtraSpecs(ctx, made.Result.ID, specs); err != nil {
		return canonical.TypedReply[canonical.Flavor]{}, c.undoFlavor(ctx, made.Result.ID, err)
	}
	made.Result.ExtraSpecs = specs
	return made, nil
}

func (c *Cloud) setExtraSpecs(ctx context.Context, id canonical.ID, specs map[string]string) error {
	body, err := json.Marshal(map[string]any{"extra_specs": specs})
	if err != nil {
		return canonical.Errorf(canonical.Internal, "extra specs do not encode: %v", err)
	}
	resp, err := c.conn.Send(ctx, &translate.Request{
		Service: "compute", Method: http.MethodPost, Path: "/flavors/" + url.PathEscape(string(id)) + "/os-extra_specs",
		Header: http.Header{}, Body: body,
	})
	if err == nil && (resp.Status < 200 || resp.Status > 299) {
		err = c.table.HearError(resp)
	}
	return err
}

// undoFlavor deletes a flavor for cause; where that fails the error names it.
func (c *Cloud) undoFlavor(ctx context.Context, id canonical.ID, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	if _, err := canonical.DeleteFlavor.Do(ctx, c.Rows(), canonical.FlavorDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		e := *canonical.AsError(cause)
		e.Detail += "; flavor " + string(id) + " was made and could not be deleted again"
		return &e
	}
	return cause
}
