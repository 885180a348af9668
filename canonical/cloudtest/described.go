package cloudtest

import (
	"maps"
	"slices"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// metadataIs fails the test unless that is all metadata of the server, however it is
// asked for.
func (k *check) metadataIs(id canonical.ID, want map[string]string) {
	for what, got := range map[string]map[string]string{
		"metadata.list": do(k, canonical.ListMetadata, canonical.MetadataList{ID: id}), "server.get": k.get(id).Metadata,
	} {
		if !maps.Equal(got, want) {
			k.errorf("%s gave %v, want %v", what, got, want)
		}
	}
}

func testMetadataItems(k *check) {
	k.needs(canonical.ListMetadata.Spec(), canonical.ReplaceMetadata.Spec(), canonical.MergeMetadata.Spec(), canonical.SetMetadata.Spec(),
		canonical.GetMetadata.Spec(), canonical.DeleteMetadata.Spec(), canonical.CreateServer.Spec())
	id := k.machineIn("running").id
	all := map[string]string{"a": "1", "b c:d-e_f.g": "", "n": "值"}
	if got := do(k, canonical.ReplaceMetadata, canonical.MetadataReplace{ID: id, Metadata: all}); !maps.Equal(got, all) {
		k.errorf("metadata.replace gave %v", got)
	}
	k.metadataIs(id, all)
	merge := map[string]canonical.Opt[string]{"a": canonical.Some("2"), "new": canonical.Some("x"), "n": canonical.Null[string](), "none": canonical.Null[string]()}
	want := map[string]string{"a": "2", "b c:d-e_f.g": "", "new": "x"}
	if got := do(k, canonical.MergeMetadata, canonical.MetadataMerge{ID: id, Metadata: merge}); !maps.Equal(got, want) {
		k.errorf("metadata.merge gave %v, want %v", got, want)
	}
	k.metadataIs(id, want)
	for what, item := range map[string]canonical.MetadataItem{
		"metadata.set": do(k, canonical.SetMetadata, canonical.MetadataSet{ID: id, Key: "a", Value: "3"}),
		"metadata.get": do(k, canonical.GetMetadata, canonical.MetadataGet{ID: id, Key: "a"}),
	} {
		if what == "metadata.set" && item.Value != "3" || item.Key != "a" {
			k.errorf("%s gave %+v", what, item)
		}
	}
	if item := do(k, canonical.GetMetadata, canonical.MetadataGet{ID: id, Key: "a"}); item.Value != "3" {
		k.errorf("the item that was set is %+v", item)
	}
	do(k, canonical.DeleteMetadata, canonical.MetadataDelete{ID: id, Key: "a"})
	k.code("metadata.get of what is not there", try(k, canonical.GetMetadata, canonical.MetadataGet{ID: id, Key: "a"}), canonical.NotFound)
	k.code("metadata.delete of what is not there", try(k, canonical.DeleteMetadata, canonical.MetadataDelete{ID: id, Key: "a"}), canonical.NotFound)
	delete(want, "a")
	k.metadataIs(id, want)
	do(k, canonical.ReplaceMetadata, canonical.MetadataReplace{ID: id})
	k.metadataIs(id, map[string]string{})
	k.code("metadata.list of an unknown server", try(k, canonical.ListMetadata, canonical.MetadataList{ID: unknown}), canonical.NotFound)
	k.code("metadata.replace of an unknown server", try(k, canonical.ReplaceMetadata, canonical.MetadataReplace{ID: unknown, Metadata: all}), canonical.NotFound)
	k.refused("metadata.set without a key", try(k, canonical.SetMetadata, canonical.MetadataSet{ID: id, Value: "x"}), "metadata")
}

// tagsAre fails the test unless these are the tags of the server, however they are
// asked for; they have no order.
func (k *check) tagsAre(id canonical.ID, want ...string) {
	for what, got := range map[string][]string{
		"tag.list": do(k, canonical.ListTags, canonical.TagList{ID: id}).Tags, "server.get": k.get(id).Tags,
	} {
		if slices.Sort(got); !slices.Equal(got, want) {
			k.errorf("%s gave %v, want %v", what, got, want)
		}
	}
}

func testTags(k *check) {
	k.needs(canonical.ListTags.Spec(), canonical.CheckTag.Spec(), canonical.AddTag.Spec(), canonical.RemoveTag.Spec(),
		canonical.ReplaceTags.Spec(), canonical.ClearTags.Spec(), canonical.CreateServer.Spec())
	id := k.machineIn("running").id
	do(k, canonical.ReplaceTags, canonical.TagReplace{ID: id, Tags: []string{"b", "a", "b", "c d"}})
	k.tagsAre(id, "a", "b", "c d")
	do(k, canonical.AddTag, canonical.TagAdd{ID: id, Tag: "标"})
	do(k, canonical.AddTag, canonical.TagAdd{ID: id, Tag: "a"}) // it has that already
	k.tagsAre(id, "a", "b", "c d", "标")
	for _, tag := range []string{"c d", "标"} {
		do(k, canonical.CheckTag, canonical.TagCheck{ID: id, Tag: tag})
		do(k, canonical.RemoveTag, canonical.TagRemove{ID: id, Tag: tag})
		k.code("tag.check of a tag that it lost", try(k, canonical.CheckTag, canonical.TagCheck{ID: id, Tag: tag}), canonical.NotFound)
	}
	k.tagsAre(id, "a", "b")
	k.code("tag.check of a tag that it lacks", try(k, canonical.CheckTag, canonical.TagCheck{ID: id, Tag: "c d"}), canonical.NotFound)
	k.code("tag.remove of a tag that it lacks", try(k, canonical.RemoveTag, canonical.TagRemove{ID: id, Tag: "c d"}), canonical.NotFound)
	k.refused("a tag with a comma", try(k, canonical.AddTag, canonical.TagAdd{ID: id, Tag: "a,b"}), "tag")
	k.refused("tags with a slash", try(k, canonical.ReplaceTags, canonical.TagReplace{ID: id, Tags: []string{"a", "a/b"}}), "tags.1")
	do(k, canonical.ClearTags, canonical.TagClear{ID: id})
	k.tagsAre(id)
	k.code("tag.list of an unknown server", try(k, canonical.ListTags, canonical.TagList{ID: unknown}), canonical.NotFound)
	k.code("tag.add of an unknown server", try(k, canonical.AddTag, canonical.TagAdd{ID: unknown, Tag: "a"}), canonical.NotFound)
}

// testTagFilters: two servers, of which one has both tags.
func testTagFilters(k *check) {
	k.needs(canonical.ReplaceTags.Spec())
	f := k.theFleet()
	both, one := f.ids[0], f.ids[1]
	x, y := k.name("x"), k.name("y")
	do(k, canonical.ReplaceTags, canonical.TagReplace{ID: both, Tags: []string{x, y}})
	do(k, canonical.ReplaceTags, canonical.TagReplace{ID: one, Tags: []string{x}})
	for what, tt := range map[string]struct {
		r    canonical.ServerList
		want int
	}{
		"tags=x":            {canonical.ServerList{Tags: x}, 2},
		"tags=x,y":          {canonical.ServerList{Tags: x + "," + y}, 1},
		"tags_any=x,y":      {canonical.ServerList{TagsAny: x + "," + y}, 2},
		"not_tags=x,y":      {canonical.ServerList{NotTags: x + "," + y}, fleetSize - 1},
		"not_tags_any=x,y":  {canonical.ServerList{NotTagsAny: x + "," + y}, fleetSize - 2},
		"tags=x not_tags=y": {canonical.ServerList{Tags: x, NotTags: y}, 1},
	} {
		tt.r.NamePrefix = f.prefix
		if got := len(do(k, canonical.ListServers, tt.r).Items); got != tt.want {
			k.errorf("the list by %s holds %d servers, want %d", what, got, tt.want)
		}
	}
	do(k, canonical.ClearTags, canonical.TagClear{ID: both})
	do(k, canonical.ClearTags, canonical.TagClear{ID: one})
}
