package cloudtest

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what clouds say of images
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"testing/iotest"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func needImages(k *check) {
	k.needs(canonical.CreateImage.Spec(), canonical.GetImage.Spec(), canonical.DeleteImage.Spec())
}

// image makes an image without bytes and has it deleted in the end.
func (k *check) image(r canonical.ImageCreate) canonical.Image {
	made := do(k, canonical.CreateImage, r)
	k.undo = append(k.undo, func(k *check) { k.deleteImage(made.ID) })
	return made
}

func (k *check) deleteImage(id canonical.ID) {
	if err := try(k, canonical.DeleteImage, canonical.ImageDelete{ID: id}); err != nil && canonical.CodeOf(err) != canonical.NotFound {
		k.errorf("cleaning up image %s: %v", id, err)
	}
}

func (k *check) getImage(id canonical.ID) canonical.Image {
	return do(k, canonical.GetImage, canonical.ImageGet{ID: id})
}

func (k *check) upload(id canonical.ID, from io.Reader, size int64) error {
	return try(k, canonical.UploadImage, canonical.ImageUpload{
		ID: id, Content: &canonical.Content{ReadCloser: io.NopCloser(from), Size: size},
	})
}

// settled is the image once what was uploaded has been taken in.
func (k *check) settled(id canonical.ID) canonical.Image {
	for pause := k.h.First; ; pause = min(2*pause, k.h.Most) {
		i := k.getImage(id)
		if i.Status != canonical.ImageSaving && i.Status != canonical.ImageImporting {
			return i
		}
		if k.ctx.Err() != nil {
			k.fatalf("image %s stays %s", id, i.Status)
		}
		k.pause(pause)
	}
}

func testImageLifecycle(k *check) {
	needImages(k)
	k.needs(canonical.ListImages.Spec(), canonical.UpdateImage.Spec())
	r := canonical.ImageCreate{
		Name: k.name("image"), DiskFormat: "raw", MinDiskGiB: 1, MinRAMMiB: 64, OS: "debian", Architecture: "x86_64",
		Properties: map[string]string{"cloudtest_a": "1", "cloudtest_b": "值", "cloudtest_d": "kept"}, Tags: []string{"t1", "t2"},
	}
	made := k.image(r)
	got := k.getImage(made.ID)
	for what, i := range map[string]canonical.Image{"image.create": made, "image.get": got} {
		if i.Name != r.Name || i.Status != canonical.ImageQueued || text(i.DiskFormat) != "raw" || text(i.ContainerFormat) != "bare" ||
			i.MinDiskGiB != 1 || i.MinRAMMiB != 64 || text(i.OS) != "debian" || text(i.Architecture) != "x86_64" || i.Visibility == "public" {
			k.errorf("%s gave %+v", what, i)
		}
		if i.Properties["cloudtest_a"] != "1" || i.Properties["cloudtest_b"] != "值" || !sameTags(i.Tags, r.Tags) {
			k.errorf("%s gave the properties %v and the tags %v", what, i.Properties, i.Tags)
		}
	}
	listed := do(k, canonical.ListImages, canonical.ImageList{Name: r.Name}).Items
	if len(listed) != 1 || listed[0].ID != made.ID {
		k.errorf("the list by name holds %+v", listed)
	}
	k.updateImage(made.ID)
	do(k, canonical.DeleteImage, canonical.ImageDelete{ID: made.ID})
	k.code("image.get after image.delete", try(k, canonical.GetImage, canonical.ImageGet{ID: made.ID}), canonical.NotFound)
	k.code("the second image.delete", try(k, canonical.DeleteImage, canonical.ImageDelete{ID: made.ID}), canonical.NotFound)
	for what, bad := range map[string]canonical.ImageCreate{
		"name":         {DiskFormat: "raw"},
		"min_disk_gib": {Name: k.name("bad"), DiskFormat: "raw", MinDiskGiB: -1},
	} {
		k.refused("an image with a bad "+what, try(k, canonical.CreateImage, bad), what)
	}
}

