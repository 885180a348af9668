package canonical

// What is done to images beside changing them; deactivating keeps their bytes from all
// but operators.
var (
	DeactivateImage = op[ImageDeactivate, None]("image.deactivate", Write, "POST /v1/images/{id}/deactivate")
	ReactivateImage = op[ImageReactivate, None]("image.reactivate", Write, "POST /v1/images/{id}/reactivate")
	AddImageTag     = op[ImageTagAdd, None]("image.add_tag", Write, "PUT /v1/images/{id}/tags/{tag}")
	RemoveImageTag  = op[ImageTagRemove, None]("image.remove_tag", Delete, "DELETE /v1/images/{id}/tags/{tag}")
)

// ImageDeactivate makes an image unusable for a time.
type ImageDeactivate struct {
	ID ID `json:"-" path:"id"`
}

// ImageReactivate makes it usable again.
type ImageReactivate struct {
	ID ID `json:"-" path:"id"`
}

// ImageTagAdd gives an image a tag, which it may have already.
type ImageTagAdd struct {
	ID  ID     `json:"-" path:"id"`
	Tag string `json:"-" path:"tag"`
}

// ImageTagRemove takes a tag off an image.
type ImageTagRemove struct {
	ID  ID     `json:"-" path:"id"`
	Tag string `json:"-" path:"tag"`
}
