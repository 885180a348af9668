package nova

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// imageCreate is a new image. Its own properties stand beside its fields, so it reads
// and writes its JSON itself.
type imageCreate struct {
	fields     imageCreateFields
	properties map[string]string
}

type imageCreateFields struct {
	Name            *string  `json:"name,omitempty"`
	DiskFormat      *string  `json:"disk_format,omitempty"`
	ContainerFormat *string  `json:"container_format,omitempty"`
	Visibility      string   `json:"visibility,omitempty"`
	MinDisk         int      `json:"min_disk,omitempty"`
	MinRAM          int      `json:"min_ram,omitempty"`
	Protected       bool     `json:"protected,omitempty"`
	Tags            []string `json:"tags,omitempty"`
	// What follows cannot be chosen here.
	ID     *string `json:"id,omitempty"`
	Owner  *string `json:"owner,omitempty"`
	Hidden bool    `json:"os_hidden,omitempty"`
}

// createKeys are the keys of imageCreateFields.
var createKeys = []string{
	"name", "disk_format", "container_format", "visibility", "min_disk", "min_ram", "protected", "tags", "id", "owner", "os_hidden",
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *imageCreate) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &i.fields); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	i.properties = map[string]string{}
	for key, raw := range all {
		if slices.Contains(createKeys, key) {
			continue
		}
		if slices.Contains(imageKeys, key) {
			return readOnly(key)
		}
		value, err := propertyValue(key, raw)
		if err != nil {
			return err
		}
		i.properties[key] = value
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (i imageCreate) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(i.fields)
	if err != nil || len(i.properties) == 0 {
		return fields, err
	}
	extra, err := json.Marshal(i.properties)
	if err != nil {
		return nil, err
	}
	if len(fields) == len("{}") {
		return extra, nil
	}
	return append(append(fields[:len(fields)-1], ','), extra[1:]...), nil
}

func readOnly(key string) error {
	return canonical.Errorf(canonical.Forbidden, "Attribute '%s' is read-only.", key)
}

func propertyValue(key string, raw json.RawMessage) (string, error) {
	var value string
	if json.Unmarshal(raw, &value) != nil || string(raw) == "null" {
		return "", canonical.Invalid(key, "must be a text")
	}
	return value, nil
}

var (
	visibilities = []string{"public", "private", "shared", "community"}
	diskFormats  = []string{"ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"}
	// containerFormats are what a real Glance takes unless it is told otherwise.
	containerFormats = []string{"ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"}
)

// oneOf refuses a word that is none of those, by field.
func oneOf(field, word string, all []string) error {
	if word != "" && !slices.Contains(all, word) {
		return canonical.Invalid(field, "'%s' is not one of %s", word, strings.Join(all, ", "))
	}
	return nil
}

// ownProperty refuses the keys that cannot be an image's own.
func ownProperty(key string) error {
	if key == "" || slices.Contains(imageKeys, key) {
		return words.Refuse("properties", "\""+key+"\" is not a property here")
	}
	return nil
}

func sayImageCreate(r canonical.ImageCreate, _ *translate.Env, _ *translate.Request) (imageCreate, error) {
	for _, err := range []error{
		oneOf("visibility", r.Visibility, visibilities), oneOf("disk_format", r.DiskFormat, diskFormats),
		oneOf("container_format", r.ContainerFormat, containerFormats),
	} {
		if err != nil {
			return imageCreate{}, err
		}
	}
	container := firstOf(r.ContainerFormat, "bare")
	w := imageCreate{imageCreateFields{
		Name: &r.Name, DiskFormat: words.Filled(r.DiskFormat), ContainerFormat: &container,
		Visibility: firstOf(r.Visibility, "private"), // Glance's own default is shared
		MinDisk:    r.MinDiskGiB, MinRAM: r.MinRAMMiB, Protected: r.Protected, Tags: r.Tags,
	}, maps.Clone(dict(r.Properties))}
	for key, value := range map[string]string{"os_distro": r.OS, "architecture": r.Architecture} {
		if value != "" {
			w.properties[key] = value
		}
	}
	for key := range w.properties {
		if err := ownProperty(key); err != nil {
			return w, err
		}
	}
	return w, nil
}

