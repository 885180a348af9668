package keystone_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/keystone"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func open(t *testing.T) (*httptest.Server, *keystone.Keystone, *clock, map[string]canonical.Caller) {
	t.Helper()
	keys := map[string]canonical.Caller{"k1": {Tenant: "acme", Key: "k1", Role: canonical.Member}}
	lookup := func(_ context.Context, id string) (canonical.Caller, error) {
		if c, ok := keys[id]; ok {
			return c, nil
		}
		return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "no such key")
	}
	c := &clock{at: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	k := keystone.New("/identity", keystone.Options{
		Authenticate: func(ctx context.Context, bearer string) (canonical.Caller, error) {
			id, secret, _ := strings.Cut(bearer, ".")
			if secret != "s3cret" {
				return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "wrong secret")
			}
			return lookup(ctx, id)
		},
		Lookup: lookup, Secrets: [][]byte{[]byte("0123456789abcdef")}, Now: c.now,
		Base:     func(r *http.Request) string { return "http://" + r.Host },
		Services: []keystone.Service{{Type: "compute", Name: "nova", Path: "/compute/v2.1"}},
	})
	s := httptest.NewServer(k)
	t.Cleanup(s.Close)
	return s, k, c, keys
}

func call(t *testing.T, method, url, body string, header map[string]string) (*http.Response, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") && len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
	}
	return resp, out
}

func password(user, pass, scope string) string {
	return `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"` + user +
		`","password":"` + pass + `","domain":{"name":"Default"}}}}` + scope + `}}`
}

