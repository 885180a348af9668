package canonical

import (
	"context"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	task, then, now := "rebooting", time.Unix(1, 0), time.Unix(2, 0)
	running := StatusWait{Done: []ServerStatus{ServerRunning}}
	changed := StatusWait{Done: []ServerStatus{ServerRunning}, Changed: &then}
	for name, tt := range map[string]struct {
		wait   StatusWait
		server *Server
		want   Verdict
	}{
		"there":                 {running, &Server{Status: ServerRunning}, TaskSucceeded},
		"task under way":        {running, &Server{Status: ServerRunning, Task: &task}, TaskRunning},
		"elsewhere":             {running, &Server{Status: ServerBuilding}, TaskRunning},
		"error":                 {running, &Server{Status: ServerError}, TaskFailed},
		"on its way from error": {running, &Server{Status: ServerError, Task: &task}, TaskRunning},
		"not there any more":    {running, nil, TaskFailed},
		"gone as it should":     {StatusWait{Gone: true}, nil, TaskSucceeded},
		"has not begun":         {changed, &Server{Status: ServerRunning, UpdatedAt: &then}, TaskRunning},
		"has changed":           {changed, &Server{Status: ServerRunning, UpdatedAt: &now}, TaskSucceeded},
		"old error, not begun":  {changed, &Server{Status: ServerError, UpdatedAt: &then}, TaskRunning},
	} {
		if got, _ := tt.wait.Judge(tt.server); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestCheckAsksAboutJobs(t *testing.T) {
	for status, want := range map[OperationStatus]Verdict{
		OperationPending: TaskRunning, OperationRunning: TaskRunning, OperationSucceeded: TaskSucceeded,
		OperationFailed: TaskFailed, OperationCancelled: TaskFailed,
	} {
		var m Mux
		Handle(&m, GetOperation, func(context.Context, OperationGet) (TypedReply[Operation], error) {
			return TypedReply[Operation]{Result: Operation{Status: status}}, nil
		})
		p, err := (&Task{Job: "j"}).Check(t.Context(), &m)
		if err != nil || p.Verdict != want || (p.Err != nil) != (want == TaskFailed) {
			t.Errorf("%s: got %+v, %v", status, p, err)
		}
	}
}
