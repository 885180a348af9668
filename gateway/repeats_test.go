package gateway

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/store"
	postgrestest "github.com/dragoman-cloud/dragoman/test/postgres"
)

// on is an option of newTest: that store.
func on(s *store.Store) func(*Options) { return func(o *Options) { o.Store = s } }

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), postgrestest.Store(t, path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestIdempotency(t *testing.T) {
	cloud, h, _ := newTest(t, does{"server.create": result(canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{}}})})
	count := func(want int, why string) {
		t.Helper()
		if _, _, _, n := cloud.seen(); n != want {
			t.Errorf("%s: the cloud was asked %d times, want %d", why, n, want)
		}
	}
	first := ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k")
	again := ask(h, "POST", "/v1/servers", ` {"image":"i","flavor":"f","name":"a"}`, "Idempotency-Key", "k")
	if d := cmp.Diff(decode[any](t, first), decode[any](t, again)); d != "" || again.StatusCode != 201 {
		t.Error(again.StatusCode, d)
	}
	count(1, "same JSON")
	wantProblem(t, ask(h, "POST", "/v1/servers", `{"name":"b","flavor":"f","image":"i"}`, "Idempotency-Key", "k"), 409, canonical.Conflict)
	wantProblem(t, ask(h, "POST", "/v1/servers?cloud=os2", create, "Idempotency-Key", "k"), 409, canonical.Conflict)
	wantProblem(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k", "Authorization", "Bearer reader.secret"), 409, canonical.Conflict)
	count(1, "other request")
	ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k", "Authorization", "Bearer other.secret")
	count(2, "other tenant")
	ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "l")
	count(3, "other key")
}

// Answers are forgotten in time, and then the request is a new one.
func TestIdempotencyEnds(t *testing.T) {
	if keepAnswers != 24*time.Hour {
		t.Error(keepAnswers)
	}
	cloud, g, _ := newGateway(t, does{"server.create": result(canonical.ServersCreated{})})
	g.repeats.keep = time.Nanosecond
	for range 2 {
		ask(g.Handler(), "POST", "/v1/servers", create, "Idempotency-Key", "k")
	}
	if _, _, _, n := cloud.seen(); n != 2 {
		t.Errorf("the cloud was asked %d times, want 2", n)
	}
}

// Paths that differ by escaping only are one route; other ids are other routes.
func TestIdempotencyRoute(t *testing.T) {
	cloud, h, _ := newTest(t, does{"server.start": result(canonical.Server{})})
	for _, path := range []string{"/v1/servers/os1:a/start", "/v1/servers/os1%3Aa/start", "/v1/servers/os1:b/start"} {
		if res := ask(h, "POST", path, "", "Idempotency-Key", "k"); res.StatusCode != 200 {
			t.Error(path, res.StatusCode)
		}
	}
	if _, _, _, n := cloud.seen(); n != 2 {
		t.Errorf("the cloud was asked %d times, want 2", n)
	}
}

func TestIdempotencyKeepsProblems(t *testing.T) {
	for status, code := range map[int]canonical.Code{
		404: canonical.NotFound, 409: canonical.FailedPrecondition, 403: canonical.QuotaExceeded, // kept
		429: canonical.RateLimited, 500: canonical.Internal, 503: canonical.Unavailable, // not kept
	} {
		t.Run(string(code), func(t *testing.T) {
			cloud, h, _ := newTest(t, does{"server.start": func(context.Context, any) (canonical.Reply, error) {
				return canonical.Reply{}, canonical.Errorf(code, "no")
			}})
			want := 1
			if status == 429 || status >= 500 {
				want = 2
			}
			for _, id := range []string{"first", "second"} { // wantProblem compares the id of body and header
				res := ask(h, "POST", "/v1/servers/a/start", "", "Idempotency-Key", "k", "X-Request-Id", id)
				if p := wantProblem(t, res, status, code); p.RequestID != id {
					t.Errorf("request_id %q, want %q", p.RequestID, id)
				}
			}
			if _, _, _, n := cloud.seen(); n != want {
				t.Errorf("the cloud was asked %d times, want %d", n, want)
			}
		})
	}
}

