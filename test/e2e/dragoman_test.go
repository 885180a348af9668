package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The administrator's key that every dragoman here starts with.
const (
	keyID     = "tester"
	keySecret = "0123456789abcdef0123456789abcdef"
)

// patience is the most time that anything here may take.
const patience = 2 * time.Minute

// buildFlags have -race where the tests themselves have it.
var buildFlags = []string{"build", "-trimpath", "-buildvcs=false"}

// built is the path of the program, made once for all tests.
var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "dragoman")
	out, err := exec.Command("go", append(buildFlags, "-o", path, "../../cmd/dragoman")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// scratch holds what outlives one test.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "dragoman-e2e"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		flag.Parse()
		// The openstack command sleeps for seconds between its questions.
		if err := flag.Set("test.parallel", "6"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// dragoman is a running one.
type dragoman struct {
	binary, url, dir string
}

// start runs `dragoman serve` with that configuration, "" being the embedded
// defaults, until the test ends. It must then end by itself, without an error.
func start(t *testing.T, config string) *dragoman {
	t.Helper()
	if testing.Short() {
		t.Skip("starts the real program: run without -short")
	}
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	d := &dragoman{binary: binary, dir: t.TempDir()}
	if config != "" {
		if err := os.WriteFile(filepath.Join(d.dir, "dragoman.yaml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "serve")
	cmd.Dir = d.dir
	cmd.Env = environment(d.dir, "DRAGOMAN_LISTEN=127.0.0.1:0", "DRAGOMAN_BOOTSTRAP_KEY="+keyID+"."+keySecret)
	diag, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := &record{serving: make(chan string, 1), ended: make(chan struct{})}
	go log.read(diag)
	t.Cleanup(func() { stop(t, cmd, log) })
	select {
	case d.url = <-log.serving:
	case <-log.ended:
		t.Fatalf("dragoman ended: %s", log)
	case <-time.After(patience):
		t.Fatalf("dragoman does not serve: %s", log)
	}
	return d
}

// stop ends a dragoman as a supervisor does.
func stop(t *testing.T, cmd *exec.Cmd, log *record) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	<-log.ended
	if err := cmd.Wait(); err != nil {
		t.Errorf("dragoman ended with %v", err)
	}
	if t.Failed() {
		t.Logf("the log of dragoman:\n%s", log)
	}
}

// record is what a dragoman logs.
type record struct {
	serving chan string // gets the URL
	ended   chan struct{}
	mu      sync.Mutex
	text    bytes.Buffer
}

func (r *record) read(from io.Reader) {
	defer close(r.ended)
	for lines := bufio.NewScanner(from); lines.Scan(); {
		r.mu.Lock()
		r.text.Write(append(lines.Bytes(), '\n'))
		r.mu.Unlock()
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			r.serving <- "http://" + line.Address
		}
	}
}

// String is the end of the log.
func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := strings.SplitAfter(r.text.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "")
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
	return command(t, environment(d.dir, "DRAGOMAN_ENDPOINT="+d.url, "DRAGOMAN_KEY="+keyID+"."+keySecret), d.binary, args...)
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
	req.Header.Set("Authorization", "Bearer "+keyID+"."+keySecret)
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