func hearImageCreate(w imageCreate, _ *translate.Request, env *translate.Env) (canonical.ImageCreate, error) {
	f := w.fields
	r := canonical.ImageCreate{
		Name: words.Or(f.Name, ""), DiskFormat: words.Or(f.DiskFormat, ""), ContainerFormat: words.Or(f.ContainerFormat, ""),
		Visibility: f.Visibility, MinDiskGiB: f.MinDisk, MinRAMMiB: f.MinRAM, Protected: f.Protected, Tags: f.Tags,
		OS: w.properties["os_distro"], Architecture: w.properties["architecture"], Properties: maps.Clone(w.properties),
	}
	delete(r.Properties, "os_distro")
	delete(r.Properties, "architecture")
	switch {
	case f.ID != nil:
		return r, words.Refuse("id", "is chosen by the cloud")
	case f.Owner != nil && *f.Owner != env.Project:
		return r, words.Refuse("owner", "is the caller's project")
	case f.Hidden:
		return r, words.Refuse("os_hidden", "cannot be honoured here")
	}
	if err := oneOf("visibility", r.Visibility, visibilities); err != nil {
		return r, err
	}
	if err := oneOf("container_format", r.ContainerFormat, containerFormats); err != nil {
		return r, err
	}
	return r, oneOf("disk_format", r.DiskFormat, diskFormats)
}

// patch is one change of an image (application/openstack-images-v2.1-json-patch).
type patch struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value,omitempty"`
}

// UnmarshalJSON implements json.Unmarshaler: a change in its form, or in the older one
// whose key is the verb (application/openstack-images-v2.0-json-patch).
func (p *patch) UnmarshalJSON(b []byte) error {
	var w struct {
		Op      string          `json:"op"`
		Path    string          `json:"path"`
		Value   json.RawMessage `json:"value"`
		Add     string          `json:"add"`
		Replace string          `json:"replace"`
		Remove  string          `json:"remove"`
	}
	strict := json.NewDecoder(bytes.NewReader(b))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&w); err != nil {
		return err
	}
	*p = patch{w.Op, w.Path, w.Value}
	for verb, path := range map[string]string{"add": w.Add, "replace": w.Replace, "remove": w.Remove} {
		switch {
		case path == "":
			continue
		case p.Op != "" || p.Path != "":
			return canonical.Errorf(canonical.InvalidRequest, "Operation objects must contain only one member named \"add\", \"remove\", or \"replace\".")
		}
		p.Op, p.Path = verb, path
	}
	return nil
}

const patchType = "application/openstack-images-v2.1-json-patch"

// factImage is the image before the change: Glance refuses to remove what is not
// there.
const factImage = "image"

func needImage() translate.Need {
	return translate.Need{
		Fact: factImage, Fresh: true,
		Say: func(req any) (canonical.Call, bool) {
			r, _ := req.(canonical.ImageUpdate)
			return translate.Question(canonical.GetImage, canonical.ImageGet{ID: r.ID}), removes(r)
		},
	}
}

// removes says whether an update takes properties away.
func removes(r canonical.ImageUpdate) bool {
	changes, _ := r.Properties.Get()
	gone := r.Properties.IsNull()
	for _, value := range changes {
		gone = gone || value.IsNull()
	}
	return gone
}

// pointer escapes a key as RFC 6901 has it.
var pointer = strings.NewReplacer("~", "~0", "/", "~1")

var unpointer = strings.NewReplacer("~1", "/", "~0", "~")

func sayImageUpdate(r canonical.ImageUpdate, env *translate.Env, to *translate.Request) ([]patch, error) {
	to.Params["id"] = string(r.ID)
	to.Header.Set("Content-Type", patchType)
	w := []patch{}
	replace := func(key string, given bool, value any) error {
		if !given {
			return nil
		}
		raw, err := json.Marshal(value)
		w = append(w, patch{"replace", "/" + key, raw})
		return err
	}
	as := r.Visibility.Or("private")
	for _, err := range []error{
		oneOf("visibility", as, visibilities),
		replace("name", !r.Name.IsZero(), r.Name.Or("")),
		replace("visibility", !r.Visibility.IsZero(), as),
		replace("min_disk", !r.MinDiskGiB.IsZero(), r.MinDiskGiB.Or(0)),
		replace("min_ram", !r.MinRAMMiB.IsZero(), r.MinRAMMiB.Or(0)),
		replace("protected", !r.Protected.IsZero(), r.Protected.Or(false)),
		replace("tags", !r.Tags.IsZero(), words.List(r.Tags.Or(nil))),
	} {
		if err != nil {
			return nil, err
		}
	}
	properties, err := sayProperties(r, env)
	return append(w, properties...), err
}

