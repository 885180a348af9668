package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-cloud/dragoman/test/process"
)

// The halves of the administrator's key that every dragoman here starts with.
var keyID, keySecret, _ = strings.Cut(process.Key, ".")

// patience is the most time that anything here may take.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	// The openstack command sleeps for seconds between its questions.
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := errors.Join(sweep(), process.Clean()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// dragoman is a running one.
type dragoman struct {
	binary, url, dir string
}

// start runs `dragoman serve` with that configuration until the test ends. It must
// then end by itself, without an error.
func start(t *testing.T, config string) *dragoman {
	t.Helper()
	dir := t.TempDir()
	p := process.Start(t, dir, config)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("dragoman ended with %v", err)
		}
	})
	binary, err := process.Binary()
	if err != nil {
		t.Fatal(err)
	}
	return &dragoman{binary: binary, url: p.URL, dir: dir}
}

// environment is a small one, of which nothing of the machine's own settings is part.
func environment(home string, more ...string) []string {
	return append([]string{"PATH=/usr/bin:/bin", "HOME=" + home, "LC_ALL=C.UTF-8", "TMPDIR=" + home}, more...)
}

// finished is a command that ended.
type finished struct {
	line      string
	code      int
	out, diag string
}

// command runs a program to its end.
func command(t *testing.T, env []string, name string, args ...string) finished {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	var out, diag bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diag
	f := finished{line: filepath.Base(name) + " " + strings.Join(args, " ")}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", f.line, err)
	}
	f.code, f.out, f.diag = cmd.ProcessState.ExitCode(), out.String(), diag.String()
	return f
}

// good fails the test where the command failed.
func (f finished) good(t *testing.T) finished {
	t.Helper()
	if f.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", f.line, f.code, f.out, f.diag)
	}
	return f
}

// json reads what the command printed.
func (f finished) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(f.out), into); err != nil {
		t.Fatalf("%s: %v in\n%s%s", f.line, err, f.out, f.diag)
	}
}

// ask runs the dragoman command, as a client of this dragoman.
func (d *dragoman) ask(t *testing.T, args ...string) finished {
	t.Helper()
	return command(t, environment(d.dir, "DRAGOMAN_ENDPOINT="+d.url, "DRAGOMAN_KEY="+process.Key), d.binary, args...)
}

// call asks the canonical API and wants that status; the answer is read into out.
func (d *dragoman) call(t *testing.T, method, path, body string, status int, out any, header ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+process.Key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, resp.StatusCode, got, status)
	}
	if out != nil {
		if err := json.Unmarshal(got, out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, got)
		}
	}
}
