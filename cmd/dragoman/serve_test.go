package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/canonical"
)

// serving runs `dragoman serve` over a cloud in memory until the test ends, and makes
// the client's commands of the test ask it.
func serving(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "dragoman.yaml")
	write(t, file, "listen: 127.0.0.1:0\nclouds: [{name: m, dialect: memory, shared: true, memory: {delay: 10ms}}]\n")
	t.Setenv("DRAGOMAN_BOOTSTRAP_KEY", "root.0123456789abcdef0123456789abcdef")
	t.Setenv("DRAGOMAN_KEY", os.Getenv("DRAGOMAN_BOOTSTRAP_KEY"))
	t.Setenv("DRAGOMAN_TEST_CONFIG", file)
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--config", file}, io.Discard, write)
		write.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
	})
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			t.Setenv("DRAGOMAN_ENDPOINT", "http://"+line.Address)
			go io.Copy(io.Discard, read) // until the pipe is closed
			return
		}
	}
	t.Fatalf("serve ended before it served: %s", lines.Text())
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNamesForIDs: a name that one thing has serves instead of its id.
func TestNamesForIDs(t *testing.T) {
	serving(t)
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"server create --name a --flavor small --image cirros --wait", 0, "running"},
		{"server get a", 0, "running"},
		{"flavor get small", 0, "512"},
		{"server stop a --wait", 0, "stopped"},
		{"server stop a --wait", exitFailed, "failed_precondition"},
		{"server-snapshot create a --name s --wait", 0, "succeeded"},
		{"server-snapshot list a", 0, "s"},
		{"server get b", exitFailed, "not_found: no server is named b"},
		{"server get m:b", exitFailed, "not_found"},
		{"server create --name a --flavor small --image cirros --wait", 0, "running"},
		{"server get a", exitFailed, "failed_precondition: 2 servers are named a; give the id: m:"},
		{"server list --cloud n", exitUsage, "cloud"},
		{"server create --name a --flavor nosuch --image cirros", exitUsage, "nosuch"},
	} {
		code, out, diag := ask(t, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(out+diag, c.says) {
			t.Errorf("%s: got %d, %s%s\nwant %d and %q", c.line, code, out, diag, c.code, c.says)
		}
	}
}

// TestKeys: a wrong key, or none, is told in words that say what to do.
func TestKeys(t *testing.T) {
	serving(t)
	if code, _, diag := ask(t, "server", "list", "--key", "root.wrong"); code != exitFailed || !strings.Contains(diag, "unauthenticated") {
		t.Errorf("a wrong key: %d, %s", code, diag)
	}
	var out, diag bytes.Buffer
	t.Setenv("DRAGOMAN_KEY", "")
	if code := run(t.Context(), []string{"server", "list"}, &out, &diag); code != exitUsage || !strings.Contains(diag.String(), "DRAGOMAN_KEY") {
		t.Errorf("no key: %d, %s", code, &diag)
	}
}

// TestNothingServes: the endpoint at which nothing listens is named.
func TestNothingServes(t *testing.T) {
	const endpoint = "http://127.0.0.1:1" // no port that others are given
	code, _, diag := ask(t, "server", "list", "--endpoint", endpoint)
	if code != exitFailed || !strings.Contains(diag, "unavailable") || !strings.Contains(diag, endpoint) {
		t.Errorf("got %d, %s", code, diag)
	}
}

// TestAddressInUse: serve says which address is taken, and fails.
func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "c.yaml")
	write(t, file, "listen: "+l.Addr().String()+"\nclouds: [{name: m, dialect: memory, shared: true}]\n")
	code, _, diag := ask(t, "serve", "--config", file)
	if code != exitFailed || !strings.Contains(diag, l.Addr().String()) {
		t.Errorf("got %d, %s", code, diag)
	}
}

// TestInitTellsAKeyOnce: the first init makes a key that works, the second none.
func TestInitTellsAKeyOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	write(t, file, "clouds: [{name: m, dialect: memory, shared: true}]\n")
	code, out, diag := ask(t, "init", "--config", file)
	key := regexp.MustCompile(`(?m)^  (\S+\.\S+)$`).FindStringSubmatch(out)
	if code != 0 || key == nil {
		t.Fatalf("got %d, %q, %s", code, out, diag)
	}
	if code, out, diag := ask(t, "init", "--config", file); code != 0 || strings.Contains(out, ".") {
		t.Errorf("the second time: %d, %q, %s", code, out, diag)
	}
}

// TestConfigCheckTellsAll: every mistake at once, each with its field or line.
func TestConfigCheckTellsAll(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "c.yaml")
	write(t, file, "listen: 127.0.0.1:0\nclouds:\n  - {name: M, dialect: memory}\n  - {name: n, dialect: moon}\n")
	code, _, diag := ask(t, "config", "check", file)
	for _, want := range []string{file, "clouds.0.name", "clouds.1.dialect"} {
		if code != exitUsage || !strings.Contains(diag, want) {
			t.Errorf("got %d, %s; want %s", code, diag, want)
		}
	}
	write(t, file, "listen: 127.0.0.1:0\ncolour: red\n")
	if code, _, diag := ask(t, "config", "check", file); code != exitUsage || !strings.Contains(diag, "line 2") || !strings.Contains(diag, "colour") {
		t.Errorf("got %d, %s; want the line of colour", code, diag)
	}
	write(t, file, "clouds: [{name: m, dialect: memory, shared: true}]\n")
	if code, out, diag := ask(t, "config", "check", file); code != 0 || out != "ok\n" {
		t.Errorf("a good file: %d, %q, %s", code, out, diag)
	}
	if code, _, diag := ask(t, "config", "check", filepath.Join(dir, "none")); code != exitUsage || !strings.Contains(diag, "none") {
		t.Errorf("no file: %d, %s", code, diag)
	}
}

// TestYAML: numbers stay whole, order is the declaration's, and texts that look like
// something else are quoted.
func TestYAML(t *testing.T) {
	var out bytes.Buffer
	p, err := newPrinter(&out, "yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.result(struct {
		Zone string  `json:"zone"`
		Size int64   `json:"size"`
		Name string  `json:"name"`
		None *string `json:"none"`
	}{"a b", 16777216, "true", nil}); err != nil {
		t.Fatal(err)
	}
	if want := "zone: a b\nsize: 16777216\nname: \"true\"\nnone: null\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

// TestTableLeavesEmptyFieldsOut: a server has forty, of which most clouds fill half.
func TestTableLeavesEmptyFieldsOut(t *testing.T) {
	var out bytes.Buffer
	p, err := newPrinter(&out, "table")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.result(canonical.Server{ID: "m:1", Name: "a", Tags: []string{}, Metadata: map[string]string{}}); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if !strings.Contains(got, "m:1") || strings.Contains(got, "tags") || strings.Contains(got, "fault") || strings.Contains(got, "metadata") {
		t.Errorf("got\n%s", got)
	}
}

// TestWaitInterrupted: who stops to wait is told that the work goes on, and where.
func TestWaitInterrupted(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
		}
		io.WriteString(w, `{"id": "job7", "status": "running", "progress": 40}`)
	}))
	defer s.Close()
	code, _, diag := ask(t, "server", "stop", "m:1", "--wait", "--timeout", "300ms", "--endpoint", s.URL)
	if code != exitFailed || !strings.Contains(diag, "running 40%") || !strings.Contains(diag, "dragoman operation get job7") {
		t.Errorf("got %d, %s", code, diag)
	}
}
