package openstack_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/dragoman-cloud/dragoman/adapters/memory"
	"github.com/dragoman-cloud/dragoman/canonical"
)

// transfer sends or asks for the bytes of an image.
func transfer(t *testing.T, method, url, token string, body io.Reader) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Content-Type", "application/octet-stream")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	return resp, got, errors.Join(err, resp.Body.Close())
}

func newImage(t *testing.T, base, token string) (url string) {
	t.Helper()
	var made struct{ ID, Status string }
	r := call(t, "POST", base+"/image/v2/images", token, `{"name":"i","disk_format":"raw","container_format":"bare","x":"y"}`, &made)
	if r.StatusCode != 201 || made.Status != "queued" {
		t.Fatalf("%d %+v", r.StatusCode, made)
	}
	return base + "/image/v2/images/" + made.ID
}

// TestImages: bytes far beyond the limit of other bodies go in and out, with and
// without a length told before.
func TestImages(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}))
	token := login(t, base)
	data := bytes.Repeat([]byte("0123456789abcdef"), 400_000)
	for name, from := range map[string]io.Reader{"length": bytes.NewReader(data), "chunked": iotest.DataErrReader(bytes.NewBuffer(data))} {
		url := newImage(t, base, token)
		if r, _, err := transfer(t, "GET", url+"/file", token, nil); r.StatusCode != 204 || err != nil {
			t.Errorf("%s: before the upload: %d, %v", name, r.StatusCode, err)
		}
		if r, body, err := transfer(t, "PUT", url+"/file", token, from); r.StatusCode != 204 || err != nil {
			t.Fatalf("%s: %d %s, %v", name, r.StatusCode, body, err)
		}
		if r, _, err := transfer(t, "PUT", url+"/file", token, strings.NewReader("again")); r.StatusCode != 409 || err != nil {
			t.Errorf("%s: the second upload: %d, %v", name, r.StatusCode, err)
		}
		r, got, err := transfer(t, "GET", url+"/file", token, nil)
		if r.StatusCode != 200 || err != nil || !bytes.Equal(got, data) || r.ContentLength != int64(len(data)) ||
			r.Header.Get("Content-Md5") == "" || r.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %d bytes, %v, %v", name, len(got), r.Header, err)
		}
		if r := call(t, "DELETE", url, token, "", nil); r.StatusCode != 204 {
			t.Errorf("%s: the delete: %d", name, r.StatusCode)
		}
	}
	if r := call(t, "PUT", newImage(t, base, token)+"/file", token, "{}", nil); r.StatusCode != 415 {
		t.Errorf("an upload of JSON: %d", r.StatusCode)
	}
}

// TestUploadThatBreaksOff: an image does not take a part for the whole.
func TestUploadThatBreaksOff(t *testing.T) {
	end := memory.New(memory.Options{})
	base := serveCloud(t, "", end)
	token := login(t, base)
	url := newImage(t, base, token)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(c, "PUT "+strings.TrimPrefix(url, base)+"/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: "+token+
		"\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nonly a part")
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the image is queued again", func() bool {
		var i struct{ Status string }
		call(t, "GET", url, token, "", &i)
		if i.Status == "active" {
			t.Fatal("the image is active")
		}
		return i.Status == "queued"
	})
	if r, body, err := transfer(t, "PUT", url+"/file", token, strings.NewReader("all of it")); r.StatusCode != 204 || err != nil {
		t.Errorf("the next upload: %d %s, %v", r.StatusCode, body, err)
	}
}

// faulty is a cloud whose downloads break off, and that counts its uploads and has no
// time for them.
type faulty struct {
	canonical.Cloud
	uploads atomic.Int32
}

func (f *faulty) Do(ctx context.Context, call canonical.Call) (canonical.Reply, error) {
	switch call.Op {
	case canonical.UploadImage.Spec():
		f.uploads.Add(1)
		return canonical.Reply{}, canonical.Errorf(canonical.RateLimited, "not now")
	case canonical.DownloadImage.Spec():
		from := io.MultiReader(strings.NewReader(strings.Repeat("a part ", 20_000)), iotest.ErrReader(canonical.Errorf(canonical.UpstreamError, "broken")))
		return canonical.Reply{Result: canonical.ImageContent{Content: &canonical.Content{ReadCloser: io.NopCloser(from), Size: -1}}}, nil
	}
	return f.Cloud.Do(ctx, call)
}

// TestFaultyTransfers: what breaks off is cut off, and what cannot be repeated is not.
func TestFaultyTransfers(t *testing.T) {
	c := &faulty{Cloud: memory.New(memory.Options{})}
	base := serveCloud(t, "", c)
	token := login(t, base)
	url := newImage(t, base, token)
	if r, got, err := transfer(t, "GET", url+"/file", token, nil); err == nil {
		t.Errorf("a broken download ends well: %d, %d bytes", r.StatusCode, len(got))
	}
	if r, _, _ := transfer(t, "PUT", url+"/file", token, strings.NewReader("bytes")); r.StatusCode != 429 || c.uploads.Load() != 1 {
		t.Errorf("%d after %d uploads", r.StatusCode, c.uploads.Load())
	}
}

// TestSlowUploads: a client that stands still is let go, however long the image may be.
func TestSlowUploads(t *testing.T) {
	base := serveCloud(t, "", memory.New(memory.Options{}), hasty)
	token := login(t, base)
	url := newImage(t, base, token)
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := io.WriteString(c, "PUT "+strings.TrimPrefix(url, base)+"/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: "+token+
		"\r\nContent-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nonly a part"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("%d, %v", resp.StatusCode, err)
	}
}
