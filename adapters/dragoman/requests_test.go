package dragoman

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// sent is what the remote saw of a request.
type sent struct {
	Line, Body, Key, Cache, RequestID, Idempotency string
}

func TestRequests(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		call    canonical.Call
		options canonical.Options
		nested  bool
		want    sent
	}{
		"Get": {
			call: canonical.Call{Op: canonical.GetServer.Spec(), Request: canonical.ServerGet{ID: "os1:a/b c"}},
			want: sent{Line: "GET /base/v1/servers/os1%3Aa%2Fb%20c"},
		},
		"ListWithOptions": {
			call: canonical.Call{Op: canonical.ListFlavors.Spec(), Request: canonical.FlavorList{
				ListOptions: canonical.ListOptions{Limit: 5, Sort: canonical.ByName}, Public: &yes,
			}},
			options: canonical.Options{Clouds: []string{"a", "b"}, Tenant: "t", Fresh: true, Native: true, RequestID: "r", IdempotencyKey: "k"},
			want:    sent{Line: "GET /base/v1/flavors?cloud=a%2Cb&limit=5&native=true&public=true&sort=name&tenant=t", Cache: "no-cache", RequestID: "r"},
		},
		"Action": {
			call:    canonical.Call{Op: canonical.StartServer.Spec(), Request: canonical.ServerStart{ID: "m:1"}},
			options: canonical.Options{IdempotencyKey: "k"},
			want:    sent{Line: "POST /base/v1/servers/m%3A1/start", Idempotency: "k"},
		},
		"Merge": {
			call: canonical.Call{Op: canonical.UpdateServer.Spec(), Request: canonical.ServerUpdate{
				ID: "m:1", Name: canonical.Some("n"), Description: canonical.Null[string](),
			}},
			want: sent{Line: "PATCH /base/v1/servers/m%3A1", Body: `{"name":"n","description":null}`},
		},
		"NestedPlacement": {
			call:    canonical.Call{Op: canonical.CreateServer.Spec(), Request: canonical.ServerCreate{Name: "n", Cloud: "ours", Flavor: "f", Image: "i"}},
			options: canonical.Options{Clouds: []string{"ours"}, Tenant: "ours"},
			nested:  true,
			want:    sent{Line: "POST /base/v1/servers", Body: `{"name":"n","flavor":"f","image":"i"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got sent
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				h := r.Header
				got = sent{r.Method + " " + r.RequestURI, string(body), h.Get("Authorization"), h.Get("Cache-Control"), h.Get("X-Request-Id"), h.Get("Idempotency-Key")}
				w.WriteHeader(http.StatusTeapot)
			}))
			defer s.Close()
			c, err := New(Options{Endpoint: s.URL + "/base/", Key: "id.secret", Nested: test.nested})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := canonical.Do(canonical.WithOptions(t.Context(), test.options), c, test.call); canonical.CodeOf(err) != canonical.UpstreamError {
				t.Errorf("got %v, want upstream_error", err)
			}
			test.want.Key = "Bearer id.secret"
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDotsAreNoIDs(t *testing.T) {
	c := remote(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) })
	for _, id := range []canonical.ID{"", ".", ".."} {
		if _, err := canonical.DeleteServer.Do(t.Context(), c, canonical.ServerDelete{ID: id}); canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%q: got %v, want invalid_request", id, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	job := `{"id": "job1", "status": "running", "resources": [{"type": "server", "id": "m:1"}], "result": `
	resources := []canonical.Resource{{Type: "server", ID: "m:1"}}
	for name, test := range map[string]struct {
		status int
		body   string
		want   canonical.TypedReply[canonical.ServersCreated]
	}{
		"Now":   {201, `{"servers": []}`, canonical.TypedReply[canonical.ServersCreated]{Result: canonical.ServersCreated{Servers: []canonical.ServerWithPassword{}}}},
		"Later": {202, job + `null}`, canonical.TypedReply[canonical.ServersCreated]{Task: &canonical.Task{Job: "job1", Resources: resources}}},
		"LaterButNamed": {202, job + `{"servers": [{"id": "m:1"}]}}`, canonical.TypedReply[canonical.ServersCreated]{
			Task:   &canonical.Task{Job: "job1", Resources: resources},
			Result: canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{Server: canonical.Server{ID: "m:1"}}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := remote(t, answer(test.status, "application/json", test.body))
			got, err := canonical.CreateServer.Do(t.Context(), c, canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i"})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAge(t *testing.T) {
	c := remote(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Age", "60")
		answer(200, "application/json", `{"id": "m:1"}`)(w, r)
	})
	r, err := canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: "m:1"})
	if age := time.Since(r.AsOf); err != nil || age < time.Minute || age > 2*time.Minute {
		t.Errorf("got age %v, %v", age, err)
	}
}

func TestSupport(t *testing.T) {
	c := remote(t, answer(200, "application/json", `{"items": [
		{"id": "a", "capabilities": {"server.create": {"level": "no", "reason": "x"}, "server.start": {"level": "no", "reason": "y"}}},
		{"id": "b", "capabilities": {"server.create": {"level": "native"}, "server.start": {"level": "no", "reason": "z"}}}]}`))
	for op, want := range map[*canonical.Spec]canonical.Support{
		canonical.CreateServer.Spec(): {Level: canonical.Native},
		canonical.StartServer.Spec():  {Level: canonical.No, Reason: "y"},
		canonical.ListTenants.Spec():  {Level: canonical.Native},
	} {
		if got := c.Support(t.Context(), op); got != want {
			t.Errorf("%s: got %+v, want %+v", op, got, want)
		}
	}
}
