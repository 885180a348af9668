package nova

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// image is Glance's schema; an image's own properties stand beside its fields.
type image struct {
	imageFields
	properties map[string]string
}

type imageFields struct {
	ID              string   `json:"id"`
	Name            *string  `json:"name"`
	Status          string   `json:"status"`
	Visibility      string   `json:"visibility"`
	Size            *int64   `json:"size"`
	VirtualSize     *int64   `json:"virtual_size"`
	Checksum        *string  `json:"checksum"`
	DiskFormat      *string  `json:"disk_format"`
	ContainerFormat *string  `json:"container_format"`
	MinDisk         int      `json:"min_disk"`
	MinRAM          int      `json:"min_ram"`
	Owner           *string  `json:"owner"`
	Protected       bool     `json:"protected"`
	Hidden          bool     `json:"os_hidden"`
	HashAlgo        *string  `json:"os_hash_algo"`
	HashValue       *string  `json:"os_hash_value"`
	Tags            []string `json:"tags"`
	CreatedAt       string   `json:"created_at,omitempty"`
	UpdatedAt       string   `json:"updated_at,omitempty"`
	Self            string   `json:"self"`
	File            string   `json:"file"`
	Schema          string   `json:"schema"`
}

// imageKeys are the keys that are no properties.
var imageKeys = []string{
	"id", "name", "status", "visibility", "size", "virtual_size", "checksum", "disk_format", "container_format", "min_disk",
	"min_ram", "owner", "protected", "os_hidden", "os_hash_algo", "os_hash_value", "tags", "created_at", "updated_at",
	"self", "file", "schema", "stores", "locations", "direct_url",
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *image) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &i.imageFields); err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	i.properties = map[string]string{}
	for key, value := range all {
		if s, ok := value.(string); ok && !slices.Contains(imageKeys, key) {
			i.properties[key] = s
		}
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (i image) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(i.imageFields)
	if err != nil || len(i.properties) == 0 {
		return fields, err
	}
	own := maps.Clone(i.properties)
	for _, key := range imageKeys {
		delete(own, key)
	}
	if len(own) == 0 {
		return fields, nil
	}
	extra, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	return append(append(fields[:len(fields)-1], ','), extra[1:]...), nil
}

type imagesBody struct {
	Images []image `json:"images"`
	First  string  `json:"first,omitempty"`
	Next   string  `json:"next,omitempty"`
	Schema string  `json:"schema,omitempty"`
}

func hearImage(w image) canonical.Image {
	return canonical.Image{
		ID: canonical.ID(w.ID), Name: words.Or(w.Name, ""), Status: hearImageStatus(w.Status), NativeStatus: w.Status, SizeBytes: w.Size,
		MinDiskGiB: w.MinDisk, MinRAMMiB: w.MinRAM, DiskFormat: w.DiskFormat, ContainerFormat: w.ContainerFormat,
		Visibility: w.Visibility, Checksum: w.Checksum, OS: words.Filled(firstOf(w.properties["os_distro"], w.properties["os_type"])),
		Architecture: words.Filled(w.properties["architecture"]), ProjectID: w.Owner, Protected: w.Protected,
		Properties: dict(w.properties), Tags: words.List(w.Tags), CreatedAt: words.Time(w.CreatedAt), UpdatedAt: words.Time(w.UpdatedAt),
	}
}

func sayImage(i canonical.Image, env *translate.Env) image {
	self := "/v2/images/" + string(i.ID)
	owner := firstOf(words.Or(i.ProjectID, ""), env.Project)
	w := image{imageFields{
		ID: string(i.ID), Name: &i.Name, Status: sayImageStatus(i.Status, i.NativeStatus),
		Visibility: firstOf(i.Visibility, "private"), Size: i.SizeBytes, Checksum: i.Checksum, DiskFormat: i.DiskFormat,
		ContainerFormat: i.ContainerFormat, MinDisk: i.MinDiskGiB, MinRAM: i.MinRAMMiB, Owner: &owner, Protected: i.Protected,
		Tags: words.List(i.Tags), CreatedAt: words.Stamp(i.CreatedAt, zoned), UpdatedAt: words.Stamp(i.UpdatedAt, zoned),
		Self: self, File: self + "/file", Schema: "/v2/schemas/image",
	}, map[string]string{}}
	if i.OS != nil {
		w.properties["os_distro"] = *i.OS
	}
	if i.Architecture != nil {
		w.properties["architecture"] = *i.Architecture
	}
	if _, other := i.Properties["os_type"]; other { // the name that the image itself uses
		delete(w.properties, "os_distro")
	}
	maps.Copy(w.properties, i.Properties)
	return w
}

// imageQueries are the query keys that are no properties.
var imageQueries = []string{
	"limit", "marker", "sort", "sort_key", "sort_dir", "name", "status", "visibility", "owner", "id", "tag", "member_status",
	"os_hidden", "protected", "disk_format", "container_format", "size", "size_min", "size_max", "min_disk", "min_ram",
	"checksum", "created_at", "updated_at",
}

