package canonical

import "slices"

// Hindrance is what of a server's state forbids an action; one field is set.
type Hindrance struct {
	Status ServerStatus `json:"status,omitempty"` // it is in this state
	Task   string       `json:"task,omitempty"`   // this is being done to it
	Locked bool         `json:"locked,omitempty"`
}

// Hindered is FailedPrecondition where s must be in one of these states for an action,
// without a task, and is not; nil: the action may begin. The verb is for people.
func Hindered(verb string, s *Server, from ...ServerStatus) *Error {
	switch {
	case s.Task != nil:
		return hindered(Hindrance{Task: *s.Task}, "cannot %s server %s while it is in task %s", verb, s.ID, *s.Task)
	case !slices.Contains(from, s.Status):
		return hindered(Hindrance{Status: s.Status}, "cannot %s server %s while it is %s", verb, s.ID, s.Status)
	default:
		return nil
	}
}

// HinderedByLock is FailedPrecondition for a server that is locked.
func HinderedByLock(verb string, s *Server) *Error {
	return hindered(Hindrance{Locked: true}, "cannot %s server %s: it is locked", verb, s.ID)
}

func hindered(by Hindrance, format string, args ...any) *Error {
	e := Errorf(FailedPrecondition, format, args...)
	e.Hindrance = &by
	return e
}
