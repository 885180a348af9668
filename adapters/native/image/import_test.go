package image

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// serve answers every path by a handler on loopback.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func file(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// byName is the same URL under the name localhost.
func byName(t testing.TB, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "localhost:" + u.Port()
	return u.String()
}

var loopback = Allow{Nets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}

func TestImport(t *testing.T) {
	data := disk(3*mib + 512)
	src := serve(t, file(data))
	for name, tc := range map[string]struct {
		allow Allow
		url   string
	}{
		"ByNet":      {loopback, src},
		"ByHost":     {Allow{Hosts: []string{"LocalHost."}}, byName(t, src)},
		"Redirected": {loopback, serve(t, http.RedirectHandler(src, http.StatusFound).ServeHTTP)},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{Allow: tc.allow})
			i := create(t, s, Spec{Name: "image", DiskFormat: Raw})
			got, err := s.Import(t.Context(), i.ID, Source{URL: tc.url})
			if err != nil || got.Status != canonical.ImageActive {
				t.Fatalf("got %+v, %v", got, err)
			}
			wantSums(t, got, data)
		})
	}
}

// TestImportRefused: each failure puts the image in error, with the reason, and leaves
// no data.
func TestImportRefused(t *testing.T) {
	data := disk(3 * mib)
	src := serve(t, file(data))
	hidden := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the hidden server was reached") })
	var loop string
	loop = serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, loop, http.StatusFound) })
	cases := map[string]struct {
		cfg   Config
		src   Source
		code  canonical.Code
		field string
	}{
		"Loopback":           {src: Source{URL: hidden}, code: canonical.InvalidRequest, field: "url"},
		"NameOfLoopback":     {src: Source{URL: byName(t, hidden)}, code: canonical.InvalidRequest, field: "url"},
		"Mapped":             {src: Source{URL: "http://[::ffff:127.0.0.1]:1/"}, code: canonical.InvalidRequest, field: "url"},
		"Unspecified":        {src: Source{URL: "http://0.0.0.0:1/"}, code: canonical.InvalidRequest, field: "url"},
		"MetadataService":    {src: Source{URL: "http://169.254.169.254/latest"}, code: canonical.InvalidRequest, field: "url"},
		"OddNumber":          {src: Source{URL: "http://[64:ff9b::7f00:1]/"}, code: canonical.InvalidRequest, field: "url"},
		"RedirectInside":     {cfg: Config{Allow: Allow{Hosts: []string{"localhost"}}}, src: Source{URL: byName(t, serve(t, http.RedirectHandler(hidden, http.StatusFound).ServeHTTP))}, code: canonical.InvalidRequest, field: "url"},
		"RedirectToFile":     {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, http.RedirectHandler("file:///etc/passwd", http.StatusFound).ServeHTTP)}, code: canonical.InvalidRequest, field: "url"},
		"RedirectsForever":   {cfg: Config{Allow: loopback}, src: Source{URL: loop}, code: canonical.InvalidRequest, field: "url"},
		"NotThere":           {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, http.NotFound)}, code: canonical.UpstreamError},
		"Refused":            {cfg: Config{Allow: loopback}, src: Source{URL: "http://127.0.0.1:1/"}, code: canonical.UpstreamError},
		"AnnouncedTooLarge":  {cfg: Config{Allow: loopback, MaxBytes: mib}, src: Source{URL: src}, code: canonical.TooLarge},
		"TooLarge":           {cfg: Config{Allow: loopback, MaxBytes: mib}, src: Source{URL: serve(t, endless)}, code: canonical.TooLarge},
		"OtherChecksum":      {cfg: Config{Allow: loopback}, src: Source{URL: src, SHA256: "00"}, code: canonical.InvalidRequest, field: "sha256"},
		"BrokenOff":          {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, brokenOff)}, code: canonical.UpstreamError},
		"OtherFormat":        {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, file([]byte("QFI\xfb")))}, code: canonical.InvalidRequest, field: "disk_format"},
		"TooSlow":            {cfg: Config{Allow: loopback, ImportTimeout: time.Millisecond}, src: Source{URL: serve(t, endless)}, code: canonical.Timeout},
		"ErrorPageForAnISO":  {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, teapot)}, code: canonical.UpstreamError},
		"CompressedTransfer": {cfg: Config{Allow: loopback}, src: Source{URL: serve(t, file([]byte("\x1f\x8b\x08")))}, code: canonical.InvalidRequest, field: "disk_format"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t, tc.cfg)
			i := create(t, s, Spec{Name: "image", DiskFormat: Raw})
			_, err := s.Import(t.Context(), i.ID, tc.src)
			wantError(t, err, tc.code, tc.field)
			wantNothingLeft(t, s, i.ID)
			if got, _ := s.Get(i.ID); got.Status != canonical.ImageError || got.Reason == "" {
				t.Errorf("the image is %s (%s)", got.Status, got.Reason)
			}
		})
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for buf := make([]byte, 64<<10); ; {
		if _, err := w.Write(buf); err != nil {
			return
		}
	}
}

func brokenOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", strconv.Itoa(10*mib))
	_, _ = w.Write(make([]byte, mib))
}

func teapot(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }

// TestImportURL: what can never do leaves the image as it was.
func TestImportURL(t *testing.T) {
	s := open(t, Config{})
	i := create(t, s, Spec{Name: "image"})
	for _, u := range []string{
		"", "image.qcow2", "/etc/passwd", "file:///etc/passwd", "ftp://example.com/x", "http://", "http:opaque",
		"http://user:secret@example.com/x", "http://exa mple/", "javascript:alert(1)", "http://[::1", "gopher://example.com/",
	} {
		_, err := s.Import(t.Context(), i.ID, Source{URL: u})
		wantError(t, err, canonical.InvalidRequest, "url")
	}
	if got, _ := s.Get(i.ID); got.Status != canonical.ImageQueued {
		t.Errorf("the image is %s", got.Status)
	}
}

// TestImportEnds: deleting an image ends its import, as does the caller; then it may be
// tried again.
func TestImportEnds(t *testing.T) {
	started := make(chan struct{}, 2)
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, mib))
		http.NewResponseController(w).Flush()
		started <- struct{}{}
		<-r.Context().Done()
	})
	s := open(t, Config{Allow: loopback})
	i := create(t, s, Spec{Name: "image"})
	run := func(ctx context.Context) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := s.Import(ctx, i.ID, Source{URL: slow})
			done <- err
		}()
		<-started
		return done
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := run(ctx)
	_, err := s.Upload(t.Context(), i.ID, Data{Body: unread{t}})
	wantError(t, err, canonical.Conflict, "")
	cancel()
	wantError(t, <-done, canonical.Canceled, "")
	wantNothingLeft(t, s, i.ID)

	done = run(t.Context())
	if err := s.Delete(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	wantError(t, <-done, canonical.Canceled, "")
	_, err = s.Get(i.ID)
	wantError(t, err, canonical.NotFound, "")
}

func TestAllow(t *testing.T) {
	a, err := ParseAllow([]string{"mirror.example", "10.1.0.0/16", "192.168.1.7", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "10.2.0.1": false, "192.168.1.7": true, "192.168.1.8": false,
		"fd12::1": true, "fc12::1": false, "fe80::1%eth0": false, "127.0.0.1": false, "::1": false, "::": false,
		"169.254.169.254": false, "100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:127.0.0.1": false,
		"::7f00:1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "172.31.255.255": false, "172.32.0.1": true,
	} {
		if got := a.addr(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: got %v", ip, got)
		}
	}
	for name, want := range map[string]bool{"mirror.example": true, "Mirror.Example.": true, "evil.mirror.example": false, "mirror.example.evil": false} {
		if a.host(name) != want {
			t.Errorf("%s: got %v", name, !want)
		}
	}
	for _, bad := range []string{"", "http://x", "10.0.0.0/33", "a b", "u@h"} {
		_, err := ParseAllow([]string{bad})
		wantError(t, err, canonical.InvalidRequest, "import_allow")
	}
}
