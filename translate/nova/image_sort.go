package nova

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

// imageSorts are the keys that Glance sorts by.
var imageSorts = []string{
	"name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at", "visibility", "owner",
	"min_disk", "min_ram", "protected", "virtual_size",
}

// imageOrder is what a list of images is sorted by.
type imageOrder struct{ keys, dirs []string }

// imageSort reads "name:asc,size", or the older sort_key and sort_dir, of which the
// last direction holds for the keys after it too.
func imageSort(q url.Values) (o imageOrder, err error) {
	o.keys, o.dirs = q["sort_key"], slices.Clone(q["sort_dir"])
	switch sort := q.Get("sort"); {
	case sort != "" && len(o.keys)+len(o.dirs) > 0:
		return o, canonical.Errorf(canonical.InvalidRequest, "Old and new sorting syntax cannot be combined")
	case sort != "":
		for one := range strings.SplitSeq(sort, ",") {
			key, dir, given := strings.Cut(strings.TrimSpace(one), ":")
			if !given {
				dir = "desc"
			}
			o.keys, o.dirs = append(o.keys, key), append(o.dirs, dir)
		}
	case len(o.dirs) > max(len(o.keys), 1):
		return o, canonical.Errorf(canonical.InvalidRequest, "Number of sort dirs does not match the number of sort keys")
	}
	for _, key := range o.keys {
		if !slices.Contains(imageSorts, key) {
			return o, canonical.Errorf(canonical.InvalidRequest, "Invalid sort key: %s. It must be one of the following: %s.",
				key, strings.Join(imageSorts, ", "))
		}
	}
	for _, dir := range o.dirs {
		if dir != "asc" && dir != "desc" {
			return o, canonical.Errorf(canonical.InvalidRequest, "Invalid sort direction: %s. It must be one of the following: asc, desc.", dir)
		}
	}
	if len(o.keys) == 0 {
		o.keys = []string{"created_at"}
	}
	for len(o.dirs) < len(o.keys) {
		last := "desc"
		if n := len(o.dirs); n > 0 {
			last = o.dirs[n-1]
		}
		o.dirs = append(o.dirs, last)
	}
	return o, nil
}

// plain is the canonical order for it, where there is one.
func (o imageOrder) plain() (pagingOf, bool) {
	if len(o.keys) != 1 {
		return "", false
	}
	by, ok := map[string]canonical.Sort{
		"name asc": canonical.ByName, "name desc": canonical.ByNameDesc,
		"created_at asc": canonical.OldestFirst, "created_at desc": canonical.NewestFirst,
	}[o.keys[0]+" "+o.dirs[0]]
	return pagingOf(by), ok
}

// sortedHere says whether a list is in an order that no canonical one is.
func sortedHere(req *translate.Request, _ *translate.Env) bool {
	o, err := imageSort(req.Query)
	_, plain := o.plain()
	return err == nil && !plain
}

// sortedImages is the list in such an order: all of it is sorted, and cut.
func sortedImages() translate.List[canonical.Image, imagesBody] {
	list := imagesAnswer
	list.Whole = true
	list.Say = func(p canonical.Page[canonical.Image], env *translate.Env, _ *translate.Response) (imagesBody, error) {
		w := imagesBody{Images: []image{}, First: "/v2/images", Schema: "/v2/schemas/images"}
		var more bool
		var err error
		w.Images, more, err = imagePage(p.Items, env)
		if n := len(w.Images); more && n > 0 {
			w.Next = nextPath(env, w.Images[n-1].ID)
		}
		return w, err
	}
	return list
}

// imagePage is the part of all images that the request asks for, sorted, and whether
// there are more.
func imagePage(all []canonical.Image, env *translate.Env) ([]image, bool, error) {
	q := url.Values{}
	if env.Wire != nil {
		q = env.Wire.Query
	}
	order, err := imageSort(q)
	if err != nil {
		return nil, false, err
	}
	type row struct {
		item image
		has  attributes
	}
	rows := make([]row, len(all))
	for i := range all {
		rows[i].item = sayImage(all[i], env)
		if rows[i].has, err = attributesOf(rows[i].item); err != nil {
			return nil, false, err
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return compareBy(a.has, b.has, order.keys, order.dirs) })
	from, limit := 0, canonical.MaxLimit
	if marker := q.Get("marker"); marker != "" {
		if from = 1 + slices.IndexFunc(rows, func(r row) bool { return r.item.ID == marker }); from == 0 {
			return nil, false, canonical.Errorf(canonical.NotFound, "No image found with ID %s", marker)
		}
	}
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			return nil, false, canonical.Errorf(canonical.InvalidRequest, "limit param must be an integer")
		}
	}
	to := min(len(rows), from+min(limit, canonical.MaxLimit))
	out := make([]image, 0, to-from)
	for _, r := range rows[from:to] {
		out = append(out, r.item)
	}
	return out, to < len(rows), nil
}
