package nova

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/translate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a cloud: Keystone, and a compute service whose answers a test gives.
type fake struct {
	t       *testing.T
	url     string
	compute http.HandlerFunc // below /v2.1, of requests with a good token
	image   http.HandlerFunc // of the image service; nil: it has nothing
	network http.HandlerFunc // of the network service; nil: it has nothing

	mu      sync.Mutex
	logins  int
	newest  string        // microversion
	good    string        // the token
	expires time.Duration // of tokens
	catalog string        // services, with %[1]s for the fake's URL
	logIn   http.HandlerFunc
	auth    map[string]any // the last log-in
	seen    []seen
}

type seen struct {
	call      string // method and path
	body      string
	version   string
	requestID string
}

const fullCatalog = `{"type":"compute","endpoints":[
		{"interface":"internal","region_id":"r1","region":"r1","url":"%[1]s/internal"},
		{"interface":"public","region_id":"r0","region":"r0","url":"%[1]s/elsewhere"},
		{"interface":"public","region_id":"r1","region":"r1","url":"%[1]s/v2.1/p1"}]},
	{"type":"image","endpoints":[{"interface":"public","region_id":"r1","region":"r1","url":"%[1]s/image/v2/"}]},
	{"type":"network","endpoints":[{"interface":"public","region_id":"r1","region":"r1","url":"%[1]s/network"}]}`

