package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dragoman-cloud/dragoman/canonical"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cloud is a server with a client whose pauses are short.
func cloud(t *testing.T, o Options, h http.HandlerFunc) (*Transport, *http.Client, string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	tr := New(o)
	t.Cleanup(tr.Close)
	return tr, tr.Client(), server.URL
}

// send makes a call and reads the answer.
func send(t *testing.T, c *http.Client, method, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func hijack(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	h, ok := w.(http.Hijacker)
	if !ok {
		t.Fatal("not a hijacker")
	}
	conn, _, err := h.Hijack()
	if err != nil {
		t.Error(err)
	}
	return conn
}

// reset ends a connection without an answer.
func reset(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	if err := hijack(t, w).Close(); err != nil {
		t.Error(err)
	}
}

func TestRetry(t *testing.T) {
	refuse := func(status int, after string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(status)
		}
	}
	cut := func(w http.ResponseWriter, _ *http.Request) { reset(t, w) }
	tests := map[string]struct {
		method string
		first  http.HandlerFunc // then the cloud is well
		tries  int32
		status int // 0: an error
	}{
		"read after 503":               {"GET", refuse(503, ""), 2, 200},
		"read after 502":               {"GET", refuse(502, ""), 2, 200},
		"read after 429":               {"GET", refuse(429, "0"), 2, 200},
		"read after 500":               {"GET", refuse(500, ""), 1, 500},
		"read after 404":               {"GET", refuse(404, ""), 1, 404},
		"read after a reset":           {"GET", cut, 2, 200},
		"write after 503":              {"POST", refuse(503, ""), 1, 503},
		"write refused with 503":       {"POST", refuse(503, "0"), 2, 200},
		"write refused with 429":       {"POST", refuse(429, "0"), 2, 200},
		"write after a reset":          {"POST", cut, 1, 0},
		"delete after a reset":         {"DELETE", cut, 1, 0},
		"a pause beyond the deadline":  {"GET", refuse(503, "3600"), 1, 503},
		"a date beyond the deadline":   {"GET", refuse(503, "Fri, 31 Dec 2100 00:00:00 GMT"), 1, 503},
		"a date in the past":           {"POST", refuse(503, "Fri, 31 Dec 1999 00:00:00 GMT"), 2, 200},
		"a pause that is not a number": {"POST", refuse(503, "soon"), 1, 503},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			_, client, url := cloud(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != "text" {
					t.Errorf("body %q, %v", body, err)
				}
				if tries.Add(1) == 1 {
					test.first(w, r)
				}
			})
			status, _, err := send(t, client, test.method, url, "text")
			if status != test.status || tries.Load() != test.tries {
				t.Errorf("status %d (%v) after %d tries, want %d after %d", status, err, tries.Load(), test.status, test.tries)
			}
		})
	}
}

func TestRetryIsBounded(t *testing.T) {
	var tries atomic.Int32
	_, client, url := cloud(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	if status, _, err := send(t, client, "GET", url, ""); status != 503 || err != nil || tries.Load() != maxTries {
		t.Errorf("status %d, %v after %d tries", status, err, tries.Load())
	}
}

func TestFaults(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	tests := map[string]struct {
		handler http.HandlerFunc
		want    canonical.Code
	}{
		"hang before the answer": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, canonical.Timeout},
		"hang within the answer": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"servers":`)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, canonical.Timeout},
		"reset": {func(w http.ResponseWriter, _ *http.Request) { reset(t, w) }, canonical.Unavailable},
		"answer cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"servers":`)
		}, canonical.UpstreamError},
		"web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<html>please log in</html>")
		}, canonical.UpstreamError},
		"nothing, called a web page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8") // frameworks say so of answers without a body
			w.WriteHeader(http.StatusCreated)
		}, ""},
		"redirect loop": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/", http.StatusFound)
		}, canonical.UpstreamError},
		"redirect elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:9/", http.StatusFound)
		}, canonical.UpstreamError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, client, url := cloud(t, Options{Timeout: 300 * time.Millisecond}, test.handler)
			_, _, err := send(t, client, "GET", url, "")
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("code %s (%v), want %s", got, err, test.want)
			}
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	tr := New(Options{Backoff: time.Millisecond})
	defer tr.Close()
	_, _, err := send(t, tr.Client(), "GET", server.URL, "")
	if got := canonical.CodeOf(err); got != canonical.Unavailable {
		t.Errorf("code %s (%v)", got, err)
	}
}

