package kill

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/test/process"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := process.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience is how long work may take to end: a lease, the settling, and some.
const patience = 60 * time.Second

const cloudConfig = `
store: sqlite:./cloud.db
clouds: [{name: mem, dialect: memory, shared: true, memory: {delay: 300ms}}]
`

func frontConfig(endpoint string) string {
	return fmt.Sprintf(`
store: sqlite:./front.db
clouds: [{name: far, dialect: dragoman, shared: true, endpoint: %q, timeout: 1s, auth: {key: %q}}]
`, endpoint, process.Key)
}

// gallows stands between a dragoman and its cloud, and kills it at the n-th request
// after it was armed: before the cloud gets it, or before the answer comes back.
type gallows struct {
	target *url.URL // nil: what requests say
	// counts says whether a request counts; nil: each does.
	counts func(*http.Request) bool
	mu     sync.Mutex
	left   int
	after  bool
	kill   func()
	fell   time.Time     // zero: it has not
	done   chan struct{} // closed when it has fallen
	// forward says that who falls is only paused: its request goes to the cloud all the
	// same, after hold is closed, and its answer waits for it.
	forward bool
	hold    chan struct{}
}

func (g *gallows) arm(n int, after bool, kill func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left, g.after, g.kill, g.fell, g.done = n, after, kill, time.Time{}, make(chan struct{})
}

// disarm says when it has killed; zero: it has not.
func (g *gallows) disarm() (fell time.Time) {
	g.mu.Lock()
	g.left, fell = 0, g.fell
	g.mu.Unlock()
	if !fell.IsZero() {
		<-g.done
	}
	return fell
}

// fallen says whether it has killed.
func (g *gallows) fallen() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.fell.IsZero()
}

// falls says whether this request is the one.
func (g *gallows) falls(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left == 0 || g.counts != nil && !g.counts(r) {
		return false
	}
	if g.left--; g.left == 0 {
		g.fell = time.Now()
		return true
	}
	return false
}

// fall kills; unless it only pauses, the request ends with its process.
func (g *gallows) fall() {
	g.kill()
	close(g.done)
	switch {
	case g.hold != nil:
		<-g.hold
	case !g.forward:
		panic(http.ErrAbortHandler)
	}
}

func (g *gallows) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	falls := g.falls(r)
	if falls && !g.after {
		g.fall()
	}
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL.Scheme = "http"
	if g.target != nil {
		out.URL.Host = g.target.Host
	}
	out.RequestURI, out.Host = "", out.URL.Host
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if falls && g.after {
		g.fall()
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(body) // the front may have gone
}

// call is one request to a dragoman; status 0: it was not answered.
func call(t testing.TB, method, address, body string, header map[string]string, out any) (status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+process.Key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0
	}
	if out != nil {
		if err := json.NewDecoder(bytes.NewReader(data)).Decode(out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, address, data, err)
		}
	}
	return resp.StatusCode
}

func servers(t *testing.T, of string) []canonical.Server {
	t.Helper()
	var page canonical.Page[canonical.Server]
	if status := call(t, http.MethodGet, of+"/v1/servers", "", nil, &page); status != http.StatusOK {
		t.Fatal(status)
	}
	return page.Items
}

// settled waits until every operation of a dragoman has ended, and answers them.
func settled(t *testing.T, of string) []canonical.Operation {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		all := operations(t, of)
		if ended(all) {
			return all
		}
		if time.Now().After(end) {
			t.Fatalf("operations do not end: %+v", all)
		}
	}
}

func operations(t *testing.T, of string) []canonical.Operation {
	t.Helper()
	var page canonical.Page[canonical.Operation]
	if status := call(t, http.MethodGet, of+"/v1/operations", "", nil, &page); status != http.StatusOK {
		t.Fatal(status)
	}
	return page.Items
}

func ended(all []canonical.Operation) bool {
	return !slices.ContainsFunc(all, func(o canonical.Operation) bool { return !o.Status.Final() })
}

// fromWrite counts requests from the first that is not a GET.
func fromWrite() func(*http.Request) bool {
	begun := false
	return func(r *http.Request) bool {
		begun = begun || r.Method != http.MethodGet
		return begun
	}
}

// abreast runs subtests beside each other, more of them than there are processors: they
// mostly wait. Its test calls wait before it returns.
type abreast struct {
	t  *testing.T
	wg sync.WaitGroup
}

func (a *abreast) run(name string, test func(t *testing.T)) {
	a.wg.Go(func() {
		lanes <- struct{}{}
		defer func() { <-lanes }()
		a.t.Run(name, test)
	})
}

func (a *abreast) wait() { a.wg.Wait() }

var lanes = make(chan struct{}, 6)

// stage is a front dragoman before a cloud of its own, with the gallows between.
type stage struct {
	gallows      *gallows
	cloud, front *process.Process
	dir, config  string
}

func build(t *testing.T) *stage {
	t.Helper()
	s, endpoint := behind(t, &gallows{})
	s.config = frontConfig(endpoint)
	s.front = process.Start(t, s.dir, s.config)
	return s
}