func TestLogin(t *testing.T) {
	s, k, _, _ := open(t)
	scope := func(name, domain string) string {
		return `,"scope":{"project":{"name":"` + name + `","domain":{"name":"` + domain + `"}}}`
	}
	cases := map[string]struct {
		reason, body string
		want         int
	}{
		"Password":       {"what the openstack command sends", password("k1", "s3cret", scope("acme", "Default")), 201},
		"NoScope":        {"a key has one tenant", password("k1", "s3cret", ""), 201},
		"ScopeByID":      {"gophercloud may", password("k1", "s3cret", `,"scope":{"project":{"id":"`+keystone.ProjectID("acme")+`"}}`), 201},
		"Unscoped":       {"a key has one tenant", password("k1", "s3cret", `,"scope":"unscoped"`), 201},
		"UserByID":       {"needs no domain", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"k1","password":"s3cret"}}}}}`, 201},
		"AppCredential":  {"a key is one, too", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"k1","secret":"s3cret"}}}}`, 201},
		"AppByName":      {"of a user", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"name":"k1","secret":"s3cret","user":{"name":"k1","domain":{"id":"default"}}}}}}`, 201},
		"WrongPassword":  {"", password("k1", "nope", ""), 401},
		"ForeignProject": {"must not tell whether it exists", password("k1", "s3cret", scope("other", "Default")), 401},
		"ForeignID":      {"nor this", password("k1", "s3cret", `,"scope":{"project":{"id":"`+keystone.ProjectID("other")+`"}}`), 401},
		"ForeignDomain":  {"", password("k1", "s3cret", scope("acme", "Elsewhere")), 401},
		"DomainScope":    {"roles are on projects only", password("k1", "s3cret", `,"scope":{"domain":{"id":"default"}}`), 401},
		"SystemScope":    {"", password("k1", "s3cret", `,"scope":{"system":{"all":true}}`), 401},
		"NoMethod":       {"", `{"auth":{"identity":{"methods":[]}}}`, 401},
		"WrongAppSecret": {"must not tell whether the key exists", `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"k1","secret":"x"}}}}`, 401},
		"TooLarge":       {"a bomb", `{"auth":"` + strings.Repeat("x", 120000) + `"}`, 413},
		"Deep":           {"a bomb", `{"auth":` + strings.Repeat("[", 50000), 400},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			resp, body := call(t, "POST", s.URL+"/identity/v3/auth/tokens", c.body, nil)
			if resp.StatusCode != c.want {
				t.Fatalf("%s: status %d, want %d: %v", c.reason, resp.StatusCode, c.want, body)
			}
			if c.want == 401 && !strings.Contains(resp.Header.Get("WWW-Authenticate"), s.URL+"/identity/v3") {
				t.Error("401 without WWW-Authenticate")
			}
			if c.want != 201 {
				return
			}
			who, err := k.Caller(t.Context(), resp.Header.Get("X-Subject-Token"))
			if err != nil || who.Tenant != "acme" {
				t.Fatalf("token of %v: %v", who, err)
			}
			token, _ := body["token"].(map[string]any)
			if catalog, _ := token["catalog"].([]any); len(catalog) != 2 {
				t.Errorf("catalog %v", token["catalog"])
			}
		})
	}
}

func TestTokenLife(t *testing.T) {
	s, k, clock, keys := open(t)
	resp, _ := call(t, "POST", s.URL+"/identity/v3/auth/tokens", password("k1", "s3cret", ""), nil)
	token := resp.Header.Get("X-Subject-Token")

	clock.at = clock.at.Add(30 * time.Minute)
	resp, body := call(t, "POST", s.URL+"/identity/v3/auth/tokens",
		`{"auth":{"identity":{"methods":["token"],"token":{"id":"`+token+`"}}}}`, nil)
	second, _ := body["token"].(map[string]any)
	if resp.StatusCode != 201 || second["expires_at"] != "2026-11-25T13:00:00.000000Z" {
		t.Errorf("a token of a token: %d, expires %v; must not outlive the first", resp.StatusCode, second["expires_at"])
	}
	if resp, _ = call(t, "GET", s.URL+"/identity/v3/auth/tokens", "", map[string]string{"X-Auth-Token": token, "X-Subject-Token": token}); resp.StatusCode != 200 {
		t.Errorf("validate: %d", resp.StatusCode)
	}
	for i := range len(token) {
		bad := []byte(token)
		bad[i] ^= 1
		if _, err := k.Caller(t.Context(), string(bad)); err == nil {
			t.Fatalf("token with byte %d changed is accepted", i)
		}
	}
	delete(keys, "k1")
	if _, err := k.Caller(t.Context(), token); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("token of a revoked key: %v", err)
	}
	keys["k1"] = canonical.Caller{Tenant: "acme", Key: "k1", Role: canonical.Member}
	clock.at = clock.at.Add(time.Hour)
	if _, err := k.Caller(t.Context(), token); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("expired token: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	s, _, _, _ := open(t)
	resp, _ := call(t, "POST", s.URL+"/identity/v3/auth/tokens", password("k1", "s3cret", ""), nil)
	auth := map[string]string{"X-Auth-Token": resp.Header.Get("X-Subject-Token")}
	cases := map[string]struct {
		path   string
		header map[string]string
		want   int
		key    string
	}{
		"Versions":           {"/identity", nil, 300, "versions"},
		"VersionsSlash":      {"/identity/", nil, 300, "versions"},
		"Version":            {"/identity/v3", nil, 200, "version"},
		"VersionSlash":       {"/identity/v3/", nil, 200, "version"},
		"Projects":           {"/identity/v3/projects", auth, 200, "projects"},
		"ProjectsNoToken":    {"/identity/v3/projects", nil, 401, "error"},
		"OwnProject":         {"/identity/v3/projects/" + keystone.ProjectID("acme"), auth, 200, "project"},
		"ForeignProject":     {"/identity/v3/projects/" + keystone.ProjectID("other"), auth, 404, "error"},
		"Catalog":            {"/identity/v3/auth/catalog", auth, 200, "catalog"},
		"ValidateUnknown":    {"/identity/v3/auth/tokens", map[string]string{"X-Auth-Token": auth["X-Auth-Token"], "X-Subject-Token": "x"}, 404, "error"},
		"UnknownCall":        {"/identity/v3/nosuch", auth, 404, ""},
		"OldIdentityUnknown": {"/identity/v2.0/tokens", auth, 404, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			resp, body := call(t, "GET", s.URL+c.path, "", c.header)
			if resp.StatusCode != c.want {
				t.Fatalf("status %d, want %d: %v", resp.StatusCode, c.want, body)
			}
			if _, ok := body[c.key]; c.key != "" && !ok {
				t.Errorf("no %s in %v", c.key, body)
			}
		})
	}
}

// TestRevocation: a revoked token is no good to any replica, and others of its key
// stay so.
func TestRevocation(t *testing.T) {
	gone := map[string]bool{}
	keys := map[string]canonical.Caller{
		"k1": {Tenant: "acme", Key: "k1", Role: canonical.Member}, "k2": {Tenant: "other", Key: "k2", Role: canonical.Member},
	}
	replica := func() string {
		s := httptest.NewServer(keystone.New("/identity", keystone.Options{
			Authenticate: func(_ context.Context, bearer string) (canonical.Caller, error) {
				id, _, _ := strings.Cut(bearer, ".")
				return keys[id], nil
			},
			Lookup:  func(_ context.Context, id string) (canonical.Caller, error) { return keys[id], nil },
			Secrets: [][]byte{[]byte("0123456789abcdef")},
			Base:    func(r *http.Request) string { return "http://" + r.Host },
			Revoke: func(_ context.Context, id string, life time.Duration) error {
				if life < 59*time.Minute || life > time.Hour {
					t.Errorf("revoked for %s", life)
				}
				gone[id] = true
				return nil
			},
			Revoked: func(_ context.Context, id string) (bool, error) { return gone[id], nil },
		}))
		t.Cleanup(s.Close)
		return s.URL + "/identity/v3/auth/tokens"
	}
	first, second := replica(), replica()
	login := func(key string) string {
		resp, _ := call(t, "POST", first, password(key, "s3cret", ""), nil)
		return resp.Header.Get("X-Subject-Token")
	}
	ended, other, foreign := login("k1"), login("k1"), login("k2")
	about := func(auth, subject string) map[string]string {
		return map[string]string{"X-Auth-Token": auth, "X-Subject-Token": subject}
	}
	for _, c := range []struct {
		reason, method, url string
		header              map[string]string
		status              int
	}{
		{"the other replica takes it", "GET", second, about(ended, ended), 200},
		{"another tenant's", "DELETE", first, about(foreign, ended), 403},
		{"none", "DELETE", first, about(other, "x"), 404},
		{"one's own", "DELETE", first, about(other, ended), 204},
		{"it opens nothing there", "GET", first, about(ended, other), 401},
		{"nor at the other replica", "GET", second, about(ended, other), 401},
		{"it is not found", "GET", second, about(other, ended), 404},
		{"nor a second time revoked", "DELETE", second, about(other, ended), 404},
		{"its key is good", "GET", second, about(other, other), 200},
	} {
		if resp, body := call(t, c.method, c.url, "", c.header); resp.StatusCode != c.status {
			t.Errorf("%s: %d %v, want %d", c.reason, resp.StatusCode, body, c.status)
		}
	}
	again := `{"auth":{"identity":{"methods":["token"],"token":{"id":"` + ended + `"}}}}`
	if resp, body := call(t, "POST", second, again, nil); resp.StatusCode != 404 {
		t.Errorf("a login by it: %d %v", resp.StatusCode, body)
	}
}

// TestResources: what may be seen of users, projects and the like, by whom.
func TestResources(t *testing.T) {
	s, _, _, keys := open(t)
	keys["root"] = canonical.Caller{Tenant: "admin", Key: "root", Role: canonical.Admin}
	token := map[string]string{}
	for key := range keys {
		resp, _ := call(t, "POST", s.URL+"/identity/v3/auth/tokens", password(key, "s3cret", ""), nil)
		token[key] = resp.Header.Get("X-Subject-Token")
	}
	for _, c := range []struct {
		path          string
		member, admin int
		many          string // of the administrator's answer
		count         int
	}{
		{"/domains", 403, 200, "domains", 1},
		{"/domains?name=Default", 403, 200, "domains", 1},
		{"/domains?name=nosuch", 403, 200, "domains", 0},
		{"/domains/default", 200, 200, "", 0},
		{"/domains/nosuch", 403, 404, "", 0},
		{"/regions", 200, 200, "regions", 1},
		{"/regions/RegionOne", 200, 200, "", 0},
		{"/regions/nosuch", 404, 404, "", 0},
		{"/services", 403, 200, "services", 2},
		{"/services?type=compute", 403, 200, "services", 1},
		{"/endpoints", 403, 200, "endpoints", 6},
		{"/endpoints?interface=public", 403, 200, "endpoints", 2},
		{"/roles", 403, 200, "roles", 3},
		{"/roles?name=admin", 403, 200, "roles", 1},
		{"/users", 403, 200, "users", 1},
		{"/users/k1", 200, 404, "", 0}, // this administrator's cloud lists no keys
		{"/users/k1/projects", 200, 404, "", 0},
		{"/users/root/projects", 403, 200, "projects", 1},
		{"/auth/domains", 200, 200, "domains", 0},
		{"/projects?name=admin", 200, 200, "projects", 1},
	} {
		for key, status := range map[string]int{"k1": c.member, "root": c.admin} {
			resp, body := call(t, "GET", s.URL+"/identity/v3"+c.path, "", map[string]string{"X-Auth-Token": token[key]})
			if resp.StatusCode != status {
				t.Errorf("%s for %s: %d %v, want %d", c.path, key, resp.StatusCode, body, status)
			}
			e, _ := body["error"].(map[string]any)
			if status >= 400 && e["code"] != float64(status) {
				t.Errorf("%s for %s: %v is not Keystone's shape", c.path, key, body)
			}
			if list, ok := body[c.many].([]any); key == "root" && c.many != "" && (!ok || len(list) != c.count) {
				t.Errorf("%s: %v, want %d", c.path, body, c.count)
			}
		}
	}
}
