package nova

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
	"github.com/dragoman-cloud/dragoman/canonical/cloudtest"
	dialect "github.com/dragoman-cloud/dragoman/translate/nova"
)

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<html>It works!</html>")
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func hang(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func reset(w http.ResponseWriter, _ *http.Request) {
	panic(http.ErrAbortHandler) // net/http's way to cut a connection
}

func TestHostileCompute(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		want    canonical.Code
	}{
		"web page":          {page, canonical.UpstreamError},
		"truncated JSON":    {answer(`{"id":"s1","na`), canonical.UpstreamError},
		"wrong type":        {answer(`{"id":7}`), canonical.UpstreamError},
		"a list":            {answer(`[]`), canonical.UpstreamError},
		"nothing":           {answer(``), canonical.UpstreamError},
		"an error inside":   {answer(`{"itemNotFound":{"code":404,"message":"no such server"}}`), canonical.NotFound},
		"a limit inside":    {answer(`{"forbidden":{"code":403,"message":"Quota exceeded"}}`), canonical.QuotaExceeded},
		"endless redirects": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, canonical.UpstreamError},
		"10 MB of error":    {status(500, strings.Repeat("x", 10<<20)), canonical.UpstreamError},
		"hang":              {hang, canonical.Timeout},
		"reset":             {reset, canonical.Unavailable},
		"always 401":        {status(401, ""), canonical.UpstreamError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, test.handler)
			c := f.open()
			begin := time.Now()
			_, err := get(t.Context(), c)
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("code %s (%v), want %s", got, err, test.want)
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if e := canonical.AsError(err); e != nil && e.Upstream != nil && len(e.Upstream.Message) > 64<<10 {
				t.Errorf("an error of %d bytes", len(e.Upstream.Message))
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token1") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

// TestHostileRows: whatever a service of the cloud answers, every operation of the
// dialect ends with an error that says whose fault it is, and no answer of another kind
// passes for a success.
func TestHostileRows(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"web page":        page,
		"truncated JSON":  answer(`{"id":"s1","na`),
		"a list":          answer(`[]`),
		"numbers":         answer(`7`),
		"an error inside": answer(`{"itemNotFound":{"code":404,"message":"no such thing"}}`),
		"10 MB of error":  status(500, strings.Repeat("x", 10<<20)),
		"redirect":        func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"reset":           reset,
	}
	allowed := map[canonical.Code]bool{
		canonical.UpstreamError: true, canonical.Unavailable: true, canonical.Timeout: true, canonical.NotFound: true,
		canonical.InvalidRequest: true, // of what it points to, which is not there
	}
	ops := map[*canonical.Spec]bool{}
	for _, row := range dialect.Table().Rows {
		ops[row.Op] = true
	}
	for name, handler := range answers {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, handler)
			f.image, f.network = handler, handler
			c := f.openNova()
			for op := range ops {
				req := cloudtest.Plausible(op)
				if req == nil || op.Streams {
					continue
				}
				_, err := c.Do(t.Context(), canonical.Call{Op: op, Request: req})
				if code := canonical.CodeOf(err); !allowed[code] && code != canonical.Unsupported {
					t.Errorf("%s: code %q, %v", op.Name, code, err)
				}
			}
		})
	}
}

func TestHostileKeystone(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		want    canonical.Code
	}{
		"wrong password":  {status(401, `{"error":{"code":401}}`), canonical.UpstreamError},
		"no Keystone":     {status(404, `nothing here`), canonical.UpstreamError},
		"web page":        {page, canonical.UpstreamError},
		"not JSON":        {status(201, `{"token":`), canonical.UpstreamError},
		"wrong type":      {status(201, `{"token":{"catalog":7}}`), canonical.UpstreamError},
		"nothing in it":   {status(201, `{}`), canonical.UpstreamError},
		"empty token":     {status(201, `{"token":{"expires_at":"2100-01-01T00:00:00.000000Z"}}`), canonical.UpstreamError},
		"error inside":    {status(200, `{"error":{"code":500}}`), canonical.UpstreamError},
		"down":            {status(503, ``), canonical.Unavailable},
		"too many":        {status(429, ``), canonical.RateLimited},
		"hang":            {hang, canonical.Timeout},
		"reset":           {reset, canonical.Unavailable},
		"10 MB of error":  {status(500, strings.Repeat("x", 10<<20)), canonical.UpstreamError},
		"redirected post": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, canonical.UpstreamError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, answer(`{}`))
			f.logIn = test.handler
			c := f.open()
			_, err := get(t.Context(), c)
			if got := canonical.CodeOf(err); got != test.want {
				t.Errorf("code %s (%v), want %s", got, err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func TestCatalogWithoutCompute(t *testing.T) {
	f := newFake(t, answer(`{}`))
	f.catalog = `{"type":"image","endpoints":[{"interface":"public","region_id":"r1","region":"r1","url":"%[1]s/image"}]}`
	_, err := get(t.Context(), f.open())
	if e := canonical.AsError(err); canonical.CodeOf(err) != canonical.UpstreamError || !strings.Contains(e.Detail, "compute") {
		t.Errorf("%v", err)
	}
}

func TestStrangeVersions(t *testing.T) {
	for body, want := range map[string]canonical.Code{
		`{"version":{"version":"","min_version":""}}`:         "",
		`{"version":{"version":"2.93","min_version":"2.1"}}`:  "",
		`{"version":{"version":"two","min_version":"2.1"}}`:   canonical.UpstreamError,
		`{"version":{"version":["2.1"],"min_version":"2.1"}}`: canonical.UpstreamError,
		`{"versions":[]}`: canonical.UpstreamError,
		`{`:               canonical.UpstreamError,
	} {
		_, err := readWindow(respond(200, body), "compute")
		if got := canonical.CodeOf(err); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	for code, want := range map[int]canonical.Code{503: canonical.Unavailable, 500: canonical.UpstreamError, 404: canonical.UpstreamError} {
		if _, err := readWindow(respond(code, ""), "compute"); canonical.CodeOf(err) != want {
			t.Errorf("%d: %v", code, err)
		}
	}
}
