package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
	"github.com/google/go-cmp/cmp"
)

// fakeCloud is a Cloud made of functions by operation name.
type fakeCloud struct {
	mu   sync.Mutex
	do   map[string]func(context.Context, any) (canonical.Reply, error)
	last any
	opts canonical.Options
	who  canonical.Caller
	n    int
}

func (f *fakeCloud) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	f.mu.Lock()
	if call.Op.Name != "operation.get" {
		f.last, f.opts, f.who = call.Request, canonical.OptionsOf(ctx), canonical.CallerOf(ctx)
		f.n++
	}
	do := f.do[call.Op.Name]
	f.mu.Unlock()
	if do == nil {
		return canonical.Reply{}, canonical.Errorf(canonical.Unsupported, "not here")
	}
	return do(ctx, call.Request)
}

func (f *fakeCloud) Support(context.Context, *canonical.Spec) canonical.Support {
	return canonical.Support{Level: canonical.Native}
}

func (f *fakeCloud) seen() (any, canonical.Options, canonical.Caller, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last, f.opts, f.who, f.n
}

func result(v any) func(context.Context, any) (canonical.Reply, error) {
	return func(context.Context, any) (canonical.Reply, error) { return canonical.Reply{Result: v}, nil }
}

func task(context.Context, any) (canonical.Reply, error) {
	return canonical.Reply{Task: &canonical.Task{Job: "op-1"}}, nil
}

func operation(o canonical.Operation) func(context.Context, any) (canonical.Reply, error) {
	o.ID = "op-1"
	return result(o)
}

const goodKeyText = "id.secret"

func newTest(t testing.TB, do map[string]func(context.Context, any) (canonical.Reply, error), edit ...func(*Options)) (*fakeCloud, http.Handler, *bytes.Buffer) {
	t.Helper()
	cloud, g, log := newGateway(t, do, edit...)
	return cloud, g.Handler(), log
}

