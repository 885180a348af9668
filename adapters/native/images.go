package native

import (
	"context"
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/adapters/native/image"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// The properties, by their names in OpenStack, that have fields of their own.
const (
	osKey           = "os_distro"
	architectureKey = "architecture"
)

// shown is an image as the canonical API has it.
func shown(i image.Image) canonical.Image {
	out := i.Image
	out.NativeStatus = string(out.Status)
	out.OS, out.Architecture = optional(out.Properties[osKey]), optional(out.Properties[architectureKey])
	out.Properties, out.Tags = notNil(out.Properties), append([]string{}, out.Tags...)
	return out
}

func (c *Cloud) listImages(_ context.Context, r canonical.ImageList) (canonical.Page[canonical.Image], error) {
	all := []canonical.Image{}
	for _, i := range c.images.List() {
		all = append(all, shown(i))
	}
	return those(all, r.Match, r.ListOptions)
}

func (c *Cloud) getImage(_ context.Context, r canonical.ImageGet) (canonical.Image, error) {
	i, err := c.images.Get(r.ID)
	return shown(i), err
}

func (c *Cloud) createImage(_ context.Context, r canonical.ImageCreate) (canonical.Image, error) {
	format := image.Format(r.DiskFormat)
	switch {
	case format != "" && !slices.Contains(image.Formats, format):
		return canonical.Image{}, lacks("disk_format", "images here are one of raw, iso, qcow2, vmdk, vhd, vhdx, vdi")
	case r.ContainerFormat != "" && r.ContainerFormat != "bare":
		return canonical.Image{}, lacks("container_format", "images here are bare")
	}
	i, err := c.images.Create(image.Spec{
		Name: r.Name, DiskFormat: format, MinDiskGiB: r.MinDiskGiB, MinRAMMiB: r.MinRAMMiB, Visibility: r.Visibility,
		Protected: r.Protected, Properties: described(r), Tags: r.Tags,
	})
	return shown(i), err
}

// described are the properties with those that have fields of their own.
func described(r canonical.ImageCreate) map[string]string {
	all := map[string]string{}
	maps.Copy(all, r.Properties)
	for k, v := range map[string]string{osKey: r.OS, architectureKey: r.Architecture} {
		if v != "" {
			all[k] = v
		}
	}
	return all
}

func (c *Cloud) updateImage(_ context.Context, r canonical.ImageUpdate) (canonical.Image, error) {
	i, err := c.images.Update(r.ID, func(i *image.Image) {
		merge(&i.Name, r.Name)
		merge(&i.Visibility, r.Visibility)
		merge(&i.MinDiskGiB, r.MinDiskGiB)
		merge(&i.MinRAMMiB, r.MinRAMMiB)
		merge(&i.Protected, r.Protected)
		merge(&i.Tags, r.Tags)
		i.Properties = patched(i.Properties, r.Properties)
	})
	return shown(i), err
}

// merge gives a field its new value, or with null none.
func merge[T any](field *T, change canonical.Opt[T]) {
	if !change.IsZero() {
		var none T
		*field = change.Or(none)
	}
}

// patched is m with the changes of a merge patch.
func patched(m map[string]string, changes canonical.Opt[map[string]canonical.Opt[string]]) map[string]string {
	out := map[string]string{}
	if !changes.IsNull() {
		maps.Copy(out, m)
	}
	for k, v := range changes.Or(nil) {
		if text, ok := v.Get(); ok {
			out[k] = text
		} else {
			delete(out, k)
		}
	}
	return out
}

// hasImage says whether there is an image of that id.
func (c *Cloud) hasImage(id canonical.ID) bool {
	_, err := c.images.Get(id)
	return err == nil
}

// deleteImage also lets the hosts forget the image; one that is away does when it is
// connected the next time.
func (c *Cloud) deleteImage(ctx context.Context, r canonical.ImageDelete) (canonical.None, error) {
	if err := c.images.Delete(ctx, r.ID); err != nil {
		return canonical.None{}, err
	}
	for _, h := range c.hosts {
		c.spawn(func() { c.note("evict a deleted image from host "+h.Name(), h.EvictBase(c.ctx, r.ID)) })
	}
	return canonical.None{}, nil
}

func (c *Cloud) uploadImage(ctx context.Context, r canonical.ImageUpload) (canonical.Image, error) {
	i, err := c.images.Upload(ctx, r.ID, image.Data{Body: r.Content, Size: r.Content.Size})
	return shown(i), err
}

func (c *Cloud) downloadImage(_ context.Context, r canonical.ImageDownload) (canonical.ImageContent, error) {
	f, i, err := c.images.Open(r.ID)
	if err != nil {
		return canonical.ImageContent{}, err
	}
	return canonical.ImageContent{Content: &canonical.Content{ReadCloser: f, Size: *i.SizeBytes}, Checksum: i.Checksum}, nil
}

func (c *Cloud) importImage(ctx context.Context, r canonical.ImageImport) (out canonical.TypedReply[canonical.Image], err error) {
	if out.Result, err = c.createImage(ctx, r.ImageCreate); err != nil {
		return out, err
	}
	out.Task, err = c.work(ctx, job{Operation: canonical.ImportImage.Spec().Name, Resources: about("image", out.Result.ID), URL: r.URL})
	return out, err
}

// fetchImage brings the data of an import, whose address dies with the process.
func (c *Cloud) fetchImage(ctx context.Context, j *job) error {
	if j.URL == "" {
		return canonical.Errorf(canonical.Unavailable, "dragoman stopped before the image was there")
	}
	_, err := c.images.Import(ctx, j.about(), image.Source{URL: j.URL})
	return err
}

func about(kind string, ids ...canonical.ID) []canonical.Resource {
	out := make([]canonical.Resource, len(ids))
	for i, id := range ids {
		out[i] = canonical.Resource{Type: kind, ID: id}
	}
	return out
}
