package nova

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/adapters/transport"
	"github.com/dragoman-cloud/dragoman/canonical"
	dialect "github.com/dragoman-cloud/dragoman/translate/nova"
)

// openImages is the adapter of a fake whose image service answers with h.
func openImages(t *testing.T, h http.HandlerFunc) *Cloud {
	t.Helper()
	f := newFake(t, answer(`{}`))
	f.image = h
	c, err := Open(Options{
		Endpoint: f.url, Region: "r1", Auth: Auth{Username: "demo", Password: "secret", Project: "demo"},
		Transport: transport.Options{Name: "c1", Timeout: 2 * time.Second, Backoff: time.Millisecond},
	}, dialect.Table())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// counted says how much of it was read.
type counted struct {
	io.Reader
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// TestUploadWithAnOldToken: a cloud that refuses the token before it takes a byte is
// sent all of them with a new one.
func TestUploadWithAnOldToken(t *testing.T) {
	const size = 300_000
	var puts atomic.Int32
	c := openImages(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"id":"i1","status":"active","size":300000}`)
		case puts.Add(1) == 1:
			w.WriteHeader(http.StatusUnauthorized)
		default:
			b, err := io.ReadAll(r.Body)
			if err != nil || len(b) != size || r.Header.Get("Content-Type") != "application/octet-stream" || r.ContentLength != size {
				t.Errorf("%d bytes of %d, %v %v", len(b), r.ContentLength, r.Header, err)
			}
			w.WriteHeader(http.StatusNoContent)
		}
	})
	from := &counted{Reader: strings.NewReader(strings.Repeat("x", size))}
	r, err := canonical.UploadImage.Do(t.Context(), c, canonical.ImageUpload{
		ID: "i1", Content: &canonical.Content{ReadCloser: io.NopCloser(from), Size: size},
	})
	if err != nil || *r.Result.SizeBytes != size || puts.Load() != 2 || from.n.Load() != size {
		t.Errorf("%+v, %v; %d puts, %d bytes read", r.Result, err, puts.Load(), from.n.Load())
	}
}

// TestUploadIsNotRepeated: once bytes have gone they cannot be sent again.
func TestUploadIsNotRepeated(t *testing.T) {
	var puts atomic.Int32
	c := openImages(t, func(w http.ResponseWriter, r *http.Request) {
		puts.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusUnauthorized)
	})
	_, err := canonical.UploadImage.Do(t.Context(), c, canonical.ImageUpload{
		ID: "i1", Content: &canonical.Content{ReadCloser: io.NopCloser(strings.NewReader("bytes")), Size: -1},
	})
	if canonical.CodeOf(err) != canonical.UpstreamError || puts.Load() != 1 {
		t.Errorf("%v after %d", err, puts.Load())
	}
}

func TestDownloads(t *testing.T) {
	c := openImages(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "none"):
			w.WriteHeader(http.StatusNoContent)
		case strings.Contains(r.URL.Path, "away"):
			w.WriteHeader(http.StatusNotFound)
		default:
			w.Header().Set("Content-MD5", "c0ffee")
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "12345")
			if strings.Contains(r.URL.Path, "whole") {
				_, _ = io.WriteString(w, "67890")
			}
		}
	})
	for id, want := range map[canonical.ID]canonical.Code{
		"none": canonical.FailedPrecondition, "away": canonical.NotFound, "cut": canonical.UpstreamError, "whole": "",
	} {
		r, err := canonical.DownloadImage.Do(t.Context(), c, canonical.ImageDownload{ID: id})
		if err == nil {
			var got []byte
			got, err = io.ReadAll(r.Result.Content)
			err = errors.Join(err, r.Result.Content.Close())
			if *r.Result.Checksum != "c0ffee" || r.Result.Content.Size != 10 || !strings.HasPrefix("1234567890", string(got)) {
				t.Errorf("%s: %+v %q", id, r.Result, got)
			}
		}
		if got := canonical.CodeOf(err); got != want {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
}
