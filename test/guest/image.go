package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Image is the path of the guest's qcow2, which is built when it is not there yet.
// It is shared between tests and must not be written to: boot an overlay of it. The
// test is skipped in short mode and on machines that are no amd64 Debian.
func Image(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the test guest is not built in short mode")
	}
	if _, err := exec.LookPath("apt-get"); err != nil || runtime.GOARCH != "amd64" {
		t.Skip("the test guest is built from Debian's amd64 packages")
	}
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// build runs build.sh once per process; the script itself keeps what it built.
var build = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command(filepath.Join(filepath.Dir(here), "build.sh")) //nolint:gosec // a file of this tree
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
})
