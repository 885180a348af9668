package keystone_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/keystone"
)

// TestRefusals: what a Keystone 22 answered to these bodies (tried on the one of
// test/openstack), to the status and the beginning of the message.
func TestRefusals(t *testing.T) {
	s, _, _, _ := open(t)
	user := func(fields string) string {
		return `{"auth":{"identity":{"methods":["password"],"password":{"user":{` + fields + `}}}}}`
	}
	in := func(identity string) string { return `{"auth":{"identity":` + identity + `}}` }
	const bad = ". The server could not comply with the request"
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"Empty":          {"", 400, "Expecting to find auth in request body" + bad},
		"NotJSON":        {`{"auth":`, 400, "Expecting to find valid JSON in request body" + bad},
		"List":           {`[]`, 400, "Expecting to find valid JSON in request body" + bad},
		"NoAuth":         {`{}`, 400, "Expecting to find auth in request body" + bad},
		"NoIdentity":     {`{"auth":{}}`, 400, "'identity' is a required property"},
		"NoMethods":      {in(`{}`), 400, "Invalid input for field 'identity': 'methods' is a required property"},
		"MethodsText":    {in(`{"methods":"password"}`), 400, "Invalid input for field 'identity/methods': "},
		"MethodUnfilled": {in(`{"methods":["password"]}`), 400, "Expecting to find password in identity" + bad},
		"MethodNull":     {in(`{"methods":["password"],"password":{"user":{"id":"k1"}},"PASSWORD":null}`), 400, "Expecting to find password in identity" + bad},
		"OtherUnfilled":  {in(`{"methods":["nosuch"]}`), 400, "Expecting to find nosuch in identity" + bad},
		"OtherMethod":    {in(`{"methods":["totp"],"totp":{"user":{"id":"x","passcode":"1"}}}`), 401, "Attempted to authenticate with an unsupported method."},
		"NoUser":         {in(`{"methods":["password"],"password":{}}`), 400, "Expecting to find user in "},
		"Nobody":         {user(`"password":"y"`), 400, "Invalid input for field identity/password/user: id or name must be present."},
		"NoDomain":       {user(`"name":"x","password":"y"`), 400, "Expecting to find domain in user" + bad},
		"EmptyDomain":    {user(`"name":"x","password":"y","domain":{}`), 400, "Invalid input for field identity/password/user/domain: id or name must be present."},
		"NumberName":     {user(`"name":5,"password":"y","domain":{"id":"default"}`), 400, "Invalid input for field 'identity/password/user/name': "},
		"NoPassword":     {user(`"name":"k1","domain":{"id":"default"}`), 401, "The request you have made requires authentication."},
		"Separator":      {user(`"name":"k1.s3cret","password":"","domain":{"id":"default"}`), 401, "The request you have made requires authentication."},
		"TokenEmpty":     {in(`{"methods":["token"],"token":{}}`), 400, "Invalid input for field 'identity/token': 'id' is a required property"},
		"TokenBad":       {in(`{"methods":["token"],"token":{"id":"eyJrIjoiazEifQ.AAAA"}}`), 404, "Could not recognize Fernet token"},
		"AppNameAlone":   {in(`{"methods":["application_credential"],"application_credential":{"name":"x","secret":"y"}}`), 400, "Expecting to find user in application credential" + bad},
		"ScopeEmpty":     {password("k1", "s3cret", `,"scope":{}`), 400, "Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope" + bad},
		"ScopeWord":      {password("k1", "s3cret", `,"scope":"wide"`), 400, "Expecting to find system, project, domain, OS-TRUST:trust or unscoped in scope" + bad},
		"ScopeNothing":   {password("k1", "s3cret", `,"scope":{"project":{}}`), 400, "Invalid input for field scope/project: id or name must be present."},
		"ScopeNoDomain":  {password("k1", "s3cret", `,"scope":{"project":{"name":"acme"}}`), 400, "Expecting to find domain in project" + bad},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := call(t, "POST", s.URL+"/identity/v3/auth/tokens", c.body, nil)
			e, _ := body["error"].(map[string]any)
			message, _ := e["message"].(string)
			if resp.StatusCode != c.status || e["code"] != float64(c.status) || e["title"] != http.StatusText(c.status) || !strings.HasPrefix(message, c.says) {
				t.Errorf("%d %v\nwant %d %q", resp.StatusCode, body, c.status, c.says)
			}
			if (c.status == 401) != strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), `Keystone uri="`+s.URL+`/identity/v3"`) {
				t.Errorf("WWW-Authenticate is %q", resp.Header.Get("WWW-Authenticate"))
			}
		})
	}
	resp, body := call(t, "POST", s.URL+"/identity/v3/auth/tokens", password("k1", "s3cret", ""), map[string]string{"Content-Type": "text/plain"})
	if resp.StatusCode != 400 {
		t.Errorf("a body that says it is text: %d %v", resp.StatusCode, body)
	}
}

