package nova

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// page is the names and the next link of a list of three images.
func page(t *testing.T, query string) (names []string, next string) {
	t.Helper()
	table := Table()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	req := &translate.Request{Service: "image", Method: "GET", Path: "/v2/images", Query: q, Header: http.Header{}}
	var row *translate.Route
	for i := range table.Rows {
		if r := &table.Rows[i]; r.Op == canonical.ListImages.Spec() && r.When != nil && r.When(req, nil) {
			row = r
		}
	}
	if row.ID != "glance.image.list.sorted" {
		t.Fatalf("%s is heard by %s", query, row.ID)
	}
	size := func(n int64) *int64 { return &n }
	reply := canonical.Reply{Result: canonical.Page[canonical.Image]{Items: []canonical.Image{
		{ID: "1", Name: "a", SizeBytes: size(900)}, {ID: "2", Name: "b", SizeBytes: size(1000)}, {ID: "3", Name: "c", SizeBytes: size(20)},
	}}}
	resp, err := row.SayReply(reply, &translate.Env{Wire: req})
	if err != nil {
		t.Fatal(err)
	}
	var w imagesBody
	if err := json.Unmarshal(resp.Body, &w); err != nil {
		t.Fatal(err)
	}
	for _, i := range w.Images {
		names = append(names, *i.Name)
	}
	return names, w.Next
}

// TestImagesBySize: a list is sorted by what no canonical order knows, and has pages.
func TestImagesBySize(t *testing.T) {
	for query, want := range map[string][]string{
		"sort=size:desc": {"b", "a", "c"}, "sort=size:asc": {"c", "a", "b"}, "sort_key=size&sort_dir=desc": {"b", "a", "c"},
		"sort=size": {"b", "a", "c"}, "sort_key=status&sort_key=size&sort_dir=asc": {"c", "a", "b"},
		"sort=size:desc&limit=2": {"b", "a"}, "sort=size:desc&marker=1": {"c"}, "sort=size:desc&limit=0": nil,
	} {
		names, next := page(t, query)
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		if more := query == "sort=size:desc&limit=2"; more != strings.Contains(next, "marker=1") {
			t.Errorf("%s goes on with %q", query, next)
		}
	}
}

// TestImageSortRefused: what is no order is refused, not ignored.
func TestImageSortRefused(t *testing.T) {
	for _, query := range []string{
		"sort=colour:asc", "sort=size:up", "sort_key=colour", "sort_dir=up", "sort=size&sort_key=name", "sort_key=size&sort_dir=asc&sort_dir=asc",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := imageSort(q); canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestOldPatches: the older form of JSON patch is heard as the newer one is.
func TestOldPatches(t *testing.T) {
	var old, newer []patch
	for text, to := range map[string]*[]patch{
		`[{"replace": "/name", "value": "n"}, {"add": "/x", "value": "1"}, {"remove": "/y"}]`:                                           &old,
		`[{"op": "replace", "path": "/name", "value": "n"}, {"op": "add", "path": "/x", "value": "1"}, {"op": "remove", "path": "/y"}]`: &newer,
	} {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(newer, old); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		`{"replace": "/a", "add": "/b"}`, `{"op": "add", "path": "/a", "remove": "/b"}`, `{"test": "/a"}`, `{"op": 1}`,
	} {
		if err := json.Unmarshal([]byte(bad), new(patch)); err == nil {
			t.Errorf("%s was heard", bad)
		}
	}
}
