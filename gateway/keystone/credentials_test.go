package keystone_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/keystone"
	"github.com/dragoman-cloud/dragoman/policy"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// overPolicy is a Keystone over a real policy, whose key is k1.0123456789abcdef.
func overPolicy(t *testing.T) string {
	t.Helper()
	db, err := store.Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	box, err := store.NewBox(bytes.Repeat([]byte{7}, store.BoxKeySize))
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.New(t.Context(), db, policy.Options{Box: box, BootstrapKey: "k1.0123456789abcdef"})
	if err != nil {
		t.Fatal(err)
	}
	k := keystone.New("/identity", keystone.Options{
		Authenticate: p.Authenticate, Lookup: p.Lookup, Cloud: p.Wrap(new(canonical.Mux)), Secrets: [][]byte{[]byte("0123456789abcdef")},
		Base: func(r *http.Request) string { return "http://" + r.Host },
	})
	s := httptest.NewServer(k)
	t.Cleanup(s.Close)
	return s.URL + "/identity/v3"
}

// An application credential is its maker to a client: by id, or by name of a user. What
// would widen it, or narrow it as nobody here does, is refused by its name.
func TestApplicationCredentials(t *testing.T) {
	url := overPolicy(t)
	login := func(body string, want int) (map[string]string, map[string]any) {
		t.Helper()
		resp, got := call(t, "POST", url+"/auth/tokens", body, nil)
		if resp.StatusCode != want {
			t.Fatalf("%s: %d %v", body, resp.StatusCode, got)
		}
		token, _ := got["token"].(map[string]any)
		return map[string]string{"X-Auth-Token": resp.Header.Get("X-Subject-Token")}, token
	}
	maker, _ := login(password("k1", "0123456789abcdef", ""), 201)
	at := url + "/users/k1/application_credentials"
	for body, want := range map[string]struct {
		status int
		tells  string
	}{
		`{"application_credential":{"name":"a","unrestricted":true}}`:                {400, "unrestricted"},
		`{"application_credential":{"name":"a","access_rules":[{"path":"/"}]}}`:      {400, "access_rules"},
		`{"application_credential":{"name":"a","roles":[{"name":"owner"}]}}`:         {404, "owner"},
		`{"application_credential":{"name":"a","expires_at":"soon"}}`:                {400, "expires_at"},
		`{"application_credential":{"name":"a","expires_at":"2020-01-01T00:00:00"}}`: {400, "before now"},
		`{"application_credential":{"name":"a","project_id":"other"}}`:               {403, "create_application_credential"},
		`{"application_credential":{}}`:                                              {400, "name"},
		`{}`:                                                                         {400, "application_credential"},
	} {
		resp, got := call(t, "POST", at, body, maker)
		problem, _ := got["error"].(map[string]any)
		text, _ := problem["message"].(string)
		if resp.StatusCode != want.status || !strings.Contains(text, want.tells) {
			t.Errorf("%s: %d %v", body, resp.StatusCode, got)
		}
	}
	resp, got := call(t, "POST", at, `{"application_credential":{"name":"app","roles":[{"name":"member"}],"expires_at":"2099-01-01T00:00:00.000000Z"}}`, maker)
	made, _ := got["application_credential"].(map[string]any)
	id, _ := made["id"].(string)
	secret, _ := made["secret"].(string)
	if resp.StatusCode != 201 || secret == "" || made["expires_at"] != "2099-01-01T00:00:00.000000" || made["user_id"] != "k1" || made["unrestricted"] != false {
		t.Fatalf("made %d %v", resp.StatusCode, got)
	}
	if resp, got := call(t, "POST", at, `{"application_credential":{"name":"app"}}`, maker); resp.StatusCode != 409 {
		t.Errorf("of a name twice: %d %v", resp.StatusCode, got)
	}
	form := `{"auth":{"identity":{"methods":["application_credential"],"application_credential":{%,"secret":"` + secret + `"}}}}`
	var app map[string]string
	for _, who := range []string{`"id":"` + id + `"`, `"name":"app","user":{"id":"k1"}`, `"name":"app","user":{"name":"k1","domain":{"id":"default"}}`} {
		header, token := login(strings.Replace(form, "%", who, 1), 201)
		user, _ := token["user"].(map[string]any)
		project, _ := token["project"].(map[string]any)
		if roles, _ := token["roles"].([]any); user["id"] != "k1" || project["name"] != "bootstrap" || len(roles) != 2 {
			t.Errorf("%s: token %v", who, token)
		}
		app = header
	}
	login(strings.Replace(form, "%", `"name":"app","user":{"id":"k2"}`, 1), 401)
	if resp, _ := call(t, "POST", at, `{"application_credential":{"name":"child"}}`, app); resp.StatusCode != 403 {
		t.Errorf("a credential makes another: %d", resp.StatusCode)
	}
	if resp, got := call(t, "GET", at+"?name=app", "", app); resp.StatusCode != 200 || len(got["application_credentials"].([]any)) != 1 { //nolint:forcetypeassert // a test
		t.Errorf("listed %d %v", resp.StatusCode, got)
	}
	if resp, _ := call(t, "GET", url+"/users/k2/application_credentials", "", maker); resp.StatusCode != 403 {
		t.Errorf("another's are told: %d", resp.StatusCode)
	}
	if resp, got := call(t, "DELETE", at+"/"+id, "", maker); resp.StatusCode != 204 {
		t.Errorf("deleted %d %v", resp.StatusCode, got)
	}
	for method, want := range map[string]int{"GET": 404, "DELETE": 404} {
		if resp, _ := call(t, method, at+"/"+id, "", maker); resp.StatusCode != want {
			t.Errorf("%s of a deleted one: %d", method, resp.StatusCode)
		}
	}
	if resp, _ := call(t, "GET", url+"/auth/projects", "", app); resp.StatusCode != 401 {
		t.Errorf("the token of a deleted credential: %d", resp.StatusCode)
	}
}