// TestIdempotencyAtOnce: a hundred copies at once make one server.
func TestIdempotencyAtOnce(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var made, conflicts atomic.Int32
	_, h, _ := newTest(t, does{"server.create": func(context.Context, any) (canonical.Reply, error) {
		if made.Add(1) == 1 {
			close(begun)
		}
		<-release
		return canonical.Reply{Result: canonical.ServersCreated{}}, nil
	}})
	var wg sync.WaitGroup
	post := func() *http.Response { return ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k") }
	for range 100 {
		wg.Go(func() {
			if res := post(); res.StatusCode == 409 && res.Header.Get("Retry-After") != "" {
				conflicts.Add(1)
			} else if res.StatusCode != 201 {
				t.Error(res.StatusCode)
			}
		})
	}
	<-begun
	wantProblem(t, post(), 409, canonical.Conflict)
	close(release)
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d servers were made", made.Load())
	}
	if res := post(); res.StatusCode != 201 {
		t.Error(res.StatusCode)
	}
}

// TestIdempotencyLives: a process that lives keeps its key, even one that was too
// busy to say so.
func TestIdempotencyLives(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	_, g, _ := newGateway(t, does{"server.create": func(context.Context, any) (canonical.Reply, error) {
		close(begun)
		<-release
		return canonical.Reply{}, canonical.Errorf(canonical.Unavailable, "down")
	}})
	h := g.Handler()
	g.repeats.lease = 4 * time.Nanosecond // over at once, and renewed for ever
	done := make(chan int, 1)
	go func() { done <- ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k").StatusCode }()
	<-begun
	for range 10 {
		wantProblem(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"), 409, canonical.Conflict)
	}
	close(release)
	if got := <-done; got != 503 {
		t.Error(got)
	}
}

// TestIdempotencyClientGone: what a client gave up waiting for goes on, and is what
// it gets when it asks again.
func TestIdempotencyClientGone(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	cloud, h, _ := newTest(t, does{
		"server.create": func(ctx context.Context, req any) (canonical.Reply, error) {
			leave()
			if ctx.Err() != nil {
				return canonical.Reply{}, ctx.Err()
			}
			return task(ctx, req)
		},
		"operation.get": operation(canonical.Operation{Status: canonical.OperationRunning}),
	})
	gone := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) })
	if res := ask(gone, "POST", "/v1/servers", create, "Idempotency-Key", "k", "Prefer", "wait=300"); res.StatusCode != 202 {
		t.Error(res.StatusCode)
	}
	if res := ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"); res.StatusCode != 202 {
		t.Error(res.StatusCode)
	}
	if _, _, _, n := cloud.seen(); n != 1 {
		t.Errorf("the cloud was asked %d times", n)
	}
}

// crash begins a request with the key k in a process that loses its store before it
// can say how the request ended; what it has begun by then stays in the store. It gives
// the path of the database.
func crash(t *testing.T, lease time.Duration, left ...canonical.ID) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "db")
	s := openStore(t, path)
	_, g, _ := newGateway(t, does{"server.create": func(ctx context.Context, _ any) (canonical.Reply, error) {
		for _, id := range left {
			begin(t, s, id, canonical.OptionsOf(ctx).Repeat)
		}
		begin(t, s, "another", "")
		return canonical.Reply{}, s.Close()
	}}, on(s), func(o *Options) { o.Now = func() time.Time { return noon } })
	g.repeats.lease = lease
	ask(g.Handler(), "POST", "/v1/servers", create, "Idempotency-Key", "k", "X-Request-Id", "the-dead")
	return path
}

// begin keeps an operation that the request of that name began.
func begin(t *testing.T, s *store.Store, id canonical.ID, repeat string) {
	t.Helper()
	o := store.Operation{Phase: store.Asking, Repeat: repeat, Operation: canonical.Operation{
		ID: id, Operation: "server.create", Status: canonical.OperationRunning, Tenant: "acme", RequestID: "the-dead", CreatedAt: noon.Add(-time.Minute),
	}}
	if err := s.CreateOperation(t.Context(), o, "the dead"); err != nil {
		t.Error(err)
	}
}

