package libvirt

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// share keeps tests that kill the daemon, in whatever package and process, away from
// others while these use it. The lock ends with the test.
func share(t testing.TB) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "dragoman-libvirt-tests.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); { // a signal of the runtime's
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
	}
	if err != nil {
		t.Fatalf("lock %s: %v", f.Name(), err)
	}
	return f
}

// alone exchanges what share took for a lock that nobody shares.
func alone(t testing.TB, f *os.File) {
	t.Helper()
	const patience = time.Minute
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			t.Fatalf("lock %s: %v", f.Name(), err)
		}
	}
	t.Skipf("needs the libvirtd for itself, to kill it, and others have used it for %v: run this package alone", patience)
}