func newGateway(t testing.TB, do map[string]func(context.Context, any) (canonical.Reply, error), edit ...func(*Options)) (*fakeCloud, *Gateway, *bytes.Buffer) {
	t.Helper()
	cloud := &fakeCloud{do: do}
	var log bytes.Buffer
	db, err := store.Open(t.Context(), postgrestest.Store(t, ":memory:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	o := Options{
		Store: db, Box: newBox(t, 1),
		Cloud: cloud, CursorKeys: [][]byte{[]byte("0123456789abcdef")}, PollFirst: time.Millisecond, PollMost: time.Millisecond,
		Log: slog.New(slog.NewJSONHandler(&log, nil)),
		Authenticate: func(_ context.Context, bearer string) (canonical.Caller, error) {
			c, ok := map[string]canonical.Caller{
				goodKeyText:     {Tenant: "acme", Key: "id", Role: canonical.Member},
				"reader.secret": {Tenant: "acme", Key: "reader", Role: canonical.Reader},
				"other.secret":  {Tenant: "other", Key: "other", Role: canonical.Member},
			}[bearer]
			if !ok {
				return c, canonical.Errorf(canonical.Unauthenticated, "no such key")
			}
			return c, nil
		},
	}
	for _, e := range edit {
		e(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return cloud, g, &log
}

// ask sends one request; headers are pairs.
func ask(h http.Handler, method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+goodKeyText)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func decode[T any](t *testing.T, res *http.Response) T {
	t.Helper()
	var v T
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return v
}

func wantProblem(t *testing.T, res *http.Response, status int, code canonical.Code) canonical.Problem {
	t.Helper()
	p := decode[canonical.Problem](t, res)
	if res.StatusCode != status || p.Code != code || p.Status != status {
		t.Fatalf("got %d %+v, want %d %s", res.StatusCode, p, status, code)
	}
	if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type %q", ct)
	}
	if p.RequestID == "" || p.RequestID != res.Header.Get("X-Request-Id") {
		t.Errorf("request id %q, header %q", p.RequestID, res.Header.Get("X-Request-Id"))
	}
	return p
}

func fields(p canonical.Problem) []string {
	var names []string
	for _, f := range p.Errors {
		names = append(names, f.Field)
	}
	return names
}

const create = `{"name":"a","flavor":"f","image":"i"}`

func TestBadRequests(t *testing.T) {
	cloud, h, _ := newTest(t, nil)
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		code                 canonical.Code
		fields               []string
	}{
		"malformed JSON":        {method: "POST", target: "/v1/servers", body: `{"name":`, status: 400, code: canonical.InvalidRequest},
		"trailing data":         {method: "POST", target: "/v1/servers", body: create + `{}`, status: 400, code: canonical.InvalidRequest},
		"not an object":         {method: "POST", target: "/v1/servers", body: `[1]`, status: 400, code: canonical.InvalidRequest},
		"not UTF-8":             {method: "POST", target: "/v1/servers", body: "{\"name\":\"\xff\"}", status: 400, code: canonical.InvalidRequest},
		"no body":               {method: "POST", target: "/v1/servers", status: 400, code: canonical.InvalidRequest},
		"nesting bomb":          {method: "POST", target: "/v1/servers", body: deep, status: 400, code: canonical.InvalidRequest},
		"huge number":           {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","count":1e999}`, status: 400, code: canonical.InvalidRequest},
		"fraction":              {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","count":1.5}`, status: 400, code: canonical.InvalidRequest, fields: []string{"count"}},
		"count 0":               {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","count":0}`, status: 400, code: canonical.InvalidRequest, fields: []string{"count"}},
		"count 101":             {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","count":101}`, status: 400, code: canonical.InvalidRequest, fields: []string{"count"}},
		"no address":            {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","access_ipv6":"10.0.0.1"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"access_ipv6"}},
		"update no address":     {method: "PATCH", target: "/v1/servers/os1:a", body: `{"access_ipv4":"x"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"access_ipv4"}},
		"unknown fields":        {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","zz":1,"yy":2}`, status: 400, code: canonical.InvalidRequest, fields: []string{"yy", "zz"}},
		"other case":            {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","Keypair":"k"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"Keypair"}},
		"field twice":           {method: "POST", target: "/v1/servers", body: `{"name":"a","name":"b","flavor":"f","image":"i"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"wrong type":            {method: "POST", target: "/v1/servers", body: `{"name":1,"flavor":"f","image":"i"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"missing field":         {method: "POST", target: "/v1/servers", body: `{"name":"a","image":"i"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"flavor"}},
		"nested unknown":        {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","volumes":[{"zz":1}]}`, status: 400, code: canonical.InvalidRequest, fields: []string{"volumes.0.zz"}},
		"networks word":         {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","networks":"some"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"networks"}},
		"networks unknown":      {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","networks":[{"zz":1}]}`, status: 400, code: canonical.InvalidRequest, fields: []string{"networks.0.zz"}},
		"networks ip":           {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","networks":[{"network":"n","ip":"x"}]}`, status: 400, code: canonical.InvalidRequest, fields: []string{"networks.0.ip"}},
		"update wrong type":     {method: "PATCH", target: "/v1/servers/os1:a", body: `{"name":7}`, status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"clouds differ":         {method: "POST", target: "/v1/servers?cloud=b", body: `{"name":"a","flavor":"f","image":"i","cloud":"a"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"cloud"}},
		"body of get":           {method: "GET", target: "/v1/servers/os1:a", body: `{"x":1}`, status: 400, code: canonical.InvalidRequest, fields: []string{"x"}},
		"unknown query keys":    {method: "GET", target: "/v1/servers?zz=1&yy=2", status: 400, code: canonical.InvalidRequest, fields: []string{"yy", "zz"}},
		"query key twice":       {method: "GET", target: "/v1/servers?name=1&name=2", status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"malformed query":       {method: "GET", target: "/v1/servers?name=%25zz;a=%3", status: 400, code: canonical.InvalidRequest},
		"limit 0":               {method: "GET", target: "/v1/servers?limit=0", status: 400, code: canonical.InvalidRequest, fields: []string{"limit"}},
		"limit 1001":            {method: "GET", target: "/v1/servers?limit=1001", status: 400, code: canonical.InvalidRequest, fields: []string{"limit"}},
		"limit word":            {method: "GET", target: "/v1/servers?limit=x", status: 400, code: canonical.InvalidRequest, fields: []string{"limit"}},
		"sort":                  {method: "GET", target: "/v1/servers?sort=x", status: 400, code: canonical.InvalidRequest, fields: []string{"sort"}},
		"status":                {method: "GET", target: "/v1/servers?status=x", status: 400, code: canonical.InvalidRequest, fields: []string{"status"}},
		"native":                {method: "GET", target: "/v1/servers/os1:a?native=x", status: 400, code: canonical.InvalidRequest, fields: []string{"native"}},
		"cursor of nobody":      {method: "GET", target: "/v1/servers?cursor=AAAA", status: 400, code: canonical.InvalidRequest, fields: []string{"cursor"}},
		"idempotent delete":     {method: "DELETE", target: "/v1/servers/os1:a", headers: []string{"Idempotency-Key", "k"}, status: 400, code: canonical.InvalidRequest},
		"idempotency malformed": {method: "POST", target: "/v1/servers", body: create, headers: []string{"Idempotency-Key", "a b"}, status: 400, code: canonical.InvalidRequest},
		"deep in a field":       {method: "POST", target: "/v1/servers", body: `{"name":"a","flavor":"f","image":"i","metadata":` + strings.Repeat(`{"a":`, 50000), status: 400, code: canonical.InvalidRequest},
		"byte order mark":       {method: "POST", target: "/v1/servers", body: "\ufeff" + create, status: 400, code: canonical.InvalidRequest},
		"null":                  {method: "POST", target: "/v1/servers", body: `null`, status: 400, code: canonical.InvalidRequest},
		"null name":             {method: "POST", target: "/v1/servers", body: `{"name":null,"flavor":"f","image":"i"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"escaped key twice":     {method: "POST", target: "/v1/servers", body: `{"name":"a","n\u0061me":"b","flavor":"f","image":"i"}`, status: 400, code: canonical.InvalidRequest, fields: []string{"name"}},
		"id of blanks escaped":  {method: "GET", target: "/v1/servers/%00", status: 400, code: canonical.InvalidRequest, fields: []string{"id"}},
		"id cut":                {method: "GET", target: "/v1/servers/", status: 404, code: canonical.NotFound},
		"slash not escaped":     {method: "GET", target: "/v1/servers/os1:a/b", status: 404, code: canonical.NotFound},
		"body bomb":             {method: "POST", target: "/v1/servers", body: `{"name":"` + strings.Repeat("a", 1<<20) + `"}`, status: 413, code: canonical.TooLarge},
		"content type":          {method: "POST", target: "/v1/servers", body: create, headers: []string{"Content-Type", "text/plain"}, status: 415, code: canonical.InvalidRequest},
		"merge patch on post":   {method: "POST", target: "/v1/servers", body: create, headers: []string{"Content-Type", "application/merge-patch+json"}, status: 415, code: canonical.InvalidRequest},
		"compressed":            {method: "POST", target: "/v1/servers", body: create, headers: []string{"Content-Encoding", "gzip"}, status: 415, code: canonical.InvalidRequest},
		"accept":                {method: "GET", target: "/v1/servers", headers: []string{"Accept", "text/html"}, status: 406, code: canonical.InvalidRequest},
		"no such path":          {method: "GET", target: "/v1/nothing", status: 404, code: canonical.NotFound},
		"no type":               {method: "POST", target: "/v1/servers", body: create, headers: []string{"Content-Type", ""}, status: 415, code: canonical.InvalidRequest},
		"other charset":         {method: "POST", target: "/v1/servers", body: create, headers: []string{"Content-Type", "application/json; charset=latin1"}, status: 415, code: canonical.InvalidRequest},
		"accept q=0":            {method: "GET", target: "/v1/servers", headers: []string{"Accept", "application/json;q=0, text/html"}, status: 406, code: canonical.InvalidRequest},
		"long idempotency key":  {method: "POST", target: "/v1/servers", body: create, headers: []string{"Idempotency-Key", strings.Repeat("k", 256)}, status: 400, code: canonical.InvalidRequest},
		"limit -1":              {method: "GET", target: "/v1/servers?limit=-1", status: 400, code: canonical.InvalidRequest, fields: []string{"limit"}},
		"limit huge":            {method: "GET", target: "/v1/servers?limit=99999999999999999999", status: 400, code: canonical.InvalidRequest, fields: []string{"limit"}},
		"empty cloud":           {method: "GET", target: "/v1/servers?cloud=a,,b", status: 400, code: canonical.InvalidRequest, fields: []string{"cloud"}},
		"no key":                {method: "GET", target: "/v1/servers", headers: []string{"Authorization", ""}, status: 401, code: canonical.Unauthenticated},
		"wrong key":             {method: "GET", target: "/v1/servers", headers: []string{"Authorization", "Bearer x"}, status: 401, code: canonical.Unauthenticated},
		"basic":                 {method: "GET", target: "/v1/servers", headers: []string{"Authorization", "Basic x"}, status: 401, code: canonical.Unauthenticated},
		"root without key":      {method: "GET", target: "/v1", headers: []string{"Authorization", ""}, status: 401, code: canonical.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			res := ask(h, c.method, c.target, c.body, c.headers...)
			p := wantProblem(t, res, c.status, c.code)
			if c.fields != nil {
				if d := cmp.Diff(c.fields, fields(p)); d != "" {
					t.Errorf("fields: %s in %+v", d, p)
				}
			}
			if declared := c.status != 404 && c.target != "/v1"; declared != (p.Operation != "") {
				t.Errorf("the problem is of operation %q", p.Operation)
			}
			if c.status == 401 && !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Error("no WWW-Authenticate")
			}
			if _, _, _, n := cloud.seen(); n != 0 {
				t.Error("the cloud was asked")
			}
		})
	}
}

func TestMethodNotAllowed(t *testing.T) {
	_, h, _ := newTest(t, nil)
	res := ask(h, "PUT", "/v1/servers/os1:a", "")
	wantProblem(t, res, 405, canonical.InvalidRequest)
	for _, m := range []string{"GET", "PATCH", "DELETE"} {
		if !strings.Contains(res.Header.Get("Allow"), m) {
			t.Errorf("Allow %q lacks %s", res.Header.Get("Allow"), m)
		}
	}
}

func TestIDsInPaths(t *testing.T) {
	cloud, h, _ := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){"server.get": result(canonical.Server{})})
	for target, want := range map[string]canonical.ID{
		"/v1/servers/os1:u":      "os1:u",
		"/v1/servers/os1%3Au":    "os1:u",
		"/v1/servers/os1:a%2Fb":  "os1:a/b",
		"/v1/servers/os1:a+b":    "os1:a+b",
		"/v1/servers/os1%3Aa+b":  "os1:a+b",
		"/v1/servers/os1:a%25b":  "os1:a%b",
		"/v1/servers/os1%3Aa%3A": "os1:a:",
	} {
		if res := ask(h, "GET", target, ""); res.StatusCode != 200 {
			t.Errorf("%s: %d", target, res.StatusCode)
		}
		got, _, _, _ := cloud.seen()
		if d := cmp.Diff(canonical.ServerGet{ID: want}, got); d != "" {
			t.Errorf("%s: %s", target, d)
		}
	}
}

func TestOptionsAndCaller(t *testing.T) {
	cloud, h, log := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){"server.get": result(canonical.Server{})})
	res := ask(h, "GET", "/v1/servers/os1:a?cloud=a,b&tenant=t9&native=true", "", "Cache-Control", "no-cache", "X-Request-Id", "my-id.1")
	if res.StatusCode != 200 || res.Header.Get("X-Request-Id") != "my-id.1" {
		t.Fatal(res.StatusCode, res.Header)
	}
	_, o, who, _ := cloud.seen()
	want := canonical.Options{Clouds: []string{"a", "b"}, Tenant: "t9", Native: true, Fresh: true, RequestID: "my-id.1"}
	if d := cmp.Diff(want, o); d != "" {
		t.Error(d)
	}
	if who.Tenant != "acme" {
		t.Error(who)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["op"] != "server.get" || line["request_id"] != "my-id.1" || line["status"] != 200.0 {
		t.Error(line)
	}
	if strings.Contains(log.String(), "t9") || strings.Contains(log.String(), "secret") {
		t.Error("the log holds the query or a secret")
	}
	if got := ask(h, "GET", "/v1/servers/os1:a", "", "X-Request-Id", "bad id").Header.Get("X-Request-Id"); got == "bad id" || got == "" {
		t.Errorf("request id %q", got)
	}
}

func TestBodies(t *testing.T) {
	cloud, h, _ := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){
		"server.update": result(canonical.Server{}), "server.create": result(canonical.ServersCreated{}),
	})
	body := `{"description":null,"metadata":{"a":"b","c":null},"tags":["x"]}`
	if res := ask(h, "PATCH", "/v1/servers/os1:a", body, "Content-Type", "application/merge-patch+json"); res.StatusCode != 200 {
		t.Fatal(decode[any](t, res))
	}
	got, _, _, _ := cloud.seen()
	u := got.(canonical.ServerUpdate)
	m, _ := u.Metadata.Get()
	if u.ID != "os1:a" || !u.Description.IsNull() || !u.Name.IsZero() || m["c"] != canonical.Null[string]() || m["a"] != canonical.Some("b") {
		t.Errorf("%+v", u)
	}
	for _, networks := range []string{`"auto"`, `[]`, `[{"network":"n"}]`} {
		res := ask(h, "POST", "/v1/servers", `{"name":"a","flavor":"f","image":"i","cloud":"os1","networks":`+networks+`}`)
		if res.StatusCode != 201 {
			t.Fatal(networks, decode[any](t, res))
		}
	}
	if _, o, _, _ := cloud.seen(); !cmp.Equal(o.Clouds, []string{"os1"}) {
		t.Error(o)
	}
}

func TestErrorsOfClouds(t *testing.T) {
	_, h, log := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){
		"server.get": func(context.Context, any) (canonical.Reply, error) {
			e := canonical.Errorf(canonical.Unavailable, "down")
			e.RetryAfter, e.Cloud = 1500*time.Millisecond, "os1"
			return canonical.Reply{}, e
		},
		"flavor.get": func(context.Context, any) (canonical.Reply, error) { panic("boom") },
		"image.get":  func(context.Context, any) (canonical.Reply, error) { return canonical.Reply{}, errors.New("hidden") },
	})
	res := ask(h, "GET", "/v1/servers/a", "")
	if p := wantProblem(t, res, 503, canonical.Unavailable); p.Cloud != "os1" || res.Header.Get("Retry-After") != "2" {
		t.Error(p, res.Header)
	}
	wantProblem(t, ask(h, "DELETE", "/v1/servers/a", ""), 501, canonical.Unsupported)
	if p := wantProblem(t, ask(h, "GET", "/v1/images/a", ""), 500, canonical.Internal); strings.Contains(p.Detail, "hidden") {
		t.Error(p)
	}
	log.Reset()
	wantProblem(t, ask(h, "GET", "/v1/flavors/a", "", "X-Request-Id", "p-1"), 500, canonical.Internal)
	if n := strings.Count(log.String(), "boom"); n != 1 || !strings.Contains(log.String(), "p-1") {
		t.Errorf("the panic is logged %d times", n)
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	_, h, _ := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){
		"server.get": func(context.Context, any) (canonical.Reply, error) {
			return canonical.Reply{Result: canonical.Server{}, AsOf: now.Add(-7 * time.Second)}, nil
		},
	}, func(o *Options) { o.Now = func() time.Time { return now } })
	if got := ask(h, "GET", "/v1/servers/a", "").Header.Get("Age"); got != "7" {
		t.Errorf("Age %q", got)
	}
}

func TestCursors(t *testing.T) {
	inner := canonical.Cursor{Sort: canonical.NewestFirst, After: map[string]canonical.Position{"os1": {Key: "tx", ID: "os1:a"}}}.String()
	cloud, h, _ := newTest(t, map[string]func(context.Context, any) (canonical.Reply, error){
		"server.list": result(canonical.Page[canonical.Server]{Items: []canonical.Server{}, NextCursor: inner}),
		"image.list":  result(canonical.Page[canonical.Image]{}),
	})
	sealed := decode[canonical.Page[canonical.Server]](t, ask(h, "GET", "/v1/servers?name=a&limit=5", "")).NextCursor
	if sealed == "" || sealed == inner {
		t.Fatalf("cursor %q", sealed)
	}
	if res := ask(h, "GET", "/v1/servers?limit=7&name=a&cursor="+sealed, ""); res.StatusCode != 200 {
		t.Fatal(decode[any](t, res))
	}
	if got, _, _, _ := cloud.seen(); got.(canonical.ServerList).Cursor != inner {
		t.Errorf("%+v", got)
	}
	flipped := []byte(sealed)
	flipped[len(flipped)/2] ^= 1
	for name, target := range map[string]string{
		"other filter": "/v1/servers?name=b&cursor=" + sealed, "no filter": "/v1/servers?cursor=" + sealed,
		"other list": "/v1/images?name=a&cursor=" + sealed, "tampered": "/v1/servers?name=a&cursor=" + string(flipped),
		"unsealed": "/v1/servers?name=a&cursor=" + inner, "cut": "/v1/servers?name=a&cursor=" + sealed[:20],
	} {
		p := wantProblem(t, ask(h, "GET", target, ""), 400, canonical.InvalidRequest)
		if !cmp.Equal(fields(p), []string{"cursor"}) {
			t.Error(name, p)
		}
	}
	wantProblem(t, ask(h, "GET", "/v1/servers?name=a&cursor="+sealed, "", "Authorization", "Bearer other.secret"), 400, canonical.InvalidRequest)
}

func FuzzCursor(f *testing.F) {
	f.Add("", "a")
	f.Add("AAAA", "b")
	g := &Gateway{opts: Options{CursorKeys: [][]byte{[]byte("0123456789abcdef")}}}
	f.Fuzz(func(t *testing.T, text, scope string) {
		if got, err := g.unseal(text, scope); err == nil {
			t.Fatalf("a cursor that nobody sealed was opened: %q", got)
		}
		if text == "" {
			return
		}
		if got, err := g.unseal(g.seal(text, scope), scope); err != nil || got != text {
			t.Fatal(got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(create))
	f.Add([]byte(`{"a":[1,{"b":null}]}x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := parse(data); err == nil && !json.Valid(data) {
			t.Fatal("invalid JSON was taken")
		} else if err != nil && canonical.CodeOf(err) != canonical.InvalidRequest {
			t.Fatal(err)
		}
	})
}

// FuzzID: whatever an id holds, the cloud is asked about the same one, or the request
// is refused.
func FuzzID(f *testing.F) {
	for _, id := range []string{"os1:u", "os1:a/b", "a b+c%2F", "..", "é:ü", "a?b#c", "\x00", ""} {
		f.Add(id)
	}
	cloud, h, _ := newTest(f, map[string]func(context.Context, any) (canonical.Reply, error){"server.get": result(canonical.Server{})})
	f.Fuzz(func(t *testing.T, id string) {
		r := httptest.NewRequest(http.MethodGet, "/v1/servers/x", nil)
		r.URL.Path, r.URL.RawPath = "/v1/servers/"+id, "/v1/servers/"+url.PathEscape(id)
		r.Header.Set("Authorization", "Bearer "+goodKeyText)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch got, _, _, _ := cloud.seen(); w.Code {
		case http.StatusOK:
			if got.(canonical.ServerGet).ID != canonical.ID(id) {
				t.Errorf("%q became %q", id, got)
			}
		case http.StatusBadRequest, http.StatusNotFound:
			if id != "" && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q was refused with %d", id, w.Code)
			}
		default:
			t.Errorf("%q: %d", id, w.Code)
		}
	})
}

// FuzzBody: no body makes the gateway fail, and none is taken that is not valid JSON.
func FuzzBody(f *testing.F) {
	for _, body := range []string{create, `{"name":"a","networks":[{"ip":"x"}]}`, `{"networks":"auto","volumes":[{}],"native":{"a":[1e999]}}`, `[`, `{"a":{"a":{"a":null}}}`} {
		f.Add(body)
	}
	_, h, _ := newTest(f, map[string]func(context.Context, any) (canonical.Reply, error){"server.create": result(canonical.ServersCreated{})})
	f.Fuzz(func(t *testing.T, body string) {
		res := ask(h, "POST", "/v1/servers", body)
		if res.StatusCode != 400 && res.StatusCode != 415 && (res.StatusCode != 201 || !json.Valid([]byte(body))) {
			t.Errorf("%q: %d", body, res.StatusCode)
		}
	})
}