var askImages = translate.Ask[canonical.ImageList, translate.NoBody]{
	Say: func(r canonical.ImageList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		to.Query.Set("limit", "1000")
		if r.Name != "" {
			to.Query.Set("name", r.Name)
		}
		return translate.NoBody{}, nil
	},
	Hear: hearImageList,
}

func hearImageList(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.ImageList, err error) {
	q := from.Query
	order, err := imageSort(q)
	if err != nil {
		return r, err
	}
	by, plain := order.plain()
	if !plain { // the answer sorts and cuts
		r.ListOptions = everything()
	} else if r.ListOptions, err = hearPaging(from, env, by); err != nil {
		return r, err
	}
	r.Name, r.Visibility = q.Get("name"), q.Get("visibility")
	if r.Visibility == "all" {
		r.Visibility = ""
	}
	if status := q.Get("status"); status != "" {
		r.Status = hearImageStatus(status)
	}
	setFact(env, factKeep, func(i *canonical.Image) bool {
		for key, values := range q {
			if !slices.Contains(imageQueries, key) && !among(values, i.Properties[key]) {
				return false
			}
		}
		return among(q["id"], string(i.ID)) && among(q["owner"], firstOf(words.Or(i.ProjectID, ""), env.Project)) &&
			among(q["disk_format"], words.Or(i.DiskFormat, "")) && among(q["container_format"], words.Or(i.ContainerFormat, "")) &&
			among(q["size"], strconv.FormatInt(words.Or(i.SizeBytes, 0), 10)) && among(q["checksum"], words.Or(i.Checksum, "")) &&
			among(q["min_disk"], strconv.Itoa(i.MinDiskGiB)) && among(q["min_ram"], strconv.Itoa(i.MinRAMMiB)) &&
			between(q.Get("size_min"), i.SizeBytes, q.Get("size_max")) && among(q["protected"], strconv.FormatBool(i.Protected)) &&
			!slices.ContainsFunc(q["tag"], func(tag string) bool { return !slices.Contains(i.Tags, tag) })
	})
	return r, nil
}

// between says whether a size is neither under the least nor over the most; texts that
// are no numbers, and sizes that are not known, count as nothing.
func between(least string, size *int64, most string) bool {
	n := words.Or(size, 0)
	low, noLow := strconv.ParseInt(least, 10, 64)
	high, noHigh := strconv.ParseInt(most, 10, 64)
	return (noLow != nil || n >= low) && (noHigh != nil || n <= high)
}

var imagesAnswer = translate.List[canonical.Image, imagesBody]{
	Say: func(p canonical.Page[canonical.Image], env *translate.Env, _ *translate.Response) (imagesBody, error) {
		w := imagesBody{Images: make([]image, len(p.Items)), First: "/v2/images", Schema: "/v2/schemas/images"}
		for i, c := range p.Items {
			w.Images[i] = sayImage(c, env)
		}
		if last := lastID(p.Items); p.NextCursor != "" && last != "" {
			w.Next = nextPath(env, last)
		}
		return w, nil
	},
	Hear: func(w imagesBody, _ *translate.Response, _ *translate.Env) ([]canonical.Image, error) {
		out := make([]canonical.Image, len(w.Images))
		for i, c := range w.Images {
			out[i] = hearImage(c)
		}
		return out, nil
	},
	Next: func(w imagesBody, asked *translate.Request, _ []canonical.Image) *translate.Request {
		return followHref(w.Next, asked)
	},
	Keep: keepBy[canonical.Image],
}

var imageAnswer = translate.Answer[canonical.Image, image]{
	Say: func(r canonical.TypedReply[canonical.Image], env *translate.Env, _ *translate.Response) (image, error) {
		return sayImage(r.Result, env), nil
	},
	Hear: func(w image, _ *translate.Response, _ *translate.Env) (canonical.Image, error) {
		return hearImage(w), nil
	},
}

func imageRoutes() []translate.Route {
	get := func(id canonical.ID) canonical.ImageGet { return canonical.ImageGet{ID: id} }
	return []translate.Route{
		{
			ID: "glance.image.list", Service: "image", Method: "GET", Path: "/v2/images", Op: canonical.ListImages.Spec(),
			When:  func(req *translate.Request, env *translate.Env) bool { return !sortedHere(req, env) },
			Needs: []translate.Need{needMarker(canonical.GetImage, get)}, Ask: askImages, Answer: imagesAnswer, Status: 200,
		},
		{
			ID: "glance.image.list.sorted", Service: "image", Method: "GET", Path: "/v2/images", Op: canonical.ListImages.Spec(),
			When: sortedHere, Can: never, Ask: askImages, Answer: sortedImages(), Status: 200,
		},
		{
			ID: "glance.image.show", Service: "image", Method: "GET", Path: "/v2/images/{id}", Op: canonical.GetImage.Spec(),
			Ask: translate.ByID[canonical.ImageGet]("id"), Status: 200,
			Answer: imageAnswer,
		},
	}
}