// TestForeignTokens: of another deployment, expired, revoked with their key, and of
// another tenant.
func TestForeignTokens(t *testing.T) {
	s, k, clock, keys := open(t)
	keys["k2"] = canonical.Caller{Tenant: "other", Key: "k2", Role: canonical.Member}
	keys["root"] = canonical.Caller{Tenant: "admin", Key: "root", Role: canonical.Admin}
	tokens := s.URL + "/identity/v3/auth/tokens"
	login := func(key string) string {
		resp, _ := call(t, "POST", tokens, password(key, "s3cret", ""), nil)
		return resp.Header.Get("X-Subject-Token")
	}
	one, two, root := login("k1"), login("k2"), login("root")

	for _, c := range []struct {
		reason, method, auth, subject string
		status                        int
	}{
		{"one's own", "GET", one, one, 200},
		{"what clients do", "HEAD", one, one, 200},
		{"another tenant's", "GET", one, two, 403},
		{"administrators may", "GET", root, two, 200},
		{"nothing to ask about", "GET", one, "", 404},
		{"no token", "GET", "", one, 401},
		{"nobody remembers what is revoked here", "DELETE", one, one, 501},
		{"no such method", "PUT", one, one, 405},
	} {
		resp, body := call(t, c.method, tokens, "", map[string]string{"X-Auth-Token": c.auth, "X-Subject-Token": c.subject})
		if resp.StatusCode != c.status {
			t.Errorf("%s (%s): %d %v, want %d", c.reason, c.method, resp.StatusCode, body, c.status)
		}
		if (c.status == 200) != (resp.Header.Get("X-Subject-Token") == c.subject && c.subject != "") {
			t.Errorf("%s: X-Subject-Token is %q", c.reason, resp.Header.Get("X-Subject-Token"))
		}
	}

	elsewhere := keystone.New("/identity", keystone.Options{
		Secrets: [][]byte{[]byte("another secret")}, Now: clock.now,
		Lookup: func(context.Context, string) (canonical.Caller, error) { return keys["k1"], nil },
	})
	if _, err := elsewhere.Caller(t.Context(), one); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("another deployment takes the token: %v", err)
	}
	rotated := keystone.New("/identity", keystone.Options{
		Secrets: [][]byte{[]byte("a newer secret"), []byte("0123456789abcdef")}, Now: clock.now,
		Lookup: func(context.Context, string) (canonical.Caller, error) { return keys["k1"], nil },
	})
	if _, err := rotated.Caller(t.Context(), one); err != nil {
		t.Errorf("a token of the secret that was first before: %v", err)
	}
	clock.at = clock.at.Add(time.Hour)
	if _, err := k.Caller(t.Context(), one); canonical.CodeOf(err) != canonical.Unauthenticated {
		t.Errorf("an expired token: %v", err)
	}
	resp, _ := call(t, "GET", tokens, "", map[string]string{"X-Auth-Token": login("k1"), "X-Subject-Token": one})
	if resp.StatusCode != 404 {
		t.Errorf("an expired token is asked about: %d", resp.StatusCode)
	}
}

// FuzzLogin: no body makes the service fail, or lets in who does not know a secret.
func FuzzLogin(f *testing.F) {
	f.Add(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"k1","password":"x"}}},"scope":"unscoped"}}`)
	f.Add(`{"auth":{"identity":{"methods":["token"],"token":{"id":"a.b"}},"scope":{"project":{"id":"x"}}}}`)
	f.Add(`{"auth":{"identity":{"methods":["application_credential"],"application_credential":{"id":"k1","secret":""}}}}`)
	f.Add(`{"auth":{"identity":{"methods":["password"],"password":{"user":null},"PASSWORD":null}}}`)
	nobody := func(context.Context, string) (canonical.Caller, error) {
		return canonical.Caller{}, canonical.Errorf(canonical.Unauthenticated, "nobody")
	}
	k := keystone.New("/identity", keystone.Options{
		Authenticate: nobody, Lookup: nobody, Secrets: [][]byte{[]byte("s")}, Base: func(*http.Request) string { return "" },
	})
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/identity/v3/auth/tokens", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		k.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%q is answered with %d %s", body, w.Code, w.Body)
		}
	})
}

// FuzzToken: no text but a signed one is a token.
func FuzzToken(f *testing.F) {
	f.Add("eyJrIjoiazEifQ.AAAA")
	f.Add(".")
	k := keystone.New("/identity", keystone.Options{
		Secrets: [][]byte{[]byte("s")},
		Lookup:  func(context.Context, string) (canonical.Caller, error) { return canonical.Caller{Key: "k1"}, nil },
	})
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := k.Caller(t.Context(), token); canonical.CodeOf(err) != canonical.Unauthenticated {
			t.Errorf("%q is a token: %v", token, err)
		}
	})
}