func TestSizes(t *testing.T) {
	chunk := strings.Repeat("x", 1<<20)
	write := func(w http.ResponseWriter, status, mib int) {
		w.WriteHeader(status)
		for range mib {
			if _, err := io.WriteString(w, chunk); err != nil {
				return // the client has seen enough
			}
		}
	}
	_, client, url := cloud(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/error":
			write(w, 500, 10)
		case "/large":
			write(w, 200, 10)
		default:
			write(w, 200, maxAnswer>>20+1)
		}
	})
	if status, body, err := send(t, client, "GET", url+"/error", ""); status != 500 || len(body) != maxErrorBody || err != nil {
		t.Errorf("error: status %d, %d bytes, %v", status, len(body), err)
	}
	if status, body, err := send(t, client, "GET", url+"/large", ""); status != 200 || len(body) != 10<<20 || err != nil {
		t.Errorf("large: status %d, %d bytes, %v", status, len(body), err)
	}
	if _, _, err := send(t, client, "GET", url+"/huge", ""); canonical.CodeOf(err) != canonical.UpstreamError {
		t.Errorf("huge: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	_, client, url := cloud(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	if status, body, err := send(t, client, "GET", url+"/old", ""); status != 200 || body != "/new" || err != nil {
		t.Errorf("read: %d %q %v", status, body, err)
	}
	if status, _, err := send(t, client, "POST", url+"/old", "x"); status != http.StatusFound || err != nil {
		t.Errorf("write: %d %v", status, err)
	}
}

func TestBreaker(t *testing.T) {
	var sick atomic.Bool
	var calls atomic.Int32
	tr, client, url := cloud(t, Options{Breaker: Breaker{Failures: 3, Open: 50 * time.Millisecond}},
		func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			switch {
			case r.URL.Path == "/missing":
				w.WriteHeader(http.StatusNotFound)
			case sick.Load():
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
	for range 10 {
		if status, _, err := send(t, client, "GET", url+"/missing", ""); status != 404 {
			t.Fatalf("4xx count: %d %v", status, err)
		}
	}
	sick.Store(true)
	for range 3 {
		if status, _, err := send(t, client, "GET", url, ""); status != 500 {
			t.Fatalf("%d %v", status, err)
		}
	}
	before := calls.Load()
	_, _, err := send(t, client, "GET", url, "")
	if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.Unavailable || e.RetryAfter <= 0 {
		t.Errorf("open: %v", err)
	}
	if s := tr.Status(); s.Breaker != Open || s.OpenTill.IsZero() || s.Failures != 3 || s.Calls != 13 || s.Latency <= 0 {
		t.Errorf("status %+v", s)
	}
	if calls.Load() != before {
		t.Error("an open breaker let a call through")
	}
	sick.Store(false)
	eventually(t, func() bool { return tr.Status().Breaker == HalfOpen })
	if status, _, err := send(t, client, "GET", url, ""); status != 200 {
		t.Errorf("half open: %d %v", status, err)
	}
	if s := tr.Status(); s.Breaker != Closed {
		t.Errorf("status %+v", s)
	}
}

// eventually waits for what a timer of the code under test brings about.
func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(5 * time.Second); !cond(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("did not come about")
		}
	}
}

func TestCanceledCallsSayNothing(t *testing.T) {
	tr, client, url := cloud(t, Options{Breaker: Breaker{Failures: 1}}, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if got := canonical.CodeOf(err); got != canonical.Canceled {
		t.Errorf("code %s (%v)", got, err)
	}
	if s := tr.Status(); s.Breaker != Closed {
		t.Errorf("status %+v", s)
	}
}

func TestHastyCallersSayNothing(t *testing.T) {
	tr, client, url := cloud(t, Options{Breaker: Breaker{Failures: 1}}, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if got := canonical.CodeOf(err); got != canonical.Timeout {
		t.Errorf("code %s (%v)", got, err)
	}
	if s := tr.Status(); s.Breaker != Closed {
		t.Errorf("status %+v", s)
	}
}

// A cloud that hangs is left alone after a while, though it never answers anything.
func TestHangsOpenTheBreaker(t *testing.T) {
	tr, client, url := cloud(t, Options{Timeout: 40 * time.Millisecond, Breaker: Breaker{Failures: 2}},
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for range 5 {
		if _, _, err := send(t, client, "GET", url, ""); err == nil {
			t.Error("no error")
		}
	}
	if s := tr.Status(); s.Breaker != Open {
		t.Errorf("status %+v", s)
	}
}

func TestConcurrencyLimit(t *testing.T) {
	var now, most atomic.Int32
	_, client, url := cloud(t, Options{Limits: Limits{Concurrency: 3}}, func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
	})
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() {
			if status, _, err := send(t, client, "GET", url, ""); status != 200 {
				t.Errorf("%d %v", status, err)
			}
		})
	}
	group.Wait()
	if most.Load() > 3 {
		t.Errorf("%d calls at once", most.Load())
	}
}

