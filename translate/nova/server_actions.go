package nova

import (
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type updateBody struct {
	Server updateServer `json:"server"`
}

type updateServer struct {
	Name        canonical.Opt[string] `json:"name,omitzero"`
	Description canonical.Opt[string] `json:"description,omitzero" since:"2.19"`
	AccessIPv4  canonical.Opt[string] `json:"accessIPv4,omitzero"`
	AccessIPv6  canonical.Opt[string] `json:"accessIPv6,omitzero"`
	DiskConfig  string                `json:"OS-DCF:diskConfig,omitempty" wire:"advisory"`
	Hostname    string                `json:"hostname,omitempty" since:"2.90" wire:"binding"`
}

func sayUpdate(r canonical.ServerUpdate, _ *translate.Env, to *translate.Request) (updateBody, error) {
	to.Params["id"] = string(r.ID)
	switch { // these are calls of their own, which the adapter makes
	case !r.Metadata.IsZero():
		return updateBody{}, words.Refuse("metadata", "is not changed by this call")
	case !r.Tags.IsZero():
		return updateBody{}, words.Refuse("tags", "are not changed by this call")
	}
	return updateBody{updateServer{Name: r.Name, Description: r.Description, AccessIPv4: r.AccessIPv4, AccessIPv6: r.AccessIPv6}}, nil
}

func hearUpdate(w updateBody, from *translate.Request, _ *translate.Env) (canonical.ServerUpdate, error) {
	s := w.Server
	return canonical.ServerUpdate{
		ID: canonical.ID(from.Params["id"]), Name: s.Name, Description: s.Description,
		AccessIPv4: s.AccessIPv4, AccessIPv6: s.AccessIPv6,
	}, nil
}

type rebuild struct {
	ImageRef     string                           `json:"imageRef"`
	Name         canonical.Opt[string]            `json:"name,omitzero"`
	Description  canonical.Opt[string]            `json:"description,omitzero" since:"2.19"`
	AdminPass    string                           `json:"adminPass,omitempty"`
	Metadata     canonical.Opt[map[string]string] `json:"metadata,omitzero"`
	UserData     canonical.Opt[string]            `json:"user_data,omitzero" since:"2.57"`
	KeyName      canonical.Opt[canonical.Ref]     `json:"key_name,omitzero" since:"2.54"`
	Personality  []personality                    `json:"personality,omitempty" until:"2.56" wire:"binding"`
	Ephemeral    bool                             `json:"preserve_ephemeral,omitempty" wire:"binding"`
	AccessIPv4   string                           `json:"accessIPv4,omitempty" wire:"binding"`
	AccessIPv6   string                           `json:"accessIPv6,omitempty" wire:"binding"`
	DiskConfig   string                           `json:"OS-DCF:diskConfig,omitempty" wire:"advisory"`
	TrustedCerts []string                         `json:"trusted_image_certificates,omitempty" since:"2.63" wire:"binding"`
	Hostname     string                           `json:"hostname,omitempty" since:"2.90" wire:"binding"`
}

func sayRebuild(r canonical.ServerRebuild, env *translate.Env, to *translate.Request) (rebuild, error) {
	to.Params["id"] = string(r.ID)
	return rebuild{
		ImageRef: imageID(r.Image, env), Name: r.Name, Description: r.Description, AdminPass: r.AdminPassword,
		Metadata: r.Metadata, UserData: r.UserData, KeyName: r.Keypair,
	}, nil
}

func hearRebuild(w rebuild, from *translate.Request, _ *translate.Env) (canonical.ServerRebuild, error) {
	if w.ImageRef == "" {
		return canonical.ServerRebuild{}, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute rebuild. 'imageRef' is a required property")
	}
	return canonical.ServerRebuild{
		ID: canonical.ID(from.Params["id"]), Image: canonical.Ref(w.ImageRef), Name: w.Name, Description: w.Description,
		AdminPassword: w.AdminPass, Metadata: w.Metadata, UserData: w.UserData, Keypair: w.KeyName,
	}, nil
}

type reboot struct {
	Type string `json:"type"`
}

func sayReboot(r canonical.ServerReboot, _ *translate.Env, to *translate.Request) (reboot, error) {
	to.Params["id"] = string(r.ID)
	if r.Kind == canonical.RebootHard {
		return reboot{"HARD"}, nil
	}
	return reboot{"SOFT"}, nil
}

func hearReboot(w reboot, from *translate.Request, _ *translate.Env) (canonical.ServerReboot, error) {
	r := canonical.ServerReboot{ID: canonical.ID(from.Params["id"])}
	switch strings.ToUpper(w.Type) {
	case "SOFT":
		r.Kind = canonical.RebootSoft
	case "HARD":
		r.Kind = canonical.RebootHard
	default:
		return r, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute type. Value: %s. '%s' is not one of ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']", w.Type, w.Type)
	}
	return r, nil
}

// accepted answers without a body; southwards it is the server whose work has begun.
func accepted(now canonical.ServerStatus) translate.Answer[canonical.Server, translate.NoBody] {
	return translate.Answer[canonical.Server, translate.NoBody]{
		Say: func(canonical.TypedReply[canonical.Server], *translate.Env, *translate.Response) (translate.NoBody, error) {
			return translate.NoBody{}, nil
		},
		Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.Server, error) {
			return begun(translate.IDOf(env.Asked), now), nil
		},
	}
}

// serverAnswer carries one server in the given view.
func serverAnswer(as shape) translate.Answer[canonical.Server, serverBody] {
	return translate.Answer[canonical.Server, serverBody]{
		Say: func(r canonical.TypedReply[canonical.Server], env *translate.Env, _ *translate.Response) (serverBody, error) {
			return serverBody{sayServer(r.Result, env, as)}, nil
		},
		Hear: func(w serverBody, _ *translate.Response, env *translate.Env) (canonical.Server, error) {
			return hearServer(w.Server, env), nil
		},
	}
}

// rebuilt answers a rebuild: as a change does, with the password that the cloud chose or
// took.
var rebuilt = translate.Answer[canonical.ServerWithPassword, serverBody]{
	Say: func(r canonical.TypedReply[canonical.ServerWithPassword], env *translate.Env, to *translate.Response) (serverBody, error) {
		w := serverBody{sayServer(r.Result.Server, env, changed)}
		asked, _ := env.Asked.(canonical.ServerRebuild)
		w.Server.AdminPass = words.Or(r.Result.AdminPassword, asked.AdminPassword)
		w.Server.RebuildData = canonical.Null[string]()
		if env.Version.AtLeast(v(54)) {
			w.Server.KeyName = opt(r.Result.Keypair)
		}
		to.Header.Set("Location", w.Server.Links[0].Href)
		return w, nil
	},
	Hear: func(w serverBody, _ *translate.Response, env *translate.Env) (canonical.ServerWithPassword, error) {
		return canonical.ServerWithPassword{Server: hearServer(w.Server, env), AdminPassword: words.Filled(w.Server.AdminPass)}, nil
	},
}

// wait is a Done that waits for one of the statuses.
func wait(done ...canonical.ServerStatus) func(req, res any, env *translate.Env) *canonical.Task {
	return func(req, _ any, _ *translate.Env) *canonical.Task {
		return canonical.WaitStatus(translate.IDOf(req), done...)
	}
}
