package libvirt

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Env names the environment variable that holds the URI of a libvirtd to test with.
const Env = "DRAGOMAN_TEST_LIBVIRT"

// Network is the NAT network that libvirt.sh makes: a /24, 10.231.77.0 if not told
// otherwise, of which DHCP hands out .100 to .199.
const Network = "dragoman-nat"

// Daemon is a libvirtd.
type Daemon struct {
	URI    string
	Socket string // its Unix socket; "" for one that is reached another way

	lock *os.File
}

// Require returns the libvirtd to test with. It skips the test when none was provided,
// and where tests are to be short. Call it once in a test: RequireOwn
// waits for all other uses to end.
func Require(t testing.TB) Daemon {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a libvirtd, which is not for short tests")
	}
	uri := os.Getenv(Env)
	if uri == "" {
		t.Skip("needs a libvirtd, and $" + Env + " names none: run test/libvirt/libvirt.sh install, start, and what env prints")
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("$%s: %v", Env, err)
	}
	return Daemon{URI: uri, Socket: u.Query().Get("socket"), lock: share(t)}
}

// RequireNetwork skips the test where the daemon has no running Network.
func (d Daemon) RequireNetwork(t testing.TB) string {
	t.Helper()
	if !d.HasNetwork(t) {
		t.Skip("needs the network " + Network + ", which does not run: see what test/libvirt/libvirt.sh start says")
	}
	return Network
}

// HasNetwork says whether Network runs, which needs bridges, and they are not to be had
// in every container.
func (d Daemon) HasNetwork(t testing.TB) bool {
	t.Helper()
	for name := range strings.Lines(d.Virsh(t, "net-list", "--name")) {
		if strings.TrimSpace(name) == Network {
			return true
		}
	}
	return false
}

// Virsh runs virsh, and fails the test when that fails.
func (d Daemon) Virsh(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "virsh", append([]string{"-q", "-c", d.URI}, args...)...).CombinedOutput() //nolint:gosec // the test's own words
	if err != nil {
		t.Fatalf("virsh %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// RequireOwn skips the test unless the daemon is the one of libvirt.sh, which tests may
// kill and start again. Until the test ends no other has it; it is skipped too where
// others go on using it for longer than a minute.
func (d Daemon) RequireOwn(t testing.TB) Control {
	t.Helper()
	script := filepath.Join(root(t), "test", "libvirt", "libvirt.sh")
	out, err := exec.CommandContext(t.Context(), script, "env").Output() //nolint:gosec // the script of this directory
	if err != nil || !strings.Contains(string(out), "'"+d.URI+"'") {
		t.Skip("needs the libvirtd of test/libvirt/libvirt.sh, to kill it: $" + Env + " names another")
	}
	alone(t, d.lock)
	return Control{script}
}

// Control starts and kills the daemon of libvirt.sh.
type Control struct{ script string }

// Kill ends libvirtd as a crash would; guests go on running.
func (c Control) Kill(t testing.TB) { c.run(t, "kill") }

// Start starts what does not run.
func (c Control) Start(t testing.TB) { c.run(t, "start") }

func (c Control) run(t testing.TB, command string) {
	t.Helper()
	if out, err := exec.Command(c.script, command).CombinedOutput(); err != nil { //nolint:noctx,gosec // it must run in clean-ups too; the script of this directory
		t.Fatalf("libvirt.sh %s: %v: %s", command, err, out)
	}
}

// root is the directory of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above the working directory")
	return ""
}
