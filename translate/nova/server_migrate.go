package nova

import (
	"encoding/json"
	"strconv"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type migrate struct {
	Host canonical.Opt[string] `json:"host,omitzero" since:"2.56"`
}

func sayMigrate(r canonical.ServerMigrate, _ *translate.Env, to *translate.Request) (*migrate, error) {
	to.Params["id"] = string(r.ID)
	if r.Host == "" {
		return nil, nil //nolint:nilnil // null is the whole body
	}
	return &migrate{canonical.Some(r.Host)}, nil
}

func hearMigrate(w *migrate, from *translate.Request, _ *translate.Env) (canonical.ServerMigrate, error) {
	r := canonical.ServerMigrate{ID: canonical.ID(from.Params["id"])}
	if w != nil {
		r.Host = w.Host.Or("")
	}
	return r, nil
}

type migrateLive struct {
	Host           *string  `json:"host"`
	BlockMigration autoBool `json:"block_migration"`
	DiskOverCommit *loose   `json:"disk_over_commit,omitempty" until:"2.24" always:"easystack" wire:"advisory"`
	Force          loose    `json:"force,omitempty" since:"2.30" until:"2.67" always:"easystack"`
}

// autoBool is a truth value or "auto", since 2.25.
type autoBool struct{ is *bool }

// MarshalJSON implements json.Marshaler.
func (b autoBool) MarshalJSON() ([]byte, error) {
	if b.is == nil {
		return []byte(`"auto"`), nil
	}
	return strconv.AppendBool(nil, *b.is), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *autoBool) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"auto"` {
		b.is = nil
		return nil
	}
	var is loose
	if err := json.Unmarshal(raw, &is); err != nil {
		return err
	}
	got := bool(is)
	b.is = &got
	return nil
}

func sayLiveMigrate(r canonical.ServerLiveMigrate, env *translate.Env, to *translate.Request) (migrateLive, error) {
	to.Params["id"] = string(r.ID)
	w := migrateLive{Host: words.Filled(r.Host), BlockMigration: autoBool{r.BlockMigration}, Force: loose(r.Force)}
	if env.Version.AtLeast(v(25)) {
		return w, nil
	}
	if r.BlockMigration == nil {
		return w, words.Refuse("block_migration", "only from version 2.25 on does the cloud's API find out")
	}
	w.DiskOverCommit = new(loose)
	return w, nil
}

func hearLiveMigrate(w migrateLive, from *translate.Request, env *translate.Env) (canonical.ServerLiveMigrate, error) {
	if w.BlockMigration.is == nil && !env.Version.AtLeast(v(25)) {
		return canonical.ServerLiveMigrate{}, canonical.Invalid("block_migration", "must be true or false")
	}
	return canonical.ServerLiveMigrate{
		ID: canonical.ID(from.Params["id"]), Host: words.Or(w.Host, ""), BlockMigration: w.BlockMigration.is, Force: bool(w.Force),
	}, nil
}

type evacuate struct {
	Host      string `json:"host,omitempty"`
	AdminPass string `json:"adminPass,omitempty"`
	Force     loose  `json:"force,omitempty" since:"2.29" until:"2.67" always:"easystack"`
	Shared    loose  `json:"onSharedStorage,omitempty" only:"easystack" wire:"advisory"`
}

func sayEvacuate(r canonical.ServerEvacuate, _ *translate.Env, to *translate.Request) (evacuate, error) {
	to.Params["id"] = string(r.ID)
	return evacuate{Host: r.Host, AdminPass: r.Password, Force: loose(r.Force)}, nil
}

// oldEvacuate is what it was before 2.14, from which on Nova finds out itself whether
// storage is shared.
type oldEvacuate struct {
	Host      string `json:"host,omitempty"`
	Shared    loose  `json:"onSharedStorage" wire:"advisory"`
	AdminPass string `json:"adminPass,omitempty"`
}

func sayOldEvacuate(r canonical.ServerEvacuate, _ *translate.Env, to *translate.Request) (oldEvacuate, error) {
	to.Params["id"] = string(r.ID)
	if r.Force {
		return oldEvacuate{}, words.Refuse("force", "needs version 2.29 of the cloud's API")
	}
	return oldEvacuate{Host: r.Host, AdminPass: r.Password}, nil
}

func hearOldEvacuate(w oldEvacuate, from *translate.Request, _ *translate.Env) (canonical.ServerEvacuate, error) {
	return canonical.ServerEvacuate{ID: canonical.ID(from.Params["id"]), Host: w.Host, Password: w.AdminPass}, nil
}

func hearEvacuate(w evacuate, from *translate.Request, _ *translate.Env) (canonical.ServerEvacuate, error) {
	return canonical.ServerEvacuate{
		ID: canonical.ID(from.Params["id"]), Host: w.Host, Password: w.AdminPass, Force: bool(w.Force),
	}, nil
}

// untold answers without a body, also southwards what was asked for as the password.
var untold = translate.Answer[canonical.ServerWithPassword, translate.NoBody]{
	Say: func(canonical.TypedReply[canonical.ServerWithPassword], *translate.Env, *translate.Response) (translate.NoBody, error) {
		return translate.NoBody{}, nil
	},
	Hear: func(_ translate.NoBody, _ *translate.Response, env *translate.Env) (canonical.ServerWithPassword, error) {
		return canonical.ServerWithPassword{Server: begun(translate.IDOf(env.Asked), canonical.ServerRebuilding)}, nil
	},
}

type resetState struct {
	State string `json:"state"`
}

func sayReset(r canonical.ServerResetState, _ *translate.Env, to *translate.Request) (resetState, error) {
	to.Params["id"] = string(r.ID)
	if r.Status == canonical.ServerError {
		return resetState{"error"}, nil
	}
	return resetState{"active"}, nil
}

func hearReset(w resetState, from *translate.Request, _ *translate.Env) (canonical.ServerResetState, error) {
	r := canonical.ServerResetState{ID: canonical.ID(from.Params["id"])}
	switch w.State {
	case "active":
		r.Status = canonical.ServerRunning
	case "error":
		r.Status = canonical.ServerError
	default:
		return r, canonical.Errorf(canonical.InvalidRequest,
			"Invalid input for field/attribute state. Value: %.255s. '%.255s' is not one of ['active', 'error']", w.State, w.State)
	}
	return r, nil
}

func migrateRoutes() []translate.Route {
	evacuated := translate.Ask[canonical.ServerEvacuate, evacuate]{Say: sayEvacuate, Hear: hearEvacuate}
	rests := wait(canonical.ServerRunning, canonical.ServerStopped)
	return []translate.Route{
		action("nova.server.migrate", "migrate", translate.Route{
			Op: canonical.MigrateServer.Spec(), Answer: accepted(canonical.ServerResizing), Done: moves(canonical.ServerVerifyResize),
			Ask: translate.Ask[canonical.ServerMigrate, *migrate]{Say: sayMigrate, Hear: hearMigrate},
		}),
		action("nova.server.live_migrate", "os-migrateLive", translate.Route{
			Op: canonical.LiveMigrateServer.Spec(), Answer: accepted(canonical.ServerMigrating), Want: v(25),
			Ask:  translate.Ask[canonical.ServerLiveMigrate, migrateLive]{Say: sayLiveMigrate, Hear: hearLiveMigrate},
			Done: wait(canonical.ServerRunning, canonical.ServerPaused),
		}),
		action("nova.server.evacuate", "evacuate", translate.Route{
			Op: canonical.EvacuateServer.Spec(), Since: v(14), Ask: evacuated, Answer: untold, Status: 200, Done: rests,
		}),
		action("nova.server.evacuate_2_1", "evacuate", translate.Route{
			Op: canonical.EvacuateServer.Spec(), Until: v(13), Ask: translate.Ask[canonical.ServerEvacuate, oldEvacuate]{Say: sayOldEvacuate, Hear: hearOldEvacuate},
			Answer: passwordAnswer, Status: 200, Done: rests,
		}),
		action("nova.server.reset_state", "os-resetState", translate.Route{
			Op: canonical.ResetServerState.Spec(), Answer: accepted(canonical.ServerUnknown),
			Ask: translate.Ask[canonical.ServerResetState, resetState]{Say: sayReset, Hear: hearReset},
		}),
	}
}
