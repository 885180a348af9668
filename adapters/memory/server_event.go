package memory

import (
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// noted records what an operation that was performed has begun, or done, to servers.
func (c *Cloud) noted(op *canonical.Spec, req, result any, task *canonical.Task) {
	action := actionOf(op)
	if action == "" {
		return
	}
	if made, ok := result.(canonical.ServersCreated); ok {
		for _, m := range made.Servers {
			c.note(action, c.servers[m.ID], task == nil)
		}
		return
	}
	id := reflect.ValueOf(req).FieldByName("ID")
	if !id.IsValid() {
		return
	}
	if s, ok := c.servers[canonical.ID(id.String())]; ok {
		c.note(action, s, task == nil)
	}
}

// actionOf is what an event calls an operation; "": it is no action on a server.
func actionOf(op *canonical.Spec) string {
	verb := op.Verb()
	switch {
	case op.Effect == canonical.Read, verb == "update", verb == "open_console":
		return ""
	case op.Resource() == "server":
		return verb
	case verb == "attach", verb == "detach":
		return verb + "_" + op.Resource()
	default:
		return ""
	}
}

// note records an action that has begun on a server, or ended already.
func (c *Cloud) note(action string, s *server, ended bool) {
	now, host := c.now(), own(s.Host)
	e := canonical.ServerAction{
		ID: canonical.ID("req-" + uuid.NewString()), Server: s.ID, Action: action, StartedAt: &now, UpdatedAt: &now,
		Steps: []canonical.ServerActionStep{{Name: "memory_" + action, StartedAt: &now, Host: host}},
	}
	c.events[s.ID] = append(c.events[s.ID], e)
	if ended {
		c.noteEnd(s)
	}
}

// noteEnd records that the last action on a server has ended, if it goes on.
func (c *Cloud) noteEnd(s *server) {
	all := c.events[s.ID]
	if len(all) == 0 || all[len(all)-1].Steps[0].FinishedAt != nil {
		return
	}
	e, now, result := &all[len(all)-1], c.now(), "success"
	if s.Status == canonical.ServerError && s.Fault != nil {
		result, e.Message = "error", &s.Fault.Message
	}
	e.UpdatedAt = &now
	e.Steps[0].FinishedAt, e.Steps[0].Result = &now, &result
}

func copyEvent(e canonical.ServerAction) canonical.ServerAction {
	e.Message, e.StartedAt, e.UpdatedAt = own(e.Message), own(e.StartedAt), own(e.UpdatedAt)
	e.Steps = slices.Clone(e.Steps)
	for i := range e.Steps {
		s := &e.Steps[i]
		s.StartedAt, s.FinishedAt, s.Result, s.Host = own(s.StartedAt), own(s.FinishedAt), own(s.Result), own(s.Host)
	}
	return e
}

func (c *Cloud) listServerEvents(r canonical.ServerEventList) (canonical.TypedReply[canonical.Page[canonical.ServerAction]], error) {
	if _, err := c.find(r.ID); err != nil {
		return refuse[canonical.Page[canonical.ServerAction]](err)
	}
	return arrange(slices.Clone(c.events[r.ID]), r.ListOptions, func(e canonical.ServerAction) canonical.ServerAction {
		e = copyEvent(e)
		e.Steps = []canonical.ServerActionStep{}
		return e
	})
}

func (c *Cloud) getServerEvent(r canonical.ServerEventGet) (canonical.TypedReply[canonical.ServerAction], error) {
	if _, err := c.find(r.ID); err != nil {
		return refuse[canonical.ServerAction](err)
	}
	return byID(c.events[r.ID], "event", r.Event, copyEvent)
}