// updateImage changes some fields of an image and looks that the others stay.
func (k *check) updateImage(id canonical.ID) {
	name := k.name("renamed")
	for _, u := range []canonical.ImageUpdate{
		{ID: id, Name: canonical.Some(name)},
		{ID: id, MinDiskGiB: canonical.Some(2), Tags: canonical.Some([]string{"t3"})},
		{ID: id, Properties: canonical.Some(map[string]canonical.Opt[string]{
			"cloudtest_a": canonical.Null[string](), "cloudtest_b": canonical.Some("2"), "cloudtest_c/d~e": canonical.Some("3"),
			"cloudtest_never": canonical.Null[string](),
		})},
	} {
		answer, now := do(k, canonical.UpdateImage, u), k.getImage(id)
		if answer.Name != now.Name || !maps.Equal(answer.Properties, now.Properties) || !sameTags(answer.Tags, now.Tags) {
			k.errorf("the update answered %+v, the image is %+v", answer, now)
		}
	}
	i := k.getImage(id)
	_, a := i.Properties["cloudtest_a"]
	if i.Name != name || i.MinDiskGiB != 2 || i.MinRAMMiB != 64 || !sameTags(i.Tags, []string{"t3"}) || a ||
		i.Properties["cloudtest_b"] != "2" || i.Properties["cloudtest_d"] != "kept" || i.Properties["cloudtest_c/d~e"] != "3" {
		k.errorf("after the updates the image is %+v", i)
	}
	k.refused("an update to an empty name", try(k, canonical.UpdateImage, canonical.ImageUpdate{ID: id, Name: canonical.Some("")}), "name")
}

func sameTags(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// testImageContent: what is uploaded is what is downloaded, whatever its size, and
// whether or not its length is told before.
func testImageContent(k *check) {
	needImages(k)
	k.needs(canonical.UploadImage.Spec(), canonical.DownloadImage.Spec())
	for _, size := range []int{0, 1, 64<<10 + 1, 3<<20 + 7} {
		for _, told := range []bool{true, false} {
			k.roundTrip(size, told)
		}
	}
}

func (k *check) roundTrip(size int, told bool) {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	length := int64(-1)
	if told {
		length = int64(size)
	}
	id := k.image(canonical.ImageCreate{Name: k.name("content"), DiskFormat: "raw"}).ID
	if err := k.upload(id, bytes.NewReader(data), length); err != nil {
		k.errorf("the upload of %d bytes (told before: %v): %v", size, told, err)
		return
	}
	i, sum := k.settled(id), md5.Sum(data) //nolint:gosec // see the import
	if i.Status != canonical.ImageActive || i.SizeBytes == nil || *i.SizeBytes != int64(size) ||
		i.Checksum != nil && *i.Checksum != hex.EncodeToString(sum[:]) {
		k.errorf("after the upload of %d bytes the image is %+v", size, i)
	}
	r, err := canonical.DownloadImage.Do(k.ctx, k.cloud, canonical.ImageDownload{ID: id})
	if err != nil {
		k.errorf("the download of %d bytes: %v", size, err)
		return
	}
	got, err := io.ReadAll(r.Result.Content)
	if err := errors.Join(err, r.Result.Content.Close()); err != nil || !bytes.Equal(got, data) {
		k.errorf("of %d bytes came %d, %v", size, len(got), err)
	}
	if s := r.Result.Content.Size; s >= 0 && s != int64(size) {
		k.errorf("the download says that it has %d bytes, not %d", s, size)
	}
	if c := r.Result.Checksum; c != nil && *c != hex.EncodeToString(sum[:]) {
		k.errorf("the download says that its checksum is %s, not %x", *c, sum)
	}
}

// testImageUploads: an image has all of its bytes or none, and keeps those that it
// has.
func testImageUploads(k *check) {
	needImages(k)
	k.needs(canonical.UploadImage.Spec(), canonical.DownloadImage.Spec())
	download := func(id canonical.ID) error { return try(k, canonical.DownloadImage, canonical.ImageDownload{ID: id}) }
	data := bytes.Repeat([]byte("dragoman"), 50_000)
	for what, tt := range map[string]struct {
		from io.Reader
		size int64
	}{
		"too little":      {bytes.NewReader(data[:len(data)-1]), int64(len(data))},
		"too much":        {bytes.NewReader(append(data, 'x')), int64(len(data))},
		"broken off":      {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errors.New("broken"))), int64(len(data)) + 1},
		"broken, unknown": {io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errors.New("broken"))), -1},
	} {
		id := k.image(canonical.ImageCreate{Name: k.name("partial"), DiskFormat: "raw"}).ID
		k.code("an upload of "+what, k.upload(id, tt.from, tt.size), canonical.InvalidRequest)
		if i := k.settled(id); i.Status == canonical.ImageActive {
			k.errorf("after an upload of %s the image is %+v", what, i)
		}
		k.code("a download after an upload of "+what, download(id), canonical.FailedPrecondition)
	}
	id := k.image(canonical.ImageCreate{Name: k.name("once"), DiskFormat: "raw"}).ID
	if err := k.upload(id, bytes.NewReader(data), int64(len(data))); err != nil {
		k.fatalf("image.upload: %v", err)
	}
	before := k.settled(id)
	k.code("the second upload", k.upload(id, bytes.NewReader([]byte("other")), 5), canonical.FailedPrecondition, canonical.Conflict)
	if now := k.getImage(id); now.Status != canonical.ImageActive || *now.SizeBytes != *before.SizeBytes {
		k.errorf("after the second upload the image is %+v", now)
	}
	k.code("an upload to an unknown image", k.upload(unknown, bytes.NewReader(data), int64(len(data))), canonical.NotFound)
	k.code("a download of an unknown image", download(unknown), canonical.NotFound)
}

