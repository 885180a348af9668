package wire

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// The toy is a dialect with one of each thing that the engine does: pages, versions,
// a job, facts that are remembered and facts that are not.

type toyServer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Note string `json:"note,omitempty" since:"2.5"`
}

type toyBody struct {
	Server toyServer `json:"server"`
}

type toyServers struct {
	Servers []toyServer `json:"servers"`
	Next    string      `json:"next,omitempty"`
}

type toyJob struct {
	Job string `json:"job"`
}

type toyCreate struct {
	Name string `json:"name"`
	Note string `json:"note,omitempty" since:"2.5"`
	Zone string `json:"zone,omitempty"`
}

func toServer(w toyServer) canonical.Server {
	return canonical.Server{ID: canonical.ID(w.ID), Name: w.Name, Status: canonical.ServerRunning}
}

func at(minor int) translate.Version { return translate.Version{Major: 2, Minor: minor} }

func toyTable() *translate.Table {
	byID := func(_ any, id canonical.ID, to *translate.Request) (translate.NoBody, error) {
		to.Params["id"] = string(id)
		return translate.NoBody{}, nil
	}
	answer := translate.Answer[canonical.Server, toyBody]{
		Hear: func(w toyBody, _ *translate.Response, _ *translate.Env) (canonical.Server, error) {
			return toServer(w.Server), nil
		},
	}
	return &translate.Table{
		Dialect: "toy",
		Version: func(req *translate.Request, v translate.Version) { req.Header.Set("Version", v.String()) },
		HearError: func(resp *translate.Response) *canonical.Error {
			code := canonical.UpstreamError
			switch resp.Status {
			case 401:
				code = canonical.Unauthenticated
			case 404:
				code = canonical.NotFound
			}
			return &canonical.Error{Code: code, Upstream: &canonical.Upstream{Status: resp.Status}}
		},
		Rows: []translate.Route{
			{
				ID: "toy.list", Service: "s", Method: "GET", Path: "/servers", Op: canonical.ListServers.Spec(),
				Ask: translate.Ask[canonical.ServerList, translate.NoBody]{
					Say: func(canonical.ServerList, *translate.Env, *translate.Request) (translate.NoBody, error) {
						return translate.NoBody{}, nil
					},
				},
				Answer: translate.List[canonical.Server, toyServers]{
					Hear: func(w toyServers, _ *translate.Response, _ *translate.Env) ([]canonical.Server, error) {
						var out []canonical.Server
						for _, s := range w.Servers {
							out = append(out, toServer(s))
						}
						return out, nil
					},
					Next: func(w toyServers, asked *translate.Request, _ []canonical.Server) *translate.Request {
						if w.Next == "" {
							return nil
						}
						next := *asked
						next.Query = map[string][]string{"marker": {w.Next}}
						return &next
					},
				},
			},
			{
				ID: "toy.get", Service: "s", Method: "GET", Path: "/servers/{id}", Op: canonical.GetServer.Spec(), Answer: answer,
				Ask: translate.Ask[canonical.ServerGet, translate.NoBody]{
					Say: func(r canonical.ServerGet, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
						return byID(r, r.ID, to)
					},
				},
			},
			{
				ID: "toy.start", Service: "s", Method: "POST", Path: "/servers/{id}/start", Op: canonical.StartServer.Spec(), Answer: answer,
				Since: at(7),
				Ask: translate.Ask[canonical.ServerStart, translate.NoBody]{
					Say: func(r canonical.ServerStart, _ *translate.Env, to *translate.Request) (translate.NoBody, error) {
						return byID(r, r.ID, to)
					},
				},
			},
			{
				ID: "toy.create", Service: "s", Method: "POST", Path: "/servers", Op: canonical.CreateServer.Spec(),
				Can: func(req any) bool {
					r, _ := req.(canonical.ServerCreate)
					return r.HowMany() == 1
				},
				Needs: []translate.Need{toyZone, toySnapshots},
				Ask: translate.Ask[canonical.ServerCreate, toyCreate]{
					Say: func(r canonical.ServerCreate, env *translate.Env, _ *translate.Request) (toyCreate, error) {
						zone, _ := translate.Fact[string](env, toyZone.Fact)
						return toyCreate{r.Name, r.Description, zone}, nil
					},
				},
				Answer: translate.Answer[canonical.ServersCreated, toyJob]{
					Later: func(w toyJob, _ *translate.Env) *canonical.Task { return &canonical.Task{Job: canonical.ID(w.Job)} },
				},
			},
			{
				ID: "toy.zones", Service: "s", Method: "GET", Path: "/zones", Op: canonical.ListAvailabilityZones.Spec(),
				Ask: translate.Ask[canonical.AvailabilityZoneList, translate.NoBody]{
					Say: func(canonical.AvailabilityZoneList, *translate.Env, *translate.Request) (translate.NoBody, error) {
						return translate.NoBody{}, nil
					},
				},
				Answer: translate.List[canonical.AvailabilityZone, []string]{
					Hear: func(w []string, _ *translate.Response, _ *translate.Env) ([]canonical.AvailabilityZone, error) {
						var out []canonical.AvailabilityZone
						for _, z := range w {
							out = append(out, canonical.AvailabilityZone{ID: canonical.ID(z), Name: z})
						}
						return out, nil
					},
				},
			},
			{
				ID: "toy.snapshots", Service: "s", Method: "GET", Path: "/snapshots", Op: canonical.ListServerSnapshots.Spec(),
				Ask: translate.Ask[canonical.ServerSnapshotList, translate.NoBody]{
					Say: func(canonical.ServerSnapshotList, *translate.Env, *translate.Request) (translate.NoBody, error) {
						return translate.NoBody{}, nil
					},
				},
				Answer: translate.List[canonical.ServerSnapshot, []string]{
					Hear: func(w []string, _ *translate.Response, _ *translate.Env) ([]canonical.ServerSnapshot, error) {
						return make([]canonical.ServerSnapshot, 0, len(w)), nil
					},
				},
			},
		},
	}
}

