package nova

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
	"github.com/dragoman-cloud/dragoman/translate/words"
)

type instanceAction struct {
	Action    string                `json:"action"`
	Server    string                `json:"instance_uuid"`
	RequestID string                `json:"request_id"`
	UserID    *string               `json:"user_id"`
	ProjectID *string               `json:"project_id"`
	Started   canonical.Opt[string] `json:"start_time"`
	Message   *string               `json:"message"`
	UpdatedAt canonical.Opt[string] `json:"updated_at,omitzero" since:"2.58"`

	Events canonical.Opt[[]actionEvent] `json:"events,omitzero"`
}

type actionEvent struct {
	Event     string                `json:"event"`
	Started   canonical.Opt[string] `json:"start_time"`
	Finished  canonical.Opt[string] `json:"finish_time"`
	Result    *string               `json:"result"`
	Traceback canonical.Opt[string] `json:"traceback,omitzero" wire:"native"` // operators only, until 2.50 from then on
	Host      canonical.Opt[string] `json:"host,omitzero" since:"2.62"`
	HostID    string                `json:"hostId,omitempty" since:"2.62" wire:"native"`
	Details   canonical.Opt[string] `json:"details,omitzero" since:"2.84"`
}

type actionBody struct {
	Action instanceAction `json:"instanceAction"`
}

type actionsBody struct {
	Actions []instanceAction `json:"instanceActions"`
	Links   []link           `json:"links,omitempty" since:"2.58"`
}

// actionWords are Nova's names of actions that are not those of our operations.
var actionWords = map[string]string{
	"revertResize": "revert_resize", "confirmResize": "confirm_resize", "changePassword": "set_password", "createImage": "create_image",
	"createBackup": "create_backup", "live-migration": "live_migrate", "attach_interface": "attach_interface", "detach_interface": "detach_interface",
	"shelveOffload": "shelve_offload", "trigger_crash_dump": "trigger_crash_dump",
}

func hearAction(word string) string {
	if verb, ok := actionWords[word]; ok {
		return verb
	}
	return word
}

func sayAction(verb string) string {
	for word, known := range actionWords {
		if known == verb {
			return word
		}
	}
	return verb
}

func hearInstanceAction(w instanceAction) canonical.ServerAction {
	e := canonical.ServerAction{
		ID: canonical.ID(w.RequestID), Server: canonical.ID(w.Server), Action: hearAction(w.Action), Message: w.Message, ProjectID: w.ProjectID,
		UserID: w.UserID, StartedAt: words.Time(w.Started.Or("")), UpdatedAt: words.Time(w.UpdatedAt.Or("")), Steps: []canonical.ServerActionStep{},
	}
	for _, s := range w.Events.Or(nil) {
		step := canonical.ServerActionStep{
			Name: s.Event, StartedAt: words.Time(s.Started.Or("")), FinishedAt: words.Time(s.Finished.Or("")), Host: ptr(s.Host),
			Details: ptr(s.Details),
		}
		if s.Result != nil {
			result := hearResult(*s.Result)
			step.Result = &result
		}
		e.Steps = append(e.Steps, step)
	}
	return e
}

func sayInstanceAction(e canonical.ServerAction, env *translate.Env) instanceAction {
	return instanceAction{
		Action: sayAction(e.Action), Server: string(e.Server), RequestID: string(e.ID),
		UserID: words.Filled(firstOf(words.Or(e.UserID, ""), env.User)), ProjectID: words.Filled(firstOf(words.Or(e.ProjectID, ""), env.Project)),
		Started: sayOptTime(e.StartedAt, naive), Message: e.Message, UpdatedAt: sayOptTime(e.UpdatedAt, naive),
	}
}

// sayEvents has the steps, which members see from 2.51 on.
func sayEvents(e canonical.ServerAction, env *translate.Env) canonical.Opt[[]actionEvent] {
	operator := env.Role.AtLeast(canonical.Operator)
	if !operator && !env.Version.AtLeast(v(51)) {
		return canonical.Opt[[]actionEvent]{}
	}
	out := make([]actionEvent, len(e.Steps))
	for i, s := range e.Steps {
		out[i] = actionEvent{
			Event: s.Name, Started: sayOptTime(s.StartedAt, naive), Finished: sayOptTime(s.FinishedAt, naive),
		}
		if operator {
			out[i].Traceback, out[i].Host, out[i].Details = canonical.Null[string](), opt(s.Host), opt(s.Details)
		}
		if s.Host != nil {
			hash := sha256.Sum224([]byte(words.Or(e.ProjectID, env.Project) + *s.Host))
			out[i].HostID = hex.EncodeToString(hash[:])
		}
		if s.Result != nil {
			result := sayResult(*s.Result)
			out[i].Result = &result
		}
	}
	return canonical.Some(out)
}