// testProtectedImage: what is protected cannot be deleted until it is not.
func testProtectedImage(k *check) {
	needImages(k)
	k.needs(canonical.UpdateImage.Spec())
	id := k.image(canonical.ImageCreate{Name: k.name("protected"), DiskFormat: "raw", Protected: true}).ID
	if !k.getImage(id).Protected {
		k.errorf("the protected image is not shown as such")
	}
	k.code("the delete of a protected image", try(k, canonical.DeleteImage, canonical.ImageDelete{ID: id}), canonical.FailedPrecondition)
	if i := do(k, canonical.UpdateImage, canonical.ImageUpdate{ID: id, Protected: canonical.Some(false)}); i.Protected {
		k.errorf("after the update the image is protected still")
	}
	do(k, canonical.DeleteImage, canonical.ImageDelete{ID: id})
}

// testImageInUse: a server outlives its image, or keeps it.
func testImageInUse(k *check) {
	needImages(k)
	k.needs(canonical.UploadImage.Spec(), canonical.DownloadImage.Spec(), canonical.CreateServer.Spec())
	r := k.request(k.name("in-use"))
	id := k.copyOf(r.Image)
	r.Image = canonical.Ref(id)
	server := k.create(r)[0]
	if err := try(k, canonical.DeleteImage, canonical.ImageDelete{ID: id}); err != nil {
		k.code("the delete of an image in use", err, canonical.FailedPrecondition)
		if i := k.getImage(id); i.Status != canonical.ImageActive {
			k.errorf("after the refused delete the image is %s", i.Status)
		}
	}
	k.is(server, running)
	do(k, canonical.DeleteServer, canonical.ServerDelete{ID: server})
}

// copyOf is a new image with the bytes of another.
func (k *check) copyOf(ref canonical.Ref) canonical.ID {
	var from *canonical.Image
	for _, i := range do(k, canonical.ListImages, canonical.ImageList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}}).Items {
		if i.ID == canonical.ID(ref) || i.Name == string(ref) {
			from = &i
		}
	}
	if from == nil || from.DiskFormat == nil {
		k.fatalf("there is no image %s to copy", ref)
	}
	id := k.image(canonical.ImageCreate{Name: k.name("copy"), DiskFormat: *from.DiskFormat}).ID
	r, err := canonical.DownloadImage.Do(k.ctx, k.cloud, canonical.ImageDownload{ID: from.ID})
	if err != nil {
		k.fatalf("image.download: %v", err)
	}
	err = k.upload(id, r.Result.Content, r.Result.Content.Size)
	if err := errors.Join(err, r.Result.Content.Close()); err != nil {
		k.fatalf("the copy of image %s: %v", ref, err)
	}
	if i := k.settled(id); i.Status != canonical.ImageActive {
		k.fatalf("the copy of image %s is %s", ref, i.Status)
	}
	return id
}