var toyZone = translate.Need{
	Fact: "zone",
	Say: func(any) (canonical.Call, bool) {
		return translate.Question(canonical.ListAvailabilityZones, canonical.AvailabilityZoneList{}), true
	},
	Pick: func(res any, _ *translate.Env) any {
		p, _ := res.(canonical.Page[canonical.AvailabilityZone])
		if len(p.Items) == 0 {
			return nil
		}
		return p.Items[0].Name
	},
}

var toySnapshots = translate.Need{
	Fact: "snapshots", Fresh: true,
	Say: func(any) (canonical.Call, bool) {
		return translate.Question(canonical.ListServerSnapshots, canonical.ServerSnapshotList{ID: "s"}), true
	},
}

// plain is a connection without an account: HTTP over the transport of all adapters.
type plain struct {
	base   string
	client *http.Client
	window translate.Window
}

func (p plain) Session(context.Context, string) (Session, error) {
	return Session{Bases: map[string]string{"s": p.base}, Project: "p", Window: p.window}, nil
}

func (p plain) Send(ctx context.Context, req *translate.Request) (*translate.Response, error) {
	out, err := http.NewRequestWithContext(ctx, req.Method, p.base+req.Path+"?"+req.Query.Encode(), strings.NewReader(string(req.Body)))
	if err != nil {
		return nil, err
	}
	out.Header = req.Header
	resp, err := p.client.Do(out)
	if err != nil {
		return nil, canonical.AsError(err)
	}
	body, err := io.ReadAll(resp.Body)
	return &translate.Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, errors.Join(err, resp.Body.Close())
}

// cloudAt is a Cloud of the toy dialect over a server that answers with h; ask says
// what it has been asked for.
func cloudAt(t *testing.T, window translate.Window, h http.HandlerFunc) (c *Cloud, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var log []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		log = append(log, strings.TrimSuffix(r.Method+" "+r.URL.RequestURI(), "?"))
		mu.Unlock()
		h(w, r)
	}))
	chain := transport.New(transport.Options{
		Timeout: 2 * time.Second, TryTimeout: 300 * time.Millisecond, Backoff: time.Millisecond, Breaker: transport.Breaker{Failures: -1},
	})
	t.Cleanup(func() {
		chain.Close()
		s.CloseClientConnections()
		s.Close()
	})
	c = New(toyTable(), plain{s.URL, chain.Client(), window})
	return c, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string{}, log...)
	}
}

// says answers everything with that status and body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that does not read on has made its point
	}
}

// pages are n servers, size on a page, by marker.
func pages(n, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("marker")) // "" is the first
		p := toyServers{Servers: []toyServer{}}
		for i := from; i < min(from+size, n); i++ {
			p.Servers = append(p.Servers, toyServer{ID: strconv.Itoa(i), Name: strconv.Itoa(n - i)})
		}
		if from+size < n {
			p.Next = strconv.Itoa(from + size)
		}
		_ = json.NewEncoder(w).Encode(p) // see says
	}
}
