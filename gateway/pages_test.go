package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/pb33f/libopenapi"
)

func text(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpenAPI(t *testing.T) {
	_, h, _ := newTest(t, nil)
	raw := text(t, ask(h, "GET", "/openapi.json", "", "Authorization", ""))
	doc, err := libopenapi.NewDocument([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	if v := doc.GetVersion(); !strings.HasPrefix(v, "3.1") {
		t.Errorf("version %s", v)
	}
	for _, op := range canonical.Ops() {
		item, ok := model.Model.Paths.PathItems.Get(op.Path)
		if !ok {
			t.Errorf("%s: no path %s", op, op.Path)
			continue
		}
		got, ok := item.GetOperations().Get(strings.ToLower(op.Method))
		if !ok || got.OperationId != op.Name {
			t.Errorf("%s is not described", op)
			continue
		}
		for _, name := range paramNames(op.Path) {
			found := false
			for _, p := range got.Parameters {
				found = found || p.Name == name && p.In == "path"
			}
			if !found {
				t.Errorf("%s: parameter %s is not described", op, name)
			}
		}
	}
	schemas := model.Model.Components.Schemas
	for schema, fields := range map[string]map[string]bool{ // field: may it be null
		"ServerUpdate": {"description": true, "tags": true, "metadata": true},
		"Server":       {"description": true, "created_at": true, "tags": false, "name": false},
	} {
		proxy, ok := schemas.Get(schema)
		if !ok {
			t.Fatalf("no schema %s", schema)
		}
		for field, null := range fields {
			p, ok := proxy.Schema().Properties.Get(field)
			if !ok {
				t.Fatalf("no field %s.%s", schema, field)
			}
			if got := slices.Contains(p.Schema().Type, "null"); got != null {
				t.Errorf("%s.%s: type %v", schema, field, p.Schema().Type)
			}
		}
	}
}

func TestOpenPages(t *testing.T) {
	_, h, _ := newTest(t, does{"server.get": result(canonical.Server{})})
	ask(h, "GET", "/v1/servers/os1:a", "")
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/docs": "/docs/docs.js", "/docs/docs.js": "openapi.json",
		"/metrics": `dragoman_http_requests_total{op="server.get",status="200"} 1`,
	} {
		res := ask(h, "GET", path, "", "Authorization", "")
		if body := text(t, res); res.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d without %q", path, res.StatusCode, want)
		}
	}
	if page := text(t, ask(h, "GET", "/docs", "")); strings.Contains(page, "http://") || strings.Contains(page, "https://") {
		t.Error("the page needs other hosts")
	}
}

func TestNotReady(t *testing.T) {
	_, h, _ := newTest(t, nil, func(o *Options) {
		o.Ready = func(context.Context) error { return errors.New("store: locked at /secret/path") }
	})
	if p := wantProblem(t, ask(h, "GET", "/readyz", ""), 503, canonical.Unavailable); strings.Contains(p.Detail, "secret") {
		t.Error(p)
	}
}

func TestNotReadyWhileDraining(t *testing.T) {
	_, h, _ := newTest(t, nil)
	stop := make(chan struct{})
	close(stop)
	r := httptest.NewRequest("GET", "/readyz", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), drainKey{}, (<-chan struct{})(stop))))
	wantProblem(t, w.Result(), 503, canonical.Unavailable)
}

func TestRoot(t *testing.T) {
	_, h, _ := newTest(t, does{"cloud.list": result(canonical.Page[canonical.CloudInfo]{Items: []canonical.CloudInfo{{Name: "os1"}}})})
	info := decode[rootInfo](t, ask(h, "GET", "/v1", ""))
	if len(info.Clouds) != 1 || info.Links["server"] != "/v1/servers" || info.Version == "" {
		t.Errorf("%+v", info)
	}
}

func TestMounts(t *testing.T) {
	says := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.WriteString(w, s+" "+r.URL.EscapedPath()); err != nil {
				t.Error(err)
			}
		})
	}
	_, h, _ := newTest(t, nil, func(o *Options) {
		o.Mounts = map[string]http.Handler{"/compute": says("short"), "/compute/v2.1/": says("long")}
	})
	for path, want := range map[string]string{
		"/compute/v2.1/a%2Fb": "long /compute/v2.1/a%2Fb", "/compute/v2.1": "long /compute/v2.1", "/compute/x": "short /compute/x",
	} {
		if got := text(t, ask(h, "GET", path, "", "Authorization", "")); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	wantProblem(t, ask(h, "GET", "/computer", ""), 404, canonical.NotFound)
}

// serving runs h on a loopback listener; stop drains it and gives Serve's error.
func serving(t *testing.T, h http.Handler, drain time.Duration) (addr string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, h, drain) }()
	t.Cleanup(cancel)
	return l.Addr().String(), func() error { cancel(); return <-ended }
}

// rawAsk writes text to the server and reads one response.
func rawAsk(t *testing.T, addr, text string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Logf("the server hung up early: %v", err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestSlowAndHugeClients(t *testing.T) {
	cloud, h, _ := newTest(t, nil, func(o *Options) { o.BodyTimeout = 50 * time.Millisecond })
	addr, stop := serving(t, h, 5*time.Second)
	head := "POST /v1/servers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + goodKeyText + "\r\nContent-Type: application/json\r\n"
	slow := rawAsk(t, addr, head+"Content-Length: 100\r\n\r\n{\"name\":")
	wantProblem(t, slow, http.StatusRequestTimeout, canonical.InvalidRequest)
	bomb := rawAsk(t, addr, head+"X-Bomb: "+strings.Repeat("a", 60<<10)+"\r\n\r\n")
	if bomb.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(bomb.Status)
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20+1, strings.Repeat(" ", 1<<20+1))
	wantProblem(t, rawAsk(t, addr, head+"Transfer-Encoding: chunked\r\n\r\n"+chunk), 413, canonical.TooLarge)
	if _, _, _, n := cloud.seen(); n != 0 {
		t.Error("the cloud was asked")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestDrain(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	addr, stop := serving(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-release
		w.WriteHeader(http.StatusTeapot)
	}), 10*time.Second)
	got := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + addr)
		if err != nil {
			got <- 0
			return
		}
		_ = res.Body.Close()
		got <- res.StatusCode
	}()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	close(release)
	if status := <-got; status != http.StatusTeapot {
		t.Errorf("the request under way got %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDrainCutsOff(t *testing.T) {
	begun := make(chan struct{})
	addr, stop := serving(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	}), 10*time.Millisecond)
	go func() {
		if res, err := http.Get("http://" + addr); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-begun
	if err := stop(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
