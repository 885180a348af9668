package canonical

import "time"

// The operations on what was done to a server: one event for each action.
var (
	ListServerEvents = op[ServerEventList, Page[ServerAction]]("server_event.list", Read, "GET /v1/servers/{id}/events")
	GetServerEvent   = op[ServerEventGet, ServerAction]("server_event.get", Read, "GET /v1/servers/{id}/events/{event}")
)

// ServerAction is an action on a server, under way or ended.
type ServerAction struct {
	ID        ID                 `json:"id"` // the cloud's own id of the request that asked for it
	Cloud     string             `json:"cloud"`
	Server    ID                 `json:"server" of:"server"`
	Action    string             `json:"action"` // the verb of the operation, or the cloud's own word
	Message   *string            `json:"message"`
	ProjectID *string            `json:"project_id"`
	UserID    *string            `json:"user_id"`
	StartedAt *time.Time         `json:"started_at"`
	UpdatedAt *time.Time         `json:"updated_at"`
	Steps     []ServerActionStep `json:"steps"` // in lists empty
}

// ListKeys implements Listed.
func (e ServerAction) ListKeys() (ID, string, string) { return e.ID, e.Action, sortTime(e.StartedAt) }

// ServerActionStep is a part of an action.
type ServerActionStep struct {
	Name       string     `json:"name"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Result     *string    `json:"result"`  // success or error; null: it goes on
	Host       *string    `json:"host"`    // operators only
	Details    *string    `json:"details"` // why it failed
}

// ServerEventList asks for the events of a server.
type ServerEventList struct {
	ListOptions
	ID ID `json:"-" path:"id" of:"server"`
}

// ServerEventGet names one event, and asks for its steps.
type ServerEventGet struct {
	ID    ID `json:"-" path:"id" of:"server"`
	Event ID `json:"-" path:"event" of:"server_event"`
}
