package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway"
	"github.com/dragoman-cloud/dragoman/gateway/gatewaytest"
)

// answered is what came of a request.
type answered struct {
	status int
	header http.Header
	body   []byte
}

func (a answered) problem() (p canonical.Problem) {
	_ = json.Unmarshal(a.body, &p) // what is none has no code
	return p
}

func send(t *testing.T, h http.Handler, key, method, target, body string) answered {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Prefer", "wait=20")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answered{w.Code, w.Header(), w.Body.Bytes()}
}

func wants(t *testing.T, what string, got answered, status int, code canonical.Code) {
	t.Helper()
	if got.status != status || got.problem().Code != code {
		t.Errorf("%s: got %d %s, want %d %s", what, got.status, got.body, status, code)
	}
}

const aServer = `{"name":"web","flavor":"small","image":"cirros","cloud":"mem"}`

// TestOtherTenants: the things of one tenant are not there for another, whatever it
// asks; operators see them.
func TestOtherTenants(t *testing.T) {
	s := gatewaytest.New(t, gatewaytest.Share("mem", memory.New(memory.Options{})))
	mine, others, operator := s.Key("acme", canonical.Member), s.Key("other", canonical.Member), s.Key("ops", canonical.Operator)
	var made canonical.ServersCreated
	res := send(t, s.Handler, mine, "POST", "/v1/servers", aServer)
	if err := json.Unmarshal(res.body, &made); err != nil || res.status != 201 || len(made.Servers) != 1 {
		t.Fatal(res.status, string(res.body), err)
	}
	var operations canonical.Page[canonical.Operation]
	if err := json.Unmarshal(send(t, s.Handler, mine, "GET", "/v1/operations", "").body, &operations); err != nil || len(operations.Items) != 1 {
		t.Fatal(operations, err)
	}
	if res := send(t, s.Handler, mine, "POST", "/v1/keypairs", `{"name":"kp","cloud":"mem"}`); res.status != 201 {
		t.Fatal(res.status, string(res.body))
	}
	server, operation := "/v1/servers/"+string(made.Servers[0].ID), "/v1/operations/"+string(operations.Items[0].ID)
	for _, ask := range []struct{ method, target, body string }{
		{"GET", server, ""},
		{"PATCH", server, `{"name":"stolen"}`},
		{"DELETE", server, ""},
		{"POST", server + "/start", ""},
		{"POST", server + "/stop", ""},
		{"POST", server + "/reboot", ""},
		{"POST", server + "/rebuild", `{"image":"cirros"}`},
		{"GET", server + "/snapshots", ""},
		{"POST", server + "/snapshots", `{"name":"s"}`},
		{"GET", operation, ""},
		{"POST", operation + "/cancel", ""},
		{"GET", "/v1/keypairs/kp", ""},
		{"DELETE", "/v1/keypairs/kp", ""},
	} {
		wants(t, ask.method+" "+ask.target, send(t, s.Handler, others, ask.method, ask.target, ask.body), 404, canonical.NotFound)
	}
	for _, list := range []string{"/v1/servers", "/v1/operations", "/v1/keypairs"} {
		var page canonical.Page[json.RawMessage]
		res := send(t, s.Handler, others, "GET", list, "")
		if err := json.Unmarshal(res.body, &page); err != nil || len(page.Items) != 0 {
			t.Errorf("%s: %s, %v", list, res.body, err)
		}
	}
	wants(t, "tenant= of a member", send(t, s.Handler, others, "GET", "/v1/servers?tenant=acme", ""), 403, canonical.Forbidden)
	if res := send(t, s.Handler, operator, "GET", server+"?tenant=acme", ""); res.status != 200 {
		t.Errorf("an operator: %d %s", res.status, res.body)
	}
	if res := send(t, s.Handler, mine, "GET", server, ""); res.status != 200 || !strings.Contains(string(res.body), `"web"`) {
		t.Errorf("the owner: %d %s", res.status, res.body)
	}
}

func TestUnknownClouds(t *testing.T) {
	s := gatewaytest.New(t, gatewaytest.Share("mem", memory.New(memory.Options{})), gatewaytest.Share("mem2", memory.New(memory.Options{})))
	key := s.Key("acme", canonical.Member)
	for _, ask := range []struct{ method, target, body string }{
		{"GET", "/v1/servers?cloud=nowhere", ""},
		{"GET", "/v1/servers?cloud=mem,nowhere", ""},
		{"GET", "/v1/flavors?cloud=MEM", ""},
		{"POST", "/v1/servers?cloud=nowhere", `{"name":"a","flavor":"small","image":"cirros"}`},
		{"POST", "/v1/servers", `{"name":"a","flavor":"small","image":"cirros","cloud":"nowhere"}`},
		{"POST", "/v1/servers?cloud=mem2", aServer},
	} {
		res := send(t, s.Handler, key, ask.method, ask.target, ask.body)
		wants(t, ask.method+" "+ask.target, res, 400, canonical.InvalidRequest)
		if p := res.problem(); len(p.Errors) != 1 || p.Errors[0].Field != "cloud" {
			t.Errorf("%s %s: fields %+v", ask.method, ask.target, p.Errors)
		}
	}
	wants(t, "no cloud of several", send(t, s.Handler, key, "POST", "/v1/servers", `{"name":"a","flavor":"small","image":"cirros"}`), 409, canonical.FailedPrecondition)
	for _, id := range []string{"nowhere:x", "x", "mem:", "mem:%2e%2e", ":x", "mem%3Amem%3Ax"} {
		wants(t, id, send(t, s.Handler, key, "GET", "/v1/servers/"+id, ""), 404, canonical.NotFound)
	}
}

