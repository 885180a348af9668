package nova

import (
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// volume is a volume of Cinder.
type volume struct {
	ID           string                           `json:"id"`
	Status       string                           `json:"status"`
	Size         int                              `json:"size"`
	Zone         canonical.Opt[string]            `json:"availability_zone"`
	Created      string                           `json:"created_at"`
	Updated      canonical.Opt[string]            `json:"updated_at"`
	Name         canonical.Opt[string]            `json:"name"`
	Description  canonical.Opt[string]            `json:"description"`
	Type         canonical.Opt[string]            `json:"volume_type"`
	Snapshot     canonical.Opt[string]            `json:"snapshot_id"`
	Source       canonical.Opt[string]            `json:"source_volid"`
	Metadata     map[string]string                `json:"metadata"`
	Links        []link                           `json:"links,omitempty"`
	UserID       string                           `json:"user_id"`
	Bootable     bootable                         `json:"bootable"`
	Encrypted    bool                             `json:"encrypted"`
	Replication  canonical.Opt[string]            `json:"replication_status" wire:"native"`
	Consistency  canonical.Opt[string]            `json:"consistencygroup_id" wire:"native"`
	Multi        bool                             `json:"multiattach"`
	Attachments  []volumeUse                      `json:"attachments"`
	Project      string                           `json:"os-vol-tenant-attr:tenant_id,omitempty"`
	Group        canonical.Opt[string]            `json:"group_id,omitzero" since:"3.13" wire:"native"`
	Shared       canonical.Opt[bool]              `json:"shared_targets,omitzero" since:"3.48" wire:"native"`
	Service      canonical.Opt[string]            `json:"service_uuid,omitzero" since:"3.48" wire:"native"`
	TypeID       canonical.Opt[string]            `json:"volume_type_id,omitzero" since:"3.63" wire:"native"`
	Consumes     canonical.Opt[bool]              `json:"consumes_quota,omitzero" since:"3.65" wire:"native"`
	ImageDetails canonical.Opt[map[string]string] `json:"volume_image_metadata,omitzero" wire:"native"`
}

// bootable is a boolean that Cinder writes as "true" or "false".
type bootable bool

// MarshalJSON implements json.Marshaler.
func (b bootable) MarshalJSON() ([]byte, error) {
	return []byte(`"` + strconv.FormatBool(bool(b)) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *bootable) UnmarshalJSON(raw []byte) error {
	got, err := strconv.ParseBool(strings.Trim(string(raw), `"`))
	*b = bootable(err == nil && got)
	return nil
}

// volumeUse is a server that has the volume.
type volumeUse struct {
	ID         string                `json:"id"` // the volume's
	Attachment string                `json:"attachment_id"`
	Volume     string                `json:"volume_id"`
	Server     string                `json:"server_id"`
	Host       canonical.Opt[string] `json:"host_name"`
	Device     string                `json:"device"`
	AttachedAt string                `json:"attached_at"`
}

type volumeBody struct {
	Volume volume `json:"volume"`
}

type volumesBody struct {
	Volumes []volume `json:"volumes"`
	Links   []link   `json:"volumes_links,omitempty"`
}

// volumeBrief is a volume of the list without details.
type volumeBrief struct {
	ID    string                `json:"id"`
	Name  canonical.Opt[string] `json:"name"`
	Links []link                `json:"links,omitempty"`
}

type volumeBriefsBody struct {
	Volumes []volumeBrief `json:"volumes"`
	Links   []link        `json:"volumes_links,omitempty"`
}

func hearVolume(w volume, env *translate.Env) canonical.Volume {
	v := canonical.Volume{
		ID: canonical.ID(w.ID), Name: w.Name.Or(""), Description: ptr(w.Description), SizeGiB: w.Size,
		Status: hearVolumeStatus(w.Status), NativeStatus: w.Status, Type: words.Filled(w.Type.Or("")), Bootable: bool(w.Bootable),
		Encrypted: w.Encrypted, MultiAttach: w.Multi, Attachments: make([]canonical.VolumeUse, len(w.Attachments)),
		AvailabilityZone: words.Filled(w.Zone.Or("")), Snapshot: idOf(w.Snapshot), Source: idOf(w.Source), Metadata: dict(w.Metadata),
		ProjectID: words.Filled(w.Project), UserID: words.Filled(w.UserID),
		CreatedAt: words.Time(w.Created), UpdatedAt: words.Time(w.Updated.Or("")),
	}
	for i, u := range w.Attachments {
		v.Attachments[i] = canonical.VolumeUse{
			Server: canonical.ID(u.Server), Device: words.Filled(u.Device), Attachment: words.Filled(u.Attachment), AttachedAt: words.Time(u.AttachedAt),
		}
	}
	if env.Native {
		v.Native = map[string]any{}
		put(v.Native, "replication_status", w.Replication)
		put(v.Native, "consistencygroup_id", w.Consistency)
		put(v.Native, "group_id", w.Group)
		put(v.Native, "shared_targets", w.Shared)
		put(v.Native, "service_uuid", w.Service)
		put(v.Native, "volume_type_id", w.TypeID)
		put(v.Native, "volume_image_metadata", w.ImageDetails)
	}
	return v
}

// idOf is an id that may be absent.
func idOf(o canonical.Opt[string]) *canonical.ID {
	if text := o.Or(""); text != "" {
		id := canonical.ID(text)
		return &id
	}
	return nil
}

func sayID(id *canonical.ID) canonical.Opt[string] {
	if id == nil {
		return canonical.Null[string]()
	}
	return canonical.Some(string(*id))
}

// sayVolume is Cinder's volume. Only lists and gets tell whose it is.
func sayVolume(v canonical.Volume, env *translate.Env, owner bool) volume {
	w := volume{
		ID: string(v.ID), Status: sayVolumeStatus(v.Status, v.NativeStatus), Size: v.SizeGiB, Zone: opt(v.AvailabilityZone),
		Created: words.Stamp(v.CreatedAt, naive), Updated: sayOptTime(v.UpdatedAt, naive), Name: canonical.Some(v.Name),
		Description: opt(v.Description), Type: opt(v.Type), Snapshot: sayID(v.Snapshot), Source: sayID(v.Source), Metadata: dict(v.Metadata),
		Links: volumeLinks(env, "volumes", string(v.ID)), UserID: firstOf(words.Or(v.UserID, ""), env.User), Bootable: bootable(v.Bootable),
		Encrypted: v.Encrypted, Multi: v.MultiAttach, Attachments: make([]volumeUse, len(v.Attachments)),
		Replication: keptOrNull[string](v.Native, "replication_status"), Consistency: keptOrNull[string](v.Native, "consistencygroup_id"),
		Group: keptOrNull[string](v.Native, "group_id"), Shared: canonical.Some(kept(v.Native, "shared_targets", false)),
		Service: keptOrNull[string](v.Native, "service_uuid"), TypeID: keptOrNull[string](v.Native, "volume_type_id"),
		Consumes: canonical.Some(true),
	}
	if owner {
		w.Project = firstOf(words.Or(v.ProjectID, ""), env.Project)
		if details, ok := v.Native["volume_image_metadata"].(map[string]string); ok {
			w.ImageDetails = canonical.Some(details)
		}
	}
	for i, u := range v.Attachments {
		w.Attachments[i] = volumeUse{
			ID: string(v.ID), Volume: string(v.ID), Server: string(u.Server), Device: words.Or(u.Device, ""),
			Attachment: words.Or(u.Attachment, ""), Host: canonical.Null[string](), AttachedAt: words.Stamp(u.AttachedAt, naive),
		}
	}
	return w
}

// volumeLinks are the two links of a resource of Cinder.
func volumeLinks(env *translate.Env, kind, id string) []link {
	base := env.Base("volume")
	return []link{
		{Rel: "self", Href: base + "/" + kind + "/" + id},
		{Rel: "bookmark", Href: strings.TrimSuffix(base, "/v3") + "/" + kind + "/" + id},
	}
}

func volumeAnswer(owner bool) translate.Answer[canonical.Volume, volumeBody] {
	return translate.Answer[canonical.Volume, volumeBody]{
		Say: func(r canonical.TypedReply[canonical.Volume], env *translate.Env, _ *translate.Response) (volumeBody, error) {
			return volumeBody{sayVolume(r.Result, env, owner)}, nil
		},
		Hear: func(w volumeBody, _ *translate.Response, env *translate.Env) (canonical.Volume, error) {
			return hearVolume(w.Volume, env), nil
		},
	}
}

var volumesAnswer = translate.List[canonical.Volume, volumesBody]{
	Say: func(p canonical.Page[canonical.Volume], env *translate.Env, _ *translate.Response) (volumesBody, error) {
		w := volumesBody{Volumes: make([]volume, len(p.Items)), Links: nextLinks(env, "volume", p.NextCursor, lastID(p.Items))}
		for i, v := range p.Items {
			w.Volumes[i] = sayVolume(v, env, true)
		}
		return w, nil
	},
	Hear: func(w volumesBody, _ *translate.Response, env *translate.Env) ([]canonical.Volume, error) {
		out := make([]canonical.Volume, len(w.Volumes))
		for i, v := range w.Volumes {
			out[i] = hearVolume(v, env)
		}
		return out, nil
	},
	Next: func(w volumesBody, asked *translate.Request, _ []canonical.Volume) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Volume],
}

var volumeBriefsAnswer = translate.List[canonical.Volume, volumeBriefsBody]{
	Say: func(p canonical.Page[canonical.Volume], env *translate.Env, _ *translate.Response) (volumeBriefsBody, error) {
		w := volumeBriefsBody{Volumes: make([]volumeBrief, len(p.Items)), Links: nextLinks(env, "volume", p.NextCursor, lastID(p.Items))}
		for i, v := range p.Items {
			w.Volumes[i] = volumeBrief{string(v.ID), canonical.Some(v.Name), volumeLinks(env, "volumes", string(v.ID))}
		}
		return w, nil
	},
	Hear: func(w volumeBriefsBody, _ *translate.Response, env *translate.Env) ([]canonical.Volume, error) {
		out := make([]canonical.Volume, len(w.Volumes))
		for i, v := range w.Volumes {
			out[i] = hearVolume(volume{ID: v.ID, Name: v.Name}, env)
		}
		return out, nil
	},
	Next: func(w volumeBriefsBody, asked *translate.Request, _ []canonical.Volume) *translate.Request {
		return follow(w.Links, asked)
	},
	Keep: keepBy[canonical.Volume],
}

var askVolumes = translate.Ask[canonical.VolumeList, translate.NoBody]{
	Say: func(r canonical.VolumeList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		if r.Name != "" { // an exact filter; the engine filters again
			to.Query.Set("name", r.Name)
		}
		return translate.NoBody{}, nil
	},
	Hear: hearVolumeList,
}

func hearVolumeList(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.VolumeList, err error) {
	if r.ListOptions, err = hearVolumePaging(from, env); err != nil {
		return r, err
	}
	q := from.Query
	r.Name, r.AvailabilityZone = q.Get("name"), canonical.Ref(q.Get("availability_zone"))
	if text := q.Get("bootable"); text != "" {
		yes, err := strconv.ParseBool(text)
		if err != nil {
			return r, canonical.Invalid("bootable", "must be true or false")
		}
		r.Bootable = &yes
	}
	word, metadata := q.Get("status"), q.Get("metadata")
	if word != "" {
		r.Status = hearVolumeStatus(word)
	}
	setFact(env, factKeep, func(v *canonical.Volume) bool {
		return (word == "" || sayVolumeStatus(v.Status, v.NativeStatus) == word) && holds(v.Metadata, metadata)
	})
	return r, nil
}

// hearVolumePaging reads limit, marker and the order of a list of Cinder.
func hearVolumePaging(from *translate.Request, env *translate.Env) (canonical.ListOptions, error) {
	q := from.Query
	key, dir, _ := strings.Cut(q.Get("sort"), ":")
	key, dir = firstOf(q.Get("sort_key"), strings.TrimSpace(key), "created_at"), firstOf(q.Get("sort_dir"), dir, "desc")
	by := canonical.NewestFirst
	switch {
	case key == "name" && dir == "asc":
		by = canonical.ByName
	case key == "name":
		by = canonical.ByNameDesc
	case dir == "asc":
		by = canonical.OldestFirst
	}
	return hearPaging(from, env, pagingOf(by))
}

// holds says whether metadata have all items of a filter, which is written as a dict of
// Python's.
func holds(metadata map[string]string, filter string) bool {
	for _, item := range strings.Split(strings.Trim(filter, "{} "), ",") {
		key, value, ok := strings.Cut(item, ":")
		if ok && metadata[unquoted(key)] != unquoted(value) {
			return false
		}
	}
	return true
}

func unquoted(s string) string { return strings.Trim(strings.TrimSpace(s), `'"`) }

func volumeRoutes() []translate.Route {
	get := func(id canonical.ID) canonical.VolumeGet { return canonical.VolumeGet{ID: id} }
	marker := needMarker(canonical.GetVolume, get)
	const one = "/volumes/{id}"
	return []translate.Route{
		{
			ID: "cinder.volume.list_detail", Service: "volume", Method: "GET", Path: "/volumes/detail", Op: canonical.ListVolumes.Spec(),
			Needs: []translate.Need{marker}, Ask: askVolumes, Answer: volumesAnswer, Status: 200,
		},
		{
			ID: "cinder.volume.list", Service: "volume", Method: "GET", Path: "/volumes", Op: canonical.ListVolumes.Spec(),
			Needs: []translate.Need{marker}, Ask: askVolumes, Answer: volumeBriefsAnswer, Status: 200,
		},
		{
			ID: "cinder.volume.show", Service: "volume", Method: "GET", Path: one, Op: canonical.GetVolume.Spec(),
			Ask: translate.ByPath[canonical.VolumeGet](), Answer: volumeAnswer(true), Status: 200,
		},
		{
			ID: "cinder.volume.create", Service: "volume", Method: "POST", Path: "/volumes", Op: canonical.CreateVolume.Spec(),
			Needs:  []translate.Need{needImages()},
			Ask:    translate.Ask[canonical.VolumeCreate, volumeCreateBody]{Say: sayVolumeCreate, Hear: hearVolumeCreate},
			Answer: volumeAnswer(false), Status: 202,
			Done: func(_, res any, _ *translate.Env) *canonical.Task {
				v, _ := res.(canonical.Volume)
				return canonical.WaitState("volume", v.ID, string(canonical.VolumeAvailable))
			},
		},
		{
			ID: "cinder.volume.update", Service: "volume", Method: "PUT", Path: one, Op: canonical.UpdateVolume.Spec(),
			Can: func(req any) bool {
				r, ok := req.(canonical.VolumeUpdate)
				return ok && r.Bootable.IsZero() && r.Metadata.IsZero()
			},
			Needs: []translate.Need{volumeNow()}, Answer: volumeAnswer(false), Status: 200,
			Ask: translate.Ask[canonical.VolumeUpdate, volumeUpdateBody]{Say: sayVolumeUpdate, Hear: hearVolumeUpdate},
		},
		{
			ID: "cinder.volume.set_bootable", Service: "volume", Method: "POST", Path: one + "/action", Action: "os-set_bootable",
			Op: canonical.UpdateVolume.Spec(), Status: 200,
			Can: func(req any) bool {
				r, ok := req.(canonical.VolumeUpdate)
				_, given := r.Bootable.Get()
				return ok && given && r.Name.IsZero() && r.Description.IsZero() && r.Metadata.IsZero()
			},
			Ask: askBootable, Answer: unsaidVolume,
		},
		{
			ID: "cinder.volume.delete", Service: "volume", Method: "DELETE", Path: one, Op: canonical.DeleteVolume.Spec(),
			Ask: translate.ByPath[canonical.VolumeDelete](), Answer: translate.Nothing[canonical.None](), Status: 202,
			Done: func(req, _ any, _ *translate.Env) *canonical.Task {
				return canonical.WaitStateGone("volume", translate.IDOf(req))
			},
		},
		{
			ID: "cinder.volume.extend", Service: "volume", Method: "POST", Path: one + "/action", Action: "os-extend",
			Op: canonical.ExtendVolume.Spec(), Want: v3(42), Ask: askExtend, Answer: unsaidVolume, Status: 202,
			Done: func(req, _ any, _ *translate.Env) *canonical.Task {
				return canonical.WaitState("volume", translate.IDOf(req), string(canonical.VolumeAvailable), string(canonical.VolumeInUse))
			},
		},
	}
}
