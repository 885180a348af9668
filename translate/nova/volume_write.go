package nova

import (
	"net/http"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// v3 is a microversion of Cinder.
func v3(minor int) translate.Version { return translate.Version{Major: 3, Minor: minor} }

type volumeCreateBody struct {
	Volume volumeCreate   `json:"volume"`
	Hints  map[string]any `json:"OS-SCH-HNT:scheduler_hints,omitempty" wire:"binding"`
}

// volumeCreate is a new volume (Cinder's schema volumes.create).
type volumeCreate struct {
	Size        number            `json:"size,omitempty"`
	Name        *string           `json:"name,omitempty"`
	DisplayName *string           `json:"display_name,omitempty"`
	Description *string           `json:"description,omitempty"`
	Display     *string           `json:"display_description,omitempty"`
	Type        *string           `json:"volume_type,omitempty"`
	Zone        *string           `json:"availability_zone,omitempty"`
	Image       *string           `json:"imageRef,omitempty"`
	ImageID     *string           `json:"image_id,omitempty"`
	Snapshot    *string           `json:"snapshot_id,omitempty"`
	Source      *string           `json:"source_volid,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Multi       *loose            `json:"multiattach,omitempty"`
	Group       *string           `json:"group_id,omitempty" wire:"binding"` // of 3.13, but clients send null at any
	Consistency *string           `json:"consistencygroup_id,omitempty" wire:"binding"`
	Backup      *string           `json:"backup_id,omitempty" wire:"binding"` // of 3.47, as above
	Replica     *string           `json:"source_replica,omitempty" wire:"binding"`
	// What clients fill in and Cinder ignores.
	UserID  *string `json:"user_id,omitempty" wire:"advisory"`
	Project *string `json:"project_id,omitempty" wire:"advisory"`
	Status  *string `json:"status,omitempty" wire:"advisory"`
	Attach  *string `json:"attach_status,omitempty" wire:"advisory"`
}

func sayVolumeCreate(r canonical.VolumeCreate, env *translate.Env, _ *translate.Request) (volumeCreateBody, error) {
	if len(r.Native) > 0 {
		return volumeCreateBody{}, words.Refuse("native", "has no such field here")
	}
	w := volumeCreate{
		Size: number(r.SizeGiB), Name: words.Filled(r.Name), Description: words.Filled(r.Description), Type: words.Filled(r.Type),
		Zone: words.Filled(string(r.AvailabilityZone)), Image: words.Filled(imageID(r.Image, env)), Snapshot: words.Filled(string(r.Snapshot)),
		Source: words.Filled(string(r.Source)), Metadata: r.Metadata,
	}
	if r.MultiAttach {
		yes := loose(true)
		w.Multi = &yes
	}
	return volumeCreateBody{Volume: w}, nil
}

func hearVolumeCreate(w volumeCreateBody, _ *translate.Request, _ *translate.Env) (canonical.VolumeCreate, error) {
	v := w.Volume
	return canonical.VolumeCreate{
		Name: words.Or(v.Name, words.Or(v.DisplayName, "")), Description: words.Or(v.Description, words.Or(v.Display, "")),
		SizeGiB: int(v.Size), Type: words.Or(v.Type, ""), AvailabilityZone: canonical.Ref(words.Or(v.Zone, "")),
		Image: canonical.Ref(words.Or(v.Image, words.Or(v.ImageID, ""))), Snapshot: canonical.Ref(words.Or(v.Snapshot, "")),
		Source: canonical.Ref(words.Or(v.Source, "")), Metadata: v.Metadata, MultiAttach: v.Multi != nil && bool(*v.Multi),
	}, nil
}

type volumeUpdateBody struct {
	Volume volumeUpdate `json:"volume"`
}

type volumeUpdate struct {
	Name        canonical.Opt[string] `json:"name,omitzero"`
	Description canonical.Opt[string] `json:"description,omitzero"`
	DisplayName canonical.Opt[string] `json:"display_name,omitzero"`
	Display     canonical.Opt[string] `json:"display_description,omitzero"`

	Metadata canonical.Opt[map[string]string] `json:"metadata,omitzero"`
}

func sayVolumeUpdate(r canonical.VolumeUpdate, _ *translate.Env, to *translate.Request) (volumeUpdateBody, error) {
	translate.SayPath(r, to)
	return volumeUpdateBody{volumeUpdate{Name: r.Name, Description: r.Description}}, nil
}

func hearVolumeUpdate(w volumeUpdateBody, from *translate.Request, env *translate.Env) (r canonical.VolumeUpdate, err error) {
	translate.HearPath(from, &r)
	r.Name, r.Description = firstGiven(w.Volume.Name, w.Volume.DisplayName), firstGiven(w.Volume.Description, w.Volume.Display)
	if all, ok := w.Volume.Metadata.Get(); ok {
		r.Metadata = replaced(all, env)
	}
	return r, nil
}

// firstGiven is the first of two that is given.
func firstGiven(a, b canonical.Opt[string]) canonical.Opt[string] {
	if a.IsZero() {
		return b
	}
	return a
}

// factItems is the metadata before a change that replaces them.
const factItems = "items"

// volumeNow and snapshotNow look up what a replacement of metadata takes away.
func volumeNow() translate.Need {
	return itemsNow(canonical.GetVolume, func(id canonical.ID) canonical.VolumeGet { return canonical.VolumeGet{ID: id} },
		func(v canonical.Volume) map[string]string { return v.Metadata })
}

func snapshotNow() translate.Need {
	return itemsNow(canonical.GetVolumeSnapshot, func(id canonical.ID) canonical.VolumeSnapshotGet { return canonical.VolumeSnapshotGet{ID: id} },
		func(s canonical.VolumeSnapshot) map[string]string { return s.Metadata })
}

func itemsNow[Req, Res any](get canonical.Op[Req, Res], req func(canonical.ID) Req, items func(Res) map[string]string) translate.Need {
	return translate.Need{
		Fact: factItems, Fresh: true,
		Hear: func(from *translate.Request) (canonical.Call, bool) {
			return translate.Question(get, req(canonical.ID(from.Params["id"]))), from.Method != http.MethodPost
		},
		Pick: func(result any, _ *translate.Env) any {
			res, _ := result.(Res)
			return items(res)
		},
	}
}

// replaced is the change that leaves these metadata and no others.
func replaced(all map[string]string, env *translate.Env) canonical.Opt[map[string]canonical.Opt[string]] {
	before, _ := translate.Fact[map[string]string](env, factItems)
	changes := sayItems(all)
	for key := range before {
		if _, stays := all[key]; !stays {
			changes[key] = canonical.Null[string]()
		}
	}
	return canonical.Some(changes)
}

type setBootable struct {
	Bootable loose `json:"bootable"`
}

var askBootable = translate.Ask[canonical.VolumeUpdate, setBootable]{
	Say: func(r canonical.VolumeUpdate, _ *translate.Env, to *translate.Request) (setBootable, error) {
		translate.SayPath(r, to)
		return setBootable{loose(r.Bootable.Or(false))}, nil
	},
	Hear: func(w setBootable, from *translate.Request, _ *translate.Env) (r canonical.VolumeUpdate, err error) {
		translate.HearPath(from, &r)
		r.Bootable = canonical.Some(bool(w.Bootable))
		return r, nil
	},
}

type extend struct {
	Size number `json:"new_size"`
}

var askExtend = translate.Ask[canonical.VolumeExtend, extend]{
	Say: func(r canonical.VolumeExtend, _ *translate.Env, to *translate.Request) (extend, error) {
		translate.SayPath(r, to)
		return extend{number(r.SizeGiB)}, nil
	},
	Hear: func(w extend, from *translate.Request, _ *translate.Env) (r canonical.VolumeExtend, err error) {
		translate.HearPath(from, &r)
		r.SizeGiB = int(w.Size)
		return r, nil
	},
}

// unsaidVolume answers without a body; southwards no more is known of the volume than
// its id, and the adapter asks for the rest.
var unsaidVolume = translate.Answer[canonical.Volume, translate.NoBody]{
	Say: func(canonical.TypedReply[canonical.Volume], *translate.Env, *translate.Response) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.Volume, error) {
		return hearVolume(volume{ID: string(translate.IDOf(env.Asked)), Status: "available"}, env), nil
	},
}

// volumeItems is the answer of the calls on metadata.
var volumeItems = itemsAnswer(func(v canonical.Volume) map[string]string { return v.Metadata },
	func(id canonical.ID, all map[string]string, env *translate.Env) canonical.Volume {
		return hearVolume(volume{ID: string(id), Status: "available", Metadata: all}, env)
	})

var snapshotItems = itemsAnswer(func(s canonical.VolumeSnapshot) map[string]string { return s.Metadata },
	func(id canonical.ID, all map[string]string, env *translate.Env) canonical.VolumeSnapshot {
		return hearVolumeSnapshot(volumeSnapshot{ID: string(id), Status: "available", Metadata: all}, env)
	})

func itemsAnswer[Res any](items func(Res) map[string]string, of func(canonical.ID, map[string]string, *translate.Env) Res) translate.Answer[Res, metadataBody] {
	return translate.Answer[Res, metadataBody]{
		Say: func(r canonical.TypedReply[Res], _ *translate.Env, _ *translate.Response) (metadataBody, error) {
			return metadataBody{sayItems(items(r.Result))}, nil
		},
		Hear: func(w metadataBody, _ *translate.Response, env *translate.Env) (Res, error) {
			all := map[string]string{}
			for key, value := range w.Metadata {
				all[key] = value.Or("")
			}
			return of(translate.IDOf(env.Asked), all, env), nil
		},
	}
}

// askItems carries updates of nothing but metadata. A request that replaces them is
// told of what was there before by the row's need.
func askItems[Req any](of func(canonical.ID, canonical.Opt[map[string]canonical.Opt[string]]) Req, items func(Req) canonical.Opt[map[string]canonical.Opt[string]]) translate.Ask[Req, metadataBody] {
	return translate.Ask[Req, metadataBody]{
		Say: func(r Req, _ *translate.Env, to *translate.Request) (metadataBody, error) {
			translate.SayPath(r, to)
			return metadataBody{dict(items(r).Or(nil))}, nil
		},
		Hear: func(w metadataBody, from *translate.Request, env *translate.Env) (Req, error) {
			id := canonical.ID(from.Params["id"])
			all, err := hearItems(w.Metadata, "metadata")
			if from.Method == http.MethodPut {
				return of(id, replaced(all, env)), err
			}
			return of(id, canonical.Some(sayItems(all))), err
		},
	}
}

// askItemGone, of a kind and its update, hears that one item is to go; southwards the adapter replaces them all.
func askItemGone[Req any](kind string, update *canonical.Spec, of func(canonical.ID, canonical.Opt[map[string]canonical.Opt[string]]) Req) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(Req, *translate.Env, *translate.Request) (translate.NoBody, error) {
			return translate.NoBody{}, words.Refuse("metadata", "are replaced as a whole")
		},
		Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r Req, err error) {
			id, key := canonical.ID(from.Params["id"]), from.Params["key"]
			if before, known := translate.Fact[map[string]string](env, factItems); known {
				if _, there := before[key]; !there {
					gone := canonical.Errorf(canonical.NotFound, "%s %s has no metadata with key %s.", kind, id, key)
					gone.Operation = update.Name
					return r, gone
				}
			}
			return of(id, canonical.Some(map[string]canonical.Opt[string]{key: canonical.Null[string]()})), nil
		},
	}
}

// changesVolume and changesSnapshot are updates of nothing but metadata.
func changesVolume(id canonical.ID, items canonical.Opt[map[string]canonical.Opt[string]]) canonical.VolumeUpdate {
	return canonical.VolumeUpdate{ID: id, Metadata: items}
}

func changesSnapshot(id canonical.ID, items canonical.Opt[map[string]canonical.Opt[string]]) canonical.VolumeSnapshotUpdate {
	return canonical.VolumeSnapshotUpdate{ID: id, Metadata: items}
}

// onlySets says whether a change of metadata takes none away, and is all that is asked.
func onlySets(items canonical.Opt[map[string]canonical.Opt[string]], others ...canonical.Opt[string]) bool {
	all, ok := items.Get()
	for _, value := range all {
		_, sets := value.Get()
		ok = ok && sets
	}
	for _, o := range others {
		ok = ok && o.IsZero()
	}
	return ok
}

// itemsRoutes are the calls on the metadata of volumes and of snapshots.
func itemsRoutes() []translate.Route {
	const v, s = "/volumes/{id}/metadata", "/snapshots/{id}/metadata"
	now, was := volumeNow(), snapshotNow()
	volumeItemsOf := func(r canonical.VolumeUpdate) canonical.Opt[map[string]canonical.Opt[string]] { return r.Metadata }
	snapshotItemsOf := func(r canonical.VolumeSnapshotUpdate) canonical.Opt[map[string]canonical.Opt[string]] {
		return r.Metadata
	}
	return []translate.Route{
		{
			ID: "cinder.volume.metadata.list", Service: "volume", Method: "GET", Path: v, Op: canonical.GetVolume.Spec(), Can: never,
			Ask: translate.ByPath[canonical.VolumeGet](), Answer: volumeItems, Status: 200,
		},
		{
			ID: "cinder.volume.metadata.update", Service: "volume", Method: "POST", Path: v, Op: canonical.UpdateVolume.Spec(),
			Can: func(req any) bool {
				r, ok := req.(canonical.VolumeUpdate)
				return ok && onlySets(r.Metadata, r.Name, r.Description) && r.Bootable.IsZero()
			},
			Ask: askItems(changesVolume, volumeItemsOf), Answer: volumeItems, Status: 200,
		},
		{
			ID: "cinder.volume.metadata.replace", Service: "volume", Method: "PUT", Path: v, Op: canonical.UpdateVolume.Spec(), Can: never,
			Needs: []translate.Need{now}, Ask: askItems(changesVolume, volumeItemsOf), Answer: volumeItems, Status: 200,
		},
		{
			ID: "cinder.volume.metadata.item.delete", Service: "volume", Method: "DELETE", Path: v + "/{key}", Op: canonical.UpdateVolume.Spec(), Can: never,
			Needs: []translate.Need{now}, Ask: askItemGone("Volume", canonical.UpdateVolume.Spec(), changesVolume), Answer: unsaidVolume, Status: 200,
		},
		{
			ID: "cinder.snapshot.metadata.list", Service: "volume", Method: "GET", Path: s, Op: canonical.GetVolumeSnapshot.Spec(), Can: never,
			Ask: translate.ByPath[canonical.VolumeSnapshotGet](), Answer: snapshotItems, Status: 200,
		},
		{
			ID: "cinder.snapshot.metadata.update", Service: "volume", Method: "POST", Path: s, Op: canonical.UpdateVolumeSnapshot.Spec(),
			Can: func(req any) bool {
				r, ok := req.(canonical.VolumeSnapshotUpdate)
				return ok && onlySets(r.Metadata, r.Name, r.Description)
			},
			Ask: askItems(changesSnapshot, snapshotItemsOf), Answer: snapshotItems, Status: 200,
		},
		{
			ID: "cinder.snapshot.metadata.replace", Service: "volume", Method: "PUT", Path: s, Op: canonical.UpdateVolumeSnapshot.Spec(), Can: never,
			Needs: []translate.Need{was}, Ask: askItems(changesSnapshot, snapshotItemsOf), Answer: snapshotItems, Status: 200,
		},
		{
			ID: "cinder.snapshot.metadata.item.delete", Service: "volume", Method: "DELETE", Path: s + "/{key}", Op: canonical.UpdateVolumeSnapshot.Spec(), Can: never,
			Needs: []translate.Need{was}, Ask: askItemGone("Snapshot", canonical.UpdateVolumeSnapshot.Spec(), changesSnapshot), Answer: unsaidSnapshot, Status: 200,
		},
	}
}
