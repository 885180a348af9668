package canonical

import (
	"context"
	"slices"
	"time"
)

// Task says how to ask a cloud about work that it finishes later. Exactly one of
// Job, Status and State is set. A Task is data: it can be stored and asked about by
// another process.
type Task struct {
	Cloud     string     `json:"cloud,omitempty"` // set by Qualify
	Resources []Resource `json:"resources"`       // what the work makes or changes, as far as known
	// Job is asked about with GetOperation; Huawei and dragoman have jobs.
	Job ID `json:"job,omitempty" of:"operation"`
	// Status is waited for on every server of Resources, whatever else they name; Nova
	// has only this.
	Status *StatusWait `json:"status,omitempty"`
	// State is waited for on what else has states (volumes and their snapshots).
	State *StateWait `json:"state,omitempty"`
}

// Resource names one thing that an operation is about.
type Resource struct {
	Type string `json:"type"` // server, image, volume...
	ID   ID     `json:"id"`
}

// StatusWait is a wait for servers to come to rest.
type StatusWait struct {
	Done []ServerStatus `json:"done,omitempty"` // success, once no task is under way
	Gone bool           `json:"gone,omitempty"` // success: the server is not there any more
	// Failed is failure, once no task is under way: the cloud has given it up.
	Failed []ServerStatus `json:"failed,omitempty"`
	// Leaves is the host that the server moves away from: to rest there is failure.
	Leaves string `json:"leaves,omitempty"`
	// Changed is the UpdatedAt before the request. A server that still has it has
	// not begun, whatever its status says: a reboot starts and ends in running.
	Changed *time.Time `json:"changed,omitempty"`
}

// Verdict is how far work has come.
type Verdict string

// The verdicts.
const (
	TaskRunning   Verdict = "running"
	TaskSucceeded Verdict = "succeeded"
	TaskFailed    Verdict = "failed"
)

// Progress is the answer to a question about a Task.
type Progress struct {
	Verdict   Verdict
	Percent   int        // 0..100
	Resources []Resource // what is known by now
	Err       *Error     // with TaskFailed
}

// WaitStatus is a Task that is done when the server reaches one of these states.
func WaitStatus(id ID, done ...ServerStatus) *Task {
	return &Task{Resources: []Resource{{"server", id}}, Status: &StatusWait{Done: done}}
}

// WaitGone is a Task that is done when the server is not there any more, or rests
// in a recycle bin. A server that is still shown, as deleted, is not gone yet.
func WaitGone(id ID) *Task {
	return &Task{Resources: []Resource{{"server", id}}, Status: &StatusWait{Done: []ServerStatus{ServerSoftDeleted}, Gone: true}}
}

// WaitPurged is a Task that is done when the server is not there any more, nor in a
// recycle bin.
func WaitPurged(id ID) *Task {
	return &Task{Resources: []Resource{{"server", id}}, Status: &StatusWait{Gone: true}}
}

// Judge says how far a wait has come for one server; s is nil when the cloud says
// that there is none.
func (w *StatusWait) Judge(s *Server) (Verdict, *Error) {
	switch {
	case s == nil && w.Gone:
		return TaskSucceeded, nil
	case s == nil:
		return TaskFailed, Errorf(NotFound, "the server is gone")
	case s.Task != nil || w.unchanged(s):
		return TaskRunning, nil
	case slices.Contains(w.Failed, s.Status), slices.Contains(w.Done, s.Status) && w.Leaves != "" && s.Host != nil && *s.Host == w.Leaves:
		return TaskFailed, givenUp(s)
	case slices.Contains(w.Done, s.Status):
		return TaskSucceeded, nil
	case s.Status == ServerError: // with a task it may be on its way out of it
		return TaskFailed, faultOf(s)
	default:
		return TaskRunning, nil
	}
}

func (w *StatusWait) unchanged(s *Server) bool {
	return w.Changed != nil && s.UpdatedAt != nil && s.UpdatedAt.Equal(*w.Changed)
}

// givenUp is why a cloud has left a server as it was.
func givenUp(s *Server) *Error {
	if s.Fault != nil {
		return faultOf(s)
	}
	return Errorf(UpstreamError, "the cloud gave it up: the server is %s as before", s.Status)
}

