package memory_test

import (
	"strconv"
	"testing"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// TestShelvedImage: a shelved server has an image of its disk for as long as it stays so.
func TestShelvedImage(t *testing.T) {
	c := memory.New(memory.Options{})
	id := create(t, c, "web", 1)[0].ID
	kept := func() int {
		t.Helper()
		r, err := canonical.ListImages.Do(t.Context(), c, canonical.ImageList{Name: "web-shelved", Status: canonical.ImageActive})
		if err != nil {
			t.Fatal(err)
		}
		return len(r.Result.Items)
	}
	shelve := func() {
		t.Helper()
		if _, err := canonical.ShelveServer.Do(t.Context(), c, canonical.ServerShelve{ID: id}); err != nil {
			t.Fatal(err)
		}
		if n := kept(); n != 1 {
			t.Errorf("a shelved server has %d images", n)
		}
	}
	shelve()
	if _, err := canonical.UnshelveServer.Do(t.Context(), c, canonical.ServerUnshelve{ID: id}); err != nil {
		t.Fatal(err)
	}
	if n := kept(); n != 0 {
		t.Errorf("after unshelve there are %d images", n)
	}
	shelve()
	if _, err := canonical.DeleteServer.Do(t.Context(), c, canonical.ServerDelete{ID: id}); err != nil {
		t.Fatal(err)
	}
	if n := kept(); n != 0 {
		t.Errorf("after delete there are %d images", n)
	}
}

// TestCreateWithMuchMetadata: the quota of metadata holds for creates too.
func TestCreateWithMuchMetadata(t *testing.T) {
	c := memory.New(memory.Options{})
	r := canonical.ServerCreate{Name: "web", Flavor: "small", Image: "cirros", Metadata: map[string]string{}}
	for i := range 129 {
		r.Metadata[strconv.Itoa(i)] = "x"
	}
	_, err := canonical.CreateServer.Do(t.Context(), c, r)
	wantCode(t, "129 items of metadata", err, canonical.QuotaExceeded)
	delete(r.Metadata, "0")
	if _, err := canonical.CreateServer.Do(t.Context(), c, r); err != nil {
		t.Errorf("128 items: %v", err)
	}
}
