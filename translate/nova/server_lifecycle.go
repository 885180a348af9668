package nova

import (
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

// action is a row of POST /servers/{id}/action, whose body has one key.
func action(id, key string, row translate.Route) translate.Route {
	row.ID, row.Service, row.Method, row.Path, row.Action = id, "compute", "POST", "/servers/{id}/action", key
	if row.Status == 0 {
		row.Status = 202
	}
	return row
}

// plain is an action that tells nothing but the server, and ends in one of the states.
func plain[Req any](id, key string, op canonical.Op[Req, canonical.Server], done ...canonical.ServerStatus) translate.Route {
	row := translate.Route{Op: op.Spec(), Ask: translate.ByID[Req]("id"), Answer: accepted(canonical.ServerUnknown)}
	if len(done) > 0 {
		row.Done = wait(done...)
	}
	return action(id, key, row)
}

// moves is a Done for what Nova gives up silently: it comes to rest as it was then.
func moves(done canonical.ServerStatus) func(req, res any, env *translate.Env) *canonical.Task {
	return func(req, _ any, _ *translate.Env) *canonical.Task {
		task := canonical.WaitStatus(translate.IDOf(req), done)
		task.Status.Failed = []canonical.ServerStatus{canonical.ServerRunning, canonical.ServerStopped}
		return task
	}
}

type lock struct {
	Reason string `json:"locked_reason,omitempty" since:"2.73"`
}

func sayLock(r canonical.ServerLock, _ *translate.Env, to *translate.Request) (*lock, error) {
	to.Params["id"] = string(r.ID)
	if r.Reason == "" {
		return nil, nil //nolint:nilnil // null is the whole body
	}
	return &lock{r.Reason}, nil
}

func hearLock(w *lock, from *translate.Request, _ *translate.Env) (canonical.ServerLock, error) {
	r := canonical.ServerLock{ID: canonical.ID(from.Params["id"])}
	if w != nil {
		r.Reason = w.Reason
	}
	return r, nil
}

type unshelve struct {
	Zone canonical.Opt[canonical.Ref] `json:"availability_zone,omitzero" since:"2.77"`
	Host string                       `json:"host,omitempty" since:"2.91"`
}

func sayUnshelve(r canonical.ServerUnshelve, env *translate.Env, to *translate.Request) (*unshelve, error) {
	to.Params["id"] = string(r.ID)
	switch {
	case r.AvailabilityZone.IsZero() && r.Host == "":
		return nil, nil //nolint:nilnil // null is the whole body
	case r.AvailabilityZone.IsNull() && !env.Version.AtLeast(v(91)):
		return nil, words.Refuse("availability_zone", "null needs version 2.91 of the cloud's API")
	}
	return &unshelve{r.AvailabilityZone, r.Host}, nil
}

func hearUnshelve(w *unshelve, from *translate.Request, env *translate.Env) (canonical.ServerUnshelve, error) {
	r := canonical.ServerUnshelve{ID: canonical.ID(from.Params["id"])}
	if w == nil {
		return r, nil
	}
	if !env.Version.AtLeast(v(91)) && !env.Version.IsZero() {
		if _, text := w.Zone.Get(); !text {
			return r, canonical.Errorf(canonical.InvalidRequest,
				"Invalid input for field/attribute unshelve. 'availability_zone' is a required property")
		}
	}
	r.AvailabilityZone, r.Host = w.Zone, w.Host
	return r, nil
}

type rescue struct {
	AdminPass string `json:"adminPass,omitempty"`
	ImageRef  string `json:"rescue_image_ref,omitempty"`
}

func sayRescue(r canonical.ServerRescue, env *translate.Env, to *translate.Request) (*rescue, error) {
	to.Params["id"] = string(r.ID)
	if r.Image == "" && r.Password == "" {
		return nil, nil //nolint:nilnil // null is the whole body
	}
	return &rescue{r.Password, imageID(r.Image, env)}, nil
}

func hearRescue(w *rescue, from *translate.Request, _ *translate.Env) (canonical.ServerRescue, error) {
	r := canonical.ServerRescue{ID: canonical.ID(from.Params["id"])}
	if w != nil {
		r.Password, r.Image = w.AdminPass, canonical.Ref(w.ImageRef)
	}
	return r, nil
}

// password is an answer of nothing but the password that was made.
type password struct {
	AdminPass *string `json:"adminPass,omitempty"`
}

// passwordAnswer carries the password; southwards the server is one whose work begins.
// Clouds that tell no passwords answer {}.
var passwordAnswer = translate.Answer[canonical.ServerWithPassword, *password]{
	Say: func(r canonical.TypedReply[canonical.ServerWithPassword], _ *translate.Env, _ *translate.Response) (*password, error) {
		return &password{r.Result.AdminPassword}, nil
	},
	Hear: func(w *password, _ *translate.Response, env *translate.Env) (canonical.ServerWithPassword, error) {
		return canonical.ServerWithPassword{Server: begun(translate.IDOf(env.Asked), canonical.ServerUnknown), AdminPassword: w.AdminPass}, nil
	},
}

type resize struct {
	FlavorRef  flavorChoice `json:"flavorRef"`
	DiskConfig string       `json:"OS-DCF:diskConfig,omitempty" wire:"advisory"`
}

func sayResize(r canonical.ServerResize, env *translate.Env, to *translate.Request) (resize, error) {
	to.Params["id"] = string(r.ID)
	if r.Live {
		return resize{}, words.Refuse("live", "this cloud stops servers to resize them")
	}
	return resize{FlavorRef: flavorChoice(flavorID(r.Flavor, env))}, nil
}

func hearResize(w resize, from *translate.Request, _ *translate.Env) (canonical.ServerResize, error) {
	if w.FlavorRef == "" {
		return canonical.ServerResize{}, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute resize. 'flavorRef' is a required property")
	}
	return canonical.ServerResize{ID: canonical.ID(from.Params["id"]), Flavor: canonical.Ref(w.FlavorRef)}, nil
}

type changePassword struct {
	AdminPass string `json:"adminPass"`
}

func sayPassword(r canonical.ServerSetPassword, _ *translate.Env, to *translate.Request) (changePassword, error) {
	to.Params["id"] = string(r.ID)
	return changePassword{r.Password}, nil
}

func hearPassword(w changePassword, from *translate.Request, _ *translate.Env) (canonical.ServerSetPassword, error) {
	return canonical.ServerSetPassword{ID: canonical.ID(from.Params["id"]), Password: w.AdminPass}, nil
}

func lifecycleRoutes() []translate.Route {
	running, stopped := canonical.ServerRunning, canonical.ServerStopped
	confirm := plain("nova.server.confirm_resize", "confirmResize", canonical.ConfirmServerResize, running, stopped)
	confirm.Status = 204
	return []translate.Route{
		plain("nova.server.pause", "pause", canonical.PauseServer, canonical.ServerPaused),
		plain("nova.server.unpause", "unpause", canonical.UnpauseServer, running),
		plain("nova.server.suspend", "suspend", canonical.SuspendServer, canonical.ServerSuspended),
		plain("nova.server.resume", "resume", canonical.ResumeServer, running),
		action("nova.server.lock", "lock", translate.Route{
			Op: canonical.LockServer.Spec(), Answer: accepted(canonical.ServerUnknown),
			Ask: translate.Ask[canonical.ServerLock, *lock]{Say: sayLock, Hear: hearLock},
		}),
		plain("nova.server.unlock", "unlock", canonical.UnlockServer),
		plain("nova.server.shelve", "shelve", canonical.ShelveServer, canonical.ServerShelved, canonical.ServerShelvedOffloaded),
		plain("nova.server.shelve_offload", "shelveOffload", canonical.ShelveOffloadServer, canonical.ServerShelvedOffloaded),
		action("nova.server.unshelve", "unshelve", translate.Route{
			Op: canonical.UnshelveServer.Spec(), Answer: accepted(canonical.ServerUnknown), Want: v(91), Done: wait(running),
			Ask: translate.Ask[canonical.ServerUnshelve, *unshelve]{Say: sayUnshelve, Hear: hearUnshelve},
		}),
		action("nova.server.rescue", "rescue", translate.Route{
			Op: canonical.RescueServer.Spec(), Want: v(87), Needs: []translate.Need{needImages()}, Answer: passwordAnswer, Status: 200,
			Ask:  translate.Ask[canonical.ServerRescue, *rescue]{Say: sayRescue, Hear: hearRescue},
			Done: wait(canonical.ServerRescued),
		}),
		plain("nova.server.unrescue", "unrescue", canonical.UnrescueServer, running),
		action("nova.server.resize", "resize", translate.Route{
			Op: canonical.ResizeServer.Spec(), Needs: []translate.Need{needFlavors(always)}, Answer: accepted(canonical.ServerResizing),
			Ask:  translate.Ask[canonical.ServerResize, resize]{Say: sayResize, Hear: hearResize},
			Done: moves(canonical.ServerVerifyResize),
		}),
		confirm,
		plain("nova.server.revert_resize", "revertResize", canonical.RevertServerResize, running, stopped),
		action("nova.server.change_password", "changePassword", translate.Route{
			Op: canonical.SetServerPassword.Spec(), Answer: accepted(canonical.ServerPassword), Done: wait(running),
			Ask: translate.Ask[canonical.ServerSetPassword, changePassword]{Say: sayPassword, Hear: hearPassword},
		}),
		plain("nova.server.restore", "restore", canonical.RestoreServer, running, stopped),
		action("nova.server.force_delete", "forceDelete", translate.Route{
			Op: canonical.PurgeServer.Spec(), Ask: translate.ByID[canonical.ServerPurge]("id"), Answer: translate.Nothing[canonical.None](),
			Done: func(req, _ any, _ *translate.Env) *canonical.Task { return canonical.WaitPurged(translate.IDOf(req)) },
		}),
	}
}
