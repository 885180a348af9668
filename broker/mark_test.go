package broker_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestTheMarkStays: whatever a tenant does to the metadata of a server, the mark is
// neither seen nor touched.
func TestTheMarkStays(t *testing.T) {
	cloud := memory.New(memory.Options{})
	b := quick(t, cloud)
	ctx := as(t, "acme")
	req := request(t, b, "")
	req.Metadata = map[string]string{"mine": "yes"}
	made, err := canonical.CreateServer.Do(ctx, b, req)
	if err != nil {
		t.Fatal(err)
	}
	id := made.Result.Servers[0].ID
	mark := ""
	for key := range held(t, cloud)[0].Metadata {
		if strings.HasPrefix(key, "dragoman.") {
			mark = key
		}
	}
	if mark == "" {
		t.Fatal("the server is not marked")
	}
	some, none := canonical.Some[string], canonical.Null[string]()
	for name, tt := range map[string]struct {
		do   func() error
		code canonical.Code
		want map[string]string
	}{
		"replace": {func() error {
			_, err := canonical.ReplaceMetadata.Do(ctx, b, canonical.MetadataReplace{ID: id, Metadata: map[string]string{"a": "1"}})
			return err
		}, "", map[string]string{"a": "1"}},
		"merge": {func() error {
			_, err := canonical.MergeMetadata.Do(ctx, b, canonical.MetadataMerge{ID: id, Metadata: map[string]canonical.Opt[string]{"b": some("2")}})
			return err
		}, "", map[string]string{"mine": "yes", "b": "2"}},
		"clear": {func() error {
			_, err := canonical.UpdateServer.Do(ctx, b, canonical.ServerUpdate{ID: id, Metadata: canonical.Null[map[string]canonical.Opt[string]]()})
			return err
		}, "", map[string]string{}},
		"rebuild": {func() error {
			_, err := canonical.RebuildServer.Do(ctx, b, canonical.ServerRebuild{ID: id, Image: req.Image, Metadata: canonical.Some(map[string]string{"c": "3"})})
			return err
		}, "", map[string]string{"c": "3"}},
		"get": {func() error {
			_, err := canonical.GetMetadata.Do(ctx, b, canonical.MetadataGet{ID: id, Key: mark})
			return err
		}, canonical.NotFound, nil},
		"delete": {func() error {
			_, err := canonical.DeleteMetadata.Do(ctx, b, canonical.MetadataDelete{ID: id, Key: mark})
			return err
		}, canonical.NotFound, nil},
		"set": {func() error {
			_, err := canonical.SetMetadata.Do(ctx, b, canonical.MetadataSet{ID: id, Key: mark, Value: "x"})
			return err
		}, canonical.InvalidRequest, nil},
		"merge it": {func() error {
			_, err := canonical.MergeMetadata.Do(ctx, b, canonical.MetadataMerge{ID: id, Metadata: map[string]canonical.Opt[string]{mark: none}})
			return err
		}, canonical.InvalidRequest, nil},
		"replace it": {func() error {
			_, err := canonical.ReplaceMetadata.Do(ctx, b, canonical.MetadataReplace{ID: id, Metadata: map[string]string{mark: "x"}})
			return err
		}, canonical.InvalidRequest, nil},
		"update it": {func() error {
			_, err := canonical.UpdateServer.Do(ctx, b, canonical.ServerUpdate{ID: id, Metadata: canonical.Some(map[string]canonical.Opt[string]{mark: none})})
			return err
		}, canonical.InvalidRequest, nil},
	} {
		t.Run(name, func(t *testing.T) {
			mine := map[string]string{"mine": "yes"}
			if _, err := canonical.ReplaceMetadata.Do(ctx, b, canonical.MetadataReplace{ID: id, Metadata: mine}); err != nil {
				t.Fatal(err)
			}
			before := held(t, cloud)[0].Metadata[mark]
			if err := tt.do(); canonical.CodeOf(err) != tt.code {
				t.Errorf("code %q: %v", canonical.CodeOf(err), err)
			}
			if tt.want == nil {
				tt.want = mine
			}
			r, err := canonical.ListMetadata.Do(ctx, b, canonical.MetadataList{ID: id})
			if err != nil || !maps.Equal(r.Result, tt.want) {
				t.Errorf("metadata.list gave %v, %v; want %v", r.Result, err, tt.want)
			}
			if after := held(t, cloud)[0].Metadata[mark]; after == "" || after != before {
				t.Errorf("the mark was %q and is %q", before, after)
			}
		})
	}
}
