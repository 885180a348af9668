package openstack_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/openstack"
	"github.com/dragoman-cloud/dragoman/translate/nova"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ada = canonical.Caller{Tenant: "acme", Key: "ada", Role: canonical.Member}

// serve is the mounts on a server, over memory; the cloud notes the options of calls.
func serve(t *testing.T, public string) (base string, seen *canonical.Options) {
	t.Helper()
	seen = &canonical.Options{}
	end := memory.New(memory.Options{})
	end.SetFaults(func(ctx context.Context, _ *canonical.Spec) error {
		*seen = canonical.OptionsOf(ctx)
		return nil
	})
	return serveCloud(t, public, end), seen
}

// serveCloud is the mounts on a server, over that cloud.
func serveCloud(t *testing.T, public string, end canonical.Cloud, change ...func(*openstack.Options)) (base string) {
	t.Helper()
	mux := http.NewServeMux()
	o := openstack.Options{
		Table: nova.Table(), Cloud: end, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, PublicURL: public,
		Authenticate: func(_ context.Context, bearer string) (canonical.Caller, error) {
			if bearer != "ada.secret" {
				return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "no such key")
			}
			return ada, nil
		},
		Lookup: func(context.Context, string) (canonical.Caller, error) { return ada, nil },
	}
	for _, f := range change {
		f(&o)
	}
	for prefix, h := range openstack.Mounts(o) {
		mux.Handle(prefix, h)
		mux.Handle(prefix+"/", h)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return s.URL
}

// call makes one request and reads the answer.
func call(t *testing.T, method, url, token, body string, into any) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s %s: %d %s", method, url, resp.StatusCode, raw)
		}
	}
	return resp
}

const password = `{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "ada", "password": "secret",
	"domain": {"name": "Default"}}}}, "scope": {"project": {"name": "acme", "domain": {"name": "Default"}}}}}`

// TestFromTheCatalog: what a client finds in the catalog leads it to every service.
func TestFromTheCatalog(t *testing.T) {
	base, seen := serve(t, "")
	var got struct {
		Token struct {
			Catalog []struct {
				Type      string
				Endpoints []struct{ Interface, URL string }
			}
		}
	}
	var raw json.RawMessage
	resp := call(t, "POST", base+"/identity/v3/auth/tokens", "", password, &raw)
	if err := json.Unmarshal(raw, &got); err != nil || resp.StatusCode != 201 {
		t.Fatalf("%d %s", resp.StatusCode, raw)
	}
	token := resp.Header.Get("X-Subject-Token")
	urls := map[string]string{}
	for _, s := range got.Token.Catalog {
		for _, e := range s.Endpoints {
			if e.Interface == "public" {
				urls[s.Type] = e.URL
			}
		}
	}
	for service, path := range map[string]string{"compute": "/servers/detail", "image": "/v2/images", "network": "/v2.0/networks"} {
		if urls[service] == "" {
			t.Fatalf("no %s in %v", service, urls)
		}
		if r := call(t, "GET", urls[service]+path, token, "", nil); r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %d %v", service, r.StatusCode, r.Header)
		}
		r := call(t, "GET", urls[service]+path, "wrong", "", nil)
		if r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Keystone uri="`+base+`/identity/v3"` {
			t.Errorf("%s without a token: %d %v", service, r.StatusCode, r.Header)
		}
	}
	if !seen.Native || seen.Dialect != "nova" {
		t.Errorf("the cloud is not told who hears: %+v", seen)
	}
}

// TestOwnersAreProjects: a server's tenant is the project of that tenant's tokens.
func TestOwnersAreProjects(t *testing.T) {
	tenant := "acme"
	cloud := &canonical.Mux{Next: memory.New(memory.Options{})}
	canonical.Handle(cloud, canonical.ListServers, func(context.Context, canonical.ServerList) (r canonical.TypedReply[canonical.Page[canonical.Server]], err error) {
		r.Result.Items = []canonical.Server{{ID: "1", Tenant: &tenant}}
		return r, nil
	})
	base := serveCloud(t, "", cloud)
	var login struct {
		Token struct{ Project struct{ ID string } }
	}
	resp := call(t, "POST", base+"/identity/v3/auth/tokens", "", password, &login)
	var got struct {
		Servers []struct {
			TenantID string `json:"tenant_id"`
		}
	}
	call(t, "GET", base+"/compute/v2.1/servers/detail", resp.Header.Get("X-Subject-Token"), "", &got)
	if len(got.Servers) != 1 || got.Servers[0].TenantID != login.Token.Project.ID || login.Token.Project.ID == "" {
		t.Errorf("%+v in project %q", got, login.Token.Project.ID)
	}
}

// TestDiscovery: the documents before the log-in, with and without a slash, show the
// configured address.
func TestDiscovery(t *testing.T) {
	base, _ := serve(t, "https://cloud.example")
	for path, status := range map[string]int{"/compute": 200, "/compute/v2.1": 200, "/image": 300, "/network": 200, "/identity/v3": 200} {
		for _, slash := range []string{"", "/"} {
			var doc any
			if r := call(t, "GET", base+path+slash, "", "", &doc); r.StatusCode != status {
				t.Errorf("%s%s: %d", path, slash, r.StatusCode)
			}
			if text, err := json.Marshal(doc); err != nil || !strings.Contains(string(text), `"https://cloud.example/`) {
				t.Errorf("%s%s shows %s", path, slash, text)
			}
		}
	}
}
