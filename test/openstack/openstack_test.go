package openstack

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.json")
	if _, err := Load(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: got error %v, want fs.ErrNotExist", err)
	}
	for _, text := range []string{"", "{}", `{"auth_url": 1}`, `{"auth_url": "http://127.0.0.1/v3"}`} {
		write(t, path, text)
		if _, err := Load(path); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
	write(t, path, `{"auth_url": "http://127.0.0.1/v3", "hosts": ["a", "b"],
		"admin": {"username": "admin"}, "demo": {"username": "demo", "project": "p"}}`)
	peer, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if peer.AuthURL != "http://127.0.0.1/v3" || peer.Demo.Project != "p" || len(peer.Hosts) != 2 {
		t.Errorf("got %+v", peer)
	}
}

// recorder is a testing.TB that notes how the test would have ended.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Skip(...any)           { r.skipped = true; panic(r) }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }

func TestRequireWithoutStack(t *testing.T) {
	for name, test := range map[string]struct {
		path            string
		skipped, failed bool
	}{
		"unset":      {"", true, false},
		"unreadable": {filepath.Join(t.TempDir(), "none.json"), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(Env, test.path)
			r := &recorder{TB: t}
			func() {
				defer func() {
					if p := recover(); p != nil && p != any(r) {
						panic(p)
					}
				}()
				Require(r)
			}()
			if r.skipped != test.skipped || r.failed != test.failed {
				t.Errorf("skipped %v and failed %v, want %v and %v", r.skipped, r.failed, test.skipped, test.failed)
			}
		})
	}
}

func TestRequire(t *testing.T) {
	peer := Require(t)
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get(peer.AuthURL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s", peer.AuthURL, response.Status)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
