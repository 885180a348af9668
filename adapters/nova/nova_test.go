package nova

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
)

func get(ctx context.Context, c canonical.Cloud) (canonical.Server, error) {
	r, err := canonical.GetServer.Do(ctx, c, canonical.ServerGet{ID: "s1"})
	return r.Result, err
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestGet(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	c := f.open()
	if f.loginCount() != 0 {
		t.Error("logged in before there was a call")
	}
	ctx := canonical.WithOptions(t.Context(), canonical.Options{RequestID: "any text"})
	s, err := get(ctx, c)
	if err != nil || s.ID != "s1" || s.Name != "web" {
		t.Fatalf("%+v, %v", s, err)
	}
	got := f.calls()
	if len(got) != 1 || !strings.HasPrefix(got[0].requestID, "req-") || len(got[0].requestID) != len("req-")+36 {
		t.Fatalf("calls %+v", got)
	}
	want := []seen{{"GET /servers/s1", "", "2.1", got[0].requestID}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); diff != "" {
		t.Error(diff)
	}
	if again := causeHeaders(ctx)["X-Openstack-Request-Id"]; again != got[0].requestID {
		t.Errorf("the same request has the ids %s and %s", got[0].requestID, again)
	}
	if _, err := get(ctx, c); err != nil || f.loginCount() != 1 {
		t.Errorf("%d log-ins, %v", f.loginCount(), err)
	}
}

func TestOneRenewalForManyCalls(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	c := f.open()
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	f.expire()
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := get(t.Context(), c); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := f.loginCount(); got != 2 {
		t.Errorf("%d log-ins, want 2", got)
	}
}

func TestRenewalBeforeTheEnd(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	f.expires = margin / 2
	c := f.open()
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if f.loginCount() < 2 {
		t.Error("a token that is about to end was used")
	}
}

// The first caller of a renewal going away must not fail the others.
func TestRenewalOutlivesItsFirstCaller(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	k := keeper{limit: time.Minute, renew: func(ctx context.Context) (*login, error) {
		close(begun)
		<-release
		return &login{token: "t"}, ctx.Err()
	}}
	first, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := k.get(first, "")
		gone <- err
	}()
	<-begun
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("first: %v", err)
	}
	close(release)
	if l, err := k.get(t.Context(), ""); err != nil || l.token != "t" {
		t.Errorf("second: %v", err)
	}
}

