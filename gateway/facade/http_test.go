package facade_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/gateway/facade"
	"github.com/dragoman-cloud/dragoman/translate"
)

// echo is a cloud that makes what it is asked for.
func echo(_ context.Context, call canonical.Call) (canonical.Reply, error) {
	switch r := call.Request.(type) {
	case canonical.ServerCreate:
		s := canonical.ServerWithPassword{Server: canonical.Server{ID: canonical.ID("new-" + r.Name)}}
		return canonical.Reply{Result: canonical.ServersCreated{Servers: []canonical.ServerWithPassword{s}}}, nil
	case canonical.ServerGet:
		return canonical.Reply{Result: canonical.Server{ID: r.ID, Name: "a"}}, nil
	case canonical.ServerList:
		return canonical.Reply{Result: canonical.Page[canonical.Server]{}}, nil
	default:
		return canonical.Reply{Result: canonical.None{}}, nil
	}
}

func TestRequests(t *testing.T) {
	big := `{"make":{"name":"` + strings.Repeat("a", 200_000) + `"}}`
	cases := map[string]struct {
		method, path, body string
		status             int
		answer             string
	}{
		"Open":         {"GET", "", "", 200, `{"toy":"1"}`},
		"Get":          {"GET", "/servers/a", "", 200, `{"id":"a","name":"a"}`},
		"EscapedID":    {"GET", "/servers/a%2Fb%3Fc", "", 200, `{"id":"a/b?c","name":"a"}`},
		"Head":         {"HEAD", "/servers/a", "", 405, ""},
		"Create":       {"POST", "/servers", `{"make":{"name":"x","image":"i"}}`, 202, `{"id":"new-x","name":""}`},
		"Delete":       {"DELETE", "/servers/a", "", 204, ""},
		"NoSuchPath":   {"GET", "/nothing", "", 404, "not_found"},
		"NoSuchMethod": {"PATCH", "/servers", "", 405, "not_found"},
		"NoAction":     {"POST", "/servers", `{"take":{}}`, 400, "no such action: take"},
		"TwoActions":   {"POST", "/servers", `{"make":{"name":"x","image":"i"},"take":{}}`, 400, "Malformed"},
		"NotJSON":      {"POST", "/servers", `{"make":`, 400, "Malformed"},
		"UnknownField": {"POST", "/servers", `{"make":{"name":"x","image":"i","colour":"y"}}`, 400, "'colour' was unexpected"},
		"WrongType":    {"POST", "/servers", `{"make":{"name":[]}}`, 400, "name"},
		"Null":         {"POST", "/servers", `{"make":null}`, 400, "invalid_request"},
		"DeepNesting":  {"POST", "/servers", `{"make":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`, 400, ""},
		"TooLarge":     {"POST", "/servers", big, 413, "too_large"},
		"EmptyID":      {"GET", "/servers/", "", 404, "not_found"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			h := toy(does(echo)).Mount("s", "/toy", func(*http.Request) map[string]string { return nil })
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/toy", strings.NewReader(c.body))
			r.URL.Path, r.URL.RawPath = unescaped("/toy"+c.path), "/toy"+c.path
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.answer) {
				t.Errorf("%d %.200s; want %d %s", w.Code, w.Body, c.status, c.answer)
			}
		})
	}
}

func unescaped(path string) string { return strings.NewReplacer("%2F", "/", "%3F", "?").Replace(path) }

// TestBodyThatEndsEarly: a client that goes away in the middle of a request.
func TestBodyThatEndsEarly(t *testing.T) {
	h := toy(does(echo)).Mount("s", "", func(*http.Request) map[string]string { return nil })
	body := io.MultiReader(strings.NewReader(`{"make":`), iotest.ErrReader(io.ErrUnexpectedEOF))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", "/servers", body))
	if w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestSlowClients: who sends a body drop by drop is told so and let go.
func TestSlowClients(t *testing.T) {
	f := toy(does(echo), func(o *facade.Options) { o.Slowest = 50 * time.Millisecond })
	s := httptest.NewServer(f.Mount("s", "", func(*http.Request) map[string]string { return nil }))
	defer s.Close()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /servers HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%d %v", resp.StatusCode, err)
	}
}

// TestFailures: each kind of failure behind the facade is told as what it is; above
// all, NotFound is told only where a cloud says so.
func TestFailures(t *testing.T) {
	for code, status := range map[canonical.Code]int{
		canonical.NotFound: 404, canonical.Unavailable: 503, canonical.Timeout: 504, canonical.UpstreamError: 502,
		canonical.Internal: 500, canonical.Forbidden: 403, canonical.Unsupported: 501, canonical.FailedPrecondition: 409,
	} {
		fails := does(func(context.Context, canonical.Call) (canonical.Reply, error) {
			return canonical.Reply{}, canonical.Errorf(code, "so it is")
		})
		for _, call := range [][2]string{{"GET", "/servers/a"}, {"DELETE", "/servers/a"}, {"GET", "/servers"}, {"GET", "/count"}} {
			if r := ask(t.Context(), t, toy(fails), call[0], call[1], ""); r.Status != status {
				t.Errorf("%s of %v: %d, want %d", code, call, r.Status, status)
			}
		}
	}
}

// TestFactsThatCannotBeHad: a marker that is merely unreachable is not "not there".
func TestFactsThatCannotBeHad(t *testing.T) {
	down := does(func(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
		if call.Op == canonical.GetServer.Spec() {
			return canonical.Reply{}, canonical.Errorf(canonical.Unavailable, "the cloud cannot be reached")
		}
		return echo(ctx, call)
	})
	if r := ask(t.Context(), t, toy(down), "GET", "/servers?marker=a", ""); r.Status != 503 {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// TestStrangers: nobody without a principal learns what the dialect has, or reaches
// a cloud.
func TestStrangers(t *testing.T) {
	reached := false
	f := toy(does(func(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
		reached = true
		return echo(ctx, call)
	}), func(o *facade.Options) {
		o.Authenticate = func(context.Context, *translate.Request) (facade.Principal, error) {
			return facade.Principal{}, canonical.Errorf(canonical.Unauthenticated, "who are you")
		}
	})
	for _, target := range []string{"/servers", "/servers/a", "/nothing"} {
		if r := ask(t.Context(), t, f, "GET", target, ""); r.Status != 401 || reached {
			t.Errorf("%s: %d, reached %v", target, r.Status, reached)
		}
	}
	if r := ask(t.Context(), t, f, "GET", "", ""); r.Status != 200 {
		t.Errorf("the open document: %d", r.Status)
	}
}