func faultOf(s *Server) *Error {
	e := Errorf(UpstreamError, "the server went into state error")
	if s.Fault != nil {
		e.Detail = s.Fault.Message
		e.Upstream = &Upstream{Status: s.Fault.Code, Message: s.Fault.Message}
	}
	return e
}

// Check asks c how far the task has come. An error means that asking failed, which
// says nothing about the work.
func (t *Task) Check(ctx context.Context, c Cloud) (Progress, error) {
	if t.Job != "" {
		return t.checkJob(ctx, c)
	}
	if t.State != nil {
		return t.checkState(ctx, c)
	}
	found := make(map[ID]*Server, len(t.Resources))
	for _, id := range t.Servers() {
		s, err := FindServer(ctx, c, id)
		if err != nil {
			return Progress{}, err
		}
		found[id] = s
	}
	return t.Judge(found), nil
}

// Servers are the servers whose state decides about the task; none for a job.
func (t *Task) Servers() []ID {
	if t.Status == nil {
		return nil
	}
	ids := make([]ID, 0, len(t.Resources))
	for _, r := range t.Resources {
		if r.Type == "server" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Judge says how far a wait for states has come. found holds all of Servers, nil
// for one that the cloud says it does not have.
func (t *Task) Judge(found map[ID]*Server) Progress {
	p := Progress{Verdict: TaskSucceeded, Percent: 100, Resources: t.Resources}
	for _, id := range t.Servers() {
		s := found[id]
		p.add(t.Status.Judge(s))
		if s != nil && p.Verdict == TaskRunning {
			p.Percent = min(p.Percent, s.Progress)
		}
	}
	return p
}

// add lets one server's verdict into that of all: a failure counts once every
// server has come to rest, so that nothing is undone that is still being made.
func (p *Progress) add(v Verdict, err *Error) {
	switch {
	case v == TaskRunning:
		p.Verdict = TaskRunning
	case v == TaskFailed && p.Verdict != TaskRunning:
		p.Verdict = TaskFailed
	}
	if p.Err == nil {
		p.Err = err
	}
}

// FindServer asks c for a server as it is now; nil: c says that there is none.
func FindServer(ctx context.Context, c Cloud, id ID) (*Server, error) {
	r, err := GetServer.Do(WithOptions(ctx, fresh(ctx)), c, ServerGet{ID: id})
	switch {
	case err == nil:
		return &r.Result, nil
	case CodeOf(err) == NotFound:
		return nil, nil //nolint:nilnil // absence is an answer here, not a failure
	default:
		return nil, err
	}
}

func fresh(ctx context.Context) Options {
	o := OptionsOf(ctx)
	o.Fresh = true
	return o
}

func (t *Task) checkJob(ctx context.Context, c Cloud) (Progress, error) {
	r, err := GetOperation.Do(WithOptions(ctx, fresh(ctx)), c, OperationGet{ID: t.Job})
	if err != nil {
		if CodeOf(err) == NotFound {
			return Progress{Verdict: TaskFailed, Err: AsError(err), Resources: t.Resources}, nil
		}
		return Progress{}, err
	}
	o := r.Result
	p := Progress{Percent: o.Progress, Resources: o.Resources, Verdict: TaskRunning}
	switch o.Status {
	case OperationPending, OperationRunning:
	case OperationSucceeded:
		p.Verdict = TaskSucceeded
	case OperationFailed, OperationCancelled:
		p.Verdict = TaskFailed
		p.Err = Errorf(UpstreamError, "the cloud's job ended as %s", o.Status)
		if o.Error != nil {
			p.Err = o.Error.Err()
		}
	}
	return p, nil
}

// Await asks about the task until it ends: soon at first, then every max. It is
// for tests and command lines; the broker watches many tasks at the cost of one.
func (t *Task) Await(ctx context.Context, c Cloud, first, most time.Duration) (Progress, error) {
	for pause := first; ; pause = min(2*pause, most) {
		p, err := t.Check(ctx, c)
		if err == nil && p.Verdict != TaskRunning {
			return p, nil
		}
		if _, again := Retryable(err); err != nil && !again {
			return p, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return p, ctx.Err()
		case <-timer.C:
		}
	}
}
