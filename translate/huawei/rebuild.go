package huawei

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type rebuild struct {
	ImageRef    string            `json:"imageRef"` // an id or a URL
	Name        *string           `json:"name,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	AdminPass   string            `json:"adminPass,omitempty" wire:"advisory"`
	DiskConfig  string            `json:"OS-DCF:diskConfig,omitempty" wire:"binding"`
	Preserve    bool              `json:"preserve_ephemeral,omitempty" wire:"binding"`
	Personality []any             `json:"personality,omitempty" wire:"binding"`
}

// snapshots is the Need of the server's snapshots: they tell a roll back from a
// rebuild, both ways.
var snapshots = translate.Need{
	Fact: "snapshots", Fresh: true,
	Say: func(req any) (canonical.Call, bool) {
		r, ok := req.(canonical.ServerRebuild)
		return askSnapshots(r.ID), ok
	},
	Hear: func(req *translate.Request) (canonical.Call, bool) {
		return askSnapshots(canonical.ID(req.Params["server_id"])), true
	},
	Pick: func(res any, _ *translate.Env) any {
		p, _ := res.(canonical.Page[canonical.ServerSnapshot])
		return p.Items
	},
}

func askSnapshots(id canonical.ID) canonical.Call {
	return translate.Question(canonical.ListServerSnapshots,
		canonical.ServerSnapshotList{ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}, ID: id})
}

func isSnapshot(env *translate.Env, id string) bool {
	known, _ := translate.Fact[[]canonical.ServerSnapshot](env, snapshots.Fact)
	return slices.ContainsFunc(known, func(s canonical.ServerSnapshot) bool { return string(s.ID) == id })
}

// idIn is the id in an imageRef, which may be a URL that ends with it.
func idIn(ref string) string {
	if strings.Contains(ref, "://") {
		return path.Base(ref)
	}
	return ref
}

// meansRollback: imageRef names a snapshot of the server.
func meansRollback(req *translate.Request, env *translate.Env) bool {
	var body struct {
		Rebuild rebuild `json:"rebuild"`
	}
	return json.Unmarshal(req.Body, &body) == nil && isSnapshot(env, idIn(body.Rebuild.ImageRef))
}

func sayRebuild(r canonical.ServerRebuild, env *translate.Env, to *translate.Request) (rebuild, error) {
	if isSnapshot(env, string(r.Image)) {
		return rebuild{}, words.Refuse("image", "is a snapshot of the server: roll back to it instead")
	}
	to.Params["server_id"] = string(r.ID)
	w := rebuild{ImageRef: string(r.Image)}
	if name, ok := r.Name.Get(); ok {
		w.Name = &name
	}
	w.Metadata, _ = r.Metadata.Get()
	return w, words.RefuseSet(map[string]bool{
		"name": r.Name.IsNull(), "metadata": !r.Metadata.IsZero() && len(w.Metadata) == 0, "description": !r.Description.IsZero(),
		"admin_password": r.AdminPassword != "", "user_data": !r.UserData.IsZero(), "keypair": !r.Keypair.IsZero(),
	})
}

func hearRebuild(w rebuild, from *translate.Request, _ *translate.Env) (canonical.ServerRebuild, error) {
	r := canonical.ServerRebuild{ID: canonical.ID(from.Params["server_id"])}
	r.Image = canonical.Ref(idIn(w.ImageRef))
	if w.Name != nil {
		r.Name = canonical.Some(*w.Name)
	}
	if len(w.Metadata) > 0 {
		r.Metadata = canonical.Some(w.Metadata)
	}
	return r, nil
}

func sayRollback(r canonical.ServerSnapshotRollback, _ *translate.Env, to *translate.Request) (rebuild, error) {
	to.Params["server_id"] = string(r.ID)
	return rebuild{ImageRef: string(r.Snapshot)}, nil
}

func hearRollback(w rebuild, from *translate.Request, _ *translate.Env) (canonical.ServerSnapshotRollback, error) {
	if w.Name != nil || len(w.Metadata) > 0 {
		return canonical.ServerSnapshotRollback{}, words.Refuse("rebuild.name", "a roll back changes neither name nor metadata")
	}
	return canonical.ServerSnapshotRollback{
		ID: canonical.ID(from.Params["server_id"]), Snapshot: canonical.ID(idIn(w.ImageRef)),
	}, nil
}

func rebuilt(_, res any, _ *translate.Env) *canonical.Task {
	s, _ := res.(canonical.Server)
	return canonical.WaitStatus(s.ID, canonical.ServerRunning, canonical.ServerStopped)
}

type snapshot struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Created string `json:"created_at"`
}

type snapshotsBody struct {
	Images []snapshot `json:"images"`
}

// fromInstance is the query key that makes a list of images one of snapshots.
const fromInstance = "__snapshot_from_instance"

func saySnapshotList(r canonical.ServerSnapshotList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
	to.Query.Set(fromInstance, string(r.ID))
	return translate.NoBody{}, nil
}

func hearSnapshotList(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ServerSnapshotList, error) {
	return canonical.ServerSnapshotList{
		ListOptions: canonical.ListOptions{Limit: canonical.MaxLimit}, ID: canonical.ID(from.Query.Get(fromInstance)),
	}, nil
}

func saySnapshots(p canonical.Page[canonical.ServerSnapshot], _ *translate.Env, _ *translate.Response) (snapshotsBody, error) {
	w := snapshotsBody{[]snapshot{}}
	for _, s := range p.Items {
		w.Images = append(w.Images, snapshot{string(s.ID), s.Name, s.Status, words.Stamp(s.CreatedAt, iso)})
	}
	return w, nil
}

func hearSnapshots(w snapshotsBody, _ *translate.Response, env *translate.Env) ([]canonical.ServerSnapshot, error) {
	out := []canonical.ServerSnapshot{}
	for _, s := range w.Images {
		c := canonical.ServerSnapshot{ID: canonical.ID(s.ID), Name: s.Name, Status: s.Status, CreatedAt: words.Time(s.Created)}
		if asked, ok := env.Asked.(canonical.ServerSnapshotList); ok {
			c.Server = asked.ID
		}
		out = append(out, c)
	}
	return out, nil
}

// rebuiltAnswer tells the server alone: a password is set by the request, and is not
// told again.
var rebuiltAnswer = translate.Answer[canonical.ServerWithPassword, serverBody]{
	Say: func(r canonical.TypedReply[canonical.ServerWithPassword], env *translate.Env, to *translate.Response) (serverBody, error) {
		return sayServer(canonical.TypedReply[canonical.Server]{Result: r.Result.Server, Task: r.Task, AsOf: r.AsOf}, env, to)
	},
	Hear: func(w serverBody, from *translate.Response, env *translate.Env) (canonical.ServerWithPassword, error) {
		s, err := hearServer(w, from, env)
		return canonical.ServerWithPassword{Server: s}, err
	},
}
