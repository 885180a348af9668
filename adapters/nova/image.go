package nova

import (
	"context"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// uploadImage answers the image as it is with its bytes, of which Glance's answer to
// the upload tells nothing.
func (c *Cloud) uploadImage(ctx context.Context, r canonical.ImageUpload) (canonical.TypedReply[canonical.Image], error) {
	if _, err := canonical.UploadImage.Do(ctx, c.Rows(), r); err != nil {
		return canonical.TypedReply[canonical.Image]{}, err
	}
	return canonical.GetImage.Do(ctx, c.Rows(), canonical.ImageGet{ID: r.ID})
}
