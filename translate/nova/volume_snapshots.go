package nova

import (
	"strconv"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// volumeSnapshot is a snapshot of Cinder.
type volumeSnapshot struct {
	ID          string                `json:"id"`
	Created     string                `json:"created_at"`
	Updated     canonical.Opt[string] `json:"updated_at"`
	Name        canonical.Opt[string] `json:"name"`
	Description canonical.Opt[string] `json:"description"`
	Volume      string                `json:"volume_id"`
	Status      string                `json:"status"`
	Size        int                   `json:"size"`
	Metadata    map[string]string     `json:"metadata"`
	Group       canonical.Opt[string] `json:"group_snapshot_id,omitzero" since:"3.14" wire:"native"`
	UserID      canonical.Opt[string] `json:"user_id,omitzero" since:"3.41" wire:"native"`
	Consumes    canonical.Opt[bool]   `json:"consumes_quota,omitzero" since:"3.65" wire:"native"`
	Project     string                `json:"os-extended-snapshot-attributes:project_id,omitempty"`
	Progress    string                `json:"os-extended-snapshot-attributes:progress,omitempty"`
}

type volumeSnapshotBody struct {
	Snapshot volumeSnapshot `json:"snapshot"`
}

type volumeSnapshotsBody struct {
	Snapshots []volumeSnapshot `json:"snapshots"`
	Links     []link           `json:"snapshots_links,omitempty"`
}

func hearVolumeSnapshot(w volumeSnapshot, _ *translate.Env) canonical.VolumeSnapshot {
	progress, err := strconv.Atoi(strings.TrimSuffix(w.Progress, "%"))
	if err != nil {
		progress = 0
	}
	return canonical.VolumeSnapshot{
		ID: canonical.ID(w.ID), Name: w.Name.Or(""), Description: ptr(w.Description), Volume: canonical.ID(w.Volume), SizeGiB: w.Size,
		Status: hearSnapshotStatus(w.Status), NativeStatus: w.Status, Progress: progress, Metadata: dict(w.Metadata),
		ProjectID: words.Filled(w.Project), CreatedAt: words.Time(w.Created), UpdatedAt: words.Time(w.Updated.Or("")),
	}
}

// sayVolumeSnapshot is Cinder's snapshot, with or without whose it is.
func sayVolumeSnapshot(s canonical.VolumeSnapshot, env *translate.Env, detail bool) volumeSnapshot {
	w := volumeSnapshot{
		ID: string(s.ID), Created: words.Stamp(s.CreatedAt, naive), Updated: sayOptTime(s.UpdatedAt, naive), Name: canonical.Some(s.Name),
		Description: opt(s.Description), Volume: string(s.Volume), Status: saySnapshotStatus(s.Status, s.NativeStatus), Size: s.SizeGiB,
		Metadata: dict(s.Metadata), Group: canonical.Null[string](), UserID: canonical.Some(env.User), Consumes: canonical.Some(true),
	}
	if detail {
		w.Project, w.Progress = firstOf(words.Or(s.ProjectID, ""), env.Project), strconv.Itoa(s.Progress)+"%"
	}
	return w
}

func snapshotAnswer(detail bool) translate.Answer[canonical.VolumeSnapshot, volumeSnapshotBody] {
	return translate.Answer[canonical.VolumeSnapshot, volumeSnapshotBody]{
		Say: func(r canonical.TypedReply[canonical.VolumeSnapshot], env *translate.Env, _ *translate.Response) (volumeSnapshotBody, error) {
			return volumeSnapshotBody{sayVolumeSnapshot(r.Result, env, detail)}, nil
		},
		Hear: func(w volumeSnapshotBody, _ *translate.Response, env *translate.Env) (canonical.VolumeSnapshot, error) {
			return hearVolumeSnapshot(w.Snapshot, env), nil
		},
	}
}

func snapshotsAnswer(detail bool) translate.List[canonical.VolumeSnapshot, volumeSnapshotsBody] {
	return translate.List[canonical.VolumeSnapshot, volumeSnapshotsBody]{
		Say: func(p canonical.Page[canonical.VolumeSnapshot], env *translate.Env, _ *translate.Response) (volumeSnapshotsBody, error) {
			w := volumeSnapshotsBody{
				Snapshots: make([]volumeSnapshot, len(p.Items)), Links: nextLinks(env, "volume", p.NextCursor, lastID(p.Items)),
			}
			for i, s := range p.Items {
				w.Snapshots[i] = sayVolumeSnapshot(s, env, detail)
			}
			return w, nil
		},
		Hear: func(w volumeSnapshotsBody, _ *translate.Response, env *translate.Env) ([]canonical.VolumeSnapshot, error) {
			out := make([]canonical.VolumeSnapshot, len(w.Snapshots))
			for i, s := range w.Snapshots {
				out[i] = hearVolumeSnapshot(s, env)
			}
			return out, nil
		},
		Next: func(w volumeSnapshotsBody, asked *translate.Request, _ []canonical.VolumeSnapshot) *translate.Request {
			return follow(w.Links, asked)
		},
		Keep: keepBy[canonical.VolumeSnapshot],
	}
}

var askSnapshots = translate.Ask[canonical.VolumeSnapshotList, translate.NoBody]{
	Say: func(r canonical.VolumeSnapshotList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
		if r.Volume != "" {
			to.Query.Set("volume_id", string(r.Volume))
		}
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.VolumeSnapshotList, err error) {
		r.ListOptions, err = hearVolumePaging(from, env)
		word := from.Query.Get("status")
		r.Name, r.Volume = from.Query.Get("name"), canonical.ID(from.Query.Get("volume_id"))
		setFact(env, factKeep, func(s *canonical.VolumeSnapshot) bool {
			return word == "" || saySnapshotStatus(s.Status, s.NativeStatus) == word
		})
		return r, err
	},
}

type snapshotCreateBody struct {
	Snapshot snapshotCreate `json:"snapshot"`
}

type snapshotCreate struct {
	Volume      string            `json:"volume_id"`
	Name        *string           `json:"name,omitempty"`
	DisplayName *string           `json:"display_name,omitempty"`
	Description *string           `json:"description,omitempty"`
	Display     *string           `json:"display_description,omitempty"`
	Force       *loose            `json:"force,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
}

func saySnapshotCreate(r canonical.VolumeSnapshotCreate, env *translate.Env, _ *translate.Request) (snapshotCreateBody, error) {
	w := snapshotCreate{
		Volume: string(r.Volume), Name: words.Filled(r.Name), Description: words.Filled(r.Description), Metadata: r.Metadata,
	}
	if r.Force && !env.Version.AtLeast(v3(66)) { // from then on the flag is gone, and all are forced
		yes := loose(true)
		w.Force = &yes
	}
	return snapshotCreateBody{w}, nil
}

func hearSnapshotCreate(w snapshotCreateBody, _ *translate.Request, env *translate.Env) (canonical.VolumeSnapshotCreate, error) {
	s := w.Snapshot
	r := canonical.VolumeSnapshotCreate{
		Volume: canonical.Ref(s.Volume), Name: words.Or(s.Name, words.Or(s.DisplayName, "")), Metadata: s.Metadata,
		Description: words.Or(s.Description, words.Or(s.Display, "")), Force: s.Force != nil && bool(*s.Force),
	}
	if env.Version.AtLeast(v3(66)) {
		if s.Force != nil && !bool(*s.Force) {
			return r, canonical.Invalid("force", "is true from version 3.66 on")
		}
		r.Force = true
	}
	return r, nil
}

type snapshotUpdateBody struct {
	Snapshot snapshotUpdate `json:"snapshot"`
}

type snapshotUpdate struct {
	Name        canonical.Opt[string] `json:"name,omitzero"`
	Description canonical.Opt[string] `json:"description,omitzero"`
	DisplayName canonical.Opt[string] `json:"display_name,omitzero"`
	Display     canonical.Opt[string] `json:"display_description,omitzero"`
}

var askSnapshotUpdate = translate.Ask[canonical.VolumeSnapshotUpdate, snapshotUpdateBody]{
	Say: func(r canonical.VolumeSnapshotUpdate, _ *translate.Env, to *translate.Request) (snapshotUpdateBody, error) {
		translate.SayPath(r, to)
		return snapshotUpdateBody{snapshotUpdate{Name: r.Name, Description: r.Description}}, nil
	},
	Hear: func(w snapshotUpdateBody, from *translate.Request, _ *translate.Env) (r canonical.VolumeSnapshotUpdate, err error) {
		translate.HearPath(from, &r)
		s := w.Snapshot
		r.Name, r.Description = firstGiven(s.Name, s.DisplayName), firstGiven(s.Description, s.Display)
		return r, nil
	},
}

// unsaidSnapshot answers without a body, as unsaidVolume does.
var unsaidSnapshot = translate.Answer[canonical.VolumeSnapshot, translate.NoBody]{
	Say: func(canonical.TypedReply[canonical.VolumeSnapshot], *translate.Env, *translate.Response) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.VolumeSnapshot, error) {
		return hearVolumeSnapshot(volumeSnapshot{ID: string(translate.IDOf(env.Asked)), Status: "available"}, env), nil
	},
}

func volumeSnapshotRoutes() []translate.Route {
	marker := needMarker(canonical.GetVolumeSnapshot, func(id canonical.ID) canonical.VolumeSnapshotGet { return canonical.VolumeSnapshotGet{ID: id} })
	return []translate.Route{
		{
			ID: "cinder.snapshot.list_detail", Service: "volume", Method: "GET", Path: "/snapshots/detail", Op: canonical.ListVolumeSnapshots.Spec(),
			Needs: []translate.Need{marker}, Ask: askSnapshots, Answer: snapshotsAnswer(true), Status: 200,
		},
		{
			ID: "cinder.snapshot.list", Service: "volume", Method: "GET", Path: "/snapshots", Op: canonical.ListVolumeSnapshots.Spec(),
			Needs: []translate.Need{marker}, Ask: askSnapshots, Answer: snapshotsAnswer(false), Status: 200,
		},
		{
			ID: "cinder.snapshot.show", Service: "volume", Method: "GET", Path: "/snapshots/{id}", Op: canonical.GetVolumeSnapshot.Spec(),
			Ask: translate.ByPath[canonical.VolumeSnapshotGet](), Answer: snapshotAnswer(true), Status: 200,
		},
		{
			ID: "cinder.snapshot.create", Service: "volume", Method: "POST", Path: "/snapshots", Op: canonical.CreateVolumeSnapshot.Spec(),
			Ask:    translate.Ask[canonical.VolumeSnapshotCreate, snapshotCreateBody]{Say: saySnapshotCreate, Hear: hearSnapshotCreate},
			Answer: snapshotAnswer(false), Status: 202,
			Done: func(_, res any, _ *translate.Env) *canonical.Task {
				s, _ := res.(canonical.VolumeSnapshot)
				return canonical.WaitState("volume_snapshot", s.ID, string(canonical.SnapshotAvailable))
			},
		},
		{
			ID: "cinder.snapshot.update", Service: "volume", Method: "PUT", Path: "/snapshots/{id}", Op: canonical.UpdateVolumeSnapshot.Spec(),
			Can: func(req any) bool {
				r, ok := req.(canonical.VolumeSnapshotUpdate)
				return ok && r.Metadata.IsZero()
			},
			Ask: askSnapshotUpdate, Answer: snapshotAnswer(false), Status: 200,
		},
		{
			ID: "cinder.snapshot.delete", Service: "volume", Method: "DELETE", Path: "/snapshots/{id}", Op: canonical.DeleteVolumeSnapshot.Spec(),
			Ask: translate.ByPath[canonical.VolumeSnapshotDelete](), Answer: translate.Nothing[canonical.None](), Status: 202,
			Done: func(req, _ any, _ *translate.Env) *canonical.Task {
				return canonical.WaitStateGone("volume_snapshot", translate.IDOf(req))
			},
		},
	}
}