func newFake(t *testing.T, compute http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{t: t, compute: compute, newest: "2.93", expires: time.Hour, catalog: fullCatalog}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", f.serveLogin)
	mux.HandleFunc("GET /v2.1/{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"version":{"id":"v2.1","status":"CURRENT","version":%q,"min_version":"2.1"}}`, f.newestVersion())
	})
	mux.HandleFunc("/v2.1/", f.serveCompute)
	mux.HandleFunc("/image/", func(w http.ResponseWriter, r *http.Request) {
		if f.image == nil {
			http.NotFound(w, r)
			return
		}
		f.image(w, r)
	})
	mux.HandleFunc("/network/", func(w http.ResponseWriter, r *http.Request) {
		if f.network == nil {
			http.NotFound(w, r)
			return
		}
		f.network(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fake) serveLogin(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logins++
	if f.logIn != nil {
		f.logIn(w, r)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&f.auth); err != nil {
		f.t.Error(err)
	}
	f.good = fmt.Sprintf("token%d", f.logins)
	w.Header().Set("X-Subject-Token", f.good)
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"token":{"expires_at":%q,"user":{"id":"u1"},"project":{"id":"p1"},"catalog":[%s]}}`,
		time.Now().Add(f.expires).UTC().Format("2006-01-02T15:04:05.000000Z"),
		strings.ReplaceAll(f.catalog, "%[1]s", f.url))
}

func (f *fake) serveCompute(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	f.mu.Lock()
	good := f.good
	if r.Header.Get("X-Auth-Token") == good {
		f.seen = append(f.seen, seen{
			r.Method + " " + strings.TrimPrefix(r.URL.EscapedPath(), "/v2.1"), string(body),
			r.Header.Get("X-Version"), r.Header.Get("X-Openstack-Request-Id"),
		})
	}
	f.mu.Unlock()
	if r.Header.Get("X-Auth-Token") != good {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	f.compute(w, r)
}

// speak changes the newest microversion.
func (f *fake) speak(version string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest = version
}

func (f *fake) newestVersion() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newest
}

// expire makes the tokens of by now worthless.
func (f *fake) expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.good = "none"
}

func (f *fake) loginCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.logins
}

func (f *fake) calls() []seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]seen(nil), f.seen...)
}

// open is the adapter of the fake, in the tiny dialect.
func (f *fake) open() *Cloud {
	f.t.Helper()
	c, err := Open(Options{
		Endpoint: f.url, Region: "r1",
		Auth:      Auth{Username: "demo", Password: "secret", Project: "demo"},
		Transport: transport.Options{Name: "c1", Timeout: 2 * time.Second, Backoff: time.Millisecond},
	}, tinyTable())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(c.Close)
	return c
}

// tiny is the server of the dialect that these tests speak, a small part of Nova's.
type tiny struct {
	ID     string            `json:"id,omitempty"`
	Status string            `json:"status,omitempty"`
	Name   string            `json:"name"`
	Meta   map[string]string `json:"metadata,omitempty"`
}

func (w tiny) server() canonical.Server {
	return canonical.Server{ID: canonical.ID(w.ID), Name: w.Name, Metadata: w.Meta, Status: canonical.ServerStatus(w.Status)}
}

type tinyMetadata struct {
	Metadata map[string]canonical.Opt[string] `json:"metadata"`
}

func byID[Req any](id func(Req) canonical.ID) translate.Ask[Req, translate.NoBody] {
	return translate.Ask[Req, translate.NoBody]{
		Say: func(r Req, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
			to.Params["id"] = string(id(r))
			return translate.NoBody{}, nil
		},
	}
}

var tinyAnswer = translate.Answer[canonical.Server, tiny]{
	Hear: func(w tiny, _ *translate.Response, _ *translate.Env) (canonical.Server, error) {
		return w.server(), nil
	},
}

func tinyTable() *translate.Table {
	return &translate.Table{
		Dialect: "tiny",
		Rows: []translate.Route{
			{
				ID: "tiny.get", Service: "compute", Method: "GET", Path: "/servers/{id}", Op: canonical.GetServer.Spec(),
				Ask: byID(func(r canonical.ServerGet) canonical.ID { return r.ID }), Answer: tinyAnswer,
			},
			{
				ID: "tiny.delete", Service: "compute", Method: "DELETE", Path: "/servers/{id}", Op: canonical.DeleteServer.Spec(),
				Ask:    byID(func(r canonical.ServerDelete) canonical.ID { return r.ID }),
				Answer: translate.Nothing[canonical.None](),
			},
			{
				ID: "tiny.metadata", Service: "compute", Method: "POST", Path: "/servers/{id}/metadata", Op: canonical.MergeMetadata.Spec(),
				Ask: translate.Ask[canonical.MetadataMerge, tinyMetadata]{
					Say: func(r canonical.MetadataMerge, _ *translate.Env, to *translate.Request) (tinyMetadata, error) {
						translate.SayPath(r, to)
						return tinyMetadata{r.Metadata}, nil
					},
				},
				Answer: translate.Nothing[canonical.Metadata](),
			},
			{
				ID: "tiny.metadata.delete", Service: "compute", Method: "DELETE", Path: "/servers/{id}/metadata/{key}", Op: canonical.DeleteMetadata.Spec(),
				Ask: translate.ByPath[canonical.MetadataDelete](), Answer: translate.Nothing[canonical.None](),
			},
			{
				ID: "tiny.tags", Service: "compute", Method: "PUT", Path: "/servers/{id}/tags", Op: canonical.ReplaceTags.Spec(),
				Since: translate.Version{Major: 2, Minor: 26},
				Ask: translate.Ask[canonical.TagReplace, canonical.Tags]{
					Say: func(r canonical.TagReplace, _ *translate.Env, to *translate.Request) (canonical.Tags, error) {
						translate.SayPath(r, to)
						return canonical.Tags{Tags: r.Tags}, nil
					},
				},
				Answer: translate.Nothing[canonical.Tags](),
			},
			{
				ID: "tiny.update", Service: "compute", Method: "PUT", Path: "/servers/{id}", Op: canonical.UpdateServer.Spec(),
				Ask: translate.Ask[canonical.ServerUpdate, tiny]{
					Say: func(r canonical.ServerUpdate, _ *translate.Env, to *translate.Request) (tiny, error) {
						to.Params["id"] = string(r.ID)
						return tiny{Name: r.Name.Or("")}, nil
					},
				},
				Answer: tinyAnswer,
			},
			{
				ID: "tiny.create", Service: "compute", Method: "POST", Path: "/servers", Op: canonical.CreateServer.Spec(),
				Ask: translate.Ask[canonical.ServerCreate, tiny]{
					Say: func(r canonical.ServerCreate, _ *translate.Env, _ *translate.Request) (tiny, error) {
						return tiny{Name: r.Name}, nil
					},
				},
				Answer: translate.Answer[canonical.ServersCreated, tiny]{
					Hear: func(w tiny, _ *translate.Response, _ *translate.Env) (canonical.ServersCreated, error) {
						return canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{Server: w.server()}}}, nil
					},
				},
				Done: func(_, res any, _ *translate.Env) *canonical.Task {
					made, _ := res.(canonical.ServersCreated)
					return canonical.WaitStatus(made.Servers[0].ID, canonical.ServerRunning)
				},
			},
			{
				ID: "tiny.images", Service: "image", Method: "GET", Path: "/v2/images/{id}", Op: canonical.GetImage.Spec(),
				Ask: byID(func(r canonical.ImageGet) canonical.ID { return r.ID }),
				Answer: translate.Answer[canonical.Image, tiny]{
					Hear: func(w tiny, _ *translate.Response, _ *translate.Env) (canonical.Image, error) {
						return canonical.Image{ID: canonical.ID(w.ID)}, nil
					},
				},
			},
		},
		Version: func(req *translate.Request, v translate.Version) { req.Header.Set("X-Version", v.String()) },
		HearError: func(resp *translate.Response) *canonical.Error {
			code := canonical.UpstreamError
			switch resp.Status {
			case http.StatusNotFound:
				code = canonical.NotFound
			case http.StatusForbidden:
				code = canonical.QuotaExceeded
			}
			return &canonical.Error{Code: code, Upstream: &canonical.Upstream{Status: resp.Status, Message: string(resp.Body)}}
		},
	}
}

func respond(status int, body string) *translate.Response {
	return &translate.Response{Status: status, Header: http.Header{}, Body: []byte(body)}
}
