// Package process runs the real dragoman program for tests: it is built once, and
// may be started, stopped, killed and started again in one directory.
package process

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Key is the administrator's key that every Process starts with.
const Key = "tester.0123456789abcdef0123456789abcdef"

// patience is how long a start or a stop may take.
const patience = 30 * time.Second

// Binary is the path of the program, built once for a test binary. Remove it with
// Clean at the end of TestMain.
var Binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dragoman-test")
	if err != nil {
		return "", err
	}
	scratch = dir
	path := filepath.Join(dir, "dragoman")
	args := append(buildFlags, "-o", path, "github.com/dragoman-cloud/dragoman/cmd/dragoman")
	out, err := exec.Command("go", args...).CombinedOutput() //nolint:gosec // our own words
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// buildFlags have -race where the tests themselves have it.
var buildFlags = []string{"build", "-trimpath", "-buildvcs=false"}

var scratch string

// Clean removes what Binary built.
func Clean() error {
	if scratch == "" {
		return nil
	}
	return os.RemoveAll(scratch)
}

// Process is a running dragoman.
type Process struct {
	URL string
	cmd *exec.Cmd
	log *log
	mu  sync.Mutex // held while it is ended
}

// Start runs `dragoman serve` in dir with that configuration until the test ends, or
// Stop or Kill. The test is skipped under -short.
func Start(t testing.TB, dir, config string, env ...string) *Process {
	t.Helper()
	if testing.Short() {
		t.Skip("starts the real program: run without -short")
	}
	binary, err := Binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "dragoman.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "serve", "--config", file) //nolint:gosec,noctx // the program under test, which Kill and Stop end
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "DRAGOMAN_LISTEN=127.0.0.1:0", "DRAGOMAN_BOOTSTRAP_KEY=" + Key,
	}, env...)
	from, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &Process{cmd: cmd, log: &log{address: make(chan string, 1), ended: make(chan struct{})}}
	go p.log.read(from)
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log of dragoman in %s:\n%s", dir, p.log)
		}
	})
	select {
	case p.URL = <-p.log.address:
	case <-p.log.ended:
		t.Fatalf("dragoman ended: %s", p.log)
	case <-time.After(patience):
		t.Fatalf("dragoman does not serve: %s", p.log)
	}
	return p
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as a crash does; one that has ended stays so.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

// Stop ends the process as a supervisor does; how it ended is the error.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

// Pause stops the process where it is until Continue.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (p *Process) Continue() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

func (p *Process) end(how syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd.ProcessState != nil {
		return nil
	}
	if err := p.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	<-p.log.ended
	err := p.cmd.Wait()
	if how == syscall.SIGKILL {
		return nil
	}
	return err
}

// log is what a process logs.
type log struct {
	address chan string
	ended   chan struct{}
	mu      sync.Mutex
	text    bytes.Buffer
}

func (l *log) read(from io.Reader) {
	defer close(l.ended)
	for lines := bufio.NewScanner(from); lines.Scan(); {
		l.mu.Lock()
		l.text.Write(append(lines.Bytes(), '\n'))
		l.mu.Unlock()
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Address != "" {
			select {
			case l.address <- "http://" + line.Address:
			default: // it has been told
			}
		}
	}
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
