package canonical

import (
	"context"
	"reflect"
	"slices"
)

// StateWait is a wait for things of one kind, which has a get, to come to rest.
type StateWait struct {
	Kind string   `json:"kind"` // of those of the task's resources that are waited for
	Done []string `json:"done,omitempty"`
	// Failed are states that it falls back to when the work has failed.
	Failed []string `json:"failed,omitempty"`
	Gone   bool     `json:"gone,omitempty"` // success: it is not there any more
}

// Stated is what the gets of such kinds answer.
type Stated interface {
	State() string // "error" is the failure of all
}

// failedState is the state in which work on a thing has failed.
const failedState = "error"

// WaitState is a Task that is done when the thing reaches one of these states.
func WaitState(kind string, id ID, done ...string) *Task {
	return &Task{Resources: []Resource{{kind, id}}, State: &StateWait{Kind: kind, Done: done}}
}

// WaitStateGone is a Task that is done when the thing is not there any more.
func WaitStateGone(kind string, id ID) *Task {
	return &Task{Resources: []Resource{{kind, id}}, State: &StateWait{Kind: kind, Gone: true}}
}

func (t *Task) checkState(ctx context.Context, c Cloud) (Progress, error) {
	p := Progress{Verdict: TaskSucceeded, Percent: 100, Resources: t.Resources}
	for _, r := range t.Resources {
		if r.Type != t.State.Kind {
			continue
		}
		state, err := stateOf(ctx, c, r)
		if err != nil {
			return Progress{}, err
		}
		p.add(t.State.judge(r.Type, state))
	}
	if p.Verdict == TaskRunning {
		p.Percent = 0
	}
	return p, nil
}

// judge says how far a wait has come for one thing; state is "" where the cloud says
// that there is none.
func (w *StateWait) judge(kind, state string) (Verdict, *Error) {
	switch {
	case state == "" && w.Gone, slices.Contains(w.Done, state):
		return TaskSucceeded, nil
	case state == "":
		return TaskFailed, Errorf(NotFound, "the %s is gone", kind)
	case state == failedState, slices.Contains(w.Failed, state):
		return TaskFailed, Errorf(UpstreamError, "the work on the %s failed: it is %s", kind, state)
	default:
		return TaskRunning, nil
	}
}

// stateOf is the state of a thing as it is now, "" where there is none.
func stateOf(ctx context.Context, c Cloud, r Resource) (string, error) {
	get := Lookup(r.Type + ".get")
	if get == nil {
		return "", Errorf(Internal, "a %s has no get to ask for its state", r.Type)
	}
	req := reflect.New(get.Request).Elem()
	req.FieldByName("ID").SetString(string(r.ID))
	reply, err := Do(WithOptions(ctx, fresh(ctx)), c, Call{Op: get, Request: req.Interface()})
	switch {
	case CodeOf(err) == NotFound:
		return "", nil
	case err != nil:
		return "", err
	}
	s, ok := reply.Result.(Stated)
	if !ok {
		return "", Errorf(Internal, "a %s has no states to wait for", r.Type)
	}
	return s.State(), nil
}