func TestRateLimit(t *testing.T) {
	tr, client, url := cloud(t, Options{
		Timeout: 100 * time.Millisecond, Limits: Limits{RPS: 0.01, Burst: 1}, Breaker: Breaker{Failures: 1},
	}, func(http.ResponseWriter, *http.Request) {})
	if status, _, err := send(t, client, "GET", url, ""); status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	_, _, err := send(t, client, "GET", url, "")
	if got := canonical.CodeOf(err); got != canonical.Unavailable {
		t.Errorf("code %s (%v)", got, err)
	}
	if s := tr.Status(); s.Breaker != Closed || s.Calls != 1 {
		t.Errorf("our own limit is held against the cloud: %+v", s)
	}
}

func TestMetrics(t *testing.T) {
	var got []Sample
	_, client, url := cloud(t, Options{Name: "c1", Metrics: func(s Sample) { got = append(got, s) }},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if status, _, err := send(t, client, "DELETE", url, ""); status != 204 {
		t.Fatalf("%d %v", status, err)
	}
	if len(got) != 1 || got[0].Cloud != "c1" || got[0].Method != "DELETE" || got[0].Status != 204 || got[0].Duration <= 0 {
		t.Errorf("samples %+v", got)
	}
}

func TestHealth(t *testing.T) {
	var sick atomic.Bool
	tr, client, url := cloud(t, Options{Breaker: Breaker{Failures: 3, Window: 200 * time.Millisecond, Open: 50 * time.Millisecond}},
		func(w http.ResponseWriter, _ *http.Request) {
			if sick.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
		})
	want := func(when string, status canonical.CloudStatus, breaker State, detail string) {
		t.Helper()
		h := tr.Health()
		if h.Status != status || h.Breaker != string(breaker) || h.Detail != detail || h.Versions == nil {
			t.Errorf("%s: %+v", when, h)
		}
	}
	call := func() {
		t.Helper()
		if _, _, err := send(t, client, "GET", url, ""); err != nil {
			t.Fatal(err)
		}
	}
	want("at first", canonical.CloudUp, Closed, "")
	call()
	if h := tr.Health(); h.Latency <= 0 || !h.Since.IsZero() {
		t.Errorf("after a call: %+v", h)
	}
	sick.Store(true)
	call()
	want("after a failure", canonical.CloudDegraded, Closed, "the cloud answered 500")
	since := tr.Health().Since
	if since.IsZero() {
		t.Error("degraded since never")
	}
	eventually(t, func() bool { return tr.Health().Status == canonical.CloudUp }) // the window passes
	for range 3 {
		call()
	}
	want("after three", canonical.CloudDown, Open, "the cloud answered 500")
	if again := tr.Health().Since; !again.After(since) {
		t.Errorf("down since %v, degraded since %v", again, since)
	}
	eventually(t, func() bool { return tr.Health().Breaker == string(HalfOpen) })
	want("half open", canonical.CloudDegraded, HalfOpen, "the cloud answered 500")
	sick.Store(false)
	call()
	want("in the end", canonical.CloudUp, Closed, "")
}

// Of a write that failed it is told whether the cloud may have begun it.
func TestWritesAreHonest(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // completes no TLS handshake
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	const nobody = "http://127.0.0.1:1" // no port that others are given
	_, client, url := cloud(t, Options{Timeout: 300 * time.Millisecond, Breaker: Breaker{Failures: -1}}, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // without it the end of the client is not seen
			t.Error(err)
		}
		switch r.URL.Path {
		case "/reset":
			reset(t, w)
		case "/hang":
			<-r.Context().Done()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"server":`)
		}
	})
	for name, test := range map[string]struct {
		url  string
		want canonical.Code
	}{
		"refused connection":   {nobody, canonical.Unavailable},
		"no handshake":         {"https://" + silent.Addr().String(), canonical.Unavailable},
		"reset after sending":  {url + "/reset", canonical.UpstreamError},
		"hang after sending":   {url + "/hang", canonical.Timeout},
		"answer that is cut":   {url + "/cut", canonical.UpstreamError},
		"answer that is whole": {url, ""},
	} {
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			_, _, err := send(t, client, method, test.url, "x")
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("%s %s: %s (%v), want %s", method, name, got, err, test.want)
			}
		}
	}
}
