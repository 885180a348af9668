package nova

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

type createImage struct {
	Name     string            `json:"name"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

type createBackup struct {
	Name     string            `json:"name"`
	Kind     string            `json:"backup_type"`
	Keep     number            `json:"rotation"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func sayCreateBackup(r canonical.ServerCreateBackup, _ *translate.Env, to *translate.Request) (createBackup, error) {
	to.Params["id"] = string(r.ID)
	return createBackup{r.Name, r.Kind, number(r.Keep), r.Properties}, nil
}

func hearCreateBackup(w createBackup, from *translate.Request, _ *translate.Env) (canonical.ServerCreateBackup, error) {
	return canonical.ServerCreateBackup{ID: canonical.ID(from.Params["id"]), Name: w.Name, Kind: w.Kind, Keep: int(w.Keep), Properties: w.Metadata}, nil
}

func sayCreateImage(r canonical.ServerCreateImage, _ *translate.Env, to *translate.Request) (createImage, error) {
	to.Params["id"] = string(r.ID)
	return createImage{r.Name, r.Properties}, nil
}

func hearCreateImage(w createImage, from *translate.Request, _ *translate.Env) (canonical.ServerCreateImage, error) {
	return canonical.ServerCreateImage{ID: canonical.ID(from.Params["id"]), Name: w.Name, Properties: w.Metadata}, nil
}

type imageMade struct {
	ImageID string `json:"image_id"`
}

// madeImage is the id of the image that a reply names: as its result, or in its task.
func madeImage(r canonical.TypedReply[canonical.Image]) (string, error) {
	if r.Result.ID != "" {
		return string(r.Result.ID), nil
	}
	if r.Task != nil {
		for _, made := range r.Task.Resources {
			if made.Type == "image" {
				return string(made.ID), nil
			}
		}
	}
	return "", canonical.Errorf(canonical.UpstreamError, "the cloud did not name the new image")
}

// saving is an image of which no more is known than that its bytes are on their way.
func saving(id string, env *translate.Env) canonical.Image {
	i := canonical.Image{
		ID: canonical.ID(id), Visibility: "private", Properties: map[string]string{}, Tags: []string{},
		Status: canonical.ImageSaving, NativeStatus: "queued",
	}
	switch asked := env.Asked.(type) {
	case canonical.ServerCreateImage:
		i.Name, i.Properties = asked.Name, dict(asked.Properties)
	case canonical.ServerCreateBackup:
		i.Name, i.Properties = asked.Name, dict(asked.Properties)
	}
	return i
}

// imageDone waits for the server, whose task ends when the image is there.
func imageDone(req, res any, _ *translate.Env) *canonical.Task {
	task := canonical.WaitStatus(translate.IDOf(req),
		canonical.ServerRunning, canonical.ServerStopped, canonical.ServerPaused, canonical.ServerSuspended)
	if i, ok := res.(canonical.Image); ok {
		task.Resources = append(task.Resources, canonical.Resource{Type: "image", ID: i.ID})
	}
	return task
}

func serverImageRoutes() []translate.Route {
	ask := translate.Ask[canonical.ServerCreateImage, createImage]{Say: sayCreateImage, Hear: hearCreateImage}
	backup := translate.Ask[canonical.ServerCreateBackup, createBackup]{Say: sayCreateBackup, Hear: hearCreateBackup}
	named := translate.Answer[canonical.Image, imageMade]{
		Say: func(r canonical.TypedReply[canonical.Image], _ *translate.Env, _ *translate.Response) (imageMade, error) {
			id, err := madeImage(r)
			return imageMade{id}, err
		},
		Hear: func(w imageMade, _ *translate.Response, env *translate.Env) (canonical.Image, error) {
			return saving(w.ImageID, env), nil
		},
	}
	located := translate.Answer[canonical.Image, translate.NoBody]{
		Say: func(r canonical.TypedReply[canonical.Image], env *translate.Env, to *translate.Response) (translate.NoBody, error) {
			id, err := madeImage(r)
			to.Header.Set("Location", env.Base("image")+"/images/"+id)
			return translate.NoBody{}, err
		},
		Hear: func(_ translate.NoBody, from *translate.Response, env *translate.Env) (canonical.Image, error) {
			at := from.Header.Get("Location")
			return saving(at[strings.LastIndexByte(at, '/')+1:], env), nil
		},
	}
	return []translate.Route{
		action("nova.server.create_image", "createImage", translate.Route{
			Op: canonical.CreateServerImage.Spec(), Since: v(45), Ask: ask, Answer: named, Done: imageDone,
		}),
		action("nova.server.create_image_2_1", "createImage", translate.Route{
			Op: canonical.CreateServerImage.Spec(), Until: v(44), Ask: ask, Answer: located, Done: imageDone,
		}),
		action("nova.server.create_backup", "createBackup", translate.Route{
			Op: canonical.CreateServerBackup.Spec(), Since: v(45), Ask: backup, Answer: named, Done: imageDone,
		}),
		action("nova.server.create_backup_2_1", "createBackup", translate.Route{
			Op: canonical.CreateServerBackup.Spec(), Until: v(44), Ask: backup, Answer: located, Done: imageDone,
		}),
	}
}
