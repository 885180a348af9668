package transport

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// put streams a body to the cloud.
func put(t *testing.T, c *http.Client, url string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(Streaming(t.Context()), http.MethodPut, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.GetBody = nil
	return c.Do(req)
}

// fetch asks for a stream.
func fetch(t *testing.T, c *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(Streaming(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(req)
}

// TestStreamsArePassedOn: the cloud gets the beginning of what is sent before the end
// exists, and the caller the beginning of what comes; the timeout of calls is not
// theirs.
func TestStreamsArePassedOn(t *testing.T) {
	const pause = 60 * time.Millisecond
	began := make(chan struct{})
	_, c, url := cloud(t, Options{Timeout: pause / 2}, func(w http.ResponseWriter, r *http.Request) {
		first := make([]byte, 5)
		if _, err := io.ReadFull(r.Body, first); err != nil {
			t.Error(err)
		}
		close(began)
		rest, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(first)
		_ = http.NewResponseController(w).Flush()
		<-time.After(pause)
		_, _ = w.Write(rest)
	})
	from, to := io.Pipe()
	go func() {
		_, _ = io.WriteString(to, "first")
		<-began
		<-time.After(pause)
		_, _ = io.WriteString(to, " and last")
		_ = to.Close()
	}()
	resp, err := put(t, c, url, from)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil || string(got) != "first and last" || resp.Body.Close() != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestStreamsThatStandStill: a cloud that makes no progress is given up; a caller who
// takes his time is not.
func TestStreamsThatStandStill(t *testing.T) {
	const idle = 50 * time.Millisecond
	stuck := make(chan struct{})
	defer close(stuck)
	tr, c, url := cloud(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(w, "begin")
		_ = http.NewResponseController(w).Flush()
		if r.URL.Path == "/stuck" {
			select {
			case <-stuck:
			case <-r.Context().Done():
			}
		}
	})
	tr.idle = idle
	resp, err := fetch(t, c, url+"/stuck")
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(resp.Body)
	if canonical.CodeOf(err) != canonical.Timeout || resp.Body.Close() != nil {
		t.Errorf("a download that stands still: %v", err)
	}
	from, to := io.Pipe()
	go func() {
		<-time.After(3 * idle)
		_, _ = io.WriteString(to, "slow")
		_ = to.Close()
	}()
	resp, err = put(t, c, url, from)
	if err != nil {
		t.Fatalf("a slow caller: %v", err)
	}
	<-time.After(2 * idle)
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "begin" || resp.Body.Close() != nil {
		t.Errorf("a caller who reads late: %q, %v", got, err)
	}
}

// TestSilentCloud: one that takes all and answers nothing is given up too.
func TestSilentCloud(t *testing.T) {
	tr, c, url := cloud(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	tr.idle = 50 * time.Millisecond
	if _, err := put(t, c, url, strings.NewReader("bytes")); canonical.CodeOf(err) != canonical.Timeout {
		t.Errorf("%v", err)
	}
}

// TestStreamsAreNotRepeated: what was sent once is gone.
func TestStreamsAreNotRepeated(t *testing.T) {
	var calls atomic.Int32
	_, c, url := cloud(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	resp, err := put(t, c, url, io.NopCloser(strings.NewReader("bytes")))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != 503 || calls.Load() != 1 {
		t.Errorf("%d after %d calls, %v", resp.StatusCode, calls.Load(), err)
	}
}

// TestBrokenStream: a download that ends early says so, and one whose caller goes away
// is no fault of the cloud's.
func TestBrokenStream(t *testing.T) {
	_, c, url := cloud(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "part")
	})
	resp, err := fetch(t, c, url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(resp.Body); canonical.CodeOf(err) != canonical.UpstreamError || resp.Body.Close() != nil {
		t.Errorf("%v", err)
	}
	ctx, leave := context.WithCancel(Streaming(t.Context()))
	leave()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(req); canonical.CodeOf(err) != canonical.Canceled {
		t.Errorf("%v", err)
	}
}
