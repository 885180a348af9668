package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dragoman-cloud/dragoman/test/process"
)

// TestTour runs the blocks of the README marked ```sh tour, as they stand, one after
// the other in one shell, against what `make build` gives.
func TestTour(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the real program: run without -short")
	}
	if _, err := os.Stat(openstackCommand); err != nil {
		t.Skip("needs the openstack command: run 'apt-get install python3-openstackclient'")
	}
	binary, err := process.Binary()
	if err != nil {
		t.Fatal(err)
	}
	script := tour(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, filepath.Join(dir, "bin", "dragoman")); err != nil {
		t.Fatal(err)
	}
	// One shell of its own, that fails at the first command which does, and which
	// takes what it started with it.
	shell := exec.CommandContext(t.Context(), "/bin/bash", "-c",
		"set -eu -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\ncd "+dir+"\n"+script)
	shell.Env = environment(dir)
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"memory:", "status: running", `"name":"web"`, `"name":"db"`, "ACTIVE", "www"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the tour shows no %q:\n%s", want, out)
		}
	}
}

// tour is the marked blocks of the README.
func tour(t *testing.T) string {
	t.Helper()
	f, err := os.Open("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var script strings.Builder
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh tour"
		case inside:
			script.WriteString(line + "\n")
		}
	}
	if script.Len() == 0 {
		t.Fatal("the README has no block marked sh tour")
	}
	return script.String()
}
