package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

type does = map[string]func(context.Context, any) (canonical.Reply, error)

func TestLongWorkIsAccepted(t *testing.T) {
	_, h, _ := newTest(t, does{"server.create": task, "operation.get": operation(canonical.Operation{Status: canonical.OperationRunning})})
	res := ask(h, "POST", "/v1/servers", create)
	o := decode[canonical.Operation](t, res)
	if res.StatusCode != 202 || res.Header.Get("Location") != "/v1/operations/op-1" || o.ID != "op-1" {
		t.Fatal(res.StatusCode, res.Header, o)
	}
}

func TestPreferWait(t *testing.T) {
	server := json.RawMessage(`{"servers":[{"id":"os1:a"}]}`)
	failure := canonical.ProblemOf(canonical.Errorf(canonical.QuotaExceeded, "full"), "older")
	for name, c := range map[string]struct {
		method, target, body string
		end                  canonical.Operation
		status               int
		code                 canonical.Code
	}{
		"created": {"POST", "/v1/servers", create, canonical.Operation{Status: canonical.OperationSucceeded, Result: server}, 201, ""},
		"started": {"POST", "/v1/servers/a/start", "", canonical.Operation{Status: canonical.OperationSucceeded, Result: json.RawMessage(`{"id":"a"}`)}, 200, ""},
		"deleted": {"DELETE", "/v1/servers/a", "", canonical.Operation{Status: canonical.OperationSucceeded}, 204, ""},
		"failed":  {"POST", "/v1/servers", create, canonical.Operation{Status: canonical.OperationFailed, Error: failure}, 403, canonical.QuotaExceeded},
		"ended":   {"POST", "/v1/servers", create, canonical.Operation{Status: canonical.OperationCancelled}, 409, canonical.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			_, h, _ := newTest(t, does{
				"server.create": task, "server.start": task, "server.delete": task,
				"operation.get": func(ctx context.Context, req any) (canonical.Reply, error) {
					if asked++; asked < 3 {
						return operation(canonical.Operation{Status: canonical.OperationRunning})(ctx, req)
					}
					return operation(c.end)(ctx, req)
				},
			})
			res := ask(h, c.method, c.target, c.body, "Prefer", "respond-async, wait=900")
			if res.StatusCode != c.status || res.Header.Get("Preference-Applied") != "wait=300" {
				t.Fatal(res.StatusCode, res.Header)
			}
			if c.code != "" {
				wantProblem(t, res, c.status, c.code)
			}
		})
	}
}

func TestWaitEndsWithItsTimeAndWithDraining(t *testing.T) {
	_, h, _ := newTest(t, does{"server.create": task, "operation.get": operation(canonical.Operation{Status: canonical.OperationRunning})})
	if res := ask(h, "POST", "/v1/servers", create, "Prefer", "wait=1"); res.StatusCode != 202 {
		t.Fatal(res.StatusCode)
	}
	stop := make(chan struct{})
	close(stop)
	drained := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), drainKey{}, (<-chan struct{})(stop))))
	})
	if res := ask(drained, "POST", "/v1/servers", create, "Prefer", "wait=300"); res.StatusCode != 202 {
		t.Fatal(res.StatusCode)
	}
}

func TestPreferredWait(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "wait=5": 5 * time.Second, "Wait = \"7\"; x=y": 7 * time.Second, "wait=-1": 0, "wait=x": 0,
		"respond-async, wait=301": 300 * time.Second, "wait=99999999999999999999": 300 * time.Second, "await=5": 0,
	} {
		if got := preferredWait(http.Header{"Prefer": {text}}); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestIdempotencyUnderWay(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	_, h, _ := newTest(t, does{"server.create": func(context.Context, any) (canonical.Reply, error) {
		once.Do(func() { close(begun) })
		<-release
		return canonical.Reply{}, canonical.Errorf(canonical.Unavailable, "down")
	}})
	done := make(chan int, 1)
	go func() { done <- ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k").StatusCode }()
	<-begun
	res := ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k")
	wantProblem(t, res, 409, canonical.Conflict)
	if res.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	close(release)
	if got := <-done; got != 503 {
		t.Error(got)
	}
	// A failure that may pass is not kept: the key is free again.
	wantProblem(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"), 503, canonical.Unavailable)
}