// TestTamperedKeys: whatever is wrong with a key, the answer is the same.
func TestTamperedKeys(t *testing.T) {
	s := gatewaytest.New(t, gatewaytest.Share("mem", memory.New(memory.Options{})))
	key := s.Key("acme", canonical.Member)
	id, secret, _ := strings.Cut(key, ".")
	other, _, _ := strings.Cut(s.Key("acme", canonical.Admin), ".")
	detail := ""
	for _, bad := range []string{
		id, id + ".", "." + secret, id + "." + secret[1:], id + "." + secret + "A", other + "." + secret, strings.ToUpper(key),
		id + "." + strings.Repeat("A", 1<<14), "x.y", key + "." + secret, id + "\x00." + secret, "%", "' OR 1=1 --." + secret,
	} {
		res := send(t, s.Handler, bad, "GET", "/v1/servers", "")
		wants(t, fmt.Sprintf("%.40q", bad), res, 401, canonical.Unauthenticated)
		if d := res.problem().Detail; detail == "" {
			detail = d
		} else if d != detail {
			t.Errorf("%.40q: %q tells more than %q", bad, d, detail)
		}
	}
	if res := send(t, s.Handler, key, "GET", "/v1/servers", ""); res.status != 200 {
		t.Error(res.status)
	}
}

// TestCursorsOfOthers: a cursor is of one list, one order, one tenant.
func TestCursorsOfOthers(t *testing.T) {
	s := gatewaytest.New(t, gatewaytest.Share("mem", memory.New(memory.Options{})))
	key := s.Key("acme", canonical.Member)
	var page canonical.Page[canonical.Flavor]
	if err := json.Unmarshal(send(t, s.Handler, key, "GET", "/v1/flavors?limit=1", "").body, &page); err != nil || page.NextCursor == "" {
		t.Fatal(page, err)
	}
	at := "cursor=" + page.NextCursor
	if res := send(t, s.Handler, key, "GET", "/v1/flavors?limit=1&"+at, ""); res.status != 200 {
		t.Fatal(string(res.body))
	}
	for _, target := range []string{
		"/v1/flavors?sort=name&" + at, "/v1/flavors?cloud=mem&" + at, "/v1/flavors?name=x&" + at, "/v1/images?" + at,
		"/v1/flavors?" + at + "A", "/v1/flavors?" + at[:len(at)-1], "/v1/flavors?cursor=" + strings.Repeat("A", 1<<13),
	} {
		wants(t, target[:30], send(t, s.Handler, key, "GET", target, ""), 400, canonical.InvalidRequest)
	}
	wants(t, "another tenant", send(t, s.Handler, s.Key("other", canonical.Member), "GET", "/v1/flavors?"+at, ""), 400, canonical.InvalidRequest)
}

func TestRequestIDs(t *testing.T) {
	s := gatewaytest.New(t, gatewaytest.Share("mem", memory.New(memory.Options{})))
	key := s.Key("acme", canonical.Member)
	for id, taken := range map[string]bool{
		"a": true, "A-z_0.9": true, strings.Repeat("x", 128): true,
		"": false, strings.Repeat("x", 129): false, "a b": false, "a/b": false, "é": false, "a;b": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/servers", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("X-Request-Id", id)
		w := httptest.NewRecorder()
		s.Handler.ServeHTTP(w, r)
		if got := w.Header().Get("X-Request-Id"); (got == id) != taken || got == "" {
			t.Errorf("%q: got %q", id, got)
		}
	}
}

// TestSlowloris: clients that send their header byte by byte are cut off, and leave
// no goroutine (TestMain).
func TestSlowloris(t *testing.T) {
	srv := gateway.NewServer(http.NotFoundHandler(), nil)
	if srv.ReadHeaderTimeout <= 0 || srv.ReadHeaderTimeout > 30*time.Second || srv.IdleTimeout <= 0 || srv.ReadTimeout <= 0 {
		t.Errorf("timeouts: header %s, idle %s, read %s", srv.ReadHeaderTimeout, srv.IdleTimeout, srv.ReadTimeout)
	}
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	for range 20 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-A"); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(bufio.NewReader(c)); err != nil {
			t.Errorf("the connection was not cut: %v after %q", err, b)
		}
	}
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	<-served
}