func TestWaysToLogIn(t *testing.T) {
	tests := map[string]struct {
		auth Auth
		want string
	}{
		"password": {
			Auth{Username: "demo", Password: "secret", Project: "demo"},
			`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"demo","password":"secret","domain":{"name":"Default"}}}},
			"scope":{"project":{"name":"demo","domain":{"name":"Default"}}}}}`,
		},
		"password in other domains": {
			Auth{Username: "demo", Password: "secret", UserDomain: "d1", ProjectID: "p1"},
			`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"demo","password":"secret","domain":{"name":"d1"}}}},
			"scope":{"project":{"id":"p1"}}}}`,
		},
		"token": {Auth{Token: "abc"}, `{"auth":{"identity":{"methods":["token"],"token":{"id":"abc"}}}}`},
		"application credential": {
			Auth{ApplicationCredentialID: "a1", ApplicationCredentialSecret: "secret"},
			`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"a1","secret":"secret"}}}}`,
		},
		"application credential by name": {
			Auth{ApplicationCredentialName: "ci", Username: "demo", UserDomain: "d1", ApplicationCredentialSecret: "secret"},
			`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":"ci","secret":"secret",
			"user":{"name":"demo","domain":{"name":"d1"}}}}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answer(`{"id":"s1","name":"web"}`))
			c, err := Open(Options{Endpoint: f.url + "/v3/", Region: "r1", Auth: test.auth}, tinyTable())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, f.auth); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Auth{Username: "u", Password: "p", Project: "x"}
	for name, o := range map[string]Options{
		"no endpoint":       {Auth: good},
		"credentials there": {Endpoint: "http://u:p@host/v3", Auth: good},
		"other scheme":      {Endpoint: "ftp://host", Auth: good},
		"interface":         {Endpoint: "http://host", Auth: good, Interface: "secret"},
		"no auth":           {Endpoint: "http://host"},
		"two ways":          {Endpoint: "http://host", Auth: Auth{Username: "u", Password: "p", Project: "x", Token: "t"}},
		"no user":           {Endpoint: "http://host", Auth: Auth{Password: "p", Project: "x"}},
		"no project":        {Endpoint: "http://host", Auth: Auth{Username: "u", Password: "p"}},
		"secret alone":      {Endpoint: "http://host", Auth: Auth{ApplicationCredentialSecret: "s"}},
	} {
		if _, err := Open(o, tinyTable()); canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBases(t *testing.T) {
	f := newFake(t, answer(`{}`))
	c := f.open()
	s, err := c.conn.Session(t.Context(), "compute")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"compute": f.url + "/v2.1", "image": f.url + "/image", "network": f.url + "/network"}
	if diff := cmp.Diff(want, s.Bases); diff != "" {
		t.Error(diff)
	}
	if s.Project != "p1" || s.User != "u1" || s.Window.Max.String() != "2.93" || s.Window.Min.String() != "2.1" {
		t.Errorf("session %+v", s)
	}
	for in, want := range map[string]string{
		"http://h/v2.1": "http://h/v2.1", "http://h/compute": "http://h/compute/v2.1",
		"http://h/v2/p": "http://h/v2.1", "http://h/v2.1/p": "http://h/v2.1", "http://h/v2.1/AUTH_p": "http://h/v2.1",
	} {
		if got := computeBase(in, "p"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func create(ctx context.Context, c canonical.Cloud, n int) (created, error) {
	return canonical.CreateServer.Do(ctx, c, canonical.ServerCreate{Name: "web", Flavor: "f", Image: "i", Count: n})
}

// creator makes servers whose id is their name, and refuses those of these names.
func creator(t *testing.T, refused ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		var s tiny
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			t.Error(err)
		}
		if slices.Contains(refused, s.Name) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.ID = s.Name
		if err := json.NewEncoder(w).Encode(s); err != nil {
			t.Error(err)
		}
	}
}

func TestCreateSeveral(t *testing.T) {
	c := newFake(t, creator(t)).open()
	r, err := create(t.Context(), c, 6)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range r.Result.Servers {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"web-1", "web-2", "web-3", "web-4", "web-5", "web-6"}, names); diff != "" {
		t.Error(diff)
	}
	if r.Task == nil || len(r.Task.Resources) != 6 || r.Task.Resources[5].ID != "web-6" || r.Task.Status == nil {
		t.Errorf("task %+v", r.Task)
	}
	if r, err = create(t.Context(), c, 1); err != nil || r.Result.Servers[0].Name != "web" {
		t.Errorf("one: %+v, %v", r, err)
	}
}

func TestCreateAllOrNone(t *testing.T) {
	f := newFake(t, creator(t, "web-3"))
	_, err := create(t.Context(), f.open(), 6)
	if got := canonical.CodeOf(err); got != canonical.QuotaExceeded {
		t.Fatalf("code %s (%v)", got, err)
	}
	made, deleted := map[string]bool{}, map[string]bool{}
	for _, call := range f.calls() {
		if name, ok := strings.CutPrefix(call.call, "DELETE /servers/"); ok {
			deleted[name] = true
			continue
		}
		var s tiny
		if err := json.Unmarshal([]byte(call.body), &s); err != nil {
			t.Error(err)
		}
		made[s.Name] = s.Name != "web-3"
	}
	delete(made, "web-3")
	if diff := cmp.Diff(made, deleted); diff != "" {
		t.Error(diff)
	}
}

func TestUpdateTakesSeveralCalls(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/tags") || strings.Contains(r.URL.Path, "/metadata") {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(`{"id":"s1","name":"db"}`)(w, r)
	})
	_, err := canonical.UpdateServer.Do(t.Context(), f.open(), canonical.ServerUpdate{
		ID: "s1", Name: canonical.Some("db"), Tags: canonical.Some([]string{"a"}),
		Metadata: canonical.Some(map[string]canonical.Opt[string]{"k": canonical.Some("v"), "a/b": canonical.Null[string]()}),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []seen{
		{"PUT /servers/s1/tags", `{"tags":["a"]}`, "2.26", ""},
		{"POST /servers/s1/metadata", `{"metadata":{"k":"v"}}`, "2.1", ""},
		{"DELETE /servers/s1/metadata/a%2Fb", "", "2.1", ""},
		{"PUT /servers/s1", `{"name":"db"}`, "2.1", ""},
		{"GET /servers/s1", "", "2.1", ""},
	}
	if diff := cmp.Diff(want, f.calls(), cmp.AllowUnexported(seen{})); diff != "" {
		t.Error(diff)
	}
}

func TestAccountsShareATransport(t *testing.T) {
	f := newFake(t, answer(`{"id":"s1","name":"web"}`))
	shared := transport.New(transport.Options{Name: "c1"})
	defer shared.Close()
	for _, project := range []string{"a", "b"} {
		c, err := Open(Options{
			Endpoint: f.url, Shared: shared, Auth: Auth{Username: "u", Password: "p", Project: project}, Region: "r1",
		}, tinyTable())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := get(t.Context(), c); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	if got := shared.Status().Calls; got != 6 { // each logs in, asks for the versions and for the server
		t.Errorf("%d calls", got)
	}
}
