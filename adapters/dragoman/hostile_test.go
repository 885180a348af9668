package dragoman

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// remote is a Cloud before a server that answers by h.
func remote(t *testing.T, h http.HandlerFunc) *Cloud {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	c, err := New(Options{Endpoint: s.URL, Key: "id.secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// answer is a handler that always answers so.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestHostileRemote(t *testing.T) {
	const problem = "application/problem+json"
	for name, test := range map[string]struct {
		reason string
		h      http.HandlerFunc
		want   canonical.Code
	}{
		"HTML":        {"a proxy's page is no answer", answer(200, "text/html", "<html>welcome</html>"), canonical.UpstreamError},
		"HTML404":     {"a proxy's 404 says nothing about the server", answer(404, "text/html", "<html>"), canonical.UpstreamError},
		"HTML503":     {"a proxy without backends", answer(503, "text/html", "<html>"), canonical.Unavailable},
		"Truncated":   {"half a server is none", answer(200, "application/json", `{"id": "a", "name": `), canonical.UpstreamError},
		"WrongTypes":  {"a number is no name", answer(200, "application/json", `{"id": "a", "name": 1}`), canonical.UpstreamError},
		"ErrorIn200":  {"an error is no server", answer(200, "application/json", `{"error": {"code": 1}}`), canonical.UpstreamError},
		"Null":        {"null is no server", answer(200, "application/json", `null`), canonical.UpstreamError},
		"Empty":       {"nothing is no server", answer(200, "application/json", ""), canonical.UpstreamError},
		"Empty202":    {"an operation has an id", answer(202, "application/json", "{}"), canonical.UpstreamError},
		"UnknownCode": {"codes are a closed set", answer(400, problem, `{"code": "odd", "status": 400}`), canonical.UpstreamError},
		"NotFound":    {"the remote's own word counts", answer(404, problem, `{"code": "not_found", "status": 404}`), canonical.NotFound},
		"BigError":    {"10 MB of error are cut", answer(500, "text/plain", strings.Repeat("x", 10<<20)), canonical.UpstreamError},
		"Endless": {"an answer has an end", func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 1<<20)
			for range maxAnswer>>20 + 2 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, canonical.UpstreamError},
		"BrokenOff": {"fewer bytes than promised", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"id":`)
		}, canonical.UpstreamError},
		"Reset": {"no answer at all", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		}, canonical.Unavailable},
		"RedirectLoop": {"redirects are not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, canonical.UpstreamError},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := canonical.GetServer.Do(t.Context(), remote(t, test.h), canonical.ServerGet{ID: "m:1"})
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("%s: got %q (%v), want %q", test.reason, got, err, test.want)
			}
			if e := canonical.AsError(err); e != nil && e.Upstream != nil && len(e.Upstream.Message) > maxMessage {
				t.Errorf("the message has %d bytes", len(e.Upstream.Message))
			}
		})
	}
}

// A list is answered at once: 202 is none.
func TestListIsNoWork(t *testing.T) {
	c := remote(t, answer(202, "application/json", `{"id": "job1"}`))
	if _, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{}); canonical.CodeOf(err) != canonical.UpstreamError {
		t.Errorf("got %v, want upstream_error", err)
	}
}

func TestHang(t *testing.T) {
	c := remote(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := canonical.GetServer.Do(ctx, c, canonical.ServerGet{ID: "m:1"})
	if got := canonical.CodeOf(err); got != canonical.Timeout {
		t.Errorf("got %q (%v), want timeout", got, err)
	}
	c.timeout = 50 * time.Millisecond
	_, err = canonical.GetServer.Do(t.Context(), c, canonical.ServerGet{ID: "m:1"})
	if got := canonical.CodeOf(err); got != canonical.Timeout {
		t.Errorf("own bound: got %q (%v), want timeout", got, err)
	}
}

// TestRedirectKeepsKey: the key stays with the host that was configured.
func TestRedirectKeepsKey(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other host was asked for %s", r.URL)
	}))
	t.Cleanup(thief.Close)
	c := remote(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusFound)
	})
	if _, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{}); canonical.CodeOf(err) != canonical.UpstreamError {
		t.Errorf("got %v, want upstream_error", err)
	}
}

func TestUnderWayIsRepeated(t *testing.T) {
	asked := 0
	c := remote(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			answer(409, "application/problem+json", `{"code": "conflict", "status": 409, "retry_after_s": 1}`)(w, r)
			return
		}
		answer(201, "application/json", `{"servers": [{"id": "m:1"}]}`)(w, r)
	})
	ctx := canonical.WithOptions(t.Context(), canonical.Options{IdempotencyKey: "k"})
	r, err := canonical.CreateServer.Do(ctx, c, canonical.ServerCreate{Name: "a", Flavor: "f", Image: "i"})
	if err != nil || len(r.Result.Servers) != 1 || asked != 2 {
		t.Errorf("got %+v, %v after %d requests", r, err, asked)
	}
}

func TestNestedBlamesTheCloud(t *testing.T) {
	for _, code := range []canonical.Code{canonical.Unauthenticated, canonical.Internal} {
		c := remote(t, answer(code.HTTPStatus(), "application/problem+json", fmt.Sprintf(`{"code": %q, "status": %d}`, code, code.HTTPStatus())))
		for nested, want := range map[bool]canonical.Code{false: code, true: canonical.UpstreamError} {
			c.nested = nested
			if _, err := canonical.ListServers.Do(t.Context(), c, canonical.ServerList{}); canonical.CodeOf(err) != want {
				t.Errorf("%s, nested %t: got %v, want %s", code, nested, err, want)
			}
		}
	}
}

func TestBadEndpoints(t *testing.T) {
	for _, endpoint := range []string{"", "host:80", "ftp://host", "http://", "http://u:p@host", "http://host?a=b", "http://[", "://"} {
		if _, err := New(Options{Endpoint: endpoint}); canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Errorf("%q: got %v, want invalid_request", endpoint, err)
		}
	}
}