func sayProperties(r canonical.ImageUpdate, env *translate.Env) ([]patch, error) {
	now, have := translate.Fact[canonical.Image](env, factImage)
	if removes(r) && !have {
		return nil, words.Refuse("properties", "cannot be removed from an image that is not known")
	}
	changes, _ := r.Properties.Get()
	var gone []string
	if r.Properties.IsNull() {
		gone = slices.Collect(maps.Keys(now.Properties))
	}
	var w []patch
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		value, ok := changes[key].Get()
		switch {
		case ownProperty(key) != nil:
			return nil, ownProperty(key)
		case !ok:
			gone = append(gone, key)
			continue
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return nil, canonical.Errorf(canonical.Internal, "a property does not encode: %v", err)
		}
		w = append(w, patch{"add", "/" + pointer.Replace(key), raw})
	}
	slices.Sort(gone)
	for _, key := range gone {
		if _, there := now.Properties[key]; there && !strings.HasPrefix(key, "os_glance") { // those are Glance's own
			w = append(w, patch{Op: "remove", Path: "/" + pointer.Replace(key)})
		}
	}
	return w, nil
}

func hearImageUpdate(w []patch, from *translate.Request, env *translate.Env) (canonical.ImageUpdate, error) {
	r := canonical.ImageUpdate{ID: canonical.ID(from.Params["id"])}
	properties := map[string]canonical.Opt[string]{}
	for _, p := range w {
		path, ok := strings.CutPrefix(p.Path, "/")
		if !ok || path == "" || strings.Contains(path, "/") {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid JSON pointer for this resource: '%s'", p.Path)
		}
		key := unpointer.Replace(path)
		if err := hearPatch(&r, properties, key, p, env); err != nil {
			return r, err
		}
	}
	if len(properties) > 0 {
		r.Properties = canonical.Some(properties)
	}
	return r, nil
}

func hearPatch(r *canonical.ImageUpdate, properties map[string]canonical.Opt[string], key string, p patch, env *translate.Env) error {
	if p.Op != "add" && p.Op != "replace" && p.Op != "remove" {
		return canonical.Errorf(canonical.InvalidRequest, "Operation '%s' is not supported", p.Op)
	}
	field := slices.Contains(imageKeys, key)
	switch {
	case field && p.Op == "remove":
		return canonical.Errorf(canonical.Forbidden, "Property %s may not be removed.", key)
	case field:
		return hearField(r, key, p.Value, env)
	case p.Op == "remove":
		properties[key] = canonical.Null[string]()
		return nil
	}
	value, err := propertyValue(key, p.Value)
	properties[key] = canonical.Some(value)
	return err
}

// hearField takes the new value of one of the image's fields.
func hearField(r *canonical.ImageUpdate, key string, raw json.RawMessage, env *translate.Env) error {
	switch key {
	case "name":
		return into(key, raw, &r.Name)
	case "visibility":
		if err := into(key, raw, &r.Visibility); err != nil {
			return err
		}
		return oneOf(key, r.Visibility.Or(""), visibilities)
	case "min_disk":
		return into(key, raw, &r.MinDiskGiB)
	case "min_ram":
		return into(key, raw, &r.MinRAMMiB)
	case "protected":
		return into(key, raw, &r.Protected)
	case "tags":
		return into(key, raw, &r.Tags)
	case "owner":
		if string(raw) == `"`+env.Project+`"` {
			return nil
		}
		return words.Refuse(key, "is the project that made the image")
	case "os_hidden":
		if string(raw) == "false" {
			return nil
		}
		return words.Refuse(key, "cannot be honoured here")
	case "disk_format", "container_format":
		return words.Refuse(key, "cannot be changed here")
	}
	return readOnly(key)
}

