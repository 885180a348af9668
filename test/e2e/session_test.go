package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// session is one openstack command that reads its commands from a pipe: it starts and
// logs in once, which takes longer than most commands do.
type session struct {
	mu   sync.Mutex
	end  func()
	in   io.Writer
	out  *bufio.Reader
	diag string // name of the file that it complains to
	read int    // of that file so far
	mark string // the line that ends what a command prints
}

// askMark is a command that asks nothing of the cloud and prints one known line.
const askMark = "token issue -f value -c id\n"

// session starts the command; it ends with the test.
func (c client) session(t *testing.T) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, openstackCommand)
	cmd.Env = append(slices.Clone(c.env), "PYTHONUNBUFFERED=1")
	if c.version != "" { // what follows the name on its line would be the one command
		cmd.Env = append(cmd.Env, "OS_COMPUTE_API_VERSION="+c.version)
	}
	s := &session{end: cancel, diag: filepath.Join(t.TempDir(), "diag")}
	diag, err := os.Create(s.diag)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = diag
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.in, s.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed: it always fails
		_ = diag.Close()
	})
	if _, err := io.WriteString(in, askMark); err != nil {
		t.Fatal(err)
	}
	if s.mark, err = s.out.ReadString('\n'); err != nil {
		complaint, _ := os.ReadFile(s.diag)
		t.Fatalf("the openstack command does not start: %v\n%s", err, complaint)
	}
	return s
}

// run runs a command. What it complains of is the failure: there is no exit code.
func (s *session) run(t *testing.T, line string) finished {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	f := finished{line: line}
	late := time.AfterFunc(patience, s.end)
	defer late.Stop()
	if _, err := io.WriteString(s.in, line+"\n"+askMark); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for done := false; !done; {
		text, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%s: the openstack command ended: %v", line, err)
		}
		text, done = strings.CutSuffix(text, s.mark)
		f.out += text
	}
	diag, err := os.ReadFile(s.diag)
	if err != nil {
		t.Fatal(err)
	}
	f.diag, s.read = string(diag[s.read:]), len(diag)
	if f.diag != "" {
		f.code = 1
	}
	return f
}

// printed reads the JSON of what a command printed, which may tell its progress first.
func (f finished) printed(into any) error {
	at := max(0, strings.IndexAny(f.out, "[{"))
	return json.Unmarshal([]byte(f.out[at:]), into)
}
