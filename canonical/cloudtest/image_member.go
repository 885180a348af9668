package cloudtest

import (
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func testImageMembers(k *check) {
	needImages(k)
	k.needs(canonical.ListImageMembers.Spec(), canonical.CreateImageMember.Spec(), canonical.DeleteImageMember.Spec(), canonical.GetImageMember.Spec())
	i := k.image(canonical.ImageCreate{Name: k.name("image"), DiskFormat: "raw", Visibility: "shared"})
	const project = "0123456789abcdef0123456789abcdef"
	made := do(k, canonical.CreateImageMember, canonical.ImageMemberCreate{ID: i.ID, Member: project})
	if made.Image != i.ID || made.Status != "pending" {
		k.errorf("image_member.create gave %+v", made)
	}
	if got := do(k, canonical.GetImageMember, canonical.ImageMemberGet{ID: i.ID, Member: made.ID}); got.ID != made.ID || got.Status != made.Status {
		k.errorf("image_member.get gave %+v", got)
	}
	if items := do(k, canonical.ListImageMembers, canonical.ImageMemberList{ID: i.ID}).Items; len(items) != 1 || items[0].ID != made.ID {
		k.errorf("image_member.list gave %+v", items)
	}
	k.code("a member again", try(k, canonical.CreateImageMember, canonical.ImageMemberCreate{ID: i.ID, Member: project}), canonical.AlreadyExists, canonical.Conflict)
	remove := canonical.ImageMemberDelete{ID: i.ID, Member: made.ID}
	do(k, canonical.DeleteImageMember, remove)
	k.code("the second image_member.delete", try(k, canonical.DeleteImageMember, remove), canonical.NotFound)
	private := k.image(canonical.ImageCreate{Name: k.name("image"), DiskFormat: "raw", Visibility: "private"})
	k.code("a member of a private image", try(k, canonical.CreateImageMember, canonical.ImageMemberCreate{ID: private.ID, Member: project}), canonical.Forbidden)
	k.code("the members of an unknown image", try(k, canonical.ListImageMembers, canonical.ImageMemberList{ID: unknown}), canonical.NotFound)
}

func testImageTags(k *check) {
	needImages(k)
	k.needs(canonical.AddImageTag.Spec(), canonical.RemoveImageTag.Spec())
	i := k.image(canonical.ImageCreate{Name: k.name("image"), DiskFormat: "raw", Tags: []string{"a"}})
	do(k, canonical.AddImageTag, canonical.ImageTagAdd{ID: i.ID, Tag: "b c"})
	do(k, canonical.AddImageTag, canonical.ImageTagAdd{ID: i.ID, Tag: "a"})
	is := func(want ...string) {
		if got := do(k, canonical.GetImage, canonical.ImageGet{ID: i.ID}).Tags; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			k.errorf("the tags are %v, want %v", got, want)
		}
	}
	is("a", "b c")
	do(k, canonical.RemoveImageTag, canonical.ImageTagRemove{ID: i.ID, Tag: "a"})
	is("b c")
	k.code("a tag that it lacks", try(k, canonical.RemoveImageTag, canonical.ImageTagRemove{ID: i.ID, Tag: "a"}), canonical.NotFound)
	k.code("a tag of an unknown image", try(k, canonical.AddImageTag, canonical.ImageTagAdd{ID: unknown, Tag: "a"}), canonical.NotFound)
}

// testDeactivation: an image that is deactivated is so until it is active again.
func testDeactivation(k *check) {
	needImages(k)
	k.needs(canonical.DeactivateImage.Spec(), canonical.ReactivateImage.Spec(), canonical.UploadImage.Spec())
	i := k.image(canonical.ImageCreate{Name: k.name("image"), DiskFormat: "raw"})
	do(k, canonical.UploadImage, canonical.ImageUpload{ID: i.ID, Content: content("bytes")})
	k.operators("image.deactivate", try(k, canonical.DeactivateImage, canonical.ImageDeactivate{ID: i.ID}))
	if got := do(k, canonical.GetImage, canonical.ImageGet{ID: i.ID}); got.Status != canonical.ImageDeactivated {
		k.errorf("after image.deactivate the image is %s", got.Status)
	}
	do(k, canonical.ReactivateImage, canonical.ImageReactivate{ID: i.ID})
	if got := do(k, canonical.GetImage, canonical.ImageGet{ID: i.ID}); got.Status != canonical.ImageActive {
		k.errorf("after image.reactivate the image is %s", got.Status)
	}
	k.code("deactivating an unknown image", try(k, canonical.DeactivateImage, canonical.ImageDeactivate{ID: unknown}), canonical.NotFound)
}