// into reads the value of a field that must not be null.
func into[T any](key string, raw json.RawMessage, to *canonical.Opt[T]) error {
	var value T
	if len(raw) == 0 || string(raw) == "null" || json.Unmarshal(raw, &value) != nil {
		return canonical.Invalid(key, "has no valid value")
	}
	*to = canonical.Some(value)
	return nil
}

const octets = "application/octet-stream"

var askUpload = translate.Ask[canonical.ImageUpload, translate.NoBody]{
	Say: func(r canonical.ImageUpload, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		to.Params["id"], to.Content = string(r.ID), r.Content
		to.Header.Set("Content-Type", octets)
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ImageUpload, error) {
		r := canonical.ImageUpload{ID: canonical.ID(from.Params["id"]), Content: from.Content}
		if kind := from.Header.Get("Content-Type"); kind != octets && from.Header != nil {
			e := canonical.Errorf(canonical.InvalidRequest, "The bytes of an image must be sent as %s.", octets)
			e.Status = 415
			return r, e
		}
		return r, nil
	},
}

// uploaded is an image of which no more is known than that it has its bytes: the
// adapter asks for the rest.
var uploaded = translate.Answer[canonical.Image, translate.NoBody]{
	Say: func(canonical.TypedReply[canonical.Image], *translate.Env, *translate.Response) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.Image, error) {
		return hearImage(image{imageFields: imageFields{ID: string(translate.IDOf(env.Asked)), Status: "active"}}), nil
	},
}

var downloaded = translate.Answer[canonical.ImageContent, translate.NoBody]{
	Say: func(r canonical.TypedReply[canonical.ImageContent], _ *translate.Env, to *translate.Response) (translate.NoBody, error) {
		if r.Result.Content == nil {
			return translate.NoBody{}, canonical.Errorf(canonical.Internal, "a download has no content")
		}
		to.Content = r.Result.Content
		to.Header.Set("Content-Type", octets)
		if sum := r.Result.Checksum; sum != nil {
			to.Header.Set("Content-MD5", *sum)
		}
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Response, _ *translate.Env) (canonical.ImageContent, error) {
		if from.Content == nil { // 204
			return canonical.ImageContent{}, canonical.Errorf(canonical.FailedPrecondition, "the image has no bytes yet")
		}
		return canonical.ImageContent{Content: from.Content, Checksum: words.Filled(from.Header.Get("Content-MD5"))}, nil
	},
}

func imageWriteRoutes() []translate.Route {
	return []translate.Route{
		{
			ID: "glance.image.create", Service: "image", Method: "POST", Path: "/v2/images", Op: canonical.CreateImage.Spec(),
			Ask:    translate.Ask[canonical.ImageCreate, imageCreate]{Say: sayImageCreate, Hear: hearImageCreate},
			Answer: imageAnswer, Status: 201,
		},
		{
			ID: "glance.image.update", Service: "image", Method: "PATCH", Path: "/v2/images/{id}", Op: canonical.UpdateImage.Spec(),
			Needs:  []translate.Need{needImage()},
			Ask:    translate.Ask[canonical.ImageUpdate, []patch]{Say: sayImageUpdate, Hear: hearImageUpdate},
			Answer: imageAnswer, Status: 200,
		},
		{
			ID: "glance.image.delete", Service: "image", Method: "DELETE", Path: "/v2/images/{id}", Op: canonical.DeleteImage.Spec(),
			Ask: translate.ByID[canonical.ImageDelete]("id"), Answer: translate.Nothing[canonical.None](), Status: 204,
		},
		{
			ID: "glance.image.upload", Service: "image", Method: "PUT", Path: "/v2/images/{id}/file", Op: canonical.UploadImage.Spec(),
			Ask: askUpload, Answer: uploaded, Status: 204,
		},
		{
			ID: "glance.image.download", Service: "image", Method: "GET", Path: "/v2/images/{id}/file", Op: canonical.DownloadImage.Spec(),
			Ask: translate.ByID[canonical.ImageDownload]("id"), Answer: downloaded, Status: 200,
		},
	}
}
