package libvirt

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Names are for a test's own domains and pools, which begin with prefix, and for the
// directory of their disks, which libvirt's user can reach unlike t.TempDir. All of it
// that is left when the test ends is told and removed.
func (d Daemon) Names(t testing.TB) (prefix, dir string) {
	t.Helper()
	prefix = "drgtest-" + strings.ToLower(rand.Text()[:8])
	dir = filepath.Join("/var/tmp", prefix)
	t.Cleanup(func() { d.sweep(t, prefix, dir) })
	return prefix, dir
}

func (d Daemon) sweep(t testing.TB, prefix, dir string) {
	virsh := func(args ...string) []string {
		out, err := exec.Command("virsh", append([]string{"-q", "-c", d.URI}, args...)...).CombinedOutput() //nolint:noctx,gosec // it runs in clean-ups; the test's own words
		if err != nil {
			t.Logf("virsh %v: %v: %s", args, err, out)
		}
		return strings.Fields(string(out))
	}
	for _, name := range virsh("list", "--all", "--name") {
		if strings.HasPrefix(name, prefix+"-") {
			t.Logf("left behind: domain %s", name)
			virsh("destroy", name)
			virsh("undefine", name)
		}
	}
	for _, name := range virsh("pool-list", "--all", "--name") {
		if strings.HasPrefix(name, prefix+"-") {
			virsh("pool-destroy", name)
			virsh("pool-undefine", name)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Error(err)
	}
}