// What a dead process has begun is known by the claim of the key, whatever the clocks and
// the X-Request-Id, which clients choose.
func TestIdempotencyAfterCrash(t *testing.T) {
	if lease > 10*time.Second {
		t.Error("a dead process's keys must be free within 10 s")
	}
	left := canonical.Operation{ID: "op-1", Operation: "server.create", Status: canonical.OperationRunning}
	for name, c := range map[string]struct {
		lease  time.Duration
		left   []canonical.ID
		body   string
		status int // 201: made anew
	}{
		"soon":                {lease: time.Hour, body: create, status: 409},
		"nothing left":        {lease: 4, body: create, status: 201},
		"nothing left, other": {lease: 4, body: `{"name":"b","flavor":"f","image":"i"}`, status: 201},
		"operation left":      {lease: 4, left: []canonical.ID{left.ID}, body: create, status: 202},
		"left, other body":    {lease: 4, left: []canonical.ID{left.ID}, body: `{"name":"b","flavor":"f","image":"i"}`, status: 409},
	} {
		t.Run(name, func(t *testing.T) {
			cloud, h, _ := newTest(t, does{
				"server.create": result(canonical.ServersCreated{Servers: []canonical.ServerWithPassword{}}),
				"operation.get": result(left),
			}, on(openStore(t, crash(t, c.lease, c.left...))))
			for range 2 { // the second time from the store
				res := ask(h, "POST", "/v1/servers", c.body, "Idempotency-Key", "k")
				if res.StatusCode != c.status {
					t.Fatalf("%d: %s", res.StatusCode, text(t, res))
				}
				if c.status == 202 && decode[canonical.Operation](t, res).ID != left.ID {
					t.Error("another operation")
				}
			}
			if last, _, _, _ := cloud.seen(); c.status == 202 {
				if _, created := last.(canonical.ServerCreate); created {
					t.Error("a second server was made")
				}
			}
		})
	}
}

// TestIdempotencyAfterRestart: answers outlive the process, and are not to be read
// in the database.
func TestIdempotencyAfterRestart(t *testing.T) {
	const password = "hunter2-hunter2"
	path := filepath.Join(t.TempDir(), "db")
	secret := password
	made := canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{AdminPassword: &secret}}}
	s := openStore(t, path)
	_, h, _ := newTest(t, does{"server.create": result(made)}, on(s))
	first := text(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"))
	if !strings.Contains(first, password) {
		t.Fatal(first)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 && os.Getenv(postgrestest.StoreEnv) == "" {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(password)) {
			t.Errorf("%s holds the password, or %v", f, err)
		}
	}
	cloud, h, _ := newTest(t, nil, on(openStore(t, path)))
	if again := text(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k")); again != first {
		t.Error(again)
	}
	if _, _, _, n := cloud.seen(); n != 0 {
		t.Error("the cloud was asked")
	}
	_, h, _ = newTest(t, nil, on(openStore(t, path)), func(o *Options) { o.Box = newBox(t, 2) })
	wantProblem(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"), 500, canonical.Internal)
}

// newBox is a box whose keys are made of these bytes.
func newBox(t testing.TB, keys ...byte) *store.Box {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, store.BoxKeySize))
	}
	b, err := store.NewBox(all...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A cursor and a kept answer that were sealed with one key are good while it is held
// beside a newer one.
func TestRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	first, second := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	keys := func(box *store.Box, cursors ...[]byte) func(*Options) {
		return func(o *Options) { o.Box, o.CursorKeys = box, cursors }
	}
	made := does{"server.create": result(canonical.ServersCreated{Servers: []canonical.ServerWithPassword{{}}})}
	_, h, _ := newTest(t, made, on(openStore(t, path)), keys(newBox(t, 1), first))
	answer := text(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k"))
	_, h, _ = newTest(t, nil, on(openStore(t, path)), keys(newBox(t, 2, 1), second, first))
	if again := text(t, ask(h, "POST", "/v1/servers", create, "Idempotency-Key", "k")); again != answer {
		t.Error(again)
	}
	old, both, anew := &Gateway{opts: Options{CursorKeys: [][]byte{first}}},
		&Gateway{opts: Options{CursorKeys: [][]byte{second, first}}}, &Gateway{opts: Options{CursorKeys: [][]byte{second}}}
	for name, c := range map[string]struct {
		from, to *Gateway
		good     bool
	}{
		"old, both held":    {old, both, true},
		"new, both held":    {both, both, true},
		"new, one held":     {both, anew, true},
		"old, not held":     {old, anew, false},
		"new, not yet held": {both, old, false},
	} {
		got, err := c.to.unseal(c.from.seal("next", "list"), "list")
		if good := err == nil && got == "next"; good != c.good {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
