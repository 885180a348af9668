package facade_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The toy is a dialect of four calls, with one of each thing that the engine does: a
// filter that no canonical one says, a marker, a list of all, an action.

type toyServer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type toyServers struct {
	Servers []toyServer `json:"servers"`
	More    string      `json:"more,omitempty"` // marker of the next page
	Total   int         `json:"total,omitempty"`
}

type toyCreate struct {
	Name  string `json:"name"`
	Image string `json:"image,omitempty"`
}

func toyTable() *translate.Table {
	servers := translate.List[canonical.Server, toyServers]{
		Say: func(p canonical.Page[canonical.Server], env *translate.Env, _ *translate.Response) (toyServers, error) {
			w := toyServers{Servers: []toyServer{}}
			for _, s := range p.Items {
				w.Servers = append(w.Servers, toyServer{string(s.ID), s.Name})
			}
			if env.Wire.Path == "/count" {
				return toyServers{Servers: []toyServer{}, Total: len(p.Items)}, nil
			}
			if p.NextCursor != "" && len(w.Servers) > 0 {
				w.More = w.Servers[len(w.Servers)-1].ID
			}
			return w, nil
		},
		Keep: func(s *canonical.Server, env *translate.Env) bool {
			return strings.Contains(s.Name, env.Wire.Query.Get("like"))
		},
	}
	whole := servers
	whole.Whole = true
	return &translate.Table{
		Dialect: "toy",
		SayError: func(e *canonical.Error, _ *translate.Request, _ *translate.Env) *translate.Response {
			body, _ := json.Marshal(map[string]string{"error": string(e.Code), "detail": e.Detail}) // texts always marshal
			h := http.Header{}
			if e.RetryAfter > 0 {
				h.Set("Retry-After", strconv.Itoa(int(e.RetryAfter.Seconds())))
			}
			return &translate.Response{Status: e.HTTPStatus(), Header: h, Body: body}
		},
		Rows: []translate.Route{
			{
				ID: "toy.version", Service: "s", Method: "GET", Path: "", Open: true,
				Static: func(*translate.Env) (int, any) { return 200, map[string]string{"toy": "1"} },
			},
			{
				ID: "toy.list", Service: "s", Method: "GET", Path: "/servers", Op: canonical.ListServers.Spec(), Status: 200,
				Needs: []translate.Need{toyMarker}, Answer: servers,
				Ask: translate.Ask[canonical.ServerList, translate.NoBody]{Hear: hearToyList},
			},
			{
				ID: "toy.count", Service: "s", Method: "GET", Path: "/count", Op: canonical.ListServers.Spec(), Status: 200,
				Answer: whole, Ask: translate.Ask[canonical.ServerList, translate.NoBody]{Hear: hearToyList},
			},
			{
				ID: "toy.get", Service: "s", Method: "GET", Path: "/servers/{id}", Op: canonical.GetServer.Spec(), Status: 200,
				Ask: translate.Ask[canonical.ServerGet, translate.NoBody]{
					Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ServerGet, error) {
						return canonical.ServerGet{ID: canonical.ID(from.Params["id"])}, nil
					},
				},
				Answer: translate.Answer[canonical.Server, toyServer]{
					Say: func(r canonical.TypedReply[canonical.Server], _ *translate.Env, _ *translate.Response) (toyServer, error) {
						return toyServer{string(r.Result.ID), r.Result.Name}, nil
					},
				},
			},
			{
				ID: "toy.create", Service: "s", Method: "POST", Path: "/servers", Action: "make", Op: canonical.CreateServer.Spec(), Status: 202,
				Ask: translate.Ask[canonical.ServerCreate, toyCreate]{
					Hear: func(w toyCreate, _ *translate.Request, _ *translate.Env) (canonical.ServerCreate, error) {
						return canonical.ServerCreate{Name: w.Name, Flavor: "f", Image: canonical.Ref(w.Image)}, nil
					},
				},
				Answer: translate.Answer[canonical.ServersCreated, toyServer]{
					Say: func(r canonical.TypedReply[canonical.ServersCreated], _ *translate.Env, _ *translate.Response) (toyServer, error) {
						return toyServer{ID: string(r.Result.Servers[0].ID)}, nil
					},
				},
			},
			{
				ID: "toy.delete", Service: "s", Method: "DELETE", Path: "/servers/{id}", Op: canonical.DeleteServer.Spec(), Status: 204,
				Ask: translate.Ask[canonical.ServerDelete, translate.NoBody]{
					Hear: func(_ translate.NoBody, from *translate.Request, _ *translate.Env) (canonical.ServerDelete, error) {
						return canonical.ServerDelete{ID: canonical.ID(from.Params["id"])}, nil
					},
				},
				Answer: translate.Nothing[canonical.None](),
			},
		},
	}
}

var toyMarker = translate.Need{
	Fact: "marker", Unshown: true,
	Hear: func(req *translate.Request) (canonical.Call, bool) {
		id := req.Query.Get("marker")
		return translate.Question(canonical.GetServer, canonical.ServerGet{ID: canonical.ID(id)}), id != ""
	},
}

func hearToyList(_ translate.NoBody, from *translate.Request, env *translate.Env) (r canonical.ServerList, err error) {
	r.Sort = canonical.ByName
	if text := from.Query.Get("limit"); text != "" {
		if r.Limit, err = strconv.Atoi(text); err != nil {
			return r, canonical.Invalid("limit", "is not a number")
		}
	}
	if from.Query.Get("marker") == "" {
		return r, nil
	}
	at, ok := translate.Fact[canonical.Server](env, toyMarker.Fact)
	if !ok {
		return r, canonical.Invalid("marker", "names no server")
	}
	r.Cursor = canonical.Cursor{Sort: r.Sort, After: map[string]canonical.Position{"": canonical.PositionOf(at, r.Sort)}}.String()
	return r, nil
}

// does is a Cloud of one function.
type does func(ctx context.Context, call canonical.Call) (canonical.Reply, error)

func (f does) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	return f(ctx, call)
}

func (does) Support(context.Context, *canonical.Spec) canonical.Support {
	return canonical.Support{Level: canonical.Native}
}

func toy(c canonical.Cloud, change ...func(*facade.Options)) *facade.Facade {
	o := facade.Options{
		Table: toyTable(), Cloud: c,
		Authenticate: func(context.Context, *translate.Request) (facade.Principal, error) {
			return facade.Principal{Caller: canonical.Caller{Tenant: "t", Role: canonical.Operator}}, nil
		},
	}
	for _, f := range change {
		f(&o)
	}
	return facade.New(o)
}

// ask makes one request of the facade.
func ask(ctx context.Context, t *testing.T, f *facade.Facade, method, target, body string) *translate.Response {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return f.Handle(ctx, &translate.Request{
		Service: "s", Method: method, Path: u.EscapedPath(), Query: u.Query(), Header: http.Header{}, Body: []byte(body),
	}, nil)
}

func listed(t *testing.T, resp *translate.Response) toyServers {
	t.Helper()
	var w toyServers
	if err := json.Unmarshal(resp.Body, &w); err != nil || resp.Status != 200 {
		t.Fatalf("%d %s: %v", resp.Status, resp.Body, err)
	}
	return w
}