// behind is a stage without its front, which reaches the cloud at endpoint.
func behind(t testing.TB, g *gallows) (s *stage, endpoint string) {
	t.Helper()
	s = &stage{gallows: g, dir: t.TempDir(), cloud: process.Start(t, t.TempDir(), cloudConfig)}
	target, err := url.Parse(s.cloud.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.target = target
	between := httptest.NewServer(g)
	t.Cleanup(between.Close)
	return s, between.URL
}

// everyStep runs attempt, and kills the front at its first request to the cloud, then
// at its second, and so on until an attempt needs fewer; before and after each.
func everyStep(t *testing.T, most int, attempt func(t *testing.T, s *stage, n int, after bool) (fell bool)) {
	all := abreast{t: t}
	defer all.wait()
	for _, after := range []bool{false, true} {
		for n := 1; n <= most; n++ {
			all.run(fmt.Sprintf("request %d, after %v", n, after), func(t *testing.T) {
				if !attempt(t, build(t), n, after) {
					t.Skip("the work needs fewer requests")
				}
			})
		}
	}
}

// perform sends the request that is to be interrupted, follows it to its end in the
// front's own eyes, and starts the front again if it was killed. A POST is repeated
// with its key then, as clients do.
func (s *stage) perform(t *testing.T, n int, after bool, method, path, body string) (fell bool) {
	t.Helper()
	header := map[string]string{}
	if method == http.MethodPost {
		header["Idempotency-Key"] = "key:" + path
	}
	s.gallows.arm(n, after, func() { _ = s.front.Kill() })
	status := call(t, method, s.front.URL+path, body, header, nil)
	for end := time.Now().Add(patience); status == http.StatusAccepted && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var page canonical.Page[canonical.Operation]
		if call(t, http.MethodGet, s.front.URL+"/v1/operations", "", nil, &page) == 0 || page.Items[0].Status.Final() {
			break
		}
	}
	if s.gallows.disarm().IsZero() {
		return false
	}
	s.front = process.Start(t, s.dir, s.config)
	for end := time.Now().Add(patience); method == http.MethodPost; time.Sleep(100 * time.Millisecond) {
		if status = call(t, method, s.front.URL+path, body, header, nil); status == http.StatusAccepted {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the repeated request is answered with", status)
		}
	}
	return true
}

// A create that is killed at any step ends; there is one server where it has succeeded
// and none where it has failed, and the tenant's list is the cloud's.
func TestCreate(t *testing.T) {
	everyStep(t, 12, func(t *testing.T, s *stage, n int, after bool) bool {
		fell := s.perform(t, n, after, http.MethodPost, "/v1/servers", `{"name":"web","flavor":"small","image":"cirros"}`)
		made := 0
		for _, o := range settled(t, s.front.URL) {
			if o.Status == canonical.OperationSucceeded {
				made++
			}
		}
		seen, there := servers(t, s.front.URL), servers(t, s.cloud.URL)
		if made > 1 || len(there) != made || len(seen) != made {
			t.Errorf("%d operations succeeded, the tenant has %d servers, the cloud %d", made, len(seen), len(there))
		}
		return fell
	})
}

// A delete that is killed at any step ends with the server gone: when it did not end
// by itself, because it was never accepted, asking again does it.
func TestDelete(t *testing.T) {
	everyStep(t, 12, func(t *testing.T, s *stage, n int, after bool) bool {
		header := map[string]string{"Prefer": "wait=30"}
		if status := call(t, http.MethodPost, s.front.URL+"/v1/servers", `{"name":"web","flavor":"small","image":"cirros"}`, header, nil); status != http.StatusCreated {
			t.Fatal(status)
		}
		path := "/v1/servers/" + url.PathEscape(string(servers(t, s.front.URL)[0].ID))
		fell := s.perform(t, n, after, http.MethodDelete, path, "")
		accepted := false
		for _, o := range settled(t, s.front.URL) {
			if o.Operation == "server.delete" {
				accepted = true
				if o.Status != canonical.OperationSucceeded {
					t.Errorf("it ended as %s: %v", o.Status, o.Error)
				}
			}
		}
		seen, there := servers(t, s.front.URL), servers(t, s.cloud.URL)
		if accepted && len(there)+len(seen) > 0 || len(there) != len(seen) {
			t.Errorf("accepted %v, the tenant has %d servers, the cloud %d", accepted, len(seen), len(there))
		}
		return fell
	})
}

// A resize that is killed at any step ends: the server has the new shape and waits for a
// verdict where it has succeeded, else it is as it was.
func TestResize(t *testing.T) {
	everyStep(t, 12, func(t *testing.T, s *stage, n int, after bool) bool {
		header := map[string]string{"Prefer": "wait=30"}
		if status := call(t, http.MethodPost, s.front.URL+"/v1/servers", `{"name":"web","flavor":"small","image":"cirros"}`, header, nil); status != http.StatusCreated {
			t.Fatal(status)
		}
		path := "/v1/servers/" + url.PathEscape(string(servers(t, s.front.URL)[0].ID)) + "/resize"
		fell := s.perform(t, n, after, http.MethodPost, path, `{"flavor":"medium"}`)
		want, flavor := canonical.ServerRunning, "small"
		for _, o := range settled(t, s.front.URL) {
			if o.Operation == "server.resize" && o.Status == canonical.OperationSucceeded {
				want, flavor = canonical.ServerVerifyResize, "medium"
			}
		}
		for who, of := range map[string]string{"tenant": s.front.URL, "cloud": s.cloud.URL} {
			if all := servers(t, of); len(all) != 1 || all[0].Status != want || *all[0].Flavor.Name != flavor {
				t.Errorf("the %s has %+v, want one %s, a %s", who, all, want, flavor)
			}
		}
		return fell
	})
}