// hearResult and sayResult know the two words of Nova's; others stay as they are.
func hearResult(word string) string {
	switch word {
	case "Success", "Error":
		return strings.ToLower(word)
	}
	return word
}

func sayResult(word string) string {
	switch word {
	case "success":
		return "Success"
	case "error":
		return "Error"
	}
	return word
}

func eventRoutes() []translate.Route {
	const all, one = "/servers/{id}/os-instance-actions", "/servers/{id}/os-instance-actions/{event}"
	marker := translate.Need{
		Fact: factMarker, Unshown: true,
		Hear: func(from *translate.Request) (canonical.Call, bool) {
			id := from.Query.Get("marker")
			return translate.Question(canonical.GetServerEvent, canonical.ServerEventGet{ID: canonical.ID(from.Params["id"]), Event: canonical.ID(id)}), id != ""
		},
	}
	return []translate.Route{
		{
			ID: "nova.server.actions.list", Service: "compute", Method: "GET", Path: all, Op: canonical.ListServerEvents.Spec(), Want: v(58), Status: 200,
			Needs: []translate.Need{marker},
			Ask: translate.Ask[canonical.ServerEventList, translate.NoBody]{
				Say: func(r canonical.ServerEventList, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
					to.Params["id"] = string(r.ID)
					return translate.NoBody{}, nil
				},
				Hear: hearEventList,
			},
			Answer: translate.List[canonical.ServerAction, actionsBody]{
				Say: func(p canonical.Page[canonical.ServerAction], env *translate.Env, _ *translate.Response) (actionsBody, error) {
					w := actionsBody{make([]instanceAction, len(p.Items)), nextLinks(env, "compute", p.NextCursor, lastID(p.Items))}
					for i, e := range p.Items {
						w.Actions[i] = sayInstanceAction(e, env)
					}
					return w, nil
				},
				Hear: func(w actionsBody, _ *translate.Response, _ *translate.Env) ([]canonical.ServerAction, error) {
					out := make([]canonical.ServerAction, len(w.Actions))
					for i, a := range w.Actions {
						out[i] = hearInstanceAction(a)
					}
					return out, nil
				},
				Next: func(w actionsBody, asked *translate.Request, _ []canonical.ServerAction) *translate.Request {
					return follow(w.Links, asked)
				},
				Keep: keepBy[canonical.ServerAction],
			},
		},
		{
			ID: "nova.server.actions.show", Service: "compute", Method: "GET", Path: one, Op: canonical.GetServerEvent.Spec(), Want: v(84), Status: 200,
			Ask: translate.ByPath[canonical.ServerEventGet](),
			Answer: translate.Answer[canonical.ServerAction, actionBody]{
				Say: func(r canonical.TypedReply[canonical.ServerAction], env *translate.Env, _ *translate.Response) (actionBody, error) {
					w := sayInstanceAction(r.Result, env)
					w.Events = sayEvents(r.Result, env)
					return actionBody{w}, nil
				},
				Hear: func(w actionBody, _ *translate.Response, _ *translate.Env) (canonical.ServerAction, error) {
					return hearInstanceAction(w.Action), nil
				},
			},
		},
	}
}

func hearEventList(_ translate.NoBody, from *translate.Request, env *translate.Env) (canonical.ServerEventList, error) {
	r := canonical.ServerEventList{ID: canonical.ID(from.Params["id"])}
	if !env.Version.AtLeast(v(58)) {
		r.ListOptions = everything()
		return r, nil
	}
	opts, err := hearPaging(from, env, pagingOf(canonical.NewestFirst))
	if err != nil {
		return r, err
	}
	r.ListOptions = opts
	since, before := words.Time(from.Query.Get("changes-since")), words.Time(from.Query.Get("changes-before"))
	for key, at := range map[string]bool{"changes-since": since == nil, "changes-before": before == nil} {
		if text := from.Query.Get(key); text != "" && at {
			return r, canonical.Errorf(canonical.InvalidRequest, "Invalid input for query parameters %s. Value: %s. '%s' is not a 'date-time'", key, text, text)
		}
	}
	setFact(env, factKeep, func(e *canonical.ServerAction) bool {
		return (since == nil || e.UpdatedAt == nil || !e.UpdatedAt.Before(*since)) && (before == nil || e.UpdatedAt == nil || !e.UpdatedAt.After(*before))
	})
	return r, nil
}
